//! The promises, held against what there is after every step.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use stayhook::model::clock::{Time, from_ms};
use stayhook::model::id::RunId;
use stayhook::model::run::RunState;
use stayhook::store::{Counts, DeliveryRow, Filter, RunRow, Store};
use stayhook::worker::by_step::{ByStep, Flight};

use crate::calendar::{self, Stay};
use crate::model::{self, Life, Order};
use crate::table::Reader;
use crate::timeline::{Step, Timeline};
use crate::world::Message;

/// A promise that was broken, and how it showed.
pub type Broken = String;

/// The stays with news, each as it was after the last of them.
pub type News = Vec<(String, Stay)>;

/// What a page of a list holds at the most.
pub const PAGE: usize = 500;

/// A request as it reached a target.
#[derive(Clone, Debug)]
struct Request {
    run: RunId,
    step: usize,
    bytes: String,
}

/// Where a run stands in the order of runs, and the event that it answers.
type Place = (i64, Option<String>);

/// All that was seen so far, kept outside of the daemon.
#[derive(Debug, Default)]
pub struct Seen {
    /// Every message a sender has sent, by the id of each sending.
    pub sent: HashMap<String, usize>,
    /// Those that were answered with "stored".
    pub acknowledged: BTreeSet<usize>,
    /// By idempotency key.
    requests: HashMap<String, Request>,
    /// The key of each step of each run.
    keys: HashMap<(RunId, usize), String>,
    /// Which keys have had an effect.
    pub effects: BTreeSet<String>,
    /// The runs as they were last seen, by id.
    pub runs: HashMap<String, RunRow>,
    /// By recipe and event.
    made: HashMap<(String, String), String>,
    /// The newest run that answers a cancellation of a stay, with its event.
    farewells: HashMap<String, Place>,
    /// The newest of them that has reached its target, by stay and connection.
    parted: HashMap<(String, String), Place>,
    /// From when on deliveries and runs are looked at; `None` for all.
    pub since: Option<Time>,
    /// Whether the daemon has gone by a clock that was set since: what was heard of while it was ahead was heard of now.
    pub clock_was_set: bool,
    /// What the mutated model of a test gets wrong.
    pub order: Order,
    /// What is planned.
    pub clock: Timeline,
    /// The lives of stays, by source and code, and when each of its words was heard.
    lives: HashMap<(&'static str, String), (Vec<Time>, Life)>,
}

/// Whether a run answers an earlier event than the one in this place does.
fn is_before(row: &RunRow, (seq, event): &Place) -> bool {
    row.seq < *seq && row.event != *event
}

/// Keeps the newer of two places.
fn newest<K: std::hash::Hash + Eq>(all: &mut HashMap<K, Place>, key: K, row: &RunRow) {
    let place = (row.seq, row.event.clone());
    let kept = all.entry(key).or_insert_with(|| place.clone());
    if kept.0 < place.0 {
        *kept = place;
    }
}

/// Recipes that a cancellation does not stop.
fn goes_on(recipe: &str) -> bool {
    ["Told", "Paid", "Pass on", "Farewell"].contains(&recipe)
}

pub fn hold(holds: bool, said: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(said()) }
}

impl Seen {
    /// An attempt began. `by_claim`: it did not come straight from a decision.
    pub fn begun(&self, flight: &Flight, by_claim: bool, now: Time) -> Result<(), Broken> {
        let Some(row) = self.runs.get(flight.run.id.as_str()).filter(|_| by_claim) else {
            return Ok(());
        };
        let stay = row.stay.clone().unwrap_or_default();
        if self.clock.knows(&row.id) {
            hold(!self.clock.has_left(&row.id, now), || {
                format!(
                    "an attempt of {} `{}` began after the guest had left",
                    row.id, row.recipe
                )
            })?;
            let gone = self.clock.is_gone(&row.id) && !flight.run.uncertain;
            return hold(!gone, || {
                format!("an attempt of {} `{}` began, and its stay is gone", row.id, row.recipe)
            });
        }
        let gone = self
            .farewells
            .get(&stay)
            .is_some_and(|farewell| is_before(row, farewell));
        hold(!gone || goes_on(&row.recipe) || flight.run.uncertain, || {
            format!(
                "an attempt of {} `{}` began after its stay was cancelled",
                row.id, row.recipe
            )
        })
    }

    /// A request reached its target. `spoilt`: a test wants it seen under a key of its own.
    pub fn arrived(&mut self, flight: &Flight, effect: bool, spoilt: bool) -> Result<(), Broken> {
        let (run, step) = (flight.run.id.clone(), flight.opening.position);
        let own = if spoilt {
            flight.run.attempts.to_string()
        } else {
            String::new()
        };
        let key = format!("{}{own}", flight.opening.key);
        let bytes = serde_json::to_string(&flight.opening.prepared).unwrap();
        hold(!key.is_empty(), || format!("{run} sent without a key"))?;
        if let Some(earlier) = self.requests.get(&key) {
            hold(
                earlier.bytes == bytes && earlier.run == run && earlier.step == step,
                || {
                    format!(
                        "the key {key} came with something else:\n  {}\n  {bytes}",
                        earlier.bytes
                    )
                },
            )?;
        }
        let known = self.keys.entry((run.clone(), step)).or_insert_with(|| key.clone());
        hold(*known == key, || {
            format!("step {step} of {run} was sent under two keys: {known} and {key}")
        })?;
        if let Some(row) = self.runs.get(run.as_str()) {
            let place = (
                row.stay.clone().unwrap_or_default(),
                flight.opening.prepared.connection.clone(),
            );
            if row.recipe == "Farewell" {
                newest(&mut self.parted, place, row);
            } else if let Some(parted) = self
                .parted
                .get(&place)
                .filter(|_| !goes_on(&row.recipe) && !self.clock.knows(&row.id))
            {
                hold(!is_before(row, parted), || {
                    format!(
                        "{} `{}` reached `{}` after the cancellation did",
                        row.id, row.recipe, place.1
                    )
                })?;
            }
        }
        if effect {
            self.effects.insert(key.clone());
        }
        self.requests.insert(key, Request { run, step, bytes });
        Ok(())
    }

    /// The runs as they are now, the newest `PAGE` of them.
    pub async fn look_at_runs(&mut self, store: &Store, worker: &ByStep) -> Result<(), Broken> {
        let filter = Filter {
            limit: Some(PAGE),
            since: self.since,
            ..Filter::default()
        };
        let rows = store.runs(&filter).await.unwrap().items;
        let whole = rows.len() < PAGE;
        let found: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        if whole && let Some(lost) = self.runs.keys().find(|id| !found.contains(id.as_str())) {
            return Err(format!("the run {lost} is gone from the store"));
        }
        for row in rows {
            self.look_at_run(row, worker)?;
        }
        Ok(())
    }

    fn look_at_run(&mut self, row: RunRow, worker: &ByStep) -> Result<(), Broken> {
        let state = RunState::from_word(&row.state).ok_or_else(|| format!("{} is `{}`", row.id, row.state))?;
        let told = || format!("{} `{}` of {:?} is {}", row.id, row.recipe, row.code, row.state);
        let ended_well = state == RunState::Succeeded;
        hold(!state.is_ended() || ended_well || !row.reason.is_empty(), || {
            format!("{} without a reason", told())
        })?;
        hold(state != RunState::Retrying || !row.reason.is_empty(), || {
            format!("{} without a reason", told())
        })?;
        hold(row.due_at_ms > 0, || format!("{} without a time", told()))?;
        hold(state != RunState::Running || worker.holds(&row.id), || {
            format!("{} and nobody holds it", told())
        })?;
        if let Some(before) = self.runs.get(&row.id) {
            let was = RunState::from_word(&before.state);
            // What the clock wants again has not begun.
            let returns = self.clock.knows(&row.id) && row.attempts == 0;
            // Given up by a clock that was ahead, and tried again once it was put back.
            let given_up =
                matches!(was, Some(RunState::Dead | RunState::Parked)) && before.updated_at_ms > row.updated_at_ms;
            hold(
                returns || given_up || !was.is_some_and(RunState::is_ended) || was == Some(state),
                || format!("{}, and had ended as {}", told(), before.state),
            )?;
            hold(row.attempts >= before.attempts, || {
                format!("{} with fewer attempts than before", told())
            })?;
        } else {
            if let Some(event) = row.event.clone()
                && let Some(other) = self.made.insert((row.recipe.clone(), event), row.id.clone())
            {
                return Err(format!("{} and {other} answer the same event", told()));
            }
            if row.recipe == "Farewell" {
                newest(&mut self.farewells, row.stay.clone().unwrap_or_default(), &row);
            }
        }
        self.runs.insert(row.id.clone(), row);
        Ok(())
    }

    /// The deliveries and the stays as they are now; the messages in order of arrival.
    pub async fn look_at_stays(
        &mut self,
        store: &Store,
        reader: &mut Reader,
        messages: &[Message],
    ) -> Result<(Vec<usize>, News), Broken> {
        let rows = deliveries(store, self.since).await;
        let mut arrived = Vec::new();
        let mut decided = BTreeSet::new();
        for row in &rows {
            let n = *self
                .sent
                .get(&row.id)
                .ok_or_else(|| format!("nobody has sent {}", row.id))?;
            let told = || format!("{} ({})", row.id, messages[n].told());
            hold(!arrived.contains(&n), || format!("{} is stored twice", told()))?;
            arrived.push(n);
            match row.outcome.as_str() {
                "undecided" => continue,
                "processed" | "unchanged" | "stale" => _ = decided.insert(n),
                other => return Err(format!("{} is {other}: {}", told(), row.because)),
            }
            hold(!row.because.is_empty(), || format!("{} has no reason", told()))?;
        }
        let stored: BTreeSet<usize> = arrived.iter().copied().collect();
        if let Some(lost) = self.acknowledged.difference(&stored).next() {
            return Err(format!("acknowledged and not there: {}", messages[*lost].told()));
        }
        let folded: Vec<&Message> = arrived
            .iter()
            .filter(|n| decided.contains(n))
            .map(|n| &messages[*n])
            .collect();
        for ((source, code), expected) in model::fold(&folded, self.order) {
            let stay = store.called(source, &code).await.unwrap().pop();
            let stay = stay.map(|row| stayhook::decide::view(&row.stay, &calendar::properties()).json);
            match stay {
                None => hold(expected.fields.is_none(), || format!("{source} {code} is not there"))?,
                Some(stay) => {
                    if let Some(how) = model::differs(&expected, &stay) {
                        return Err(format!("{source} {code}: {how}"));
                    }
                }
            }
        }
        let news = self.live(&rows, &decided, reader, messages).await?;
        Ok((arrived, news))
    }

    /// What is new about the stays since the last look.
    async fn live(
        &mut self,
        rows: &[DeliveryRow],
        decided: &BTreeSet<usize>,
        reader: &mut Reader,
        messages: &[Message],
    ) -> Result<News, Broken> {
        let mut words: BTreeMap<(&'static str, String), Vec<(&Message, Time)>> = BTreeMap::new();
        for row in rows {
            let n = self.sent[&row.id];
            let message = &messages[n];
            if decided.contains(&n) {
                let words = words.entry((message.source, message.code.clone())).or_default();
                words.push((message, from_ms(row.received_at_ms)));
            }
        }
        let mut news = Vec::new();
        let times = |words: &[(&Message, Time)]| words.iter().map(|(_, at)| *at).collect::<Vec<_>>();
        // When it was heard changes where the clock was ahead.
        let set = std::mem::take(&mut self.clock_was_set);
        let changed = |(key, words): &(_, Vec<_>)| {
            let known = self.lives.get(key).map(|(known, _)| known);
            known.is_none_or(|known| known.len() < words.len() || (set && *known != times(words)))
        };
        let changed: Vec<_> = words.into_iter().filter(changed).collect();
        let ids = if changed.is_empty() {
            Vec::new()
        } else {
            reader.stays().await
        };
        for (key, words) in changed {
            let known = self.lives.get(&key).map_or(0, |(known, _)| known.len());
            let life = model::life(&words, known, self.order);
            self.lives.insert(key.clone(), (times(&words), life.clone()));
            let Some(stay) = life.stay else { continue };
            let named = ids.iter().find(|(_, source, code)| *source == key.0 && *code == key.1);
            let (id, ..) = named.ok_or_else(|| format!("{} {} is not there", key.0, key.1))?;
            if life.was_gone {
                self.clock.forget_told(id);
            }
            if life.anew || life.elsewhere {
                self.clock.anew.push((id.clone(), !life.anew));
            }
            news.extend(life.news.map(|then| (id.clone(), then)));
            self.clock.stays.insert(id.clone(), (key.0, stay));
        }
        Ok(news)
    }

    /// The planned runs as they are now.
    pub async fn look_at_plan(
        &mut self,
        reader: &mut Reader,
        step: &Step,
        in_force: &str,
        now: Time,
    ) -> Result<(), Broken> {
        let table = reader.table(self.since).await;
        self.clock.look(reader, step, in_force, &table, now).await
    }

    /// When everything has come to rest: nothing waits any more, and what had to happen has happened.
    pub async fn at_rest(
        &mut self,
        store: &Store,
        reader: &mut Reader,
        messages: &[Message],
        now: Time,
    ) -> Result<(), Broken> {
        let (arrived, _) = self.look_at_stays(store, reader, messages).await?;
        self.clock.at_rest(now)?;
        hold(arrived.len() == messages.len(), || {
            "not everything was delivered".to_owned()
        })?;
        let counts: Counts = store.counts(now).await.unwrap();
        hold(counts.undecided == 0, || {
            format!("{} deliveries wait for ever", counts.undecided)
        })?;
        for row in self.runs.values() {
            let waits = ["ready", "running", "retrying"].contains(&row.state.as_str());
            hold(!waits, || {
                format!(
                    "{} `{}` of {:?} stays {}: {}",
                    row.id, row.recipe, row.code, row.state, row.reason
                )
            })?;
        }
        let all: Vec<&Message> = arrived.iter().map(|n| &messages[*n]).collect();
        let mut runs: BTreeMap<(&str, &str), Vec<&RunRow>> = BTreeMap::new();
        for row in self.runs.values() {
            runs.entry((&row.recipe, row.code.as_deref().unwrap_or_default()))
                .or_default()
                .push(row);
        }
        let count = |recipe: &str, code: &str| runs.get(&(recipe, code)).map_or(0, Vec::len);
        for ((source, code), expected) in model::fold(&all, self.order) {
            for (recipe, wanted) in [("Paid", expected.payments.len()), ("Pass on", expected.words.len())] {
                let found = count(recipe, &code);
                hold(found == wanted, || {
                    format!("{source} {code}: {found} runs of `{recipe}`, and {wanted} are right")
                })?;
            }
            let status = expected
                .fields
                .as_ref()
                .and_then(|fields| fields.get("status"))
                .and_then(Value::as_str);
            let needed = match status {
                Some("cancelled") => "Farewell",
                Some("confirmed") => "Clean",
                _ => continue,
            };
            hold(count(needed, &code) > 0, || {
                format!("{source} {code} is {status:?} and nobody ran `{needed}`")
            })?;
        }
        self.succeeded_with_effect()
    }

    /// A run that succeeded has had an effect: its last step at the least.
    fn succeeded_with_effect(&self) -> Result<(), Broken> {
        for row in self.runs.values().filter(|row| row.state == "succeeded") {
            let mine = self.keys.iter().filter(|((run, _), _)| run.as_str() == row.id);
            let last = mine.max_by_key(|((_, step), _)| *step);
            let done = last.is_some_and(|(_, key)| self.effects.contains(key));
            hold(done, || {
                format!(
                    "{} `{}` succeeded and its target knows nothing of it",
                    row.id, row.recipe
                )
            })?;
        }
        Ok(())
    }
}

/// All deliveries, in order of arrival.
async fn deliveries(store: &Store, since: Option<Time>) -> Vec<DeliveryRow> {
    let mut filter = Filter {
        limit: Some(PAGE),
        since,
        ..Filter::default()
    };
    let mut all = Vec::new();
    loop {
        let page = store.deliveries(&filter).await.unwrap();
        all.extend(page.items);
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    all.reverse();
    all
}
