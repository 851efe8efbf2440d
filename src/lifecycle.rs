//! Life and death of the process: background tasks, signals, an orderly end, and what the service manager is told.

pub mod notify;

use std::future::Future;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long everything may take to end after a stop, altogether.
pub const STOP_MAX: Duration = Duration::from_secs(20);

/// How many files and connections are kept for those who come in, for the store and for everything else but attempts.
const FILES_RESERVED: u64 = 640;

/// Lets the process open as many files as it may at the most.
pub fn raise_open_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

/// How many attempts may be under way together, so that listeners and store always have files left; at least a quarter of
/// the limit. Nothing where there is no limit.
pub fn room_for_attempts() -> Option<usize> {
    let limit = getrlimit(Resource::Nofile).maximum?;
    usize::try_from(limit.saturating_sub(FILES_RESERVED).max(limit / 4)).ok()
}

/// The background tasks of the process. Every one of them is meant to run until the stop; one that ends before, by itself
/// or by a panic, takes the process down: a daemon that lives by half is worse than one that is restarted.
#[derive(Debug)]
pub struct Tasks {
    stop: CancellationToken,
    set: JoinSet<&'static str>,
}

/// How the process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop, and everything has ended.
    Stopped,
    /// It was told to stop; something did not end in time. What was under way is taken up after the next start.
    Late,
    /// A background task died.
    Died(String),
}

impl Tasks {
    /// No tasks yet; `stop` tells them all to end.
    pub fn new(stop: CancellationToken) -> Tasks {
        Tasks {
            stop,
            set: JoinSet::new(),
        }
    }

    /// Starts a task.
    pub fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.set.spawn(async move {
            work.await;
            name
        });
    }

    /// Waits for the stop, or for a task that dies; then for all to end.
    pub async fn ended(mut self) -> Ended {
        let died = tokio::select! {
            () = self.stop.cancelled() => None,
            Some(first) = self.set.join_next() => Some(first),
        };
        let stopped = self.stop.is_cancelled();
        self.stop.cancel();
        let rest = async {
            let mut died = died.filter(|first| first.is_err() || !stopped).map(name);
            while let Some(ended) = self.set.join_next().await {
                if ended.is_err() {
                    died.get_or_insert(name(ended));
                }
            }
            died
        };
        match tokio::time::timeout(STOP_MAX, rest).await {
            Ok(Some(name)) => Ended::Died(name),
            Ok(None) => Ended::Stopped,
            Err(_) => Ended::Late,
        }
    }
}

fn name(ended: Result<&'static str, tokio::task::JoinError>) -> String {
    match ended {
        Ok(name) => format!("the task `{name}` ended by itself"),
        // What it said when it died may quote a guest.
        Err(error) if error.is_panic() => "a task died; the log says where".to_owned(),
        Err(error) => format!("a task died: {error}"),
    }
}

/// What the machine tells the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The process's signals.
#[derive(Debug)]
pub struct Signals {
    term: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// Where the machine does not allow it.
    pub fn listen() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            term: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.term.recv() => Signal::Stop,
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }
}
