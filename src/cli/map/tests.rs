//! Drafts over recorded requests and over bodies as an unknown sender may write them.

use serde_json::json;

use super::*;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::model::fact::{Fact, Says};
use crate::source::{self, Mapped as Read, Source};

fn mapped(body: &Value) -> Mapped {
    Mapped {
        name: "body".to_owned(),
        tree: Tree::of(body),
    }
}

/// The draft as a source, as `check` reads it.
fn source(draft: &str) -> Source {
    let text = format!("    token: 0123456789abcdef\n{draft}");
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", &text, &mut report);
    let source = node.and_then(|node| source::compile("pms", &node, &mut report));
    let told = report.render(|_| Some(text.clone()));
    // A body that says only part of a stay makes a draft that does.
    report
        .items
        .retain(|item| !["incomplete-mapping", "no-stays"].contains(&item.code));
    assert!(report.items.is_empty(), "{told}\n{text}");
    source.expect("a source")
}

fn read(source: &Source, body: &Value) -> Vec<Fact> {
    match source.map(body, &|_| None) {
        Read::Facts { facts, .. } => facts,
        other => panic!("{other:?}"),
    }
}

fn draft_of(bodies: &[&Value]) -> String {
    let all: Vec<Mapped> = bodies.iter().map(|body| mapped(body)).collect();
    draft::draft(&guessed(&all))
}

/// Every recorded body: the preset of its sender, its file, itself.
fn recorded() -> Vec<(String, String, Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let mut found = Vec::new();
    for preset in std::fs::read_dir(folder).expect("fixtures") {
        let preset = preset.expect("a folder").path();
        for file in std::fs::read_dir(&preset).expect("a folder") {
            let file = file.expect("a file").path();
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let wanted = [".json", ".form"].iter().any(|end| name.ends_with(end)) && !name.ends_with(".headers.json");
            if !wanted {
                continue;
            }
            let preset = preset.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).expect("a file");
            found.push((preset, name, body::read(&bytes).expect("a body")));
        }
    }
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    assert!(found.len() > 12, "{}", found.len());
    found
}

#[test]
fn every_draft_passes_the_check() {
    for (preset, name, body) in recorded() {
        let draft = draft_of(&[&body]);
        assert!(!draft.is_empty(), "{preset}/{name}");
        source(&draft);
    }
    let all = recorded();
    for preset in ["hospitable-v1", "hostelmate"] {
        let bodies: Vec<&Value> = all
            .iter()
            .filter(|(of, ..)| of == preset)
            .map(|(.., body)| body)
            .collect();
        source(&draft_of(&bodies));
    }
}

/// The field as the fact has it.
fn field<'f>(facts: &'f [Fact], name: &str) -> &'f Value {
    match &facts[0].says {
        Says::Reservation { fields } => fields.get(name).unwrap_or(&Value::Null),
        other => panic!("{other:?}"),
    }
}

#[test]
fn drafts_read_what_the_presets_read() {
    for (preset, file, credential) in [
        ("hospitable-v1", "01-create.json", "token"),
        ("hospitable-v1", "05-cancelled.json", "token"),
        ("hostelmate", "01-booking-created.json", "secret"),
    ] {
        let all = recorded();
        let body = &all
            .iter()
            .find(|(of, name, _)| of == preset && name == file)
            .expect("a body")
            .2;
        let settings = format!("preset: {preset}\n{credential}: 0123456789abcdef");
        let mut report = Report::new();
        let node = yaml::parse("x", &settings, &mut report).expect("YAML");
        let known = source::compile("pms", &node, &mut report).expect("a preset");
        let (by_preset, by_draft) = (read(&known, body), read(&source(&draft_of(&[body])), body));
        assert_eq!(by_draft[0].warnings, Vec::<String>::new());
        let name = |facts: &[Fact]| facts[0].stay.all().next().map(str::to_owned);
        assert_eq!(name(&by_draft), name(&by_preset), "{preset}");
        assert_eq!(
            by_draft[0].version.map(|v| v.by),
            by_preset[0].version.map(|v| v.by),
            "{preset}"
        );
        for name in [
            "check_in_date",
            "check_out_date",
            "status",
            "source_status",
            "guest.first_name",
            "guest.last_name",
            "guest.name",
            "guest.email",
            "guest.phone",
            "money.total",
            "money.currency",
            "guests",
            "adults",
            "channel",
            "property.name",
        ] {
            assert_eq!(field(&by_draft, name), field(&by_preset, name), "{preset}: {name}");
        }
        let ids = |facts: &[Fact]| {
            let ids = field(facts, "property.ids").as_array().into_iter().flatten();
            ids.map(Value::to_string).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(ids(&by_draft), ids(&by_preset), "{preset}");
    }
}

#[test]
fn an_unknown_sender_is_read() {
    let body = json!({
        "ereignis": "neu", "buchung": {
            "buchungsnummer": "AB-1234", "id": 991, "status": "Bestätigt", "anreise": "2027-05-01", "abreise": "2027-05-04",
            "gast": {"vorname": "Ana", "nachname": "Peeters", "email": "ana@guest.example", "telefon": "+49 30 1234567"},
            "erwachsene": 2, "kinder": 1, "unterkunft": {"id": 7, "name": "Haus am See"}, "preis": 450.5, "waehrung": "EUR",
        },
        "guest-name": "x",
    });
    let draft = draft_of(&[&body]);
    let facts = read(&source(&draft), &body);
    assert_eq!(facts[0].stay.code.as_deref(), Some("AB-1234"), "{draft}");
    assert_eq!(facts[0].stay.ids, ["991"]);
    for (name, value) in [
        ("check_in_date", json!("2027-05-01")),
        ("check_out_date", json!("2027-05-04")),
        ("guest.name", json!("Ana Peeters")),
        ("guest.phone", json!("+49 30 1234567")),
        ("adults", json!(2)),
        ("children", json!(1)),
        ("property.name", json!("Haus am See")),
        ("property.ids", json!(["7"])),
        ("money.currency", json!("EUR")),
    ] {
        assert_eq!(field(&facts, name), &value, "{name}\n{draft}");
    }
    assert_eq!(field(&facts, "money.total").to_string(), "450.5");
}

#[test]
fn lists_of_stays_are_items() {
    let stay = |code: &str| {
        json!({"code": code, "status": "ok", "arrival": "2027-05-01T15:00:00+02:00", "departure": "2027-05-04T10:00:00+02:00",
            "guest": {"name": "Ana Peeters"}, "room-id": 3})
    };
    let body = json!({"type": "changed", "data": [stay("A1"), stay("B2")]});
    let draft = draft_of(&[&body]);
    let facts = read(&source(&draft), &body);
    let codes: Vec<_> = facts.iter().filter_map(|fact| fact.stay.code.as_deref()).collect();
    assert_eq!(codes, ["A1", "B2"], "{draft}");
    assert_eq!(field(&facts, "guest.name"), "Ana Peeters");
    assert_eq!(field(&facts, "property.ids"), &json!(["3"]));
}

#[test]
fn what_is_missing_or_cannot_be_read_is_said() {
    let body = json!({"code": "A1", "status": "zzz", "arrival": "27.03.2027", "checkout_time": "11:00", "total": 91200, "currency": "EUR",
        "formatted": "EUR 912.00"});
    let draft = draft_of(&[&body]);
    source(&draft);
    for said in [
        "nothing here looks like a departure date",
        "$.arrival looks like a date in another order",
        "$.checkout_time holds a time of day alone",
        "zzz: unknown",
        "total: {from: $.total, minor: true}",
        "in cents",
        "cancelled: cancelled",
        "{hash: body}",
    ] {
        assert!(draft.contains(said), "{said}\n{draft}");
    }
    for nothing in [
        json!({"event": "ping"}),
        json!([1, 2]),
        json!("x"),
        json!({}),
        json!({"action": "updateRates", "data": {"1": 2}}),
    ] {
        let draft = draft_of(&[&nothing]);
        source(&draft);
        assert!(draft.contains("learn: true"), "{nothing}\n{draft}");
    }
}

#[test]
fn names_of_any_sort_make_a_valid_draft() {
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
    ] {
        let body = json!({"code": "A1", name: {"email": "ana@guest.example", "arrival": "2027-05-01", "status": name, "type": name}});
        source(&draft_of(&[&body]));
        let body = json!({"type": name, "booking": {"id": 12345, "status": name}});
        source(&draft_of(&[&body]));
    }
}

#[test]
fn several_bodies_show_what_differs() {
    let body = |status: &str, at: i64| json!({"id": 5, "status": status, "arrival": "2027-05-01", "updated_at": at});
    let all = [
        mapped(&body("new", 1_801_126_800)),
        mapped(&body("gone", 1_801_126_900)),
    ];
    let told = text(&all);
    let (differ, same) = told.split_once("and the same").expect("two parts");
    for (part, path) in [(differ, "$.status"), (differ, "$.updated_at"), (same, "$.arrival")] {
        assert!(part.contains(path), "{path}\n{told}");
    }
    assert!(differ.contains("\"new\" | \"gone\""), "{told}");
    assert!(
        told.contains("gone: unknown") && told.contains("new: confirmed"),
        "{told}"
    );
    let told = json(&all);
    let of = |path: &str| {
        told["paths"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["path"] == path))
            .cloned()
    };
    assert_eq!(of("$.status").expect("a path")["differs"], true);
    assert_eq!(of("$.arrival").expect("a path")["differs"], false);
}

#[test]
fn a_sender_that_spells_in_two_ways_is_read_in_both() {
    let first = json!({"event": "reservation/created", "reservationID": "821490", "startDate": "2027-12-17", "endDate": "2027-12-18"});
    let second = json!({"event": "reservation/dates_changed", "reservationId": "821490", "startDate": "2027-12-17", "endDate": "2027-12-20"});
    let message = json!({"event": "message/new", "reservationId": "821490", "message": {"id": 5, "text": "Is there parking?", "from": "guest"}});
    let draft = draft_of(&[&first, &message, &second]);
    let source = source(&draft);
    for (body, said) in [(&first, "2027-12-18"), (&second, "2027-12-20")] {
        let facts = read(&source, body);
        assert_eq!(facts[0].stay.all().next(), Some("821490"), "{draft}");
        assert_eq!(field(&facts, "check_out_date"), said);
    }
    match &read(&source, &message)[0].says {
        Says::Message { message, .. } => assert_eq!(
            (&message["text"], &message["from"]),
            (&json!("Is there parking?"), &json!("guest"))
        ),
        other => panic!("{other:?}\n{draft}"),
    }
}
