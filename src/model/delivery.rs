//! One authenticated inbound request, and what became of it.

use serde::{Deserialize, Serialize};

use super::clock::Time;
use super::id::DeliveryId;

/// A request that has been authenticated and is about to be stored.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The id it gets if it is new.
    pub id: DeliveryId,
    /// The configured source it came to.
    pub source: String,
    /// What recognises the same delivery again.
    pub receipt: ReceiptKey,
    /// When it was received.
    pub received_at: Time,
    /// The allow-listed headers, never credentials, as a JSON object.
    pub headers: String,
    /// The body, after removal of a transport compression, otherwise byte for byte.
    pub body: Vec<u8>,
}

/// What recognises a delivery that arrives again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptKey {
    /// 16 bytes of a hash; unique within the source.
    pub key: [u8; 16],
    /// Which stay the body speaks of: a hash of its first name; `None` where it names none. Whatever comes for a stay
    /// ends the validity of the weak keys before it.
    pub scope: Option<[u8; 16]>,
    /// `None`: strong, it counts for ever. A bare hash of the body is weak.
    pub weak: Option<Weak>,
}

/// A weak receipt key holds only for a while, and only while nothing else came for the stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weak {
    /// For how many milliseconds the same body counts as a duplicate.
    pub window_ms: i64,
}

/// The answer to a delivery that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id, or the first one's where it is a duplicate.
    pub delivery: DeliveryId,
    /// Whether it was known already.
    pub duplicate: bool,
}

/// What became of a delivery, or of one fact in it. Later in the list is more serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Stored, not decided yet.
    #[default]
    Undecided,
    /// An ignore rule of the source holds, or there is nothing in it.
    Ignored,
    /// Nothing it says is new.
    Unchanged,
    /// Older than what is known, and nothing changed.
    Stale,
    /// It made an event or changed a stay.
    Processed,
    /// Well-formed, but no stay, payment or message could be read from it.
    Unmapped,
    /// Our bug: kept with its trace, replayable.
    Failed,
}

impl Outcome {
    /// Every outcome, in order of seriousness.
    pub const ALL: [Outcome; 7] = [
        Outcome::Undecided,
        Outcome::Ignored,
        Outcome::Unchanged,
        Outcome::Stale,
        Outcome::Processed,
        Outcome::Unmapped,
        Outcome::Failed,
    ];

    /// The word in the database, the API and on the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Undecided => "undecided",
            Outcome::Ignored => "ignored",
            Outcome::Unchanged => "unchanged",
            Outcome::Stale => "stale",
            Outcome::Processed => "processed",
            Outcome::Unmapped => "unmapped",
            Outcome::Failed => "failed",
        }
    }

    /// The outcome with this word.
    pub fn from_word(word: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// How a stored delivery is to be decided once more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Also make runs whose key exists already, as a further occurrence with new keys.
    #[serde(default)]
    pub again: bool,
    /// Only this recipe.
    #[serde(default)]
    pub recipe: Option<String>,
    /// Tells further occurrences of the same event apart; 0 for the first.
    #[serde(default)]
    pub occurrence: u32,
}

/// A stored delivery that waits for its decision.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its place in the order of arrival; later is greater.
    pub seq: i64,
    /// Its id.
    pub id: DeliveryId,
    /// The source it came to.
    pub source: String,
    /// When it was first received.
    pub received_at: Time,
    /// The stored headers as a JSON object.
    pub headers: String,
    /// The stored body.
    pub body: Vec<u8>,
    /// What became of it before, where this is a replay.
    pub outcome: Outcome,
    /// Set where a person asked for it once more.
    pub replay: Option<Replay>,
}
