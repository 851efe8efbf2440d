//! The recipes that are shipped, copied together as they stand and played through the real engine.

mod by_the_clock;

use std::path::Path;
use std::sync::Arc;

use crate::standin::HttpStandin;
use serde_json::{Value, json};
use stayhook::lang::diag::Report;
use stayhook::model::property::Properties;

use crate::support::{House, Plan};

const CONFIG: &str = include_str!("../../config.example.yaml");

/// The properties of the example of a configuration.
pub fn properties() -> Properties {
    let env = |name: &str| Some(format!("{name}-0123456789abcdef"));
    let mut report = Report::new();
    let config = stayhook::config::parse("config.example.yaml", CONFIG, Path::new("."), &env, &mut report);
    config
        .unwrap_or_else(|| panic!("{}", report.render(|_| None)))
        .properties
}

async fn house() -> (House, Arc<HttpStandin>) {
    let plan = Plan::default()
        .source("hospitable", "{preset: hospitable-v1, token: open-7f2c9d1e}")
        .source("payments", "{preset: generic, auth: none, stays_of: hospitable}")
        .properties(properties());
    with_recipes(plan).await
}

/// The house with every recipe that is shipped, and the stand-in for the locks.
pub async fn with_recipes(plan: Plan) -> (House, Arc<HttpStandin>) {
    let locks = Arc::new(HttpStandin::start().await.unwrap());
    let mut plan = plan.connections(&format!(
        "locks: {{http: {{base_url: {}, timeout: 5s}}}}\n",
        locks.base_url()
    ));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    for (_, text) in stayhook::config::recipe_files(&folder).unwrap().texts {
        plan = plan.recipe(&text);
    }
    (plan.build().await, locks)
}

/// A stay as the sender has it, at the second `at`.
fn stay(at: i64, more: Value) -> Value {
    let mut body = json!({
        "code": "HMCOPY7", "status": "accepted", "start_date": "2027-03-27", "end_date": "2027-04-02",
        "guests": 2, "pets": 1, "guest": {"first_name": "Ada", "last_name": "Example", "phone_last_4": 417},
        "listing": {"id": 12_346_789}, "currency": "USD", "total_price": 2400.5,
        "created_at": 1_798_800_000, "updated_at": 1_798_800_000 + at, "sent_at": 1_798_800_000 + at,
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// Tells it, and once more as a sender does that has not heard the answer.
async fn twice(house: &House, source: &str, mut body: Value) {
    house.tell(source, &body.to_string()).await;
    body["sent_at"] = json!(1_798_900_000);
    house.tell(source, &body.to_string()).await;
}

/// Method and address of everything that a target was asked.
pub fn lines(target: &HttpStandin) -> Vec<String> {
    let line = |request: &crate::standin::Request| format!("{} {}", request.method, request.path_and_query);
    target.requests().iter().map(line).collect()
}

/// Subject and recipient of every mail, in the order of the alphabet: recipes of one event have no order.
pub fn letters(house: &House) -> Vec<String> {
    let letters = house.mail.letters();
    let line =
        |letter: &crate::standin::Letter| format!("{}: {}", letter.to.join(" "), letter.header("Subject").unwrap());
    let mut lines: Vec<String> = letters.iter().map(line).collect();
    lines.sort();
    lines
}

async fn play(house: &House) {
    twice(house, "hospitable", stay(1, json!({"status": "pending"}))).await;
    twice(house, "hospitable", stay(2, json!({}))).await;
    twice(house, "hospitable", stay(3, json!({"pets": 2}))).await;
    twice(house, "hospitable", stay(4, json!({"pets": 2, "guests": 3}))).await;
    twice(
        house,
        "hospitable",
        stay(5, json!({"pets": 2, "guests": 3, "end_date": "2027-04-03"})),
    )
    .await;
    let payment = |id: &str, kind: &str, amount: &str| {
        json!({"code": "HMCOPY7", "payment": {"id": id, "kind": kind, "amount": amount, "currency": "USD",
            "description": "Stay", "paid_at": "2027-02-01T12:00:00Z"}})
    };
    twice(house, "payments", payment("p1", "guest", "2400.50")).await;
    twice(house, "payments", payment("p2", "payout", "2000.00")).await;
    twice(house, "payments", payment("p3", "refund", "2400.50")).await;
    let gone = json!({"status": "cancelled", "pets": 2, "guests": 3, "end_date": "2027-04-03"});
    twice(house, "hospitable", stay(6, gone)).await;
}

#[tokio::test]
async fn every_effect_of_all_of_them_together_comes_once() {
    let (house, locks) = house().await;
    play(&house).await;
    for round in ["first", "replayed"] {
        assert_eq!(
            lines(&house.cleaning),
            ["PUT /tasks/HMCOPY7", "PUT /tasks/HMCOPY7", "DELETE /tasks/HMCOPY7"],
            "{round}"
        );
        assert_eq!(lines(&locks), ["POST /access_codes/create"], "{round}");
        assert_eq!(
            lines(&house.books),
            ["POST /transactions", "POST /transactions"],
            "{round}"
        );
        assert_eq!(
            letters(&house),
            [
                "ana@example.com: Brannan Street: cleaning moved to Sat, 03 Apr",
                "ana@example.com: Brannan Street: cleaning on Fri, 02 Apr",
                "ana@example.com: Brannan Street: no cleaning on Sat, 03 Apr",
                "office@example.com: Brannan Street: 2400.5 USD from 27 Mar",
                "office@example.com: Brannan Street: HMCOPY7 is cancelled",
                "office@example.com: Brannan Street: change the door code of HMCOPY7",
                "office@example.com: Brannan Street: change the door code of HMCOPY7",
                "office@example.com: Brannan Street: pets with HMCOPY7",
                "office@example.com: Brannan Street: pets with HMCOPY7",
            ],
            "{round}"
        );
        for n in 0..house.deliveries().await.len() {
            house.replay(n, false, None).await;
        }
    }
    // What waited for its time was called off with the stay; only the list of every week waits on.
    let (answers, planned): (Vec<_>, Vec<_>) = house.runs().await.into_iter().partition(|run| run.event.is_some());
    assert!(answers.iter().all(|run| run.state == "succeeded"), "{answers:#?}");
    let ended = |run: &stayhook::store::RunRow| run.state == "cancelled" || run.stay.is_none();
    assert!(planned.len() > 4 && planned.iter().all(ended), "{planned:#?}");

    let moved = house.cleaning.requests()[1].json();
    assert_eq!(moved["starts"], "2027-04-03T11:00:00-07:00");
    assert_eq!(
        locks.requests()[0].json(),
        json!({"device_id": "dev_1", "name": "HMCOPY7", "code": "0417",
            "starts_at": "2027-03-27T16:00:00-07:00", "ends_at": "2027-04-02T11:00:00-07:00"})
    );
    let entries: Vec<Value> = house
        .books
        .requests()
        .iter()
        .map(|request| request.json()["transactions"][0].clone())
        .collect();
    assert_eq!(
        entries[0],
        json!({"type": "deposit", "date": "2027-02-01", "amount": "2400.50", "currency_code": "USD",
            "description": "Brannan Street, HMCOPY7: Stay", "source_name": "Guests",
            "destination_name": "Current account", "external_id": "p1", "internal_reference": "HMCOPY7"})
    );
    assert_eq!(
        (&entries[1]["type"], &entries[1]["external_id"]),
        (&json!("withdrawal"), &json!("refund p3"))
    );
    // The other way round, to the letter.
    assert_eq!(entries[1]["source_name"], entries[0]["destination_name"]);
    assert_eq!(entries[1]["destination_name"], entries[0]["source_name"]);
}

#[tokio::test]
async fn a_stay_that_was_never_confirmed_starts_nothing() {
    let (house, locks) = house().await;
    twice(&house, "hospitable", stay(1, json!({"status": "pending"}))).await;
    twice(
        &house,
        "hospitable",
        stay(2, json!({"status": "pending", "end_date": "2027-04-03"})),
    )
    .await;
    twice(
        &house,
        "hospitable",
        stay(3, json!({"status": "cancelled", "end_date": "2027-04-03"})),
    )
    .await;
    let begun: Vec<_> = house
        .runs()
        .await
        .into_iter()
        .filter(|run| run.event.is_some())
        .collect();
    assert!(begun.is_empty(), "{begun:#?}");
    assert_eq!((lines(&locks).len(), letters(&house).len()), (0, 0));
}

/// What a target refuses because it has it already is a person's to look at, not one more booking.
#[tokio::test]
async fn a_code_that_is_taken_is_seen_and_not_taken_for_ours() {
    let (house, locks) = house().await;
    let refusal = json!({"error": {"type": "duplicate_access_code", "message": "already exists"}});
    locks.then([crate::standin::Reply::json(409, &refusal)]);
    twice(&house, "hospitable", stay(1, json!({}))).await;
    assert_eq!(lines(&locks).len(), 1);
    let states = house.states().await;
    assert!(states.contains(&"Ask for the door code: dead".to_owned()), "{states:?}");
}

/// Copied into a folder where it is already, a recipe is a mistake and not a second booking.
#[test]
fn a_copy_of_a_recipe_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    let mut files = stayhook::config::recipe_files(&folder).unwrap().texts;
    let count = files.len();
    let copies: Vec<(String, String)> = files
        .iter()
        .map(|(file, text)| (format!("{file}-copy"), text.clone()))
        .collect();
    files.extend(copies);
    let mut report = Report::new();
    let book = stayhook::recipe::Book::load(&files, &stayhook::action::effect_kinds(), &mut report);
    assert!(
        book.all().is_empty() && report.mistakes() >= count,
        "{}",
        report.render(|_| None)
    );
}

/// A PMS that sends the whole number and no last digits of it still opens the door; one that sends neither is seen.
#[tokio::test]
async fn the_door_code_of_a_phone() {
    let (house, locks) = house().await;
    let guest = json!({"first_name": "Ada", "last_name": "Example", "phone": "+1 415 555 0123"});
    house
        .tell("hospitable", &stay(1, json!({"guest": guest})).to_string())
        .await;
    assert_eq!(locks.requests()[0].json()["code"], "0123");
    let none = json!({"code": "HMNONE1", "guest": {"first_name": "Ada"}});
    house.tell("hospitable", &stay(2, none).to_string()).await;
    assert_eq!(lines(&locks).len(), 1);
    let states = house.states().await;
    assert!(states.contains(&"Ask for the door code: dead".to_owned()), "{states:?}");
}
