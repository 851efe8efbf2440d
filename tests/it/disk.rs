//! The disk is asked, not believed: files that go away under the daemon, two daemons on one file, a disk that is full.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use stayhook::store::{Filter, Store};

use crate::daemon::{Daemon, Site};

const CONFIG: &str = "sources: {lab: {preset: generic, auth: none}}\n";
/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

fn body(code: &str) -> String {
    format!(
        r#"{{"event_id": "{code}", "code": "{code}", "status": "confirmed", "check_in_date": "2027-03-27", "check_out_date": "2027-03-30"}}"#
    )
}

async fn stored(daemon: &Daemon, code: &str) {
    let answer = daemon.post("lab", &body(code)).await;
    assert_eq!(answer.as_ref().unwrap().0, 200, "{answer:?}");
}

async fn deliveries(site: &Site) -> usize {
    let store = Store::open_to_read(&site.database()).await.unwrap();
    let found = store.deliveries(&Filter::default()).await.unwrap().items.len();
    store.close().await;
    found
}

/// It takes nothing more and ends with 75, by itself.
async fn stops(mut daemon: Daemon, why: &str, asked: bool) {
    if asked {
        let answer = daemon.post("lab", &body("LATE")).await;
        assert!(answer.as_ref().is_none_or(|(status, _)| *status == 503), "{answer:?}");
    }
    assert_eq!(daemon.ended().await.code(), Some(75));
    daemon.says(why).await;
    daemon.says("\"level\":\"ERROR\"").await;
}

fn remove(site: &Site, endings: &[&str]) {
    for ending in endings {
        std::fs::remove_file(site.path().join(format!("stayhook.db{ending}"))).unwrap();
    }
}

#[tokio::test]
async fn a_database_that_is_removed_is_noticed_before_anything_more_is_acknowledged() {
    for asked in [true, false] {
        let site = Site::new(CONFIG, &[]);
        let daemon = site.serve(None).await;
        stored(&daemon, "A1").await;
        remove(&site, &["", "-wal", "-shm"]);
        stops(daemon, "was removed", asked).await;
        assert!(!site.path().join("stayhook.db").exists());
    }
}

#[tokio::test]
async fn a_database_that_is_put_in_its_place_is_noticed_and_left_whole() {
    let other = Site::new(CONFIG, &[]);
    let daemon = other.serve(None).await;
    for code in ["B1", "B2", "B3"] {
        stored(&daemon, code).await;
    }
    assert!(daemon.stop().await.0.success());
    let site = Site::new(CONFIG, &[]);
    let daemon = site.serve(None).await;
    stored(&daemon, "A1").await;
    let copy = site.path().join("copy");
    std::fs::copy(other.path().join("stayhook.db"), &copy).unwrap();
    std::fs::rename(copy, site.path().join("stayhook.db")).unwrap();
    stops(daemon, "was replaced by another file", true).await;
    remove(&site, &["-wal", "-shm"]);
    assert_eq!(deliveries(&site).await, 3);
}

#[tokio::test]
async fn without_its_log_or_index_it_stops_and_loses_nothing() {
    for ending in ["-wal", "-shm"] {
        let site = Site::new(CONFIG, &[]);
        let daemon = site.serve(None).await;
        for code in ["A1", "A2", "A3"] {
            stored(&daemon, code).await;
        }
        remove(&site, &[ending]);
        // Removed, or replaced: somebody who reads may have made it anew by then.
        stops(daemon, &format!("stayhook.db{ending} was re"), false).await;
        let daemon = site.serve(None).await;
        stored(&daemon, "A4").await;
        assert!(daemon.stop().await.0.success());
        assert_eq!(deliveries(&site).await, 4, "{ending}");
    }
}

#[tokio::test]
async fn another_database_that_is_written_over_it_is_noticed() {
    let site = Site::new(CONFIG, &[]);
    let daemon = site.serve(None).await;
    for n in 0..40 {
        stored(&daemon, &format!("A{n}")).await;
    }
    assert!(daemon.stop().await.0.success());
    let daemon = site.serve(None).await;
    until(&daemon, "/readyz", 200).await;
    std::fs::write(site.path().join("stayhook.db"), [0; 100]).unwrap();
    // Whoever opens what is there now may take the log for an old one and remove it; that is noticed as well.
    stops(daemon, "the database is gone", true).await;
}

#[tokio::test]
async fn a_log_that_is_cut_short_is_noticed_and_what_is_left_can_be_read() {
    let site = Site::new(CONFIG, &[]);
    let daemon = site.serve(None).await;
    stored(&daemon, "A1").await;
    until(&daemon, "/readyz", 200).await;
    assert!(daemon.stop().await.0.success());
    let daemon = site.serve(None).await;
    stored(&daemon, "A2").await;
    // Nothing is being written any more.
    daemon.says("\"decided\"").await;
    until(&daemon, "/readyz", 200).await;
    std::fs::write(site.path().join("stayhook.db-wal"), "").unwrap();
    stops(daemon, "was cut short", true).await;
    let daemon = site.serve(None).await;
    stored(&daemon, "A3").await;
    daemon.says("is whole").await;
    assert!(daemon.stop().await.0.success());
    // What stood in the log alone nobody can bring back; it is neither half there nor twice.
    assert_eq!(deliveries(&site).await, 2);
}

#[tokio::test]
async fn under_no_name_of_the_file_a_second_daemon_starts() {
    let site = Site::new(CONFIG, &[]);
    let mut daemon = site.serve(None).await;
    std::os::unix::fs::symlink("stayhook.db", site.path().join("link.db")).unwrap();
    std::fs::hard_link(site.path().join("stayhook.db"), site.path().join("hard.db")).unwrap();
    std::fs::create_dir(site.path().join("below")).unwrap();
    std::os::unix::fs::symlink("../link.db", site.path().join("below/far.db")).unwrap();
    for name in ["stayhook.db", "link.db", "hard.db", "below/far.db"] {
        site.configure(&format!("{CONFIG}database: sqlite://{name}\n"));
        let second = site.command(&["serve"]).output().await.unwrap();
        assert_eq!(second.status.code(), Some(75), "{name}: {second:?}");
        assert!(
            String::from_utf8_lossy(&second.stderr).contains("another process"),
            "{name}: {second:?}"
        );
    }
    // Trying has taken nothing from the first.
    stored(&daemon, "A1").await;
    // A file system that knows no locks: whoever came later counts.
    let mut other = SqliteConnection::connect(&site.database()).await.unwrap();
    sqlx::raw_sql("UPDATE fence SET epoch = epoch + 1")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(daemon.ended().await.code(), Some(75));
    daemon.says("another process has begun to work").await;
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_database_is_for_its_owner_alone() {
    let site = Site::new(CONFIG, &[]);
    let files = ["", "-wal", "-shm"].map(|ending| site.path().join(format!("stayhook.db{ending}")));
    let daemon = site.serve_after("umask 000").await;
    stored(&daemon, "A1").await;
    assert_eq!(files.each_ref().map(|path| mode(path)), [0o600; 3]);
    daemon.kill().await;
    // What an older version, or a copy, has left open.
    for path in &files {
        std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    }
    std::fs::set_permissions(site.path(), Permissions::from_mode(0o777)).unwrap();
    let daemon = site.serve(None).await;
    daemon.says("now only its owner can").await;
    daemon.says("chmod o-w").await;
    assert_eq!(files.each_ref().map(|path| mode(path)), [0o600; 3]);
    stored(&daemon, "A2").await;
    daemon.kill().await;
}

/// Lets no file of the daemon's grow beyond so many bytes, or again.
fn limit(daemon: &Daemon, bytes: &str) {
    let done = std::process::Command::new("prlimit")
        .args(["--pid", &daemon.id(), &format!("--fsize={bytes}:")])
        .status();
    assert!(done.unwrap().success());
}

async fn until(daemon: &Daemon, path: &str, status: u16) -> String {
    let asked = async {
        loop {
            match daemon.get(path).await {
                Some((found, text)) if found == status => return text,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let answer = tokio::time::timeout(PATIENCE, asked).await;
    answer.unwrap_or_else(|_| panic!("{path} never answers {status}"))
}

/// Beyond the limit a write fails; the signal that comes with it would end the program.
const NO_SIGNAL: &str = "trap '' XFSZ";

#[tokio::test]
async fn a_full_disk_is_said_wherever_one_asks_and_gets_over_it() {
    let site = Site::new(CONFIG, &[]);
    let daemon = site.serve_after(NO_SIGNAL).await;
    stored(&daemon, "A1").await;
    until(&daemon, "/readyz", 200).await;
    limit(&daemon, "0");
    assert_eq!(daemon.post("lab", &body("A2")).await.unwrap().0, 503);
    for path in ["/healthz", "/readyz"] {
        let (status, text) = daemon.get(path).await.unwrap();
        assert_eq!(status, 503, "{path}");
        assert!(text.contains("the disk is full"), "{text}");
    }
    let (_, metrics) = daemon.get("/metrics").await.unwrap();
    assert!(metrics.contains("stayhook_store_up 0"), "{metrics}");
    daemon.says("the store takes nothing").await;
    limit(&daemon, "unlimited");
    // By itself, without anybody sending.
    until(&daemon, "/healthz", 200).await;
    until(&daemon, "/readyz", 200).await;
    stored(&daemon, "A2").await;
    let (status, log) = daemon.stop().await;
    assert!(
        status.success() && log.contains("the store takes what is written again"),
        "{log}"
    );
    assert_eq!(deliveries(&site).await, 2);
}

#[tokio::test]
async fn on_a_full_disk_it_starts_and_waits() {
    // Without a database; with one that was closed; with what a crash has left.
    for before in ["", "stopped", "killed"] {
        let site = Site::new(CONFIG, &[]);
        if !before.is_empty() {
            let daemon = site.serve(None).await;
            stored(&daemon, "A1").await;
            match before {
                "killed" => daemon.kill().await,
                _ => assert!(daemon.stop().await.0.success()),
            }
        }
        let full = format!("{NO_SIGNAL}; ulimit -S -f 0");
        let daemon = site.serve_after(&full).await;
        assert_eq!(daemon.post("lab", &body("A2")).await.unwrap().0, 503, "{before}");
        until(&daemon, "/healthz", 503).await;
        until(&daemon, "/readyz", 503).await;
        limit(&daemon, "unlimited");
        until(&daemon, "/readyz", 200).await;
        stored(&daemon, "A2").await;
        let (status, log) = daemon.stop().await;
        assert!(status.success(), "{log}");
        assert_eq!(deliveries(&site).await, 1 + usize::from(!before.is_empty()));
        // Told to stop while it waits it stops.
        if before.is_empty() {
            std::fs::remove_file(site.path().join("stayhook.db")).unwrap();
        }
        let daemon = site.serve_after(&full).await;
        let (status, log) = daemon.stop().await;
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn as_many_files_are_opened_as_the_machine_allows_and_some_are_kept_for_those_who_come_in() {
    let config = "sources: {lab: {preset: generic, auth: none}}\n\
                  connections: {a: {http: {base_url: \"http://127.0.0.1:9\", concurrency: 48}}, \
                  b: {http: {base_url: \"http://127.0.0.1:9\", concurrency: 16}}}\n";
    let site = Site::new(config, &[]);
    let daemon = site.serve_after("ulimit -S -n 100; ulimit -H -n 128").await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.id())).unwrap();
    let files: Vec<&str> = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(files[3..5], ["128", "128"]);
    daemon.says("leaves room for 32").await;
    let (_, connections) = daemon.get("/api/v1/connections").await.unwrap();
    let connections: serde_json::Value = serde_json::from_str(&connections).unwrap();
    let shares: Vec<&serde_json::Value> = connections["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["concurrency"])
        .collect();
    assert_eq!(shares, [24, 8]);
    assert!(daemon.stop().await.0.success());
    let check = site.command_after("ulimit -n 128", "check").output().await.unwrap();
    let said = String::from_utf8_lossy(&check.stdout);
    assert!(
        said.contains("warning") && said.contains("leaves room for 32"),
        "{said}"
    );
}
