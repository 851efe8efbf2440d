//! What one rendering may cost, and what it noticed.

use super::fault::{Fault, Outcome};
use super::value::Value;

/// Steps one rendering may take.
pub(super) const FUEL: usize = 200_000;
/// Bytes one rendering may give, and any text it builds on the way.
pub(super) const OUTPUT: usize = 1 << 20;
/// Bytes of a value that count as one step.
const BYTES_A_STEP: usize = 256;

#[derive(Debug)]
pub(super) struct Meter {
    fuel: usize,
    missing: Vec<String>,
}

impl Meter {
    pub(super) fn new() -> Meter {
        Meter {
            fuel: FUEL,
            missing: Vec::new(),
        }
    }

    /// One step, and more for going through `bytes`.
    pub(super) fn charge(&mut self, bytes: usize) -> Outcome<()> {
        self.fuel = self.fuel.checked_sub(1 + bytes / BYTES_A_STEP).ok_or_else(|| {
            Fault::new("This template does too much work").help("shorten its loops or the lists they go through")
        })?;
        Ok(())
    }

    /// Notes a value that was needed and was not sent.
    pub(super) fn used(&mut self, value: &Value) {
        if let Value::Missing(Some(name)) = value
            && !self.missing.iter().any(|known| **known == **name)
            && self.missing.len() < 100
        {
            self.missing.push(name.to_string());
        }
    }

    pub(super) fn into_missing(self) -> Vec<String> {
        self.missing
    }

    /// Adds to a text that must not outgrow the output.
    pub(super) fn push(&mut self, text: &mut String, more: &str) -> Outcome<()> {
        self.charge(more.len())?;
        if text.len().saturating_add(more.len()) > OUTPUT {
            return Err(Fault::new("This template makes a text of more than 1 MiB"));
        }
        text.push_str(more);
        Ok(())
    }
}
