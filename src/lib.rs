//! Stayhook keeps the outside world in step with a stay: reservation webhooks come in, each is stored before it is
//! acknowledged, and the actions that recipes describe go out, once.
#![forbid(unsafe_code)]

pub mod action;
pub mod app;
pub mod cli;
pub mod config;
pub mod decide;
pub mod engine;
pub mod lang;
pub mod lifecycle;
pub mod listener;
pub mod model;
pub mod outbound;
pub mod receive;
pub mod recipe;
pub mod source;
pub mod store;
pub mod telemetry;
pub mod web;
pub mod worker;
