//! Which rows a list shows: the options that every list has.

use crate::config::Config;
use crate::store::Filter;

use super::{Failure, print};

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
    /// Where `--since` is none of what it takes.
    pub fn filter(self, state: Option<String>, config: &Config) -> Result<Filter, Failure> {
        let since = self
            .since
            .as_deref()
            .map(|since| print::since(since, config))
            .transpose()?;
        Ok(Filter {
            source: self.source,
            code: self.code,
            state,
            since,
            limit: self.limit,
            cursor: self.cursor,
            ..Filter::default()
        })
    }
}
