//! What is left of a person, and what a mapping still reads.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::model::fact::{Fact, Says};
use crate::source::{self, Mapped};

fn source(settings: &str) -> Source {
    let mut report = Report::new();
    let node = yaml::parse("x", settings, &mut report).expect("YAML");
    source::compile("pms", &node, &mut report).expect("a source")
}

fn hospitable() -> Source {
    source("preset: hospitable-v1\ntoken: 0123456789abcdef")
}

fn facts(source: &Source, body: &Value) -> Vec<Fact> {
    match source.map(body, &|_| None) {
        Mapped::Facts { facts, .. } => facts,
        other => panic!("{other:?}"),
    }
}

fn without(body: &Value, source: Option<&Source>) -> Value {
    anonymous(body, &BTreeMap::new(), source).0
}

/// Every text and number of a value that its class says has to go.
fn leaves(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(entries) => entries.values().for_each(|value| leaves(value, into)),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        _ => {}
    }
}

#[test]
fn the_same_becomes_the_same_everywhere() {
    let body = json!({
        "code": "HMQX7KP2ZD", "guest": {"first_name": "Maëlle", "last_name": "O’Connor", "email": "m@guest.example",
            "phone": "+32 470 12 34 56", "phone_last_4": 3456, "picture_url": "https://img.example/s3cret/a.jpg"},
        "reference": "20418833-HMQX7KP2ZD", "listing": {"id": 20418833, "name": "Casa Azulejo"},
        "note": "Maëlle (HMQX7KP2ZD) rings at 470-123456 or MAËLLE writes to m@guest.example about Casa Azulejo, 20418833.",
        "tel": "32470123456", "other": {"phone": "32470123456"}, "total_price": 1003.20, "nights": 6,
        "start_date": "2027-03-27", "updated_at": 1801126800, "status": "waiting for payment",
        "uuid": "68d1f234-912c-5e65-b8f5-485928d317e1", "total_price_formatted": "€1,003.20", "currency": "EUR",
        "timezone": "-0500", "cancelledBy": "guest", "618340": {"birthday": "1988-02-03"},
    });
    let new = without(&body, Some(&hospitable()));
    let text = new.to_string();
    for gone in [
        "HMQX7KP2ZD",
        "Maëlle",
        "MAËLLE",
        "Connor",
        "m@guest",
        "470",
        "3456",
        "s3cret",
        "20418833",
        "Azulejo",
        "68d1f234",
        "618340",
        "1988",
    ] {
        assert!(!text.contains(gone), "{gone}\n{new:#}");
    }
    for (name, value) in [
        ("nights", json!(6)),
        ("start_date", json!("2027-03-27")),
        ("updated_at", json!(1_801_126_800)),
        ("status", json!("waiting for payment")),
        ("total_price_formatted", json!("€1,003.20")),
        ("currency", json!("EUR")),
        ("timezone", json!("-0500")),
        ("cancelledBy", json!("guest")),
    ] {
        assert_eq!(new[name], value);
    }
    assert_eq!(new["total_price"].to_string(), "1003.2");
    let code = new["code"].as_str().expect("a text");
    assert_eq!(code.len(), 10);
    let (first, note) = (
        new["guest"]["first_name"].as_str().expect("a text"),
        new["note"].as_str().expect("a text"),
    );
    assert!(note.starts_with(&format!("{first} ({code})")), "{new:#}");
    assert!(
        note.contains(&first.to_uppercase()) && note.contains("guest1@guest.example"),
        "{note}"
    );
    let id = new["listing"]["id"].to_string();
    assert_eq!(id.len(), 8);
    assert!(note.ends_with(&format!("{id}.")), "{note}");
    assert_eq!(new["reference"], format!("{id}-{code}"));
    let phone = new["guest"]["phone"].as_str().expect("a text");
    assert_eq!(new["other"]["phone"], text::digits(phone));
    assert!(phone.starts_with('+') && phone.len() == "+32 470 12 34 56".len());
    assert!(
        text::digits(phone).ends_with(&new["guest"]["phone_last_4"].to_string()),
        "{new:#}"
    );
    assert!(crate::cli::map::shape::is_uuid(new["uuid"].as_str().expect("a text")));
    assert_eq!(new, without(&body, Some(&hospitable())), "twice the same");
}

#[test]
fn headers_are_kept_without_anybody_in_them() {
    let headers: BTreeMap<String, String> = [
        ("content-type", "application/json"),
        ("x-event", "booking.created"),
        ("x-id", "90817263"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let (body, kept) = anonymous(&json!({"id": 90817263}), &headers, None);
    assert_eq!(
        (kept["content-type"].as_str(), kept["x-event"].as_str()),
        ("application/json", "booking.created")
    );
    assert_eq!(kept["x-id"], body["id"].to_string());
    assert_ne!(kept["x-id"], "90817263");
}

/// What has to stay: everything but who, which and where.
fn kept(fact: &Fact) -> Value {
    let fields = match &fact.says {
        Says::Reservation { fields } => json!(fields),
        Says::Payment { payment, .. } => payment.clone(),
        Says::Message { message, .. } => message.clone(),
    };
    let who = [
        "guest.",
        "property.",
        "id",
        "text",
        "description",
        "children_codes",
        "parent",
    ];
    let fields: BTreeMap<String, Value> = fields
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let hidden = who.iter().any(|part| name.starts_with(part)) && name != "guest.language";
            (
                name.clone(),
                if hidden { json!(value.is_null()) } else { value.clone() },
            )
        })
        .collect();
    json!({"fields": fields, "version": fact.version, "hint": fact.hint, "warnings": fact.warnings,
        "code": fact.stay.code.is_some(), "ids": fact.stay.ids.len()})
}

#[test]
fn recorded_bodies_are_read_as_before() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let mut seen = 0;
    for (preset, credential) in [("hospitable-v1", "token"), ("hostelmate", "secret")] {
        let source = source(&format!("preset: {preset}\n{credential}: 0123456789abcdef"));
        for file in std::fs::read_dir(folder.join(preset)).expect("a folder") {
            let path = file.expect("a file").path();
            let name = path.display().to_string();
            if !name.ends_with(".json") || name.ends_with(".headers.json") {
                continue;
            }
            let body: Value = serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
            let new = without(&body, Some(&source));
            let (before, after) = (facts(&source, &body), facts(&source, &new));
            assert_eq!(
                before.iter().map(kept).collect::<Vec<_>>(),
                after.iter().map(kept).collect::<Vec<_>>(),
                "{name}"
            );
            let personal = ["guest", "code", "bookingId", "address"];
            for (field, value) in body
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(field, _)| personal.contains(&field.as_str()))
            {
                let mut originals = Vec::new();
                leaves(value, &mut originals);
                for original in originals.iter().filter(|one| one.chars().count() >= 4) {
                    assert!(
                        !new.to_string().contains(original.as_str()),
                        "{name}: {field} {original}\n{new:#}"
                    );
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 12);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Names of letters that no word of a program has, so that what is left of them is theirs.
    #[test]
    fn nobody_is_left_and_everything_is_read(
        code in "[QXZ]{2}[A-Z0-9]{6}[0-9]{2}",
        first in "[ßøåž]{2}[a-z]{3,8}",
        last in "[ÄÖÜ][žšč]{1,2}[a-z]{2,6}",
        phone in "\\+[1-9][0-9]{1,2} [0-9]{3} [0-9]{3} [0-9]{4}",
        listing in 10_000_000_u64..99_999_999,
        total in 1_u32..100_000,
        guests in 1_u8..9,
        day in 1_u32..28,
        status in prop::sample::select(vec!["accepted", "pending", "cancelled", "waiting for payment", "something new"]),
        mapped in any::<bool>(),
    ) {
        let source = hospitable();
        let body = json!({
            "code": code, "status": status, "start_date": format!("2027-03-{day:02}"), "end_date": "2027-04-02",
            "guests": guests, "total_price": total, "currency": "EUR", "updated_at": 1_801_126_800,
            "guest": {"first_name": first, "last_name": last, "phone": phone, "email": format!("{first}@zz.example")},
            "listing": {"id": listing, "name": format!("House of {last}")},
            "note": format!("{first} {last} ({code}) booked {listing}, {phone}"), "again": {"code": code, "name": first},
        });
        let new = without(&body, mapped.then_some(&source));
        let (before, after) = (facts(&source, &body), facts(&source, &new));
        prop_assert_eq!(before.iter().map(kept).collect::<Vec<_>>(), after.iter().map(kept).collect::<Vec<_>>());
        let text = new.to_string().to_lowercase();
        for original in [&code, &first, &last, &phone, &listing.to_string()] {
            prop_assert!(original.chars().count() < 4 || !text.contains(&original.to_lowercase()), "{}\n{:#}", original, new);
        }
        prop_assert_eq!(&new["again"]["code"], &new["code"]);
        let note = new["note"].as_str().unwrap_or_default();
        prop_assert!(note.contains(new["code"].as_str().unwrap_or("-")), "{:#}", new);
        prop_assert!(note.contains(&new["listing"]["id"].to_string()), "{:#}", new);
        prop_assert_eq!(new["code"].as_str().map(str::len), Some(code.len()));
        prop_assert_eq!(without(&body, mapped.then_some(&source)), new);
    }

    /// Any JSON keeps its form.
    #[test]
    fn any_body_keeps_its_form(text in "\\PC{0,40}", name in "\\PC{0,12}", number in any::<i64>()) {
        let body = json!({"list": [text, {"guest": {"name": text, "phone": text}}], name: number, "id": number, "email": text});
        let new = without(&body, None);
        prop_assert!(new["id"].is_number() && new["list"][0].is_string() && new["list"][1]["guest"]["phone"].is_string());
        prop_assert_eq!(new.as_object().map(Map::len), body.as_object().map(Map::len));
    }
}
