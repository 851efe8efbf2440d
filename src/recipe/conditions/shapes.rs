//! What `match` may say: its own words, and every canonical field.

use crate::lang::shape::{EMPTY, Entry, Form, Like, More, Own, Shape, key};
use crate::model::field::{DERIVED, FIELDS, Field, FieldKind, MESSAGE, PAYMENT, STATUSES, STAY_KINDS};

/// Where the reference shows every canonical field.
const WORDS: &str = "words.md";

/// `match` of a recipe.
pub static MATCH: Shape = Shape {
    what: "`match`",
    about: "Conditions that all have to hold. Each key has a value or a list of values, of which one has to be there. \
            Texts compare in any case and `*` stands for anything; `!=` means anything else; `>`, `>=`, `<` and `<=` \
            compare numbers and times; `~` is what was not sent.",
    keys: &[
        STATUS,
        key(
            "was",
            Form::Settings(&WAS),
            "The same for the stay as it was before.",
            "was: {status: booked}",
        ),
        KIND,
        PROPERTY,
        NOTICE,
        CHECK_IN_WEEKDAY,
        CHECK_OUT_WEEKDAY,
        key(
            "payload",
            Form::Settings(&PAYLOAD),
            "Something in the body as the sender sent it.",
            "payload: {$.guest.location: \"*Belgium\"}",
        ),
        key(
            "not",
            Form::Settings(&MATCH),
            "Conditions that must not all hold.",
            "not: {channel: airbnb}",
        ),
    ],
    more: &[
        More::Each(|| of_stay().chain(of_facts()).collect(), WORDS),
        More::Own(&VAR),
    ],
    tight: true,
    ..EMPTY
};

/// `was` in `match`.
static WAS: Shape = Shape {
    what: "`was`",
    about: "Conditions on the stay as it was before the event; written as in `match`.",
    keys: &[
        STATUS,
        KIND,
        PROPERTY,
        CHECK_IN_WEEKDAY,
        CHECK_OUT_WEEKDAY,
        key(
            "not",
            Form::Settings(&WAS),
            "Conditions that must not all have held.",
            "not: {status: booked}",
        ),
    ],
    more: &[More::Each(|| of_stay().collect(), WORDS), More::Own(&VAR)],
    tight: true,
    ..EMPTY
};

/// `match` of a list of stays.
pub(in crate::recipe) static LISTED: Shape = Shape {
    what: "`match` of a list",
    about: "Conditions on the stay as it is; written as in `match` of a recipe.",
    keys: &[
        STATUS,
        KIND,
        PROPERTY,
        NOTICE,
        CHECK_IN_WEEKDAY,
        CHECK_OUT_WEEKDAY,
        key(
            "not",
            Form::Settings(&LISTED),
            "Conditions that must not all hold.",
            "not: {channel: airbnb}",
        ),
    ],
    more: &[More::Each(|| of_stay().collect(), WORDS), More::Own(&VAR)],
    tight: true,
    ..EMPTY
};

const STATUS: Entry = key(
    "status",
    STATUS_FORM,
    "The status: one of ours, `booked` (confirmed, in house or completed), or the sender's own word.",
    "status: [booked, cancelled]",
);

const STATUS_FORM: Form = Form::OneOrMore(&Form::Either(&[STATUS_WORD, Form::Nothing]));

/// One word of a status.
pub(in crate::recipe) const STATUS_WORD: Form = Form::WordOr(
    STATUS_WORDS,
    &Like {
        what: "the sender's own word",
        pattern: r"^\s*([^<>=\s]|$)",
        numbers: true,
    },
);

/// `booked` first: it is what is mostly meant.
const STATUS_WORDS: &[&str] = &{
    let mut words = ["booked"; STATUSES.len() + 1];
    let mut at = 0;
    while at < STATUSES.len() {
        words[at + 1] = STATUSES[at];
        at += 1;
    }
    words
};

const KIND: Entry = key(
    "kind",
    Form::OneOrMore(&Form::AnyCase(STAY_KINDS)),
    "Whose stay it is; guests' only where nothing is said.",
    "kind: [guest, owner]",
);

const PROPERTY: Entry = key(
    "property",
    PROPERTY_FORM,
    "The key of a property in the configuration, or `tag:` and one of its tags.",
    "property: [brannan, \"tag:downtown\"]",
);

const PROPERTY_FORM: Form = Form::Either(&[Form::OneOrMore(&Form::Value), Form::Settings(&GROUP_PROPERTY)]);

pub(in crate::recipe) const DAYS: Form = Form::OneOrMore(&Form::AnyCase(&[
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
]));

const NOTICE: Entry = key(
    "notice",
    Form::OneOrMore(&Form::Like(&Like {
        what: "a comparison with a duration",
        pattern: r"^\s*[<>]=?\s*[0-9]+\s*[smhd]\s*$",
        numbers: false,
    })),
    "How long it is until arrival.",
    "notice: \"> 24h\"",
);

const CHECK_IN_WEEKDAY: Entry = key(
    "check_in_weekday",
    DAYS,
    "The day of the week of arrival.",
    "check_in_weekday: fri",
);

const CHECK_OUT_WEEKDAY: Entry = key(
    "check_out_weekday",
    DAYS,
    "The day of the week of departure.",
    "check_out_weekday: [sat, sun]",
);

/// What is compared with a text, or with anything.
const ANYTHING: Form = Form::OneOrMore(&Form::Either(&[Form::Value, Form::Nothing]));

/// What is compared with a number.
const NUMBERS: Form = Form::OneOrMore(&Form::Either(&[
    Form::Like(&Like {
        what: "a number or a comparison with one",
        pattern: r"^\s*((!=|[<>]=?)\s*)?([-+.]*[0-9]|null)",
        numbers: true,
    }),
    Form::Nothing,
]));

/// `payload` in `match`.
static PAYLOAD: Shape = Shape {
    what: "`payload`",
    about: "Paths into the body as the sender sent it, and what has to stand there.",
    more: &[More::Own(&Own {
        name: "$.path",
        pattern: r"^\$",
        form: ANYTHING,
        about: "A JSONPath into the body, and a value or a list of values.",
        example: "$.guest.location: \"*Belgium\"",
    })],
    tight: true,
    ..EMPTY
};

static GROUP_GUEST: Shape = Shape {
    what: "`guest`",
    about: "Fields of the guest.",
    more: &[More::Each(|| group("guest"), WORDS)],
    tight: true,
    ..EMPTY
};

static GROUP_MONEY: Shape = Shape {
    what: "`money`",
    about: "Amounts of the stay.",
    more: &[More::Each(|| group("money"), WORDS)],
    tight: true,
    ..EMPTY
};

static GROUP_PAYMENT: Shape = Shape {
    what: "`payment`",
    about: "Fields of the payment that the event is about.",
    more: &[More::Each(|| group("payment"), WORDS)],
    tight: true,
    ..EMPTY
};

static GROUP_MESSAGE: Shape = Shape {
    what: "`message`",
    about: "Fields of the message that the event is about.",
    more: &[More::Each(|| group("message"), WORDS)],
    tight: true,
    ..EMPTY
};

static GROUP_PROPERTY: Shape = Shape {
    what: "`property`",
    about: "Fields of the property.",
    keys: &[key(
        "vars",
        Form::Settings(&VARS),
        "The property's own values from the configuration.",
        "vars: {self_clean: false}",
    )],
    more: &[More::Each(|| group("property"), WORDS)],
    tight: true,
    ..EMPTY
};

static VARS: Shape = Shape {
    what: "`property.vars`",
    about: "The property's own values from the configuration.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Either(&[ANYTHING, Form::Settings(&VARS)]),
        about: "A value or a list of values.",
        example: "self_clean: false",
    })],
    tight: true,
    ..EMPTY
};

static VAR: Own = Own {
    name: "property.vars.NAME",
    pattern: r"^property\.vars\.",
    form: Form::Either(&[ANYTHING, Form::Settings(&VARS)]),
    about: "One of the property's own values from the configuration.",
    example: "property.vars.self_clean: false",
};

fn of_stay() -> impl Iterator<Item = Entry> {
    let fields = FIELDS.iter().chain(DERIVED);
    let fields = fields.filter(|field| !["status", "kind"].contains(&field.name));
    fields.map(|field| condition(field, field.name)).chain([
        settings("guest", &GROUP_GUEST, "guest: {language: nl}"),
        settings("money", &GROUP_MONEY, "money: {total: \"> 500\"}"),
        settings("property.vars", &VARS, "property.vars: {self_clean: false}"),
    ])
}

fn of_facts() -> impl Iterator<Item = Entry> {
    let fields = PAYMENT.iter().chain(MESSAGE);
    fields.map(|field| condition(field, field.name)).chain([
        settings("payment", &GROUP_PAYMENT, "payment: {kind: refund}"),
        settings("message", &GROUP_MESSAGE, "message: {from: guest}"),
    ])
}

/// A key with settings below it, which says what they say.
fn settings(name: &'static str, shape: &'static Shape, example: &'static str) -> Entry {
    key(name, Form::Settings(shape), shape.about, example)
}

fn group(name: &str) -> Vec<Entry> {
    let all = FIELDS.iter().chain(DERIVED).chain(PAYMENT).chain(MESSAGE);
    let below = all.filter(|field| field.split().0 == name);
    below.map(|field| condition(field, field.split().1)).collect()
}

fn condition(field: &Field, name: &'static str) -> Entry {
    let form = match field.kind {
        FieldKind::Count | FieldKind::Money => NUMBERS,
        _ => ANYTHING,
    };
    key(name, form, field.about, "")
}
