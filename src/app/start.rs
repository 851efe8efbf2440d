//! A start on a disk that takes nothing: it waits until there is room, and both addresses say why.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use chrono::TimeDelta;
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::listener::{self, Limits};
use crate::model::clock::Clock;
use crate::store::{Store, StoreError, Writer};
use crate::worker::Engine;

use super::{StartError, keep_revisions};

/// How long to wait before the disk is tried again.
const FULL: TimeDelta = TimeDelta::seconds(2);
const FULL_SAYS: &str =
    r#"{"type": "about:blank", "status": 503, "detail": "the disk is full; Stayhook starts as soon as there is room"}"#;

/// Opens the store and both addresses, hooks before admin.
pub(super) async fn open(
    config: &Config,
    clock: &Clock,
) -> Result<(Store, Writer, TcpListener, TcpListener), StartError> {
    let first = Store::open(&config.database).await;
    let (hooks, admin) = match first {
        Ok((store, writer)) => {
            return Ok((store, writer, bind(config.listen)?, bind(config.admin.listen)?));
        }
        Err(StoreError::Full) => (
            twin(bind(config.listen)?, config.listen)?,
            twin(bind(config.admin.listen)?, config.admin.listen)?,
        ),
        Err(error) => return Err(error.into()),
    };
    let address = |listener: &TcpListener| {
        listener
            .local_addr()
            .map_or_else(|_| String::new(), |at| at.to_string())
    };
    tracing::error!(
        hooks = address(&hooks.0),
        admin = address(&admin.0),
        "the disk is full; waiting for room, and senders are told to come back"
    );
    let mut answering = JoinSet::new();
    for listener in [hooks.1, admin.1] {
        let says = || async {
            let headers = [
                (header::RETRY_AFTER, "5"),
                (header::CONTENT_TYPE, "application/problem+json"),
            ];
            (StatusCode::SERVICE_UNAVAILABLE, headers, FULL_SAYS)
        };
        let router = Router::new().fallback(says);
        answering.spawn(listener::serve(
            listener,
            router,
            Limits::default(),
            CancellationToken::new(),
        ));
    }
    loop {
        clock.sleep(FULL).await;
        match Store::open(&config.database).await {
            Err(StoreError::Full) => {}
            opened => {
                answering.shutdown().await;
                let (store, writer) = opened?;
                tracing::info!("there is room on the disk again");
                return Ok((store, writer, hooks.0, admin.0));
            }
        }
    }
}

/// Takes up what the last process left, however long the disk takes nothing; whether it came to that before the stop.
pub(super) async fn recover(engine: &Engine, stop: &CancellationToken) -> Result<bool, StoreError> {
    loop {
        let recovering = async {
            keep_revisions(engine, engine.setup().book.all()).await?;
            engine.recover().await
        };
        match recovering.await {
            Ok(taken_up) => {
                tracing::info!(taken_up, "recovered");
                return Ok(true);
            }
            // The store has said so itself.
            Err(StoreError::Full) => tokio::select! {
                () = stop.cancelled() => return Ok(false),
                () = engine.clock.sleep(FULL) => {}
            },
            Err(error) => return Err(engine.store.why(error)),
        }
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    listener::bind(address).map_err(|error| StartError::Listen(address, error))
}

/// Two ends of one address, so that nobody finds it closed when one takes over from the other.
fn twin(listener: TcpListener, address: SocketAddr) -> Result<(TcpListener, TcpListener), StartError> {
    let split = || -> io::Result<_> {
        let listener = listener.into_std()?;
        let other = TcpListener::from_std(listener.try_clone()?)?;
        Ok((TcpListener::from_std(listener)?, other))
    };
    split().map_err(|error| StartError::Listen(address, error))
}
