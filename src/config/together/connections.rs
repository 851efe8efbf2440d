//! Whether every step has a connection.

use super::super::Config;
use crate::action::{self, Kind};
use crate::engine::Setup;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::yaml::Node;

/// A step whose connection does not exist, or does not fit, or that names none where several fit.
pub(super) fn there(config: &Config, setup: &Setup, step: &Node, report: &mut Report) {
    for (key, settings) in step.entries() {
        if let Some(kind) = action::kind(&key.text) {
            of_kind(config, setup, kind, settings, report);
        }
    }
}

fn of_kind(config: &Config, setup: &Setup, kind: &dyn Kind, settings: &Node, report: &mut Report) {
    let node = settings.at("connection").filter(|node| !node.is_null());
    let name = node.and_then(Node::scalar);
    let Err(because) = setup.connection_named(kind.name(), name) else {
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
        .filter(|connection| kind.fits(&connection.kind))
        .map(|connection| connection.name.as_str())
        .collect();
    fitting.sort_unstable();
    let diagnostic = report.mistake("connection", place, because);
    let near = name.and_then(|name| did_you_mean(name, fitting.iter().copied()));
    let otherwise = match fitting.is_empty() {
        _ if config.unread.section("connections") => String::new(),
        true => {
            let over = kind.over();
            format!("add one below `connections` in the configuration: `NAME: {{{over}: …}}`")
        }
        false => format!("write `connection:` with {}", quoted(&fitting)),
    };
    diagnostic.meant(near, otherwise);
}
