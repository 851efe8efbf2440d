//! The `email` action: one mail over an `smtp` connection.

use std::sync::Arc;

use chrono::DateTime;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::lang::diag::{Place, Report};
use crate::lang::effect::{Effect, EffectKind, Rendering};
use crate::lang::fields::Fields;
use crate::lang::line::is_control;
use crate::lang::shape::{EMPTY, Form, Rule, Shape, key};
use crate::lang::template::{Context, Format, Name, Template, TemplateError};
use crate::lang::yaml::Node;
use crate::model::effect::{Answer, Prepared};

use super::connection::Connection;
use super::slot::{Slot, ready, refused};
use super::{Io, Kind};

use address::Address;

pub mod address;
mod message;
mod send;
#[cfg(test)]
mod tests;

/// The longest subject, in characters.
const SUBJECT_MAX: usize = 500;
/// The most recipients of one mail, copies included.
const RECIPIENTS_MAX: usize = 50;

/// The kind `email`.
#[derive(Clone, Copy, Debug)]
pub struct Email;

/// An `email` step.
static SHAPE: Shape = Shape {
    what: "an `email` step",
    about: "One mail over an `smtp` connection.",
    keys: &[
        key(
            "connection",
            Form::Text,
            "The name of a connection in the configuration; may be left out where only one fits.",
            "connection: mail",
        ),
        key(
            "to",
            Form::Several(&Form::Template),
            "Who gets it: one address an entry. Where none is left once it is filled in, the step is skipped.",
            "to: \"{{ property.vars.cleaner }}\"",
        )
        .needed(),
        key(
            "cc",
            Form::Several(&Form::Template),
            "Who gets a copy that everybody sees.",
            "cc: [office@example.com]",
        ),
        key(
            "bcc",
            Form::Several(&Form::Template),
            "Who gets a copy that nobody sees.",
            "bcc: [archive@example.com]",
        ),
        key(
            "reply_to",
            Form::Template,
            "Where answers go, if not to the sender.",
            "reply_to: \"{{ reservation.guest.email }}\"",
        ),
        key(
            "subject",
            Form::Template,
            "The subject, one line of at most 500 characters.",
            "subject: \"{{ property.name }}: {{ reservation.code }} has moved\"",
        )
        .needed(),
        key(
            "text",
            Form::Template,
            "The mail as plain text.",
            "text: \"The guests leave on {{ reservation.check_out | date('%A, %d %B') }}.\"",
        ),
        key(
            "html",
            Form::Template,
            "The mail as HTML; what is filled in is escaped. With `text` too, the reader's program chooses.",
            "html: \"<p>Code: {{ reservation.code }}</p>\"",
        ),
    ],
    rules: &[Rule::Some(&["text", "html"])],
    ..EMPTY
};

/// A rendered mail: all of the recipe, nothing of the connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// At least one address.
    pub to: Vec<String>,
    /// Who gets a copy that everybody sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<String>,
    /// Who gets a copy that nobody sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<String>,
    /// Where answers go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The subject, one line.
    pub subject: String,
    /// The plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When it was rendered, RFC 3339: its `Date` on every attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// An `email` step, read and checked.
#[derive(Debug)]
struct EmailEffect {
    connection: Option<String>,
    to: Vec<Slot>,
    cc: Vec<Slot>,
    bcc: Vec<Slot>,
    reply_to: Option<Slot>,
    subject: Slot,
    text: Option<Slot>,
    html: Option<Slot>,
    /// `{{ now }}`; `None` where templates have no such name.
    now: Option<Template>,
}

impl EffectKind for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn shape(&self) -> &'static Shape {
        &SHAPE
    }

    fn compile(&self, settings: &Node, report: &mut Report) -> Option<Arc<dyn Effect>> {
        let before = report.mistakes();
        let mut fields = Fields::of(settings, &SHAPE, report)?;
        let place = fields.place().clone();
        let connection = fields.text("connection", report).map(str::to_owned);
        fields.required("to", report);
        let to = recipients(&mut fields, "to", report);
        let cc = recipients(&mut fields, "cc", report);
        let bcc = recipients(&mut fields, "bcc", report);
        let subject = fields.required("subject", report);
        let subject = subject.and_then(|node| Slot::compile_line(node, "subject", report));
        let reply_to = fields.get("reply_to");
        let reply_to = reply_to.and_then(|node| Slot::compile_line(node, "reply_to", report));
        let (text, html) = (fields.get("text"), fields.get("html"));
        let empty = text.is_none() && html.is_none();
        let text = text.and_then(|node| Slot::compile(node, "text", Format::Text, report));
        let html = html.and_then(|node| Slot::compile(node, "html", Format::Html, report));
        fields.finish(report);
        if empty {
            report
                .mistake("missing-key", &place, "an `email` step needs `text`, `html` or both")
                .help("with both, the reader's program chooses");
        }
        let subject = subject.filter(|_| report.mistakes() == before)?;
        Some(Arc::new(EmailEffect {
            connection,
            to,
            cc,
            bcc,
            reply_to,
            subject,
            text,
            html,
            now: Template::compile("{{ now }}", Format::Text).ok(),
        }))
    }
}

impl Kind for Email {
    fn over(&self) -> &'static str {
        "smtp"
    }

    fn perform<'a>(
        &'a self,
        prepared: &'a Prepared,
        key: &'a str,
        connection: &'a Connection,
        io: &'a Io,
    ) -> BoxFuture<'a, Answer> {
        Box::pin(send::perform(prepared, key, connection, io))
    }
}

/// A template or a list of templates, each of them one address.
fn recipients(fields: &mut Fields<'_>, key: &'static str, report: &mut Report) -> Vec<Slot> {
    let items = fields.get(key).map(Node::items).unwrap_or_default();
    let mut slots = Vec::new();
    for item in items {
        let Some(slot) = Slot::compile_line(item, key, report) else {
            continue;
        };
        // What is written out in full can be checked now.
        if slot.is_constant()
            && let Err(why) = Address::parse(slot.source())
        {
            report
                .mistake("address", &item.place, format!("`{key}` {why}"))
                .help("one address an entry; several are a list: `[ana@example.com, bo@example.com]`");
        }
        slots.push(slot);
    }
    slots
}

impl Effect for EmailEffect {
    fn says(&self) -> String {
        let to = self.to.iter().map(|slot| format!("`{}`", slot.source().trim()));
        let to: Vec<String> = to.collect();
        format!("send an e-mail to {}", to.join(" and "))
    }

    fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    fn names(&self) -> Vec<(Name, Place)> {
        let lists = [&self.to, &self.cc, &self.bcc].into_iter().flatten();
        let single = [&self.reply_to, &self.text, &self.html].into_iter().flatten();
        let all = lists.chain([&self.subject]).chain(single);
        all.flat_map(Slot::names).collect()
    }

    fn render(&self, connection: &str, values: &Context) -> Result<Rendering, TemplateError> {
        let mut missing = Vec::new();
        let mut seen = Vec::new();
        let to = addresses("to", &self.to, values, &mut seen, &mut missing)?;
        if to.is_empty() {
            return Ok(Rendering::Skip("no address".to_owned()));
        }
        let cc = addresses("cc", &self.cc, values, &mut seen, &mut missing)?;
        let bcc = addresses("bcc", &self.bcc, values, &mut seen, &mut missing)?;
        if seen.len() > RECIPIENTS_MAX {
            return Err(refused(format!(
                "a mail goes to {RECIPIENTS_MAX} addresses at the most"
            )));
        }
        let reply_to = addresses(
            "reply_to",
            self.reply_to.as_slice(),
            values,
            &mut Vec::new(),
            &mut missing,
        )?;
        if reply_to.len() > 1 {
            return Err(refused("`reply_to` is one address"));
        }
        let subject = self.subject.line(values, &mut missing)?;
        if subject.chars().any(is_control) {
            return Err(refused("`subject` holds a line break or another control character"));
        }
        if subject.chars().count() > SUBJECT_MAX {
            return Err(refused(format!("`subject` is longer than {SUBJECT_MAX} characters")));
        }
        let mut part = |slot: &Option<Slot>| slot.as_ref().map(|slot| slot.text(values, &mut missing)).transpose();
        let (text, html) = (part(&self.text)?, part(&self.html)?);
        let mail = Mail {
            to,
            cc,
            bcc,
            reply_to: reply_to.into_iter().next(),
            subject,
            text,
            html,
            date: self.date(values),
        };
        ready("email", connection, &mail, missing)
    }
}

impl EmailEffect {
    /// The time of rendering, if templates know it.
    fn date(&self, values: &Context) -> Option<String> {
        let now = self.now.as_ref()?.text(values).ok()?.value;
        let time = DateTime::parse_from_rfc3339(now.trim()).ok()?;
        Some(time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    }
}

/// Every slot filled in: each text exactly one address; empty ones and those met before are dropped.
fn addresses(
    key: &str,
    slots: &[Slot],
    values: &Context,
    seen: &mut Vec<String>,
    missing: &mut Vec<String>,
) -> Result<Vec<String>, TemplateError> {
    let mut found = Vec::new();
    for slot in slots {
        let items = match slot.address(values, missing)? {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in items {
            let text = match item {
                Value::Null => continue,
                Value::String(text) => text,
                _ => return Err(refused(format!("`{key}` is no address"))),
            };
            let Some(address) = Address::filled_in(&text).map_err(|why| refused(format!("`{key}` {why}")))? else {
                continue;
            };
            let spec = address.spec();
            if !seen.contains(&spec) {
                seen.push(spec);
                found.push(address.to_string());
            }
        }
    }
    Ok(found)
}
