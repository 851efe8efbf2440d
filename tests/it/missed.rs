//! What came due while the daemon was off, or was looked at late: schedules, entries before an anchor, `run.due_at`.

use crate::standin::Reply;
use serde_json::json;

use crate::clock::{booked, go_to, house, planned, recipe};
use crate::support::{House, at};

/// The daemon is off until then.
async fn off_until(house: House, time: &str) -> House {
    let clock = house.clock.clone();
    let house = house
        .restart_with(|plan| {
            clock.set(at(time));
            plan
        })
        .await;
    house.idle().await;
    house
}

fn schedule(cron: &str, more: &str) -> String {
    format!(
        "name: List\non: {{schedule: {{cron: '{cron}', timezone: Europe/Lisbon}}}}\n{more}\n\
         actions: [{{http: {{connection: cleaning, url: /list, json: {{due: '{{{{ run.due_at }}}}'}}}}}}]\n"
    )
}

/// What was sent as `due`.
fn due(house: &House) -> Vec<serde_json::Value> {
    house
        .cleaning
        .requests()
        .iter()
        .map(|request| request.json()["due"].clone())
        .collect()
}

#[tokio::test]
async fn of_the_times_of_a_schedule_that_were_missed_the_latest_runs_once() {
    for (cron, more, off, effects, lines) in [
        (
            "0 * * * *",
            "",
            "2027-01-01T13:20:00Z",
            vec!["2027-01-01T13:00:00+00:00"],
            vec![
                "List skipped 01-01T01:00 came due while down, as 12 later times of the schedule: only the latest runs",
                "List succeeded 01-01T13:00",
                "List scheduled 01-01T14:00",
            ],
        ),
        (
            "0 6 * * *",
            "",
            "2027-01-02T07:00:00Z",
            vec!["2027-01-02T06:00:00+00:00"],
            vec![
                "List skipped 01-01T06:00 came due while down, as a later time of the schedule: only the latest runs",
                "List succeeded 01-02T06:00",
                "List scheduled 01-03T06:00",
            ],
        ),
        (
            "* * * * *",
            "",
            "2027-02-03T10:30:30Z",
            vec!["2027-02-03T10:30:00+00:00"],
            vec![
                "List skipped 01-01T00:01 came due while down, as 1000 and more later times of the schedule: only the latest runs",
                "List succeeded 02-03T10:30",
                "List scheduled 02-03T10:31",
            ],
        ),
        (
            "0 6 * * *",
            "late: run within 1h",
            "2027-01-05T07:30:00Z",
            vec![],
            vec![
                "List skipped 01-01T06:00 came due while down, as 4 later times of the schedule: all of them too late",
                "List scheduled 01-06T06:00",
            ],
        ),
        (
            "0 6 * * *",
            "",
            "2027-01-01T07:00:00Z",
            vec!["2027-01-01T06:00:00+00:00"],
            vec!["List succeeded 01-01T06:00", "List scheduled 01-02T06:00"],
        ),
    ] {
        let house = house(&schedule(cron, more)).build().await;
        let house = off_until(house, off).await;
        assert_eq!(planned(&house).await, lines);
        assert_eq!(due(&house), effects, "{cron}");
        // Nothing of it comes again.
        let house = off_until(house, off).await;
        assert_eq!(planned(&house).await, lines);
    }
}

#[tokio::test]
async fn due_at_is_the_time_that_was_planned_for_every_step_and_attempt() {
    let text = "name: Door\non: {stay: check_in, before: 2d, at: '11:00'}\nactions:\n  \
                - http: {connection: books, url: /first, json: {due: '{{ run.due_at }}'}}\n  \
                - http: {connection: cleaning, url: /second, json: {due: '{{ run.due_at }}'}}\n";
    let house = house(text).build().await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    let house = off_until(house, "2027-04-07T18:59:55Z").await;
    let planned = json!("2027-04-07T11:00:00-07:00");
    assert_eq!(due(&house), std::slice::from_ref(&planned));
    assert_eq!(house.books.requests()[0].json()["due"], planned);
    // The second step after the first was tried again for a while.
    house.books.then([Reply::status(503)]);
    house
        .tell("pms", &booked("B", "brannan", "2027-05-09", "2027-05-12", 1))
        .await;
    go_to(&house, "2027-05-07T18:00:10Z").await;
    house.next_attempt(1).await;
    house.idle().await;
    assert_eq!(due(&house), [planned, json!("2027-05-07T11:00:00-07:00")]);
}

#[tokio::test]
async fn an_entry_just_before_its_anchor_may_be_a_minute_late() {
    // Arrival is at 23:00 UTC.
    for (before, back, goes) in [
        ("2s", "2027-04-09T23:00:57Z", true),
        ("2s", "2027-04-09T23:00:59Z", false),
        ("30s", "2027-04-09T23:00:30Z", true),
        ("30s", "2027-04-09T23:00:31Z", false),
        ("2m", "2027-04-09T22:59:59Z", true),
        ("2m", "2027-04-09T23:00:01Z", false),
    ] {
        let house = house(&recipe("Hello", &format!("{{stay: check_in, before: {before}}}"), ""))
            .build()
            .await;
        house
            .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
            .await;
        let house = off_until(house, back).await;
        assert_eq!(house.cleaning.requests().len(), usize::from(goes), "{before} {back}");
    }
}
