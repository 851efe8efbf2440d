//! A template as it is evaluated.

use std::sync::Arc;

use super::catalog::FilterDoc;
use super::compare::Comparison;
use super::number::Sum;
use super::value::Value;

/// An expression with its byte offset in the source.
#[derive(Debug)]
pub(super) struct Expr {
    pub(super) at: usize,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Const(Value),
    Name(Arc<str>),
    Part(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Sum(Sum, Box<Expr>, Box<Expr>),
    Joined(Box<Expr>, Box<Expr>),
    /// One or more comparisons in a row, as in `1 < guests <= 4`.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Apply(Application),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
}

/// A filter, function or test with what it is given.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) doc: &'static FilterDoc,
    pub(super) input: Option<Box<Expr>>,
    pub(super) args: Vec<Expr>,
    pub(super) named: Vec<(Arc<str>, Expr)>,
}

#[derive(Debug)]
pub(super) enum Stmt {
    Raw(Box<str>),
    Print(Expr),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    For(Box<For>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Set(Target, Expr),
    Capture(Target, Vec<Stmt>),
}

#[derive(Debug)]
pub(super) struct For {
    pub(super) target: Target,
    pub(super) over: Expr,
    pub(super) only_if: Option<Expr>,
    pub(super) body: Vec<Stmt>,
    pub(super) otherwise: Vec<Stmt>,
}

/// What a value is assigned to: a name, or several for the entries of a list.
#[derive(Debug)]
pub(super) enum Target {
    Name(Arc<str>),
    Each(Vec<Target>),
}
