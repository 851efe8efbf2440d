//! The properties, tags and sources that `match` names.

use super::super::Config;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::yaml::{Kind, Node};

/// The properties and sources that `match`, and `was` and `not` in it, name.
pub(super) fn look(config: &Config, conditions: &Node, report: &mut Report) {
    for (key, node) in conditions.entries() {
        match (key.text.as_str(), &node.kind) {
            ("was" | "not", _) => look(config, node, report),
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
    let known_by = |known: &&str| known.to_lowercase() == word.to_lowercase();
    if word.contains('*') || known.iter().any(known_by) || config.unread.may_hold("sources", word) {
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
    if word.contains('*') || config.unread.section("properties") {
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
