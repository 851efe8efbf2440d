//! Inputs that nobody has thought of, thrown at everything that reads what others wrote. One file for each reader, with what
//! has to hold for it whatever comes; `rounds.rs` makes the inputs.
//!
//! `cargo test` tries every file of `fuzz/corpus/` and a few hundred inputs made from them. For longer:
//! `STAYHOOK_FUZZ_SECONDS=600 cargo test --release --test fuzz body_decoding -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

mod body_decoding;
mod changes;
mod gzip;
mod mapping;
mod rounds;
mod seeds;
mod signatures;
mod templates;
mod values;
mod yaml;
