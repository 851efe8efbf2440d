//! Single things.

use super::*;

#[tokio::test]
async fn a_delivery_has_its_body_only_by_itself() {
    let house = House::new().await;
    house.decide(1, FirstStep::Later).await;
    let list = house.get("/api/v1/deliveries").await;
    assert!(!list.text.contains("Wilhelmina"), "{}", list.text);
    assert_eq!(list.fine()["items"][0]["received_at"], "2026-03-01T08:00:00.000Z");

    let shown = house
        .get(&format!("/api/v1/deliveries/{}", delivery_id(1)))
        .await
        .fine();
    assert!(shown["body"].as_str().unwrap().contains(GUEST));
    assert_eq!(shown["headers"]["content-type"], "application/json");
    assert_eq!(shown["outcome"], "processed");
    assert_eq!(shown["detail"]["warnings"][0], "a warning");
    assert_eq!(shown["events"][0]["types"][1], "reservation.confirmed");
    assert!(shown.get("received_at_ms").is_none());
}

#[tokio::test]
async fn an_event_has_what_recipes_saw() {
    let house = House::new().await;
    house.decide(1, FirstStep::Later).await;
    let list = house.get("/api/v1/events").await;
    assert!(!list.text.contains("Wilhelmina"), "{}", list.text);
    assert!(!list.text.contains("all conditions hold"));
    let id = list.fine()["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = house.get(&format!("/api/v1/events/{id}")).await.fine();
    assert_eq!(shown["reservation"]["guest"]["name"], GUEST);
    assert_eq!(shown["changes"]["status"]["to"], "confirmed");
    assert_eq!(shown["explanation"][0]["because"], "all conditions hold");
    assert_eq!(shown["at"], "2026-03-01T08:00:00.000Z");
}

#[tokio::test]
async fn a_reservation_is_canonical_under_every_name() {
    let house = House::new().await;
    let run = house.decide(1, FirstStep::Later).await;
    house.decide(2, FirstStep::Later).await;
    for name in ["C1", "alias-1"] {
        let shown = house.get(&format!("/api/v1/reservations/lab/{name}")).await.fine();
        let reservation = &shown["reservation"];
        assert_eq!(reservation["code"], "C1");
        assert_eq!(reservation["nights"], 3);
        assert_eq!(reservation["check_in"], "2026-04-09T15:00:00-07:00");
        assert_eq!(reservation["guest"]["name"], GUEST);
        assert_eq!(shown["versions"]["status"], json!({"by": 5, "then": 1}));
        assert_eq!(shown["events"].as_array().unwrap().len(), 1);
        assert_eq!(shown["runs"].as_array().unwrap().len(), 1);
        assert_eq!(shown["runs"][0]["id"], run.as_str());
        assert_eq!(shown["first_seen_at"], "2026-03-01T08:00:00.000Z");
    }
    house
        .get("/api/v1/reservations/other/C1")
        .await
        .problem(404, "there is no stay");
    // What both carry: one of them has to be chosen.
    for way in ["", "/timeline"] {
        let answer = house.get(&format!("/api/v1/reservations/lab/shared{way}")).await;
        answer.problem(409, "ask for one of them by its key");
        let body = answer.json();
        let wanted = json!([
            {"key": "C1", "property": null, "check_in": "2026-04-09T15:00:00-07:00"},
            {"key": "C2", "property": null, "check_in": "2026-04-09T15:00:00-07:00"},
        ]);
        assert_eq!(body["candidates"], wanted);
    }
    house.get("/api/v1/reservations/lab/C2").await.fine();
}

#[tokio::test]
async fn a_run_has_its_steps_and_attempts() {
    let house = House::new().await;
    let run = house.decide(1, open()).await;
    let shown = house.get(&format!("/api/v1/runs/{run}")).await.fine();
    assert_eq!(shown["state"], "running");
    assert_eq!(shown["due_at"], "2026-03-01T08:00:00.000Z");
    assert_eq!(shown["steps"][0]["id"], "tell");
    assert_eq!(shown["steps"][0]["request"]["request"]["url"], "/tasks/C1");
    assert_eq!(shown["attempts"][0]["started_at"], "2026-03-01T08:00:00.000Z");
    assert_eq!(shown["attempts"][0]["finished_at"], Value::Null);
    assert!(shown["attempts"][0].get("started_at_ms").is_none());
}

#[tokio::test]
async fn explain_leads_from_delivery_event_or_run_to_the_reasons() {
    let house = House::new().await;
    let run = house.dead(1).await;
    let delivery = delivery_id(1);
    for id in [delivery.0.clone(), delivery.event(0).0, run.0.clone()] {
        let shown = house.get(&format!("/api/v1/explain/{id}")).await.fine();
        assert_eq!(shown["delivery"], delivery.as_str(), "{id}");
        assert_eq!(shown["outcome"], "processed");
        assert_eq!(shown["facts"][0]["because"], "a new stay");
        let event = &shown["events"][0];
        assert_eq!(event["explanation"][0]["result"], "ran");
        assert_eq!(event["changes"]["status"]["to"], "confirmed");
        assert_eq!(event["runs"][0]["reason"], "503 three times");
    }
}

#[tokio::test]
async fn what_the_daemon_knows_is_listed_with_readable_times() {
    let house = House::new().await;
    let list = house.get("/api/v1/connections").await.fine();
    let cleaning = &list["items"][0];
    assert_eq!(cleaning["paused_since"], "2026-03-01T08:00:00.000Z");
    assert_eq!(cleaning["probe_at"], Value::Null);
    assert!(cleaning.get("paused_since_ms").is_none());
}
