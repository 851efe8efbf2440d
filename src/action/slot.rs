//! Templates where they stand in a step: alone, or at the leaves of a tree.

use serde_json::{Map, Value};

use crate::lang::diag::{Place, Report};
use crate::lang::fields::text;
use crate::lang::template::{Context, Format, Name, Rendered, Template, TemplateError};
use crate::lang::yaml::{Kind, Node};

/// One template of a step, with the places of the names that it reads.
#[derive(Clone, Debug)]
pub struct Slot {
    template: Template,
    names: Vec<(Name, Place)>,
}

impl Slot {
    /// Reads the template that stands at `node`; `key` names it in messages.
    pub fn compile(node: &Node, key: &str, format: Format, report: &mut Report) -> Option<Slot> {
        let source = text(node, key, report)?;
        match Template::compile(source, format) {
            Ok(template) => {
                let names = template
                    .names()
                    .iter()
                    .map(|name| (name.clone(), node.place_inside(name.line.max(1), name.column.max(1))))
                    .collect();
                Some(Slot { template, names })
            }
            Err(error) => {
                let place = node.place_inside(error.line.max(1), error.column.max(1));
                let diagnostic = report.mistake("template", &place, format!("`{key}`: {}", error.message));
                if let Some(help) = error.help {
                    diagnostic.help(help);
                }
                None
            }
        }
    }

    /// The names it reads.
    pub fn names(&self) -> &[(Name, Place)] {
        &self.names
    }

    /// The text as it is written.
    pub fn source(&self) -> &str {
        self.template.source()
    }

    /// Whether nothing is filled in.
    pub fn is_constant(&self) -> bool {
        self.template.is_constant()
    }

    /// Filled in as a text.
    pub fn text(&self, values: &Context, missing: &mut Vec<String>) -> Result<String, TemplateError> {
        self.template.text(values).map(|found| note(found, missing))
    }

    /// Filled in, keeping the type of a single expression.
    pub fn value(&self, values: &Context, missing: &mut Vec<String>) -> Result<Value, TemplateError> {
        self.template.value(values).map(|found| note(found, missing))
    }

    /// Filled in with every value encoded as one segment or query value.
    pub fn url(&self, values: &Context, missing: &mut Vec<String>) -> Result<String, TemplateError> {
        self.template.url(values).map(|found| note(found, missing))
    }
}

/// Keeps the names without a value for the warning on the step, each once.
fn note<T>(found: Rendered<T>, missing: &mut Vec<String>) -> T {
    for name in found.missing {
        if !missing.contains(&name) {
            missing.push(name);
        }
    }
    found.value
}

/// A mistake that shows only once a template is filled in.
pub fn refused(message: impl Into<String>) -> TemplateError {
    TemplateError {
        message: message.into(),
        line: 1,
        column: 1,
        help: None,
    }
}

/// A tree with templates at its leaves. Keys are taken as they are written.
#[derive(Clone, Debug)]
pub enum Tree {
    /// A number, `true`, `false` or nothing, as written.
    Literal(Value),
    /// A text.
    Leaf(Slot),
    /// A list.
    List(Vec<Tree>),
    /// Settings.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads any YAML; plain numbers and words keep their type, texts are templates.
    pub fn compile(node: &Node, key: &str, report: &mut Report) -> Option<Tree> {
        Some(match &node.kind {
            Kind::Scalar(_) => match node.value() {
                Value::String(_) => Tree::Leaf(Slot::compile(node, key, Format::Text, report)?),
                literal => Tree::Literal(literal),
            },
            Kind::List(items) => Tree::List(
                items
                    .iter()
                    .filter_map(|item| Tree::compile(item, key, report))
                    .collect(),
            ),
            Kind::Map(entries) => Tree::Map(
                entries
                    .iter()
                    .filter_map(|(name, node)| {
                        Tree::compile(node, &format!("{key}.{}", name.text), report)
                            .map(|tree| (name.text.clone(), tree))
                    })
                    .collect(),
            ),
        })
    }

    /// Every name its templates read.
    pub fn names(&self, into: &mut Vec<(Name, Place)>) {
        match self {
            Tree::Literal(_) => {}
            Tree::Leaf(slot) => into.extend_from_slice(slot.names()),
            Tree::List(items) => items.iter().for_each(|item| item.names(into)),
            Tree::Map(entries) => entries.iter().for_each(|(_, item)| item.names(into)),
        }
    }

    /// Filled in; values keep their types.
    pub fn render(&self, values: &Context, missing: &mut Vec<String>) -> Result<Value, TemplateError> {
        Ok(match self {
            Tree::Literal(value) => value.clone(),
            Tree::Leaf(slot) => slot.value(values, missing)?,
            Tree::List(items) => Value::Array(
                items
                    .iter()
                    .map(|item| item.render(values, missing))
                    .collect::<Result<_, _>>()?,
            ),
            Tree::Map(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    map.insert(key.clone(), item.render(values, missing)?);
                }
                Value::Object(map)
            }
        })
    }
}
