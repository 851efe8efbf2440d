//! A rendered mail as the bytes that go over the wire: the same mail and key, the same bytes.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Message, MultiPart, SinglePart};

use crate::lang::line::is_control;
use crate::model::clock::Time;
use crate::model::id::hash;

use super::Mail;
use super::address::{Address, quoted};

/// The longest line without its end (RFC 5321, section 4.5.3.1.6).
const LINE_MAX: usize = 998;
/// This many bytes make an encoded word that fits behind the name of a header (RFC 2047, section 2: lines of 76 characters).
const WORD_MAX: usize = 39;
/// A longer name and address stand on lines of their own, the name as encoded words.
const MAILBOX_MAX: usize = 60;

/// A mail that is ready for a server.
#[derive(Debug)]
pub(super) struct Ready {
    /// Who it is from.
    pub(super) sender: lettre::Address,
    /// Everybody who gets it.
    pub(super) recipients: Vec<lettre::Address>,
    /// Headers and body; ASCII, lines end with CR LF.
    pub(super) bytes: Vec<u8>,
    /// Its `Message-ID` with the angle brackets.
    pub(super) message_id: String,
}

/// Composes the mail. `redirect` replaces everybody who would get it; `now` is its date only where it has none of its own.
///
/// # Errors
///
/// Why it cannot be sent; another attempt would not change that.
pub(super) fn compose(
    mail: &Mail,
    key: &str,
    from: &Address,
    redirect: Option<&Address>,
    now: Time,
) -> Result<Ready, String> {
    // Checked when it was rendered, and here once more: nothing that was recorded reaches the library unchecked.
    let to = parse("to", &mail.to)?;
    let cc = parse("cc", &mail.cc)?;
    let bcc = parse("bcc", &mail.bcc)?;
    let reply_to = parse("reply_to", mail.reply_to.as_slice())?;
    if to.is_empty() {
        return Err("the mail has no address to go to".to_owned());
    }
    if mail.subject.chars().any(is_control) {
        return Err("`subject` holds a line break or another control character".to_owned());
    }
    let digest = hex::encode(&hash(&[b"mail", key.as_bytes()])[..16]);
    let plain_key = !key.is_empty() && key.len() <= 64 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let local = if plain_key { key } else { digest.as_str() };
    let message_id = format!("<{local}@stayhook.{}>", from.domain);
    let date = mail
        .date
        .as_deref()
        .and_then(|date| DateTime::parse_from_rfc3339(date).ok())
        .map_or(now, |date| date.to_utc());

    let mut builder = Message::builder()
        .raw_header(mailboxes("From", &[from]))
        .raw_header(text("Subject", &mail.subject))
        .date(SystemTime::from(date))
        .message_id(Some(message_id.clone()))
        .raw_header(text("Auto-Submitted", "auto-generated"));
    if !reply_to.is_empty() {
        builder = builder.raw_header(mailboxes("Reply-To", &reply_to.iter().collect::<Vec<_>>()));
    }
    let everybody: Vec<&Address> = to.iter().chain(&cc).chain(&bcc).collect();
    let recipients: Vec<&Address> = match redirect {
        Some(redirect) => {
            let meant: Vec<String> = everybody.iter().map(|address| address.spec()).collect();
            builder = builder
                .raw_header(mailboxes("To", &[redirect]))
                .raw_header(text("X-Stayhook-Redirected-From", &meant.join(", ")));
            vec![redirect]
        }
        None => {
            builder = builder.raw_header(mailboxes("To", &to.iter().collect::<Vec<_>>()));
            if !cc.is_empty() {
                builder = builder.raw_header(mailboxes("Cc", &cc.iter().collect::<Vec<_>>()));
            }
            everybody
        }
    };
    let sender = plain(from)?;
    let recipients = recipients.into_iter().map(plain).collect::<Result<Vec<_>, _>>()?;
    let envelope =
        lettre::address::Envelope::new(Some(sender.clone()), recipients.clone()).map_err(|error| error.to_string())?;
    let builder = builder.envelope(envelope);
    let message = match (&mail.text, &mail.html) {
        (Some(text), Some(html)) => builder.multipart(
            MultiPart::alternative()
                .boundary(format!("=_{digest}"))
                .singlepart(part(ContentType::TEXT_PLAIN, text)?)
                .singlepart(part(ContentType::TEXT_HTML, html)?),
        ),
        (Some(text), None) => builder.singlepart(part(ContentType::TEXT_PLAIN, text)?),
        (None, Some(html)) => builder.singlepart(part(ContentType::TEXT_HTML, html)?),
        (None, None) => return Err("the mail has neither `text` nor `html`".to_owned()),
    };
    let bytes = message.map_err(|error| error.to_string())?.formatted();
    if !is_plain_wire(&bytes) {
        return Err("the mail could not be put into a form that every server reads alike".to_owned());
    }
    Ok(Ready {
        sender,
        recipients,
        bytes,
        message_id,
    })
}

/// Always base64: whatever a guest wrote, no line of a body can be mistaken for the end of the mail or for a command.
/// (The library escapes lines that begin with a dot after CR LF only: RUSTSEC-2026-0561.)
fn part(kind: ContentType, text: &str) -> Result<SinglePart, String> {
    let body = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::Base64)
        .map_err(|_| "the body cannot be encoded".to_owned())?;
    Ok(SinglePart::builder().content_type(kind).body(body))
}

/// ASCII, every line ended by CR LF and none longer than RFC 5321 allows, no bare CR or LF, no other control character,
/// no line of a lone dot.
fn is_plain_wire(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        // What follows the last line break is no line of its own, and ends without one.
        let line = match (lines.peek().is_some(), line.strip_suffix(b"\r")) {
            (true, Some(line)) => line,
            (true, None) => return false,
            (false, _) => line,
        };
        let printable = line.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
        if !printable || line.len() > LINE_MAX || line == b"." {
            return false;
        }
    }
    true
}

fn parse(key: &str, texts: &[String]) -> Result<Vec<Address>, String> {
    texts
        .iter()
        .map(|text| Address::parse(text).map_err(|why| format!("`{key}` {why}")))
        .collect()
}

fn plain(address: &Address) -> Result<lettre::Address, String> {
    lettre::Address::new(&address.local, &address.domain).map_err(|_| "an address is not usable".to_owned())
}

/// A header of text. What looks like an encoded word is one only where we have made it: a guest could write the subject
/// otherwise.
fn text(name: &'static str, value: &str) -> HeaderValue {
    let header = HeaderName::new_from_ascii_str(name);
    match needs_words(value) {
        true => HeaderValue::dangerous_new_pre_encoded(header, value.to_owned(), words(value)),
        false => HeaderValue::new(header, value.to_owned()),
    }
}

/// A header of addresses. The library's own reads what is there again to add to it, and not every name survives that.
fn mailboxes(name: &'static str, all: &[&Address]) -> HeaderValue {
    let shown = |address: &&Address| match &address.name {
        None => address.spec(),
        Some(name) if needs_words(name) || name.len() + address.spec().len() > MAILBOX_MAX => {
            format!("{}\r\n <{}>", words(name), address.spec())
        }
        Some(name) if name.chars().all(|c| c.is_ascii_alphanumeric()) => format!("{name} <{}>", address.spec()),
        Some(name) => format!("{} <{}>", quoted(name), address.spec()),
    };
    let shown: Vec<String> = all.iter().map(shown).collect();
    let specs: Vec<String> = all.iter().map(|address| address.spec()).collect();
    let header = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(header, specs.join(", "), shown.join(",\r\n "))
}

fn needs_words(text: &str) -> bool {
    text.contains("=?") || !text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A text as encoded words of RFC 2047, one a line; characters stay whole.
fn words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD_MAX));
        words.push(format!("=?utf-8?b?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join("\r\n ")
}
