//! The shipped recipes that wait for a time: each where all goes as usual, with a late booking, a move and a cancellation.

use std::sync::Arc;

use crate::standin::HttpStandin;
use serde_json::{Value, json};

use super::{letters, lines, properties, stay, twice};
use crate::clock::go_to;
use crate::support::{House, Plan};

/// A house with these recipes only, by the names of their files, and the stand-in for the locks.
async fn house(files: &[&str]) -> (House, Arc<HttpStandin>) {
    let locks = Arc::new(HttpStandin::start().await.unwrap());
    let connection = format!("locks: {{http: {{base_url: {}, timeout: 5s}}}}\n", locks.base_url());
    let plan = Plan::default()
        .source("hospitable", "{preset: hospitable-v1, token: open-7f2c9d1e}")
        .properties(properties())
        .connections(&connection);
    let read = |file: &&str| {
        let path = format!("{}/recipes/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let plan = files.iter().map(read).fold(plan, |plan, text| plan.recipe(&text));
    (plan.build().await, locks)
}

/// The sender says it, twice.
async fn tell(house: &House, at: i64, code: &str, from: &str, to: &str, more: Value) {
    let mut fields = json!({"code": code, "start_date": from, "end_date": to});
    let email = json!({"first_name": "Ada", "last_name": "Example", "phone_last_4": 417, "email": "ada@guest.example"});
    fields["guest"] = email;
    for (key, value) in more.as_object().unwrap() {
        fields[key] = value.clone();
    }
    twice(house, "hospitable", stay(at, fields)).await;
}

async fn gone(house: &House, at: i64, code: &str, from: &str, to: &str) {
    tell(house, at, code, from, to, json!({"status": "cancelled"})).await;
}

/// What is not sent twice: the keys of all requests and mails differ.
fn each_once(house: &House, locks: &HttpStandin) {
    let http = [&*house.cleaning, locks].map(HttpStandin::requests).concat();
    let mut keys: Vec<String> = http.iter().map(|request| request.key().unwrap().to_owned()).collect();
    let letters = house.mail.letters();
    keys.extend(letters.iter().map(|letter| letter.header("message-id").unwrap()));
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

fn bodies(target: &HttpStandin) -> Vec<Value> {
    target.requests().iter().map(crate::standin::Request::json).collect()
}

const CHECK_OUT: &[&str] = &["cleaning-at-check-out", "cleaning-urgent", "cleaning-mid-stay"];

#[tokio::test]
async fn the_cleaning_at_check_out() {
    let (house, locks) = house(CHECK_OUT).await;
    tell(&house, 1, "A", "2027-03-27", "2027-04-01", json!({})).await;
    // Moved before it is ordered: nothing but the new time counts.
    tell(&house, 2, "A", "2027-03-27", "2027-04-02", json!({})).await;
    tell(&house, 1, "B", "2027-04-02", "2027-04-04", json!({"guests": 3})).await;
    tell(&house, 1, "C", "2027-04-10", "2027-04-12", json!({})).await;
    gone(&house, 2, "C", "2027-04-10", "2027-04-12").await;
    go_to(&house, "2027-04-02T17:59:59Z").await;
    assert_eq!(lines(&house.cleaning).len(), 0);
    go_to(&house, "2027-04-02T18:00:00Z").await;
    // A booking made much later for a stay that is over.
    go_to(&house, "2027-04-04T18:00:00Z").await;
    tell(&house, 1, "D", "2027-04-01", "2027-04-02", json!({})).await;
    go_to(&house, "2027-04-12T18:00:00Z").await;
    assert_eq!(lines(&house.cleaning), ["PUT /tasks/A", "PUT /tasks/B"]);
    assert_eq!(
        bodies(&house.cleaning),
        [
            json!({"property": "Brannan Street", "starts": "2027-04-02T11:00:00-07:00", "urgent": true,
                "next_arrival": "2027-04-02T16:00:00-07:00", "next_guests": 3}),
            json!({"property": "Brannan Street", "starts": "2027-04-04T11:00:00-07:00", "urgent": false,
                "next_arrival": null, "next_guests": null}),
        ]
    );
    assert_eq!(
        letters(&house),
        [
            "ana@example.com: Brannan Street: clean now",
            "ana@example.com: Brannan Street: clean now, next guests at 16:00",
        ]
    );
    let text = |n: usize| house.mail.letters()[n].parts()[0].1.replace("\r\n", "\n");
    assert_eq!(
        text(0),
        "The guests of Brannan Street leave on Friday, 02 April at 11:00.\n\
         URGENT: the next guests arrive the same day at 16:00.\nConfirmation code: A\n"
    );
    assert!(
        text(1).contains("11:00.\nNobody arrives that day.\nConf"),
        "{}",
        text(1)
    );
    each_once(&house, &locks);
}

#[tokio::test]
async fn a_cleaning_that_is_ordered_is_moved_and_made_urgent_and_is_still_one() {
    let (house, locks) = house(CHECK_OUT).await;
    tell(&house, 1, "A", "2027-03-27", "2027-04-02", json!({})).await;
    go_to(&house, "2027-04-02T18:30:00Z").await;
    // They stay two nights longer after all, and on the day they leave somebody books for tonight.
    tell(&house, 2, "A", "2027-03-27", "2027-04-04", json!({})).await;
    go_to(&house, "2027-04-04T19:00:00Z").await;
    tell(&house, 1, "B", "2027-04-04", "2027-04-06", json!({})).await;
    tell(&house, 1, "C", "2027-04-06", "2027-04-08", json!({})).await;
    assert_eq!(lines(&house.cleaning), ["PUT /tasks/A"; 3]);
    let seen: Vec<_> = bodies(&house.cleaning)
        .iter()
        .map(|body| format!("{} {} {}", body["starts"], body["urgent"], body["next_arrival"]).replace('"', ""))
        .collect();
    assert_eq!(
        seen,
        [
            "2027-04-02T11:00:00-07:00 false null",
            "2027-04-04T11:00:00-07:00 false null",
            "2027-04-04T11:00:00-07:00 true 2027-04-04T16:00:00-07:00",
        ]
    );
    each_once(&house, &locks);
}

#[tokio::test]
async fn each_unit_of_a_group_is_cleaned_once() {
    let (house, locks) = house(&["cleaning-groups"]).await;
    let unit = |id: i64| json!({"listing": {"id": id}});
    // The whole house, whose parts become known later; one of them is the unit that is configured as a property too.
    tell(&house, 1, "G", "2027-03-27", "2027-04-02", unit(12_346_789)).await;
    tell(&house, 1, "G-1", "2027-03-27", "2027-04-02", unit(12_346_789)).await;
    tell(&house, 1, "G-2", "2027-03-27", "2027-04-02", unit(12_346_790)).await;
    let parts = json!({"listing": {"id": 12_346_789}, "child_reservations": [{"code": "G-1"}, {"code": "G-2"}]});
    tell(&house, 2, "G", "2027-03-27", "2027-04-02", parts).await;
    // A part that another stay speaks of as well, and one that was called off.
    tell(&house, 1, "OTHER", "2027-03-30", "2027-04-02", unit(12_346_790)).await;
    tell(&house, 1, "OFF", "2027-03-27", "2027-04-03", unit(12_346_790)).await;
    gone(&house, 2, "OFF", "2027-03-27", "2027-04-03").await;
    go_to(&house, "2027-04-02T18:00:00Z").await;
    go_to(&house, "2027-04-03T18:00:00Z").await;
    let mut asked = lines(&house.cleaning);
    asked.sort();
    // The same unit and day twice is the same task.
    asked.dedup();
    assert_eq!(
        asked,
        ["PUT /tasks/brannan-2027-04-02", "PUT /tasks/mission-2027-04-02"]
    );
    let whole = house.stay("hospitable", "G").await.stay.id.0;
    assert!(
        house
            .runs()
            .await
            .iter()
            .any(|run| run.stay == Some(whole.clone()) && run.state == "skipped")
    );
    each_once(&house, &locks);
}

#[tokio::test]
async fn the_cleaning_in_the_middle_of_a_stay() {
    let (house, locks) = house(&["cleaning-mid-stay"]).await;
    let days = || -> Vec<String> {
        let all = lines(&house.cleaning).into_iter();
        all.map(|line| line.replace("PUT /tasks/", "")).collect()
    };
    // 15 nights: the second cleaning would be on the day before the last. 23 nights, once it is extended.
    tell(&house, 1, "A", "2027-03-01", "2027-03-16", json!({})).await;
    tell(&house, 1, "SHORT", "2027-03-01", "2027-03-09", json!({})).await;
    tell(&house, 1, "OFF", "2027-03-02", "2027-03-30", json!({})).await;
    for day in 1..=12 {
        go_to(&house, &format!("2027-03-{day:02}T20:00:00Z")).await;
        if day == 10 {
            gone(&house, 2, "OFF", "2027-03-02", "2027-03-30").await;
        }
    }
    assert_eq!(days(), ["A-2027-03-08", "OFF-2027-03-09"]);
    // Entered late: only what is still to be done.
    tell(&house, 1, "LATE", "2027-03-02", "2027-03-18", json!({})).await;
    go_to(&house, "2027-03-15T20:00:00Z").await;
    tell(&house, 2, "A", "2027-03-01", "2027-03-24", json!({})).await;
    for day in 16..=31 {
        go_to(&house, &format!("2027-03-{day}T20:00:00Z")).await;
    }
    assert_eq!(
        days(),
        [
            "A-2027-03-08",
            "OFF-2027-03-09",
            "A-2027-03-15",
            "LATE-2027-03-16",
            "A-2027-03-22"
        ]
    );
    assert_eq!(letters(&house).len(), 5);
    each_once(&house, &locks);
}

#[tokio::test]
async fn the_reminder_before_check_out() {
    let (house, locks) = house(&["reminder-check-out"]).await;
    tell(&house, 1, "A", "2027-03-27", "2027-04-02", json!({})).await;
    tell(&house, 1, "OFF", "2027-03-27", "2027-04-02", json!({})).await;
    tell(&house, 1, "NIGHT", "2027-04-01", "2027-04-02", json!({})).await;
    let silent = json!({"guest": {"first_name": "Bo"}});
    tell(&house, 1, "SILENT", "2027-03-27", "2027-04-02", silent).await;
    gone(&house, 2, "OFF", "2027-03-27", "2027-04-02").await;
    go_to(&house, "2027-04-01T16:59:59Z").await;
    assert_eq!(letters(&house).len(), 0);
    go_to(&house, "2027-04-01T17:00:00Z").await;
    let first = "ada@guest.example: Brannan Street: check-out on Friday, 02 April at 11:00";
    assert_eq!(letters(&house), [first]);
    // Longer, shorter again, and the hour alone: only another day is news.
    tell(&house, 2, "A", "2027-03-27", "2027-04-06", json!({})).await;
    tell(&house, 3, "A", "2027-03-27", "2027-04-02", json!({})).await;
    assert_eq!(letters(&house), [first]);
    tell(&house, 4, "A", "2027-03-27", "2027-04-05", json!({})).await;
    go_to(&house, "2027-04-04T17:00:00Z").await;
    let second = "ada@guest.example: Brannan Street: check-out on Monday, 05 April at 11:00";
    assert_eq!(letters(&house), [first, second]);
    // One that leaves the next day all of a sudden, in the afternoon.
    tell(&house, 1, "SOON", "2027-04-03", "2027-04-08", json!({})).await;
    go_to(&house, "2027-04-04T23:00:00Z").await;
    tell(&house, 2, "SOON", "2027-04-03", "2027-04-05", json!({})).await;
    assert_eq!(letters(&house), [first, second, second]);
    go_to(&house, "2027-04-20T17:00:00Z").await;
    assert_eq!(letters(&house).len(), 3);
    each_once(&house, &locks);
}

const CODES: &[&str] = &["door-code-two-days-before", "door-code-changed-late"];

#[tokio::test]
async fn the_door_code_two_days_before() {
    let (house, locks) = house(CODES).await;
    let names = || -> Vec<Value> { bodies(&locks).into_iter().map(|body| body["name"].clone()).collect() };
    tell(&house, 1, "A", "2027-03-20", "2027-04-02", json!({})).await;
    tell(&house, 2, "A", "2027-03-27", "2027-04-02", json!({})).await;
    tell(&house, 1, "OFF", "2027-03-27", "2027-04-02", json!({})).await;
    gone(&house, 2, "OFF", "2027-03-27", "2027-04-02").await;
    tell(
        &house,
        1,
        "ELSEWHERE",
        "2027-03-27",
        "2027-04-02",
        json!({"listing": {"id": 12_346_790}}),
    )
    .await;
    go_to(&house, "2027-03-25T16:59:59Z").await;
    assert_eq!(names().len(), 0);
    go_to(&house, "2027-03-25T17:00:00Z").await;
    assert_eq!(
        bodies(&locks),
        [json!({"device_id": "dev_1", "name": "A", "code": "0417",
            "starts_at": "2027-03-27T16:00:00-07:00", "ends_at": "2027-04-02T11:00:00-07:00"})]
    );
    // Late: the day before, on the evening of the arrival, and when it is over.
    go_to(&house, "2027-03-26T20:00:00Z").await;
    tell(&house, 1, "DAY", "2027-03-27", "2027-03-29", json!({})).await;
    go_to(&house, "2027-03-28T03:00:00Z").await;
    tell(&house, 1, "NIGHT", "2027-03-27", "2027-03-29", json!({})).await;
    tell(&house, 1, "OVER", "2027-03-20", "2027-03-22", json!({})).await;
    assert_eq!(names(), ["A", "DAY", "NIGHT"]);
    go_to(&house, "2027-04-20T17:00:00Z").await;
    assert_eq!(names().len(), 3);
    assert_eq!(letters(&house).len(), 0);
    each_once(&house, &locks);
}

#[tokio::test]
async fn a_door_code_that_is_out_when_the_stay_changes() {
    let (house, locks) = house(CODES).await;
    let text = |n: usize| house.mail.letters()[n].parts()[0].1.replace("\r\n", "\n");
    for code in ["A", "B", "OFF"] {
        tell(&house, 1, code, "2027-03-27", "2027-04-02", json!({})).await;
    }
    // Before it is out nobody has to do anything.
    go_to(&house, "2027-03-25T16:00:00Z").await;
    tell(&house, 2, "B", "2027-03-27", "2027-04-03", json!({})).await;
    assert_eq!(letters(&house).len(), 0);
    go_to(&house, "2027-03-25T18:00:00Z").await;
    assert_eq!(locks.requests().len(), 3);
    // The departure: its times have to be changed. The arrival: it has to go, and another one comes. And none at all.
    tell(&house, 2, "A", "2027-03-27", "2027-04-05", json!({})).await;
    tell(&house, 3, "B", "2027-04-10", "2027-04-15", json!({})).await;
    gone(&house, 2, "OFF", "2027-03-27", "2027-04-02").await;
    let told: Vec<_> = ["A", "B", "OFF"]
        .map(|code| format!("office@example.com: Brannan Street: the door code of {code} has old times"))
        .into();
    assert_eq!(letters(&house), told);
    assert!(
        text(0).contains(
            "from 27 Mar, 16:00 to 05 Apr, 11:00.\nIts door code opens from 27 Mar, 16:00 to 02 Apr, 11:00.\n\
             Change its times.\nThe lock is dev_1, the code is called A.\n"
        ),
        "{}",
        text(0)
    );
    assert!(
        text(1).contains(
            "to 03 Apr, 11:00.\nTake it out of the lock. A new one is asked for two days before the new arrival.\nThe lock"
        ),
        "{}",
        text(1)
    );
    assert!(
        text(2).contains("to 02 Apr, 11:00.\nTake it out of the lock.\nThe lock"),
        "{}",
        text(2)
    );
    assert_eq!(locks.requests().len(), 3);
    go_to(&house, "2027-04-08T17:00:00Z").await;
    let last = bodies(&locks).pop().unwrap();
    assert_eq!(
        (&last["name"], &last["ends_at"]),
        (&json!("B"), &json!("2027-04-15T11:00:00-07:00"))
    );
    go_to(&house, "2027-05-08T17:00:00Z").await;
    assert_eq!((locks.requests().len(), letters(&house).len()), (4, 3));
    each_once(&house, &locks);
}

#[tokio::test]
async fn a_stay_that_is_not_paid() {
    let (house, locks) = house(&["alert-unpaid"]).await;
    let waits = || json!({"status": "waiting for payment"});
    for code in ["A", "PAID", "OFF"] {
        tell(&house, 1, code, "2027-03-27", "2027-04-02", waits()).await;
    }
    // For tonight; it is not paid all the same.
    tell(&house, 1, "LATE", "2027-01-01", "2027-01-03", waits()).await;
    go_to(&house, "2027-01-01T12:00:00Z").await;
    tell(&house, 2, "PAID", "2027-03-27", "2027-04-02", json!({})).await;
    gone(&house, 2, "OFF", "2027-03-27", "2027-04-02").await;
    // A move does not begin the day anew.
    tell(&house, 2, "A", "2027-03-28", "2027-04-02", waits()).await;
    go_to(&house, "2027-01-01T23:59:59Z").await;
    assert_eq!(letters(&house).len(), 0);
    for time in ["2027-01-02T00:00:00Z", "2027-01-03T00:00:00Z", "2027-02-01T00:00:00Z"] {
        go_to(&house, time).await;
        assert_eq!(
            letters(&house),
            ["A", "LATE"].map(|code| format!("office@example.com: Brannan Street: {code} is not paid"))
        );
    }
    each_once(&house, &locks);
}

#[tokio::test]
async fn the_request_for_a_review() {
    let (house, locks) = house(&["review-request"]).await;
    for code in ["A", "MOVED", "OFF"] {
        tell(&house, 1, code, "2027-03-27", "2027-04-02", json!({})).await;
    }
    tell(&house, 2, "MOVED", "2027-03-27", "2027-04-04", json!({})).await;
    gone(&house, 2, "OFF", "2027-03-27", "2027-04-02").await;
    go_to(&house, "2027-04-03T17:59:59Z").await;
    assert_eq!(letters(&house).len(), 0);
    let asked = "ada@guest.example: How was your stay at Brannan Street?";
    go_to(&house, "2027-04-03T18:00:00Z").await;
    assert_eq!(letters(&house), [asked]);
    go_to(&house, "2027-04-05T18:00:00Z").await;
    assert_eq!(letters(&house), [asked; 2]);
    // Entered after it was over; and moved after it was asked about.
    tell(&house, 1, "LATE", "2027-03-27", "2027-04-02", json!({})).await;
    tell(&house, 3, "MOVED", "2027-03-27", "2027-04-06", json!({})).await;
    go_to(&house, "2027-04-20T18:00:00Z").await;
    assert_eq!(letters(&house).len(), 2);
    each_once(&house, &locks);
}

/// The parts of the last mail, by their kinds.
fn last(house: &House) -> (String, String, String) {
    let letter = house.mail.letters().pop().unwrap();
    let parts = letter.parts();
    let part = |kind: &str| {
        let found = parts.iter().find(|(of, _)| of.contains(kind)).unwrap();
        found.1.replace("\r\n", "\n")
    };
    (letter.header("Subject").unwrap(), part("plain"), part("html"))
}

#[tokio::test]
async fn the_list_of_arrivals() {
    let (house, locks) = house(&["list-arrivals"]).await;
    // The zone is that of the configuration: Los Angeles. The first Monday is the 4th of January.
    go_to(&house, "2027-01-04T16:00:00Z").await;
    let (subject, text, html) = last(&house);
    assert_eq!(subject, "Week of 04 January: nobody arrives");
    assert_eq!(text, "Week of 04 January 2027: nobody arrives.\n");
    assert_eq!(html, "<p>Week of 04 January 2027: nobody arrives.</p>\n");
    tell(
        &house,
        1,
        "A",
        "2027-01-17",
        "2027-01-18",
        json!({"guest": {"first_name": "Ada", "last_name": "O'Neil <b>"}}),
    )
    .await;
    tell(&house, 1, "NEXT", "2027-01-18", "2027-01-20", json!({})).await;
    go_to(&house, "2027-01-11T16:00:00Z").await;
    let (subject, text, html) = last(&house);
    assert_eq!(subject, "Week of 11 January: 1 arrival");
    assert_eq!(
        text,
        "Week of 11 January 2027: 1 arrival.\n\nSun, 17 Jan, 16:00  Brannan Street\n    Ada O'Neil <b>, 1 night\n"
    );
    assert!(
        html.contains("<td>Brannan Street</td><td>Ada O&#x27;Neil &lt;b&gt;</td>"),
        "{html}"
    );
    // Booked on the very day, moved into the week, out of it, and off.
    tell(
        &house,
        1,
        "LATE",
        "2027-01-18",
        "2027-01-21",
        json!({"listing": {"id": 12_346_790}, "guest": {"id": 1}}),
    )
    .await;
    tell(&house, 1, "IN", "2027-03-18", "2027-03-21", json!({})).await;
    tell(&house, 2, "IN", "2027-01-24", "2027-01-26", json!({})).await;
    tell(&house, 1, "OUT", "2027-01-19", "2027-01-21", json!({})).await;
    tell(&house, 2, "OUT", "2027-01-25", "2027-01-27", json!({})).await;
    tell(&house, 1, "OFF", "2027-01-19", "2027-01-21", json!({})).await;
    gone(&house, 2, "OFF", "2027-01-19", "2027-01-21").await;
    go_to(&house, "2027-01-18T16:00:00Z").await;
    let (subject, text, html) = last(&house);
    assert_eq!(subject, "Week of 18 January: 3 arrivals");
    assert_eq!(
        text,
        "Week of 18 January 2027: 3 arrivals.\n\n\
         Mon, 18 Jan, 15:00  Mission Loft\n    no name, 3 nights\n\n\
         Mon, 18 Jan, 16:00  Brannan Street\n    Ada Example, 2 nights\n\n\
         Sun, 24 Jan, 16:00  Brannan Street\n    Ada Example, 2 nights\n"
    );
    assert_eq!(html.matches("<tr>").count(), 3, "{html}");
    assert_eq!(letters(&house).len(), 3);
    each_once(&house, &locks);
}
