//! What a sender of our own format says, and what became of it.

use crate::standin::Request;
use serde_json::{Value, json};
use stayhook::model::clock::from_ms;
use stayhook::model::id::RunId;
use stayhook::model::meter::Exposition;
use stayhook::store::{RunDetail, RunRow};

use crate::support::{House, Plan};

/// A house with one source, `ours`, in our own format.
pub fn plan() -> Plan {
    Plan::default().source("ours", "{preset: generic, token: open-0001}")
}

/// A stay at the `n`th minute; the number of guests is `n`, so that every word of the sender changes something.
pub fn stay(code: &str, status: &str, n: u32) -> String {
    with(code, status, n, &json!({}))
}

/// The same with more fields.
pub fn with(code: &str, status: &str, n: u32, more: &Value) -> String {
    let mut body = json!({
        "event_id": format!("{code}-{n}"),
        "code": code,
        "status": status,
        "updated_at": format!("2026-12-31T00:{n:02}:00Z"),
        "check_in": "2027-03-27T16:00:00Z",
        "check_out": "2027-04-02T11:00:00Z",
        "guests": n,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.to_string()
}

/// A payment of a stay.
pub fn payment(code: &str, id: &str) -> String {
    json!({"event_id": id, "code": code, "payment": {"id": id, "amount": "50.00", "currency": "EUR"}}).to_string()
}

/// What was asked of a target: method and path.
pub fn asked(requests: &[Request]) -> Vec<String> {
    requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.path_and_query))
        .collect()
}

impl House {
    /// Delivers, and waits for the decision only.
    pub async fn decide(&self, body: &str) {
        self.deliver("ours", body).await;
        self.until(|counts| counts.undecided == 0).await;
    }

    /// Waits until the runs, oldest first, are as asked.
    pub async fn when(&self, wanted: impl Fn(&[RunRow]) -> bool) -> Vec<RunRow> {
        let mut commits = self.engine.store.commits();
        let wait = async {
            loop {
                commits.borrow_and_update();
                let runs = self.runs().await;
                if wanted(&runs) {
                    return runs;
                }
                commits.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(std::time::Duration::from_secs(20), wait).await {
            Ok(runs) => runs,
            Err(_) => panic!("the runs did not become what was expected: {:#?}", self.runs().await),
        }
    }

    /// Waits until the states of all runs, oldest first, are these.
    pub async fn come_to(&self, states: &[&str]) -> Vec<RunRow> {
        let mut commits = self.engine.store.commits();
        let wait = async {
            loop {
                commits.borrow_and_update();
                if self.states().await == states {
                    return;
                }
                commits.changed().await.unwrap();
            }
        };
        if tokio::time::timeout(std::time::Duration::from_secs(20), wait)
            .await
            .is_err()
        {
            assert_eq!(self.states().await, states, "{:#?}", self.runs().await);
        }
        self.runs().await
    }

    /// The `n`th run, from 0, with its steps and attempts.
    pub async fn nth(&self, n: usize) -> RunDetail {
        let runs = self.runs().await;
        self.run(&runs[n].id).await
    }

    pub async fn id(&self, n: usize) -> RunId {
        RunId(self.runs().await[n].id.clone())
    }

    /// Moves the clock to the next attempt of the `n`th run and waits for its end.
    pub async fn next_attempt(&self, n: usize) -> RunDetail {
        let before = self.nth(n).await.run;
        assert!(
            before.due_at_ms > self.clock.now().timestamp_millis(),
            "the next attempt lies in the future: {before:#?}"
        );
        self.clock.set(from_ms(before.due_at_ms));
        self.when(|runs| runs[n].state != "running" && runs[n].attempts > before.attempts)
            .await;
        self.nth(n).await
    }

    /// `number outcome` of all attempts of the `n`th run.
    pub async fn attempts(&self, n: usize) -> Vec<String> {
        self.nth(n)
            .await
            .attempts
            .iter()
            .map(|attempt| format!("{} {}", attempt.number, attempt.outcome.as_deref().unwrap_or("open")))
            .collect()
    }

    /// Waits until the metrics have this line.
    pub async fn counted(&self, line: &str) {
        let text = || self.engine.meter.text(None, Exposition::Plain);
        let there = async {
            while !text().lines().any(|written| written == line) {
                tokio::task::yield_now().await;
            }
        };
        let there = tokio::time::timeout(std::time::Duration::from_secs(20), there).await;
        assert!(there.is_ok(), "{line}\n{}", text());
    }
}
