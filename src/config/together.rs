//! Recipes held against the configuration: each is right by itself, do they fit?

use crate::action;
use crate::lang::diag::{Place, Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::{self, Kind, Node};
use crate::recipe::{Recipe, Step};
use crate::worker::Setup;

use super::{Config, once};

/// Holds every good recipe against sources, connections and properties. A step without a connection is a mistake; an
/// event that no source sends, a property or a var that is not there are warnings.
pub fn check_together(config: &Config, setup: &Setup, report: &mut Report) {
    let from = report.items.len();
    for recipe in setup.book.all() {
        // It has been read before: there is nothing new to report.
        let Some(root) = yaml::parse(&recipe.file, &recipe.text, &mut Report::new()) else {
            continue;
        };
        if let Some(on) = value(&root, "on") {
            events(config, on, report);
        }
        if let Some(conditions) = value(&root, "match") {
            match_property(config, conditions, report);
        }
        let actions = value(&root, "actions").map(Node::items).unwrap_or_default();
        for (step, node) in recipe.steps.iter().zip(actions) {
            connection(setup, step, node, report);
        }
        vars(config, recipe, report);
    }
    once(from, report);
}

fn value<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let mut entries = node.entries().iter();
    entries.find(|(found, _)| found.text == key).map(|(_, node)| node)
}

fn connection(setup: &Setup, step: &Step, node: &Node, report: &mut Report) {
    let Err(because) = setup.connection_for(&step.kind, &*step.effect) else {
        return;
    };
    let settings = value(node, &step.kind);
    let place = settings
        .and_then(|settings| value(settings, "connection").or(Some(settings)))
        .map_or(&step.place, |node| &node.place);
    let connections = setup.connections.values();
    let mut fitting: Vec<&str> = connections
        .filter(|connection| action::fits(&step.kind, connection))
        .map(|connection| connection.name.as_str())
        .collect();
    fitting.sort_unstable();
    let diagnostic = report.mistake("connection", place, because);
    let near = step
        .effect
        .connection()
        .and_then(|name| did_you_mean(name, fitting.iter().copied()));
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if fitting.is_empty() => diagnostic.help(format!(
            "add one below `connections` in the configuration: `NAME: {{{}: …}}`",
            if step.kind == "email" {
                "smtp"
            } else {
                step.kind.as_str()
            }
        )),
        None => diagnostic.help(format!("write `connection:` with {}", quoted(&fitting))),
    }
}

fn events(config: &Config, on: &Node, report: &mut Report) {
    let sources = &config.sources;
    // Of a source that says nothing, anything may come.
    if sources.is_empty() || sources.iter().any(|source| source.emits().is_empty()) {
        return;
    }
    let wanted = on.items().iter().filter_map(|entry| value(entry, "event"));
    for node in wanted.flat_map(Node::items) {
        let Some(wanted) = node.scalar() else { continue };
        if sources
            .iter()
            .all(|source| source.emits().iter().all(|one| one != wanted))
        {
            let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
            report
                .warning("never-sent", &node.place, format!("no source can send `{wanted}`"))
                .help(format!(
                    "the sources are {}; what each can send is its `emits`",
                    quoted(&names)
                ));
        }
    }
}

/// The properties that `match`, and `was` and `not` in it, name.
fn match_property(config: &Config, conditions: &Node, report: &mut Report) {
    for (key, node) in conditions.entries() {
        match (key.text.as_str(), &node.kind) {
            ("was" | "not", _) => match_property(config, node, report),
            ("property", Kind::Map(_)) => {}
            ("property", _) => node.items().iter().for_each(|item| property_word(config, item, report)),
            ("source", _) => node.items().iter().for_each(|item| source_word(config, item, report)),
            _ => {}
        }
    }
}

fn source_word(config: &Config, node: &Node, report: &mut Report) {
    let Some(word) = node.scalar() else { return };
    let word = word.strip_prefix("!=").unwrap_or(word).trim();
    let known: Vec<&str> = config.sources.iter().map(|source| source.name()).collect();
    if word.contains('*') || known.iter().any(|known| known.to_lowercase() == word.to_lowercase()) {
        return;
    }
    let title = format!("no source in the configuration is called `{word}`");
    let diagnostic = report.warning("unknown-source", &node.place, title);
    if let Some(near) = did_you_mean(word, known.iter().copied()) {
        diagnostic.help(format!("did you mean `{near}`?"));
    }
}

fn property_word(config: &Config, node: &Node, report: &mut Report) {
    let Some(word) = node.scalar() else { return };
    let word = word.strip_prefix("!=").unwrap_or(word).trim();
    if word.contains('*') {
        return;
    }
    let properties = &config.properties.all;
    let (what, name, known): (_, _, Vec<&str>) = match word.strip_prefix("tag:") {
        Some(tag) => {
            let tags = properties.iter().flat_map(|property| &property.tags);
            ("has the tag", tag.trim(), tags.map(String::as_str).collect())
        }
        None => (
            "is called",
            word,
            properties.iter().map(|property| property.key.as_str()).collect(),
        ),
    };
    if known.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
        return;
    }
    let title = format!("no property in the configuration {what} `{name}`");
    let diagnostic = report.warning("unknown-property", &node.place, title);
    if let Some(near) = did_you_mean(name, known.iter().copied()) {
        diagnostic.help(format!("did you mean `{near}`?"));
    }
}

/// `property.vars.NAME` that neither a property nor the defaults define.
fn vars(config: &Config, recipe: &Recipe, report: &mut Report) {
    let properties = &config.properties;
    let mut known: Vec<&str> = properties.vars.keys().map(String::as_str).collect();
    known.extend(
        properties
            .all
            .iter()
            .flat_map(|one| one.vars.keys().map(String::as_str)),
    );
    let trees = recipe.vars.iter().flat_map(|(_, tree)| tree.names());
    let steps = recipe.steps.iter().flat_map(|step| step.effect.names());
    for (name, place) in trees.chain(steps) {
        let path = name.path.strip_prefix("reservation.").unwrap_or(&name.path);
        let var = path.strip_prefix("property.vars.").map(|rest| {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            &rest[..end]
        });
        if let Some(var) = var.filter(|var| !known.contains(var)) {
            unknown_var(var, &known, &place, report);
        }
    }
}

fn unknown_var(var: &str, known: &[&str], place: &Place, report: &mut Report) {
    let title = format!("no property has a var `{var}`, and the defaults have none");
    let diagnostic = report.warning("unknown-var", place, title);
    match did_you_mean(var, known.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("`defaults: {{vars: {{{var}: …}}}}` is for every property")),
    }
}
