//! What an answer means: `succeeds_if`, `output`, and the one table from a status to an outcome.

use chrono::DateTime;
use http::HeaderMap;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_vals;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::lang::diag::{Place, Report};
use crate::lang::fields::{self, Fields};
use crate::lang::glob::glob;
use crate::lang::shape::{EMPTY, Form, Like, More, Own, Shape, key};
use crate::lang::yaml::{Kind, Node};
use crate::model::clock::Time;
use crate::model::run::AttemptOutcome;

/// What an `http` step says about the answer.
pub(super) static SHAPE: Shape = Shape {
    what: "what an `http` step says about the answer",
    about: "When an answer means success, and what later steps read of it.",
    keys: &[
        key(
            "succeeds_if",
            Form::Settings(&SUCCEEDS_IF),
            "When an answer means success; any status from 200 to 299 where nothing is said.",
            "succeeds_if: {status: [2xx, 404], body: {$.ok: true}}",
        ),
        key(
            "output",
            Form::Settings(&OUTPUT),
            "What later steps read of the answer, as `steps.ID.output.NAME`.",
            "output: {id: $.task.id}",
        ),
    ],
    ..EMPTY
};

static SUCCEEDS_IF: Shape = Shape {
    what: "`succeeds_if`",
    about: "When an answer means success: all of it has to hold.",
    keys: &[
        key(
            "status",
            Form::Several(&Form::Like(&Like {
                what: "a status (`404`) or a class of them (`2xx`)",
                pattern: "^([2-5][xX][xX]|0*[2-5][0-9][0-9])$",
                numbers: true,
            })),
            "The statuses that can mean success.",
            "status: [2xx, 404]",
        ),
        key(
            "body",
            Form::Settings(&BODY),
            "What has to stand in the answer.",
            "body: {$.ok: true}",
        ),
        key(
            "else",
            Form::Word(&["retry", "reject"]),
            "What an answer means that is no success and says nothing by its status: try again, or give up (`reject`, \
             which holds where nothing is said).",
            "else: retry",
        ),
    ],
    ..EMPTY
};

static BODY: Shape = Shape {
    what: "`body`",
    about: "Paths into the answer and what has to stand there. Texts compare in any case, `*` stands for anything.",
    more: &[More::Own(&Own {
        name: "$.path",
        pattern: r"^\$",
        form: Form::Several(&Form::Either(&[Form::Value, Form::Nothing])),
        about: "A JSONPath, and a value or a list of values of which one has to stand there.",
        example: "$.ok: true",
    })],
    ..EMPTY
};

static OUTPUT: Shape = Shape {
    what: "`output`",
    about: "Names, and where in the answer their values stand.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        form: Form::Like(&Like {
            what: "a JSONPath into the answer or a header of it (`header.Location`)",
            pattern: r"^(\$|header\.)",
            numbers: false,
        }),
        about: "A JSONPath, or `header.` and the name of a header. The name has letters, digits and `_`.",
        example: "id: $.task.id",
    })],
    ..EMPTY
};

/// How a step's answer is read; recorded with the request, so that every attempt is judged alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    /// The statuses that can mean success: `2xx`, `404`. Empty: `2xx`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<String>,
    /// What has to stand in the body: JSONPath and expected value.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub body: Map<String, Value>,
    /// Whether an answer that is no success is worth another attempt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub else_retry: bool,
    /// The step's output: name and JSONPath, or `header.NAME`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub output: Map<String, Value>,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// For the run.
    pub outcome: AttemptOutcome,
    /// Whether it says that our credentials are not accepted.
    pub denied: bool,
    /// Why it is not `done`, beside the status.
    pub because: Option<String>,
}

impl Judge {
    /// Reads `succeeds_if` and `output`.
    pub fn compile(fields: &mut Fields<'_>, report: &mut Report) -> Judge {
        let mut judge = Judge::default();
        if let Some(mut rule) = fields.settings("succeeds_if", report) {
            for item in rule.get("status").map(Node::items).unwrap_or_default() {
                let text = item.scalar().map(str::to_ascii_lowercase);
                match text.filter(|text| is_status(text)) {
                    Some(text) => judge.status.push(text),
                    None => {
                        report
                            .mistake("status", &item.place, "`status` is a status or a class of them")
                            .help("`200`, `2xx` or `[200, 404]`");
                    }
                }
            }
            for (key, node) in rule.own("body", report) {
                if check_path(&key.text, &key.place, report) {
                    let plain = |node: &Node| matches!(node.kind, Kind::Scalar(_));
                    let list = matches!(&node.kind, Kind::List(items) if items.iter().all(plain));
                    if !plain(node) && !list {
                        report.mistake("expected", &node.place, "what is expected is a value or a list of them");
                    }
                    judge.body.insert(key.text.clone(), node.value());
                }
            }
            judge.else_retry = rule.word("else", report) == Some("retry");
            rule.finish(report);
        }
        for (key, node) in fields.own("output", report) {
            fields::name(key, "an output", report);
            let Some(source) = fields::text(node, &key.text, report) else {
                continue;
            };
            let good = match source.strip_prefix("header.") {
                Some(name) => http::HeaderName::from_bytes(name.as_bytes()).is_ok(),
                None => check_path(source, &node.place, report),
            };
            if good {
                judge.output.insert(key.text.clone(), source.into());
            } else if source.starts_with("header.") {
                report.mistake("output", &node.place, format!("`{source}` names no header"));
            }
        }
        judge
    }

    /// Whether the answer's body matters, not only its status.
    pub fn reads_body(&self) -> bool {
        !self.body.is_empty() || self.output.values().any(|source| !is_header(source))
    }

    /// What a status, 100 to 999, and a body mean. `json` is `None` for a body that is not JSON.
    pub fn verdict(&self, status: u16, json: Option<&Value>) -> Verdict {
        let denied = matches!(status, 401 | 403);
        let say = |outcome, because: Option<String>| Verdict {
            outcome,
            denied: denied && outcome != AttemptOutcome::Done,
            because,
        };
        let expected = match self.status.is_empty() {
            true => (200..300).contains(&status),
            false => self.status.iter().any(|rule| status_holds(rule, status)),
        };
        let because = if expected {
            match self.body.iter().find(|(path, want)| !holds(path, want, json)) {
                None => return say(AttemptOutcome::Done, None),
                Some((path, _)) if json.is_none() => Some(format!("the answer is not JSON, {path} was expected in it")),
                Some((path, want)) => Some(format!("{path} in the answer is not {want}")),
            }
        } else if (300..400).contains(&status) {
            Some("redirects are not followed".to_owned())
        } else if (200..300).contains(&status) {
            Some("`succeeds_if` expects another status".to_owned())
        } else {
            None
        };
        match status {
            401 | 408 | 425 | 429 | 500.. if !expected => say(AttemptOutcome::Retry, because),
            _ if self.else_retry => say(AttemptOutcome::Retry, because),
            _ => say(AttemptOutcome::Reject, because),
        }
    }

    /// The step's output; what is not there is null.
    pub fn output(&self, headers: &HeaderMap, json: Option<&Value>) -> Value {
        if self.output.is_empty() {
            return Value::Null;
        }
        let mut output = Map::new();
        for (name, source) in &self.output {
            let source = source.as_str().unwrap_or_default();
            let value = match source.strip_prefix("header.") {
                Some(header) => headers
                    .get(header)
                    .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned().into()),
                None => json.and_then(|json| match find(source, json).as_slice() {
                    [] => None,
                    [one] => Some((*one).clone()),
                    many => Some(many.iter().map(|one| (*one).clone()).collect()),
                }),
            };
            output.insert(name.clone(), value.unwrap_or(Value::Null));
        }
        Value::Object(output)
    }
}

/// How many seconds a `Retry-After` asks for (RFC 9110, section 10.2.3): a number of seconds, or a date. Not negative;
/// the largest number there is where it does not fit.
pub fn retry_after_s(headers: &HeaderMap, now: Time) -> Option<i64> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    // Some write a fraction, or a sign.
    let whole = text.split('.').next().unwrap_or_default();
    if let Ok(seconds) = whole.parse::<i128>() {
        return Some(i64::try_from(seconds.max(0)).unwrap_or(i64::MAX));
    }
    let until = DateTime::parse_from_rfc2822(text).ok()?;
    Some((until.to_utc() - now).num_seconds().max(0))
}

fn is_header(source: &Value) -> bool {
    source.as_str().is_some_and(|source| source.starts_with("header."))
}

fn is_status(text: &str) -> bool {
    match text.strip_suffix("xx") {
        Some(class) => matches!(class, "2" | "3" | "4" | "5"),
        None => text.parse::<u16>().is_ok_and(|code| (200..600).contains(&code)),
    }
}

fn status_holds(rule: &str, status: u16) -> bool {
    match rule.strip_suffix("xx") {
        Some(class) => class.parse() == Ok(status / 100),
        None => rule.parse() == Ok(status),
    }
}

fn check_path(path: &str, place: &Place, report: &mut Report) -> bool {
    let good = path.starts_with('$') && parse_json_path(path).is_ok();
    if !good {
        report
            .mistake("json-path", place, format!("`{path}` is not a path into the answer"))
            .help("a JSONPath such as `$.task.id`");
    }
    good
}

/// All values at a path. A path was checked when the recipe was read; one that still fails finds nothing.
fn find<'v>(path: &str, json: &'v Value) -> Vec<&'v Value> {
    js_path_vals(path, json).unwrap_or_default()
}

/// Whether something at `path` is what was expected. A list expects any of its values, null nothing or null.
fn holds(path: &str, want: &Value, json: Option<&Value>) -> bool {
    let Some(json) = json else {
        return false;
    };
    let found = find(path, json);
    let wanted = match want {
        Value::Array(any) => any.as_slice(),
        one => std::slice::from_ref(one),
    };
    wanted.iter().any(|want| match want {
        Value::Null => found.iter().all(|found| found.is_null()),
        want => found.iter().any(|found| alike(want, found)),
    })
}

/// Values are compared as texts in any case, with `*` for anything; numbers by what they are worth.
fn alike(want: &Value, found: &Value) -> bool {
    match (plain(want), plain(found)) {
        (Some(want), Some(found)) => {
            let worth = |text: &str| text.parse::<rust_decimal::Decimal>().ok();
            glob(&want.to_lowercase(), &found.to_lowercase())
                || matches!((worth(&want), worth(&found)), (Some(a), Some(b)) if a == b)
        }
        _ => want == found,
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
