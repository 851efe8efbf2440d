//! What there is to announce of a fact, and what follows from it for the stay.

use std::sync::Arc;

use serde_json::Value;

use crate::model::clock::Time;
use crate::model::decision::{FactKey, Gone};
use crate::model::delivery::Outcome;
use crate::model::fact::{Fact, Says};
use crate::model::plan::Place;
use crate::model::reservation::{Status, Stay};

use super::derive::{Derived, derive};
use super::paid_and_said::{money, words};
use super::plan::{Cause, Life};
use super::resolve::Resolved;
use super::view::{View, local_now};
use super::{Known, Origin, Rules, explain};

/// For how many days after `live_from` a stay without a created time is taken over rather than announced.
pub const ADOPT_DAYS: i64 = 30;

/// Why a stay is taken over in silence.
#[derive(Clone, Copy)]
pub enum Adopts {
    /// It came before `live_from`.
    NotLive,
    /// The sender says that it was booked before `live_from`.
    BookedBefore,
    /// The sender does not say when it was booked, nor that it is new, and it came in the first [`ADOPT_DAYS`].
    NotSaid,
}

/// What a fact says to the outside.
#[derive(Debug, Default)]
pub struct Announced {
    /// What became of the fact.
    pub outcome: Outcome,
    /// Why, in one line.
    pub because: String,
    /// Why the stay is taken over in silence; `None` where it is not.
    pub adopted: Option<String>,
    /// Set where the stay entered a gone status.
    pub gone: Option<Gone>,
    /// Where and when the stay was and is, where that is another place or time.
    pub moved: Option<(Option<Place>, Place)>,
    /// Why the stay is planned anew, and whether a new life of it begins; `None` for payments and messages.
    pub plans: Option<(Cause, Life)>,
    /// A payment's or message's key and content, to be kept.
    pub fact_key: Option<FactKey>,
    /// What its event is made of.
    pub made: Made,
}

/// What a fact made, before it has an id.
#[derive(Debug, Default)]
pub struct Made {
    pub types: Vec<String>,
    pub previous: Arc<Value>,
    pub changes: Value,
    pub payment: Value,
    pub message: Value,
}

/// What there is to announce; the stay takes down that it was announced.
pub fn announce(
    resolved: &mut Resolved,
    known: &Known,
    fact: &Fact,
    origin: &Origin<'_>,
    rules: &Rules<'_>,
) -> Announced {
    let mut announced = match &fact.says {
        Says::Reservation { .. } => return reservation(resolved, fact, origin, rules),
        Says::Payment { id, payment } => {
            let refund = fact.hint.as_deref() == Some("payment.refunded");
            money(known, id.as_deref(), payment, refund, &resolved.after, origin)
        }
        Says::Message { id, message } => words(known, id.as_deref(), message, &resolved.after, origin),
    };
    if let (Some(kept), Some((_, id))) = (&mut announced.fact_key, fact.key()) {
        kept.id = id;
    }
    announced
}

fn reservation(resolved: &mut Resolved, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>) -> Announced {
    let gone_before = resolved
        .before
        .as_ref()
        .and_then(|stay| stay.status_since(|status, _| is_gone(status)));
    let (stay, after) = (&mut resolved.stay, &resolved.after);
    if !stay.announced {
        stay.first_was_created |= fact.hint.as_deref() == Some("reservation.created");
    }
    stay.note_status(origin.received_at);
    stay.planned_under = rules.in_force.id;
    resolved.warnings.append(&mut resolved.folded.warnings);
    resolved.warnings.extend(after.warnings.iter().cloned());
    let older = resolved.folded.older;
    let adopts = adopts(stay, after, rules, origin.received_at);
    let mut derived = derive(resolved.before_view.as_ref(), after, stay.announced, adopts.is_some());
    let hint = fact.hint.as_ref();
    if let Some(hint) = hint.filter(|hint| says_more(hint, &derived, after, older)) {
        derived.types.push(hint.clone());
    }
    let mut adopted = None;
    if after.complete && !stay.announced {
        stay.announced = true;
        stay.adopted = adopts.is_some();
        adopted = adopts.map(explain::adopted);
    }
    let silent = derived.types.is_empty() && derived.changes.is_empty();
    let outcome = match (silent, older) {
        (false, _) => Outcome::Processed,
        (true, true) => Outcome::Stale,
        (true, false) => Outcome::Unchanged,
    };
    let mut because = explain::reservation(outcome, &derived, after, resolved.stamp, stay);
    if let Some(why) = &adopted {
        because = format!("{because} ({why})");
    }
    let (was, is) = (resolved.before_view.as_ref().map(View::place), after.place());
    let moved = resolved.rules_since.is_some() || was.as_ref() != Some(&is);
    let life = life(resolved, fact, origin, rules, gone_before);
    let cause = match cause(&derived) {
        Cause::Change if life != Life::GoesOn => Cause::News,
        cause => cause,
    };
    Announced {
        outcome,
        because,
        adopted,
        gone: derived.entered_gone.map(|status| Gone { status }),
        moved: moved.then_some((was, is)),
        plans: Some((cause, life)),
        fact_key: None,
        made: Made {
            types: derived.types,
            previous: match &resolved.before_view {
                Some(view) => Arc::new(view.json.clone()),
                None => Arc::default(),
            },
            changes: Value::Object(derived.changes),
            payment: Value::Null,
            message: Value::Null,
        },
    }
}

fn is_gone(status: Option<Status>) -> bool {
    status.is_some_and(Status::is_gone)
}

/// Whether a new life of the stay begins. `gone_since`: since when it was gone before the fact.
fn life(resolved: &Resolved, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>, gone_since: Option<i64>) -> Life {
    let after = &resolved.after;
    // An old state sent again is no new life.
    let echoes = fact.version.is_none()
        && gone_since
            .is_some_and(|since| origin.received_at.timestamp_millis() - since < rules.echo.num_milliseconds());
    match &resolved.before_view {
        Some(_) if gone_since.is_some() && !echoes && after.status.is_some_and(|status| !status.is_gone()) => {
            Life::Anew
        }
        Some(was) if was.kind == "block" && after.kind != "block" => Life::Anew,
        Some(was) if was.place.is_some() && after.place.is_some() && was.place != after.place => {
            Life::Elsewhere(was.json["property"].clone())
        }
        _ => Life::GoesOn,
    }
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
