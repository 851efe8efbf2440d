//! From the wire to bytes, within bounds of size, time and memory.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::model::body::{self, Unreadable};
use crate::model::json;
use crate::source::Source;

use super::answer::{self, Problem};

/// How much of a body that will not be used is read on and thrown away at the most.
const THROWN_AWAY: usize = 4 << 20;
/// And for how long.
const THROWN_AWAY_FOR: Duration = Duration::from_secs(1);

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

/// A request's share of the memory for bodies; given back when dropped.
pub(super) struct Held {
    all: Arc<Semaphore>,
    mine: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub(super) fn new(all: Arc<Semaphore>) -> Held {
        Held { all, mine: None }
    }

    /// Takes `bytes` more, or says that there is no room. Never waits: what waits would hold what it has.
    fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let bytes = u32::try_from(bytes).map_err(|_| answer::OVERLOADED)?;
        let more = self.all.clone().try_acquire_many_owned(bytes);
        let more = more.map_err(|_| answer::OVERLOADED)?;
        match &mut self.mine {
            Some(mine) => mine.merge(more),
            None => self.mine = Some(more),
        }
        Ok(())
    }
}

/// The body as it came and, where it came compressed, unpacked. Neither is longer than `max` bytes.
pub(super) async fn read(
    parts: &Parts,
    mut body: Body,
    encoding: Encoding,
    max: usize,
    time: Duration,
    held: &mut Held,
) -> Result<(Vec<u8>, Option<Vec<u8>>), Problem> {
    let announced = parts.headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let too_large = announced.is_some_and(|length| length > max as u64);
    let read = if too_large {
        Err(answer::TOO_LARGE)
    } else {
        let whole = timeout(time, collect(&mut body, max, held)).await;
        whole.unwrap_or(Err(answer::SLOW))
    };
    if matches!(&read, Err(problem) if *problem == answer::TOO_LARGE || *problem == answer::OVERLOADED) {
        let_go(&parts.headers, body).await;
    }
    let raw = read?;
    let unpacked = match encoding {
        Encoding::Identity => None,
        Encoding::Gzip if raw.is_empty() => None,
        Encoding::Gzip => {
            let unpacked = unpack(&raw, max)?;
            held.take(unpacked.len())?;
            Some(unpacked)
        }
    };
    Ok((raw, unpacked))
}

async fn collect(body: &mut Body, max: usize, held: &mut Held) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| answer::CUT_OFF)?;
        let Ok(chunk) = frame.into_data() else { continue };
        if chunk.len() > max - bytes.len() {
            return Err(answer::TOO_LARGE);
        }
        held.take(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads on for a while what will not be used, and keeps nothing of it, so that a sender that writes before it reads
/// comes to read the answer and not a broken connection. One that asks before it writes needs no such thing.
pub(super) async fn let_go(headers: &HeaderMap, mut body: Body) {
    if headers.contains_key(EXPECT) {
        return;
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

/// Unpacks gzip and stops at the bound, however much more would come out of it.
fn unpack(packed: &[u8], max: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut reader = MultiGzDecoder::new(packed).take(max as u64 + 1);
    reader.read_to_end(&mut bytes).map_err(|_| answer::BROKEN_GZIP)?;
    if bytes.len() > max {
        return Err(answer::TOO_LARGE);
    }
    Ok(bytes)
}

/// Whether there is nothing in a body; a byte order mark alone says nothing.
pub(super) fn is_blank(body: &[u8]) -> bool {
    body.strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii()
        .is_empty()
}

/// The content type; only the first one counts.
pub(super) fn content_type(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let value = headers.get(CONTENT_TYPE);
    let text = value.map(|value| std::str::from_utf8(value.as_bytes()));
    text.transpose().map_err(|_| answer::WRONG_TYPE)
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
pub(super) fn unreadable(why: Unreadable) -> Problem {
    match why {
        Unreadable::ContentType => answer::WRONG_TYPE,
        Unreadable::Charset => answer::CHARSET,
        Unreadable::NotUtf8 => answer::NOT_UTF8,
        Unreadable::NotInCharset => answer::NOT_IN_CHARSET,
        Unreadable::TooDeep => answer::TOO_DEEP,
        Unreadable::NotJson => answer::NOT_JSON,
        Unreadable::TooManyPairs => answer::TOO_MANY_FIELDS,
    }
}
