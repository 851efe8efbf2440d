//! The rounds: every program once in each, in turn, so that a slow minute of the machine falls on all of them.

use std::time::Duration;

use super::Args;
use super::body::Template;
use super::clock;
use super::load::{self, Sent, quantile_ms};
use super::program::{Program, Site};
use super::report::Report;
use super::strangers;
use super::target::Target;

/// The longest that effects may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);

/// All parts.
pub async fn all(args: &Args) {
    let mut report = Report::default();
    for round in 1..=args.rounds {
        eprintln!("round {round} of {}", args.rounds);
        for kind in ["parse", "insert", "paused"] {
            if args.wants(kind) {
                alone(args, kind, &mut report).await;
            }
        }
        if args.wants("running") || args.wants("quiet") {
            running(args, &mut report).await;
        }
        if args.wants("dead") {
            dead(args, &mut report).await;
        }
        if args.wants("one-stay") {
            one_stay(args, &mut report).await;
        }
        if args.wants("strangers") {
            strangers::costly(args, &mut report).await;
        }
        if args.wants("idle") {
            strangers::idle(&mut report).await;
        }
    }
    if args.wants("memory") {
        memory_and_start(args, &mut report).await;
    }
    if args.wants("scheduled") {
        clock::scheduled(args, &mut report).await;
    }
    if args.wants("replan") {
        clock::replan(args, &mut report).await;
    }
    report.print();
}

pub fn to(program: &Program, source: &str, letter: char) -> Template {
    let path = format!("/hooks/{source}/a-token-for-the-benchmark");
    Template::new(&program.hooks.to_string(), &path, letter)
}

pub fn fine(sent: &Sent) {
    assert_eq!(sent.refused, 0, "everything is acknowledged");
}

fn acks(report: &mut Report, who: &str, sent: &Sent) {
    report.add(who, "acknowledged/s", sent.rate());
    report.add(who, "ack p50 ms", quantile_ms(&sent.acks, 0.5));
    report.add(who, "ack p99 ms", quantile_ms(&sent.acks, 0.99));
}

/// Milliseconds of processor time for each delivery, which is seconds for 1,000.
fn cpu(before: Duration, after: Duration, deliveries: usize) -> f64 {
    (after - before).as_secs_f64() * 1000.0 / deliveries as f64
}

async fn alone(args: &Args, kind: &str, report: &mut Report) {
    let target = Target::open().await;
    let site = Site::new(&target);
    let program = site.yardstick(kind);
    let before = program.cpu();
    let template = to(&program, "pms", 'B');
    let sent = load::flood(program.hooks, &template, 0..args.deliveries, args.connections).await;
    fine(&sent);
    acks(report, kind, &sent);
    report.add(kind, "CPU-s per 1,000", cpu(before, program.cpu(), args.deliveries));
}

async fn running(args: &Args, report: &mut Report) {
    let target = Target::open().await;
    let site = Site::new(&target);
    let program = site.serve();
    let template = to(&program, "pms", 'B');
    if args.wants("running") {
        let before = program.cpu();
        let began = std::time::Instant::now();
        let sent = load::flood(program.hooks, &template, 0..args.deliveries, args.connections).await;
        fine(&sent);
        acks(report, "running", &sent);
        let last = target.wait_for(args.deliveries, PATIENCE).await;
        report.add(
            "running",
            "effects/s",
            args.deliveries as f64 / (last - began).as_secs_f64(),
        );
        settled(&program).await;
        let spent = cpu(before, program.cpu(), args.deliveries);
        report.add("running", "CPU-s per 1,000", spent);
    }
    if args.wants("quiet") {
        target.clear();
        let range = 10_000_000..10_000_000 + args.quiet;
        let sent = load::steady(program.hooks, &template, range.clone(), Duration::from_millis(5)).await;
        fine(&sent);
        target.wait_for(args.quiet, PATIENCE).await;
        let mut whole: Vec<Duration> = target
            .times()
            .into_iter()
            .filter_map(|(number, at)| Some(at - sent.at[number - range.start]?))
            .collect();
        whole.sort_unstable();
        report.add("quiet", "ack p50 ms", quantile_ms(&sent.acks, 0.5));
        report.add("quiet", "ack p99 ms", quantile_ms(&sent.acks, 0.99));
        report.add("quiet", "end to end p50 ms", quantile_ms(&whole, 0.5));
        report.add("quiet", "end to end p99 ms", quantile_ms(&whole, 0.99));
    }
}

/// The same load twice, each on a daemon of its own: without and with runs that a dead target holds.
async fn dead(args: &Args, report: &mut Report) {
    for (who, held) in [("nothing held", 0), ("dead target", args.held)] {
        let target = Target::open().await;
        let site = Site::new(&target);
        let program = site.serve();
        if held > 0 {
            let template = to(&program, "held", 'D');
            fine(&load::flood(program.hooks, &template, 0..held, args.connections).await);
            settled(&program).await;
        }
        let template = to(&program, "pms", 'B');
        let sent = load::flood(program.hooks, &template, 0..args.deliveries, args.connections).await;
        fine(&sent);
        acks(report, who, &sent);
        target.wait_for(args.deliveries, PATIENCE).await;
    }
}

/// Many deliveries of one stay, which are decided one after the other: what each costs must not grow with their number.
async fn one_stay(args: &Args, report: &mut Report) {
    for (who, count) in [("one stay, told 500 times", 500), ("one stay, told 2,000 times", 2_000)] {
        let target = Target::open().await;
        let site = Site::new(&target);
        let program = site.serve();
        let path = "/hooks/pms/a-token-for-the-benchmark";
        let template = Template::of_one_stay(&program.hooks.to_string(), path);
        let began = std::time::Instant::now();
        fine(&load::flood(program.hooks, &template, 0..count, args.connections).await);
        settled(&program).await;
        report.add(
            who,
            "decided in ms each",
            began.elapsed().as_secs_f64() * 1000.0 / count as f64,
        );
    }
}

async fn memory_and_start(args: &Args, report: &mut Report) {
    let target = Target::open().await;
    let site = Site::new(&target);
    {
        let program = site.serve();
        tokio::time::sleep(Duration::from_secs(2)).await;
        report.add("memory", "idle MB", program.memory_mb().0);
        let template = to(&program, "pms", 'B');
        fine(&load::flood(program.hooks, &template, 0..args.many, args.connections).await);
        target.wait_for(args.many, PATIENCE * 4).await;
        settled(&program).await;
        report.add("memory", "peak MB", program.memory_mb().1);
    }
    for _ in 0..args.rounds {
        // Ended by force each time: the start has something to recover.
        let program = site.serve();
        report.add("start", "ready after ms", program.start.as_secs_f64() * 1000.0);
        report.add("start", "idle MB", program.memory_mb().0);
    }
}

/// Waits until every delivery is decided.
pub async fn settled(program: &Program) {
    let until = std::time::Instant::now() + PATIENCE;
    while program.metric("stayhook_undecided_deliveries") > 0.0 {
        assert!(
            std::time::Instant::now() < until,
            "everything is decided in {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
