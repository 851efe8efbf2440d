//! The one integration-test binary: a module per area of behaviour. Tests speak through HTTP, the command line, files or
//! the store's contract; time is moved by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

mod adoption;
mod by_hand;
mod canary;
mod cancellation;
mod cli;
mod clock;
mod crash;
mod daemon;
mod dates;
mod demo;
mod deploy;
mod disk;
mod docs;
mod effects;
mod events;
mod health;
mod hostile;
mod identity;
mod init;
mod lanes;
mod leases;
mod logs;
mod mail_server;
mod mapping;
mod metrics;
mod mistakes;
mod names;
mod order;
mod plan_command;
mod presets;
mod queues;
mod receipts;
mod received;
mod recipes;
mod reference;
mod replan;
mod replay;
mod retries;
mod schema;
mod sender;
mod settle;
mod stays;
mod supervised;
mod support;
mod tidy;
mod timeline;
mod values;
mod volume;
mod watch;
mod zones;
