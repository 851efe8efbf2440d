//! The real program below a service manager: what it tells of its start, its reloads, its life and its end.

use std::time::Duration;

use tokio::net::UnixDatagram;

use crate::daemon::Site;

const PATIENCE: Duration = Duration::from_secs(30);
const CONFIG: &str = "sources:\n  hospitable: {preset: hospitable-v1, token: open-7f2c9d1e}\n";
const RECIPE: &str =
    "name: Tell\non: {event: reservation.confirmed}\nactions:\n  - email: {to: a@example.com, subject: s, text: t}\n";

/// A service manager: what it was told, word by word.
struct Manager {
    socket: UnixDatagram,
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl Manager {
    fn new() -> Manager {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        Manager {
            socket: UnixDatagram::bind(&path).unwrap(),
            _folder: folder,
            path,
        }
    }

    async fn next(&self) -> String {
        let mut bytes = [0; 1024];
        let received = tokio::time::timeout(PATIENCE, self.socket.recv(&mut bytes));
        let length = received.await.expect("the manager is told something").unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// Listens until something begins with `words`; all that was said till then.
    async fn until(&self, words: &str) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            said.push(self.next().await);
            if said.last().is_some_and(|last| last.contains(words)) {
                return said;
            }
        }
    }

    /// What was said and not listened to yet.
    fn rest(&self) -> Vec<String> {
        let mut said = Vec::new();
        let mut bytes = [0; 1024];
        while let Ok(length) = self.socket.try_recv(&mut bytes) {
            said.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
        }
        said
    }
}

#[tokio::test]
async fn it_tells_when_it_is_ready_reloads_and_stops_and_that_it_lives() {
    let site = Site::new(CONFIG, &[RECIPE]);
    let manager = Manager::new();
    let daemon = site.serve_under(&manager.path, Duration::from_millis(90), None).await;
    let first = manager.next().await;
    assert_eq!(first, "READY=1\nSTATUS=sources: 1, recipes: 1\n");
    // What `READY=1` promises.
    assert_eq!(daemon.get("/readyz").await.unwrap().0, 200);
    for _ in 0..3 {
        assert_eq!(manager.next().await, "WATCHDOG=1\n");
    }

    std::fs::write(site.path().join("recipes/1.yaml"), "name: [").unwrap();
    daemon.reload();
    let said = manager.until("RELOADING=1").await;
    let reloading = said.last().unwrap();
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    let said = manager.until("READY=1").await;
    assert_eq!(
        said.last().unwrap(),
        "READY=1\nSTATUS=sources: 1, recipes: 1 and 1 with a mistake\n"
    );

    std::fs::write(site.path().join("config.yaml"), "sources: [").unwrap();
    daemon.reload();
    manager.until("RELOADING=1").await;
    let said = manager.until("READY=1").await;
    assert!(said.last().unwrap().contains("the last reload was refused"), "{said:?}");

    let (status, _) = daemon.stop().await;
    assert!(status.success());
    manager.until("STOPPING=1").await;
}

#[tokio::test]
async fn without_progress_there_is_no_sign_of_life() {
    let site = Site::new(CONFIG, &[]);
    let manager = Manager::new();
    let daemon = site
        .serve_under(&manager.path, Duration::from_millis(90), Some("no-progress"))
        .await;
    let mut said = manager.until("no progress: the store has taken nothing since").await;
    // The same notion of life as `/healthz` has.
    assert_eq!(daemon.get("/healthz").await.unwrap().0, 503);
    let (status, _) = daemon.stop().await;
    assert!(status.success());
    said.extend(manager.rest());
    assert!(said.last().unwrap().starts_with("STOPPING=1"), "{said:?}");
    assert!(said.iter().all(|words| !words.contains("WATCHDOG")), "{said:?}");
}

#[tokio::test]
async fn a_start_that_fails_is_never_ready() {
    let site = Site::new("sources: {a: {preset: nothing}}\n", &[]);
    let manager = Manager::new();
    let done = site
        .command(&["serve"])
        .env("NOTIFY_SOCKET", &manager.path)
        .output()
        .await
        .unwrap();
    assert_eq!(done.status.code(), Some(78));
    assert_eq!(manager.rest(), [""; 0]);
}
