//! What of a body is nobody's: what its mapping knows as a status, date, amount, currency or count, and the words that the
//! mapping itself names. A list of what may be given away, so that what nobody has thought of is not.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::Source;
use super::look::items;
use super::mapping::{Mapping, Partial};
use super::moment::Moment;
use super::path::{Input, Lookup};
use super::predicate::Predicate;
use super::read::money;
use super::value::{Expr, scalar_text};
use crate::model::field::{AUTHORS, FieldKind, PAYMENT_KINDS, STATUSES, STAY_KINDS};
use crate::model::reservation::fold_word;

/// Bytes of the longest amount and of the longest time of day; digits of the largest count.
const AMOUNT_MAX: usize = 24;
const CLOCK_MAX: usize = 8;
const COUNT_MAX: usize = 4;

/// For a value, which bytes of its text may be given away; a value that is not in it has nothing of the kind.
pub type Allowed = HashMap<*const Value, Vec<bool>>;

/// What a value is read as.
#[derive(Clone, Copy)]
enum As {
    Field(&'static str, FieldKind),
    Order,
    Words,
}

impl Source {
    /// What may be given away of a body and of the headers kept with it.
    pub fn allowed(&self, body: &Value, headers: &BTreeMap<String, Value>) -> Allowed {
        let mut found = Found {
            allowed: Allowed::new(),
            headers,
            body,
        };
        for (predicate, _) in &self.ignore {
            found.condition(predicate, body);
        }
        for mapping in &self.mappings {
            for item in items(mapping, body) {
                found.mapping(mapping, item);
            }
        }
        found.allowed
    }
}

struct Found<'v> {
    allowed: Allowed,
    headers: &'v BTreeMap<String, Value>,
    body: &'v Value,
}

impl<'v> Found<'v> {
    fn mapping(&mut self, mapping: &Mapping, item: &'v Value) {
        if let Some(predicate) = &mapping.applies_to {
            self.condition(predicate, item);
        }
        if let Partial::Where(any) = &mapping.partial {
            any.iter().for_each(|predicate| self.condition(predicate, item));
        }
        mapping
            .version
            .exprs()
            .for_each(|expr| self.expr(As::Order, expr, item));
        for expr in mapping.hint.iter().chain(mapping.names().map(|(_, expr)| expr)) {
            self.expr(As::Words, expr, item);
        }
        for (field, expr) in &mapping.fields {
            self.expr(As::Field(field.name, field.kind), expr, item);
        }
        for (name, kind, expr) in mapping.payment.iter().chain(&mapping.message) {
            self.expr(As::Field(name, *kind), expr, item);
        }
    }

    /// The single values in a place.
    fn values(&self, at: &Lookup, item: &'v Value) -> Vec<&'v Value> {
        let input = Input {
            body: self.body,
            item,
            headers: &|_| None,
        };
        let found = match at {
            Lookup::Path(path) => path.all(&input),
            Lookup::Header(name) => self.headers.get(name).into_iter().collect(),
        };
        let each = found.into_iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        });
        each.collect()
    }

    fn allow(&mut self, value: &Value, bytes: Vec<bool>) {
        let known = self
            .allowed
            .entry(std::ptr::from_ref(value))
            .or_insert_with(|| vec![false; bytes.len()]);
        known.iter_mut().zip(bytes).for_each(|(known, new)| *known |= new);
    }

    fn condition(&mut self, predicate: &Predicate, item: &'v Value) {
        for (at, fits) in predicate.named() {
            for value in self.values(at, item) {
                let text = value.as_str().map(str::to_owned).or_else(|| scalar_text(value));
                if let Some(bytes) = text.and_then(|text| fits(&text)) {
                    self.allow(value, bytes);
                } else if value.is_boolean() || value.as_u64().is_some_and(|flag| flag < 2) {
                    // A flag: another one could be what another condition waits for.
                    self.allow(value, vec![true]);
                }
            }
        }
    }

    fn expr(&mut self, read_as: As, expr: &Expr, item: &'v Value) {
        for part in expr.parts() {
            self.expr(read_as, part, item);
        }
        for at in expr.lookups() {
            for value in self.values(at, item) {
                if let Some(text) = scalar_text(value)
                    && is_allowed(read_as, expr, value, &text)
                {
                    let whole = value.as_str().map_or(1, str::len);
                    self.allow(value, vec![true; whole]);
                }
            }
        }
    }
}

fn is_allowed(read_as: As, expr: &Expr, value: &Value, text: &str) -> bool {
    let digits = |max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let clock = || text.len() <= CLOCK_MAX && text.bytes().all(|b| b.is_ascii_digit() || b == b':');
    let one_of = |words: &[&str]| words.contains(&fold_word(text).replace(' ', "_").as_str());
    expr.word(text).is_some()
        || match read_as {
            As::Words => false,
            As::Order => Moment::of(value).is_some() || digits(AMOUNT_MAX),
            As::Field(_, FieldKind::Status) => one_of(STATUSES),
            As::Field(_, FieldKind::Kind) => one_of(STAY_KINDS) || value.is_boolean(),
            As::Field(_, FieldKind::Count) => digits(COUNT_MAX),
            As::Field(_, FieldKind::Money) => text.len() <= AMOUNT_MAX && money(value).is_some(),
            As::Field(_, FieldKind::Date | FieldKind::Time) => Moment::of(value).is_some() || clock(),
            As::Field("money.currency" | "currency", _) => {
                text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic())
            }
            As::Field("kind", _) => one_of(PAYMENT_KINDS),
            As::Field("from", _) => one_of(AUTHORS),
            As::Field(_, FieldKind::Text | FieldKind::List) => false,
        }
}
