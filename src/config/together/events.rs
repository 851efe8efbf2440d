//! Whether anybody sends what a recipe waits for.

use super::super::Config;
use crate::lang::diag::Report;
use crate::lang::fields::quoted;
use crate::lang::yaml::Node;
use crate::recipe::Recipe;
use crate::source::Source;

/// Event types that none of the sources meant can send.
pub(super) fn sent(config: &Config, meant: &[&Source], on: &[Node], report: &mut Report) {
    // Of a source that says nothing, anything may come.
    if meant.is_empty() || meant.iter().any(|source| source.emits().is_empty()) {
        return;
    }
    let sends = |wanted: &str| {
        meant
            .iter()
            .any(|source| source.emits().iter().any(|one| one == wanted))
    };
    let wanted = on.iter().filter_map(|entry| entry.at("event"));
    for node in wanted.flat_map(Node::items) {
        let Some(wanted) = node.scalar() else { continue };
        if sends(wanted) {
            continue;
        }
        let names: Vec<&str> = meant.iter().map(|source| source.name()).collect();
        let title = match meant.len() == config.sources.len() {
            true => format!("no source can send `{wanted}`"),
            false => format!("none of the sources that `match` leaves can send `{wanted}`"),
        };
        let diagnostic = report.warning("never-sent", &node.place, title);
        // What this sender has instead.
        let near: Vec<&str> = near(wanted).iter().copied().filter(|near| sends(near)).collect();
        diagnostic.help(match near.is_empty() {
            false => format!("what comes near to it here is {}", quoted(&near)),
            true => format!("the sources are {}; what each can send is its `emits`", quoted(&names)),
        });
    }
}

/// Types that mean nearly the same, where a sender does not have the one.
fn near(wanted: &str) -> &'static [&'static str] {
    match wanted.strip_prefix("reservation.").unwrap_or_default() {
        "guests_changed" | "price_changed" | "property_changed" => &["reservation.updated"],
        "declined" | "expired" | "no_show" => &["reservation.cancelled", "reservation.status_changed"],
        "marked_in_house" | "marked_completed" => &["reservation.status_changed"],
        _ => &[],
    }
}

/// A recipe for sources that only learn.
pub(super) fn learning(config: &Config, meant: &[&Source], recipe: &Recipe, report: &mut Report) {
    if meant.is_empty() || meant.len() == config.sources.len() || !meant.iter().all(|source| source.learn()) {
        return;
    }
    let names: Vec<&str> = meant.iter().map(|source| source.name()).collect();
    let title = format!("this never runs: {} only learns (`learn: true`)", quoted(&names));
    report
        .warning("never-runs", &recipe.named_at, title)
        .help("take `learn` away from the source once you know what it sends");
}
