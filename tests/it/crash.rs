//! Killed at any moment, the daemon loses nothing it has acknowledged and does nothing twice under two keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::standin::{HttpStandin, Reply};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use stayhook::store::{Filter, Store};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::daemon::{Daemon, Site, request};

const RECIPE: &str = r#"
name: Tell
on: {event: reservation.created}
actions:
  - id: first
    http: {url: "/first/{{ reservation.code }}", json: {code: "{{ reservation.code }}"}, output: {n: $.task.id}}
  - http: {url: "/second/{{ reservation.code }}", json: {code: "{{ reservation.code }}", first: "{{ steps.first.output.n }}"}}
"#;

fn site(target: &HttpStandin) -> Site {
    let config = format!(
        "sources: {{lab: {{preset: generic, auth: none}}}}\nconnections: {{target: {{http: {{base_url: \"{}\", concurrency: 16}}}}}}\n",
        target.base_url()
    );
    Site::new(&config, &[RECIPE])
}

fn body(code: &str) -> String {
    format!(
        r#"{{"event_id": "{code}", "code": "{code}", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-03-30", "updated_at": "2027-01-01T00:00:00Z"}}"#
    )
}

/// What must hold in the end: every code that was acknowledged had both of its effects, each under exactly one key, and
/// whatever was sent more than once under a key was the same bytes.
async fn check(target: &HttpStandin, acknowledged: &BTreeSet<String>) {
    let complete = |target: &HttpStandin| {
        let effects = target.effects();
        let paths: BTreeSet<&str> = effects.iter().map(|request| request.path_and_query.as_str()).collect();
        let has = |step: &str, code: &String| paths.contains(format!("/{step}/{code}").as_str());
        acknowledged
            .iter()
            .all(|code| has("first", code) && has("second", code))
    };
    // Looking at everything that has arrived is dear in the long round: look only once what is missing may be there, and
    // give up only where nothing moves any more.
    loop {
        let arrived = target.effects().len();
        let missing = (2 * acknowledged.len()).saturating_sub(arrived);
        if missing == 0 && complete(target) {
            break;
        }
        let next = target.requests().len() + missing.clamp(1, 5000);
        let waited = tokio::time::timeout(Duration::from_secs(90), target.wait_for(next)).await;
        if waited.is_err() && target.effects().len() == arrived {
            panic!(
                "{arrived} effects of {} stays arrived, and no more come",
                acknowledged.len()
            );
        }
    }
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut bytes: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for request in target.requests() {
        let key = request.key().expect("every request has a key").to_owned();
        keys.entry(request.path_and_query.clone())
            .or_default()
            .insert(key.clone());
        let first = bytes.entry(key).or_insert_with(|| request.body.to_vec());
        assert_eq!(*first, request.body.to_vec(), "the same key went out with other bytes");
    }
    for (path, keys) in keys {
        assert_eq!(keys.len(), 1, "{path} went out under several keys: {keys:?}");
    }
}

async fn every_acknowledged_delivery_is_there(site: &Site, acknowledged: &BTreeSet<String>) {
    let store = Store::open_to_read(&site.database()).await.unwrap();
    let mut found = BTreeSet::new();
    let mut cursor = None;
    loop {
        let filter = Filter {
            limit: Some(500),
            cursor,
            ..Filter::default()
        };
        let page = store.reservations(&filter).await.unwrap();
        found.extend(page.items.iter().filter_map(|row| row.stay.code().map(str::to_owned)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    store.close().await;
}

/// How many new deliveries one sender makes between two kills.
const FRESH_MAX: usize = 6;

/// Kills a daemon under load `kills` times at random moments.
#[expect(clippy::disallowed_methods, reason = "a real process is killed at a real moment")]
async fn kill_under_load(kills: usize, seed: u64) {
    let target = Arc::new(HttpStandin::start().await.unwrap());
    let site = site(&target);
    let mut chance = StdRng::seed_from_u64(seed);
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let next = Arc::new(AtomicUsize::new(0));
    let mut waiting: Vec<String> = Vec::new();
    for _ in 0..kills {
        let daemon = site.serve(None).await;
        let down = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for lane in 0..8 {
            let (hooks, acknowledged, next, down) =
                (daemon.hooks.clone(), acknowledged.clone(), next.clone(), down.clone());
            // What got no answer is sent again, as senders do.
            let mut again: Vec<String> = waiting.iter().skip(lane).step_by(8).cloned().collect();
            senders.spawn(async move {
                let mut unanswered = Vec::new();
                let mut fresh = 0;
                let mut last = None;
                while !down.load(Ordering::Relaxed) {
                    // The load is bounded; beyond it the sender repeats itself.
                    let code = again
                        .pop()
                        .or_else(|| last.clone().filter(|_| fresh >= FRESH_MAX))
                        .unwrap_or_else(|| {
                            fresh += 1;
                            format!("S{:06}", next.fetch_add(1, Ordering::Relaxed))
                        });
                    last = Some(code.clone());
                    match request(&hooks, "POST", "/hooks/lab", &body(&code)).await {
                        Some((200, _)) => _ = acknowledged.lock().await.insert(code),
                        _ => unanswered.push(code),
                    }
                }
                unanswered.append(&mut again);
                unanswered
            });
        }
        tokio::time::sleep(Duration::from_millis(chance.random_range(1..120))).await;
        daemon.kill().await;
        down.store(true, Ordering::Relaxed);
        waiting.clear();
        while let Some(unanswered) = senders.join_next().await {
            waiting.extend(unanswered.unwrap());
        }
    }
    let daemon = site.serve(None).await;
    for code in &waiting {
        let (status, _) = daemon.post("lab", &body(code)).await.expect("an answer");
        assert_eq!(status, 200);
    }
    let mut acknowledged = acknowledged.lock().await.clone();
    acknowledged.extend(waiting);
    check(&target, &acknowledged).await;
    let (status, log) = daemon.stop().await;
    assert!(status.success(), "{log}");
    every_acknowledged_delivery_is_there(&site, &acknowledged).await;
    let (requests, effects) = (target.requests().len(), target.effects().len());
    println!(
        "{kills} kills: {} deliveries acknowledged, {effects} effects, {requests} requests",
        acknowledged.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_nothing_is_lost_and_nothing_doubled() {
    kill_under_load(8, 1).await;
}

/// `cargo test --release --test it crash::a_thousand_kills -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes several minutes: the long round of the test above"]
async fn a_thousand_kills() {
    kill_under_load(1000, 2).await;
}

/// Dies at a named place, is started again, and must end like one that never died.
async fn dies_at(point: &str) -> (Arc<HttpStandin>, Site) {
    let target = Arc::new(HttpStandin::start().await.unwrap());
    let site = site(&target);
    let mut daemon = site.serve(Some(point)).await;
    let answer = daemon.post("lab", &body("A1")).await;
    let status = daemon.ended().await;
    assert!(!status.success(), "it did not die at {point}");
    let daemon = site.serve(None).await;
    if answer.is_none() {
        // No answer: the sender tries again.
        assert_eq!(daemon.post("lab", &body("A1")).await.unwrap().0, 200);
    }
    check(&target, &BTreeSet::from(["A1".to_owned()])).await;
    settled(&daemon).await;
    let (status, log) = daemon.stop().await;
    assert!(status.success(), "{log}");
    (target, site)
}

/// Waits until the daemon has recorded the end of every run.
async fn settled(daemon: &Daemon) {
    for _ in 0..2000 {
        let (_, runs) = daemon.get("/api/v1/runs").await.unwrap();
        let runs: serde_json::Value = serde_json::from_str(&runs).unwrap();
        let runs = runs["items"].as_array().unwrap();
        if !runs.is_empty() && runs.iter().all(|run| run["state"] == "succeeded") {
            return;
        }
    }
    panic!("the runs do not end: {:?}", daemon.get("/api/v1/runs").await);
}

macro_rules! dies_at {
    ($($name:ident $point:literal $requests:literal;)*) => {$(
        #[cfg(debug_assertions)]
        #[tokio::test]
        async fn $name() {
            let (target, site) = dies_at($point).await;
            assert_eq!(target.requests().len(), $requests, "{:#?}", target.requests());
            assert_eq!(target.effects().len(), 2);
            let store = Store::open_to_read(&site.database()).await.unwrap();
            assert_eq!(store.deliveries(&Filter::default()).await.unwrap().items.len(), 1);
            assert_eq!(store.runs(&Filter::default()).await.unwrap().items.len(), 1);
        }
    )*};
}

dies_at! {
    before_the_receipt_is_committed "before-receive-commit" 2;
    after_the_receipt_is_committed "after-receive-commit" 2;
    before_the_decision_is_committed "before-decide-commit" 2;
    after_the_decision_is_committed "after-decide-commit" 2;
    before_the_request_is_sent "before-send" 2;
    after_the_request_is_sent "after-send" 3;
    after_the_result_is_recorded "after-record-commit" 2;
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn a_background_task_that_dies_ends_the_process_with_a_failing_code() {
    let target = HttpStandin::start().await.unwrap();
    let site = site(&target);
    let mut daemon = site.serve(Some("task-dies")).await;
    let status = daemon.ended().await;
    assert_eq!(status.code(), Some(1));
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused() {
    let target = HttpStandin::start().await.unwrap();
    let site = site(&target);
    let daemon = site.serve(None).await;
    let second = site.command(&["serve"]).output().await.unwrap();
    assert_eq!(second.status.code(), Some(75));
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another process"),
        "{second:?}"
    );
    let (status, _) = daemon.stop().await;
    assert!(status.success());
}

#[tokio::test]
async fn told_to_stop_it_finishes_what_it_holds() {
    let target = HttpStandin::start().await.unwrap();
    let site = site(&target);
    target.then([Reply::json(200, &serde_json::json!({"task": {"id": 5}})).held()]);
    let daemon = site.serve(None).await;
    assert_eq!(daemon.post("lab", &body("A1")).await.unwrap().0, 200);
    target.wait_for(1).await;
    let stopping = daemon.stop();
    tokio::pin!(stopping);
    // It waits for the answer that is under way …
    assert!(futures::poll!(&mut stopping).is_pending());
    target.release();
    let (status, log) = stopping.await;
    assert_eq!(status.code(), Some(0), "{log}");
    // … and does not begin the next step: that one is for the next start.
    let daemon = site.serve(None).await;
    check(&target, &BTreeSet::from(["A1".to_owned()])).await;
    settled(&daemon).await;
    assert_eq!(target.requests().len(), 2);
    daemon.kill().await;
}
