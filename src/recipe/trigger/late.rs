//! `late`: what to do with a time of a clock that has passed.

use crate::lang::diag::Report;
use crate::lang::duration;
use crate::lang::fields::text;
use crate::lang::shape::Like;
use crate::lang::yaml::Node;
use crate::recipe::clock::Late;

/// `late`.
pub(in crate::recipe) static LATE: Like = Like {
    what: "`skip`, or `run within` and a duration",
    pattern: r"^\s*(skip|run within\s+[0-9]+\s*[smhd])\s*$",
    numbers: false,
};

/// Reads it.
pub(in crate::recipe) fn read(node: &Node, report: &mut Report) -> Option<Late> {
    let written = text(node, "late", report)?.trim();
    if written == "skip" {
        return Some(Late::Skip);
    }
    let span = written
        .strip_prefix("run within")
        .filter(|rest| rest.starts_with(char::is_whitespace));
    let within = span.and_then(duration::parse);
    if within.is_none() {
        let title = "`late` is `skip`, or `run within` and a duration";
        // `late: 12h`, or `late: run within 12 hours`.
        let meant = |text: &str| {
            duration::parse(text)
                .map(duration::text)
                .or_else(|| duration::meant(text))
        };
        let near = span.or(Some(written)).and_then(meant);
        let near = near.unwrap_or_else(|| "12h".to_owned());
        report
            .mistake("expected-word", &node.place, title)
            .help(format!("write `late: run within {near}`, or `late: skip`"));
    }
    within.map(Late::Within)
}
