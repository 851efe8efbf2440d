//! Lists: pages, filters, mistakes in them.

use std::collections::HashSet;

use super::*;
use crate::model::decision::SkippedStep;

/// Follows `next` to the end; the ids in order and how many pages it took.
async fn walk(house: &House, path: &str) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = house.get(&format!("{path}{cursor}")).await.fine();
        pages += 1;
        assert!(pages < 20, "{path} has no end");
        for item in page["items"].as_array().unwrap() {
            ids.push(item["id"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (ids, pages),
        }
    }
}

#[tokio::test]
async fn pages_hold_every_row_once() {
    let house = House::new().await;
    for n in 0..120 {
        house.decide(n, FirstStep::Later).await;
    }
    for list in ["deliveries", "events", "reservations", "runs", "upcoming"] {
        for (limit, expected) in [("limit=50", 3), ("limit=60", 2), ("limit=500", 1), ("", 3)] {
            let (ids, pages) = walk(&house, &format!("/api/v1/{list}?{limit}")).await;
            assert_eq!(pages, expected, "{list} {limit}");
            assert_eq!(ids.len(), 120, "{list} {limit}");
            assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 120, "{list} {limit}");
        }
    }
    let (deliveries, _) = walk(&house, "/api/v1/deliveries?").await;
    assert_eq!(deliveries[0], delivery_id(119).0, "the newest comes first");
}

#[tokio::test]
async fn filters_narrow() {
    let house = House::new().await;
    house.decide(1, FirstStep::Later).await;
    house.dead(2).await;
    house.receive(3).await;
    house.console.clock.advance(chrono::TimeDelta::hours(30));
    let unwanted = SkippedStep {
        position: 0,
        step_id: "1".to_owned(),
        reason: "not wanted".to_owned(),
        failed: false,
    };
    house.decide(4, FirstStep::Nothing(vec![unwanted])).await;
    for (query, count) in [
        ("deliveries", 4),
        ("deliveries?outcome=undecided", 1),
        ("deliveries?outcome=processed", 3),
        ("deliveries?source=lab", 4),
        ("deliveries?code=C2", 1),
        ("deliveries?since=24h", 1),
        ("deliveries?since=2d", 4),
        // The zone is Los Angeles: the first day ends at 08:00 UTC.
        ("deliveries?since=2026-03-01", 4),
        ("deliveries?since=2026-03-02", 1),
        ("deliveries?since=2026-03-01T08:00:01Z", 1),
        ("deliveries?since=2026-03-01T09:00:00%2B01:00", 4),
        ("deliveries?since=2026-03-01T09:00:01+01:00", 1),
        ("events?type=reservation.confirmed", 3),
        ("events?type=reservation.cancelled", 0),
        ("events?type=other.ping", 0),
        ("events?delivery=d_00000000000000000000000002", 1),
        ("events?code=alias-4", 1),
        ("reservations?status=confirmed", 3),
        ("reservations?status=cancelled", 0),
        ("reservations?code=alias-1&source=lab", 1),
        ("runs?state=dead", 1),
        ("runs?state=skipped&recipe=Clean", 1),
        ("runs?failed_steps=true", 0),
        ("runs?failed_steps=false", 3),
        ("runs?code=C1&source=lab", 1),
        ("runs?event=e_00000000000000000000000004_0", 1),
        ("runs?since=24h", 1),
        ("upcoming", 1),
        ("recipes", 1),
        ("sources", 1),
        ("connections", 1),
    ] {
        let list = house.get(&format!("/api/v1/{query}")).await.fine();
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(list["next"], Value::Null, "{query}");
    }
    for (query, unheard_of) in [
        ("deliveries?source=other", "there is no source `other`"),
        ("runs?recipe=Other", "there is no recipe `Other`"),
    ] {
        house.get(&format!("/api/v1/{query}")).await.problem(400, unheard_of);
    }
}

#[tokio::test]
async fn mistakes_say_what_is_allowed_and_repeat_nothing() {
    let house = House::new().await;
    for (query, part) in [
        (
            "runs?stat=dead",
            "there is state, recipe, source, code, event, failed_steps, since, limit, cursor",
        ),
        ("runs?Wilhelmina=1", "an unknown parameter"),
        ("runs?state=Wilhelmina", "`state` is one of scheduled, ready"),
        ("runs?state=dead&state=ready", "`state` is given twice"),
        ("runs?recipe=", "`recipe` takes 1 to 300"),
        ("runs?limit=0", "1 to 500"),
        ("runs?limit=501", "1 to 500"),
        ("runs?limit=Wilhelmina", "1 to 500"),
        ("runs?cursor=Wilhelmina", "`cursor` takes"),
        ("runs?cursor=-1", "`cursor` takes"),
        ("runs?cursor=99999999999999999999", "`cursor` takes"),
        ("upcoming?cursor=5", "`cursor` takes"),
        ("upcoming?cursor=5.x", "`cursor` takes"),
        (
            "upcoming?since=1h",
            "there is recipe, source, code, within, limit, cursor",
        ),
        ("upcoming?within=tomorrow", "a span from now on"),
        ("runs?since=Wilhelmina", "a span back from now"),
        ("runs?since=-1h", "a span back from now"),
        ("runs?since=2026-02-30", "a span back from now"),
        ("deliveries?outcome=dead", "undecided, ignored"),
        ("deliveries?state=dead", "there is outcome"),
        ("events?type=Wilhelmina", "`type` is an event type"),
        ("reservations?status=booked", "`status` is one of inquiry"),
        ("runs/x?state=dead", "nothing may follow"),
        ("recipes?name=x", "nothing may follow"),
        ("runs?state=%FF", "`state` is one of"),
    ] {
        house.get(&format!("/api/v1/{query}")).await.problem(400, part);
    }
    let problem = house.get("/api/v1/runs?state=x").await.json();
    assert_eq!(problem["allowed"].as_array().unwrap().len(), 9);
}
