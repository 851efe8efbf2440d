//! The commands.

pub mod check;
pub mod output;
pub mod preview;
