//! Recipes that wait for what changed.

use serde_json::{Value, json};

use crate::support::Plan;

const OPEN: &str = "{preset: generic, auth: none}";

/// A whole body, with these fields set over it (dotted names; null takes a field out).
fn stay(version: i64, over: &[(&str, Value)]) -> String {
    let mut body = json!({
        "code": "A1", "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04",
        "updated_at": 1_800_000_000 + version,
    });
    for (name, value) in over {
        let mut at = &mut body;
        for part in name.split('.') {
            at = &mut at[part];
        }
        *at = value.clone();
    }
    body.to_string()
}

fn recipe(name: &str, rest: &str) -> String {
    format!(
        "name: {name}\n{rest}\nactions:\n  - http: {{connection: cleaning, url: /{name}, json: {{code: \"{{{{ reservation.code }}}}\"}}}}\n"
    )
}

#[tokio::test]
async fn a_recipe_that_waits_for_several_types_of_one_event_runs_once() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("both", "on:\n  - event: [reservation.dates_changed, reservation.guests_changed]\n  - event: reservation.price_changed"))
        .build()
        .await;
    house
        .tell("lab", &stay(1, &[("guests", json!(2)), ("money.total", json!(1))]))
        .await;
    house
        .tell(
            "lab",
            &stay(
                2,
                &[
                    ("guests", json!(3)),
                    ("money.total", json!(2)),
                    ("check_in_date", json!("2027-05-02")),
                ],
            ),
        )
        .await;
    assert_eq!(
        house.event_types().await[1],
        "dates_changed guests_changed price_changed"
    );
    assert_eq!(house.states().await, ["both: succeeded"]);
    assert_eq!(house.cleaning.requests().len(), 1);
}

#[tokio::test]
async fn a_block_is_nobodys_stay_until_it_becomes_one() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("booked", "on: {event: reservation.confirmed}"))
        .recipe(&recipe("off", "on: {event: reservation.cancelled}"))
        .recipe(&recipe("new", "on: {event: reservation.created}"))
        .build()
        .await;
    house.tell("lab", &stay(1, &[("kind", json!("block"))])).await;
    assert_eq!(house.event_types().await, ["created confirmed"]);
    assert!(house.states().await.is_empty());
    house.tell("lab", &stay(2, &[("kind", json!("guest"))])).await;
    assert_eq!(house.states().await, ["booked: succeeded", "new: succeeded"]);
    house.tell("lab", &stay(3, &[("kind", json!("block"))])).await;
    assert_eq!(house.event_types().await[2], "cancelled");
    assert_eq!(
        house.states().await,
        ["booked: succeeded", "new: succeeded", "off: succeeded"]
    );
    // A block that goes away again is no cancellation of a guest's stay.
    house
        .tell(
            "lab",
            &stay(4, &[("kind", json!("block")), ("status", json!("cancelled"))]),
        )
        .await;
    assert_eq!(house.states().await.len(), 3);
    house.tell("lab", &stay(5, &[("kind", json!("owner"))])).await;
    assert_eq!(
        house.event_types().await[4],
        "created reinstated confirmed status_changed"
    );
}

#[tokio::test]
async fn every_condition_is_kept_with_what_it_saw() {
    let house = Plan::default()
        .source("lab", OPEN)
        .recipe(&recipe("picky", "on: {event: reservation.created}\nmatch: {status: booked, guests: \">= 2\", pets: \">= 1\"}\nwhen: reservation.nights > 2"))
        .recipe(&recipe("other", "on: {event: reservation.cancelled}"))
        .build()
        .await;
    house.tell("lab", &stay(1, &[("guests", json!(3))])).await;
    assert_eq!(house.explanations(0).await, ["other: not_wanted", "picky: not_wanted"]);
    let all = house.event(0).await.explanation.unwrap();
    let saw: Vec<(String, String, bool)> = serde_json::from_value::<Vec<Value>>(all[1]["conditions"].clone())
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["condition"].as_str().unwrap().into(),
                one["saw"].as_str().unwrap().into(),
                one["held"] == true,
            )
        })
        .collect();
    let has = |condition: &str, saw_text: &str, held: bool| {
        assert!(
            saw.iter()
                .any(|(c, s, h)| c.contains(condition) && s.contains(saw_text) && *h == held),
            "{condition}: {saw:#?}"
        );
    };
    has("on reservation.created", "reservation.created", true);
    has("status", "confirmed", true);
    has("guests", "3", true);
    has("pets", "not sent", false);
    has("kind", "guest", true);
    has("when", "3", true);
    assert!(all[1]["because"].as_str().unwrap().contains("pets"), "{all}");
}
