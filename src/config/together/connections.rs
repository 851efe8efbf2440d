//! Whether every step has a connection.

use super::super::Config;
use super::value;
use crate::action;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::Node;
use crate::worker::Setup;

/// A step whose connection does not exist, or does not fit, or that names none where several fit.
pub(super) fn there(config: &Config, setup: &Setup, step: &Node, report: &mut Report) {
    for (kind, settings) in step.entries() {
        if action::kind(&kind.text).is_some() {
            of_kind(config, setup, &kind.text, settings, report);
        }
    }
}

fn of_kind(config: &Config, setup: &Setup, kind: &str, settings: &Node, report: &mut Report) {
    let node = value(settings, "connection").filter(|node| !node.is_null());
    let name = node.and_then(Node::scalar);
    let Err(because) = setup.connection_named(kind, name) else {
        return;
    };
    let may_be = match name {
        Some(name) => !setup.connections.contains_key(name) && config.unread.may_hold("connections", name),
        None => node.is_some() || config.unread.section("connections"),
    };
    if may_be {
        return;
    }
    let place = &node.unwrap_or(settings).place;
    let connections = setup.connections.values();
    let mut fitting: Vec<&str> = connections
        .filter(|connection| action::fits(kind, connection))
        .map(|connection| connection.name.as_str())
        .collect();
    fitting.sort_unstable();
    let diagnostic = report.mistake("connection", place, because);
    let near = name.and_then(|name| did_you_mean(name, fitting.iter().copied()));
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None if config.unread.section("connections") => {}
        None if fitting.is_empty() => diagnostic.help(format!(
            "add one below `connections` in the configuration: `NAME: {{{}: …}}`",
            if kind == "email" { "smtp" } else { kind }
        )),
        None => diagnostic.help(format!("write `connection:` with {}", quoted(&fitting))),
    }
}
