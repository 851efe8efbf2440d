//! What is counted: one family a thing, in the words of the API. Labels carry configured names and fixed words only, never
//! anything a guest or a sender wrote.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::clock::Time;
use super::run::RunState;

type Label = (&'static str, String);
type Counts<const N: usize> = Family<[Label; N], Counter>;
type Seconds = Gauge<f64, AtomicU64>;
type Histograms = Family<[Label; 1], Histogram, fn() -> Histogram>;

/// Bounds in seconds: from a commit on a fast disk to where senders give up.
const ACK_SECONDS: [f64; 11] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Bounds in seconds: from a target next door to the longest time-out within a lease.
const ATTEMPT_SECONDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0];

/// What is counted as it happens, and what is looked up when somebody asks.
#[derive(Debug)]
pub struct Meter {
    registry: Registry,
    accepted: Counts<1>,
    duplicate: Counts<1>,
    rejected: Counts<2>,
    ack: Histogram,
    last_delivery: Family<[Label; 1], Seconds>,
    attempts: Counts<2>,
    attempt: Histograms,
    decisions: Counts<1>,
    ended: Counts<1>,
    level: Levels,
}

#[derive(Debug, Default)]
struct Levels {
    store_up: Gauge,
    undecided: Gauge,
    undecided_oldest: Seconds,
    due: Gauge,
    due_oldest: Seconds,
    runs: Family<[Label; 1], Gauge>,
    paused: Gauge,
    store_bytes: Gauge,
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
    /// Runs by the word of their state; a state that is not in it has none.
    pub runs: Vec<(String, i64)>,
    /// Connections that are paused.
    pub paused: i64,
    /// Bytes of the store on the disk.
    pub store_bytes: i64,
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
    /// Every family, at nothing. `version` is the program's.
    pub fn new(version: &str) -> Meter {
        let mut meter = Meter {
            registry: Registry::with_prefix("stayhook"),
            accepted: Family::default(),
            duplicate: Family::default(),
            rejected: Family::default(),
            ack: Histogram::new(ACK_SECONDS),
            last_delivery: Family::default(),
            attempts: Family::default(),
            attempt: Family::new_with_constructor(|| Histogram::new(ATTEMPT_SECONDS)),
            decisions: Family::default(),
            ended: Family::default(),
            level: Levels::default(),
        };
        let build: Family<[Label; 1], Gauge> = Family::default();
        build.get_or_create(&[("version", version.to_owned())]).set(1);
        // Counters get their `_total` from the encoder; help texts their full stop.
        let families = &mut meter.registry;
        families.register(
            "deliveries_accepted",
            "Deliveries stored and acknowledged, duplicates not counted",
            meter.accepted.clone(),
        );
        families.register(
            "deliveries_duplicate",
            "Deliveries that had arrived before",
            meter.duplicate.clone(),
        );
        families.register(
            "deliveries_rejected",
            "Requests that were not accepted, by reason",
            meter.rejected.clone(),
        );
        families.register(
            "ack_duration_seconds",
            "From the whole request to the answer",
            meter.ack.clone(),
        );
        families.register(
            "last_delivery_timestamp_seconds",
            "When the last delivery came, in seconds since 1970",
            meter.last_delivery.clone(),
        );
        families.register("attempts", "Attempts that ended, by outcome", meter.attempts.clone());
        families.register(
            "attempt_duration_seconds",
            "How long attempts took",
            meter.attempt.clone(),
        );
        families.register(
            "decisions",
            "Deliveries that were decided, by outcome",
            meter.decisions.clone(),
        );
        families.register("runs_ended", "Runs that ended, by state", meter.ended.clone());
        let level = &meter.level;
        families.register(
            "store_up",
            "Whether the store answered when this was asked",
            level.store_up.clone(),
        );
        families.register(
            "undecided_deliveries",
            "Deliveries that wait for a decision",
            level.undecided.clone(),
        );
        families.register(
            "undecided_oldest_age_seconds",
            "How long the oldest of them has waited",
            level.undecided_oldest.clone(),
        );
        families.register("due_runs", "Runs that are due and not under way", level.due.clone());
        families.register(
            "due_oldest_age_seconds",
            "For how long the oldest of them has been due",
            level.due_oldest.clone(),
        );
        families.register("runs", "Runs by state", level.runs.clone());
        families.register(
            "paused_connections",
            "Connections that do not accept our credentials",
            level.paused.clone(),
        );
        families.register(
            "store_bytes",
            "Size of the store on the disk",
            level.store_bytes.clone(),
        );
        families.register("build_info", "Always 1, with the version", build);
        meter
    }

    /// A delivery was acknowledged: stored now, or known already. `took` is the time from the whole request to the answer.
    pub fn stored(&self, source: &str, duplicate: bool, took: Duration, at: Time) {
        let family = if duplicate { &self.duplicate } else { &self.accepted };
        family.get_or_create(&[("source", source.to_owned())]).inc();
        self.ack.observe(took.as_secs_f64());
        self.last_delivery(source, at);
    }

    /// When the last delivery of a source came; also said at the start, from what is stored.
    pub fn last_delivery(&self, source: &str, at: Time) {
        let gauge = self.last_delivery.get_or_create(&[("source", source.to_owned())]);
        // Milliseconds since 1970 fit a double for 285,000 years.
        gauge.set(at.timestamp_millis() as f64 / 1000.0);
    }

    /// A request was not accepted. `source` is a configured one; `reason` one of a few words (`unauthenticated`, `malformed`,
    /// `too_large`, `overloaded`), never text of the sender.
    pub fn rejected(&self, source: &str, reason: &'static str) {
        self.rejected
            .get_or_create(&[("source", source.to_owned()), ("reason", reason.to_owned())])
            .inc();
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

    /// Everything as text. Without `standing` the store did not answer: what it said last stays, and `store_up` is 0.
    pub fn text(&self, standing: Option<&Standing>, exposition: Exposition) -> String {
        self.level.store_up.set(i64::from(standing.is_some()));
        if let Some(standing) = standing {
            self.level.set(standing);
        }
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = encode(&mut text, &self.registry);
        match exposition {
            Exposition::OpenMetrics => text,
            Exposition::Plain => plain(&text),
        }
    }
}

impl Levels {
    fn set(&self, standing: &Standing) {
        self.undecided.set(standing.undecided);
        self.undecided_oldest.set(standing.undecided_oldest_s);
        self.due.set(standing.due);
        self.due_oldest.set(standing.due_oldest_s);
        self.paused.set(standing.paused);
        self.store_bytes.set(standing.store_bytes);
        for state in RunState::ALL {
            let there = standing.runs.iter().find(|(word, _)| word == state.word());
            let gauge = self.runs.get_or_create(&[("state", state.word().to_owned())]);
            gauge.set(there.map_or(0, |(_, count)| *count));
        }
    }
}

/// OpenMetrics as the older text: there a counter is called by its whole name in `HELP` and `TYPE` too.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut head: Option<(&str, &str)> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            head = rest.split_once(' ');
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (Some((name, help)), Some((_, kind))) = (head.take(), rest.split_once(' ')) else {
                continue;
            };
            let total = if kind == "counter" { "_total" } else { "" };
            out.push_str(&format!("# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n"));
        } else if !line.starts_with('#') {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}
