//! The plain model: what has to be so, said as simply as it can be. It knows nothing of how deciding works: a stay is its
//! sender's words, one after the other, the last word on each field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::world::{FIELDS, Message, Says};

/// What a mutated model gets wrong, to prove that the comparison can fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By the sender's version where it says one.
    #[default]
    Versions,
    /// Always as it came.
    Arrival,
}

/// One stay as it has to be.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Its fields; none while nobody has spoken of the stay itself.
    pub fields: Option<BTreeMap<&'static str, Value>>,
    /// The ids of what was paid.
    pub payments: BTreeSet<String>,
    /// The ids of what its guest wrote.
    pub words: BTreeSet<String>,
}

/// The stays after these messages, in order of arrival, each once.
pub fn fold(arrived: &[&Message], order: Order) -> BTreeMap<(&'static str, String), Expected> {
    let mut told: Vec<&Message> = arrived.to_vec();
    if order == Order::Versions {
        // Stable: what has no version stays as it came.
        told.sort_by_key(|message| if message.source == "pms" { message.version } else { 0 });
    }
    let mut stays: BTreeMap<_, Expected> = BTreeMap::new();
    for message in told {
        let stay = stays.entry((message.source, message.code.clone())).or_default();
        match &message.says {
            Says::Payment(id) => _ = stay.payments.insert(id.clone()),
            Says::Words(id) => _ = stay.words.insert(id.clone()),
            Says::Stay(said) => {
                let fields = stay.fields.get_or_insert_default();
                fields.extend(said.iter().map(|(name, value)| (*name, value.clone())));
            }
        }
    }
    stays
}

/// Where a stay, as recipes see it, differs from what it has to be.
pub fn differs(expected: &Expected, found: &Value) -> Option<String> {
    let fields = expected.fields.as_ref()?;
    FIELDS.iter().find_map(|name| {
        let wanted = fields.get(name).cloned().unwrap_or(json!(null));
        (found[*name] != wanted).then(|| format!("`{name}` is {} and has to be {wanted}", found[*name]))
    })
}
