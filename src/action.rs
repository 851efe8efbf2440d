//! What goes out: one file per kind of action. Adding a kind touches its own file and the list here.

use futures::future::BoxFuture;

use crate::lang::effect::EffectKind;
use crate::model::clock::Clock;
use crate::model::effect::{Answer, Prepared};
use crate::model::run::AttemptOutcome;
use crate::outbound::Outbound;

pub mod connection;
pub mod email;
pub mod excerpt;
pub mod http;
mod slot;

pub use connection::{CONNECTION, Connection, ConnectionKind, compile_connection};

/// A kind of action that can be performed.
pub trait Kind: EffectKind {
    /// The kind of connection that it speaks over.
    fn over(&self) -> &'static str;

    /// Whether a connection is one that this kind speaks over.
    fn fits(&self, connection: &ConnectionKind) -> bool {
        connection.name() == self.over()
    }

    /// Sends once what was rendered. The same `prepared` and `key` give the same bytes every time. Never panics because of
    /// what came back; never takes longer than the connection's time-out by more than a moment.
    fn perform<'a>(
        &'a self,
        prepared: &'a Prepared,
        key: &'a str,
        connection: &'a Connection,
        io: &'a Io,
    ) -> BoxFuture<'a, Answer>;
}

/// Every kind there is.
pub const KINDS: &[&dyn Kind] = &[&http::Http, &email::Email];

/// The outside world, as actions see it.
#[derive(Clone, Debug)]
pub struct Io {
    /// The one HTTP client.
    pub outbound: Outbound,
    /// All mail goes to this address instead; `None` for where it is meant to go.
    pub redirect_email: Option<String>,
    /// For reading what an answer says about time.
    pub clock: Clock,
}

/// Every kind, as recipes see it.
pub fn effect_kinds() -> Vec<&'static dyn EffectKind> {
    KINDS.iter().map(|kind| *kind as &dyn EffectKind).collect()
}

/// The kind with this name.
pub fn kind(name: &str) -> Option<&'static dyn Kind> {
    KINDS.iter().copied().find(|kind| kind.name() == name)
}

/// Whether steps of the kind `name` can go over `connection`; false for a name nobody knows.
pub fn fits(name: &str, connection: &Connection) -> bool {
    kind(name).is_some_and(|kind| kind.fits(&connection.kind))
}

/// Sends a rendered step once and says what came of it.
pub async fn perform(prepared: &Prepared, key: &str, connection: &Connection, io: &Io) -> Answer {
    match kind(&prepared.kind) {
        // A run can be older than the version that reads it.
        None => reject(format!("this version has no action called `{}`", prepared.kind)),
        Some(kind) if !kind.fits(&connection.kind) => reject(format!(
            "the connection `{}` is now of another kind; `{}` cannot go over it",
            connection.name, prepared.kind
        )),
        Some(kind) => kind.perform(prepared, key, connection, io).await,
    }
}

/// A refusal that no further attempt would change.
fn reject(why: impl Into<String>) -> Answer {
    Answer::plain(AttemptOutcome::Reject, why)
}

#[cfg(test)]
mod tests;
