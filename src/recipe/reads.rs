//! What a recipe's templates ask for, so that nothing is looked up that nobody reads.

use super::Recipe;

/// The names below `stay` that are its neighbours'.
pub(super) const NEIGHBOURS: &[&str] = &["next", "previous", "same_day_turn", "gap_nights"];

impl Recipe {
    /// Whether it reads `stay.next`, `stay.previous`, `stay.same_day_turn` or `stay.gap_nights`.
    pub(super) fn asks_for_neighbours(&self) -> bool {
        let conditions = self
            .when
            .iter()
            .chain(self.steps.iter().filter_map(|step| step.when.as_ref()));
        let in_conditions = conditions.flat_map(|when| when.names().iter().map(|name| name.path.clone()));
        let in_vars = self.vars.iter().flat_map(|(_, tree)| tree.names());
        let in_steps = self.steps.iter().flat_map(|step| step.effect.names());
        let in_templates = in_vars.chain(in_steps).map(|(name, _)| name.path.clone());
        in_conditions.chain(in_templates).any(|path| of_neighbour(&path))
    }
}

/// `stay.next.check_in`, and `stay` as a whole.
fn of_neighbour(path: &str) -> bool {
    let mut parts = path.split(['.', '[', ']', '"', '\'']).filter(|part| !part.is_empty());
    parts.next() == Some("stay") && parts.next().is_none_or(|part| NEIGHBOURS.contains(&part))
}
