//! By which names a canonical field is recognised, and what its value has to look like.

use super::shape::Shape;

/// How one canonical field is recognised.
pub struct Rule {
    /// The canonical field.
    pub field: &'static str,
    /// Words that stand in the name (of which some may stand in the name of what it lies in), and how sure they are.
    pub names: &'static [(&'static str, i32)],
    /// Words that speak against it, in its own name or the one of what it lies in.
    pub not: &'static [&'static str],
    /// What the value has to look like.
    pub takes: fn(Shape) -> bool,
    /// Whether it may stand in a list below the stay.
    pub listed: bool,
}

const fn rule(
    field: &'static str,
    names: &'static [(&'static str, i32)],
    not: &'static [&'static str],
    takes: fn(Shape) -> bool,
) -> Rule {
    Rule {
        field,
        names,
        not,
        takes,
        listed: false,
    }
}

const fn listed(rule: Rule) -> Rule {
    Rule { listed: true, ..rule }
}

fn text(shape: Shape) -> bool {
    matches!(shape, Shape::Text | Shape::Word | Shape::Code | Shape::Email)
}

fn word(shape: Shape) -> bool {
    matches!(shape, Shape::Text | Shape::Word | Shape::Code)
}

fn phone(shape: Shape) -> bool {
    matches!(shape, Shape::Phone | Shape::Whole | Shape::Text | Shape::Code)
}

fn count(shape: Shape) -> bool {
    shape == Shape::Whole
}

fn moment(shape: Shape) -> bool {
    shape.is_day() || shape.is_number()
}

/// The places of which a property is one.
const HOUSES: &str = "property listing apartment accommodation rental house villa unit hotel room";
/// What is no part of what the guest pays for this stay.
const NOT_TOTAL: &[&str] = &[
    "night",
    "nights",
    "formatted",
    "fee",
    "tax",
    "paid",
    "due",
    "owed",
    "deposit",
    "base",
    "rate",
    "payout",
    "commission",
    "previous",
    "discount",
    "extra",
    "extras",
    "addons",
    "refund",
    "refunded",
    "promotions",
    "transactions",
    "balance",
    "label",
    "room",
    "cleaning",
    "host",
    "guests",
    "count",
    "prepayment",
    "management",
];
const PEOPLE_NOT: &[&str] = &[
    "max", "price", "fee", "rate", "id", "age", "min", "amount", "previous", "extra", "included", "per", "phone",
];

/// Whether the words name a property or what lies in one.
pub fn is_house(word: &str) -> bool {
    HOUSES.split(' ').any(|house| house == word)
}

/// The canonical fields that are told by a name and a look; names, status, dates and properties have rules of their own.
pub static RULES: &[Rule] = &[
    rule(
        "channel",
        &[
            ("channel name", 12),
            ("channel", 10),
            ("platform", 9),
            ("listing site", 9),
            ("api source", 8),
            ("source", 7),
            ("referer", 5),
            ("ota", 6),
            ("portal", 8),
            ("origin", 5),
        ],
        &[
            "id",
            "code",
            "commission",
            "text",
            "url",
            "reference",
            "reservation",
            "number",
            "type",
            "rate",
            "utm",
        ],
        word,
    ),
    listed(rule(
        "guests",
        &[
            ("number guests", 12),
            ("number guest", 12),
            ("guests count", 12),
            ("guest count", 12),
            ("guests total", 12),
            ("guests", 10),
            ("people", 9),
            ("occupancy", 7),
            ("party size", 9),
            ("occupants", 8),
        ],
        &[
            "max", "price", "fee", "rate", "id", "age", "min", "amount", "previous", "extra", "included", "per",
            "adult", "child", "infant", "pet", "phone",
        ],
        count,
    )),
    listed(rule("adults", &[("adult", 10)], PEOPLE_NOT, count)),
    listed(rule("children", &[("child", 10)], PEOPLE_NOT, count)),
    listed(rule("infants", &[("infant", 10)], PEOPLE_NOT, count)),
    listed(rule("pets", &[("pet", 10)], PEOPLE_NOT, count)),
    rule(
        "guest.first_name",
        &[("first name", 10), ("given name", 10)],
        GUEST_NOT,
        text,
    ),
    rule(
        "guest.last_name",
        &[("last name", 10), ("family name", 10)],
        GUEST_NOT,
        text,
    ),
    rule(
        "guest.name",
        &[
            ("guest full name", 13),
            ("guest name", 12),
            ("full name", 10),
            ("customer name", 9),
            ("booker name", 9),
            ("contact name", 8),
            ("traveler name", 9),
            ("lead name", 7),
            ("display name", 4),
        ],
        &[
            "first", "last", "property", "listing", "host", "owner", "agent", "user", "company", "channel", "sender",
            "file", "nick", "id",
        ],
        text,
    ),
    listed(rule("guest.email", &[("email", 10)], GUEST_NOT, |shape| {
        shape == Shape::Email
    })),
    listed(rule(
        "guest.phone",
        &[("phone", 10), ("cell", 6)],
        &[
            "last", "host", "owner", "property", "listing", "agent", "hotel", "company", "country", "type", "sender",
        ],
        phone,
    )),
    rule(
        "guest.phone_last4",
        &[("phone last 4", 12), ("phone last four", 12)],
        &[],
        count,
    ),
    rule(
        "guest.language",
        &[("language", 10), ("locale", 8), ("lang", 8)],
        &["listing", "property", "host"],
        word,
    ),
    rule(
        "guest.location",
        &[
            ("guest location", 12),
            ("guest country", 9),
            ("customer country", 8),
            ("guest city", 7),
            ("country", 4),
        ],
        &["property", "listing", "currency", "ip", "phone"],
        text,
    ),
    rule(
        "money.currency",
        &[("currency", 10), ("currency code", 11)],
        &["previous", "symbol", "rate"],
        |shape| shape == Shape::Word,
    ),
    rule(
        "money.total",
        &[
            ("total price", 13),
            ("price total", 13),
            ("grand total", 13),
            ("total amount", 12),
            ("amount total", 12),
            ("booking total", 12),
            ("gross total", 11),
            ("total", 10),
            ("price", 9),
            ("total gross", 11),
            ("amount gross", 9),
            ("revenue", 6),
            ("amount", 4),
        ],
        NOT_TOTAL,
        Shape::is_number,
    ),
    rule(
        "money.payout",
        &[
            ("payout", 10),
            ("host payout", 12),
            ("owner revenue", 8),
            ("net revenue", 8),
        ],
        &["formatted", "date", "id", "status", "previous", "method"],
        Shape::is_number,
    ),
    rule(
        "money.base",
        &[
            ("base price", 11),
            ("fare accommodation", 10),
            ("accommodation total", 10),
            ("accommodation amount", 10),
            ("room total", 8),
            ("rent", 8),
            ("base rate", 8),
            ("total room rate", 9),
        ],
        &["formatted", "night", "tax", "fee", "id"],
        Shape::is_number,
    ),
    rule(
        "money.cleaning",
        &[
            ("cleaning fee", 11),
            ("cleaning price", 10),
            ("fare cleaning", 10),
            ("cleaning", 8),
        ],
        &["formatted", "date", "id", "status"],
        Shape::is_number,
    ),
    rule(
        "money.taxes",
        &[("tax amount", 11), ("tax total", 11), ("booking tax", 10), ("tax", 9)],
        &["formatted", "id", "number", "rate", "percent", "included"],
        Shape::is_number,
    ),
    rule(
        "money.guest_fee",
        &[("guest fee", 10), ("guest service fee", 12)],
        &["formatted", "id", "guests"],
        Shape::is_number,
    ),
    rule(
        "money.host_fee",
        &[
            ("host service fee", 12),
            ("host fee", 11),
            ("commission", 9),
            ("channel fee", 9),
        ],
        &["formatted", "id", "percent", "rate", "management"],
        Shape::is_number,
    ),
    rule(
        "money.deposit",
        &[
            ("security deposit", 12),
            ("security price", 11),
            ("deposit", 9),
            ("damage deposit", 12),
        ],
        &["formatted", "paid", "id", "date", "status", "due"],
        Shape::is_number,
    ),
    rule(
        "created_at",
        &[
            ("created", 9),
            ("date created", 11),
            ("created at", 11),
            ("created on", 11),
            ("creation", 8),
            ("booked at", 10),
            ("booked", 7),
            ("booking date", 10),
            ("booking time", 10),
            ("reservation date", 10),
            ("booked utc", 7),
            ("inserted at", 9),
        ],
        &["by", "previous", "modified", "user"],
        moment,
    ),
    rule(
        "updated_at",
        &[
            ("modified at", 12),
            ("last modified", 12),
            ("modified", 10),
            ("modified on", 12),
            ("modified time", 12),
            ("modified utc", 12),
            ("date modified", 12),
        ],
        &["by", "previous", "user", "status"],
        moment,
    ),
];

const GUEST_NOT: &[&str] = &[
    "host", "owner", "property", "listing", "agent", "company", "sender", "user", "hotel", "from", "manager",
];
