//! What recipes that wait for the stay's clock would do later.

use std::sync::Arc;

use serde_json::Value;

use crate::decide::{Life, Subject, local_now, plans_nothing, view};
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
        // What moves stands among the changes, under the recipe that it was made for.
        let of_recipe = |run: &&Planned| run.recipe == recipe.name;
        let touched = |run: &&Planned| {
            let made = decision.plan.make.iter().any(|made| made.id == run.id);
            made || decision.plan.change.iter().any(|change| change.run == run.id)
        };
        let mine = world.planned_of(&stay.id).iter().filter(of_recipe).filter(touched);
        let mut any = false;
        for run in mine {
            any = true;
            let told = |result: &str, because: &str| Explanation {
                recipe: recipe.name.clone(),
                revision: recipe.revision.clone(),
                result: result.to_owned(),
                because: because.to_owned(),
                conditions: Vec::new(),
            };
            if run.state != RunState::Scheduled {
                played.push(PlayedRecipe {
                    explanation: told("not_wanted", &reason(decision, run)),
                    steps: Vec::new(),
                    dry_run,
                    at: None,
                });
                continue;
            }
            let Some((event, explanation, wanted)) = foreseen(setup, recipe, stay, run, payload) else {
                continue;
            };
            let at = local_now(&event.reservation, &setup.properties, run.due_at);
            let steps = match wanted {
                true => steps(setup, recipe, &event, None, payload, run.due_at),
                false => Vec::new(),
            };
            played.push(PlayedRecipe {
                explanation,
                steps,
                dry_run,
                at: Some(at),
            });
        }
        if !any {
            let view = view(stay, &setup.properties);
            let subject = Subject {
                stay,
                view: &view,
                existing: &[],
                life: &Life::GoesOn,
                learn: asked.source.learn(),
                rules_since: None,
            };
            let because = plans_nothing(recipe, &subject);
            let because =
                because.unwrap_or_else(|| "what it waits for is planned already, or lies in the past".to_owned());
            played.push(PlayedRecipe {
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
            });
        }
    }
    played.sort_by_key(|one| one.at);
    played
}

/// Why a run is not scheduled.
fn reason(decision: &FactDecision, run: &Planned) -> String {
    let made = decision
        .plan
        .make
        .iter()
        .find(|made| made.id == run.id)
        .map(|made| &made.reason);
    let changed = decision
        .plan
        .change
        .iter()
        .find(|change| change.run == run.id)
        .map(|change| &change.reason);
    made.or(changed).cloned().unwrap_or_default()
}
