//! The mapping language, one expression at a time.

use super::*;

const BODY: &str = r#"{
    "code": "A", "a": {"b": "x"}, "null": null, "empty": "", "n": 12345678901234567890123, "yes": true,
    "nights": [{"date": "2027-05-02", "amount": 250}, {"date": "2027-05-01", "amount": 100.5}],
    "plain": [3, 20, 100], "cents": "12345", "cur": "KWD", "obj": {"k": 1}, "word": "Waiting-for PAYMENT",
    "midnight": "2027-05-01T00:00:00", "offset": "2027-05-01T23:30:00-07:00", "date": "2027-05-01"
}"#;

/// What a snapshot makes of one field: its value, or `left out`.
fn value(field: &str, expression: &str) -> String {
    let line = match field.split_once('.') {
        Some((group, key)) => format!("{group}: {{{key}: {expression}}}"),
        None => format!("{field}: {expression}"),
    };
    let source = mapping(&format!("reservation:\n  code: $.code\n  {line}"));
    let facts = facts(&source, BODY);
    let Says::Reservation { fields } = &facts[0].says else {
        panic!();
    };
    match fields.get(field) {
        Some(value) => value.to_string(),
        None => format!("left out, {} warning", facts[0].warnings.len()),
    }
}

#[test]
fn expressions_find_and_type_values() {
    for (field, expression, expected) in [
        ("channel", "$.a.b", r#""x""#),
        ("channel", "[$.nope, $.null, $.empty, $.a.b]", r#""x""#),
        ("channel", "$.nope", "null"),
        ("channel", "$.null", "null"),
        ("channel", "$.n", r#""12345678901234567890123""#),
        ("channel", "$.obj", "left out, 1 warning"),
        ("channel", "$.yes", "left out, 1 warning"),
        ("channel", "{value: direct}", r#""direct""#),
        ("channel", "{from: $.a.b, map: {X: one}}", r#""one""#),
        ("channel", "{from: $.a.b, map: {y: one}}", r#""x""#),
        ("channel", "{from: $.a.b, map: {y: one}, else: two}", r#""two""#),
        ("channel", "{from: $.nope, map: {y: one}, else: two}", "null"),
        ("kind", "{from: $.yes, map: {true: block}, else: guest}", r#""block""#),
        ("kind", "$.a.b", "left out, 1 warning"),
        (
            "status",
            "{from: $.word, map: {waiting for payment: awaiting_payment}}",
            r#""awaiting_payment""#,
        ),
        ("status", "$.a.b", r#""unknown""#),
        ("status", "{value: confirmed}", r#""confirmed""#),
        ("status", "$.nope", "null"),
        ("status", "$.obj", "left out, 1 warning"),
        (
            "check_in_date",
            r#"{from: "$.nights[*].date", pick: min}"#,
            r#""2027-05-01""#,
        ),
        (
            "check_in_date",
            r#"{from: "$.nights[*].date", pick: first}"#,
            r#""2027-05-02""#,
        ),
        (
            "check_out_date",
            r#"{from: "$.nights[*].date", pick: max, plus_days: 1}"#,
            r#""2027-05-03""#,
        ),
        ("check_out_date", "$.offset", r#""2027-05-01""#),
        ("check_out_date", "$.midnight", r#""2027-05-01""#),
        ("check_out_date", "$.a.b", "left out, 1 warning"),
        ("check_out_date", "$.cents", "left out, 1 warning"),
        ("check_in", "$.offset", r#""2027-05-01T23:30:00-07:00""#),
        ("check_in", "$.date", r#""2027-05-01""#),
        ("guests", r#"{from: "$.nights[*].date", pick: count}"#, "2"),
        ("guests", "{from: $.plain, pick: sum}", "123"),
        ("guests", "{from: $.plain, pick: max}", "100"),
        ("guests", "{from: $.nope, pick: count}", "null"),
        ("guests", "$.empty", "null"),
        ("guests", "$.word", "left out, 1 warning"),
        ("money.total", r#"{from: "$.nights[*].amount", pick: sum}"#, "350.5"),
        (
            "money.total",
            r#"{from: "$.nights[*].date", pick: sum}"#,
            "left out, 1 warning",
        ),
        ("money.total", "{from: $.cents, minor: true}", "123.45"),
        ("money.total", "$.cents", "12345"),
        (
            "property.ids",
            r#"[$.nope, "$.plain", $.code, $.plain]"#,
            r#"["3","20","100","A"]"#,
        ),
        ("property.ids", "$.nope", "null"),
        ("property.ids", "$.obj", "left out, 1 warning"),
        ("guest.email", "$.empty", "null"),
        ("guest.location", "header.X-Where", "null"),
    ] {
        assert_eq!(value(field, expression), expected, "{field}: {expression}");
    }
}

#[test]
fn a_partial_writes_only_what_is_there() {
    let source = mapping(
        "partial: [{$.type: [changed, 'upd*']}, {$.whole: ~, $.part: true}]
reservation:
  code: $.code
  status: $.status
  guests: $.guests
  guest: {email: $.email, location: $.location, first_name: $.first, last_name: $.last}
  money: {currency: $.currency, total: {from: $.cents, minor: true}}",
    );
    for (body, expected) in [
        (r#"{"code": 1, "type": "CHANGED"}"#, "{}"),
        (
            r#"{"code": 1, "type": "updated", "guests": null}"#,
            r#"{"guests": null}"#,
        ),
        (
            r#"{"code": 1, "part": true, "email": "", "location": ""}"#,
            r#"{"guest.location": null}"#,
        ),
        (r#"{"code": 1, "part": true, "status": null}"#, "{}"),
        (
            r#"{"code": 1, "part": true, "first": "Ana"}"#,
            r#"{"guest.first_name": "Ana"}"#,
        ),
        (
            r#"{"code": 1, "part": true, "first": "Ana", "last": "Bo"}"#,
            r#"{"guest.first_name": "Ana", "guest.last_name": "Bo", "guest.name": "Ana Bo"}"#,
        ),
        (
            r#"{"code": 1, "part": true, "currency": "JPY", "cents": 500}"#,
            r#"{"money.currency": "JPY", "money.total": 500}"#,
        ),
        (
            r#"{"code": 1, "whole": 1, "part": true}"#,
            r#"{"status": null, "guests": null, "guest.email": null, "guest.location": null, "guest.first_name": null,
                "guest.last_name": null, "guest.name": null, "money.currency": null, "money.total": null}"#,
        ),
    ] {
        assert_eq!(fields(&source, body), json(expected), "{body}");
    }
}

#[test]
fn warnings_name_paths_and_types_and_never_values() {
    let source = mapping("reservation: {code: $.code, guests: [$.pax, $.guests], guest: {email: $.mail}}");
    let facts = facts(
        &source,
        r#"{"code": "A", "guests": "Ana Bo", "mail": {"to": "ana@guest.example"}}"#,
    );
    assert_eq!(
        facts[0].warnings,
        [
            "`guests` is not readable: `$.pax`, `$.guests` holds a text that is not a whole number",
            "`guest.email` is not readable: `$.mail` holds an object that is not a text",
        ]
    );
}

#[test]
fn one_delivery_may_hold_several_things() {
    let source = mapping(
        "items: $.events
version: {by: $.at}
map:
  - applies_to: {'@.what': stay}
    reservation: {code: '@.code', channel: $.from, status: '@.status'}
  - applies_to: {'@.what': paid}
    reservation: {ids: '@.code'}
    payment: {id: '@.id', amount: {from: '@.cents', minor: true}, currency: '@.currency'}",
    );
    let body = r#"{"from": "pms", "at": 5, "events": [
        {"what": "stay", "code": "A", "status": "confirmed"}, {"what": "other"},
        {"what": "paid", "code": "B", "cents": 250, "currency": "OMR"}, {"what": "stay"}]}"#;
    let facts = facts(&source, body);
    let codes: Vec<_> = facts.iter().map(|fact| fact.stay.all().next().unwrap()).collect();
    assert_eq!(codes, ["A", "B"]);
    assert!(matches!(&facts[0].says, Says::Reservation { fields } if fields["channel"] == "pms"));
    assert!(matches!(&facts[1].says, Says::Payment { payment, .. } if payment["amount"] == json("0.250")));
    assert_eq!(
        facts[0].warnings,
        [
            "no code or id of a stay: looked at @.code",
            "1 of its items are read by no mapping: looked at @.what (other)"
        ]
    );
    // One thing bare instead of a list of one.
    let bare = r#"{"events": {"what": "stay", "code": "C"}}"#;
    assert_eq!(super::facts(&source, bare)[0].stay.code.as_deref(), Some("C"));
    assert_eq!(
        source.map(&json(r#"{"events": []}"#), &no_headers),
        Mapped::Ignored("nothing in $.events".into())
    );
}

/// What is not there is no empty list.
#[test]
fn items_that_lead_nowhere_are_unmapped() {
    let nowhere = |paths: &str| Mapped::Unmapped(format!("there is no {paths} in it"));
    let empty = |paths: &str| Mapped::Ignored(format!("nothing in {paths}"));
    let typo = r#"{"reservations": [{"code": "A"}]}"#;
    for (items, body, mapped) in [
        ("$.reservatons[*]", typo, nowhere("$.reservatons[*]")),
        ("$.reservatons", typo, nowhere("$.reservatons")),
        ("$..reservatons[*]", typo, nowhere("$..reservatons[*]")),
        ("$.reservatons[?@.code]", typo, nowhere("$.reservatons[?@.code]")),
        ("[$.a, '$.b[*]']", typo, nowhere("$.a, $.b[*]")),
        ("$.reservations[*].stay", typo, nowhere("$.reservations[*].stay")),
        ("$.data.items[*]", r#"{"data": null}"#, nowhere("$.data.items[*]")),
        ("$.data[*]", r#"{"data": "none"}"#, nowhere("$.data[*]")),
        ("$.data[0]", r#"{"data": []}"#, nowhere("$.data[0]")),
        ("$.data[*]", r#"{"data": []}"#, empty("$.data[*]")),
        ("$.data[*]", r#"{"data": {}}"#, empty("$.data[*]")),
        ("$.data[*]", r#"{"data": null}"#, empty("$.data[*]")),
        ("$.data", r#"{"data": null}"#, empty("$.data")),
        ("$.data[*].stay", r#"{"data": []}"#, empty("$.data[*].stay")),
        (
            "$.data[?@.stay]",
            r#"{"data": [{"room": 1}]}"#,
            empty("$.data[?@.stay]"),
        ),
        ("[$.a, '$.b[*]']", r#"{"b": []}"#, empty("$.a, $.b[*]")),
    ] {
        let items = if items.starts_with('[') {
            items.to_owned()
        } else {
            format!("'{items}'")
        };
        let source = mapping(&format!("items: {items}\nreservation: {{code: '@.code'}}"));
        assert_eq!(source.map(&json(body), &no_headers), mapped, "{items} {body}");
    }
    // One list of several is enough; where none is there, all are named.
    let two = mapping(
        "map:\n  - items: $.stays[*]\n    reservation: {code: '@.code'}\n  - items: $.paid[*]\n    reservation: {ids: '@.code'}",
    );
    assert_eq!(two.map(&json(r#"{"paid": []}"#), &no_headers), empty("$.paid[*]"));
    assert_eq!(
        two.map(&json(r#"{"pay": []}"#), &no_headers),
        nowhere("$.stays[*], $.paid[*]")
    );
}

#[test]
fn headers_can_be_read_and_are_kept() {
    let source = mapping(
        "ignore: [{header.X-Event: 'room.*', because: rooms}]
reservation: {code: [header.X-Code, $.code]}",
    );
    let headers = |name: &str| match name {
        "x-event" => Some("room.created".to_owned()),
        "x-code" => Some("H".to_owned()),
        "authorization" | "cookie" | "content-type" => Some("c".to_owned()),
        _ => None,
    };
    let kept = source.kept_headers(&headers);
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["content-type", "x-code", "x-event"]);
    assert_eq!(source.map(&json("[1]"), &headers), Mapped::Ignored("rooms".into()));
    let stored = |name: &str| kept.get(name).filter(|_| name != "x-event").cloned();
    assert!(matches!(source.map(&json("[1]"), &stored), Mapped::Unmapped(_)));
}

#[test]
fn the_address_can_be_read_and_is_kept() {
    let source = mapping(
        "ignore: [{path: room_created, because: rooms}]
applies_to: {query.Kind: [stay, ~]}
event: {from: path, map: {booking_created: reservation.created}}
reservation: {code: [query.code, $.code], status: {value: confirmed}}",
    );
    assert!(source.reads_path() && !mapping("reservation: {code: query.code}").reads_path());
    let at = |query: &'static str, path: &'static str| {
        let source = source.clone();
        move |name: &str| source.in_address(name, query, [path])
    };
    let kept = source.kept_headers(&at("Kind=stay&code=A+1&token=t&other=x", "booking_created"));
    let kept: Vec<_> = kept
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(kept, [("/", "booking_created"), ("?Kind", "stay"), ("?code", "A 1")]);
    let read = |query, path| source.map(&json("[1]"), &at(query, path));
    let facts = match read("Kind=stay&code=A+1", "booking_created") {
        Mapped::Facts { facts, .. } => facts,
        other => panic!("{other:?}"),
    };
    assert_eq!(facts[0].stay.code.as_deref(), Some("A 1"));
    assert_eq!(facts[0].hint.as_deref(), Some("reservation.created"));
    assert_eq!(read("code=A", "room_created"), Mapped::Ignored("rooms".into()));
    assert!(matches!(read("Kind=room&code=A", ""), Mapped::Unmapped(_)));
}

#[test]
fn a_source_adds_to_its_preset() {
    let source = source(
        "preset: hospitable-v1
token: t
ignore: [{$.test: true, because: mine}]
map:
  reservation:
    guest: {language: $.guest.lang, email: ~}
    status: {map: {denied: declined}}
stays_of: other",
    );
    let body = r#"{"code": "A", "status": "denied", "guest": {"lang": "pt", "email": "x"}, "listing": {"id": 1}}"#;
    let fields = fields(&source, body);
    assert_eq!(fields["guest.language"], "pt");
    assert!(fields.get("guest.email").is_none());
    assert_eq!(
        (&fields["status"], &fields["source_status"]),
        (&"declined".into(), &"denied".into())
    );
    assert_eq!(fields["property.ids"], json(r#"["1"]"#));
    assert_eq!(facts(&source, body)[0].stay.source, "other");
    assert_eq!(
        source.map(&json(r#"{"code": "A", "test": true}"#), &no_headers),
        Mapped::Ignored("mine".into())
    );

    let several = super::source(
        "preset: hostelmate\nsecret: s\nmap: {reservation: {channel: $.data.channel}, payment: {kind: {value: deposit}}}",
    );
    let fact = &facts(
        &several,
        r#"{"type": "booking.updated", "data": {"bookingId": 1, "channel": "x"}}"#,
    )[0];
    assert!(matches!(&fact.says, Says::Reservation { fields } if fields["channel"] == "x"));
    let all = facts(
        &several,
        r#"{"type": "payment.created", "data": {"bookingId": 1, "amount": "2.0"}}"#,
    );
    assert!(
        all.iter()
            .any(|f| matches!(&f.says, Says::Payment { payment, .. } if payment["kind"] == "deposit"))
    );
}

#[test]
fn lists_are_bounded() {
    let source =
        mapping("items: \"$.all[*]\"\nreservation: {code: \"@.code\", ids: \"@.ids\", children_codes: \"@.rooms\"}");
    for (items, names, warnings) in [(1, 200, 0), (1, 201, 2), (500, 1, 0)] {
        let names: Vec<usize> = (0..names).collect();
        let item = serde_json::json!({"code": "A", "ids": names, "rooms": names});
        let found = facts(&source, &serde_json::json!({"all": vec![item; items]}).to_string());
        assert_eq!(found.len(), items);
        assert!(found[0].stay.ids.len() <= 200);
        assert_eq!(found[0].warnings.len(), warnings, "{:?}", found[0].warnings);
    }
    let many = serde_json::json!({"all": vec![1; 5001]});
    let Mapped::Unmapped(because) = source.map(&many, &no_headers) else {
        panic!("taken");
    };
    assert_eq!(because, "more than 5000 items in one delivery");
}

#[test]
fn what_stands_once_is_not_said_without_end() {
    let source =
        mapping("items: \"$.all[*]\"\nreservation: {code: \"@.code\", channel: $.channel, guest: {name: $.channel}}");
    let body = |items: usize| {
        let items: Vec<Value> = (1..=items).map(|code| serde_json::json!({"code": code})).collect();
        serde_json::json!({"channel": "x".repeat(1 << 20), "all": items})
    };
    // Each item says the long text twice.
    let Mapped::Facts { facts, .. } = source.map(&body(31), &no_headers) else {
        panic!("not taken");
    };
    assert_eq!(facts.len(), 31);
    let Mapped::Unmapped(because) = source.map(&body(33), &no_headers) else {
        panic!("taken");
    };
    assert_eq!(because, "its items say more than 64 MiB in all");
}
