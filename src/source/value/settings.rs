//! Reading the settings of a value.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::path::{Compiling, Lookup};
use super::super::read::is_currency;
use super::Expr;
use super::shapes::DIGITS;
use crate::lang::fields::Fields;
use crate::lang::yaml::{Kind, Node};
use crate::model::reservation::fold_word;

/// What `digits` says.
pub(super) fn digits_of(node: &Node, minor: bool, cx: &mut Compiling<'_>) -> BTreeMap<String, u32> {
    if !minor {
        cx.report
            .mistake(
                "odd-setting",
                &node.place,
                "`digits` is for amounts in the smallest unit",
            )
            .help("add `minor: true`, or leave `digits` out");
    }
    let Some(mut fields) = Fields::of(node, &DIGITS, cx.report) else {
        return BTreeMap::new();
    };
    let entries = fields.rest();
    fields.close();
    let mut digits = BTreeMap::new();
    for (key, node) in entries {
        let upper = is_currency(&key.text) && key.text.bytes().all(|b| b.is_ascii_uppercase());
        let number = node
            .scalar()
            .and_then(|text| text.parse::<u32>().ok())
            .filter(|number| *number <= 4);
        if !upper {
            let title = format!("`{}` is not the code of a currency, which has three capitals", key.text);
            cx.report
                .mistake("unknown-key", &key.place, title)
                .help("for example `digits: {ISK: 2}`");
        }
        match number {
            Some(number) => _ = digits.insert(key.text.clone(), number),
            None => {
                let title = format!("the digits of `{}` are a whole number from 0 to 4", key.text);
                cx.report
                    .mistake("expected-number", &node.place, title)
                    .help("for example `digits: {ISK: 2}`");
            }
        }
    }
    digits
}

/// The parts of a `join`.
pub(super) fn parts_of(node: &Node, what: &str, cx: &mut Compiling<'_>) -> Option<Vec<Expr>> {
    let Kind::List(items) = &node.kind else {
        cx.report
            .mistake(
                "expected-list",
                &node.place,
                format!("`join` of `{what}` is a list, this is {}", node.what()),
            )
            .help("for example `join: [$.arrival, $.check_in_time]`");
        return None;
    };
    if items.is_empty() {
        let title = format!("`join` of `{what}` needs something to put together");
        cx.report.mistake("empty-list", &node.place, title);
    }
    let mut parts = Vec::new();
    for item in items {
        if let Kind::List(_) = item.kind {
            let title = "a part of a `join` is a path or settings, not a list";
            cx.report
                .mistake("expected-text", &item.place, title)
                .help("several places for one part are written `{from: [$.a, $.b]}`");
            continue;
        }
        parts.extend(Expr::compile(item, what, cx));
    }
    (parts.len() == items.len() && !items.is_empty()).then_some(parts)
}

/// A path, or a list of paths.
pub(super) fn lookups(node: &Node, cx: &mut Compiling<'_>) -> Option<Vec<Lookup>> {
    if node.items().is_empty() {
        cx.report.mistake("missing-path", &node.place, "a path is missing here");
        return None;
    }
    // Every path is looked at, so that all mistakes are found at once.
    let all: Vec<Option<Lookup>> = node.items().iter().map(|item| Lookup::compile(item, cx)).collect();
    all.into_iter().collect()
}

/// What a `map` says.
pub(super) fn words_of(node: &Node, what: &str, cx: &mut Compiling<'_>) -> Option<BTreeMap<String, Value>> {
    let Kind::Map(entries) = &node.kind else {
        let title = format!(
            "`map` of `{what}` is written as settings (`word: value`), this is {}",
            node.what()
        );
        cx.report.mistake("expected-settings", &node.place, title);
        return None;
    };
    let mut words: BTreeMap<String, Value> = BTreeMap::new();
    for (key, value) in entries {
        let value = value.value();
        let word = fold_word(&key.text);
        match words.get(&word) {
            Some(before) if *before != value => {
                let title = format!(
                    "`{}` is the same word as one before it and means something else",
                    key.text
                );
                cx.report
                    .mistake("duplicate-word", &key.place, title)
                    .help("words are compared in any case, with space, `_` and `-` alike");
            }
            _ => {
                words.insert(word, value);
            }
        }
    }
    Some(words)
}
