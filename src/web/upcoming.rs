//! `upcoming`: what will go out, the soonest first.

use axum::extract::State;
use axum::routing::get;
use http::Uri;
use serde_json::{Value, json};

use crate::decide::{View, view};
use crate::lang::duration;
use crate::model::clock::{Time, from_ms};
use crate::model::property::Properties;
use crate::recipe::{entry_words, entry_zone};
use crate::store::{Ahead, AheadRow};

use super::Shared;
use super::answer::{self, Answer};
use super::local::Local;
use super::problem::Problem;
use super::query::{Params, bad_cursor, heard_of};
use super::route::Route;

const QUERY: &[&str] = &["recipe", "source", "code", "within", "limit", "cursor"];

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/upcoming",
    "Runs that are scheduled, ready or retrying, the soonest first, with the property's local time",
    || get(list),
)
.query(QUERY)];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    let params = Params::read(&uri, QUERY)?;
    let now = desk.console.clock.now();
    let after = match params.text("cursor") {
        None => None,
        Some(text) => Some(place(text).ok_or_else(bad_cursor)?),
    };
    let before = params.text("within").map(|text| {
        let bad = || Problem::bad("`within` takes a span from now on: 24h, 7d");
        within(text, now).ok_or_else(bad)
    });
    let text = |name: &str| params.text(name).map(str::to_owned);
    let ahead = Ahead {
        recipe: text("recipe"),
        source: text("source"),
        code: text("code"),
        before: before.transpose()?,
        after,
        limit: params.limit()?,
    };
    heard_of(&desk.console, ahead.source.as_deref(), ahead.recipe.as_deref()).await?;
    let (rows, next) = desk.console.store.upcoming(&ahead).await?;
    let properties = desk.console.live.properties();
    let items = rows
        .iter()
        .map(|row| Coming::of(row, &properties, now).json())
        .collect();
    answer::list(items, next.map(cursor))
}

/// Where a page of the list begins, as `next` gives it: a time and, among runs that are due together, a row.
pub fn cursor((due, seq): (i64, i64)) -> String {
    format!("{due}.{seq}")
}

/// The place that such a text means.
pub fn place(cursor: &str) -> Option<(i64, i64)> {
    let (due, seq) = cursor.split_once('.')?;
    due.parse().ok().zip(seq.parse().ok())
}

/// The time so long after now.
pub fn within(span: &str, now: Time) -> Option<Time> {
    now.checked_add_signed(duration::parse(span)?)
}

/// A run that will go out, in words.
#[derive(Clone, Debug)]
pub struct Coming<'r> {
    row: &'r AheadRow,
    /// When it is due.
    pub at: Time,
    /// The clock it goes by: the property's; a schedule's own; the configured one.
    pub local: Local,
    /// What the property is called.
    pub property: Option<String>,
    /// What it waits for: "2 days before check-in at 10:00".
    pub entry: String,
}

impl<'r> Coming<'r> {
    /// In words, with the properties as they are configured now.
    pub fn of(row: &'r AheadRow, properties: &Properties, now: Time) -> Coming<'r> {
        let view = row.stay.as_ref().map(|stay| view(stay, properties));
        let zone = view.as_ref().map(|view| view.zone);
        let zone = zone.or_else(|| entry_zone(&row.run.entries));
        let entry = match (row.run.state.as_str(), row.run.entries.is_empty()) {
            ("retrying", _) => "tries again".to_owned(),
            (_, true) => "waits for its turn".to_owned(),
            ("ready", false) => format!("{}: waits for its turn", entry_words(&row.run.entries)),
            _ => entry_words(&row.run.entries),
        };
        Coming {
            at: from_ms(row.run.due_at_ms),
            local: Local {
                zone: zone.unwrap_or(properties.timezone),
                now,
            },
            property: view.as_ref().and_then(property),
            entry,
            row,
        }
    }

    /// As the API shows it: the run, and beside it the local time and the words.
    pub fn json(&self) -> Value {
        let mut item = json!(self.row.run);
        answer::with_readable_times(&mut item);
        item["due_local"] = json!(self.local.json(self.at));
        item["timezone"] = json!(self.local.zone.name());
        item["property"] = json!(self.property);
        item["entry"] = json!(self.entry);
        item
    }
}

/// What a stay's property is called: by the configuration, else by the sender.
pub fn property(view: &View) -> Option<String> {
    let of = &view.json["property"];
    let name = of["name"].as_str().or_else(|| of["ids"][0].as_str());
    name.map(str::to_owned)
}
