//! `healthcheck`: for containers and service managers.

use super::{FINDINGS, FINE, Failure, Global, remote};

pub async fn run(global: &Global) -> Result<u8, Failure> {
    // Only the address counts: a mistake that somebody has just written into the file says nothing of the daemon, which
    // runs on with what it has read.
    let (config, report) = super::drafted(global);
    let config = config.ok_or_else(|| super::refused(&report))?;
    match remote::health(&config).await? {
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
