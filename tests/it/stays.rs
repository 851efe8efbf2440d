//! From deliveries to stays and events: the recorded requests of both senders.

use serde_json::json;

use stayhook::store::Filter;

use crate::support::{Plan, fixture};

const HOSPITABLE: &str = "{preset: hospitable-v1, token: open-7f2c9d1e}";
const HOSTELMATE: &str = "{preset: hostelmate, secret: hm_open_9f0c2b7d41}";

#[tokio::test]
async fn a_stay_of_hospitable_is_told_as_it_happened() {
    let house = Plan::default().source("hospitable", HOSPITABLE).build().await;
    for case in [
        "01-create",
        "02-status-change",
        "06-duplicate-of-02",
        "03-date-change",
        "04-guest-count-change",
        "05-cancelled",
    ] {
        house
            .tell("hospitable", &fixture(&format!("hospitable-v1/{case}.json")))
            .await;
    }
    assert_eq!(
        house.event_types().await,
        [
            "created",
            "confirmed status_changed",
            "dates_changed price_changed",
            "guests_changed",
            "cancelled status_changed",
        ]
    );
    let rows = house.deliveries().await;
    assert_eq!(
        rows.iter().map(|row| row.duplicates).collect::<Vec<_>>(),
        [0, 1, 0, 0, 0]
    );
    let stay = house.reservation("hospitable", "HMQX7KP2ZD").await;
    assert_eq!(stay["check_in_date"], "2027-03-27");
    assert_eq!(stay["check_out_date"], "2027-04-04");
    assert_eq!(stay["nights"], 8);
    assert_eq!(stay["guests"], 4);
    assert_eq!(stay["guest"]["phone_last4"], "3456");
    assert_eq!(stay["money"]["total"].to_string(), "1313.2");
    assert_eq!(stay["money"]["taxes"].to_string(), "54.60");
    assert_eq!(stay["status"], "cancelled");
}

#[tokio::test]
async fn an_older_delivery_never_overwrites_a_newer_one() {
    let house = Plan::default().source("hospitable", HOSPITABLE).build().await;
    house
        .tell("hospitable", &fixture("hospitable-v1/07-out-of-order-a-newer.json"))
        .await;
    house
        .tell("hospitable", &fixture("hospitable-v1/07-out-of-order-b-older.json"))
        .await;
    let rows = house.deliveries().await;
    assert_eq!(rows[1].outcome, "stale", "{rows:#?}");
    assert!(rows[1].because.contains("older"), "{}", rows[1].because);
    let of_stay = Filter {
        code: Some("HMQX7KP2ZE".to_owned()),
        ..Filter::default()
    };
    let listed = house.engine.store.deliveries(&of_stay).await.unwrap().items;
    assert_eq!(listed.len(), 2, "the stale one belongs to the stay too");
    let stay = house.reservation("hospitable", "HMQX7KP2ZE").await;
    assert_eq!(
        (stay["guests"].clone(), stay["check_out_date"].clone()),
        (json!(4), json!("2027-04-04"))
    );
    assert_eq!(house.event_types().await, ["created confirmed"]);
}

#[tokio::test]
async fn partial_bodies_of_hostelmate_keep_what_they_do_not_say() {
    let house = Plan::default().source("hostelmate", HOSTELMATE).build().await;
    for case in [
        "01-booking-created",
        "02-booking-updated-status-only",
        "03-booking-updated-dates",
        "04-payment-created",
        "07-duplicate-of-04",
        "06-message-received",
        "05-booking-cancelled",
    ] {
        house
            .tell("hostelmate", &fixture(&format!("hostelmate/{case}.json")))
            .await;
    }
    assert_eq!(
        house.event_types().await,
        [
            "created confirmed",
            "status_changed",
            "dates_changed price_changed",
            "payment.created",
            "message.received",
            "cancelled status_changed",
        ]
    );
    let stay = house
        .reservation("hostelmate", "dcadcd4c-cb13-553d-8748-6b8cb7c588e6")
        .await;
    assert_eq!(stay["check_in_date"], "2027-05-01");
    assert_eq!(stay["check_out_date"], "2027-05-03");
    assert_eq!(stay["guest"]["name"], "Yusuf Demirtaş");
    assert_eq!(stay["money"]["total"].to_string(), "500.00");
    assert_eq!(stay["status"], "cancelled");
}
