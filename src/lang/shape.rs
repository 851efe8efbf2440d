//! What settings look like: their keys, what each key takes, one plain sentence and an example. Readers are held against
//! it (`lang::fields`), and the schemas for editors and the reference are made from it.

mod form;
pub mod schema;
#[cfg(test)]
mod tests;

pub use form::{EVENT, Form, INSTANT, Like, PATH, TIME_OF_DAY};

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
