//! `demo`: the daemon on a temporary database, with stand-ins on this machine for every target, and a few stays played
//! through it by the real receive path, on a clock that lets days pass in seconds.

mod page;
mod play;
mod scene;
mod site;
mod targets;

use std::io::{IsTerminal as _, Write};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::lifecycle::{Ended, Signal, Signals};
use crate::model::clock::{Clock, Time};

use super::{FINDINGS, FINE, Failure, Output, TEMPORARY, print};
use page::Page;
use play::Play;
use scene::SCENES;
use site::Site;
use targets::Targets;

/// What has to arrive. `tests/it/demo.rs` writes it anew.
const EXPECTED: &str = include_str!("../../demo/expected.json");

/// What `demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Compares every effect (key, body, order) with what is expected; exits 0, or 1 with the differences.
    #[arg(long)]
    once: bool,
    /// Without pauses between the scenes.
    #[arg(long)]
    fast: bool,
}

/// Plays the story; without `--once` it then waits for Ctrl-C with the daemon running. With `--once` and `--output json`
/// what arrived is all that is printed.
///
/// # Errors
///
/// Where the daemon cannot be started or does not come to rest.
pub async fn run(args: &Args, output: Output, out: &mut dyn Write) -> Result<u8, Failure> {
    // The story is what there is to read; the daemon's own log only on request.
    let _log = crate::telemetry::init(
        Some(super::environment("RUST_LOG").as_deref().unwrap_or("error")),
        super::environment("NO_COLOR").as_deref(),
    );
    let mut signals = Signals::listen().map_err(|error| Failure::new(TEMPORARY, error.to_string()))?;
    let colour = std::io::stdout().is_terminal() && super::environment("NO_COLOR").is_none_or(|set| set.is_empty());
    let as_json = args.once && output == Output::Json;
    let mut sink = std::io::sink();
    let mut page = Page::new(if as_json { &mut sink } else { out }, colour);
    let targets = Targets::start().await.map_err(cannot)?;
    // Days pass in seconds. And ids hold the time of receipt and keys follow from ids: to be the same every time, time is
    // told by the scenes.
    let (site, app) = Site::build(&targets, Clock::manual(time(SCENES[0].at)?)).await?;
    let stop = CancellationToken::new();
    let daemon = app.run(stop.clone());
    tokio::pin!(daemon);
    let play = Play::new(&site, &targets, !args.once && !args.fast, &mut page);
    let played = tokio::select! {
        ended = &mut daemon => return Err(died(ended)),
        () = stopped(&mut signals) => Ok(None),
        played = play.through() => played.map(Some),
    };
    let done = match played {
        Ok(Some(effects)) if args.once => {
            if as_json {
                print::print_json(&json!({"effects": effects}));
            }
            Ok(compared(&effects, &mut page))
        }
        Ok(Some(_)) => {
            play::look_around(&site, &mut page);
            tokio::select! {
                ended = &mut daemon => return Err(died(ended)),
                () = stopped(&mut signals) => Ok(FINE),
                () = goes_on(&site.engine.clock) => Ok(FINE),
            }
        }
        Ok(None) => Ok(FINE),
        Err(failure) => Err(failure),
    };
    stop.cancel();
    match daemon.await {
        Ok(Ended::Stopped | Ended::Late) => {}
        ended => return Err(died(ended)),
    }
    site.remove()?;
    done
}

/// Holds what arrived against what is expected; the exit code.
fn compared(arrived: &[Value], page: &mut Page<'_>) -> u8 {
    let whole: Value = serde_json::from_str(EXPECTED).unwrap_or_default();
    let found = differences(whole["effects"].as_array().map_or(&[], Vec::as_slice), arrived);
    if found.is_empty() {
        page.good(&format!(
            "All {} effects are as expected: key, body and order.",
            arrived.len()
        ));
        return FINE;
    }
    page.bad("Not as expected:");
    found.iter().for_each(|line| page.plain(&format!("  {line}")));
    FINDINGS
}

/// In words, what did not arrive, what arrived instead, and whether the order is another one.
fn differences(expected: &[Value], arrived: &[Value]) -> Vec<String> {
    let lacks = |all: &[Value], one: &Value| !all.contains(one);
    let missing = expected.iter().filter(|one| lacks(arrived, one));
    let missing = missing.map(|one| format!("did not arrive: {one}"));
    let strange = arrived.iter().filter(|one| lacks(expected, one));
    let mut found: Vec<String> = missing
        .chain(strange.map(|one| format!("is not expected: {one}")))
        .collect();
    if found.is_empty() && expected != arrived {
        let same = expected.iter().zip(arrived).take_while(|(a, b)| a == b).count();
        let number = (expected.len(), arrived.len());
        found.push(format!(
            "{} expected, {} arrived; place {} differs",
            number.0,
            number.1,
            same + 1
        ));
    }
    found
}

/// From the end of the story on the demo's clock goes as fast as any other.
async fn goes_on(clock: &Clock) {
    let second = TimeDelta::seconds(1);
    loop {
        Clock::System.sleep(second).await;
        clock.advance(second);
    }
}

/// A time as the scenes write it, RFC 3339.
fn time(text: &str) -> Result<Time, Failure> {
    let at = chrono::DateTime::parse_from_rfc3339(text);
    at.map(|at| at.to_utc()).map_err(cannot)
}

/// Returns once the machine asks for the end.
async fn stopped(signals: &mut Signals) {
    while signals.next().await != Signal::Stop {}
}

fn died(ended: Result<Ended, crate::app::StartError>) -> Failure {
    match ended {
        Ok(Ended::Died(what)) => Failure::new(FINDINGS, format!("a fault of Stayhook: {what}")),
        Ok(Ended::Stopped | Ended::Late) => Failure::new(FINDINGS, "the daemon ended before the demo did"),
        Err(error) => super::serve::failure(error),
    }
}

fn cannot(error: impl std::fmt::Display) -> Failure {
    Failure::new(TEMPORARY, format!("the demo cannot go on: {error}"))
}

#[cfg(test)]
mod tests;
