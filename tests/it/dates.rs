//! Local dates, instants, zones.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use serde_json::json;
use stayhook::model::property::{Properties, Property};

use crate::support::{House, Plan};

fn properties() -> Properties {
    let property = |key: &str, zone: Option<&str>| Property {
        key: key.into(),
        name: key.to_uppercase(),
        matches: vec![(None, key.into())],
        timezone: zone.map(|zone| zone.parse().unwrap()),
        check_in: NaiveTime::from_hms_opt(16, 0, 0).unwrap(),
        check_out: NaiveTime::from_hms_opt(10, 0, 0).unwrap(),
        tags: Vec::new(),
        vars: BTreeMap::new(),
    };
    Properties {
        all: vec![
            property("berlin", Some("Europe/Berlin")),
            property("brannan", Some("America/Los_Angeles")),
            property("plain", None),
        ],
        timezone: "America/New_York".parse().unwrap(),
        ..Properties::none()
    }
}

async fn house() -> House {
    Plan::default()
        .source("lab", "{preset: generic, auth: none}")
        .properties(properties())
        .build()
        .await
}

#[tokio::test]
async fn dates_and_times_are_read_where_the_house_stands() {
    // property, check_in, check_in_date -> date, instant, warned
    let cases = [
        (
            "berlin",
            None,
            Some("2027-05-01"),
            "2027-05-01",
            "2027-05-01T16:00:00+02:00",
            false,
        ),
        (
            "brannan",
            None,
            Some("2027-05-01"),
            "2027-05-01",
            "2027-05-01T16:00:00-07:00",
            false,
        ),
        (
            "plain",
            None,
            Some("2027-05-01"),
            "2027-05-01",
            "2027-05-01T16:00:00-04:00",
            false,
        ),
        // A property that nobody configured: the configured zone and times of day.
        (
            "nowhere",
            None,
            Some("2027-05-01"),
            "2027-05-01",
            "2027-05-01T15:00:00-04:00",
            false,
        ),
        // A date in the place of a time.
        (
            "berlin",
            Some("2027-05-01"),
            None,
            "2027-05-01",
            "2027-05-01T16:00:00+02:00",
            false,
        ),
        // Without an offset: the property's zone.
        (
            "berlin",
            Some("2027-05-01T18:30:00"),
            None,
            "2027-05-01",
            "2027-05-01T18:30:00+02:00",
            false,
        ),
        (
            "nowhere",
            Some("2027-05-01T18:30:00"),
            None,
            "2027-05-01",
            "2027-05-01T18:30:00-04:00",
            false,
        ),
        // The sent offset agrees with the zone.
        (
            "berlin",
            Some("2027-05-01T18:30:00+02:00"),
            None,
            "2027-05-01",
            "2027-05-01T18:30:00+02:00",
            false,
        ),
        // At odds: the instant stands, the page shows the property's zone, the date is the one that was written.
        (
            "berlin",
            Some("2027-05-01T23:30:00Z"),
            None,
            "2027-05-01",
            "2027-05-02T01:30:00+02:00",
            true,
        ),
        (
            "brannan",
            Some("2027-05-02T01:00:00Z"),
            Some("2027-05-01"),
            "2027-05-01",
            "2027-05-01T18:00:00-07:00",
            true,
        ),
        // Nobody knows better than the sender.
        (
            "nowhere",
            Some("2027-05-01T23:30:00+09:00"),
            None,
            "2027-05-01",
            "2027-05-01T23:30:00+09:00",
            false,
        ),
        // The date field before the date in the time.
        (
            "berlin",
            Some("2027-05-02T00:30:00+02:00"),
            Some("2027-05-01"),
            "2027-05-01",
            "2027-05-02T00:30:00+02:00",
            false,
        ),
        // Winter time.
        (
            "berlin",
            None,
            Some("2027-03-27"),
            "2027-03-27",
            "2027-03-27T16:00:00+01:00",
            false,
        ),
        // A local time that does not exist, and one that exists twice.
        (
            "berlin",
            Some("2027-03-28T02:30:00"),
            None,
            "2027-03-28",
            "2027-03-28T03:00:00+02:00",
            false,
        ),
        (
            "brannan",
            Some("2027-03-14T02:59:00"),
            None,
            "2027-03-14",
            "2027-03-14T03:00:00-07:00",
            false,
        ),
        (
            "berlin",
            Some("2027-10-31T02:30:00"),
            None,
            "2027-10-31",
            "2027-10-31T02:30:00+02:00",
            false,
        ),
    ];
    for (property, time, date, local, instant, warned) in cases {
        let house = house().await;
        let body = json!({
            "code": "A1", "status": "confirmed", "property": {"id": property}, "check_in": time, "check_in_date": date,
            "check_out_date": "2027-11-05",
        });
        house.tell("lab", &body.to_string()).await;
        let stay = house.reservation("lab", "A1").await;
        assert_eq!(
            (&stay["check_in_date"], &stay["check_in"]),
            (&json!(local), &json!(instant)),
            "{body}"
        );
        let warnings = house.warnings(0).await;
        assert_eq!(
            warnings.iter().any(|warning| warning.contains("offset")),
            warned,
            "{body} {warnings:?}"
        );
        let from: chrono::NaiveDate = local.parse().unwrap();
        let nights = ("2027-11-05".parse::<chrono::NaiveDate>().unwrap() - from).num_days();
        assert_eq!(stay["nights"], nights);
    }
}

#[tokio::test]
async fn of_a_date_and_a_time_that_disagree_the_newer_is_right_about_the_day() {
    let part = |version: i64, fields: &str| {
        format!(
            r#"{{"code": "A1", "partial": true, "updated_at": {}, {fields}}}"#,
            1_800_000_000 + version
        )
    };
    let first = part(
        1,
        r#""status": "confirmed", "property": {"id": "berlin"}, "check_in": "2027-05-01T18:00:00+02:00", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04""#,
    );
    for (second, date, instant, nights) in [
        // Only the date moves: the guest still comes at six.
        (
            r#""check_in_date": "2027-05-02""#,
            "2027-05-02",
            "2027-05-02T18:00:00+02:00",
            2,
        ),
        // Only the time moves, and with it the day.
        (
            r#""check_in": "2027-05-02T20:00:00+02:00""#,
            "2027-05-02",
            "2027-05-02T20:00:00+02:00",
            2,
        ),
        // A time that cannot be read, and one that is taken away: the old one stands.
        (
            r#""check_in": "soon", "check_in_date": null"#,
            "2027-05-01",
            "2027-05-01T18:00:00+02:00",
            3,
        ),
    ] {
        for order in [[0, 1], [1, 0]] {
            let house = house().await;
            let bodies = [first.clone(), part(2, second)];
            for n in order {
                house.tell("lab", &bodies[n]).await;
            }
            let stay = house.reservation("lab", "A1").await;
            assert_eq!(
                (&stay["check_in_date"], &stay["check_in"], &stay["nights"]),
                (&json!(date), &json!(instant), &json!(nights)),
                "{second} {order:?}"
            );
        }
    }
}

/// A sender of UTC instants with local dates beside them tells of a new day alone: the hour on the wall stays.
#[tokio::test]
async fn the_hour_of_an_instant_in_utc_is_that_of_the_house() {
    for (property, sent, day, instant) in [
        (
            "berlin",
            "2027-05-04T08:00:00Z",
            "2027-05-06",
            "2027-05-06T10:00:00+02:00",
        ),
        // The clocks are moved in between.
        (
            "berlin",
            "2027-10-29T08:00:00Z",
            "2027-11-02",
            "2027-11-02T10:00:00+01:00",
        ),
        (
            "brannan",
            "2027-05-04T17:00:00+00:00",
            "2027-05-06",
            "2027-05-06T10:00:00-07:00",
        ),
        (
            "brannan",
            "2027-05-05T02:00:00Z",
            "2027-05-06",
            "2027-05-06T19:00:00-07:00",
        ),
        (
            "plain",
            "2027-05-04T14:00:00Z",
            "2027-05-06",
            "2027-05-06T10:00:00-04:00",
        ),
    ] {
        let house = house().await;
        let first = format!(
            r#"{{"code": "A1", "partial": true, "updated_at": 1800000000, "status": "confirmed", "property": {{"id": "{property}"}},
            "check_in_date": "2027-05-01", "check_out": "{sent}", "check_out_date": "2027-05-04"}}"#
        );
        house.tell("lab", &first).await;
        let second =
            format!(r#"{{"code": "A1", "partial": true, "updated_at": 1800000001, "check_out_date": "{day}"}}"#);
        house.tell("lab", &second).await;
        let stay = house.reservation("lab", "A1").await;
        assert_eq!(
            (&stay["check_out_date"], &stay["check_out"]),
            (&json!(day), &json!(instant)),
            "{property} {sent}"
        );
    }
}

#[tokio::test]
async fn moving_the_clocks_is_not_moving_the_dates() {
    let house = house().await;
    let body = |check_in: &str, guests: i64| {
        json!({"code": "A1", "status": "confirmed", "property": {"id": "berlin"}, "check_in": check_in, "check_out_date": "2027-05-04", "guests": guests}).to_string()
    };
    house.tell("lab", &body("2027-05-01T18:00:00+02:00", 1)).await;
    house.tell("lab", &body("2027-05-01T16:00:00Z", 2)).await;
    house.tell("lab", &body("2027-05-01T18:00:00", 3)).await;
    assert_eq!(
        house.event_types().await,
        ["created confirmed", "guests_changed", "guests_changed"]
    );
    assert!(house.warnings(1).await[0].contains("offset"));
}
