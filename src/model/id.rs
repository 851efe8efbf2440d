//! Names of rows. Only deliveries get a fresh id; everything that follows from a delivery is named after it, so deciding
//! the same delivery again gives the same names.

use std::fmt;
use std::sync::Mutex;

use rand::{Rng, SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};

use super::clock::Time;

macro_rules! id {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

id!(
    DeliveryId,
    "One authenticated inbound request: `d_` and a ULID, so ids sort by time of receipt."
);
id!(
    StayId,
    "One reservation: `s_` and the delivery and position that first spoke of it."
);
id!(EventId, "One event: `e_` and the delivery and position of its fact.");
id!(
    RunId,
    "One run: `r_`, the time of the delivery it answers, where there is one, and a hash of its run key."
);

impl DeliveryId {
    fn tail(&self) -> &str {
        self.0.strip_prefix("d_").unwrap_or(&self.0)
    }

    /// The event that the fact at `position` (0 for the first) of this delivery makes.
    pub fn event(&self, position: usize) -> EventId {
        EventId(format!("e_{}_{position}", self.tail()))
    }

    /// The stay that the fact at `position` of this delivery is the first to name.
    pub fn stay(&self, position: usize) -> StayId {
        StayId(format!("s_{}_{position}", self.tail()))
    }

    /// The same where the delivery is decided once more: under today's mapping it may name another stay than before, and
    /// that one must not be taken for the first.
    pub fn stay_named(&self, position: usize, name: &str) -> StayId {
        StayId(format!("{}_{}", self.stay(position), &hash_hex(&["stay", name])[..8]))
    }
}

/// The characters of a ULID that hold its time.
const ULID_TIME: usize = 10;

impl RunId {
    /// The id of the run with this run key, which answers this event: the same key, the same id. The event's time comes
    /// first, so that runs made together lie together in the store.
    pub fn of_key(run_key: &str, event: &EventId) -> RunId {
        let time = event.0.strip_prefix("e_").and_then(|rest| rest.get(..ULID_TIME));
        RunId(format!("r_{}{}", time.unwrap_or_default(), &hash_hex(&[run_key])[..24]))
    }
}

/// The id of a clock's run with this run key. The time of the delivery that first spoke of its stay comes first, so that
/// the runs of a stay lie together.
pub fn clock_run_id(run_key: &str, stay: Option<&StayId>) -> RunId {
    let time = stay.and_then(|stay| stay.0.strip_prefix("s_")?.get(..ULID_TIME));
    RunId(format!("r_{}{}", time.unwrap_or_default(), &hash_hex(&[run_key])[..24]))
}

impl RunId {
    /// The event that a clock's run answers: that its time has come.
    pub fn event(&self) -> EventId {
        EventId(format!("e_{}", self.0.strip_prefix("r_").unwrap_or(&self.0)))
    }
}

/// The idempotency key of a step: stable over automatic attempts, new with every `generation` (a manual retry that
/// rendered other bytes).
pub fn step_key(run_key: &str, step: usize, generation: i64) -> String {
    format!(
        "sh_{}",
        &hash_hex(&["step", run_key, &step.to_string(), &generation.to_string()])[..32]
    )
}

/// SHA-256 over the parts, each preceded by its length so that no two lists of parts run into one another.
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn hash_hex(parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    hex::encode(hash(&parts))
}

/// The bytes of a secret that is made here.
const SECRET_BYTES: usize = 24;

/// Where delivery ids (and the jitter of retries) get their chance from.
#[derive(Debug)]
pub struct Ids(Mutex<StdRng>);

impl Ids {
    /// Seeded by the machine.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where chance is taken from the machine"
    )]
    pub fn random() -> Ids {
        Ids(Mutex::new(StdRng::from_rng(&mut rand::rng())))
    }

    /// The same ids every time, for tests and the demo.
    pub fn seeded(seed: u64) -> Ids {
        Ids(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A word that nobody guesses, in hex digits.
    pub fn secret(&self) -> String {
        let mut bytes = [0; SECRET_BYTES];
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rng.fill_bytes(&mut bytes);
        hex::encode(bytes)
    }

    /// A fresh delivery id.
    pub fn delivery(&self, now: Time) -> DeliveryId {
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let chance = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
        let ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        DeliveryId(format!("d_{}", ulid::Ulid::from_parts(ms, chance)))
    }
}
