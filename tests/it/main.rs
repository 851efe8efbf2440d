//! The one integration-test binary: a module per area of behaviour. Tests speak through HTTP, the command line, files or
//! the store's contract; time is moved by hand.

mod adoption;
mod crash;
mod daemon;
mod dates;
mod effects;
mod events;
mod health;
mod names;
mod order;
mod receipts;
mod replay;
mod mail_server;
mod stays;
mod support;
mod tidy;
mod values;
