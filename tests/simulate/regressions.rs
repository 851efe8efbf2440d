//! Seeds that once failed, each under the name of what was wrong.

use crate::seeds::{Bent, alone, ground, play};

/// What was wrong, and the seed that showed it.
const SEEDS: &[(&str, u64)] = &[
    ("entries that had been due together wanted one run for two times", 21),
    (
        "a schedule ended where it reached what was done before the clock was put back",
        4,
    ),
    ("what a plan in the making had written was listed", 58),
    (
        "a new recipe was not planned for what was booked after its stay had ended",
        81,
    ),
    (
        "recipes that were changed back before the plan caught up left a mixture",
        170,
    ),
    (
        "an offset was edited while what it had planned waited for its turn, and both went",
        228,
    ),
];

#[test]
fn none_of_them_fails_again() {
    let ground = ground();
    for (name, seed) in SEEDS {
        let played = alone(play(&ground, *seed, Bent::default()));
        played.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
}
