//! Which rules are in force, and the stays that were planned under others.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::clock::{Time, from_ms};
use crate::model::plan::{InForce, Place, Plan, Planned};
use crate::model::reservation::Stay;

use super::dialect::{Conn, Param, Sql};
use super::planned::{planned_of, write_plans};
use super::{Store, StoreError, from_json};

/// Stays to be planned, each with its runs.
pub type Stays = Vec<(Stay, Vec<Planned>)>;

/// A stay as it is planned anew: where and when it is under these rules, and how its plan changes.
#[derive(Clone, Debug)]
pub struct Replanned {
    /// The stay.
    pub stay: Stay,
    /// Where and when it is; `None` where that could not be said.
    pub place: Option<Place>,
    /// How its plan changes.
    pub plan: Plan,
}

/// How far a search for stays that were planned under other rules has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Those that are still ahead, the nearest arrival and the nearest departure first: after these, each a time in
    /// milliseconds and a row.
    Ahead {
        /// Arrivals.
        arrives: (i64, i64),
        /// Departures.
        leaves: (i64, i64),
    },
    /// All others that may have something ahead, after this row.
    Rest(i64),
}

impl Search {
    /// From the beginning, for what arrives or leaves at `now` or later.
    pub fn from(now: Time) -> Search {
        let place = (now.timestamp_millis(), -1);
        Search::Ahead {
            arrives: place,
            leaves: place,
        }
    }

    /// Through all of them, in order of first appearance.
    pub fn all() -> Search {
        Search::Rest(-1)
    }
}

/// Stays that were planned under other rules.
#[derive(Clone, Debug, Default)]
pub struct Unplanned {
    /// Those that can be read.
    pub stays: Stays,
    /// The ids of those that cannot, so that they hold up nobody: they keep the plan they have.
    pub damaged: Vec<String>,
    /// Where to go on; `None` where there are none any more.
    pub next: Option<Search>,
}

impl Store {
    /// Puts rules in force, by their hash, unless they are already; as whatever was stored says.
    pub async fn put_in_force(&self, hash: String, now: Time) -> Result<InForce, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let now_ms = now.timestamp_millis();
                let mut sql = Sql::new("INSERT INTO rules (hash, loaded_at) VALUES (");
                sql.bind(hash.as_str()).push(", ").bind(now_ms);
                sql.push(") ON CONFLICT (hash) DO NOTHING");
                conn.execute(sql).await?;
                let mut sql = Sql::new("WITH n (id) AS (SELECT id FROM rules WHERE hash = ");
                sql.bind(hash).push(") UPDATE plan_state SET rules = n.id, since = ");
                sql.bind(now_ms).push(" FROM n WHERE plan_state.rules <> n.id");
                conn.execute(sql).await?;
                Ok(in_force(conn).await?.0)
            })
        })
        .await
    }

    /// The rules in force, with their hash; an empty one where none ever were.
    pub async fn in_force(&self) -> Result<(InForce, String), StoreError> {
        in_force(&mut self.reader().await?).await
    }

    /// Stays that were planned under other rules and may have something ahead: those that end at `since` or later or have
    /// changed since then (a booking and a status have clocks of their own), and those for which a run is scheduled. Each
    /// with its runs; `limit` at the most.
    pub async fn unplanned(
        &self,
        rules: i64,
        since: Time,
        search: Search,
        limit: usize,
    ) -> Result<Unplanned, StoreError> {
        let mut conn = self.reader().await?;
        let mut found = Unplanned::default();
        let mut stays = BTreeMap::new();
        match search {
            Search::Ahead {
                mut arrives,
                mut leaves,
            } => {
                for (column, after) in [("arrives_at", &mut arrives), ("leaves_at", &mut leaves)] {
                    for row in conn.fetch(ahead(rules, column, *after, limit.div_ceil(2))).await? {
                        *after = (row.int(4)?, row.int(0)?);
                        stays.insert(row.int(0)?, row);
                    }
                }
                found.next = Some(match stays.is_empty() {
                    true => Search::Rest(-1),
                    false => Search::Ahead { arrives, leaves },
                });
            }
            Search::Rest(after) => {
                for row in conn.fetch(rest(rules, since, after, limit)).await? {
                    stays.insert(row.int(0)?, row);
                }
                found.next = stays.last_key_value().map(|(seq, _)| Search::Rest(*seq));
            }
        }
        let mut readable = Vec::new();
        for row in stays.into_values() {
            match from_json::<Stay>(&row.text(1)?) {
                Ok(stay) => readable.push(Stay {
                    revision: row.int(2)?,
                    planned_under: row.int(5)?,
                    ..stay
                }),
                Err(damage) => {
                    let id = row.text(3)?;
                    tracing::error!(stay.id = id, error = %damage, "a stay cannot be read any more; it keeps the plan it has");
                    found.damaged.push(id);
                }
            }
        }
        found.stays = with_runs(&mut conn, readable).await?;
        Ok(found)
    }

    /// These stays with their runs.
    pub async fn with_runs(&self, stays: Vec<Stay>) -> Result<Stays, StoreError> {
        with_runs(&mut self.reader().await?, stays).await
    }

    /// Plans stays anew under these rules; one that has changed since it was read is left for the next look. `damaged`
    /// cannot be read and are not looked at again.
    pub async fn replan(
        &self,
        plans: Vec<Replanned>,
        damaged: Vec<String>,
        rules: i64,
        now: Time,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                let as_read = as_read(conn, &plans).await?;
                let plans: Vec<&Replanned> = plans.iter().filter(|one| as_read.contains(&one.stay.id.0)).collect();
                write_plans(conn, &plans.iter().map(|one| &one.plan).collect::<Vec<_>>(), now).await?;
                places(conn, &plans).await?;
                let ids = as_read.into_iter().chain(damaged);
                let rows = ids.map(|id| [id.into(), rules.into()]).collect();
                let sql = "WITH v (id, rules) AS (VALUES ";
                let update = ") UPDATE stays AS s SET planned = v.rules, replan = 0 FROM v WHERE s.id = v.id";
                conn.over_rows(sql, rows, update).await.map(|_| ())
            })
        })
        .await
    }
}

const UNPLANNED: &str = "SELECT s.seq, s.state, s.revision, s.id, ";

fn ahead(rules: i64, column: &'static str, (at, seq): (i64, i64), limit: usize) -> Sql {
    let mut sql = Sql::new(UNPLANNED);
    sql.push(column)
        .push(", s.planned FROM stays s WHERE s.planned <> ")
        .bind(rules);
    sql.push(" AND ").push(column).push(" >= ").bind(at);
    sql.push(" AND (").push(column).push(" > ").bind(at);
    sql.push(" OR s.seq > ").bind(seq).push(")");
    sql.push(" ORDER BY ").push(column).push(", s.seq LIMIT ").bind(limit);
    sql
}

fn rest(rules: i64, since: Time, after: i64, limit: usize) -> Sql {
    let since = since.timestamp_millis();
    let mut sql = Sql::new(UNPLANNED);
    sql.push("0, s.planned FROM stays s WHERE s.planned <> ").bind(rules);
    sql.push(" AND s.seq > ").bind(after);
    sql.push(" AND (s.leaves_at >= ")
        .bind(since)
        .push(" OR s.updated_at >= ")
        .bind(since);
    sql.push(
        " OR EXISTS (SELECT 1 FROM runs r WHERE r.stay_id = s.id AND r.entries IS NOT NULL AND r.state = 'scheduled'))",
    );
    sql.push(" ORDER BY s.seq LIMIT ").bind(limit);
    sql
}

async fn in_force(conn: &mut Conn) -> Result<(InForce, String), StoreError> {
    let sql =
        Sql::new("SELECT p.rules, p.since, COALESCE(r.hash, '') FROM plan_state p LEFT JOIN rules r ON r.id = p.rules");
    let rows = conn.fetch(sql).await?;
    let row = rows
        .first()
        .ok_or_else(|| StoreError::Broken("the row of plan_state is missing".to_owned()))?;
    let in_force = InForce {
        id: row.int(0)?,
        since: from_ms(row.int(1)?),
    };
    Ok((in_force, row.text(2)?))
}

pub(super) async fn with_runs(conn: &mut Conn, stays: Vec<Stay>) -> Result<Stays, StoreError> {
    let mut runs: BTreeMap<String, Vec<Planned>> = planned_of(conn, stays.iter().map(|stay| stay.id.as_str())).await?;
    Ok(stays
        .into_iter()
        .map(|stay| {
            let runs = runs.remove(stay.id.as_str()).unwrap_or_default();
            (stay, runs)
        })
        .collect())
}

/// Which of these stays, each with its revision, are as they were read: by their ids, not by looking at every stay.
const AS_READ: (&str, &str) = (
    "WITH v (id, revision) AS (VALUES ",
    ") SELECT s.id FROM v JOIN stays s ON s.id = v.id AND s.revision = v.revision",
);

/// The stays that were not written since they were read.
async fn as_read(conn: &mut Conn, plans: &[Replanned]) -> Result<BTreeSet<String>, StoreError> {
    let stays = plans
        .iter()
        .map(|one| [one.stay.id.as_str().into(), one.stay.revision.into()]);
    let rows = conn.over_rows(AS_READ.0, stays.collect(), AS_READ.1).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Writes where and when stays are: the configuration may say so in another way than before.
async fn places(conn: &mut Conn, plans: &[&Replanned]) -> Result<(), StoreError> {
    let at = |time: Option<Time>| Param::from(time.map(|at| at.timestamp_millis()));
    let rows: Vec<[Param; 5]> = plans
        .iter()
        .filter_map(|one| Some((&one.stay, one.place.as_ref()?)))
        .map(|(stay, place)| {
            [
                stay.id.as_str().into(),
                place.property.clone().into(),
                at(place.arrives_at),
                at(place.leaves_at),
                place.taken.into(),
            ]
        })
        .collect();
    let sql = "WITH v (id, property, arrives_at, leaves_at, taken) AS (VALUES ";
    let update = ") UPDATE stays AS s SET property = v.property, arrives_at = v.arrives_at, leaves_at = v.leaves_at, \
         taken = v.taken FROM v WHERE s.id = v.id AND (s.property IS DISTINCT FROM v.property OR s.arrives_at IS DISTINCT FROM v.arrives_at \
         OR s.leaves_at IS DISTINCT FROM v.leaves_at OR s.taken <> v.taken)";
    conn.over_rows(sql, rows, update).await?;
    Ok(())
}
