//! What follows the `?` of a list: only known names, each once, each readable.

use axum::extract::Query;
use http::Uri;

use crate::lang::duration;
use crate::model::clock::Time;
use crate::model::clock::local_in;
use crate::model::property::Properties;
use crate::store::Filter;

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

    /// What every list understands: `source`, `code`, `since`, `limit`, `cursor`.
    pub fn filter(&self, console: &Console) -> Result<Filter, Problem> {
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
            code: self.text("code").map(str::to_owned),
            since: since.transpose()?,
            limit: self.limit()?,
            cursor,
            ..Filter::default()
        })
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
