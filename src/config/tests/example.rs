//! The files that are shipped as examples, and recipes held against them.

use std::collections::BTreeSet;

use super::*;
use crate::lang::shape::{More, reachable};

const EXAMPLE: &str = include_str!("../../../config.example.yaml");

fn example() -> Config {
    let mut report = Report::new();
    let env = |name: &str| Some(format!("{name}-0123456789abcdef"));
    let config = parse("config.example.yaml", EXAMPLE, Path::new("."), &env, &mut report);
    assert!(
        report.items.is_empty(),
        "{}",
        report.render(|_| Some(EXAMPLE.to_owned()))
    );
    config.expect("it has no mistakes")
}

fn together(files: &[(String, String)]) -> Report {
    let config = example();
    let mut report = Report::new();
    let book = Book::load(files, &action::effect_kinds(), &mut report);
    let setup = setup(&config, book);
    check_together(&config, &setup, &mut report);
    report
}

#[test]
fn the_example_and_its_recipes_fit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let files = recipe_files(&folder).expect("they can be read").texts;
    assert_eq!(files.len(), 20);
    let report = together(&files);
    assert!(report.items.is_empty(), "{}", report.render(|_| None));
}

/// A key as it is declared: its name and what it does. Settings of one sort share it, such as the pace of connections.
type Declared = (&'static str, &'static str);

/// Collects the keys of settings that stand here, and of all below them.
fn shown(form: &Form, node: &yaml::Node, found: &mut BTreeSet<Declared>) {
    let entries = match &node.kind {
        yaml::Kind::Scalar(_) => return,
        yaml::Kind::List(items) => return items.iter().for_each(|item| shown(form, item, found)),
        yaml::Kind::Map(entries) => entries,
    };
    for shape in form.shapes() {
        let own = shape.more.iter().find_map(|more| match more {
            More::Own(own) => Some(own.form),
            _ => None,
        });
        for (key, node) in entries {
            let entry = shape.entry(&key.text);
            found.extend(entry.map(|entry| (entry.name, entry.about)));
            if let Some(form) = entry.map(|entry| entry.form).or(own) {
                shown(&form, node, found);
            }
        }
    }
}

/// What excludes something else or needs a file may stand in a comment, as `key: …`.
#[test]
fn the_example_has_every_key() {
    let root = yaml::parse("config.example.yaml", EXAMPLE, &mut Report::new()).expect("it is YAML");
    let mut found = BTreeSet::new();
    shown(&Form::Settings(&CONFIG), &root, &mut found);
    let comments = EXAMPLE.lines().filter_map(|line| line.split_once("# "));
    let comments: Vec<&str> = comments.map(|(_, comment)| comment).collect();
    let told = |name: &str| {
        let begins = [format!("{name}: "), format!("`{name}: "), format!("{{{name}: ")];
        let mut lines = comments.iter();
        lines.any(|line| line.starts_with(&begins[0]) || begins[1..].iter().any(|begin| line.contains(begin)))
    };
    let mut missing = BTreeSet::new();
    for shape in reachable(&CONFIG, &[]) {
        let entries = shape.entries().into_iter();
        // The fields of a stay are listed elsewhere.
        for entry in entries.filter(|entry| entry.is_read() && !entry.example.is_empty()) {
            if !found.contains(&(entry.name, entry.about)) && !told(entry.name) {
                missing.insert(format!("`{}` of {}", entry.name, shape.what));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn without_its_variables_the_example_says_which() {
    let mut report = Report::new();
    let config = parse("config.example.yaml", EXAMPLE, Path::new("."), &|_| None, &mut report);
    assert!(config.is_none());
    let titles: Vec<String> = said(&report).into_iter().map(|(_, title)| title).collect();
    assert_eq!(titles.len(), 13, "{titles:?}");
    assert!(titles.iter().all(|title| title.ends_with("is not set")), "{titles:?}");
}

#[test]
fn recipes_that_do_not_fit() {
    let recipe = |on: &str, conditions: &str, step: &str| {
        format!("name: r\non: {{event: {on}}}\nmatch: {{{conditions}}}\nactions:\n  - {step}\n")
    };
    let http = "http: {connection: cleaning, url: /x}";
    for (text, line, mistake, title) in [
        (
            recipe(
                "reservation.created",
                "kind: guest",
                "http: {connection: clening, url: /x}",
            ),
            5,
            true,
            "there is no connection `clening` in the configuration",
        ),
        (
            recipe(
                "reservation.created",
                "kind: guest",
                "http: {connection: mail, url: /x}",
            ),
            5,
            true,
            "the connection `mail` is not one for `http`",
        ),
        (
            recipe("reservation.created", "property: [brannan, brannon]", http),
            3,
            false,
            "no property in the configuration is called `brannon`",
        ),
        (
            recipe("reservation.created", "not: {property: \"tag:uptown\"}", http),
            3,
            false,
            "no property in the configuration has the tag `uptown`",
        ),
        (
            recipe("[reservation.created, other.x]", "kind: guest", http),
            2,
            false,
            "no source can send `other.x`",
        ),
        (
            recipe(
                "reservation.created",
                "kind: guest",
                "http: {connection: cleaning, url: \"/x/{{ property.vars.lok }}\"}",
            ),
            5,
            false,
            "no property has a var `lok`, and the defaults have none",
        ),
    ] {
        let report = together(&[("r.yaml".to_owned(), text.clone())]);
        assert_eq!(said(&report), [(line, title.to_owned())], "{text}");
        assert_eq!(report.has_mistakes(), mistake, "{text}");
    }
    let fine = recipe(
        "reservation.created",
        "property: [BRANNAN, \"m*\", \"!= tag:downtown\"]",
        http,
    );
    assert_eq!(said(&together(&[("r.yaml".to_owned(), fine)])), []);
}

/// A configuration with every section that the contract has; what is not there yet is said without being in the way.
#[test]
fn what_the_contract_writes() {
    let text = r#"
listen: 127.0.0.1:8080
public_url: https://hooks.example.com
trusted_proxies: [127.0.0.1/32]
timezone: America/Los_Angeles
database: sqlite://stayhook.db
recipes: recipes
connectors: connectors
dry_run: false
redirect: {email: me@example.com}
admin:
  listen: 127.0.0.1:8081
  token: "${STAYHOOK_ADMIN_TOKEN}"
sources:
  hospitable: {preset: hospitable-v1, live_from: 2026-11-22T12:00:00Z, token: "${HOSPITABLE_TOKEN}"}
  stripe: {preset: stripe, secret: "${STRIPE_SECRET}", stays_of: hospitable}
connections:
  cleaning: {http: {base_url: https://api.cleaning.example, headers: {Authorization: "Bearer ${T}"}, rate: 5/s}}
  locks:
    seam: {api_key: "${SEAM_API_KEY}"}
  books:
    journal: {file: books/2026.journal, format: hledger}
defaults: {vars: {cleaner: ana@example.com}, default_check_in: "15:00", default_check_out: "11:00"}
properties:
  brannan:
    match: [12346789, {hospitable: "Brannan St Room"}]
    timezone: America/Los_Angeles
    vars: {lock: dev_1, cleaners: {sat: bo@example.com}}
retention: {deliveries: 90d, runs: 400d, guests: 30d after check_out}
alerts: {connection: mail, to: ops@example.com, digest: 15m}
"#;
    let env = |name: &str| Some(format!("{name}-0123456789abcdef"));
    let mut report = Report::new();
    assert!(parse("config.yaml", text, Path::new("."), &env, &mut report).is_some());
    assert_eq!(report.items.len(), 5);
    assert!(report.items.iter().all(|item| item.code == "not-yet"));
}
