//! A recipe as a sentence.

use super::conditions::{Match, Subject, Test};
use super::{Recipe, Trigger};

impl Recipe {
    /// What it does, in one sentence: "Tell the cleaner: on reservation.dates_changed, if status is booked, then email
    /// over `mail`."
    pub fn sentence(&self) -> String {
        let types: Vec<String> = self.on.iter().flat_map(Trigger::types).cloned().collect();
        let mut out = format!("{}: on {}", self.name, any(&types));
        // The default kind goes without saying.
        let said = self.conditions.tests.iter();
        let said = said.filter(|test| !matches!(&test.of, Subject::Kind(kinds) if kinds[..] == ["guest"]));
        let mut conditions: Vec<String> = said.map(|test| phrase(test, "is")).collect();
        if let Some(when) = &self.when {
            let source = when.source().trim();
            let alone = conditions.is_empty() || !source.contains(" or ");
            conditions.push(if alone {
                source.to_owned()
            } else {
                format!("({source})")
            });
        }
        if !conditions.is_empty() {
            out += &format!(", if {}", conditions.join(" and "));
        }
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| {
                let over = step
                    .effect
                    .connection()
                    .map(|name| format!(" over `{name}`"))
                    .unwrap_or_default();
                let when = step
                    .when
                    .as_ref()
                    .map(|when| format!(" (if {})", when.source().trim()))
                    .unwrap_or_default();
                format!("{}{over}{when}", step.kind)
            })
            .collect();
        out += &format!(", then {}.", steps.join(", "));
        if !self.enabled {
            out += " It is switched off.";
        } else if self.dry_run {
            out += " Nothing is really sent (dry run).";
        }
        out
    }
}

fn any(words: &[String]) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn phrases(conditions: &Match, verb: &str) -> Vec<String> {
    conditions.tests.iter().map(|test| phrase(test, verb)).collect()
}

fn phrase(test: &Test, verb: &str) -> String {
    match &test.of {
        Subject::Was(inner) => format!("before it {}", phrases(inner, "was").join(" and ")),
        Subject::Not(inner) => format!("not ({})", phrases(inner, verb).join(" and ")),
        _ => {
            let (name, value) = test.says.split_once(": ").unwrap_or((&test.says, ""));
            let values: Vec<&str> = match value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
                Some(list) => list.split(", ").collect(),
                None => vec![value],
            };
            let mut plain: Vec<String> = Vec::new();
            for value in values {
                plain.push(match value {
                    "null" => "not sent".to_owned(),
                    value => value.replace("!= ", "not ").replace("!=", "not "),
                });
            }
            if plain.len() == 1 && plain[0].starts_with(['<', '>']) {
                format!("{name} {}", plain[0])
            } else {
                format!("{name} {verb} {}", any(&plain))
            }
        }
    }
}
