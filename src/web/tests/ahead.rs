//! What is planned: the list of what is ahead, a stay's timeline, a run's moves, and what was passed over.

use super::*;
use crate::model::id::clock_run_id;
use crate::model::plan::{EndedBy, NewPlanned, Plan, PlanChange, clock_run_key};
use crate::model::run::RunState;

impl House {
    /// A stay whose clock has planned this entry for so many days from now; the run.
    async fn planned(&self, n: usize, entry: &str, days: i64) -> RunId {
        self.receive(n).await;
        let mut decision = decision(n, self.now(), FirstStep::Later);
        let fact = &mut decision.facts[0];
        fact.runs.clear();
        let stay = fact.stay.as_ref().unwrap();
        let key = clock_run_key("Door", entry, &stay.id, 0);
        let due_at = self.now() + chrono::TimeDelta::days(days);
        let late = days < 0;
        let run = NewPlanned {
            id: clock_run_id(&key, Some(&stay.id)),
            key,
            recipe: "Door".to_owned(),
            entries: vec![entry.to_owned()],
            stay: Some((stay.id.clone(), "lab".to_owned(), format!("C{n}"))),
            due_at,
            state: if late { RunState::Skipped } else { RunState::Scheduled },
            reason: if late {
                "planned after its time".to_owned()
            } else {
                String::new()
            },
            ended_by: late.then_some(EndedBy::Late),
        };
        let id = run.id.clone();
        fact.plan.make.push(run);
        self.apply(decision).await;
        id
    }

    /// The stay's next word moves the run by a day.
    async fn moved(&self, n: usize, stay_of: usize, run: &RunId, from: Time) {
        self.receive(n).await;
        let mut decision = decision(n, self.now(), FirstStep::Later);
        let fact = &mut decision.facts[0];
        fact.runs.clear();
        fact.stay = None;
        let event = fact.event.as_mut().unwrap();
        event.stay = delivery_id(stay_of).stay(0);
        event.types = vec!["reservation.dates_changed".to_owned()];
        event.previous = event.reservation.clone();
        let change = json!({
            "check_out": {"from": "2026-04-12T11:00:00-07:00", "to": "2026-04-13T11:00:00-07:00"},
            "check_out_date": {"from": "2026-04-12", "to": "2026-04-13"},
        });
        event.changes = change.into();
        fact.plan = Plan {
            past: Vec::new(),
            make: Vec::new(),
            change: vec![PlanChange {
                run: run.clone(),
                from: (RunState::Scheduled, from),
                state: RunState::Scheduled,
                due_at: from + chrono::TimeDelta::days(1),
                entries: vec!["check_in-2d@10:00#0".to_owned()],
                reason: String::new(),
                ended_by: None,
            }],
        };
        self.apply(decision).await;
    }

    async fn apply(&self, decision: Decision) {
        let lease = Lease {
            owner: "test".to_owned(),
            now: self.now(),
            steady: self.now(),
            until: self.now() + chrono::TimeDelta::seconds(30),
            neighbours: false,
        };
        self.console.store.apply(vec![decision], lease).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_ahead_is_said_in_local_time_and_words() {
    let house = House::new().await;
    let run = house.planned(1, "check_in-2d@10:00#0", 40).await;
    house.planned(2, "check_out+0#0", 2).await;
    let list = house.get("/api/v1/upcoming").await;
    assert!(!list.text.contains("Wilhelmina"), "{}", list.text);
    let items = list.fine()["items"].clone();
    assert_eq!(items[0]["code"], "C2");
    let item = &items[1];
    assert_eq!(item["id"], run.as_str());
    assert_eq!(item["state"], "scheduled");
    assert_eq!(item["due_at"], "2026-04-10T08:00:00.000Z");
    assert_eq!(item["planned_at"], "2026-04-10T08:00:00.000Z");
    assert_eq!(item["due_local"], "2026-04-10T01:00:00-07:00");
    assert_eq!(item["timezone"], "America/Los_Angeles");
    assert_eq!(item["entry"], "2 days before check-in at 10:00");
    assert_eq!(item["entries"], json!(["check_in-2d@10:00#0"]));
    for (query, codes) in [
        ("?within=3d", vec!["C2"]),
        ("?within=41d", vec!["C2", "C1"]),
        ("?code=alias-1", vec!["C1"]),
        ("?source=lab", vec!["C2", "C1"]),
    ] {
        let list = house.get(&format!("/api/v1/upcoming{query}")).await.fine();
        let found: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["code"].as_str().unwrap())
            .collect();
        assert_eq!(found, codes, "{query}");
    }
    let unheard_of = house.get("/api/v1/upcoming?recipe=Other").await;
    unheard_of.problem(400, "there is no recipe `Other`");
}

#[tokio::test]
async fn a_timeline_is_a_list_with_times_and_kinds() {
    let house = House::new().await;
    let run = house.planned(1, "check_in-2d@10:00#0", 40).await;
    let due = house.now() + chrono::TimeDelta::days(40);
    house.console.clock.advance(chrono::TimeDelta::hours(1));
    house.moved(2, 1, &run, due).await;
    let told = house.get("/api/v1/reservations/lab/alias-1/timeline").await;
    // No more than the stay and its events show, and here there is nothing of the guest.
    assert!(!told.text.contains("Wilhelmina"), "{}", told.text);
    let told = told.fine();
    let items = told["items"].as_array().unwrap();
    let kinds: Vec<&str> = items.iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["delivery", "event", "planned", "delivery", "event", "moved", "ahead"]
    );
    assert_eq!(items[0]["delivery"], delivery_id(1).as_str());
    assert_eq!(items[0]["at"], "2026-03-01T08:00:00.000Z");
    assert_eq!(items[0]["local"], "2026-03-01T00:00:00-08:00");
    assert_eq!(items[0]["outcome"], "processed");
    assert_eq!(items[0]["last_seen_at"], "2026-03-01T08:00:00.000Z");
    assert_eq!(items[2]["planned"][0]["for"], "2026-04-10T01:00:00-07:00");
    assert_eq!(
        items[4]["changes"],
        json!([{"field": "check_out", "from": "2026-04-12T11:00:00-07:00", "to": "2026-04-13T11:00:00-07:00"}])
    );
    assert_eq!(items[5]["text"], "Door from Fri 10 Apr 01:00 to Sat 11 Apr 01:00 PDT");
    assert_eq!(items[6]["run"], run.as_str());
    let shown = house.get(&format!("/api/v1/runs/{run}")).await.fine();
    assert_eq!(shown["moves"][0]["to_due"], "2026-04-11T08:00:00.000Z");
    assert_eq!(shown["planned_at"], "2026-04-11T08:00:00.000Z");
    house
        .get("/api/v1/reservations/lab/nobody/timeline")
        .await
        .problem(404, "there is no stay");
}

#[tokio::test]
async fn what_was_passed_over_runs_when_somebody_asks() {
    let house = House::new().await;
    let run = house.planned(1, "check_in-2d@10:00#0", -3).await;
    house.planned(2, "check_out+0#0", 3).await;
    let woken = || house.daemon.timers.load(Ordering::Relaxed);
    let none = house.post("/api/v1/plan/backfill", json!({"recipe": "Other"})).await;
    assert_eq!(none.fine(), json!({"due": 0}));
    house
        .post("/api/v1/plan/backfill", json!({"recipes": "Door"}))
        .await
        .problem(400, "there is recipe");
    assert_eq!(woken(), 1);
    assert_eq!(
        house.get(&format!("/api/v1/runs/{run}")).await.fine()["ended_by"],
        "late"
    );
    for _ in 0..2 {
        let request = Request::post("/api/v1/plan/backfill")
            .header("host", "localhost:8081")
            .header("content-type", "application/json")
            .header("idempotency-key", "once");
        let given = house.send(request.body(Body::from("{}")).unwrap()).await;
        assert_eq!(given.fine(), json!({"due": 1}));
    }
    assert_eq!(woken(), 2);
    let shown = house.get(&format!("/api/v1/runs/{run}")).await.fine();
    assert_eq!(
        (&shown["state"], &shown["due_at"]),
        (&json!("scheduled"), &json!("2026-03-01T08:00:00.000Z"))
    );
}
