//! What became of a delivery, or of a time that has come, as the store tells it.

use std::collections::{BTreeSet, HashMap};

use chrono_tz::Tz;
use serde_json::Value;

use crate::model::clock::from_ms;
use crate::store::{Ahead, DeliveryRow, Filter, RunRow};

use super::super::{FINDINGS, Failure};
use super::site::{Receipt, Site};

/// What ran, and what of it did not end well.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// The recipes that ran, each with the reason.
    pub(super) because: HashMap<String, String>,
    /// Which recipe each key belongs to.
    pub(super) keys: HashMap<String, String>,
    /// Runs that did not succeed, in words.
    pub(super) failed: Vec<String>,
}

/// What became of a delivery.
#[derive(Debug)]
pub(super) struct Became {
    pub(super) delivery: DeliveryRow,
    /// The types of its events.
    pub(super) types: Vec<String>,
    /// What ran for them.
    pub(super) ran: Ran,
}

/// A run that waits for its time.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    run: String,
    /// Its recipe.
    pub(super) recipe: String,
    /// The stay's code; `None` for what the calendar asks for.
    pub(super) code: Option<String>,
    /// When it is due, in milliseconds since 1970.
    pub(super) due_at_ms: i64,
    zone: Tz,
}

impl Planned {
    /// When it is due, by the property's clock: `Fri 9 Apr 10:00`.
    fn when(&self) -> String {
        super::day_and_time(from_ms(self.due_at_ms), self.zone)
    }
}

impl Site {
    /// What the store says of a delivery, its events and their runs.
    pub(super) async fn became(&self, receipt: &Receipt) -> Result<Became, Failure> {
        let store = &self.engine.store;
        let found = store.delivery(&receipt.delivery).await?;
        let delivery = found.ok_or_else(|| Failure::new(FINDINGS, "an acknowledged delivery is not in the store"))?;
        let (mut ran, mut types, mut stays) = (Ran::default(), Vec::new(), BTreeSet::new());
        let of_delivery = Filter {
            of: Some(receipt.delivery.clone()),
            ..Filter::default()
        };
        for row in store.events(&of_delivery).await?.items.into_iter().rev() {
            // Those of clocks say from which delivery they know the stay; their runs follow below.
            if row.types.iter().any(|kind| kind.starts_with("stay.")) {
                continue;
            }
            let event = store.event(&row.id).await?;
            let explained = event.and_then(|event| event.explanation).unwrap_or_default();
            let all = explained.as_array().into_iter().flatten();
            for one in all.filter(|one| one["result"] == "ran") {
                let recipe = one["recipe"].as_str().unwrap_or_default();
                ran.because.insert(recipe.to_owned(), held(one));
            }
            stays.insert(row.stay);
            types.extend(row.types);
        }
        for stay in stays {
            let of_stay = Filter {
                stay: Some(stay),
                limit: Some(500),
                ..Filter::default()
            };
            for run in store.runs(&of_stay).await?.items {
                self.add(&run, &mut ran).await?;
            }
        }
        Ok(Became { delivery, types, ran })
    }

    /// What the store says of runs whose time has come.
    pub(super) async fn ran(&self, due: &[Planned]) -> Result<Ran, Failure> {
        let mut ran = Ran::default();
        for planned in due {
            if let Some(detail) = self.engine.store.run(&planned.run).await? {
                self.add(&detail.run, &mut ran).await?;
            }
        }
        Ok(ran)
    }

    async fn add(&self, run: &RunRow, ran: &mut Ran) -> Result<(), Failure> {
        let detail = self.engine.store.run(&run.id).await?;
        for step in detail.into_iter().flat_map(|detail| detail.steps) {
            ran.keys.insert(step.key, run.recipe.clone());
        }
        if !ran.because.contains_key(&run.recipe)
            && let Some(recipe) = self.engine.setup().book.get(&run.recipe, None)
        {
            ran.because.insert(run.recipe.clone(), recipe.waits_for());
        }
        // What is ahead, was called off or was not wanted when its time came is no failure.
        if !["succeeded", "scheduled", "cancelled", "skipped"].contains(&run.state.as_str()) {
            ran.failed.push(format!("{}: {} {}", run.recipe, run.state, run.reason));
        }
        Ok(())
    }

    /// Everything that waits for its time, the soonest first.
    pub(super) async fn planned(&self) -> Result<Vec<Planned>, Failure> {
        let (store, setup) = (&self.engine.store, self.engine.setup());
        let mut planned = Vec::new();
        let ahead = Ahead {
            limit: Some(500),
            ..Ahead::default()
        };
        let (rows, _) = store.upcoming(&ahead).await?;
        let runs: Vec<RunRow> = rows.into_iter().map(|row| row.run).collect();
        for run in runs.into_iter().filter(|run| run.state == "scheduled") {
            let stay = match &run.stay {
                Some(stay) => store.stay_of(stay).await?,
                None => None,
            };
            let zone = stay.map_or(setup.properties.timezone, |row| {
                crate::decide::view(&row.stay, &setup.properties).zone
            });
            planned.push(Planned {
                run: run.id,
                recipe: run.recipe,
                code: run.stay.and(run.code),
                due_at_ms: run.due_at_ms,
                zone,
            });
        }
        Ok(planned)
    }

    /// What has changed of what is planned for stays, as a word and a text each.
    pub(super) async fn replanned(&self, before: &[Planned]) -> Result<Vec<(&'static str, String)>, Failure> {
        let after = self.planned().await?;
        let mut told = Vec::new();
        for now in after.iter().filter(|planned| planned.code.is_some()) {
            match before.iter().find(|one| one.run == now.run) {
                None => told.push(("planned", format!("{}: {}", now.recipe, now.when()))),
                Some(then) if then.due_at_ms != now.due_at_ms => {
                    let moved = format!("{}: from {} to {}", now.recipe, then.when(), now.when());
                    told.push(("moved", moved));
                }
                Some(_) => {}
            }
        }
        for then in before.iter().filter(|one| after.iter().all(|now| now.run != one.run)) {
            let run = self.engine.store.run(&then.run).await?;
            if run.is_some_and(|detail| detail.run.state == "cancelled") {
                told.push(("cancelled", format!("{}: {}", then.recipe, then.when())));
            }
        }
        Ok(told)
    }
}

/// The conditions of a recipe that ran, each with what it saw; not what goes without saying.
fn held(explanation: &Value) -> String {
    let conditions = explanation["conditions"].as_array().into_iter().flatten();
    let told = conditions.filter_map(|check| {
        let text = |name: &str| check[name].as_str().unwrap_or_default();
        match text("condition") {
            "kind: guest" => None,
            // The types of the event stand above it.
            on if on.starts_with("on ") => Some(on.to_owned()),
            condition => Some(format!("{condition}, saw {}", text("saw"))),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}
