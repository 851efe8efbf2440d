//! What the real program writes to standard error, and that nobody has to read it.

use futures::future::join_all;
use serde_json::Value;

use crate::daemon::Site;

const SOURCE: &str = "sources:\n  pms: {preset: generic, live_from: 2020-01-01T00:00:00Z, auth: none}\n";

fn stay(n: usize) -> String {
    let stay = serde_json::json!({
        "code": format!("N{n}"), "status": "confirmed", "updated_at": "2027-01-28T09:00:00Z",
        "check_in": "2027-03-27T16:00:00+01:00", "check_out": "2027-04-02T11:00:00+02:00",
    });
    stay.to_string()
}

fn lines(log: &str) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    log.lines().map(read).collect()
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_nothing_up() {
    let site = Site::new(SOURCE, &[]);
    let daemon = site.serve_unread().await;
    // Far more than a pipe takes (64 KiB): every delivery writes a line or two of some 300 bytes.
    for group in 0..20 {
        let bodies: Vec<String> = (0..40).map(|n| stay(group * 40 + n)).collect();
        let answers = join_all(bodies.iter().map(|body| daemon.post("pms", body))).await;
        assert!(
            answers.iter().all(|answer| matches!(answer, Some((200, _)))),
            "{answers:?}"
        );
    }
    let (_, metrics) = daemon.get("/metrics").await.unwrap();
    assert!(
        metrics.contains("stayhook_deliveries_accepted_total{source=\"pms\"} 800\n"),
        "{metrics}"
    );
    assert!(metrics.contains("stayhook_log_lines_lost_total 0\n"), "{metrics}");
    // Nor does it hold up the end; what the pipe took is whole lines but for the last.
    let (status, log) = daemon.stop().await;
    assert!(status.success());
    let stored = log.matches("\"stored\"").count();
    assert!((100..800).contains(&stored), "{stored}");
}

#[tokio::test]
async fn of_others_only_warnings_are_told() {
    let target = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = format!(
        "{SOURCE}connections: {{cleaning: {{http: {{base_url: \"http://{}\"}}}}}}\n",
        target.local_addr().unwrap()
    );
    drop(target);
    let recipe = "name: Tell\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: /x}, retry: never}]";
    let site = Site::new(&config, &[recipe]);
    // Asked for in so many words, too.
    let daemon = site.serve_logging("trace,hyper=trace,sqlx=trace,reqwest=trace").await;
    assert_eq!(daemon.post("pms", &stay(1)).await.unwrap().0, 200);
    daemon.says("\"dead\"").await;
    let (_, log) = daemon.stop().await;
    for line in lines(&log) {
        // No line but of what needs somebody.
        assert_eq!(line["level"] == "ERROR", line["state"] == "dead", "{line}");
        let target = line["target"].as_str().unwrap();
        assert!(target.starts_with("stayhook") || line["level"] == "WARN", "{line}");
    }
}

#[tokio::test]
async fn a_dead_target_is_said_once_and_its_return_too() {
    let target = crate::standin::HttpStandin::start().await.unwrap();
    let back = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let works = back.clone();
    target.decide(move |_, _| {
        crate::standin::Reply::status(if works.load(std::sync::atomic::Ordering::SeqCst) {
            200
        } else {
            503
        })
    });
    let config = format!(
        "{SOURCE}connections: {{cleaning: {{http: {{base_url: \"{}\"}}}}}}\n",
        target.base_url()
    );
    let recipe = "name: Tell\non: {event: reservation.confirmed}\nactions: [{http: {connection: cleaning, url: /x}}]";
    let site = Site::new(&config, &[recipe]);
    let daemon = site.serve_logging("info").await;
    for n in 0..60 {
        assert_eq!(daemon.post("pms", &stay(n)).await.unwrap().0, 200);
    }
    target.wait_for(60).await;
    back.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(daemon.post("pms", &stay(60)).await.unwrap().0, 200);
    daemon.says("attempts succeed again").await;
    let (_, log) = daemon.stop().await;
    let of = |level: &str, what: &str| {
        let lines = lines(&log).into_iter();
        lines
            .filter(|line| line["level"] == level && line["message"].as_str().unwrap().starts_with(what))
            .count()
    };
    assert_eq!(
        (
            of("WARN", ""),
            of("WARN", "attempts fail"),
            of("INFO", "attempts succeed again")
        ),
        (1, 1, 1),
        "{log}"
    );
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_said() {
    let site = Site::new(SOURCE, &[]);
    let daemon = site.serve_logging("stayhook=loud").await;
    let (_, log) = daemon.stop().await;
    let said = lines(&log);
    let warned = said.iter().find(|line| line["level"] == "WARN").unwrap();
    assert!(warned["message"].as_str().unwrap().contains("RUST_LOG"), "{warned}");
    assert!(said.iter().any(|line| line["message"] == "stopped"));
}
