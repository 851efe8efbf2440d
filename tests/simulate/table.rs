//! The table of runs as it is in the file, read past the store: what is planned, by generations.

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

/// What is planned, and under which generation.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What counts: without the generation that is being made, with what the active one has still to write.
    pub rows: Vec<Row>,
    pub active: i64,
    pub made_from: String,
    /// Rows that belong to a generation that nobody is making.
    pub left_over: Vec<String>,
    /// Everything that nobody sees yet.
    pub hidden: Vec<String>,
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
        let plan = sqlx::query("SELECT active, building, finishing, made_from FROM plan_state")
            .fetch_one(&mut *reading)
            .await
            .unwrap();
        let building: Option<i64> = plan.get(1);
        let mut table = Table {
            active: plan.get(0),
            made_from: plan.get(3),
            ..Table::default()
        };
        let finishing = plan.get::<i64, _>(2) == 1;
        let rows = sqlx::query(
            "SELECT id, recipe, stay_id, entries, state, due_at, planned_at, attempts, reason, plan, next_plan, next_state, \
             next_due, next_entries, next_reason FROM runs WHERE entries IS NOT NULL AND (updated_at >= ? OR created_at >= ? OR state IN ('scheduled', 'ready', 'running', 'retrying')) \
             ORDER BY seq",
        )
        .bind(since.map_or(i64::MIN, |since| since.timestamp_millis()))
        .bind(since.map_or(i64::MIN, |since| since.timestamp_millis()))
        .fetch_all(&mut *reading)
        .await
        .unwrap();
        for row in rows {
            let at = |n: usize| from_ms(row.get::<i64, _>(n));
            let split = |text: String| text.split('\n').map(str::to_owned).collect();
            let mut one = Row {
                id: row.get(0),
                recipe: row.get(1),
                stay: row.get(2),
                entries: split(row.get(3)),
                state: row.get(4),
                due: at(5),
                planned: at(6),
                attempts: row.get(7),
                reason: row.get(8),
            };
            let (generation, next): (i64, Option<i64>) = (row.get(9), row.get(10));
            if generation > table.active {
                if building != Some(generation) {
                    table.left_over.push(one.id.clone());
                }
                table.hidden.push(one.id);
                continue;
            }
            match next {
                Some(next) if next == table.active && finishing && (one.attempts > 0 || one.goes()) => {}
                Some(next) if next == table.active && finishing => {
                    one.state = row.get(11);
                    (one.due, one.planned) = (at(12), at(12));
                    one.entries = split(row.get(13));
                    one.reason = row.get(14);
                }
                Some(next) if building != Some(next) => table.left_over.push(one.id.clone()),
                _ => {}
            }
            table.rows.push(one);
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
