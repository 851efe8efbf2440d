//! A planned run whose time has come: read with what it has to know, asked whether it goes, and taken on.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::decide::view;
use crate::engine::{Due, Setup};
use crate::model::fault::guard;
use crate::model::id::StayId;
use crate::model::plan::{EndedBy, Place};
use crate::model::reservation::Stay;
use crate::model::run::RunState;
use crate::recipe::Recipe;
use crate::store::{Becomes, Beside, CameDue, DueRun, StoreError};

use super::gather::gathered;
use super::{Engine, claim, replan, said};

/// What a look found.
#[derive(Debug)]
pub struct Batch {
    /// How many runs are due.
    pub found: usize,
    /// How many of them were taken on.
    pub taken: usize,
    /// Whether a time of the calendar is among what is due.
    pub schedules: bool,
}

impl Batch {
    /// Whether something was taken on, or nothing was there to be.
    pub fn is_done(&self) -> bool {
        self.taken > 0 || self.found == 0
    }
}

/// Takes on the longest due.
pub async fn batch(engine: &Engine, limit: usize) -> Result<Batch, StoreError> {
    let now = engine.clock.now();
    let setup = engine.setup();
    let runs = engine.store.due(now, limit).await?;
    let found = runs.len();
    if found == 0 {
        return Ok(Batch {
            found,
            taken: 0,
            schedules: false,
        });
    }
    let schedules = runs.iter().any(|run| run.stay_id.is_none());
    let stays = runs.iter().filter_map(|run| run.stay.as_ref());
    let behind: BTreeMap<&str, &Stay> = stays
        .filter(|stay| setup.in_force.new_to(stay).is_some())
        .map(|stay| (stay.id.as_str(), stay))
        .collect();
    if !behind.is_empty() {
        // Whether and when is asked under the rules of now; the next look sees what is due then.
        let behind: Vec<Stay> = behind.into_values().cloned().collect();
        let taken = behind.len();
        replan::these(engine, &setup, behind, now).await?;
        return Ok(Batch {
            found,
            taken,
            schedules,
        });
    }
    let beside = match setup.reads_neighbours() {
        true => beside(engine, &setup, &runs).await?,
        false => HashMap::new(),
    };
    let mut came = Vec::with_capacity(found);
    let mut at_once = HashSet::new();
    for run in runs {
        let lists = match run.stay_id {
            None => gathered(engine, &setup, &run, now).await?,
            Some(_) => Value::Null,
        };
        let recipe = recipe(engine, &setup, &run).await?;
        let twice = run.stay_id.is_none() && !at_once.insert((run.recipe.clone(), run.due_at));
        let look = Due {
            setup: &setup,
            run: &run,
            recipe: recipe.as_ref(),
            beside: run.stay_id.as_ref().and_then(|id| beside.get(id.as_str())),
            gathered: lists,
            now,
        };
        let asked = guard(|| look.ask(twice));
        came.push(asked.unwrap_or_else(|fault| {
            look.ended(
                RunState::Dead,
                format!("a fault of Stayhook: {}", fault.message),
                None,
                None,
            )
        }));
    }
    let reports: Vec<_> = came.iter().filter_map(missed).collect();
    let taken = engine.store.come_due(came, now).await?;
    for (run, reason) in reports {
        tracing::warn!(run.id = %run, reason, "a planned run did not go");
    }
    for (run, state) in &taken.ended {
        said::ended(engine, run, *state);
    }
    engine.meter.failed_steps(taken.failed_steps);
    if !taken.ready.is_empty() {
        tracing::debug!(runs = taken.ready.len(), "runs came due");
        engine.lanes.wait_for(taken.lanes);
        engine.outbox.notify_one();
    }
    Ok(Batch {
        found,
        taken: taken.ready.len() + taken.ended.len(),
        schedules,
    })
}

/// What has to be reported: a run that nobody was there for.
fn missed(came: &CameDue) -> Option<(crate::model::id::RunId, String)> {
    match &came.becomes {
        Becomes::Ended {
            reason,
            ended_by: Some(EndedBy::Down),
            ..
        } => Some((came.run.clone(), reason.clone())),
        _ => None,
    }
}

async fn beside(engine: &Engine, setup: &Setup, runs: &[DueRun]) -> Result<HashMap<String, Beside>, StoreError> {
    let stays = runs.iter().filter_map(|run| run.stay.as_ref());
    let places: Vec<(StayId, Place)> = stays
        .map(|stay| (stay.id.clone(), view(stay, &setup.properties).place()))
        .collect();
    engine.store.neighbours(&places).await
}

/// The recipe as it is now; one that is not there any more, and whose run answers an event, as it was.
async fn recipe(engine: &Engine, setup: &Setup, run: &DueRun) -> Result<Option<Arc<Recipe>>, StoreError> {
    if let Some(recipe) = setup.book.get(&run.recipe, None) {
        return Ok(Some(recipe.clone()));
    }
    match run.revision.is_empty() {
        true => Ok(None),
        false => claim::find(engine, setup, &run.recipe, Some(&run.revision)).await,
    }
}
