//! What is planned, asked of the real program: what is ahead, a stay's timeline, what other recipes would change, and
//! what was passed over.

use serde_json::Value;
use stayhook::model::clock::Clock;

use crate::cli::{all, say, serve};
use crate::daemon::{Daemon, Site};

const CONFIG: &str = "
timezone: UTC
sources: {lab: {preset: generic, auth: none}}
connections: {cleaning: {http: {base_url: \"http://127.0.0.1:9\"}}}
";

fn recipe(name: &str, on: &str) -> String {
    format!(
        "name: {name}\non: {on}\nactions:\n  - http: {{connection: cleaning, url: /t, json: {{}}}}\n    retry: never\n"
    )
}

fn before(days: u32) -> String {
    format!("{{stay: check_in, before: {days}d, at: '10:00'}}")
}

/// A booked stay that begins in so many days and twelve hours, as the sender says it for the `n`th time: whatever the
/// hour, whole days from its times are half a day away.
fn stay(code: &str, days: i64, n: u32) -> String {
    let at = |days| (Clock::System.now() + chrono::TimeDelta::hours(24 * days + 12)).to_rfc3339();
    let (from, to) = (at(days), at(days + 3));
    format!(
        r#"{{"event_id": "{code}-{n}", "code": "{code}", "status": "confirmed", "guests": {n}, "check_in": "{from}", "check_out": "{to}"}}"#
    )
}

/// Other recipes beside those that the daemon watches, for `--config other.yaml`: nobody takes them over.
fn other(site: &Site, recipes: &[(&str, &str)]) {
    let folder = site.path().join("other");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).unwrap();
    for (file, text) in recipes {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let text = std::fs::read_to_string(site.path().join("config.yaml")).unwrap();
    std::fs::write(site.path().join("other.yaml"), format!("{text}recipes: other\n")).unwrap();
}

fn write(site: &Site, file: &str, text: &str) {
    std::fs::write(site.path().join("recipes").join(file), text).unwrap();
}

/// Asks until the answer is as wanted.
async fn until(site: &Site, line: &str, wanted: &str) {
    let waited = async { while !say(site, line).await.out.contains(wanted) {} };
    tokio::time::timeout(std::time::Duration::from_secs(30), waited)
        .await
        .unwrap_or_else(|_| panic!("{line}: no {wanted}"));
}

async fn told(daemon: &Daemon, bodies: &[String]) {
    for body in bodies {
        assert_eq!(daemon.post("lab", body).await.unwrap().0, 200);
    }
}

async fn json(site: &Site, line: &str) -> Value {
    let said = say(site, &format!("{line} --output json")).await;
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{line}: {}{}", said.out, said.err))
}

#[tokio::test]
async fn what_is_ahead_is_listed_as_the_api_has_it() {
    let site = Site::new(
        CONFIG,
        &[&recipe("Door", &before(2)), &recipe("Clean", "{stay: check_out}")],
    );
    let daemon = serve(&site).await;
    told(&daemon, &[stay("A", 30, 1), stay("B", 40, 1), stay("A", 31, 2)]).await;
    until(&site, "reservations timeline lab A", "moved").await;
    all(
        &site,
        &[
            ("upcoming", 0, "2 days before check-in at 10:00"),
            ("upcoming --recipe Clean --code B", 0, "in 43d"),
            ("upcoming --within 1d", 0, "nothing"),
            ("upcoming --limit 3", 0, "more with --cursor "),
            ("reservations timeline lab A", 0, "──── now ────"),
            ("reservations timeline lab A", 0, "Door from "),
            ("reservations timeline lab X", 1, "has told of no stay"),
        ],
    )
    .await;
    let said = say(&site, "reservations timeline lab A").await.out;
    assert!(said.lines().all(|line| line.chars().count() <= 100), "{said}");
    for (line, path) in [
        ("upcoming --limit 2", "upcoming?limit=2"),
        ("reservations timeline lab A", "reservations/lab/A/timeline"),
    ] {
        let (status, body) = daemon.get(&format!("/api/v1/{path}")).await.unwrap();
        let mut api: Value = serde_json::from_str(&body).unwrap();
        let mut own = json(&site, line).await;
        assert_eq!(status, 200);
        // How far away it is changes from one look to the next.
        for items in [&mut own, &mut api].map(|page| page["items"].as_array_mut().unwrap()) {
            assert!(!items.is_empty(), "{line}");
            for item in items.iter_mut().filter(|item| item["kind"] == "ahead") {
                item.as_object_mut().unwrap().remove("text");
            }
        }
        assert_eq!(own, api);
    }
    let page = json(&site, "upcoming --code A --recipe Door").await;
    let id = page["items"][0]["id"].as_str().unwrap().to_owned();
    let show = format!("runs show {id}");
    all(
        &site,
        &[
            (&show, 0, "entry check_in-2d@10:00#0: 2 days before check-in at 10:00"),
            (&show, 0, "planned for "),
            (&show, 0, "moved from "),
        ],
    )
    .await;
    daemon.kill().await;
    all(&site, &[("upcoming", 0, "2 days before check-in at 10:00")]).await;
}

#[tokio::test]
async fn other_recipes_are_held_against_what_is_planned_and_nothing_is_written() {
    let site = Site::new(
        CONFIG,
        &[&recipe("Door", &before(2)), &recipe("Clean", "{stay: check_out}")],
    );
    let daemon = serve(&site).await;
    let stays: Vec<String> = (0..25).map(|n| stay(&format!("S{n:02}"), 4 + n, 1)).collect();
    told(&daemon, &stays).await;
    until(&site, "upcoming --limit 500 --recipe Clean", "S24").await;
    let ahead = json(&site, "upcoming --limit 100").await;
    for at in ["plan", "plan --check"] {
        all(
            &site,
            &[
                (at, 0, "Clean: as planned"),
                (at, 0, "what is planned is what the recipes say"),
            ],
        )
        .await;
    }
    // Another time, one that has passed for the first stays; one recipe less, one more.
    let door = recipe("Door", "{stay: check_in, before: 7d}");
    let leave = recipe("Leave", "{stay: check_out, after: 1h}");
    other(&site, &[("0.yaml", &door), ("1.yaml", &leave)]);
    let mut daemon = Some(daemon);
    for _with_and_without in 0..2 {
        let said = say(&site, "plan --config other.yaml").await;
        assert_eq!(said.code, 0, "{}", said.err);
        for words in [
            "Door: 22 added, 25 removed, 3 skipped as past",
            "Clean: 25 removed",
            "removed because there is no recipe `Clean` any more",
            "Leave: 25 added",
            "1 hour after check-out",
            "and 5 more removed (--all)",
            "nothing is written",
        ] {
            assert!(said.out.contains(words), "{words}: {}", said.out);
        }
        assert!(
            !say(&site, "plan --config other.yaml --all")
                .await
                .out
                .contains("(--all)")
        );
        all(
            &site,
            &[
                ("plan --config other.yaml --check", 1, "Leave: 25 added"),
                ("plan --config other.yaml --recipe Leave", 0, "Leave: 25 added"),
                ("plan --config other.yaml --recipe Leavy", 2, "did you mean `Leave`?"),
            ],
        )
        .await;
        let one = say(&site, "plan --config other.yaml --recipe Leave").await.out;
        assert!(!one.contains("Door"), "{one}");
        let plan = json(&site, "plan --config other.yaml").await;
        assert_eq!(plan["differs"], true);
        assert_eq!(plan["recipes"][1]["recipe"], "Door");
        assert_eq!(
            (&plan["recipes"][1]["past"], &plan["passed_over"]),
            (&3.into(), &0.into())
        );
        assert_eq!(plan["recipes"][1]["runs"].as_array().unwrap().len(), 20 + 20 + 3);
        if let Some(daemon) = daemon.take() {
            daemon.kill().await;
        }
    }
    assert_eq!(json(&site, "upcoming --limit 100").await, ahead);
    // A file with a mistake: what it said before counts.
    let clean = recipe("Clean", "{stay: check_out}");
    let broken = "name: Door\non: {stay: chek_in}\nactions: []\n";
    other(&site, &[("0.yaml", broken), ("1.yaml", &clean)]);
    let said = say(&site, "plan --config other.yaml --check").await;
    assert!(said.code == 0 && said.out.contains("Door: as planned"), "{}", said.out);
    assert!(said.err.contains("its last good revision counts"), "{}", said.err);
    assert!(said.err.contains("chek_in"), "{}", said.err);
}

#[tokio::test]
async fn what_was_passed_over_runs_when_a_person_asks_for_it() {
    let site = Site::new(CONFIG, &[&recipe("Door", &before(2))]);
    let daemon = serve(&site).await;
    told(&daemon, &[stay("A", 5, 1)]).await;
    until(&site, "upcoming", "Door").await;
    all(&site, &[("plan --backfill", 0, "nothing was passed over")]).await;
    let (door, hello) = (recipe("Door", &before(2)), recipe("Hello", &before(10)));
    other(&site, &[("0.yaml", &door), ("hello.yaml", &hello)]);
    all(
        &site,
        &[
            ("plan --config other.yaml", 0, "Hello: 1 skipped as past"),
            ("plan --config other.yaml --backfill", 0, "reload it first"),
        ],
    )
    .await;
    write(&site, "hello.yaml", &hello);
    daemon.reload();
    daemon.says("\"message\":\"reloaded\"").await;
    until(&site, "plan --check", "1 run passed over").await;
    all(
        &site,
        &[
            ("runs list --recipe Hello", 0, "planned after its time"),
            ("plan --backfill", 2, "--yes does it without asking"),
            ("plan --backfill --yes --recipe Door", 0, "nothing was passed over"),
            ("plan --backfill --yes", 0, "1 run due now"),
        ],
    )
    .await;
    until(&site, "runs list --state dead", "Hello").await;
    all(&site, &[("plan --backfill --yes", 0, "nothing was passed over")]).await;
    assert!(daemon.stop().await.0.success());
    // Alone: the recipes on disk are taken over first.
    write(&site, "leave.yaml", &recipe("Before", &before(20)));
    all(
        &site,
        &[
            ("plan", 0, "Before: 1 skipped as past"),
            ("plan --backfill --yes", 0, "1 run due when the daemon runs"),
            ("plan --check", 0, "Before: as planned"),
            ("upcoming", 0, "Before"),
        ],
    )
    .await;
    let daemon = site.serve(None).await;
    until(&site, "runs list --state dead", "Before").await;
    daemon.kill().await;
}
