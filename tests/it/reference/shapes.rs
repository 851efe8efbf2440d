//! A page of the reference from a declared shape: a section for each sort of settings, a line for each key.

use std::fmt::Write as _;

use stayhook::lang::fields::quoted;
use stayhook::lang::shape::schema::{Language, name_among};
use stayhook::lang::shape::{Entry, Form, More, Rule, Shape, Standing, reachable};
use stayhook::model::event::TYPES;

/// The sections for everything that `root` declares. What stands on another page is only linked: `elsewhere` has it with
/// its page.
pub fn sections(root: &'static Shape, language: Language<'_>, elsewhere: &[(&'static Shape, &str)]) -> String {
    let actions: Vec<&'static Shape> = language.actions.iter().map(|(_, shape)| *shape).collect();
    let mut others = Vec::new();
    for (other, _) in elsewhere {
        others.extend(reachable(other, &[]));
    }
    let mut shapes = reachable(root, &actions);
    shapes.retain(|shape| !others.iter().any(|other| std::ptr::eq(*other, *shape)));
    let page = Page {
        shapes,
        language,
        elsewhere,
    };
    let mut out = String::new();
    for shape in &page.shapes {
        page.section(shape, &mut out);
    }
    out
}

struct Page<'p> {
    shapes: Vec<&'static Shape>,
    language: Language<'p>,
    elsewhere: &'p [(&'static Shape, &'p str)],
}

impl Page<'_> {
    fn section(&self, shape: &'static Shape, out: &mut String) {
        let mut title = shape.what.to_owned();
        if let Some(first) = title.get(..1).map(str::to_uppercase) {
            title.replace_range(..1, &first);
        }
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "\n<a id=\"{}\"></a>\n\n## {title}\n\n{}",
            name_among(&self.shapes, shape),
            shape.about
        );
        let entries: Vec<Entry> = shape.entries();
        let listed = shape.more.iter().any(|more| matches!(more, More::Each(..)));
        // The fields of a stay have a page of their own.
        let own: Vec<&Entry> = entries
            .iter()
            .filter(|entry| !(listed && entry.example.is_empty()))
            .collect();
        let mut rows = String::new();
        for entry in own.iter().filter(|entry| entry.standing == Standing::Read) {
            let needed = if entry.needed { "<br>has to be there" } else { "" };
            self.row(entry.name, needed, &entry.form, entry.about, entry.example, &mut rows);
        }
        for more in shape.more {
            match more {
                More::Own(own) => self.row(
                    &format!("*{}*", own.name),
                    "",
                    &own.form,
                    own.about,
                    own.example,
                    &mut rows,
                ),
                More::Each(..) => {}
                More::Rendered => {
                    for (name, below) in self.language.actions {
                        let about = format!("What was rendered by {}: any of its keys.", below.what);
                        self.row(name, "", &Form::Anything, &about, "", &mut rows);
                    }
                }
                More::Actions => {
                    for (name, below) in self.language.actions {
                        self.row(name, "", &Form::Settings(below), below.about, "", &mut rows);
                    }
                }
            }
        }
        if !rows.is_empty() {
            let _ = write!(
                out,
                "\n| key | takes | what it does | example |\n| --- | --- | --- | --- |\n{rows}"
            );
        }
        for more in shape.more {
            if let More::Each(list, page) = more {
                let names: Vec<&str> = list()
                    .iter()
                    .filter(|entry| entry.example.is_empty() && entry.is_read())
                    .map(|entry| entry.name)
                    .collect();
                let names = names
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(", ");
                let _ = writeln!(
                    out,
                    "\nIts keys are also our names ([what they mean]({page})): {names}."
                );
            }
        }
        for rule in shape.rules {
            let _ = writeln!(out, "\n{}", self.rule(shape, rule));
        }
        let later = own
            .iter()
            .filter(|entry| matches!(entry.standing, Standing::Later | Standing::Idle(_)));
        let later: Vec<&str> = later.map(|entry| entry.name).collect();
        if !later.is_empty() {
            let _ = writeln!(
                out,
                "\nNot in this version yet: {}.",
                quoted(&later).replace(" or ", " and ")
            );
        }
    }

    fn row(&self, name: &str, needed: &str, form: &Form, about: &str, example: &str, out: &mut String) {
        let name = if name.starts_with('*') {
            name.to_owned()
        } else {
            format!("`{name}`")
        };
        let example = if example.is_empty() {
            String::new()
        } else {
            format!("`{}`", cell(example))
        };
        let takes = cell(&self.takes(form));
        let _ = writeln!(out, "| {name}{needed} | {takes} | {} | {example} |", cell(about));
    }

    fn takes(&self, form: &Form) -> String {
        match form {
            Form::Text => "text".to_owned(),
            Form::Like(like) => like.what.to_owned(),
            Form::Template => "text with templates".to_owned(),
            Form::Condition => "expression".to_owned(),
            Form::Flag => "`true` or `false`".to_owned(),
            Form::Count(min, max) => format!("whole number from {min} to {max}"),
            Form::Duration => "duration (`90s`, `15m`, `2h`, `3d`)".to_owned(),
            Form::Word(words) | Form::AnyCase(words) => quoted(words),
            Form::WordOr(words, like) if *words == TYPES => format!("[event type](events.md), or {}", like.what),
            Form::WordOr(words, like) => format!("{}, or {}", quoted(words).replace(" or ", ", "), like.what),
            Form::Value => "text, number, `true` or `false`".to_owned(),
            Form::Nothing => "`~`".to_owned(),
            Form::Anything => "anything".to_owned(),
            Form::Settings(shape) => self.link(shape),
            Form::List(one) => format!("a list: {}", self.takes(one)),
            Form::OneOrMore(one) | Form::Several(one) => format!("{}; or a list of them", self.takes(one)),
            Form::Either(forms) => {
                let forms: Vec<String> = forms.iter().map(|form| self.takes(form)).collect();
                forms.join("; or ")
            }
        }
    }

    fn link(&self, shape: &'static Shape) -> String {
        let other = self.elsewhere.iter().find(|(other, _)| std::ptr::eq(*other, shape));
        match other {
            Some((_, page)) => format!("settings, see [{}]({page})", shape.what),
            None => format!("settings, see [{}](#{})", shape.what, name_among(&self.shapes, shape)),
        }
    }

    fn rule(&self, shape: &Shape, rule: &Rule) -> String {
        match rule {
            Rule::One(names) => {
                let names = shape.read_of(names);
                format!("One of {} has to be there, and only one.", quoted(&names))
            }
            Rule::Some(names) => format!("At least one of {} has to be there.", quoted(names)),
            Rule::AtMostOne(names) => format!("Only one of {} may be there.", quoted(names)),
            Rule::Together(names) => {
                format!(
                    "{} stand together or not at all.",
                    quoted(names).replace(" or ", " and ")
                )
            }
            Rule::OneAction => {
                let names: Vec<&str> = self.language.actions.iter().map(|(name, _)| *name).collect();
                format!("An action is one of {}.", quoted(&names))
            }
        }
    }
}

/// A text as it can stand in a cell of a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
