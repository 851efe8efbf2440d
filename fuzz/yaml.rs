//! Files of users with mistakes in them: everything is explained, in its place, and no secret is told.

use std::path::Path;

use stayhook::action;
use stayhook::cli::check;
use stayhook::config::{self, Config};
use stayhook::lang::diag::{Report, lines};
use stayhook::lang::yaml;
use stayhook::recipe::{self, Book};
use stayhook::source;

use crate::rounds::{Target, run};
use crate::{changes, seeds};

/// Stands in every value of the environment, and may stand in nothing that is told.
const CANARY: &str = "kanari7f2c";

/// The largest text, in bytes.
const TEXT_MAX: usize = 256 << 10;

/// A value of the environment: a word, an address with a password, several lines, or something that looks like YAML.
fn variable(name: &str) -> Option<String> {
    Some(match name.len() % 5 {
        0 => format!("{CANARY}-word-{CANARY}"),
        1 => format!("https://user:{CANARY}@host-{CANARY}.example/?key={CANARY}"),
        2 => format!("{CANARY} first\n{CANARY}: second\n- {CANARY}\n"),
        // Every address begins like that.
        3 => "https://user:".to_owned(),
        _ => format!("{{{CANARY}: [{CANARY}, \"{CANARY}"),
    })
}

fn sound(base: &Path) -> Config {
    let text = std::fs::read_to_string(seeds::at("config.example.yaml")).unwrap();
    let env = |name: &str| Some(format!("the-value-of-{name}"));
    let mut report = Report::new();
    let config = config::parse("config.yaml", &text, base, &env, &mut report);
    config.unwrap_or_else(|| panic!("{}", report.render(|_| Some(text.clone()))))
}

#[test]
fn yaml() {
    let folder = tempfile::TempDir::new().unwrap();
    let base = folder.path().to_owned();
    let config = sound(&base);
    let shipped = ["recipes", "presets", "tests/fixtures/whole", "tests/fixtures/mistakes"];
    let mut all: Vec<Vec<u8>> = shipped
        .iter()
        .flat_map(|folder| seeds::files(&seeds::at(folder), ".yaml"))
        .map(|(_, text)| text)
        .collect();
    all.push(std::fs::read(seeds::at("config.example.yaml")).unwrap());
    // Many mistakes, and many of the same.
    all.push("name: x\n".repeat(5_000).into_bytes());
    all.push(
        (0..3_000)
            .map(|n| format!("nam{n}: [x]\n"))
            .collect::<String>()
            .into_bytes(),
    );
    all.push(
        (0..3_000)
            .map(|n| format!("a{n}: \"${{VARIABLE_{n}}}\"\n"))
            .collect::<String>()
            .into_bytes(),
    );
    run(Target {
        name: "yaml",
        seeds: all,
        tokens: &[
            "\n",
            "\n  ",
            "\n    - ",
            ": ",
            " #",
            "- ",
            "&a ",
            "*a",
            "*a, ",
            "&a [*a]",
            "&b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n",
            "<<: *a\n",
            "? ",
            "|\n",
            ">-\n",
            "|9\n",
            "!!str ",
            "!<x>",
            "%YAML 1.2\n---\n",
            "---\n",
            "...\n",
            "\t",
            "\u{85}",
            "\u{2028}",
            "\u{a0}",
            "“",
            "‘",
            "${SECRET}",
            "${A:-b}",
            "${file:x}",
            "${",
            "$${",
            "$SECRET_KEY",
            "\"",
            "'",
            "{a: ",
            "[a, ",
            "}",
            "]",
            "~",
            "{{ reservation.code }}",
            "{{",
            "{% if ",
            "yes",
            "0x1F",
            "0o17",
            "1_000",
            ".inf",
            "12e03",
            "name: x\n",
            "on: ",
            "actions:\n",
            "sources:\n",
            "\r",
            "a: &a\n",
            "$.a[?(@.b=='",
            "$..*",
            "@.x",
            "header.",
            "match: \"(\"",
            "(((((((((((",
            "a{1000}{1000}",
        ],
        made: changes::nothing(),
        cases: 40,
        check: Box::new(move |input| holds(&config, &base, &String::from_utf8_lossy(input))),
    });
}

fn holds(config: &Config, base: &Path, text: &str) {
    // No larger recipe is read.
    let end = (0..=TEXT_MAX.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let text = &text[..end.unwrap_or_default()];
    let kinds = action::effect_kinds();
    let mut report = Report::new();
    let recipe = recipe::compile("r.yaml", text, &kinds, &mut report);
    assert_eq!(
        recipe.is_none(),
        report.has_mistakes(),
        "a recipe that is fine is not there, or the other way round"
    );
    told(text, &report);
    if let Some(recipe) = recipe {
        recipe.sentence();
        let mut report = Report::new();
        let book = Book::load(&[("r.yaml".to_owned(), text.to_owned())], &kinds, &mut report);
        let setup = config::setup(config, book);
        config::check_together(config, &setup, &mut report);
        for recipe in setup.book.all() {
            config::sentence(&setup, recipe);
        }
        told(text, &report);
    }
    let mut report = Report::new();
    let read = config::parse("r.yaml", text, base, &variable, &mut report);
    assert_eq!(
        read.is_none(),
        report.has_mistakes(),
        "a configuration that is fine is not there, or the other way round"
    );
    told(text, &report);
    if let Some(read) = read {
        let setup = config::setup(&read, Book::default());
        config::check_together(&read, &setup, &mut report);
        told(text, &report);
    }
    let mut report = Report::new();
    if let Some(node) = yaml::parse("r.yaml", text, &mut report) {
        let source = source::compile("ours", &node, &mut report);
        assert!(
            source.is_some() || report.has_mistakes(),
            "a source without a mistake is not there"
        );
    }
    told(text, &report);
}

/// What is told lies within the file, is not much more than the file, and holds no value of the environment.
fn told(text: &str, report: &Report) {
    let lines = lines(text);
    for item in &report.items {
        let Some(place) = &item.place else { continue };
        if *place.file != *"r.yaml" {
            continue;
        }
        let line = lines.get(place.line.wrapping_sub(1)).copied();
        assert!(
            line.is_some() || place.line == 1,
            "a place outside of the file: {item:?}"
        );
        let width = line.unwrap_or_default().chars().count();
        assert!(
            (1..=width + 1).contains(&place.column),
            "a place outside of its line: {item:?}"
        );
    }
    assert!(
        report.items.len() <= text.len() + 10,
        "{} things are told of {} bytes",
        report.items.len(),
        text.len()
    );
    // Everything that is told at length is the same work; a part of it is enough.
    let mut some = Report::new();
    some.items = report.items.iter().take(200).cloned().collect();
    let shown = some.render(|file| (file == "r.yaml").then(|| text.to_owned()));
    assert!(
        shown.len() <= 4 * text.len() + 4_000 * (some.items.len() + 1),
        "{} bytes are told of {}",
        shown.len(),
        text.len()
    );
    let text_of = |file: &str| (file == "r.yaml").then(|| text.to_owned());
    let json = check::diagnostics(&some, &text_of).to_string();
    for shown in [shown, json] {
        let found = shown.to_lowercase().contains(CANARY);
        assert!(
            !found || text.to_lowercase().contains(CANARY),
            "a value of the environment is told: {shown}"
        );
        for words in ["while parsing", "while scanning", "did not find expected"] {
            assert!(
                !shown.contains(words) || text.contains(words),
                "in the words of the parser: {shown}"
            );
        }
    }
}
