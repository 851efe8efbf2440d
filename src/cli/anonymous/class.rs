//! What a value of a body is: by the mapping that reads it, else by its name and its looks. In doubt it is replaced.

use std::net::IpAddr;

use serde_json::Value;

use super::super::map::shape::{Shape, may_be_epoch};
use super::super::map::words::words;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// It stays.
    Kept,
    /// A code or an id.
    Id,
    /// The name of a person.
    Person,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// Its last digits.
    Last4,
    /// The address of a page.
    Url,
    /// The address of a machine.
    Ip,
    /// A day that is somebody's: of birth.
    Birth,
    /// Words: the name of a property, an address, a message.
    Text,
}

/// Names whose values are words of programs.
const WORDS: &[&str] = &[
    "type",
    "kind",
    "status",
    "event",
    "action",
    "topic",
    "category",
    "categories",
    "object",
    "method",
    "channel",
    "platform",
    "ota",
    "currency",
    "language",
    "locale",
    "timezone",
    "version",
    "module",
    "direction",
    "discriminator",
    "operation",
    "mode",
    "source",
    "trigger",
    "triggers",
    "from",
    "paid",
    "site",
];
/// Names whose values are amounts and counts.
const NUMBERS: &[&str] = &[
    "amount",
    "price",
    "total",
    "fee",
    "tax",
    "payout",
    "deposit",
    "commission",
    "balance",
    "revenue",
    "rate",
    "cost",
    "due",
    "owed",
    "gross",
    "net",
    "fare",
    "discount",
    "qty",
    "quantity",
    "count",
    "nights",
    "guests",
    "adult",
    "child",
    "infant",
    "pet",
    "people",
    "subtotal",
    "rent",
    "paid",
    "refunded",
    "captured",
    "received",
    "percent",
    "formatted",
    "charge",
    "extras",
    "revision",
];
const TIMES: &[&str] = &[
    "at", "time", "stamp", "created", "modified", "date", "sent", "on", "utc", "start", "end", "until",
];
const PEOPLE: &[&str] = &[
    "guest",
    "guests",
    "customer",
    "booker",
    "contact",
    "traveler",
    "client",
    "sender",
    "host",
    "owner",
    "user",
    "person",
    "author",
    "payer",
    "cleaner",
    "agent",
    "recipient",
];
/// Words that say as what somebody acts, and not who it is.
const ROLES: &[&str] = &["guest", "host", "owner", "user", "system", "admin", "yes", "no"];
const IDS: &[&str] = &[
    "id",
    "code",
    "reference",
    "token",
    "key",
    "secret",
    "password",
    "pin",
    "passport",
    "account",
    "iban",
    "number",
    "user",
    "license",
    "confirmation",
    "reservation",
    "booking",
];

/// What a value is. `above` are the words of the names on the way to it, its own last.
pub(super) fn class_of(role: Option<&str>, above: &[Vec<String>], value: &Value) -> Class {
    let guessed = by_looks(above, value);
    if matches!(value, Value::Null | Value::Bool(_)) || Shape::of(value) == Shape::Nothing {
        return Class::Kept;
    }
    let Some(role) = role else { return guessed };
    let (group, name) = role.rsplit_once('.').unwrap_or(("", role));
    match (group, name) {
        ("", "code" | "ids" | "parent" | "children_codes") | ("property", "ids") | ("payment" | "message", "id") => {
            Class::Id
        }
        ("guest", "first_name" | "last_name" | "name") => Class::Person,
        ("guest", "email") => match guessed {
            Class::Email => Class::Email,
            _ => Class::Text,
        },
        ("guest", "phone") => Class::Phone,
        ("guest", "phone_last4") => Class::Last4,
        ("guest", "location") | ("property", "name" | "address") | ("payment", "description") | ("message", "text") => {
            Class::Text
        }
        // What only decides how the body is read stays, as long as it names nobody.
        ("", "condition") if !matches!(Shape::of(value), Shape::Word | Shape::Flag | Shape::Whole) => guessed,
        ("", "condition") if Shape::of(value) == Shape::Whole => guessed,
        ("", "condition") if matches!(guessed, Class::Person | Class::Phone | Class::Last4) => guessed,
        _ => Class::Kept,
    }
}

fn by_looks(above: &[Vec<String>], value: &Value) -> Class {
    let none = Vec::new();
    let own = above.last().unwrap_or(&none);
    let parent = above.len().checked_sub(2).map_or(&none, |at| &above[at]);
    let has = |list: &[&str]| own.iter().any(|word| list.contains(&word.as_str()));
    let below = |list: &[&str]| above.iter().flatten().any(|word| list.contains(&word.as_str()));
    let shape = Shape::of(value);
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let phone = has(&["phone", "fax", "cell", "whatsapp"]) && digits >= 4;
    if own.len() >= 2 && has(&["last"]) && has(&["4", "four"]) {
        return Class::Last4;
    }
    if has(&["birth", "birthday", "dob", "born"]) {
        return Class::Birth;
    }
    match shape {
        Shape::Nothing | Shape::Flag => Class::Kept,
        Shape::Word if ROLES.contains(&text.to_lowercase().as_str()) => Class::Kept,
        Shape::Whole if has(&["timezone", "zone", "offset"]) => Class::Kept,
        Shape::Whole | Shape::Fraction if phone => Class::Phone,
        Shape::Whole | Shape::Fraction if has(&["lat", "lng", "lon", "latitude", "longitude"]) => Class::Id,
        Shape::Whole if may_be_epoch(value) && has(TIMES) => Class::Kept,
        Shape::Fraction => Class::Kept,
        Shape::Whole if digits < 4 => Class::Kept,
        Shape::Whole if has(NUMBERS) && !has(&["id", "code", "reference", "number"]) => Class::Kept,
        Shape::Whole => Class::Id,
        Shape::Date | Shape::Local | Shape::Instant | Shape::Clock | Shape::OddDate => Class::Kept,
        Shape::Email => Class::Email,
        Shape::Url => Class::Url,
        Shape::Phone => Class::Phone,
        Shape::Uuid => Class::Id,
        _ if phone && text.chars().filter(|c| c.is_alphabetic()).count() < 3 => Class::Phone,
        _ if text.parse::<IpAddr>().is_ok() => Class::Ip,
        _ if is_money(&text) => Class::Kept,
        _ if has(&["country"]) && text.len() <= 3 => Class::Text,
        Shape::Word | Shape::Text if has(WORDS) && is_word(&text) && !below(&["guest", "message"]) => Class::Kept,
        Shape::Word if has(WORDS) => Class::Kept,
        Shape::Code if has(&["version", "event", "action", "type", "topic", "module"]) && digits <= 4 => Class::Kept,
        Shape::Word | Shape::Text
            if own == &["name"]
                && parent
                    .iter()
                    .any(|word| ["channel", "platform", "ota"].contains(&word.as_str())) =>
        {
            Class::Kept
        }
        Shape::Word | Shape::Text if has(&["channel", "platform"]) && has(&["name"]) && is_word(&text) => Class::Kept,
        Shape::Code => Class::Id,
        Shape::Word if has(IDS) => Class::Id,
        Shape::Word | Shape::Text if has(&["name"]) => {
            let person = has(PEOPLE)
                || has(&["first", "last", "full", "middle"])
                || parent.iter().any(|word| PEOPLE.contains(&word.as_str()));
            if person { Class::Person } else { Class::Text }
        }
        _ => Class::Text,
    }
}

/// A few words that a program writes: `waiting for payment`.
fn is_word(text: &str) -> bool {
    text.len() <= 40
        && text.chars().all(|c| c.is_ascii_alphabetic() || " _-./".contains(c))
        && text.split(' ').count() <= 4
}

/// `€1,003.20`, `USD 625.65`, `-19.35`
fn is_money(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    let fine = |c: char| c.is_ascii_digit() || " .,'-\u{a0}".contains(c) || c.is_alphabetic() || "€$£¥₹₺".contains(c);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let cents = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let cents = cents.len() >= 3 && matches!(cents.as_bytes()[cents.len() - 3], b'.' | b',');
    let currency = letters.is_empty() || letters.len() == 3 && letters.chars().all(|c| c.is_ascii_uppercase());
    digits > 0 && digits <= 12 && text.chars().all(fine) && currency && cents
}

/// Whether the name of an entry is an id: `{"618340": {…}}`.
pub(super) fn is_id_key(name: &str) -> bool {
    let value = Value::from(name);
    match Shape::of(&value) {
        Shape::Whole => name.len() >= 4,
        Shape::Uuid | Shape::Email => true,
        Shape::Code => words(name).len() > 3 || name.len() >= 20,
        _ => false,
    }
}
