//! The `stayhook` command.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    stayhook::cli::main()
}
