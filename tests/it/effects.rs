//! From events to effects.

use crate::support::{Plan, fixture};

const HOSPITABLE: &str = "{preset: hospitable-v1, token: open-7f2c9d1e}";

const CLEANING: &str = r#"
name: Cleaning
on: {event: reservation.confirmed}
actions:
  - id: task
    http:
      connection: cleaning
      url: /tasks/{{ reservation.code }}
      json: {starts: "{{ reservation.check_out }}", guests: "{{ reservation.guests }}", who: "{{ reservation.guest.name }}"}
      output: {id: $.task.id}
  - email:
      to: ana@example.com
      subject: "Cleaning {{ steps.task.output.id }} for {{ reservation.code }}"
      text: "{{ reservation.guest.first_name }} leaves on {{ reservation.check_out | date('%d %b') }}."
"#;

#[tokio::test]
async fn a_confirmed_stay_books_the_cleaning_once() {
    let house = Plan::default()
        .source("hospitable", HOSPITABLE)
        .recipe(CLEANING)
        .build()
        .await;
    house.tell("hospitable", &fixture("hospitable-v1/01-create.json")).await;
    assert!(house.cleaning.requests().is_empty());
    house
        .tell("hospitable", &fixture("hospitable-v1/02-status-change.json"))
        .await;
    house
        .tell("hospitable", &fixture("hospitable-v1/06-duplicate-of-02.json"))
        .await;
    let requests = house.cleaning.requests();
    assert_eq!(requests.len(), 1, "{:#?}", house.runs().await);
    assert_eq!(requests[0].json()["guests"], 3);
    assert_eq!(requests[0].json()["starts"], "2027-04-02T11:00:00+01:00");
    let letters = house.mail.letters();
    assert_eq!(letters.len(), 1, "{:#?}", house.runs().await);
    assert_eq!(letters[0].header("Subject").unwrap(), "Cleaning 1 for HMQX7KP2ZD");
    assert_eq!(house.states().await, ["Cleaning: succeeded"]);
}
