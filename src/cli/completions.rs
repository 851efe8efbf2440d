//! `completions`: what a shell needs to finish commands and options.

use std::io::Write;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{FINE, Failure, TEMPORARY};

/// What `completions` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut command = super::Arguments::command();
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "stayhook", &mut text);
    print(&text, out)
}

/// Writes it all; a reader that has gone away (`| head`) is no failure.
pub(super) fn print(text: &[u8], out: &mut dyn Write) -> Result<u8, Failure> {
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(TEMPORARY, format!("standard output: {error}")))
        }
        _ => Ok(FINE),
    }
}
