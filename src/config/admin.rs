//! `admin`: the listener of API and metrics.

use std::net::{IpAddr, SocketAddr};

use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::shape::{EMPTY, Form, Shape, key};
use crate::lang::yaml::Node;
use crate::model::secret::Secret;
use crate::source::guessable;

use super::Admin;
use super::server::{ADDRESS, address};

/// `admin`.
pub(super) static ADMIN: Shape = Shape {
    what: "`admin`",
    about: "The listener of the admin API, of health and of metrics.",
    keys: &[
        key(
            "listen",
            Form::Like(&ADDRESS),
            "Its address and port. Only this machine can be let in without a token.",
            "listen: 127.0.0.1:8081",
        ),
        key(
            "token",
            Form::Text,
            "What everything but health asks for.",
            "token: \"${STAYHOOK_ADMIN_TOKEN}\"",
        ),
        key(
            "hosts",
            Form::Several(&Form::Text),
            "The names under which it is reached, besides localhost. Needs `token`: a proxy asks from this machine for anybody.",
            "hosts: [stays.example.com]",
        ),
        key(
            "metrics",
            Form::Word(&["open", "token"]),
            "`open`: the metrics need no token. Default: where a token is set they need it, as everything but health does.",
            "metrics: open",
        ),
    ],
    ..EMPTY
};

/// Reads it; `listen` is where webhooks come in.
pub(super) fn read(node: &Node, listen: SocketAddr, mut admin: Admin, report: &mut Report) -> Admin {
    let Some(mut fields) = Fields::of(node, &ADMIN, report) else {
        return admin;
    };
    let before = report.mistakes();
    let listen_node = fields.get("listen");
    admin.listen = address("listen", listen_node, admin.listen, report);
    admin.token = fields.get("token").and_then(|node| token(node, report));
    let hosts_node = fields.get("hosts");
    let hosts = hosts_node.map(Node::items).unwrap_or_default();
    admin.hosts = hosts.iter().filter_map(|node| host(node, report)).collect();
    let metrics = fields.word("metrics", report);
    admin.metrics_open = metrics.map_or(admin.token.is_none(), |word| word == "open");
    let metrics_node = fields.get("metrics").filter(|_| metrics == Some("token"));
    fields.finish(report);
    let place = listen_node.map_or(&node.place, |node| &node.place);
    if report.mistakes() == before && admin.token.is_none() && !admin.listen.ip().is_loopback() {
        let title = format!("without a token only this machine may be let in, not {}", admin.listen);
        report
            .mistake("no-token", place, title)
            .help("add `token: \"${STAYHOOK_ADMIN_TOKEN}\"`, or listen on `127.0.0.1:8081`");
    } else if report.mistakes() == before && admin.token.is_none() {
        const NAMED: &str = "`hosts` without `token` would open it to everybody whom a proxy lets through";
        let named = hosts_node.map(|node| (node, NAMED));
        let asked = metrics_node.map(|node| (node, "`metrics: token` without `token`: there is none to ask for"));
        for (node, title) in [named, asked].into_iter().flatten() {
            report
                .mistake("no-token", &node.place, title)
                .help("add `token: \"${STAYHOOK_ADMIN_TOKEN}\"`, or take this out");
        }
    }
    if admin.listen == listen && listen.port() != 0 {
        let title = format!("webhooks and `admin` cannot both listen on {listen}");
        report
            .mistake("same-address", place, title)
            .help("webhooks listen on port 8080 and `admin` on 8081 where nothing is said");
    }
    admin
}

fn token(node: &Node, report: &mut Report) -> Option<Secret> {
    let written = text(node, "token", report)?;
    if written.is_empty() || !written.chars().all(|c| c.is_ascii_graphic()) {
        let title = "`token` is empty or holds a space, or a character that no header can carry";
        report.mistake("secret", &node.place, title);
        return None;
    }
    guessable(written, "token", &node.place, report);
    Some(Secret::new(written))
}

/// A name as it stands in a `Host` header, without the port.
fn host(node: &Node, report: &mut Report) -> Option<String> {
    let written = text(node, "hosts", report)?;
    let inner = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_ip = inner.unwrap_or(written).parse::<IpAddr>().is_ok();
    let is_name = !written.is_empty() && written.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if !is_ip && !is_name {
        report
            .mistake("host", &node.place, format!("`{written}` is not the name of a host"))
            .help("such as `stays.example.com`, without `https://` and without a port");
        return None;
    }
    Some(inner.unwrap_or(written).to_ascii_lowercase())
}
