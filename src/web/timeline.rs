//! `reservations/…/timeline`: everything about one stay in one column, oldest first, and then what is ahead.

mod change;
mod tell;

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::{Map, Value, json};

use crate::model::clock::Time;

use super::Shared;
use super::answer::{self, Answer};
use super::local::Local;
use super::path::At;
use super::query::Params;
use super::reservations;
use super::route::Route;

pub use tell::tell;

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/reservations/{source}/{code}/timeline",
    "Everything about one stay, oldest first: what came in, what changed, what went out and why not, what is ahead",
    || get(show),
)];

async fn show(State(desk): State<Shared>, At((source, code)): At<(String, String)>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let stay = reservations::one(&desk, &source, &code).await?;
    let history = desk.console.store.history(stay).await?;
    let told = tell(&history, &desk.console.live.properties(), desk.console.clock.now());
    answer::list(told.entries.iter().map(|entry| entry.json(&told.local)).collect(), None)
}

/// What there is to tell of a stay.
#[derive(Clone, Debug)]
pub struct Told {
    /// The clock of its property.
    pub local: Local,
    /// What the stay is, in one line.
    pub head: String,
    /// Everything, oldest first; what is ahead last.
    pub entries: Vec<Entry>,
}

/// One thing that happened, or that is ahead.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// What sort of thing.
    pub kind: Kind,
    /// In one line.
    pub text: String,
    /// What belongs to it, a line each.
    pub more: Vec<String>,
    /// The same for programs.
    members: Map<String, Value>,
}

/// What sort of thing an entry is; what happens at the same moment stands in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Older things than these are stored and not shown.
    LeftOut,
    /// A delivery came in.
    Delivery,
    /// Something changed.
    Event,
    /// Runs were planned.
    Planned,
    /// A planned run got another time.
    Moved,
    /// A planned run was called off or passed over.
    CalledOff,
    /// A planned run that had been called off was planned again.
    PlannedAgain,
    /// A run: what was sent, or why nothing was.
    Run,
    /// Still to come.
    Ahead,
}

impl Kind {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Kind::LeftOut => "left_out",
            Kind::Delivery => "delivery",
            Kind::Event => "event",
            Kind::Planned => "planned",
            Kind::Moved => "moved",
            Kind::CalledOff => "called_off",
            Kind::PlannedAgain => "planned_again",
            Kind::Run => "run",
            Kind::Ahead => "ahead",
        }
    }

    /// The word for people, ten letters at the most.
    pub fn label(self) -> &'static str {
        match self {
            Kind::LeftOut => "",
            Kind::CalledOff => "called off",
            Kind::PlannedAgain => "planned",
            kind => kind.word(),
        }
    }
}

impl Entry {
    fn new(at: Time, kind: Kind, text: String, members: Value) -> Entry {
        let members = match members {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        Entry {
            at,
            kind,
            text,
            more: Vec::new(),
            members,
        }
    }

    /// As the API shows it.
    pub fn json(&self, local: &Local) -> Value {
        let mut item = json!({
            "at": answer::time(self.at),
            "local": local.json(self.at),
            "kind": self.kind.word(),
            "text": self.text,
        });
        if let Value::Object(members) = &mut item {
            members.extend(self.members.clone());
        }
        answer::with_readable_times(&mut item);
        item
    }
}
