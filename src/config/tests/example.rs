//! The files that are shipped as examples, and recipes held against them.

use super::*;

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
    let files = recipe_files(&folder).expect("they can be read");
    assert!(files.len() >= 3);
    let report = together(&files);
    assert!(report.items.is_empty(), "{}", report.render(|_| None));
}

#[test]
fn without_its_variables_the_example_says_which() {
    let mut report = Report::new();
    let config = parse("config.example.yaml", EXAMPLE, Path::new("."), &|_| None, &mut report);
    assert!(config.is_none());
    let titles: Vec<String> = said(&report).into_iter().map(|(_, title)| title).collect();
    assert_eq!(titles.len(), 7, "{titles:?}");
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
                "http: {url: \"/x/{{ property.vars.lok }}\"}",
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
