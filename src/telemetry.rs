//! Logs: JSON off a terminal, readable on one. Ids, never guests' names or secrets.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Sets the process's logging up; `filter` is in the words of `RUST_LOG`, `info` where there is none. Does nothing the
/// second time.
pub fn init(filter: Option<&str>) {
    let filter = filter
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new("info"));
    let plain = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let terminal = std::io::stderr().is_terminal();
    // The only error is that somebody has set logging up before.
    let _ = if terminal {
        plain.with_target(false).try_init()
    } else {
        plain.json().flatten_event(true).try_init()
    };
}
