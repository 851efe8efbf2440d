//! Words of the sender: what happened, how the stay stands, whose it is.

use serde_json::Value;

use super::super::shape::Shape;
use super::super::tree::{Place, Step, Tree};
use super::super::words::words;
use super::{ENOUGH, Guess, How, Look};

/// The sender's word for what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct EventType {
    /// Where it stands.
    pub steps: Vec<Step>,
    /// The words that were seen.
    pub words: Vec<String>,
}

/// Parts of words, and which of our statuses they mean; the first that fits counts.
const MEANS: &[(&str, &str)] = &[
    ("not_confirmed", "pending"),
    ("unconfirmed", "pending"),
    ("cancel", "cancelled"),
    ("removed", "cancelled"),
    ("deleted", "cancelled"),
    ("storn", "cancelled"),
    ("annul", "cancelled"),
    ("void", "cancelled"),
    ("declin", "declined"),
    ("denied", "declined"),
    ("reject", "declined"),
    ("refused", "declined"),
    ("expire", "expired"),
    ("timed_out", "expired"),
    ("no_show", "no_show"),
    ("noshow", "no_show"),
    ("inquiry", "inquiry"),
    ("enquiry", "inquiry"),
    ("lead", "inquiry"),
    ("quote", "inquiry"),
    ("waiting_for_payment", "awaiting_payment"),
    ("awaiting_payment", "awaiting_payment"),
    ("payment_pending", "awaiting_payment"),
    ("unpaid", "awaiting_payment"),
    ("pending", "pending"),
    ("request", "pending"),
    ("tentative", "pending"),
    ("hold", "pending"),
    ("option", "pending"),
    ("awaiting", "pending"),
    ("checked_out", "completed"),
    ("checkedout", "completed"),
    ("departed", "completed"),
    ("completed", "completed"),
    ("past", "completed"),
    ("checked_in", "in_house"),
    ("checkedin", "in_house"),
    ("in_house", "in_house"),
    ("inhouse", "in_house"),
    ("staying", "in_house"),
    ("arrived", "in_house"),
    ("confirm", "confirmed"),
    ("accept", "confirmed"),
    ("book", "confirmed"),
    ("active", "confirmed"),
    ("reserved", "confirmed"),
    ("definite", "confirmed"),
    ("approved", "confirmed"),
    ("paid", "confirmed"),
    ("new", "confirmed"),
    ("modified", "confirmed"),
    ("best", "confirmed"),
    ("ok", "confirmed"),
];

/// Which of our statuses a word of the sender means; nothing where that cannot be told.
fn meaning(word: &str) -> Option<&'static str> {
    let word = folded(word);
    MEANS
        .iter()
        .find(|(part, _)| word.contains(part))
        .map(|(_, status)| *status)
}

fn folded(word: &str) -> String {
    word.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The place at which the sender says what happened.
pub(super) fn event_type(tree: &Tree) -> Option<EventType> {
    const NAMES: &[(&str, i32)] = &[
        ("event", 10),
        ("event type", 11),
        ("event name", 10),
        ("webhook event", 10),
        ("action", 9),
        ("discriminator", 9),
        ("trigger", 7),
        ("topic", 6),
        ("type", 7),
        ("notification type", 9),
        ("operation", 6),
        ("hook", 5),
    ];
    let scored = tree.places.iter().filter_map(|place| {
        let text = place.value().as_str()?;
        let word = matches!(Shape::of(place.value()), Shape::Word | Shape::Code)
            || text.len() < 40 && text.split(' ').count() < 4;
        let own = place.words().join(" ");
        let (_, points) = NAMES.iter().find(|(name, _)| *name == own)?;
        let depth = i32::try_from(place.steps.len()).ok()?;
        let top = depth == 1 || place.steps.contains(&Step::Every) && depth <= 3;
        (word && top).then_some((points - depth, place))
    });
    let (_, place) = scored.max_by_key(|(points, _)| *points)?;
    Some(EventType {
        steps: place.steps.clone(),
        words: texts(place),
    })
}

fn texts(place: &Place) -> Vec<String> {
    place
        .values
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Where the status stands, with the words that were seen.
pub(super) fn status(look: &Look<'_>, event: Option<&EventType>, fields: &mut Vec<Guess>, missing: &mut Vec<String>) {
    const NAMES: &[(&str, i32)] = &[
        ("status", 10),
        ("reservation status", 13),
        ("booking status", 13),
        ("status category", 9),
        ("status name", 9),
        ("status current", 9),
        ("stage", 6),
    ];
    const NOT: &[&str] = &[
        "payment", "paid", "previous", "sub", "message", "invoice", "cleaning", "deposit", "date", "code", "order",
        "email",
    ];
    let scored = look.tree.places.iter().filter_map(|place| {
        let word = place.value().as_str().is_some_and(|text| text.len() <= 40);
        let number = Shape::of(place.value()) == Shape::Whole;
        if !(word || number) || place.is_listed(look.scope.len()) || Shape::of(place.value()) == Shape::Nothing {
            return None;
        }
        let all: Vec<String> = place.names().flat_map(|name| words(name)).collect();
        if all.iter().any(|word| word == "history" || word == "sub") {
            return None;
        }
        // `reservation_status.current.category`: the word stands two names above.
        let far = all.contains(&"status".to_owned())
            && all
                .last()
                .is_some_and(|last| last == "category" || last == "name" || last == "code");
        let points = look.named_as(place, NAMES, NOT).max(far.then_some(8))?;
        (points >= ENOUGH).then_some((points, place))
    });
    if let Some((_, place)) = scored.max_by_key(|(points, _)| *points) {
        let seen: Vec<(String, &'static str)> = place
            .values
            .iter()
            .filter_map(|value| {
                let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let means = meaning(&word).unwrap_or("unknown");
                (!word.trim().is_empty() && !value.is_null()).then_some((word, means))
            })
            .collect();
        fields.push(Guess {
            field: "status",
            places: vec![place.steps.clone()],
            how: How::Words(seen, Some("unknown")),
            note: None,
        });
        return;
    }
    missing.push("a status of the stay".to_owned());
    let Some(event) = event else { return };
    // Of a change nothing is known: the stay keeps the status that it has.
    let ended: Vec<(String, &'static str)> = event
        .words
        .iter()
        .filter_map(|word| {
            let new = ["new", "creat", "booked"]
                .iter()
                .any(|part| word.to_lowercase().contains(part));
            let means = match meaning(word) {
                Some(gone @ ("cancelled" | "declined" | "expired")) => gone,
                _ if new => "confirmed",
                _ => return None,
            };
            Some((word.clone(), means))
        })
        .collect();
    if ended.is_empty() {
        return;
    }
    fields.push(Guess {
        field: "status",
        places: vec![event.steps.clone()],
        how: How::Words(ended, None),
        note: Some("no status in this body, so what happened has to say it".to_owned()),
    });
}

/// Whether it is a block or the owner's own stay.
pub(super) fn kind(look: &Look<'_>, fields: &mut Vec<Guess>) {
    for place in &look.tree.places {
        let own = place.words();
        let flag = Shape::of(place.value()) == Shape::Flag;
        let inside = place.steps.starts_with(&look.scope) && !place.is_listed(look.scope.len());
        let words = match place.value() {
            _ if !inside => None,
            _ if flag && own.iter().any(|word| ["block", "blocked"].contains(&word.as_str())) => {
                Some(vec![("true".to_owned(), "block")])
            }
            _ if flag && own.join(" ").contains("owner stay") => Some(vec![("true".to_owned(), "owner")]),
            Value::String(word) if own == ["stay", "type"] => {
                let owner = if word.to_lowercase().contains("owner") {
                    word.clone()
                } else {
                    "owner_stay".to_owned()
                };
                Some(vec![(owner, "owner")])
            }
            _ => None,
        };
        if let Some(words) = words {
            fields.push(Guess {
                field: "kind",
                places: vec![place.steps.clone()],
                how: How::Words(words, Some("guest")),
                note: None,
            });
            return;
        }
    }
}
