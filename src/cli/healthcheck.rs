//! `healthcheck`: for containers and service managers.

use http::{HeaderMap, Method};

use crate::lang::diag::Report;

use super::{CONFIGURATION, FINDINGS, FINE, Failure, Global, remote};

pub async fn run(global: &Global) -> Result<u8, Failure> {
    // Only the address counts: a mistake that somebody has just written into the file says nothing of the daemon, which
    // runs on with what it has read.
    let mut report = Report::new();
    let config = crate::config::read(&global.config, &mut report).and_then(|(file, text)| {
        let base = crate::config::folder(&global.config);
        crate::config::draft(&file, &text, base, &super::environment, &mut report)
    });
    let Some(config) = config else {
        let text = report.render(|file| std::fs::read_to_string(file).ok());
        return Err(Failure::new(CONFIGURATION, text.trim_end().to_owned()));
    };
    match remote::ask(
        config.admin.listen,
        Method::GET,
        "/healthz",
        HeaderMap::new(),
        Vec::new(),
    )
    .await?
    {
        Some(reply) if reply.status == 200 => {
            println!("ok");
            Ok(FINE)
        }
        Some(reply) => Err(remote::refusal(&reply)),
        None => Err(Failure::new(
            FINDINGS,
            format!("no daemon listens at {}", config.admin.listen),
        )),
    }
}
