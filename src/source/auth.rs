//! Reading `auth` and the credentials of a source into what has to hold.

mod credentials;
mod hmac;
mod known;
mod schemes;
mod token;

use http::HeaderName;
use ipnet::IpNet;

use super::authenticate::{Place, Scheme};
use crate::lang::diag::Report;
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::{Kind, Node};
use crate::model::secret::Secret;
use credentials::{Credentials, Given, Used, Ways, secrets, user};
use hmac::hmac;
use known::{standard_webhooks, stripe};
use schemes::AUTH;
use token::token;

pub(crate) use credentials::guessable;
pub(super) use schemes::{ALLOW_IPS, BASIC, SCHEMES};

/// The keys of `auth`, in the order in which the schemes are told.
const KINDS: &[&str] = &[
    "token",
    "basic",
    "hmac",
    "standard_webhooks",
    "stripe",
    "allow_ips",
    "any",
    "all",
];

/// Puts together the schemes that `auth` names, filled with the credentials, and what the credentials add by themselves.
pub(super) fn compile(
    name: &str,
    fields: &mut Fields<'_>,
    preset: Option<&str>,
    report: &mut Report,
) -> Option<Scheme> {
    let before = report.mistakes();
    let place = fields.place().clone();
    let auth = fields.get("auth");
    let secret_at = fields.get("secret").map(|node| node.place.clone());
    let mut credentials = Credentials {
        token: secrets(fields.get("token"), "token", report),
        secret: secrets(fields.get("secret"), "secret", report),
        basic: fields.get("basic").and_then(|node| user(node, report)),
        basic_given: fields.get("basic").is_some(),
        used: Used::default(),
        missing: Vec::new(),
        name: name.to_owned(),
        place: place.clone(),
    };
    let allow_ips = fields.get("allow_ips").map(|node| nets(node, report));
    let mut all = Vec::new();
    if let Some(node) = auth {
        all.extend(schemes(node, &mut credentials, report));
    }
    credentials.report_missing(report);
    let used = credentials.used;
    if let (Some(tokens), false) = (credentials.token, used.token) {
        all.push(Scheme::Token(Place::Address, words(tokens)));
    }
    if let (Some((username, password)), false) = (credentials.basic, used.basic) {
        all.push(Scheme::Basic { username, password });
    }
    all.extend(allow_ips.map(Scheme::AllowIps));
    if let (Some(place), Some(_), false) = (secret_at, credentials.secret, used.secret) {
        report
            .mistake(
                "unused-credential",
                &place,
                format!("nothing of the source `{name}` is signed with this `secret`"),
            )
            .help("a signature is described by `auth: {hmac: {header: X-Signature}}`; a word in the URL is a `token`");
    }
    if report.mistakes() > before {
        return None;
    }
    if all.is_empty() {
        let who = preset.map_or_else(String::new, |preset| {
            format!(" (the preset `{preset}` names no scheme)")
        });
        report
            .mistake(
                "no-auth",
                &place,
                format!("anybody could post to the source `{name}`{who}"),
            )
            .help("add `token:`, `basic:`, `allow_ips:` or `auth:`; what is to be open is written `auth: none`");
        return None;
    }
    Some(Scheme::all(all))
}

fn schemes(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Vec<Scheme> {
    match &node.kind {
        Kind::List(items) if items.is_empty() => {
            report.mistake("empty-list", &node.place, "an empty list asks for nothing");
            Vec::new()
        }
        Kind::List(items) => items
            .iter()
            .flat_map(|item| schemes(item, credentials, report))
            .collect(),
        Kind::Scalar(scalar) if scalar.text == "none" => vec![Scheme::Open],
        Kind::Scalar(scalar)
            if AUTH
                .entry(&scalar.text)
                .is_some_and(|key| key.form.settings().is_some()) =>
        {
            let text = scalar.text.clone();
            report
                .mistake(
                    "expected-settings",
                    &node.place,
                    format!("`{text}` is written as settings here"),
                )
                .help(format!("`auth: {{{text}: {{}}}}`"));
            Vec::new()
        }
        Kind::Scalar(_) => {
            report
                .mistake(
                    "unknown-scheme",
                    &node.place,
                    "`auth` is `none`, or says what has to hold",
                )
                .help("for example `auth: {hmac: {header: X-Signature}}`");
            Vec::new()
        }
        Kind::Map(_) => {
            let Some(mut fields) = Fields::of(node, &AUTH, report) else {
                return Vec::new();
            };
            let mut found = Vec::new();
            // `token: {}` and `basic: {}` are settings with nothing in them; `token:` alone means the same.
            for kind in KINDS {
                let Some(node) = fields.get(kind) else { continue };
                let scheme = match *kind {
                    "token" => token(node, credentials, report),
                    "basic" => basic(node, credentials, report),
                    "hmac" => hmac(node, credentials, report).map(Scheme::Hmac),
                    "standard_webhooks" => standard_webhooks(node, credentials, report),
                    "stripe" => stripe(node, credentials, report),
                    "allow_ips" => Some(Scheme::AllowIps(nets(node, report))),
                    "any" => any(node, credentials, report),
                    _ => {
                        found.extend(schemes(node, credentials, report));
                        None
                    }
                };
                found.extend(scheme);
            }
            fields.finish(report);
            found
        }
    }
}

/// Alternatives; those whose credential the source does not have are left out, as long as one remains.
fn any(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let before = report.mistakes();
    let outside = std::mem::take(&mut credentials.missing);
    let mut alternatives = Vec::new();
    let mut lacking = Ways::new();
    for one in node.items() {
        let used = credentials.used;
        let all = schemes(one, credentials, report);
        let needs = std::mem::take(&mut credentials.missing);
        if !needs.is_empty() {
            lacking.extend(Credentials::ways(&needs));
            // What only an alternative asks for that is left out, nobody has asked for.
            credentials.used = used;
        } else if !all.is_empty() {
            alternatives.push(Scheme::all(all));
        }
    }
    credentials.missing = outside;
    if !alternatives.is_empty() {
        return Some(Scheme::any(alternatives));
    }
    if !lacking.is_empty() {
        credentials.missing.push(lacking);
    } else if report.mistakes() == before {
        report.mistake("no-auth", &node.place, "`any` needs alternatives");
    }
    None
}

/// The secrets alone.
fn words(given: Vec<Given>) -> Vec<Secret> {
    given.into_iter().map(|one| one.secret).collect()
}

fn basic(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let given = match &node.kind {
        Kind::Map(entries) if entries.is_empty() => {
            credentials.used.basic = true;
            if !credentials.basic_given {
                credentials.lacks("basic");
            }
            credentials.basic.clone()
        }
        _ => user(node, report),
    };
    given.map(|(username, password)| Scheme::Basic { username, password })
}

fn header(node: &Node, report: &mut Report) -> Option<HeaderName> {
    let name = text(node, "header", report)?;
    let found = HeaderName::from_bytes(name.as_bytes()).ok();
    if found.is_none() {
        report.mistake(
            "bad-header",
            &node.place,
            format!("`{name}` is not the name of a header"),
        );
    }
    found
}

fn nets(node: &Node, report: &mut Report) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for item in node.items() {
        let Some(written) = text(item, "allow_ips", report) else {
            continue;
        };
        let net = written
            .parse::<IpNet>()
            .ok()
            .or_else(|| written.parse::<std::net::IpAddr>().ok().map(IpNet::from));
        match net {
            Some(net) => nets.push(net),
            None => {
                report
                    .mistake(
                        "bad-address",
                        &item.place,
                        format!("`{written}` is no address and no network"),
                    )
                    .help("for example `203.0.113.7` or `203.0.113.0/24`");
            }
        }
    }
    if node.items().is_empty() {
        report.mistake("bad-address", &node.place, "`allow_ips` is empty: nobody could post");
    }
    nets
}
