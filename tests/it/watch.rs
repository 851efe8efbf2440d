//! A running daemon sees that the files of its recipes have changed, however they were written.

use std::path::Path;

use crate::daemon::Site;

const CONFIG: &str = "sources: {lab: {preset: generic, auth: none}}\nconnections: {cleaning: {http: {base_url: 'http://127.0.0.1:9'}}}\n";

fn recipe(name: &str, before: &str) -> String {
    format!(
        "name: {name}\non: {{stay: check_in, before: {before}}}\nactions: [{{http: {{connection: cleaning, url: /}}}}]\n"
    )
}

/// As git and editors write: beside it, and put in its place.
fn put(folder: &Path, name: &str, text: &str) {
    let beside = folder.join(".new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(&beside, folder.join(name)).unwrap();
}

/// Waits until an answer has these words.
async fn comes(daemon: &crate::daemon::Daemon, path: &str, words: &str) {
    let comes = async { while !daemon.get(path).await.unwrap().1.contains(words) {} };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, comes)
        .await
        .unwrap_or_else(|_| panic!("{path} never said `{words}`"));
}

/// Waits until this is what is planned.
async fn comes_to(daemon: &crate::daemon::Daemon, runs: &[(String, String)]) {
    let comes = async { while planned(daemon).await != runs {} };
    let patience = std::time::Duration::from_secs(20);
    if tokio::time::timeout(patience, comes).await.is_err() {
        assert_eq!(planned(daemon).await, runs);
    }
}

async fn planned(daemon: &crate::daemon::Daemon) -> Vec<(String, String)> {
    let (status, body) = daemon.get("/api/v1/upcoming").await.unwrap();
    assert_eq!(status, 200, "{body}");
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let items = body["items"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    items
        .iter()
        .map(|run| (text(&run["recipe"]), text(&run["due_at"])))
        .collect()
}

#[tokio::test]
async fn recipes_are_taken_over_when_their_files_change_and_a_broken_one_runs_on() {
    let site = Site::new(CONFIG, &[&recipe("Door", "2d")]);
    let folder = site.path().join("recipes");
    let daemon = site.serve(None).await;
    let body = r#"{"event_id": "1", "code": "A", "status": "confirmed", "check_in": "2090-04-09T15:00:00Z", "check_out": "2090-04-12T11:00:00Z"}"#;
    assert_eq!(daemon.post("lab", body).await.unwrap().0, 200);
    daemon.says("\"message\":\"decided\"").await;
    let door = |at: &str| ("Door".to_owned(), at.to_owned());
    comes_to(&daemon, &[door("2090-04-07T15:00:00.000Z")]).await;

    put(&folder, "0.yaml", &recipe("Door", "3d"));
    comes_to(&daemon, &[door("2090-04-06T15:00:00.000Z")]).await;

    // Half of a file, which says nothing of its name: what stood in it last runs on.
    put(&folder, "0.yaml", "on: {stay: check_in, bef");
    daemon.says("its last good revision runs on").await;
    comes(&daemon, "/healthz", "a recipe has a mistake").await;
    let (_, metrics) = daemon.get("/metrics").await.unwrap();
    assert!(
        metrics.contains("stayhook_recipes_broken 1") && metrics.contains("stayhook_recipes 1"),
        "{metrics}"
    );
    comes_to(&daemon, &[door("2090-04-06T15:00:00.000Z")]).await;

    // Put right under another name of the file, and a second recipe.
    std::fs::remove_file(folder.join("0.yaml")).unwrap();
    put(&folder, "door.yaml", &recipe("Door", "1d"));
    put(
        &folder,
        "clean.yaml",
        "name: Clean\non: {stay: check_out}\nactions: [{http: {connection: cleaning, url: /}}]\n",
    );
    comes(&daemon, "/metrics", "stayhook_recipes 2").await;
    let clean = ("Clean".to_owned(), "2090-04-12T11:00:00.000Z".to_owned());
    comes_to(&daemon, &[door("2090-04-08T15:00:00.000Z"), clean]).await;
    let (_, health) = daemon.get("/healthz").await.unwrap();
    assert!(!health.contains("warnings"), "{health}");
    let (status, log) = daemon.stop().await;
    assert!(status.success(), "{log}");
}

#[tokio::test]
async fn check_says_when_a_recipe_fires_next() {
    let site = Site::new(CONFIG, &[&recipe("Door", "2d")]);
    let daemon = site.serve(None).await;
    let body = r#"{"event_id": "1", "code": "A", "status": "confirmed", "check_in": "2090-04-09T15:00:00Z", "check_out": "2090-04-12T11:00:00Z", "property": {"name": "Alfama"}}"#;
    assert_eq!(daemon.post("lab", body).await.unwrap().0, 200);
    comes(&daemon, "/api/v1/upcoming", "2090-04-07").await;
    let told = site.command(&["check"]).output().await.unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("Door: 2 days BEFORE check-in"), "{told}");
    assert!(told.contains("next: Alfama, Fri 7 Apr 2090 15:00"), "{told}");
    daemon.stop().await;
}

fn away(folder: &Path) -> std::path::PathBuf {
    folder.with_extension("away")
}

#[tokio::test]
async fn what_cannot_be_read_is_not_gone() {
    let site = Site::new(CONFIG, &[&recipe("Door", "2d")]);
    let folder = site.path().join("recipes");
    std::fs::create_dir_all(folder.join("dir.yaml")).unwrap();
    std::fs::create_dir(folder.join("sub")).unwrap();
    std::fs::write(folder.join("large.yaml"), "#".repeat(300 << 10)).unwrap();
    std::fs::write(folder.join("sub/key.yaml"), recipe("Key", "1d")).unwrap();
    let daemon = site.serve(None).await;
    daemon.says("recipes/large.yaml").await;
    daemon.says("it is a folder").await;
    let send = async |code: &str| {
        let body = format!(
            r#"{{"event_id": "{code}", "code": "{code}", "status": "confirmed", "check_in": "2090-04-09T15:00:00Z", "check_out": "2090-04-12T11:00:00Z"}}"#
        );
        assert_eq!(daemon.post("lab", &body).await.unwrap().0, 200);
    };
    let both = |stays: usize| {
        let run = |name: &str, day: u8| (name.to_owned(), format!("2090-04-0{day}T15:00:00.000Z"));
        [vec![run("Door", 7); stays], vec![run("Key", 8); stays]].concat()
    };
    send("A").await;
    comes_to(&daemon, &both(1)).await;

    // All of it is away: everything stays as it was, and what comes in has its effect.
    std::fs::rename(&folder, away(&folder)).unwrap();
    daemon.reload();
    daemon.says("not reloaded; everything stays as it is").await;
    send("B").await;
    comes_to(&daemon, &both(2)).await;
    std::fs::rename(away(&folder), &folder).unwrap();

    // A folder in it is away for a moment.
    std::fs::rename(folder.join("sub"), site.path().join("moved")).unwrap();
    daemon.reload();
    send("C").await;
    comes_to(&daemon, &both(3)).await;
    std::fs::rename(site.path().join("moved"), folder.join("sub")).unwrap();
    put(&folder, "new.yaml", &recipe("New", "3d"));
    comes(&daemon, "/metrics", "stayhook_recipes 3").await;
    std::fs::remove_file(folder.join("new.yaml")).unwrap();
    daemon.says("these recipes are gone").await;
    comes_to(&daemon, &both(3)).await;

    // A link that leads nowhere in the place of a recipe, whose last revision runs on; also after a restart.
    std::fs::remove_file(folder.join("0.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("0.yaml")).unwrap();
    daemon.says("it leads nowhere").await;
    send("D").await;
    comes_to(&daemon, &both(4)).await;
    let (_, log) = daemon.stop().await;
    assert_eq!(log.matches("these recipes are gone").count(), 1, "{log}");
    let daemon = site.serve(None).await;
    comes_to(&daemon, &both(4)).await;
    let (_, log) = daemon.stop().await;
    assert!(log.contains("it leads nowhere") && !log.contains("are gone"), "{log}");
    // The same is told by the commands, and nothing else is stopped by it.
    let told = site.command(&["check"]).output().await.unwrap();
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8(told.stdout).unwrap();
    let places = ["0.yaml, line 1", "dir.yaml, line 1", "large.yaml, line 1"];
    assert!(places.iter().all(|place| told.contains(place)), "{told}");
    assert!(told.contains("Key: 1 day BEFORE check-in"), "{told}");
    let told = site.command(&["plan"]).output().await.unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("Door: as planned\nKey: as planned\n"), "{told}");
}
