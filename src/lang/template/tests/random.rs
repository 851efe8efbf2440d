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
