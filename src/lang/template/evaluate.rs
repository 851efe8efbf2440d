//! Expressions to values.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalog::{Call, FilterKind};
use super::context::{Context, Step, extended, step, unknown};
use super::fault::{Fault, Outcome};
use super::meter::Meter;
use super::number::{Number, Sum};
use super::tree::{Application, Expr, Node};
use super::value::Value;
use crate::lang::diag::did_you_mean;

/// One evaluation: the values given, the names set on the way, and the meter.
pub(super) struct Evaluation<'c> {
    pub(super) cx: &'c Context,
    pub(super) scope: Vec<(Arc<str>, Value)>,
    pub(super) meter: Meter,
}

impl<'c> Evaluation<'c> {
    pub(super) fn new(cx: &'c Context) -> Evaluation<'c> {
        Evaluation {
            cx,
            scope: Vec::new(),
            meter: Meter::new(),
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Outcome<Value> {
        self.meter
            .charge(0)
            .and_then(|()| self.node(expr))
            .map_err(|fault| fault.at(expr.at))
    }

    fn node(&mut self, expr: &Expr) -> Outcome<Value> {
        match &expr.node {
            Node::Const(value) => Ok(value.clone()),
            Node::Name(name) => self.name(name),
            Node::Part(of, key) => self.part(of, key),
            Node::Slice(of, start, stop) => self.slice(of, start.as_deref(), stop.as_deref()),
            Node::Not(inner) => Ok(Value::Bool(!self.expr(inner)?.is_true())),
            Node::Negative(inner) => match self.expr(inner)? {
                Value::Number(number) => number.negated().map(Value::Number),
                value if value.is_missing() => Ok(self.missing(value)),
                value => Err(Fault::new(format!("`-` needs a number, not {}", value.kind()))),
            },
            Node::And(left, right) => {
                let left = self.expr(left)?;
                if left.is_true() { self.expr(right) } else { Ok(left) }
            }
            Node::Or(left, right) => {
                let left = self.expr(left)?;
                if left.is_true() { Ok(left) } else { self.expr(right) }
            }
            Node::Sum(op, left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                self.sum(*op, left, right)
            }
            Node::Joined(left, right) => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                self.joined(&left, &right)
            }
            Node::Compare(first, rest) => {
                let mut left = self.expr(first)?;
                for (comparison, right) in rest {
                    let right = self.expr(right)?;
                    if !comparison.holds(&left, &right, &mut self.meter)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Node::If(test, yes, no) => match (self.expr(test)?.is_true(), no) {
                (true, _) => self.expr(yes),
                (false, Some(no)) => self.expr(no),
                (false, None) => Ok(Value::Missing(None)),
            },
            Node::Apply(call) => self.apply(call),
            Node::List(items) => {
                let items = items.iter().map(|item| self.kept(item)).collect::<Outcome<_>>()?;
                Value::list(items)
            }
            Node::Map(pairs) => {
                let mut entries = BTreeMap::new();
                for (key, value) in pairs {
                    let key = self.kept(key)?.printed();
                    entries.insert(key.into(), self.kept(value)?);
                }
                Value::map(entries)
            }
        }
    }

    /// A value that goes into something larger; a missing one is noted, since it will be null there.
    fn kept(&mut self, expr: &Expr) -> Outcome<Value> {
        let value = self.expr(expr)?;
        self.meter.used(&value);
        Ok(value)
    }

    fn missing(&mut self, value: Value) -> Value {
        self.meter.used(&value);
        value
    }

    fn name(&mut self, name: &Arc<str>) -> Outcome<Value> {
        // Names that were set are searched one by one.
        self.meter.charge(self.scope.len().saturating_mul(8))?;

        if let Some((_, value)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            return Ok(value.clone());
        }
        if let Some(value) = self.cx.root(name) {
            return Ok(value.clone());
        }
        let known = self
            .scope
            .iter()
            .map(|(known, _)| known.as_ref())
            .chain(self.cx.root_names());
        Err(unknown(name, did_you_mean(name, known).map(str::to_owned)))
    }

    fn part(&mut self, of: &Expr, subscript: &Expr) -> Outcome<Value> {
        if let Some(value) = self.plain(of, subscript) {
            self.meter.charge(value.size())?;
            return Ok(value);
        }
        let value = self.expr(of)?;
        let key = self.expr(subscript)?;
        let Some(step) = step(&key) else {
            return match key {
                key if key.is_missing() => Ok(self.missing(key)),
                key => Err(Fault::new(format!(
                    "A name or a number stands in `[ ]`, not {}",
                    key.kind()
                ))),
            };
        };
        let path = self.written(of);
        let found = self.cx.part(&value, &step, path.as_deref());
        if matches!(subscript.node, Node::Const(_)) {
            return found;
        }
        // A key that is itself a value may be a guest's name: it stays out of messages.
        let shown = format!("{}[…]", path.unwrap_or_default());
        match found {
            Ok(Value::Missing(_)) => Ok(Value::Missing(Some(shown.into()))),
            Err(_) => Err(unknown(&shown, None)),
            found => found,
        }
    }

    /// The value of a plain dotted name that starts at the values given, without making values of all that stands
    /// around it.
    fn plain(&self, of: &Expr, subscript: &Expr) -> Option<Value> {
        let mut keys = Vec::with_capacity(4);
        let (mut of, mut subscript) = (of, subscript);
        loop {
            let Node::Const(Value::Text(key)) = &subscript.node else {
                return None;
            };
            keys.push(key.text.as_ref());
            match &of.node {
                Node::Part(inner, key) => (of, subscript) = (inner, key),
                Node::Name(name) if self.scope.iter().all(|(known, _)| known != name) => {
                    return self.cx.plain(name, keys.into_iter().rev());
                }
                _ => return None,
            }
        }
    }

    /// The dotted name of an expression, where it is one that starts at the values given.
    fn written(&self, expr: &Expr) -> Option<String> {
        match &expr.node {
            Node::Name(name) if self.scope.iter().all(|(known, _)| known != name) => Some(name.to_string()),
            Node::Part(of, key) => {
                let Node::Const(key) = &key.node else { return None };
                Some(extended(&self.written(of)?, &step(key)?))
            }
            _ => None,
        }
    }

    fn slice(&mut self, of: &Expr, start: Option<&Expr>, stop: Option<&Expr>) -> Outcome<Value> {
        let value = self.expr(of)?;
        self.meter.charge(value.size())?;
        let mut bound = |expr: Option<&Expr>| match expr.map(|expr| self.expr(expr)).transpose()? {
            None | Some(Value::Nothing) => Ok(None),
            Some(bound) => match step(&bound) {
                Some(Step::Index(index)) => Ok(Some(index)),
                _ => Err(Fault::new(format!(
                    "A whole number stands around `:`, not {}",
                    bound.kind()
                ))),
            },
        };
        let (start, stop) = (bound(start)?, bound(stop)?);
        let window = |length: usize| {
            let place = |index: i64| {
                let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
                if index < 0 {
                    length.saturating_sub(distance)
                } else {
                    distance.min(length)
                }
            };
            let (from, to) = (start.map_or(0, place), stop.map_or(length, place));
            (from, to.saturating_sub(from))
        };
        match &value {
            Value::List(list) => {
                let (from, count) = window(list.items.len());
                Value::list(list.items.iter().skip(from).take(count).cloned().collect())
            }
            Value::Text(text) => {
                let (from, count) = window(text.text.chars().count());
                Ok(Value::text(
                    text.text.chars().skip(from).take(count).collect::<String>(),
                ))
            }
            value if value.is_missing() => Ok(self.missing(value.clone())),
            value => Err(Fault::new(format!(
                "`[ : ]` needs a list or a text, not {}",
                value.kind()
            ))),
        }
    }

    fn sum(&mut self, op: Sum, left: Value, right: Value) -> Outcome<Value> {
        if left.is_missing() || right.is_missing() {
            self.meter.used(&left);
            self.meter.used(&right);
            return Ok(if left.is_missing() { left } else { right });
        }
        match (op, &left, &right) {
            (_, Value::Number(a), Value::Number(b)) => a.sum(op, b).map(Value::Number),
            (Sum::Add, Value::Text(_), Value::Text(_)) => self.joined(&left, &right),
            (Sum::Add, Value::List(a), Value::List(b)) => {
                self.meter.charge(left.size().saturating_add(right.size()))?;
                Value::list(a.items.iter().chain(&b.items).cloned().collect())
            }
            (Sum::Mul, Value::Text(text), Value::Number(Number::Int(times))) => {
                let mut repeated = String::new();
                let times = if text.text.is_empty() { 0 } else { *times };
                for _ in 0..times {
                    self.meter.push(&mut repeated, &text.text)?;
                }
                Ok(Value::text(repeated))
            }
            _ => Err(Fault::new(format!(
                "This cannot calculate with {} and {}",
                left.kind(),
                right.kind()
            ))
            .help("`~` puts texts together; `| number` makes a number of a text")),
        }
    }

    fn joined(&mut self, left: &Value, right: &Value) -> Outcome<Value> {
        let mut text = String::new();
        for value in [left, right] {
            self.meter.used(value);
            self.meter.charge(value.size())?;
            self.meter.push(&mut text, &value.printed())?;
        }
        Ok(Value::text(text))
    }

    fn apply(&mut self, call: &Application) -> Outcome<Value> {
        let input = call.input.as_ref().map(|input| self.expr(input)).transpose()?;
        let args = call
            .args
            .iter()
            .map(|arg| self.expr(arg))
            .collect::<Outcome<Vec<_>>>()?;
        let named = call
            .named
            .iter()
            .map(|(name, arg)| Ok((name.as_ref(), self.expr(arg)?)));
        let named = named.collect::<Outcome<Vec<_>>>()?;
        let input = input.unwrap_or(Value::Nothing);
        let work = args
            .iter()
            .fold(input.size(), |work, arg| work.saturating_add(arg.size()));
        self.meter.charge(work)?;
        if input.is_missing() && call.doc.kind == FilterKind::Filter && !call.doc.takes_missing {
            return Ok(self.missing(input));
        }
        call.doc.run(&mut Call {
            doc: call.doc,
            input,
            args,
            named,
            meter: &mut self.meter,
        })
    }
}
