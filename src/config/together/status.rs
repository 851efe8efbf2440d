//! Words of `match.status` that nobody uses.

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::Node;
use crate::model::field::STATUSES;
use crate::model::reservation::{Status, fold_word};
use crate::source::Source;

/// The words of the sources meant. Where a source says nothing of its words, any may come.
pub(super) fn known(meant: &[&Source]) -> Option<Vec<String>> {
    let with_status = meant.iter().filter(|source| source.maps("status"));
    let known: Option<Vec<Vec<String>>> = with_status.map(|source| source.status_words()).collect();
    let known = known.filter(|known| !known.is_empty())?;
    let mut known: Vec<String> = known.concat().iter().map(|word| fold_word(word)).collect();
    known.sort_unstable();
    known.dedup();
    Some(known)
}

/// Words of a condition on the status that are neither ours nor known.
pub(super) fn words(known: Option<&[String]>, name: &str, node: &Node, report: &mut Report) {
    if let Some(known) = known.filter(|_| name == "status") {
        node.items().iter().for_each(|item| word(item, known, report));
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
    let words: Vec<&str> = known.iter().map(String::as_str).collect();
    let title = format!("`{bare}` is neither a status of ours nor a word that a source is known to send");
    let diagnostic = report.warning("unknown-status", &node.place, title);
    let several = bare.split([',', '|']).flat_map(|part| part.split(" or "));
    let several: Vec<&str> = several.map(str::trim).collect();
    if several.len() > 1 {
        diagnostic.help(format!("several are a list: `status: [{}]`", several.join(", ")));
        return;
    }
    let otherwise = format!(
        "the senders' words are {}; ours are {}, and `booked` for the three of a stay that takes place",
        super::some(&words),
        quoted(STATUSES).replace(" or ", ", ")
    );
    diagnostic.meant(did_you_mean(&folded, words.iter().copied()), otherwise);
}
