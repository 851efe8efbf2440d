//! The admin API as a whole: a real store on a temporary file, requests without a socket.

mod ahead;
mod hands;
mod lists;
mod metered;
mod once;
mod rules;
mod shown;

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::*;
use crate::model::clock::{Time, from_ms};
use crate::model::decision::{Decision, Explanation, FactDecision, FirstStep, NewRun, Opening};
use crate::model::delivery::{Arrival, Outcome, ReceiptKey};
use crate::model::effect::Prepared;
use crate::model::event::{About, Event};
use crate::model::fact::{Stamp, StayNames};
use crate::model::id::{DeliveryId, RunId, hash};
use crate::model::reservation::{Held, Stay, Writer};
use crate::model::run::{Mode, event_run_key};
use crate::store::Lease;

/// A guest whose name must be nowhere that has not been asked for it.
const GUEST: &str = "Wilhelmina Quux";
const TOKEN: &str = "let-me-in";

/// A daemon that is well, with one recipe.
#[derive(Default)]
struct Daemon {
    inbox: AtomicUsize,
    outbox: AtomicUsize,
    timers: AtomicUsize,
    ill: Option<&'static str>,
}

impl Live for Daemon {
    fn properties(&self) -> Arc<Properties> {
        Arc::new(Properties {
            timezone: chrono_tz::America::Los_Angeles,
            ..Properties::none()
        })
    }

    fn recognised_by(&self, source: &str, _headers: &Value, _body: &str) -> Option<String> {
        Some(format!("what {source} says"))
    }

    fn recipes(&self) -> Value {
        json!([{"name": "Clean", "file": "recipes/clean.yaml", "enabled": true, "broken": []}])
    }

    fn sources(&self) -> Value {
        json!([{"name": "lab", "learn": false}])
    }

    fn connections(&self) -> Value {
        json!([{"connection": "cleaning", "busy": 0, "paused_since_ms": 1_772_352_000_000_i64, "probe_at_ms": null}])
    }

    fn ready(&self) -> Result<(), String> {
        self.ill.map_or(Ok(()), |why| Err(why.to_owned()))
    }

    fn alive(&self) -> Result<(), String> {
        self.ready()
    }

    fn wake_inbox(&self) {
        self.inbox.fetch_add(1, Ordering::Relaxed);
    }

    fn wake_outbox(&self) {
        self.outbox.fetch_add(1, Ordering::Relaxed);
    }

    fn wake_timers(&self) {
        self.timers.fetch_add(1, Ordering::Relaxed);
    }
}

/// A listener with a store behind it.
struct House {
    console: Console,
    daemon: Arc<Daemon>,
    router: Router,
    _folder: TempDir,
    _writer: JoinSet<()>,
}

/// An answer, read to the end.
#[derive(Debug)]
struct Given {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Given {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Expects a problem with this status whose sentence holds `part`.
    fn problem(&self, status: u16, part: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{detail}");
        assert!(!self.text.contains("Wilhelmina"), "{}", self.text);
    }

    /// Expects success and gives its JSON.
    fn fine(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        self.json()
    }
}

impl House {
    async fn new() -> House {
        House::with(|_| {}, Daemon::default()).await
    }

    async fn with(change: impl FnOnce(&mut Console), daemon: Daemon) -> House {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
        let (store, writer) = Store::open(&url).await.unwrap();
        let mut tasks = JoinSet::new();
        let written = store.clone();
        tasks.spawn(async move { Store::run_writer(writer, &written).await });
        let daemon = Arc::new(daemon);
        let mut console = Console {
            store,
            clock: Clock::manual(from_ms(1_772_352_000_000)), // 2026-03-01T08:00:00Z
            token: None,
            hosts: vec!["stays.example.com".to_owned()],
            metrics_open: true,
            meter: Arc::new(Meter::new("9.9.9")),
            live: daemon.clone(),
        };
        change(&mut console);
        House {
            router: router(console.clone()),
            console,
            daemon,
            _folder: folder,
            _writer: tasks,
        }
    }

    async fn send(&self, request: Request<Body>) -> Given {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Given {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Given {
        let request = Request::get(path).header("host", "localhost:8081");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Given {
        let request = Request::post(path)
            .header("host", "localhost:8081")
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    fn now(&self) -> Time {
        self.console.clock.now()
    }

    /// Receives the delivery with this number; nothing is decided.
    async fn receive(&self, n: usize) -> DeliveryId {
        let id = delivery_id(n);
        let arrival = Arrival {
            id: id.clone(),
            source: "lab".to_owned(),
            receipt: ReceiptKey {
                key: hash(&[&n.to_be_bytes()])[..16].try_into().unwrap(),
                scope: None,
                weak: None,
            },
            received_at: self.now(),
            headers: json!({"content-type": "application/json"}).to_string(),
            body: json!({"code": format!("C{n}"), "name": GUEST}).to_string().into_bytes(),
        };
        self.console.store.receive(arrival).await.unwrap().delivery
    }

    /// Receives and decides it: a stay `C<n>`, an event, and a run of `Clean` that begins like this.
    async fn decide(&self, n: usize, first: FirstStep) -> RunId {
        self.receive(n).await;
        let decision = decision(n, self.now(), first);
        let run = decision.facts[0].runs[0].id.clone();
        let lease = Lease {
            owner: "test".to_owned(),
            now: self.now(),
            steady: self.now(),
            until: self.now() + chrono::TimeDelta::seconds(30),
            neighbours: false,
        };
        self.console.store.apply(vec![decision], lease).await.unwrap();
        run
    }

    /// A run that died.
    async fn dead(&self, n: usize) -> RunId {
        self.decide(n, FirstStep::Failed("503 three times".to_owned())).await
    }
}

fn delivery_id(n: usize) -> DeliveryId {
    DeliveryId(format!("d_{n:026}"))
}

fn open() -> FirstStep {
    FirstStep::Open(Arc::new(Opening {
        position: 0,
        step_id: "tell".to_owned(),
        prepared: Prepared {
            kind: "http".to_owned(),
            connection: "cleaning".to_owned(),
            request: json!({"method": "PUT", "url": "/tasks/C1"}),
            missing: Vec::new(),
        },
        key: "sh_1".to_owned(),
        generation: 0,
        at_most_once: false,
        window_s: 86_400,
        skipped: Vec::new(),
    }))
}

fn decision(n: usize, now: Time, first: FirstStep) -> Decision {
    let delivery = delivery_id(n);
    let code = format!("C{n}");
    let names = StayNames {
        source: "lab".to_owned(),
        ..StayNames::default()
    };
    let mut stay = Stay::new(delivery.stay(0), &names, delivery.clone(), now);
    stay.ids = vec![code.clone(), format!("alias-{n}")];
    stay.references.insert("shared".to_owned());
    stay.writers.push(Writer {
        stamp: Stamp { by: 5, then: 1 },
        rank: 2,
        text: String::new(),
    });
    for (name, value) in [
        ("code", json!(code)),
        ("status", json!("confirmed")),
        ("check_in_date", json!("2026-04-09")),
        ("check_out_date", json!("2026-04-12")),
        ("guest.name", json!(GUEST)),
    ] {
        stay.fields.insert(name.to_owned(), Held { value, by: 0 });
    }
    let event = Event {
        id: delivery.event(0),
        delivery: delivery.clone(),
        source: "lab".to_owned(),
        stay: stay.id.clone(),
        types: vec!["reservation.created".to_owned(), "reservation.confirmed".to_owned()],
        at_ms: now.timestamp_millis(),
        reservation: json!({"source": "lab", "code": code, "guest": {"name": GUEST}}).into(),
        previous: Value::Null.into(),
        changes: json!({"status": {"from": null, "to": "confirmed"}}).into(),
        payment: Value::Null.into(),
        message: Value::Null.into(),
        around: Value::Null.into(),
        gathered: Value::Null.into(),
    };
    let key = event_run_key("Clean", &event.id, 0);
    let run = NewRun {
        id: RunId::of_key(&key, &event.id),
        key,
        recipe: "Clean".to_owned(),
        revision: "abc".to_owned(),
        about: About::Reservation,
        queue: Some("Clean".to_owned()),
        mode: Mode::Queued,
        names_gone: Vec::new(),
        after_gone: false,
        dry_run: false,
        lane: "cleaning".to_owned(),
        due_at: now,
        settles: false,
        first,
    };
    let explanation = Explanation {
        recipe: "Clean".to_owned(),
        revision: "abc".to_owned(),
        result: "ran".to_owned(),
        because: "all conditions hold".to_owned(),
        conditions: Vec::new(),
    };
    let fact = FactDecision {
        outcome: Outcome::Processed,
        because: "a new stay".to_owned(),
        adopted: None,
        warnings: Vec::new(),
        stay: Some(stay),
        absorbed: Vec::new(),
        claimed: false,
        fact_key: None,
        event: Some(event),
        explanation: vec![explanation],
        runs: vec![run],
        gone: None,
        plan: crate::model::plan::Plan::default(),
        joins: Vec::new(),
        moved: None,
    };
    Decision {
        delivery,
        replay: None,
        outcome: Outcome::Processed,
        because: "a new stay".to_owned(),
        trace: None,
        warnings: vec!["a warning".to_owned()],
        facts: vec![fact],
        at: now,
    }
}
