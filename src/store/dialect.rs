//! The only file that knows which database it is: opening, locking, transactions, placeholders, kinds of error.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, Row as _, Sqlite};

use crate::model::fault;

use super::StoreError;

/// How long a statement waits for somebody else's lock; the receive path answers within two seconds.
const BUSY: Duration = Duration::from_millis(1200);
const READERS: u32 = 4;
/// How many rows of an answer are read ahead of whoever takes them: all of a group.
const ROWS_AHEAD: usize = 512;
/// The most values that are bound to one statement; SQLite takes 32,766: <https://sqlite.org/limits.html>
const PARAMS_MAX: usize = 32_000;

/// A value bound to a statement.
#[derive(Clone, Debug)]
pub enum Param {
    /// A BIGINT.
    Int(Option<i64>),
    /// A TEXT.
    Text(Option<String>),
    /// A BLOB.
    Blob(Option<Vec<u8>>),
}

macro_rules! param {
    ($from:ty, $value:ident => $to:expr) => {
        impl From<$from> for Param {
            fn from($value: $from) -> Param {
                $to
            }
        }
    };
}

param!(i64, n => Param::Int(Some(n)));
param!(Option<i64>, n => Param::Int(n));
param!(bool, yes => Param::Int(Some(i64::from(yes))));
param!(usize, n => Param::Int(i64::try_from(n).ok()));
param!(&str, text => Param::Text(Some(text.to_owned())));
param!(String, text => Param::Text(Some(text)));
param!(&String, text => Param::Text(Some(text.clone())));
param!(Option<&str>, text => Param::Text(text.map(str::to_owned)));
param!(Option<String>, text => Param::Text(text));
param!(Vec<u8>, bytes => Param::Blob(Some(bytes)));
param!(&[u8], bytes => Param::Blob(Some(bytes.to_vec())));
param!(Option<Vec<u8>>, bytes => Param::Blob(bytes));

/// A statement under construction. Its text comes from string literals only; every value is bound.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    params: Vec<Param>,
}

impl Sql {
    /// Begins a statement.
    pub fn new(text: &'static str) -> Sql {
        Sql {
            text: text.to_owned(),
            params: Vec::new(),
        }
    }

    /// Goes on with literal text.
    pub fn push(&mut self, text: &'static str) -> &mut Sql {
        self.text.push_str(text);
        self
    }

    /// Binds a value here.
    pub fn bind(&mut self, value: impl Into<Param>) -> &mut Sql {
        self.params.push(value.into());
        // A numbered placeholder is a named one to SQLite's driver: it looks every name up, one after the other.
        self.text.push('?');
        self
    }

    /// `(…), (…)`: the rows of a VALUES list.
    pub fn rows<const N: usize>(&mut self, rows: impl IntoIterator<Item = [Param; N]>) -> &mut Sql {
        for (at, row) in rows.into_iter().enumerate() {
            self.text.push_str(if at == 0 { "(" } else { ", (" });
            for (at, param) in row.into_iter().enumerate() {
                if at > 0 {
                    self.text.push_str(", ");
                }
                self.bind(param);
            }
            self.text.push(')');
        }
        self
    }

    /// `(?, ?)`: a list for IN.
    pub fn list<P: Into<Param>>(&mut self, values: impl IntoIterator<Item = P>) -> &mut Sql {
        self.text.push('(');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        self.text.push(')');
        self
    }

    fn arguments(self) -> Result<(AssertSqlSafe<String>, SqliteArguments), StoreError> {
        let mut arguments = SqliteArguments::default();
        for param in self.params {
            let added = match param {
                Param::Int(n) => arguments.add(n),
                Param::Text(text) => arguments.add(text),
                Param::Blob(bytes) => arguments.add(bytes),
            };
            added.map_err(|error| StoreError::Broken(error.to_string()))?;
        }
        Ok((AssertSqlSafe(self.text), arguments))
    }
}

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
    path: PathBuf,
    /// Held for the life of the process: a second daemon on the same file must not start.
    _lock: Option<File>,
}

impl Database {
    /// Opens `sqlite://PATH`. With `exclusive` the process becomes the one that works on it.
    pub async fn open(url: &str, exclusive: bool) -> Result<Database, StoreError> {
        let path = PathBuf::from(path_of(url)?);
        let lock = if exclusive { Some(lock(&path)?) } else { None };
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
            .pragma("temp_store", "memory")
            .pragma("journal_size_limit", "67108864");
        let one = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
        // Pages in memory: 16 MiB to write, 2 MiB for each who reads.
        let writing = base.clone().pragma("cache_size", "-16384");
        let writer = one.connect_lazy_with(writing.create_if_missing(exclusive));
        let many = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None);
        let reading = base.pragma("cache_size", "-2048").pragma("query_only", "1");
        let readers = many.connect_lazy_with(reading);
        Ok(Database {
            writer,
            readers,
            path,
            _lock: lock,
        })
    }

    /// The connection that writes.
    pub async fn writer(&self) -> Result<Conn, StoreError> {
        self.writer.acquire().await.map(Conn::new).map_err(classify)
    }

    /// A connection that reads.
    pub async fn reader(&self) -> Result<Conn, StoreError> {
        self.readers.acquire().await.map(Conn::new).map_err(classify)
    }

    /// Bytes on the disk, the write-ahead log included.
    pub fn bytes(&self) -> u64 {
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |found| found.len());
        size(self.path.clone()) + size(beside(&self.path, "-wal"))
    }

    /// Closes all connections; the write-ahead log is written back.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Brings the tables to the newest version, in one transaction; tells how many steps that took.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let mut conn = self.writer().await?;
        conn.begin().await?;
        let done = migrate_all(&mut conn).await;
        match done {
            Ok(steps) => conn.commit().await.map(|()| steps),
            Err(error) => {
                conn.rollback().await?;
                Err(error)
            }
        }
    }
}

/// Every step, in order; never edited once released.
const MIGRATIONS: &[(i64, &str)] = &[(1, include_str!("../../migrations/sqlite/0001_initial.sql"))];

async fn migrate_all(conn: &mut Conn) -> Result<usize, StoreError> {
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
    Ok(steps)
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

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let path = beside(path, ".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        StoreError::Unusable(match (error.kind(), folder) {
            (std::io::ErrorKind::NotFound, Some(folder)) => {
                format!(
                    "the folder {} for the database is not there; make it first",
                    folder.display()
                )
            }
            _ => format!("cannot open {}: {error}", path.display()),
        })
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(std::fs::TryLockError::Error(error)) => {
            Err(StoreError::Unusable(format!("cannot lock {}: {error}", path.display())))
        }
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
                13 => StoreError::Full,
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
