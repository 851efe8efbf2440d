//! Templates of any text over values of any kind: an end in time, within bounds, and no value is read as a template.
//!
//! An input is a template, a line `---`, and the values as JSON.

use proptest::prelude::*;
use serde_json::{Value, json};
use stayhook::lang::template::{Condition, Context, FILTERS, Format, Template, TemplateError};

use crate::rounds::{Target, run};
use crate::{seeds, values};

/// What one rendering may give.
const OUTPUT: usize = 1 << 20;
/// Behind a name that no template of ours reads; only a value that is read as a template finds it.
const CANARY: &str = "QZX-KANARI-7F2C";
const GUEST: &str = "{{ hidden.x }}{% for a in hidden %}{{ a }}{% endfor %}{{ 7*7 }}<b>&amp;</b>{# ";

const PIECES: &[&str] = &[
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{#",
    "#}",
    "{{-",
    "-}}",
    "{%-",
    "-%}",
    "if ",
    "elif ",
    "else ",
    "endif",
    "for ",
    "x ",
    "a, b ",
    "in ",
    "endfor",
    "set ",
    "endset",
    "with ",
    "endwith",
    "raw ",
    "endraw",
    "= ",
    "| ",
    "upper",
    "date('%Q')",
    "date('%c %+ %s')",
    "money('EUR') ",
    "truncate(3)",
    "replace('a', 'bb')",
    "join(',')",
    "default('')",
    "plus(days=9223372036854775807)",
    "minus(hours=1)",
    "round(30)",
    "int ",
    "sort ",
    "sum ",
    "select('in', [1])",
    "map(attribute='a')",
    "reservation",
    ".guest",
    ".name ",
    ".evil ",
    "payload",
    ".a",
    "[0]",
    "[-1:9]",
    "[",
    "]",
    "(",
    ")",
    "1 ",
    "0.5 ",
    "1e28 ",
    "79228162514264337593543950335 ",
    "-9223372036854775808 ",
    "'ä' ",
    "'x' * 99999 ",
    "- ",
    "** ",
    "// ",
    "/ ",
    "% ",
    "* ",
    "+ ",
    "~ ",
    "not ",
    "and ",
    "or ",
    "is known ",
    "is divisibleby(0) ",
    "==",
    "<",
    ">= ",
    ", ",
    ":",
    "{",
    "}",
    "loop.index ",
    "loop.changed(1) ",
    "range(9999) ",
    "none ",
    "true ",
    "\\",
    "\"",
    "'",
    "\n",
    "\u{0}",
    "🏠",
];

fn own() -> Value {
    json!({
        "code": "HMABC1", "guests": 3, "pets": null, "status": "booked", "check_in": "2027-03-27T16:00:00+00:00", "labels": ["vip", "late"],
        "guest": {"name": "Zoë Müller", "evil": GUEST, "email": null}, "total": 1003.25, "nights": 3, "property": {"vars": {"a": false}},
    })
}

#[test]
fn templates() {
    let input = |template: &str, values: &Value| format!("{template}\n---\n{values}").into_bytes();
    let mut all: Vec<Vec<u8>> = FILTERS.iter().map(|doc| input(doc.example, &json!({}))).collect();
    for (_, recipe) in seeds::files(&seeds::at("recipes"), ".yaml") {
        all.push(input(&String::from_utf8(recipe).unwrap(), &json!({"a": 1})));
    }
    let piece = prop_oneof![12 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    let soup = prop::collection::vec(piece.clone(), 0..40).prop_map(|pieces| pieces.concat());
    let inside = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let printed = prop::collection::vec(inside, 1..6)
        .prop_map(|all| all.iter().map(|one| format!("{{{{ {one} }}}} ")).collect::<String>());
    let examples: Vec<&str> = FILTERS.iter().map(|doc| doc.example).collect();
    let filter = prop::sample::select(examples).prop_map(str::to_owned);
    let source = prop_oneof![2 => soup, 2 => printed, 1 => filter];
    let made = (source, values::any_value()).prop_map(move |(source, values)| input(&source, &values));
    run(Target {
        name: "templates",
        seeds: all,
        tokens: PIECES,
        made: made.boxed(),
        cases: 400,
        check: Box::new(holds),
    });
}

fn holds(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (source, values) = text.rsplit_once("\n---\n").unwrap_or((&text, ""));
    let sent: Value = stayhook::model::json::read_text(values).unwrap_or(Value::Null);
    let name = sent.get("name").and_then(Value::as_str).unwrap_or(GUEST).to_owned();
    let cx = Context::new(
        json!({"reservation": own(), "payload": sent, "hidden": {"x": CANARY}, "name": name, "previous": null}),
        &["payload", "reservation.property.vars"],
    );
    let quiet = |text: &str| {
        let found = text.contains(CANARY) && !source.contains("hidden") && !values.contains(CANARY);
        assert!(
            !found,
            "a value was read as a template: {}",
            text.chars().take(300).collect::<String>()
        );
    };
    for format in [Format::Text, Format::Html] {
        let template = match Template::compile(source, format) {
            Ok(template) => template,
            Err(error) => {
                placed(source, &error);
                break;
            }
        };
        assert_eq!(template.source(), source);
        for name in template.names() {
            assert!(
                within(source, name.line, name.column),
                "a name outside of the template: {name:?}"
            );
        }
        for rendered in [template.text(&cx), template.url(&cx)] {
            match rendered {
                Ok(rendered) => {
                    assert!(
                        rendered.value.len() <= OUTPUT,
                        "{} bytes came out",
                        rendered.value.len()
                    );
                    assert!(
                        rendered.missing.len() <= 100,
                        "{} names are missing",
                        rendered.missing.len()
                    );
                    quiet(&rendered.value);
                    assert!(
                        !template.is_constant() || rendered.value == source,
                        "plain text came out as something else"
                    );
                }
                Err(error) => placed(source, &error),
            }
        }
        match template.value(&cx) {
            Ok(rendered) => {
                let text = rendered.value.to_string();
                assert!(text.len() <= 8 * OUTPUT, "{} bytes came out", text.len());
                quiet(&text);
            }
            Err(error) => placed(source, &error),
        }
    }
    match Condition::compile(source) {
        Ok(condition) => match condition.holds(&cx) {
            Ok(verdict) => verdict
                .saw
                .iter()
                .for_each(|(_, saw)| assert!(saw.chars().count() <= 80, "it saw {saw}")),
            Err(error) => placed(source, &error),
        },
        Err(error) => placed(source, &error),
    }
    // Escaped, a name is up to six times as long; a longer one than the output may be is refused.
    if name.len() > OUTPUT / 6 {
        return;
    }
    // Whatever a guest is called comes out as it is, and in HTML as no markup.
    let plain = Template::compile("{{ name }}", Format::Text)
        .unwrap()
        .text(&cx)
        .unwrap();
    assert_eq!(plain.value, name, "a name came out as something else");
    let html = Template::compile("{{ name }}", Format::Html)
        .unwrap()
        .text(&cx)
        .unwrap()
        .value;
    assert!(!html.contains(['<', '>', '"', '\'']), "a name became markup: {html}");
}

/// A mistake lies within the template.
fn placed(source: &str, error: &TemplateError) {
    assert!(!error.message.is_empty(), "a mistake without words");
    assert!(
        within(source, error.line, error.column),
        "a mistake outside of the template: {error:?}"
    );
    assert!(
        error.to_string().len() <= 2_000 + 2 * source.len(),
        "a mistake of {} bytes",
        error.to_string().len()
    );
}

fn within(source: &str, line: usize, column: usize) -> bool {
    let found = source.split('\n').nth(line.wrapping_sub(1));
    found.is_some_and(|text| (1..=text.chars().count() + 1).contains(&column))
}
