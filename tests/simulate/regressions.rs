//! Seeds that once failed, each under the name of what was wrong.

use crate::seeds::{Bent, alone, ground, play};

/// What was wrong, and the seed that showed it.
const SEEDS: &[(&str, u64)] = &[
    (
        "after the clock was set back, what a sender without versions said was taken for old",
        56,
    ),
    ("the same for a part of a stay", 70),
];

#[test]
fn none_of_them_fails_again() {
    let ground = ground();
    for (name, seed) in SEEDS {
        let played = alone(play(&ground, *seed, Bent::default()));
        played.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    }
}
