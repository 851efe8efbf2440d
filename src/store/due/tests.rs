//! What comes due costs what is due, not what is planned.

use crate::store::replan::NEXT_DUE;

use super::*;

async fn plan(store: &Store, sql: &str) -> Vec<String> {
    let mut conn = store.reader().await.unwrap();
    // `Sql` takes texts that live for ever; a test can afford to leak a few.
    let rows = conn.fetch(Sql::new(format!("EXPLAIN QUERY PLAN {sql}").leak())).await;
    rows.unwrap().iter().map(|row| row.text(3).unwrap()).collect()
}

#[tokio::test]
async fn no_planned_run_is_looked_at_before_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let (store, _writer) = Store::open(&url).await.unwrap();
    let due = format!("{DUE} 1{IN_ORDER} 10");
    for (sql, index) in [(due.as_str(), "runs_scheduled"), (NEXT_DUE, "runs_scheduled")] {
        let steps = plan(&store, sql).await;
        let of_runs: Vec<&String> = steps
            .iter()
            .filter(|step| !step.contains("plan_state") && !step.contains("SUBQUERY"))
            .collect();
        assert!(
            matches!(of_runs.as_slice(), [only] if only.contains(index) && only.contains("due_at<") != sql.eq(NEXT_DUE)),
            "{sql}\n{steps:#?}"
        );
        assert!(
            !steps.iter().any(|step| step.contains("TEMP B-TREE")),
            "{sql}\n{steps:#?}"
        );
    }
}

#[tokio::test]
async fn of_what_is_ready_only_what_one_connection_takes_is_looked_at() {
    use crate::store::outbox::{LONGEST_DUE, OF_LANE, RUN_COLUMNS, UNHINDERED};
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let (store, _writer) = Store::open(&url).await.unwrap();
    let sql = format!("SELECT {RUN_COLUMNS}{OF_LANE}'x' AND r.due_at <= 1 AND {UNHINDERED}{LONGEST_DUE} 10");
    let steps = plan(&store, &sql).await;
    assert!(steps[0].contains("runs_due (lane=? AND due_at<?)"), "{steps:#?}");
    let inner: Vec<&String> = steps[1..].iter().filter(|step| step.contains(" p ")).collect();
    assert!(inner.iter().all(|step| step.contains("(stay_id=?")), "{steps:#?}");
    assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:#?}");
}
