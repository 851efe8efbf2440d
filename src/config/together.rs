//! Recipes held against the configuration: each is right by itself, do they fit?

mod connections;
mod events;
mod fields;
mod names;
mod status;
mod vars;
mod words;

use std::collections::HashSet;

use crate::lang::diag::{Diagnostic, Place, Report, Severity};
use crate::lang::yaml::{self, Node};
use crate::recipe::{Recipe, Senders, Step};
use crate::source::Source;
use crate::worker::Setup;

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
        let entries = value(&root, "on").map(Node::items).unwrap_or_default();
        let lists = value(&root, "gather").map(Node::entries).unwrap_or_default();
        let own = value(&root, "match");
        let conditions: Vec<&Node> = own
            .into_iter()
            .chain(lists.iter().filter_map(|(_, list)| value(list, "match")))
            .collect();
        conditions.iter().for_each(|node| words::look(config, node, report));
        if all_sources {
            if let Some(on) = value(&root, "on") {
                events::sent(config, &meant, on, report);
            }
            conditions.iter().for_each(|node| fields::filled(&meant, node, report));
            // The words of a status that lasts stand in an entry itself.
            for node in conditions.into_iter().chain(entries) {
                status::words(&meant, node, report);
            }
            events::learning(config, &meant, recipe, report);
        }
        for step in value(&root, "actions").map(Node::items).unwrap_or_default() {
            connections::there(config, setup, step, report);
            names::addresses(&meant, step, report);
        }
        if !config.unread.section("properties") {
            vars::known(config, recipe, &root, whole, report);
        }
        for never in recipe.never_runs(senders).into_iter().filter(|_| whole) {
            let place = place_of(&root, &never.keys).unwrap_or_else(|| recipe.named_at().clone());
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

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let mut entries = node.entries().iter();
    entries.find(|(found, _)| found.text == key).map(|(_, node)| node)
}

/// The place of what these keys lead to, or of the last one that is there.
fn place_of(root: &Node, keys: &[&str]) -> Option<Place> {
    let mut node = root;
    let mut place = None;
    for key in keys {
        let parts = key.split_once('.');
        let next = value(node, key).or_else(|| value(value(node, parts?.0)?, parts?.1));
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
