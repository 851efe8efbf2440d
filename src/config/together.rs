//! Recipes held against the configuration: each is right by itself, do they fit?

mod connections;
mod events;
mod fields;
mod names;
mod status;
mod vars;
mod words;

use std::collections::HashSet;

use crate::engine::Setup;
use crate::lang::diag::{Diagnostic, Place, Report, Severity};
use crate::lang::yaml::{self, Kind, Node};
use crate::recipe::{Recipe, Senders, Step};
use crate::source::Source;

use super::{Config, once};

/// Holds every recipe against sources, connections and properties, also what could be read of one with a mistake. A step
/// without a connection is a mistake; an event that no source sends, a property or a var that is not there, conditions
/// that never hold are warnings. Nothing is said that follows from what could not be read.
pub fn check_together(config: &Config, setup: &Setup, report: &mut Report) {
    if config.unread.lines {
        return;
    }
    let from = report.items.len();
    let wrong = report.items.iter().filter(|item| item.severity == Severity::Mistake);
    let wrong: HashSet<Place> = wrong.filter_map(|item| item.place.clone()).collect();
    let hints: Vec<String> = config.sources.iter().flat_map(|source| source.hints()).collect();
    let all_sources = !config.unread.section("sources");
    let senders = Senders {
        // Where nothing is known of a sender, it may do everything.
        blocks: config.sources.is_empty() || config.sources.iter().any(|source| source.maps("kind")) || !all_sources,
        hints: &hints,
    };
    // The last good revision of a recipe with a mistake is not what stands in its file.
    let good = setup.book.all().iter().map(|recipe| (&**recipe, true));
    let good = good.filter(|(recipe, _)| !setup.book.is_broken(&recipe.name));
    for (recipe, whole) in good.chain(setup.book.drafts().iter().map(|recipe| (recipe, false))) {
        // It has been read before: there is nothing new to report.
        let Some(root) = yaml::parse(&recipe.file, &recipe.text, &mut Report::new()) else {
            continue;
        };
        let meant = meant(config, recipe);
        let entries = root.at("on").map(Node::items).unwrap_or_default();
        let lists = root.at("gather").map(Node::entries).unwrap_or_default();
        let lists = lists.iter().filter_map(|(_, list)| list.at("match"));
        let known = status::known(&meant).filter(|_| all_sources);
        for conditions in root.at("match").into_iter().chain(lists) {
            each(conditions, "", &mut |name, node| {
                words::known(config, name, node, report);
                if all_sources {
                    fields::filled(&meant, name, node, report);
                }
                status::words(known.as_deref(), name, node, report);
            });
        }
        if all_sources {
            events::sent(config, &meant, entries, report);
            events::learning(config, &meant, recipe, report);
        }
        // The words of a status that lasts stand in an entry itself.
        for entry in entries {
            each(entry, "", &mut |name, node| {
                status::words(known.as_deref(), name, node, report)
            });
        }
        for step in root.at("actions").map(Node::items).unwrap_or_default() {
            connections::there(config, setup, step, report);
            names::addresses(&meant, step, report);
        }
        if !config.unread.section("properties") {
            vars::known(config, recipe, &root, whole, report);
        }
        for never in recipe.never_runs(senders).into_iter().filter(|_| whole) {
            let place = place_of(&root, &never.keys).unwrap_or_else(|| recipe.named_at.clone());
            report.warning("never-runs", &place, never.because).help(never.help);
        }
    }
    once(from, report);
    // What is wrong by itself needs no second word.
    let told = report.items.split_off(from);
    let new = |item: &Diagnostic| item.place.as_ref().is_none_or(|place| !wrong.contains(place));
    report.items.extend(told.into_iter().filter(new));
}

/// A recipe as a sentence, with the connections that its steps leave out.
pub fn sentence(setup: &Setup, recipe: &Recipe) -> String {
    sentence_with(setup, recipe, None)
}

/// The same, with when it fires next.
pub fn sentence_with(setup: &Setup, recipe: &Recipe, next: Option<&str>) -> String {
    let connection = |step: &Step| {
        let connection = setup.connection_for(&step.kind, &*step.effect).ok()?;
        Some(connection.name.clone())
    };
    recipe.sentence_with(&connection, next)
}

/// The sources whose stays a recipe can meet; what `match.source` names nobody is warned of by itself.
fn meant<'c>(config: &'c Config, recipe: &Recipe) -> Vec<&'c Source> {
    let sources = || config.sources.iter().map(|source| &**source);
    let meant: Vec<&Source> = sources()
        .filter(|source| recipe.may_come_from(source.stays_of()))
        .collect();
    if meant.is_empty() { sources().collect() } else { meant }
}

/// Every condition by its dotted name, those within `was` and `not` among them.
fn each(conditions: &Node, group: &str, seen: &mut dyn FnMut(&str, &Node)) {
    for (key, node) in conditions.entries() {
        let name = format!("{group}{}", key.text);
        match &node.kind {
            Kind::Map(_) if matches!(name.as_str(), "was" | "not") => each(node, "", seen),
            Kind::Map(_) => each(node, &format!("{name}."), seen),
            _ => seen(&name, node),
        }
    }
}

/// The place of what these keys lead to, or of the last one that is there.
fn place_of(root: &Node, keys: &[&str]) -> Option<Place> {
    let mut node = root;
    let mut place = None;
    for key in keys {
        let parts = key.split_once('.');
        let next = node.at(key).or_else(|| node.at(parts?.0)?.at(parts?.1));
        let Some(next) = next.or_else(|| {
            // `guest.email` or `payment.amount` in one word.
            let mut entries = node.entries().iter();
            let found =
                entries.find(|(found, _)| found.text.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')));
            found.map(|(_, node)| node)
        }) else {
            break;
        };
        place = Some(next.place.clone());
        node = next;
    }
    place
}

/// "`a`, `b` and `c`", or "`a`, `b` and 5 more".
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let quote = |name: &&str| format!("`{name}`");
    let (shown, last) = match names {
        [.., last] if names.len() <= SHOWN => (&names[..names.len() - 1], quote(last)),
        _ => (
            &names[..SHOWN.min(names.len())],
            format!("{} more", names.len().saturating_sub(SHOWN)),
        ),
    };
    if shown.is_empty() {
        return last;
    }
    format!("{} and {last}", shown.iter().map(quote).collect::<Vec<_>>().join(", "))
}
