//! What people do: retry, cancel, done, replay.

use super::*;

#[tokio::test]
async fn a_dead_run_is_tried_again_called_off_or_done() {
    let house = House::new().await;
    let run = house.dead(1).await;
    let path = format!("/api/v1/runs/{run}");
    let tried = house
        .post(&format!("{path}/retry"), json!({"again": false, "same_revision": true}))
        .await
        .fine();
    assert_eq!((&tried["run"], &tried["state"]), (&json!(run), &json!("ready")));
    assert_eq!(house.daemon.outbox.load(Ordering::Relaxed), 1);
    house
        .post(&format!("{path}/retry"), json!({}))
        .await
        .problem(409, "nothing to try again");
    house
        .post(&format!("{path}/done"), json!({}))
        .await
        .problem(409, "only a dead or parked run");
    let off = house.post(&format!("{path}/cancel"), json!({})).await.fine();
    assert_eq!(off["state"], "cancelled");
    house
        .post(&format!("{path}/cancel"), json!({}))
        .await
        .problem(409, "already");
    assert_eq!(house.get(&path).await.fine()["reason"], "a person called it off");

    let other = house.dead(2).await;
    let done = house
        .post(&format!("/api/v1/runs/{other}/done"), json!({}))
        .await
        .fine();
    assert_eq!(done["state"], "succeeded");
    house
        .post(&format!("{path}/done"), json!({"again": true}))
        .await
        .problem(400, "no members");
    house
        .post(&format!("{path}/done?x=1"), json!({}))
        .await
        .problem(400, "nothing may follow");
}

#[tokio::test]
async fn a_run_under_way_ends_once_it_is_settled() {
    let house = House::new().await;
    let run = house.decide(1, open()).await;
    let asked = house
        .post(&format!("/api/v1/runs/{run}/cancel"), json!({}))
        .await
        .fine();
    assert_eq!(asked["state"], "running");
    assert_eq!(
        house.get(&format!("/api/v1/runs/{run}")).await.fine()["cancel_requested"],
        true
    );
}

#[tokio::test]
async fn many_dead_runs_are_tried_again() {
    let house = House::new().await;
    for n in 0..5 {
        house.dead(n).await;
    }
    house.decide(9, FirstStep::Later).await;
    house.post("/api/v1/runs/retry", json!({})).await.problem(400, "dead");
    house
        .post("/api/v1/runs/retry", json!({"dead": true, "since": "x"}))
        .await
        .problem(400, "a span back");
    house
        .post("/api/v1/runs/retry", json!({"dead": true, "recipe": "Other"}))
        .await
        .problem(400, "there is no recipe `Other`");
    let all = house
        .post(
            "/api/v1/runs/retry",
            json!({"dead": true, "since": "24h", "recipe": "Clean"}),
        )
        .await
        .fine();
    assert_eq!(
        all,
        json!({"found": 5, "retried": 5, "refused": 0, "refusals": [], "more": false})
    );
    assert_eq!(house.get("/api/v1/runs?state=dead").await.fine()["items"], json!([]));
}

#[tokio::test]
async fn deliveries_are_decided_once_more() {
    let house = House::new().await;
    house.dead(1).await;
    house.dead(2).await;
    let undecided = house.receive(3).await;
    let path = format!("/api/v1/deliveries/{}/replay", delivery_id(1));
    house
        .post(&path, json!({"recipe": "Unknown"}))
        .await
        .problem(400, "no recipe has the name");
    house
        .post(&format!("/api/v1/deliveries/{undecided}/replay"), json!({}))
        .await
        .problem(409, "first decision");
    assert_eq!(house.daemon.inbox.load(Ordering::Relaxed), 0);
    house
        .post(&path, json!({"again": true, "recipe": "Clean"}))
        .await
        .fine();
    assert_eq!(house.daemon.inbox.load(Ordering::Relaxed), 1);
    let waiting = house.console.store.undecided(10, 1 << 20).await.unwrap();
    let marked = waiting.iter().find(|pending| pending.id == delivery_id(1)).unwrap();
    let replay = marked.replay.as_ref().unwrap();
    assert!(replay.again && replay.occurrence == 2 && replay.recipe.as_deref() == Some("Clean"));
}

#[tokio::test]
async fn many_deliveries_are_counted_first() {
    let house = House::new().await;
    for n in 0..4 {
        house.dead(n).await;
    }
    let path = "/api/v1/deliveries/replay";
    for (body, part) in [
        (json!({}), "say which"),
        (json!({"again": true}), "say which"),
        (json!({"outcome": "dead"}), "`outcome` is one of"),
        (json!({"since": 5}), "`since` is a text"),
        (json!({"ids": []}), "`ids` is a list of 1 to 500"),
        (json!({"ids": [1]}), "`ids` is a list of 1 to 500"),
        (json!({"ids": vec!["x"; 501]}), "`ids` is a list of 1 to 500"),
        (json!({"everything": true}), "there is ids, since"),
        (json!({"source": "other"}), "there is no source `other`"),
    ] {
        house.post(path, body).await.problem(400, part);
    }
    let counted = house.post(path, json!({"since": "1h", "dry": true})).await.fine();
    assert_eq!(
        counted,
        json!({"found": 4, "by_outcome": {"processed": 4}, "marked": 0, "dry": true})
    );
    assert_eq!(house.daemon.inbox.load(Ordering::Relaxed), 0);
    for (body, marked) in [
        (json!({"ids": [delivery_id(0), delivery_id(1), "d_none"]}), 2),
        (json!({"outcome": "processed", "source": "lab"}), 4),
        (json!({"recipe": "Clean"}), 4),
    ] {
        assert_eq!(house.post(path, body.clone()).await.fine()["marked"], marked, "{body}");
    }
    assert_eq!(house.daemon.inbox.load(Ordering::Relaxed), 3);
}
