//! `runs`: what recipes started, with every attempt.

use axum::extract::State;
use axum::routing::get;
use http::Uri;

use crate::model::run::RunState;
use crate::store::Filter;

use super::Shared;
use super::answer::{self, Answer};
use super::path::At;
use super::problem::Problem;
use super::query::Params;
use super::route::Route;

const QUERY: &[&str] = &[
    "state",
    "recipe",
    "source",
    "code",
    "event",
    "failed_steps",
    "since",
    "limit",
    "cursor",
];

/// What this file serves.
pub const ROUTES: &[Route] = &[
    Route::get("/runs", "Runs, newest first", || get(list)).query(QUERY),
    Route::get(
        "/runs/{id}",
        "One run with its steps and attempts, and how it was moved before it fired",
        || get(show),
    ),
];

async fn list(State(desk): State<Shared>, uri: Uri) -> Answer {
    let params = Params::read(&uri, QUERY)?;
    let words: Vec<&str> = RunState::ALL.into_iter().map(RunState::word).collect();
    let filter = Filter {
        state: params.word("state", &words)?,
        failed_steps: params
            .word("failed_steps", &["true", "false"])?
            .map(|word| word == "true"),
        of: params.text("event").map(str::to_owned),
        ..params.filter(&desk.console).await?
    };
    answer::page(&desk.console.store.runs(&filter).await?)
}

async fn show(State(desk): State<Shared>, At(id): At<String>, uri: Uri) -> Answer {
    Params::read(&uri, &[])?;
    let run = desk.console.store.run(&id).await?;
    let run = run.ok_or_else(|| Problem::missing("there is no run with this id"))?;
    answer::whole(answer::row(&run, &["steps", "attempts", "moves"])?)
}
