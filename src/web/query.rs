//! What follows the `?` of a list: only known names, each once, each readable.

use axum::extract::Query;
use http::Uri;
use serde_json::Value;

use crate::lang::diag::did_you_mean;
use crate::lang::duration;
use crate::model::clock::Time;
use crate::model::clock::local_in;
use crate::model::property::Properties;
use crate::store::{Filter, Store, StoreError};

use super::Console;
use super::problem::Problem;

/// The longest text of one parameter, in bytes.
const TEXT_MAX: usize = 300;
/// The longest page.
const LIMIT_MAX: usize = 500;

/// The parameters of a request.
#[derive(Clone, Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query. Whatever is not in `allowed` is refused.
    pub fn read(uri: &Uri, allowed: &[&str]) -> Result<Params, Problem> {
        let unreadable = |_| Problem::bad("the query is not readable: write name=value, joined by &");
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(unreadable)?;
        for (at, (name, value)) in pairs.iter().enumerate() {
            if !allowed.contains(&name.as_str()) {
                let what = match allowed {
                    [] => "nothing may follow the `?` here".to_owned(),
                    _ => format!("an unknown parameter; there is {}", allowed.join(", ")),
                };
                return Err(Problem::bad(what).allowed(allowed));
            }
            if pairs[..at].iter().any(|(before, _)| before == name) {
                return Err(Problem::bad(format!("`{name}` is given twice")));
            }
            if value.is_empty() || value.len() > TEXT_MAX {
                return Err(Problem::bad(format!("`{name}` takes 1 to {TEXT_MAX} characters")));
            }
        }
        Ok(Params(pairs))
    }

    /// A text as it was given.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }

    /// One of these words.
    pub fn word(&self, name: &str, words: &[&str]) -> Result<Option<String>, Problem> {
        match self.text(name) {
            Some(word) if !words.contains(&word) => {
                Err(Problem::bad(format!("`{name}` is one of {}", words.join(", "))).allowed(words))
            }
            word => Ok(word.map(str::to_owned)),
        }
    }

    /// How many rows: 1 to 500.
    pub fn limit(&self) -> Result<Option<usize>, Problem> {
        let Some(text) = self.text("limit") else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        number.map_or_else(
            || Err(Problem::bad(format!("`limit` is a number from 1 to {LIMIT_MAX}"))),
            |limit| Ok(Some(limit)),
        )
    }

    /// What every list understands: `source`, `code`, `since`, `limit`, `cursor`; `recipe` where it is one of runs.
    pub async fn filter(&self, console: &Console) -> Result<Filter, Problem> {
        heard_of(console, self.text("source"), self.text("recipe")).await?;
        let cursor = match self.text("cursor") {
            None => None,
            Some(text) => Some(
                text.parse()
                    .ok()
                    .filter(|cursor: &i64| *cursor > 0)
                    .ok_or_else(bad_cursor)?,
            ),
        };
        let since = self.text("since").map(|text| {
            read_since(text, console.clock.now(), &console.live.properties()).ok_or_else(|| bad_since("since"))
        });
        Ok(Filter {
            source: self.text("source").map(str::to_owned),
            recipe: self.text("recipe").map(str::to_owned),
            code: self.text("code").map(str::to_owned),
            since: since.transpose()?,
            limit: self.limit()?,
            cursor,
            ..Filter::default()
        })
    }
}

/// Refuses the name of a source or recipe that there has never been: nothing would be found.
pub async fn heard_of(console: &Console, source: Option<&str>, recipe: Option<&str>) -> Result<(), Problem> {
    let names = |all: Value| -> Vec<String> {
        let all = all.as_array().into_iter().flatten();
        all.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
    };
    let (sources, recipes) = match (source, recipe) {
        (None, None) => return Ok(()),
        _ => (names(console.live.sources()), names(console.live.recipes())),
    };
    let asked = unheard_of(&console.store, (source, &sources), (recipe, &recipes));
    asked.await?.map_or(Ok(()), |why| Err(Problem::bad(why)))
}

/// Says in words that there has never been a source or a recipe of this name, neither today (`sources`, `recipes`) nor in
/// the store.
///
/// # Errors
///
/// Where the store cannot be read.
pub async fn unheard_of(
    store: &Store,
    (source, sources): (Option<&str>, &[String]),
    (recipe, recipes): (Option<&str>, &[String]),
) -> Result<Option<String>, StoreError> {
    let near = |name: &str, known: &[String]| {
        let near = did_you_mean(name, known.iter().map(String::as_str));
        near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
    };
    if let Some(name) = source.filter(|name| !sources.iter().any(|known| known == name))
        && !store.has_source(name).await?
    {
        return Ok(Some(format!("there is no source `{name}`{}", near(name, sources))));
    }
    match recipe.filter(|name| !recipes.iter().any(|known| known == name)) {
        Some(name) if store.revision(name, None).await?.is_none() => {
            let in_use = store.revisions_in_use().await?.into_iter().map(|one| one.recipe);
            let known: Vec<String> = in_use.chain(recipes.iter().cloned()).collect();
            Ok(Some(format!("there is no recipe `{name}`{}", near(name, &known))))
        }
        _ => Ok(None),
    }
}

/// The answer to a cursor that no list has given.
pub fn bad_cursor() -> Problem {
    Problem::bad("`cursor` takes the `next` of the page before, as it is")
}

/// The answer to a `since` that is no time.
pub fn bad_since(name: &str) -> Problem {
    Problem::bad(format!(
        "`{name}` takes a time (2026-03-01T09:00:00Z; a `+` in a query is written %2B), a date (2026-03-01) or a span \
         back from now (24h, 7d)"
    ))
}

/// A time, a date (its first moment in the configured zone) or a span back from now.
pub fn read_since(text: &str, now: Time, properties: &Properties) -> Option<Time> {
    if let Some(span) = duration::parse(text) {
        return now.checked_sub_signed(span);
    }
    if let Ok(date) = text.parse::<chrono::NaiveDate>() {
        let midnight = date.and_hms_opt(0, 0, 0)?;
        return Some(local_in(properties.timezone, midnight).to_utc());
    }
    // A `+` that was not escaped arrives as a space.
    let time = chrono::DateTime::parse_from_rfc3339(text)
        .or_else(|_| chrono::DateTime::parse_from_rfc3339(&text.replace(' ', "+")));
    time.ok().map(|time| time.to_utc())
}
