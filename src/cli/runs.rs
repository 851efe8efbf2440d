//! `runs`: what went out and what waits; trying again, calling off, declaring done.

use serde_json::{Value, json};

use crate::config::Config;
use crate::decide::view;
use crate::model::clock::{Clock, from_ms};
use crate::model::id::RunId;
use crate::model::plan::EndedBy;
use crate::model::run::{ByHand, RunState};
use crate::recipe::{entry_words, entry_zone};
use crate::store::{Filter, HandError, HandOutcome, RunDetail, RunRow};
use crate::web::Local;

use super::print::sayln;
use super::select::{Select, heard_of};
use super::{FINDINGS, FINE, Failure, Global, Output, USAGE, print, remote};

/// How many dead runs one call tries again.
const RETRY_MAX: usize = 10_000;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// The newest first.
    List {
        #[command(flatten)]
        select: Select,
        /// In this state: scheduled, ready, running, retrying, parked, succeeded, dead, cancelled, skipped.
        #[arg(long)]
        state: Option<String>,
        /// Of this recipe.
        #[arg(long)]
        recipe: Option<String>,
        /// That went on past a failed step.
        #[arg(long)]
        failed_steps: bool,
    },
    /// One, with its steps and attempts.
    Show {
        /// Its id.
        id: String,
    },
    /// Tries again, from the step that failed.
    Retry {
        /// These.
        ids: Vec<String>,
        /// All that are dead or parked.
        #[arg(long)]
        dead: bool,
        /// With --dead: of this recipe.
        #[arg(long, requires = "dead")]
        recipe: Option<String>,
        /// With --dead: that ended since.
        #[arg(long, requires = "dead")]
        since: Option<String>,
        /// Even where the stay is gone, something newer is done, or an earlier attempt may have had an effect.
        #[arg(long)]
        again: bool,
        /// With the recipe as it was, not as it is now.
        #[arg(long)]
        same_revision: bool,
    },
    /// Calls off what waits.
    Cancel {
        /// These.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Declares dead or parked runs done: somebody has seen to it.
    Done {
        /// These.
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

pub async fn run(global: &Global, command: Command) -> Result<u8, Failure> {
    match command {
        Command::List {
            select,
            state,
            recipe,
            failed_steps,
        } => {
            let state = print::word("--state", state, &RunState::ALL.map(RunState::word))?;
            let (config, store) = super::store_to_read(global).await?;
            let filter = Filter {
                failed_steps: failed_steps.then_some(true),
                ..select.filter(state, recipe, &config, &store).await?
            };
            let page = store.runs(&filter).await?;
            let heads = ["run", "made", "recipe", "code", "state", "att", "reason"];
            print::page(global.output, &page, &heads, row);
            Ok(FINE)
        }
        Command::Show { id } => {
            let (config, store) = super::store_to_read(global).await?;
            let Some(run) = store.run(&id).await? else {
                return Err(Failure::new(FINDINGS, format!("there is no run {id}")));
            };
            if global.output == Output::Json {
                print::print_json(&json!(run));
                return Ok(FINE);
            }
            let stay = match &run.run.stay {
                Some(stay) => store.stay_of(stay).await?,
                None => None,
            };
            let zone = stay.map(|row| view(&row.stay, &config.properties).zone);
            let zone = zone.or_else(|| entry_zone(&run.run.entries));
            let local = Local {
                zone: zone.unwrap_or(config.properties.timezone),
                now: Clock::System.now(),
            };
            show(&run, &local);
            Ok(FINE)
        }
        Command::Retry {
            ids,
            dead,
            recipe,
            since,
            again,
            same_revision,
        } => {
            if ids.is_empty() != dead {
                return Err(Failure::new(
                    USAGE,
                    "say which: ids, or --dead for all that are dead or parked",
                ));
            }
            let config = super::configuration(global)?;
            let (_, store) = super::store_to_read(global).await?;
            let ids = if dead {
                let since = since.as_deref().map(|since| print::since(since, &config)).transpose()?;
                heard_of(None, recipe.as_deref(), &config, &store).await?;
                store.dead(recipe, since, RETRY_MAX).await?
            } else {
                ids.into_iter().map(RunId).collect()
            };
            store.close().await;
            hand(&config, ids, Hand::Retry(ByHand { again, same_revision })).await
        }
        Command::Cancel { ids } => {
            let config = super::configuration(global)?;
            hand(&config, ids.into_iter().map(RunId).collect(), Hand::Cancel).await
        }
        Command::Done { ids } => {
            let config = super::configuration(global)?;
            hand(&config, ids.into_iter().map(RunId).collect(), Hand::Done).await
        }
    }
}

#[derive(Clone, Copy)]
enum Hand {
    Retry(ByHand),
    Cancel,
    Done,
}

/// Does the same to several runs, oldest event first, and says what became of each.
async fn hand(config: &Config, ids: Vec<RunId>, what: Hand) -> Result<u8, Failure> {
    if ids.is_empty() {
        sayln!("no run is meant");
        return Ok(FINE);
    }
    let (word, body) = match what {
        Hand::Retry(by_hand) => ("retry", json!(by_hand)),
        Hand::Cancel => ("cancel", json!({})),
        Hand::Done => ("done", json!({})),
    };
    let mut alone = None;
    let mut refused = 0;
    let all = ids.len();
    for (at, id) in ids.into_iter().enumerate() {
        let said = match &alone {
            None => match remote::post(config, &format!("runs/{id}/{word}"), &body).await? {
                Some(reply) if reply.status < 300 => Ok(text(&reply.body)),
                Some(reply) if reply.status == 401 || reply.status >= 500 => return Err(remote::refusal(&reply)),
                Some(reply) => Err(remote::refusal(&reply).message),
                None => {
                    let store = alone.insert(remote::store_alone(config).await?);
                    on_store(&store.0, id.clone(), what).await?
                }
            },
            Some((store, _)) => on_store(store, id.clone(), what).await?,
        };
        let place = if all > 1 {
            format!("[{}/{all}] ", at + 1)
        } else {
            String::new()
        };
        match said {
            Ok(said) => sayln!("{place}{id}: {said}"),
            Err(because) => {
                refused += 1;
                eprintln!("{place}{because}");
            }
        }
    }
    Ok(if refused == 0 { FINE } else { FINDINGS })
}

async fn on_store(store: &crate::store::Store, id: RunId, what: Hand) -> Result<Result<String, String>, Failure> {
    let now = Clock::System.now();
    let done: Result<HandOutcome, HandError> = match what {
        Hand::Retry(by_hand) => store.retry(id, by_hand, now).await,
        Hand::Cancel => store.cancel(id, now).await,
        Hand::Done => store.done(id, now).await,
    };
    match done {
        Ok(outcome) => Ok(Ok(format!("{} ({})", outcome.message, outcome.state.word()))),
        Err(HandError::Store(error)) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

fn text(body: &Value) -> String {
    let part = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    format!("{} ({})", part("message"), part("state"))
}

fn row(run: &RunRow) -> Vec<String> {
    vec![
        run.id.clone(),
        print::time(run.created_at_ms),
        run.recipe.clone(),
        run.code.clone().unwrap_or_default(),
        run.state.clone(),
        run.attempts.to_string(),
        run.reason.clone(),
    ]
}

/// What a clock has to do with a run: what it stands for, for when, and how it was moved.
fn planned(detail: &RunDetail, local: &Local) {
    let run = &detail.run;
    let time = |ms: i64| local.whole(from_ms(ms));
    sayln!("entry {}: {}", run.entries.join(", "), entry_words(&run.entries));
    if let Some(at) = run.planned_at_ms {
        sayln!("planned for {}", time(at));
    }
    for change in &detail.moves {
        let (from, to) = (time(change.from_due_ms), time(change.to_due_ms));
        let what = match (change.from_state.as_str(), change.to_state.as_str()) {
            ("scheduled" | "ready", "scheduled") => format!("moved from {from} to {to}"),
            (_, "scheduled") => format!("planned again for {to}"),
            (_, "skipped") => format!("skipped, it was planned for {from}"),
            _ => format!("called off, it was planned for {from}"),
        };
        let because = if change.because.is_empty() { "" } else { ": " };
        sayln!("  {}  {what}{because}{}", time(change.at_ms), change.because);
    }
    if let Some(cause) = run.ended_by.as_deref().and_then(EndedBy::from_word) {
        let why = match cause {
            EndedBy::Plan => "it is not wanted any more; it comes back when it is",
            EndedBy::Recipe => "its recipe does not ask for this time any more; it comes back when it does",
            EndedBy::Condition => "its conditions did not hold when it was due",
            EndedBy::Past => "its time had passed, too long ago, when the stay became known or moved",
            EndedBy::Late => {
                "its time had passed when its recipe was changed; `stayhook plan --backfill` runs it all the same"
            }
            EndedBy::Down => "its time passed while nobody was there to do it",
            EndedBy::OldLife => "that life of the stay is over; what it did is planned anew",
            EndedBy::Fired => "what its recipe said before has fired",
            EndedBy::Person => "a person called it off; it does not come back by itself",
        };
        sayln!("ended because {why}");
    }
}

fn show(detail: &RunDetail, local: &Local) {
    let run = &detail.run;
    sayln!(
        "{}  {}  {}",
        run.id,
        run.recipe,
        run.code.as_deref().unwrap_or_default()
    );
    sayln!(
        "{}{}{}",
        run.state,
        if run.reason.is_empty() { "" } else { ": " },
        run.reason
    );
    let as_planned = run.planned_at_ms == Some(run.due_at_ms);
    if run.state == "retrying" || run.state == "scheduled" && !as_planned {
        sayln!("due {}", print::time(run.due_at_ms));
    }
    if !run.entries.is_empty() {
        planned(detail, local);
    }
    for (yes, text) in [
        (run.dry_run, "dry run: nothing is sent"),
        (run.uncertain, "an earlier attempt may have had an effect"),
        (run.cancel_requested, "ends as soon as its open attempt is settled"),
    ] {
        if yes {
            sayln!("{text}");
        }
    }
    for step in &detail.steps {
        sayln!(
            "\nstep {} `{}`: {}  key {}",
            step.position + 1,
            step.id,
            step.state,
            step.key
        );
        if !step.request.is_null() {
            sayln!(
                "  over {}: {}",
                step.request["connection"].as_str().unwrap_or_default(),
                step.request["request"]
            );
        }
        if let Some(because) = step.output[&step.state].as_str() {
            sayln!("  {because}");
        } else if !step.output.is_null() {
            sayln!("  gave {}", step.output);
        }
        for attempt in detail
            .attempts
            .iter()
            .filter(|attempt| attempt.position == step.position)
        {
            let outcome = attempt.outcome.as_deref().unwrap_or("under way");
            let summary = attempt.summary.as_deref().unwrap_or_default();
            sayln!(
                "  attempt {}  {}  {outcome}  {summary}",
                attempt.number,
                print::time(attempt.started_at_ms)
            );
            if let Some(excerpt) = &attempt.excerpt {
                sayln!("    {excerpt}");
            }
        }
    }
}
