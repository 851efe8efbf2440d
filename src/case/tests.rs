//! The client and the actions, held against stand-ins. They stand here because `case` is above them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

mod email;
mod http;
mod outbound;
