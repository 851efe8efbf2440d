//! `stayhook demo`, as a user starts it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::daemon::request;

const PATIENCE: Duration = Duration::from_secs(60);

fn stayhook(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stayhook"));
    command.args(arguments).env_remove("STAYHOOK_CONFIG").kill_on_drop(true);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Exit code and what was printed, without what differs from run to run.
async fn told(arguments: &[&str]) -> (Option<i32>, String) {
    let output = tokio::time::timeout(PATIENCE, stayhook(arguments).output()).await;
    let output = output.expect("the command ends").unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with("Files: "));
    let lines: Vec<&str> = lines.chain(errors.lines()).collect();
    (output.status.code(), lines.join("\n"))
}

#[tokio::test]
async fn once_is_as_expected_and_the_same_every_time() {
    let (code, first) = told(&["demo", "--once"]).await;
    assert_eq!(code, Some(0), "{first}");
    for said in [
        "1  Mon 1 Mar 10:15  hospitable: Tomoko asks for Alfama 3A",
        "new       reservation.created",
        "new       reservation.confirmed",
        "duplicate the same delivery as scene 2",
        "duplicate the same delivery as scene 5",
        "stale     older (2027-03-03T18:00:00+00:00) than what is known",
        "stale     older (2027-03-05T19:12:31+00:00) than what is known",
        "new       payment.created",
        "reservation.dates_changed",
        "new       reservation.cancelled",
        "out       cleaning  POST /tasks",
        "out       locks     PUT /codes/HMWTR5N8QK",
        "out       books     POST /entries",
        "out       mail      to rosa@stayhook.example",
        // A move takes what is planned with it, and a cancellation calls it off.
        "moved     Send the cleaner: from Tue 18 May 11:00 to Thu 20 May 11:00",
        "cancelled Send the cleaner: Thu 20 May 11:00",
        // And the days pass.
        "Fri 2 Apr 00:00 …",
        "15  Mon 5 Apr 08:00  the clock: what the calendar asks for is due",
        "16  Tue 6 Apr 10:00  the clock: it is time for HMQ4KD7RZB",
        "because   when a stay is confirmed",
        "because   2 days BEFORE check-in at 10:00, the property's time",
        "18  Fri 9 Apr 10:00  the clock: it is time for HMQ4KD7RZB",
        "planned   Remind of check-out: Sat 10 Apr 10:00",
        "moved     Send the cleaner: from Sat 10 Apr 11:00 to Sun 11 Apr 11:00",
        "22  Sun 11 Apr 11:00  the clock: it is time for HMQ4KD7RZB",
        "35 effects, each once.",
        "All 35 effects are as expected: key, body and order.",
    ] {
        assert!(first.contains(said), "{said}\n\n{first}");
    }
    for line in first.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
    let (_, second) = told(&["demo", "--once"]).await;
    assert_eq!(first, second);
}

/// After a wanted change of the story, its recipes or the way keys are made, `STAYHOOK_WRITE_REFERENCE=1 cargo test --test it
/// demo` writes the file anew; read what `git diff` says of it before it is committed.
#[tokio::test]
async fn what_arrives_is_what_is_written_down() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/expected.json");
    let (code, told) = told(&["demo", "--once", "--output", "json"]).await;
    if stayhook::cli::environment("STAYHOOK_WRITE_REFERENCE").is_some() {
        std::fs::write(file, told + "\n").unwrap();
        return;
    }
    assert_eq!(code, Some(0), "{told}");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), kept);
}

#[tokio::test]
async fn the_daemon_runs_on_until_it_is_interrupted() {
    let mut child = stayhook(&["demo", "--fast"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = String::new();
    let story = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            told.push_str(&line);
            told.push('\n');
            if line.starts_with("The admin API is at") {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, story).await.expect("the story ends");
    let line = |start: &str| {
        let found = told.lines().find_map(|line| line.trim().strip_prefix(start));
        found.unwrap_or_else(|| panic!("{start}\n\n{told}")).to_owned()
    };
    let admin = line("curl http://");
    let (address, path) = admin.split_at(admin.find('/').unwrap());
    let (status, body) = request(address, "GET", path, "").await.unwrap();
    assert_eq!(status, 200, "{body}");
    let folder = line("Files: ");

    // Every command that it names can be copied as it stands.
    for command in told.lines().filter_map(|line| line.trim().strip_prefix("stayhook ")) {
        let words: Vec<&str> = command.split(' ').collect();
        let output = stayhook(&words).output().await.unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        assert!(!output.stdout.is_empty(), "{command}");
    }

    let id = child.id().unwrap().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(killed.success());
    let ended = tokio::time::timeout(PATIENCE, child.wait())
        .await
        .expect("it ends")
        .unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(!std::path::Path::new(&folder).exists());
}
