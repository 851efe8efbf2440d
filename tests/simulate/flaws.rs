//! That the checks can fail: with a fault put in, one of a few seeds has to be reported, for the right reason.

use stayhook::model::fault;

use crate::driver::Flaw;
use crate::model::Order;
use crate::seeds::{Bent, alone, ground, play};

/// The first of a few seeds that fails.
fn reported(bent: Bent) -> String {
    let ground = ground();
    let found = (0..30).find_map(|seed| alone(play(&ground, seed, bent)).err());
    found.unwrap_or_else(|| panic!("nobody saw {bent:?}")).broken
}

#[test]
fn a_model_that_goes_by_arrival_is_contradicted() {
    let said = reported(Bent {
        order: Order::Arrival,
        ..Bent::default()
    });
    assert!(said.starts_with("pms ") && said.contains("has to be"), "{said}");
}

#[test]
fn a_bug_in_deciding_is_seen() {
    let _broken = fault::break_for("decide", "BUGGY");
    let said = reported(Bent {
        mark: "BUGGY",
        ..Bent::default()
    });
    assert!(said.contains("is failed: a fault of Stayhook"), "{said}");
}

#[test]
fn a_disk_that_forgets_is_seen() {
    let said = reported(Bent {
        flaw: Flaw::Forgets,
        ..Bent::default()
    });
    assert!(
        said.contains("is gone from the store") || said.contains("acknowledged and not there"),
        "{said}"
    );
}

#[test]
fn another_key_for_each_attempt_is_seen() {
    let said = reported(Bent {
        flaw: Flaw::KeyPerAttempt,
        ..Bent::default()
    });
    assert!(said.contains("was sent under two keys"), "{said}");
}

#[test]
fn a_success_without_an_effect_is_seen() {
    let said = reported(Bent {
        flaw: Flaw::NothingSent,
        ..Bent::default()
    });
    assert!(said.contains("its target knows nothing of it"), "{said}");
}
