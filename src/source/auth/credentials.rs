//! The credentials of a source, as they stand in the configuration.

use std::collections::BTreeSet;

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

/// A credential, and where it was written.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) secret: Secret,
    pub(super) place: Place,
}

/// What a source can lack: sets of keys, of which one would do.
pub(super) type Ways = BTreeSet<BTreeSet<&'static str>>;

/// The credentials of a source, whether a scheme has asked for them, and what schemes have asked for in vain.
pub(super) struct Credentials {
    pub(super) token: Option<Vec<Given>>,
    pub(super) secret: Option<Vec<Given>>,
    pub(super) basic: Option<(String, Secret)>,
    /// Whether `basic` is there, be it right or not.
    pub(super) basic_given: bool,
    pub(super) used: Used,
    pub(super) missing: Vec<Ways>,
    pub(super) name: String,
    /// Where the source stands: a preset's own file is nothing its user can change.
    pub(super) place: Place,
}

/// Which credentials a scheme has asked for.
#[derive(Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) token: bool,
    pub(super) secret: bool,
    pub(super) basic: bool,
}

impl Credentials {
    /// Notes that a scheme asks for what is not there.
    pub(super) fn lacks(&mut self, key: &'static str) {
        self.missing.push(BTreeSet::from([BTreeSet::from([key])]));
    }

    /// Every set of credentials that would be enough for an alternative with these needs.
    pub(super) fn ways(needs: &[Ways]) -> Ways {
        let nothing: Ways = BTreeSet::from([BTreeSet::new()]);
        needs.iter().fold(nothing, |ways, need| {
            let pairs = ways.iter().flat_map(|way| need.iter().map(move |other| way | other));
            pairs.collect()
        })
    }

    /// Says what is missing.
    pub(super) fn report_missing(&self, report: &mut Report) {
        for ways in &self.missing {
            let name = &self.name;
            let keys = |way: &BTreeSet<&str>| {
                way.iter()
                    .map(|key| format!("`{key}`"))
                    .collect::<Vec<_>>()
                    .join(" and ")
            };
            let named: Vec<String> = ways.iter().map(keys).collect();
            let title = match named.as_slice() {
                [one] => format!("the source `{name}` has no {one}, which its `auth` asks for"),
                all => format!(
                    "the source `{name}` has neither {}, one of which its `auth` asks for",
                    all.join(" nor ")
                ),
            };
            let lines = |way: &BTreeSet<&str>| way.iter().map(|key| self.line(key)).collect::<Vec<_>>().join(" and ");
            let lines: Vec<String> = ways.iter().map(lines).collect();
            report
                .mistake("missing-credential", &self.place, title)
                .help(format!("add {} to the source", lines.join(", or ")));
        }
    }

    /// The line with which a credential is given.
    fn line(&self, key: &str) -> String {
        let shouted = self
            .name
            .to_uppercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        match key {
            "basic" => format!("`basic: {{username: …, password: \"${{{shouted}_PASSWORD}}\"}}`"),
            key => format!("`{key}: \"${{{shouted}_{}}}\"`", key.to_uppercase()),
        }
    }
}

/// One secret, or several while they are being exchanged; an empty one is a mistake.
pub(super) fn secrets(node: Option<&Node>, key: &str, report: &mut Report) -> Option<Vec<Given>> {
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
                found.push(Given {
                    secret: Secret::new(text),
                    place: item.place.clone(),
                });
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
    let password = password.map(|given| given.secret);
    fields.finish(report);
    let username = username?;
    if username.contains(':') {
        let place = node.place.clone();
        report.mistake("bad-username", &place, "a user name of HTTP basic cannot hold `:`");
    }
    Some((username.to_owned(), password?))
}
