//! Statements to text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::lang::line::{one_line, shielded};

use super::evaluate::Evaluation;
use super::fault::{Fault, Outcome};
use super::tree::{Expr, For, Node, Stmt, Target};
use super::url::encoded;
use super::value::Value;

/// What becomes of a value that is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Html,
    Url,
    /// On one line, such as a header.
    Line,
    /// On one line, where the signs of addresses mean something.
    Address,
}

impl Evaluation<'_> {
    pub(super) fn block(&mut self, stmts: &[Stmt], form: Form, out: &mut String) -> Outcome<()> {
        stmts.iter().try_for_each(|stmt| self.stmt(stmt, form, out))
    }

    fn stmt(&mut self, stmt: &Stmt, form: Form, out: &mut String) -> Outcome<()> {
        match stmt {
            Stmt::Raw(raw) => self.meter.push(out, raw),
            Stmt::Print(expr) if form == Form::Address => self.print_joined(expr, out),
            Stmt::Print(expr) => {
                let value = self.expr(expr)?;
                self.print(&value, form, out).map_err(|fault| fault.at(expr.at))
            }
            Stmt::If(test, yes, no) => {
                let chosen = if self.expr(test)?.is_true() { yes } else { no };
                self.block(chosen, form, out)
            }
            Stmt::For(each) => self.each(each, form, out),
            Stmt::With(set, body) => {
                let before = self.scope.len();
                for (target, expr) in set {
                    let value = self.expr(expr)?;
                    self.assign(target, value)?;
                }
                self.block(body, form, out)?;
                self.scope.truncate(before);
                Ok(())
            }
            Stmt::Set(target, expr) => {
                let value = self.expr(expr)?;
                self.assign(target, value).map_err(|fault| fault.at(expr.at))
            }
            Stmt::Capture(target, body) => {
                let mut text = String::new();
                let before = self.scope.len();
                self.block(body, form, &mut text)?;
                self.scope.truncate(before);
                self.assign(target, Value::ready(text))
            }
        }
    }

    fn print(&mut self, value: &Value, form: Form, out: &mut String) -> Outcome<()> {
        self.meter.used(value);
        self.meter.charge(value.size())?;
        let text = value.printed();
        match (form, value) {
            (Form::Text, _) => self.meter.push(out, &text),
            (_, Value::Text(ready)) if ready.ready => self.meter.push(out, &text),
            (Form::Line | Form::Address, _) => {
                let line = one_line(&text).map_err(Fault::new)?;
                match form {
                    Form::Address => self.meter.push(out, &shielded(&line)),
                    _ => self.meter.push(out, &line),
                }
            }
            (Form::Html, _) => self.meter.push(out, &escaped(&text)),
            (Form::Url, _) if text.is_empty() && !out.contains('?') => Err(Fault::new(
                "nothing stands here, and without it the address means something else",
            )
            .help("a value in the path of an address has to be there; test it with `when: … is known`, or write `| default('…')`")),
            (Form::Url, _) => self.meter.push(out, &encoded(&text)),
        }
    }

    /// Prints `name ~ ' <' ~ address ~ '>'` as if it were text with values in it.
    fn print_joined(&mut self, expr: &Expr, out: &mut String) -> Outcome<()> {
        match &expr.node {
            Node::Joined(left, right) => {
                self.print_joined(left, out)?;
                self.print_joined(right, out)
            }
            Node::Const(value) => self.meter.push(out, &value.printed()),
            _ => {
                let value = self.expr(expr)?;
                self.print(&value, Form::Address, out)
                    .map_err(|fault| fault.at(expr.at))
            }
        }
    }

    fn each(&mut self, each: &For, form: Form, out: &mut String) -> Outcome<()> {
        let over = self.expr(&each.over)?;
        let mut items = self.entries(&over).map_err(|fault| fault.at(each.over.at))?;
        let before = self.scope.len();
        if let Some(only_if) = &each.only_if {
            let mut kept = Vec::new();
            for item in items {
                self.assign(&each.target, item.clone())?;
                if self.expr(only_if)?.is_true() {
                    kept.push(item);
                }
                self.scope.truncate(before);
            }
            items = kept;
        }
        if items.is_empty() {
            self.block(&each.otherwise, form, out)?;
        }
        for (index, item) in items.iter().enumerate() {
            let state = position(index, &items)?;
            self.scope.push(("loop".into(), state));
            self.assign(&each.target, item.clone())
                .map_err(|fault| fault.at(each.over.at))?;
            self.block(&each.body, form, out)?;
            self.scope.truncate(before);
        }
        self.scope.truncate(before);
        Ok(())
    }

    /// What a loop goes through: entries of a list, keys of a map, nothing where nothing was sent.
    fn entries(&mut self, value: &Value) -> Outcome<Vec<Value>> {
        match value {
            Value::List(list) => {
                self.meter.charge(list.items.len())?;
                Ok(list.items.clone())
            }
            Value::Map(map) => {
                self.meter.charge(map.entries.len())?;
                Ok(map.entries.keys().map(|key| Value::text(Arc::clone(key))).collect())
            }
            value if value.is_missing() => {
                self.meter.used(value);
                Ok(Vec::new())
            }
            value => Err(Fault::new(format!("A loop goes through a list, not {}", value.kind()))),
        }
    }

    fn assign(&mut self, target: &Target, value: Value) -> Outcome<()> {
        self.meter.charge(0)?;
        match (target, &value) {
            (Target::Name(name), _) => self.scope.push((Arc::clone(name), value)),
            (Target::Each(targets), Value::List(list)) if targets.len() == list.items.len() => {
                for (target, item) in targets.iter().zip(&list.items) {
                    self.assign(target, item.clone())?;
                }
            }
            (Target::Each(targets), value) => {
                let count = targets.len();
                return Err(Fault::new(format!(
                    "{count} names need a list of {count} values, not {}",
                    value.kind()
                ))
                .help("`{% for name, value in map | items %}`"));
            }
        }
        Ok(())
    }
}

/// What `loop` says within a loop.
fn position(index: usize, items: &[Value]) -> Outcome<Value> {
    let count = items.len();
    let neighbour = |at: Option<usize>| at.and_then(|at| items.get(at)).cloned().unwrap_or(Value::Missing(None));
    let entries: [(&str, Value); 9] = [
        ("index", Value::int(index + 1)),
        ("index0", Value::int(index)),
        ("revindex", Value::int(count - index)),
        ("revindex0", Value::int(count - index - 1)),
        ("first", Value::Bool(index == 0)),
        ("last", Value::Bool(index + 1 == count)),
        ("length", Value::int(count)),
        ("previtem", neighbour(index.checked_sub(1))),
        ("nextitem", neighbour(Some(index + 1))),
    ];
    Value::map(
        entries
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect::<BTreeMap<_, _>>(),
    )
}

/// Safe inside HTML text and quoted attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#x27;"),
            _ => html.push(c),
        }
    }
    html
}
