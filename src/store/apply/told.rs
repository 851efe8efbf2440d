//! Deliveries that spoke of a stay and made no event of it. Those that made one are found by the event.

use std::collections::BTreeSet;

use crate::model::decision::Decision;
use crate::store::StoreError;
use crate::store::dialect::{Conn, Param, Sql};

use super::stay_of;

/// Notes which stays these deliveries spoke of in vain.
pub async fn told(conn: &mut Conn, decisions: &[Decision]) -> Result<(), StoreError> {
    let mut pairs: BTreeSet<(&str, &str)> = BTreeSet::new();
    for decision in decisions {
        let silent = decision.facts.iter().filter(|fact| fact.event.is_none());
        pairs.extend(silent.filter_map(|fact| Some((stay_of(fact)?, decision.delivery.as_str()))));
    }
    let rows: Vec<[Param; 2]> = pairs
        .into_iter()
        .map(|(stay, delivery)| [stay.into(), delivery.into()])
        .collect();
    let sql = "INSERT INTO told (stay_id, delivery_id) VALUES ";
    conn.over_rows(sql, rows, " ON CONFLICT (stay_id, delivery_id) DO NOTHING")
        .await?;
    Ok(())
}

/// What was said of a stay that turned out to be another one was said of that one.
pub async fn follow(conn: &mut Conn, from: &str, into: &str) -> Result<(), StoreError> {
    let mut sql = Sql::new("INSERT INTO told (stay_id, delivery_id) SELECT ");
    sql.bind(into)
        .push(", delivery_id FROM told WHERE stay_id = ")
        .bind(from)
        .push(" ON CONFLICT (stay_id, delivery_id) DO NOTHING");
    conn.execute(sql).await?;
    let mut sql = Sql::new("DELETE FROM told WHERE stay_id = ");
    sql.bind(from);
    conn.execute(sql).await?;
    Ok(())
}
