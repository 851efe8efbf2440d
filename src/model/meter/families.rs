//! Every family: its name, its help text, and what it begins with. Counters get their `_total` from the encoder, help texts
//! of registered families their full stop.

use std::fmt::Error;
use std::sync::Mutex;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{ADMIN_REASONS, LOG_LINES_LOST, Label, Levels, Meter, Named, Seconds};

/// Bounds in seconds: from a commit on a fast disk to where senders give up.
const ACK_SECONDS: [f64; 11] = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Bounds in seconds: from a target next door to the longest time-out within a lease.
const ATTEMPT_SECONDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0];
/// Bounds in seconds: from straight on to a target that was away for a day.
const LATE_SECONDS: [f64; 11] = [
    0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0,
];

impl Meter {
    /// Every family, at nothing. `version` is the program's.
    pub fn new(version: &str) -> Meter {
        let mut meter = Meter {
            registry: Registry::with_prefix("stayhook"),
            accepted: Family::default(),
            duplicate: Family::default(),
            rejected: Family::default(),
            turned_away: Family::default(),
            pings: Family::default(),
            ack: Histogram::new(ACK_SECONDS),
            last_delivery: Family::default(),
            attempts: Family::default(),
            attempt: Family::new_with_constructor(|| Histogram::new(ATTEMPT_SECONDS)),
            lateness: Family::new_with_constructor(|| Histogram::new(LATE_SECONDS)),
            decisions: Family::default(),
            ended: Family::default(),
            failed_steps: Counter::default(),
            start: Seconds::default(),
            level: Levels::default(),
            named: Mutex::new(Named::default()),
        };
        meter.register_counts();
        meter.register_levels();
        for reason in ADMIN_REASONS {
            meter.turned_away.get_or_create_owned(&[("reason", reason.to_owned())]);
        }
        let families = &mut meter.registry;
        families.register_collector(Box::new(LogLines));
        families.register(
            "start_time_seconds",
            "When the process began, in seconds since 1970",
            meter.start.clone(),
        );
        let build: Family<[Label; 1], Gauge> = Family::default();
        build.get_or_create(&[("version", version.to_owned())]).set(1);
        families.register("build_info", "Always 1, with the version", build);
        meter
    }

    /// What happens.
    fn register_counts(&mut self) {
        let families = &mut self.registry;
        families.register(
            "deliveries_accepted",
            "Deliveries stored and acknowledged, duplicates not counted",
            self.accepted.clone(),
        );
        families.register(
            "deliveries_duplicate",
            "Deliveries that had arrived before",
            self.duplicate.clone(),
        );
        families.register(
            "deliveries_rejected",
            "Requests that were not accepted, by reason",
            self.rejected.clone(),
        );
        families.register(
            "admin_rejected",
            "Requests to the admin listener that were turned away, by reason",
            self.turned_away.clone(),
        );
        families.register(
            "pings",
            "Requests that were answered and not stored: tries and handshakes",
            self.pings.clone(),
        );
        families.register(
            "ack_duration_seconds",
            "From the head of the request to the commit of its delivery",
            self.ack.clone(),
        );
        families.register(
            "last_delivery_timestamp_seconds",
            "When the last delivery came, in seconds since 1970",
            self.last_delivery.clone(),
        );
        families.register(
            "decisions",
            "Deliveries that were decided, by outcome",
            self.decisions.clone(),
        );
        families.register("attempts", "Attempts that ended, by outcome", self.attempts.clone());
        families.register(
            "attempt_duration_seconds",
            "How long attempts took",
            self.attempt.clone(),
        );
        families.register(
            "attempt_lateness_seconds",
            "How long after they were due attempts began",
            self.lateness.clone(),
        );
        families.register("runs_ended", "Runs that ended, by state", self.ended.clone());
        families.register(
            "failed_steps",
            "Steps that failed in runs that went on past them and succeeded",
            self.failed_steps.clone(),
        );
    }

    /// How things stand.
    fn register_levels(&mut self) {
        let (families, level) = (&mut self.registry, &self.level);
        families.register(
            "store_up",
            "Whether the store answered when this was asked, and takes what is written",
            level.store_up.clone(),
        );
        families.register(
            "undecided_deliveries",
            "Deliveries that wait for a decision",
            level.undecided.clone(),
        );
        families.register(
            "undecided_oldest_age_seconds",
            "How long the oldest delivery that was never decided has waited",
            level.undecided_oldest.clone(),
        );
        families.register("due_runs", "Runs that are due and not under way", level.due.clone());
        families.register(
            "due_oldest_age_seconds",
            "For how long the oldest of them has been due",
            level.due_oldest.clone(),
        );
        families.register(
            "runs",
            "Runs that something still happens to, by state",
            level.runs.clone(),
        );
        families.register(
            "connection_paused",
            "1 while a connection does not accept our credentials and its runs wait",
            level.paused.clone(),
        );
        families.register("recipes", "Recipes that run", level.recipes.clone());
        families.register(
            "recipes_broken",
            "Files of recipes with a mistake; the last good revision runs on, where there is one",
            level.recipes_broken.clone(),
        );
        families.register(
            "store_bytes",
            "Size of the store on the disk",
            level.store_bytes.clone(),
        );
        families.register(
            "store_wal_bytes",
            "Size of the store's write-ahead log",
            level.store_wal_bytes.clone(),
        );
        families.register(
            "store_free_bytes",
            "What is free where the store is",
            level.store_free_bytes.clone(),
        );
        families.register(
            "resident_memory_bytes",
            "Memory that the process holds",
            level.resident.clone(),
        );
    }
}

/// Counted by the log itself, which is there before any meter.
#[derive(Debug)]
struct LogLines;

impl Collector for LogLines {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), Error> {
        let lost = LOG_LINES_LOST.get().map_or(0, |lost| lost.dropped_lines());
        let lost = ConstCounter::new(u64::try_from(lost).unwrap_or(u64::MAX));
        let help = "Lines of the log that were dropped because nobody read them.";
        lost.encode(encoder.encode_descriptor("log_lines_lost", help, None, lost.metric_type())?)
    }
}
