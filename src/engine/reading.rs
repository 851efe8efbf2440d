//! Deliveries as they are read for deciding: mapped, with what their facts have to know.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::decide::{Origin, Rules};
use crate::model::delivery::{Outcome, Pending};
use crate::model::event::About;
use crate::model::fact::Fact;
use crate::model::fault::Fault;
use crate::source::Mapped;
use crate::store::{Looked, Lookup, Name, Within};

use super::body;
use super::setup::{Setup, mapped};

/// A delivery, read and mapped.
pub struct Read {
    /// The delivery.
    pub pending: Pending,
    /// Its body.
    pub payload: Arc<Value>,
    /// What the body could not say clearly.
    pub warnings: Vec<String>,
    /// Facts that were left out.
    pub left_out: Vec<String>,
    /// Its facts.
    pub says: Result<Vec<Fact>, Nothing>,
}

/// Why nothing was read.
pub enum Nothing {
    /// Its body cannot be read.
    Unreadable(String),
    /// It says nothing to us.
    Because(Outcome, String),
    /// A fault of ours.
    Fault(Fault),
}

/// Reads and maps a delivery.
pub fn read(setup: &Setup, pending: Pending) -> Read {
    let headers: Value = serde_json::from_str(&pending.headers).unwrap_or_default();
    let read = body::read(headers["content-type"].as_str(), &pending.body);
    mapped_by(setup, pending, &headers, read)
}

/// The same where the body is of another type than its headers say.
pub fn read_as(setup: &Setup, pending: Pending, content_type: Option<&str>) -> Read {
    let headers: Value = serde_json::from_str(&pending.headers).unwrap_or_default();
    let read = body::read(content_type, &pending.body);
    mapped_by(setup, pending, &headers, read)
}

fn mapped_by(setup: &Setup, pending: Pending, headers: &Value, read: Result<(Value, Vec<String>), String>) -> Read {
    let unmapped = |because: String| Err(Nothing::Because(Outcome::Unmapped, because));
    let mut left_out = Vec::new();
    let (payload, warnings, says) = match (setup.sources.get(&pending.source), read) {
        (_, Err(because)) => (Value::Null, Vec::new(), Err(Nothing::Unreadable(because))),
        (None, Ok((payload, warnings))) => (
            payload,
            warnings,
            unmapped(format!(
                "there is no source `{}` in the configuration any more",
                pending.source
            )),
        ),
        (Some(source), Ok((payload, warnings))) => {
            let says = match mapped(source, &payload, headers) {
                Ok(Mapped::Facts { facts, left_out: left }) => {
                    left_out = left;
                    Ok(facts)
                }
                Ok(Mapped::Ignored(because)) => Err(Nothing::Because(Outcome::Ignored, because)),
                Ok(Mapped::Unmapped(because)) => unmapped(because),
                Err(fault) => Err(Nothing::Fault(fault)),
            };
            (payload, warnings, says)
        }
    };
    Read {
        pending,
        payload: Arc::new(payload),
        warnings,
        left_out,
        says,
    }
}

/// What the facts of deliveries have to know.
pub fn lookup(reads: &[Read], planned: bool, rules: i64) -> Lookup {
    let mut lookup = Lookup {
        planned,
        rules,
        ..Lookup::default()
    };
    for read in reads {
        for (position, fact) in read.says.iter().flatten().enumerate() {
            look_for(&mut lookup, fact, fact.stay.source != read.pending.source);
            lookup
                .facts
                .extend(fact.key().map(|(about, id)| (read.pending.source.clone(), about, id)));
            if read.pending.replay.is_some() {
                lookup.events.insert(read.pending.id.event(position));
            }
        }
    }
    lookup
}

/// What a stay is looked for by: its own names, and what it may have been called before they were known. What has no own
/// name is looked for under those of all stays; what another source says (`foreign`), in all scopes.
fn look_for(lookup: &mut Lookup, fact: &Fact, foreign: bool) {
    let scope = (!foreign).then(|| fact.stay.scope.clone());
    for name in fact.stay.all() {
        let name = (fact.stay.source.clone(), name.to_owned());
        let within = |scope: &Option<String>| -> Within { (name.clone(), scope.clone()) };
        lookup.own.insert(within(&scope));
        lookup.shared.insert((within(&scope), true));
        // What another source told of first.
        lookup
            .shared
            .insert((within(&scope.as_ref().map(|_| String::new())), true));
        if fact.stay.ids.is_empty() {
            lookup.shared.insert((within(&scope), false));
        }
    }
}

/// Takes a delivery into the group unless something before it is about the same stay: one delivery per stay per group,
/// in order of arrival. What is passed over holds back what follows it.
pub fn claim(taken: &mut HashSet<Name>, read: &Read, looked: &Looked) -> bool {
    let mut names = HashSet::new();
    for fact in read.says.iter().flatten() {
        for name in fact.stay.all() {
            let key = (fact.stay.source.clone(), name.to_owned());
            // Every other name of a known stay may mean the same stay.
            let stays = looked.stays.get(&key).into_iter().flatten();
            for (_, stay) in stays.filter_map(|id| looked.by_id.get(id)) {
                let all = stay.ids.iter().chain(&stay.references);
                names.extend(all.map(|name| (stay.source.clone(), name.clone())));
            }
            names.insert(key);
        }
        // The same payment under the same key, too, is one after the other.
        let own = |(about, id): (About, String)| {
            let kind = format!("\u{1f}{}", about.word());
            (format!("{}{kind}", read.pending.source), id)
        };
        names.extend(fact.key().map(own));
    }
    let free = names.is_disjoint(taken);
    taken.extend(names);
    free
}

/// What configuration and recipes say for a delivery.
pub fn rules<'s>(setup: &'s Setup, read: &Read) -> Rules<'s> {
    let source = setup.sources.get(&read.pending.source);
    Rules {
        live_from: source.and_then(|source| source.live_from()),
        echo: source.map(|source| source.echo()).unwrap_or_default(),
        learn: source.is_some_and(|source| source.learn()),
        dry_run: setup.dry_run,
        in_force: setup.in_force,
        properties: &setup.properties,
        recipes: setup.book.all(),
        broken: setup.book.broken(),
    }
}

/// Where a fact of a delivery comes from.
pub fn origin(read: &Read, position: usize) -> Origin<'_> {
    let pending = &read.pending;
    Origin {
        delivery: &pending.id,
        seq: pending.seq,
        source: &pending.source,
        received_at: pending.received_at,
        payload: &read.payload,
        replay: pending.replay.as_ref(),
        position,
    }
}
