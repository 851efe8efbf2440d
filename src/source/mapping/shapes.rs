//! What a mapping may say.

use crate::lang::shape::{EMPTY, Entry, Form, More, PATH, Rule, Shape, key};
use crate::model::field::{FIELDS, Field, MESSAGE, PAYMENT};

use super::super::predicate::PREDICATE;
use super::super::value;

/// A path, a list of paths, or settings.
const ANY: Form = Form::Either(&[Form::OneOrMore(&Form::Like(&PATH)), Form::Settings(&value::VALUE)]);

/// Where the reference shows every canonical field.
const WORDS: &str = "words.md";

/// Canonical names that no mapping fills, and where they come from instead.
pub(super) const NOT_MAPPED: &[(&str, &str)] = &[
    ("nights", "the nights are counted from the dates"),
    ("source", "it is the name of the source in the configuration"),
    ("labels", "people give labels, senders do not"),
    ("property.key", "it is the property's key in the configuration"),
    ("property.timezone", "it stands with the property in the configuration"),
    ("property.tags", "they stand with the property in the configuration"),
    ("property.vars", "they stand with the property in the configuration"),
];

/// One mapping; what stands beside a list of mappings holds for all of them.
pub(in crate::source) static MAPPING: Shape = Shape {
    what: "a mapping",
    about: "How one sort of body is read: our names, and where in the body their values stand.",
    keys: &[
        key(
            "items",
            Form::Several(&Form::Like(&PATH)),
            "Where several things of one delivery stand; below, `@` is one of them and `$` the whole body. An empty list is \
             ignored; a delivery without the list is unmapped.",
            "items: \"$.data[*]\"",
        ),
        key(
            "applies_to",
            Form::Settings(&PREDICATE),
            "For which bodies it is.",
            "applies_to: {$.type: \"booking.*\"}",
        ),
        key(
            "version",
            Form::Settings(&VERSION),
            "Where the sender's own order stands; without it what arrives last wins.",
            "version: {by: [$.updated_at], then: [$.sent_at]}",
        ),
        key(
            "partial",
            Form::Either(&[Form::Flag, Form::Several(&Form::Settings(&PREDICATE))]),
            "Which bodies say a part only, so that what is absent keeps its value: `true`, or where it holds.",
            "partial: {$.type: booking.updated}",
        ),
        key(
            "event",
            Form::Either(&[Form::OneOrMore(&Form::Like(&PATH)), Form::Settings(&value::EVENT_VALUE)]),
            "The event that the sender names, for what cannot be seen from a change.",
            "event: {from: $.type, map: {no_show: reservation.no_show}}",
        ),
        key(
            "reservation",
            Form::Settings(&RESERVATION),
            "The fields of the stay, or at least what names it. A payment or message whose body names no stay does without.",
            "reservation: {code: $.code, status: {from: $.status, map: {accepted: confirmed}}, check_in: $.arrival}",
        ),
        key(
            "payment",
            Form::Settings(&PAYMENT_OF),
            "The fields of a payment.",
            "payment: {id: $.payment.id, amount: $.payment.amount, currency: $.payment.currency}",
        ),
        key(
            "message",
            Form::Settings(&MESSAGE_OF),
            "The fields of a message.",
            "message: {id: $.message.id, from: $.message.from, text: $.message.text}",
        ),
    ],
    rules: &[Rule::Some(&["reservation", "payment", "message"])],
    ..EMPTY
};

/// `version`.
pub(super) static VERSION: Shape = Shape {
    what: "`version`",
    about: "The sender's own order: times, or numbers that grow.",
    keys: &[
        key("by", ANY, "Where it stands.", "by: [$.updated_at]").needed(),
        key(
            "then",
            ANY,
            "What decides between two that are the same.",
            "then: [$.sent_at]",
        ),
    ],
    ..EMPTY
};

/// `reservation`.
pub(super) static RESERVATION: Shape = Shape {
    what: "`reservation`",
    about: "Our names, and where in the body their values stand: a path, a list of paths of which the first counts that is \
            there, or settings. `ids` or `code` is needed, here or in the preset.",
    keys: &[
        key(
            "code",
            ANY,
            "What a person calls the confirmation code. It names the stay where the sender has no id; beside `ids` it may be \
             that of several stays.",
            "code: $.confirmation_code",
        ),
        key(
            "ids",
            ANY,
            "The sender's own names of the stay, which no other stay has; of a list all count.",
            "ids: [$.id]",
        ),
        key(
            "references",
            ANY,
            "Names that several stays may share, such as a channel's number or that of a group; of a list all count. They find \
             the stay of a body without an own name, and never make one stay of two.",
            "references: [$.channel_id]",
        ),
        key(
            "scope",
            ANY,
            "Within what the names are unique, where one source speaks for several accounts or hotels that number alike.",
            "scope: $.account_id",
        ),
        key(
            "guest",
            Form::Settings(&GUEST),
            "The fields of the guest.",
            "guest: {name: $.guest.name, email: $.guest.email}",
        ),
        key(
            "property",
            Form::Settings(&PROPERTY),
            "The fields of the property.",
            "property: {ids: [$.listing.id], name: $.listing.name}",
        ),
        key(
            "money",
            Form::Settings(&MONEY),
            "The amounts.",
            "money: {currency: $.currency, total: {from: $.total, minor: true}}",
        ),
    ],
    more: &[More::Each(|| fields(""), WORDS)],
    ..EMPTY
};

static GUEST: Shape = Shape {
    what: "`guest`",
    about: "The fields of the guest.",
    more: &[More::Each(|| fields("guest"), WORDS)],
    ..EMPTY
};

static PROPERTY: Shape = Shape {
    what: "`property`",
    about: "The fields of the property.",
    more: &[More::Each(|| fields("property"), WORDS)],
    ..EMPTY
};

static MONEY: Shape = Shape {
    what: "`money`",
    about: "The amounts.",
    more: &[More::Each(|| fields("money"), WORDS)],
    ..EMPTY
};

/// `payment`.
pub(super) static PAYMENT_OF: Shape = Shape {
    what: "`payment`",
    about: "The fields of a payment.",
    more: &[More::Each(|| PAYMENT.iter().map(field).collect(), WORDS)],
    ..EMPTY
};

/// `message`.
pub(super) static MESSAGE_OF: Shape = Shape {
    what: "`message`",
    about: "The fields of a message.",
    more: &[More::Each(|| MESSAGE.iter().map(field).collect(), WORDS)],
    ..EMPTY
};

fn fields(group: &str) -> Vec<Entry> {
    let mapped = FIELDS.iter().filter(|field| field.split().0 == group).map(field);
    let not = NOT_MAPPED.iter().filter_map(|(name, why)| {
        let (parent, name) = name.rsplit_once('.').unwrap_or(("", name));
        (parent == group).then(|| key(name, Form::Anything, why, "").never())
    });
    mapped.chain(not).collect()
}

fn field(field: &Field) -> Entry {
    key(field.split().1, value::form_of(field), field.about, "")
}
