//! `match`: the conditions as they are written.

mod shapes;
mod words;

use chrono::Weekday;
use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::{quoted, text};
use crate::lang::yaml::{Key, Kind, Node};
use crate::model::reservation::Status;

use super::names::{is_group, matchable};
use super::pattern::{Against, AnyOf};
use words::{kind_word, property_word, status_word, weekday, words};

pub use shapes::MATCH;
pub(super) use shapes::{DAYS, LISTED, STATUS_WORD};
pub(super) use words::{PropertyWord, StatusMeans, StatusWord, listed};

/// Conditions that all have to hold.
#[derive(Clone, Debug)]
pub struct Match {
    pub(super) tests: Vec<Test>,
}

/// One condition.
#[derive(Clone, Debug)]
pub(super) struct Test {
    /// As the recipe says it.
    pub(super) says: String,
    pub(super) of: Subject,
}

/// What a condition looks at, and what it wants there.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    Status(Vec<StatusWord>),
    Kind(Vec<&'static str>),
    Property(Vec<PropertyWord>),
    Notice(AnyOf),
    /// The canonical name of a local date, and the days.
    Weekday(&'static str, Vec<Weekday>),
    /// A dotted canonical name.
    Field(String, AnyOf),
    Payload(Box<JpQuery>, AnyOf),
    Was(Match),
    Not(Match),
}

/// Where conditions stand: what they may look at differs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Was,
    /// Of stays that are listed, whatever has happened to them.
    Listed,
}

impl Match {
    /// What holds where a recipe has no `match`: stays of guests.
    pub(super) fn default_for_stays() -> Match {
        Match {
            tests: vec![Test {
                says: "kind: guest".to_owned(),
                of: Subject::Kind(vec!["guest"]),
            }],
        }
    }

    /// Reads a recipe's `match`.
    pub(super) fn read(node: &Node, report: &mut Report) -> Match {
        Match::read_at(node, Level::Top, report)
    }

    /// Reads the `match` of a list of stays.
    pub(super) fn read_listed(node: &Node, report: &mut Report) -> Match {
        Match::read_at(node, Level::Listed, report)
    }

    fn read_at(node: &Node, level: Level, report: &mut Report) -> Match {
        let mut found = read(node, "match", level, report);
        if !node.entries().iter().any(|(key, _)| key.text == "kind") {
            found.tests.extend(Match::default_for_stays().tests);
        }
        found
    }

    /// The same, for booked stays where it says nothing of the status.
    pub(super) fn or_booked(mut self) -> Match {
        if !self.names_status() {
            self.tests.insert(0, booked());
        }
        self
    }

    /// What it says beyond what holds for a list where nothing is said.
    pub(super) fn without_defaults(&self) -> Match {
        let usual = |test: &&Test| {
            matches!(&test.of, Subject::Kind(kinds) if kinds[..] == ["guest"]) || test.says == booked().says
        };
        let tests = self.tests.iter().filter(|test| !usual(test));
        Match {
            tests: tests.cloned().collect(),
        }
    }

    /// Whether it says anything of the status.
    pub(super) fn names_status(&self) -> bool {
        self.tests.iter().any(|test| match &test.of {
            Subject::Status(_) => true,
            Subject::Field(name, _) => name == "source_status",
            Subject::Not(inner) => inner.names_status(),
            _ => false,
        })
    }

    /// The gone statuses that its own `status` names.
    pub(super) fn names_gone(&self) -> Vec<Status> {
        let named = |status: &Status| {
            self.tests.iter().any(|test| match &test.of {
                Subject::Status(words) => words.iter().any(|word| {
                    !word.other && matches!(&word.means, StatusMeans::Canonical(named) if named.contains(status))
                }),
                _ => false,
            })
        };
        Status::ALL
            .into_iter()
            .filter(|status| status.is_gone() && named(status))
            .collect()
    }
}

/// What holds for the status where a clock's recipe says nothing of it.
pub(super) fn booked() -> Test {
    Test {
        says: "status: booked".to_owned(),
        of: Subject::Status(vec![StatusWord {
            other: false,
            means: StatusMeans::booked(),
        }]),
    }
}

/// The words of a status, or a list of them.
pub(super) fn status_words(node: &Node, report: &mut Report) -> Option<Vec<StatusWord>> {
    words(node, "status", report, status_word)
}

/// A day of the week.
pub(super) fn day(node: &Node, key: &str, report: &mut Report) -> Option<Weekday> {
    weekday(node, text(node, key, report)?.trim(), report)
}

fn read(node: &Node, what: &str, level: Level, report: &mut Report) -> Match {
    let mut tests = Vec::new();
    match &node.kind {
        Kind::Map(entries) => entries
            .iter()
            .for_each(|(key, value)| entry(key, value, level, &mut tests, report)),
        _ if node.is_null() => {}
        _ => {
            let title = format!(
                "`{what}` is written as settings (`key: value`), this is {}",
                node.what()
            );
            report
                .mistake("expected-settings", &node.place, title)
                .help(match node.kind {
                    Kind::List(_) => "without `- ` before them: `status: booked`",
                    _ => "such as `status: booked`; expressions are written in `when`",
                });
        }
    }
    Match { tests }
}

fn entry(key: &Key, value: &Node, level: Level, tests: &mut Vec<Test>, report: &mut Report) {
    let says = format!("{}: {}", key.text, flow(value));
    let first = key.text.split('.').next().unwrap_or_default();
    let of_events = matches!(first, "was" | "payload" | "payment" | "message");
    let outside = match level {
        Level::Top => false,
        Level::Was => of_events || first == "notice",
        Level::Listed => of_events,
    };
    if outside {
        let word = &key.text;
        let (title, help) = match level {
            Level::Listed => (
                format!("a list of stays has no `{word}`: there is no event"),
                "its conditions are about the stay as it is, such as `property: brannan`".to_owned(),
            ),
            _ => (
                format!("the stay before has no `{word}`"),
                format!("`{word}` stands in `match` itself"),
            ),
        };
        report.mistake("unknown-condition", &key.place, title).help(help);
        return;
    }
    let of = match key.text.as_str() {
        "status" => words(value, "status", report, status_word).map(Subject::Status),
        "kind" => words(value, "kind", report, kind_word).map(Subject::Kind),
        "property" if !matches!(value.kind, Kind::Map(_)) => {
            words(value, "property", report, property_word).map(Subject::Property)
        }
        "notice" => AnyOf::read("notice", value, Against::Span, report).map(Subject::Notice),
        weekdays @ ("check_in_weekday" | "check_out_weekday") => {
            let field = if weekdays == "check_in_weekday" {
                "check_in_date"
            } else {
                "check_out_date"
            };
            words(value, weekdays, report, weekday).map(|days| Subject::Weekday(field, days))
        }
        "payload" => return payload(value, tests, report),
        "was" => Some(Subject::Was(inner(key, value, Level::Was, report))),
        "not" => Some(Subject::Not(inner(key, value, level, report))),
        name => return field(name, key, value, tests, report),
    };
    if let Some(of) = of {
        tests.push(Test { says, of });
    }
}

fn inner(key: &Key, value: &Node, level: Level, report: &mut Report) -> Match {
    if value.is_null() || matches!(&value.kind, Kind::Map(entries) if entries.is_empty()) {
        let title = format!("`{}` needs at least one condition", key.text);
        report
            .mistake("empty-condition", &key.place, title)
            .help(format!("such as `{}: {{status: booked}}`", key.text));
    }
    read(value, &key.text, level, report)
}

/// A canonical name, dotted or as nested settings.
fn field(name: &str, key: &Key, value: &Node, tests: &mut Vec<Test>, report: &mut Report) {
    if let Kind::Map(entries) = &value.kind
        && (is_group(name) || name == "property.vars" || name.starts_with("property.vars."))
    {
        for (below, value) in entries {
            let name = format!("{name}.{}", below.text);
            field(&name, below, value, tests, report);
        }
        return;
    }
    let against = matchable()
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| Against::from(kind))
        .or_else(|| name.starts_with("property.vars.").then_some(Against::Anything));
    let Some(against) = against else {
        let known = || matchable().map(|(known, _)| known);
        let leaf = || known().filter(|known| known.rsplit_once('.').is_some_and(|(_, leaf)| leaf == name));
        let words: Vec<&str> = MATCH.keys.iter().map(|entry| entry.name).collect();
        let otherwise = match name.starts_with('$') {
            true => format!("a path into the body stands below `payload`: `payload: {{{name}: …}}`"),
            false => {
                let words = quoted(&words).replace(" or ", ", ");
                format!("conditions are {words}, and every field of a reservation")
            }
        };
        let near = leaf().next();
        let near = near.or_else(|| did_you_mean(name, words.iter().copied().chain(known()).chain(["property.vars"])));
        report
            .mistake(
                "unknown-condition",
                &key.place,
                format!("`match` has no condition `{name}`"),
            )
            .meant(near.filter(|_| !name.starts_with('$')), otherwise);
        return;
    };
    if name == "labels" && !value.is_null() {
        let title = "nothing labels a stay in this version, so no stay has a label";
        report
            .warning("never-holds", &key.place, title)
            .help("take this out until there are labels");
    }
    if let Some(of) = AnyOf::read(name, value, against, report) {
        tests.push(Test {
            says: format!("{name}: {}", flow(value)),
            of: Subject::Field(name.to_owned(), of),
        });
    }
}

fn payload(node: &Node, tests: &mut Vec<Test>, report: &mut Report) {
    let Kind::Map(entries) = &node.kind else {
        let title = format!(
            "`payload` is written as settings (`$.path: value`), this is {}",
            node.what()
        );
        report
            .mistake("expected-settings", &node.place, title)
            .help("such as `payload: {$.guest.location: \"*Belgium\"}`");
        return;
    };
    for (key, value) in entries {
        let path = match parse_json_path(&key.text) {
            Ok(path) if key.text.starts_with('$') => path,
            _ => {
                let title = format!("`{}` is not a JSONPath into the body", key.text);
                let fixed = format!("$.{}", key.text.trim_start_matches(['.', '$']));
                let help = match parse_json_path(&fixed) {
                    Ok(_) => format!("write `{fixed}`"),
                    Err(_) => "such as `$.guest.location`, or in quotes `\"$.guests[0].name\"`".to_owned(),
                };
                report.mistake("bad-path", &key.place, title).help(help);
                continue;
            }
        };
        if let Some(of) = AnyOf::read(&key.text, value, Against::Anything, report) {
            tests.push(Test {
                says: format!("payload {}: {}", key.text, flow(value)),
                of: Subject::Payload(Box::new(path), of),
            });
        }
    }
}

/// A value as it would be written on one line, at most 160 characters.
pub(super) fn flow(node: &Node) -> String {
    let text = match &node.kind {
        Kind::Scalar(_) if node.is_null() => "null".to_owned(),
        Kind::Scalar(scalar) => scalar.text.clone(),
        Kind::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entry = |(key, value): &(Key, Node)| format!("{}: {}", key.text, flow(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    };
    short(&text)
}

/// At most 160 characters of a text.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
