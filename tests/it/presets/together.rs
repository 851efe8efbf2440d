//! A sender of payments beside the sender of the stays, and a sender whose bodies hold a password.

use std::sync::Arc;

use stayhook::model::id::Ids;

use super::replay::{house, send};
use super::{clock, senders};
use crate::support::{Plan, fixture};

const BOOKS: &str = r#"
name: Book the payment
on: {event: [payment.created, payment.refunded]}
actions:
  - http: {connection: books, url: /rows, json: {stay: "{{ reservation.code }}", until: "{{ reservation.check_out_date }}", amount: "{{ payment.amount }}"}}
"#;

#[tokio::test]
async fn a_payment_at_stripe_finds_the_stay_of_another_sender() {
    let house = Plan::default()
        .source("hospitable", "{preset: hospitable-v1, auth: none}")
        .source("stripe", "{preset: stripe, auth: none, stays_of: hospitable}")
        .recipe(BOOKS)
        .build()
        .await;
    house.tell("hospitable", &fixture("hospitable-v1/01-create.json")).await;
    let own = house.stay("hospitable", "HMQX7KP2ZD").await.stay.id;
    for (n, request) in ["01-payment-succeeded", "04-charge-of-the-intent", "02-charge-refunded"]
        .into_iter()
        .enumerate()
    {
        house.tell("stripe", &fixture(&format!("stripe/{request}.json"))).await;
        assert_eq!(house.deliveries().await.len(), n + 2, "{request}");
    }
    assert_eq!(
        house.outcomes().await,
        ["processed", "processed", "ignored", "processed"]
    );
    assert_eq!(
        house.event_types().await,
        ["created", "payment.created", "payment.refunded"]
    );
    // One stay, and the money of all of it at that stay.
    let stays = house
        .engine
        .store
        .reservations(&Default::default())
        .await
        .unwrap()
        .items;
    assert_eq!(stays.len(), 1);
    for n in [1, 2] {
        let event = house.event(n).await.event.unwrap();
        assert_eq!(event["source"], "stripe");
        let reservation = &event["reservation"];
        assert_eq!(
            (
                &reservation["source"],
                &reservation["code"],
                &reservation["check_out_date"]
            ),
            (&"hospitable".into(), &"HMQX7KP2ZD".into(), &"2027-04-02".into())
        );
    }
    assert_eq!(house.stay("hospitable", "HMQX7KP2ZD").await.stay.id, own);
    let rows: Vec<String> = house.books.requests().iter().map(|request| request.text()).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].contains("452.5") && rows[0].contains("HMQX7KP2ZD"), "{rows:?}");
}

#[tokio::test]
async fn the_access_token_of_a_connection_is_not_kept() {
    let sender = senders().into_iter().find(|sender| sender.preset == "mews").unwrap();
    let house = house(&sender).await;
    let ids = Arc::new(Ids::seeded(4));
    let mut tried = 0;
    for (n, request) in sender.requests.iter().enumerate() {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let Some(at) = text.find("INVENTED-") else { continue };
        let token = &text[at..at + 25];
        assert_eq!(send(&house, &ids, request, clock(n)).await.status(), 200);
        house.idle().await;
        let last = house.deliveries().await.pop().unwrap();
        let shown = house.engine.store.delivery(&last.id).await.unwrap().unwrap();
        let body = shown.body.unwrap();
        assert!(
            body.contains("\"AccessToken\":\"***\"") && !body.contains(token),
            "{body}"
        );
        tried += 1;
    }
    assert_eq!(tried, 2);
}
