//! `stayhook preview`: how one payload is read, and what it would do, fully rendered. Touches nothing.

mod ahead;
mod play;
mod tell;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use http::HeaderName;
use serde_json::{Map, Value};

use crate::config::{self, Env};
use crate::engine::Setup;
use crate::lang::diag::{Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::model::clock::{Clock, Time};
use crate::recipe::Book;

use super::check::{diagnostics, listed};
use super::deliveries::headers_file;
use super::output::{FINDINGS, Output, say};

/// The largest payload, in bytes.
const PAYLOAD_MAX: u64 = 64 << 20;

/// What `preview` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The name of a recipe, its file, or `all`; without one it shows how the source reads the body.
    pub recipe: Option<String>,
    /// A file with the body of a delivery.
    #[arg(long, value_name = "FILE")]
    pub payload: PathBuf,
    /// The source it would come to.
    #[arg(long, value_name = "NAME")]
    pub source: String,
    /// A header that would come with it, such as `X-Event: booking`; may be given several times.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// What would stand in the address after the name of the source, the token aside: `booking_created`.
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// What would stand in the query of the address: `event=created`.
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,
    /// When it would come; now where nothing is said. Such as `2027-03-01T09:00:00Z`.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub at: Option<Time>,
    /// A body that came before it, so that there is something to change; may be given several times, oldest first.
    #[arg(long, value_name = "FILE")]
    pub after: Vec<PathBuf>,
}

/// Says what the payload would do. The exit code is 0, or 1 where something asked for is not there or has a mistake.
pub fn run(args: &Args, config: &Path, output: Output, env: Env<'_>, clock: &Clock, out: &mut dyn Write) -> ExitCode {
    let mut report = Report::new();
    let mut texts = HashMap::new();
    let played = played(args, config, env, clock, &mut texts, &mut report);
    match (played, output) {
        (Some(played), Output::Table) => say(out, &tell::table(&played), 0),
        (Some(played), Output::Json) => say(out, &format!("{:#}\n", tell::json(&played)), 0),
        (None, Output::Table) => say(out, &report.render(|file| texts.get(file).cloned()), FINDINGS),
        (None, Output::Json) => {
            let found = diagnostics(&report, &|file| texts.get(file).cloned());
            say(out, &format!("{found:#}\n"), FINDINGS)
        }
    }
}

/// The headers that `deliveries show --save` has written beside a body; nothing where it has not. `--header` goes before.
fn saved_headers(payload: &Path, report: &mut Report) -> Option<Map<String, Value>> {
    let file = headers_file(payload);
    let read = match config::read_bytes(&file, PAYLOAD_MAX) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Some(Map::new()),
        read => read.map_err(|why| format!("{} cannot be read: {why}", file.display())),
    };
    let no_list = |_| format!("{} is no list of headers", file.display());
    let read = read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(no_list));
    read.map_err(|why| report.general("payload", why)).ok()
}

/// Reads `--header`: the name in lower case, and the value.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once(':')
        .ok_or("it is written `Name: value`, such as `X-Event: booking`")?;
    let name = name.trim().to_ascii_lowercase();
    match HeaderName::try_from(name.as_str()) {
        Ok(_) => Ok((name, value.trim().to_owned())),
        Err(_) => Err(format!("`{name}` is not the name of a header")),
    }
}

/// Reads `--at`.
fn time(text: &str) -> Result<Time, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .map_err(|_| "a time with its zone, such as 2027-03-01T09:00:00Z".to_owned())
}

fn played(
    args: &Args,
    path: &Path,
    env: Env<'_>,
    clock: &Clock,
    texts: &mut HashMap<String, String>,
    report: &mut Report,
) -> Option<play::Played> {
    let (file, text) = config::read(path, report)?;
    let config = config::parse(&file, &text, config::folder(path), env, report);
    texts.insert(file, text);
    let config = config?;
    let (setup, wanted) = match args.recipe.as_deref() {
        Some(asked) => recipes(asked, &config, texts, report)?,
        None => (config::setup(&config, Book::default()), None),
    };
    let Some(source) = setup.sources.get(&args.source).cloned() else {
        let names: Vec<&str> = config.sources.iter().map(|source| source.name()).collect();
        let diagnostic = report.general("unknown-source", format!("there is no source `{}`", args.source));
        match did_you_mean(&args.source, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("the sources are {}", quoted(&names))),
        }
        return None;
    };
    let mut bodies = Vec::new();
    for file in args.after.iter().chain([&args.payload]) {
        match config::read_bytes(file, PAYLOAD_MAX) {
            Ok(body) => bodies.push((file.display().to_string(), body)),
            Err(why) => {
                report.general("payload", format!("{} cannot be read: {why}", file.display()));
            }
        }
    }
    if report.has_mistakes() {
        return None;
    }
    let said = args
        .header
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    let mut headers: Value = saved_headers(&args.payload, report)?.into_iter().chain(said).collect();
    let segments: Vec<&str> = args.path.iter().flat_map(|path| path.split('/')).collect();
    let query = args.query.as_deref().unwrap_or_default();
    for name in source.in_address_read() {
        if let Some(value) = source.in_address(name, query, segments.iter().copied()) {
            headers[name] = value.into();
        }
    }
    let asked = play::Question {
        source: &source,
        wanted: match (&args.recipe, wanted.as_deref()) {
            (None, _) => play::Wanted::Nothing,
            (Some(_), None) => play::Wanted::All,
            (Some(_), Some(name)) => play::Wanted::One(name),
        },
        headers: &headers,
        at: args.at.unwrap_or_else(|| clock.now()),
        redirect: config.redirect_email.as_deref(),
    };
    play::play(&setup, &asked, &bodies, report)
}

/// Sources, recipes and all, and the name of the recipe that is asked for; `None` for every one.
fn recipes(
    asked: &str,
    config: &config::Config,
    texts: &mut HashMap<String, String>,
    report: &mut Report,
) -> Option<(Setup, Option<String>)> {
    let as_file = Path::new(asked);
    let is_file = as_file.is_file();
    let paths = if is_file {
        vec![as_file.to_owned()]
    } else {
        vec![config.recipes.clone()]
    };
    let from = report.items.len();
    let files = listed(&paths, report);
    if report.mistakes() > 0 {
        return None;
    }
    let book = files.book(report);
    texts.extend(files.texts);
    if asked == "all" {
        // Broken ones are told with the rest.
        report.items.truncate(from);
        return Some((config::setup(config, book), None));
    }
    let found = if is_file {
        book.all().first()
    } else {
        book.get(asked, None)
    };
    let Some(found) = found.map(|recipe| recipe.name.clone()) else {
        let broken = book
            .broken()
            .iter()
            .find(|broken| broken.name.as_deref() == Some(asked));
        match broken {
            // All its mistakes are in the report; those of other files do not matter here.
            _ if is_file => {}
            Some(broken) => report
                .items
                .retain(|item| item.place.as_ref().is_some_and(|place| *place.file == *broken.file)),
            None => {
                report.items.truncate(from);
                let names: Vec<&str> = book.all().iter().map(|recipe| recipe.name.as_str()).collect();
                let title = format!("there is no recipe `{asked}`");
                let diagnostic = report.general("unknown-recipe", title);
                match did_you_mean(asked, names.iter().copied()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help(format!("the recipes are {}; `all` shows every one", quoted(&names))),
                }
            }
        }
        return None;
    };
    report.items.truncate(from);
    Some((config::setup(config, book), Some(found)))
}

#[cfg(test)]
mod tests;
