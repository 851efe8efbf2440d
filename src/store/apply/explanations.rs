//! What was explained of an event before.

use std::collections::HashMap;

use crate::model::decision::{Decision, Explanation};
use crate::store::dialect::Conn;
use crate::store::{StoreError, from_json};

/// What is kept of the explanations of events that meet one recipe once more.
pub async fn earlier_explanations(
    conn: &mut Conn,
    decisions: &[Decision],
) -> Result<HashMap<String, Vec<Explanation>>, StoreError> {
    let one_recipe = |decision: &&Decision| decision.replay.as_ref().is_some_and(|replay| replay.recipe.is_some());
    let events: Vec<_> = decisions
        .iter()
        .filter(one_recipe)
        .flat_map(|decision| &decision.facts)
        .filter_map(|fact| fact.event.as_ref().map(|event| [event.id.as_str().into()]))
        .collect();
    let mut earlier = HashMap::new();
    let sql = "SELECT id, explanation FROM events WHERE id IN (VALUES ";
    for row in conn.over_rows(sql, events, ")").await? {
        earlier.insert(row.text(0)?, from_json(&row.text(1)?)?);
    }
    Ok(earlier)
}
