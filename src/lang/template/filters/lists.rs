//! Filters of lists.

use std::cmp::Ordering;
use std::sync::Arc;

use super::attribute;
use crate::lang::template::catalog::{self, Call, FilterKind};
use crate::lang::template::compare::{equal, order};
use crate::lang::template::fault::{Fault, Outcome};
use crate::lang::template::number::{Number, Sum};
use crate::lang::template::value::Value;

/// Numbers `range` may give.
const RANGE: usize = 1000;

pub(in super::super) fn length(call: &mut Call<'_>) -> Outcome<Value> {
    Ok(Value::int(match &call.input {
        Value::List(list) => list.items.len(),
        Value::Map(map) => map.entries.len(),
        _ => call.input_text()?.chars().count(),
    }))
}

pub(in super::super) fn first(call: &mut Call<'_>) -> Outcome<Value> {
    match &call.input {
        Value::Text(text) => Ok(text
            .text
            .chars()
            .next()
            .map_or(Value::Missing(None), |c| Value::text(c.to_string()))),
        _ => Ok(call.input_list()?.into_iter().next().unwrap_or(Value::Missing(None))),
    }
}

pub(in super::super) fn last(call: &mut Call<'_>) -> Outcome<Value> {
    match &call.input {
        Value::Text(text) => Ok(text
            .text
            .chars()
            .next_back()
            .map_or(Value::Missing(None), |c| Value::text(c.to_string()))),
        _ => Ok(call.input_list()?.pop().unwrap_or(Value::Missing(None))),
    }
}

pub(in super::super) fn join(call: &mut Call<'_>) -> Outcome<Value> {
    let separator = call.text_arg(0)?.unwrap_or_default();
    let mut text = String::new();
    for (index, entry) in call.input_list()?.iter().enumerate() {
        let part = call.attribute(entry)?;
        call.meter.used(&part);
        if index > 0 {
            call.meter.push(&mut text, &separator)?;
        }
        call.meter.push(&mut text, &part.printed())?;
    }
    Ok(Value::text(text))
}

pub(in super::super) fn map(call: &mut Call<'_>) -> Outcome<Value> {
    if call.named_arg("attribute").is_none() {
        return Err(Fault::new("`map` needs an attribute").help("for example `payments | map(attribute='amount')`"));
    }
    let entries = call.input_list()?;
    Value::list(
        entries
            .iter()
            .map(|entry| call.attribute(entry))
            .collect::<Outcome<_>>()?,
    )
}

pub(in super::super) fn select(call: &mut Call<'_>) -> Outcome<Value> {
    chosen(call, None, true)
}

pub(in super::super) fn reject(call: &mut Call<'_>) -> Outcome<Value> {
    chosen(call, None, false)
}

pub(in super::super) fn select_attribute(call: &mut Call<'_>) -> Outcome<Value> {
    let name = call.text_arg(0)?;
    chosen(call, name, true)
}

pub(in super::super) fn reject_attribute(call: &mut Call<'_>) -> Outcome<Value> {
    let name = call.text_arg(0)?;
    chosen(call, name, false)
}

/// The entries for which a test gives `wanted`; without a test, those that are not empty.
fn chosen(call: &mut Call<'_>, name: Option<String>, wanted: bool) -> Outcome<Value> {
    let from = usize::from(name.is_some());
    let test = match call.text_arg(from)? {
        Some(test) => Some(catalog::find(FilterKind::Test, &test)?),
        None => None,
    };
    let args: Vec<Value> = call.args.iter().skip(from + 1).cloned().collect();
    let mut kept = Vec::new();
    for entry in call.input_list()? {
        let value = name
            .as_deref()
            .map_or_else(|| entry.clone(), |name| attribute(&entry, name));
        let work = args
            .iter()
            .fold(value.size(), |work, arg| work.saturating_add(arg.size()));
        call.meter.charge(work)?;
        let holds = match test {
            Some(doc) => {
                let (args, named) = (args.clone(), Vec::new());
                doc.run(&mut Call {
                    doc,
                    input: value,
                    args,
                    named,
                    meter: call.meter,
                })?
                .is_true()
            }
            None => value.is_true(),
        };
        if holds == wanted {
            kept.push(entry);
        }
    }
    Value::list(kept)
}

pub(in super::super) fn sort(call: &mut Call<'_>) -> Outcome<Value> {
    let entries = call.input_list()?;
    // As often as sorting may look at each entry.
    call.meter.charge(call.input.size().saturating_mul(16))?;
    let mut keyed = entries
        .into_iter()
        .map(|entry| Ok((call.attribute(&entry)?, entry)))
        .collect::<Outcome<Vec<_>>>()?;
    keyed.sort_by(|(a, _), (b, _)| placed(a, b));
    if call.named_arg("reverse").is_some_and(Value::is_true) {
        keyed.reverse();
    }
    Value::list(keyed.into_iter().map(|(_, entry)| entry).collect())
}

/// A total order: numbers, then texts, then the rest as it came. Sorting needs one, and comparing a text
/// that reads as a number with both would give none.
fn placed(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::Text(_) => 1,
        Value::Bool(_) => 2,
        _ => 3,
    };
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.text.cmp(&b.text),
        _ => order(a, b).unwrap_or(Ordering::Equal),
    })
}

pub(in super::super) fn reverse(call: &mut Call<'_>) -> Outcome<Value> {
    if let Value::Text(text) = &call.input {
        return Ok(Value::text(text.text.chars().rev().collect::<String>()));
    }
    let mut entries = call.input_list()?;
    entries.reverse();
    Value::list(entries)
}

pub(in super::super) fn unique(call: &mut Call<'_>) -> Outcome<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for entry in call.input_list()? {
        // Each entry is compared with all that are kept.
        call.meter.charge(kept.len().saturating_mul(entry.size().max(16)))?;
        if !kept.iter().any(|known| equal(known, &entry)) {
            kept.push(entry);
        }
    }
    Value::list(kept)
}

pub(in super::super) fn sum(call: &mut Call<'_>) -> Outcome<Value> {
    let mut total = Number::Int(0);
    for entry in call.input_list()? {
        call.meter.charge(0)?;
        let part = call.attribute(&entry)?;
        let number = match &part {
            Value::Number(number) => number.clone(),
            Value::Text(text) => {
                Number::parse(text.text.trim()).ok_or_else(|| call.needs("a list of numbers", &part))?
            }
            part if part.is_missing() => {
                call.meter.used(part);
                continue;
            }
            other => return Err(call.needs("a list of numbers", other)),
        };
        total = total.sum(Sum::Add, &number)?;
    }
    Ok(Value::Number(total))
}

pub(in super::super) fn least(call: &mut Call<'_>) -> Outcome<Value> {
    extreme(call, Ordering::Less)
}

pub(in super::super) fn greatest(call: &mut Call<'_>) -> Outcome<Value> {
    extreme(call, Ordering::Greater)
}

/// The entry that is before, or after, all others; those without a value do not count.
fn extreme(call: &mut Call<'_>, wanted: Ordering) -> Outcome<Value> {
    let mut best: Option<(Value, Value)> = None;
    for entry in call.input_list()? {
        call.meter.charge(entry.size())?;
        let key = call.attribute(&entry)?;
        let better = match &best {
            _ if key.is_missing() => false,
            None => true,
            Some((known, _)) => order(&key, known) == Some(wanted),
        };
        if better {
            best = Some((key, entry));
        }
    }
    Ok(best.map_or(Value::Missing(None), |(_, entry)| entry))
}

pub(in super::super) fn items(call: &mut Call<'_>) -> Outcome<Value> {
    match &call.input {
        Value::Map(map) => {
            call.meter.charge(map.entries.len().saturating_mul(32))?;
            let pairs = map.entries.iter();
            let pairs = pairs.map(|(key, value)| Value::list(vec![Value::text(Arc::clone(key)), value.clone()]));
            Value::list(pairs.collect::<Outcome<_>>()?)
        }
        other => Err(call.needs("a group of values", other)),
    }
}

pub(in super::super) fn range(call: &mut Call<'_>) -> Outcome<Value> {
    let first = call.count_arg(0)?.unwrap_or(0);
    let (from, to) = call.count_arg(1)?.map_or((0, first), |last| (first, last));
    if to.saturating_sub(from) > RANGE {
        return Err(Fault::new(format!("`range` gives at most {RANGE} numbers")));
    }
    Value::list((from..to).map(Value::int).collect())
}
