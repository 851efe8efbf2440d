//! Tests, and filters that decide.

use crate::lang::template::catalog::Call;
use crate::lang::template::compare::Comparison;
use crate::lang::template::fault::{Fault, Outcome};
use crate::lang::template::number::{Number, Sum};
use crate::lang::template::value::Value;

pub(in super::super) fn default(call: &mut Call<'_>) -> Outcome<Value> {
    let empty_too = call.args.get(1).is_some_and(Value::is_true);
    let replaced = call.input.is_missing() || (empty_too && !call.input.is_true());
    Ok(if replaced {
        call.args.first().cloned().unwrap_or(Value::Nothing)
    } else {
        call.input.clone()
    })
}

pub(in super::super) fn required(call: &mut Call<'_>) -> Outcome<Value> {
    match &call.input {
        Value::Missing(Some(name)) => Err(Fault::new(format!("{name} was not sent"))),
        Value::Missing(None) | Value::Nothing => Err(Fault::new("A required value was not sent")),
        value => Ok(value.clone()),
    }
}

pub(in super::super) fn contains(call: &mut Call<'_>) -> Outcome<Value> {
    compares(call, |part, whole| (Comparison::In, whole, part))
}

macro_rules! tests {
    ($($name:ident: $value:ident => $holds:expr;)*) => {
        $(pub(in super::super) fn $name(call: &mut Call<'_>) -> Outcome<Value> {
            let $value = &call.input;
            Ok(Value::Bool($holds))
        })*
    };
}

tests! {
    known: value => !value.is_missing();
    unknown: value => value.is_missing();
    number: value => matches!(value, Value::Number(_));
    string: value => matches!(value, Value::Text(_));
    boolean: value => matches!(value, Value::Bool(_));
    sequence: value => matches!(value, Value::List(_));
    mapping: value => matches!(value, Value::Map(_));
    is_true: value => matches!(value, Value::Bool(true));
    is_false: value => matches!(value, Value::Bool(false));
    even: value => divides(value, &Value::int(2));
    odd: value => matches!(value, Value::Number(Number::Int(_))) && !divides(value, &Value::int(2));
}

pub(in super::super) fn divisible(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::Bool(
        call.args.first().is_some_and(|by| divides(&call.input, by)),
    ))
}

fn divides(value: &Value, by: &Value) -> bool {
    match (value, by) {
        (Value::Number(value), Value::Number(by)) => value.sum(Sum::Rem, by).is_ok_and(|rest| rest.is_zero()),
        _ => false,
    }
}

pub(in super::super) fn starting(call: &mut Call<'_>) -> Outcome<Value> {
    let sent = call.args.first().is_some_and(|start| !start.is_missing());
    let start = call.text_arg(0)?.unwrap_or_default();
    Ok(Value::Bool(
        sent && matches!(&call.input, Value::Text(text) if text.text.starts_with(&start)),
    ))
}

pub(in super::super) fn ending(call: &mut Call<'_>) -> Outcome<Value> {
    let sent = call.args.first().is_some_and(|end| !end.is_missing());
    let end = call.text_arg(0)?.unwrap_or_default();
    Ok(Value::Bool(
        sent && matches!(&call.input, Value::Text(text) if text.text.ends_with(&end)),
    ))
}

/// Lets `(argument, input)` be put in order for a comparison.
fn compares(call: &mut Call<'_>, arrange: impl FnOnce(Value, Value) -> (Comparison, Value, Value)) -> Outcome<Value> {
    let argument = call.args.first().cloned().unwrap_or(Value::Nothing);
    let (comparison, right, left) = arrange(argument, call.input.clone());
    comparison.holds(&left, &right, call.meter).map(Value::Bool)
}

macro_rules! comparisons {
    ($($name:ident: $comparison:ident;)*) => {
        $(pub(in super::super) fn $name(call: &mut Call<'_>) -> Outcome<Value> {
            compares(call, |argument, input| (Comparison::$comparison, argument, input))
        })*
    };
}

comparisons! {
    eq: Equal;
    ne: Different;
    lt: Less;
    le: LessOrEqual;
    gt: Greater;
    ge: GreaterOrEqual;
    within: In;
}
