//! The credentials of a source, as they stand in the configuration.

use super::schemes::BASIC;
use crate::lang::diag::{Place, Report};
use crate::lang::fields::{Fields, text};
use crate::lang::yaml::Node;
use crate::model::secret::Secret;

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
pub(super) struct Credentials {
    pub(super) token: Option<Vec<Secret>>,
    pub(super) secret: Option<Vec<Secret>>,
    pub(super) basic: Option<(String, Secret)>,
    /// Whether `basic` is there, be it right or not.
    pub(super) basic_given: bool,
    pub(super) used: [bool; 3],
    pub(super) name: String,
    /// Where the source stands: a preset's own file is nothing its user can change.
    pub(super) place: Place,
}

pub(super) fn missing(credentials: &Credentials, key: &str, report: &mut Report) {
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

/// One secret, or several while they are being exchanged; an empty one is a mistake.
pub(super) fn secrets(node: Option<&Node>, key: &str, report: &mut Report) -> Option<Vec<Secret>> {
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

pub(super) fn user(node: &Node, report: &mut Report) -> Option<(String, Secret)> {
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
