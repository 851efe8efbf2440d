//! The pure heart: what is known of a stay, a fact, the rules and the time give a decision. No clock, no network, no
//! database in here; that is what makes dry runs, replays and simulation possible.

mod around;
mod derive;
mod explain;
mod fold;
mod meet;
mod moments;
mod own;
mod paid_and_said;
mod plan;
mod view;

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::model::clock::Time;
use crate::model::decision::{FactDecision, Gone};
use crate::model::delivery::{Outcome, Replay};
use crate::model::event::{About, Event};
use crate::model::fact::{Fact, Says, Stamp};
use crate::model::fault;
use crate::model::id::{DeliveryId, EventId, hash};
use crate::model::plan::{InForce, Plan, Planned};
use crate::model::property::Properties;
use crate::model::reservation::{Status, Stay};
use crate::recipe::{Broken, Recipe};

pub use around::{Neighbours, around};
pub use derive::{Derived, changes, derive};
pub use explain::{recipe as explained, when_due};
use fold::Folded;
pub use fold::fold;
use meet::{Met, announce_again, meet, occurrence};
pub use moments::{LATE, Moment, instant, instant_of, latest, moments};
pub use own::lands;
use own::{Landed, Several, land, new_stay};
use paid_and_said::{money, words};
pub use plan::{Cause, Life, Subject, plan, plans_nothing};

pub use view::{View, local_now, view};

/// For how many days after `live_from` a stay without a created time is taken over rather than announced.
const ADOPT_DAYS: i64 = 30;

/// Why a stay is taken over in silence.
#[derive(Clone, Copy)]
enum Adopts {
    /// It came before `live_from`.
    NotLive,
    /// The sender says that it was booked before `live_from`.
    BookedBefore,
    /// The sender does not say when it was booked, nor that it is new, and it came in the first [`ADOPT_DAYS`].
    NotSaid,
}

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

/// Decides one fact. Nothing outside the arguments has a say.
pub fn decide(known: Known, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>, now: Time) -> FactDecision {
    let mut warnings = fact.warnings.clone();
    fault::maybe("decide", || format!("{:?}", fact.stay));
    let landed = land(&known, fact, origin, rules, &mut warnings);
    let nobody_knows = landed.as_ref().err().map(Several::because);
    let landed = landed.unwrap_or_else(|several| alone(&several, fact, origin, rules));
    let Landed {
        mut stay,
        before: stay_before,
        absorbed,
        stamp,
        folded,
        after,
    } = landed;
    let before = stay_before.as_ref().map(|stay| view(stay, rules.properties));
    let is_gone = |status: Option<Status>| status.is_some_and(Status::is_gone);
    let gone_since = stay_before
        .as_ref()
        .and_then(|stay| stay.status_since(|status, _| is_gone(status)));
    let stored = known.event.as_ref();
    let rules_since = stay_before.as_ref().and_then(|before| rules.in_force.new_to(before));
    if origin.replay.is_none() {
        stay.last_delivery = origin.delivery.clone();
    }
    if stay_before.is_none() {
        // There is nothing yet that other rules could have planned.
        stay.planned_under = rules.in_force.id;
    }
    let mut decision = FactDecision {
        outcome: Outcome::Unchanged,
        because: String::new(),
        adopted: None,
        warnings: Vec::new(),
        stay: None,
        absorbed,
        claimed: !stay.ids.is_empty() && stay_before.as_ref().is_some_and(|before| before.ids.is_empty()),
        fact_key: None,
        event: None,
        explanation: Vec::new(),
        runs: Vec::new(),
        gone: None,
        plan: Plan::default(),
        joins: Vec::new(),
        moved: None,
    };
    let stands_alone = fact.stay.is_empty() || nobody_knows.is_some();
    match (&fact.says, nobody_knows) {
        (Says::Reservation { .. }, Some(because)) => {
            decision.outcome = Outcome::Unmapped;
            decision.because = because;
            decision.warnings = warnings;
            return decision;
        }
        (_, Some(because)) => warnings.push(format!("{because}: it belongs to no stay")),
        (_, None) => {}
    }
    let mut after_view = None;
    let made = match &fact.says {
        Says::Reservation { .. } => {
            if !stay.announced {
                stay.first_was_created |= fact.hint.as_deref() == Some("reservation.created");
            }
            stay.note_status(origin.received_at);
            warnings.extend(folded.warnings);
            warnings.extend(after.warnings.iter().cloned());
            let adopt = adopts(&stay, &after, rules, origin.received_at);
            let mut derived = derive(before.as_ref(), &after, stay.announced, adopt.is_some());
            if let Some(hint) = fact
                .hint
                .as_ref()
                .filter(|hint| says_more(hint, &derived, &after, folded.older))
            {
                derived.types.push(hint.clone());
            }
            if after.complete && !stay.announced {
                stay.announced = true;
                stay.adopted = adopt.is_some();
                decision.adopted = adopt.map(explain::adopted);
            }
            let silent = derived.types.is_empty() && derived.changes.is_empty();
            decision.outcome = match (silent, folded.older) {
                (false, _) => Outcome::Processed,
                (true, true) => Outcome::Stale,
                (true, false) => Outcome::Unchanged,
            };
            decision.because = explain::reservation(decision.outcome, &derived, &after, stamp, &stay);
            if let Some(why) = &decision.adopted {
                decision.because = format!("{} ({why})", decision.because);
            }
            decision.gone = derived.entered_gone.map(|status| Gone { status });
            let place_before = before.as_ref().map(View::place);
            let place = after.place();
            let moved = rules_since.is_some() || place_before.as_ref() != Some(&place);
            decision.moved = moved.then_some((place_before, place));
            stay.planned_under = rules.in_force.id;
            // An old state sent again is no new life.
            let echoes = fact.version.is_none()
                && gone_since
                    .is_some_and(|since| origin.received_at.timestamp_millis() - since < rules.echo.num_milliseconds());
            let life = match &before {
                Some(_) if gone_since.is_some() && !echoes && after.status.is_some_and(|status| !status.is_gone()) => {
                    Life::Anew
                }
                Some(was) if was.kind == "block" && after.kind != "block" => Life::Anew,
                Some(was) if was.place.is_some() && after.place.is_some() && was.place != after.place => {
                    Life::Elsewhere(was.json["property"].clone())
                }
                _ => Life::GoesOn,
            };
            let cause = match cause(&derived) {
                Cause::Change if life != Life::GoesOn => Cause::News,
                cause => cause,
            };
            after_view = Some((after.clone(), cause, life));
            Made {
                types: derived.types,
                previous: before.map_or_else(Arc::default, |view| Arc::new(view.json)),
                changes: Value::Object(derived.changes),
                payment: Value::Null,
                message: Value::Null,
                after,
            }
        }
        Says::Payment { id, payment } => {
            let refund = fact.hint.as_deref() == Some("payment.refunded");
            money(&known, id.as_deref(), payment, refund, after, origin, &mut decision)
        }
        Says::Message { id, message } => words(&known, id.as_deref(), message, after, origin, &mut decision),
    };
    if let (Some(kept), Some((_, id))) = (&mut decision.fact_key, fact.key()) {
        kept.id = id;
    }
    stay.revision = stay_before.as_ref().map_or(0, |before| before.revision);
    decision.warnings = warnings;
    let own = |run: &&Planned| run.stay.as_ref() == Some(&stay.id);
    let existing: Vec<Planned> = known.planned.iter().filter(own).cloned().collect();
    let around = known
        .neighbours
        .as_ref()
        .map(|neighbours| around(neighbours, &made.after, rules.properties));
    decision.event = event(made, stored, &stay, around, origin, now);
    if let Some((view, cause, life)) = after_view.filter(|_| decision.gone.is_none()) {
        let subject = Subject {
            stay: &stay,
            view: &view,
            existing: &existing,
            life: &life,
            learn: rules.learn,
            rules_since,
        };
        decision.plan = plan(&subject, rules.recipes, cause, now);
    }
    if stored.is_some() && decision.event.is_none() {
        // Decided once more with the same result: the stored event meets today's recipes.
        decision.event = stored.map(|stored| announce_again(stored, origin));
        decision.outcome = Outcome::Processed;
        decision.because = "decided once more: the facts are the same, its event met today's recipes".to_owned();
    }
    if let Some(event) = &decision.event {
        let gone_since = match (stored, stay.status()) {
            // Asked for by hand: what a stay that is gone by now did before is not done any more.
            (Some(_), Some(status)) if status.is_gone() && event.about() == About::Reservation => {
                let then = event.reservation["status"].as_str().and_then(Status::from_word);
                (!then.is_some_and(Status::is_gone)).then_some(status)
            }
            _ => None,
        };
        let met = Met {
            event,
            entered_gone: decision.gone.is_some(),
            gone_since: gone_since.filter(|_| occurrence(origin) == 0),
        };
        let made = meet(&met, origin, &known.planned, rules, now);
        (decision.explanation, decision.runs, decision.joins) = (made.explanations, made.runs, made.joins);
    }
    // A payment or message that names no stay stands alone: there is nothing to keep of one.
    let keeps = !stands_alone && stay_before.as_ref() != Some(&stay);
    decision.stay = keeps.then_some(stay);
    decision
}

/// A payment or message of which only the code of its stay is known.
fn alone(several: &Several, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>) -> Landed {
    let stay = new_stay(fact, origin);
    let mut after = view(&stay, rules.properties);
    after.json["code"] = json!(several.called);
    Landed {
        stay,
        before: None,
        absorbed: Vec::new(),
        stamp: Stamp::default(),
        folded: Folded::default(),
        after,
    }
}

/// What a fact made, before it has an id.
struct Made {
    types: Vec<String>,
    previous: Arc<Value>,
    changes: Value,
    payment: Value,
    message: Value,
    after: View,
}

/// Why a stay that becomes complete now is taken over in silence; `None` where it is announced.
fn adopts(stay: &Stay, after: &View, rules: &Rules<'_>, received_at: Time) -> Option<Adopts> {
    let live_from = rules.live_from?;
    if received_at < live_from {
        return Some(Adopts::NotLive);
    }
    let booked_before = |before: bool| before.then_some(Adopts::BookedBefore);
    let sent = stay.text("created_at");
    let created = after.json["created_at"]
        .as_str()
        .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    if let Some(created) = created {
        return booked_before(created < live_from);
    }
    if let Some(day) = sent.and_then(|text| text.parse::<chrono::NaiveDate>().ok()) {
        let live_day = local_now(&after.json, rules.properties, live_from).date_naive();
        if day != live_day {
            return booked_before(day < live_day);
        }
    }
    let early = received_at < live_from + chrono::TimeDelta::days(ADOPT_DAYS);
    (!stay.first_was_created && early).then_some(Adopts::NotSaid)
}

/// Whether the type that the sender names tells something that cannot be seen from the change: a word of its own, or a
/// status that its bodies never carry. The status itself stays what the bodies say, else the next one would take it back.
fn says_more(hint: &str, derived: &Derived, after: &View, older: bool) -> bool {
    if hint.starts_with("other.") {
        return true;
    }
    let of_status = hint
        .strip_prefix("reservation.")
        .map(|word| word.strip_prefix("marked_").unwrap_or(word));
    let named = of_status
        .and_then(Status::from_word)
        .filter(|status| *status != Status::Confirmed);
    let seen = derived.types.iter().any(|name| name == hint);
    after.complete && !older && !seen && named.is_some() && named != after.status
}

/// Why the stay is planned anew: what is late may still run where it is news, and otherwise not.
fn cause(derived: &Derived) -> Cause {
    const NEWS: [&str; 5] = [
        "created",
        "confirmed",
        "reinstated",
        "dates_changed",
        "property_changed",
    ];
    let has = |wanted: &str| {
        derived
            .types
            .iter()
            .any(|name| name.strip_prefix("reservation.") == Some(wanted))
    };
    if has("adopted") {
        Cause::Adopted
    } else if NEWS.into_iter().any(has) {
        Cause::News
    } else {
        Cause::Change
    }
}

fn event(
    made: Made,
    stored: Option<&Event>,
    stay: &Stay,
    around: Option<Value>,
    origin: &Origin<'_>,
    now: Time,
) -> Option<Event> {
    if made.types.is_empty() {
        return None;
    }
    let id = origin.delivery.event(origin.position);
    Some(Event {
        // A further event of the same fact (its mapping has changed since) must not be taken for the first, nor for one
        // that another mapping has made.
        id: if stored.is_some() {
            again(&id, &made, origin)
        } else {
            id
        },
        delivery: origin.delivery.clone(),
        source: origin.source.to_owned(),
        stay: stay.id.clone(),
        types: made.types,
        at_ms: now.timestamp_millis(),
        reservation: Arc::new(made.after.json),
        previous: made.previous,
        changes: Arc::new(made.changes),
        payment: Arc::new(made.payment),
        message: Arc::new(made.message),
        around: Arc::new(around.unwrap_or_default()),
        gathered: Arc::default(),
    })
}

fn again(id: &EventId, made: &Made, origin: &Origin<'_>) -> EventId {
    let says = format!("{:?} {} {}", made.types, made.after.json, made.changes);
    let digest = hash(&[
        says.as_bytes(),
        made.payment.to_string().as_bytes(),
        &occurrence(origin).to_be_bytes(),
    ]);
    EventId(format!("{id}r{}", hex::encode(&digest[..4])))
}
