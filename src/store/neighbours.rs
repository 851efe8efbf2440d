//! Who is in a property before and after a stay.

use std::collections::{BTreeSet, HashMap};

use crate::model::clock::Time;
use crate::model::id::StayId;
use crate::model::plan::Place;
use crate::model::reservation::Stay;

use super::dialect::{Conn, Param, Sql};
use super::{Store, StoreError, from_json};

/// The neighbours of a stay: the one that arrives before it and the one that arrives after it.
pub type Beside = (Option<Stay>, Option<Stay>);

/// The two stays beside a place and time, of which one may be the stay itself, which is left out. Those that arrive at the
/// same moment stand in the order of their ids.
const BESIDE: &str = "SELECT v.id, \
     (SELECT p.id FROM stays p WHERE p.taken = 1 AND p.property = v.property AND p.arrives_at <= v.arrives_at \
        AND (p.arrives_at < v.arrives_at OR p.id < v.id) AND p.id <> v.id \
        ORDER BY p.arrives_at DESC, p.id DESC LIMIT 1), \
     (SELECT n.id FROM stays n WHERE n.taken = 1 AND n.property = v.property AND n.arrives_at >= v.arrives_at \
        AND (n.arrives_at > v.arrives_at OR n.id > v.id) AND n.id <> v.id \
        ORDER BY n.arrives_at, n.id LIMIT 1) FROM v";

fn rows<'a>(places: impl Iterator<Item = (&'a StayId, &'a Place)>) -> Vec<[Param; 3]> {
    places
        .filter_map(|(stay, place)| {
            let (property, at) = (place.property.as_ref()?, place.arrives_at?);
            Some([stay.as_str().into(), property.into(), at.timestamp_millis().into()])
        })
        .collect()
}

async fn ids(
    conn: &mut Conn,
    rows: Vec<[Param; 3]>,
) -> Result<HashMap<String, (Option<String>, Option<String>)>, StoreError> {
    let mut found = HashMap::new();
    for chunk in rows.chunks(500) {
        let mut sql = Sql::new("WITH v (id, property, arrives_at) AS (VALUES ");
        sql.rows(chunk.iter().cloned()).push(") ").push(BESIDE);
        for row in conn.fetch(sql).await? {
            found.insert(row.text(0)?, (row.opt_text(1)?, row.opt_text(2)?));
        }
    }
    Ok(found)
}

impl Store {
    /// The neighbours of stays that are in these places. A stay of which no property or no arrival is known has none.
    pub async fn neighbours(&self, places: &[(StayId, Place)]) -> Result<HashMap<String, Beside>, StoreError> {
        let mut conn = self.reader().await?;
        let found = ids(&mut conn, rows(places.iter().map(|(stay, place)| (stay, place)))).await?;
        let all: BTreeSet<&String> = found.values().flat_map(|(a, b)| a.iter().chain(b)).collect();
        let all = all.into_iter().map(|id| [id.into()]).collect();
        let mut stays: HashMap<String, Stay> = HashMap::new();
        let sql = "SELECT id, state FROM stays WHERE id IN (VALUES ";
        for row in conn.over_rows(sql, all, ")").await? {
            let id = row.text(0)?;
            // One that cannot be read is no neighbour: it holds up nobody else.
            if let Some(stay) = readable(&id, &row.text(1)?) {
                stays.insert(id, stay);
            }
        }
        let stay = |id: Option<String>| id.and_then(|id| stays.get(&id).cloned());
        Ok(found
            .into_iter()
            .map(|(id, (before, after))| (id, (stay(before), stay(after))))
            .collect())
    }

    /// Stays whose arrival, departure or booking lies in a span, for lists; those that are gone among them. At most `limit`,
    /// the first in time first.
    pub async fn between(
        &self,
        moment: &'static str,
        from: Time,
        to: Time,
        limit: usize,
    ) -> Result<Vec<Stay>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT id, state FROM stays WHERE ");
        let column = if moment == "check_out" {
            "leaves_at"
        } else {
            "arrives_at"
        };
        sql.push(column).push(" >= ").bind(from.timestamp_millis());
        sql.push(" AND ").push(column).push(" < ").bind(to.timestamp_millis());
        sql.push(" ORDER BY ").push(column).push(", seq LIMIT ").bind(limit);
        let mut stays = Vec::new();
        for row in conn.fetch(sql).await? {
            stays.extend(readable(&row.text(0)?, &row.text(1)?));
        }
        Ok(stays)
    }
}

/// A stay, unless it cannot be read any more; that is said.
pub(super) fn readable(id: &str, state: &str) -> Option<Stay> {
    from_json(state)
        .inspect_err(
            |damage| tracing::error!(stay.id = id, error = %damage, "a stay cannot be read any more; it is left out"),
        )
        .ok()
}

/// Marks the neighbours of stays that have moved, where they were and where they are now, so that they are planned anew.
pub(super) async fn mark_neighbours(conn: &mut Conn, places: Vec<(&StayId, &Place)>) -> Result<(), StoreError> {
    let mut beside = BTreeSet::new();
    for row in rows(places.into_iter()) {
        // One by one: the same stay stands in here with two places.
        for (before, after) in ids(conn, vec![row]).await?.into_values() {
            beside.extend(before.into_iter().chain(after));
        }
    }
    let beside = beside.into_iter().map(|id| [id.into()]).collect();
    conn.over_rows("UPDATE stays SET replan = 1 WHERE id IN (VALUES ", beside, ")")
        .await?;
    Ok(())
}
