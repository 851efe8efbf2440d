//! Commands that change something: through the running daemon where there is one, else on the store itself.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::outbound::{OutError, OutRequest, Outbound, Url};
use crate::store::Store;

use super::{FINDINGS, Failure, TEMPORARY, USAGE};

/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer of the daemon.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, null where it is not JSON.
    pub body: Value,
}

/// Sends a request to an address of the running daemon; `None` where nothing listens there.
pub async fn ask(
    address: std::net::SocketAddr,
    method: Method,
    path_and_query: &str,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Option<Reply>, Failure> {
    crate::outbound::install_crypto();
    let outbound = Outbound::new().map_err(|error| Failure::new(TEMPORARY, error))?;
    let host = if address.ip().is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        address.ip().to_string()
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let url = Url::parse(&format!("http://{host}:{}{path_and_query}", address.port()));
    let url = url.map_err(|error| Failure::new(USAGE, error.to_string()))?;
    let request = OutRequest {
        method,
        url,
        headers,
        body: Bytes::from(body),
        timeout: PATIENCE,
    };
    match outbound.send(request).await {
        Ok(response) => Ok(Some(Reply {
            status: response.status,
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
        })),
        Err(OutError::NotSent(_)) => Ok(None),
        Err(OutError::NoAnswer(because)) => {
            Err(Failure::new(TEMPORARY, format!("the daemon did not answer: {because}")))
        }
    }
}

/// Asks the running daemon how it is; `None` where none runs.
pub async fn health(config: &Config) -> Result<Option<Reply>, Failure> {
    ask(
        config.admin.listen,
        Method::GET,
        "/healthz",
        HeaderMap::new(),
        Vec::new(),
    )
    .await
}

/// Posts to the admin API of the running daemon; `None` where no daemon runs.
pub async fn post(config: &Config, path: &str, body: &Value) -> Result<Option<Reply>, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(token) = &config.admin.token {
        let value = HeaderValue::try_from(format!("Bearer {}", token.reveal()));
        headers.insert(
            header::AUTHORIZATION,
            value.map_err(|error| Failure::new(USAGE, error.to_string()))?,
        );
    }
    ask(
        config.admin.listen,
        Method::POST,
        &format!("/api/v1/{path}"),
        headers,
        body.to_string().into_bytes(),
    )
    .await
}

/// The message of an answer that is not a success.
pub fn refusal(reply: &Reply) -> Failure {
    let said = reply.body["detail"].as_str().or(reply.body["title"].as_str());
    let said = said.map_or_else(|| format!("the daemon answered {}", reply.status), str::to_owned);
    Failure::new(if reply.status >= 500 { TEMPORARY } else { FINDINGS }, said)
}

/// Headers from pairs.
pub fn headers(pairs: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let bad = |_| Failure::new(USAGE, format!("the header {name} cannot be sent"));
        let name = HeaderName::try_from(name.as_str()).map_err(|_| bad(()))?;
        headers.insert(name, HeaderValue::try_from(value.as_str()).map_err(|_| bad(()))?);
    }
    Ok(headers)
}

/// The store, to work on while no daemon does. The writer runs as long as the `JoinSet` lives.
pub async fn store_alone(config: &Config) -> Result<(Store, JoinSet<()>), Failure> {
    super::there_is_a_database(config)?;
    let (store, writer) = Store::open(&config.database).await.map_err(|error| match error {
        crate::store::StoreError::Locked => Failure::new(
            TEMPORARY,
            format!(
                "a daemon works on this database, and its admin address {} does not answer",
                config.admin.listen
            ),
        ),
        error => error.into(),
    })?;
    let mut tasks = JoinSet::new();
    let own = store.clone();
    tasks.spawn(async move { Store::run_writer(writer, &own).await });
    Ok((store, tasks))
}
