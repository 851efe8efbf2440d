//! The current state of one stay: canonical fields, each with the version that wrote it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::clock::Time;
use super::fact::{Stamp, StayNames};
use super::id::{DeliveryId, StayId};

/// A canonical status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody asked.
    Inquiry,
    /// Waits for the host.
    Pending,
    /// Waits for money.
    AwaitingPayment,
    /// Will take place.
    Confirmed,
    /// The guest is there.
    InHouse,
    /// The guest has left.
    Completed,
    /// Called off.
    Cancelled,
    /// Refused by the host.
    Declined,
    /// Lapsed.
    Expired,
    /// The guest did not come.
    NoShow,
    /// A word of the sender that we do not know.
    Unknown,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 11] = [
        Status::Inquiry,
        Status::Pending,
        Status::AwaitingPayment,
        Status::Confirmed,
        Status::InHouse,
        Status::Completed,
        Status::Cancelled,
        Status::Declined,
        Status::Expired,
        Status::NoShow,
        Status::Unknown,
    ];

    /// The canonical word.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Inquiry => "inquiry",
            Status::Pending => "pending",
            Status::AwaitingPayment => "awaiting_payment",
            Status::Confirmed => "confirmed",
            Status::InHouse => "in_house",
            Status::Completed => "completed",
            Status::Cancelled => "cancelled",
            Status::Declined => "declined",
            Status::Expired => "expired",
            Status::NoShow => "no_show",
            Status::Unknown => "unknown",
        }
    }

    /// The status with this canonical word, in any case, with space, `_` and `-` alike.
    pub fn from_word(word: &str) -> Option<Status> {
        // Nearly always it is one of our own, letter by letter.
        let own = Status::ALL.into_iter().find(|status| status.word() == word);
        own.or_else(|| {
            let word = fold_word(word);
            Status::ALL.into_iter().find(|status| fold_word(status.word()) == word)
        })
    }

    /// Takes place: confirmed, in house or completed. Recipes write `booked`.
    pub fn is_active(self) -> bool {
        matches!(self, Status::Confirmed | Status::InHouse | Status::Completed)
    }

    /// Will not take place: cancelled, declined, expired or no-show.
    pub fn is_gone(self) -> bool {
        matches!(
            self,
            Status::Cancelled | Status::Declined | Status::Expired | Status::NoShow
        )
    }

    /// Who wins where two facts of the same version disagree: gone before active before the rest.
    pub fn tie_rank(self) -> u8 {
        if self.is_gone() {
            2
        } else if self.is_active() {
            1
        } else {
            0
        }
    }
}

/// A word as status maps compare it: lower case, with space, `_` and `-` alike.
pub fn fold_word(word: &str) -> String {
    word.trim()
        .chars()
        .map(|c| if matches!(c, '_' | '-') { ' ' } else { c })
        .flat_map(char::to_lowercase)
        .collect()
}

/// The fact that wrote a field. Kept once, however many fields it wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Writer {
    /// How new the fact was.
    pub stamp: Stamp,
    /// [`Status::tie_rank`] of the status it names plus one; 0 where it names none that is known.
    pub rank: u8,
    /// Its canonical text; decides a tie of stamps, the greater wins as a whole.
    pub text: String,
}

/// A field's value and who wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// The value; null where it was cleared.
    pub value: Value,
    /// Index into [`Stay::writers`].
    pub by: usize,
}

/// A status and the sender's own word for it, since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasted {
    /// The status.
    pub status: Option<Status>,
    /// The sender's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<String>,
    /// When the delivery came that said so first, milliseconds since 1970.
    pub since_ms: i64,
}

/// The most stays of one name that are looked at.
pub const CALLED_MAX: usize = 20;

/// How many statuses of a stay are remembered, the last ones.
const LASTED_MAX: usize = 16;

/// A stay as it is stored: fields as sent, each with its version. What recipes see is derived from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// Its id.
    pub id: StayId,
    /// The source whose stay it is.
    pub source: String,
    /// Within what its names are unique; empty for the whole source.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Its own names, which no other stay of source and scope has; the mapping's order.
    pub ids: Vec<String>,
    /// Names that other stays may have as well.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub references: BTreeSet<String>,
    /// What things at targets are named by, once it is complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Field name to value; what is not in it was never said.
    pub fields: BTreeMap<String, Held>,
    /// The facts that wrote the fields.
    pub writers: Vec<Writer>,
    /// Labels that people gave it.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// Whether `.created` or `.adopted` has been said.
    pub announced: bool,
    /// Whether it existed before the daemon was switched on.
    pub adopted: bool,
    /// Whether the sender's own "created" was what made it known.
    pub first_was_created: bool,
    /// When it was first heard of, milliseconds since 1970.
    pub first_seen_ms: i64,
    /// Its last statuses, oldest first, by when they were heard of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<Lasted>,
    /// The last delivery that spoke of it.
    pub last_delivery: DeliveryId,
    /// How often the row was written; guards against writing over somebody else's change.
    #[serde(skip)]
    pub revision: i64,
    /// The id of the rules that what its clock wants was last planned under; 0 for none.
    #[serde(skip)]
    pub planned_under: i64,
}

impl Stay {
    /// A stay of which nothing is known yet.
    pub fn new(id: StayId, names: &StayNames, delivery: DeliveryId, now: Time) -> Stay {
        Stay {
            id,
            source: names.source.clone(),
            scope: names.scope.clone(),
            ids: Vec::new(),
            references: BTreeSet::new(),
            key: None,
            fields: BTreeMap::new(),
            writers: Vec::new(),
            labels: BTreeSet::new(),
            announced: false,
            adopted: false,
            first_was_created: false,
            first_seen_ms: now.timestamp_millis(),
            statuses: Vec::new(),
            last_delivery: delivery,
            revision: 0,
            planned_under: 0,
        }
    }

    /// What a person calls the confirmation code: the newest that the sender called one, else the first of its names.
    pub fn code(&self) -> Option<&str> {
        let first = self.ids.first().or(self.references.first());
        self.text("code").or(first.map(String::as_str))
    }

    /// What things at targets are named by: fixed once it is complete, until then its first own name, else its code.
    /// Names that are unique within a scope only have that before them.
    pub fn key(&self) -> Option<String> {
        if self.key.is_some() {
            return self.key.clone();
        }
        let name = self.ids.first().map(String::as_str).or(self.code())?;
        Some(match self.scope.as_str() {
            "" => name.to_owned(),
            scope => format!("{scope}:{name}"),
        })
    }

    /// Whether an event of the reservation itself was made of it.
    pub fn has_spoken(&self) -> bool {
        let gone = |one: &Lasted| one.status.is_some_and(Status::is_gone);
        self.announced || self.statuses.iter().any(gone)
    }

    /// A field's value, where it is known.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.fields
            .get(field)
            .map(|held| &held.value)
            .filter(|value| !value.is_null())
    }

    /// A field's text, where it is known.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.value(field).and_then(Value::as_str)
    }

    /// The version that wrote a field.
    pub fn writer(&self, field: &str) -> Option<&Writer> {
        self.fields.get(field).and_then(|held| self.writers.get(held.by))
    }

    /// Remembers its status as it is since `at`, where it is another one than before.
    pub fn note_status(&mut self, at: Time) {
        let (status, own) = (self.status(), self.text("source_status").map(str::to_owned));
        let last = self.statuses.last();
        let same = |last: &Lasted| last.status == status && last.own == own;
        if (status.is_none() && own.is_none()) || last.is_some_and(same) {
            return;
        }
        let since_ms = at.timestamp_millis().max(last.map_or(i64::MIN, |last| last.since_ms));
        self.statuses.push(Lasted { status, own, since_ms });
        let too_many = self.statuses.len().saturating_sub(LASTED_MAX);
        self.statuses.drain(..too_many);
    }

    /// When it, or its status as it is, was heard of. Milliseconds since 1970.
    pub fn heard_ms(&self) -> i64 {
        let since = self.statuses.last().map_or(i64::MIN, |last| last.since_ms);
        self.first_seen_ms.max(since)
    }

    /// Since when its statuses have all been among those that hold; `None` where the present one is not. Milliseconds
    /// since 1970.
    pub fn status_since(&self, holds: impl Fn(Option<Status>, Option<&str>) -> bool) -> Option<i64> {
        let held = |one: &&Lasted| holds(one.status, one.own.as_deref());
        self.statuses
            .iter()
            .rev()
            .take_while(held)
            .last()
            .map(|one| one.since_ms)
    }

    /// The status, where a known word was ever said.
    pub fn status(&self) -> Option<Status> {
        self.text("status").and_then(Status::from_word)
    }
}
