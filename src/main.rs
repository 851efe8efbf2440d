//! The `stayhook` command.
#![forbid(unsafe_code)]

fn main() {}
