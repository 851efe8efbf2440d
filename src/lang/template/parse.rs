//! From source to tree.
//!
//! minijinja reads the source; the evaluation is our own. Its operators cannot be replaced, and what a
//! value that was not sent compares with, what a decimal keeps and what a mistake is called are promises.

use std::sync::Arc;

use minijinja::machinery::ast::{self, BinOpKind, CallArg, UnaryOpKind};
use minijinja::machinery::{self, Span};
use minijinja::syntax::SyntaxConfig;

use super::catalog::{self, FILTERS, FilterKind};
use super::compare::Comparison;
use super::fault::{Fault, Outcome};
use super::number::Number;
use super::operators::{binary_node, comparison};
use super::tree::{Application, Expr, For, Node, Stmt, Target};
use super::value::Value;
use super::{guard, times};

/// Expressions within expressions and blocks within blocks, together.
const DEPTH: usize = 96;

/// A text keeps its last line break: what is written is what is sent.
pub(super) fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.keep_trailing_newline(true);
    builder.build().unwrap_or_default()
}

/// A tree, and what in it is right and probably not meant.
type Read<T> = Outcome<(T, Vec<Fault>)>;

pub(super) fn template(source: &str) -> Read<Vec<Stmt>> {
    guard::check(source, false)?;
    match machinery::parse(source, "", syntax()).map_err(|error| misread(&error, source))? {
        ast::Stmt::Template(template) => {
            let mut builder = Builder::new(source);
            Ok((builder.block(&template.children)?, builder.doubts))
        }
        _ => Err(Fault::new("This is not a template")),
    }
}

pub(super) fn expression(source: &str) -> Read<Expr> {
    guard::check(source, true)?;
    let expr = machinery::parse_expr(source).map_err(|error| misread(&error, source))?;
    let mut builder = Builder::new(source);
    Ok((builder.expr(&expr)?, builder.doubts))
}

/// The parser's complaint in the words of a recipe.
fn misread(error: &minijinja::Error, source: &str) -> Fault {
    let start = error.range().map_or(0, |range| range.start).min(source.len());
    if let Some(fault) = super::unclosed::find(source, start, error.detail().unwrap_or_default()) {
        return fault;
    }
    let detail = error
        .detail()
        .unwrap_or("it cannot be read")
        .replace("variable block", "`{{ … }}`");
    let detail = detail
        .replace("end of block", "`%}`")
        .replace("unexpected end of input", "it ends too early")
        .replace("end of input", "the end")
        .replace(", expected expression", ", a value is missing");
    let fault = match detail.strip_prefix("unknown statement ") {
        Some(name) if ["elseif", "elsif", "elif"].contains(&name) => {
            Fault::new(format!("`{{% {name} %}}` is not available"))
                .help("write `{% elif … %}` between `{% if … %}` and `{% endif %}`")
        }
        Some(name) => Fault::new(format!("`{{% {name} %}}` is not available"))
            .help("templates have `{{ … }}`, `{% if %}`, `{% for %}`, `{% set %}` and `{% with %}`"),
        None => Fault::new(format!("This cannot be read: {detail}")),
    };
    fault.at(start)
}

fn offset(span: Span) -> usize {
    usize::try_from(span.start_offset).unwrap_or(0)
}

struct Builder<'s> {
    source: &'s str,
    depth: usize,
    doubts: Vec<Fault>,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Builder<'s> {
        Builder {
            source,
            depth: 0,
            doubts: Vec::new(),
        }
    }

    /// `a * 0.8 | round(2)` rounds 0.8: a filter goes before the operators around it.
    fn filter_of_last(&mut self, binary: &ast::BinOp<'_>) {
        let ast::Expr::Filter(filter) = &binary.right else {
            return;
        };
        let (Some(input), true) = (&filter.expr, is_arithmetic(binary.op)) else {
            return;
        };
        let end = |span: Span| usize::try_from(span.end_offset).unwrap_or(0);
        let start = offset(binary.right.span());
        let between = self
            .source
            .get(end(binary.left.span())..start.max(offset(input.span())));
        let opened = between.unwrap_or_default().contains('(');
        let closed = self
            .source
            .get(end(input.span())..)
            .unwrap_or_default()
            .trim_start()
            .starts_with(')');
        if !opened || closed {
            let name = filter.name;
            let doubt = Fault::new(format!(
                "`{name}` goes with the last value alone, before the calculation"
            ))
            .help(format!(
                "write `(…) | {name}` for the result, or `… (… | {name})` if the last value is meant"
            ));
            self.doubts.push(doubt.at(start));
        }
    }

    fn deeper<T>(&mut self, build: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= DEPTH {
            return Err(Fault::new("This template is nested too deeply")
                .help("take a part out with `{% set part = … %}` before it"));
        }
        self.depth += 1;
        let built = build(self);
        self.depth -= 1;
        built
    }

    fn block(&mut self, stmts: &[ast::Stmt<'_>]) -> Outcome<Vec<Stmt>> {
        stmts
            .iter()
            .map(|stmt| self.deeper(|builder| builder.stmt(stmt)))
            .collect()
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'_>) -> Outcome<Stmt> {
        let (what, span) = match stmt {
            ast::Stmt::EmitRaw(raw) => return Ok(Stmt::Raw(raw.raw.into())),
            ast::Stmt::EmitExpr(emit) => return Ok(Stmt::Print(self.expr(&emit.expr)?)),
            ast::Stmt::IfCond(cond) => {
                let test = self.expr(&cond.expr)?;
                return Ok(Stmt::If(
                    test,
                    self.block(&cond.true_body)?,
                    self.block(&cond.false_body)?,
                ));
            }
            ast::Stmt::ForLoop(each) if !each.recursive => {
                return Ok(Stmt::For(Box::new(For {
                    target: target(&each.target)?,
                    over: self.expr(&each.iter)?,
                    only_if: each.filter_expr.as_ref().map(|expr| self.expr(expr)).transpose()?,
                    body: self.block(&each.body)?,
                    otherwise: self.block(&each.else_body)?,
                })));
            }
            ast::Stmt::WithBlock(with) => {
                let set = with
                    .assignments
                    .iter()
                    .map(|(to, expr)| Ok((target(to)?, self.expr(expr)?)));
                return Ok(Stmt::With(set.collect::<Outcome<_>>()?, self.block(&with.body)?));
            }
            ast::Stmt::Set(set) => return Ok(Stmt::Set(target(&set.target)?, self.expr(&set.expr)?)),
            ast::Stmt::SetBlock(set) if set.filter.is_none() => {
                return Ok(Stmt::Capture(target(&set.target)?, self.block(&set.body)?));
            }
            ast::Stmt::ForLoop(each) => ("a recursive `{% for %}`", each.span()),
            ast::Stmt::SetBlock(set) => ("a filter in `{% set %} … {% endset %}`", set.span()),
            ast::Stmt::AutoEscape(block) => ("`{% autoescape %}`", block.span()),
            ast::Stmt::FilterBlock(block) => ("`{% filter %}`", block.span()),
            ast::Stmt::Do(call) => ("`{% do %}`", call.span()),
            ast::Stmt::Template(template) => ("a template in a template", template.span()),
        };
        Err(Fault::new(format!("{what} is not available"))
            .help("templates have `{{ … }}`, `{% if %}`, `{% for %}`, `{% set %}` and `{% with %}`")
            .at(offset(span)))
    }

    fn boxed(&mut self, expr: &ast::Expr<'_>) -> Outcome<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> Outcome<Expr> {
        self.deeper(|builder| builder.node(expr))
            .map_err(|fault| fault.at(offset(expr.span())))
    }

    fn node(&mut self, expr: &ast::Expr<'_>) -> Outcome<Expr> {
        let mut at = offset(expr.span());
        let node = match expr {
            ast::Expr::Var(var) => Node::Name(var.id.into()),
            ast::Expr::Const(constant) => Node::Const(self.constant(&constant.value, constant.span())?),
            ast::Expr::Slice(slice) => {
                if slice.step.is_some() {
                    return Err(Fault::new("A part of a list has a start and an end, nothing else").help("`list[1:3]`"));
                }
                let start = slice.start.as_ref().map(|expr| self.boxed(expr)).transpose()?;
                let stop = slice.stop.as_ref().map(|expr| self.boxed(expr)).transpose()?;
                Node::Slice(self.boxed(&slice.expr)?, start, stop)
            }
            ast::Expr::UnaryOp(unary) => match unary.op {
                UnaryOpKind::Neg => Node::Negative(self.boxed(&unary.expr)?),
                UnaryOpKind::Not => match &unary.expr {
                    // The parser reads `a not in b` as `not (a in b)`; only the first is a comparison.
                    ast::Expr::BinOp(binary) if matches!(binary.op, BinOpKind::In) && self.says_not(binary) => {
                        let right = self.expr(&binary.right)?;
                        Node::Compare(self.boxed(&binary.left)?, vec![(Comparison::NotIn, right)])
                    }
                    inner => Node::Not(self.boxed(inner)?),
                },
            },
            ast::Expr::BinOp(binary) => {
                let (left, right) = (self.boxed(&binary.left)?, self.boxed(&binary.right)?);
                self.filter_of_last(binary);
                at = left.at;
                binary_node(binary.op, left, right)
            }
            ast::Expr::Compare(compare) => {
                let first = self.boxed(&compare.expr)?;
                at = first.at;
                let rest = compare
                    .ops
                    .iter()
                    .map(|op| Ok((comparison(op.op), self.expr(&op.expr)?)));
                Node::Compare(first, rest.collect::<Outcome<_>>()?)
            }
            ast::Expr::IfExpr(choice) => {
                let test = self.boxed(&choice.test_expr)?;
                let yes = self.boxed(&choice.true_expr)?;
                let no = choice.false_expr.as_ref().map(|expr| self.boxed(expr)).transpose()?;
                Node::If(test, yes, no)
            }
            ast::Expr::Filter(filter) => {
                let Some(input) = &filter.expr else {
                    return Err(Fault::new("A filter needs something before `|`"));
                };
                let input = self.boxed(input)?;
                at = input.at;
                self.apply(FilterKind::Filter, filter.name, Some(input), &filter.args)?
            }
            ast::Expr::Test(test) => {
                let input = self.boxed(&test.expr)?;
                at = input.at;
                self.apply(FilterKind::Test, test.name, Some(input), &test.args)?
            }
            ast::Expr::GetAttr(get) => {
                let of = self.boxed(&get.expr)?;
                at = of.at;
                let key = Expr {
                    at,
                    node: Node::Const(Value::text(get.name)),
                };
                Node::Part(of, Box::new(key))
            }
            ast::Expr::GetItem(get) => {
                let of = self.boxed(&get.expr)?;
                at = of.at;
                Node::Part(of, self.boxed(&get.subscript_expr)?)
            }
            ast::Expr::Call(call) => match &call.expr {
                ast::Expr::Var(var) => self.apply(FilterKind::Function, var.id, None, &call.args)?,
                ast::Expr::GetAttr(get) => {
                    return Err(
                        Fault::new(format!("`.{}(…)` is not available", get.name)).help(match get.name {
                            "strftime" | "format" => "write a filter: `… | date('%d %b %Y')`".to_owned(),
                            name if FILTERS
                                .iter()
                                .any(|doc| doc.kind == FilterKind::Filter && doc.name == name) =>
                            {
                                format!("write a filter: `… | {name}`")
                            }
                            _ => "what can be done with a value are filters, such as `… | upper`".to_owned(),
                        }),
                    );
                }
                _ => return Err(Fault::new("Only a function can be called, as in `range(3)`")),
            },
            ast::Expr::List(list) => Node::List(self.exprs(&list.items)?),
            ast::Expr::Tuple(tuple) => Node::List(self.exprs(&tuple.items)?),
            ast::Expr::Map(map) => {
                let pairs = map.keys.iter().zip(&map.values);
                Node::Map(
                    pairs
                        .map(|(key, value)| Ok((self.expr(key)?, self.expr(value)?)))
                        .collect::<Outcome<_>>()?,
                )
            }
        };
        Ok(Expr { at, node })
    }

    fn exprs(&mut self, exprs: &[ast::Expr<'_>]) -> Outcome<Vec<Expr>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// The digits are read from the source: the parser would turn `1.10` into a float.
    fn constant(&self, value: &minijinja::Value, span: Span) -> Outcome<Value> {
        if let Some(text) = value.as_str() {
            return Ok(Value::text(text));
        }
        if value.is_none() {
            return Ok(Value::Nothing);
        }
        if let Ok(bool) = bool::try_from(value.clone())
            && !value.is_number()
        {
            return Ok(Value::Bool(bool));
        }
        let end = usize::try_from(span.end_offset).unwrap_or(0);
        let written = self.source.get(offset(span)..end).unwrap_or_default().replace('_', "");
        let number = Number::parse(&written).or_else(|| Number::parse(&value.to_string()));
        number
            .map(Value::Number)
            .ok_or_else(|| Fault::new(format!("`{written}` is not a number")))
    }

    fn says_not(&self, binary: &ast::BinOp<'_>) -> bool {
        let from = usize::try_from(binary.left.span().end_offset).unwrap_or(0);
        let between = self.source.get(from..).unwrap_or_default();
        between
            .trim_start_matches(|c: char| c == ')' || c.is_whitespace())
            .starts_with("not")
    }

    fn apply(
        &mut self,
        kind: FilterKind,
        name: &str,
        input: Option<Box<Expr>>,
        given: &[CallArg<'_>],
    ) -> Outcome<Node> {
        let doc = catalog::find(kind, name)?;
        let mut call = Application {
            doc,
            input,
            args: Vec::new(),
            named: Vec::new(),
        };
        for arg in given {
            match arg {
                CallArg::Pos(expr) => call.args.push(self.expr(expr)?),
                CallArg::Kwarg(name, expr) => call.named.push(((*name).into(), self.expr(expr)?)),
                CallArg::PosSplat(_) | CallArg::KwargSplat(_) => {
                    return Err(Fault::new("`*` and `**` cannot stand before an argument"));
                }
            }
        }
        doc.check_arguments(&call)?;
        if let ("date" | "time", Some(Node::Const(Value::Text(format)))) =
            (name, call.args.first().map(|arg| &arg.node))
        {
            times::check_format(&format.text)?;
            if times::claims_utc(&format.text) && !call.input.as_ref().is_some_and(|input| is_utc(input)) {
                let doubt = Fault::new("`Z` means UTC, and this prints the property's own time")
                    .help("write `| utc` before it; `%:z` prints the offset as it is");
                self.doubts
                    .push(call.input.iter().fold(doubt, |doubt, input| doubt.at(input.at)));
            }
        }
        Ok(Node::Apply(call))
    }
}

fn is_arithmetic(op: BinOpKind) -> bool {
    use BinOpKind::{Add, Div, FloorDiv, Mul, Pow, Rem, Sub};
    matches!(op, Add | Sub | Mul | Div | FloorDiv | Rem | Pow)
}

/// Whether this is a time in UTC for certain, also where it was moved.
fn is_utc(expr: &Expr) -> bool {
    match &expr.node {
        Node::Apply(call) if call.doc.name == "utc" => true,
        Node::Apply(call) if matches!(call.doc.name, "plus" | "minus") => {
            call.input.as_ref().is_some_and(|input| is_utc(input))
        }
        _ => false,
    }
}

fn target(expr: &ast::Expr<'_>) -> Outcome<Target> {
    match expr {
        ast::Expr::Var(var) => Ok(Target::Name(Arc::from(var.id))),
        ast::Expr::List(list) => list.items.iter().map(target).collect::<Outcome<_>>().map(Target::Each),
        ast::Expr::Tuple(tuple) => tuple.items.iter().map(target).collect::<Outcome<_>>().map(Target::Each),
        _ => Err(Fault::new("A value can only be given to a plain name")
            .help("`{% set total = … %}`")
            .at(offset(expr.span()))),
    }
}
