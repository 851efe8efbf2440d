//! Promise 10 on the real program: whatever it does, at its most talkative, no secret and nothing of a guest stands where
//! nobody has asked for it, and no secret on the disk.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::daemon::{Daemon, Site};

use search::without;
use site::{ADMIN, GUEST, SECRETS, TOKEN, stay};

pub mod search;
mod site;

/// What a sender got wrong; some senders send one source's secret to another, or the right one with a letter too many.
const WRONG: &str = "canary-wrong-0123456789abcdef";

/// One request with these headers; the whole answer.
async fn ask(address: &str, line: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn basic(password: &str) -> String {
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("pms:{password}"));
    format!("Authorization: Basic {pair}\r\n")
}

/// Every source once with its proof, where a plain request can carry it, and then every way to be turned away.
async fn senders(hooks: &str) -> String {
    let right = format!("POST /hooks/tokened/{TOKEN}");
    let body = stay("CANARYCODE", "CanaryWord");
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let mut said = String::new();
    for (line, headers, body, status) in [
        (right.as_str(), "", body.as_str(), "200"),
        (&right, "", &body, "200"),
        (&format!("POST /hooks/tokened/{}", site::NEXT_TOKEN), "", &body, "200"),
        ("POST /hooks/tokened", &bearer(TOKEN), &stay("CANARYCODE2", "x"), "200"),
        (
            &format!("POST /hooks/tokened?token={TOKEN}"),
            "",
            "{\"note\": \"CanaryWord\"}",
            "200",
        ),
        (
            "POST /hooks/headed",
            &format!("X-Token: {}\r\n", site::HEADER_TOKEN),
            &stay("CANARYCODE3", "x"),
            "200",
        ),
        (
            &format!("POST /hooks/filed/{}", site::FILE_TOKEN),
            "",
            &stay("CANARYCODE4", "x"),
            "200",
        ),
        (
            &format!("POST /hooks/varied/{}", site::VARIABLE_TOKEN),
            "",
            &stay("CANARYCODE5", "x"),
            "200",
        ),
        (
            "POST /hooks/basic",
            &basic(site::PASSWORD),
            &stay("CANARYCODE6", "x"),
            "200",
        ),
        (
            &format!("POST /hooks/either/{}", site::EITHER),
            "",
            &stay("CANARYCODE7", "x"),
            "200",
        ),
        // Our own faults, each with the guest at hand: while reading, deciding and sending.
        (&right, "", &stay("CANARYCODE8", "CanaryBreaksReading"), "200"),
        (&right, "", &stay("CANARYCODE-BreaksDeciding", "x"), "200"),
        (&right, "", &stay("CANARYCODE-BreaksSending", "x"), "200"),
        (
            &right,
            "",
            "{\"code\": \"CANARYCODE\", \"payment\": {\"id\": \"p1\", \"amount\": \"500.00\", \"currency\": \"EUR\", \"description\": \"CanaryPayment\"}}",
            "200",
        ),
        (
            &right,
            "",
            "{\"code\": \"CANARYCODE\", \"message\": {\"id\": \"m1\", \"from\": \"guest\", \"text\": \"CanaryMessage\"}}",
            "200",
        ),
        // Turned away: wrong, in the wrong place, unreadable, too deep, too large, of another kind, for nobody.
        (&format!("POST /hooks/tokened/{WRONG}?token={WRONG}"), "", &body, "401"),
        (&format!("POST /hooks/tokened/{TOKEN}x"), "", &body, "401"),
        (&format!("POST /hooks/headed/{}", site::HEADER_TOKEN), "", &body, "401"),
        (&format!("POST /hooks/signed/{}", site::SIGNING), "", &body, "401"),
        (
            "POST /hooks/signed",
            &format!("X-HM-Signature: sha256={WRONG}\r\n"),
            &body,
            "401",
        ),
        (
            "POST /hooks/stamped",
            &format!("X-Signature: {}\r\nX-Time: {WRONG}\r\n", site::STAMPED),
            &body,
            "401",
        ),
        (
            "POST /hooks/basic",
            &format!("Authorization: Basic {WRONG}\r\n"),
            &body,
            "401",
        ),
        (
            "POST /hooks/basic",
            &basic(&format!("{}x", site::PASSWORD)),
            &body,
            "401",
        ),
        ("POST /hooks/basic", &bearer(site::PASSWORD), &body, "401"),
        ("POST /hooks/either", &bearer(WRONG), &body, "401"),
        (&right, "", "{\"guest\": \"CanaryAnna\"", "400"),
        (
            &right,
            "",
            &format!("[\"CanaryAnna\",{}{}]", "[".repeat(128), "]".repeat(128)),
            "400",
        ),
        (&right, "", &format!("\"CanaryAnna{}\"", "x".repeat(1 << 20)), "413"),
        (&right, "Content-Encoding: CanaryWord\r\n", &body, "415"),
        (&right, "X-Canary: CanaryWord\u{1}\r\n", &body, "400"),
        (&format!("PUT /hooks/tokened/{TOKEN}"), "", &body, "405"),
        // A name that no source has is told to the log, what stands behind it is not.
        (&format!("POST /hooks/nobody/{TOKEN}"), "", &body, "404"),
        (&format!("POST /CanaryAnna/{TOKEN}"), "", &body, "404"),
        (&format!("CanaryAnna /hooks/{TOKEN}"), "", &body, "404"),
    ] {
        let answer = ask(hooks, line, headers, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
        said.push_str(&answer);
    }
    said
}

/// What people get wrong at the admin listener, and what they may look at without asking for a guest.
async fn people(admin: &str, token: &str) -> String {
    let mut said = String::new();
    for (line, headers, body, status) in [
        ("GET /api/v1/reservations/CanaryAnna/CANARYCODE9", token, "", "404"),
        ("GET /api/v1/runs?state=CanaryAnna&guest=CanaryBern", token, "", "400"),
        ("GET /api/v1/runs?since=CanaryAnna", token, "", "400"),
        (
            "POST /api/v1/runs/CanaryAnna/retry",
            token,
            "{\"CanaryBern\": 1}",
            "400",
        ),
        (
            "POST /api/v1/deliveries/CanaryAnna/replay",
            token,
            "{\"recipe\": \"CanaryBern\"}",
            "4",
        ),
        (
            "GET /api/v1/reservations/tokened/CANARYCODE",
            &format!("Authorization: Bearer {WRONG}\r\n"),
            "",
            "401",
        ),
        (&format!("GET /api/v1/runs?token={ADMIN}"), "", "", "401"),
        ("GET /api/v1/sources", token, "", "200"),
        ("GET /api/v1/connections", token, "", "200"),
        ("GET /api/v1/openapi.json", token, "", "200"),
        ("GET /healthz", "", "", "200"),
        ("GET /readyz", "", "", "200"),
        ("GET /metrics", token, "", "200"),
        ("GET /metrics", "", "", "401"),
    ] {
        let answer = ask(admin, line, headers, body).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
        said.push_str(&answer);
    }
    said
}

/// All runs, once each has come as far as it can: a mail server and a target that let nobody in are asked again for as
/// long as it takes, as is who may have got something and did not say so; and what waits behind a paused connection waits.
async fn settled(daemon: &Daemon, token: &str, wanted: usize) -> Vec<Value> {
    let mut answer = String::new();
    let settled = async {
        loop {
            answer = ask(&daemon.admin, "GET /api/v1/runs?limit=500", token, "").await;
            let rows: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
            let rows = rows["items"].as_array().unwrap().clone();
            let settled = |row: &Value| {
                let open = ["scheduled", "ready", "running", "retrying"].contains(&row["state"].as_str().unwrap());
                let again = ["Mailed", "Denied", "Broken off"].contains(&row["recipe"].as_str().unwrap());
                !open || again || row["code"].as_str().unwrap().ends_with("BreaksSending")
            };
            let paused = ask(&daemon.admin, "GET /metrics", token, "").await;
            let paused = paused.contains("stayhook_connection_paused{connection=\"denied\"} 1");
            if rows.len() >= wanted && paused && rows.iter().all(settled) {
                return rows;
            }
            tokio::task::yield_now().await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), settled).await {
        Ok(rows) => rows,
        Err(_) => panic!("{answer}"),
    }
}

/// No secret in the database, its WAL and whatever else lies beside it.
fn kept(site: &Site, when: &str) {
    let mut looked = 0;
    for entry in std::fs::read_dir(site.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("stayhook.db") {
            let bytes = std::fs::read(&path).unwrap();
            without(&format!("{name} {when}"), &bytes, SECRETS);
            without(&format!("{name} {when}"), &bytes, &[WRONG]);
            looked += 1;
        }
    }
    assert!(looked > 0);
}

/// What the commands print, whose words stand in nobody's log.
async fn commands(site: &Site, run: &str, up: bool) {
    std::fs::write(site.path().join("stay.json"), stay("CANARYCODE10", "x")).unwrap();
    for arguments in [
        &["check"][..],
        &["send", "tokened", "stay.json"],
        &["send", "stamped", "stay.json"],
        &["send", "basic", "stay.json", "--output", "json"],
        &["send", "nobody", "stay.json"],
        &["deliveries", "list"],
        &["runs", "list", "--output", "json"],
        &["runs", "show", run],
        &["runs", "retry", run],
        &["healthcheck"],
    ] {
        let mut command = site.command(arguments);
        let done = command
            .env("CANARY_TOKEN", site::VARIABLE_TOKEN)
            .output()
            .await
            .unwrap();
        let printed = [done.stdout, done.stderr].concat();
        assert!(!printed.is_empty() || done.status.success(), "{arguments:?}");
        without(
            &format!("what {arguments:?} prints (daemon up: {up})"),
            &printed,
            SECRETS,
        );
    }
}

#[tokio::test]
async fn no_secret_and_no_guest_stands_where_nobody_asked() {
    let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mail = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = site::config(target.local_addr().unwrap(), mail.local_addr().unwrap());
    let mut standins = JoinSet::new();
    standins.spawn(site::echo(target));
    standins.spawn(site::refusing_mail(mail));
    let site = Site::new(&config, site::RECIPES);
    std::fs::write(site.path().join("token.txt"), site::FILE_TOKEN).unwrap();
    // The token of the dashboard goes where the head of the file has its address.
    let file = site.path().join("config.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let admin = format!("admin: {{token: \"{ADMIN}\", ");
    std::fs::write(&file, text.replacen("admin: {", &admin, 1)).unwrap();
    let token = format!("Authorization: Bearer {ADMIN}\r\n");
    let start = async |filter: &str, fault: &str| {
        let mut command = site.command(&["serve"]);
        command
            .env("CANARY_TOKEN", site::VARIABLE_TOKEN)
            .env("RUST_LOG", filter);
        site.start(command.env("STAYHOOK_FAULT", fault)).await
    };

    // A whole session at its most talkative, with faults of ours in it, and a crash at its end.
    let broken = "map:CanaryBreaksReading,decide:BreaksDeciding,send:BreaksSending,recipe:CanaryFaulty";
    let daemon = start("trace", broken).await;
    let mut said = senders(&daemon.hooks).await;
    let runs = settled(&daemon, &token, 60).await;
    let state = |wanted: &str| runs.iter().filter(|run| run["state"] == wanted).count();
    assert!(state("succeeded") >= 6 && state("dead") >= 20, "{runs:#?}");
    said.push_str(&people(&daemon.admin, &token).await);
    let ended = [
        "Taken",
        "Rejected",
        "Rejected books",
        "Broken off",
        "Miscounted",
        "Mailed",
        "Denied",
    ];
    let example = |recipe: &str| {
        let mut of_recipe = runs.iter().filter(|run| run["recipe"] == recipe);
        let found = of_recipe.find(|run| run["code"] == "CANARYCODE2");
        found.unwrap_or_else(|| panic!("{recipe}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for recipe in ended {
        let line = format!("GET /api/v1/runs/{}", example(recipe));
        let answer = ask(&daemon.admin, &line, &token, "").await;
        // Whoever looks at a run sees the guest, and what came back, without our credentials.
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("attempts"),
            "{answer}"
        );
        without(&format!("a run of {recipe}"), answer.as_bytes(), SECRETS);
    }
    // While it runs, most of what was written stands in the WAL.
    kept(&site, "while it runs");
    let first = daemon.kill_and_read().await;
    kept(&site, "after a crash");

    // Once more, as after a crash; by hand, too.
    let daemon = start("stayhook=debug,info", "").await;
    let dead = format!("POST /api/v1/runs/{}/retry", example("Rejected"));
    let answer = ask(&daemon.admin, &dead, &token, "{\"again\": true}").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let replay = "POST /api/v1/deliveries/replay";
    let answer = ask(&daemon.admin, replay, &token, "{\"outcome\": \"failed\"}").await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("\"marked\":0"),
        "{answer}"
    );
    daemon.says("\"decided\"").await;
    commands(&site, &example("Rejected"), true).await;
    said.push_str(&people(&daemon.admin, &token).await);
    let (status, second) = daemon.stop().await;
    assert!(status.success());
    kept(&site, "after the end");
    commands(&site, &example("Rejected"), false).await;

    for told in [
        "\"level\":\"DEBUG\"",
        "turned away",
        "a fault of Stayhook while sending",
        "is paused",
    ] {
        assert!(first.contains(told), "{told}\n{first}");
    }
    for (what, text) in [
        ("the first log", &first),
        ("the second log", &second),
        ("an answer", &said),
    ] {
        without(what, text.as_bytes(), SECRETS);
        without(what, text.as_bytes(), &[WRONG]);
        without(what, text.as_bytes(), GUEST);
    }
}
