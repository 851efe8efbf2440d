//! Two stays that turned out to be one.

use crate::model::clock::Time;
use crate::model::decision::Decision;
use crate::store::StoreError;
use crate::store::dialect::{Conn, Sql};

/// Everything of a stay that turned out to be another one follows to that one. Rare: one statement per table and pair.
pub async fn merges(conn: &mut Conn, decisions: &[Decision], now: Time) -> Result<(), StoreError> {
    for fact in decisions.iter().flat_map(|decision| &decision.facts) {
        let Some(into) = &fact.stay else { continue };
        for from in &fact.merged {
            let mut sql =
                Sql::new("UPDATE runs SET state = 'cancelled', ended_by = 'plan', reason = 'merged', updated_at = ");
            sql.bind(now.timestamp_millis())
                .push(" WHERE state = 'scheduled' AND stay_id = ")
                .bind(from.as_str());
            conn.execute(sql).await?;
            for table in [
                "UPDATE identities SET stay_id = ",
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
            let mut sql = Sql::new("UPDATE stays SET merged_into = ");
            sql.bind(into.id.as_str()).push(" WHERE id = ").bind(from.as_str());
            conn.execute(sql).await?;
        }
    }
    Ok(())
}
