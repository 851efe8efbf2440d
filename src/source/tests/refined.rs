//! Texts put together, taken apart and meant as nothing; several facts in one body; names within a scope.

use serde_json::json as lit;

use super::*;

const BODY: &str = r#"{
    "code": "A", "day": "2027-05-20", "time": "16:00", "hour": 9, "null": null, "empty": "", "none": "0000-00-00",
    "topic": "Reservation", "type": "canceled", "inbox": "B0012", "who": "Chiara De Luca", "utc": "2026-11-19 22:41:10",
    "adults": 2, "children": "1", "epoch": 1801126800, "ms": "1801126800123", "street": "Rua 1", "city": "Porto",
    "triggers": ["guest_changed", "no_show"], "masked": "+351 *** *** 0142", "phone": "+351 912 345 678", "short": "911",
    "big": 9007199254740993001, "xs": "xxxxxx4321", "extension": "+1 555 010 4567 #12", "gap": "2027-03-28T02:30:00"
}"#;

fn one(line: &str) -> Value {
    let line = line.replace('\n', "\n  ");
    fields(&mapping(&format!("reservation:\n  code: $.code\n  {line}")), BODY)
}

#[test]
fn texts_are_put_together_and_taken_apart() {
    for (field, expression, expected) in [
        (
            "check_in",
            "{join: [$.day, $.time], with: T}",
            lit!("2027-05-20T16:00:00"),
        ),
        (
            "check_in",
            "{join: [$.day, $.hour], with: T}",
            lit!("2027-05-20T09:00:00"),
        ),
        ("check_in", "{join: [$.day, $.null], with: T}", lit!(null)),
        (
            "channel",
            "{join: [$.street, $.empty, $.city], with: \", \", skip_missing: true}",
            lit!("Rua 1, Porto"),
        ),
        (
            "channel",
            "{join: [$.street, {value: 7}, $.city]}",
            lit!("Rua 1 7 Porto"),
        ),
        ("channel", "{join: [$.null, $.nope], skip_missing: true}", lit!(null)),
        (
            "channel",
            "{join: [{from: $.type, map: {canceled: off}}, $.topic], with: \"\"}",
            lit!("offReservation"),
        ),
        (
            "source_status",
            "{join: [$.topic, $.type], with: .}",
            lit!("Reservation.canceled"),
        ),
        ("channel", "{from: $.inbox, strip: B}", lit!("0012")),
        ("channel", "{from: $.inbox, strip: C}", lit!("B0012")),
        ("channel", "{from: $.inbox, match: \"^B0*([0-9]+)$\"}", lit!("12")),
        (
            "channel",
            "{from: [$.topic, $.inbox], match: \"^[A-Z][0-9]+\"}",
            lit!("B0012"),
        ),
        ("channel", "{from: $.topic, match: \"^([0-9]+)|^(Res)\"}", lit!("Res")),
        ("channel", "{from: $.topic, match: nothing}", lit!(null)),
        (
            "channel",
            "{from: [$.none, $.type], absent: [\"0000-00-00\", x]}",
            lit!("canceled"),
        ),
        (
            "check_in_date",
            "{from: [$.none, $.day], absent: \"0000-00-00\"}",
            lit!("2027-05-20"),
        ),
        ("guests", "{from: [$.hour, $.adults], absent: 9}", lit!(2)),
        ("guests", "{from: \"$['adults','children']\", pick: sum}", lit!(3)),
        ("channel", "$.big", lit!("9007199254740993001")),
    ] {
        assert_eq!(
            one(&format!("{field}: {expression}"))[field],
            expected,
            "{field}: {expression}"
        );
    }
    let halves = one("guest: {first_name: {from: $.who, part: first_name}, last_name: {from: $.who, part: last_name}}");
    assert_eq!(halves["guest.first_name"], "Chiara");
    assert_eq!(halves["guest.last_name"], "De Luca");
    assert_eq!(halves["guest.name"], "Chiara De Luca");
}

#[test]
fn times_take_the_zone_that_is_known_of_them() {
    for (expression, expected) in [
        ("$.utc", "2026-11-19T22:41:10"),
        ("{from: $.utc, zone: UTC}", "2026-11-19T22:41:10Z"),
        ("{from: $.utc, zone: Europe/Lisbon}", "2026-11-19T22:41:10+00:00"),
        ("{from: $.utc, zone: Asia/Tokyo}", "2026-11-19T22:41:10+09:00"),
        ("{from: $.gap, zone: Europe/Berlin}", "2027-03-28T03:30:00+02:00"),
        ("{from: $.epoch, zone: Asia/Tokyo}", "2027-01-28T09:00:00Z"),
        ("$.ms", "2027-01-28T09:00:00.123Z"),
    ] {
        assert_eq!(
            one(&format!("created_at: {expression}"))["created_at"],
            expected,
            "{expression}"
        );
    }
    // A count of seconds names no day.
    assert_eq!(one("check_in: $.epoch")["check_in"], "2027-01-28T09:00:00-00:00");
    assert_eq!(one("check_out: $.ms")["check_out"], "2027-01-28T09:00:00.123-00:00");
    assert_eq!(one("check_in_date: $.ms").get("check_in_date"), None);
}

#[test]
fn an_order_without_a_zone_takes_the_one_that_is_said() {
    let by = |version: &str| {
        let source = mapping(&format!(
            "version: {{by: {version}}}\nreservation: {{code: $.code, channel: $.topic}}"
        ));
        facts(&source, BODY)[0].version.unwrap().by
    };
    assert_eq!(by("$.utc") - by("{from: $.utc, zone: Asia/Tokyo}"), 9 * 3_600_000);
    assert_eq!(by("{from: $.epoch, zone: Asia/Tokyo}"), by("$.epoch"));
}

#[test]
fn the_end_of_a_phone_is_kept_and_a_masked_one_is_no_phone() {
    for (expression, phone, last4) in [
        ("{phone: $.phone}", lit!("+351 912 345 678"), lit!("5678")),
        ("{phone: $.short}", lit!("911"), lit!(null)),
        ("{phone: $.extension}", lit!("+1 555 010 4567 #12"), lit!("4567")),
        ("{phone: $.null}", lit!(null), lit!(null)),
        (
            "{phone: $.phone, phone_last4: $.hour}",
            lit!("+351 912 345 678"),
            lit!("0009"),
        ),
        (
            "{phone: $.phone, phone_last4: $.null}",
            lit!("+351 912 345 678"),
            lit!("5678"),
        ),
    ] {
        let said = one(&format!("guest: {expression}"));
        assert_eq!(said["guest.phone"], phone, "{expression}");
        assert_eq!(said["guest.phone_last4"], last4, "{expression}");
    }
    for (path, last4) in [("$.masked", lit!("0142")), ("$.xs", lit!("4321"))] {
        let said = one(&format!("guest: {{phone: {path}}}"));
        assert_eq!(said.get("guest.phone"), None, "{path}");
        assert_eq!(said["guest.phone_last4"], last4, "{path}");
    }
}

#[test]
fn of_several_types_the_first_that_is_known_counts() {
    let hint = |event: &str| {
        let source = mapping(&format!(
            "event: {event}\nreservation: {{code: $.code, channel: $.topic}}"
        ));
        facts(&source, BODY)[0].hint.clone()
    };
    let map = "map: {no_show: reservation.no_show, Reservation.canceled: reservation.cancelled}";
    assert_eq!(
        hint(&format!("{{from: \"$.triggers[*]\", {map}}}")).as_deref(),
        Some("reservation.no_show")
    );
    assert_eq!(
        hint(&format!("{{from: $.triggers, {map}}}")).as_deref(),
        Some("reservation.no_show")
    );
    assert_eq!(
        hint(&format!("{{join: [$.topic, $.type], with: ., {map}}}")).as_deref(),
        Some("reservation.cancelled")
    );
    assert_eq!(hint(&format!("{{from: $.topic, {map}}}")), None);
    assert_eq!(
        hint(&format!("{{from: $.topic, {map}, else: other.news}}")).as_deref(),
        Some("other.news")
    );
}

#[test]
fn items_are_read_left_out_or_missed_and_all_of_it_is_said() {
    let source = source(
        "auth: none\nignore:\n  - {\"@.kind\": \"customer*\", because: no stay in it}\n  - {$.test: true, because: a test}\n\
         map:\n  - items: $.events\n    applies_to: {\"@.kind\": order}\n    reservation: {ids: \"@.id\", scope: $.hotel, status: \"@.is\"}\n  \
         - items: $.events\n    applies_to: {\"@.kind\": payment}\n    payment: {id: \"@.id\"}",
    );
    let body = r#"{"hotel": "h1", "events": [{"kind": "order", "id": 7, "is": "confirmed"}, {"kind": "customer.new", "id": 1},
        {"kind": "customer", "id": 1}, {"kind": "payment", "id": "p"}, {"kind": "door", "id": 3}]}"#;
    let Mapped::Facts { facts, left_out } = source.map(&json(body), &no_headers) else {
        panic!();
    };
    assert_eq!(left_out, ["2 left out: no stay in it"]);
    assert_eq!(facts.len(), 2);
    assert_eq!(facts[0].stay.scope, "h1");
    assert_eq!(facts[0].stay.ids, ["7"]);
    assert_eq!(
        facts[0].warnings,
        ["1 of its items are read by no mapping: looked at @.kind (door)"]
    );
    assert!(facts[1].stay.is_empty());
    assert!(matches!(&facts[1].says, Says::Payment { id: Some(id), .. } if id == "p"));
    let only = r#"{"events": [{"kind": "customer", "id": 1}]}"#;
    assert_eq!(
        source.map(&json(only), &no_headers),
        Mapped::Ignored("1 left out: no stay in it".to_owned())
    );
    assert_eq!(
        source.map(&json(r#"{"test": true}"#), &no_headers),
        Mapped::Ignored("a test".to_owned())
    );
    assert!(matches!(
        source.map(&json(r#"{"events": [{"kind": "door"}]}"#), &no_headers),
        Mapped::Unmapped(_)
    ));
}

/// A sender of whose bodies some hold a list, and others are the thing itself.
#[test]
fn a_body_that_is_read_by_its_items_is_not_missed_itself() {
    let source = source(
        "auth: none\nmap:\n  - applies_to: {$.type: payment}\n    payment: {id: $.id}\n  \
         - items: [$.stays, $]\n    applies_to: {\"@.id\": \"*\"}\n    reservation: {ids: \"@.id\", status: \"@.is\"}",
    );
    for (body, expected) in [
        (r#"{"type": "stay", "stays": [{"id": 1, "is": "confirmed"}]}"#, &[][..]),
        (r#"{"type": "stay", "id": 1, "is": "confirmed"}"#, &[]),
        (
            r#"{"type": "stay", "stays": [{"id": 1}, {"is": "confirmed"}]}"#,
            &["1 of its items are read by no mapping: looked at @.id"],
        ),
    ] {
        let Mapped::Facts { facts, .. } = source.map(&json(body), &no_headers) else {
            panic!("{body}");
        };
        assert_eq!(facts.len(), 1, "{body}");
        assert_eq!(facts[0].warnings, expected, "{body}");
    }
    assert_eq!(
        source.map(&json(r#"{"type": "door", "stays": []}"#), &no_headers),
        Mapped::Unmapped("no mapping applies: looked at $.type (door), @.id".to_owned())
    );
}

#[test]
fn an_amount_in_cents_needs_its_currency_where_one_is_sent() {
    let source = mapping(
        "reservation: {code: $.c, money: {currency: $.cur, total: {from: $.cents, minor: true, digits: {ISK: 2}}}}",
    );
    for (currency, total, warnings) in [
        (lit!("EUR"), lit!("12.34"), 0),
        (lit!("jpy"), lit!("1234"), 0),
        (lit!("isk"), lit!("12.34"), 0),
        (lit!(null), lit!("12.34"), 0),
        (lit!({"code": "JPY"}), lit!(null), 2),
        (lit!("dollars"), lit!(null), 1),
    ] {
        let facts = facts(&source, &lit!({"c": "A", "cents": 1234, "cur": currency}).to_string());
        let Says::Reservation { fields } = &facts[0].says else {
            panic!()
        };
        let said = fields.get("money.total").map(ToString::to_string);
        assert_eq!(said, total.as_str().map(str::to_owned), "{currency}");
        assert_eq!(facts[0].warnings.len(), warnings, "{currency}: {:?}", facts[0].warnings);
    }
}
