//! What is known before deciding: waiting deliveries, the stays that names mean, contents under fact keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::clock::from_ms;
use crate::model::delivery::{Outcome, Pending};
use crate::model::event::{About, Event};
use crate::model::id::{DeliveryId, EventId, StayId};
use crate::model::plan::Planned;
use crate::model::reservation::Stay;

use super::dialect::{Conn, Sql};
use super::planned::planned_of;
use super::{Store, StoreError, from_json, replay};

/// (source, name).
pub type Name = (String, String);
/// A name within a source and a scope; `None` looks in all scopes.
pub type Within = (Name, Option<String>);

/// What a group of facts has to know.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// Own names of stays.
    pub own: BTreeSet<Within>,
    /// References, of stays that have own names (`false`) or none (`true`).
    pub shared: BTreeSet<(Within, bool)>,
    /// (source, about, id) of payments and messages.
    pub facts: BTreeSet<(String, About, String)>,
    /// Events that may have been made before.
    pub events: BTreeSet<EventId>,
    /// Whether what is planned for the stays has to be known, whichever rules they were planned under.
    pub planned: bool,
    /// The rules in force; of a stay that was planned under others, what is planned has to be known in any case.
    pub rules: i64,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// A name to the stays that were found under it.
    pub stays: HashMap<Name, BTreeSet<String>>,
    /// Stay id to stay, with its place in the order of first appearance.
    pub by_id: HashMap<String, (i64, Stay)>,
    /// (source, about, id) to content.
    pub contents: HashMap<(String, About, String), serde_json::Value>,
    /// Events made before.
    pub events: HashMap<EventId, Event>,
    /// Stay id to its planned runs, where they were asked for.
    pub planned: BTreeMap<String, Vec<Planned>>,
}

impl Store {
    /// The oldest deliveries that wait for a decision, in order of arrival; fewer than `limit` where their bodies together
    /// have more than `bytes_max` bytes, but always one.
    pub async fn undecided(&self, limit: usize, bytes_max: usize) -> Result<Vec<Pending>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new(
            "SELECT seq, COALESCE(LENGTH(body), 0) FROM deliveries WHERE outcome = 'undecided' OR replay IS NOT NULL \
             ORDER BY seq LIMIT ",
        );
        sql.bind(limit);
        let (mut last, mut bytes) = (None, 0);
        for row in conn.fetch(sql).await? {
            bytes += row.int(1)?;
            if last.is_some() && bytes > i64::try_from(bytes_max).unwrap_or(i64::MAX) {
                break;
            }
            last = Some(row.int(0)?);
        }
        let Some(last) = last else { return Ok(Vec::new()) };
        let mut sql = Sql::new(
            "SELECT seq, id, source, received_at, headers, body, outcome, replay FROM deliveries \
             WHERE (outcome = 'undecided' OR replay IS NOT NULL) AND seq <= ",
        );
        sql.bind(last).push(" ORDER BY seq LIMIT ").bind(limit);
        let mut pending = Vec::new();
        for row in conn.fetch(sql).await? {
            pending.push(Pending {
                seq: row.int(0)?,
                id: DeliveryId(row.text(1)?),
                source: row.text(2)?,
                received_at: from_ms(row.int(3)?),
                headers: row.text(4)?,
                body: row.opt_blob(5)?.unwrap_or_default(),
                outcome: Outcome::from_word(&row.text(6)?).unwrap_or(Outcome::Undecided),
                replay: row.opt_text(7)?.map(|text| replay::read(&text)),
            });
        }
        Ok(pending)
    }

    /// Looks up what a group of facts has to know.
    pub async fn known(&self, lookup: &Lookup) -> Result<Looked, StoreError> {
        let mut conn = self.reader().await?;
        let mut looked = Looked::default();
        names(&mut conn, lookup, &mut looked).await?;
        contents(&mut conn, lookup, &mut looked).await?;
        events(&mut conn, lookup, &mut looked).await?;
        let stays = looked.by_id.iter();
        let of = stays.filter(|(_, (_, stay))| lookup.planned || stay.planned_under != lookup.rules);
        looked.planned = planned_of(&mut conn, of.map(|(id, _)| id.as_str())).await?;
        Ok(looked)
    }
}

// CROSS JOIN, so that names are looked up one by one in the index. Of what many stays carry, as many as `CALLED_MAX` are enough.
const OWN: (&str, &str) = (
    "WITH v (value, source, scope) AS (VALUES ",
    ") SELECT v.value, v.source, i.stay_id FROM v CROSS JOIN identities i \
     WHERE i.value = v.value AND i.source = v.source AND (v.scope IS NULL OR i.scope = v.scope)",
);
const SHARED: (&str, &str) = (
    "WITH v (value, source, scope, nameless) AS (VALUES ",
    ") SELECT v.value, v.source, r.stay_id FROM v CROSS JOIN stay_references r \
     WHERE r.value = v.value AND r.source = v.source AND r.nameless = v.nameless AND r.stay_id IN (SELECT n.stay_id \
     FROM stay_references n WHERE n.value = v.value AND n.source = v.source AND n.nameless = v.nameless \
     AND (v.scope IS NULL OR n.scope = v.scope) LIMIT 20)",
);

async fn names(conn: &mut Conn, lookup: &Lookup, looked: &mut Looked) -> Result<(), StoreError> {
    let own = lookup
        .own
        .iter()
        .map(|((source, name), scope)| [name.into(), source.into(), scope.clone().into()]);
    let mut found = conn.over_rows(OWN.0, own.collect(), OWN.1).await?;
    let shared = lookup.shared.iter().map(|(((source, name), scope), nameless)| {
        [name.into(), source.into(), scope.clone().into(), (*nameless).into()]
    });
    found.extend(conn.over_rows(SHARED.0, shared.collect(), SHARED.1).await?);
    let mut ids = BTreeSet::new();
    for row in found {
        let stay = row.text(2)?;
        ids.insert(stay.clone());
        looked
            .stays
            .entry((row.text(1)?, row.text(0)?))
            .or_default()
            .insert(stay);
    }
    let sql = "SELECT seq, id, state, revision, planned FROM stays WHERE id IN (VALUES ";
    let ids = ids.into_iter().map(|id| [id.into()]);
    for row in conn.over_rows(sql, ids.collect(), ")").await? {
        let mut stay: Stay = from_json(&row.text(2)?)?;
        stay.revision = row.int(3)?;
        stay.planned_under = row.int(4)?;
        looked.by_id.insert(row.text(1)?, (row.int(0)?, stay));
    }
    Ok(())
}

async fn contents(conn: &mut Conn, lookup: &Lookup, looked: &mut Looked) -> Result<(), StoreError> {
    let sql = "SELECT source, about, id, content FROM fact_keys WHERE (source, about, id) IN (VALUES ";
    let facts = lookup.facts.iter();
    let facts = facts.map(|(source, about, id)| [source.into(), about.word().into(), id.into()]);
    for row in conn.over_rows(sql, facts.collect(), ")").await? {
        let about = if row.text(1)? == About::Payment.word() {
            About::Payment
        } else {
            About::Message
        };
        let content = row
            .opt_text(3)?
            .map(|text| from_json(&text))
            .transpose()?
            .unwrap_or_default();
        looked.contents.insert((row.text(0)?, about, row.text(2)?), content);
    }
    Ok(())
}

async fn events(conn: &mut Conn, lookup: &Lookup, looked: &mut Looked) -> Result<(), StoreError> {
    let sql = "SELECT id, body, stay_id FROM events WHERE id IN (VALUES ";
    let events = lookup.events.iter().map(|id| [id.as_str().into()]);
    for row in conn.over_rows(sql, events.collect(), ")").await? {
        if let Some(body) = row.opt_text(1)? {
            let mut event: Event = from_json(&body)?;
            // The stay may have turned out to be another one since.
            event.stay = StayId(row.text(2)?);
            looked.events.insert(EventId(row.text(0)?), event);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use crate::model::delivery::{Arrival, Receipt, ReceiptKey};
    use crate::model::reservation::CALLED_MAX;

    use super::super::dialect::Param;
    use super::*;

    #[tokio::test]
    async fn names_are_found_in_an_index_and_a_shared_one_costs_no_more_than_a_few_stays() {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", folder.path().join("x.db").display());
        let (store, _writer) = Store::open(&address).await.unwrap();
        let mut conn = store.reader().await.unwrap();
        let name = || -> [Param; 4] { ["HM1".into(), "lab".into(), None::<String>.into(), true.into()] };
        let [value, source, scope, _] = name();
        let mut own = Sql::new("EXPLAIN QUERY PLAN ");
        own.push(OWN.0).rows([[value, source, scope]]).push(OWN.1);
        let mut shared = Sql::new("EXPLAIN QUERY PLAN ");
        shared.push(SHARED.0).rows([name()]).push(SHARED.1);
        for (sql, wanted) in [
            (own, "SEARCH i USING PRIMARY KEY (value=? AND source=?"),
            (
                shared,
                "SEARCH n USING PRIMARY KEY (value=? AND source=? AND nameless=?",
            ),
        ] {
            let rows = conn.fetch(sql).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.text(3).unwrap()).collect();
            assert!(steps.iter().any(|step| step.starts_with(wanted)), "{steps:#?}");
            assert!(
                !steps
                    .iter()
                    .any(|step| step.starts_with("SCAN i") || step.starts_with("SCAN n")),
                "{steps:#?}"
            );
        }
        assert!(SHARED.1.ends_with(&format!("LIMIT {CALLED_MAX})")));
    }

    #[tokio::test]
    async fn what_is_read_together_is_bounded_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite://{}", folder.path().join("x.db").display());
        let (store, writer) = Store::open(&address).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        let own = store.clone();
        tasks.spawn(async move { Store::run_writer(writer, &own).await });
        for n in 0..5_i64 {
            let arrival = Arrival {
                id: DeliveryId(format!("d_{n}")),
                source: "lab".to_owned(),
                receipt: ReceiptKey {
                    key: n.to_be_bytes().repeat(2).try_into().unwrap(),
                    scope: None,
                    weak: None,
                },
                received_at: from_ms(n),
                headers: "{}".to_owned(),
                body: vec![b'1'; 1000],
            };
            let _: Receipt = store.receive(arrival).await.unwrap();
        }
        for (limit, bytes, expected) in [
            (10, 0, 1),
            (10, 999, 1),
            (10, 2000, 2),
            (10, 4999, 4),
            (10, 5000, 5),
            (3, 5000, 3),
        ] {
            let pending = store.undecided(limit, bytes).await.unwrap();
            assert_eq!(pending.len(), expected, "{limit} {bytes}");
            assert!(
                pending
                    .iter()
                    .zip(0..)
                    .all(|(pending, n)| pending.id.0 == format!("d_{n}"))
            );
        }
    }
}
