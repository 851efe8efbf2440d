//! Whether what a recipe names things at targets by is one stay's alone.

use crate::lang::diag::Report;
use crate::lang::fields::quoted;
use crate::lang::yaml::Node;
use crate::source::Source;

/// An address that several stays would share: `reservation.code` in it, where the sender's code is a reference only.
pub(super) fn addresses(meant: &[&Source], action: &Node, report: &mut Report) {
    const CODE: &str = "reservation.code";
    let url = action.at("http").and_then(|http| http.at("url"));
    let Some((node, url)) = url.and_then(|node| Some((node, node.scalar()?))) else {
        return;
    };
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let reads = url.match_indices(CODE).any(|(at, _)| !goes_on(&url[at + CODE.len()..]));
    let shared = meant.iter().filter(|source| source.code_is_shared());
    let shared: Vec<&str> = shared.map(|source| source.name()).collect();
    if reads && !shared.is_empty() {
        let title = format!(
            "two stays of {} may have the same `reservation.code`, and would share this address",
            quoted(&shared)
        );
        report
            .warning("shared-code", &node.place, title)
            .help("`reservation.key` is the stay's own name: no other stay has it, and it never changes");
    }
}
