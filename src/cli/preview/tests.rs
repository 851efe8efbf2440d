//! The whole command on files.

use std::fs;

use serde_json::json;

use super::*;

const CONFIG: &str = "dry_run: false\n\
    sources: {pms: {preset: generic, token: 0123456789abcdef}}\n\
    connections:\n\
    \x20 cleaning: {http: {base_url: https://x.example}}\n\
    \x20 mail: {smtp: {host: localhost, tls: none, from: a@b.example}}\n\
    properties: {p: {match: [p1], vars: {cleaner: ana@example.com}}}\n";
const MOVED: &str = "name: Moved\non: {event: reservation.dates_changed}\nmatch: {status: booked}\nactions:\n\
    \x20 - {id: put, http: {method: PUT, url: \"/tasks/{{ reservation.key }}\", json: {out: \"{{ reservation.check_out_date }}\"}, output: {id: $.id}}}\n\
    \x20 - {http: {url: /never}, when: reservation.guests > 9}\n\
    \x20 - {email: {to: \"{{ property.vars.cleaner }}\", subject: \"task {{ steps.put.output.id }}\", text: moved}}\n";

fn stay(check_out: &str, updated_at: &str) -> String {
    json!({
        "code": "A1", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": check_out,
        "guests": 2, "property": {"id": "p1"}, "updated_at": updated_at,
    })
    .to_string()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("recipes")).expect("a folder");
    for (name, text) in [
        ("config.yaml", CONFIG),
        ("recipes/moved.yaml", MOVED),
        ("recipes/broken.yaml", "name: Broken\n"),
        ("first.json", &stay("2027-04-02", "2027-01-01T00:00:00Z")),
        ("second.json", &stay("2027-04-03", "2027-01-02T00:00:00Z")),
        ("older.json", &stay("2027-04-03", "2026-01-02T00:00:00Z")),
        ("nothing.json", "{\"event\": \"ping\"}"),
        ("bad.json", "{"),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn preview(folder: &Path, recipe: &str, payload: &str, after: &[&str], output: Output) -> (bool, String) {
    let args = Args {
        recipe: Some(recipe.to_owned()).filter(|name| !name.is_empty()),
        header: Vec::new(),
        path: None,
        query: None,
        payload: folder.join(payload),
        source: "pms".to_owned(),
        at: time("2027-01-03T00:00:00Z").ok(),
        after: after.iter().map(|name| folder.join(name)).collect(),
    };
    let mut out = Vec::new();
    let clock = Clock::manual(Time::default());
    let code = run(&args, &folder.join("config.yaml"), output, &|_| None, &clock, &mut out);
    let text = String::from_utf8(out).expect("text");
    (format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS), text)
}

#[test]
fn a_change_is_rendered_step_by_step() {
    let folder = folder();
    let (fine, text) = preview(folder.path(), "Moved", "second.json", &["first.json"], Output::Json);
    assert!(fine, "{text}");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let fact = &told["facts"][0];
    assert_eq!(fact["event"]["types"], json!(["reservation.dates_changed"]));
    let recipe = &fact["recipes"][0];
    assert_eq!(recipe["result"], "ran");
    assert_eq!(fact["recipes"].as_array().map(Vec::len), Some(1));
    let steps = &recipe["steps"];
    assert_eq!(steps[0]["request"]["url"], "/tasks/A1");
    assert_eq!(steps[0]["request"]["json"]["out"], "2027-04-03");
    assert_eq!(
        (&steps[0]["state"], &steps[0]["connection"]),
        (&json!("rendered"), &json!("cleaning"))
    );
    assert_eq!(
        (&steps[1]["state"], &steps[1]["step"]),
        (&json!("skipped"), &json!("2"))
    );
    assert_eq!(steps[2]["request"]["to"], json!(["ana@example.com"]));
    assert_eq!(steps[2]["earlier_outputs_unknown"], true);
    assert_eq!(steps[0]["earlier_outputs_unknown"], false);
    // The same for people, by the recipe's file.
    let file = folder.path().join("recipes/moved.yaml").display().to_string();
    let (fine, text) = preview(folder.path(), &file, "second.json", &["first.json"], Output::Table);
    assert!(fine, "{text}");
    for line in [
        "a reservation of the stay A1\n",
        "  event: reservation.dates_changed\n",
        "  Moved: would run (every condition holds)\n",
        "    step put: http over `cleaning`\n",
        "      url: /tasks/A1\n",
        "    step 2: passed over: ",
        "      (what earlier steps would give is not known here; it stands as nothing)\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
}

#[test]
fn a_stay_that_is_taken_over_says_why() {
    let folder = folder();
    let mut booked: Value = serde_json::from_str(&stay("2027-04-02", "2027-01-01T00:00:00Z")).expect("JSON");
    booked["created_at"] = json!("2026-11-30T00:00:00Z");
    fs::write(folder.path().join("booked.json"), booked.to_string()).expect("a file");
    for (live_from, payload, words) in [
        (
            "2027-01-01T00:00:00Z",
            "first.json",
            "    taken over, not announced: the sender does not say when it was booked, and for 30 days after the source's \
             `live_from` such stays are taken over in silence\n",
        ),
        (
            "2027-01-01T00:00:00Z",
            "booked.json",
            "    taken over, not announced: it was booked before the source's `live_from`\n",
        ),
        (
            "2027-02-01T00:00:00Z",
            "first.json",
            "    taken over, not announced: it came before the source's `live_from`\n",
        ),
    ] {
        let config = CONFIG.replace("generic, ", &format!("generic, live_from: {live_from}, "));
        fs::write(folder.path().join("config.yaml"), config).expect("a file");
        let (fine, text) = preview(folder.path(), "Moved", payload, &[], Output::Table);
        assert!(fine && text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn why_nothing_would_be_done() {
    let folder = folder();
    for (recipe, payload, after, words) in [
        (
            "all",
            "first.json",
            &[][..],
            "Moved: would not run (on reservation.dates_changed is not so",
        ),
        ("all", "first.json", &[], "Broken: is broken ("),
        (
            "Moved",
            "second.json",
            &["second.json"],
            "no event (unchanged): everything it says is known already",
        ),
        ("Moved", "older.json", &["first.json"], "no event (stale): older"),
        ("Moved", "nothing.json", &[], "ignored: a test of the connection"),
    ] {
        let (fine, text) = preview(folder.path(), recipe, payload, after, Output::Table);
        assert!(fine && text.contains(words), "{words:?} in\n{text}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let folder = folder();
    for (recipe, payload, after, words) in [
        ("Mved", "first.json", &[][..], "did you mean `Moved`?"),
        ("Broken", "first.json", &[], "a recipe needs `on`"),
        ("Moved", "none.json", &[], "none.json cannot be read"),
        ("Moved", "bad.json", &[], "the body is not JSON"),
        (
            "Moved",
            "first.json",
            &["nothing.json"],
            "nothing.json says nothing that could come before",
        ),
    ] {
        let (fine, text) = preview(folder.path(), recipe, payload, after, Output::Table);
        assert!(!fine && text.contains(words), "{words:?} in\n{text}");
    }
}

/// The recipes that are shipped do what they say, and nothing to stays that they should leave alone.
#[test]
fn the_recipes_that_are_shipped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let config = fs::read_to_string(root.join("config.example.yaml")).expect("it is there");
    fs::write(folder.path().join("config.yaml"), config).expect("a file");
    let recipes = crate::config::recipe_files(&root.join("recipes"))
        .expect("they can be read")
        .texts;
    fs::create_dir(folder.path().join("recipes")).expect("a folder");
    for (file, text) in &recipes {
        let name = Path::new(file).file_name().expect("a name");
        fs::write(folder.path().join("recipes").join(name), text).expect("a file");
    }
    let body = |status: &str, out: &str, version: u8| {
        json!({
            "code": "A1", "status": status, "check_in_date": "2027-03-27", "check_out_date": out, "guests": 2,
            "pets": 1, "guest": {"name": "Ada Example", "phone_last4": "0417"}, "money": {"currency": "EUR", "total": "2400"},
            "created_at": "2027-01-01T00:00:00Z", "property": {"id": "12346789"}, "updated_at": i64::from(version),
        })
        .to_string()
    };
    let all = [
        ("pending", body("pending", "2027-04-02", 1)),
        ("booked", body("confirmed", "2027-04-02", 2)),
        ("moved", body("confirmed", "2027-04-03", 3)),
        ("gone", body("cancelled", "2027-04-03", 4)),
    ];
    for (name, text) in &all {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let ran = |payload: &str, after: &[&str], at: &str| {
        let args = Args {
            recipe: Some("all".to_owned()),
            header: Vec::new(),
            path: None,
            query: None,
            payload: folder.path().join(payload),
            source: "old-pms".to_owned(),
            at: time(at).ok(),
            after: after.iter().map(|name| folder.path().join(name)).collect(),
        };
        let (mut out, clock) = (Vec::new(), Clock::manual(Time::default()));
        let env = |name: &str| Some(format!("{name}-0123456789abcdef"));
        run(
            &args,
            &folder.path().join("config.yaml"),
            Output::Json,
            &env,
            &clock,
            &mut out,
        );
        let told: Value = serde_json::from_slice(&out).expect("JSON");
        let recipes = told["facts"][0]["recipes"].as_array().cloned().unwrap_or_default();
        // Those that wait for a clock are played where their time comes, in `tests/it/recipes.rs`.
        let at_once = recipes.into_iter().filter(|recipe| recipe["due_at"].is_null());
        let ran = at_once.filter(|recipe| recipe["result"] == "ran");
        ran.map(|recipe| {
            let steps = recipe["steps"].as_array().cloned().unwrap_or_default();
            assert!(
                steps
                    .iter()
                    .all(|step| step["state"] == "rendered" && step["missing"] == json!([])),
                "{steps:#?}"
            );
            let kinds: Vec<&str> = steps.iter().filter_map(|step| step["kind"].as_str()).collect();
            format!(
                "{}: {}",
                recipe["recipe"].as_str().unwrap_or_default(),
                kinds.join(", ")
            )
        })
        .collect::<Vec<_>>()
    };
    let before = "2027-02-01T00:00:00Z";
    let late = "2027-05-01T00:00:00Z";
    let confirmed = [
        "Ask for the door code: http",
        "Book the cleaning: http, email",
        "Tell of a large stay: email",
        "Tell of pets: email",
    ];
    for (payload, after, at, expected) in [
        ("pending", &[][..], before, &[][..]),
        ("booked", &[], before, &confirmed),
        ("booked", &[], late, &[]),
        (
            "moved",
            &["booked"],
            before,
            &["Move the cleaning: email, http", "Remind of the door code: email"],
        ),
        ("moved", &["booked"], late, &[]),
        ("moved", &["pending"], before, &confirmed),
        (
            "gone",
            &["booked"],
            before,
            &[
                "Call off the cleaning: email, http",
                "Remind of the door code: email",
                "Tell of a cancellation: email",
            ],
        ),
        ("gone", &["pending"], before, &[]),
    ] {
        assert_eq!(ran(payload, after, at), expected, "{payload} after {after:?} at {at}");
    }
}

#[test]
fn without_a_recipe_it_shows_how_the_body_is_read() {
    let folder = folder();
    let lab = "  lab:\n    token: 0123456789abcdef\n    ignore: [{$.kind: noise, because: only noise}]\n    \
        receipt_key: [$.event_id, [$.code, header.X-Id], {hash: body, without: [$.sent]}]\n    map:\n      \
        - {applies_to: {header.X-Event: payment}, reservation: {code: $.code}, payment: {id: $.id, amount: $.amount}}\n      \
        - {applies_to: {header.X-Event: \"booking*\"}, partial: true, reservation: {code: $.code, guests: $.guests, check_in_date: $.day}}\n";
    let config = CONFIG.replace(
        "sources: {pms: {preset: generic, token: 0123456789abcdef}}\n",
        &format!("sources:\n{lab}"),
    );
    fs::write(folder.path().join("config.yaml"), config).expect("a file");
    fs::write(
        folder.path().join("stay.json"),
        r#"{"code": "A1", "guests": 2, "day": "soon"}"#,
    )
    .expect("a file");
    fs::write(folder.path().join("noise.json"), r#"{"kind": "noise"}"#).expect("a file");
    let shown = |payload: &str, headers: &[&str], output: Output| {
        let args = Args {
            recipe: None,
            payload: folder.path().join(payload),
            source: "lab".to_owned(),
            header: headers.iter().map(|text| header(text).expect("a header")).collect(),
            path: Some("booking_removed".to_owned()),
            query: Some("who=ana&token=x".to_owned()),
            at: time("2027-01-03T00:00:00Z").ok(),
            after: Vec::new(),
        };
        let (mut out, clock) = (Vec::new(), Clock::manual(Time::default()));
        run(
            &args,
            &folder.path().join("config.yaml"),
            output,
            &|_| None,
            &clock,
            &mut out,
        );
        String::from_utf8(out).expect("text")
    };
    let text = shown("stay.json", &["X-Event: booking.new", "X-ID: 7"], Output::Table);
    for line in [
        "who sent it: not asked",
        "known again by: entry 2 of 3: $.code and header.x-id",
        "mapping: 2 of 2 applies",
        "it says only a part",
        "guests  2",
        "warning: `check_in_date` is not readable",
        "no event (processed): kept; the stay is incomplete",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("would run"), "{text}");
    let text = shown("stay.json", &[], Output::Table);
    for line in [
        "entry 3 of 3: the body without $.sent",
        "none of 2 applies",
        "nothing could be read",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let text = shown("noise.json", &[], Output::Table);
    assert!(text.contains("rule 1 of `ignore` holds: only noise"), "{text}");
    let told: Value = serde_json::from_str(&shown("stay.json", &["x-event: booking"], Output::Json)).expect("JSON");
    assert_eq!(told["reading"]["mappings"], json!([2]));
    assert_eq!(told["reading"]["partial"], true);
    assert_eq!(told["facts"][0]["fields"]["guests"], 2);
    assert_eq!(told["facts"][0]["recipes"], json!([]));
    for wrong in ["X-Event", "a b: c"] {
        assert!(header(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_planned_is_shown_with_its_time_and_as_it_would_go_out() {
    let folder = folder();
    let clock = "name: Clock\non:\n  - {stay: check_out, before: 1d, at: '10:00'}\n  - {stay: created, after: 1h}\nmatch: {status: booked}\nwhen: reservation.guests > 1\nactions:\n  - http: {connection: cleaning, url: \"/remind/{{ reservation.key }}/{{ event.type }}\"}\n";
    fs::write(folder.path().join("recipes/clock.yaml"), clock).expect("a file");
    let (fine, text) = preview(folder.path(), "Clock", "first.json", &[], Output::Table);
    assert!(fine, "{text}");
    for line in [
        "Clock: would run on Sun 3 Jan 2027 at 01:00 (+00:00) (every condition holds)",
        "Clock: would run on Thu 1 Apr 2027 at 10:00 (+00:00) (every condition holds)",
        "url: https://x.example/remind/A1/stay.check_out",
    ] {
        assert!(
            text.contains(line) || text.contains(&line.replace("https://x.example", "")),
            "{line}\n{text}"
        );
    }
    // It moves: what was planned moves, and nothing new is.
    let (_, text) = preview(folder.path(), "Clock", "second.json", &["first.json"], Output::Json);
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let recipes = told["facts"][0]["recipes"].as_array().expect("a list");
    let due: Vec<&Value> = recipes.iter().map(|recipe| &recipe["due_at"]).collect();
    assert_eq!(due, [&json!("2027-04-02T10:00:00+00:00")], "{text}");
}
