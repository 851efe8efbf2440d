//! A declaration and its reader hold each other.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use super::*;
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::yaml;

static TEA: Shape = Shape {
    what: "a tea",
    about: "Something to drink.",
    keys: &[
        key("sort", Form::Word(&["green", "black"]), "Which.", "sort: green").needed(),
        key("cups", Form::Count(1, 9), "How many.", "cups: 2"),
        later("milk", "Whether with milk.", "milk: true"),
        later("sugar", "How much sugar.", "sugar: 1").idle("it is taken without"),
    ],
    also: &[&TIME],
    ..EMPTY
};

static TIME: Shape = Shape {
    what: "a time",
    about: "How long.",
    keys: &[key("draw", Form::Duration, "How long it draws.", "draw: 3m").needed()],
    ..EMPTY
};

fn read(text: &str, keys: &[&'static str]) -> Vec<String> {
    let mut report = Report::new();
    let node = yaml::parse("f.yaml", text, &mut report).unwrap();
    let mut fields = Fields::of(&node, &TEA, &mut report).unwrap();
    fields.word("sort", &mut report);
    fields.count("cups", &mut report);
    for key in keys {
        fields.get(key);
    }
    fields.finish(&mut report);
    let said = report.items.into_iter();
    said.map(|item| {
        format!(
            "{}{}",
            item.title,
            item.help.map(|help| format!(" ({help})")).unwrap_or_default()
        )
    })
    .collect()
}

#[test]
fn words_ranges_and_names_come_from_the_declaration() {
    assert_eq!(read("sort: green\ncups: 2\ndraw: 3m", &["draw"]), [""; 0]);
    assert_eq!(
        read(
            "sort: gren\ncups: 12\nmilk: true\nsugar: 1\nlemon: 1\ndrow: 2m",
            &["draw"]
        ),
        [
            "`sort` is one of `green` or `black` (did you mean `green`?)",
            "`cups` is a whole number from 1 to 9",
            "`milk` is not in this version yet",
            "`sugar` has no effect in this version yet (it is taken without)",
            "a tea has no setting called `lemon` (its settings are `cups`, `draw` or `sort`)",
            "a tea has no setting called `drow` (did you mean `draw`?)",
        ]
    );
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "a tea declares no `lemon`")]
fn what_is_not_declared_cannot_be_read() {
    read("sort: green", &["draw", "lemon"]);
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "of a tea")]
fn what_is_declared_has_to_be_read() {
    read("sort: green", &[]);
}

#[cfg(debug_assertions)]
#[test]
#[should_panic(expected = "is declared as another form")]
fn a_key_is_read_as_what_it_is_declared() {
    let mut report = Report::new();
    let node = yaml::parse("f.yaml", "sort: green", &mut report).unwrap();
    Fields::of(&node, &TEA, &mut report)
        .unwrap()
        .flag("sort", true, &mut report);
}
