//! The admin listener: the API under `/api/v1`, health and metrics. One file a resource; each lists its routes with what
//! `openapi.json` says of them, so the document cannot leave one out.

mod answer;
mod attempts;
mod body;
mod connections;
mod deliveries;
mod events;
mod explain;
mod guard;
mod health;
mod local;
mod metrics;
mod once;
mod openapi;
mod path;
mod plan;
mod problem;
mod query;
mod recipes;
mod reservations;
mod retry;
mod route;
mod runs;
mod sources;
mod timeline;
mod upcoming;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use serde_json::Value;

use crate::model::clock::Clock;
use crate::model::meter::Meter;
use crate::model::property::Properties;
use crate::model::secret::Secret;
use crate::store::Store;

pub use answer::with_readable_times;
pub use local::Local;
use problem::Problem;
pub use query::{read_since, unheard_of};
pub use reservations::candidates;
pub use timeline::{Entry, Kind, Told, tell};
pub use upcoming::{Coming, cursor, place, property, within};

/// The longest body of a request to the API, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// What the admin listener answers from.
#[derive(Clone)]
pub struct Console {
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What requests have to carry; without one everything is open to who asks under a loopback name and through no proxy.
    pub token: Option<Secret>,
    /// The names under which it may be asked with a token, beside loopback ones; a port in them is not looked at.
    pub hosts: Vec<String>,
    /// Whether `/metrics` is open although there is a token.
    pub metrics_open: bool,
    /// What is counted.
    pub meter: Arc<Meter>,
    /// What the running daemon knows and the store does not.
    pub live: Arc<dyn Live>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// What the running daemon knows and the store does not. Every function answers at once, from memory. Members of its lists
/// that end in `_ms` are milliseconds since 1970 and are shown as times.
pub trait Live: Send + Sync {
    /// The properties as they are configured now.
    fn properties(&self) -> Arc<Properties>;
    /// A list: `name, file, revision, enabled, sentence, broken` (a list, empty for a good recipe) of each recipe.
    fn recipes(&self) -> Value;
    /// A list: `name, preset, learn, live_from, emits, rejections` (the last ones, as reason, time and what came instead) of
    /// each source; behind them, under the name `(unknown)`, what was posted to none.
    fn sources(&self) -> Value;
    /// By what a delivery of this source would be recognised if it came again, in words: with its kept headers and its body
    /// as it is shown. `None` where there is no such source any more.
    fn recognised_by(&self, source: &str, headers: &Value, body: &str) -> Option<String>;
    /// A list: `connection, busy, concurrency, paused_since_ms, paused_because, probe_at_ms` of each connection.
    fn connections(&self) -> Value;
    /// Whether it is recovered, configured and not draining; else why not, without anything of a guest or a secret.
    fn ready(&self) -> Result<(), String>;
    /// Whether it makes progress; else why not, without anything of a guest or a secret.
    fn alive(&self) -> Result<(), String>;
    /// Whether what is written is stored; else why not, without anything of a guest or a secret. Nothing of it that is
    /// started anew would change that: it is no matter of being alive.
    fn store(&self) -> Result<(), String> {
        Ok(())
    }
    /// What is not as it should be although it is alive, one line each, without anything of a guest or a secret.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
    /// Deliveries wait for a decision.
    fn wake_inbox(&self);
    /// Runs may have become ready.
    fn wake_outbox(&self);
    /// Planned runs may have become due.
    fn wake_timers(&self);
}

/// What handlers share.
type Shared = Arc<Desk>;

/// The console, the answers that were given to keyed requests, and who has shown wrong tokens.
struct Desk {
    console: Console,
    attempts: attempts::Attempts,
    answers: once::Answers,
}

/// Everything the admin listener serves.
pub fn router(console: Console) -> Router {
    let desk: Shared = Arc::new(Desk {
        console,
        attempts: attempts::Attempts::default(),
        answers: once::Answers::default(),
    });
    let mut router = Router::new();
    for route in route::all() {
        router = router.route(&route.whole_path(), (route.serve)());
    }
    router
        .fallback(|| async {
            Problem::missing("there is nothing under this path; /api/v1/openapi.json lists what there is")
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                http::StatusCode::METHOD_NOT_ALLOWED,
                "this path is asked with another method",
            )
        })
        .layer(from_fn_with_state(desk.clone(), once::posts))
        .layer(from_fn_with_state(desk.clone(), guard::guard))
        .with_state(desk)
}

#[cfg(test)]
mod tests;
