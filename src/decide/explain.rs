//! Why: every outcome in one line, every recipe with what its conditions saw.

use crate::model::clock::{Time, from_ms};
use crate::model::decision::Explanation;
use crate::model::delivery::Outcome;
use crate::model::fact::Stamp;
use crate::model::fault::{self, guard};
use crate::model::id::RunId;
use crate::model::reservation::{Status, Stay};
use crate::recipe::{Broken, Facts, Recipe, Wanted};

use super::announce::{ADOPT_DAYS, Adopts};
use super::derive::Derived;
use super::view::View;

/// Why a reservation fact has its outcome.
pub fn reservation(outcome: Outcome, derived: &Derived, after: &View, stamp: Stamp, stay: &Stay) -> String {
    match outcome {
        Outcome::Processed if !derived.types.is_empty() => derived.types.join(", "),
        Outcome::Processed if !after.complete => {
            "kept; the stay is incomplete until its status and both dates are known".to_owned()
        }
        Outcome::Processed => "kept; nothing changed that makes an event".to_owned(),
        Outcome::Stale => {
            let newest = stay.writers.iter().map(|writer| writer.stamp).max().unwrap_or_default();
            format!(
                "older ({}) than what is known ({}): nothing in it is news",
                from_ms(stamp.by).to_rfc3339(),
                from_ms(newest.by).to_rfc3339()
            )
        }
        _ => "everything it says is known already".to_owned(),
    }
}

/// Why a stay is taken over in silence.
pub fn adopted(why: Adopts) -> String {
    match why {
        Adopts::NotLive => "it came before the source's `live_from`".to_owned(),
        Adopts::BookedBefore => "it was booked before the source's `live_from`".to_owned(),
        Adopts::NotSaid => format!(
            "the sender does not say when it was booked, and for {ADOPT_DAYS} days after the source's `live_from` such stays \
             are taken over in silence"
        ),
    }
}

/// The outcome of a payment or a message, and why.
pub fn fact(types: &[&str], what: &str, id: Option<&str>) -> (Outcome, String) {
    match types {
        [] => (
            Outcome::Unchanged,
            format!("the {what} {} is known already", id.unwrap_or("it speaks of")),
        ),
        types => (Outcome::Processed, types.join(", ")),
    }
}

/// Why a recipe did or did not run for an event, and whether it does.
pub fn recipe(recipe: &Recipe, facts: &Facts<'_>, learn: bool) -> (Explanation, bool) {
    explained(recipe, learn, || recipe.wants(facts))
}

/// Why a recipe did or did not run when its time came, and whether it does.
pub fn when_due(recipe: &Recipe, facts: &Facts<'_>, of_stay: bool, booked_unless_named: bool) -> (Explanation, bool) {
    explained(recipe, false, || {
        recipe.wants_when_due(facts, of_stay, booked_unless_named)
    })
}

fn explained(recipe: &Recipe, learn: bool, ask: impl FnOnce() -> Wanted) -> (Explanation, bool) {
    let asked = guard(|| {
        fault::maybe("recipe", || recipe.name.clone());
        ask()
    });
    let wanted = asked.unwrap_or_else(|fault| Wanted {
        wanted: false,
        checks: Vec::new(),
        failed: Some(format!(
            "a fault of Stayhook in this recipe's conditions: {}",
            fault.message
        )),
    });
    let (result, because) = match (&wanted.failed, wanted.wanted, learn) {
        (Some(reason), ..) => ("failed", reason.clone()),
        (None, false, _) => ("not_wanted", wanted.because()),
        (None, true, true) => ("learning", "the source is learning: nothing is started".to_owned()),
        (None, true, false) => ("ran", wanted.because()),
    };
    let explanation = Explanation {
        recipe: recipe.name.clone(),
        revision: recipe.revision.clone(),
        result: result.to_owned(),
        because,
        conditions: wanted.checks,
    };
    let runs = result == "ran";
    (explanation, runs)
}

/// A recipe whose event is of before the stay was gone, and that meets it by hand.
pub fn gone_since(explanation: &mut Explanation, status: Status) {
    let status = status.word().replace('_', " ");
    explanation.result = "not_wanted".to_owned();
    explanation.because =
        format!("the stay was {status} since, and `match.status` does not name that; `--again` runs it all the same");
}

/// A recipe whose run waits for further changes already.
pub fn joined(explanation: &mut Explanation, run: &RunId, due_at: Time) {
    explanation.result = "joined".to_owned();
    explanation.because = format!("one run with the changes before it: {run}, due {}", due_at.to_rfc3339());
}

/// A recipe that could not be asked.
pub fn broken(broken: &Broken) -> Explanation {
    Explanation {
        recipe: broken.name.clone().unwrap_or_else(|| broken.file.clone()),
        revision: String::new(),
        result: "broken".to_owned(),
        because: broken.because.clone(),
        conditions: Vec::new(),
    }
}
