//! Several bodies of one sender beside one another: which places all of them have, and where they differ.

use std::fmt::Write as _;

use serde_json::Value;

use super::Mapped;
use super::tree::{Place, Step, shown};

/// Values of a place that are shown beside one another.
const VALUES_SHOWN: usize = 3;

/// A place in several bodies.
pub(super) struct Compared<'m> {
    /// Its JSONPath.
    pub(super) path: String,
    /// A value that was seen there.
    pub(super) value: &'m Value,
    /// How often it was there in all.
    pub(super) count: usize,
    /// In how many bodies it is.
    pub(super) files: usize,
    /// Whether the bodies that have it say different things there.
    pub(super) differs: bool,
    values: Vec<&'m Value>,
}

/// Every place of any of the bodies, in the order in which they come up.
pub(super) fn places<'m>(all: &[&'m Mapped]) -> Vec<Compared<'m>> {
    let mut order: Vec<&'m [Step]> = Vec::new();
    for place in all.iter().flat_map(|one| &one.tree.places) {
        if !order.contains(&place.steps.as_slice()) {
            order.push(&place.steps);
        }
    }
    order
        .into_iter()
        .filter_map(|steps| {
            let found: Vec<&'m Place> = all
                .iter()
                .filter_map(|one| one.tree.places.iter().find(|place| place.steps == steps))
                .collect();
            let first = found.first()?;
            let mut values: Vec<&'m Value> = Vec::new();
            for value in found.iter().map(|place| place.value()) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            Some(Compared {
                path: first.path(),
                value: first.value(),
                count: found.iter().map(|place| place.count).sum(),
                files: found.len(),
                differs: found.iter().any(|place| place.values != first.values),
                values,
            })
        })
        .collect()
}

/// One line a place: first those in all bodies that differ, then those that are the same, then what only some have.
pub(super) fn text(all: &[&Mapped]) -> String {
    let places = places(all);
    let mut out = String::new();
    let width = places
        .iter()
        .map(|place| place.path.chars().count())
        .max()
        .unwrap_or_default()
        .min(48);
    let whole = all.len();
    let groups: [(&str, Vec<&Compared<'_>>); 3] = [
        (
            "In all of them, and different:",
            places
                .iter()
                .filter(|place| place.files == whole && place.differs)
                .collect(),
        ),
        (
            "In all of them, and the same:",
            places
                .iter()
                .filter(|place| place.files == whole && !place.differs)
                .collect(),
        ),
        (
            "In some of them only:",
            places.iter().filter(|place| place.files < whole).collect(),
        ),
    ];
    for (title, group) in groups.iter().filter(|(_, group)| !group.is_empty()) {
        let _ = writeln!(out, "{title}");
        for place in group {
            let values: Vec<String> = place
                .values
                .iter()
                .take(VALUES_SHOWN)
                .map(|value| shown(value))
                .collect();
            let more = place.values.len().saturating_sub(VALUES_SHOWN);
            let more = if more > 0 {
                format!(", and {more} more")
            } else {
                String::new()
            };
            let some = if place.files < whole {
                format!("  ({} of {whole})", place.files)
            } else {
                String::new()
            };
            let _ = writeln!(out, "  {:<width$}  {}{more}{some}", place.path, values.join(" | "));
        }
        out.push('\n');
    }
    let left_out: usize = all.iter().map(|one| one.tree.left_out).sum();
    if left_out > 0 {
        let _ = writeln!(out, "… and {left_out} more places");
    }
    out
}
