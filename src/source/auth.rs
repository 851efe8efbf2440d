//! Reading `auth` and the credentials of a source into what has to hold.

mod schemes;

use chrono::TimeDelta;
use http::HeaderName;
use ipnet::IpNet;

use super::authenticate::{Algorithm, Part, Scheme, Signature};
use crate::lang::diag::{Place, Report};
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::{Kind, Node};
use crate::model::secret::Secret;
use schemes::{HMAC, TIMESTAMP, TOKEN};

use schemes::AUTH;
pub(super) use schemes::{ALLOW_IPS, BASIC, SCHEMES};

/// How far a sender's clock may be off where the mapping does not say.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// A token or secret with fewer characters is warned of.
const SECRET_MIN: usize = 16;
/// What stands in examples where a secret has to be put.
const EXAMPLES: &[&str] = &[
    "changeme",
    "change-me",
    "change_me",
    "your-",
    "your_",
    "placeholder",
    "example",
    "<",
];

/// The credentials of a source, and whether a scheme has asked for them.
struct Credentials {
    token: Option<Vec<Secret>>,
    secret: Option<Vec<Secret>>,
    basic: Option<(String, Secret)>,
    /// Whether `basic` is there, be it right or not.
    basic_given: bool,
    used: [bool; 3],
    name: String,
    /// Where the source stands: a preset's own file is nothing its user can change.
    place: Place,
}

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
        used: [false; 3],
        name: name.to_owned(),
        place: place.clone(),
    };
    let allow_ips = fields.get("allow_ips").map(|node| nets(node, report));
    let mut all = Vec::new();
    if let Some(node) = auth {
        all.extend(schemes(node, &mut credentials, report));
    }
    let [token_used, secret_used, basic_used] = credentials.used;
    if let (Some(tokens), false) = (credentials.token, token_used) {
        all.push(Scheme::Token { header: None, tokens });
    }
    if let (Some((username, password)), false) = (credentials.basic, basic_used) {
        all.push(Scheme::Basic { username, password });
    }
    all.extend(allow_ips.map(Scheme::AllowIps));
    if let (Some(place), Some(_), false) = (secret_at, credentials.secret, secret_used) {
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
    Some(Scheme::All(all))
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
        Kind::Scalar(scalar) if matches!(scalar.text.as_str(), "basic" | "token" | "hmac") => {
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
            for kind in ["token", "basic", "hmac", "allow_ips", "any", "all"] {
                let node = fields.get(kind);
                let Some(node) = node else { continue };
                let scheme = match kind {
                    "token" => token(node, credentials, report),
                    "basic" => basic(node, credentials, report),
                    "hmac" => hmac(node, credentials, report).map(Scheme::Hmac),
                    "allow_ips" => Some(Scheme::AllowIps(nets(node, report))),
                    "any" => {
                        let alternatives: Vec<Scheme> = node
                            .items()
                            .iter()
                            .map(|one| Scheme::All(schemes(one, credentials, report)))
                            .filter(|one| !matches!(one, Scheme::All(all) if all.is_empty()))
                            .collect();
                        if alternatives.is_empty() {
                            report.mistake("no-auth", &node.place, "`any` needs alternatives");
                        }
                        Some(Scheme::Any(alternatives))
                    }
                    _ => Some(Scheme::All(schemes(node, credentials, report))),
                };
                found.extend(scheme);
            }
            fields.finish(report);
            found
        }
    }
}

fn missing(credentials: &Credentials, key: &str, report: &mut Report) {
    let name = &credentials.name;
    let shouted = name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let help = match key {
        "basic" => format!("add `basic: {{username: …, password: \"${{{shouted}_PASSWORD}}\"}}` to the source"),
        key => format!("add `{key}: \"${{{shouted}_{}}}\"` to the source", key.to_uppercase()),
    };
    report
        .mistake(
            "missing-credential",
            &credentials.place,
            format!("the source `{name}` has no `{key}`, which its `auth` asks for"),
        )
        .help(help);
}

fn token(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let mut fields = Fields::of(node, &TOKEN, report)?;
    let header = fields.get("header").and_then(|node| header(node, report));
    fields.finish(report);
    credentials.used[0] = true;
    let Some(tokens) = credentials.token.clone() else {
        missing(credentials, "token", report);
        return None;
    };
    Some(Scheme::Token { header, tokens })
}

fn basic(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Scheme> {
    let given = match &node.kind {
        Kind::Map(entries) if entries.is_empty() => {
            credentials.used[2] = true;
            if !credentials.basic_given {
                missing(credentials, "basic", report);
            }
            credentials.basic.clone()
        }
        _ => user(node, report),
    };
    given.map(|(username, password)| Scheme::Basic { username, password })
}

fn hmac(node: &Node, credentials: &mut Credentials, report: &mut Report) -> Option<Signature> {
    let mut fields = Fields::of(node, &HMAC, report)?;
    let header_name = fields.required("header", report).and_then(|node| header(node, report));
    let algorithm = match fields.word("algorithm", report) {
        Some("sha1") => Algorithm::Sha1,
        Some("sha512") => Algorithm::Sha512,
        _ => Algorithm::Sha256,
    };
    let base64 = fields.word("encoding", report) == Some("base64");
    let prefix = fields.text("prefix", report).unwrap_or_default().to_owned();
    let signed_node = fields.get("signed");
    let timestamp_node = fields.get("timestamp");
    let own = secrets(fields.get("secret"), "secret", report);
    fields.finish(report);

    let signed = match signed_node {
        None => Some(vec![Part::Body]),
        Some(node) => parts(node, report),
    };
    let timestamp = timestamp_node.and_then(|node| timestamp(node, report));
    let signs_time = signed.iter().flatten().any(|part| matches!(part, Part::Timestamp));
    if signs_time && timestamp_node.is_none() {
        report
            .mistake(
                "missing-key",
                &node.place,
                "`signed` holds `{ts}`, but `timestamp` does not say where that is sent",
            )
            .help("add `timestamp: {header: X-Timestamp, tolerance: 5m}`");
    }
    if let (false, Some(node), Some(_)) = (signs_time, timestamp_node, &signed) {
        report
            .mistake(
                "unsigned-timestamp",
                &node.place,
                "this timestamp is not part of what is signed, so it proves nothing",
            )
            .help("write `signed: \"{ts}.{body}\"` if the sender signs it, else leave `timestamp` out");
    }
    let secrets = match own {
        Some(own) => own,
        None => {
            credentials.used[1] = true;
            match credentials.secret.clone() {
                Some(secrets) => secrets,
                None => {
                    missing(credentials, "secret", report);
                    return None;
                }
            }
        }
    };
    Some(Signature {
        header: header_name?,
        algorithm,
        base64,
        prefix,
        signed: signed?,
        timestamp,
        secrets,
    })
}

/// `{ts}.{body}`: texts, the body and the timestamp.
fn parts(node: &Node, report: &mut Report) -> Option<Vec<Part>> {
    let mut rest = text(node, "signed", report)?;
    let mut parts = Vec::new();
    let mut fine = true;
    while let Some(at) = rest.find('{') {
        if at > 0 {
            parts.push(Part::Text(rest[..at].to_owned()));
        }
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        match &rest[at..end] {
            "{body}" => parts.push(Part::Body),
            "{ts}" => parts.push(Part::Timestamp),
            other => {
                let title = format!("`signed` knows `{{body}}` and `{{ts}}`, not `{other}`");
                report.mistake("unknown-part", &node.place, title);
                fine = false;
            }
        }
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    if fine && !parts.iter().any(|part| matches!(part, Part::Body)) {
        report.mistake("body-not-signed", &node.place, "`signed` has to hold `{body}`");
        fine = false;
    }
    fine.then_some(parts)
}

fn timestamp(node: &Node, report: &mut Report) -> Option<(HeaderName, TimeDelta)> {
    let mut fields = Fields::of(node, &TIMESTAMP, report)?;
    let header_name = fields.required("header", report).and_then(|node| header(node, report));
    let tolerance = fields.duration("tolerance", report).unwrap_or(TOLERANCE);
    fields.finish(report);
    Some((header_name?, tolerance))
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

/// One secret, or several while they are being exchanged; an empty one is a mistake.
fn secrets(node: Option<&Node>, key: &str, report: &mut Report) -> Option<Vec<Secret>> {
    let node = node?;
    let mut found = Vec::new();
    for item in node.items() {
        match text(item, key, report) {
            Some(text) if text.trim().is_empty() => {
                report
                    .mistake("empty-credential", &item.place, format!("`{key}` is empty"))
                    .help("an environment variable that is set to nothing, or an empty file?");
            }
            Some(text) => {
                guessable(text, key, &item.place, report);
                found.push(Secret::new(text));
            }
            None => {}
        }
    }
    if node.items().is_empty() {
        report.mistake("empty-credential", &node.place, format!("`{key}` is empty"));
    }
    Some(found)
}

/// Warns of a credential that is short, or the word of an example; never repeats it.
pub(crate) fn guessable(secret: &str, key: &str, place: &Place, report: &mut Report) {
    let lower = secret.to_lowercase();
    let title = if EXAMPLES.iter().any(|word| lower.contains(word)) {
        format!("this `{key}` looks like the word of an example")
    } else if secret.chars().count() < SECRET_MIN && key != "password" {
        format!("this `{key}` has fewer than {SECRET_MIN} characters and can be found by trying")
    } else {
        return;
    };
    report
        .warning("weak-credential", place, title)
        .help("take a long random one, such as `openssl rand -hex 24` makes");
}

fn user(node: &Node, report: &mut Report) -> Option<(String, Secret)> {
    let mut fields = Fields::of(node, &BASIC, report)?;
    let username = fields
        .required("username", report)
        .and_then(|node| text(node, "username", report));
    let password = fields.required("password", report);
    let password = secrets(password, "password", report).and_then(|all| all.into_iter().next());
    fields.finish(report);
    let username = username?;
    if username.contains(':') {
        let place = node.place.clone();
        report.mistake("bad-username", &place, "a user name of HTTP basic cannot hold `:`");
    }
    Some((username.to_owned(), password?))
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
