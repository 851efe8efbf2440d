//! What plans ahead: 100,000 planned runs at rest, runs that come due under load, recipes that change while deliveries
//! come in.

use std::time::{Duration, Instant};

use super::Args;
use super::load::{self, quantile_ms};
use super::program::{Program, Site};
use super::report::Report;
use super::round::{fine, settled, to};
use super::target::Target;

/// How many runs a stay has planned.
const EACH: usize = 10;
/// How long changes are waited for before the run that is measured: it is due so long after its delivery.
const WAIT: Duration = Duration::from_secs(12);
/// One delivery every so often: 250 a second.
const PACE: Duration = Duration::from_millis(4);

/// A recipe that plans ten runs for every stay of `held`, the first so many days before the arrival.
fn planning(first: usize) -> String {
    let entries: Vec<String> = (first..first + EACH)
        .map(|days| format!("  - {{stay: check_in, before: {days}d, at: '10:00'}}\n"))
        .collect();
    format!(
        "name: Plan ahead\non:\n{}match: {{source: held}}\nactions:\n  - http: {{connection: tasks, url: /planned}}\n",
        entries.concat()
    )
}

/// A recipe whose runs for `soon` are due some seconds after their delivery.
const SOON: &str = "
name: Soon
on: {event: reservation.confirmed}
match: {source: soon}
settle: 12s
actions:
  - http: {connection: tasks, method: PUT, url: '/soon/{{ reservation.code }}'}
";

fn site(target: &Target) -> Site {
    let site = Site::new(target);
    let path = site.path().join("config.yaml");
    let config = std::fs::read_to_string(&path).unwrap();
    let source = "  soon: {preset: hospitable-v1, token: \"a-token-for-the-benchmark\"}\n  load: {preset: hospitable-v1, token: \"a-token-for-the-benchmark\"}\n";
    std::fs::write(path, config.replace("connections:", &format!("{source}connections:"))).unwrap();
    for name in ["pms.yaml", "held.yaml"] {
        std::fs::remove_file(site.path().join("recipes").join(name)).unwrap();
    }
    std::fs::write(site.path().join("recipes/plan.yaml"), planning(1)).unwrap();
    std::fs::write(site.path().join("recipes/soon.yaml"), SOON).unwrap();
    site
}

/// Plans for so many stays.
async fn filled(args: &Args, site: &Site) -> Program {
    let program = site.serve();
    let stays = args.many / EACH;
    fine(&load::flood(program.hooks, &to(&program, "held", 'P'), 0..stays, args.connections).await);
    settled(&program).await;
    let planned = program.metric("stayhook_runs{state=\"scheduled\"}");
    assert!(planned as usize == stays * EACH, "{planned} runs are planned");
    program
}

/// 100,000 planned runs: what they cost at rest, at the start, and when others come due among them.
pub async fn scheduled(args: &Args, report: &mut Report) {
    let target = Target::open().await;
    let site = site(&target);
    drop(filled(args, &site).await);
    for round in 0..args.rounds {
        let program = site.serve();
        report.add("scheduled", "ready after ms", program.start.as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let (before, began) = (program.cpu(), Instant::now());
        tokio::time::sleep(Duration::from_secs(20)).await;
        let share = (program.cpu() - before).as_secs_f64() / began.elapsed().as_secs_f64();
        report.add("scheduled", "idle % of a core", share * 100.0);
        report.add("scheduled", "idle MB", program.memory_mb().0);
        due(args, &program, &target, round, report).await;
    }
}

/// Runs that come due at the pace at which their deliveries came, while more deliveries come in.
async fn due(args: &Args, program: &Program, target: &Target, round: usize, report: &mut Report) {
    target.clear();
    let first = round * args.quiet;
    let range = first..first + args.quiet;
    let sent = load::steady(program.hooks, &to(program, "soon", 'S'), range, PACE).await;
    fine(&sent);
    let others = round * 2 * args.quiet..(round + 1) * 2 * args.quiet;
    let template = to(program, "load", 'L');
    let others = load::steady(program.hooks, &template, others, PACE * 2);
    let (others, _) = tokio::join!(others, target.wait_for(args.quiet, WAIT * 10));
    fine(&others);
    let mut late: Vec<Duration> = target
        .times()
        .into_iter()
        .filter_map(|(number, came)| {
            let at = sent.at.get(number - first).copied().flatten()?;
            Some(came.saturating_duration_since(at + WAIT))
        })
        .collect();
    late.sort_unstable();
    report.add("due", "due to sent p50 ms", quantile_ms(&late, 0.5));
    report.add("due", "due to sent p99 ms", quantile_ms(&late, 0.99));
}

/// A recipe changes while deliveries come in: everything planned by it is planned anew.
pub async fn replan(args: &Args, report: &mut Report) {
    let target = Target::open().await;
    let site = site(&target);
    let program = filled(args, &site).await;
    let template = to(&program, "load", 'R');
    let mut number = 0;
    let mut next = |count: usize| {
        number += count;
        number - count..number
    };
    for round in 1..=args.rounds {
        let calm = load::steady(program.hooks, &template, next(2 * args.quiet), PACE).await;
        fine(&calm);
        settled(&program).await;
        let text = planning(1 + EACH * round);
        let days = format!("{} days", 1 + EACH * round);
        std::fs::write(site.path().join("recipes/plan.yaml"), text).unwrap();
        let (mut acks, mut took) = (Vec::new(), None);
        let began = Instant::now();
        // The folder is looked at once a second, and then nothing may change for a moment.
        while took.is_none() || began.elapsed() < Duration::from_secs(8) {
            let sent = load::steady(program.hooks, &template, next(50), PACE).await;
            fine(&sent);
            acks.extend(sent.acks);
            if took.is_none() && program.get("/api/v1/recipes").contains(&days) {
                took = Some(began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(120), "the recipe is taken over");
        }
        acks.sort_unstable();
        report.add("no change", "ack p99 ms", quantile_ms(&calm.acks, 0.99));
        report.add("re-planning", "ack p99 ms", quantile_ms(&acks, 0.99));
        let took = took.unwrap_or_default();
        report.add("re-planning", "from file to plan s", took.as_secs_f64());
        settled(&program).await;
    }
}
