//! A page of what is ahead costs what the page holds, however much is planned.

use super::*;

async fn steps(store: &Store, which: Part, ahead: &Ahead) -> Vec<String> {
    // `Sql` takes texts that live for ever; a test can afford to leak a few.
    let explain = Sql::new(format!("EXPLAIN QUERY PLAN {RUN}").leak());
    let mut conn = store.reader().await.unwrap();
    let rows = conn.fetch(narrowed(explain, which, ahead, 51)).await.unwrap();
    rows.iter().map(|row| row.text(3).unwrap()).collect()
}

#[tokio::test]
async fn no_page_looks_at_all_runs() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
    let (store, _writer) = Store::open(&url).await.unwrap();
    let whole = Ahead::default();
    let some = |change: fn(&mut Ahead)| {
        let mut ahead = Ahead::default();
        change(&mut ahead);
        ahead
    };
    let later = some(|ahead| ahead.after = Some((5, 7)));
    let week = some(|ahead| ahead.before = Some(from_ms(9)));
    let recipe = some(|ahead| ahead.recipe = Some("Door".to_owned()));
    let stay = some(|ahead| ahead.code = Some("A".to_owned()));
    for (which, ahead, index, sorted) in [
        (Part::Scheduled, &whole, "USING INDEX runs_scheduled", false),
        (Part::Scheduled, &later, "USING INDEX runs_scheduled (due_at>?)", false),
        (Part::Scheduled, &week, "USING INDEX runs_scheduled (due_at<?)", false),
        (Part::Scheduled, &recipe, "USING INDEX runs_recipe (recipe=?)", false),
        (Part::Scheduled, &stay, "(stay_id=?", true),
        (Part::Waiting, &whole, "USING INDEX runs_due", true),
        (Part::Waiting, &later, "USING INDEX runs_due", true),
        (Part::Waiting, &stay, "(stay_id=?", true),
    ] {
        let steps = steps(&store, which, ahead).await;
        let runs: Vec<&String> = steps
            .iter()
            .filter(|step| step.contains(" runs"))
            .filter(|step| step.starts_with("SCAN ") || step.starts_with("SEARCH "))
            .collect();
        assert!(
            matches!(runs[..], [one] if one.contains(index)),
            "{which:?} {ahead:?}\n{steps:#?}"
        );
        // In the order of the index: the first page reads no more than it shows.
        let sorts = steps.iter().any(|step| step.contains("TEMP B-TREE"));
        assert_eq!(sorts, sorted, "{which:?} {ahead:?}\n{steps:#?}");
    }
}
