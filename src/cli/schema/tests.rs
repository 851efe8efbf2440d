//! Nothing is declared that nobody reads, and every example is one.

use serde_json::json;

use super::*;
use crate::lang::diag::Report;
use crate::lang::fields::READ;
use crate::lang::shape::schema::value_of;
use crate::lang::shape::{More, Standing, reachable};

const RECIPE_TEXT: &str = include_str!("../../../tests/fixtures/whole/recipe.yaml");
const CONFIG_TEXT: &str = include_str!("../../../tests/fixtures/whole/config.yaml");

/// Settings that have a reader of their own, which is held against the declaration elsewhere.
const OWN_READERS: &[&str] = &[
    "`match`",
    "`was`",
    "`payload`",
    "`guest`",
    "`money`",
    "`payment`",
    "`message`",
    "`property`",
    "`property.vars`",
    "`vars`",
    "`map`",
    "`applies_to` or `partial`",
    "an entry of `match`",
    "`match` of a list",
    "`{}`",
    // Read as a part of a source.
    "a preset",
];

#[test]
fn all_that_is_declared_is_read() {
    let mut report = Report::new();
    let recipe = crate::recipe::compile("recipe.yaml", RECIPE_TEXT, &crate::action::effect_kinds(), &mut report);
    let env = |name: &str| Some(format!("{name}-0123456789abcdef"));
    let env =
        |name: &str| env(name).filter(|_| !["ZONE", "DRY", "METRICS", "TIMEOUT", "MANY", "MAIL_PORT"].contains(&name));
    let base = std::path::Path::new(".");
    let config = crate::config::parse("config.yaml", CONFIG_TEXT, base, &env, &mut report);
    assert!(recipe.is_some() && config.is_some(), "{}", report.render(|_| None));
    let actions: Vec<_> = actions().into_iter().map(|(_, shape)| shape).collect();
    let read = READ.take();
    for file in [File::Recipe, File::Config] {
        for shape in reachable(file.shape(), &actions) {
            let own = OWN_READERS.contains(&shape.what);
            let found = read.iter().any(|read| std::ptr::eq(*read, shape));
            assert!(found || own, "nobody reads {}", shape.what);
        }
    }
}

#[test]
fn every_example_is_one() {
    let actions = actions();
    let below: Vec<_> = actions.iter().map(|(_, shape)| *shape).collect();
    let mut seen = 0;
    for file in File::ALL {
        for shape in reachable(file.shape(), &below) {
            let language = Language {
                actions: &actions,
                variables: true,
            };
            let mut schema = schema(shape, "", language);
            // One key alone is not all that has to be there.
            for key in ["required", "allOf"] {
                schema.as_object_mut().and_then(|schema| schema.remove(key));
            }
            let validator = jsonschema::draft7::new(&schema).unwrap();
            let own = shape.more.iter().filter_map(|more| match more {
                More::Own(own) => Some((own.name, own.example)),
                _ => None,
            });
            let entries = shape
                .entries()
                .into_iter()
                .filter(|entry| entry.standing == Standing::Read);
            for (name, example) in entries.map(|entry| (entry.name, entry.example)).chain(own) {
                let listed = shape.more.iter().any(|more| matches!(more, More::Each(..)));
                if example.is_empty() && listed {
                    continue;
                }
                let value = value_of(example).unwrap_or_else(|| panic!("{}: `{name}` has no example", shape.what));
                let key = example.split(": ").next().unwrap_or_default();
                let instance = json!({key.trim_matches('"'): value});
                let said: Vec<String> = validator
                    .iter_errors(&instance)
                    .map(|error| error.to_string())
                    .collect();
                assert!(said.is_empty(), "{}: {example}: {said:?}", shape.what);
                assert!(
                    key == name || !shape.names().contains(&key),
                    "{}: {example} is no example of {name}",
                    shape.what
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 100);
}

#[test]
fn every_condition_that_is_declared_is_one() {
    for entry in crate::recipe::MATCH.entries() {
        let condition = match entry.example {
            "" => format!("{}: ~", entry.name),
            example => example.to_owned(),
        };
        let text = format!("name: r\non: {{event: other.x}}\nmatch:\n  {condition}\nactions: [{{http: {{url: /}}}}]\n");
        let mut report = Report::new();
        crate::recipe::compile("r.yaml", &text, &crate::action::effect_kinds(), &mut report);
        assert!(!report.has_mistakes(), "{}", report.render(|_| Some(text.clone())));
    }
}
