//! Which names a template reads, found without rendering it.

use std::sync::Arc;

use super::Name;
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
    pub(super) names: Vec<Name>,
    pub(super) reads: Vec<Read>,
}

impl<'s> Names<'s> {
    pub(super) fn new(source: &'s str) -> Names<'s> {
        Names {
            source,
            local: Vec::new(),
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
                    self.expr(test);
                    self.block(yes);
                    self.block(no);
                }
                Stmt::For(each) => {
                    self.expr(&each.over);
                    self.scoped(|names| {
                        names.local.push("loop".into());
                        names.assign(&each.target);
                        each.only_if.iter().for_each(|expr| names.expr(expr));
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

    pub(super) fn expr(&mut self, expr: &Expr) {
        match &expr.node {
            Node::Const(_) => {}
            Node::Name(_) | Node::Part(..) => self.chain(expr),
            Node::Slice(of, start, stop) => {
                self.expr(of);
                start.iter().chain(stop).for_each(|expr| self.expr(expr));
            }
            Node::Not(inner) | Node::Negative(inner) => self.expr(inner),
            Node::And(a, b) | Node::Or(a, b) | Node::Sum(_, a, b) | Node::Joined(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Node::Compare(first, rest) => {
                self.expr(first);
                rest.iter().for_each(|(_, expr)| self.expr(expr));
            }
            Node::If(test, yes, no) => {
                self.expr(yes);
                self.expr(test);
                no.iter().for_each(|expr| self.expr(expr));
            }
            Node::Apply(call) => {
                call.input.iter().for_each(|expr| self.expr(expr));
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
    fn chain(&mut self, expr: &Expr) {
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
        if self.names.iter().all(|known| known.path != path) {
            let (line, column) = place(self.source, inner.at);
            self.names.push(Name { path, line, column });
            self.reads.push(Read {
                root: Arc::clone(root),
                steps,
            });
        }
    }
}
