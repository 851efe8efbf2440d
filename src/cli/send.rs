//! `send`: a payload as its sender would post it, to the running daemon.

use std::path::PathBuf;

use http::Method;

use crate::lang::diag::did_you_mean;
use crate::model::clock::Clock;

use super::{FINDINGS, FINE, Failure, Global, Output, TEMPORARY, USAGE, print, remote};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configured source.
    source: String,
    /// The payload.
    file: PathBuf,
}

pub async fn run(global: &Global, arguments: &Arguments) -> Result<u8, Failure> {
    let config = super::configuration(global)?;
    let Some(source) = config.sources.iter().find(|source| source.name() == arguments.source) else {
        let names: Vec<&str> = config.sources.iter().map(|source| source.name()).collect();
        let near = did_you_mean(&arguments.source, names.iter().copied());
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        let asked = &arguments.source;
        return Err(Failure::new(
            USAGE,
            format!("there is no source `{asked}` in the configuration{near}"),
        ));
    };
    let body = std::fs::read(&arguments.file)
        .map_err(|error| Failure::new(USAGE, format!("{}: {error}", arguments.file.display())))?;
    let signed = source.sign(&body, Clock::System.now());
    let headers = remote::headers(&signed.headers)?;
    let Some(reply) = remote::ask(config.listen, Method::POST, &signed.path_and_query, headers, body).await? else {
        return Err(Failure::new(
            TEMPORARY,
            format!("no daemon listens at {}", config.listen),
        ));
    };
    match (global.output, reply.body["delivery"].as_str()) {
        (Output::Json, _) => print::print_json(&reply.body),
        (Output::Table, Some(id)) if reply.body["duplicate"] == true => {
            println!("{}: known already as {id}", reply.status)
        }
        (Output::Table, Some(id)) => println!("{}: stored as {id}", reply.status),
        (Output::Table, None) => println!("{}: {}", reply.status, remote::refusal(&reply).message),
    }
    Ok(if reply.status == 200 { FINE } else { FINDINGS })
}
