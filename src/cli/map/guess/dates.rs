//! Arrival and departure, and with them the part of the body that is the stay.

use super::super::shape::{Shape, may_be_epoch};
use super::super::tree::{Place, Step, Tree, path};
use super::super::words::words;
use super::{ENOUGH, Guess, How, Look};

const ARRIVAL: &[(&str, i32)] = &[
    ("arrival", 11),
    ("check in", 11),
    ("start date", 8),
    ("date from", 7),
    ("from date", 7),
    ("start", 6),
    ("starts", 6),
    ("from", 5),
    ("begin", 6),
    ("begin date", 7),
];
const DEPARTURE: &[(&str, i32)] = &[
    ("departure", 11),
    ("check out", 11),
    ("end date", 8),
    ("date to", 7),
    ("to date", 7),
    ("end", 6),
    ("ends", 6),
    ("to", 5),
    ("until", 5),
    ("date until", 7),
];
const NOT: &[&str] = &[
    "previous",
    "old",
    "original",
    "actual",
    "rate",
    "price",
    "policy",
    "sub",
    "instructions",
    "cancellation",
    "invoice",
];
/// Lists with an entry a night.
const NIGHTS: &[&str] = &["dates", "nights", "days", "calendar", "nightly", "night", "daily"];

/// The way to the object that holds the stay.
pub(super) fn scope(tree: &Tree) -> Vec<Step> {
    let look = Look {
        tree,
        scope: Vec::new(),
        flat: false,
    };
    if let Some(place) = best(&look, ARRIVAL, is_day) {
        return parent(place);
    }
    if let Some((place, _)) = nights(tree) {
        let list = place
            .steps
            .iter()
            .rposition(|step| *step == Step::Every)
            .unwrap_or_default();
        return place.steps[..list.saturating_sub(1)].to_vec();
    }
    // An object that is called so, or the one with the id of a stay in it.
    let object = tree.places.iter().find_map(|place| {
        let at = place.steps.iter().position(|step| match step {
            Step::Name(name) => matches!(
                words(name).join(" ").as_str(),
                "reservation" | "booking" | "data reservation"
            ),
            _ => false,
        })?;
        (at + 1 < place.steps.len() && !place.is_listed(0)).then(|| place.steps[..=at].to_vec())
    });
    let list = || {
        let listed = tree.places.iter().find(|place| {
            let first = place.steps.iter().position(|step| *step == Step::Every);
            let below = first.map_or(0, |at| place.steps.len() - at);
            // A list at the top with ids in it.
            first.is_some_and(|at| at <= 1) && below >= 2 && place.words().contains(&"id".to_owned())
        })?;
        let at = listed.steps.iter().position(|step| *step == Step::Every)?;
        Some(listed.steps[..=at].to_vec())
    };
    let holder = || {
        let named = tree.places.iter().find(|place| {
            let words = place.words().join(" ");
            place.steps.len() == 2
                && !place.is_listed(0)
                && matches!(
                    words.as_str(),
                    "booking id" | "reservation id" | "confirmation code" | "entity id" | "status"
                )
        })?;
        Some(parent(named))
    };
    object.or_else(list).or_else(holder).unwrap_or_default()
}

fn parent(place: &Place) -> Vec<Step> {
    let mut steps = place.steps.clone();
    steps.pop();
    steps
}

fn is_day(place: &Place) -> bool {
    let shape = Shape::of(place.value());
    shape.is_day() || may_be_epoch(place.value())
}

fn best<'t>(look: &Look<'t>, names: &[(&str, i32)], takes: fn(&Place) -> bool) -> Option<&'t Place> {
    let scored = look
        .tree
        .places
        .iter()
        .filter(|place| takes(place))
        .filter_map(|place| {
            let depth = i32::try_from(place.steps.len()).unwrap_or(9);
            let listed = if place.is_listed(look.scope.len()) { 4 } else { 0 };
            Some((look.named_as(place, names, NOT)? * 4 - depth - listed * 4, place))
        });
    let best = scored.max_by_key(|(points, _)| *points)?;
    (best.0 >= 4 * ENOUGH - 8).then_some(best.1)
}

/// A list with a date for every night.
fn nights(tree: &Tree) -> Option<(&Place, bool)> {
    let place = tree.places.iter().find(|place| {
        let mut names = place.names().rev();
        let own = names.next().map(|name| words(name)).unwrap_or_default();
        let list = names.next().map(|name| words(name)).unwrap_or_default();
        let of_list = |words: &[String]| words.iter().any(|word| NIGHTS.contains(&word.as_str()));
        let ends_listed = place.steps.last() == Some(&Step::Every);
        let called = if ends_listed {
            of_list(&own)
        } else {
            own.contains(&"date".to_owned()) && of_list(&list)
        };
        called && place.is_listed(0) && Shape::of(place.value()).is_day()
    })?;
    Some((place, true))
}

/// Arrival and departure as far as they are found; the rest is said.
pub(super) fn dates(look: &Look<'_>, fields: &mut Vec<Guess>, missing: &mut Vec<String>, notes: &mut Vec<String>) {
    for (names, time, date, what, list) in [
        (ARRIVAL, "check_in", "check_in_date", "an arrival date", How::First),
        (
            DEPARTURE,
            "check_out",
            "check_out_date",
            "a departure date",
            How::DayAfterLast,
        ),
    ] {
        let day = best(look, names, |place| Shape::of(place.value()) == Shape::Date);
        let exact = best(look, names, |place| {
            Shape::of(place.value()) == Shape::Instant || may_be_epoch(place.value())
        });
        let local = best(look, names, |place| Shape::of(place.value()) == Shape::Local);
        let mut add = |field: &'static str, place: &Place, how: How, note: Option<&str>| {
            fields.push(Guess {
                field,
                places: vec![place.steps.clone()],
                how,
                note: note.map(str::to_owned),
            });
        };
        if let Some(place) = exact {
            add(time, place, How::Plain, None);
        }
        match (day, local, exact) {
            (Some(place), ..) => add(date, place, How::Plain, None),
            // Midnight is a date that had to be written as a time.
            (None, Some(place), _) if midnight(place) => {
                add(date, place, How::Plain, Some("always midnight? then it is a date"))
            }
            (None, Some(place), None) => add(
                time,
                place,
                How::Plain,
                Some("without a zone it is the property's time"),
            ),
            (None, _, Some(_)) => {}
            (None, _, None) => match nights(look.tree) {
                Some((place, _)) => add(date, place, list, Some("one entry a night")),
                None => missing.push(what.to_owned()),
            },
        }
        if let Some(place) = best(look, names, |place| Shape::of(place.value()) == Shape::OddDate) {
            let at = path("$", &place.steps);
            notes.push(format!(
                "{at} looks like a date in another order; mappings read 2027-03-27"
            ));
        }
        let clock = look.tree.places.iter().find(|place| {
            Shape::of(place.value()) == Shape::Clock
                && look.named_as(place, names, &[]).is_some_and(|points| points >= ENOUGH)
        });
        if let (Some(place), None) = (clock, exact) {
            let at = path("$", &place.steps);
            notes.push(format!(
                "{at} holds a time of day alone, which is not read: the times of the property count (`default_{time}`)"
            ));
        }
    }
}

fn midnight(place: &Place) -> bool {
    place
        .values
        .iter()
        .all(|value| value.as_str().is_some_and(|text| text.contains("00:00")))
}
