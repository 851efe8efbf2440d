//! What the recipes on disk would change of what is planned; nothing is written.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::decide::{Cause, LATE, view};
use crate::engine::{Setup, horizon, plans, schedule_plan};
use crate::model::clock::Time;
use crate::model::plan::{EndedBy, InForce, NewPlanned, Plan, PlanChange, Planned};
use crate::model::reservation::Stay;
use crate::model::run::RunState;
use crate::recipe::{entry_words, entry_zone};
use crate::store::{Search, Store, StoreError};
use crate::web::{Local, property};

/// How many stays are looked at together.
const TOGETHER: usize = 200;

/// What becomes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is planned, or planned again.
    Added,
    /// It is called off.
    Removed,
    /// It gets another time.
    Moved,
    /// It would be planned, but its time has passed.
    Past,
}

impl What {
    /// All of them.
    pub const ALL: [What; 4] = [What::Added, What::Removed, What::Moved, What::Past];

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            What::Past => "skipped as past",
            what => what.word(),
        }
    }

    /// For programs.
    fn word(self) -> &'static str {
        match self {
            What::Added => "added",
            What::Removed => "removed",
            What::Moved => "moved",
            What::Past => "past",
        }
    }
}

/// One run that would be changed.
#[derive(Clone, Debug)]
pub struct Difference {
    what: What,
    at: Time,
    /// Where it moves: from when.
    from: Option<Time>,
    code: Option<String>,
    property: Option<String>,
    local: Local,
    entry: String,
    because: String,
}

impl Difference {
    /// What, when, code, property, which entry; with why it is called off where that is not the same for all.
    pub fn cells(&self, with_reason: bool) -> Vec<String> {
        let when = match self.from {
            Some(from) => format!("{} → {}", self.local.short(from), self.local.whole(self.at)),
            None => self.local.whole(self.at),
        };
        let entry = match self.what {
            What::Removed if with_reason => format!("{} ({})", self.entry, self.because),
            _ => self.entry.clone(),
        };
        vec![
            self.what.word().to_owned(),
            when,
            self.code.clone().unwrap_or_default(),
            self.property.clone().unwrap_or_default(),
            entry,
        ]
    }

    fn json(&self) -> Value {
        json!({
            "change": self.what.word(),
            "at": self.local.json(self.at),
            "from": self.from.map(|from| self.local.json(from)),
            "code": self.code,
            "property": self.property,
            "entry": self.entry,
            "because": self.because,
        })
    }
}

/// What would change of one recipe.
#[derive(Clone, Debug, Default)]
pub struct OfRecipe {
    counts: BTreeMap<What, usize>,
    first: BTreeMap<What, Vec<Difference>>,
}

impl OfRecipe {
    /// How many of a sort.
    pub fn count(&self, what: What) -> usize {
        self.counts.get(&what).copied().unwrap_or_default()
    }

    /// The first of each sort, the soonest first.
    pub fn shown(&self) -> impl Iterator<Item = &Difference> {
        self.first.values().flatten()
    }

    /// How many of a sort are among those.
    pub fn shown_of(&self, what: What) -> usize {
        self.first.get(&what).map_or(0, Vec::len)
    }

    /// Why runs are called off, each reason once.
    pub fn reasons(&self) -> Vec<&str> {
        let removed = self.first.get(&What::Removed).into_iter().flatten();
        let mut reasons: Vec<&str> = removed.map(|one| one.because.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    fn put(&mut self, difference: Difference, most: usize) {
        *self.counts.entry(difference.what).or_default() += 1;
        let first = self.first.entry(difference.what).or_default();
        first.push(difference);
        if first.len() > most.saturating_mul(2) {
            cut(first, most);
        }
    }
}

fn cut(first: &mut Vec<Difference>, most: usize) {
    first.sort_by(|a, b| (a.at, &a.code).cmp(&(b.at, &b.code)));
    first.truncate(most);
}

/// What would change of all recipes.
#[derive(Clone, Debug, Default)]
pub struct Differences(BTreeMap<String, OfRecipe>);

impl Differences {
    /// Every recipe with a clock, and those that are gone and have something planned; by name.
    pub fn recipes(&self) -> impl Iterator<Item = (&String, &OfRecipe)> {
        self.0.iter()
    }

    /// Whether anything would change.
    pub fn any(&self) -> bool {
        self.0.values().any(|recipe| !recipe.counts.is_empty())
    }

    /// How many would be planned and are skipped because their time has passed.
    pub fn past(&self) -> usize {
        self.0.values().map(|recipe| recipe.count(What::Past)).sum()
    }

    /// For programs.
    pub fn json(&self) -> Vec<Value> {
        let one = |(name, recipe): (&String, &OfRecipe)| {
            let mut of = json!({
                "recipe": name,
                "runs": recipe.shown().map(Difference::json).collect::<Vec<_>>(),
            });
            for what in What::ALL {
                of[what.word()] = json!(recipe.count(what));
            }
            of
        };
        self.0.iter().map(one).collect()
    }
}

/// Holds the recipes against what is planned, for all stays that have something ahead; the first `most` of each sort are
/// kept.
pub async fn compare(
    store: &Store,
    setup: &Setup,
    only: Option<&str>,
    most: usize,
    now: Time,
) -> Result<Differences, StoreError> {
    let mut found = Differences::default();
    let with_clock = setup.book.all().iter().filter(|recipe| recipe.clock().next().is_some());
    for recipe in with_clock.filter(|recipe| only.is_none_or(|name| recipe.name == name)) {
        found.0.entry(recipe.name.clone()).or_default();
    }
    // Made from the same recipes and properties: what is planned is what they say. What was left out of it then, such as
    // what lay behind a stay that was taken over, is no difference.
    if store.in_force().await?.1 == setup.rules() {
        return Ok(found);
    }
    // As they would be if they came into force now.
    let setup = &Setup {
        in_force: InForce { id: -1, since: now },
        ..setup.clone()
    };
    let since = horizon(setup, now);
    let mut search = Some(Search::all());
    while let Some(from) = search {
        let read = store.unplanned(-1, since, from, TOGETHER).await?;
        search = read.next;
        let existing: HashMap<String, Planned> = read
            .stays
            .iter()
            .flat_map(|(_, runs)| runs)
            .map(|run| (run.id.0.clone(), run.clone()))
            .collect();
        for one in plans(setup, read.stays, Cause::Rules, now) {
            let about = About::stay(&one.stay, setup, now);
            found.add(&one.plan, &existing, &about, only, most);
        }
    }
    let schedules = store.schedules(now - LATE).await?;
    let plan = schedule_plan(setup, &schedules, now);
    let existing = schedules.into_iter().map(|run| (run.id.0.clone(), run)).collect();
    found.add(&plan, &existing, &About::calendar(setup, now), only, most);
    for recipe in found.0.values_mut() {
        recipe.first.values_mut().for_each(|first| cut(first, most));
    }
    Ok(found)
}

/// Whose runs they are.
struct About {
    code: Option<String>,
    property: Option<String>,
    local: Local,
}

impl About {
    fn stay(stay: &Stay, setup: &Setup, now: Time) -> About {
        let view = view(stay, &setup.properties);
        About {
            code: stay.code().map(str::to_owned),
            property: property(&view),
            local: Local { zone: view.zone, now },
        }
    }

    fn calendar(setup: &Setup, now: Time) -> About {
        About {
            code: None,
            property: None,
            local: Local {
                zone: setup.properties.timezone,
                now,
            },
        }
    }

    fn difference(&self, what: What, at: Time, from: Option<Time>, entries: &[String], because: &str) -> Difference {
        Difference {
            what,
            at,
            from,
            code: self.code.clone(),
            property: self.property.clone(),
            local: Local {
                zone: entry_zone(entries).unwrap_or(self.local.zone),
                ..self.local
            },
            entry: entry_words(entries),
            because: because.to_owned(),
        }
    }
}

impl Differences {
    fn add(
        &mut self,
        plan: &Plan,
        existing: &HashMap<String, Planned>,
        about: &About,
        only: Option<&str>,
        most: usize,
    ) {
        let wanted = |recipe: &str| only.is_none_or(|name| recipe == name);
        for run in plan.make.iter().filter(|run| wanted(&run.recipe)) {
            if let Some(what) = of_new(run) {
                let difference = about.difference(what, run.due_at, None, &run.entries, &run.reason);
                self.0.entry(run.recipe.clone()).or_default().put(difference, most);
            }
        }
        for change in &plan.change {
            let Some(run) = existing.get(change.run.as_str()).filter(|run| wanted(&run.recipe)) else {
                continue;
            };
            let Some(what) = of_change(change) else { continue };
            let from = (what == What::Moved).then_some(change.from.1);
            let difference = about.difference(what, change.due_at, from, &change.entries, &change.reason);
            self.0.entry(run.recipe.clone()).or_default().put(difference, most);
        }
    }
}

fn of_new(run: &NewPlanned) -> Option<What> {
    match (run.state, run.ended_by) {
        (RunState::Scheduled, _) => Some(What::Added),
        (_, Some(EndedBy::Late)) => Some(What::Past),
        // What the recipe said before has fired: nothing is planned and nothing was passed over.
        _ => None,
    }
}

fn of_change(change: &PlanChange) -> Option<What> {
    match (change.from.0, change.state) {
        (RunState::Scheduled | RunState::Ready, RunState::Scheduled) => change.moves().then_some(What::Moved),
        (_, RunState::Scheduled) => Some(What::Added),
        (_, RunState::Skipped) => Some(What::Past),
        _ => Some(What::Removed),
    }
}
