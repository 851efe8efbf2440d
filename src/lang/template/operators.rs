//! The operators of the parser as those of the tree.

use minijinja::machinery::ast::{BinOpKind, CompareOpKind};

use super::compare::Comparison;
use super::number::Sum;
use super::tree::{Expr, Node};

pub(super) fn binary_node(op: BinOpKind, left: Box<Expr>, right: Box<Expr>) -> Node {
    let sum = |op, left, right| Node::Sum(op, left, right);
    let compare = |op, left, right: Box<Expr>| Node::Compare(left, vec![(op, *right)]);
    match op {
        BinOpKind::Eq => compare(Comparison::Equal, left, right),
        BinOpKind::Ne => compare(Comparison::Different, left, right),
        BinOpKind::Lt => compare(Comparison::Less, left, right),
        BinOpKind::Lte => compare(Comparison::LessOrEqual, left, right),
        BinOpKind::Gt => compare(Comparison::Greater, left, right),
        BinOpKind::Gte => compare(Comparison::GreaterOrEqual, left, right),
        BinOpKind::In => compare(Comparison::In, left, right),
        BinOpKind::ScAnd => Node::And(left, right),
        BinOpKind::ScOr => Node::Or(left, right),
        BinOpKind::Add => sum(Sum::Add, left, right),
        BinOpKind::Sub => sum(Sum::Sub, left, right),
        BinOpKind::Mul => sum(Sum::Mul, left, right),
        BinOpKind::Div => sum(Sum::Div, left, right),
        BinOpKind::FloorDiv => sum(Sum::FloorDiv, left, right),
        BinOpKind::Rem => sum(Sum::Rem, left, right),
        BinOpKind::Pow => sum(Sum::Pow, left, right),
        BinOpKind::Concat => Node::Joined(left, right),
    }
}

pub(super) fn comparison(op: CompareOpKind) -> Comparison {
    match op {
        CompareOpKind::Eq => Comparison::Equal,
        CompareOpKind::Ne => Comparison::Different,
        CompareOpKind::Lt => Comparison::Less,
        CompareOpKind::Lte => Comparison::LessOrEqual,
        CompareOpKind::Gt => Comparison::Greater,
        CompareOpKind::Gte => Comparison::GreaterOrEqual,
        CompareOpKind::In => Comparison::In,
        CompareOpKind::NotIn => Comparison::NotIn,
    }
}
