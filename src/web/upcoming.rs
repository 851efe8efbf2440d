//! `upcoming`: what will go out, the soonest first.

use axum::extract::State;
use axum::routing::get;
use http::Uri;

use super::Shared;
use super::answer::{self, Answer};
use super::query::{Params, bad_cursor};
use super::route::Route;

const QUERY: &[&str] = &["limit", "cursor"];

/// What this file serves.
pub const ROUTES: &[Route] = &[Route::get(
    "/upcoming",
    "Runs that are scheduled, ready or retrying, the soonest first",
    || get(list),
)
.query(QUERY)];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    let params = Params::read(&uri, QUERY)?;
    // A place in this list is a time and, among runs that are due together, a row.
    let after = match params.text("cursor") {
        None => None,
        Some(text) => {
            let (due, seq) = text.split_once('.').ok_or_else(bad_cursor)?;
            let numbers = due.parse().ok().zip(seq.parse().ok());
            Some(numbers.ok_or_else(bad_cursor)?)
        }
    };
    let (runs, next) = desk.console.store.upcoming(after, params.limit()?).await?;
    let next = next.map(|(due, seq)| format!("{due}.{seq}"));
    answer::list(answer::rows(&runs)?, next)
}
