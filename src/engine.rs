//! What Stayhook does, without a store, a network or a clock: deliveries to decisions, times to what comes due, attempts to
//! what follows. The background tasks load a small [`World`] and write down what it says; whoever asks what would happen
//! plays a larger one.

mod advance;
mod body;
mod conclude;
mod due;
mod first;
mod gather;
mod plan;
mod reading;
mod settle;
mod setup;
mod world;

pub use advance::{Advance, Asked, advance, too_late};
pub use body::read as read_body;
pub use conclude::{Attempted, Follows, conclude, ends_with_stay};
pub use due::{Due, foreseen};
pub use first::{first_steps, prepare};
pub use gather::{Span, spans};
pub use plan::{COME_MAX, come_since, horizon, plans, schedule_of, schedule_plan};
pub use reading::{Nothing, Read, claim, lookup, read, read_as};
pub use settle::{Next, Tried, ended, uncertain, window_over};
pub use setup::{Setup, mapped};
pub use world::{Places, World};

#[cfg(test)]
pub(crate) mod tests;
