//! How commands say what they have to say.

use std::io::Write;
use std::process::ExitCode;

/// `--output`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Findings: mistakes in files, something asked for that is not there.
pub const FINDINGS: u8 = 1;

/// Writes a text and says how it went. A reader that has gone away (`| head`) is no failure of ours.
pub fn say(out: &mut dyn Write, text: &str, code: u8) -> ExitCode {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(FINDINGS.max(code)),
        _ => ExitCode::from(code),
    }
}
