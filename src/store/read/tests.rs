//! Counting costs what waits, not what has been.

use super::*;

async fn plan(store: &Store, sql: &'static str) -> Vec<String> {
    let mut conn = store.reader().await.unwrap();
    let rows = conn.fetch(Sql::new(sql)).await.unwrap();
    rows.iter().map(|row| row.text(3).unwrap()).collect()
}

#[tokio::test]
async fn nothing_is_counted_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let (store, _writer) = Store::open(&url).await.unwrap();
    let plans = [
        (concat_plan(UNDECIDED), vec!["deliveries_open"]),
        (concat_plan(UNDECIDED_OLDEST), vec!["deliveries_open"]),
        (
            concat_plan(RUNS),
            vec![
                "runs_scheduled",
                "runs_leased",
                "COVERING INDEX runs_due",
                "COVERING INDEX runs_dead",
            ],
        ),
        (concat_plan(&format!("{DUE} 1")), vec!["COVERING INDEX runs_due"]),
        (
            concat_plan(LAST_DELIVERIES),
            vec![
                "COVERING INDEX sqlite_autoindex_deliveries_2",
                "USING INTEGER PRIMARY KEY",
            ],
        ),
    ];
    for (sql, wanted) in plans {
        let steps = plan(&store, sql).await;
        let reads: Vec<&String> = steps
            .iter()
            // `m` is what the subquery has found: one row a source.
            .filter(|step| (step.starts_with("SCAN ") || step.starts_with("SEARCH ")) && *step != "SCAN m")
            .collect();
        assert_eq!(reads.len(), wanted.len(), "{sql}\n{steps:#?}");
        for (read, index) in reads.iter().zip(&wanted) {
            assert!(read.contains(index), "{index} in {sql}\n{steps:#?}");
        }
    }
}

#[tokio::test]
async fn the_deliveries_of_a_code_are_found_and_not_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let (store, _writer) = Store::open(&url).await.unwrap();
    let mut sql = Sql::new("EXPLAIN QUERY PLAN ");
    sql.push(DELIVERY).push(" WHERE TRUE");
    of_code(&mut sql, "HM1");
    sql.push(" ORDER BY seq DESC LIMIT 51");
    let rows = store.reader().await.unwrap().fetch(sql).await.unwrap();
    let steps: Vec<String> = rows.iter().map(|row| row.text(3).unwrap()).collect();
    let has = |words: &str| steps.iter().any(|step| step.contains(words));
    for index in [
        "SEARCH deliveries USING INDEX",
        "SEARCH events USING INDEX events_stay",
        "SEARCH told USING PRIMARY KEY",
        "SEARCH identities USING PRIMARY KEY (value=?)",
        "SEARCH stay_references USING PRIMARY KEY (value=?)",
    ] {
        assert!(has(index), "{index}: {steps:#?}");
    }
    assert!(!has("SCAN "), "{steps:#?}");
}

/// `Sql` takes texts that live for ever; a test can afford to leak a few.
fn concat_plan(sql: &str) -> &'static str {
    format!("EXPLAIN QUERY PLAN {sql}").leak()
}
