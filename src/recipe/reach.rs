//! Which stays a recipe can meet at all, as far as the configuration knows them: by property and by source.

use chrono::DateTime;
use serde_json::{Value, json};

use super::Recipe;
use super::conditions::{Match, Subject, Test};
use super::matching::View;

impl Recipe {
    /// Whether `match` can hold for stays of this property, `{key, timezone, tags, vars}`.
    pub fn may_meet(&self, property: &Value) -> bool {
        let stay = json!({"property": property});
        let tests = self.conditions.tests.iter().filter(|test| of_property(test)).cloned();
        let conditions = Match { tests: tests.collect() };
        conditions.holds(&View::of_stay(&stay, DateTime::default()))
    }

    /// Whether `match` can hold for stays of this kind, however they change otherwise.
    pub fn may_be(&self, kind: &str) -> bool {
        self.conditions.tests.iter().all(|test| match &test.of {
            Subject::Kind(kinds) => kinds.contains(&kind),
            _ => true,
        })
    }

    /// Whether `match` can hold for stays of this source.
    pub fn may_come_from(&self, source: &str) -> bool {
        self.conditions.tests.iter().all(|test| match &test.of {
            Subject::Field(name, wanted) if name == "source" => wanted.holds(&source.into()),
            Subject::Not(inner) => match inner.tests.as_slice() {
                [
                    Test {
                        of: Subject::Field(name, wanted),
                        ..
                    },
                ] if name == "source" => !wanted.holds(&source.into()),
                _ => true,
            },
            _ => true,
        })
    }
}

/// Whether a condition looks at nothing but what the configuration says of a property.
fn of_property(test: &Test) -> bool {
    match &test.of {
        Subject::Property(_) => true,
        Subject::Field(name, _) => {
            matches!(name.as_str(), "property.key" | "property.timezone" | "property.tags")
                || name.starts_with("property.vars.")
        }
        Subject::Not(inner) => !inner.tests.is_empty() && inner.tests.iter().all(of_property),
        _ => false,
    }
}
