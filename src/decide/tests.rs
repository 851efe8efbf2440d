//! What changed makes which event.

use serde_json::{Value, json};

use crate::engine::tests::Lab;

const OPEN: &str = "{preset: generic, auth: none}";

fn lab() -> Lab {
    Lab::new(&[("lab", OPEN)], &[])
}

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

#[test]
fn every_change_has_its_types() {
    type Over<'a> = &'a [(&'a str, Value)];
    let cases: &[(&str, Over<'_>, Over<'_>, &str)] = &[
        (
            "confirmed",
            &[("status", json!("pending"))],
            &[],
            "confirmed status_changed",
        ),
        (
            "reinstated",
            &[("status", json!("cancelled"))],
            &[],
            "reinstated confirmed status_changed",
        ),
        (
            "reinstated from no-show",
            &[("status", json!("no_show"))],
            &[("status", json!("in_house"))],
            "reinstated confirmed marked_in_house status_changed",
        ),
        (
            "cancelled",
            &[],
            &[("status", json!("cancelled"))],
            "cancelled status_changed",
        ),
        (
            "declined",
            &[("status", json!("inquiry"))],
            &[("status", json!("declined"))],
            "declined status_changed",
        ),
        (
            "expired",
            &[("status", json!("pending"))],
            &[("status", json!("expired"))],
            "expired status_changed",
        ),
        (
            "no-show",
            &[],
            &[("status", json!("no_show"))],
            "no_show status_changed",
        ),
        (
            "from one gone to another",
            &[("status", json!("cancelled"))],
            &[("status", json!("no_show"))],
            "no_show status_changed",
        ),
        (
            "in house",
            &[],
            &[("status", json!("in_house"))],
            "marked_in_house status_changed",
        ),
        (
            "completed",
            &[("status", json!("in_house"))],
            &[("status", json!("completed"))],
            "marked_completed status_changed",
        ),
        (
            "confirmed again from completed",
            &[("status", json!("completed"))],
            &[],
            "status_changed",
        ),
        (
            "pending",
            &[("status", json!("inquiry"))],
            &[("status", json!("awaiting payment"))],
            "status_changed",
        ),
        (
            "the sender's word only",
            &[],
            &[("status", json!("Booked"))],
            "status_changed",
        ),
        (
            "departure",
            &[],
            &[("check_out_date", json!("2027-05-05"))],
            "dates_changed",
        ),
        (
            "time of day",
            &[("check_in", json!("2027-05-01T15:00:00Z"))],
            &[("check_in", json!("2027-05-01T17:00:00Z"))],
            "dates_changed",
        ),
        (
            "the same instant otherwise written",
            &[("check_in", json!("2027-05-01T15:00:00Z"))],
            &[("check_in", json!("2027-05-01T17:00:00+02:00"))],
            "",
        ),
        (
            "the same instant on another local date",
            &[
                ("check_in", json!("2027-05-01T23:00:00Z")),
                ("check_in_date", Value::Null),
            ],
            &[
                ("check_in", json!("2027-05-02T01:00:00+02:00")),
                ("check_in_date", Value::Null),
            ],
            "dates_changed",
        ),
        (
            "a default time said aloud",
            &[],
            &[("check_in", json!("2027-05-01T15:00:00Z"))],
            "",
        ),
        (
            "guests",
            &[("guests", json!(2))],
            &[("guests", json!(3))],
            "guests_changed",
        ),
        ("guests for the first time", &[], &[("guests", json!(3))], "updated"),
        ("guests taken back", &[("guests", json!(3))], &[], "updated"),
        (
            "pets known to known",
            &[("pets", json!(0))],
            &[("pets", json!(1))],
            "guests_changed",
        ),
        (
            "one more guest who is a child",
            &[("guests", json!(2))],
            &[("guests", json!(3)), ("children", json!(1))],
            "guests_changed updated",
        ),
        (
            "property",
            &[("property.id", json!("p1"))],
            &[("property.id", json!("p2"))],
            "property_changed",
        ),
        (
            "property for the first time",
            &[],
            &[("property.id", json!("p1"))],
            "updated",
        ),
        (
            "price",
            &[("money.total", json!("100.00"))],
            &[("money.total", json!("120.00"))],
            "price_changed",
        ),
        (
            "price otherwise written",
            &[("money.total", json!("100.0"))],
            &[("money.total", json!(100))],
            "",
        ),
        (
            "price for the first time",
            &[],
            &[("money.total", json!("100.00"))],
            "updated",
        ),
        (
            "currency",
            &[("money.currency", json!("EUR"))],
            &[("money.currency", json!("USD"))],
            "price_changed",
        ),
        (
            "e-mail",
            &[("guest.email", json!("a@x.example"))],
            &[("guest.email", json!("b@x.example"))],
            "updated",
        ),
        (
            "e-mail for the first time",
            &[],
            &[("guest.email", json!("a@x.example"))],
            "updated",
        ),
        ("another name of the stay", &[], &[("id", json!("7"))], "updated"),
        ("owner's stay", &[], &[("kind", json!("owner"))], "updated"),
        ("only the sender's time", &[], &[], ""),
        (
            "a block for a guest",
            &[("kind", json!("block"))],
            &[],
            "created confirmed",
        ),
        (
            "a guest's stay for a block",
            &[],
            &[("kind", json!("block"))],
            "cancelled",
        ),
        (
            "several at once",
            &[("guests", json!(2)), ("money.total", json!("1.00"))],
            &[
                ("guests", json!(3)),
                ("money.total", json!("2.00")),
                ("check_in_date", json!("2027-05-02")),
                ("status", json!("in_house")),
                ("guest.phone", json!("+1")),
            ],
            "marked_in_house status_changed dates_changed guests_changed price_changed updated",
        ),
    ];
    for (what, before, after, types) in cases {
        let mut lab = lab();
        let mut first = before.to_vec();
        if !first.iter().any(|(name, _)| *name == "kind") {
            first.push(("kind", json!("guest")));
        }
        let mut second = after.to_vec();
        if !second.iter().any(|(name, _)| *name == "kind") {
            second.push(("kind", json!("guest")));
        }
        lab.tell("lab", &stay(1, &first));
        lab.tell("lab", &stay(2, &second));
        let found = lab.event_types();
        assert_eq!(found.get(1).map_or("", String::as_str), *types, "{what}");
        let outcome = if types.is_empty() { "unchanged" } else { "processed" };
        // What only its own time tells apart changes nothing that anybody sees.
        assert_eq!(lab.outcomes()[1], outcome, "{what}");
    }
}

#[test]
fn a_new_stay_says_created_and_what_it_is() {
    for (status, types) in [
        ("inquiry", "created"),
        ("confirmed", "created confirmed"),
        ("in_house", "created confirmed"),
        ("completed", "created confirmed"),
        ("cancelled", "created cancelled"),
        ("no_show", "created no_show"),
    ] {
        let mut lab = lab();
        lab.tell("lab", &stay(1, &[("status", json!(status))]));
        assert_eq!(lab.event_types(), [types]);
        let event = lab.event(0);
        let blank = |value: &Value| match value {
            Value::Object(map) => map.values().all(|value| value.is_null() || value.is_object()),
            _ => false,
        };
        assert!(blank(&event["previous"]), "{}", event["previous"]);
        assert_eq!(event["changes"]["status"], json!({"from": null, "to": status}));
    }
}

#[test]
fn changes_say_from_and_to() {
    let mut lab = lab();
    lab.tell(
        "lab",
        &stay(
            1,
            &[
                ("guest.email", json!("a@x.example")),
                ("check_out", json!("2027-05-04T10:00:00Z")),
            ],
        ),
    );
    lab.tell(
        "lab",
        &stay(
            2,
            &[
                ("guest.email", json!("b@x.example")),
                ("check_out", json!("2027-05-06T10:00:00Z")),
                ("check_out_date", json!("2027-05-06")),
            ],
        ),
    );
    let event = lab.event(1);
    assert_eq!(
        event["changes"],
        json!({
            "guest": {"email": {"from": "a@x.example", "to": "b@x.example"}},
            "check_out": {"from": "2027-05-04T10:00:00+00:00", "to": "2027-05-06T10:00:00+00:00"},
            "check_out_date": {"from": "2027-05-04", "to": "2027-05-06"},
            "nights": {"from": 3, "to": 5},
        })
    );
    assert_eq!(event["previous"]["nights"], 3);
    assert_eq!(event["reservation"]["nights"], 5);
}

#[test]
fn an_incomplete_stay_says_nothing_until_it_is_complete() {
    let mut lab = lab();
    let part = |version: i64, fields: Value| {
        let mut body = json!({"code": "A1", "partial": true, "updated_at": 1_800_000_000 + version});
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        body.to_string()
    };
    lab.tell("lab", &part(5, json!({"status": "confirmed", "guests": 2})));
    lab.tell("lab", &part(6, json!({"guests": 3})));
    lab.tell("lab", r#"{"code": "A1", "payment": {"id": "p1", "amount": "10.00"}}"#);
    lab.tell(
        "lab",
        r#"{"code": "A1", "message": {"id": "m1", "from": "guest", "text": "Hi"}}"#,
    );
    lab.tell("lab", &part(7, json!({"check_out_date": "2027-05-04"})));
    assert_eq!(lab.event_types(), ["payment.created", "message.received"]);
    assert!(lab.because(0).contains("incomplete"));
    // Older than everything, and still what completes it.
    lab.tell("lab", &part(1, json!({"check_in_date": "2027-05-01", "guests": 9})));
    assert_eq!(lab.event_types()[2..], ["created confirmed"]);
    assert_eq!(lab.reservation("A1")["guests"], 3);
    assert_eq!(lab.outcomes(), ["processed"; 6]);
}

#[test]
fn a_stay_that_goes_before_its_dates_are_known_is_cancelled() {
    let mut lab = lab();
    lab.tell("lab", r#"{"code": "A1", "status": "inquiry"}"#);
    lab.tell("lab", r#"{"code": "A1", "status": "cancelled"}"#);
    lab.tell("lab", r#"{"code": "B1", "status": "declined"}"#);
    assert_eq!(lab.event_types(), ["cancelled", "declined"]);
    lab.tell("lab", &stay(1, &[("status", json!("cancelled"))]));
    assert_eq!(lab.event_types()[2..], ["created"]);
}

#[test]
fn money_that_comes_again_is_the_same_money() {
    let mut lab = lab();
    lab.tell("lab", &stay(5, &[("guests", json!(2))]));
    let pay = |id: &str, rest: &str| {
        format!(r#"{{"code": "A1", "event_id": "{id}", "updated_at": 1900000000, "payment": {{"id": "p1", {rest}}}}}"#)
    };
    for (event, rest) in [
        ("1", r#""amount": "500.00", "currency": "EUR""#),
        ("2", r#""amount": "500.00", "currency": "EUR""#),
        ("3", r#""amount": "550.00", "currency": "EUR""#),
        ("4", r#""amount": "-550.00", "currency": "EUR""#),
        ("5", r#""amount": "-550.00", "currency": "EUR""#),
    ] {
        lab.tell("lab", &pay(event, rest));
    }
    assert_eq!(
        lab.event_types()[1..],
        ["payment.created", "payment.updated", "payment.refunded"]
    );
    assert_eq!(
        lab.outcomes(),
        [
            "processed",
            "processed",
            "unchanged",
            "processed",
            "processed",
            "unchanged"
        ]
    );
    let refund = lab.event(3);
    assert_eq!(refund["payment"]["amount"].to_string(), "550.00");
    assert_eq!(refund["payment"]["kind"], "refund");
    // Its own time is not the stay's: what is older than the payment still counts.
    lab.tell("lab", &stay(6, &[("guests", json!(4))]));
    assert_eq!(lab.event_types()[4], "guests_changed");
    // A payment that the sender calls a refund is one, whatever its sign.
    lab.tell(
        "lab",
        r#"{"code": "A1", "event": "payment.refunded", "payment": {"id": "p2", "amount": "20.00"}}"#,
    );
    assert_eq!(lab.event_types()[5], "payment.refunded");
    assert_eq!(lab.event(5)["payment"]["kind"], "refund");
}

#[test]
fn a_message_is_said_once() {
    let mut lab = lab();
    for (event, text) in [("1", "Hello"), ("2", "Hello"), ("3", "Hello, edited")] {
        lab.tell("lab", &format!(r#"{{"code": "A1", "event_id": "{event}", "message": {{"id": "m1", "from": "Guest", "text": "{text}"}}}}"#));
    }
    lab.tell(
        "lab",
        r#"{"code": "A1", "event_id": "4", "message": {"text": "no id"}}"#,
    );
    lab.tell(
        "lab",
        r#"{"code": "A1", "event_id": "5", "message": {"text": "no id"}}"#,
    );
    assert_eq!(lab.event_types(), ["message.received"; 3]);
    assert_eq!(lab.event(0)["message"]["from"], "guest");
}

#[test]
fn an_unknown_status_word_is_said_and_changes_no_status() {
    let mut lab = lab();
    lab.tell("lab", &stay(1, &[]));
    lab.tell("lab", &stay(2, &[("status", json!("wobbling"))]));
    assert_eq!(lab.event_types()[1], "status_changed");
    let stay_now = lab.reservation("A1");
    assert_eq!(
        (&stay_now["status"], &stay_now["source_status"]),
        (&json!("confirmed"), &json!("wobbling"))
    );
    let warnings = lab.warnings(1);
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("status word is not known")),
        "{warnings:?}"
    );
    // One that is first heard of with such a word is incomplete, and shown as unknown.
    lab.tell("lab", &stay(1, &[("code", json!("B1")), ("status", json!("wobbling"))]));
    assert_eq!(lab.event_types().len(), 2);
    assert_eq!(lab.reservation("B1")["status"], "unknown");
}

#[test]
fn what_the_sender_calls_it_counts_where_no_change_shows_it() {
    let source = r#"
auth: none
receipt_key: [$.n]
version: {by: [$.n]}
event: {from: $.type, map: {noshow: reservation.no_show, created: reservation.created, moved: reservation.dates_changed, bell: other.bell}}
partial: true
reservation: {code: $.code, status: $.status, check_in_date: $.from, check_out_date: $.to, guests: $.guests}
"#;
    let mut lab = Lab::new(&[("lab", source)], &[]);
    for body in [
        r#"{"n": 1, "type": "created", "code": "A1", "status": "confirmed", "from": "2027-05-01", "to": "2027-05-04"}"#,
        r#"{"n": 2, "type": "noshow", "code": "A1"}"#,
        r#"{"n": 3, "type": "bell", "code": "A1"}"#,
        r#"{"n": 4, "type": "moved", "code": "A1"}"#,
        r#"{"n": 5, "type": "created", "code": "A1", "guests": 2}"#,
    ] {
        lab.tell("lab", body);
    }
    assert_eq!(
        lab.event_types(),
        ["created confirmed", "no_show", "other.bell", "updated"]
    );
    assert_eq!(
        lab.outcomes(),
        ["processed", "processed", "processed", "unchanged", "processed"]
    );
}
