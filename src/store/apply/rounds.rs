//! Several facts of one delivery about the same stay: what each does is done in their order.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::model::decision::{Decision, FactDecision};
use crate::model::id::RunId;

use super::runs::new_runs;
use super::stay_of;

/// Facts that plan, in as many rounds as one stay has of them: a later plan of a stay is made on the one before it. A fact
/// that ends a stay has its round where a later one plans that stay again; those that end theirs for good are the second.
pub fn rounds(decisions: &[Decision]) -> (Vec<Vec<&FactDecision>>, Vec<&FactDecision>) {
    let mut rounds: Vec<Vec<&FactDecision>> = Vec::new();
    let mut ends = Vec::new();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for decision in decisions {
        for (nth, fact) in decision.facts.iter().enumerate() {
            let again = |later: &FactDecision| stay_of(later) == stay_of(fact) && !later.plan.is_empty();
            if fact.gone.is_some() && !decision.facts[nth..].iter().any(again) {
                ends.push(fact);
            } else if fact.gone.is_some() || !fact.plan.is_empty() {
                let round = count.entry(stay_of(fact).unwrap_or_default()).or_default();
                if rounds.len() <= *round {
                    rounds.push(Vec::new());
                }
                rounds[*round].push(fact);
                *round += 1;
            }
        }
    }
    (rounds, ends)
}

/// The runs that take in what happens, but for those that the same delivery makes.
pub fn joined(decisions: &[Decision]) -> BTreeSet<&str> {
    let made: HashSet<&RunId> = new_runs(decisions).map(|(run, _)| &run.id).collect();
    let facts = decisions.iter().flat_map(|decision| &decision.facts);
    let joins = facts.flat_map(|fact| &fact.joins);
    joins
        .filter(|run| !made.contains(run))
        .map(|run| run.0.as_str())
        .collect()
}

/// New runs that would wait for further changes, and whose stay a later fact of the same delivery ends; with the reason.
pub fn ended_since(decisions: &[Decision]) -> HashMap<&RunId, String> {
    let mut ended = HashMap::new();
    for decision in decisions {
        for (nth, fact) in decision.facts.iter().enumerate() {
            let Some(stay) = fact.event.as_ref().map(|event| &event.stay) else {
                continue;
            };
            let of_stay = |later: &&FactDecision| later.event.as_ref().is_some_and(|event| event.stay == *stay);
            let later = decision.facts[nth + 1..].iter().filter(of_stay);
            if let Some(gone) = later.filter_map(|later| later.gone.as_ref()).next() {
                let waits = fact.runs.iter().filter(|run| run.settles);
                ended.extend(waits.map(|run| (&run.id, gone.reason())));
            }
        }
    }
    ended
}
