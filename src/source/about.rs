//! What a preset says to people: how to set its sender up, what arrives, what it cannot know.

use super::preset::PRESETS;
use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::shape::{EMPTY, Form, Shape, key};
use crate::lang::yaml::{self, Kind, Node};

/// `about` in the file of a preset.
pub(super) static ABOUT: Shape = Shape {
    what: "`about`",
    about: "What the page of the preset says; nothing of it has an effect.",
    keys: &[
        key("name", Form::Text, "What people call the sender.", "name: Hostel Mate").needed(),
        key(
            "source",
            Form::Anything,
            "What stands beside `preset:` in the configuration.",
            "source: {secret: \"${HOSTELMATE_SECRET}\"}",
        ),
        key(
            "address",
            Form::OneOrMore(&Form::Text),
            "What stands behind `/hooks/NAME` in the address to paste.",
            "address: \"?token=TOKEN\"",
        ),
        key(
            "click",
            Form::List(&Form::Text),
            "What to do in the PMS, step by step.",
            "click: [In the settings add a webhook.]",
        )
        .needed(),
        key(
            "arrives",
            Form::List(&Form::Text),
            "What the sender sends, and when.",
            "arrives: [A booking was made.]",
        )
        .needed(),
        key(
            "unknown",
            Form::List(&Form::Text),
            "What cannot be known from what it sends.",
            "unknown: [It sends no times of day.]",
        )
        .needed(),
        key(
            "sure",
            Form::Text,
            "How sure all this is.",
            "sure: From the vendor's documentation.",
        )
        .needed(),
    ],
    ..EMPTY
};

/// What a preset says to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What people call the sender.
    pub name: String,
    /// What stands beside `preset:`: keys with their values as they are written.
    pub source: Vec<(String, String)>,
    /// What stands behind `/hooks/NAME`, each way.
    pub address: Vec<String>,
    /// Step by step.
    pub click: Vec<String>,
    /// What is sent, and when.
    pub arrives: Vec<String>,
    /// What cannot be known.
    pub unknown: Vec<String>,
    /// How sure all this is.
    pub sure: String,
}

/// What the preset of this name says; `None` where it says nothing.
pub fn about(preset: &str) -> Option<About> {
    let (name, written) = PRESETS.iter().find(|(name, _)| *name == preset)?;
    let mut report = Report::new();
    let root = yaml::parse(&format!("presets/sources/{name}.yaml"), written, &mut report)?;
    let node = root.entries().iter().find(|(key, _)| key.text == "about")?;
    read(&node.1, &mut report).filter(|_| !report.has_mistakes())
}

/// Reads the file of a preset as far as people and their editors are concerned: what it says of itself, and its mapping.
pub fn preset_file(name: &str, text: &str, report: &mut Report) {
    let Some(mut root) = yaml::parse(name, text, report) else {
        return;
    };
    if let Kind::Map(entries) = &mut root.kind {
        for (_, node) in entries.iter().filter(|(key, _)| key.text == "about") {
            read(node, report);
        }
        entries.retain(|(key, _)| key.text != "about");
    }
    super::compile(name, &root, report);
}

/// One text or several, none of them left out.
fn texts(node: &Node, key: &str, report: &mut Report) -> Vec<String> {
    if node.items().is_empty() {
        report.mistake("empty-list", &node.place, format!("`{key}` needs at least one text"));
    }
    let items = node.items().iter();
    items
        .filter_map(|item| text(item, key, report).map(str::to_owned))
        .collect()
}

/// Reads `about`.
pub(super) fn read(node: &Node, report: &mut Report) -> Option<About> {
    let mut fields = Fields::of(node, &ABOUT, report)?;
    let name = fields
        .required("name", report)
        .and_then(|node| text(node, "name", report));
    let written = |node: &Node| match node.scalar() {
        Some(text) => format!("{text:?}"),
        None => node.value().to_string(),
    };
    let source = fields.get("source").map(Node::entries).unwrap_or_default();
    let source = source
        .iter()
        .map(|(key, node)| (key.text.clone(), written(node)))
        .collect();
    let address = fields
        .get("address")
        .map(|node| texts(node, "address", report))
        .unwrap_or_default();
    let mut list = |key: &'static str, report: &mut Report| {
        let node = fields.required(key, report)?;
        if !matches!(node.kind, Kind::List(_)) {
            report.mistake(
                "expected-list",
                &node.place,
                format!("`{key}` is a list, this is {}", node.what()),
            );
            return None;
        }
        Some(texts(node, key, report))
    };
    let click = list("click", report);
    let arrives = list("arrives", report);
    let unknown = list("unknown", report);
    let sure = fields
        .required("sure", report)
        .and_then(|node| text(node, "sure", report));
    fields.finish(report);
    Some(About {
        name: name?.to_owned(),
        source,
        address,
        click: click?,
        arrives: arrives?,
        unknown: unknown?,
        sure: sure?.to_owned(),
    })
}
