//! The only file that knows which database it is: opening, locking, transactions, placeholders, kinds of error.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Row as _, Sqlite};

use crate::model::fault;

use super::StoreError;
use super::file::Held;
use super::health::Health;
pub use super::sql::{Param, Sql};

/// How long a statement waits for somebody else's lock; the receive path answers within two seconds.
const BUSY: Duration = Duration::from_millis(1200);
/// The same for what looks after the file: nobody waits for that.
const UPKEEP_BUSY: Duration = Duration::from_millis(20);
const READERS: u32 = 4;
/// About so many steps of SQLite's machine lie between two looks at the time.
const STEPS: i32 = 10_000;
/// SQLITE_IOERR_WRITE, _TRUNCATE, _SHMOPEN and _SHMSIZE, without the primary code: a file that was to be written or to grow.
const NO_GROWTH: [i64; 4] = [3, 6, 18, 19];
/// How many rows of an answer are read ahead of whoever takes them: all of a group.
const ROWS_AHEAD: usize = 512;
/// The most values that are bound to one statement; SQLite takes 32,766: <https://sqlite.org/limits.html>
const PARAMS_MAX: usize = 32_000;

/// One row of an answer, read by position.
#[derive(Debug)]
pub struct Row(SqliteRow);

impl Row {
    /// A BIGINT.
    pub fn int(&self, at: usize) -> Result<i64, StoreError> {
        self.0.try_get(at).map_err(classify)
    }

    /// A BIGINT or NULL.
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        self.0.try_get(at).map_err(classify)
    }

    /// A flag.
    pub fn flag(&self, at: usize) -> Result<bool, StoreError> {
        Ok(self.int(at)? != 0)
    }

    /// A TEXT.
    pub fn text(&self, at: usize) -> Result<String, StoreError> {
        self.0.try_get(at).map_err(classify)
    }

    /// A TEXT or NULL.
    pub fn opt_text(&self, at: usize) -> Result<Option<String>, StoreError> {
        self.0.try_get(at).map_err(classify)
    }

    /// A BLOB or NULL.
    pub fn opt_blob(&self, at: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.try_get(at).map_err(classify)
    }
}

/// A connection, to read or to write. One that is let go in the middle of a transaction, because whoever waited for the
/// answer has gone, is closed: the next to get it would go on in there.
#[derive(Debug)]
pub struct Conn {
    inner: PoolConnection<Sqlite>,
    open: bool,
}

impl Drop for Conn {
    fn drop(&mut self) {
        if self.open {
            self.inner.close_on_drop();
        }
    }
}

impl Conn {
    fn new(inner: PoolConnection<Sqlite>) -> Conn {
        Conn { inner, open: false }
    }

    /// Runs a statement; how many rows it changed.
    pub async fn execute(&mut self, sql: Sql) -> Result<u64, StoreError> {
        let (text, arguments) = sql.arguments()?;
        let done = sqlx::query_with(text, arguments)
            .execute(&mut *self.inner)
            .await
            .map_err(classify)?;
        Ok(done.rows_affected())
    }

    /// Runs a statement; the rows of its answer.
    pub async fn fetch(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        let (text, arguments) = sql.arguments()?;
        let rows = sqlx::query_with(text, arguments)
            .fetch_all(&mut *self.inner)
            .await
            .map_err(classify)?;
        Ok(rows.into_iter().map(Row).collect())
    }

    /// Runs `before (…), (…) after` over any number of rows, in as few statements as can bind them; the rows of the
    /// answers.
    pub async fn over_rows<const N: usize>(
        &mut self,
        before: &'static str,
        rows: Vec<[Param; N]>,
        after: &'static str,
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = rows.into_iter().peekable();
        let mut found = Vec::new();
        while rows.peek().is_some() {
            let mut sql = Sql::new(before);
            sql.rows(rows.by_ref().take(PARAMS_MAX / N)).push(after);
            found.extend(self.fetch(sql).await?);
        }
        Ok(found)
    }

    async fn plain(&mut self, text: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(text).execute(&mut *self.inner).await.map_err(classify)?;
        Ok(())
    }

    /// Begins to write. The write lock is taken at once: taken later it could fail half-way.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        self.open = true;
        self.plain("BEGIN IMMEDIATE").await
    }

    /// Ends the transaction; all of it is on the disk when this returns.
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        self.plain("COMMIT").await?;
        self.open = false;
        Ok(())
    }

    /// Takes everything back.
    pub async fn rollback(&mut self) -> Result<(), StoreError> {
        let done = self.plain("ROLLBACK").await;
        // A full disk, for one, has ended it already.
        self.open = matches!(&done, Err(error) if !error.to_string().contains("no transaction is active"));
        done
    }

    /// Marks a place to which one piece of work can be taken back alone.
    pub async fn mark(&mut self) -> Result<(), StoreError> {
        self.plain("SAVEPOINT work").await
    }

    /// Keeps the work since the mark.
    pub async fn keep(&mut self) -> Result<(), StoreError> {
        self.plain("RELEASE work").await
    }

    /// Takes back the work since the mark.
    pub async fn take_back(&mut self) -> Result<(), StoreError> {
        self.plain("ROLLBACK TO work; RELEASE work").await
    }

    /// Ends whatever still runs at this moment, and says so in `late`. The connection is closed when it is let go.
    #[expect(clippy::disallowed_methods, reason = "a bound for work, not a time anybody sees")]
    pub async fn stop_at(&mut self, until: Instant, late: Arc<AtomicBool>) -> Result<(), StoreError> {
        self.open = true;
        let mut handle = self.inner.lock_handle().await.map_err(classify)?;
        handle.set_progress_handler(STEPS, move || {
            late.fetch_or(Instant::now() > until, Ordering::Relaxed);
            !late.load(Ordering::Relaxed)
        });
        Ok(())
    }

    /// A consistent view for several reads.
    pub async fn begin_read(&mut self) -> Result<(), StoreError> {
        self.open = true;
        self.plain("BEGIN DEFERRED").await
    }
}

/// An opened database.
#[derive(Debug)]
pub struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Keeps the database open from the first moment to the last, so that SQLite makes no other files; and looks after it.
    upkeep: SqlitePool,
    /// The real path, whatever links lead to it.
    pub path: PathBuf,
    /// How it is.
    pub health: Health,
    /// Which opening of the database for work this is; the next one has a higher number.
    epoch: OnceLock<i64>,
    /// Where this process works on it. Let go last: see there.
    held: Option<Held>,
}

impl Database {
    /// Opens `sqlite://PATH`. With `exclusive` the process becomes the one that works on it.
    pub async fn open(url: &str, exclusive: bool) -> Result<Database, StoreError> {
        let path = PathBuf::from(path_of(url)?);
        let (held, path) = match exclusive {
            true => Held::take(&path).map(|(held, path)| (Some(held), path))?,
            false => (None, path),
        };
        let base = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            // Left out only where a test ends the process and never the machine.
            .synchronous(match fault::left_out("no-sync") {
                true => SqliteSynchronous::Off,
                false => SqliteSynchronous::Full,
            })
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(512)
            .row_buffer_size(ROWS_AHEAD)
            // What a savepoint would take back is kept in memory, not in a file made for it.
            .pragma("temp_store", "memory");
        let pool = |connections: u32, options: SqliteConnectOptions| {
            let pool = SqlitePoolOptions::new().max_connections(connections);
            pool.idle_timeout(None).max_lifetime(None).connect_lazy_with(options)
        };
        // Pages in memory: 16 MiB to write, 2 MiB for each who reads.
        let reading = base.clone().pragma("cache_size", "-2048").pragma("query_only", "1");
        Ok(Database {
            writer: pool(1, base.clone().pragma("cache_size", "-16384")),
            readers: pool(READERS, reading),
            upkeep: pool(1, base.busy_timeout(UPKEEP_BUSY)),
            path,
            health: Health::default(),
            epoch: OnceLock::new(),
            held,
        })
    }

    /// The connection that writes.
    pub async fn writer(&self) -> Result<Conn, StoreError> {
        self.health.not_gone()?;
        let conn = self.writer.acquire().await.map(Conn::new);
        conn.map_err(|error| self.why(classify(error)))
    }

    /// A connection that reads.
    pub async fn reader(&self) -> Result<Conn, StoreError> {
        self.health.not_gone()?;
        let conn = self.readers.acquire().await.map(Conn::new);
        conn.map_err(|error| self.why(classify(error)))
    }

    /// The connection that looks after the file.
    pub async fn upkeep(&self) -> Result<Conn, StoreError> {
        self.upkeep.acquire().await.map(Conn::new).map_err(classify)
    }

    /// Where this process works on the database, its file.
    pub fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Sees that what was committed has gone where the next start will look for it.
    pub fn still_there(&self) -> Result<(), StoreError> {
        let same = self.held.as_ref().map_or(Ok(()), Held::same);
        same.map_err(|error| self.health.noticed(error))
    }

    /// What is behind an error: the file being gone, where it is.
    pub fn why(&self, error: StoreError) -> StoreError {
        self.still_there().err().unwrap_or(error)
    }

    /// Sees that nobody else has opened the database for work since: the lock keeps others away, and where a file system
    /// knows no locks, this does.
    pub async fn fenced(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let row = conn.fetch(Sql::new("SELECT epoch FROM fence")).await?;
        let now = row.first().map(|row| row.int(0)).transpose()?;
        if now == self.epoch.get().copied() {
            return Ok(());
        }
        let why = "another process has begun to work on this database".to_owned();
        Err(self.health.noticed(StoreError::Gone(why)))
    }

    /// Closes all connections; the write-ahead log is written back.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        self.upkeep.close().await;
    }

    /// Brings the tables to the newest version, in one transaction; tells how many steps that took.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let mut conn = self.writer().await?;
        conn.begin().await?;
        let done = migrate_all(&mut conn).await;
        let (steps, epoch) = match done {
            Ok(done) => conn.commit().await.map(|()| done)?,
            Err(error) => {
                // What went wrong, not what became of it: a full disk has ended the transaction already.
                let _ = conn.rollback().await;
                return Err(error);
            }
        };
        let _ = self.epoch.set(epoch);
        self.fenced(&mut self.upkeep().await?).await?;
        if let Some(held) = &self.held {
            held.remember();
        }
        Ok(steps)
    }
}

/// Every step, in order; never edited once released.
const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../../migrations/sqlite/0001_initial.sql"))];

/// How many steps it took, and the number of this opening.
async fn migrate_all(conn: &mut Conn) -> Result<(usize, i64), StoreError> {
    conn.plain("CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)")
        .await?;
    let rows = conn
        .fetch(Sql::new("SELECT COALESCE(MAX(version), 0) FROM schema_versions"))
        .await?;
    let have = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let newest = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    if have > newest {
        return Err(StoreError::Newer { have, known: newest });
    }
    let mut steps = 0;
    for (version, text) in MIGRATIONS.iter().filter(|(version, _)| *version > have) {
        conn.plain(text).await?;
        let mut sql = Sql::new("INSERT INTO schema_versions (version) VALUES (");
        sql.bind(*version).push(")");
        conn.execute(sql).await?;
        steps += 1;
    }
    let epoch = Sql::new("UPDATE fence SET epoch = epoch + 1 RETURNING epoch");
    let epoch = conn.fetch(epoch).await?.first().map_or(Ok(0), |row| row.int(0))?;
    Ok((steps, epoch))
}

fn path_of(url: &str) -> Result<&str, StoreError> {
    match url.split_once(':') {
        Some(("sqlite", rest)) => Ok(rest.strip_prefix("//").unwrap_or(rest)),
        Some(("postgres" | "postgresql", _)) => Err(StoreError::Unusable(
            "PostgreSQL is not in this version yet; use `sqlite://stayhook.db`".to_owned(),
        )),
        _ => Err(StoreError::Unusable(
            "`database` is written `sqlite://stayhook.db`".to_owned(),
        )),
    }
}

/// What an error of the database means for us.
fn classify(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(inner) => {
            // SQLite's primary result codes: https://sqlite.org/rescode.html
            let code: i64 = inner.code().and_then(|code| code.parse().ok()).unwrap_or_default();
            match code & 0xff {
                5 | 6 => StoreError::Busy,
                // A quota, and a limit of the size of files, look like a disk that fails to write or to grow a file.
                13 => StoreError::Full,
                10 if NO_GROWTH.contains(&(code >> 8)) => StoreError::Full,
                7 | 8 | 10 | 14 | 15 => StoreError::Unavailable(inner.message().to_owned()),
                19 => StoreError::Conflict(inner.message().to_owned()),
                _ => StoreError::Broken(inner.message().to_owned()),
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            StoreError::Unavailable(error.to_string())
        }
        _ => StoreError::Broken(error.to_string()),
    }
}
