//! What the daemon is measured against: a handler that parses and answers, one that inserts the body and does nothing
//! else, and our own receive path without anything behind it.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use stayhook::listener;
use stayhook::model::clock::Clock;
use stayhook::model::id::Ids;
use stayhook::receive::{self, Receiver, Rejections};
use stayhook::store::Store;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// How many bodies go into one commit at the most.
const GROUP: usize = 256;

/// Serves until the process is ended; says its address on standard output.
pub async fn serve(kind: &str, folder: Option<&Path>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ready = || println!("{address}");
    match kind {
        "parse" => {
            let router = Router::new().route("/hooks/{source}/{token}", post(parse));
            ready();
            axum::serve(listener, router).await.unwrap();
        }
        "insert" => {
            let insert = Insert::open(folder.unwrap()).await;
            let router = Router::new()
                .route("/hooks/{source}/{token}", post(store))
                .with_state(insert);
            ready();
            axum::serve(listener, router).await.unwrap();
        }
        "paused" => {
            let folder = folder.unwrap();
            let router = paused(folder).await;
            ready();
            listener::serve(listener, router, listener::Limits::default(), CancellationToken::new()).await;
        }
        other => panic!("no such yardstick: {other}"),
    }
}

async fn parse(body: Bytes) -> (StatusCode, &'static str) {
    match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(_) => (StatusCode::OK, "{\"ok\":true}"),
        Err(_) => (StatusCode::BAD_REQUEST, "{\"ok\":false}"),
    }
}

#[derive(Clone)]
struct Insert(mpsc::Sender<(Bytes, oneshot::Sender<()>)>);

impl Insert {
    /// One writer; whatever waits when a commit ends goes into the next, as one statement.
    async fn open(folder: &Path) -> Insert {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("yardstick.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .unwrap();
        sqlx::raw_sql("CREATE TABLE bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")
            .execute(&pool)
            .await
            .unwrap();
        let (send, mut receive) = mpsc::channel::<(Bytes, oneshot::Sender<()>)>(2048);
        tokio::spawn(async move {
            let mut group = Vec::new();
            while receive.recv_many(&mut group, GROUP).await > 0 {
                let mut sql = sqlx::QueryBuilder::new("INSERT INTO bodies (body) ");
                sql.push_values(&group, |mut row, (body, _)| {
                    row.push_bind(body.to_vec());
                });
                sql.build().execute(&pool).await.unwrap();
                for (_, done) in group.drain(..) {
                    let _ = done.send(());
                }
            }
        });
        Insert(send)
    }
}

async fn store(State(insert): State<Insert>, body: Bytes) -> (StatusCode, &'static str) {
    let (done, stored) = oneshot::channel();
    insert.0.send((body, done)).await.unwrap();
    stored.await.unwrap();
    (StatusCode::OK, "{\"ok\":true}")
}

/// The daemon's own receive path, listener and store; nobody decides.
async fn paused(folder: &Path) -> Router {
    let mut report = stayhook::lang::diag::Report::new();
    let none = |_: &str| None;
    let config = stayhook::config::load(&folder.join("config.yaml"), &none, &mut report);
    let config = config.unwrap_or_else(|| panic!("{}", report.render(|_| None)));
    let (store, writer) = Store::open(&config.database).await.unwrap();
    let own = store.clone();
    tokio::spawn(async move { Store::run_writer(writer, &own).await });
    receive::router(Receiver {
        store,
        clock: Clock::System,
        ids: Arc::new(Ids::random()),
        sources: Arc::new(move |name: &str| config.sources.iter().find(|source| source.name() == name).cloned()),
        on_stored: Arc::new(|| {}),
        rejections: Arc::new(Rejections::new()),
        tally: Arc::new(Silent),
        limits: receive::Limits::default(),
    })
}

struct Silent;

impl receive::Tally for Silent {
    fn stored(&self, _source: &str, _duplicate: bool, _took: std::time::Duration) {}
    fn pinged(&self, _source: &str) {}
    fn rejected(&self, _source: &str, _reason: &'static str) {}
}
