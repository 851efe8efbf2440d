//! Where a value comes from, as a mapping says it.

use crate::lang::shape::{EMPTY, EVENT, Entry, Form, More, Own, PATH, Rule, Shape, key};
use crate::lang::zone::ZONE;
use crate::model::field::{AUTHORS, Field, FieldKind, PAYMENT_KINDS, STATUSES, STAY_KINDS};

const PATHS: Form = Form::OneOrMore(&Form::Like(&PATH));

/// `digits`.
pub(in crate::source) static DIGITS: Shape = Shape {
    what: "`digits`",
    about: "Codes of currencies, with how many digits behind the point the sender's whole numbers have.",
    more: &[More::Own(&Own {
        name: "CURRENCY",
        pattern: "^[A-Z]{3}$",
        form: Form::Count(0, 4),
        about: "Its digits.",
        example: "ISK: 2",
    })],
    ..EMPTY
};

/// A part of a `join`.
static JOINED: Form = Form::Either(&[Form::Like(&PATH), Form::Settings(&VALUE)]);

/// What a field takes: a path, a list of paths, or settings.
pub(in crate::source) fn form_of(field: &Field) -> Form {
    match field.name {
        "payment.kind" => PAYMENT_KIND_FORM,
        "message.from" => AUTHOR_FORM,
        _ => match field.kind {
            FieldKind::Status => STATUS_FORM,
            FieldKind::Kind => KIND_FORM,
            _ => VALUE_FORM,
        },
    }
}

static VALUE_FORM: Form = Form::Either(&[PATHS, Form::Settings(&VALUE)]);
static STATUS_FORM: Form = Form::Either(&[PATHS, Form::Settings(&STATUS)]);
static KIND_FORM: Form = Form::Either(&[PATHS, Form::Settings(&KIND)]);
static PAYMENT_KIND_FORM: Form = Form::Either(&[PATHS, Form::Settings(&PAYMENT_KIND)]);
static AUTHOR_FORM: Form = Form::Either(&[PATHS, Form::Settings(&AUTHOR)]);

/// The settings that a field takes.
pub(in crate::source) fn shape_of(field: &Field) -> &'static Shape {
    form_of(field).settings().unwrap_or(&VALUE)
}

const SETTINGS: Shape = Shape {
    what: "where a value comes from",
    about: "A path (`code: $.code`), a list of paths of which the first counts that is there, or these settings. What is \
            found goes through `absent`, `strip`, `match` and `part` in this order, then through `map`.",
    rules: &[Rule::One(&["from", "value", "join"])],
    ..EMPTY
};

const WORDS: Shape = Shape {
    what: "`map`",
    about: "The sender's words and what they mean. Words compare in any case, with space, `_` and `-` alike.",
    ..EMPTY
};

const WORD: Own = Own {
    name: "WORD",
    pattern: "",
    form: Form::Anything,
    about: "What it means.",
    example: "",
};

/// Lines as somebody would write them, with the words of one sort of value.
struct Examples {
    value: &'static str,
    map: &'static str,
    other: &'static str,
}

const fn keys(words: Form, map: &'static Shape, examples: &Examples) -> [Entry; 16] {
    [
        key(
            "from",
            PATHS,
            "A path, or a list of paths of which the first counts that is there.",
            "from: [$.status, $.state]",
        ),
        key("value", words, "A fixed value instead.", examples.value),
        key(
            "join",
            Form::List(&JOINED),
            "Texts to put together instead; where one of them is not there, there is nothing.",
            "join: [$.arrival, $.check_in_time]",
        ),
        key(
            "with",
            Form::Text,
            "What stands between the parts of a `join`; a space where nothing is said.",
            "with: T",
        ),
        key(
            "skip_missing",
            Form::Flag,
            "`true`: parts of a `join` that are not there are left out.",
            "skip_missing: true",
        ),
        key(
            "absent",
            Form::OneOrMore(&Form::Value),
            "Texts by which the sender means that there is nothing to say.",
            "absent: [\"\", \"0000-00-00\", N/A]",
        ),
        key("strip", Form::Text, "What is taken off at the beginning.", "strip: B"),
        key(
            "match",
            Form::Text,
            "A regular expression: its first group counts, else all that fits; what it does not fit is not there.",
            "match: \"^B([0-9]+)$\"",
        ),
        key(
            "part",
            Form::Word(&["first_name", "last_name"]),
            "Half of a name that is sent whole: `Chiara De Luca` or `De Luca, Chiara`.",
            "part: first_name",
        ),
        key(
            "map",
            Form::Settings(map),
            "What the sender's words mean.",
            examples.map,
        ),
        key("else", words, "What every other word means.", examples.other),
        key(
            "minor",
            Form::Flag,
            "`true`: the amount is in the smallest unit of its currency, such as cents.",
            "minor: true",
        ),
        key(
            "digits",
            Form::Settings(&DIGITS),
            "For `minor`: currencies that the sender counts otherwise than usual, with their digits behind the point.",
            "digits: {ISK: 2, UGX: 2}",
        ),
        key(
            "pick",
            Form::Word(&["first", "last", "min", "max", "sum", "count"]),
            "Which of several values, or what of all of them; the first where nothing is said.",
            "pick: max",
        ),
        key(
            "plus_days",
            Form::Count(0, 366),
            "Days to add to a date: for senders that name the last night.",
            "plus_days: 1",
        ),
        key(
            "zone",
            Form::Like(&ZONE),
            "The zone of a time that is sent without one; the property's where nothing is said.",
            "zone: UTC",
        ),
    ]
}

/// Any value.
pub(in crate::source) static VALUE: Shape = Shape {
    what: "where a value comes from",
    keys: &keys(
        Form::Anything,
        &VALUE_WORDS,
        &Examples {
            value: "value: Brannan Street",
            map: "map: {airbnb_official: airbnb}",
            other: "else: direct",
        },
    ),
    ..SETTINGS
};

static VALUE_WORDS: Shape = Shape {
    more: &[More::Own(&Own {
        form: Form::Anything,
        example: "airbnb_official: airbnb",
        ..WORD
    })],
    ..WORDS
};

/// An event type.
pub(in crate::source) static EVENT_VALUE: Shape = Shape {
    what: "where an event comes from",
    keys: &keys(
        EVENT,
        &EVENT_VALUE_WORDS,
        &Examples {
            value: "value: reservation.no_show",
            map: "map: {no_show: reservation.no_show}",
            other: "else: other.unknown",
        },
    ),
    ..SETTINGS
};

static EVENT_VALUE_WORDS: Shape = Shape {
    more: &[More::Own(&Own {
        form: EVENT,
        example: "no_show: reservation.no_show",
        ..WORD
    })],
    ..WORDS
};

/// A status.
pub(in crate::source) static STATUS: Shape = Shape {
    what: "where the status comes from",
    keys: &keys(
        Form::Word(STATUSES),
        &STATUS_WORDS,
        &Examples {
            value: "value: cancelled",
            map: "map: {accepted: confirmed}",
            other: "else: unknown",
        },
    ),
    ..SETTINGS
};

static STATUS_WORDS: Shape = Shape {
    more: &[More::Own(&Own {
        form: Form::Word(STATUSES),
        example: "accepted: confirmed",
        ..WORD
    })],
    ..WORDS
};

/// The kind of a stay.
pub(in crate::source) static KIND: Shape = Shape {
    what: "where the kind of a stay comes from",
    keys: &keys(
        Form::Word(STAY_KINDS),
        &KIND_WORDS,
        &Examples {
            value: "value: block",
            map: "map: {owner stay: owner}",
            other: "else: guest",
        },
    ),
    ..SETTINGS
};

static KIND_WORDS: Shape = Shape {
    more: &[More::Own(&Own {
        form: Form::Word(STAY_KINDS),
        example: "owner stay: owner",
        ..WORD
    })],
    ..WORDS
};

/// The kind of a payment.
pub(in crate::source) static PAYMENT_KIND: Shape = Shape {
    what: "where the kind of a payment comes from",
    keys: &keys(
        Form::Word(PAYMENT_KINDS),
        &PAYMENT_KIND_WORDS,
        &Examples {
            value: "value: refund",
            map: "map: {payin: guest}",
            other: "else: guest",
        },
    ),
    ..SETTINGS
};

static PAYMENT_KIND_WORDS: Shape = Shape {
    more: &[More::Own(&Own {
        form: Form::Word(PAYMENT_KINDS),
        example: "payin: guest",
        ..WORD
    })],
    ..WORDS
};

/// Who wrote a message.
pub(in crate::source) static AUTHOR: Shape = Shape {
    what: "where the author of a message comes from",
    keys: &keys(
        Form::Word(AUTHORS),
        &AUTHOR_WORDS,
        &Examples {
            value: "value: guest",
            map: "map: {property: host}",
            other: "else: guest",
        },
    ),
    ..SETTINGS
};

static AUTHOR_WORDS: Shape = Shape {
    more: &[More::Own(&Own {
        form: Form::Word(AUTHORS),
        example: "property: host",
        ..WORD
    })],
    ..WORDS
};
