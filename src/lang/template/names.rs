//! Which names a template reads, found without rendering it.

use std::sync::Arc;

use super::Name;
use super::compare::Comparison;
use super::context::{Step, extended, step};
use super::fault::place;
use super::tree::{Expr, Node, Stmt, Target};

/// A name with the way to its value.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) root: Arc<str>,
    pub(super) steps: Vec<Step>,
}

/// All names read, each once at its first place.
pub(super) struct Names<'s> {
    source: &'s str,
    local: Vec<Arc<str>>,
    /// Names that have a value where the walk is.
    known: Vec<String>,
    pub(super) names: Vec<Name>,
    pub(super) reads: Vec<Read>,
}

impl<'s> Names<'s> {
    pub(super) fn new(source: &'s str) -> Names<'s> {
        Names {
            source,
            local: Vec::new(),
            known: Vec::new(),
            names: Vec::new(),
            reads: Vec::new(),
        }
    }

    /// What is assigned in a block is known to its end only.
    fn scoped(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = self.local.len();
        visit(self);
        self.local.truncate(before);
    }

    pub(super) fn block(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Raw(_) => {}
                Stmt::Print(expr) => self.expr(expr),
                Stmt::If(test, yes, no) => {
                    self.truth(test);
                    self.knowing(test, true, |names| names.block(yes));
                    self.knowing(test, false, |names| names.block(no));
                }
                Stmt::For(each) => {
                    self.expr(&each.over);
                    self.scoped(|names| {
                        names.local.push("loop".into());
                        names.assign(&each.target);
                        each.only_if.iter().for_each(|expr| names.truth(expr));
                        names.block(&each.body);
                    });
                    self.scoped(|names| names.block(&each.otherwise));
                }
                Stmt::With(set, body) => self.scoped(|names| {
                    for (target, expr) in set {
                        names.expr(expr);
                        names.assign(target);
                    }
                    names.block(body);
                }),
                Stmt::Set(target, expr) => {
                    self.expr(expr);
                    self.assign(target);
                }
                Stmt::Capture(target, body) => {
                    self.scoped(|names| names.block(body));
                    self.assign(target);
                }
            }
        }
    }

    fn assign(&mut self, target: &Target) {
        match target {
            Target::Name(name) => self.local.push(Arc::clone(name)),
            Target::Each(targets) => targets.iter().for_each(|target| self.assign(target)),
        }
    }

    /// Walks on with what is known where a test holds, or does not.
    fn knowing(&mut self, test: &Expr, held: bool, visit: impl FnOnce(&mut Self)) {
        let before = self.known.len();
        let known = self.known_where(test, held);
        self.known.extend(known);
        visit(self);
        self.known.truncate(before);
    }

    /// The names that have a value where a test holds, or does not.
    pub(super) fn known_where(&self, test: &Expr, held: bool) -> Vec<String> {
        match &test.node {
            Node::Name(_) | Node::Part(..) if held => path(test).into_iter().collect(),
            Node::Not(inner) => self.known_where(inner, !held),
            Node::And(a, b) if held => [self.known_where(a, held), self.known_where(b, held)].concat(),
            Node::Or(a, b) if !held => [self.known_where(a, held), self.known_where(b, held)].concat(),
            Node::Apply(call) => {
                let asks = match call.doc.name {
                    "known" | "defined" => held,
                    "undefined" | "none" => !held,
                    _ => false,
                };
                let input = call.input.as_ref().filter(|_| asks);
                input.and_then(|input| path(input)).into_iter().collect()
            }
            Node::Compare(first, rest) if held => {
                let asks = rest.iter().any(|(_, expr)| is_nothing(expr)) || is_nothing(first);
                let different = rest.iter().all(|(sign, _)| *sign == Comparison::Different);
                let all = std::iter::once(&**first).chain(rest.iter().map(|(_, expr)| expr));
                if asks && !different {
                    Vec::new()
                } else {
                    all.filter_map(path).collect()
                }
            }
            _ => Vec::new(),
        }
    }

    /// An expression of which only the truth is asked: a name without a value is as good as false.
    pub(super) fn truth(&mut self, expr: &Expr) {
        match &expr.node {
            Node::Name(_) | Node::Part(..) => self.chain(expr, true),
            Node::Not(inner) => self.truth(inner),
            Node::And(a, b) => {
                self.truth(a);
                self.knowing(a, true, |names| names.truth(b));
            }
            Node::Or(a, b) => {
                self.truth(a);
                self.knowing(a, false, |names| names.truth(b));
            }
            _ => self.expr(expr),
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) {
        match &expr.node {
            Node::Const(_) => {}
            Node::Name(_) | Node::Part(..) => self.chain(expr, false),
            Node::Slice(of, start, stop) => {
                self.expr(of);
                start.iter().chain(stop).for_each(|expr| self.expr(expr));
            }
            Node::Not(_) | Node::And(..) | Node::Or(..) => self.truth(expr),
            Node::Negative(inner) => self.expr(inner),
            Node::Sum(_, a, b) | Node::Joined(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Node::Compare(first, rest) => {
                let asks = is_nothing(first) || rest.iter().any(|(_, expr)| is_nothing(expr));
                for expr in std::iter::once(&**first).chain(rest.iter().map(|(_, expr)| expr)) {
                    if asks { self.truth(expr) } else { self.expr(expr) }
                }
            }
            Node::If(test, yes, no) => {
                self.knowing(test, true, |names| names.expr(yes));
                self.truth(test);
                self.knowing(test, false, |names| no.iter().for_each(|expr| names.expr(expr)));
            }
            Node::Apply(call) => {
                let asks = ASKING.contains(&call.doc.name);
                if let Some(input) = &call.input {
                    if asks { self.truth(input) } else { self.expr(input) }
                }
                call.args.iter().for_each(|expr| self.expr(expr));
                call.named.iter().for_each(|(_, expr)| self.expr(expr));
            }
            Node::List(items) => items.iter().for_each(|expr| self.expr(expr)),
            Node::Map(pairs) => pairs.iter().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
        }
    }

    /// `payload.guests[0].email` as one name. A part that is only known when rendering ends the name before it.
    fn chain(&mut self, expr: &Expr, guarded: bool) {
        let mut steps = Vec::new();
        let mut inner = expr;
        while let Node::Part(of, key) = &inner.node {
            match &key.node {
                Node::Const(value) if step(value).is_some() => steps.extend(step(value)),
                _ => {
                    self.expr(key);
                    steps.clear();
                }
            }
            inner = of;
        }
        let Node::Name(root) = &inner.node else {
            return self.expr(inner);
        };
        if self.local.contains(root) {
            return;
        }
        steps.reverse();
        let path = steps.iter().fold(root.to_string(), |path, step| extended(&path, step));
        let guarded = guarded || self.known.contains(&path);
        let (line, column) = place(self.source, inner.at);
        match self.names.iter_mut().find(|known| known.path == path) {
            None => {
                self.names.push(Name {
                    path,
                    line,
                    column,
                    guarded,
                });
                self.reads.push(Read {
                    root: Arc::clone(root),
                    steps,
                });
            }
            Some(known) if known.guarded && !guarded => {
                (known.line, known.column, known.guarded) = (line, column, false);
            }
            Some(_) => {}
        }
    }
}

/// Filters and tests that are there for values that were not sent.
const ASKING: &[&str] = &["default", "known", "defined", "undefined", "none", "json", "tojson"];

/// Whether this is `none` as it is written.
fn is_nothing(expr: &Expr) -> bool {
    matches!(&expr.node, Node::Const(value) if value.is_missing())
}

/// `property.vars.cleaner` as one name, where nothing in it is only known when rendering.
fn path(expr: &Expr) -> Option<String> {
    match &expr.node {
        Node::Name(root) => Some(root.to_string()),
        Node::Part(of, key) => match &key.node {
            Node::Const(value) => Some(extended(&path(of)?, &step(value)?)),
            _ => None,
        },
        _ => None,
    }
}
