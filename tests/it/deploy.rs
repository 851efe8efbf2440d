//! What stands in `Dockerfile` and `deploy/` held against the program: commands, limits and promises that are written
//! twice.

use std::collections::HashMap;

use stayhook::lang::diag::Report;
use stayhook::lang::yaml::{self, Node};
use stayhook::lifecycle::STOP_MAX;

use crate::daemon::Site;

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const COMPOSE: &str = include_str!("../../deploy/compose.yaml");
const UNIT: &str = include_str!("../../deploy/stayhook.service");
const CARGO: &str = include_str!("../../Cargo.toml");

fn compose() -> Node {
    let mut report = Report::new();
    let node = yaml::parse("compose.yaml", COMPOSE, &mut report);
    assert!(report.items.is_empty(), "{}", report.render(|_| None));
    node.unwrap()
}

/// What stands below a path of keys.
fn below<'n>(node: &'n Node, path: &str) -> &'n Node {
    path.split('.').fold(node, |node, key| {
        let found = node.entries().iter().find(|(known, _)| known.text == key);
        &found.unwrap_or_else(|| panic!("no `{key}` of {path}")).1
    })
}

fn texts(node: &Node) -> Vec<&str> {
    node.items().iter().filter_map(Node::scalar).collect()
}

/// The settings of the unit, the last of each name.
fn unit() -> HashMap<&'static str, &'static str> {
    let lines = UNIT.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).collect()
}

/// The words of an instruction of the Dockerfile that is written as a list.
fn instruction(name: &str) -> Vec<String> {
    let joined = DOCKERFILE.replace("\\\n", " ");
    let lines: Vec<&str> = joined.lines().filter(|line| line.starts_with(name)).collect();
    assert_eq!(lines.len(), 1, "{name}: {lines:?}");
    let at = lines[0].find('[').unwrap();
    serde_json::from_str(&lines[0][at..]).unwrap()
}

fn seconds(text: &str) -> u64 {
    text.trim_end_matches('s').parse().unwrap()
}

#[tokio::test]
async fn every_command_that_they_call_is_one() {
    let site = Site::new("", &[]);
    let health = instruction("HEALTHCHECK");
    let served = instruction("CMD");
    let program = instruction("ENTRYPOINT");
    let test = below(&compose(), "services.stayhook.healthcheck.test").clone();
    assert_eq!(texts(&test)[1..], health, "the same in the image and in compose");
    assert_eq!(health[..1], program);
    let start = unit()["ExecStart"].split(' ').skip(1).collect::<Vec<_>>();
    for words in [vec![health[1].as_str()], vec![served[0].as_str()], start] {
        let done = site.command(&words).arg("--help").output().await.unwrap();
        assert!(done.status.success(), "{words:?}");
    }
}

#[test]
fn the_end_is_given_the_time_it_may_take() {
    let stop = STOP_MAX.as_secs();
    assert!(seconds(unit()["TimeoutStopSec"]) > stop);
    let compose = compose();
    let grace = below(&compose, "services.stayhook.stop_grace_period").scalar().unwrap();
    assert!(seconds(grace) > stop);
}

#[test]
fn the_unit_waits_for_what_the_program_tells() {
    let unit = unit();
    assert_eq!((unit["Type"], unit["Restart"]), ("notify", "on-failure"));
    assert!(seconds(unit["WatchdogSec"]) >= 30);
    // Wrong usage and a wrong configuration; 75 passes by itself.
    assert_eq!(unit["RestartPreventExitStatus"], "2 78");
    assert!(unit["ExecReload"].contains("-HUP"));
}

#[test]
fn nothing_runs_as_root_or_writes_where_it_need_not() {
    assert!(DOCKERFILE.contains("\nUSER 65532:65532\n"));
    let compose = compose();
    let settings = below(&compose, "services.stayhook");
    let user = below(settings, "user").scalar().unwrap();
    assert!(user.contains(":-1000}") && !user.contains("root"), "{user}");
    assert_eq!(below(settings, "read_only").scalar(), Some("true"));
    assert_eq!(texts(below(settings, "cap_drop")), ["ALL"]);
    // Whoever publishes it to the world without TLS has to write that themselves.
    assert!(
        texts(below(settings, "ports"))
            .iter()
            .all(|port| port.starts_with("127.0.0.1:"))
    );
    let unit = unit();
    assert_eq!((unit["User"], unit["ProtectSystem"]), ("stayhook", "strict"));
    assert_eq!(unit["CapabilityBoundingSet"], "");
}

#[test]
fn the_image_is_built_with_a_compiler_that_is_new_enough() {
    let least = CARGO
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap();
    let from = DOCKERFILE
        .lines()
        .find_map(|line| line.strip_prefix("FROM rust:"))
        .unwrap();
    let version = from.split('-').next().unwrap();
    assert_eq!(version, least.trim_matches('"'));
}
