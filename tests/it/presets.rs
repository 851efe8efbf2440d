//! Every preset against recorded requests of its sender: `tests/fixtures/sources/PRESET/` holds the requests, and
//! `expect.yaml` beside them says what has to come of each, in the order of their names.
//!
//! ```yaml
//! source: {secret: whsec_…}        # beside `preset:`
//! versioned: true                  # the sender says an order: any order of arrival ends in the same stay
//! cases:
//!   01-created:
//!     answer: 200                  # 200 where nothing is said
//!     outcome: processed           # or duplicate, ping, stale, unchanged, ignored, unmapped
//!     types: [reservation.created] # of all its events, exactly; none where nothing is said
//!     code: HM8RT3YWQ5             # under which name the stay is found afterwards
//!     stay: {check_in_date: 2027-01-08, money.total: "625.65"}
//!     payment: {amount: "452.50"}  # of its last event; `message` too
//!     warnings: [a part of one]    # exactly as many; none where nothing is said
//! ```

mod effects;
mod order;
pub mod replay;
mod spoilt;
mod together;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::Time;
use stayhook::model::clock::from_ms;

use crate::support::at;

/// A recorded request.
pub struct Recorded {
    pub name: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// When it came, where its signature has a time.
    pub clock: Option<Time>,
}

/// What is said of a sender in its `expect.yaml`.
pub struct Sender {
    pub preset: String,
    /// The settings of the source.
    pub settings: String,
    pub versioned: bool,
    pub requests: Vec<Recorded>,
    pub expected: BTreeMap<String, Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sources")
}

/// Every sender with an `expect.yaml`.
pub fn senders() -> Vec<Sender> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("expect.yaml").is_file())
        .collect();
    names.sort();
    names.iter().map(|folder| sender(folder)).collect()
}

fn sender(folder: &Path) -> Sender {
    let preset = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let file = folder.join("expect.yaml");
    let mut report = Report::new();
    let text = std::fs::read_to_string(&file).unwrap();
    let node = yaml::parse("expect.yaml", &text, &mut report);
    let said = node
        .unwrap_or_else(|| panic!("{preset}: {}", report.render(|_| None)))
        .value();
    let mut settings = said["source"].clone();
    settings["preset"] = preset.as_str().into();
    let cases = said["cases"].as_object().unwrap();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".headers.json"))
        .collect();
    files.sort();
    let requests: Vec<Recorded> = files.iter().map(|file| recorded(folder, file)).collect();
    let recorded: Vec<&str> = requests.iter().map(|request| request.name.as_str()).collect();
    let mut told: Vec<&str> = cases.keys().map(String::as_str).collect();
    told.sort_unstable();
    assert_eq!(told, recorded, "{preset}: cases and requests");
    Sender {
        preset,
        settings: settings.to_string(),
        versioned: said["versioned"] == "true" || said["versioned"] == true,
        requests,
        expected: cases.iter().map(|(name, case)| (name.clone(), case.clone())).collect(),
    }
}

fn recorded(folder: &Path, file: &Path) -> Recorded {
    let request: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let text = |key: &str| {
        request[key]
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {key}"))
            .to_owned()
    };
    Recorded {
        name: name.trim_end_matches(".headers.json").to_owned(),
        method: text("method"),
        path: text("path"),
        headers: request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned()))
            .collect(),
        body: std::fs::read(folder.join(text("body_file"))).unwrap(),
        clock: request["clock_unix"].as_i64().map(|seconds| from_ms(seconds * 1000)),
    }
}

/// Where the clock stands for the `n`th request that has no time of its own.
pub fn clock(n: usize) -> Time {
    at("2027-01-01T00:00:00Z") + chrono::TimeDelta::seconds(i64::try_from(n).unwrap())
}

#[test]
fn every_preset_has_recorded_requests() {
    let mut told: Vec<String> = senders().into_iter().map(|sender| sender.preset).collect();
    told.push("generic".to_owned());
    told.sort();
    let mut presets: Vec<&str> = stayhook::source::PRESETS.iter().map(|(name, _)| *name).collect();
    presets.sort_unstable();
    assert_eq!(told, presets);
}
