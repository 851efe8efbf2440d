//! What a key takes: texts of a sort, words, numbers, settings, lists of them.

use super::Shape;

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A text, whatever it looks like.
    Text,
    /// A text of a certain sort.
    Like(&'static Like),
    /// A text with templates in it.
    Template,
    /// An expression that holds or does not.
    Condition,
    /// `true` or `false`.
    Flag,
    /// A whole number from, and to.
    Count(u64, u64),
    /// `90s`, `15m`, `2h` or `3d`.
    Duration,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// One of a few words, in any case.
    AnyCase(&'static [&'static str]),
    /// One of a few words, or a text of a certain sort.
    WordOr(&'static [&'static str], &'static Like),
    /// A text, a number, `true` or `false`.
    Value,
    /// Nothing (`~`), where that says something.
    Nothing,
    /// Anything, lists and settings too.
    Anything,
    /// Settings of a certain shape.
    Settings(&'static Shape),
    /// A list with at least one entry.
    List(&'static Form),
    /// One, or a list with at least one.
    OneOrMore(&'static Form),
    /// One, or a list that may be empty.
    Several(&'static Form),
    /// One of several forms.
    Either(&'static [Form]),
}

/// A sort of text.
#[derive(Debug)]
pub struct Like {
    /// What it is, with its article: "a time of day".
    pub what: &'static str,
    /// A regular expression for the whole or a part of it, in the dialect that JSON Schema and Rust share.
    pub pattern: &'static str,
    /// Whether it may look like a number.
    pub numbers: bool,
}

/// A path into a body, a header, or a part of the address.
pub static PATH: Like = Like {
    what: "a JSONPath (`$.code`, of an item `@.code`), a header (`header.X-Name`), a parameter of the address (`query.NAME`) \
           or `path`, what stands in the address after the name of the source",
    pattern: r"^(\$|@|header\.|query\.|path$)",
    numbers: false,
};

/// `"15:00"`.
pub static TIME_OF_DAY: Like = Like {
    what: "a time of day",
    pattern: r"^\s*([01]?[0-9]|2[0-3]):[0-5]?[0-9]\s*$",
    numbers: false,
};

/// A time with its zone.
pub static INSTANT: Like = Like {
    what: "a time with its zone",
    pattern: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$",
    numbers: false,
};

/// An event type.
pub const EVENT: Form = Form::WordOr(
    crate::model::event::TYPES,
    &Like {
        what: "the sender's own as `other.…`",
        pattern: r"^other\..",
        numbers: false,
    },
);

impl Form {
    /// The shape of the settings that may stand here, if there may.
    pub fn settings(&self) -> Option<&'static Shape> {
        match self {
            Form::Settings(shape) => Some(shape),
            Form::List(one) | Form::OneOrMore(one) | Form::Several(one) => one.settings(),
            Form::Either(forms) => forms.iter().find_map(Form::settings),
            _ => None,
        }
    }

    /// Every shape that may stand here.
    pub fn shapes(&self) -> Vec<&'static Shape> {
        match self {
            Form::Settings(shape) => vec![shape],
            Form::List(one) | Form::OneOrMore(one) | Form::Several(one) => one.shapes(),
            Form::Either(forms) => forms.iter().flat_map(Form::shapes).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether nothing (`~`) may stand here.
    pub fn takes_nothing(&self) -> bool {
        match self {
            Form::Nothing | Form::Anything => true,
            Form::OneOrMore(one) | Form::Several(one) => one.takes_nothing(),
            Form::Either(forms) => forms.iter().any(Form::takes_nothing),
            _ => false,
        }
    }

    /// The first form among the alternatives that `wanted` takes.
    pub(in crate::lang) fn pick<T>(&self, wanted: fn(&Form) -> Option<T>) -> Option<T> {
        match self {
            Form::Either(forms) => forms.iter().find_map(|form| form.pick(wanted)),
            Form::List(one) | Form::OneOrMore(one) | Form::Several(one) => one.pick(wanted),
            form => wanted(form),
        }
    }
}
