//! Every example of the reference does what it shows: keys in files that are read by the real readers and rendered, words
//! and fields in a run.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use stayhook::action::effect_kinds;
use stayhook::cli::schema::{File, actions};
use stayhook::lang::diag::Report;
use stayhook::lang::effect::Rendering;
use stayhook::lang::shape::schema::value_of;
use stayhook::lang::shape::{Form, More, Shape, Standing, reachable};
use stayhook::lang::yaml;
use stayhook::model::event::Event;
use stayhook::model::field::{FIELDS, FieldKind, MESSAGE, PAYMENT};
use stayhook::model::id::DeliveryId;
use stayhook::recipe::{EVENT_WORDS, Facts, ROOT_WORDS, RUN_WORDS, STAY_WORDS};

use crate::support::Plan;

const RECIPE: &str = include_str!("../fixtures/whole/recipe.yaml");
const CONFIG: &str = include_str!("../fixtures/whole/config.yaml");

/// Keys that stand in neither of the two files as their examples have them; the tests of mappings and conditions read them.
const ELSEWHERE: [&str; 10] = [
    "`match`: message",
    "where a value comes from: map",
    "where a value comes from: else",
    "where an event comes from: value",
    "where an event comes from: else",
    "where the kind of a stay comes from: value",
    "where the status comes from: value",
    "where the kind of a payment comes from: map",
    "where the author of a message comes from: value",
    "an `smtp` connection: ca_file",
];

/// A place in a file where an example can stand: the path of the settings, the key that gives way, and the example.
struct Spot {
    path: Vec<String>,
    key: String,
    own: bool,
    of: (&'static str, &'static str),
    example: &'static str,
}

/// Collects the spots of settings and of all below them.
fn spots(shapes: &[&'static Shape], value: &Value, path: &[String], into: &mut Vec<Spot>) {
    let below = |key: &str| path.iter().cloned().chain([key.to_owned()]).collect::<Vec<_>>();
    if let Value::Array(items) = value {
        for (at, item) in items.iter().enumerate() {
            spots(shapes, item, &below(&at.to_string()), into);
        }
    }
    let Value::Object(entries) = value else { return };
    let fits = |shape: &&&'static Shape| entries.keys().all(|key| shape.is_open() || shape.entry(key).is_some());
    let Some(shape) = shapes.iter().find(fits) else { return };
    let own = shape.more.iter().find_map(|more| match more {
        More::Own(own) => Some(*own),
        _ => None,
    });
    let kinds = actions();
    for (key, value) in entries {
        let mut spot = |own, name, example: &'static str| {
            into.push(Spot {
                path: path.to_vec(),
                key: key.clone(),
                own,
                of: (shape.what, name),
                example,
            });
        };
        let form = match (shape.entry(key), own, kinds.iter().find(|(kind, _)| kind == key)) {
            (Some(entry), _, _) => {
                if entry.standing == Standing::Read && !entry.example.is_empty() {
                    spot(false, entry.name, entry.example);
                }
                entry.form
            }
            (None, Some(own), _) => {
                spot(true, own.name, own.example);
                own.form
            }
            (None, None, Some((_, shape))) => Form::Settings(shape),
            (None, None, None) => continue,
        };
        spots(&form.shapes(), value, &below(key), into);
    }
}

/// The file with the example at its spot; beside what is there where the name is the user's own. What excludes it gives way.
fn with_example(document: &Value, spot: &Spot) -> Value {
    let mut document = document.clone();
    if spot.example.starts_with("Authorization") {
        document["connections"]["cleaning"]["http"]
            .as_object_mut()
            .unwrap()
            .remove("basic");
    }
    let settings = spot.path.iter().fold(&mut document, |value, step| match value {
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        value => &mut value[step.as_str()],
    });
    let settings = settings.as_object_mut().unwrap();
    let key = match spot.own {
        true => spot.example.split(": ").next().unwrap().trim_matches('"'),
        false => &spot.key,
    };
    settings.insert(key.to_owned(), value_of(spot.example).unwrap());
    let others: &[&str] = match key {
        "on" => &["gather", "again", "late"],
        "headers" => &["basic"],
        _ => &[],
    };
    settings.retain(|other, _| !others.contains(&other.as_str()));
    document
}

fn document(text: &str) -> Value {
    yaml::parse("whole.yaml", text, &mut Report::new()).unwrap().value()
}

fn env(name: &str) -> Option<String> {
    let unset = ["ZONE", "DRY", "METRICS", "TIMEOUT", "MANY", "MAIL_PORT"];
    (!unset.contains(&name)).then(|| format!("MfKQ9r8GKYqrTwjUPD8ILPZIo2La{}", name.len() + 1000))
}

fn event() -> Event {
    let stay = json!({
        "code": "HMABC1", "key": "HMABC1", "status": "confirmed", "kind": "guest", "check_in": "2027-03-27T16:00:00-07:00",
        "check_out": "2027-03-30T11:00:00-07:00", "check_in_date": "2027-03-27", "check_out_date": "2027-03-30",
        "guests": 4, "guest": {"name": "Ana Peeters", "first_name": "Ana", "email": "ana@guest.example", "location": "Gent"},
        "property": {"name": "Brannan Street", "timezone": "America/Los_Angeles", "vars": {"cleaner": "bo@example.com"}},
    });
    let delivery = DeliveryId("d_1".to_owned());
    Event {
        id: delivery.event(0),
        stay: delivery.stay(0),
        delivery,
        source: "hospitable".to_owned(),
        types: vec!["reservation.dates_changed".to_owned()],
        at_ms: 1_806_000_000_000,
        reservation: stay.clone().into(),
        previous: stay.into(),
        changes: json!({"check_out": {"from": "2027-03-29T11:00:00-07:00", "to": "2027-03-30T11:00:00-07:00"}}).into(),
        payment: json!({"id": "p1", "amount": "10.50", "currency": "EUR"}).into(),
        message: json!({"id": "m1", "text": "Hello"}).into(),
        around: Value::Null.into(),
        gathered: Value::Null.into(),
    }
}

/// Reads the recipe, renders every step of it, and says what is wrong.
fn played(text: &str) -> String {
    let mut report = Report::new();
    let Some(recipe) = stayhook::recipe::compile("whole.yaml", text, &effect_kinds(), &mut report) else {
        return report.render(|_| Some(text.to_owned()));
    };
    let (event, payload) = (event(), Arc::new(json!({"guest": {"location": "Gent"}})));
    let facts = Facts::new(&event, &payload, "2027-03-25T15:00:00-07:00".parse().unwrap());
    let done: Map<String, Value> = recipe
        .steps
        .iter()
        .map(|step| (step.id.clone(), json!({"output": {"id": 7, "message_id": "<m@x>"}})))
        .collect();
    let (steps, run) = (Value::Object(done), json!({"id": "r_1", "key": "r_1"}));
    let vars = match recipe.vars(&facts, &steps, &run) {
        Ok(vars) => vars,
        Err(error) => return error.to_string(),
    };
    let values = facts.values(steps, vars, run);
    let mut said = Vec::new();
    for step in &recipe.steps {
        said.extend(
            step.when
                .iter()
                .filter_map(|when| when.holds(&values).err())
                .map(|error| error.to_string()),
        );
        match step.effect.render("c", &values) {
            Ok(Rendering::Ready(_) | Rendering::Skip(_)) => {}
            Err(error) => said.push(error.to_string()),
        }
    }
    said.join("\n")
}

#[test]
fn every_example_of_a_key_is_read_and_rendered() {
    let (mut done, mut wrong) = (HashSet::new(), Vec::new());
    for (file, text) in [(File::Recipe, RECIPE), (File::Config, CONFIG)] {
        let whole = document(text);
        let mut found = Vec::new();
        spots(&[file.shape()], &whole, &[], &mut found);
        for spot in found {
            // The whole files have some at many places, not all of which go together with it.
            if done.contains(&(spot.of, spot.example)) {
                continue;
            }
            let mut changed = with_example(&whole, &spot).to_string();
            // What else stands in the file calls it by its new name.
            if spot.of.1 == "id" {
                changed = changed.replace("steps.task", "steps.tell");
            }
            let said = match file {
                File::Recipe => played(&changed),
                _ => {
                    let mut report = Report::new();
                    let config = stayhook::config::parse("whole.yaml", &changed, Path::new("."), &env, &mut report);
                    config.map_or_else(|| report.render(|_| None), |_| String::new())
                }
            };
            match said.lines().find(|line| !line.starts_with([' ', 'w'])) {
                None => _ = done.insert((spot.of, spot.example)),
                Some(mistake) => wrong.push(((spot.of, spot.example), mistake.to_owned())),
            }
        }
    }
    wrong.retain(|(of, _)| !done.contains(of));
    assert!(wrong.is_empty(), "{wrong:#?}");
    let kinds: Vec<&'static Shape> = actions().into_iter().map(|(_, shape)| shape).collect();
    let mut left = Vec::new();
    for file in [File::Recipe, File::Config] {
        for shape in reachable(file.shape(), &kinds) {
            let entries = shape
                .entries()
                .into_iter()
                .filter(|entry| entry.standing == Standing::Read);
            let examples = entries
                .map(|entry| (entry.name, entry.example))
                .filter(|(_, example)| !example.is_empty());
            // Settings of several sorts share keys and their examples.
            let missed = examples.filter(|one| !done.iter().any(|((_, name), example)| (*name, *example) == *one));
            left.extend(missed.map(|(name, _)| format!("{}: {name}", shape.what)));
        }
    }
    assert_eq!(left, ELSEWHERE);
}

/// Delivers, and gives every body that went out.
async fn sent(plan: Plan, bodies: &[Value]) -> Vec<Value> {
    let house = plan.build().await;
    for body in bodies {
        house.tell("ours", &body.to_string()).await;
    }
    let runs = house.runs().await;
    assert!(
        !runs.is_empty() && runs.iter().all(|run| run.state == "succeeded"),
        "{runs:#?}"
    );
    house.cleaning.requests().iter().map(|request| request.json()).collect()
}

fn source() -> Plan {
    Plan::default().source("ours", "{preset: generic, auth: none}")
}

#[tokio::test]
async fn every_field_is_what_its_example_shows() {
    // Code, dates and status as well, so that there is a stay.
    let mut body = json!({"event_id": "1", "code": "HMABC1"});
    let (mut stay, mut facts) = (Map::new(), Map::new());
    for field in FIELDS {
        let value = match field.kind {
            FieldKind::List => json!([field.example]),
            FieldKind::Count => json!(field.example.parse::<u64>().unwrap()),
            _ => json!(field.example),
        };
        match field.name.split_once('.') {
            None => body[field.name] = value,
            Some((group, leaf)) => body[group][leaf] = value,
        }
        stay.insert(
            field.name.to_owned(),
            format!("{{{{ reservation.{} }}}}", field.name).into(),
        );
    }
    for field in PAYMENT.iter().chain(MESSAGE) {
        facts.insert(field.name.to_owned(), format!("{{{{ {} }}}}", field.name).into());
    }
    let recipe = |name: &str, events: &str, json: Map<String, Value>| {
        json!({"name": name, "on": {"event": events}, "actions": [
            {"http": {"connection": "cleaning", "url": "/x", "json": json}}]})
        .to_string()
    };
    let part = |of: &str| -> Map<String, Value> {
        facts
            .iter()
            .filter(|(name, _)| name.starts_with(of))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect()
    };
    let fact = |of: &[stayhook::model::field::Field], group: &str| {
        let leaves = of
            .iter()
            .map(|field| (field.split().1.to_owned(), json!(field.example)));
        json!({"event_id": group, "code": "HMABC1", group: leaves.collect::<Map<_, _>>()})
    };
    let plan = source()
        .recipe(&recipe("stay", "reservation.created", stay))
        .recipe(&recipe("payment", "payment.created", part("payment")))
        .recipe(&recipe("message", "message.received", part("message")));
    let bodies = sent(plan, &[body, fact(PAYMENT, "payment"), fact(MESSAGE, "message")]).await;
    assert_eq!(bodies.len(), 3);
    for field in FIELDS.iter().chain(PAYMENT).chain(MESSAGE) {
        let found = bodies.iter().find_map(|body| body.get(field.name)).unwrap();
        let found = match found {
            Value::Array(items) => items[0].clone(),
            one => one.clone(),
        };
        let text = found.as_str().map_or(found.to_string(), str::to_owned);
        match field.kind {
            FieldKind::Time => {
                let instant = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
                assert_eq!(instant(&text), instant(field.example), "{}", field.name);
            }
            _ => assert_eq!(text, field.example, "{}", field.name),
        }
    }
}

#[tokio::test]
async fn every_word_of_templates_gives_something() {
    let words: Vec<_> = [ROOT_WORDS, STAY_WORDS, EVENT_WORDS, RUN_WORDS].concat();
    let words: Vec<&str> = words
        .iter()
        .filter(|word| !word.later)
        .map(|word| word.example)
        .collect();
    let (lists, words): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.contains("gathered"));
    // A header takes less than anything else.
    let recipe = |name: &str, start: &str, words: &[&str]| {
        let headers: Map<String, Value> = words
            .iter()
            .enumerate()
            .map(|(at, word)| (format!("X-{at}"), json!(word)))
            .collect();
        let step = json!({"connection": "cleaning", "url": "/x", "headers": headers, "json": words});
        let task = json!({"id": "task", "http": {"connection": "books", "url": "/t", "output": {"id": "$.id"}}});
        format!("{{name: {name}, {start}, actions: {}}}", json!([task, {"http": step}]))
    };
    let start = "vars: {day: \"{{ now | date('%d %b') }}\"}, \
                 on: {event: [reservation.dates_changed, payment.created, message.received]}";
    let house = source()
        .properties(crate::recipes::properties())
        .recipe(&recipe("words", start, &words))
        .recipe(&recipe(
            "lists",
            "on: {schedule: {daily: true, at: \"09:00\"}}, gather: {arrivals: {stay: check_in, within: 30d}}",
            &lists,
        ))
        .build()
        .await;
    house
        .books
        .then((0..9).map(|n| crate::standin::Reply::json(200, &json!({"id": n}))));
    let stay = |id: &str, code: &str, from: &str, to: &str| {
        json!({"event_id": id, "code": code, "status": "confirmed", "check_in_date": from, "check_out_date": to,
            "property": {"id": 12_346_789}, "guest": {"name": format!("Ana {code}"), "first_name": "Ana",
            "last_name": "Ruiz", "location": "Gent"}})
    };
    for body in [
        stay("1", "BEFORE", "2027-01-05", "2027-01-08"),
        stay("2", "AFTER", "2027-01-15", "2027-01-18"),
        stay("3", "A", "2027-01-10", "2027-01-14"),
        stay("4", "A", "2027-01-10", "2027-01-15"),
        json!({"event_id": "5", "code": "A", "payment": {"id": "p1", "amount": 10, "currency": "EUR"}}),
        json!({"event_id": "6", "code": "A", "message": {"id": "m1", "text": "Hello"}}),
    ] {
        house.tell("ours", &body.to_string()).await;
    }
    house.clock.set(crate::support::at("2027-01-01T17:00:00Z"));
    house
        .when(|runs| runs.iter().any(|run| run.recipe == "lists" && run.state == "succeeded"))
        .await;
    let runs = house.runs().await;
    let dead: Vec<_> = runs
        .iter()
        .filter(|run| !["succeeded", "scheduled"].contains(&run.state.as_str()))
        .collect();
    assert!(dead.is_empty(), "{dead:#?}");
    let requests = house.cleaning.requests();
    for (words, lists) in [(&words, false), (&lists, true)] {
        assert!(!words.is_empty());
        for (at, word) in words.iter().enumerate() {
            let header = format!("x-{at}");
            let mut of = requests
                .iter()
                .filter(|request| (request.json().as_array().unwrap().len() == 1) == lists);
            assert!(
                of.any(|request| request.header(&header).is_some_and(|value| !value.is_empty())),
                "{word}"
            );
        }
    }
}
