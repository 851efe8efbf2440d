//! What a recipe's templates ask for, so that nothing is looked up that nobody reads.

use super::Recipe;

/// The names below `stay` that are its neighbours'.
pub(super) const NEIGHBOURS: &[&str] = &["next", "previous", "same_day_turn", "gap_nights"];

impl Recipe {
    /// Whether it reads a name like this.
    pub(super) fn reads(&self, wanted: impl Fn(&str) -> bool) -> bool {
        let conditions = self
            .when
            .iter()
            .chain(self.steps.iter().filter_map(|step| step.when.as_ref()));
        let in_conditions = conditions.flat_map(|when| when.names().iter().map(|name| name.path.clone()));
        let in_vars = self.vars.iter().flat_map(|(_, tree)| tree.names());
        let in_steps = self.steps.iter().flat_map(|step| step.effect.names());
        let in_templates = in_vars.chain(in_steps).map(|(name, _)| name.path.clone());
        in_conditions.chain(in_templates).any(|path| wanted(&path))
    }
}

/// `stay.next.check_in`, and `stay` as a whole.
pub(super) fn of_neighbour(path: &str) -> bool {
    let mut parts = parts(path);
    parts.next() == Some("stay") && parts.next().is_none_or(|part| NEIGHBOURS.contains(&part))
}

/// `property.name`, `reservation.property.key`, and `reservation` as a whole.
pub(super) fn of_property(path: &str) -> bool {
    let mut parts = parts(path);
    match parts.next() {
        Some("property") => true,
        Some("reservation") => parts.next().is_none_or(|part| part == "property"),
        _ => false,
    }
}

/// `vars.day`.
pub(super) fn of_vars(path: &str) -> bool {
    parts(path).next() == Some("vars")
}

/// A name in parts: `a.b[0]` and `a["b"]` too.
pub(super) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']', '"', '\'']).filter(|part| !part.is_empty())
}
