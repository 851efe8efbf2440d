//! `/metrics`: every family, both formats, nobody's name.

use std::time::Duration;

use super::*;

const FAMILIES: &[(&str, &str)] = &[
    ("deliveries_accepted_total", "counter"),
    ("deliveries_duplicate_total", "counter"),
    ("deliveries_rejected_total", "counter"),
    ("admin_rejected_total", "counter"),
    ("pings_total", "counter"),
    ("ack_duration_seconds", "histogram"),
    ("last_delivery_timestamp_seconds", "gauge"),
    ("attempts_total", "counter"),
    ("attempt_duration_seconds", "histogram"),
    ("attempt_lateness_seconds", "histogram"),
    ("decisions_total", "counter"),
    ("runs_ended_total", "counter"),
    ("failed_steps_total", "counter"),
    ("store_up", "gauge"),
    ("undecided_deliveries", "gauge"),
    ("undecided_oldest_age_seconds", "gauge"),
    ("due_runs", "gauge"),
    ("due_oldest_age_seconds", "gauge"),
    ("runs", "gauge"),
    ("connection_paused", "gauge"),
    ("recipes", "gauge"),
    ("recipes_broken", "gauge"),
    ("store_bytes", "gauge"),
    ("store_wal_bytes", "gauge"),
    ("store_free_bytes", "gauge"),
    ("resident_memory_bytes", "gauge"),
    ("log_lines_lost_total", "counter"),
    ("start_time_seconds", "gauge"),
    ("build_info", "gauge"),
];

fn paused(name: &str) -> crate::store::Paused {
    let at = from_ms(1_772_352_000_000);
    crate::store::Paused {
        name: name.to_owned(),
        since: at,
        reason: format!("401 from {GUEST}"),
        probe_at: at,
    }
}

async fn busy() -> House {
    let house = House::new().await;
    house.dead(1).await;
    house.decide(2, FirstStep::Later).await;
    house.receive(3).await;
    let meter = &house.console.meter;
    meter.started(house.now());
    meter.configured(
        ["lab".to_owned(), "quiet".to_owned()],
        ["cleaning".to_owned(), "mail".to_owned()],
    );
    meter.late("cleaning", Duration::from_secs(20));
    house.console.store.pause(paused("mail")).await.unwrap();
    house.console.store.pause(paused("gone")).await.unwrap();
    meter.stored("lab", false, Duration::from_millis(3), house.now());
    meter.stored("lab", true, Duration::from_millis(3), house.now());
    meter.rejected("lab", "unauthenticated");
    meter.attempt("cleaning", "done", Duration::from_millis(80));
    meter.decided("processed");
    meter.ended("dead");
    house.console.clock.advance(chrono::TimeDelta::seconds(90));
    house
}

#[tokio::test]
async fn plain_text_has_every_family_under_its_whole_name() {
    let house = busy().await;
    let given = house.get("/metrics").await;
    assert_eq!(
        given.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    for (name, kind) in FAMILIES {
        assert!(
            given.text.contains(&format!("# TYPE stayhook_{name} {kind}\n")),
            "{name}\n{}",
            given.text
        );
        assert!(given.text.contains(&format!("# HELP stayhook_{name} ")), "{name}");
    }
    for line in [
        "stayhook_deliveries_accepted_total{source=\"lab\"} 1",
        "stayhook_deliveries_duplicate_total{source=\"lab\"} 1",
        "stayhook_deliveries_rejected_total{source=\"lab\",reason=\"unauthenticated\"} 1",
        "stayhook_ack_duration_seconds_count 2",
        "stayhook_ack_duration_seconds_bucket{le=\"0.005\"} 2",
        "stayhook_attempts_total{connection=\"cleaning\",outcome=\"done\"} 1",
        "stayhook_attempt_duration_seconds_count{connection=\"cleaning\"} 1",
        "stayhook_decisions_total{outcome=\"processed\"} 1",
        "stayhook_runs_ended_total{state=\"dead\"} 1",
        "stayhook_store_up 1",
        "stayhook_undecided_deliveries 1",
        "stayhook_undecided_oldest_age_seconds 90.0",
        "stayhook_due_runs 1",
        "stayhook_due_oldest_age_seconds 90.0",
        "stayhook_runs{state=\"dead\"} 1",
        "stayhook_runs{state=\"parked\"} 0",
        "stayhook_connection_paused{connection=\"cleaning\"} 0",
        "stayhook_connection_paused{connection=\"mail\"} 1",
        "stayhook_start_time_seconds 1772352000.0",
        "stayhook_attempt_lateness_seconds_count{connection=\"cleaning\"} 1",
        "stayhook_attempt_lateness_seconds_bucket{le=\"15.0\",connection=\"cleaning\"} 0",
        "stayhook_attempt_lateness_seconds_bucket{le=\"60.0\",connection=\"cleaning\"} 1",
        // What has not happened yet is there all the same.
        "stayhook_deliveries_accepted_total{source=\"quiet\"} 0",
        "stayhook_deliveries_duplicate_total{source=\"quiet\"} 0",
        "stayhook_attempts_total{connection=\"mail\",outcome=\"uncertain\"} 0",
        "stayhook_attempt_duration_seconds_count{connection=\"mail\"} 0",
        "stayhook_decisions_total{outcome=\"failed\"} 0",
        "stayhook_runs_ended_total{state=\"parked\"} 0",
        "stayhook_build_info{version=\"9.9.9\"} 1",
        "stayhook_last_delivery_timestamp_seconds{source=\"lab\"} 1772352000.0",
    ] {
        assert!(
            given.text.lines().any(|written| written == line),
            "{line}\n{}",
            given.text
        );
    }
    assert!(!given.text.contains("Wilhelmina") && !given.text.contains("C1"));
    // A source that never delivered has no last delivery; a connection that is not configured any more no series, and what
    // is over is counted, not looked up.
    for absent in [
        "last_delivery_timestamp_seconds{source=\"quiet\"}",
        "connection=\"gone\"",
        "stayhook_runs{state=\"succeeded\"}",
        "stayhook_decisions_total{outcome=\"undecided\"}",
    ] {
        assert!(!given.text.contains(absent), "{absent}\n{}", given.text);
    }
    // Of comments the older format knows only HELP and TYPE, one of each before the samples of its family.
    let comments: Vec<&str> = given.text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(comments.len(), 2 * FAMILIES.len());
    let mut family = "";
    for line in given.text.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(rest) => family = rest.split(' ').next().unwrap(),
            None => assert!(
                line.starts_with('#') || line.starts_with(family),
                "{line} under {family}"
            ),
        }
    }
}

#[tokio::test]
async fn open_metrics_for_those_who_accept_it() {
    let house = busy().await;
    let request = Request::get("/metrics")
        .header("host", "localhost")
        .header("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let given = house.send(request.body(Body::empty()).unwrap()).await;
    assert!(
        given.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    assert!(given.text.contains("# TYPE stayhook_deliveries_accepted counter\n"));
    assert!(
        given
            .text
            .contains("stayhook_deliveries_accepted_total{source=\"lab\"} 1\n")
    );
    assert!(given.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn without_the_store_the_counters_are_still_there() {
    let house = busy().await;
    house.console.store.close().await;
    let given = house.get("/metrics").await;
    assert_eq!(given.status, 200);
    assert!(given.text.contains("stayhook_store_up 0\n"));
    assert!(
        given
            .text
            .contains("stayhook_decisions_total{outcome=\"processed\"} 1\n")
    );
    house
        .get("/api/v1/runs")
        .await
        .problem(503, "the store does not answer");
}

#[tokio::test]
async fn what_is_configured_no_longer_is_neither_silent_nor_paused() {
    let house = busy().await;
    let meter = &house.console.meter;
    meter.delivered_before("quiet", from_ms(1_772_000_000_000));
    meter.delivered_before("elsewhere", from_ms(1_772_000_000_000));
    // What came since the start is newer than what was stored before it.
    meter.delivered_before("lab", from_ms(1_772_000_000_000));
    let text = house.get("/metrics").await.text;
    assert!(text.contains("last_delivery_timestamp_seconds{source=\"quiet\"} 1772000000.0\n"));
    assert!(text.contains("last_delivery_timestamp_seconds{source=\"lab\"} 1772352000.0\n"));
    assert!(!text.contains("elsewhere"));
    meter.configured(["quiet".to_owned()], ["cleaning".to_owned()]);
    let text = house.get("/metrics").await.text;
    assert!(text.contains("stayhook_deliveries_accepted_total{source=\"lab\"} 1\n"));
    assert!(!text.contains("last_delivery_timestamp_seconds{source=\"lab\"}"));
    assert!(text.contains("stayhook_connection_paused{connection=\"cleaning\"} 0\n"));
    assert!(!text.contains("stayhook_connection_paused{connection=\"mail\"}"));
}
