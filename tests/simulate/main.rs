//! Seeded simulation: the real deciding, store and worker on a clock that is moved by hand, in a world where everything
//! goes wrong that can. Every seed is a world of its own and the same one every time. After each step the promises are
//! held against a plain model.
//!
//! One seed, with all that happened: `STAYHOOK_SEED=123 cargo test --test simulate one -- --nocapture`.
//! Many: `STAYHOOK_SEEDS=5000 cargo test --test simulate many -- --nocapture`.
//! Years: `STAYHOOK_SIMULATE_YEARS=100 cargo test --release --test simulate years -- --nocapture`; with
//! `CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true` it dies between calls to the store too.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

mod calendar;
mod chance;
mod checks;
mod driver;
mod flaws;
mod house;
mod model;
mod regressions;
mod rules;
mod seeds;
mod table;
mod targets;
mod timeline;
mod world;
mod years;
