//! Connections: the configured address and credentials that an action goes over. Recipes know only their names.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::lang::diag::Report;
use crate::lang::fields::{self, Fields, quoted, text};
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
static KINDS: [Speaks; 2] = [http::KIND, smtp::KIND];

const IDLE: &str = "nothing goes over it until then";

/// An entry of `connections`.
pub static CONNECTION: Shape = Shape {
    what: "a connection",
    about: "Where actions of one kind go. Recipes use its name and never see a password.",
    keys: &[
        http::KIND.key,
        smtp::KIND.key,
        later(
            "journal",
            "A file of accounts.",
            "journal: {file: books/2026.journal, format: hledger}",
        )
        .idle(IDLE),
        later("seam", "Locks, over Seam.", "seam: {api_key: \"${SEAM_API_KEY}\"}").idle(IDLE),
    ],
    rules: &[Rule::One(&["http", "smtp", "journal", "seam"])],
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

impl ConnectionKind {
    /// Its key in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            ConnectionKind::Http(_) => http::KIND.key.name,
            ConnectionKind::Smtp(_) => smtp::KIND.key.name,
        }
    }
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
    match too_high(node, &given, report) {
        true => fields.close(),
        false => fields.finish(report),
    }
    let names = || quoted(&CONNECTION.names());
    let found = match given.as_slice() {
        [(kind, node)] => (kind.compile)(node, read_file, report),
        [_, _, ..] => {
            let title = format!("a connection is either {}, not both", names());
            report.mistake("one-kind", &place, title);
            None
        }
        [] => {
            if report.items.len() == said {
                report
                    .mistake("missing-key", &place, format!("the connection `{name}` says nothing"))
                    .help(format!("it needs one of {}", names()));
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

/// Reports the settings of a kind that stand beside its key instead of below it, or without it; says whether there are any,
/// and nothing else that is wrong.
fn too_high(node: &Node, given: &[(&'static Speaks, &Node)], report: &mut Report) -> bool {
    let keys = node.entries().iter().map(|(key, _)| key);
    let keys: Vec<&Key> = keys
        .filter(|key| !given.iter().any(|(kind, _)| kind.key.name == key.text))
        .collect();
    let has = |kind: &&Speaks| {
        let names = kind.key.form.settings().map(Shape::names).unwrap_or_default();
        keys.iter().all(|key| names.contains(&key.text.as_str()))
    };
    let (Some(first), true) = (keys.first(), given.len() < 2) else {
        return false;
    };
    if let Some((kind, _)) = given.first() {
        return has(kind) && fields::beside(kind.key.name, &keys, report);
    }
    let kind = KINDS.iter().find(has);
    if let Some(kind) = kind {
        let names: Vec<&str> = keys.iter().map(|key| key.text.as_str()).collect();
        let title = format!("a connection has no setting called `{}`", first.text);
        let help = format!("write `{}: {{{}: …}}`", kind.key.name, names.join(": …, "));
        report.mistake("unknown-key", &first.place, title).help(help);
    }
    kind.is_some()
}

/// What every kind of connection can say about its pace.
struct Pace {
    timeout: Duration,
    concurrency: usize,
    rate: Option<Rate>,
}

impl Pace {
    fn read(fields: &mut Fields<'_>, report: &mut Report) -> Pace {
        let timeout_s = fields.duration("timeout", report);
        let timeout_s = timeout_s.map_or(TIMEOUT_DEFAULT_S, |found| found.num_seconds());
        if let Some(node) = fields
            .get("timeout")
            .filter(|_| !(1..=TIMEOUT_MAX_S).contains(&timeout_s))
        {
            let title =
                format!("`timeout` is from 1s to {TIMEOUT_MAX_S}s; whatever takes longer should be asked for later");
            report.mistake("timeout", &node.place, title);
        }
        let concurrency = fields
            .count("concurrency", report)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(CONCURRENCY_DEFAULT);
        let rate = fields.get("rate").and_then(|node| {
            let found = node.scalar().and_then(Rate::parse);
            if found.is_none() {
                let title = "`rate` is so many a second or a minute: `5/s`, `100/m`";
                report.mistake("rate", &node.place, title);
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
    let (title, help) = if found.is_empty() {
        (
            format!("`{key}` is empty"),
            "an environment variable that is set to nothing, or an empty file?",
        )
    } else if found.chars().any(crate::lang::line::is_control) {
        (
            format!("`{key}` holds a line break or another control character"),
            "of a file only the last line break is left out: is there more than one line in it?",
        )
    } else {
        return Some(Secret::new(found));
    };
    report.mistake("secret", &node.place, title).help(help);
    None
}
