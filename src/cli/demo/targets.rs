//! Stand-ins for the targets: each takes whatever comes, says that all is well, and writes down what arrived.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Their names, as connections and as told, in the order in which effects of one scene are listed.
pub(super) const NAMES: [&str; 4] = ["cleaning", "locks", "books", "mail"];
/// The one that takes mail.
const MAIL: &str = NAMES[3];
/// A longer line of a mail ends its connection, in bytes.
const LINE_MAX: u64 = 64 << 10;

/// Something that arrived at a target.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    /// Where.
    pub(super) target: &'static str,
    /// Its idempotency key: of a request the header, of a mail what its `Message-ID` begins with.
    pub(super) key: String,
    /// What it is, in a few words: `POST /tasks`.
    pub(super) head: String,
    /// Of a request its body.
    pub(super) body: Value,
}

type Log = Arc<Mutex<Vec<Arrived>>>;

/// The stand-ins; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Targets {
    /// The port of each, as it stands in the configuration: `${LOCKS_PORT}`.
    pub(super) ports: Vec<(String, u16)>,
    log: Log,
    _serving: JoinSet<()>,
}

impl Targets {
    /// Starts them.
    pub(super) async fn start() -> io::Result<Targets> {
        let (log, mut serving, mut ports) = (Log::default(), JoinSet::new(), Vec::new());
        for name in NAMES {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let port = listener.local_addr()?.port();
            ports.push((format!("${{{}_PORT}}", name.to_uppercase()), port));
            let log = log.clone();
            match name {
                MAIL => drop(serving.spawn(take_mail(listener, log))),
                name => drop(serving.spawn(take_requests(listener, name, log))),
            }
        }
        Ok(Targets {
            ports,
            log,
            _serving: serving,
        })
    }

    /// What has arrived since the last time: by target, at each in order of arrival.
    pub(super) fn take(&self) -> Vec<Arrived> {
        let mut new = std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner));
        new.sort_by_key(|one| NAMES.iter().position(|name| *name == one.target));
        new
    }
}

fn put(log: &Log, arrived: Arrived) {
    log.lock().unwrap_or_else(PoisonError::into_inner).push(arrived);
}

async fn take_requests(listener: TcpListener, target: &'static str, log: Log) {
    let take = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
        let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let arrived = Arrived {
            target,
            key: key.unwrap_or_default().to_owned(),
            head: format!("{method} {uri}"),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        put(&log, arrived);
        axum::Json(json!({"ok": true}))
    };
    // It ends with what it belongs to; a failure shows in what is missing.
    let _ = axum::serve(listener, axum::Router::new().fallback(take)).await;
}

async fn take_mail(listener: TcpListener, log: Log) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let log = log.clone();
        // A client that goes away is not this side's concern.
        open.spawn(async move { drop(talk(BufStream::new(stream), &log).await) });
    }
}

/// One conversation by SMTP (RFC 5321), as far as our own client goes.
async fn talk(mut line: BufStream<TcpStream>, log: &Log) -> io::Result<()> {
    let (mut to, mut key) = (Vec::new(), String::new());
    let (mut in_mail, mut says) = (false, "220 demo");
    loop {
        if !says.is_empty() {
            line.write_all(format!("{says}\r\n").as_bytes()).await?;
            line.flush().await?;
        }
        let mut text = String::new();
        if (&mut line).take(LINE_MAX).read_line(&mut text).await? == 0 {
            return Ok(());
        }
        let text = text.trim_end();
        let (word, rest) = text.split_once([' ', ':']).unwrap_or((text, ""));
        let in_brackets = || rest.split(['<', '>']).nth(1).unwrap_or_default();
        says = match (in_mail, word.to_ascii_uppercase().as_str()) {
            (true, _) if text == "." => {
                let arrived = Arrived {
                    target: MAIL,
                    key: std::mem::take(&mut key),
                    head: format!("to {}", std::mem::take(&mut to).join(", ")),
                    body: Value::Null,
                };
                put(log, arrived);
                in_mail = false;
                "250 2.0.0 taken"
            }
            (true, "MESSAGE-ID") if key.is_empty() => {
                key = in_brackets().split('@').next().unwrap_or_default().to_owned();
                ""
            }
            (true, _) => "",
            (false, "RCPT") => {
                to.push(in_brackets().to_owned());
                "250 ok"
            }
            (false, "DATA") => {
                in_mail = true;
                "354 go on"
            }
            (false, "QUIT") => "221 bye",
            (false, _) => "250 ok",
        };
    }
}
