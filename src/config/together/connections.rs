//! Whether every step has a connection.

use super::value;
use crate::action;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::Node;
use crate::recipe::Step;
use crate::worker::Setup;

/// A step whose connection does not exist, or does not fit, or that names none where several fit.
pub(super) fn there(setup: &Setup, step: &Step, node: &Node, report: &mut Report) {
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
