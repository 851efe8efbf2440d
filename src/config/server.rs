//! What stands at the top of the file: addresses, time zone, places on the disk.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use chrono_tz::Tz;
use ipnet::IpNet;

use crate::action::email::address::Address;
use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::shape::{EMPTY, Form, Like, Shape, key};
use crate::lang::yaml::Node;
use crate::lang::zone::{ZONE, timezone};
use crate::model::property::Properties;
use crate::outbound::Url;

use super::{Admin, Config, Unread};

/// An address and a port.
pub(super) static ADDRESS: Like = Like {
    what: "an address and a port",
    pattern: r":[0-9]{1,5}$",
    numbers: false,
};

/// The keys at the top that hold one value each.
pub(super) static SERVER: Shape = Shape {
    what: "the top of the configuration",
    about: "Addresses, time zone, places on the disk.",
    keys: &[
        key(
            "listen",
            Form::Like(&ADDRESS),
            "Where webhooks come in, and nothing else.",
            "listen: 127.0.0.1:8080",
        ),
        key(
            "public_url",
            Form::Like(&Like {
                what: "a complete address",
                pattern: "^[Hh][Tt][Tt][Pp][Ss]?://",
                numbers: false,
            }),
            "The address under which the world reaches `listen`.",
            "public_url: https://hooks.example.com",
        ),
        key(
            "trusted_proxies",
            Form::Several(&Form::Text),
            "Addresses or networks of proxies that are believed when they say whom a request comes from.",
            "trusted_proxies: [127.0.0.1/32]",
        ),
        key(
            "timezone",
            Form::Like(&ZONE),
            "Where a property names none; UTC if nothing is said.",
            "timezone: America/Los_Angeles",
        ),
        key(
            "database",
            Form::Like(&Like {
                what: "`sqlite://` and the path of a file",
                pattern: "^sqlite:",
                numbers: false,
            }),
            "Where everything is stored; a path without `/` at its beginning begins beside the configuration.",
            "database: sqlite://stayhook.db",
        ),
        key(
            "recipes",
            Form::Text,
            "The folder of recipes; folders in it count too.",
            "recipes: recipes",
        ),
        key(
            "dry_run",
            Form::Flag,
            "`true` does everything up to the sending, and shows what would have been sent.",
            "dry_run: true",
        ),
        key(
            "redirect",
            Form::Settings(&REDIRECT),
            "For trying things out: where everything goes instead.",
            "redirect: {email: me@example.com}",
        ),
    ],
    ..EMPTY
};

static REDIRECT: Shape = Shape {
    what: "`redirect`",
    about: "Where everything goes instead of where it is meant to go.",
    keys: &[key(
        "email",
        Form::Text,
        "All mail goes to this address.",
        "email: me@example.com",
    )
    .needed()],
    ..EMPTY
};

/// Reads them, into a configuration without anything else.
pub(super) fn read(fields: &mut Fields<'_>, base: &Path, report: &mut Report) -> Config {
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let proxies = fields.get("trusted_proxies").map(|node| proxies(node, report));
    let zone = fields
        .get("timezone")
        .and_then(|node| timezone(node, "timezone", report));
    Config {
        listen: address("listen", fields.get("listen"), local(8080), report),
        public_url: fields.get("public_url").and_then(|node| public_url(node, report)),
        trusted_proxies: proxies.unwrap_or_default(),
        timezone: zone.unwrap_or(Tz::UTC),
        database: match fields.get("database") {
            Some(node) => database(node, base, report).unwrap_or_default(),
            None => format!("sqlite://{}", base.join("stayhook.db").display()),
        },
        recipes: base.join(fields.text("recipes", report).unwrap_or("recipes")),
        dry_run: fields.flag("dry_run", false, report),
        redirect_email: fields.get("redirect").and_then(|node| redirect(node, report)),
        admin: Admin {
            listen: local(8081),
            token: None,
            hosts: Vec::new(),
            metrics_open: true,
        },
        sources: Vec::new(),
        connections: Vec::new(),
        properties: Properties::none(),
        unread: Unread::default(),
    }
}

/// An address to listen on: an IP address or `localhost`, and a port.
pub(super) fn address(key: &str, node: Option<&Node>, default: SocketAddr, report: &mut Report) -> SocketAddr {
    let Some(node) = node else { return default };
    let Some(written) = text(node, key, report) else {
        return default;
    };
    let numbers = written.replace("localhost:", "127.0.0.1:");
    numbers.parse().unwrap_or_else(|_| {
        let title = format!("`{key}` is an address and a port, `{written}` is not");
        let port = default.port();
        report
            .mistake("address", &node.place, title)
            .help(format!("such as `{default}`, or `0.0.0.0:{port}` for every network"));
        default
    })
}

fn public_url(node: &Node, report: &mut Report) -> Option<String> {
    let written = text(node, "public_url", report)?;
    let found = Url::parse(written).ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        let bare = url.query().is_none() && url.fragment().is_none();
        matches!(url.scheme(), "http" | "https") && url.has_host() && plain && bare
    });
    if found.is_none() {
        let title = "`public_url` is the address under which the world reaches this";
        report
            .mistake("public-url", &node.place, title)
            .help("such as `https://hooks.example.com`");
    }
    found.map(|url| url.as_str().trim_end_matches('/').to_owned())
}

fn proxies(node: &Node, report: &mut Report) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for item in node.items() {
        let Some(written) = text(item, "trusted_proxies", report) else {
            continue;
        };
        let found: Option<IpNet> = written.parse().ok();
        match found.or_else(|| written.parse::<IpAddr>().ok().map(IpNet::from)) {
            Some(net) => {
                if net.prefix_len() == 0 {
                    let title = format!("`{written}` is everybody: whoever sends can say it comes from anywhere");
                    report
                        .warning("trusted-proxies", &item.place, title)
                        .help("name the address of the proxy, such as `127.0.0.1`");
                }
                nets.push(net);
            }
            None => {
                let title = format!("`{written}` is neither an IP address nor a network");
                report
                    .mistake("network", &item.place, title)
                    .help("such as `127.0.0.1` or `10.0.0.0/8`");
            }
        }
    }
    nets
}

fn database(node: &Node, base: &Path, report: &mut Report) -> Option<String> {
    let written = text(node, "database", report)?;
    if written.starts_with("postgres://") || written.starts_with("postgresql://") {
        report
            .mistake("not-yet", &node.place, "PostgreSQL is not in this version yet")
            .help("`database: sqlite://stayhook.db` keeps everything in one file");
        return None;
    }
    let path = written
        .strip_prefix("sqlite:")
        .map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    let fine = path.filter(|path| !path.is_empty() && !path.contains(['?', '\0']) && !path.contains(":memory:"));
    if fine.is_none() {
        let title = "`database` is `sqlite://` and the path of a file";
        report
            .mistake("database", &node.place, title)
            .help("such as `sqlite://stayhook.db`, or `sqlite:///var/lib/stayhook/stayhook.db`");
    }
    fine.map(|path| format!("sqlite://{}", base.join(path).display()))
}

fn redirect(node: &Node, report: &mut Report) -> Option<String> {
    let mut fields = Fields::of(node, &REDIRECT, report)?;
    let found = fields.required("email", report);
    let found = found.and_then(|node| Address::read(node, "email", "me@example.com", report));
    fields.finish(report);
    found.map(|address| address.spec())
}
