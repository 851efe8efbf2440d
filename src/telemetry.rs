//! Logs: JSON off a terminal, readable on one. Ids, never guests' names or secrets.

mod lines;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use lines::{Lines, Pen};

/// How long the end of the process waits for somebody to read the last lines.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// One JSON object a line, for whatever collects it.
    Json,
    /// For eyes, in colour or without.
    Readable { colour: bool },
}

/// `no_color` is the value of `NO_COLOR`: <https://no-color.org>.
fn look(terminal: bool, no_color: Option<&str>) -> Look {
    match terminal {
        false => Look::Json,
        true => Look::Readable {
            colour: no_color.is_none_or(str::is_empty),
        },
    }
}

/// Keeps the log; dropped, it waits a moment until the last lines are written.
#[derive(Debug)]
#[must_use = "dropped, it ends the log"]
pub struct Log(Option<Arc<Lines>>);

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(lines) = &self.0 {
            lines.settle(LAST_WORDS);
        }
    }
}

/// Sets the process's logging up; `filter` is in the words of `RUST_LOG`, `info` where there is none, and `no_color` the
/// value of `NO_COLOR`. Does nothing the second time.
pub fn init(filter: Option<&str>, no_color: Option<&str>) -> Log {
    let lines = Lines::new();
    let (filter, unread) = match filter.map(EnvFilter::try_new) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new("info"), Some(error)),
        None => (EnvFilter::new("info"), None),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(Pen(lines.clone()));
    let layer = match look(std::io::stderr().is_terminal(), no_color) {
        Look::Json => layer.json().flatten_event(true).boxed(),
        Look::Readable { colour } => layer.with_target(false).with_ansi(colour).boxed(),
    };
    let ours = filter_fn(may_be_told).with_max_level_hint(LevelFilter::TRACE);
    let set = tracing_subscriber::registry().with(layer.with_filter(filter.and(ours)));
    // The only errors: somebody has set logging up before, or the machine has no thread left; then nothing is logged,
    // which is no reason to receive nothing.
    if set.try_init().is_err() || lines.write_down(std::io::stderr()).is_err() {
        return Log(None);
    }
    std::panic::set_hook(Box::new(told));
    if let Some(error) = unread {
        tracing::warn!(%error, "RUST_LOG cannot be read; everything from `info` up is logged");
    }
    Log(Some(lines))
}

/// What others write at their most talkative is not ours to answer for: a client may tell every header it sends, a
/// database every value. Of them only warnings are told, whatever `RUST_LOG` says.
fn may_be_told(what: &Metadata<'_>) -> bool {
    let target = what.target();
    let ours = target == "stayhook" || target.starts_with("stayhook::");
    ours || *what.level() <= Level::WARN
}

/// A fault of ours, where it happened. What a panic says is told only where it is a text of the program's own: all others
/// may quote a value that a guest or a secret is in.
fn told(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let said = panic.payload().downcast_ref::<&'static str>().copied();
    tracing::error!(place, said = said.unwrap_or("(not told)"), "a fault of Stayhook");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_off_a_terminal_and_no_colour_where_it_is_not_wanted() {
        assert_eq!(look(false, None), Look::Json);
        assert_eq!(look(false, Some("")), Look::Json);
        assert_eq!(look(true, None), Look::Readable { colour: true });
        assert_eq!(look(true, Some("")), Look::Readable { colour: true });
        assert_eq!(look(true, Some("1")), Look::Readable { colour: false });
    }
}
