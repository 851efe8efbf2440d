//! Receipts: one INSERT per group, and the unique key of the database decides what is a duplicate.

use std::collections::{HashMap, HashSet};

use crate::model::clock::from_ms;
use crate::model::delivery::{Arrival, Receipt};
use crate::model::id::DeliveryId;

use super::StoreError;
use super::dialect::{Conn, Param, Sql};

/// The sources that have ever sent a delivery with a weak key. Only theirs are stored with the stay they name: whether a
/// weak key still counts depends on what came after it for the same stay, and most sources never send one.
#[derive(Debug, Default)]
pub struct Scoped(Option<HashSet<String>>);

impl Scoped {
    /// Takes note of a group before it is stored.
    pub async fn note(&mut self, conn: &mut Conn, arrivals: &[Arrival]) -> Result<(), StoreError> {
        if arrivals.is_empty() {
            return Ok(());
        }
        let known = match &mut self.0 {
            Some(known) => known,
            None => {
                let rows = conn.fetch(Sql::new(
                    "SELECT DISTINCT source FROM deliveries WHERE weak_ms IS NOT NULL",
                ));
                let rows = rows.await?;
                let read: Result<HashSet<String>, StoreError> = rows.iter().map(|row| row.text(0)).collect();
                self.0.insert(read?)
            }
        };
        for arrival in arrivals.iter().filter(|arrival| arrival.receipt.weak.is_some()) {
            if !known.contains(&arrival.source) {
                known.insert(arrival.source.clone());
            }
        }
        Ok(())
    }

    fn has(&self, source: &str) -> bool {
        self.0.as_ref().is_none_or(|known| known.contains(source))
    }
}

/// Stores a group of deliveries; the answers are in the same order.
pub async fn insert(conn: &mut Conn, arrivals: &[Arrival], scoped: &Scoped) -> Result<Vec<Receipt>, StoreError> {
    let mut receipts = Vec::with_capacity(arrivals.len());
    let mut rest = arrivals;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(run(rest));
        match insert_new(conn, now, scoped).await? {
            Some(all) => receipts.extend(all),
            None => receipts.extend(sort_out(conn, now, scoped).await?),
        }
        rest = later;
    }
    Ok(receipts)
}

/// Whether a group can be stored by one statement.
pub fn is_one_run(arrivals: &[Arrival]) -> bool {
    !arrivals.is_empty() && run(arrivals) == arrivals.len()
}

/// How many of these, from the first, may stand in one statement; at least one. Whether a weak key still counts depends
/// on what came before it for the same stay, and on nothing that came after: it stands alone for its stay.
fn run(arrivals: &[Arrival]) -> usize {
    let mut scopes = HashMap::new();
    let fitting = arrivals.iter().take_while(|arrival| {
        let Some(scope) = arrival.receipt.scope else {
            return true;
        };
        let weak = arrival.receipt.weak.is_some();
        match scopes.insert((arrival.source.as_str(), scope), weak) {
            None => true,
            Some(before) => !before && !weak,
        }
    });
    fitting.count().max(1)
}

/// Stores those that had not come before, in one statement; their receipts where that was all of them, as nearly always.
/// Else [`sort_out`] says which is which. To be called only where [`is_one_run`] holds.
pub async fn insert_new(
    conn: &mut Conn,
    arrivals: &[Arrival],
    scoped: &Scoped,
) -> Result<Option<Vec<Receipt>>, StoreError> {
    let mut sql = Sql::new(
        "INSERT INTO deliveries (id, source, receipt_key, weak_ms, scope, received_at, last_seen_at, headers, body) VALUES ",
    );
    sql.rows(arrivals.iter().map(|arrival| row(arrival, scoped)));
    sql.push(" ON CONFLICT (source, receipt_key) DO NOTHING");
    let all = conn.execute(sql).await? == arrivals.len() as u64;
    Ok(all.then(|| arrivals.iter().map(receipt).collect()))
}

fn receipt(arrival: &Arrival) -> Receipt {
    Receipt {
        delivery: arrival.id.clone(),
        duplicate: false,
    }
}

/// The receipts of a group of which some had come before, and the others are stored.
pub async fn sort_out(conn: &mut Conn, arrivals: &[Arrival], scoped: &Scoped) -> Result<Vec<Receipt>, StoreError> {
    let mut sql = Sql::new("SELECT id FROM deliveries WHERE id IN ");
    sql.list(arrivals.iter().map(|arrival| arrival.id.as_str()));
    let mut new = HashSet::new();
    for row in conn.fetch(sql).await? {
        new.insert(row.text(0)?);
    }
    let mut first = HashMap::new();
    if new.len() < arrivals.len() {
        first = known(
            conn,
            arrivals.iter().filter(|arrival| !new.contains(arrival.id.as_str())),
        )
        .await?;
    }
    let mut receipts = Vec::with_capacity(arrivals.len());
    for arrival in arrivals {
        if new.contains(arrival.id.as_str()) {
            receipts.push(receipt(arrival));
            continue;
        }
        let key = (arrival.source.clone(), arrival.receipt.key.to_vec());
        let Some(stored) = first.get_mut(&key) else {
            return Err(StoreError::Broken("a duplicate without its first delivery".to_owned()));
        };
        if counts(conn, arrival, stored).await? {
            let mut sql = Sql::new("UPDATE deliveries SET duplicates = duplicates + 1, last_seen_at = ");
            sql.bind(arrival.received_at.timestamp_millis())
                .push(" WHERE seq = ")
                .bind(stored.seq);
            conn.execute(sql).await?;
            receipts.push(Receipt {
                delivery: DeliveryId(stored.id.clone()),
                duplicate: true,
            });
        } else {
            // The same body is news again: the old row gives its key up, the fold decides.
            let mut sql = Sql::new("UPDATE deliveries SET receipt_key = NULL WHERE seq = ");
            sql.bind(stored.seq);
            conn.execute(sql).await?;
            let mut sql = Sql::new(
                "INSERT INTO deliveries (id, source, receipt_key, weak_ms, scope, received_at, last_seen_at, headers, body) VALUES ",
            );
            sql.rows([row(arrival, scoped)]).push(" RETURNING seq");
            let seq = conn.fetch(sql).await?.first().map_or(Ok(0), |row| row.int(0))?;
            let at_ms = arrival.received_at.timestamp_millis();
            *stored = First {
                seq,
                id: arrival.id.0.clone(),
                weak_ms: stored.weak_ms,
                received_at: at_ms,
            };
            receipts.push(Receipt {
                delivery: arrival.id.clone(),
                duplicate: false,
            });
        }
    }
    Ok(receipts)
}

struct First {
    seq: i64,
    id: String,
    weak_ms: Option<i64>,
    received_at: i64,
}

fn row(arrival: &Arrival, scoped: &Scoped) -> [Param; 9] {
    let weak = arrival.receipt.weak.as_ref();
    let at_ms = arrival.received_at.timestamp_millis();
    [
        arrival.id.as_str().into(),
        arrival.source.as_str().into(),
        arrival.receipt.key.to_vec().into(),
        weak.map(|weak| weak.window_ms).into(),
        arrival
            .receipt
            .scope
            .filter(|_| scoped.has(&arrival.source))
            .map(|scope| scope.to_vec())
            .into(),
        at_ms.into(),
        at_ms.into(),
        arrival.headers.as_str().into(),
        arrival.body.clone().into(),
    ]
}

async fn known(
    conn: &mut Conn,
    arrivals: impl Iterator<Item = &Arrival>,
) -> Result<HashMap<(String, Vec<u8>), First>, StoreError> {
    let mut sql = Sql::new(
        "SELECT source, receipt_key, seq, id, weak_ms, received_at FROM deliveries WHERE (source, receipt_key) IN (VALUES ",
    );
    sql.rows(arrivals.map(|arrival| [arrival.source.as_str().into(), arrival.receipt.key.to_vec().into()]));
    sql.push(")");
    let mut found = HashMap::new();
    for row in conn.fetch(sql).await? {
        let first = First {
            seq: row.int(2)?,
            id: row.text(3)?,
            weak_ms: row.opt_int(4)?,
            received_at: row.int(5)?,
        };
        found.insert((row.text(0)?, row.opt_blob(1)?.unwrap_or_default()), first);
    }
    Ok(found)
}

/// Whether the stored delivery still makes this one a duplicate: a strong key always, a weak one for its window and only
/// while nothing else came for the same stay.
async fn counts(conn: &mut Conn, arrival: &Arrival, first: &First) -> Result<bool, StoreError> {
    let (Some(window_ms), Some(_)) = (first.weak_ms, &arrival.receipt.weak) else {
        return Ok(true);
    };
    if (arrival.received_at - from_ms(first.received_at)).num_milliseconds() > window_ms {
        return Ok(false);
    }
    let Some(scope) = arrival.receipt.scope else {
        return Ok(true);
    };
    let mut sql = Sql::new("SELECT 1 FROM deliveries WHERE source = ");
    sql.bind(arrival.source.as_str())
        .push(" AND scope = ")
        .bind(scope.to_vec())
        .push(" AND seq > ")
        .bind(first.seq);
    sql.push(" LIMIT 1");
    Ok(conn.fetch(sql).await?.is_empty())
}
