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
                let now_ms = now.timestamp_millis();
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

    /// The recipe that was used last of those that have stood in a file, in its newest revision.
    pub async fn revision_in(&self, file: &str) -> Result<Option<Revision>, StoreError> {
        let mut conn = self.reader().await?;
        let mut sql = Sql::new("SELECT recipe, hash, file, text FROM revisions WHERE file = ");
        sql.bind(file).push(" ORDER BY last_seen DESC, first_seen DESC LIMIT 1");
        conn.fetch(sql).await?.first().map(revision).transpose()
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
