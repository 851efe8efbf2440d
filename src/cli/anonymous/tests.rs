//! Nothing that the mapping does not know is left, and everything that it knows is read as before.

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::cli::map::read_body;
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

fn facts(source: &Source, body: &Value, headers: &BTreeMap<String, String>) -> Vec<Fact> {
    match source.map(body, &|name| headers.get(name).cloned()) {
        Mapped::Facts { facts, .. } => facts,
        Mapped::Ignored(_) | Mapped::Unmapped(_) => Vec::new(),
    }
}

/// What has to be as it was: statuses, dates, amounts, currencies, counts, the order, and what sort of fact it is.
fn kept(fact: &Fact) -> String {
    let personal = |name: &str| {
        name.starts_with("guest.")
            || name.starts_with("property.")
            || ["source_status", "channel", "parent", "children_codes"].contains(&name)
    };
    match &fact.says {
        Says::Reservation { fields } => {
            let fields: BTreeMap<_, _> = fields.iter().filter(|(name, _)| !personal(name)).collect();
            format!("{fields:?} {:?}", fact.version)
        }
        Says::Payment { payment, .. } => format!(
            "{} {} {} {}",
            payment["kind"], payment["amount"], payment["currency"], payment["paid_at"]
        ),
        Says::Message { message, .. } => format!("{} {}", message["from"], message["at"]),
    }
}

/// Every recorded request of every preset: its name, the source, the body and what is kept of its headers.
fn recorded() -> Vec<(String, Source, Value, BTreeMap<String, String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|one| one.expect("a folder").path())
    {
        let Ok(expected) = std::fs::read_to_string(folder.join("expect.yaml")) else {
            continue;
        };
        let mut report = Report::new();
        let mut settings = yaml::parse("x", &expected, &mut report).expect("YAML").value()["source"].clone();
        settings["preset"] = folder
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .into();
        let source = source(&settings.to_string());
        for file in std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|one| one.expect("a file").path())
        {
            let name = file.display().to_string();
            let Some(stem) = name.strip_suffix(".headers.json") else {
                continue;
            };
            let request: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
            let bytes = [".json", ".form"]
                .iter()
                .find_map(|end| std::fs::read(format!("{stem}{end}")).ok());
            let Some(body) = bytes.and_then(|bytes| read_body(&bytes).ok()) else {
                continue;
            };
            let headers = request["headers"].as_object().cloned().unwrap_or_default();
            let sent = |name: &str| {
                let header = headers.iter().find(|(sent, _)| sent.eq_ignore_ascii_case(name));
                header.and_then(|(_, value)| value.as_str()).map(str::to_owned)
            };
            let headers = source.kept_headers(&sent);
            found.push((name, source.clone(), body, headers));
        }
    }
    assert!(found.len() > 80, "{}", found.len());
    found
}

/// Calls `each` with the body with one single value in the place of each of its values, one after the other.
fn spoilt(body: &Value, new: &Value, each: &mut dyn FnMut(&str, &Value)) {
    fn places(value: &Value, at: String, into: &mut Vec<String>) {
        match value {
            Value::Object(entries) => entries.iter().for_each(|(name, value)| {
                places(
                    value,
                    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                    into,
                )
            }),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(n, value)| places(value, format!("{at}/{n}"), into)),
            _ => into.push(at),
        }
    }
    let mut all = Vec::new();
    places(body, String::new(), &mut all);
    // Of hundreds of items, which are all alike, some.
    let step = 1 + all.len() / 60;
    for place in all.into_iter().step_by(step) {
        let mut body = body.clone();
        if let Some(value) = body.pointer_mut(&place) {
            *value = new.clone();
        }
        each(&place, &body);
    }
}

#[test]
fn no_canary_survives_in_any_place_of_any_recorded_body() {
    for (at, (name, source, body, headers)) in recorded().into_iter().enumerate() {
        let canaries = [
            "Kanarie",
            "canary4711.created",
            "Žluť Kanárek <k@guest.example>",
            "+43 660 4711 0815",
        ];
        for canary in canaries.into_iter().cycle().skip(at).take(2) {
            spoilt(&body, &json!(canary), &mut |place, body| {
                let (new, _) = anonymous(body, &headers, Some(&source));
                let left = new.to_string().to_lowercase();
                for part in ["kanar", "canary", "4711", "kanár", "žlu", "guest.example"] {
                    assert!(!left.contains(part), "{name} {place}: {canary}\n{new:#}");
                }
            });
        }
        // An id of many digits is no count.
        spoilt(&body, &json!(90_817_263_540_i64), &mut |place, body| {
            let (new, _) = anonymous(body, &headers, Some(&source));
            let known = source.allowed(body, &BTreeMap::new());
            let value = body.pointer(place).expect("a place");
            assert!(
                known.contains_key(&std::ptr::from_ref(value)) || !new.to_string().contains("90817263540"),
                "{name} {place}\n{new:#}"
            );
        });
    }
}

#[test]
fn saved_bodies_are_read_like_what_was_sent() {
    let mut seen = 0;
    for (name, source, body, headers) in recorded() {
        let (new, new_headers) = anonymous(&body, &headers, Some(&source));
        let (before, after) = (facts(&source, &body, &headers), facts(&source, &new, &new_headers));
        let all = |facts: &[Fact]| facts.iter().map(kept).collect::<Vec<_>>();
        assert_eq!(all(&before), all(&after), "{name}\n{new:#}");
        // Two stays stay two, and one that is named twice stays one.
        for (a, b) in before.iter().enumerate().flat_map(|(n, _)| (0..n).map(move |m| (n, m))) {
            let same =
                |facts: &[Fact]| facts[a].stay.ids == facts[b].stay.ids && facts[a].stay.code == facts[b].stay.code;
            assert_eq!(same(&before), same(&after), "{name}\n{new:#}");
        }
        seen += before.len();
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn the_same_becomes_the_same_and_keeps_its_shape() {
    let body = json!({"code": "HMQX7KP2ZD", "guest": {"first_name": "Maëlle", "phone": "+32 470 12 34 56", "vip": true},
        "again": "HMQX7KP2ZD", "other": "HMQX7KP2ZE", "listing": {"id": 20418833}, "listing_again": "20418833", "start_date": "2027-03-27",
        "birthday": "1988-02-03T10:00:00Z", "status": "accepted", "618340": {"a@b.example": "😀 ok"}, "uuid": "68d1f234-912c-5e65-b8f5-485928d317e1"});
    let (new, _) = anonymous(&body, &BTreeMap::new(), Some(&hospitable()));
    assert_eq!(new["code"], new["again"]);
    assert_ne!(new["code"], new["other"]);
    assert_eq!(new["code"].as_str().map(str::len), Some(10));
    assert_eq!(new["guest"]["phone"], "+10 000 00 00 00");
    assert_eq!(new["guest"]["vip"], false);
    assert_eq!(
        new["listing"]["id"].to_string(),
        new["listing_again"].as_str().expect("a text")
    );
    assert_eq!(
        (&new["start_date"], &new["status"]),
        (&json!("2027-03-27"), &json!("accepted"))
    );
    assert_eq!(new["birthday"], "2000-01-01T00:00:00Z");
    let text = new.to_string();
    assert!(
        !text.contains("618340") && !text.contains("b.example") && !text.contains('😀'),
        "{text}"
    );
    let (none, _) = anonymous(&body, &BTreeMap::new(), None);
    assert!(
        !none.to_string().contains("2027") && !none.to_string().contains("accepted"),
        "{none}"
    );
}

#[test]
fn headers_keep_only_the_words_that_the_mapping_names() {
    let headers: BTreeMap<String, String> = [
        ("content-type", "application/json"),
        ("x-event", "booking.secret"),
        ("x-id", "90817263"),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into();
    let source = source(
        "token: 0123456789abcdef\nmap: {applies_to: {header.X-Event: \"booking.*\", header.X-Id: \"*\"}, reservation: {code: $.code}}",
    );
    let (_, new) = anonymous(&json!({"code": "A1"}), &headers, Some(&source));
    assert_eq!(new["content-type"], "application/json");
    assert_eq!(new["x-event"], "booking.aaaaaa");
    assert_eq!(new["x-id"], "10000000");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any JSON keeps its form, and nothing of it is left where nothing is known.
    #[test]
    fn any_body_keeps_its_form(text in "\\PC{0,40}", name in "\\PC{0,12}", number in any::<i64>()) {
        let body = json!({"list": [text, {"guest": {"name": text, "phone": text}}], name: number, "id": number, "email": text});
        let (new, _) = anonymous(&body, &BTreeMap::new(), None);
        prop_assert!(new["id"].is_number() && new["list"][0].is_string() && new["list"][1]["guest"]["phone"].is_string());
        prop_assert_eq!(new.as_object().map(Map::len), body.as_object().map(Map::len));
        prop_assert_eq!(&new["list"][0], &new["email"]);
    }
}
