//! A stay without an own name that got one, or that turned out to be another stay.

use crate::model::decision::Decision;
use crate::store::StoreError;
use crate::store::dialect::{Conn, Sql};

/// Everything of stays that turned out to be another one moves over to that one, and they go. Rare: one statement per table
/// and pair.
pub async fn absorb(conn: &mut Conn, decisions: &[Decision]) -> Result<(), StoreError> {
    for fact in decisions.iter().flat_map(|decision| &decision.facts) {
        let Some(into) = &fact.stay else { continue };
        let stays = fact.absorbed.iter().chain(Some(&into.id).filter(|_| fact.claimed));
        for from in stays {
            let mut sql = Sql::new("DELETE FROM stay_references WHERE nameless = 1 AND source = ");
            sql.bind(into.source.as_str())
                .push(" AND stay_id = ")
                .bind(from.as_str());
            sql.push(" AND value IN ")
                .list(into.references.iter().map(String::as_str));
            conn.execute(sql).await?;
        }
        for from in &fact.absorbed {
            let mut sql = Sql::new("UPDATE deliveries SET detail = REPLACE(detail, ");
            sql.bind(from.as_str()).push(", ").bind(into.id.as_str());
            sql.push(") WHERE id IN (SELECT delivery_id FROM events WHERE stay_id = ")
                .bind(from.as_str());
            sql.push(" UNION SELECT delivery_id FROM told WHERE stay_id = ")
                .bind(from.as_str())
                .push(")");
            conn.execute(sql).await?;
            for table in [
                "UPDATE fact_keys SET stay_id = ",
                "UPDATE events SET stay_id = ",
                "UPDATE runs SET stay_id = ",
                "UPDATE run_changes SET stay_id = ",
            ] {
                let mut sql = Sql::new(table);
                sql.bind(into.id.as_str()).push(" WHERE stay_id = ").bind(from.as_str());
                conn.execute(sql).await?;
            }
            super::told::follow(conn, from.as_str(), into.id.as_str()).await?;
            let mut sql = Sql::new("DELETE FROM stays WHERE id = ");
            sql.bind(from.as_str());
            conn.execute(sql).await?;
        }
    }
    Ok(())
}
