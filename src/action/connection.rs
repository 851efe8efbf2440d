//! Connections: the configured address and credentials that an action goes over. Recipes know only their names.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::lang::diag::Report;
use crate::lang::fields::{Fields, quoted, text};
use crate::lang::shape::{EMPTY, Entry, Form, Like, Rule, Shape, key, later};
use crate::lang::yaml::{Key, Node};
use crate::model::secret::Secret;

mod http;
mod smtp;
#[cfg(test)]
mod tests;

pub use http::HttpConnection;
pub use smtp::{SmtpConnection, Tls};

/// The longest time-out: together with 5 s for recording it has to stay within the lease of 30 s.
pub const TIMEOUT_MAX_S: i64 = 25;
/// The time-out where none is written.
pub const TIMEOUT_DEFAULT_S: i64 = 10;
/// How many attempts go over a connection at once where nothing is written.
pub const CONCURRENCY_DEFAULT: usize = 4;

/// What stands where a credential stood.
const HIDDEN: &str = "***";

/// A kind of connection: its key below the connection's name, and what reads the settings.
struct Speaks {
    key: Entry,
    compile: fn(&Node, ReadFile<'_>, &mut Report) -> Option<(ConnectionKind, Pace)>,
}

/// Gives the text of a file that the settings name.
type ReadFile<'f> = &'f dyn Fn(&str) -> Result<String, String>;

/// Every kind there is.
const KINDS: &[Speaks] = &[http::KIND, smtp::KIND];

const KIND_NAMES: &[&str] = &{
    let mut names = [""; KINDS.len()];
    let mut at = 0;
    while at < KINDS.len() {
        names[at] = KINDS[at].key.name;
        at += 1;
    }
    names
};

/// Kinds that a later version brings.
const LATER: [Entry; 2] = [
    later(
        "journal",
        "A file of accounts.",
        "journal: {file: books/2026.journal, format: hledger}",
    )
    .idle("nothing goes over it until then"),
    later("seam", "Locks, over Seam.", "seam: {api_key: \"${SEAM_API_KEY}\"}").idle("nothing goes over it until then"),
];

const KEYS: [Entry; KINDS.len() + LATER.len()] = {
    let mut keys = [LATER[0]; KINDS.len() + LATER.len()];
    let mut at = 0;
    while at < KINDS.len() {
        keys[at] = KINDS[at].key;
        at += 1;
    }
    while at < keys.len() {
        keys[at] = LATER[at - KINDS.len()];
        at += 1;
    }
    keys
};

/// An entry of `connections`.
pub static CONNECTION: Shape = Shape {
    what: "a connection",
    about: "Where actions of one kind go. Recipes use its name and never see a password.",
    keys: &KEYS,
    rules: &[Rule::One(&{
        let mut names = [""; KINDS.len() + LATER.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = KEYS[at].name;
            at += 1;
        }
        names
    })],
    ..EMPTY
};

/// What every kind of connection can say about its pace.
static PACE: Shape = Shape {
    what: "the pace of a connection",
    about: "How long an attempt may take, how many there are at once, and how fast they follow.",
    keys: &[
        key(
            "timeout",
            Form::Duration,
            "How long one attempt may take: from 1s to 25s, 10s where nothing is said.",
            "timeout: 10s",
        ),
        key(
            "concurrency",
            Form::Count(1, 64),
            "How many attempts may be under way at once; 4 where nothing is said.",
            "concurrency: 4",
        ),
        key(
            "rate",
            Form::Like(&Like {
                what: "so many a second or a minute",
                pattern: r"^\s*[0-9]+\s*/\s*[sm]\s*$",
                numbers: false,
            }),
            "How many attempts there may be in a second (`5/s`) or a minute (`100/m`).",
            "rate: 5/s",
        ),
    ],
    ..EMPTY
};

/// A configured connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its name in the configuration.
    pub name: String,
    /// What it speaks, with address and credentials.
    pub kind: ConnectionKind,
    /// For one attempt as a whole; 1 s to [`TIMEOUT_MAX_S`].
    pub timeout: Duration,
    /// How many attempts may be under way at once, 1 to 64.
    pub concurrency: usize,
    /// How fast attempts may follow one another; `None` for as fast as they come.
    pub rate: Option<Rate>,
}

/// What a connection speaks.
#[derive(Clone, Debug)]
pub enum ConnectionKind {
    /// HTTP or HTTPS.
    Http(HttpConnection),
    /// Mail.
    Smtp(SmtpConnection),
}

/// So many attempts in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, 1 to 10,000.
    pub count: u32,
    /// In how long: a second or a minute.
    pub per: Duration,
}

impl Connection {
    /// The text with every credential of this connection replaced by `***`, as it is and as it may stand in a URL, in JSON
    /// or in a header: targets like to repeat what they were sent, and what they say is stored.
    pub fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in self.hidden_forms() {
            if text.contains(&form) {
                text = text.replace(&form, HIDDEN);
            }
        }
        text
    }

    /// The same for every text of a value.
    pub fn hide_within(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.hide(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.hide_within(item)).collect(),
            Value::Object(entries) => entries
                .into_iter()
                .map(|(key, value)| (self.hide(&key), self.hide_within(value)))
                .collect(),
            other => other,
        }
    }

    /// The longest first, so that none is cut in two by a part of it.
    fn hidden_forms(&self) -> Vec<String> {
        let secrets = match &self.kind {
            ConnectionKind::Http(http) => http.secrets(),
            ConnectionKind::Smtp(smtp) => smtp.secrets(),
        };
        let mut forms = Vec::new();
        for secret in secrets {
            let plain = secret.reveal();
            // Anything shorter would black out ordinary words.
            if plain.len() < 6 {
                continue;
            }
            let escaped = Value::from(plain).to_string();
            forms.push(escaped.trim_matches('"').to_owned());
            forms.push(utf8_percent_encode(plain, NON_ALPHANUMERIC).to_string());
            forms.push(STANDARD_NO_PAD.encode(plain));
            forms.push(plain.to_owned());
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        forms
    }
}

/// Reads one entry of `connections`. `read_file` gives the text of a file that the settings name (a certificate).
pub fn compile_connection(name: &str, node: &Node, read_file: ReadFile<'_>, report: &mut Report) -> Option<Connection> {
    let (before, said) = (report.mistakes(), report.items.len());
    let mut fields = Fields::of(node, &CONNECTION, report)?;
    let kinds = KINDS.iter().filter_map(|kind| Some((kind, fields.get(kind.key.name)?)));
    let given: Vec<(&Speaks, &Node)> = kinds.collect();
    let place = fields.place().clone();
    match too_high(node, &given) {
        Some((kind, keys)) => {
            below(kind, &keys, !given.is_empty(), report);
            fields.close();
        }
        None => fields.finish(report),
    }
    let found = match given.as_slice() {
        [(kind, node)] => (kind.compile)(node, read_file, report),
        [_, _, ..] => {
            let title = format!("a connection is either {}, not both", quoted(KIND_NAMES));
            report.mistake("one-kind", &place, title);
            None
        }
        [] => {
            if report.items.len() == said {
                report
                    .mistake("missing-key", &place, format!("the connection `{name}` says nothing"))
                    .help(format!("it needs one of {}", quoted(KIND_NAMES)));
            }
            None
        }
    };
    let (kind, pace) = found.filter(|_| report.mistakes() == before)?;
    Some(Connection {
        name: name.to_owned(),
        kind,
        timeout: pace.timeout,
        concurrency: pace.concurrency,
        rate: pace.rate,
    })
}

/// The settings of a kind that stand beside its key instead of below it, or without it. `None` where there is anything
/// else that is wrong.
fn too_high<'n>(node: &'n Node, given: &[(&'static Speaks, &Node)]) -> Option<(&'static Speaks, Vec<&'n Key>)> {
    let kinds = match given {
        [] => KINDS,
        [(kind, _)] => std::slice::from_ref(*kind),
        _ => return None,
    };
    let keys = node.entries().iter().map(|(key, _)| key);
    let keys: Vec<&Key> = keys
        .filter(|key| !given.iter().any(|(kind, _)| kind.key.name == key.text))
        .collect();
    let has = |kind: &Speaks, key: &Key| {
        let shape = kind.key.form.settings();
        shape.is_some_and(|shape| shape.names().contains(&key.text.as_str()))
    };
    let kind = kinds.iter().find(|kind| keys.iter().all(|key| has(kind, key)))?;
    (!keys.is_empty()).then_some((kind, keys))
}

/// Says where keys belong that stand too high.
fn below(kind: &Speaks, keys: &[&Key], beside: bool, report: &mut Report) {
    let (Some(first), name) = (keys.first(), kind.key.name) else {
        return;
    };
    let names: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
    let diagnostic = report.mistake(
        "unknown-key",
        &first.place,
        format!("a connection has no setting called `{}`", first.text),
    );
    if beside {
        let list = quoted(&names).replace(" or ", " and ");
        diagnostic.help(format!("write {list} below `{name}`, beside its other settings"));
    } else {
        diagnostic.help(format!("write `{name}: {{{}: …}}`", names.join(": …, ")));
    }
}

/// What every kind of connection can say about its pace.
struct Pace {
    timeout: Duration,
    concurrency: usize,
    rate: Option<Rate>,
}

impl Pace {
    fn read(fields: &mut Fields<'_>, report: &mut Report) -> Pace {
        let place = fields.get("timeout").map(|node| node.place.clone());
        let mut timeout_s = TIMEOUT_DEFAULT_S;
        if let Some(found) = fields.duration("timeout", report) {
            timeout_s = found.num_seconds();
            if !(1..=TIMEOUT_MAX_S).contains(&timeout_s)
                && let Some(place) = place
            {
                report.mistake(
                    "timeout",
                    &place,
                    format!(
                        "`timeout` is from 1s to {TIMEOUT_MAX_S}s; whatever takes longer should be asked for later"
                    ),
                );
            }
        }
        let concurrency = fields
            .count("concurrency", report)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(CONCURRENCY_DEFAULT);
        let rate = fields.get("rate").and_then(|node| {
            let found = node.scalar().and_then(Rate::parse);
            if found.is_none() {
                report.mistake(
                    "rate",
                    &node.place,
                    "`rate` is so many a second or a minute: `5/s`, `100/m`",
                );
            }
            found
        });
        Pace {
            timeout: Duration::from_secs(u64::try_from(timeout_s).unwrap_or_default()),
            concurrency,
            rate,
        }
    }
}

impl Rate {
    /// Reads `5/s` or `100/m`.
    pub fn parse(text: &str) -> Option<Rate> {
        let (count, unit) = text.trim().split_once('/')?;
        let count = count.trim().parse().ok().filter(|count| (1..=10_000).contains(count))?;
        let per = match unit.trim() {
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            _ => return None,
        };
        Some(Rate { count, per })
    }
}

/// A secret text below `key`, which may be left out; an empty one is a mistake.
fn secret(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Option<Secret> {
    let node = fields.get(key)?;
    let found = text(node, key, report)?;
    if found.is_empty() {
        report
            .mistake("secret", &node.place, format!("`{key}` is empty"))
            .help("an environment variable that is set to nothing, or an empty file?");
        return None;
    }
    if found.chars().any(crate::lang::line::is_control) {
        report
            .mistake(
                "secret",
                &node.place,
                format!("`{key}` holds a line break or another control character"),
            )
            .help("of a file only the last line break is left out: is there more than one line in it?");
        return None;
    }
    Some(Secret::new(found))
}
