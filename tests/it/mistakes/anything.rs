//! Whatever stands in a file: nothing panics, every place lies within it, and what YAML cannot read is never accepted.

use std::path::Path;

use proptest::prelude::*;
use stayhook::action;
use stayhook::lang::diag::{Report, lines};
use stayhook::lang::yaml;

const RECIPE: &str = include_str!("../../fixtures/mistakes/together/everything-is-fine/recipes/tell.yaml");
const CONFIG: &str = include_str!("../../../config.example.yaml");

/// What is typed by mistake.
const SLIPS: &[&str] = &[
    "{{",
    "}}",
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "#",
    " #",
    "- ",
    "-",
    "\"",
    "'",
    ",",
    "*",
    "&a ",
    "*a",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "?",
    "\\",
    "\u{a0}",
    "“",
    "é",
    "家",
    "\u{0}",
    "\u{feff}",
    "---\n",
    "...",
    "\r\n",
    "=",
    "{% if x %}",
    "${",
    "$.a[0]",
    "null",
    "~",
    "0042",
    "<<: *a",
];

/// A change to a text: where (in parts of its length), how much is taken out, and what is put in.
fn change() -> impl Strategy<Value = (f64, usize, String)> {
    let slip = prop_oneof![
        4 => proptest::sample::select(SLIPS).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
        1 => any::<String>(),
    ];
    (
        0.0..1.0,
        prop_oneof![3 => Just(0_usize), 2 => 1_usize..4, 1 => 4_usize..60],
        slip,
    )
}

fn changed(text: &str, changes: &[(f64, usize, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (part, out, slip) in changes {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "any place will do"
        )]
        let at = (chars.len() as f64 * part) as usize;
        let end = (at + out).min(chars.len());
        chars.splice(at..end, slip.chars());
    }
    chars.into_iter().collect()
}

/// Every place lies within the text: a line that there is, and at most the column behind its last character.
fn places_lie_within(text: &str, report: &Report) {
    let lines = lines(text);
    for item in &report.items {
        let Some(place) = &item.place else { continue };
        let line = lines.get(place.line - 1).copied();
        assert!(line.is_some() || place.line == 1, "{item:?} in {text:?}");
        let width = line.unwrap_or_default().chars().count();
        assert!((1..=width + 1).contains(&place.column), "{item:?} in {text:?}");
    }
    let told = report.render(|_| Some(text.to_owned()));
    for words in ["while parsing", "while scanning", "did not find expected"] {
        assert!(!told.contains(words), "{told}");
    }
}

fn any_recipe(text: &str) {
    let mut report = Report::new();
    let recipe = stayhook::recipe::compile("r.yaml", text, &action::effect_kinds(), &mut report);
    assert_eq!(recipe.is_none(), report.has_mistakes(), "{text:?}");
    places_lie_within(text, &report);
}

fn any_config(text: &str) {
    let env = |name: &str| Some(format!("a value of {name}"));
    let mut report = Report::new();
    let config = stayhook::config::parse("c.yaml", text, Path::new("."), &env, &mut report);
    assert_eq!(config.is_none(), report.has_mistakes(), "{text:?}");
    places_lie_within(text, &report);
}

/// Whether the parser by itself reads the text to its end.
fn is_yaml(text: &str) -> bool {
    saphyr_parser::Parser::new_from_str(text).all(|event| event.is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_recipes(changes in proptest::collection::vec(change(), 1..5)) {
        any_recipe(&changed(RECIPE, &changes));
    }

    #[test]
    fn changed_configurations(changes in proptest::collection::vec(change(), 1..4)) {
        any_config(&changed(CONFIG, &changes));
    }

    #[test]
    fn any_text(text in any::<String>(), changes in proptest::collection::vec(change(), 0..30)) {
        let text = changed(&text, &changes);
        any_recipe(&text);
        any_config(&text);
    }

    #[test]
    fn nothing_is_accepted_that_is_not_yaml(changes in proptest::collection::vec(change(), 1..5)) {
        let text = changed(RECIPE, &changes);
        let mut report = Report::new();
        yaml::parse("r.yaml", &text, &mut report);
        prop_assert!(is_yaml(&text) || report.has_mistakes(), "{text:?}");
    }
}

#[test]
fn white_space_that_yaml_does_not_know_ends() {
    for text in ["a: {\u{a0}, b\n", "a: [\u{2003}]\n\u{85}:\n", "a: {\u{a0}: 1\n  }}"] {
        any_recipe(text);
        any_config(text);
    }
}
