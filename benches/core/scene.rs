//! A configuration with two senders, as many recipes as are asked for, and what comes in.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use chrono::{TimeZone as _, Utc};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use stayhook::action;
use stayhook::config;
use stayhook::decide::{self, Known, Origin, Rules};
use stayhook::engine::{Asked, Setup, mapped};
use stayhook::lang::diag::Report;
use stayhook::model::clock::Time;
use stayhook::model::decision::{FactDecision, NewRun};
use stayhook::model::event::Event;
use stayhook::model::fact::Fact;
use stayhook::model::id::DeliveryId;
use stayhook::model::reservation::Stay;
use stayhook::recipe::Book;
use stayhook::source::{Mapped, Request, Signed, Source};

/// The configuration.
pub const CONFIG: &str = r#"timezone: Europe/Lisbon
recipes: recipes
sources:
  hospitable: {preset: hospitable-v1, token: "a-token-for-the-benchmark"}
  hostelmate: {preset: hostelmate, secret: "a-secret-for-the-benchmark"}
connections:
  cleaning: {http: {base_url: "http://127.0.0.1:9"}}
  mail: {smtp: {host: 127.0.0.1, port: 9, tls: none, from: Stays <stays@stayhook.example>}}
defaults: {vars: {cleaner: crew@stayhook.example}}
properties:
  alfama: {match: [31640027], name: Alfama 3A, tags: [old town], vars: {cleaner: rosa@stayhook.example}}
  harbour: {match: ["68d1f234-912c-5e65-b8f5-485928d317e1"], name: Harbour House, tags: [sea]}
"#;

/// The recipe for a new stay.
const BOOK: &str = r#"name: Book the cleaning
on: {event: reservation.confirmed}
match: {status: booked, property: alfama, nights: ">= 2"}
when: reservation.guests > 1
queue: cleaning
actions:
  - id: task
    http:
      connection: cleaning
      method: PUT
      url: /tasks/{{ reservation.code }}
      json:
        property: "{{ property.name }}"
        starts: "{{ reservation.check_out }}"
        guests: "{{ reservation.guests }}"
        note: "{{ reservation.guest.first_name }} leaves on {{ reservation.check_out | date('%d %b') }}"
  - id: tell
    email:
      connection: mail
      to: "{{ property.vars.cleaner }}"
      subject: "{{ property.name }}: cleaning on {{ reservation.check_out | date('%a, %d %b') }}"
      text: |
        A stay at {{ property.name }} is confirmed.
        The guests leave on {{ reservation.check_out | date('%A, %d %B, %H:%M') }}.
        Confirmation code: {{ reservation.code }}
"#;

/// The recipe for other dates.
const MOVE: &str = r#"name: Move the cleaning
on: {event: reservation.dates_changed}
match: {status: booked, property: alfama, was: {status: booked}}
queue: cleaning
actions:
  - http:
      connection: cleaning
      method: PUT
      url: /tasks/{{ reservation.code }}
      json: {starts: "{{ reservation.check_out }}"}
"#;

/// So many recipes by file name: the two above, and others that wait for the same and for other properties or guests.
pub fn recipes(count: usize) -> Vec<(String, String)> {
    let other = |number: usize| {
        let (event, condition) = match number % 4 {
            0 => ("reservation.confirmed", "property: harbour"),
            1 => (
                "[reservation.confirmed, reservation.dates_changed]",
                "money.total: \"> 2000\"",
            ),
            2 => ("reservation.cancelled", "property.tags: old town"),
            _ => (
                "[reservation.confirmed, reservation.dates_changed]",
                "channel: \"booking*\"",
            ),
        };
        let status = if number % 4 == 2 { "cancelled" } else { "booked" };
        format!(
            r#"name: Tell the office, {number}
on: {{event: {event}}}
match: {{status: {status}, {condition}}}
when: reservation.guests > 1 and reservation.check_out > now
actions:
  - email:
      connection: mail
      to: office@stayhook.example
      subject: "{{{{ property.name }}}}: {{{{ reservation.code }}}}"
      text: "{{{{ reservation.guest.name }}}}, {{{{ reservation.nights }}}} nights."
"#
        )
    };
    let own = [("book.yaml", BOOK.to_owned()), ("move.yaml", MOVE.to_owned())].into_iter();
    own.map(|(file, text)| (file.to_owned(), text))
        .chain((2..count).map(|number| (format!("{number}.yaml"), other(number))))
        .map(|(file, text)| (format!("recipes/{file}"), text))
        .collect()
}

/// When everything is received and decided.
fn now() -> Time {
    Utc.with_ymd_and_hms(2027, 3, 1, 12, 0, 0).unwrap()
}

/// What the configuration says.
pub struct Scene {
    pub setup: Setup,
}

impl Scene {
    /// With so many recipes, at least two.
    pub fn new(count: usize) -> Scene {
        let mut report = Report::new();
        let config = config::parse("config.yaml", CONFIG, Path::new("."), &|_| None, &mut report);
        let book = Book::load(&recipes(count), &action::effect_kinds(), &mut report);
        assert!(!report.has_mistakes(), "{}", report.render(|_| None));
        Scene {
            setup: config::setup(&config.unwrap(), book),
        }
    }

    pub fn source(&self, name: &str) -> &Source {
        &self.setup.sources[name]
    }

    /// What is known once this is decided.
    pub fn known(decision: &FactDecision) -> Known {
        Known {
            stays: decision.stay.clone().into_iter().collect(),
            ..Known::default()
        }
    }

    /// A run, asked for its step at `from`.
    pub fn asked<'a>(&'a self, run: &'a NewRun, event: &'a Event, payload: &'a Arc<Value>, from: usize) -> Asked<'a> {
        Asked {
            run: &run.id,
            key: &run.key,
            recipe: self.setup.book.get(&run.recipe, None).unwrap(),
            event,
            payload,
            steps: &[],
            from,
            dry_run: false,
            generation: 0,
            planned_at: None,
            stay: None,
            of_check_in: false,
            now: now(),
        }
    }
}

/// One delivery, signed as its sender would.
pub struct Delivery {
    pub source: &'static str,
    pub bytes: Vec<u8>,
    pub body: Value,
    pub payload: Arc<Value>,
    fact: Fact,
    id: DeliveryId,
    signed: Signed,
    headers: HeaderMap,
    kept: Value,
}

impl Delivery {
    pub fn new(scene: &Scene, source: &'static str, bytes: Vec<u8>) -> Delivery {
        let signed = scene.source(source).sign(&bytes, now());
        let headers: HeaderMap = signed
            .headers
            .iter()
            .map(|(name, value)| {
                let name: HeaderName = name.parse().unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect();
        let (body, _) = stayhook::engine::read_body(None, &bytes).unwrap();
        let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        let kept = scene.source(source).kept_headers(&text);
        let kept = serde_json::to_value(kept).unwrap();
        Delivery {
            source,
            payload: Arc::new(body.clone()),
            fact: first_fact(scene, source, &body, &kept),
            body,
            bytes,
            id: DeliveryId("d_01JNHGMYR0000000000000000".to_owned()),
            signed,
            kept,
            headers,
        }
    }

    pub fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }

    /// As it comes in.
    pub fn request(&self) -> Request<'_> {
        let query = self.signed.path_and_query.split_once('?');
        Request {
            path_token: None,
            query: query.map_or("", |(_, query)| query),
            headers: &self.headers,
            raw: &self.bytes,
            decoded: &self.bytes,
            client_ip: None,
            now: now(),
        }
    }

    pub fn map(&self, scene: &Scene) -> Mapped {
        mapped(scene.source(self.source), &self.body, &self.kept).unwrap()
    }

    /// The one thing it says.
    pub fn fact(&self, scene: &Scene) -> Fact {
        first_fact(scene, self.source, &self.body, &self.kept)
    }

    /// What it says is decided; what it says has been read before.
    pub fn decide(&self, scene: &Scene, known: Known) -> FactDecision {
        let origin = Origin {
            delivery: &self.id,
            seq: 1,
            source: self.source,
            received_at: now(),
            payload: &self.payload,
            replay: None,
            position: 0,
        };
        let setup = &scene.setup;
        let rules = Rules {
            in_force: stayhook::model::plan::InForce::default(),
            echo: chrono::TimeDelta::zero(),
            live_from: None,
            learn: false,
            dry_run: setup.dry_run,
            properties: &setup.properties,
            recipes: setup.book.all(),
            broken: setup.book.broken(),
        };
        decide::decide(known, black_box(&self.fact), &origin, &rules, now())
    }

    /// A stay of which nothing is known.
    pub fn no_stay(&self) -> Stay {
        Stay::new(self.id.stay(0), &self.fact.stay, self.id.clone(), now())
    }
}

fn first_fact(scene: &Scene, source: &str, body: &Value, kept: &Value) -> Fact {
    match mapped(scene.source(source), black_box(body), kept).unwrap() {
        Mapped::Facts { mut facts, .. } => facts.remove(0),
        other => panic!("{other:?}"),
    }
}
