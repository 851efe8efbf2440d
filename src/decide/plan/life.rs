//! The lives of a stay: what its clock fired counts for the life it fired in.

use std::sync::Arc;

use serde_json::Value;

use crate::model::plan::{EndedBy, Plan, Planned};
use crate::recipe::Recipe;

use super::{Subject, settles};

/// What became of a stay's life: what its clock fired counts for the life it fired in.
#[derive(Clone, Debug, PartialEq)]
pub enum Life {
    /// It goes on.
    GoesOn,
    /// The stay was gone and takes place again: a new one.
    Anew,
    /// The stay has moved from this property: a new one for recipes that read the property.
    Elsewhere(Value),
}

impl Life {
    /// Whether what this recipe has fired counts for nothing any more.
    fn ends_for(&self, recipe: &Recipe) -> bool {
        recipe.again != Some(false)
            && match self {
                Life::GoesOn => false,
                Life::Anew => true,
                Life::Elsewhere(from) => recipe.reads_property || !recipe.may_meet(from),
            }
    }
}

/// The clock runs there are, with what went in a life that is over marked, in the plan too.
pub(super) fn of_this_life(subject: &Subject<'_>, recipes: &[Arc<Recipe>], plan: &mut Plan) -> Vec<Planned> {
    let over = |name: &str| match recipes.iter().find(|recipe| recipe.name == name) {
        Some(recipe) => subject.life.ends_for(recipe),
        None => *subject.life == Life::Anew,
    };
    let existing = subject.existing.iter().filter(|run| !settles(run)).cloned();
    existing
        .map(|run| match run.counts_as_fired() && over(&run.recipe) {
            true => {
                plan.past.push(run.id.clone());
                Planned {
                    ended_by: Some(EndedBy::OldLife),
                    ..run
                }
            }
            false => run,
        })
        .collect()
}
