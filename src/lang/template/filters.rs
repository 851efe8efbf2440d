//! What filters, functions and tests do.

pub(super) mod checks;
pub(super) mod lists;
pub(super) mod numbers;
pub(super) mod texts;

use std::sync::Arc;

use super::catalog::Call;
use super::fault::{Fault, Outcome};
use super::number::Number;
use super::value::Value;

impl Call<'_> {
    /// The text before `|`; numbers and the like as they are printed.
    pub(super) fn input_text(&self) -> Outcome<Arc<str>> {
        match &self.input {
            Value::Text(text) => Ok(Arc::clone(&text.text)),
            value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.printed().into()),
            other => Err(self.needs("a text", other)),
        }
    }

    /// The number before `|`, also where it was sent as text.
    pub(super) fn input_number(&self) -> Outcome<Number> {
        let number = match &self.input {
            Value::Number(number) => Some(number.clone()),
            Value::Text(text) => Number::parse(text.text.trim()),
            _ => None,
        };
        number.ok_or_else(|| self.needs("a number", &self.input))
    }

    /// The entries before `|`.
    pub(super) fn input_list(&mut self) -> Outcome<Vec<Value>> {
        match &self.input {
            Value::List(list) => {
                // Every entry is a step, however small.
                self.meter.charge(list.items.len().saturating_mul(16))?;
                Ok(list.items.clone())
            }
            other => Err(self.needs("a list", other)),
        }
    }

    pub(super) fn text_arg(&mut self, index: usize) -> Outcome<Option<String>> {
        match self.args.get(index) {
            None => Ok(None),
            Some(value @ (Value::List(_) | Value::Map(_))) => Err(self.needs("a text in brackets", value)),
            Some(value) => {
                self.meter.used(value);
                Ok(Some(value.printed()))
            }
        }
    }

    pub(super) fn count_arg(&self, index: usize) -> Outcome<Option<usize>> {
        match self.args.get(index) {
            None => Ok(None),
            Some(Value::Number(Number::Int(int))) if *int >= 0 => usize::try_from(*int)
                .map(Some)
                .map_err(|_| Fault::new("This number is too large")),
            Some(other) => Err(self.needs("a whole number in brackets", other)),
        }
    }

    pub(super) fn named_arg(&self, name: &str) -> Option<&Value> {
        self.named
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The part of an entry that `attribute=` asks for, else the entry.
    pub(super) fn attribute(&self, entry: &Value) -> Outcome<Value> {
        match self.named_arg("attribute") {
            None => Ok(entry.clone()),
            Some(Value::Text(name)) => Ok(attribute(entry, &name.text)),
            Some(other) => Err(self.needs("a name as its attribute", other)),
        }
    }

    pub(super) fn needs(&self, what: &str, got: &Value) -> Fault {
        Fault::new(format!("`{}` needs {what}, not {}", self.doc.name, got.kind()))
            .help(format!("for example `{}`", self.doc.example))
    }
}

/// A value in an entry, by its dotted name; missing where it is not there.
pub(super) fn attribute(entry: &Value, name: &str) -> Value {
    name.split('.').fold(entry.clone(), |value, key| match &value {
        Value::Map(map) => map.entries.get(key).cloned().unwrap_or(Value::Missing(None)),
        _ => Value::Missing(None),
    })
}
