//! A template where it stands in a step.

use serde::Serialize;
use serde_json::Value;

use crate::lang::diag::{Place, Report};
use crate::lang::effect::Rendering;
use crate::lang::fields::text;
use crate::lang::template::{Context, Format, Name, Template, TemplateError};
use crate::lang::tree::{self, note};
use crate::lang::yaml::Node;
use crate::model::effect::Prepared;

/// One template of a step, and where it stands.
#[derive(Clone, Debug)]
pub struct Slot {
    template: Template,
    node: Node,
}

impl Slot {
    /// Reads the template that stands at `node`; `key` names it in messages.
    pub fn compile(node: &Node, key: &str, format: Format, report: &mut Report) -> Option<Slot> {
        let template = tree::template(node, text(node, key, report)?, format, report)?;
        Some(Slot {
            template,
            node: node.clone(),
        })
    }

    /// The same for a text that has to stay on one line.
    pub fn compile_line(node: &Node, key: &str, report: &mut Report) -> Option<Slot> {
        let slot = Slot::compile(node, key, Format::Text, report)?;
        if slot.template.breaks_line() {
            let title = format!("`{key}` has a line break or another control character in it");
            report
                .mistake("line-break", &node.place, title)
                .help("it is one line; a long one can be folded with `>-`");
            return None;
        }
        Some(slot)
    }

    /// The names it reads, with their places in the file.
    pub fn names(&self) -> Vec<(Name, Place)> {
        tree::places(self.template.names(), &self.node)
    }

    /// The text as it is written.
    pub fn source(&self) -> &str {
        self.template.source()
    }

    /// Whether values are filled in otherwise than as JSON.
    pub fn prints_plain(&self) -> bool {
        self.template.prints_plain()
    }

    /// Whether nothing is filled in.
    pub fn is_constant(&self) -> bool {
        self.template.is_constant()
    }

    /// Filled in as a text.
    pub fn text(&self, values: &Context, missing: &mut Vec<String>) -> Result<String, TemplateError> {
        self.template.text(values).map(|found| note(found, missing))
    }

    /// Filled in as one line without spaces at its ends; control characters of values become spaces.
    pub fn line(&self, values: &Context, missing: &mut Vec<String>) -> Result<String, TemplateError> {
        let line = self.template.line(values).map(|found| note(found, missing))?;
        Ok(line.trim().to_owned())
    }

    /// Filled in as an address or a list of them, see [`Template::address`].
    pub fn address(&self, values: &Context, missing: &mut Vec<String>) -> Result<Value, TemplateError> {
        self.template.address(values).map(|found| note(found, missing))
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

/// A rendered step.
pub fn ready(
    kind: &str,
    connection: &str,
    request: &impl Serialize,
    missing: Vec<String>,
) -> Result<Rendering, TemplateError> {
    let request = serde_json::to_value(request)
        .map_err(|error| refused(format!("what was rendered cannot be written down: {error}")))?;
    Ok(Rendering::Ready(Prepared {
        kind: kind.to_owned(),
        connection: connection.to_owned(),
        request,
        missing,
    }))
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
