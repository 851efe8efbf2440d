//! `send`: a payload as its sender would send it, to the running daemon.

use std::path::PathBuf;

use http::Method;

use crate::lang::diag::did_you_mean;
use crate::model::body::guess_type;
use crate::model::clock::Clock;

use super::{FINDINGS, FINE, Failure, Global, Output, TEMPORARY, USAGE, print, remote};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The configured source.
    source: String,
    /// The payload: JSON, or a form such as `code=A1&status=confirmed`.
    file: PathBuf,
    /// What stands in the address after the name of the source: `booking_created`.
    #[arg(long)]
    path: Option<String>,
    /// What stands in the query of the address: `event=created`.
    #[arg(long)]
    query: Option<String>,
    /// One more header, `Name: value`; may be given several times.
    #[arg(long = "header", value_name = "HEADER", value_parser = super::preview::header)]
    headers: Vec<(String, String)>,
}

/// The address with what is asked for beside the sender's own.
fn address(path_and_query: &str, arguments: &Arguments) -> Result<String, Failure> {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let more = arguments.path.as_deref().unwrap_or_default().trim_matches('/');
    let asked = arguments.query.as_deref().unwrap_or_default();
    if more.contains(['?', '#']) || asked.contains('#') {
        return Err(Failure::new(
            USAGE,
            "`--path` and `--query` are parts of one address".to_owned(),
        ));
    }
    let path = [path, more].into_iter().filter(|part| !part.is_empty());
    let query = [asked, query].into_iter().filter(|part| !part.is_empty());
    let (path, query) = (path.collect::<Vec<_>>().join("/"), query.collect::<Vec<_>>().join("&"));
    Ok(if query.is_empty() {
        path
    } else {
        format!("{path}?{query}")
    })
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
    if signed.by_get && guess_type(&body).is_none() {
        let why = "deliveries of this source come by GET: the file holds a query such as `code=A1&status=confirmed`";
        return Err(Failure::new(USAGE, why.to_owned()));
    }
    let headers = remote::headers(&[signed.headers.as_slice(), &arguments.headers].concat())?;
    let address = address(&signed.path_and_query, arguments)?;
    let (method, body) = if signed.by_get {
        (Method::GET, Vec::new())
    } else {
        (Method::POST, body)
    };
    let Some(reply) = remote::ask(config.listen, method, &address, headers, body).await? else {
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
    Ok(if (200..300).contains(&reply.status) {
        FINE
    } else {
        FINDINGS
    })
}
