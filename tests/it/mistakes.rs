//! What a person reads about a mistake: one file for each, and the screen that `stayhook check` prints about it.
//!
//! `tests/fixtures/mistakes/NAME.yaml` is a recipe beside a good configuration, `config/NAME.yaml` a configuration
//! without recipes, `together/NAME/` a folder with both. The screens are in `snapshots/`; after a change of the words look
//! at each of them as its reader would, and accept them with `INSTA_UPDATE=always cargo test --test it mistakes`.

mod anything;

use std::path::{Path, PathBuf};

use crate::daemon::Site;
use stayhook::cli::Output;
use stayhook::cli::check::{self, Args};
use stayhook::model::clock::Clock;

/// The configuration beside the recipes: two senders, two connections, three properties.
const CONFIG: &str = r#"
sources:
  hospitable: {preset: hospitable-v1, token: "${HOSPITABLE_TOKEN}"}
  hostelmate: {preset: hostelmate, secret: "${HOSTELMATE_SECRET}"}
connections:
  cleaning: {http: {base_url: https://api.cleaning.example}}
  mail: {smtp: {host: smtp.example.com, username: stays, password: "${SMTP_PASSWORD}", from: "Stays <stays@example.com>"}}
properties:
  brannan: {match: [12346789], tags: [downtown], vars: {cleaner: ana@example.com, lock: dev_1}}
  mission: {match: [12346790], tags: [downtown], vars: {cleaner: bo@example.com}}
  sunset: {match: [12346791], vars: {cleaner: bo@example.com}}
"#;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mistakes")
}

/// The YAML files right in a folder, by name without the ending.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn env(name: &str) -> Option<String> {
    let value = match name {
        "HOSPITABLE_TOKEN" => "hNuvQ0jzSxJmDEO4lYbR",
        "HOSTELMATE_SECRET" => "kQ3wBcq8vT0rXyZs5LdP",
        "SMTP_PASSWORD" => "sM7tPzW2eGn4",
        "SHORT_TOKEN" => "abc123",
        "EMPTY" => "",
        _ => return None,
    };
    Some(value.to_owned())
}

/// What `check` prints in a folder, with the exit code as its last line. Paths are those inside the folder.
fn screen(folder: &Path, paths: &[&str], output: Output) -> String {
    let args = Args {
        paths: paths.iter().map(|path| folder.join(path)).collect(),
    };
    let mut out = Vec::new();
    let clock = Clock::manual("2027-01-06T12:00:00Z".parse().unwrap());
    let config = folder.join("config.yaml");
    let checked = check::run(&args, &config, output, &env, &clock, &mut out);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let code = runtime.block_on(checked);
    let text = String::from_utf8(out).unwrap();
    let text = text.replace(&format!("{}/", folder.display()), "");
    let code = if format!("{code:?}") == format!("{:?}", std::process::ExitCode::SUCCESS) {
        0
    } else {
        1
    };
    format!("{text}exit code {code}\n")
}

/// A folder with this configuration and these recipes.
fn folder(config: &str, recipes: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), config).unwrap();
    std::fs::create_dir(folder.path().join("recipes")).unwrap();
    for (name, text) in recipes {
        std::fs::write(folder.path().join("recipes").join(format!("{name}.yaml")), text).unwrap();
    }
    folder
}

/// Every screen is compared before any difference fails the test.
fn compare(group: &str, screens: Vec<(String, String)>) {
    assert!(!screens.is_empty());
    let mut different = Vec::new();
    for (name, screen) in screens {
        assert!(
            !screen.contains("while parsing") && !screen.contains("did not find"),
            "{name}: the words of the parser"
        );
        let compared = std::panic::catch_unwind(|| {
            let mut settings = insta::Settings::clone_current();
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.set_snapshot_path(format!("snapshots/mistakes/{group}"));
            settings.bind(|| insta::assert_snapshot!(name.as_str(), screen));
        });
        if compared.is_err() {
            different.push(name);
        }
    }
    assert!(different.is_empty(), "{group}: {different:?}");
}

#[test]
fn of_recipes() {
    let screens = files(&fixtures()).into_iter().map(|(name, text)| {
        let folder = folder(CONFIG, &[(&name, &text)]);
        let screen = screen(folder.path(), &[], Output::Table);
        // What all of them have in common says nothing.
        let own: Vec<&str> = screen.lines().filter(|line| !line.starts_with("/hooks/")).collect();
        (name, own.join("\n"))
    });
    compare("recipes", screens.collect());
}

#[test]
fn of_configurations() {
    let screens = files(&fixtures().join("config")).into_iter().map(|(name, text)| {
        let folder = folder(&text, &[]);
        let screen = screen(folder.path(), &[], Output::Table);
        (name, screen)
    });
    compare("config", screens.collect());
}

#[test]
fn of_files_together() {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(fixtures().join("together"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let screens = folders.into_iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let config = std::fs::read_to_string(path.join("config.yaml")).unwrap();
        let recipes = files(&path.join("recipes"));
        let recipes: Vec<(&str, &str)> = recipes
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let folder = folder(&config, &recipes);
        (name, screen(folder.path(), &[], Output::Table))
    });
    compare("together", screens.collect());
}

/// Every fixture is a mistake, and the very text of the terminal is in the JSON, in the same order.
#[test]
fn json_says_the_same() {
    for (name, text) in files(&fixtures()) {
        let folder = folder(CONFIG, &[(&name, &text)]);
        let table = screen(folder.path(), &[], Output::Table);
        let json = screen(folder.path(), &[], Output::Json);
        let json = json.split("exit code").next().unwrap();
        let items: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
        assert!(!items.is_empty(), "{name}: nothing is said about it");
        let texts: String = items.iter().map(|item| item["text"].as_str().unwrap()).collect();
        assert!(table.starts_with(&texts), "{name}\n{table}\n{texts}");
        for item in items {
            let line = usize::try_from(item["line"].as_u64().unwrap()).unwrap();
            assert_eq!(item["source"].as_str(), text.lines().nth(line - 1), "{name}");
        }
    }
}

const STAY: &str =
    r#"{"code": "A1", "status": "confirmed", "check_in_date": "2027-05-01", "check_out_date": "2027-05-04"}"#;

/// The daemon starts with the good ones, says what is wrong as one line of the log each, with the words of `check`, and
/// takes the mended recipe over.
#[tokio::test]
async fn a_broken_recipe_stops_no_other() {
    const BOOKS: &str = "sources:\n  lab: {preset: generic, auth: none}\n  pms: {preset: generic, token: zq-zq}\nconnections:\n  x: {http: {base_url: \"http://127.0.0.1:9\"}}\n";
    let good = "name: good\ndry_run: true\non: {event: reservation.confirmed}\nactions: [{http: {url: /x}}]\n";
    let bad = good.replace("name: good", "name: bad");
    let site = Site::new(
        BOOKS,
        &[
            good,
            &bad.replace("{url: /x}", "{url: {{ reservation.code }}}"),
            &good.replace("name: good", "nmae: worse"),
        ],
    );
    let daemon = site.serve(None).await;
    assert!(matches!(daemon.post("lab", STAY).await, Some((200, _))));
    let runs = async |daemon: &crate::daemon::Daemon, wanted: &str| {
        let seen = async {
            loop {
                let (_, page) = daemon.get("/api/v1/runs").await.unwrap();
                let page: serde_json::Value = serde_json::from_str(&page).unwrap();
                let items = page["items"].as_array().unwrap();
                let mut names: Vec<&str> = items.iter().map(|run| run["recipe"].as_str().unwrap()).collect();
                names.sort_unstable();
                if names.join(" ") == wanted {
                    return;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), seen)
            .await
            .expect("the runs that were waited for");
    };
    runs(&daemon, "good").await;
    let (_, recipes) = daemon.get("/api/v1/recipes").await.unwrap();
    let recipes: serde_json::Value = serde_json::from_str(&recipes).unwrap();
    let list = recipes
        .as_array()
        .or_else(|| recipes["items"].as_array())
        .unwrap()
        .clone();
    let on_the_page = list.iter().find(|recipe| recipe["name"] == "bad").unwrap()["mistakes"][0].clone();
    std::fs::write(site.path().join("recipes/1.yaml"), &bad).unwrap();
    daemon.reload();
    daemon.says("reloaded").await;
    let other = STAY.replace("A1", "A2");
    assert!(matches!(daemon.post("lab", &other).await, Some((200, _))));
    runs(&daemon, "bad good good").await;
    let (_, log) = daemon.stop().await;
    let said: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let of = |code: &str| {
        said.iter()
            .find(|line| line["code"] == code)
            .unwrap_or_else(|| panic!("{code}: {log}"))
    };
    let (yaml, key, token) = (of("yaml"), of("unknown-key"), of("weak-credential"));
    assert_eq!(
        (&yaml["level"], &yaml["line"], &yaml["column"]),
        (&"ERROR".into(), &4.into(), &24.into())
    );
    assert_eq!(on_the_page, yaml["text"]);
    assert_eq!(key["help"], "did you mean `name`?");
    assert_eq!(token["level"], "WARN");
    let text = token["text"].as_str().unwrap();
    assert!(text.contains("token: •••") && !log.contains("zq-zq"), "{log}");
    // The same words as on a terminal.
    let done = site.command(&["check"]).output().await.unwrap();
    let screen = String::from_utf8(done.stdout).unwrap();
    for line in [key, token] {
        assert!(screen.contains(line["text"].as_str().unwrap()), "{screen}\n{line}");
    }
}

/// A configuration with mistakes: exit code 78, and each of them in the log.
#[tokio::test]
async fn a_broken_configuration_starts_nothing() {
    let site = Site::new(
        "timezon: UTC\nsources: {lab: {preset: generic, auth: none, stays_of: {{ x }}}}\n",
        &[],
    );
    let done = site.command(&["serve"]).output().await.unwrap();
    let log = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(78), "{log}");
    let codes: Vec<String> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| line["code"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(codes, ["unknown-key", "yaml", "unknown-source"], "{log}");
}
