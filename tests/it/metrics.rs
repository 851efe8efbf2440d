//! `/metrics` of the real program after a whole session: what stands in it, what is left after a restart, what Prometheus's
//! own checker says of it, and that `docs/metrics.md` tells of every family.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::standin::{HttpStandin, Reply};
use stayhook::model::meter::{Exposition, Meter, Standing};

use crate::daemon::{Daemon, Site, request};
use crate::sender;

const PATIENCE: Duration = Duration::from_secs(30);

fn site(target: &HttpStandin) -> Site {
    let url = target.base_url();
    let config = format!(
        "sources:\n  pms: {{preset: generic, live_from: 2020-01-01T00:00:00Z, token: open-7f2c9d1e}}\n  \
         quiet: {{preset: generic, live_from: 2020-01-01T00:00:00Z, auth: none}}\n\
         connections:\n  cleaning: {{http: {{base_url: \"{url}\"}}}}\n  strict: {{http: {{base_url: \"{url}\"}}}}\n  \
         locked: {{http: {{base_url: \"{url}\"}}}}\n  idle: {{http: {{base_url: \"{url}\"}}}}\n"
    );
    let recipe = |name: &str, to: &str| {
        format!(
            "name: {name}\non: {{event: reservation.confirmed}}\nactions: [{{http: {{connection: {to}, url: /{to}}}}}]"
        )
    };
    let recipes = [
        recipe("Clean", "cleaning"),
        recipe("Book", "strict"),
        recipe("Lock", "locked"),
    ];
    Site::new(&config, &recipes.each_ref().map(String::as_str))
}

async fn target() -> HttpStandin {
    let target = HttpStandin::start().await.unwrap();
    target.decide(|request, _| match request.path_and_query.as_str() {
        "/cleaning" => Reply::status(200),
        "/strict" => Reply::status(422),
        // However long the session takes, nothing is tried twice in it.
        _ => Reply::status(401).header("retry-after", "3600"),
    });
    target
}

fn stay(n: usize) -> String {
    let stay = serde_json::json!({
        "code": format!("M{n}"), "status": "confirmed", "updated_at": "2027-01-28T09:00:00Z",
        "check_in": "2027-03-27T16:00:00+01:00", "check_out": "2027-04-02T11:00:00+02:00",
        "guest": {"name": "Wilhelmina Quux"},
    });
    stay.to_string()
}

/// The metrics, once they have all these lines, and these series with whatever value.
async fn metrics(daemon: &Daemon, lines: &[&str], series: &[&str]) -> String {
    let mut text = String::new();
    let there = async {
        loop {
            text = daemon.get("/metrics").await.unwrap().1;
            let there = lines.iter().all(|line| text.lines().any(|written| written == *line));
            if there && series.iter().all(|name| value(&text, name).is_some()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let there = tokio::time::timeout(PATIENCE, there).await;
    assert!(there.is_ok(), "{lines:#?}\n{text}");
    text
}

/// Deliveries taken, known and turned away; runs done, dead and held up; a connection paused.
async fn session(daemon: &Daemon) -> String {
    for (body, token, status) in [
        (stay(1), "open-7f2c9d1e", 200),
        (stay(1), "open-7f2c9d1e", 200),
        (stay(2), "open-7f2c9d1e", 200),
        (stay(3), "open-7f2c9d1e", 200),
        (stay(4), "wrong", 401),
        ("{".to_owned(), "open-7f2c9d1e", 400),
    ] {
        let (answered, _) = daemon.post(&format!("pms/{token}"), &body).await.unwrap();
        assert_eq!(answered, status, "{body}");
    }
    assert_eq!(
        request(&daemon.hooks, "POST", "/hooks/nobody", "{}").await.unwrap().0,
        404
    );
    metrics(
        daemon,
        &[
            "stayhook_deliveries_accepted_total{source=\"pms\"} 3",
            "stayhook_deliveries_accepted_total{source=\"quiet\"} 0",
            "stayhook_deliveries_duplicate_total{source=\"pms\"} 1",
            "stayhook_deliveries_rejected_total{source=\"pms\",reason=\"wrong token\"} 1",
            "stayhook_deliveries_rejected_total{source=\"pms\",reason=\"not JSON\"} 1",
            "stayhook_deliveries_rejected_total{source=\"(unknown)\",reason=\"unknown source\"} 1",
            "stayhook_pings_total{source=\"pms\"} 0",
            "stayhook_ack_duration_seconds_count 4",
            "stayhook_decisions_total{outcome=\"processed\"} 3",
            "stayhook_attempts_total{connection=\"cleaning\",outcome=\"done\"} 3",
            "stayhook_attempts_total{connection=\"strict\",outcome=\"reject\"} 3",
            "stayhook_attempts_total{connection=\"locked\",outcome=\"retry\"} 3",
            "stayhook_attempts_total{connection=\"idle\",outcome=\"done\"} 0",
            "stayhook_attempt_lateness_seconds_count{connection=\"cleaning\"} 3",
            "stayhook_runs_ended_total{state=\"succeeded\"} 3",
            "stayhook_runs_ended_total{state=\"dead\"} 3",
            "stayhook_runs{state=\"dead\"} 3",
            "stayhook_runs{state=\"retrying\"} 3",
            "stayhook_connection_paused{connection=\"locked\"} 1",
            "stayhook_connection_paused{connection=\"cleaning\"} 0",
            "stayhook_undecided_deliveries 0",
            "stayhook_store_up 1",
            "stayhook_log_lines_lost_total 0",
        ],
        &[],
    )
    .await
}

fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
}

#[tokio::test]
async fn a_whole_session_is_counted_and_a_restart_forgets_no_silence() {
    let target = target().await;
    let site = site(&target);
    let daemon = site.serve(None).await;
    let before = session(&daemon).await;
    let last = "stayhook_last_delivery_timestamp_seconds{source=\"pms\"}";
    let number = |name: &str| value(&before, name).unwrap().parse::<f64>().unwrap();
    assert!(
        number(last) > 1.7e9 && number("stayhook_start_time_seconds") > 1.7e9,
        "{before}"
    );
    assert!(number("stayhook_store_bytes") > 4096.0, "{before}");
    assert!(number("stayhook_resident_memory_bytes") > 1e6, "{before}");
    assert!(!before.contains("Wilhelmina") && !before.contains("M1"), "{before}");
    daemon.kill().await;
    // The counters begin anew; since when a source is silent does not, nor what is paused.
    let daemon = site.serve(None).await;
    let after = metrics(
        &daemon,
        &[
            "stayhook_deliveries_accepted_total{source=\"pms\"} 0",
            "stayhook_connection_paused{connection=\"locked\"} 1",
            "stayhook_runs{state=\"dead\"} 3",
        ],
        &[last],
    )
    .await;
    let now = value(&after, last).unwrap().parse::<f64>().unwrap();
    // It was said when the commit was through, and is stored as the time of the receipt.
    assert!((number(last) - now).abs() < 5.0, "{now} {before}");
    assert_eq!(
        value(&after, "stayhook_last_delivery_timestamp_seconds{source=\"quiet\"}"),
        None
    );
}

#[tokio::test]
#[ignore = "needs promtool, of Debian's package `prometheus`: .ci/promtool gets it"]
async fn promtool_finds_nothing_to_say() {
    let target = target().await;
    let site = site(&target);
    let daemon = site.serve(None).await;
    let text = session(&daemon).await;
    let promtool = std::env::var_os("STAYHOOK_TEST_PROMTOOL").unwrap_or_else(|| "promtool".into());
    let file = site.path().join("metrics.txt");
    std::fs::write(&file, &text).unwrap();
    let done = tokio::process::Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success() && said.is_empty(), "{said}\n{text}");
}

#[tokio::test]
async fn every_end_of_a_run_is_counted_once() {
    let to = |name: &str, rest: &str| {
        format!("name: {name}\non: {{event: reservation.confirmed}}\nactions:\n  - http: {{connection: {rest}}}\n")
    };
    let house = sender::plan()
        .recipe(&to("Held up", "cleaning, url: /x"))
        .recipe(&to(
            "Unrendered",
            "books, url: /x, headers: {X-Name: \"{{ reservation.guest.email | required }}\"}",
        ))
        .recipe(&format!(
            "{}    when: reservation.guests > 100\n",
            to("Unwanted", "books, url: /x")
        ))
        .recipe(&to("Done", "books, url: /x"))
        .build()
        .await;
    house.cleaning.then([Reply::status(503)]);
    house.deliver("ours", &sender::stay("A", "confirmed", 1)).await;
    house
        .counted("stayhook_attempts_total{connection=\"cleaning\",outcome=\"retry\"} 1")
        .await;
    house.counted("stayhook_runs_ended_total{state=\"succeeded\"} 1").await;
    house.deliver("ours", &sender::stay("A", "cancelled", 2)).await;
    for (state, count) in [
        ("cancelled", 1),
        ("dead", 1),
        ("skipped", 1),
        ("succeeded", 1),
        ("parked", 0),
    ] {
        house
            .counted(&format!("stayhook_runs_ended_total{{state=\"{state}\"}} {count}"))
            .await;
    }
    // Deciding it once more makes no run, and ends none.
    house.replay(0, false, None).await;
    house.counted("stayhook_decisions_total{outcome=\"processed\"} 3").await;
    house.counted("stayhook_runs_ended_total{state=\"dead\"} 1").await;
}

/// Kind and labels of every family of a meter that has counted one of everything.
fn families() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let meter = Meter::new("1");
    meter.configured(["pms".to_owned()], ["cleaning".to_owned()]);
    meter.stored("pms", false, Duration::ZERO, crate::support::at("2027-01-01T00:00:00Z"));
    meter.rejected("pms", "wrong token");
    meter.pinged("pms");
    meter.late("cleaning", Duration::ZERO);
    let text = meter.text(Some(&Standing::default()), Exposition::Plain);
    let mut found = BTreeMap::new();
    let mut family = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            family = (name.to_owned(), kind.to_owned());
            found.insert(family.0.clone(), (family.1.clone(), BTreeSet::new()));
        } else if let (false, Some((_, rest))) = (line.starts_with('#'), line.split_once('{')) {
            let labels = rest.split_once('}').unwrap().0.split(',');
            let names = labels.map(|label| label.split('=').next().unwrap().to_owned());
            // A histogram's bounds are no label of ours.
            found
                .get_mut(&family.0)
                .unwrap()
                .1
                .extend(names.filter(|name| name != "le"));
        }
    }
    found
}

#[test]
fn the_docs_tell_of_every_family_as_it_is() {
    let path = format!("{}/docs/metrics.md", env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(path).unwrap();
    let mut told = BTreeMap::new();
    for line in docs.lines().filter(|line| line.starts_with("| `stayhook_")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, meaning] = cells[..] else {
            panic!("four cells: {line}")
        };
        assert!(meaning.len() > 20, "{line}");
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect::<BTreeSet<_>>();
        let twice = told.insert(name.trim_matches('`').to_owned(), (kind.to_owned(), labels));
        assert_eq!(twice, None, "{line}");
    }
    assert_eq!(told, families());
    // Whatever an alert or a text names is there.
    for word in docs.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| word.strip_suffix(end));
        let known = told.contains_key(word) || base.is_some_and(|base| told.contains_key(base));
        assert!(!word.starts_with("stayhook_") || known || word == "stayhook_", "{word}");
    }
}
