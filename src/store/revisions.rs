//! The texts of recipes, by hash: a run can be finished with the recipe it was made with.

use crate::model::clock::Time;

use super::dialect::{Param, Row, Sql};
use super::{Store, StoreError};

/// A recipe's text as it once was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The recipe's name.
    pub recipe: String,
    /// The hash of its text.
    pub hash: String,
    /// The file it stood in.
    pub file: String,
    /// Its text.
    pub text: String,
}

impl Store {
    /// Keeps the revisions that are in use now.
    pub async fn keep_revisions(&self, revisions: Vec<Revision>, now: Time) -> Result<(), StoreError> {
        if revisions.is_empty() {
            return Ok(());
        }
        self.write(move |conn| {
            Box::pin(async move {
                // What is in use now was seen last, whatever the machine's clock says.
                let last = conn
                    .fetch(Sql::new("SELECT COALESCE(MAX(last_seen), 0) FROM revisions"))
                    .await?;
                let last = last.first().map_or(Ok(0), |row| row.int(0))?;
                let now_ms = now.timestamp_millis().max(last + 1);
                let rows = revisions.into_iter().map(|revision| -> [Param; 6] {
                    [
                        revision.recipe.into(),
                        revision.hash.into(),
                        revision.file.into(),
                        revision.text.into(),
                        now_ms.into(),
                        now_ms.into(),
                    ]
                });
                let mut sql =
                    Sql::new("INSERT INTO revisions (recipe, hash, file, text, first_seen, last_seen) VALUES ");
                sql.rows(rows)
                    .push(" ON CONFLICT (recipe, hash) DO UPDATE SET last_seen = excluded.last_seen");
                conn.execute(sql).await.map(|_| ())
            })
        })
        .await
    }

    /// The revisions that were in use when recipes were taken over last.
    pub async fn revisions_in_use(&self) -> Result<Vec<Revision>, StoreError> {
        let mut conn = self.reader().await?;
        let sql =
            "SELECT recipe, hash, file, text FROM revisions WHERE last_seen = (SELECT MAX(last_seen) FROM revisions)";
        conn.fetch(Sql::new(sql)).await?.iter().map(revision).collect()
    }

    /// Whether anything of a source has ever come in.
    pub async fn has_source(&self, name: &str) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT 1 FROM deliveries WHERE source = ");
        sql.bind(name).push(" LIMIT 1");
        Ok(!self.reader().await?.fetch(sql).await?.is_empty())
    }

    /// A revision of a recipe; the newest without a hash.
    pub async fn revision(&self, recipe: &str, hash: Option<&str>) -> Result<Option<Revision>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT recipe, hash, file, text FROM revisions WHERE recipe = ");
        sql.bind(recipe);
        if let Some(hash) = hash {
            sql.push(" AND hash = ").bind(hash);
        }
        sql.push(" ORDER BY last_seen DESC, first_seen DESC LIMIT 1");
        conn.fetch(sql).await?.first().map(revision).transpose()
    }
}

fn revision(row: &Row) -> Result<Revision, StoreError> {
    Ok(Revision {
        recipe: row.text(0)?,
        hash: row.text(1)?,
        file: row.text(2)?,
        text: row.text(3)?,
    })
}
