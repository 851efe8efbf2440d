//! The plain model: what has to be so, said as simply as it can be. It knows nothing of how deciding works: a stay is its
//! sender's words, one after the other, the last word on each field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stayhook::model::clock::Time;

use crate::calendar::Stay;
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
                // Where a stay is and when it was booked is never taken back by leaving it out.
                let kept = |name: &str, value: &Value| value.is_null() && ["property", "created_at"].contains(&name);
                let said = said.iter().filter(|(name, value)| !kept(name, value));
                fields.extend(said.map(|(name, value)| (*name, value.clone())));
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
        let found = match *name {
            "property" => &found["property"]["ids"][0],
            // In whatever zone it is shown.
            "created_at" => return None,
            name => &found[name],
        };
        (*found != wanted).then(|| format!("`{name}` is {found} and has to be {wanted}"))
    })
}

/// A stay through what arrived of it, each word with the time it was received at.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// As it is now; none before anything was said of it.
    pub stay: Option<Stay>,
    /// As it was after the last word that was news: it was new, became active, moved.
    pub news: Option<Stay>,
    /// Whether it was gone at any time.
    pub was_gone: bool,
    /// Whether it was gone and takes place again: a new life.
    pub anew: bool,
    /// Whether it moved from one property to another.
    pub elsewhere: bool,
}

/// The life of one stay, one word after the other, of which the first `known` are known already.
pub fn life(arrived: &[(&Message, Time)], known: usize, order: Order) -> Life {
    let mut life = Life::default();
    let mut announced = false;
    let mut lasted: Option<(String, Time)> = None;
    let mut words: Vec<&Message> = Vec::new();
    for (n, (message, at)) in arrived.iter().enumerate() {
        words.push(message);
        let Some(fields) = fold(&words, order).into_values().next().and_then(|stay| stay.fields) else {
            continue;
        };
        if matches!(message.says, Says::Stay(_))
            && let Some(status) = fields.get("status").and_then(Value::as_str)
            && lasted.as_ref().is_none_or(|(was, _)| was != status)
        {
            let since = lasted.map_or(*at, |(_, since)| since.max(*at));
            lasted = Some((status.to_owned(), since));
        }
        let pending = lasted
            .as_ref()
            .filter(|(status, _)| status == "pending")
            .map(|(_, since)| *since);
        let stay = Stay::of(&fields, arrived[0].1, pending);
        let complete = |stay: &Stay| stay.days.is_some() && !stay.status.is_empty();
        if n < known {
            announced |= complete(&stay);
            life.stay = Some(stay);
            continue;
        }
        life.was_gone |= stay.is_gone();
        let was = life.stay.as_ref();
        let anew = was.is_some_and(|was| was.is_gone() && !stay.status.is_empty() && !stay.is_gone());
        life.anew |= anew;
        life.elsewhere |= was.is_some_and(|was| was.property.is_some() && was.property != stay.property);
        let before = life.stay.as_ref().filter(|_| announced);
        let news = complete(&stay)
            && before.is_none_or(|was| {
                let moved = was.days != stay.days || was.arrives() != stay.arrives() || was.leaves() != stay.leaves();
                let elsewhere = was.property.is_some() && was.property != stay.property;
                (stay.is_booked() && !was.is_booked()) || moved || elsewhere || anew
            });
        announced |= complete(&stay);
        if news {
            life.news = Some(stay.clone());
        }
        life.stay = Some(stay);
    }
    life
}
