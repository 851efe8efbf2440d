//! The `stayhook` command.
#![forbid(unsafe_code)]

#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    stayhook::cli::main()
}
