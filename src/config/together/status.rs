//! Words of `match.status` that nobody uses.

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::yaml::Node;
use crate::model::reservation::{Status, fold_word};
use crate::source::Source;

/// Words that are neither ours nor of the sources meant. Where a source says nothing of its words, any may come.
pub(super) fn words(meant: &[&Source], conditions: &Node, report: &mut Report) {
    let with_status = meant.iter().filter(|source| source.maps("status"));
    let known: Option<Vec<Vec<String>>> = with_status.map(|source| source.status_words()).collect();
    let Some(known) = known.filter(|known| !known.is_empty()) else {
        return;
    };
    let known: Vec<String> = known.concat().iter().map(|word| fold_word(word)).collect();
    look(conditions, &known, report);
}

fn look(conditions: &Node, known: &[String], report: &mut Report) {
    for (key, node) in conditions.entries() {
        match key.text.as_str() {
            "was" | "not" => look(node, known, report),
            "status" => node.items().iter().for_each(|item| word(item, known, report)),
            _ => {}
        }
    }
}

fn word(node: &Node, known: &[String], report: &mut Report) {
    let Some(written) = node.scalar().filter(|_| !node.is_null()) else {
        return;
    };
    let bare = written.strip_prefix("!=").unwrap_or(written).trim();
    let folded = fold_word(bare);
    let ours = Status::ALL.iter().map(|status| status.word()).chain(["booked"]);
    let is_ours = Status::from_word(bare).is_some() || matches!(folded.as_str(), "booked" | "null");
    // What is nearly one of ours has been told when the recipe was read.
    let nearly_ours = did_you_mean(&folded.replace(' ', "_"), ours).is_some();
    if is_ours || nearly_ours || folded.contains('*') || known.contains(&folded) {
        return;
    }
    let mut words: Vec<&str> = known.iter().map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    let title = format!("`{bare}` is neither a status of ours nor a word that a source is known to send");
    let diagnostic = report.warning("unknown-status", &node.place, title);
    let several: Vec<&str> = bare
        .split([',', '|'])
        .flat_map(|part| part.split(" or "))
        .map(str::trim)
        .collect();
    if several.len() > 1 {
        diagnostic.help(format!("several are a list: `status: [{}]`", several.join(", ")));
        return;
    }
    match did_you_mean(&folded, words.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!(
            "the senders' words are {}; ours are {}",
            super::some(&words),
            "`inquiry`, `pending`, `awaiting_payment`, `confirmed`, `in_house`, `completed`, `cancelled`, `declined`, \
             `expired`, `no_show`, `unknown`, and `booked` for the three of a stay that takes place"
        )),
    }
}
