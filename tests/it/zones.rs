//! Moments of a stay's life in the zones of the world: one table.

use stayhook::model::clock::from_ms;
use stayhook::model::property::{Properties, Property};

use crate::clock::{SENDER, booked};
use crate::sender::plan;

/// Zone, arrival, departure (16:00 and 11:00 there), what the recipe waits for, and when that is.
const TABLE: &[(&str, &str, &str, &str, &[&str])] = &[
    // A time that does not exist is the next that does: clocks go from 02:00 to 03:00.
    (
        "America/New_York",
        "2027-03-15",
        "2027-03-18",
        "{stay: check_in, before: 1d, at: '02:30'}",
        &["2027-03-14T07:00"],
    ),
    // One that exists twice is the first: clocks go from 02:00 back to 01:00.
    (
        "America/New_York",
        "2027-11-08",
        "2027-11-10",
        "{stay: check_in, before: 1d, at: '01:30'}",
        &["2027-11-07T05:30"],
    ),
    // Days are days of the calendar, hours are time that passes.
    (
        "America/New_York",
        "2027-03-14",
        "2027-03-18",
        "{stay: check_in, before: 1d}",
        &["2027-03-13T21:00"],
    ),
    (
        "America/New_York",
        "2027-03-14",
        "2027-03-18",
        "{stay: check_in, before: 24h}",
        &["2027-03-13T20:00"],
    ),
    (
        "America/New_York",
        "2027-11-05",
        "2027-11-07",
        "{stay: check_out, before: 1d}",
        &["2027-11-06T15:00"],
    ),
    (
        "America/New_York",
        "2027-11-05",
        "2027-11-07",
        "{stay: check_out, before: 24h}",
        &["2027-11-06T16:00"],
    ),
    (
        "America/New_York",
        "2027-11-05",
        "2027-11-06",
        "{stay: check_out, after: 36h}",
        &["2027-11-08T03:00"],
    ),
    (
        "America/New_York",
        "2027-11-05",
        "2027-11-06",
        "{stay: check_out, after: 1d}",
        &["2027-11-07T16:00"],
    ),
    // A gap of half an hour.
    (
        "Australia/Lord_Howe",
        "2027-10-03",
        "2027-10-05",
        "{stay: check_in, at: '02:15'}",
        &["2027-10-02T15:30"],
    ),
    (
        "Australia/Lord_Howe",
        "2027-04-04",
        "2027-04-06",
        "{stay: check_in, at: '01:45'}",
        &["2027-04-03T14:45"],
    ),
    // Leap day, month ends, the turn of the year.
    (
        "Europe/Lisbon",
        "2028-02-27",
        "2028-02-29",
        "{stay: check_out, after: 1d}",
        &["2028-03-01T11:00"],
    ),
    (
        "Europe/Lisbon",
        "2028-03-01",
        "2028-03-03",
        "{stay: check_in, before: 1d, at: '09:00'}",
        &["2028-02-29T09:00"],
    ),
    (
        "Europe/Lisbon",
        "2027-03-01",
        "2027-03-03",
        "{stay: check_in, before: 1d, at: '09:00'}",
        &["2027-02-28T09:00"],
    ),
    (
        "Asia/Kathmandu",
        "2027-05-01",
        "2027-05-03",
        "{stay: check_in, before: 1d, at: '10:00'}",
        &["2027-04-30T04:15"],
    ),
    (
        "Asia/Kathmandu",
        "2028-01-01",
        "2028-01-03",
        "{stay: check_in, before: 1d}",
        &["2027-12-31T10:15"],
    ),
    // The ends of the world.
    (
        "Pacific/Kiritimati",
        "2027-06-01",
        "2027-06-03",
        "{stay: check_in, at: '08:00'}",
        &["2027-05-31T18:00"],
    ),
    (
        "Pacific/Kiritimati",
        "2027-06-01",
        "2027-06-03",
        "{stay: check_out, before: 2d}",
        &["2027-05-31T21:00"],
    ),
    (
        "Etc/GMT+12",
        "2027-06-01",
        "2027-06-03",
        "{stay: check_in, at: '08:00'}",
        &["2027-06-01T20:00"],
    ),
    (
        "Etc/GMT+12",
        "2027-06-01",
        "2027-06-03",
        "{stay: check_in}",
        &["2027-06-02T04:00"],
    ),
    (
        "America/St_Johns",
        "2027-07-01",
        "2027-07-03",
        "{stay: check_out, after: 1d, at: '10:00'}",
        &["2027-07-04T12:30"],
    ),
    // Repetitions keep the time on the wall across a change of offset; the moment of `until` counts.
    (
        "Europe/Berlin",
        "2027-10-28",
        "2027-11-05",
        "{stay: check_in, every: 2d, at: '11:00', until: {stay: check_out, before: 2d}}",
        &["2027-10-30T09:00", "2027-11-01T10:00", "2027-11-03T10:00"],
    ),
    (
        "Europe/Berlin",
        "2027-10-30",
        "2027-11-01",
        "{stay: check_in, every: 12h}",
        &["2027-10-31T02:00", "2027-10-31T14:00", "2027-11-01T02:00"],
    ),
    (
        "Europe/Berlin",
        "2027-10-30",
        "2027-11-01",
        "{stay: check_in, every: 7d}",
        &[],
    ),
    (
        "America/Los_Angeles",
        "2027-03-13",
        "2027-03-15",
        "{stay: check_out}",
        &["2027-03-15T18:00"],
    ),
    (
        "America/Los_Angeles",
        "2027-03-13",
        "2027-03-15",
        "{stay: check_out, before: 48h}",
        &["2027-03-13T18:00"],
    ),
    (
        "America/Los_Angeles",
        "2027-03-13",
        "2027-03-15",
        "{stay: check_out, before: 2d}",
        &["2027-03-13T19:00"],
    ),
    (
        "America/Los_Angeles",
        "2027-03-13",
        "2027-03-15",
        "{stay: check_out, before: 90m}",
        &["2027-03-15T16:30"],
    ),
];

#[tokio::test]
async fn moments_in_the_zones_of_the_world() {
    let mut properties = Properties::none();
    let mut plan = plan().source("pms", SENDER);
    for (n, (zone, _, _, on, _)) in TABLE.iter().enumerate() {
        properties.all.push(Property {
            key: format!("p{n}"),
            name: format!("p{n}"),
            matches: vec![(None, format!("p{n}"))],
            timezone: Some(zone.parse().unwrap()),
            check_in: "16:00:00".parse().unwrap(),
            check_out: "11:00:00".parse().unwrap(),
            tags: Vec::new(),
            vars: Default::default(),
        });
        plan = plan.recipe(&format!(
            "name: R{n:02}\non: {on}\nmatch: {{property: p{n}}}\nactions: [{{http: {{connection: cleaning, url: /}}}}]\n"
        ));
    }
    let house = plan.properties(properties).build().await;
    for (n, (_, from, to, _, _)) in TABLE.iter().enumerate() {
        house
            .tell("pms", &booked(&format!("S{n}"), &format!("p{n}"), from, to, 1))
            .await;
    }
    let runs = house.runs().await;
    for (n, (zone, from, to, on, expected)) in TABLE.iter().enumerate() {
        let mine = runs.iter().filter(|run| run.recipe == format!("R{n:02}"));
        let found: Vec<String> = mine
            .map(|run| {
                assert_eq!(run.state, "scheduled", "{on} {run:?}");
                from_ms(run.due_at_ms).format("%Y-%m-%dT%H:%M").to_string()
            })
            .collect();
        assert_eq!(found, *expected, "{zone} {from} to {to}: {on}");
    }
}

/// A sender that writes offsets, and no property that we know: its own offset is the clock on the wall.
#[tokio::test]
async fn where_no_property_is_known_the_offset_of_the_sender_counts() {
    let source = "
auth: none
reservation:
  code: $.code
  status: {from: $.status, map: {confirmed: confirmed}, else: unknown}
  check_in: $.from
  check_out: $.to
";
    let house = plan()
        .source("abroad", source)
        .recipe("name: At\non: {stay: check_in, before: 1d, at: '10:00'}\nactions: [{http: {connection: cleaning, url: /}}]\n")
        .build()
        .await;
    let body = r#"{"code": "A", "status": "confirmed", "from": "2027-05-03T15:00:00+09:00", "to": "2027-05-06T10:00:00+09:00"}"#;
    house.tell("abroad", body).await;
    let due = from_ms(house.runs().await[0].due_at_ms).to_rfc3339();
    assert_eq!(due, "2027-05-02T01:00:00+00:00");
}
