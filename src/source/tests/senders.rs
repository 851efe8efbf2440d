//! Every recorded request of the senders that have a preset.

use super::*;

const HOSPITABLE: [&str; 8] = [
    "01-create",
    "02-status-change",
    "03-date-change",
    "04-guest-count-change",
    "05-cancelled",
    "06-duplicate-of-02",
    "07-out-of-order-a-newer",
    "07-out-of-order-b-older",
];
const HOSTELMATE: [&str; 7] = [
    "01-booking-created",
    "02-booking-updated-status-only",
    "03-booking-updated-dates",
    "04-payment-created",
    "05-booking-cancelled",
    "06-message-received",
    "07-duplicate-of-04",
];
const DORM: &str = "dcadcd4c-cb13-553d-8748-6b8cb7c588e6";

fn hospitable() -> Source {
    source("preset: hospitable-v1\ntoken: open-7f2c9d1e")
}

fn hostelmate() -> Source {
    source("preset: hostelmate\nsecret: hm_open_9f0c2b7d41")
}

fn one(source: &Source, sender: &str, case: &str) -> Fact {
    let case = Case::read(sender, case);
    match source.map(&case.json(), &case.header()) {
        Mapped::Facts { mut facts, .. } if facts.len() == 1 => facts.remove(0),
        other => panic!("{other:?}"),
    }
}

fn said(fact: &Fact) -> Value {
    match &fact.says {
        Says::Reservation { fields } => serde_json::to_value(fields).unwrap(),
        Says::Payment { payment, .. } => payment.clone(),
        Says::Message { message, .. } => message.clone(),
    }
}

#[test]
fn recorded_requests_are_believed_and_altered_ones_are_not() {
    for case in HOSTELMATE {
        let mut case = Case::read("hostelmate", case);
        let source = source(&format!("preset: hostelmate\nsecret: {}", case.secret));
        assert_eq!(source.authenticate(&case.request()), Ok(()));
        let middle = case.body.len() / 2;
        case.body[middle] ^= 1;
        assert_eq!(
            source.authenticate(&case.request()).unwrap_err().reason,
            "wrong signature"
        );
        case.headers.remove("x-hm-signature");
        assert_eq!(source.authenticate(&case.request()).unwrap_err().reason, "no signature");
    }
    for case in HOSPITABLE {
        let mut case = Case::read("hospitable-v1", case);
        assert_eq!(hospitable().authenticate(&case.request()), Ok(()));
        case.query = case.query.replace('7', "8");
        assert_eq!(
            hospitable().authenticate(&case.request()).unwrap_err().reason,
            "wrong token"
        );
        case.query.clear();
        assert_eq!(
            hospitable().authenticate(&case.request()).unwrap_err().reason,
            "no token"
        );
    }
}

#[test]
fn duplicates_have_the_same_receipt_key_and_all_others_their_own() {
    for (source, sender, cases, duplicate) in [
        (hospitable(), "hospitable-v1", HOSPITABLE.as_slice(), "02-status-change"),
        (hostelmate(), "hostelmate", HOSTELMATE.as_slice(), "04-payment-created"),
    ] {
        let mut seen: BTreeMap<[u8; 16], Vec<&str>> = BTreeMap::new();
        for name in cases {
            let case = Case::read(sender, name);
            let key = source.receipt_key(&case.body, &case.json(), &case.header());
            assert_eq!(key.weak, None, "{name}");
            seen.entry(key.key).or_default().push(name);
        }
        assert_eq!(seen.len(), cases.len() - 1, "{sender}");
        let twice = seen.values().find(|names| names.len() == 2).unwrap();
        assert_eq!(twice[0], duplicate);
    }
}

#[test]
fn hospitable_reservations_are_read_whole() {
    let source = hospitable();
    for (case, code, status, word, check_out, guests, total, by) in [
        (
            "01-create",
            "HMQX7KP2ZD",
            "pending",
            "pending",
            "2027-04-02",
            3,
            "1003.2",
            1801126800,
        ),
        (
            "02-status-change",
            "HMQX7KP2ZD",
            "confirmed",
            "accepted",
            "2027-04-02",
            3,
            "1003.2",
            1801130460,
        ),
        (
            "03-date-change",
            "HMQX7KP2ZD",
            "confirmed",
            "accepted",
            "2027-04-04",
            3,
            "1313.2",
            1801217000,
        ),
        (
            "04-guest-count-change",
            "HMQX7KP2ZD",
            "confirmed",
            "accepted",
            "2027-04-04",
            4,
            "1313.2",
            1801303400,
        ),
        (
            "05-cancelled",
            "HMQX7KP2ZD",
            "cancelled",
            "cancelled",
            "2027-04-04",
            4,
            "1313.2",
            1801400000,
        ),
        (
            "06-duplicate-of-02",
            "HMQX7KP2ZD",
            "confirmed",
            "accepted",
            "2027-04-02",
            3,
            "1003.2",
            1801130460,
        ),
        (
            "07-out-of-order-a-newer",
            "HMQX7KP2ZE",
            "confirmed",
            "accepted",
            "2027-04-04",
            4,
            "1313.2",
            1801303400,
        ),
        (
            "07-out-of-order-b-older",
            "HMQX7KP2ZE",
            "confirmed",
            "accepted",
            "2027-04-02",
            3,
            "1003.2",
            0,
        ),
    ] {
        let fact = one(&source, "hospitable-v1", case);
        assert_eq!(
            (fact.stay.code.as_deref(), fact.stay.ids.len()),
            (Some(code), 1),
            "{case}"
        );
        assert_eq!((&fact.warnings, &fact.hint), (&vec![], &None), "{case}");
        let version = fact.version.unwrap();
        assert!(by == 0 || version.by == by * 1000, "{case} {version:?}");
        let fields = said(&fact);
        assert_eq!(fields["status"], status, "{case}");
        assert_eq!(fields["source_status"], word, "{case}");
        assert_eq!(fields["check_in_date"], "2027-03-27", "{case}");
        assert_eq!(fields["check_out_date"], check_out, "{case}");
        assert_eq!(fields["guests"], guests, "{case}");
        assert_eq!(fields["money.total"].to_string(), total, "{case}");
    }
    let newer = one(&source, "hospitable-v1", "07-out-of-order-a-newer")
        .version
        .unwrap();
    let older = one(&source, "hospitable-v1", "07-out-of-order-b-older")
        .version
        .unwrap();
    assert!(newer > older && newer.then < older.then);
    let fact = one(&source, "hospitable-v1", "01-create");
    let expected = r#"{
        "status": "pending", "source_status": "pending", "channel": "airbnb-official",
        "check_in": "2027-03-27T16:00:00+00:00", "check_in_date": "2027-03-27",
        "check_out": "2027-04-02T11:00:00+01:00", "check_out_date": "2027-04-02",
        "guests": 3, "adults": 2, "children": 1, "infants": 0, "pets": 0,
        "guest.email": "maelle.relay@guest.example", "guest.first_name": "Maëlle", "guest.last_name": "Désirée-O’Connor",
        "guest.name": "Maëlle Désirée-O’Connor", "guest.location": "Liège, Belgium", "guest.phone": "+32 470 12 34 56",
        "guest.phone_last4": "3456", "property.ids": ["20418833", "511204"], "property.name": "Azulejo 2B",
        "property.address": "Rua das Flores 118, 4050-265 Porto, Portugal",
        "money.currency": "EUR", "money.total": 1003.2, "money.base": 812, "money.cleaning": 60, "money.deposit": 0.00,
        "money.guest_fee": 131.2, "money.host_fee": 26.16, "money.payout": 791.24, "money.taxes": 54.60,
        "children_codes": null, "created_at": "2027-01-28T09:00:00Z", "updated_at": "2027-01-28T09:00:00Z"
    }"#;
    assert_eq!(said(&fact), json(expected));
}

#[test]
fn hostelmate_says_partly_what_changed() {
    let source = hostelmate();
    for (case, expected) in [
        (
            "02-booking-updated-status-only",
            r#"{"status": "confirmed", "source_status": "paid", "updated_at": "2027-04-23T08:00:00Z",
                "property.ids": ["68d1f234-912c-5e65-b8f5-485928d317e1"]}"#,
        ),
        (
            "05-booking-cancelled",
            r#"{"status": "cancelled", "source_status": "cancelled", "updated_at": "2027-04-25T10:00:00Z",
                "property.ids": ["68d1f234-912c-5e65-b8f5-485928d317e1"]}"#,
        ),
        (
            "04-payment-created",
            r#"{"id": "1d0d6c57-97fd-4f29-9a0a-94f0f3d0c0b1", "kind": "guest", "amount": 500.00, "currency": "AED",
                "method": "card", "description": "Front desk", "paid_at": "2027-04-24T09:15:00Z"}"#,
        ),
        (
            "06-message-received",
            r#"{"id": "m-5501", "from": "guest", "text": "Geldiğimizde resepsiyon açık olacak mı?",
                "at": "2027-04-22T15:00:00Z"}"#,
        ),
    ] {
        let fact = one(&source, "hostelmate", case);
        assert_eq!(fact.stay.code.as_deref(), Some(DORM), "{case}");
        assert_eq!(fact.stay.source, "lab");
        assert_eq!((said(&fact), &fact.warnings), (json(expected), &vec![]), "{case}");
    }
    let created = one(&source, "hostelmate", "01-booking-created");
    assert_eq!(created.hint.as_deref(), Some("reservation.created"));
    assert_eq!(created.version.unwrap().by, 1_808_404_200_000);
    let expected = r#"{
        "status": "confirmed", "source_status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04",
        "guest.first_name": "Yusuf", "guest.last_name": "Demirtaş", "guest.name": "Yusuf Demirtaş",
        "guest.email": "yusuf.d@guest.example", "guest.phone": "+905301112233", "guest.phone_last4": "2233",
        "property.ids": ["68d1f234-912c-5e65-b8f5-485928d317e1"], "property.name": "6-Bed Mixed Dorm – Ankh",
        "money.currency": null, "money.total": 775.00, "created_at": null, "updated_at": "2027-04-22T14:30:00Z"
    }"#;
    assert_eq!(said(&created), json(expected));
    let moved = said(&one(&source, "hostelmate", "03-booking-updated-dates"));
    assert_eq!(moved["check_out_date"], "2027-05-03");
    assert_eq!(moved["money.total"].to_string(), "500.00");
    assert!(moved.get("money.currency").is_none());
    let payment = one(&source, "hostelmate", "04-payment-created");
    assert!(matches!(payment.says, Says::Payment { id: Some(id), .. } if id.starts_with("1d0d")));
}

#[test]
fn what_has_no_stay_in_it_is_ignored_or_said_to_be_unmapped() {
    let source = hostelmate();
    for (body, expected) in [
        (
            r#"{"id": "1", "type": "property.updated"}"#,
            Mapped::Ignored("no stay in it".into()),
        ),
        (
            r#"{"id": "1", "type": "ping"}"#,
            Mapped::Ignored("a test of the connection".into()),
        ),
        ("{}", Mapped::Ignored("the body is empty".into())),
        ("null", Mapped::Ignored("the body is empty".into())),
        (
            r#"{"id": "1", "type": "booking.merged", "data": {"bookingId": "x"}}"#,
            Mapped::Unmapped("no mapping applies: looked at $.type (booking.merged)".into()),
        ),
        (
            r#"{"id": "1", "type": "booking.updated", "data": {"bookingId": ""}}"#,
            Mapped::Unmapped("no code or id of a stay: looked at $.data.bookingId".into()),
        ),
    ] {
        assert_eq!(source.map(&json(body), &no_headers), expected, "{body}");
    }
    let empty = Case::read("_transport", "03-empty-post");
    assert_eq!(hospitable().authenticate(&empty.request()), Ok(()));
    assert!(matches!(
        hospitable().map(&Value::Null, &no_headers),
        Mapped::Ignored(_)
    ));
}

#[test]
fn a_small_number_of_four_digits_gets_its_zeros_back() {
    let body = r#"{"code": "A", "guest": {"phone_last_4": 56, "first_name": "Ana", "last_name": ""}}"#;
    let fields = fields(&hospitable(), body);
    assert_eq!(fields["guest.phone_last4"], "0056");
    assert_eq!(fields["guest.name"], "Ana");
    assert_eq!(fields["guest.last_name"], Value::Null);
    // Not there: cleared, apart from what belongs to the status.
    assert_eq!(fields["guests"], Value::Null);
    assert!(fields.get("source_status").is_none());
}

#[test]
fn child_reservations_are_objects_or_codes() {
    for (children, codes) in [
        (r#"[{"code": "B"}, {"code": "C"}]"#, r#"["B", "C"]"#),
        (r#"["B", "C"]"#, r#"["B", "C"]"#),
        ("[]", "null"),
    ] {
        let fields = fields(
            &hospitable(),
            &format!(r#"{{"code": "A", "child_reservations": {children}}}"#),
        );
        assert_eq!(fields["children_codes"], json(codes));
    }
}

#[test]
fn the_generic_preset_reads_our_own_words() {
    let source = source("preset: generic\nauth: none");
    let body = r#"{"code": "A1", "id": 7, "ids": ["x", "", 7], "status": "Canceled", "check_in": "2027-03-27 16:00",
        "check_out_date": "2027-04-02", "guest": {"name": "Ana B", "first_name": "Ana"}, "property": {"id": 5},
        "money": {"total": "12.50"}, "partial": true, "updated_at": 1801126800, "event": "created"}"#;
    let facts = facts(&source, body);
    assert_eq!(facts[0].stay.all().collect::<Vec<_>>(), ["7", "x", "A1"]);
    assert_eq!(facts[0].hint.as_deref(), Some("reservation.created"));
    let expected = r#"{"check_in": "2027-03-27T16:00:00", "check_out_date": "2027-04-02", "guest.first_name": "Ana",
        "guest.name": "Ana B", "money.total": 12.50, "property.ids": ["5"], "source_status": "Canceled",
        "status": "cancelled", "updated_at": "2027-01-28T09:00:00Z"}"#;
    assert_eq!(said(&facts[0]), json(expected));
    let payment = r#"{"code": "A1", "payment": {"id": "p1", "amount": -5, "currency": "EUR"}}"#;
    let payment = said(&super::facts(&source, payment)[0]);
    assert_eq!(
        (&payment["kind"], payment["amount"].to_string()),
        (&"refund".into(), "5".to_owned())
    );
    let message = r#"{"id": 9, "message": {"text": "Hi\u0000", "from": "robot"}}"#;
    let message = &super::facts(&source, message)[0];
    assert_eq!(
        said(message),
        json(r#"{"id": null, "from": null, "text": "Hi\uFFFD", "at": null}"#)
    );
    assert_eq!(message.warnings.len(), 1);
}

#[test]
fn every_preset_says_what_it_can_cause() {
    for (name, text) in PRESETS {
        assert!(text.starts_with("# "), "{name} begins with where its facts come from");
        let mut credentials = "token: t\nbasic: {username: a, password: b}".to_owned();
        if ["hmac:", "standard_webhooks:", "stripe:"]
            .iter()
            .any(|scheme| text.contains(scheme))
        {
            credentials.push_str("\nsecret: whsec_bG9uZy1lbm91Z2gtYS1rZXk=");
        }
        let source = source(&format!("preset: {name}\n{credentials}"));
        assert!(!source.emits().is_empty(), "{name}");
        assert_eq!(source.preset(), Some(*name));
    }
}
