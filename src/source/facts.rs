//! Applying mappings to a body.

mod names;
mod records;

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use self::names::names;
use self::records::{currency_of, record, settled};
use super::mapping::Mapping;
use super::path::{Input, Lookup};
use super::predicate::{Predicate, looked_at};
use super::read::{self, Reading, StatusReading};
use super::value::{Expr, Found, scalar_text};
use crate::model::fact::{Fact, Says};
use crate::model::field::{AUTHORS, FieldKind};
use crate::model::phone::{is_masked, last4};
use crate::model::reservation::fold_word;

/// The most items of one delivery: they are decided in one transaction.
const ITEMS_MAX: usize = 5000;
/// The most bytes that the facts of one delivery say: what stands once in a body may be said of each of its items.
const SAID_MAX: usize = 64 << 20;

/// What mappings make of a body.
pub(super) enum Read {
    /// What it says, and what of it was left out on purpose, in words.
    Facts(Vec<Fact>, Vec<String>),
    /// A list of items that is empty.
    Nothing(String),
    Unmapped(String),
}

/// Reads a body by the first mapping that applies, or each of its items by the first that applies to it.
///
/// Items to which a rule of `ignore` applies are left out; `ignore` are the rules that read items.
pub(super) fn read(mappings: &[Mapping], ignore: &[&(Predicate, String)], source: &str, input: &Input<'_>) -> Read {
    let (mut facts, mut said) = (Vec::new(), 0);
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let mut passed_over: Vec<(&Predicate, &Value)> = Vec::new();
    let mut problems = Vec::new();
    let mut taken: HashSet<*const Value> = HashSet::new();
    let (mut empty, mut nowhere) = (Vec::new(), Vec::new());
    for mapping in mappings {
        let items = items(mapping, input);
        if items.is_empty() {
            // What is not there is no empty list: the path may be wrong.
            let list = if is_there(mapping, input) {
                &mut empty
            } else {
                &mut nowhere
            };
            list.extend(
                mapping
                    .items
                    .iter()
                    .map(Lookup::text)
                    .filter(|path| !list.contains(path))
                    .collect::<Vec<_>>(),
            );
        }
        if items.len() > ITEMS_MAX {
            return Read::Unmapped(format!("more than {ITEMS_MAX} items in one delivery"));
        }
        for item in items {
            let input = Input { item, ..*input };
            if taken.contains(&std::ptr::from_ref(item)) {
                continue;
            }
            if let Some((_, because)) = ignore.iter().find(|(predicate, _)| predicate.holds(&input)) {
                taken.insert(std::ptr::from_ref(item));
                *left_out.entry(because).or_default() += 1;
                continue;
            }
            match &mapping.applies_to {
                Some(predicate) if !predicate.holds(&input) => {
                    passed_over.push((predicate, item));
                    continue;
                }
                _ => {}
            }
            taken.insert(std::ptr::from_ref(item));
            match apply(mapping, source, &input) {
                Ok(found) => {
                    said += found.iter().map(Fact::size).sum::<usize>();
                    if said > SAID_MAX {
                        return Read::Unmapped("its items say more than 64 MiB in all".to_owned());
                    }
                    facts.extend(found);
                }
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if mapping.items.is_empty() && taken.contains(&std::ptr::from_ref(input.body)) {
            break;
        }
    }
    let say = |(because, count)| format!("{count} left out: {because}");
    let left_out: Vec<String> = left_out.into_iter().map(say).collect();
    passed_over.retain(|(_, item)| !taken.contains(&std::ptr::from_ref(*item)));
    if !facts.is_empty() {
        // A mapping of the whole body that does not apply leaves no item unread.
        passed_over.retain(|(_, item)| !std::ptr::eq(*item, input.body));
    }
    let looked_at = looked_at(&passed_over, input);
    if let Some(first) = facts.first_mut() {
        first.warnings.extend(problems);
        let unread: HashSet<*const Value> = passed_over.iter().map(|(_, item)| std::ptr::from_ref(*item)).collect();
        let unread = unread.len();
        if unread > 0 {
            first.warnings.push(format!(
                "{unread} of its items are read by no mapping: looked at {looked_at}"
            ));
        }
        return Read::Facts(facts, left_out);
    }
    if !problems.is_empty() {
        return Read::Unmapped(problems.join("; "));
    }
    if looked_at.is_empty() && !left_out.is_empty() {
        return Read::Nothing(left_out.join("; "));
    }
    match (empty.as_slice(), nowhere.as_slice()) {
        _ if !looked_at.is_empty() => Read::Unmapped(format!("no mapping applies: looked at {looked_at}")),
        ([], []) => Read::Unmapped("this source has no mapping yet".to_owned()),
        ([], paths) => Read::Unmapped(format!("there is no {} in it", paths.join(", "))),
        (paths, _) => Read::Nothing(format!("nothing in {}", paths.join(", "))),
    }
}

/// The first name of the first stay that a body speaks of.
pub(super) fn first_name(mappings: &[Mapping], input: &Input<'_>) -> Option<String> {
    mappings.iter().find_map(|mapping| {
        items(mapping, input).into_iter().find_map(|item| {
            let input = Input { item, ..*input };
            if mapping
                .applies_to
                .as_ref()
                .is_some_and(|predicate| !predicate.holds(&input))
            {
                return None;
            }
            names(mapping, "", &input, &mut Vec::new())
                .ok()?
                .all()
                .next()
                .map(str::to_owned)
        })
    })
}

fn items<'v>(mapping: &Mapping, input: &Input<'v>) -> Vec<&'v Value> {
    if mapping.items.is_empty() {
        return vec![input.body];
    }
    for lookup in &mapping.items {
        let Lookup::Path(path) = lookup else { continue };
        let mut found = Vec::new();
        for value in path.all(input) {
            match value {
                // A sender that sends one thing bare and several in a list means the same by both.
                Value::Array(items) => found.extend(items),
                Value::Null => {}
                other => found.push(other),
            }
        }
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Whether one of the paths of `items` leads to a list.
fn is_there(mapping: &Mapping, input: &Input<'_>) -> bool {
    let mut paths = mapping.items.iter();
    paths.any(|path| matches!(path, Lookup::Path(path) if path.is_there(input)))
}

fn apply(mapping: &Mapping, source: &str, input: &Input<'_>) -> Result<Vec<Fact>, String> {
    let mut warnings = Vec::new();
    let stay = names(mapping, source, input, &mut warnings)?;
    let version = mapping.version.stamp(input, &mut warnings);
    let hint = mapping.hint.as_ref().and_then(|expr| hint(expr, input));
    let mut said = Vec::new();
    if !mapping.fields.is_empty() {
        let fields = reservation(mapping, input, &mut warnings);
        said.push(("reservation.", Says::Reservation { fields }));
    }
    let payment = record("payment", &mapping.payment, input, &mut warnings);
    if let Some(payment) = payment {
        let (id, payment) = settled(payment);
        said.push(("payment.", Says::Payment { id, payment }));
    }
    let message = record("message", &mapping.message, input, &mut warnings);
    if let Some(mut message) = message {
        let from = fold_word(message["from"].as_str().unwrap_or_default());
        message["from"] = AUTHORS.iter().find(|who| **who == from).copied().into();
        let id = message["id"].as_str().map(str::to_owned);
        said.push(("message.", Says::Message { id, message }));
    }
    if said.is_empty() {
        let paths = mapping
            .payment
            .iter()
            .chain(&mapping.message)
            .flat_map(|(.., expr)| expr.paths());
        let paths: Vec<String> = paths.collect();
        return Err(match paths.as_slice() {
            [] => "the mapping reads no field of a reservation, payment or message".to_owned(),
            paths => format!("no payment or message: looked at {}", paths.join(", ")),
        });
    }
    let mut facts: Vec<Fact> = Vec::new();
    for (prefix, says) in said {
        let fits = |hint: &&String| hint.starts_with(prefix) || (hint.starts_with("other.") && facts.is_empty());
        facts.push(Fact {
            stay: stay.clone(),
            says,
            version,
            hint: hint.as_ref().filter(fits).cloned(),
            warnings: std::mem::take(&mut warnings),
        });
    }
    Ok(facts)
}

/// Of a list the first that the map knows: some senders name all that happened.
fn hint(expr: &Expr, input: &Input<'_>) -> Option<String> {
    if expr.is_constant() {
        let Found::Value(value) = expr.find(input) else {
            return None;
        };
        return scalar_text(expr.translate(&value).unwrap_or(&value));
    }
    let sent = expr.find_all(input).ok().flatten()?;
    sent.iter().find_map(|word| expr.word(word)).or_else(|| {
        let first = sent.first()?;
        expr.translate(&Value::String(first.clone())).and_then(scalar_text)
    })
}

fn reservation(mapping: &Mapping, input: &Input<'_>, warnings: &mut Vec<String>) -> BTreeMap<String, Value> {
    let partial = mapping.partial.holds(input);
    let currency = mapping.fields.iter().find(|(field, _)| field.name == "money.currency");
    let currency = currency.and_then(|(_, expr)| currency_of(expr, input));
    let mut fields = BTreeMap::new();
    for (field, expr) in &mapping.fields {
        if field.kind == FieldKind::Status {
            match read::status(expr, input) {
                StatusReading::Words { canonical, sent } => {
                    fields.insert("status".to_owned(), canonical.word().into());
                    fields.insert("source_status".to_owned(), sent.into());
                }
                StatusReading::Absent if partial => {}
                StatusReading::Absent => {
                    fields.insert("status".to_owned(), Value::Null);
                }
                StatusReading::Unreadable(why) => warnings.push(why),
            }
            continue;
        }
        match read::field(field.name, field.kind, expr, input, currency.as_deref()) {
            Reading::Value(value) => fields.insert(field.name.to_owned(), value),
            Reading::Cleared => fields.insert(field.name.to_owned(), Value::Null),
            // The sender's word for the status stays with the status, which absence does not clear either.
            Reading::Absent if partial || field.name == "source_status" => None,
            Reading::Absent => fields.insert(field.name.to_owned(), Value::Null),
            Reading::Unreadable(why) => {
                warnings.push(why);
                None
            }
        };
    }
    full_name(mapping, &mut fields);
    last_four(&mut fields);
    fields
}

/// The end of the phone, where the sender does not give it apart. A masked phone is none: it takes no whole one away.
fn last_four(fields: &mut BTreeMap<String, Value>) {
    const LAST4: &str = "guest.phone_last4";
    let Some(phone) = fields.get("guest.phone") else { return };
    let phone = phone.as_str().unwrap_or_default().to_owned();
    let end = last4(&phone);
    if is_masked(&phone) {
        fields.remove("guest.phone");
    }
    if fields.get(LAST4).is_none_or(Value::is_null) {
        fields.insert(LAST4.to_owned(), end.into());
    }
}

/// The name from its two halves, where the body does not give it whole. A partial that speaks of one half only says
/// nothing about the whole.
fn full_name(mapping: &Mapping, fields: &mut BTreeMap<String, Value>) {
    const HALVES: [&str; 2] = ["guest.first_name", "guest.last_name"];
    if fields.get("guest.name").is_some_and(|name| !name.is_null()) {
        return;
    }
    let mapped: Vec<&str> = HALVES
        .into_iter()
        .filter(|half| mapping.fields.iter().any(|(field, _)| field.name == *half))
        .collect();
    if mapped.is_empty() || !mapped.iter().all(|half| fields.contains_key(*half)) {
        return;
    }
    let name: Vec<&str> = mapped
        .iter()
        .filter_map(|half| fields[*half].as_str().map(str::trim))
        .filter(|half| !half.is_empty())
        .collect();
    let name = match name.as_slice() {
        [] => Value::Null,
        halves => halves.join(" ").into(),
    };
    fields.insert("guest.name".to_owned(), name);
}
