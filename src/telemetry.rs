//! Logs: JSON off a terminal, readable on one. Ids, never guests' names or secrets.

use std::io::{BufWriter, IsTerminal as _, Write};
use std::sync::mpsc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::model::meter::LOG_LINES_LOST;

/// How many lines wait at the most for whoever reads the log. What does not fit is lost and counted: a log may have a gap, a
/// booking may not.
const LINES_MAX: usize = 4096;
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
pub struct Log(Option<WorkerGuard>);

impl Drop for Log {
    fn drop(&mut self) {
        // On a thread of its own: where the log is full, the guard says so on standard output, which may take nothing either.
        if let Some(guard) = self.0.take() {
            let (done, waits) = mpsc::channel();
            let ends = std::thread::Builder::new().spawn(move || {
                drop(guard);
                done.send(())
            });
            if ends.is_ok() {
                let _ = waits.recv_timeout(LAST_WORDS);
            }
        }
    }
}

/// A thread that writes lines down, so that a slow terminal, a full pipe or a hung collector holds up nothing.
fn writer(to: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_MAX)
        .thread_name("log")
        .finish(BufWriter::new(to))
}

/// Sets the process's logging up; `filter` is in the words of `RUST_LOG`, `info` where there is none, and `no_color` the
/// value of `NO_COLOR`. Does nothing the second time.
pub fn init(filter: Option<&str>, no_color: Option<&str>) -> Log {
    let (lines, guard) = writer(std::io::stderr());
    let counter = lines.error_counter();
    let (filter, unread) = match filter.map(EnvFilter::try_new) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (EnvFilter::new("info"), Some(error)),
        None => (EnvFilter::new("info"), None),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(lines);
    let layer = match look(std::io::stderr().is_terminal(), no_color) {
        Look::Json => layer.json().flatten_event(true).boxed(),
        Look::Readable { colour } => layer.with_target(false).with_ansi(colour).boxed(),
    };
    let ours = filter_fn(may_be_told).with_max_level_hint(LevelFilter::TRACE);
    let set = tracing_subscriber::registry().with(layer.with_filter(filter.and(ours)));
    // The only error: somebody has set logging up before.
    if set.try_init().is_err() {
        return Log(None);
    }
    let _ = LOG_LINES_LOST.set(counter);
    std::panic::set_hook(Box::new(told));
    if let Some(error) = unread {
        tracing::warn!(%error, "RUST_LOG cannot be read; everything from `info` up is logged");
    }
    Log(Some(guard))
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

    /// Somebody who reads only what they are told to.
    struct Reader {
        may: mpsc::Receiver<()>,
        read: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.may.recv();
            let _ = self.read.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_does_not_read_holds_nobody_up_and_loses_lines() {
        let (reads, may) = mpsc::channel();
        let (read, got) = mpsc::channel();
        let (mut lines, guard) = writer(Reader { may, read });
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..3 * LINES_MAX {
            assert_eq!(lines.write(&line).ok(), Some(line.len()));
        }
        let lost = lines.error_counter().dropped_lines();
        // All but what waits and what is on its way out.
        assert!((LINES_MAX..3 * LINES_MAX).contains(&lost), "{lost}");
        // Once somebody reads, whole lines come, and as many as were not lost.
        drop(reads);
        drop(lines);
        drop(guard);
        let all: Vec<u8> = got.iter().flatten().collect();
        assert_eq!(all.len() / line.len(), 3 * LINES_MAX - lost);
        assert!(all.chunks(line.len()).all(|chunk| chunk == line));
    }

    #[test]
    fn json_off_a_terminal_and_no_colour_where_it_is_not_wanted() {
        assert_eq!(look(false, None), Look::Json);
        assert_eq!(look(false, Some("")), Look::Json);
        assert_eq!(look(true, None), Look::Readable { colour: true });
        assert_eq!(look(true, Some("")), Look::Readable { colour: true });
        assert_eq!(look(true, Some("1")), Look::Readable { colour: false });
    }
}
