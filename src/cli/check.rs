//! `stayhook check`: every mistake of every file, with its place, and each recipe as a sentence.

mod ahead;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::config::{self, Config, Env, RecipeFiles};
use crate::lang::diag::{Diagnostic, Report, Texts};
use crate::model::clock::{Clock, Time};
use crate::recipe::{Book, Recipe, Trigger};
use crate::web::Local;

use super::output::{FINDINGS, Output, say};
use super::print::count;

/// What `check` is asked.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Recipes, or folders of them; all recipes of the configuration where nothing is named.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Checks the configuration, its presets, the recipes, and all of them together. The exit code is 0, or 1 where there
/// is a mistake.
///
/// `clock` says from when on the next firing of a recipe is looked for.
pub async fn run(
    args: &Args,
    config: &Path,
    output: Output,
    env: Env<'_>,
    clock: &Clock,
    out: &mut dyn Write,
) -> ExitCode {
    let ahead = match output {
        Output::Table => ahead::ahead(config, env, clock.now()).await,
        Output::Json => HashMap::new(),
    };
    let checked = checked(args, config, env);
    let code = if checked.report.has_mistakes() { FINDINGS } else { 0 };
    let text = match output {
        Output::Table => checked.table(clock.now(), &|recipe| ahead.get(recipe).cloned()),
        Output::Json => {
            let text_of = |file: &str| checked.texts.get(file).cloned();
            format!("{:#}\n", diagnostics(&checked.report, &text_of))
        }
    };
    say(out, &text, code)
}

/// Everything there is to tell as `--output json` prints it.
pub fn diagnostics(report: &Report, text_of: &dyn Fn(&str) -> Option<String>) -> Value {
    let mut texts = Texts::new(report, text_of);
    let items = report.sorted();
    items.into_iter().map(|item| diagnostic(item, &mut texts)).collect()
}

/// One of them: its parts, the line of the file, and the very text of the terminal.
fn diagnostic(item: &Diagnostic, texts: &mut Texts<'_>) -> Value {
    let place = item.place.as_ref();
    json!({
        "severity": item.severity.word(),
        "code": item.code,
        "title": item.title,
        "file": place.map(|place| &*place.file),
        "line": place.map(|place| place.line),
        "column": place.map(|place| place.column),
        "source": place.and_then(|place| texts.line(place)),
        "help": item.help,
        "text": item.text(texts),
    })
}

/// Everything that was looked at.
struct Checked {
    report: Report,
    texts: HashMap<String, String>,
    config: Option<Config>,
    book: Book,
}

fn checked(args: &Args, path: &Path, env: Env<'_>) -> Checked {
    let mut checked = Checked {
        report: Report::new(),
        texts: HashMap::new(),
        config: None,
        book: Book::default(),
    };
    let report = &mut checked.report;
    if let Some((file, text)) = config::read(path, report) {
        checked.config = config::draft(&file, &text, config::folder(path), env, report);
        checked.texts.insert(file, text);
    }
    let files = match (&checked.config, args.paths.as_slice()) {
        (Some(config), []) => listed(std::slice::from_ref(&config.recipes), report),
        (None, []) => RecipeFiles::default(),
        (_, paths) => listed(paths, report),
    };
    checked.book = files.book(report);
    checked.texts.extend(files.texts);
    if let Some(config) = &checked.config {
        let setup = config::setup(config, checked.book.clone());
        config::check_together(config, &setup, report);
        if let Some(title) = config::crowded(config, crate::lifecycle::room_for_attempts()) {
            let help = "raise the hard limit (`LimitNOFILE=` of systemd, `ulimits` of Docker), or lower `concurrency`";
            report.general_warning("open-files", title).help(help);
        }
    }
    checked
}

/// The recipes in these files and folders, each once.
pub(super) fn listed(paths: &[PathBuf], report: &mut Report) -> RecipeFiles {
    let mut files = RecipeFiles::default();
    for path in paths {
        if std::fs::metadata(path).is_ok_and(|meta| !meta.is_dir()) {
            files.join(config::recipe_file(path));
            continue;
        }
        match config::recipe_files(path) {
            Ok(found) => files.join(found),
            Err(why) => {
                let title = format!("the recipes cannot be read: {why}");
                let diagnostic = report.general("recipes", title);
                if why.kind() == std::io::ErrorKind::NotFound {
                    diagnostic.help("`recipes:` in the configuration names their folder");
                }
            }
        }
    }
    files
}

impl Checked {
    /// What is told on a terminal; `stored` is what the store knows of a recipe's next run.
    fn table(&self, now: Time, stored: &dyn Fn(&str) -> Option<String>) -> String {
        let mut out = self.report.render(|file| self.texts.get(file).cloned());
        if !out.is_empty() {
            out.push('\n');
        }
        let setup = self
            .config
            .as_ref()
            .map(|config| config::setup(config, self.book.clone()));
        for recipe in self.book.all() {
            let sentence = match (&setup, &self.config) {
                (Some(setup), Some(config)) => {
                    let next = next_firing(recipe, config.timezone, now, stored);
                    config::sentence_with(setup, recipe, next.as_deref())
                }
                _ => recipe.sentence(),
            };
            out += &format!("{sentence}\n");
        }
        if !self.book.all().is_empty() {
            out.push('\n');
        }
        if let Some(config) = &self.config {
            for source in &config.sources {
                out += &format!("/hooks/{} asks for {}.\n", source.name(), source.asks_for());
            }
            if !config.sources.is_empty() {
                out.push('\n');
            }
        }
        out += &self.summary();
        out.push('\n');
        out
    }

    /// "3 recipes, 2 sources, 2 connections: fine" or "2 mistakes, 1 warning".
    fn summary(&self) -> String {
        let mistakes = self.report.mistakes();
        let warnings = self.report.items.len() - mistakes;
        let mut found = Vec::new();
        if mistakes > 0 {
            found.push(count(mistakes as u64, "mistake"));
        }
        if warnings > 0 {
            found.push(count(warnings as u64, "warning"));
        }
        if mistakes > 0 {
            return found.join(", ");
        }
        let (sources, connections) = self
            .config
            .as_ref()
            .map_or((0, 0), |config| (config.sources.len(), config.connections.len()));
        let parts = [
            count(self.book.all().len() as u64, "recipe"),
            count(sources as u64, "source"),
            count(connections as u64, "connection"),
        ];
        let result = if found.is_empty() {
            "fine".to_owned()
        } else {
            found.join(", ")
        };
        format!("{}: {result}", parts.join(", "))
    }
}

/// When a recipe fires next: the first time of its schedules after `now`, in the zone of each, and the first run that the
/// store has for it, in the words of `stored`. `None` where nothing is planned, and for a recipe that is switched off.
fn next_firing(recipe: &Recipe, zone: Tz, now: Time, stored: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if !recipe.enabled {
        return None;
    }
    let schedules = recipe.on.iter().filter_map(|trigger| match trigger {
        Trigger::Schedule(schedule) => schedule.next(now, zone).map(|at| (at, schedule.zone(zone))),
        _ => None,
    });
    let scheduled = schedules
        .min_by_key(|(at, _)| *at)
        .map(|(at, zone)| Local { zone, now }.short(at.to_utc()));
    let of_stays = recipe
        .on
        .iter()
        .any(|trigger| matches!(trigger, Trigger::Stay(_) | Trigger::Status(_)));
    let planned = of_stays.then(|| stored(&recipe.name)).flatten();
    match (planned, scheduled) {
        (Some(planned), Some(scheduled)) => Some(format!("{planned} and {scheduled}")),
        (planned, scheduled) => planned.or(scheduled),
    }
}

#[cfg(test)]
mod tests;
