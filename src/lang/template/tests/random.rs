//! Promises that hold for any text and any sum.

use percent_encoding::percent_decode_str;
use proptest::prelude::*;
use serde_json::json;

use super::stay;
use crate::lang::template::{Condition, Context, Format, Template};

/// Pieces of templates, so that arbitrary text gets past the first bracket.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{#",
            "#}",
            "if ",
            "for ",
            "x ",
            "in ",
            "endif",
            "endfor",
            "else ",
            "set ",
            "= ",
            "| ",
            "upper",
            "date('%Q')",
            "money('EUR') ",
            "reservation",
            ".guest",
            ".pets ",
            "payload",
            "payments ",
            "[0]",
            "[",
            "]",
            "(",
            ")",
            "1 ",
            "0.5 ",
            "'ä' ",
            "- ",
            "** ",
            "// ",
            "% ",
            "* ",
            "not ",
            "is ",
            "known ",
            "==",
            "<",
            "~ ",
            ", ",
            ":",
            "{",
            "}",
            "loop.index ",
            "sort ",
            "sum ",
            "plus(days=",
            "\n",
            "-%}",
            "{%-",
            "none ",
            "true ",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Sums over small integers, in the syntax both engines read.
fn sums() -> impl Strategy<Value = String> + Clone {
    let leaf = (-9_i32..=9).prop_map(|int| int.to_string());
    leaf.prop_recursive(4, 24, 3, |inner| {
        let op = prop::sample::select(vec!["+", "-", "*", "//", "%"]);
        let logic = prop::sample::select(vec!["and", "or"]);
        prop_oneof![
            4 => (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            1 => inner.clone().prop_map(|a| format!("({a})")),
            1 => (inner.clone(), 0..3).prop_map(|(a, power)| format!("({a}) ** {power}")),
            1 => (inner.clone(), logic, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => (questions(inner.clone()), inner.clone(), inner)
                .prop_map(|(test, a, b)| format!("({a} if {test} else {b})")),
        ]
    })
}

/// Comparisons of sums, also several in a row.
fn questions(sums: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> + Clone {
    let op = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let rest = prop::collection::vec((op, sums.clone()), 1..3);
    (any::<bool>(), sums, rest).prop_map(|(negated, first, rest)| {
        let rest: String = rest.iter().map(|(op, sum)| format!(" {op} {sum}")).collect();
        format!("{}{first}{rest}", if negated { "not " } else { "" })
    })
}

/// Where a dotted name may stand: at the values given, and at names that hide them.
const AROUND: &[&str] = &[
    "{{ xPATH }}",
    "{{ xPATH ~ '!' }}",
    "{% set x = y %}{{ xPATH }}",
    "{% for x in [y, 1] %}{{ xPATH if loop.first }}{% endfor %}{{ xPATH }}",
    "{% with x = y %}{{ y.b.a }}{% endwith %}{{ xPATH }}",
    "{% if xPATH %}{{ xPATH }}{% else %}{{ y.a }}{% endif %}",
];

/// Values of some depth under few keys.
fn trees() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        (-9..=9).prop_map(|int: i32| json!(int)),
        "[a-z<é]{0,3}".prop_map(|text| json!(text)),
        any::<bool>().prop_map(|bool| json!(bool)),
        Just(json!(null)),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let key = prop::sample::select(vec!["a", "b", "b b"]).prop_map(str::to_owned);
        prop_oneof![
            3 => prop::collection::btree_map(key, inner.clone(), 0..3).prop_map(|map| json!(map)),
            1 => prop::collection::vec(inner, 0..3).prop_map(|list| json!(list)),
        ]
    })
}

/// The same for the other engine.
fn theirs_of(value: &serde_json::Value) -> minijinja::Value {
    use minijinja::Value;
    match value {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(bool) => Value::from(*bool),
        serde_json::Value::Number(number) => Value::from(number.as_i64().unwrap()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => items.iter().map(theirs_of).collect(),
        serde_json::Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.as_str(), theirs_of(value)))
            .collect(),
    }
}

fn survives(source: &str) {
    let cx = stay();
    if let Ok(template) = Template::compile(source, Format::Html) {
        let _ = (template.text(&cx), template.value(&cx), template.url(&cx));
    }
    if let Ok(condition) = Condition::compile(source) {
        let _ = condition.holds(&cx);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_compiles_or_is_explained(source in "\\PC{0,200}") {
        survives(&source);
        survives(&format!("{{{{ {source} }}}}"));
    }

    #[test]
    fn any_pieces_compile_or_are_explained(source in pieces()) {
        survives(&source);
    }

    #[test]
    fn sums_and_comparisons_are_those_of_jinja(source in prop_oneof![sums().boxed(), questions(sums()).boxed()]) {
        let source = format!("{{{{ {source} }}}}");
        let theirs = minijinja::Environment::new().render_str(&source, ());
        let ours = Template::compile(&source, Format::Text).unwrap().text(&stay());
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours.value, theirs.to_lowercase()),
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_err(), "{:?} {:?}", ours, theirs),
        }
    }

    #[test]
    fn a_dotted_name_is_that_of_jinja_and_that_of_its_parts(
        (root, at) in (trees(), prop::collection::vec(prop::sample::select(vec!["a", "b", "['a']", "['b b']", "[0]", "[1]"]), 1..4)),
        around in prop::sample::select(AROUND),
    ) {
        let part = |part: &&str| if part.starts_with('[') { (*part).to_owned() } else { format!(".{part}") };
        let path: String = at.iter().map(part).collect();
        let values = json!({"x": root, "y": {"a": "other", "b": {"a": 1}}});
        let source = around.replace("PATH", &path);
        let cx = Context::new(values.clone(), &[]);
        let ours = Template::compile(&source, Format::Text).unwrap().text(&cx);
        let by_parts = source.replace("{{ x", "{% set z = x %}{{ z");
        let parts = Template::compile(&by_parts, Format::Text).unwrap().text(&cx);
        prop_assert_eq!(ours.is_ok(), parts.is_ok(), "{:?} {:?}", ours, parts);
        if let (Ok(ours), Ok(parts)) = (&ours, &parts) {
            prop_assert_eq!(&ours.value, &parts.value);
        }
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        let theirs = environment.render_str(&source, theirs_of(&values));
        // What is null, a list or a map is printed in our own way.
        if let Ok(theirs) = theirs.as_deref().map(str::to_lowercase)
            && !theirs.contains("none")
            && !theirs.contains(['[', '{'])
        {
            prop_assert_eq!(ours.unwrap().value, theirs);
        }
    }

    #[test]
    fn a_value_is_one_segment_of_an_address(name in any::<String>()) {
        let cx = Context::new(json!({"name": name}), &[]);
        let url = Template::compile("/t/{{ name }}/x?n={{ name }}", Format::Text).unwrap().url(&cx);
        if ["", ".", ".."].contains(&name.as_str()) {
            prop_assert!(url.is_err());
        } else {
            let url = url.unwrap().value;
            let segments: Vec<_> = url.split('/').collect();
            prop_assert_eq!(segments.len(), 4);
            let decoded = percent_decode_str(segments[2]).decode_utf8().unwrap();
            prop_assert_eq!(decoded.as_ref(), name.as_str());
            prop_assert!(segments[3].strip_prefix("x?n=").is_some_and(|n| n == segments[2]));
        }
    }

    #[test]
    fn a_value_is_never_read_as_a_template(name in pieces()) {
        let cx = Context::new(json!({"name": name}), &[]);
        let text = Template::compile("{{ name }}", Format::Text).unwrap().text(&cx).unwrap().value;
        prop_assert_eq!(text, name);
    }
}
