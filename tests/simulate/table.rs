//! The table of runs as it is in the file, read past the store: what is planned, and under which rules.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row as _, SqliteConnection};
use stayhook::model::clock::{Time, from_ms};

/// A run of the clock, as it counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: String,
    pub recipe: String,
    pub stay: Option<String>,
    pub entries: Vec<String>,
    pub state: String,
    pub due: Time,
    pub planned: Time,
    pub attempts: i64,
    pub reason: String,
}

impl Row {
    /// Whether somebody began with it, or it ended as only what went can end.
    pub fn fired(&self) -> bool {
        let went = ["running", "retrying", "parked", "succeeded", "dead"];
        self.attempts > 0 || went.contains(&self.state.as_str())
    }

    pub fn settles(&self) -> bool {
        self.entries == ["settle"]
    }

    pub fn is(&self, state: &str) -> bool {
        self.state == state
    }

    /// Whether it is taken on: past waiting, and neither called off nor passed over.
    pub fn goes(&self) -> bool {
        !["scheduled", "skipped", "cancelled"].contains(&self.state.as_str())
    }
}

/// What is planned, and under which rules.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub rows: Vec<Row>,
    /// The hash of the rules that each stay was planned under, by its id.
    pub under: BTreeMap<String, String>,
    /// Since when the rules in force are, milliseconds since 1970.
    pub since_ms: i64,
}

/// A connection of the test's own.
#[derive(Debug)]
pub struct Reader(Option<SqliteConnection>);

impl Reader {
    pub async fn open(folder: &Path) -> Reader {
        let options = SqliteConnectOptions::new().filename(folder.join("stayhook.db"));
        Reader(Some(options.connect().await.unwrap()))
    }

    /// The table now; of what was made before `since` only what is still open or has changed since.
    pub async fn table(&mut self, since: Option<Time>) -> Table {
        let mut reading = self.open_file().begin().await.unwrap();
        let under = sqlx::query("SELECT s.id, COALESCE(r.hash, '') FROM stays s LEFT JOIN rules r ON r.id = s.planned")
            .fetch_all(&mut *reading)
            .await
            .unwrap();
        let in_force = sqlx::query("SELECT since FROM plan_state").fetch_one(&mut *reading);
        let mut table = Table {
            since_ms: in_force.await.unwrap().get(0),
            under: under.iter().map(|row| (row.get(0), row.get(1))).collect(),
            ..Table::default()
        };
        let rows = sqlx::query(
            "SELECT id, recipe, stay_id, entries, state, due_at, planned_at, attempts, reason FROM runs WHERE entries IS NOT NULL \
             AND (updated_at >= ? OR created_at >= ? OR state IN ('scheduled', 'ready', 'running', 'retrying')) ORDER BY seq",
        )
        .bind(since.map_or(i64::MIN, |since| since.timestamp_millis()))
        .bind(since.map_or(i64::MIN, |since| since.timestamp_millis()))
        .fetch_all(&mut *reading)
        .await
        .unwrap();
        for row in rows {
            let at = |n: usize| from_ms(row.get::<i64, _>(n));
            let entries: String = row.get(3);
            table.rows.push(Row {
                id: row.get(0),
                recipe: row.get(1),
                stay: row.get(2),
                entries: entries.split('\n').map(str::to_owned).collect(),
                state: row.get(4),
                due: at(5),
                planned: at(6),
                attempts: row.get(7),
                reason: row.get(8),
            });
        }
        reading.commit().await.unwrap();
        table
    }

    /// The ids of the stays, by source and code.
    pub async fn stays(&mut self) -> Vec<(String, String, String)> {
        let rows = sqlx::query("SELECT s.id, s.source, i.value FROM stays s JOIN identities i ON i.stay_id = s.id");
        let rows = rows.fetch_all(self.open_file()).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    /// The request of a run's first step.
    pub async fn request(&mut self, run: &str) -> Option<String> {
        let found = sqlx::query("SELECT request FROM steps WHERE run_id = ? AND position = 0").bind(run);
        let found = found.fetch_optional(self.open_file()).await.unwrap();
        found.and_then(|row| row.get(0))
    }

    /// Something that must not be done; how many rows it changed.
    pub async fn spoil(&mut self, sql: &'static str) -> u64 {
        sqlx::query(sql)
            .execute(self.open_file())
            .await
            .unwrap()
            .rows_affected()
    }

    fn open_file(&mut self) -> &mut SqliteConnection {
        self.0.as_mut().unwrap()
    }

    /// The file is looked at no more.
    pub async fn let_go(&mut self) {
        if let Some(open) = self.0.take() {
            open.close().await.unwrap();
        }
    }
}
