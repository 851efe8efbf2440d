//! Drafts over recorded requests and over bodies as an unknown sender may write them: what is drafted is right, and the rest
//! is left to the person.

mod recorded;
mod tree;

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::model::fact::{Fact, Says};
use crate::source::{self, Mapped as Read, Source};

fn mapped(body: &Value) -> Mapped {
    Mapped::of("body".to_owned(), body.clone())
}

fn draft_of(bodies: &[&Value]) -> Draft {
    let all: Vec<Mapped> = bodies.iter().map(|body| mapped(body)).collect();
    draft(&all)
}

/// The draft as a source, as `check` reads it: without a mistake, and without a warning where it claims to be complete.
fn source(draft: &Draft) -> Source {
    let text = format!("    token: 0123456789abcdef\n{}", draft.text);
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", &text, &mut report);
    let source = node.and_then(|node| source::compile("pms", &node, &mut report));
    let told = report.render(|_| Some(text.clone()));
    if !draft.missing.is_empty() {
        report.items.retain(|item| item.code != "incomplete-mapping");
    }
    assert!(report.items.is_empty(), "{told}\n{text}");
    source.expect("a source")
}

/// What a draft reads; nothing where nothing is drafted.
fn read(draft: &Draft, body: &Value) -> Vec<Fact> {
    match source(draft).map(body, &|_| None) {
        Read::Facts { facts, .. } => facts,
        Read::Ignored(_) | Read::Unmapped(_) => Vec::new(),
    }
}

fn fields(fact: &Fact) -> BTreeMap<String, Value> {
    match &fact.says {
        Says::Reservation { fields } => fields
            .iter()
            .map(|(name, value)| ((*name).to_string(), value.clone()))
            .collect(),
        Says::Payment { .. } | Says::Message { .. } => panic!("{fact:?}"),
    }
}

/// The paths drafted for a field, and those in comments.
fn paths(draft: &Draft, field: &str) -> (Vec<String>, Vec<String>) {
    let of = |certain: bool| {
        let lines = draft
            .lines
            .iter()
            .filter(|(name, _, sure)| *name == field && *sure == certain);
        lines.map(|(_, path, _)| path.clone()).collect()
    };
    (of(true), of(false))
}

#[test]
fn only_the_stays_own_id_names_it() {
    let body = json!({"booking": {"id": 901, "code": "AB12", "staff_id": 1, "customer_id": 44, "company_id": 3, "channel_reference": "HM7", "status": "confirmed",
        "check_in": "2027-05-01", "check_out": "2027-05-04"}});
    let draft = draft_of(&[&body]);
    assert_eq!(
        paths(&draft, "ids"),
        (vec!["$.booking.id".to_owned()], vec![]),
        "{}",
        draft.text
    );
    assert_eq!(paths(&draft, "code").0, ["$.booking.code"]);
    assert_eq!(
        paths(&draft, "references"),
        (vec![], vec!["$.booking.channel_reference".to_owned()])
    );
    assert_eq!(draft.missing, Vec::<&str>::new());
    assert!(
        draft.text.contains("# no names of the stay, as far as can be seen: "),
        "{}",
        draft.text
    );
    let facts = read(&draft, &body);
    assert_eq!(
        (facts[0].stay.code.as_deref(), facts[0].stay.ids.as_slice()),
        (Some("AB12"), &["901".to_owned()][..])
    );
    assert_eq!(fields(&facts[0])["check_out_date"], "2027-05-04");
    // Every other id beside the stay's own, whatever it is of.
    for other in [
        "tenant_id",
        "city_id",
        "host_id",
        "guest_id",
        "room_type_id",
        "rate_plan_id",
        "channel_id",
        "agent_id",
        "account_id",
        "owner_id",
        "user_id",
        "parent_id",
        "group_id",
        "invoice_id",
        "source_id",
        "org_id",
        "portal_id",
        "contact_id",
        "team_id",
        "region_id",
        "currency_id",
    ] {
        let mut body = body.clone();
        body["booking"][other] = json!(7);
        let draft = draft_of(&[&body]);
        assert_eq!(paths(&draft, "ids").0, ["$.booking.id"], "{other}");
        assert_eq!(read(&draft, &body)[0].stay.ids, ["901"], "{other}");
    }
    // A second name of its own, and one beside what is said of the delivery, are for the person to judge; a code alone would
    // name it where an id may.
    for body in [
        json!({"booking": {"id": 901, "reservation_id": 5, "code": "AB12", "check_in": "2027-05-01", "check_out": "2027-05-04"}}),
        json!({"reservation": {"booking_id": 901, "code": "AB12", "check_in": "2027-05-01", "check_out": "2027-05-04"}}),
        json!({"type": "booking.created", "id": "e1", "code": "AB12", "check_in": "2027-05-01", "check_out": "2027-05-04"}),
        json!({"reservation": {"confirmation_code": "HM1", "check_in": "2027-05-01", "check_out": "2027-05-04"}}),
    ] {
        let draft = draft_of(&[&body]);
        assert!(
            draft.text.contains("learn: true") && read(&draft, &body).is_empty(),
            "{}",
            draft.text
        );
        assert_eq!(
            (paths(&draft, "ids").0.len(), paths(&draft, "code").0.len()),
            (0, 0),
            "{}",
            draft.text
        );
    }
}

#[test]
fn a_payment_or_message_with_its_reservation_is_no_news_of_a_stay() {
    let stay =
        json!({"id": 77, "code": "HM1", "status": "confirmed", "check_in": "2027-05-02", "check_out": "2027-05-08"});
    let payment = json!({"id": "p1", "amount": 250, "currency": "EUR", "status": "pending", "reservation": stay});
    let mut flat = payment.clone();
    flat.as_object_mut().expect("an object").remove("reservation");
    flat.as_object_mut()
        .expect("an object")
        .extend(stay.as_object().cloned().expect("an object"));
    for body in [
        json!({"type": "payment.created", "data": payment}),
        json!({"event": "message.received", "data": {"id": "m1", "text": "Hi", "reservation": stay}}),
        json!({"event": "booking.payment_received", "booking": stay}),
        json!({"event": "reservation.note.added", "reservation": stay}),
        json!({"topic": "invoice", "reservation": stay}),
        json!({"data": payment}),
        json!({"reservation": stay, "amount": "250.00"}),
        json!({"reservation": stay, "message": {"text": "Hi"}}),
        json!({"reservation": stay, "review": {"stars": 5}}),
        payment,
        flat.clone(),
        json!({"type": "charge", "data": flat}),
    ] {
        let draft = draft_of(&[&body]);
        assert!(draft.text.contains("learn: true"), "{body}\n{}", draft.text);
        assert!(read(&draft, &body).is_empty(), "{body}\n{}", draft.text);
    }
    let draft = draft_of(&[
        &json!({"type": "payment.created", "data": {"id": "p1", "amount": 250, "currency": "EUR", "reservation": stay}}),
    ]);
    assert_eq!(paths(&draft, "money.total").0, Vec::<String>::new());
    // Beside a booking, it is left out and named.
    let booking = json!({"type": "booking.created", "data": {"booking": stay}});
    let message = json!({"type": "message.created", "data": {"booking": stay, "text": "Hi"}});
    let draft = draft_of(&[&message, &booking]);
    assert!(
        draft.text.contains("# body: nothing is certain: $.data.text"),
        "{}",
        draft.text
    );
    assert_eq!(
        (read(&draft, &booking).len(), read(&draft, &message).len()),
        (1, 0),
        "{}",
        draft.text
    );
}

#[test]
fn what_may_be_something_else_is_left_to_the_person() {
    let body = json!({"reservation": {"code": "AB12", "status": "accepted", "start_date": "2027-03-12", "end_date": "2027-03-16",
        "security_price": "500.00", "total_paid_amount_accurate": "4300.00", "arrival": "27.03.2027", "departure": "2027-03-16T10:00:00Z"}});
    let draft = draft_of(&[&body]);
    for (field, choice) in [
        ("created_at", ""),
        ("money.total", "$.reservation.security_price"),
        ("check_in_date", "$.reservation.start_date"),
    ] {
        let (certain, perhaps) = paths(&draft, field);
        assert_eq!(certain, Vec::<String>::new(), "{field}\n{}", draft.text);
        assert!(
            choice.is_empty() || perhaps.iter().any(|path| path == choice),
            "{field} {perhaps:?}"
        );
    }
    assert_eq!(paths(&draft, "code").0, ["$.reservation.code"]);
    // The day of a time that says `Z` is certain to nobody who does not know the sender.
    assert_eq!(
        (
            paths(&draft, "check_out").0.len(),
            paths(&draft, "check_out_date").0.len()
        ),
        (0, 0),
        "{}",
        draft.text
    );
    let facts = read(&draft, &body);
    assert_eq!(fields(&facts[0])["status"], "unknown");
    assert_eq!(draft.missing, ["arrival", "departure"]);
    assert!(draft.text.contains("# accepted: ?"), "{}", draft.text);
    // Two places for one field, cents, counts that are none.
    let body = json!({"booking": {"id": 1, "check_in": "2027-03-12", "arrival_date": "2027-03-13", "total": 91200, "currency": "EUR", "state": "NY",
        "guests": [{"name": "Ana"}], "adults": "two", "created_at": "2027-01-01", "property_id": 3, "unit_id": 4}});
    let draft = draft_of(&[&body]);
    for field in [
        "check_in_date",
        "money.total",
        "guests",
        "adults",
        "created_at",
        "property.ids",
        "status",
    ] {
        assert_eq!(paths(&draft, field).0, Vec::<String>::new(), "{field}\n{}", draft.text);
    }
    source(&draft);
}

#[test]
fn lists_of_stays_are_items() {
    let stay = |id: u32| json!({"id": id, "arrival": "2027-05-01", "departure": "2027-05-04", "guest": {"first_name": "Ana"}, "room_id": 3});
    let body = json!({"event": "reservations.changed", "reservations": [stay(1), stay(2)]});
    let draft = draft_of(&[&body]);
    let facts = read(&draft, &body);
    let ids: Vec<_> = facts.iter().flat_map(|fact| fact.stay.ids.clone()).collect();
    assert_eq!(ids, ["1", "2"], "{}", draft.text);
    assert_eq!(fields(&facts[0])["property.ids"], json!(["3"]));
    // Nothing is drafted from a list that holds a stay and something else.
    let mixed = json!([{"reservation": stay(1)}, {"payment": {"id": 4, "amount": 3}}]);
    assert!(read(&draft_of(&[&mixed]), &mixed).is_empty());
    let rooms =
        json!({"booking": {"id": 7, "rooms": [{"id": 1, "check_in": "2027-05-01", "check_out": "2027-05-04"}]}});
    assert!(read(&draft_of(&[&rooms]), &rooms).is_empty());
}

#[test]
fn names_of_any_sort_make_a_valid_draft() {
    for nothing in [
        json!({"event": "ping"}),
        json!([1, 2]),
        json!("x"),
        json!({}),
        json!({"action": "updateRates", "data": {"1": 2}}),
    ] {
        let draft = draft_of(&[&nothing]);
        source(&draft);
        assert!(draft.text.contains("learn: true"), "{nothing}\n{}", draft.text);
    }
    for name in [
        "guest-name",
        "it's",
        "a\"b",
        "back\\slash",
        "{x}",
        "é",
        "a b",
        "#",
        "x: y",
        "\u{7}",
        "@",
        "[0]",
        "x\n- y: z",
        "else",
        "~",
    ] {
        for body in [
            json!({"booking": {"id": 1, name: {"email": "ana@guest.example", "arrival": "2027-05-01", "status": name}, "status": name}}),
            json!({"type": name, "booking": {"id": 12345, "status": name}}),
            json!({name: {"booking": {"id": 12345, "status": name, "guest_name": name}}}),
            json!({"bookings": [{"id": 12345, name: "2027-05-01", "status": name}]}),
        ] {
            source(&draft_of(&[&body]));
        }
    }
}

#[test]
fn several_bodies_show_what_differs() {
    let body = |status: &str, at: i64| json!({"booking": {"id": 5, "status": status, "arrival": "2027-05-01", "updated_at": at}});
    let all = [
        mapped(&body("new", 1_801_126_800)),
        mapped(&body("cancelled", 1_801_126_900)),
    ];
    let draft = draft(&all);
    let told = text(&all, &draft);
    for line in [
        "\"new\", \"cancelled\"  (2 times)  (differs)",
        "# new: ?",
        "{cancelled: cancelled}",
        "version: {by: $.booking.updated_at}",
        "no departure is certain",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let told = json(&all, &draft);
    let paths = told["paths"].as_array().expect("paths");
    let of = |path: &str| paths.iter().find(|one| one["path"] == path).expect("a path");
    assert_eq!(of("$.booking.status")["differs"], true);
    assert_eq!(of("$.booking.arrival")["differs"], false);
}

#[test]
fn bodies_are_json_or_forms() {
    let read = |text: &str| read_body(text.as_bytes());
    assert_eq!(
        read("code=A%201&guest=Ana+B&room=1&room=2&x=\n"),
        Ok(json!({"code": "A 1", "guest": "Ana B", "room": ["1", "2"], "x": ""}))
    );
    assert_eq!(
        read("\u{feff}{\"a\": 1.50}").map(|v| v.to_string()),
        Ok("{\"a\":1.50}".to_owned())
    );
    for (wrong, said) in [
        ("", "empty"),
        (" \n", "empty"),
        ("<a/>", "XML"),
        ("{\"a\"", ""),
        ("hello", ""),
    ] {
        assert!(read(wrong).unwrap_err().contains(said), "{wrong}");
    }
}
