//! Which object of a body is the stay that the body is about. Only what allows no other reading counts: a payment or a
//! message may hold its whole reservation too, and whoever read that as news of a stay would announce it.

use super::names::{CHECK_IN, CHECK_OUT, fold, is_day};
use super::tree::{Place, Step, Tree};

/// What a stay is called.
const STAYS: [&str; 2] = ["reservation", "booking"];
/// Names whose values say what happened.
const TYPES: &[&str] = &["type", "event", "eventtype", "eventname", "action", "topic", "trigger"];
/// What may stand beside the way to the stay, because it is said of the delivery. Anything else there may be what the
/// delivery is about.
#[rustfmt::skip]
const ENVELOPE: &[&str] = &[
    "id", "uuid", "eventid", "webhookid", "deliveryid", "object", "version", "apiversion", "livemode", "timestamp",
    "createdat", "sentat", "occurredat", "attempt", "retries", "accountid", "companyid", "userid",
];
/// What the word for an event of a stay may be made of; any other word in it makes it an event of something else.
#[rustfmt::skip]
const VERBS: &[&str] = &[
    "new", "create", "created", "update", "updated", "change", "changed", "modified", "modification", "confirmed",
    "confirmation", "cancel", "canceled", "cancelled", "cancellation", "status", "dates", "v1", "v2", "v3",
];

/// The object that is the stay.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stay {
    /// The way to it.
    pub(super) scope: Vec<Step>,
    /// `reservation` or `booking`, as the sender calls it.
    pub(super) called: &'static str,
    /// Where the type of the delivery stands.
    pub(super) event: Option<Vec<Step>>,
}

impl Stay {
    /// The way to the list of stays, where there is one.
    pub(super) fn list(&self) -> Option<&[Step]> {
        let at = self.scope.iter().position(|step| *step == Step::Every)?;
        Some(&self.scope[..=at])
    }
}

/// The stay that a body is about; else why none is for certain.
pub(super) fn stay(tree: &Tree) -> Result<Stay, String> {
    let mut scopes: Vec<&[Step]> = Vec::new();
    for place in &tree.places {
        for length in 0..place.steps.len() {
            let scope = &place.steps[..length];
            if (name_of(scope).is_some() || has_dates(tree, scope)) && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
    }
    let scope = match scopes.as_slice() {
        [one] => *one,
        [] => return Err("no object is a reservation for certain".to_owned()),
        _ => return Err("several objects may be the reservation".to_owned()),
    };
    // A list of anything in the list of stays is no list of stays.
    if scope.iter().filter(|step| **step == Step::Every).count() > 1 {
        return Err("the reservation stands in a list of other things".to_owned());
    }
    let mut called = name_of(scope);
    let mut event = None;
    // What stands in an object on the way to the stay, and not in the stay; of a body that is itself the stay its members.
    let is_beside = |place: &&Place| match scope {
        [] => place.steps.len() == 1,
        _ => !place.steps.starts_with(scope),
    };
    for place in tree.places.iter().filter(is_beside) {
        let name = fold(place.last_name());
        let at = place.path();
        if TYPES.contains(&name.as_str()) {
            for value in &place.values {
                let words = value.as_str().map(words).unwrap_or_default();
                let strange = |word: &&String| !VERBS.contains(&word.as_str()) && subject(word).is_none();
                if words.is_empty() || words.iter().find(strange).is_some() {
                    return Err(format!("{at} may speak of something else"));
                }
                called = called.or_else(|| words.iter().find_map(|word| subject(word)));
            }
            if event.replace(place.steps.clone()).is_some() {
                return Err("several places may say what happened".to_owned());
            }
        } else if !scope.is_empty() && !ENVELOPE.contains(&name.as_str()) {
            return Err(format!(
                "{at} stands beside the reservation: it may be what the delivery is about"
            ));
        }
    }
    let called = called.ok_or("nothing says that it is about a reservation")?;
    Ok(Stay {
        scope: scope.to_vec(),
        called,
        event,
    })
}

fn subject(word: &str) -> Option<&'static str> {
    let one = word.strip_suffix('s').unwrap_or(word);
    STAYS.into_iter().find(|stay| *stay == one)
}

/// What a stay is called whose object (or list of objects) is called so.
fn name_of(scope: &[Step]) -> Option<&'static str> {
    match scope {
        [.., Step::Name(name)] => STAYS.into_iter().find(|stay| *stay == fold(name)),
        [.., Step::Name(list), Step::Every] => {
            let name = fold(list);
            STAYS.into_iter().find(|stay| name.strip_suffix('s') == Some(stay))
        }
        _ => None,
    }
}

/// Whether both dates of a stay stand in it, by names that mean them and nothing else.
fn has_dates(tree: &Tree, scope: &[Step]) -> bool {
    let is_date = |place: &Place, names: &[&str]| match place.steps.strip_prefix(scope) {
        Some([Step::Name(name)]) => names.contains(&fold(name).as_str()) && is_day(place.value()),
        _ => false,
    };
    [CHECK_IN, CHECK_OUT]
        .iter()
        .all(|names| tree.places.iter().any(|place| is_date(place, names)))
}

/// The words of `newReservation`, `booking.created`, `NEW_BOOKING` in lower case.
fn words(text: &str) -> Vec<String> {
    let (mut apart, mut small) = (String::new(), false);
    for c in text.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && small {
            apart.push(' ');
        }
        small = c.is_lowercase();
        apart.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
    }
    apart.split_whitespace().map(str::to_owned).collect()
}
