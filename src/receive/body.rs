//! From the wire to bytes, within bounds of size, time and memory.

use std::borrow::Cow;
use std::io::Read as _;
use std::time::Duration;

use axum::body::Body;
use flate2::bufread::GzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::listener::Caller;
use crate::model::body::{self, Unreadable};
use crate::model::json;
use crate::source::Source;

use super::answer::{self, Problem};
use super::memory::Held;

/// How much of a body that will not be used is read on and thrown away at the most.
const THROWN_AWAY: usize = 4 << 20;
/// And for how long.
const THROWN_AWAY_FOR: Duration = Duration::from_secs(1);

/// Of so many requests at a time; to more the answer goes out while they still write.
pub(super) const DRAINED_MAX: usize = 32;

/// No sender packs a body in more pieces.
const MEMBERS_MAX: usize = 64;
/// Beyond the first MiB a body is at most so many times as long as what came over the wire.
const RATIO_MAX: usize = 128;
/// How much is unpacked at a time.
const CHUNK: usize = 64 << 10;

/// A transport compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

/// What the headers say about compression.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let mut found = Encoding::Identity;
    for line in headers.get_all(CONTENT_ENCODING) {
        for word in line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if word.is_empty() || word.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            let gzip = word.eq_ignore_ascii_case(b"gzip") || word.eq_ignore_ascii_case(b"x-gzip");
            if !gzip || found == Encoding::Gzip {
                return Err(answer::ENCODING);
            }
            found = Encoding::Gzip;
        }
    }
    Ok(found)
}

/// The body as it came, not longer than `max` bytes.
pub(super) async fn read(
    parts: &Parts,
    body: &mut Body,
    max: usize,
    time: Duration,
    held: &mut Held,
) -> Result<Vec<u8>, Problem> {
    let announced = parts.headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max as u64) {
        return Err(answer::TOO_LARGE);
    }
    let seat = parts.extensions.get::<Caller>().map(|caller| &*caller.seat);
    let collect = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| answer::CUT_OFF)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if chunk.len() > max - bytes.len() {
                return Err(answer::TOO_LARGE);
            }
            if let Some(seat) = seat {
                seat.heard();
            }
            held.take(chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    if let Some(seat) = seat {
        seat.answering(false);
    }
    let read = timeout(time, collect).await;
    if let Some(seat) = seat {
        seat.answering(true);
    }
    read.unwrap_or(Err(answer::SLOW))
}

/// Reads on for a while what will not be used, and keeps nothing of it, so that a sender that writes before it reads
/// comes to read the answer and not a broken connection. One that asks before it writes needs no such thing.
pub(super) async fn let_go(parts: &Parts, mut body: Body, drained: &Semaphore) {
    if parts.headers.contains_key(EXPECT) {
        return;
    }
    let Ok(_one) = drained.try_acquire() else { return };
    if let Some(caller) = parts.extensions.get::<Caller>() {
        caller.seat.answering(false);
    }
    let mut left = THROWN_AWAY;
    let read = async {
        while let Some(Ok(frame)) = body.frame().await
            && left > 0
        {
            left = left.saturating_sub(frame.data_ref().map_or(0, |chunk| chunk.len()));
        }
    };
    // Whether it came to the end in time makes no difference: the answer goes out now.
    let _ = timeout(THROWN_AWAY_FOR, read).await;
}

/// Unpacks gzip and stops at the bounds, however much more would come out of it.
pub(super) fn unpack(packed: &[u8], max: usize, held: &mut Held) -> Result<Vec<u8>, Problem> {
    let most = max.min((packed.len().saturating_mul(RATIO_MAX)).max(1 << 20));
    let (mut rest, mut bytes, mut chunk) = (packed, Vec::new(), vec![0; CHUNK]);
    for _ in 0..MEMBERS_MAX {
        let mut member = GzDecoder::new(&mut rest);
        loop {
            let room = CHUNK.min(most + 1 - bytes.len());
            let read = member.read(&mut chunk[..room]).map_err(|_| answer::BROKEN_GZIP)?;
            if read == 0 {
                break;
            }
            held.take(read)?;
            bytes.extend_from_slice(&chunk[..read]);
            if bytes.len() > most {
                return Err(if most < max { answer::PACKED } else { answer::TOO_LARGE });
            }
        }
        if rest.is_empty() {
            return Ok(bytes);
        }
    }
    Err(answer::PACKED)
}

/// Whether there is nothing in a body; a byte order mark alone says nothing.
pub(super) fn is_blank(body: &[u8]) -> bool {
    body.strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii()
        .is_empty()
}

/// The content type as which a body is read; only the first one counts. A source may take any: then it is what the body
/// looks like, in the charset that is named.
pub(super) fn content_type<'h>(
    source: &Source,
    headers: &'h HeaderMap,
    bytes: &[u8],
) -> Result<Option<Cow<'h, str>>, Problem> {
    let value = headers
        .get(CONTENT_TYPE)
        .map(|value| std::str::from_utf8(value.as_bytes()));
    let sent = match value.transpose() {
        Ok(sent) => sent,
        Err(_) if source.any_content_type() => None,
        Err(_) => return Err(answer::wrong_type(headers)),
    };
    if !source.any_content_type() || sent.is_none_or(body::is_known) {
        return Ok(sent.map(Cow::Borrowed));
    }
    let kind = body::guess_type(bytes).unwrap_or("application/json");
    let parameters = sent.and_then(|sent| sent.split_once(';'));
    Ok(Some(
        parameters.map_or(kind.into(), |(_, rest)| format!("{kind};{rest}").into()),
    ))
}

/// The body without its secrets, in UTF-8; `None` where there are none in it, and it is kept byte for byte. `text` is that
/// of JSON.
pub(super) fn without_secrets(source: &Source, parsed: &mut Value, text: Option<&str>) -> Option<Vec<u8>> {
    if !source.has_secrets() {
        return None;
    }
    // Of a key that is there twice only the last was read; a secret may stand in the other.
    let hidden = |parsed: &Value| text.is_some_and(|text| !json::keys_are_single(text.as_bytes(), parsed));
    (source.redact(parsed) || hidden(parsed)).then(|| body::write(parsed, text.is_none()))
}

/// What a body that cannot be read is told.
pub(super) fn unreadable(why: Unreadable, headers: &HeaderMap) -> Problem {
    match why {
        Unreadable::ContentType => answer::wrong_type(headers),
        Unreadable::Charset => answer::CHARSET,
        Unreadable::NotUtf8 => answer::NOT_UTF8,
        Unreadable::NotInCharset => answer::NOT_IN_CHARSET,
        Unreadable::TooDeep => answer::TOO_DEEP,
        Unreadable::NotJson => answer::NOT_JSON,
        Unreadable::TooManyPairs => answer::TOO_MANY_FIELDS,
    }
}
