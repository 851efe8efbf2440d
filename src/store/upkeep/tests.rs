//! A log that somebody holds open, and damage.

use std::io::{Seek as _, SeekFrom, Write as _};

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _};

use super::*;

async fn open(folder: &tempfile::TempDir) -> (Store, tokio::task::JoinSet<()>) {
    let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let (store, writer) = Store::open(&url).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    let own = store.clone();
    tasks.spawn(async move { Store::run_writer(writer, &own).await });
    (store, tasks)
}

async fn write(store: &Store, megabytes: i64) {
    for _ in 0..megabytes {
        let sql = Sql::new("UPDATE fence SET filler = randomblob(1048576)");
        let one = store.write(|conn| Box::pin(async move { conn.execute(sql).await }));
        one.await.unwrap();
    }
}

#[tokio::test]
async fn a_log_that_a_reader_holds_open_is_told_and_cut_once_it_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _tasks) = open(&folder).await;
    let path = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let mut reader = SqliteConnection::connect(&path).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT epoch FROM fence")
        .execute(&mut reader)
        .await
        .unwrap();
    write(&store, 40).await;
    store.look().await.unwrap();
    assert!(store.room().wal > WAL_LARGE, "{:?}", store.room());
    assert_eq!(store.health().warnings(), [""; 0]);
    write(&store, 30).await;
    store.look().await.unwrap();
    assert!(store.room().wal > WAL_HUGE);
    assert!(store.health().warnings()[0].contains("write-ahead log is larger than 64 MiB"));
    assert_eq!(store.health().writable(), Ok(()));
    sqlx::raw_sql("COMMIT").execute(&mut reader).await.unwrap();
    store.look().await.unwrap();
    assert_eq!(store.room().wal, 0);
    assert_eq!(store.health().warnings(), [""; 0]);
    assert_eq!(store.health().not_gone(), Ok(()));
}

#[tokio::test]
async fn damage_in_an_index_is_told_at_the_start_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (store, tasks) = open(&folder).await;
    store.check().await;
    assert_eq!(store.health().warnings(), [""; 0]);
    let fill = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO events (id, delivery_id, stay_id, source, types, at, explanation) \
                SELECT 'e_' || i, 'd_' || i, 's_' || i, 'lab', '', 0, '[]' FROM n";
    let filled = store.write(move |conn| Box::pin(async move { conn.execute(Sql::new(fill)).await }));
    assert_eq!(filled.await.unwrap(), 2000);
    store.close().await;
    drop((store, tasks));
    let path = folder.path().join("stayhook.db");
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    let leaf = "SELECT pageno FROM dbstat WHERE name = 'events_stay' AND pagetype = 'leaf' LIMIT 1 OFFSET 2";
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'events_stay'";
    let page: i64 = match sqlx::query(leaf).fetch_one(&mut conn).await {
        Ok(row) => row.get(0),
        // Without that table: the page behind the root belongs to the same index, or to its table.
        Err(_) => sqlx::query(root).fetch_one(&mut conn).await.unwrap().get(0),
    };
    conn.close().await.unwrap();
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    let at = u64::try_from(page).unwrap() * 4096 - 400;
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[0x5a; 300]).unwrap();
    drop(file);
    let (store, _tasks) = open(&folder).await;
    store.check().await;
    let warnings = store.health().warnings();
    assert!(
        warnings[0].contains("the database is damaged (events: "),
        "{warnings:?}"
    );
    assert_eq!(store.health().writable(), Ok(()));
}
