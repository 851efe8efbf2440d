//! Recorded requests, through HTTP, into the store, decided.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use serde_json::{Value, json};
use stayhook::model::clock::{Clock, Time};
use stayhook::model::id::Ids;
use stayhook::receive::{self, Limits, Receiver, Rejections, Tally};
use tower::util::ServiceExt as _;

use super::{Recorded, Sender, clock, senders};
use crate::support::{House, Plan};

struct Uncounted;

impl Tally for Uncounted {
    fn stored(&self, _source: &str, _duplicate: bool, _took: Duration) {}
    fn pinged(&self, _source: &str) {}
    fn rejected(&self, _source: &str, _reason: &'static str) {}
}

/// Sends a request to the house as it came over the network, at this time.
pub async fn send(house: &House, ids: &Arc<Ids>, request: &Recorded, now: Time) -> Response<Body> {
    let engine = house.engine.clone();
    let setup = engine.setup();
    let receiver = Receiver {
        store: engine.store.clone(),
        clock: Clock::manual(now),
        ids: ids.clone(),
        sources: Arc::new(move |name| setup.sources.get(name).cloned()),
        on_stored: Arc::new(move || engine.inbox.notify_one()),
        rejections: Arc::new(Rejections::new()),
        tally: Arc::new(Uncounted),
        limits: Limits::default(),
    };
    let mut builder = Request::builder().method(request.method.as_str()).uri(&request.path);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let mut built = builder.body(Body::from(request.body.clone())).unwrap();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 50_000));
    built.extensions_mut().insert(ConnectInfo(peer));
    receive::router(receiver).oneshot(built).await.unwrap()
}

/// A house with the sender's source, under the preset's name.
pub async fn house(sender: &Sender) -> House {
    Plan::default().source(&sender.preset, &sender.settings).build().await
}

#[tokio::test]
async fn recorded_requests_become_what_they_mean() {
    let mut wrong = Vec::new();
    for sender in senders() {
        let house = house(&sender).await;
        let ids = Arc::new(Ids::seeded(9));
        for (n, request) in sender.requests.iter().enumerate() {
            let expected = &sender.expected[&request.name];
            let before = house.deliveries().await.len();
            let response = send(&house, &ids, request, request.clock.unwrap_or(clock(n))).await;
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            house.idle().await;
            let deliveries = house.deliveries().await;
            let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
            let (outcome, types, warnings, event) = if deliveries.len() > before {
                let last = deliveries.last().unwrap();
                let (types, event) = events(&house, &last.id).await;
                let warnings = warnings(&last.detail);
                (format!("{} ({})", last.outcome, last.because), types, warnings, event)
            } else if answer["duplicate"] == true {
                ("duplicate".to_owned(), Vec::new(), Vec::new(), Value::Null)
            } else if status == 200 {
                ("ping".to_owned(), Vec::new(), Vec::new(), Value::Null)
            } else {
                ("refused".to_owned(), Vec::new(), Vec::new(), Value::Null)
            };
            let mut say = |what: &str, got: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
                wrong.push(format!(
                    "{}/{}: {what} is {got:?}, not {wanted:?}",
                    sender.preset, request.name
                ));
            };
            let number = |value: &Value| value.to_string().trim_matches('"').parse::<u16>().ok();
            let wanted = number(&expected["answer"]).unwrap_or(200);
            if status != wanted {
                say("the answer", &status, &wanted);
                continue;
            }
            let wanted = expected["outcome"]
                .as_str()
                .unwrap_or(if status == 200 { "processed" } else { "refused" });
            if outcome.split(' ').next() != Some(wanted) {
                say("the outcome", &outcome, &wanted);
            }
            let list = |key: &str| -> Vec<String> {
                let items = expected[key].as_array().cloned().unwrap_or_default();
                items
                    .iter()
                    .filter_map(|item| item.as_str().map(str::to_owned))
                    .collect()
            };
            if types != list("types") {
                say("types", &types, &list("types"));
            }
            let fits = warnings.len() == list("warnings").len()
                && warnings
                    .iter()
                    .zip(list("warnings"))
                    .all(|(got, part)| got.contains(&part));
            if !fits {
                say("warnings", &warnings, &list("warnings"));
            }
            if let Some(code) = expected["code"].as_str() {
                let found = house.engine.store.called(&sender.preset, code).await.unwrap().pop();
                let Some(found) = found else {
                    say("the stay", &"not there", &code);
                    continue;
                };
                let reservation = house.reservation(&sender.preset, found.stay.code().unwrap()).await;
                compare(&reservation, &expected["stay"], &mut say);
            }
            compare(&event["payment"], &expected["payment"], &mut say);
            compare(&event["message"], &expected["message"], &mut say);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

type Say<'s> = dyn FnMut(&str, &dyn std::fmt::Debug, &dyn std::fmt::Debug) + 's;

/// Every field that is expected; amounts compare as numbers, all else as text.
fn compare(got: &Value, expected: &Value, say: &mut Say<'_>) {
    for (name, wanted) in expected.as_object().into_iter().flatten() {
        let found = name.split('.').fold(got, |value, key| &value[key]);
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let amount = |value: &Value| text(value).parse::<f64>().ok();
        let same = match (found, wanted) {
            (Value::Number(_), _) => amount(found) == amount(wanted),
            (Value::Array(_), _) => found == wanted,
            _ => text(found) == text(wanted),
        };
        if !same {
            say(name, &text(found), &text(wanted));
        }
    }
}

async fn events(house: &House, delivery: &str) -> (Vec<String>, Value) {
    let filter = stayhook::store::Filter {
        of: Some(delivery.to_owned()),
        limit: Some(100),
        ..Default::default()
    };
    let mut items = house.engine.store.events(&filter).await.unwrap().items;
    items.sort_by_key(|event| event.seq);
    let types = items.iter().flat_map(|event| event.types.clone()).collect();
    let last = match items.last() {
        Some(last) => house.engine.store.event(&last.id).await.unwrap().unwrap().event,
        None => None,
    };
    (types, last.unwrap_or_default())
}

fn warnings(detail: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |list: &Value| {
        let items = list.as_array().into_iter().flatten();
        found.extend(items.filter_map(|item| item.as_str().map(str::to_owned)));
    };
    add(&detail["warnings"]);
    for fact in detail["facts"].as_array().into_iter().flatten() {
        add(&fact["warnings"]);
    }
    found
}

/// What was turned away leaves nothing behind, and what is repeated within the tolerance is a duplicate.
#[tokio::test]
async fn nothing_forged_replayed_or_expired_is_let_in() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for sender in senders() {
        let ids = Arc::new(Ids::seeded(3));
        for (n, request) in sender.requests.iter().enumerate() {
            let expected = &sender.expected[&request.name];
            if expected["answer"] != Value::Null || request.method != "POST" {
                continue;
            }
            let house = house(&sender).await;
            let now = request.clock.unwrap_or(clock(n));
            for (what, forged, later) in forgeries(request) {
                tried += 1;
                let response = send(&house, &ids, &forged, now + later).await;
                let deliveries = house.deliveries().await.len();
                if response.status() != 401 || deliveries > 0 {
                    wrong.push(format!(
                        "{}/{}: {what}: {}",
                        sender.preset,
                        request.name,
                        response.status()
                    ));
                }
            }
            // The same once more, a moment later: recognised, where it makes a delivery at all.
            for _ in 0..2 {
                assert_eq!(send(&house, &ids, request, now).await.status(), 200);
            }
            if house.deliveries().await.len() > 1 {
                wrong.push(format!(
                    "{}/{}: a replay is a delivery of its own",
                    sender.preset, request.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 500, "{tried}");
}

/// The request without its proof, with somebody else's, with another body under the same signature, and too late.
fn forgeries(request: &Recorded) -> Vec<(&'static str, Recorded, chrono::TimeDelta)> {
    let copy = || Recorded {
        name: request.name.clone(),
        method: request.method.clone(),
        path: request.path.clone(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        clock: request.clock,
    };
    let none = chrono::TimeDelta::zero();
    let proves = |name: &str| !matches!(name, "content-type" | "user-agent" | "x-lodgix-event" | "x-hm-event");
    let mut found = Vec::new();
    let mut bare = copy();
    bare.headers.retain(|(name, _)| !proves(name));
    let (path, _) = bare.path.split_once('?').unwrap_or((&bare.path, ""));
    bare.path = path.split('/').take(3).collect::<Vec<_>>().join("/");
    found.push(("no proof", bare, none));
    let signed = request.headers.iter().any(|(name, _)| name.contains("signature"));
    let mut wrong = copy();
    for (name, value) in &mut wrong.headers {
        if proves(name) {
            // Another character of the same sort at the end.
            let last = value.pop();
            value.push(if last == Some('0') { '1' } else { '0' });
        }
    }
    wrong.path = wrong.path.replace("token=", "token=x");
    if wrong.path.matches('/').count() > 2 && !wrong.path.contains("token=") {
        wrong.path.push('x');
    }
    found.push(("a wrong proof", wrong, none));
    if signed {
        let mut other = copy();
        let at = other.body.len() / 2;
        other.body[at] ^= 1;
        found.push(("another body", other, none));
    }
    if request.clock.is_some() {
        found.push(("too late", copy(), chrono::TimeDelta::minutes(11)));
        found.push(("too early", copy(), chrono::TimeDelta::minutes(-11)));
    }
    found
}

#[test]
fn expectations_compare_what_they_name() {
    let mut said = Vec::new();
    let got = json!({"a": {"b": 1.50}, "c": "x"});
    compare(&got, &json!({"a.b": "1.5", "c": "x"}), &mut |what, _, _| {
        said.push(what.to_owned())
    });
    assert!(said.is_empty());
    compare(&got, &json!({"a.b": "1.6", "c": "y", "d": 1}), &mut |what, _, _| {
        said.push(what.to_owned())
    });
    assert_eq!(said, ["a.b", "c", "d"]);
}
