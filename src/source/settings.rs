//! Reading a source's settings.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::authenticate::{Scheme, UNPROVEN_MAX};
use super::mapping::{self, Mapping};
use super::path::{Compiling, Lookup, is_credential};
use super::predicate::Predicate;
use super::preset::PRESETS;
use super::receipt::Keys;
use super::secrets::Secrets;
use super::shape::{IGNORE, PING, RESPOND, SOURCE};
use super::{Respond, Source, address, auth, check, preset};
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::{Fields, quoted, text};
use crate::lang::yaml::Node;
use crate::model::clock::Time;
use crate::model::event;

/// The largest body where the source does not say: the longest known ones, with all listing texts, stay below it.
const BODY_MAX: usize = 1 << 20;
/// How long the same body counts as a duplicate where nothing in it tells deliveries apart.
const DUPLICATE_WINDOW: TimeDelta = TimeDelta::minutes(10);

/// Reads a source's entry in the configuration; what is wrong goes to the report, and then there is no source.
pub fn compile(name: &str, settings: &Node, report: &mut Report) -> Option<Source> {
    let before = report.items.len();
    let mistakes = report.mistakes();
    let source = compiled(name, settings, report);
    // What stands beside a list of mappings is read once for each of them.
    let mut at = before;
    while at < report.items.len() {
        if report.items[before..at].contains(&report.items[at]) {
            report.items.remove(at);
        } else {
            at += 1;
        }
    }
    let source = source.filter(|_| report.mistakes() == mistakes)?;
    // With a mistake anywhere in the file what is missing may only be misspelt.
    if !source.learn && report.mistakes() == 0 {
        let (own, by_hand) = (source.stays_of == name, source.preset.is_none());
        check::whole(name, &source.mappings, own, by_hand, &settings.place, report);
    }
    Some(source)
}

fn compiled(name: &str, settings: &Node, report: &mut Report) -> Option<Source> {
    let layers = preset::layered(settings, report)?;
    let mut fields = Fields::called(&layers.settings, &SOURCE, format!("the source `{name}`"), report)?;
    // `preset`, `map` and the keys of mappings have been read already.
    fields.get("preset");
    fields.get("map");
    for key in mapping::MAPPING.keys {
        fields.get(key.name);
    }
    let scheme = auth::compile(name, &mut fields, layers.preset, report);
    let live_from = fields.text("live_from", report).map(str::to_owned);
    let live_from = live_from.and_then(|text| instant(&text, fields.get("live_from"), report));
    let learn = fields.flag("learn", false, report);
    let stays_of = fields.text("stays_of", report).unwrap_or(name).to_owned();
    let duplicate_window = fields.duration("duplicate_window", report).unwrap_or(DUPLICATE_WINDOW);
    let body_max = fields.get("body_max").map_or(Some(BODY_MAX), |node| size(node, report));
    let body_max_at = fields.get("body_max").map(|node| node.place.clone());
    let any_content_type = fields.word("content_type", report) == Some("any");
    let methods = fields.get("methods");
    let emits = emits(fields.get("emits"), report);
    let (respond, challenge) = fields.get("respond").map_or((None, None), |node| respond(node, report));
    let ping = fields.get("ping");
    let secrets = fields.get("secrets");
    let ignore_node = fields.get("ignore");
    let keys_node = fields.get("receipt_key");
    let place = fields.place().clone();
    fields.finish(report);

    if let (Some(place), Some(true)) = (body_max_at, scheme.as_ref().map(Scheme::reads_body))
        && body_max > Some(UNPROVEN_MAX)
    {
        report
            .warning("body-max", &place, "a token that stands in the body is looked for in bodies of up to 1MiB only")
            .help("longer ones are refused unless something else proves the sender: a token in the address or in a header, or a signature");
    }
    let signed = scheme.as_ref().and_then(Scheme::covered);
    let (by_post, by_get) = self::methods(methods, signed.is_some(), report);
    let mut cx = Compiling {
        report,
        headers: BTreeSet::new(),
        paths: BTreeSet::new(),
        items: false,
    };
    let what = |at: usize| match layers.mappings.len() {
        1 => format!("the mapping of the source `{name}`"),
        _ => format!("mapping {} of the source `{name}`", at + 1),
    };
    let mut mappings: Vec<Mapping> = layers
        .mappings
        .iter()
        .enumerate()
        .filter_map(|(at, node)| Mapping::compile(node, &what(at), &mut cx))
        .collect();
    if mappings.iter().all(|mapping| mapping.ids.is_none()) {
        mappings.iter_mut().for_each(|mapping| mapping.code_is_own = true);
    }
    cx.items = mappings.iter().any(|mapping| !mapping.items.is_empty());
    let ignore = ignore_node.map(|node| ignore(node, &mut cx)).unwrap_or_default();
    cx.items = false;
    let keys = keys_node
        .map(|node| Keys::compile(node, signed.as_ref(), &mappings, &mut cx))
        .unwrap_or_default();
    // Nothing that `auth` reads stands in a body.
    let secrets = Secrets::compile(secrets, scheme.as_ref(), &place, &mut cx);
    let headers = std::mem::take(&mut cx.headers);
    // What these read is needed when the request comes and not after it.
    let ping = ping.map(|node| self::ping(node, &mut cx)).unwrap_or_default();
    let challenge = challenge.and_then(|node| self::challenge(node, &mut cx));
    let reads_path = headers.contains(address::PATH) || cx.headers.contains(address::PATH);
    if layers.mappings.is_empty() && !learn {
        let names: Vec<&str> = PRESETS.iter().map(|(name, _)| *name).collect();
        report
            .mistake(
                "no-mapping",
                &place,
                format!("nothing says how the bodies of the source `{name}` are read"),
            )
            .help(format!(
                "add `preset:` ({}) or `map:`; `learn: true` only stores and shows what comes",
                quoted(&names)
            ));
    }
    Some(Source {
        name: name.to_owned(),
        preset: layers.preset,
        stays_of,
        live_from,
        learn,
        emits,
        by_post,
        by_get,
        body_max: body_max?,
        any_content_type,
        duplicate_window,
        respond,
        challenge,
        ping,
        reads_path,
        secrets,
        auth: scheme?,
        keys,
        ignore,
        mappings,
        headers,
    })
}

fn instant(text: &str, node: Option<&Node>, report: &mut Report) -> Option<Time> {
    let found = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    if let (None, Some(node)) = (found, node) {
        report
            .mistake(
                "expected-time",
                &node.place,
                format!("`live_from` is a time with its zone, `{text}` is not"),
            )
            .help("for example `2026-11-22T12:00:00Z`");
    }
    found
}

/// `1048576`, `512KiB`, `2MiB`; from 1 KiB to 64 MiB.
fn size(node: &Node, report: &mut Report) -> Option<usize> {
    let written = text(node, "body_max", report)?;
    let end = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
    let (number, unit) = written.split_at(end);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        _ => None,
    };
    let found = number
        .parse::<usize>()
        .ok()
        .zip(unit)
        .and_then(|(number, unit)| number.checked_mul(unit))
        .filter(|size| (1 << 10..=64 << 20).contains(size));
    if found.is_none() {
        report.mistake(
            "expected-size",
            &node.place,
            "`body_max` is a size such as `512KiB` or `2MiB`, 64 MiB at the most",
        );
    }
    found
}

/// Whether deliveries come by POST and by GET.
fn methods(node: Option<&Node>, signed: bool, report: &mut Report) -> (bool, bool) {
    let (mut by_post, mut by_get) = (false, false);
    for item in node.map(Node::items).unwrap_or_default() {
        match item.scalar() {
            Some("POST") => by_post = true,
            Some("GET") => {
                by_get = true;
                if signed {
                    report
                        .mistake(
                            "get-not-signed",
                            &item.place,
                            "a signature over the body says nothing of a GET",
                        )
                        .help("a GET has no body, and its address would be believed unsigned: leave `GET` out, or ask for a token instead");
                }
            }
            _ => {
                let diagnostic = report.mistake("expected-word", &item.place, "`methods` are `POST` and `GET`");
                if let Some(near) = item
                    .scalar()
                    .and_then(|text| did_you_mean(&text.to_uppercase(), ["POST", "GET"]))
                {
                    diagnostic.help(format!("did you mean `{near}`?"));
                }
            }
        }
    }
    // Where nothing is said.
    (by_post || !by_get, by_get)
}

fn emits(node: Option<&Node>, report: &mut Report) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in node.map(Node::items).unwrap_or_default() {
        let Some(name) = text(item, "emits", report) else {
            continue;
        };
        if !event::is_type(name) {
            let diagnostic = report.mistake("unknown-event", &item.place, format!("`{name}` is no event type"));
            if let Some(near) = did_you_mean(name, event::TYPES.iter().copied()) {
                diagnostic.help(format!("did you mean `{near}`?"));
            }
        } else if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

/// The answer to a delivery, and where the word of a handshake stands.
fn respond<'n>(node: &'n Node, report: &mut Report) -> (Option<Respond>, Option<&'n Node>) {
    let Some(mut fields) = Fields::of(node, &RESPOND, report) else {
        return (None, None);
    };
    let status = fields.count("status", report).unwrap_or(200);
    let body = fields.text("body", report).map(str::to_owned);
    let challenge = fields.get("challenge");
    fields.finish(report);
    let respond = Respond {
        status: u16::try_from(status).unwrap_or(200),
        body,
    };
    (Some(respond), challenge)
}

/// `respond.challenge`. A parameter may be called like a credential: it goes back to whoever sent it and is not kept.
fn challenge(node: &Node, cx: &mut Compiling<'_>) -> Option<Lookup> {
    if let Some(name) = node.scalar().and_then(|text| text.strip_prefix("query."))
        && is_credential(&name.to_ascii_lowercase())
    {
        return Some(Lookup::Header(format!("{}{name}", address::PARAMETER)));
    }
    Lookup::compile(node, cx)
}

fn ping(node: &Node, cx: &mut Compiling<'_>) -> Vec<Predicate> {
    let items = node.items().iter();
    let rules = items.filter_map(|item| {
        let mut fields = Fields::of(item, &PING, cx.report)?;
        let conditions = fields.rest();
        fields.close();
        Predicate::compile(conditions, &item.place, "a rule of `ping`", cx)
    });
    rules.collect()
}

fn ignore(node: &Node, cx: &mut Compiling<'_>) -> Vec<(Predicate, String)> {
    let mut rules = Vec::new();
    for item in node.items() {
        let Some(mut fields) = Fields::of(item, &IGNORE, cx.report) else {
            continue;
        };
        let because = fields
            .required("because", cx.report)
            .and_then(|node| text(node, "because", cx.report));
        let conditions = fields.rest();
        fields.close();
        let predicate = Predicate::compile(conditions, &item.place, "a rule of `ignore`", cx);
        if let (Some(predicate), Some(because)) = (predicate, because) {
            rules.push((predicate, because.to_owned()));
        }
    }
    rules
}
