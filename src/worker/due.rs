//! A planned run whose time has come: whether it goes, by the stay and the recipe as they are now.

mod schedule;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::decide::{self, Neighbours, View, around, changes, local_now, moments, view};
use crate::model::blank::blank;
use crate::model::body::decode_stored;
use crate::model::clock::Time;
use crate::model::decision::{Ending, Explanation};
use crate::model::event::Event;
use crate::model::fault::guard;
use crate::model::id::{EventId, StayId};
use crate::model::plan::{EndedBy, NewPlanned, Place, Planned, SETTLE};
use crate::model::reservation::Stay;
use crate::model::run::{Mode, RunState};
use crate::recipe::{Facts, Recipe};
use crate::store::{Becomes, Beside, CameDue, DueRun, Ready, StoreError};

use super::advance::{Advance, Asked, advance};
use super::gather::gathered;
use super::setup::Setup;
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
        let look = Look {
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

/// How a planned run would come due if nothing about its stay changed until then: the event that its time has come, and
/// whether its recipe would want it. `None` where its recipe no longer asks for that time.
pub fn foreseen(
    setup: &Setup,
    recipe: &Recipe,
    stay: &Stay,
    run: &Planned,
    payload: &Arc<Value>,
) -> Option<(Event, Explanation, bool)> {
    let view = view(stay, &setup.properties);
    let wanted = moments(recipe, stay, &view);
    let first = wanted.iter().find(|moment| run.entries.contains(&moment.entry))?;
    let event = clock_event(run.id.event(), first.anchor, stay, &view, run.due_at);
    let facts = Facts::new(
        &event,
        payload,
        local_now(&event.reservation, &setup.properties, run.due_at),
    );
    let (explanation, wanted) = decide::when_due(recipe, &facts, true, first.anchor != "status");
    Some((event, explanation, wanted))
}

/// That the time of a stay's clock has come.
fn clock_event(id: EventId, anchor: &str, stay: &Stay, view: &View, now: Time) -> Event {
    Event {
        id,
        delivery: stay.last_delivery.clone(),
        source: stay.source.clone(),
        stay: stay.id.clone(),
        types: vec![format!("stay.{anchor}")],
        at_ms: now.timestamp_millis(),
        reservation: Arc::new(view.json.clone()),
        previous: Arc::default(),
        changes: Arc::new(json!({})),
        payment: Arc::default(),
        message: Arc::default(),
        around: Arc::default(),
        gathered: Arc::default(),
    }
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

struct Look<'a> {
    setup: &'a Setup,
    run: &'a DueRun,
    recipe: Option<&'a Arc<Recipe>>,
    beside: Option<&'a Beside>,
    gathered: Value,
    now: Time,
}

impl Look<'_> {
    fn ask(&self, twice: bool) -> CameDue {
        let next = self.next();
        if let Some(damage) = &self.run.damaged {
            return self.ended(RunState::Dead, damage.to_string(), None, next);
        }
        let Some(recipe) = self.recipe else {
            let because = format!("there is no recipe `{}` any more", self.run.recipe);
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        };
        if !recipe.enabled {
            let because = "the recipe is switched off".to_owned();
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        }
        if twice {
            let because = "it is due at the same time as another run of the recipe".to_owned();
            return self.ended(RunState::Skipped, because, Some(EndedBy::Plan), next);
        }
        match &self.run.stay {
            None => self.schedule(recipe, next),
            Some(stay) => self.of_stay(recipe, stay),
        }
    }

    fn of_stay(&self, recipe: &Recipe, stay: &Stay) -> CameDue {
        let view = view(stay, &self.setup.properties);
        if let Some(status) = view.status.filter(|status| status.is_gone()) {
            let because = crate::model::decision::Gone { status }.reason();
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        }
        if self
            .setup
            .sources
            .get(&stay.source)
            .is_some_and(|source| source.learn())
        {
            let because = "the source is learning: nothing is started".to_owned();
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        }
        let payload = Arc::new(decode_stored(&self.run.headers, &self.run.body).unwrap_or_default());
        if self.run.entries.iter().any(|entry| entry == SETTLE) {
            return self.settled(recipe, stay, &view, &payload);
        }
        let wanted = moments(recipe, stay, &view);
        let mut mine = wanted
            .iter()
            .filter(|moment| self.run.entries.contains(&moment.entry))
            .peekable();
        let Some(first) = mine.peek() else {
            let because = format!("the recipe `{}` no longer waits for this time", recipe.name);
            return self.ended(RunState::Cancelled, because, Some(EndedBy::Plan), None);
        };
        let (anchor, of_status) = (first.anchor, first.anchor == "status");
        let last = mine.map(|moment| moment.last).max().unwrap_or(self.now);
        if self.now > last && self.run.by_hand.is_none() {
            return self.missed(self.run.planned_at, None);
        }
        // By hand it may be as late as one likes, but for a guest who has left.
        let left = view.check_out.is_some_and(|departure| self.now > departure);
        if self.now > last && left && anchor == "check_in" && !self.run.by_hand.is_some_and(|by_hand| by_hand.again) {
            let because = "the guest has left".to_owned();
            return self.ended(RunState::Skipped, because, Some(EndedBy::Past), None);
        }
        let event = clock_event(self.run.id.event(), anchor, stay, &view, self.now);
        let event = self.with_neighbours(event, &view);
        let facts = Facts::new(&event, &payload, self.local(&event));
        let (explanation, wanted) = decide::when_due(recipe, &facts, true, !of_status);
        self.go(recipe, &event, &payload, explanation, wanted, None)
    }

    /// What has changed since the first of the changes that it has waited for.
    fn settled(&self, recipe: &Recipe, stay: &Stay, view: &View, payload: &Arc<Value>) -> CameDue {
        let Some(first) = &self.run.event else {
            let because = "the event it answers is no longer stored".to_owned();
            return self.ended(RunState::Dead, because, None, None);
        };
        let changed = match first.previous.is_null() {
            true => changes(blank(), &view.json),
            false => changes(&first.previous, &view.json),
        };
        if changed.is_empty() {
            let because = "what had changed has changed back within the time it settles".to_owned();
            return self.ended(RunState::Skipped, because, Some(EndedBy::Condition), None);
        }
        let event = Event {
            types: first.types.clone(),
            previous: first.previous.clone(),
            changes: Arc::new(Value::Object(changed)),
            ..clock_event(self.run.id.event(), "", stay, view, self.now)
        };
        let event = self.with_neighbours(event, view);
        let facts = Facts::new(&event, payload, self.local(&event));
        let (explanation, wanted) = decide::explained(recipe, &facts, false);
        self.go(recipe, &event, payload, explanation, wanted, None)
    }

    fn with_neighbours(&self, event: Event, view: &View) -> Event {
        let Some((previous, next)) = self.beside.cloned() else {
            return event;
        };
        let around = around(&Neighbours { previous, next }, view, &self.setup.properties);
        Event {
            around: Arc::new(around),
            ..event
        }
    }

    fn local(&self, event: &Event) -> chrono::DateTime<chrono::FixedOffset> {
        local_now(&event.reservation, &self.setup.properties, self.now)
    }

    /// Renders the first step of what is wanted.
    fn go(
        &self,
        recipe: &Recipe,
        event: &Event,
        payload: &Arc<Value>,
        explanation: Explanation,
        wanted: bool,
        next: Option<NewPlanned>,
    ) -> CameDue {
        let because = explanation.because.clone();
        let failed = explanation.result == "failed";
        let with_event = |came: CameDue| CameDue {
            event: Some((event.clone(), vec![explanation.clone()])),
            ..came
        };
        if failed {
            return with_event(self.ended(RunState::Dead, because, None, next));
        }
        if !wanted && !self.run.by_hand.is_some_and(|by_hand| by_hand.again) {
            return with_event(self.ended(RunState::Skipped, because, Some(EndedBy::Condition), next));
        }
        let dry_run = self.setup.dry_run || recipe.dry_run;
        let asked = Asked {
            run: &self.run.id,
            key: &self.run.key,
            recipe,
            event,
            payload,
            steps: &[],
            from: 0,
            dry_run,
            generation: 0,
            planned_at: Some(self.run.planned_at),
            stay: None,
            // Whether it is too late for it has been asked.
            of_check_in: false,
            now: self.now,
        };
        let becomes = match advance(self.setup, &asked) {
            Advance::Failed { because, .. } => return with_event(self.ended(RunState::Dead, because, None, next)),
            Advance::End(passed) => {
                let ending = Ending::of(&[], &passed, "");
                let ended_by = (ending.state == RunState::Skipped).then_some(EndedBy::Condition);
                return with_event(CameDue {
                    passed,
                    ..self.ended(ending.state, ending.reason, ended_by, next)
                });
            }
            Advance::Open(opening) => Becomes::Ready(Box::new(Ready {
                revision: recipe.revision.clone(),
                queue: (recipe.mode != Mode::Parallel).then(|| recipe.queue.clone()),
                mode: recipe.mode,
                names_gone: recipe.names_gone(),
                dry_run,
                opening: (*opening).clone(),
            })),
        };
        with_event(CameDue {
            becomes,
            ..self.ended(RunState::Skipped, String::new(), None, next)
        })
    }

    fn missed(&self, planned_at: Time, next: Option<NewPlanned>) -> CameDue {
        let late = self.now - planned_at;
        let because = format!("came due while down: {} late when it could be looked at", span(late));
        self.ended(RunState::Skipped, because, Some(EndedBy::Down), next)
    }

    fn ended(&self, state: RunState, reason: String, ended_by: Option<EndedBy>, next: Option<NewPlanned>) -> CameDue {
        CameDue {
            run: self.run.id.clone(),
            due_at: self.run.due_at,
            revision_of_stay: self.run.stay.as_ref().map(|stay| stay.revision),
            event: None,
            becomes: Becomes::Ended {
                state,
                reason,
                ended_by,
            },
            passed: Vec::new(),
            next,
        }
    }
}

/// `2d 3h`, `40m`.
fn span(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m}m"),
        (0, h, m) => format!("{h}h {m}m"),
        (d, h, _) => format!("{d}d {h}h"),
    }
}
