//! What a body is about, and what is read of a payment or a message.

use serde_json::Value;

use super::super::shape::{Shape, may_be_epoch};
use super::super::tree::Place;
use super::super::words::words;
use super::naming::is_holder;
use super::{ENOUGH, EventType, Guess, Guessed, How, Look};

/// What a body is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A payment of a stay.
    Payment,
    /// A message about a stay.
    Message,
    /// A stay.
    Stay,
    /// Nothing that Stayhook knows.
    Nothing,
}

impl Sort {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Payment => "payment",
            Sort::Message => "message",
            Sort::Stay => "reservation",
            Sort::Nothing => "nothing",
        }
    }
}

/// What a body is about.
pub(super) fn sort(look: &Look<'_>, event: Option<&EventType>) -> Sort {
    let places = &look.tree.places;
    let says = |parts: &[&str]| {
        let types = event.iter().flat_map(|event| &event.words);
        types
            .flat_map(|word| words(word))
            .any(|word| parts.iter().any(|part| word == *part || word == format!("{part}s")))
    };
    let named = |parts: &[&str]| {
        let top = places
            .iter()
            .filter_map(|place| place.names().next().filter(|_| place.steps.len() > 1));
        top.flat_map(|name| words(name))
            .any(|word| parts.contains(&word.as_str()))
    };
    let days = places.iter().any(|place| {
        look.named_as(
            place,
            &[("arrival", 10), ("check in", 10), ("start date", 8)],
            &["previous"],
        )
        .is_some_and(|p| p >= ENOUGH)
            && (Shape::of(place.value()).is_day() || may_be_epoch(place.value()))
    });
    let test = says(&["ping", "test", "healthcheck", "heartbeat"]);
    let other = says(&[
        "rate",
        "rates",
        "availability",
        "calendar",
        "room",
        "review",
        "listing",
        "customer",
    ]) && !says(&["reservation", "booking", "order"]);
    if test || (other && !days) {
        return Sort::Nothing;
    }
    if !days
        && (says(&[
            "payment",
            "charge",
            "refund",
            "refunded",
            "payout",
            "transaction",
            "invoice",
        ]) || named(&["payment", "charge"]))
    {
        return Sort::Payment;
    }
    if !days && (says(&["message", "inbox", "conversation"]) || named(&["message"])) {
        return Sort::Message;
    }
    let stay = days
        || says(&["reservation", "booking", "stay", "order", "lead"])
        || places.iter().any(|place| {
            let own = place.words().join(" ");
            [
                "status",
                "reservation id",
                "booking id",
                "confirmation code",
                "entity id",
                "reservation",
                "code",
            ]
            .contains(&own.as_str())
        });
    if stay { Sort::Stay } else { Sort::Nothing }
}

/// A field of a payment or message, the names under which it goes, and what it looks like.
type Field = (
    &'static str,
    &'static [(&'static str, i32)],
    &'static [&'static str],
    fn(Shape) -> bool,
);

const PAYMENT: &[Field] = &[
    (
        "payment.id",
        &[("payment id", 12), ("transaction id", 11), ("charge id", 11), ("id", 8)],
        &[
            "reservation",
            "booking",
            "account",
            "method",
            "guest",
            "request",
            "parent",
            "property",
        ],
        Shape::is_name,
    ),
    (
        "payment.amount",
        &[("amount", 10), ("total", 7), ("value", 5)],
        &["formatted", "captured", "received", "due", "fee"],
        Shape::is_number,
    ),
    (
        "payment.currency",
        &[("currency", 10), ("currency code", 11)],
        &[],
        |shape| shape == Shape::Word,
    ),
    (
        "payment.method",
        &[("method", 10), ("payment method", 11), ("brand", 6)],
        &["id", "types"],
        |shape| matches!(shape, Shape::Word | Shape::Text),
    ),
    (
        "payment.description",
        &[("description", 10), ("note", 7), ("memo", 7)],
        &[],
        |shape| matches!(shape, Shape::Word | Shape::Text),
    ),
    (
        "payment.paid_at",
        &[
            ("paid at", 11),
            ("paid on", 11),
            ("payment date", 11),
            ("transaction date time", 11),
            ("created at", 7),
            ("created", 6),
            ("date", 6),
        ],
        &["reservation"],
        |shape| shape.is_day() || shape == Shape::Whole,
    ),
];
const MESSAGE: &[Field] = &[
    (
        "message.id",
        &[("message id", 12), ("id", 8)],
        &[
            "reservation",
            "booking",
            "account",
            "thread",
            "conversation",
            "guest",
            "inbox",
            "listing",
            "channel",
            "communication",
            "owner",
            "agency",
            "property",
            "lead",
            "platform",
        ],
        Shape::is_name,
    ),
    (
        "message.text",
        &[
            ("body", 11),
            ("text", 11),
            ("message body", 12),
            ("message content", 12),
            ("content", 9),
            ("message", 8),
        ],
        &["type", "id", "subject", "html"],
        |shape| matches!(shape, Shape::Text | Shape::Word),
    ),
    (
        "message.from",
        &[
            ("sender type", 12),
            ("from", 10),
            ("author", 9),
            ("sender role", 12),
            ("incoming", 9),
            ("is incoming", 11),
            ("direction", 9),
            ("message type", 7),
            ("sender", 8),
        ],
        &["id", "name", "content", "email"],
        |shape| matches!(shape, Shape::Word | Shape::Whole | Shape::Flag | Shape::Code),
    ),
    (
        "message.at",
        &[
            ("created at", 11),
            ("sent at", 11),
            ("creation time", 11),
            ("date", 8),
            ("created", 8),
            ("time stamp", 7),
            ("time", 6),
        ],
        &["reservation"],
        |shape| shape.is_day() || shape == Shape::Whole,
    ),
];

/// The object that the payment or message is: nearest to the top that is called so, or that only holds things.
fn near(place: &Place, called: &str) -> i32 {
    let above: Vec<&String> = place.names().rev().skip(1).collect();
    let named = above
        .first()
        .is_some_and(|name| words(name).iter().any(|word| word == called));
    let held = above.first().is_some_and(|name| is_holder(name));
    let foreign = above.iter().any(|name| {
        words(name).iter().any(|word| {
            [
                "reservation",
                "booking",
                "guest",
                "sender",
                "metadata",
                "request",
                "conversation",
            ]
            .contains(&word.as_str())
        })
    });
    4 * i32::from(named) + 3 * i32::from(held) - 6 * i32::from(foreign)
}

fn fill(look: &Look<'_>, called: &str, wanted: &'static [Field], guessed: &mut Guessed) {
    for (field, names, not, takes) in wanted {
        let scored = look.tree.places.iter().filter_map(|place| {
            let shape = Shape::of(place.value());
            if shape == Shape::Nothing || !takes(shape) || place.is_listed(look.scope.len()) {
                return None;
            }
            if field.ends_with("_at") || field.ends_with(".at") {
                (shape.is_day() || may_be_epoch(place.value())).then_some(())?;
            }
            if field.ends_with("currency") {
                place.value().as_str().filter(|text| text.trim().len() == 3)?;
            }
            let points = look.named_as(place, names, not)? + near(place, called);
            (points >= ENOUGH).then_some((points, place))
        });
        let Some((_, place)) = scored.max_by_key(|(points, place)| (*points, std::cmp::Reverse(place.steps.len())))
        else {
            continue;
        };
        guessed.fields.push(Guess {
            field,
            places: vec![place.steps.clone()],
            how: How::Plain,
            note: None,
        });
    }
}

/// What is read of a payment.
pub(super) fn payment(look: &Look<'_>, guessed: &mut Guessed) {
    fill(look, "payment", PAYMENT, guessed);
    let refund = guessed
        .event
        .iter()
        .flat_map(|event| &event.words)
        .any(|word| word.to_lowercase().contains("refund"));
    if refund {
        guessed.fields.push(Guess {
            field: "payment.kind",
            places: Vec::new(),
            how: How::Fixed("refund"),
            note: None,
        });
        let back = look.tree.places.iter().find(|place| {
            let own = place.words().join(" ");
            (own == "amount refunded" || own == "refund amount") && Shape::of(place.value()).is_number()
        });
        if let Some(place) = back {
            guessed.fields.retain(|guess| guess.field != "payment.amount");
            guessed.fields.push(Guess {
                field: "payment.amount",
                places: vec![place.steps.clone()],
                how: How::Plain,
                note: Some("all that was paid back so far?".to_owned()),
            });
        }
    }
    minor(look, &mut guessed.fields);
    if !guessed.fields.iter().any(|guess| guess.field == "payment.amount") {
        guessed.missing.push("an amount".to_owned());
    }
}

/// What is read of a message.
pub(super) fn message(look: &Look<'_>, guessed: &mut Guessed) {
    fill(look, "message", MESSAGE, guessed);
    // `type` says who wrote it where it says anything of the kind.
    let by_type = look.tree.places.iter().find(|place| {
        let text = place.value().as_str().unwrap_or_default().to_lowercase();
        place.words() == ["type"] && ["guest", "host", "owner"].iter().any(|who| text.contains(who))
    });
    let has = guessed.fields.iter().any(|guess| guess.field == "message.from");
    if let (Some(place), false) = (by_type, has) {
        guessed.fields.push(Guess {
            field: "message.from",
            places: vec![place.steps.clone()],
            how: How::Plain,
            note: None,
        });
    }
    for guess in guessed.fields.iter_mut().filter(|guess| guess.field == "message.from") {
        let value = guess.places.first().and_then(|steps| look.value(steps));
        guess.how = How::Words(value.map(author).into_iter().collect(), None);
    }
    if !guessed.fields.iter().any(|guess| guess.field == "message.text") {
        guessed.missing.push("the text of the message".to_owned());
    }
    if !guessed.fields.iter().any(|guess| guess.field == "message.from") {
        guessed.missing.push("who wrote it".to_owned());
    }
}

fn author(value: &Value) -> (String, &'static str) {
    let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let low = word.to_lowercase();
    let who = match low.as_str() {
        "0" | "false" => "host",
        low if ["host", "property", "out", "staff", "user", "agent"]
            .iter()
            .any(|part| low.contains(part)) =>
        {
            "host"
        }
        low if low.contains("owner") => "owner",
        _ => "guest",
    };
    (word, who)
}

/// Marks amounts that are clearly in the smallest unit: a text beside them shows them with a point, or all are whole and
/// far too large for a night.
pub(super) fn minor(look: &Look<'_>, fields: &mut [Guess]) {
    let money = |guess: &Guess| {
        let amount = guess.field.starts_with("money.") || guess.field == "payment.amount";
        amount && !guess.field.ends_with("currency") && guess.how == How::Plain
    };
    let amounts: Vec<&Value> = fields
        .iter()
        .filter(|guess| money(guess))
        .filter_map(|guess| look.value(guess.places.first()?))
        .collect();
    if amounts.is_empty() || amounts.iter().any(|value| Shape::of(value) != Shape::Whole) {
        return;
    }
    let number = |value: &Value| -> Option<i64> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.trim().parse().ok()
    };
    let texts: Vec<&str> = look
        .tree
        .places
        .iter()
        .flat_map(|place| &place.values)
        .filter_map(Value::as_str)
        .collect();
    let formatted = amounts.iter().filter_map(|value| number(value)).any(|n| {
        let shown = format!("{}.{:02}", n.abs() / 100, n.abs() % 100);
        n != 0
            && texts.iter().any(|text| {
                text.len() < 24 && text.replace([',', ' '], "").ends_with(&shown) && text.len() > shown.len()
            })
    });
    let payment = fields.iter().any(|guess| guess.field == "payment.amount");
    let whole = look.tree.places.iter().filter(|place| {
        place
            .words()
            .iter()
            .any(|word| word == "amount" || word == "total" || word == "price")
    });
    let fractions = whole
        .clone()
        .any(|place| place.values.iter().any(|value| Shape::of(value) == Shape::Fraction));
    let largest = amounts
        .iter()
        .filter_map(|value| number(value))
        .max()
        .unwrap_or_default();
    // Nobody writes an amount of this size without the cents, except where money has none.
    let large = largest >= if payment { 10_000 } else { 50_000 } && !fractions;
    if !formatted && !large {
        return;
    }
    let note = match formatted {
        true => "in cents: the body shows it with a point too",
        false => "looks like cents; if it is whole money, take `minor` away",
    };
    for guess in fields.iter_mut().filter(|guess| money(guess)) {
        guess.how = How::Minor;
        guess.note = Some(note.to_owned());
    }
}
