//! What recipes that wait for the stay's clock would do later.

use std::sync::Arc;

use serde_json::Value;

use crate::decide::{Life, Subject, local_now, moments, plans_nothing, view};
use crate::engine::{Setup, World, foreseen};
use crate::model::decision::{Explanation, FactDecision};
use crate::model::plan::Planned;
use crate::model::run::RunState;
use crate::recipe::Recipe;

use super::play::{PlayedRecipe, Question, Wanted, steps};

/// What recipes that wait for the stay's clock would do, the soonest first; a line of why for those that would not.
pub(super) fn plans(
    setup: &Setup,
    asked: &Question<'_>,
    decision: &FactDecision,
    payload: &Arc<Value>,
    world: &World,
) -> Vec<PlayedRecipe> {
    let of_fact = decision.stay.as_ref().map(|stay| &stay.id);
    let id = of_fact.or(decision.event.as_ref().map(|event| &event.stay));
    let Some(stay) = id.and_then(|id| world.stay(id)) else {
        return Vec::new();
    };
    let asked_for = |recipe: &&Arc<Recipe>| match asked.wanted {
        Wanted::Nothing => false,
        Wanted::All => true,
        Wanted::One(name) => name == recipe.name,
    };
    let recipes = setup.book.all().iter();
    let mut played = Vec::new();
    for recipe in recipes.filter(|recipe| recipe.follows_stays()).filter(asked_for) {
        let dry_run = setup.dry_run || recipe.dry_run;
        let not_wanted = |because: String| PlayedRecipe {
            explanation: Explanation {
                recipe: recipe.name.clone(),
                revision: recipe.revision.clone(),
                result: "not_wanted".to_owned(),
                because,
                conditions: Vec::new(),
            },
            steps: Vec::new(),
            dry_run,
            at: None,
        };
        let mine: Vec<(&Planned, &String)> = world
            .planned_of(&stay.id)
            .iter()
            .filter(|run| run.recipe == recipe.name)
            .filter_map(|run| Some((run, reason(decision, run)?)))
            .collect();
        for (run, reason) in &mine {
            if run.state != RunState::Scheduled {
                played.push(not_wanted((*reason).clone()));
                continue;
            }
            let Some((event, explanation, wanted)) = foreseen(setup, recipe, stay, run, payload) else {
                continue;
            };
            played.push(PlayedRecipe {
                explanation,
                steps: match wanted {
                    true => steps(setup, recipe, &event, None, payload, run.due_at),
                    false => Vec::new(),
                },
                dry_run,
                at: Some(local_now(&event.reservation, &setup.properties, run.due_at)),
            });
        }
        if mine.is_empty() {
            let view = view(stay, &setup.properties);
            let subject = Subject {
                stay,
                view: &view,
                existing: &[],
                life: &Life::GoesOn,
                learn: asked.source.learn(),
                rules_since: None,
            };
            let because = plans_nothing(recipe, &subject).unwrap_or_else(|| {
                let because = match moments(recipe, stay, &view).is_empty() {
                    true => "nothing that it waits for comes up for this stay as it is now",
                    false => "what it waits for is planned already, or lies in the past",
                };
                because.to_owned()
            });
            played.push(not_wanted(because));
        }
    }
    played.sort_by_key(|one| one.at);
    played
}

/// What the decision says of a run that it makes or changes. What moves stands among the changes, under the recipe that it
/// was made for.
fn reason<'d>(decision: &'d FactDecision, run: &Planned) -> Option<&'d String> {
    let made = decision.plan.make.iter().find(|made| made.id == run.id);
    let changed = || decision.plan.change.iter().find(|change| change.run == run.id);
    made.map(|made| &made.reason)
        .or_else(|| changed().map(|change| &change.reason))
}
