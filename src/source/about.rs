//! What a preset says to people: how to set its sender up, what arrives, what it cannot know.

use super::preset::PRESETS;
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::shape::{EMPTY, Form, Shape, key};
use crate::lang::yaml::{self, Node};

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
    let (name, text) = PRESETS.iter().find(|(name, _)| *name == preset)?;
    let mut report = Report::new();
    let root = yaml::parse(&format!("presets/sources/{name}.yaml"), text, &mut report)?;
    let node = root.entries().iter().find(|(key, _)| key.text == "about")?;
    read(&node.1, &mut report).filter(|_| !report.has_mistakes())
}

/// Reads `about`.
pub(super) fn read(node: &Node, report: &mut Report) -> Option<About> {
    let mut fields = Fields::of(node, &ABOUT, report)?;
    let name = fields.required("name", report).and_then(Node::scalar);
    let written = |node: &Node| match node.scalar() {
        Some(text) => format!("{text:?}"),
        None => node.value().to_string(),
    };
    let source = fields.get("source").map(Node::entries).unwrap_or_default();
    let source = source
        .iter()
        .map(|(key, node)| (key.text.clone(), written(node)))
        .collect();
    let address = fields.texts("address", report);
    for key in ["click", "arrives", "unknown"] {
        fields.required(key, report);
    }
    let click = fields.texts("click", report);
    let arrives = fields.texts("arrives", report);
    let unknown = fields.texts("unknown", report);
    let sure = fields.required("sure", report).and_then(Node::scalar);
    fields.finish(report);
    Some(About {
        name: name?.to_owned(),
        source,
        address,
        click,
        arrives,
        unknown,
        sure: sure?.to_owned(),
    })
}
