//! Receiving as a whole: a real listener on the loopback, a real store in a file, and senders of every kind.

mod answers;
mod bounds;
mod recorded;
mod silence;
mod store_down;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use http::HeaderMap;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::listener;
use crate::source;
use crate::store::Writer;

use crate::model::body::FORM;

const TOKEN: &str = "open-7f2c9d1e";

fn source(name: &str, settings: &str) -> Source {
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", settings, &mut report).unwrap();
    let source = source::compile(name, &node, &mut report);
    source.unwrap_or_else(|| panic!("{}", report.render(|_| None)))
}

fn sources() -> Vec<Source> {
    [
        ("lab", "auth: none\nlearn: true"),
        ("small", "auth: none\nlearn: true\nbody_max: 2KiB"),
        ("polite", "auth: none\nlearn: true\nrespond: {status: 202, body: OK}"),
        ("hospitable-v1", "preset: hospitable-v1\ntoken: open-7f2c9d1e"),
        ("hostelmate", "preset: hostelmate\nsecret: hm_open_9f0c2b7d41"),
        (
            "old-pms",
            "preset: generic\nbasic: {username: pms, password: pa55phrase}",
        ),
        (
            "by-path",
            "token: open-7f2c9d1e\nreceipt_key: [[path, query.n]]\nmap: {reservation: {code: $.code}, event: {from: path, map: {created: reservation.created}}}",
        ),
        ("get", "token: open-7f2c9d1e\nmethods: [POST, GET]\nlearn: true"),
        ("only-get", "token: open-7f2c9d1e\nmethods: GET\nbody_max: 2KiB\nlearn: true"),
        (
            "greeting",
            "token: open-7f2c9d1e\nlearn: true\nping: [{$.type: [healthcheck, ~], $.topic: system}, {header.X-Try: yes}]\n\
             respond: {status: 202, challenge: $.challenge}",
        ),
        (
            "shaking",
            "token: open-7f2c9d1e\nlearn: true\nrespond: {challenge: query.validationToken}",
        ),
        ("open", "auth: none\nlearn: true\nbody_max: 64MiB"),
        ("any", "auth: none\ncontent_type: any\nlearn: true"),
        (
            "signed",
            "auth: {hmac: {header: X-Sig}}\nsecret: a-secret-of-some-length\nbody_max: 64MiB\nlearn: true",
        ),
        ("in-body", "auth: {token: {body: $.key}}\ntoken: open-7f2c9d1e\nlearn: true"),
        ("large", "token: open-7f2c9d1e\nbody_max: 64MiB\nlearn: true"),
        ("fenced", "auth: none\nlearn: true\nallow_ips: [203.0.113.0/24]"),
    ]
    .into_iter()
    .map(|(name, settings)| source(name, settings))
    .collect()
}

/// Everything that was counted.
#[derive(Default)]
struct Counted {
    stored: AtomicUsize,
    duplicates: AtomicUsize,
    pings: AtomicUsize,
    rejected: Mutex<Vec<(String, &'static str)>>,
}

impl Tally for Counted {
    fn stored(&self, _source: &str, duplicate: bool, _took: Duration) {
        let which = if duplicate { &self.duplicates } else { &self.stored };
        which.fetch_add(1, Ordering::SeqCst);
    }

    fn pinged(&self, _source: &str) {
        self.pings.fetch_add(1, Ordering::SeqCst);
    }

    fn rejected(&self, source: &str, reason: &'static str) {
        self.rejected.lock().unwrap().push((source.to_owned(), reason));
    }
}

/// A running receiver.
struct Lab {
    address: SocketAddr,
    store: Store,
    rejections: Arc<Rejections>,
    counted: Arc<Counted>,
    woken: Arc<AtomicUsize>,
    dir: TempDir,
    writer: Option<Writer>,
    tasks: JoinSet<()>,
}

impl Lab {
    async fn start() -> Lab {
        Lab::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Lab {
        let mut lab = Lab::without_writer(limits).await;
        lab.run_writer();
        lab
    }

    async fn without_writer(limits: Limits) -> Lab {
        let dir = TempDir::new().unwrap();
        let url = format!("sqlite://{}", dir.path().join("lab.db").display());
        let (store, writer) = Store::open(&url).await.unwrap();
        let all: Vec<Arc<Source>> = sources().into_iter().map(Arc::new).collect();
        let rejections = Arc::new(Rejections::new());
        let counted = Arc::new(Counted::default());
        let woken = Arc::new(AtomicUsize::new(0));
        let bell = woken.clone();
        let receiver = Receiver {
            store: store.clone(),
            clock: Clock::manual(DateTime::from_timestamp(1_801_126_803, 0).unwrap()),
            ids: Arc::new(Ids::seeded(1)),
            sources: Arc::new(move |name| all.iter().find(|source| source.name() == name).cloned()),
            on_stored: Arc::new(move || _ = bell.fetch_add(1, Ordering::SeqCst)),
            rejections: rejections.clone(),
            tally: counted.clone(),
            limits,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(listener::serve(
            listener,
            router(receiver),
            listener::Limits {
                trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
                ..listener::Limits::default()
            },
            CancellationToken::new(),
        ));
        Lab {
            address,
            store,
            rejections,
            counted,
            woken,
            dir,
            writer: Some(writer),
            tasks,
        }
    }

    fn run_writer(&mut self) {
        let (writer, store) = (self.writer.take().unwrap(), self.store.clone());
        self.tasks.spawn(async move { Store::run_writer(writer, &store).await });
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(&Sent::post(path, body)).await
    }

    /// Sends on a connection of its own, reading while it writes.
    async fn send(&self, sent: &Sent) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let (mut from, mut to) = stream.split();
        let bytes = sent.bytes();
        let mut answer = Vec::new();
        let read = from.read_to_end(&mut answer);
        let (_, read) = tokio::join!(to.write_all(&bytes), read);
        read.unwrap();
        Answer::parse(&answer)
    }

    async fn deliveries(&self) -> u64 {
        let sql = "SELECT count(*) FROM deliveries";
        let mut conn = self.second_connection().await;
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap();
        u64::try_from(count).unwrap()
    }

    /// Somebody else's connection to the same file.
    async fn second_connection(&self) -> sqlx::SqliteConnection {
        use sqlx::Connection as _;
        let path = self.dir.path().join("lab.db");
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display()))
            .await
            .unwrap()
    }
}

/// A request, as bytes of our own making.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    fn post(path: &str, body: impl Into<Vec<u8>>) -> Sent {
        Sent {
            method: "POST",
            path: path.to_owned(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn method(mut self, method: &'static str) -> Sent {
        self.method = method;
        self
    }

    fn header(mut self, name: &str, value: &str) -> Sent {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A recorded request.
    fn recorded(sender: &str, case: &str) -> Sent {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures/sources")
            .join(sender);
        let text = std::fs::read_to_string(dir.join(format!("{case}.headers.json"))).unwrap();
        let recorded: Value = serde_json::from_str(&text).unwrap();
        let headers = recorded["headers"].as_object().unwrap().iter();
        Sent {
            method: match recorded["method"].as_str().unwrap() {
                "GET" => "GET",
                "HEAD" => "HEAD",
                _ => "POST",
            },
            path: recorded["path"].as_str().unwrap().to_owned(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            body: std::fs::read(dir.join(recorded["body_file"].as_str().unwrap())).unwrap(),
        }
    }

    fn head(&self) -> String {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: hooks.example\r\nConnection: close\r\n",
            self.method, self.path
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let framed = |(name, _): &(String, String)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        };
        if self.method == "POST" && !self.headers.iter().any(framed) {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        head
    }

    fn bytes(&self) -> Vec<u8> {
        [self.head().as_bytes(), &self.body].concat()
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Answer {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| {
                let name: http::HeaderName = name.parse().unwrap();
                (name, http::HeaderValue::from_str(value).unwrap())
            })
            .collect();
        Answer {
            status,
            headers,
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The delivery's id, and whether it is a duplicate.
    fn stored(&self) -> (String, bool) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json");
        let json = self.json();
        let id = json["delivery"].as_str().unwrap();
        assert!(id.starts_with("d_"));
        (id.to_owned(), json["duplicate"].as_bool().unwrap())
    }

    /// The last part of the problem's type; checks what every problem has to hold.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status);
        assert!(json["title"].as_str().unwrap().len() > 5);
        assert!(json["detail"].as_str().unwrap().len() > 40);
        let kind = json["type"].as_str().unwrap().strip_prefix("urn:stayhook:problem:");
        kind.unwrap().to_owned()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}
