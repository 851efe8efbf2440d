//! What is counted: one family a thing, in the words of the API. Labels carry configured names and fixed words only, never
//! anything a guest or a sender wrote. `docs/metrics.md` says what each is for.

mod families;
mod plain;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tracing_appender::non_blocking::ErrorCounter;

use super::clock::Time;
use super::delivery::Outcome;
use super::run::{AttemptOutcome, RunState};

type Label = (&'static str, String);
type Counts<const N: usize> = Family<[Label; N], Counter>;
type Seconds = Gauge<f64, AtomicU64>;
type Histograms = Family<[Label; 1], Histogram, fn() -> Histogram>;

/// Lines of the log that nobody took off our hands and that were dropped rather than holding anything up. Of the process,
/// as the log is.
pub static LOG_LINES_LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// Why requests to the admin listener are turned away.
const ADMIN_REASONS: [&str; 6] = [
    "no token",
    "other host",
    "other origin",
    "through a proxy",
    "too many wrong tokens",
    "wrong token",
];

/// What is counted as it happens, and what is looked up when somebody asks.
#[derive(Debug)]
pub struct Meter {
    registry: Registry,
    accepted: Counts<1>,
    duplicate: Counts<1>,
    rejected: Counts<2>,
    turned_away: Counts<1>,
    pings: Counts<1>,
    ack: Histogram,
    last_delivery: Family<[Label; 1], Seconds>,
    attempts: Counts<2>,
    attempt: Histograms,
    lateness: Histograms,
    decisions: Counts<1>,
    ended: Counts<1>,
    failed_steps: Counter,
    start: Seconds,
    level: Levels,
    named: Mutex<Named>,
}

/// The names that the configuration has at the moment.
#[derive(Debug, Default)]
struct Named {
    sources: BTreeSet<String>,
    connections: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Levels {
    store_up: Gauge,
    undecided: Gauge,
    undecided_oldest: Seconds,
    due: Gauge,
    due_oldest: Seconds,
    runs: Family<[Label; 1], Gauge>,
    paused: Family<[Label; 1], Gauge>,
    recipes: Gauge,
    recipes_broken: Gauge,
    store_bytes: Gauge,
    store_wal_bytes: Gauge,
    store_free_bytes: Gauge,
    resident: Gauge,
}

/// How things stand, as the store says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Standing {
    /// Deliveries that wait for a decision.
    pub undecided: i64,
    /// How many seconds the oldest of them has waited; 0 where there is none.
    pub undecided_oldest_s: f64,
    /// Runs that are due and not under way.
    pub due: i64,
    /// For how many seconds the oldest of them has been due; 0 where there is none.
    pub due_oldest_s: f64,
    /// Runs that something still happens to, by the word of their state; a state that is not in it has none.
    pub runs: Vec<(String, i64)>,
    /// The connections that are paused.
    pub paused: Vec<String>,
    /// Whether the store takes what is written.
    pub store_takes: bool,
    /// Bytes of the store on the disk.
    pub store_bytes: i64,
    /// Bytes of its write-ahead log.
    pub store_wal_bytes: i64,
    /// Bytes that are free where it is.
    pub store_free_bytes: i64,
}

/// Which text to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// OpenMetrics 1.0: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
    OpenMetrics,
    /// Prometheus text 0.0.4, which every tool reads, `promtool check metrics` too:
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>.
    Plain,
}

impl Exposition {
    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Exposition::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Exposition::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

impl Meter {
    /// How many recipes run, and how many files of recipes have a mistake.
    pub fn recipes(&self, run: usize, broken: usize) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.level.recipes.set(count(run));
        self.level.recipes_broken.set(count(broken));
    }

    /// The daemon is about to run, or has other settings now: every series of these sources and connections is there from
    /// here on, at 0, so that the first failure already is a rise. What no longer has a name in the configuration is no
    /// longer said to be silent or paused; what was counted of it stays.
    pub fn configured(&self, sources: impl IntoIterator<Item = String>, connections: impl IntoIterator<Item = String>) {
        let now = Named {
            sources: sources.into_iter().collect(),
            connections: connections.into_iter().collect(),
        };
        for source in &now.sources {
            let label = [("source", source.clone())];
            self.accepted.get_or_create_owned(&label);
            self.duplicate.get_or_create_owned(&label);
            self.pings.get_or_create_owned(&label);
        }
        for connection in &now.connections {
            let label = [("connection", connection.clone())];
            for outcome in AttemptOutcome::ALL {
                let outcome = ("outcome", outcome.word().to_owned());
                let [connection] = label.clone();
                self.attempts.get_or_create_owned(&[connection, outcome]);
            }
            self.attempt.get_or_create_owned(&label);
            self.lateness.get_or_create_owned(&label);
            self.level.paused.get_or_create_owned(&label);
        }
        for outcome in Outcome::ALL
            .into_iter()
            .filter(|outcome| *outcome != Outcome::Undecided)
        {
            self.decisions
                .get_or_create_owned(&[("outcome", outcome.word().to_owned())]);
        }
        for state in RunState::ALL.into_iter().filter(|state| state.is_ended()) {
            self.ended.get_or_create_owned(&[("state", state.word().to_owned())]);
        }
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        for source in named.sources.difference(&now.sources) {
            self.last_delivery.remove(&[("source", source.clone())]);
        }
        for connection in named.connections.difference(&now.connections) {
            self.level.paused.remove(&[("connection", connection.clone())]);
        }
        *named = now;
    }

    /// When the process began.
    pub fn started(&self, at: Time) {
        self.start.set(seconds(at));
    }

    /// How much memory the process holds, in bytes.
    pub fn resident(&self, bytes: i64) {
        self.level.resident.set(bytes);
    }

    /// A delivery was acknowledged: stored now, or known already. `took` is the time from the whole request to the answer.
    pub fn stored(&self, source: &str, duplicate: bool, took: Duration, at: Time) {
        let family = if duplicate { &self.duplicate } else { &self.accepted };
        family.get_or_create(&[("source", source.to_owned())]).inc();
        self.ack.observe(took.as_secs_f64());
        self.last_delivery
            .get_or_create(&[("source", source.to_owned())])
            .set(seconds(at));
    }

    /// When the last delivery of a source came before the start, as far as it is still configured and has not delivered
    /// since.
    pub fn delivered_before(&self, source: &str, at: Time) {
        let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.sources.contains(source) {
            let gauge = self.last_delivery.get_or_create(&[("source", source.to_owned())]);
            if gauge.get() < seconds(at) {
                gauge.set(seconds(at));
            }
        }
    }

    /// A request was not accepted. `source` is a configured one; `reason` one of a few words (`unauthenticated`, `malformed`,
    /// `too_large`, `overloaded`), never text of the sender.
    pub fn rejected(&self, source: &str, reason: &'static str) {
        self.rejected
            .get_or_create(&[("source", source.to_owned()), ("reason", reason.to_owned())])
            .inc();
    }

    /// A request to the admin listener was turned away for one of a few fixed reasons.
    pub fn turned_away(&self, reason: &'static str) {
        self.turned_away.get_or_create(&[("reason", reason.to_owned())]).inc();
    }

    /// A request to a configured source was answered and nothing stored: a try or a handshake.
    pub fn pinged(&self, source: &str) {
        self.pings.get_or_create(&[("source", source.to_owned())]).inc();
    }

    /// An attempt over a connection begins so long after it was due.
    pub fn late(&self, connection: &str, late: Duration) {
        self.lateness
            .get_or_create(&[("connection", connection.to_owned())])
            .observe(late.as_secs_f64());
    }

    /// An attempt over a connection ended with this outcome word (`done`, `retry`, `reject`, `uncertain`).
    pub fn attempt(&self, connection: &str, outcome: &'static str, took: Duration) {
        let connection = ("connection", connection.to_owned());
        self.attempts
            .get_or_create(&[connection.clone(), ("outcome", outcome.to_owned())])
            .inc();
        self.attempt.get_or_create(&[connection]).observe(took.as_secs_f64());
    }

    /// A delivery was decided with this outcome word.
    pub fn decided(&self, outcome: &'static str) {
        self.decisions.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    /// A run ended in the state with this word.
    pub fn ended(&self, state: &'static str) {
        self.ended.get_or_create(&[("state", state.to_owned())]).inc();
    }

    /// A run succeeded past so many failed steps.
    pub fn failed_steps(&self, count: usize) {
        self.failed_steps.inc_by(count as u64);
    }

    /// Everything as text. Without `standing` the store did not answer: what it said last stays.
    pub fn text(&self, standing: Option<&Standing>, exposition: Exposition) -> String {
        let up = standing.is_some_and(|standing| standing.store_takes);
        self.level.store_up.set(i64::from(up));
        if let Some(standing) = standing {
            let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            self.level.set(standing, &named.connections);
        }
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = encode(&mut text, &self.registry);
        match exposition {
            Exposition::OpenMetrics => text,
            Exposition::Plain => plain::plain(&text),
        }
    }
}

impl Levels {
    fn set(&self, standing: &Standing, connections: &BTreeSet<String>) {
        self.undecided.set(standing.undecided);
        self.undecided_oldest.set(standing.undecided_oldest_s);
        self.due.set(standing.due);
        self.due_oldest.set(standing.due_oldest_s);
        self.store_bytes.set(standing.store_bytes);
        self.store_wal_bytes.set(standing.store_wal_bytes);
        self.store_free_bytes.set(standing.store_free_bytes);
        for connection in connections {
            let paused = standing.paused.contains(connection);
            self.paused
                .get_or_create(&[("connection", connection.clone())])
                .set(i64::from(paused));
        }
        for state in RunState::ALL.into_iter().filter(|state| state.is_shown()) {
            let there = standing.runs.iter().find(|(word, _)| word == state.word());
            let gauge = self.runs.get_or_create(&[("state", state.word().to_owned())]);
            gauge.set(there.map_or(0, |(_, count)| *count));
        }
    }
}

/// Seconds since 1970; milliseconds since then fit a double for 285,000 years.
fn seconds(at: Time) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}
