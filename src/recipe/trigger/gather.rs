//! `gather`: the lists of stays that a schedule's templates read.

use crate::lang::diag::Report;
use crate::lang::fields::{self, Fields};
use crate::lang::shape::{EMPTY, Form, More, Own, Shape, key};
use crate::lang::yaml::Node;
use crate::recipe::clock::{Anchor, Gather, Shift};
use crate::recipe::conditions::{LISTED, Match};

use super::clock::shift;

/// More lists than this in one recipe are refused.
const LISTS_MAX: usize = 20;

/// `gather`.
pub(in crate::recipe) static GATHER: Shape = Shape {
    what: "`gather`",
    about: "With a schedule: lists of stays for the templates, which read each as `gathered.NAME` and its entries as they \
            read `reservation`; at most 20 of them. The stay whose time comes first stands first.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        form: Form::Settings(&GATHERED),
        about: "One list of stays, by the name that templates give it: letters, digits and `_`, and no digit first.",
        example: "arrivals: {stay: check_in, within: 7d}",
    })],
    ..EMPTY
};

static GATHERED: Shape = Shape {
    what: "a list of `gather`",
    about: "Which stays are on the list.",
    keys: &[
        key(
            "stay",
            Form::Word(&["check_in", "check_out"]),
            "What has to lie ahead: the arrival, or the departure.",
            "stay: check_in",
        )
        .needed(),
        key(
            "within",
            Form::Duration,
            "How far ahead at most. Days are days of the calendar in the schedule's zone, today the first of them: on a Monday \
             `7d` is Monday to Sunday, so that a schedule of every week names nobody twice and misses nobody. Hours and \
             minutes are time that passes from now on.",
            "within: 7d",
        )
        .needed(),
        key(
            "match",
            Form::Settings(&LISTED),
            "For which stays: booked ones of guests, unless it says another `status` or `kind`.",
            "match: {property: \"tag:downtown\"}",
        ),
    ],
    ..EMPTY
};

/// Reads it: the lists that are right, and the names of all.
pub(in crate::recipe) fn read(node: &Node, report: &mut Report) -> (Vec<Gather>, Vec<String>) {
    let entries = fields::own(node, &GATHER, report);
    if entries.is_empty() || entries.len() > LISTS_MAX {
        let title = format!("`gather` has 1 to {LISTS_MAX} lists");
        report
            .mistake("gather", &node.place, title)
            .help("such as `gather: {arrivals: {stay: check_in, within: 7d}}`");
        return (Vec::new(), Vec::new());
    }
    // `gather: {stay: check_in, within: 7d}`: the name is missing.
    if let Some((key, _)) = entries
        .iter()
        .find(|(key, node)| ["stay", "within"].contains(&key.text.as_str()) && node.scalar().is_some())
    {
        report
            .mistake("gather", &key.place, "every list of `gather` has a name")
            .help("such as `gather: {arrivals: {stay: check_in, within: 7d}}`, which is read as `gathered.arrivals`");
        return (Vec::new(), Vec::new());
    }
    let names = entries.iter().map(|(key, _)| key.text.clone()).collect();
    let mut lists = Vec::new();
    for (key, node) in entries {
        fields::name(key, "a list", report);
        lists.extend(list(&key.text, node, report));
    }
    (lists, names)
}

fn list(name: &str, node: &Node, report: &mut Report) -> Option<Gather> {
    let mut fields = Fields::of(node, &GATHERED, report)?;
    let missing = fields.required("stay", report).is_none() | fields.required("within", report).is_none();
    let anchor = fields.word("stay", report).and_then(Anchor::from_word);
    let within = shift(&mut fields, "within", report);
    if let Some(node) = fields.get("within").filter(|_| within.is_some_and(Shift::is_none)) {
        report
            .mistake("gather", &node.place, "`within` is more than nothing")
            .help("today alone is `within: 1d`");
    }
    let conditions = fields
        .get("match")
        .map_or_else(Match::default_for_stays, |node| Match::read_listed(node, report));
    fields.finish(report);
    (!missing).then_some(Gather {
        name: name.to_owned(),
        anchor: anchor?,
        within: within?,
        conditions: conditions.or_booked(),
    })
}
