//! The whole command on files.

use std::fs;

use super::*;
use crate::action;

const CONFIG: &str = "sources: {a: {preset: generic, token: 0123456789abcdef}}\n\
                      connections: {c: {http: {base_url: https://x.example}}}\n";
const RECIPE: &str = "name: Tell\non: {event: reservation.created}\nactions: [{http: {url: /x}}]\n";

fn folder(config: &str, recipes: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config.yaml"), config).expect("a file");
    fs::create_dir(folder.path().join("recipes")).expect("a folder");
    for (name, text) in recipes {
        fs::write(folder.path().join("recipes").join(name), text).expect("a file");
    }
    folder
}

fn check(folder: &Path, paths: &[&str], output: Output) -> (bool, String) {
    let args = Args {
        paths: paths.iter().map(|path| folder.join(path)).collect(),
    };
    let mut out = Vec::new();
    let clock = Clock::manual(now());
    let config = folder.join("config.yaml");
    let checked = run(&args, &config, output, &|_| None, &clock, &mut out);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let code = runtime.block_on(checked);
    let text = String::from_utf8(out).expect("text");
    let text = text.replace(&format!("{}/", folder.display()), "");
    (format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS), text)
}

/// A Thursday.
fn now() -> Time {
    "2026-12-31T12:00:00Z".parse().expect("a time")
}

#[test]
fn a_schedule_says_when_it_comes_next() {
    let recipe = |on: &str| format!("name: Tell\non: {on}\nactions: [{{http: {{url: /x}}}}]\n");
    let config = format!("{CONFIG}timezone: America/Los_Angeles\n");
    for (on, next) in [
        // Today there; the year is said where it is another.
        (
            "{schedule: {daily: true, at: \"18:00\"}}",
            "every day at 18:00, send POST `/x` over `c`; next: Thu 31 Dec 18:00.\n",
        ),
        (
            "{schedule: {weekly: monday, at: \"09:00\", timezone: Europe/Lisbon}}",
            "every Monday at 09:00, Europe/Lisbon, send POST `/x` over `c`; next: Mon 4 Jan 2027 09:00.\n",
        ),
        (
            "[{schedule: {cron: \"0 9 * * 1\"}}, {schedule: {cron: \"30 4 * * *\"}}]",
            "; next: Thu 31 Dec 04:30.\n",
        ),
        (
            "{stay: check_in}",
            "at check-in, if the status is booked, send POST `/x` over `c`.\n",
        ),
    ] {
        let folder = folder(&config, &[("a.yaml", &recipe(on))]);
        let (fine, text) = check(folder.path(), &[], Output::Table);
        assert!(fine && text.contains(next), "{on}: {text}");
    }
    let off = recipe("{schedule: {daily: true, at: \"18:00\"}}\nenabled: false");
    let folder = folder(&config, &[("a.yaml", &off)]);
    assert!(!check(folder.path(), &[], Output::Table).1.contains("next:"));
}

#[test]
fn what_the_store_has_planned_is_said() {
    let next = |on: &str| {
        let mut report = Report::new();
        let text = format!("name: Tell\non: {on}\nactions: [{{http: {{url: /x}}}}]\n");
        let recipe = crate::recipe::compile("a.yaml", &text, &action::effect_kinds(), &mut report).expect("a recipe");
        let stored = |name: &str| (name == "Tell").then(|| "Brannan, Fri 3 Apr 10:00".to_owned());
        next_firing(&recipe, chrono_tz::UTC, now(), &stored)
    };
    assert_eq!(next("{stay: check_in}").as_deref(), Some("Brannan, Fri 3 Apr 10:00"));
    assert_eq!(
        next("{status: pending, for: 1d}").as_deref(),
        Some("Brannan, Fri 3 Apr 10:00")
    );
    assert_eq!(next("{event: reservation.created}"), None);
    assert_eq!(
        next("[{stay: check_in}, {schedule: {daily: true, at: \"18:00\"}}]").as_deref(),
        Some("Brannan, Fri 3 Apr 10:00 and Thu 31 Dec 18:00")
    );
}

#[test]
fn what_is_fine_is_said_as_sentences() {
    let folder = folder(CONFIG, &[("a.yaml", RECIPE)]);
    let (fine, text) = check(folder.path(), &[], Output::Table);
    assert!(fine, "{text}");
    assert!(
        text.starts_with("Tell: when a stay is new, send POST `/x` over `c`.\n\n/hooks/a asks for "),
        "{text}"
    );
    assert!(text.ends_with("\n1 recipe, 1 source, 1 connection: fine\n"), "{text}");
    assert_eq!(check(folder.path(), &[], Output::Json), (true, "[]\n".to_owned()));
}

#[test]
fn mistakes_of_every_file_are_said() {
    let wrong = RECIPE.replace("Tell", "Other").replace("created", "craeted");
    let warns = RECIPE.replace("{url: /x}", "{url: \"/{{ property.vars.x }}\"}");
    let folder = folder(CONFIG, &[("a.yaml", warns.as_str()), ("b.yaml", &wrong)]);
    let (fine, text) = check(folder.path(), &[], Output::Table);
    assert!(!fine);
    assert!(
        text.contains("recipes/b.yaml, line 2, column 13: there is no event"),
        "{text}"
    );
    assert!(text.contains("    2 | on: {event: reservation.craeted}"), "{text}");
    assert!(text.ends_with("\n1 mistake, 1 warning\n"), "{text}");
    let (fine, text) = check(folder.path(), &[], Output::Json);
    let items: Value = serde_json::from_str(&text).expect("JSON");
    assert!(!fine);
    assert_eq!(items[0]["code"], "unknown-event");
    assert_eq!((&items[0]["line"], &items[0]["column"]), (&json!(2), &json!(13)));
    assert_eq!(items[0]["file"], "recipes/b.yaml");
    assert_eq!(items[0]["help"], "did you mean `reservation.created`?");
    assert_eq!(items[1]["severity"], "warning");
    // Only what is asked for.
    let (fine, text) = check(folder.path(), &["recipes/a.yaml", "recipes/a.yaml"], Output::Table);
    assert!(fine, "{text}");
    assert!(
        text.ends_with("\n1 recipe, 1 source, 1 connection: 1 warning\n"),
        "{text}"
    );
}

#[test]
fn a_bad_configuration_hides_no_recipe() {
    let folder = folder(
        "recipes: recipes\ntimezon: UTC\n",
        &[("a.yaml", RECIPE), ("b.yaml", "name: b\n")],
    );
    let (fine, text) = check(folder.path(), &[], Output::Table);
    assert!(!fine);
    // One in the configuration, two in the recipe; that nothing fits together is not said.
    assert!(text.ends_with("\n3 mistakes, 1 warning\n"), "{text}");
    assert!(text.contains("did you mean `timezone`?"), "{text}");
    let (_, text) = check(folder.path(), &["nowhere.yaml"], Output::Table);
    assert!(text.contains("nowhere.yaml"), "{text}");
}
