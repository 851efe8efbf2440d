//! Plain data and pure rules, one concept a file. Imports nothing else of ours and does no I/O.

pub mod blank;
pub mod body;
pub mod clock;
pub mod decision;
pub mod delivery;
pub mod effect;
pub mod event;
pub mod fact;
pub mod fault;
pub mod field;
pub mod id;
pub mod json;
pub mod meter;
pub mod phone;
pub mod plan;
pub mod property;
pub mod reservation;
pub mod retry;
pub mod run;
pub mod secret;
pub mod throttle;
