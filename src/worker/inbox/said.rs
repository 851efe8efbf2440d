//! One line and one count for every decision, once it is applied.

use crate::model::decision::{Decision, FirstStep};
use crate::model::delivery::Outcome;
use crate::model::id::DeliveryId;
use crate::model::run::RunState;
use crate::worker::Engine;

/// What is told and counted of a decision once it is applied.
pub(super) struct Said {
    delivery: DeliveryId,
    outcome: Outcome,
    events: usize,
    runs: usize,
    /// How many of the runs had ended before they began: not renderable, or nothing of them wanted.
    dead: usize,
    skipped: usize,
}

impl Said {
    pub(super) fn of(decision: &Decision) -> Said {
        let runs = || decision.facts.iter().flat_map(|fact| &fact.runs);
        // A delivery that is decided once more may name runs that were made long ago.
        let first = decision.replay.is_none();
        Said {
            delivery: decision.delivery.clone(),
            outcome: decision.outcome,
            events: decision.facts.iter().filter(|fact| fact.event.is_some()).count(),
            runs: runs().count(),
            dead: runs()
                .filter(|run| first && matches!(run.first, FirstStep::Failed(_)))
                .count(),
            skipped: runs()
                .filter(|run| first && matches!(run.first, FirstStep::Nothing(_)))
                .count(),
        }
    }

    pub(super) fn tell(self, engine: &Engine) {
        let Said {
            delivery,
            outcome,
            events,
            runs,
            dead,
            skipped,
        } = self;
        engine.meter.decided(outcome.word());
        (0..dead).for_each(|_| engine.meter.ended(RunState::Dead.word()));
        (0..skipped).for_each(|_| engine.meter.ended(RunState::Skipped.word()));
        let outcome = outcome.word();
        if dead > 0 {
            tracing::error!(delivery.id = %delivery, outcome, events, runs, dead, "decided; runs of it could not be rendered");
        } else if outcome == Outcome::Unmapped.word() {
            tracing::warn!(delivery.id = %delivery, outcome, "decided; nothing could be read from it");
        } else {
            tracing::info!(delivery.id = %delivery, outcome, events, runs, "decided");
        }
    }
}
