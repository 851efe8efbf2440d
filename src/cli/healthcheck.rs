//! `healthcheck`: for containers and service managers.

use http::{HeaderMap, Method};

use super::{FINDINGS, FINE, Failure, Global, remote};

pub async fn run(global: &Global) -> Result<u8, Failure> {
    let config = super::configuration(global)?;
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
