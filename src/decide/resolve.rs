//! The stay a fact is about, as it was and as the fact leaves it.

use serde_json::json;

use crate::model::clock::Time;
use crate::model::fact::{Fact, Says, Stamp};
use crate::model::id::StayId;
use crate::model::reservation::Stay;

use super::fold::Folded;
use super::own::{Landed, Several, land, new_stay};
use super::view::{View, view};
use super::{Known, Origin, Rules};

/// A fact's stay, and what else is known once it is found.
pub struct Resolved {
    /// After the fact.
    pub stay: Stay,
    /// Before it; `None` for a new one.
    pub before: Option<Stay>,
    /// Before it, as recipes see it.
    pub before_view: Option<View>,
    /// After it, as recipes see it.
    pub after: View,
    /// Stays without an own name that turned out to be this one.
    pub absorbed: Vec<StayId>,
    /// The order of the fact.
    pub stamp: Stamp,
    /// What folding did.
    pub folded: Folded,
    /// Since when the rules count, where the stay was planned under others.
    pub rules_since: Option<Time>,
    /// Why nobody knows which stay it is about, where several may be.
    pub several: Option<String>,
    /// What the fact could not say clearly.
    pub warnings: Vec<String>,
}

/// Finds the stay and folds the fact into it.
pub fn resolve(known: &Known, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>) -> Resolved {
    let mut warnings = fact.warnings.clone();
    let landed = land(known, fact, origin, rules, &mut warnings);
    let several = landed.as_ref().err().map(Several::because);
    let landed = landed.unwrap_or_else(|several| alone(&several, fact, origin, rules));
    let Landed {
        mut stay,
        before,
        absorbed,
        stamp,
        folded,
        after,
    } = landed;
    if origin.replay.is_none() {
        stay.last_delivery = origin.delivery.clone();
    }
    stay.revision = before.as_ref().map_or(0, |before| before.revision);
    if before.is_none() {
        // There is nothing yet that other rules could have planned.
        stay.planned_under = rules.in_force.id;
    }
    if let (Some(because), Says::Payment { .. } | Says::Message { .. }) = (&several, &fact.says) {
        warnings.push(format!("{because}: it belongs to no stay"));
    }
    Resolved {
        before_view: before.as_ref().map(|stay| view(stay, rules.properties)),
        rules_since: before.as_ref().and_then(|before| rules.in_force.new_to(before)),
        stay,
        before,
        after,
        absorbed,
        stamp,
        folded,
        several,
        warnings,
    }
}

/// A payment or message of which only the code of its stay is known.
fn alone(several: &Several, fact: &Fact, origin: &Origin<'_>, rules: &Rules<'_>) -> Landed {
    let stay = new_stay(fact, origin);
    let mut after = view(&stay, rules.properties);
    after.json["code"] = json!(several.called);
    Landed {
        stay,
        before: None,
        absorbed: Vec::new(),
        stamp: Stamp::default(),
        folded: Folded::default(),
        after,
    }
}
