//! The pure heart: what is known of a stay, a fact, the rules and the time give a decision. No clock, no network, no
//! database in here; that is what makes dry runs, replays and simulation possible.

mod announce;
mod around;
mod derive;
mod event;
mod explain;
mod fold;
mod meet;
mod moments;
mod own;
mod paid_and_said;
mod plan;
mod resolve;
mod view;

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use crate::model::clock::Time;
use crate::model::decision::FactDecision;
use crate::model::delivery::{Outcome, Replay};
use crate::model::event::{About, Event};
use crate::model::fact::{Fact, Says};
use crate::model::fault;
use crate::model::id::DeliveryId;
use crate::model::plan::{InForce, Plan, Planned};
use crate::model::property::Properties;
use crate::model::reservation::{Status, Stay};
use crate::recipe::{Broken, Recipe};

use announce::{Announced, announce};
pub use around::{Neighbours, around};
pub use derive::{Derived, changes, derive};
use event::event;
pub use explain::{recipe as explained, when_due};
pub use fold::fold;
use meet::{Met, announce_again, meet, occurrence};
pub use moments::{LATE, Moment, instant, instant_of, latest, moments};
pub use own::lands;
pub use plan::{Cause, Life, Subject, plan, plans_nothing};
use resolve::{Resolved, resolve};

pub use view::{View, local_now, view};

/// What is known before the fact.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The stays that the fact may be about, since they carry one of its names; oldest first.
    pub stays: Vec<Stay>,
    /// The content under the fact's own key, where this payment or message is known.
    pub content: Option<Value>,
    /// The event that this very fact has made before, where it is decided once more.
    pub event: Option<Event>,
    /// The clock runs of these stays, and those that wait for further changes.
    pub planned: Vec<Planned>,
    /// The stay's neighbours as the fact leaves it: the one before it and the one after it, where recipes ask for them.
    pub neighbours: Option<Neighbours>,
}

/// The delivery a fact came with.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// Its id.
    pub delivery: &'a DeliveryId,
    /// Its place in the order of arrival.
    pub seq: i64,
    /// The source it came to.
    pub source: &'a str,
    /// When it was first received.
    pub received_at: Time,
    /// Its body.
    pub payload: &'a Arc<Value>,
    /// Set where a person asked for it once more.
    pub replay: Option<&'a Replay>,
    /// The position of the fact in it, from 0.
    pub position: usize,
}

/// What the configuration and the recipes say.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// From when on the source's stays are announced; older ones are adopted.
    pub live_from: Option<Time>,
    /// For how long after a change an old state sent again may look like news, where facts have no version.
    pub echo: TimeDelta,
    /// The source stores, maps and shows, and starts no run.
    pub learn: bool,
    /// Everything up to the sending.
    pub dry_run: bool,
    /// What they are known by in the store.
    pub in_force: InForce,
    /// The properties.
    pub properties: &'a Properties,
    /// The recipes.
    pub recipes: &'a [Arc<Recipe>],
    /// Recipe files that cannot be used.
    pub broken: &'a [Broken],
}

/// Decides one fact: which stay it is about and what that is after it, what there is to announce, what its clock wants, which
/// recipes run. Nothing outside the arguments has a say.
pub fn decide(known: Known, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>, now: Time) -> FactDecision {
    fault::maybe("decide", || format!("{:?}", fact.stay));
    let mut resolved = resolve(&known, fact, origin, rules);
    if let (Says::Reservation { .. }, Some(because)) = (&fact.says, &resolved.several) {
        return FactDecision {
            because: because.clone(),
            warnings: resolved.warnings,
            ..FactDecision::of(Outcome::Unmapped)
        };
    }
    let mut announced = announce(&mut resolved, &known, fact, origin, rules);
    let plan = planned(&resolved, &announced, &known, rules, now);
    let stored = known.event.as_ref();
    let mut event = event(&resolved, &mut announced, &known, origin, rules, now);
    if event.is_none() && stored.is_some() {
        // Decided once more with the same result: the stored event meets today's recipes.
        event = stored.map(|stored| announce_again(stored, origin));
        announced.outcome = Outcome::Processed;
        announced.because = "decided once more: the facts are the same, its event met today's recipes".to_owned();
    }
    let met = event.as_ref().map(|event| {
        let met = Met {
            event,
            entered_gone: announced.gone.is_some(),
            gone_since: stored.and_then(|_| gone_since(&resolved.stay, event, origin)),
        };
        meet(&met, origin, &known.planned, rules, now)
    });
    let met = met.unwrap_or_default();
    let Resolved { stay, before, .. } = resolved;
    // A payment or message that names no stay stands alone: there is nothing to keep of one.
    let stands_alone = fact.stay.is_empty() || resolved.several.is_some();
    FactDecision {
        because: announced.because,
        adopted: announced.adopted,
        warnings: resolved.warnings,
        absorbed: resolved.absorbed,
        claimed: !stay.ids.is_empty() && before.as_ref().is_some_and(|before| before.ids.is_empty()),
        stay: (!stands_alone && before.as_ref() != Some(&stay)).then_some(stay),
        fact_key: announced.fact_key,
        event,
        explanation: met.explanations,
        runs: met.runs,
        gone: announced.gone,
        plan,
        joins: met.joins,
        moved: announced.moved,
        ..FactDecision::of(announced.outcome)
    }
}

/// What the stay's clock wants now.
fn planned(resolved: &Resolved, announced: &Announced, known: &Known, rules: &Rules<'_>, now: Time) -> Plan {
    let Some((cause, life)) = announced.plans.as_ref().filter(|_| announced.gone.is_none()) else {
        return Plan::default();
    };
    let stay = &resolved.stay;
    let own = |run: &&Planned| run.stay.as_ref() == Some(&stay.id);
    let existing: Vec<Planned> = known.planned.iter().filter(own).cloned().collect();
    let subject = Subject {
        stay,
        view: &resolved.after,
        existing: &existing,
        life,
        learn: rules.learn,
        rules_since: resolved.rules_since,
    };
    plan(&subject, rules.recipes, *cause, now)
}

/// The gone status that a stay has entered since an event of it. Asked for by hand, what it did before is not done any more.
fn gone_since(stay: &Stay, event: &Event, origin: &Origin<'_>) -> Option<Status> {
    let now = stay.status().filter(|status| status.is_gone())?;
    let then = event.reservation["status"].as_str().and_then(Status::from_word);
    let entered = event.about() == About::Reservation && !then.is_some_and(Status::is_gone);
    (entered && occurrence(origin) == 0).then_some(now)
}

#[cfg(test)]
mod tests;
