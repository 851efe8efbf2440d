//! What settings look like: their keys, what each key takes, one plain sentence and an example. Readers are held against
//! it (`lang::fields`), and the schemas for editors and the reference are made from it.

pub mod page;
pub mod schema;
#[cfg(test)]
mod tests;

/// Settings with the keys they may have.
#[derive(Debug)]
pub struct Shape {
    /// What messages call it: "a recipe", "`retry`".
    pub what: &'static str,
    /// What it is, in plain sentences.
    pub about: &'static str,
    /// Its keys, in the order in which they are explained.
    pub keys: &'static [Entry],
    /// The keys of these may stand among them too; none of them has to.
    pub also: &'static [&'static Shape],
    /// What other keys there may be.
    pub more: &'static [More],
    /// What holds between its keys.
    pub rules: &'static [Rule],
    /// Whether a key with nothing behind it says something, or is a mistake; elsewhere it counts as left out.
    pub tight: bool,
}

/// A shape to begin from: `Shape { what: …, about: …, keys: …, ..EMPTY }`.
pub const EMPTY: Shape = Shape {
    what: "",
    about: "",
    keys: &[],
    also: &[],
    more: &[],
    rules: &[],
    tight: false,
};

/// A key of settings.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As it is written.
    pub name: &'static str,
    /// What it takes.
    pub form: Form,
    /// What it does, in one plain sentence.
    pub about: &'static str,
    /// A line as somebody would write it: `mode: newest`.
    pub example: &'static str,
    /// Whether it has to be there.
    pub needed: bool,
    /// What this version makes of it.
    pub standing: Standing,
}

/// What this version makes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is read.
    Read,
    /// A later version brings it: a mistake, and said to be one of that sort.
    Later,
    /// A later version brings it, and it is in nobody's way until then; what to do meanwhile.
    Idle(&'static str),
    /// It can be thought of and is not there: the reader says why.
    Never,
}

/// Keys beside those that are declared one by one.
#[derive(Clone, Copy, Debug)]
pub enum More {
    /// The user's own names.
    Own(&'static Own),
    /// One of a list that is kept elsewhere; where the reference shows it.
    Each(fn() -> Vec<Entry>, &'static str),
    /// One for each kind of action.
    Actions,
    /// One for each kind of action, with any of its keys: what was rendered.
    Rendered,
}

/// Names that the user gives.
#[derive(Debug)]
pub struct Own {
    /// What stands for the name in the reference: `NAME`.
    pub name: &'static str,
    /// What the name may be, as a regular expression; empty for anything.
    pub pattern: &'static str,
    /// What it takes.
    pub form: Form,
    /// What it is, in one plain sentence.
    pub about: &'static str,
    /// A line as somebody would write it.
    pub example: &'static str,
}

/// What holds between keys.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Exactly one of these.
    One(&'static [&'static str]),
    /// At least one of these.
    Some(&'static [&'static str]),
    /// Not more than one of these.
    AtMostOne(&'static [&'static str]),
    /// All of these or none.
    Together(&'static [&'static str]),
    /// Exactly one kind of action.
    OneAction,
}

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

/// A path into a body, or a header.
pub static PATH: Like = Like {
    what: "a JSONPath (`$.code`, of an item `@.code`) or a header (`header.X-Name`)",
    pattern: r"^(\$|@|header\.)",
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

/// A key with what it takes, one plain sentence and a line as somebody would write it.
pub const fn key(name: &'static str, form: Form, about: &'static str, example: &'static str) -> Entry {
    Entry {
        name,
        form,
        about,
        example,
        needed: false,
        standing: Standing::Read,
    }
}

/// A key that a later version brings.
pub const fn later(name: &'static str, about: &'static str, example: &'static str) -> Entry {
    Entry {
        standing: Standing::Later,
        ..key(name, Form::Anything, about, example)
    }
}

impl Entry {
    /// The same, and it has to be there.
    pub const fn needed(self) -> Entry {
        Entry { needed: true, ..self }
    }

    /// The same, and this version does nothing with it.
    pub const fn idle(self, meanwhile: &'static str) -> Entry {
        Entry {
            standing: Standing::Idle(meanwhile),
            ..self
        }
    }

    /// The same, as a key that is not there.
    pub const fn never(self) -> Entry {
        Entry {
            standing: Standing::Never,
            ..self
        }
    }

    /// Whether this version reads it.
    pub fn is_read(&self) -> bool {
        self.standing == Standing::Read
    }
}

impl Shape {
    /// All its keys, those of [`Shape::also`] and [`More::Each`] among them.
    pub fn entries(&self) -> Vec<Entry> {
        let mut all = self.keys.to_vec();
        for other in self.also {
            all.extend(
                other
                    .entries()
                    .into_iter()
                    .map(|entry| Entry { needed: false, ..entry }),
            );
        }
        for more in self.more {
            if let More::Each(list, _) = more {
                all.extend(list());
            }
        }
        all
    }

    /// The declared key with this name.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.entries().into_iter().find(|entry| entry.name == name)
    }

    /// The names of the keys that this version reads.
    pub fn names(&self) -> Vec<&'static str> {
        let entries = self.entries().into_iter();
        entries.filter(Entry::is_read).map(|entry| entry.name).collect()
    }

    /// Those of these keys that this version reads.
    pub fn read_of(&self, names: &[&'static str]) -> Vec<&'static str> {
        let mut read = self.names();
        read.retain(|name| names.contains(name));
        read
    }

    /// Whether it may have keys that are not declared one by one.
    pub fn is_open(&self) -> bool {
        let mut more = self.more.iter();
        more.any(|more| matches!(more, More::Own(_) | More::Actions | More::Rendered))
    }
}

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
    pub(super) fn pick<T>(&self, wanted: fn(&Form) -> Option<T>) -> Option<T> {
        match self {
            Form::Either(forms) => forms.iter().find_map(|form| form.pick(wanted)),
            Form::List(one) | Form::OneOrMore(one) | Form::Several(one) => one.pick(wanted),
            form => wanted(form),
        }
    }
}

/// Every shape that can be reached from one, itself first, each once, in the order in which they are met.
pub fn reachable(root: &'static Shape, actions: &[&'static Shape]) -> Vec<&'static Shape> {
    let mut found = Vec::new();
    reach(root, actions, &mut found);
    found
}

fn reach(shape: &'static Shape, actions: &[&'static Shape], found: &mut Vec<&'static Shape>) {
    if found.iter().any(|known| std::ptr::eq(*known, shape)) {
        return;
    }
    found.push(shape);
    for entry in shape.entries() {
        if matches!(entry.standing, Standing::Read) {
            entry
                .form
                .shapes()
                .into_iter()
                .for_each(|below| reach(below, actions, found));
        }
    }
    for more in shape.more {
        match more {
            More::Own(own) => {
                let below = own.form.shapes();
                below.into_iter().for_each(|below| reach(below, actions, found));
            }
            More::Actions => actions.iter().for_each(|below| reach(below, actions, found)),
            More::Each(..) | More::Rendered => {}
        }
    }
}
