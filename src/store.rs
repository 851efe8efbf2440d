//! Every SQL statement, one function per use case. Knows rows and plain data; nothing of recipes, actions or pages.

mod answered;
mod apply;
mod by_hand;
mod dialect;
mod due;
mod file;
mod fuse;
mod health;
mod known;
mod neighbours;
mod outbox;
mod planned;
mod read;
mod receive;
mod record;
mod replan;
mod replay;
mod rescue;
mod revisions;
mod rows;
mod rules;
mod set_back;
mod sql;
mod timeline;
mod upcoming;
mod upkeep;
mod writer;

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::model::delivery::{Arrival, Receipt};

pub use apply::Applied;
pub use by_hand::{HandError, HandOutcome};
pub use due::{Becomes, CameDue, DueRun, Ready, TakenOn};
pub use fuse::Fuse;
pub use health::{Health, Room};
pub use known::{Looked, Lookup, Name, Within};
pub use neighbours::Beside;
pub use outbox::{Candidate, Lease, Start};
pub use read::{Counts, Filter, Page};
pub use replay::ReplayWhich;
pub use rescue::{Paused, Rescued};
pub use revisions::Revision;
pub use rows::{AttemptRow, ChangeRow, DeliveryRow, EventRow, RunDetail, RunRow, StayRow, StepRow};
pub use rules::{Replanned, Search, Stays, Unplanned};
pub use timeline::History;
pub use upcoming::{Ahead, AheadRow};
pub use writer::{RECEIPTS_WAITING_BYTES, RECEIPTS_WAITING_MAX, Writer};

use dialect::{Conn, Database};

/// What can go wrong between us and the database.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Somebody else holds a lock for longer than we wait.
    #[error("the store is locked by somebody else")]
    Busy,
    /// No space left, or no more for us.
    #[error("the disk is full, or takes no more of us")]
    Full,
    /// The file is no longer there, is another one, or somebody else works on it: nothing more may be done.
    #[error("{0}")]
    Gone(String),
    /// The file or the server cannot be reached.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// Too much waits already.
    #[error("too many deliveries wait for the store")]
    Overloaded,
    /// Another daemon works on it.
    #[error("another process works on this database: a `stayhook serve` is running already")]
    Locked,
    /// A newer version has written it.
    #[error("the database has version {have}, this program knows {known}: use the newer program")]
    Newer {
        /// What is there.
        have: i64,
        /// What we know.
        known: i64,
    },
    /// The configured address makes no sense.
    #[error("{0}")]
    Unusable(String),
    /// Somebody else has changed the row in between.
    #[error("changed in between: {0}")]
    Conflict(String),
    /// Our bug, or a damaged file.
    #[error("{0}")]
    Broken(String),
}

/// The store, shared by everything that reads or writes.
#[derive(Clone, Debug)]
pub struct Store {
    database: Arc<Database>,
    handle: writer::Handle,
    fuse: Fuse,
}

impl Store {
    /// Opens the database to work on it: takes the lock, brings the tables up to date. The caller runs the writer.
    pub async fn open(url: &str) -> Result<(Store, Writer), StoreError> {
        let database = Database::open(url, true).await?;
        database.migrate().await?;
        let (handle, writer) = writer::channel();
        Ok((
            Store {
                database: Arc::new(database),
                handle,
                fuse: Fuse::default(),
            },
            writer,
        ))
    }

    /// Opens the database to look at it, also while a daemon works on it. Writing fails.
    pub async fn open_to_read(url: &str) -> Result<Store, StoreError> {
        let database = Database::open(url, false).await?;
        let (handle, _) = writer::channel();
        Ok(Store {
            database: Arc::new(database),
            handle,
            fuse: Fuse::default(),
        })
    }

    /// Runs the writer until every clone of the store is gone.
    pub async fn run_writer(writer: Writer, store: &Store) {
        let database = store.database.clone();
        writer.run(database).await;
    }

    /// Stores one delivery. When this returns `Ok`, it is on the disk.
    pub async fn receive(&self, arrival: Arrival) -> Result<Receipt, StoreError> {
        self.fuse.border().await;
        let received = self.handle.receive(arrival).await;
        self.fuse.border().await;
        received
    }

    /// Where a test lets everything end between two calls.
    #[doc(hidden)]
    pub fn fuse(&self) -> &Fuse {
        &self.fuse
    }

    /// How many deliveries this process has stored, those that had come before among them.
    pub fn received(&self) -> u64 {
        self.handle.received()
    }

    /// Counts commits; changes whenever something may have changed.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.handle.commits()
    }

    /// How it is: whether it takes what is written, and what else a person should know.
    pub fn health(&self) -> &Health {
        &self.database.health
    }

    /// What is behind an error: the file being gone, where it is.
    pub fn why(&self, error: StoreError) -> StoreError {
        self.database.why(error)
    }

    /// How much room it takes and has.
    pub fn room(&self) -> Room {
        let (file, wal) = file::sizes(&self.database.path);
        Room {
            bytes: file + wal,
            wal,
            free: file::free(&self.database.path),
        }
    }

    /// Lets the file grow no further, or again: a full disk, as far as a test can have one.
    #[cfg(test)]
    pub async fn fill_disk(&self, full: bool) -> Result<(), StoreError> {
        // SQLite takes the present size where less is asked for: https://sqlite.org/pragma.html#pragma_max_page_count
        let sql = if full {
            "PRAGMA max_page_count = 1"
        } else {
            "PRAGMA max_page_count = 4294967294"
        };
        self.database.writer().await?.execute(dialect::Sql::new(sql)).await?;
        Ok(())
    }

    /// Closes all connections. Where the file is gone they are left to the end of the process: closing them would write what
    /// is in the log to whatever is there now.
    pub async fn close(&self) {
        match self.database.health.not_gone() {
            Ok(()) => self.database.close().await,
            Err(_) => std::mem::forget(self.database.clone()),
        }
    }

    async fn write<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.fuse.border().await;
        let written = self.handle.write(run).await;
        self.fuse.border().await;
        written
    }

    async fn reader(&self) -> Result<Conn, StoreError> {
        self.fuse.border().await;
        self.database.reader().await
    }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Broken(error.to_string()))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    // Bounded when it was made; what is stored stands deeper than what came in.
    crate::model::json::unbounded(text).map_err(|error| StoreError::Broken(unreadable(&error)))
}

/// Where a stored text stops making sense, and in what way. Not in serde's words: they quote the value, which may be a
/// guest's, and this goes into logs.
fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "holds something else than it should",
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "is no JSON",
    };
    format!(
        "a stored row is not readable: it {what}, at character {}",
        error.column()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let said = from_json::<Vec<u64>>("[1, \"Wilhelmina Quux\"]")
            .unwrap_err()
            .to_string();
        assert_eq!(
            said,
            "a stored row is not readable: it holds something else than it should, at character 21"
        );
        let said = from_json::<serde_json::Value>("{Quux").unwrap_err().to_string();
        assert!(said.contains("is no JSON") && !said.contains("Quux"), "{said}");
    }
}
