//! `demo`: the daemon on a temporary database, with stand-ins on this machine for every target, and a few stays played
//! through it by the real receive path, on a clock that lets days pass in seconds.

mod became;
mod effects;
mod expected;
mod play;
mod scene;
mod site;
mod story;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;

use chrono::TimeDelta;
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use crate::lifecycle::{Ended, Signal, Signals};
use crate::model::clock::{Clock, Time};

use super::{FINDINGS, FINE, Failure, TEMPORARY};
use effects::Record;
use play::Play;
use scene::{SCENES, Scene};
use site::{Site, Targets};
use story::Story;

/// What `demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Compares every effect (key, body, order) with what is expected; exits 0, or 1 with the differences.
    #[arg(long)]
    once: bool,
    /// Without pauses between the scenes.
    #[arg(long)]
    fast: bool,
    /// With --once: what is expected, instead of what is built in.
    #[arg(long, hide = true, requires = "once", value_name = "FILE")]
    expected: Option<PathBuf>,
    /// With --once: writes down what arrived as what is expected from now on, instead of comparing.
    #[arg(long, hide = true, requires = "once", value_name = "FILE")]
    write_expected: Option<PathBuf>,
}

/// How the playing ended.
enum Played {
    /// To the end.
    Through(Record),
    /// Somebody stopped it.
    Stopped,
}

/// Plays the story; without `--once` it then waits for Ctrl-C with the daemon running.
///
/// # Errors
///
/// Where the daemon cannot be started or does not come to rest, or a file of `--expected` cannot be used.
pub async fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    // The story is what there is to read; the daemon's own log only on request.
    let _log = crate::telemetry::init(
        Some(super::environment("RUST_LOG").as_deref().unwrap_or("error")),
        super::environment("NO_COLOR").as_deref(),
    );
    let expected = expected::read(args.expected.as_deref())?;
    let mut signals = Signals::listen().map_err(|error| Failure::new(TEMPORARY, error.to_string()))?;
    let colour = std::io::stdout().is_terminal() && super::environment("NO_COLOR").is_none_or(|set| set.is_empty());
    let targets = Targets::start().await.map_err(cannot)?;
    // Days pass in seconds. And ids hold the time of receipt and keys follow from ids: to be the same every time, time is
    // told by the scenes.
    let clock = Clock::manual(SCENES[0].at()?);
    let (site, app) = Site::build(&targets, clock).await?;
    let mut story = Story::new(out, colour, site.engine.setup().properties.timezone);
    let stop = CancellationToken::new();
    let daemon = app.run(stop.clone());
    tokio::pin!(daemon);
    let played = {
        let play = Play::new(&site, &targets, !args.once && !args.fast, &mut story);
        tokio::select! {
            ended = &mut daemon => return Err(died(ended)),
            () = stopped(&mut signals) => Ok(Played::Stopped),
            played = play.through() => played.map(Played::Through),
        }
    };
    let done = match played {
        Ok(Played::Through(record)) if args.once => {
            expected::settle(&record, &expected, args.write_expected.as_deref(), &mut story)
        }
        Ok(Played::Through(_)) => {
            story.look_around(&site);
            tokio::select! {
                ended = &mut daemon => return Err(died(ended)),
                () = stopped(&mut signals) => Ok(FINE),
                () = goes_on(site.clock()) => Ok(FINE),
            }
        }
        Ok(Played::Stopped) => Ok(FINE),
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

/// From the end of the story on the demo's clock goes as fast as any other.
async fn goes_on(clock: &Clock) {
    let second = TimeDelta::seconds(1);
    loop {
        Clock::System.sleep(second).await;
        clock.advance(second);
    }
}

impl Scene {
    /// When the sender posts it.
    fn at(&self) -> Result<Time, Failure> {
        time(self.at)
    }
}

/// A time as the scenes write it, RFC 3339.
fn time(text: &str) -> Result<Time, Failure> {
    let at = chrono::DateTime::parse_from_rfc3339(text);
    at.map(|at| at.to_utc()).map_err(cannot)
}

/// `Fri 9 Apr 10:00`, by the clock on the wall there.
fn day_and_time(at: Time, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b %H:%M").to_string()
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
