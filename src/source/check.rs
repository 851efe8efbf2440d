//! What a mapping makes, held against what the canonical fields can hold.

use super::mapping::Mapping;
use super::path::Compiling;
use super::value::{Expr, scalar_text};
use crate::lang::diag::{Place, Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::{Kind, Node};
use crate::model::field::{Field, FieldKind, STATUSES, STAY_KINDS};

/// Holds what an expression can make against what the field can hold.
pub(super) fn field(field: &Field, expr: &Expr, node: &Node, cx: &mut Compiling<'_>) {
    shape(field.name, field.kind, expr, node, cx);
    match field.kind {
        FieldKind::Status => {
            words(expr, field.name, STATUSES, node, cx);
        }
        FieldKind::Kind => words(expr, field.name, STAY_KINDS, node, cx),
        _ => {}
    }
}

/// Settings of an expression that its field has no use for.
pub(super) fn shape(name: &str, kind: FieldKind, expr: &Expr, node: &Node, cx: &mut Compiling<'_>) {
    if expr.minor && kind != FieldKind::Money {
        let title = format!("`minor` is for amounts, `{name}` is none");
        cx.report.mistake("odd-setting", &node.place, title);
    }
    if expr.zone.is_some() && kind != FieldKind::Time {
        let title = format!("`zone` is for times, `{name}` is none");
        cx.report.mistake("odd-setting", &node.place, title);
    }
    if expr.plus_days > 0 && kind != FieldKind::Date {
        let title = format!("`plus_days` is for local dates, `{name}` is none");
        cx.report
            .mistake("odd-setting", &node.place, title)
            .help("the local dates are `check_in_date` and `check_out_date`");
    }
}

/// Words that are none of the field.
pub(super) fn words(expr: &Expr, name: &str, allowed: &[&str], node: &Node, cx: &mut Compiling<'_>) {
    for constant in expr.constants() {
        let word = scalar_text(constant).unwrap_or_default();
        if !allowed.contains(&word.as_str()) {
            let place = place_of(node, &word).unwrap_or(&node.place);
            let diagnostic = cx
                .report
                .mistake("unknown-word", place, format!("`{word}` is no `{name}`"));
            match did_you_mean(&word, allowed.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("it is one of {}", quoted(allowed))),
            }
        }
    }
}

/// Where in an expression a word stands.
pub(super) fn place_of<'n>(node: &'n Node, word: &str) -> Option<&'n Place> {
    match &node.kind {
        Kind::Scalar(scalar) => (scalar.text == word).then_some(&node.place),
        Kind::List(items) => items.iter().find_map(|item| place_of(item, word)),
        Kind::Map(entries) => entries.iter().find_map(|(_, value)| place_of(value, word)),
    }
}

/// What a source as a whole cannot do, although each of its settings is right. `own`: it speaks of stays of its own;
/// `by_hand`: no preset has thought of it.
pub(super) fn whole(name: &str, mappings: &[Mapping], own: bool, by_hand: bool, place: &Place, report: &mut Report) {
    let fills = |field: &str| {
        mappings
            .iter()
            .flat_map(|mapping| &mapping.fields)
            .any(|(known, _)| known.name == field)
    };
    let of_stays = mappings.iter().any(|mapping| !mapping.fields.is_empty());
    let names = mappings.iter().any(|mapping| mapping.names().next().is_some());
    let records = mappings
        .iter()
        .any(|mapping| !mapping.payment.is_empty() || !mapping.message.is_empty());
    if records && names && !of_stays && own {
        report
            .warning(
                "no-stays",
                place,
                format!("the source `{name}` speaks of payments or messages of stays, and has no stays of its own"),
            )
            .help("add `stays_of:` and the name of the source whose stays they are");
    }
    if !by_hand || !names || records && !of_stays {
        return;
    }
    let missing: Vec<&str> = [
        ("no status", fills("status")),
        ("no arrival", fills("check_in") || fills("check_in_date")),
        ("no departure", fills("check_out") || fills("check_out_date")),
    ]
    .into_iter()
    .filter(|(_, there)| !there)
    .map(|(what, _)| what)
    .collect();
    if !missing.is_empty() {
        report
            .warning(
                "incomplete-mapping",
                place,
                format!(
                    "the mapping of the source `{name}` never completes a stay: it reads {}",
                    missing.join(", ")
                ),
            )
            .help("until a stay has its status and both dates, it makes no `reservation.*` event");
    }
}
