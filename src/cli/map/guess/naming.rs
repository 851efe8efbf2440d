//! What names a stay, a delivery and a property.

use serde_json::Value;

use super::super::rules::is_house;
use super::super::shape::Shape;
use super::super::tree::{Place, Step};
use super::super::words::words;
use super::{ENOUGH, EventType, Guess, How, Look, Sort};

const CODE: &[(&str, i32)] = &[
    ("confirmation code", 15),
    ("confirmation number", 15),
    ("confirmation id", 13),
    ("confirmation", 11),
    ("code", 10),
    ("reservation code", 13),
    ("booking code", 13),
    ("reservation number", 13),
    ("booking number", 13),
    ("reservation reference", 12),
    ("booking reference", 12),
    ("reference", 10),
    ("reference id", 11),
    ("reference number", 11),
    ("platform reservation", 9),
    ("external reservation", 9),
    ("external id", 6),
    ("platform id", 6),
    ("pnr", 10),
];
const CODE_NOT: &[&str] = &[
    "country",
    "currency",
    "promo",
    "promotion",
    "coupon",
    "postal",
    "zip",
    "door",
    "access",
    "lock",
    "phone",
    "tax",
    "language",
    "discount",
    "rate",
    "product",
    "status",
    "reason",
    "error",
    "area",
    "dial",
    "airport",
    "transaction",
    "payment",
    "account",
    "agency",
    "user",
    "owner",
    "message",
    "gate",
    "key",
    "wifi",
    "internal",
    "parent",
];
const ID: &[(&str, i32)] = &[
    ("reservation id", 12),
    ("booking id", 12),
    ("entity id", 8),
    ("subject id", 6),
    ("lead id", 8),
    ("folio id", 8),
    ("order id", 7),
    ("stay id", 11),
    ("reservation", 7),
    ("booking", 7),
    ("platform id", 6),
];
const ID_NOT: &[&str] = &[
    "guest",
    "listing",
    "property",
    "channel",
    "account",
    "user",
    "room",
    "unit",
    "owner",
    "conversation",
    "thread",
    "message",
    "payment",
    "rate",
    "offer",
    "agency",
    "client",
    "integration",
    "enterprise",
    "group",
    "status",
    "revision",
    "type",
    "sub",
    "total",
    "amount",
    "date",
    "currency",
];
/// Names of objects that hold one thing, whatever it is.
const HOLDERS: &[&str] = &[
    "data",
    "payload",
    "object",
    "entity",
    "resource",
    "body",
    "value",
    "record",
    "attributes",
];

/// The confirmation code and the ids of the stay.
pub(super) fn names(look: &Look<'_>, sort: Sort, event: Option<&EventType>) -> Vec<Guess> {
    let mut found = Vec::new();
    if sort == Sort::Nothing {
        return found;
    }
    let code = code(look, sort);
    if let Some(place) = code {
        found.push(guess("code", vec![place.steps.clone()]));
    }
    let mut ids: Vec<(i32, &Place)> = Vec::new();
    for place in &look.tree.places {
        let shape = Shape::of(place.value());
        let listed = place.is_listed(look.scope.len());
        if !shape.is_name() || listed || code.is_some_and(|code| code.steps == place.steps) {
            continue;
        }
        // Of one word only ids: `status: new` names nothing.
        if shape == Shape::Word
            && place
                .value()
                .as_str()
                .is_some_and(|text| !text.bytes().any(|b| b.is_ascii_digit()))
        {
            continue;
        }
        let points =
            own_id(look, place, sort, event).max(look.named_as(place, ID, ID_NOT).filter(|_| names_an_id(place)));
        if let Some(points) = points.filter(|points| *points >= ENOUGH) {
            ids.push((points, place));
        }
    }
    ids.sort_by_key(|(points, _)| -points);
    let mut places: Vec<Vec<Step>> = Vec::new();
    let mut values: Vec<&Value> = code.map(Place::value).into_iter().collect();
    for (_, place) in ids {
        // The same value twice is one name, but for senders that spell it in two ways.
        let spelt = |steps: &Vec<Step>| {
            look.tree
                .places
                .iter()
                .any(|one| one.steps == *steps && one.words() == place.words())
        };
        if !values.contains(&place.value()) || places.iter().any(spelt) {
            values.push(place.value());
            places.push(place.steps.clone());
        }
    }
    places.truncate(4);
    if !places.is_empty() {
        found.push(guess("ids", places));
    }
    found
}

fn guess(field: &'static str, places: Vec<Vec<Step>>) -> Guess {
    Guess {
        field,
        places,
        how: How::Plain,
        note: None,
    }
}

fn code<'t>(look: &Look<'t>, sort: Sort) -> Option<&'t Place> {
    let scored = look.tree.places.iter().filter_map(|place| {
        let shape = Shape::of(place.value());
        let above = place.names().rev().nth(1).map(|name| words(name)).unwrap_or_default();
        let foreign =
            |word: &String| is_house(word) || ["guest", "customer", "channel", "country"].contains(&word.as_str());
        if !shape.is_name() || place.is_listed(look.scope.len()) || above.iter().any(foreign) {
            return None;
        }
        // What stands in a payment or message is called after that.
        let own = place.words();
        let of_stay = own.iter().any(|word| word == "reservation" || word == "booking");
        let of_it = above
            .iter()
            .any(|word| ["payment", "charge", "transaction", "message"].contains(&word.as_str()));
        if of_it && !of_stay {
            return None;
        }
        let looks = i32::from(shape == Shape::Code) + 2 * i32::from(is_code(place.value()));
        let named = look.named_as(place, CODE, CODE_NOT);
        // A channel's own words for a booking beside its name.
        let beside = place
            .words()
            .iter()
            .any(|word| ["source", "channel", "platform"].contains(&word.as_str()))
            && is_code(place.value());
        // In a payment a bare `code` or `reference` is the payment's.
        let sure = if sort == Sort::Payment { ENOUGH + 6 } else { ENOUGH };
        let points = named.map(|points| points + looks).max(beside.then_some(ENOUGH + 1))?;
        (points >= sure).then_some((points, place))
    });
    scored.max_by_key(|(points, _)| *points).map(|(_, place)| place)
}

/// Capital letters and digits in one short word.
fn is_code(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        (6..=16).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && text.bytes().filter(u8::is_ascii_uppercase).count() >= 2
            && text.bytes().any(|b| b.is_ascii_digit())
    })
}

fn is_id(words: &[String]) -> bool {
    words == ["id"] || words == ["id", "str"]
}

fn names_an_id(place: &Place) -> bool {
    let own = place.words();
    own.contains(&"id".to_owned()) || own == ["reservation"] || own == ["booking"]
}

/// `id` in the object that is the stay.
fn own_id(look: &Look<'_>, place: &Place, sort: Sort, event: Option<&EventType>) -> Option<i32> {
    let own = place.words().join(" ");
    if ["reservation id", "booking id"].contains(&own.as_str()) {
        return Some(12);
    }
    if !is_id(&place.words()) {
        return None;
    }
    let above = place.names().rev().nth(1);
    if above.is_some_and(|name| {
        words(name)
            .iter()
            .any(|word| word == "reservation" || word == "booking")
    }) {
        return Some(11);
    }
    let held = usize::from(above.is_some_and(|name| is_holder(name)));
    let deep = place.steps.len().saturating_sub(look.scope.len());
    let direct = place.steps.starts_with(&look.scope)
        && (deep == 1 || deep == 1 + held && look.scope.last() == Some(&Step::Every));
    // At the top beside the type it is the delivery's, unless the stay lies there too.
    let envelope = place.steps.len() == 1 && event.is_some_and(|event| event.steps.len() == 1) && sort != Sort::Stay;
    (direct && sort == Sort::Stay && !envelope).then_some(9)
}

/// Where a new id comes with every delivery.
pub(super) fn event_id(look: &Look<'_>, event: Option<&EventType>) -> Option<Vec<Step>> {
    let sure = look.named(
        &[
            "event id",
            "webhook id",
            "delivery id",
            "notification id",
            "revision id",
        ],
        2,
        Shape::is_name,
    );
    if let Some(steps) = sure.into_iter().next() {
        return Some(steps);
    }
    let outside = !look.scope.is_empty() && event.is_some_and(|event| event.steps.len() == 1);
    let top = look.named(&["id"], 1, |shape| matches!(shape, Shape::Uuid | Shape::Code));
    top.into_iter().find(|_| outside)
}

/// The property: the ids that the sender has for it, its name and its address.
pub(super) fn property(look: &Look<'_>, fields: &mut Vec<Guess>) {
    let mut ids: Vec<(usize, &Place)> = Vec::new();
    let mut name: Option<(usize, &Place)> = None;
    let mut address = None;
    for place in &look.tree.places {
        let own = place.words();
        let above = place.names().rev().nth(1).map(|name| words(name)).unwrap_or_default();
        let house = own
            .iter()
            .chain(&above)
            .filter(|word| is_house(word))
            .min_by_key(|word| rank(word));
        let Some(house) = house else { continue };
        let foreign = |word: &String| {
            [
                "type", "rate", "image", "url", "picture", "total", "price", "fee", "count", "qty", "map", "channel",
                "multi", "guest", "email", "phone",
            ]
            .contains(&word.as_str())
        };
        let shape = Shape::of(place.value());
        let listed = place
            .steps
            .iter()
            .skip(look.scope.len())
            .filter(|step| **step == Step::Every)
            .count()
            > 1;
        let map = own.iter().any(|word| word == "map") && own.iter().any(|word| word == "id");
        if listed || shape == Shape::Nothing || (own.iter().chain(&above).any(foreign) && !map) {
            continue;
        }
        let at = rank(house) * 10 + place.steps.len();
        let last = own.last().map(String::as_str).unwrap_or_default();
        match last {
            "id" | "str" | "code" | "key"
                if shape.is_name() && own.iter().any(|word| ["id", "code", "key"].contains(&word.as_str())) =>
            {
                ids.push((at, place));
            }
            "nickname" | "name" | "title" | "internal" if !shape.is_number() && own.iter().all(|word| word != "id") => {
                let nick = if last == "nickname" { 0 } else { 1 };
                if name.is_none_or(|(known, _)| at * 2 + nick < known) {
                    name = Some((at * 2 + nick, place));
                }
            }
            "address" if shape == Shape::Text => address = Some(place),
            _ => {}
        }
    }
    ids.sort_by_key(|(at, _)| *at);
    // Rooms and units only where nothing larger is named: a later delivery may leave them out.
    let best = ids.first().map(|(at, _)| at / 10);
    let large = ids.iter().filter(|(at, _)| Some(at / 10) == best || at / 10 <= 2);
    let mut values: Vec<&Value> = Vec::new();
    let mut places = Vec::new();
    for (_, place) in large {
        let text = |value: &Value| value.to_string().trim_matches('"').to_owned();
        if !values.iter().any(|value| text(value) == text(place.value())) {
            values.push(place.value());
            places.push(place.steps.clone());
        }
    }
    places.truncate(3);
    if !places.is_empty() {
        fields.push(guess("property.ids", places));
    }
    for (field, place) in [
        ("property.name", name.map(|(_, place)| place)),
        ("property.address", address),
    ] {
        fields.extend(place.map(|place| guess(field, vec![place.steps.clone()])));
    }
}

/// The nearest to a whole property first.
fn rank(word: &str) -> usize {
    let order = [
        "property",
        "listing",
        "apartment",
        "accommodation",
        "rental",
        "house",
        "villa",
        "hotel",
        "unit",
        "room",
    ];
    match order.iter().position(|one| *one == word).unwrap_or(order.len()) {
        0 => 0,
        1..=2 => 1,
        3..=6 => 2,
        7 => 3,
        8 => 4,
        _ => 5,
    }
}

/// Whether an object is called after nothing in particular.
pub(super) fn is_holder(name: &str) -> bool {
    HOLDERS.contains(&name.to_lowercase().as_str())
}
