//! Fields that `match` asks for and no sender fills.

use crate::lang::diag::Report;
use crate::lang::yaml::Node;
use crate::model::field::field_named;
use crate::source::Source;

/// A condition on a field that none of the sources meant fills: a comparison with what was not sent never holds.
pub(super) fn filled(meant: &[&Source], name: &str, node: &Node, report: &mut Report) {
    let words = node.items().iter().filter(|item| !item.is_null());
    let words: Vec<&str> = words.filter_map(Node::scalar).collect();
    // Asking for what was not sent is what `~` and `null` are for; a stay is a guest's until somebody says otherwise.
    let holds = |word: &&str| {
        word.trim_start_matches("!=").trim() == "null" || name == "kind" && word.eq_ignore_ascii_case("guest")
    };
    let ours = node.is_null() || words.len() < node.items().len() || words.iter().any(holds);
    let silent = meant.is_empty() || field_named(name).is_none();
    if silent || ours || meant.iter().any(|source| fills(source, name)) {
        return;
    }
    let title = format!("no source fills `{name}`, so this never holds");
    report
        .warning("never-filled", &node.place, title)
        .help("what a source fills stands in its mapping; `payload: {$.path: …}` reads the body as it was sent");
}

/// Whether a source says this field, or another that it follows from.
fn fills(source: &Source, name: &str) -> bool {
    let from: &[&str] = match name {
        "guest.name" => &["guest.first_name", "guest.last_name"],
        "guest.phone_last4" => &["guest.phone"],
        "check_in" => &["check_in_date"],
        "check_out" => &["check_out_date"],
        "check_in_date" => &["check_in"],
        "check_out_date" => &["check_out"],
        // The configuration may name it.
        "property.name" => &["property.ids"],
        _ => &[],
    };
    std::iter::once(&name).chain(from).any(|name| source.maps(name))
}
