//! The properties, tags and sources that `match` names.

use super::super::Config;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::yaml::Node;

/// Whether the configuration knows the properties and sources that a condition names.
pub(super) fn known(config: &Config, name: &str, node: &Node, report: &mut Report) {
    for item in node.items() {
        match name {
            "property" => property_word(config, item, report),
            "source" => source_word(config, item, report),
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
    let near = did_you_mean(word, known.iter().copied());
    report.warning("unknown-source", &node.place, title).meant(near, "");
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
    let near = did_you_mean(name, known.iter().copied());
    report.warning("unknown-property", &node.place, title).meant(near, "");
}
