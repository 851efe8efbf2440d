//! The commands as a person or a script calls them: output and exit codes of the real program.

use stayhook::cli::schema::{File, text};

use crate::daemon::Site;

const CONFIG: &str = r#"
sources:
  hospitable: {preset: hospitable-v1, token: "${SECRET_OF_THE_TEST:-a-token-of-the-test}"}
connections:
  cleaning: {http: {base_url: "http://127.0.0.1:9"}}
"#;
const RECIPE: &str = "name: Book\non: {event: reservation.confirmed}\nactions:\n  - http: {connection: cleaning, url: /t, json: {}}\n    retry: never\n";
const BODY: &str = include_str!("../fixtures/sources/hospitable-v1/07-out-of-order-a-newer.json");

/// What a command said, and its exit code.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

pub async fn say(site: &Site, line: &str) -> Said {
    let words: Vec<&str> = line.split_whitespace().collect();
    let done = site.command(&words).output().await.unwrap();
    Said {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

/// Each line, the code it ends with, and what it says on either stream.
pub async fn all(site: &Site, lines: &[(&str, i32, &str)]) {
    for (line, code, words) in lines {
        let said = say(site, line).await;
        let both = format!("{}{}", said.out, said.err);
        assert!(
            said.code == *code && both.contains(words),
            "{line}: {} {both}",
            said.code
        );
    }
}

/// A daemon on ports that commands find.
pub async fn serve(site: &Site) -> crate::daemon::Daemon {
    let daemon = site.serve(None).await;
    let text = std::fs::read_to_string(site.path().join("config.yaml")).unwrap();
    let text = text
        .replace("listen: 127.0.0.1:0\n", &format!("listen: {}\n", daemon.hooks))
        .replace("\"127.0.0.1:0\"", &format!("\"{}\"", daemon.admin));
    std::fs::write(site.path().join("config.yaml"), text).unwrap();
    daemon
}

/// The same, with a delivery.
async fn with_a_delivery(site: &Site) -> crate::daemon::Daemon {
    let daemon = serve(site).await;
    std::fs::write(site.path().join("body.json"), BODY).unwrap();
    all(site, &[("send hospitable body.json", 0, "200: stored as d_")]).await;
    daemon
}

/// Asks until a run is dead.
async fn dead_run(site: &Site) -> String {
    let waited = async {
        loop {
            let said = say(site, "runs list --state dead --output json").await;
            let page: serde_json::Value = serde_json::from_str(&said.out).unwrap();
            if let Some(id) = page["items"][0]["id"].as_str() {
                return id.to_owned();
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waited)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_later_versions_bring_is_not_called_misspelt() {
    let site = Site::new(CONFIG, &[]);
    for line in [
        "test --junit x",
        "explain d_1 --recipe x",
        "plan --since 90d",
        "backup x",
        "restore x",
        "selftest",
        "schema connector",
        "reservations label a b +x",
        "reservations erase a b",
    ] {
        all(&site, &[(line, 2, "is not in this version yet")]).await;
    }
    all(&site, &[("chek", 2, "check"), ("runs timeline", 2, "unrecognized")]).await;
}

#[tokio::test]
async fn shells_and_the_manual_know_every_command() {
    let site = Site::new(CONFIG, &[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = say(&site, &format!("completions {shell}")).await;
        assert!(
            said.code == 0 && said.out.contains("healthcheck"),
            "{shell}: {}",
            said.err
        );
    }
    all(
        &site,
        &[
            ("completions tcsh", 2, "bash"),
            ("man", 0, "stayhook\\-healthcheck(1)"),
            ("man runs retry", 0, ".TH stayhook-runs-retry 1"),
            ("man runs retyr", 2, "there is no command `runs retyr`"),
        ],
    )
    .await;
    // Whatever the shell of this machine is, it takes what is meant for it.
    let script = say(&site, "completions bash").await.out;
    std::fs::write(site.path().join("completions.bash"), script).unwrap();
    let read = std::process::Command::new("bash")
        .args(["-n", "completions.bash"])
        .current_dir(site.path())
        .status();
    assert!(read.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn schemas_are_printed_without_a_configuration() {
    let site = Site::new("nonsense: [", &[]);
    for (word, file) in [
        ("recipe", File::Recipe),
        ("config", File::Config),
        ("source", File::Source),
        ("test", File::Test),
    ] {
        let said = say(&site, &format!("schema {word}")).await;
        assert_eq!((said.code, said.out), (0, text(file)), "{word}");
    }
    all(&site, &[("schema recipes", 2, "recipe"), ("schema", 2, "FILE")]).await;
}

#[tokio::test]
async fn before_the_first_start_there_is_nothing_to_ask_and_nothing_is_made() {
    let site = Site::new(CONFIG, &[RECIPE]);
    for line in [
        "deliveries list",
        "events list",
        "reservations list",
        "runs list",
        "upcoming",
        "plan",
        "plan --backfill --yes",
        "reservations timeline hospitable x",
        "runs retry --dead",
        "runs cancel r_1",
        "deliveries replay --since 1h --yes",
    ] {
        all(&site, &[(line, 75, "yet; `stayhook serve` makes it")]).await;
    }
    assert!(!site.path().join("stayhook.db").exists());
    all(
        &site,
        &[
            ("healthcheck", 1, "no daemon listens"),
            ("send hospitabel config.yaml", 2, "did you mean `hospitable`?"),
            ("check", 0, "1 recipe, 1 source, 1 connection: fine"),
            ("check --config none.yaml", 1, "`stayhook init`"),
            ("serve --config none.yaml", 78, "cannot be read"),
        ],
    )
    .await;
}

#[tokio::test]
async fn filters_take_only_words_that_are_there() {
    let site = Site::new(CONFIG, &[RECIPE]);
    all(
        &site,
        &[
            ("deliveries list --outcome proccessed", 2, "did you mean `processed`?"),
            ("runs list --state deaad", 2, "did you mean `dead`?"),
            (
                "events list --type reservation.confirmd",
                2,
                "did you mean `reservation.confirmed`?",
            ),
            ("reservations list --status booked", 2, "it is one of inquiry, pending"),
            ("upcoming --within tomorrow", 2, "--within takes `24h`"),
            ("upcoming --cursor 5", 2, "what the page before ends with"),
            ("runs list --limit 0", 2, "a number from 1 to 500"),
            ("runs list --cursor x", 2, "what the page before ends with"),
            ("deliveries replay", 2, "say which"),
            ("deliveries replay --recipe Bok --yes", 2, "did you mean `Book`?"),
            ("deliveries replay --outcome x --yes", 2, "it is one of undecided"),
            ("runs retry", 2, "say which"),
        ],
    )
    .await;
}

#[tokio::test]
async fn commands_do_the_same_with_the_daemon_and_without() {
    let site = Site::new(CONFIG, &[RECIPE]);
    let daemon = with_a_delivery(&site).await;
    let id = dead_run(&site).await;
    let show = format!("runs show {id}");
    let done = format!("runs done {id}");
    let same: [(&str, i32, &str); 8] = [
        ("runs list --since 1x", 2, "--since takes `24h`"),
        ("deliveries list --since 1h --limit 1", 0, "processed"),
        ("reservations show hospitable HMQX7KP2ZE", 0, "reservation.confirmed"),
        (&show, 0, "Connection refused"),
        ("runs cancel r_none", 1, "there is no run"),
        ("deliveries replay --since 1h", 2, "--yes does it without asking"),
        ("deliveries replay --since 1h --yes", 0, "1 delivery decided once more"),
        (
            "deliveries replay --recipe Book --yes",
            0,
            "1 delivery decided once more",
        ),
    ];
    all(&site, &same).await;
    all(
        &site,
        &[
            ("healthcheck", 0, "ok"),
            ("serve", 75, "another process works on this database"),
        ],
    )
    .await;
    all(&site, &[("runs retry --dead", 0, "will be tried again")]).await;
    dead_run(&site).await;
    assert!(daemon.stop().await.0.success());
    all(&site, &same).await;
    all(
        &site,
        &[(&done, 0, "succeeded"), ("runs retry --dead", 0, "no run is meant")],
    )
    .await;
}

#[tokio::test]
async fn a_mistake_in_the_file_does_not_make_the_daemon_ill() {
    let site = Site::new(CONFIG, &[]);
    let daemon = with_a_delivery(&site).await;
    all(&site, &[("healthcheck", 0, "ok")]).await;
    let path = site.path().join("config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}sorces: {{}}\n")).unwrap();
    all(&site, &[("healthcheck", 0, "ok"), ("check", 1, "sorces")]).await;
    // Nor does it keep anybody from asking.
    let asked = say(&site, "deliveries list").await;
    assert!(asked.code == 0 && asked.out.contains("d_"), "{}", asked.out);
    assert!(asked.err.contains("`stayhook check` says which"), "{}", asked.err);
    std::fs::write(&path, format!("{text}sources: [\n")).unwrap();
    all(&site, &[("healthcheck", 0, "ok"), ("check", 1, "sources")]).await;
    std::fs::write(&path, "what it was is lost\n").unwrap();
    all(&site, &[("healthcheck", 78, "config.yaml")]).await;
    let (status, _) = daemon.stop().await;
    assert!(status.success());
    std::fs::write(&path, text).unwrap();
    all(&site, &[("healthcheck", 1, "no daemon listens")]).await;
}

#[tokio::test]
async fn lists_as_json_are_those_of_the_api() {
    let site = Site::new(CONFIG, &[RECIPE]);
    let daemon = with_a_delivery(&site).await;
    dead_run(&site).await;
    for what in ["deliveries", "events", "runs"] {
        let said = say(&site, &format!("{what} list --limit 1 --output json")).await;
        let mut own: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let (status, body) = daemon.get(&format!("/api/v1/{what}?limit=1")).await.unwrap();
        let mut api: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(status, 200);
        // The API leaves details out of lists: they may quote the body.
        for page in [&mut own, &mut api] {
            if let Some(row) = page["items"][0].as_object_mut() {
                row.remove("detail");
            }
        }
        assert_eq!(own, api, "{what}");
    }
    daemon.kill().await;
}

#[tokio::test]
async fn looking_needs_no_secret_that_only_the_daemon_has() {
    let site = Site::new(CONFIG, &[RECIPE]);
    let daemon = with_a_delivery(&site).await;
    dead_run(&site).await;
    daemon.kill().await;
    let path = site.path().join("config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(":-a-token-of-the-test", "")).unwrap();
    all(
        &site,
        &[
            ("deliveries list", 0, "d_"),
            ("reservations list", 0, "HMQX7KP2ZE"),
            ("check", 1, "the variable `SECRET_OF_THE_TEST` is not set"),
            ("serve", 78, "the variable `SECRET_OF_THE_TEST` is not set"),
            ("runs retry --dead", 78, "the variable `SECRET_OF_THE_TEST` is not set"),
        ],
    )
    .await;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        format!("{text}database: \"sqlite://${{NOWHERE_OF_THE_TEST}}\"\n"),
    )
    .unwrap();
    all(&site, &[("deliveries list", 78, "NOWHERE_OF_THE_TEST")]).await;
}

#[tokio::test]
async fn warnings_are_said_by_check_and_by_nobody_who_was_not_asked() {
    let recipe = RECIPE.replace("actions:", "match: {source: hospitabl}\nactions:");
    let site = Site::new(&format!("{CONFIG}alerts: {{connection: cleaning}}\n"), &[&recipe]);
    let said = say(&site, "check").await;
    assert!(
        said.code == 0 && said.out.contains("`alerts` has no effect"),
        "{}",
        said.out
    );
    assert!(said.out.contains("did you mean `hospitable`?"), "{}", said.out);
    let said = say(&site, "healthcheck").await;
    assert!(said.code == 1 && !said.err.contains("alerts"), "{}", said.err);
}

#[tokio::test]
async fn a_reload_says_what_waits_for_the_next_start() {
    let site = Site::new(CONFIG, &[RECIPE]);
    let daemon = site.serve(None).await;
    let path = site.path().join("config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}trusted_proxies: [127.0.0.1/32]\n")).unwrap();
    std::fs::write(
        site.path().join("recipes/bad.yaml"),
        "name: Bad\nmatch:\n  nights: >= 2\n",
    )
    .unwrap();
    daemon.reload();
    daemon.says("take effect at the next start only").await;
    let (_, recipes) = daemon.get("/api/v1/recipes").await.unwrap();
    assert!(recipes.contains("\"Book\""), "{recipes}");
    let (status, log) = daemon.stop().await;
    assert!(
        status.success() && log.contains("\"settings\":\"trusted_proxies\""),
        "{log}"
    );
    assert!(log.contains("recipes/bad.yaml, line 3"), "{log}");
}

#[tokio::test]
async fn a_reload_takes_a_redirect_over() {
    let mail = crate::standin::SmtpStandin::start().await.unwrap();
    let config = format!(
        "sources: {{lab: {{preset: generic, auth: none}}}}\nconnections: {{mail: {{smtp: {{host: 127.0.0.1, port: {}, tls: none, from: stays@example.com}}}}}}\n",
        mail.port()
    );
    let recipe = "name: Hello\non: {event: reservation.created}\nactions:\n  - email: {to: guest@guest.example, subject: Hello, text: Hello}\n";
    let site = Site::new(&config, &[recipe]);
    let daemon = site.serve(None).await;
    let body = |code: &str| {
        format!(
            r#"{{"event_id": "{code}", "code": "{code}", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-03-30"}}"#
        )
    };
    assert_eq!(daemon.post("lab", &body("A1")).await.unwrap().0, 200);
    assert_eq!(mail.wait_for(1).await[0].to, ["guest@guest.example"]);
    let path = site.path().join("config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}redirect: {{email: me@example.com}}\n")).unwrap();
    daemon.reload();
    daemon.says("\"message\":\"reloaded\"").await;
    assert_eq!(daemon.post("lab", &body("A2")).await.unwrap().0, 200);
    assert_eq!(mail.wait_for(2).await[1].to, ["me@example.com"]);
    let (status, log) = daemon.stop().await;
    assert!(status.success() && !log.contains("next start only"), "{log}");
}

#[tokio::test]
async fn a_reload_that_comes_with_the_start_holds_nothing_up() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};
    // Whether the signal or the start is looked at first is left to chance: often enough, it is the signal.
    for _ in 0..12 {
        let site = Site::new(CONFIG, &[RECIPE]);
        let mut child = site.command(&["serve"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let reloaded = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains("\"message\":\"starting\"") {
                    let id = child.id().unwrap().to_string();
                    let sent = std::process::Command::new("kill").args(["-HUP", &id]).status().unwrap();
                    assert!(sent.success());
                }
                if line.contains("\"message\":\"reloaded\"") {
                    return true;
                }
            }
            false
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), reloaded).await;
        assert_eq!(waited, Ok(true), "the reload never came to an end");
        child.kill().await.unwrap();
    }
}

#[tokio::test]
async fn a_name_that_two_stays_carry_leads_to_their_keys() {
    let site = Site::new("sources:\n  desk: {preset: generic, auth: none}\n", &[]);
    let daemon = serve(&site).await;
    for id in [17, 18] {
        let body = serde_json::json!({
            "id": id, "code": "HM1", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-04-02",
            "property": {"name": format!("Flat {id}")},
        });
        let file = format!("{id}.json");
        std::fs::write(site.path().join(&file), body.to_string()).unwrap();
        all(&site, &[(&format!("send desk {file}"), 0, "200: stored as d_")]).await;
    }
    let both = async {
        while say(&site, "reservations list --source desk").await.out.lines().count() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), both)
        .await
        .unwrap();
    for line in ["reservations show desk HM1", "reservations timeline desk HM1"] {
        let said = say(&site, line).await;
        assert_eq!(said.code, 1);
        for text in [
            "several stays of desk are called `HM1`",
            "17  Flat 17  2027-03-27T",
            "18  Flat 18  2027-03-27T",
        ] {
            assert!(said.err.contains(text), "{line}: {}", said.err);
        }
        let said = say(&site, &format!("{line} --output json")).await;
        let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((said.code, &answer["candidates"][1]["key"]), (1, &"18".into()));
    }
    all(&site, &[("reservations show desk 18", 0, "Flat 18")]).await;
    daemon.kill().await;
}

#[tokio::test]
async fn a_stay_that_was_taken_over_leads_to_the_reason() {
    let site = Site::new(
        "sources:\n  hospitable: {preset: generic, live_from: 2020-01-01T00:00:00Z, auth: none}\n",
        &[],
    );
    let body = serde_json::json!({
        "code": "A1", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-04-02",
        "created_at": "2019-12-31T00:00:00Z",
    });
    let daemon = with_a_delivery(&site).await;
    std::fs::write(site.path().join("old.json"), body.to_string()).unwrap();
    all(&site, &[("send hospitable old.json", 0, "200: stored as d_")]).await;
    let shown = async {
        loop {
            let said = say(&site, "reservations show hospitable A1").await;
            if said.code == 0 {
                return said.out;
            }
        }
    };
    let shown = tokio::time::timeout(std::time::Duration::from_secs(30), shown)
        .await
        .unwrap();
    let rest = shown
        .strip_prefix("adopted: taken over in silence, `stayhook ")
        .unwrap();
    let (line, _) = rest.split_once("` says why\n").unwrap();
    all(
        &site,
        &[(
            line,
            0,
            "reservation.adopted (it was booked before the source's `live_from`)",
        )],
    )
    .await;
    daemon.kill().await;
}

#[tokio::test]
async fn send_sends_what_the_sender_would() {
    let settings = "live_from: 2020-01-01T00:00:00Z, token: a-token-of-the-test";
    let config = format!(
        "{CONFIG}sources:\n  hospitable: {{preset: hospitable-v1, token: a-token-of-the-test}}\n  \
         form: {{preset: generic, {settings}, reservation: {{guest: {{name: path, email: header.X-Mail}}, status: query.status}}}}\n  \
         get: {{preset: generic, {settings}, methods: GET}}\n",
    );
    let config = config.replacen(
        "sources:\n  hospitable: {preset: hospitable-v1, token: \"${SECRET_OF_THE_TEST:-a-token-of-the-test}\"}\n",
        "",
        1,
    );
    let site = Site::new(&config, &[]);
    let daemon = with_a_delivery(&site).await;
    let form = "code=F1&check_in_date=2027-03-27&check_out_date=2027-04-02\n";
    std::fs::write(site.path().join("form.txt"), form).unwrap();
    std::fs::write(site.path().join("get.txt"), form.replace("F1", "G1&status=confirmed")).unwrap();
    let with = "send form form.txt --path booking_created --query status=confirmed --header X-Mail:zoe@guest.example";
    all(
        &site,
        &[
            (with, 0, "200: stored as d_"),
            ("send get get.txt", 0, "200: stored as d_"),
            ("send get body.json", 2, "come by GET"),
            ("send form form.txt --path a/b/c", 1, "404"),
            ("send form form.txt --path a?b", 2, "parts of one address"),
            ("send form form.txt --header plain", 2, "`Name: value`"),
        ],
    )
    .await;
    for (code, words) in [
        ("form F1", "zoe@guest.example"),
        ("form F1", "booking_created"),
        ("get G1", "confirmed"),
    ] {
        let shown = async {
            loop {
                let said = say(&site, &format!("reservations show {code} --output json")).await;
                if said.code == 0 {
                    return said.out;
                }
            }
        };
        let shown = tokio::time::timeout(std::time::Duration::from_secs(20), shown)
            .await
            .unwrap();
        assert!(shown.contains(words), "{shown}");
    }
    daemon.stop().await;
}
