//! Which rows a list shows: the options that every list has.

use crate::config::Config;
use crate::store::{Filter, Store};
use crate::web::unheard_of;

use super::{Failure, USAGE, print};

/// The options that every list has.
#[derive(Debug, clap::Args)]
pub struct Select {
    /// Of this source.
    #[arg(long)]
    source: Option<String>,
    /// Of the stay with this code or other name.
    #[arg(long)]
    code: Option<String>,
    /// Since then: `24h`, a date or a time.
    #[arg(long)]
    since: Option<String>,
    /// At most so many, from 1 to 500; 50 where nothing is said.
    #[arg(long, value_parser = print::limit)]
    limit: Option<usize>,
    /// Where the last page ended.
    #[arg(long, value_parser = print::cursor)]
    cursor: Option<i64>,
}

impl Select {
    /// As the store reads it. `state` is the list's own word: an outcome, a status, a type or a state.
    ///
    /// # Errors
    ///
    /// Where `--since` is none of what it takes, or there has never been such a source or recipe.
    pub async fn filter(
        self,
        state: Option<String>,
        recipe: Option<String>,
        config: &Config,
        store: &Store,
    ) -> Result<Filter, Failure> {
        heard_of(self.source.as_deref(), recipe.as_deref(), config, store).await?;
        let since = self
            .since
            .as_deref()
            .map(|since| print::since(since, config))
            .transpose()?;
        Ok(Filter {
            source: self.source,
            recipe,
            code: self.code,
            state,
            since,
            limit: self.limit,
            cursor: self.cursor,
            ..Filter::default()
        })
    }
}

/// Refuses the name of a source or recipe that there has never been: nothing would be found.
pub async fn heard_of(
    source: Option<&str>,
    recipe: Option<&str>,
    config: &Config,
    store: &Store,
) -> Result<(), Failure> {
    let sources = config.sources.iter().map(|source| source.name());
    let unread = source.filter(|name| config.unread.may_hold("sources", name));
    let sources: Vec<String> = sources.chain(unread).map(str::to_owned).collect();
    let asked = unheard_of(store, (source, &sources), (recipe, &[]));
    asked.await?.map_or(Ok(()), |why| Err(Failure::new(USAGE, why)))
}
