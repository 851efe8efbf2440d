//! Ready mappings, and how a source's own settings lie over one.

use super::mapping;
use super::shape::{PRESET, SOURCE};
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::{self, Key, Kind, Node};

/// The name and the text of every preset.
pub const PRESETS: &[(&str, &str)] = &[
    ("apaleo", include_str!("../../presets/sources/apaleo.yaml")),
    ("beds24", include_str!("../../presets/sources/beds24.yaml")),
    ("channex", include_str!("../../presets/sources/channex.yaml")),
    ("cloudbeds", include_str!("../../presets/sources/cloudbeds.yaml")),
    ("generic", include_str!("../../presets/sources/generic.yaml")),
    ("guesty", include_str!("../../presets/sources/guesty.yaml")),
    (
        "hospitable-v1",
        include_str!("../../presets/sources/hospitable-v1.yaml"),
    ),
    (
        "hospitable-v2",
        include_str!("../../presets/sources/hospitable-v2.yaml"),
    ),
    ("hostaway", include_str!("../../presets/sources/hostaway.yaml")),
    ("hostelmate", include_str!("../../presets/sources/hostelmate.yaml")),
    ("hostfully", include_str!("../../presets/sources/hostfully.yaml")),
    ("lodgify", include_str!("../../presets/sources/lodgify.yaml")),
    ("lodgix", include_str!("../../presets/sources/lodgix.yaml")),
    ("mews", include_str!("../../presets/sources/mews.yaml")),
    ("ownerrez", include_str!("../../presets/sources/ownerrez.yaml")),
    ("smoobu", include_str!("../../presets/sources/smoobu.yaml")),
    ("stripe", include_str!("../../presets/sources/stripe.yaml")),
    ("uplisting", include_str!("../../presets/sources/uplisting.yaml")),
];

/// The names of the presets.
pub(super) const NAMES: &[&str] = &{
    let mut names = [""; PRESETS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = PRESETS[at].0;
        at += 1;
    }
    names
};

/// Senders that are to follow.
const LATER: &[&str] = &["hostex", "rentalsunited"];

/// What stands in the source (and not in a preset): keys that are never part of a mapping.
pub(super) struct Layers {
    /// Everything but the mappings.
    pub(super) settings: Node,
    /// The mappings, each complete.
    pub(super) mappings: Vec<Node>,
    /// The preset's name.
    pub(super) preset: Option<&'static str>,
}

struct Layer {
    entries: Vec<(Key, Node)>,
    list: Option<Vec<Node>>,
}

/// Loads the source's preset, if it names one, and lays the source's own settings over it.
pub(super) fn layered(settings: &Node, report: &mut Report) -> Option<Layers> {
    let own = layer(settings, report)?;
    let named = own
        .entries
        .iter()
        .find(|(key, _)| key.text == "preset")
        .map(|(_, node)| node);
    let mut preset = None;
    let (entries, list) = match named.filter(|node| !node.is_null()) {
        None => (own.entries, own.list),
        Some(node) => {
            let (name, text) = load(node, report)?;
            preset = Some(name);
            let file = format!("presets/sources/{name}.yaml");
            let mut base = layer(&yaml::parse(&file, text, report)?, report)?;
            base.entries.retain(|(key, _)| key.text != "about");
            over(base, own)
        }
    };
    let (shared, settings_entries): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|(key, _)| mapping::MAPPING.entry(&key.text).is_some());
    let is_section = |key: &Key| matches!(key.text.as_str(), "reservation" | "payment" | "message");
    let mappings = match list {
        None if shared.is_empty() => Vec::new(),
        None => vec![map_at(settings, shared)],
        Some(list) => {
            let (sections, defaults): (Vec<_>, Vec<_>) = shared.into_iter().partition(|(key, _)| is_section(key));
            list.into_iter()
                .map(|one| {
                    let mut entries = one.entries().to_vec();
                    for (key, node) in &sections {
                        if let Some((_, own)) = entries.iter_mut().find(|(k, _)| k.text == key.text)
                            // What is no settings is a mistake that has to show.
                            && matches!(own.kind, Kind::Map(_))
                        {
                            *own = merged(own, node);
                        }
                    }
                    for (key, node) in &defaults {
                        if !entries.iter().any(|(k, _)| k.text == key.text) {
                            entries.push((key.clone(), node.clone()));
                        }
                    }
                    match one.kind {
                        Kind::Map(_) => Node {
                            place: one.place,
                            kind: Kind::Map(entries),
                        },
                        _ => one,
                    }
                })
                .collect()
        }
    };
    Some(Layers {
        settings: map_at(settings, settings_entries),
        mappings,
        preset,
    })
}

fn map_at(like: &Node, entries: Vec<(Key, Node)>) -> Node {
    Node {
        place: like.place.clone(),
        kind: Kind::Map(entries),
    }
}

fn load(node: &Node, report: &mut Report) -> Option<(&'static str, &'static str)> {
    let name = node.scalar().unwrap_or_default();
    if let Some(found) = PRESETS.iter().find(|(known, _)| *known == name) {
        return Some(*found);
    }
    if LATER.contains(&name) {
        report
            .mistake(
                "not-yet",
                &node.place,
                format!("the preset `{name}` is not in this version yet"),
            )
            .help("a `map:` of your own can read its bodies; `preset: generic` reads JSON in our own words");
        return None;
    }
    let diagnostic = report.mistake(
        "unknown-preset",
        &node.place,
        format!("there is no preset called `{name}`"),
    );
    match did_you_mean(name, NAMES.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("the presets are {}", quoted(NAMES))),
    }
    None
}

/// Settings with the keys of a single `map` among them.
fn layer(node: &Node, report: &mut Report) -> Option<Layer> {
    let Kind::Map(all) = &node.kind else {
        let found = node.what();
        report
            .mistake(
                "expected-settings",
                &node.place,
                format!("a source is written as settings (`key: value`), this is {found}"),
            )
            .help("for example `hospitable: {preset: hospitable-v1, token: \"${HOSPITABLE_TOKEN}\"}`");
        return None;
    };
    let mut entries = Vec::new();
    let mut list = None;
    for (key, value) in all {
        match &value.kind {
            _ if key.text != "map" => entries.push((key.clone(), value.clone())),
            Kind::List(items) => {
                if items.is_empty() {
                    report.mistake("empty-list", &value.place, "`map` needs at least one mapping");
                }
                list = Some(items.clone());
            }
            Kind::Map(inner) => {
                for (key, value) in inner {
                    if key.text == "map" || PRESET.entry(&key.text).is_none() && SOURCE.entry(&key.text).is_some() {
                        let title = format!("`{}` stands beside `map`, not in it", key.text);
                        report.mistake("unknown-key", &key.place, title);
                    } else {
                        entries.push((key.clone(), value.clone()));
                    }
                }
            }
            Kind::Scalar(_) if value.is_null() => {}
            Kind::Scalar(_) => {
                report.mistake(
                    "expected-settings",
                    &value.place,
                    "`map` is written as settings, or a list of them",
                );
            }
        }
    }
    let mut seen: Vec<(Key, Node)> = Vec::new();
    for (key, value) in entries {
        if let Some((first, _)) = seen.iter().find(|(k, _)| k.text == key.text) {
            let title = format!(
                "`{}` is there twice, in `map` and beside it in line {}",
                key.text, first.place.line
            );
            report.mistake("duplicate-key", &key.place, title);
        } else {
            seen.push((key, value));
        }
    }
    Some(Layer { entries: seen, list })
}

/// The source's settings over the preset's: fields are added or replaced one by one, rules of `ignore` and `ping` and
/// types of `emits` and `secrets` are added, everything else is replaced.
fn over(base: Layer, own: Layer) -> (Vec<(Key, Node)>, Option<Vec<Node>>) {
    let mut entries = base.entries;
    if own.list.is_some() {
        // A list of mappings of one's own stands for all that the preset reads.
        entries.retain(|(key, _)| key.text == "version" || mapping::MAPPING.entry(&key.text).is_none());
    }
    for (key, node) in own.entries {
        match entries.iter_mut().find(|(k, _)| k.text == key.text) {
            Some((_, under)) => {
                *under = match key.text.as_str() {
                    "reservation" | "payment" | "message" | "event" => merged(under, &node),
                    "ignore" | "ping" | "emits" | "secrets" => Node {
                        kind: Kind::List(node.items().iter().chain(under.items()).cloned().collect()),
                        place: node.place,
                    },
                    _ => node,
                }
            }
            None => entries.push((key, node)),
        }
    }
    (entries, own.list.or(base.list))
}

/// Settings key by key, deeply; everything else is replaced. Nothing (`~`) takes a field away.
fn merged(under: &Node, over: &Node) -> Node {
    let (Kind::Map(below), Kind::Map(above)) = (&under.kind, &over.kind) else {
        return over.clone();
    };
    let mut entries = below.clone();
    for (key, value) in above {
        match entries.iter_mut().find(|(k, _)| k.text == key.text) {
            Some((_, old)) => *old = merged(old, value),
            None => entries.push((key.clone(), value.clone())),
        }
    }
    Node {
        place: over.place.clone(),
        kind: Kind::Map(entries),
    }
}
