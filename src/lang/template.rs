//! Templates and conditions of recipes.
//!
//! The syntax is Jinja's. What differs is what a value that was not sent does: it prints as nothing and
//! is noted, no comparison with it holds, and a name that nothing defines is a mistake.

use std::sync::Arc;

mod catalog;
mod compare;
mod context;
mod evaluate;
mod fault;
mod filters;
mod guard;
mod meter;
mod names;
mod number;
mod operators;
mod parse;
mod render;
mod times;
mod tree;
mod unclosed;
mod url;
mod value;

#[cfg(test)]
mod tests;

pub use catalog::{FILTERS, FilterDoc, FilterKind};
pub use context::{Context, Source};
pub use fault::TemplateError;

use crate::lang::line::{is_control, one_line};

use evaluate::Evaluation;
use fault::{Fault, Outcome};
use names::{Names, Read};
use render::Form;
use tree::{Expr, Stmt};

/// What a template is the text of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Values are printed as they are.
    Text,
    /// Values are escaped, so that no value becomes markup.
    Html,
}

/// A name a template reads, and where it does so first; where it first does so unguarded, if anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The dotted name, such as `reservation.guest.email`; entries of lists as in `payload.guests[0]`.
    pub path: String,
    /// Line inside the source, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Whether every use of it asks first whether there is a value: `x | default('')`, `x is known`, `{% if x %}`.
    pub guarded: bool,
}

/// What a rendering gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered<T> {
    /// The result.
    pub value: T,
    /// Known names that were printed or used and have no value, each once.
    pub missing: Vec<String>,
}

/// A compiled template. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Template {
    inner: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    source: String,
    format: Format,
    body: Vec<Stmt>,
    names: Vec<Name>,
    doubts: Vec<TemplateError>,
}

impl Template {
    /// Reads a source. The first mistake is the error.
    pub fn compile(source: &str, format: Format) -> Result<Template, TemplateError> {
        let (body, doubts) = parse::template(source).map_err(|fault| fault.placed(source))?;
        let mut names = Names::new(source);
        names.block(&body);
        let names = names.names;
        Ok(Template {
            inner: Arc::new(Compiled {
                source: source.to_owned(),
                format,
                body,
                names,
                doubts: placed(doubts, source),
            }),
        })
    }

    /// The source as it was written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Every name it reads, each at its first place. Names of loops and of `set` are not among them.
    pub fn names(&self) -> &[Name] {
        &self.inner.names
    }

    /// What in it is right and probably not meant.
    pub fn doubts(&self) -> &[TemplateError] {
        &self.inner.doubts
    }

    /// Whether it prints values otherwise than as JSON.
    pub fn prints_plain(&self) -> bool {
        prints_plain(&self.inner.body)
    }

    /// Whether it is plain text that renders as it is written, whatever the values.
    pub fn is_constant(&self) -> bool {
        let mut rest = self.source();
        for stmt in &self.inner.body {
            let Stmt::Raw(raw) = stmt else { return false };
            let Some(after) = rest.strip_prefix(raw.as_ref()) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }

    /// Renders it as text.
    pub fn text(&self, cx: &Context) -> Result<Rendered<String>, TemplateError> {
        let form = match self.inner.format {
            Format::Text => Form::Text,
            Format::Html => Form::Html,
        };
        self.evaluated(cx, |evaluation| self.written(evaluation, form))
    }

    /// Renders it as a value: a source that is one single `{{ expression }}` keeps the type of its value,
    /// everything else is text.
    pub fn value(&self, cx: &Context) -> Result<Rendered<serde_json::Value>, TemplateError> {
        let Some(expr) = self.single() else {
            let Rendered { value, missing } = self.text(cx)?;
            return Ok(Rendered {
                value: value.into(),
                missing,
            });
        };
        self.evaluated(cx, |evaluation| {
            let value = evaluation.expr(expr)?;
            evaluation.meter.used(&value);
            if value.size() > meter::OUTPUT {
                return Err(Fault::new("This template gives a value of more than 1 MiB"));
            }
            Ok(value.to_json())
        })
    }

    /// Renders it as an address: each value that is put in is encoded as one path segment or query value,
    /// and a path that would climb is refused. What the source says itself stays as written.
    pub fn url(&self, cx: &Context) -> Result<Rendered<String>, TemplateError> {
        self.evaluated(cx, |evaluation| {
            let url = self.written(evaluation, Form::Url)?;
            url::check(&url)?;
            Ok(url)
        })
    }

    /// Renders it as a text that stays on one line: line breaks and control characters of values become spaces.
    pub fn line(&self, cx: &Context) -> Result<Rendered<String>, TemplateError> {
        self.evaluated(cx, |evaluation| self.written(evaluation, Form::Line))
    }

    /// Renders it as an address: a single expression is the text or the list of texts that it gives, each on one line; of
    /// everything else the values are put in shielded, so that only what the source says itself is syntax
    /// ([`unshielded`](crate::lang::line::unshielded) takes that away).
    pub fn address(&self, cx: &Context) -> Result<Rendered<serde_json::Value>, TemplateError> {
        if self
            .single()
            .is_none_or(|expr| matches!(expr.node, tree::Node::Joined(..)))
        {
            let text = self.evaluated(cx, |evaluation| self.written(evaluation, Form::Address))?;
            return Ok(Rendered {
                value: text.value.into(),
                missing: text.missing,
            });
        }
        let mut found = self.value(cx)?;
        let texts = match &mut found.value {
            serde_json::Value::Array(items) => items.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for text in texts {
            if let serde_json::Value::String(text) = text {
                *text = one_line(text).map_err(|why| Fault::new(why).placed(self.source()))?;
            }
        }
        Ok(found)
    }

    /// Whether the source itself breaks the line, at the ends aside.
    pub fn breaks_line(&self) -> bool {
        let mut line = String::new();
        let broken = |line: &str| line.trim().chars().any(is_control);
        for stmt in &self.inner.body {
            match stmt {
                Stmt::Raw(raw) => line.push_str(raw),
                Stmt::Print(_) => line.push('x'),
                // It may come to nothing, and then what is around it stands at an end.
                _ if broken(&std::mem::take(&mut line)) => return true,
                _ => {}
            }
        }
        broken(&line)
    }

    /// The one expression this is, spaces around it aside.
    fn single(&self) -> Option<&Expr> {
        let blank = |stmt: &&Stmt| !matches!(stmt, Stmt::Raw(raw) if raw.trim().is_empty());
        let mut stmts = self.inner.body.iter().filter(blank);
        match (stmts.next(), stmts.next()) {
            (Some(Stmt::Print(expr)), None) => Some(expr),
            _ => None,
        }
    }

    fn written(&self, evaluation: &mut Evaluation<'_>, form: Form) -> Outcome<String> {
        let mut text = String::new();
        evaluation.block(&self.inner.body, form, &mut text)?;
        Ok(text)
    }

    fn evaluated<T>(
        &self,
        cx: &Context,
        evaluate: impl FnOnce(&mut Evaluation<'_>) -> Outcome<T>,
    ) -> Result<Rendered<T>, TemplateError> {
        let mut evaluation = Evaluation::new(cx);
        let value = evaluate(&mut evaluation).map_err(|fault| fault.placed(self.source()))?;
        Ok(Rendered {
            value,
            missing: evaluation.meter.into_missing(),
        })
    }
}

/// A compiled condition, as in `when: reservation.guests > 2`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Condition {
    inner: Arc<Question>,
}

#[derive(Debug)]
struct Question {
    source: String,
    expr: Expr,
    names: Vec<Name>,
    reads: Vec<Read>,
    known: Vec<String>,
    doubts: Vec<TemplateError>,
}

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it holds.
    pub held: bool,
    /// Each name it reads with the value it saw, in words.
    pub saw: Vec<(String, String)>,
}

impl Condition {
    /// Reads an expression, with or without `{{ }}` around it.
    pub fn compile(source: &str) -> Result<Condition, TemplateError> {
        let bare = bare(source);
        let (expr, doubts) = parse::expression(&bare).map_err(|mut fault| {
            if bare.contains("{{") {
                fault.help = Some("a condition is written without `{{ }}`".to_owned());
            }
            fault.placed(source)
        })?;

        let mut names = Names::new(source);
        names.truth(&expr);
        let known = names.known_where(&expr, true);
        let Names { names, reads, .. } = names;
        Ok(Condition {
            inner: Arc::new(Question {
                source: source.to_owned(),
                expr,
                names,
                reads,
                known,
                doubts: placed(doubts, source),
            }),
        })
    }

    /// The source as it was written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// What in it is right and probably not meant.
    pub fn doubts(&self) -> &[TemplateError] {
        &self.inner.doubts
    }

    /// The names that have a value wherever it holds.
    pub fn known(&self) -> &[String] {
        &self.inner.known
    }

    /// Every name it reads.
    pub fn names(&self) -> &[Name] {
        &self.inner.names
    }

    /// Whether it holds, and what it saw.
    pub fn holds(&self, cx: &Context) -> Result<Verdict, TemplateError> {
        let mut evaluation = Evaluation::new(cx);
        let value = evaluation
            .expr(&self.inner.expr)
            .map_err(|fault| fault.placed(self.source()))?;
        let pairs = self.inner.names.iter().zip(&self.inner.reads);
        let saw = pairs.filter_map(|(name, read)| {
            // What was not reached and cannot be found was not seen.
            let value = cx.find(&read.root, &read.steps)?;
            Some((name.path.clone(), in_words(&value)))
        });
        Ok(Verdict {
            held: value.is_true(),
            saw: saw.collect(),
        })
    }
}

fn placed(doubts: Vec<Fault>, source: &str) -> Vec<TemplateError> {
    doubts.into_iter().map(|doubt| doubt.placed(source)).collect()
}

fn prints_plain(stmts: &[Stmt]) -> bool {
    stmts.iter().any(|stmt| match stmt {
        Stmt::Print(expr) => {
            !matches!(&expr.node, tree::Node::Apply(call) if matches!(call.doc.name, "json" | "tojson"))
        }
        Stmt::If(_, yes, no) => prints_plain(yes) || prints_plain(no),
        Stmt::For(each) => prints_plain(&each.body) || prints_plain(&each.otherwise),
        Stmt::With(_, body) | Stmt::Capture(_, body) => prints_plain(body),
        Stmt::Raw(_) | Stmt::Set(..) => false,
    })
}

/// The expression without `{{ }}`, at the same place, so that mistakes are found where they are written.
fn bare(source: &str) -> String {
    let inner = source
        .trim()
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    // Two expressions are none; the parser says so.
    match inner.filter(|inner| !inner.contains("{{")) {
        None => source.to_owned(),
        Some(inner) => {
            let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
            let start = source.find("{{").map_or(0, |at| at + 2);
            let start = start + source.get(start..).and_then(|rest| rest.find(inner)).unwrap_or(0);
            let blank: String = source
                .bytes()
                .take(start)
                .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
                .collect();
            blank + inner.strip_suffix('-').unwrap_or(inner)
        }
    }
}

/// A value for an explanation: short, and in one line.
fn in_words(value: &value::Value) -> String {
    const LONGEST: usize = 80;
    let text = match value {
        value if value.is_missing() => return "not sent".to_owned(),
        value::Value::Text(text) if text.text.is_empty() => return "empty".to_owned(),
        value => value.printed().replace(['\n', '\r'], " "),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}
