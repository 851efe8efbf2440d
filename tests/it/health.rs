//! Signs of life, and recovery from a store that does not answer.

use chrono::TimeDelta;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::support::{Plan, fixture};

#[tokio::test]
async fn a_locked_store_is_a_stall_and_ends_by_itself() {
    let house = Plan::default()
        .source("hospitable", "{preset: hospitable-v1, token: open-7f2c9d1e}")
        .build()
        .await;
    assert_eq!(house.engine.stalled(), None);
    let mut other = SqliteConnection::connect(&house.database()).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    house.advance(TimeDelta::minutes(2));
    assert!(house.engine.stalled().is_some());
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    // What comes in once it is free again is stored and decided, without anybody's help.
    house.tell("hospitable", &fixture("hospitable-v1/01-create.json")).await;
    let mut commits = house.engine.store.commits();
    while house.engine.stalled().is_some() {
        house.advance(TimeDelta::seconds(6));
        commits.changed().await.unwrap();
    }
    assert_eq!(house.event_types().await, ["created"]);
}
