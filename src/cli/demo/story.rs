//! How the story is told: what came in, what was recognised and why, what went out.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;

use chrono_tz::Tz;
use serde_json::Value;

use crate::model::clock::Time;

use super::super::Failure;
use super::became::{Became, Planned, Ran};
use super::day_and_time;
use super::effects::{Effect, Record, TARGETS};
use super::scene::{SCENES, Scene};
use super::site::{Receipt, Site};

/// The widest line, in characters.
const WIDTH: usize = 100;
/// Where the text of a line begins, behind its word.
const MARGIN: usize = 14;

const BOLD: &str = "1";
const DIM: &str = "2";
const GOOD: &str = "32";
const BAD: &str = "31";
const OUT: &str = "36";
const PLAN: &str = "33";

/// Tells on a terminal, or into a pipe.
pub(super) struct Story<'w> {
    out: &'w mut dyn Write,
    colour: bool,
    /// Whose time is shown.
    zone: Tz,
    /// Whether the last line was a day passing.
    in_days: bool,
    /// The scene in which each delivery came first.
    first: HashMap<String, usize>,
}

impl<'w> Story<'w> {
    pub(super) fn new(out: &'w mut dyn Write, colour: bool, zone: Tz) -> Story<'w> {
        Story {
            out,
            colour,
            zone,
            in_days: false,
            first: HashMap::new(),
        }
    }

    /// Whose time is shown.
    pub(super) fn zone(&self) -> Tz {
        self.zone
    }

    /// What is about to be seen.
    pub(super) fn begin(&mut self, site: &Site) {
        self.line(
            BOLD,
            "Stayhook: a few stays of two senders, and what follows from them.",
        );
        self.wrapped(
            "The daemon is the real one, on a temporary database. Hospitable and Hostel Mate are played; the cleaning \
             service, the lock service, the books and the mail server are stand-ins on this machine. Nothing leaves it.",
            0,
            "",
        );
        self.line(
            DIM,
            &format!("Files: {}", site.config().parent().unwrap_or(&site.config()).display()),
        );
    }

    /// A sender posts.
    pub(super) fn comes_in(&mut self, number: usize, scene: &Scene) -> Result<(), Failure> {
        self.headed(number, scene.at()?, &format!("{}: {}", scene.source, scene.says));
        let line = format!(
            "POST /hooks/{}  {} ({} bytes)",
            scene.source,
            scene.file,
            scene.body.len()
        );
        self.told("in", DIM, &line);
        Ok(())
    }

    /// What Stayhook made of it.
    pub(super) fn recognised(&mut self, number: usize, receipt: &Receipt, became: &Became) {
        if receipt.duplicate {
            let first = self.first.get(&receipt.delivery).copied().unwrap_or_default();
            let because = format!("the same delivery as scene {first}; it is counted there and starts nothing");
            return self.told("duplicate", "", &because);
        }
        self.first.insert(receipt.delivery.clone(), number);
        let outcome = became.delivery.outcome.clone();
        match outcome.as_str() {
            "processed" if !became.types.is_empty() => self.told("new", GOOD, &became.types.join(", ")),
            _ => self.told(&outcome, "", &became.delivery.because.clone()),
        }
        for fact in became.delivery.detail["facts"].as_array().into_iter().flatten() {
            for warning in fact["warnings"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                self.told("warning", "", warning);
            }
        }
    }

    /// From here on every day is shown.
    pub(super) fn days_begin(&mut self) {
        self.line("", "");
        self.line(BOLD, "And now the days pass, on a clock of the demo's own.");
        self.wrapped(
            "Recipes that wait for a moment of a stay are planned as soon as it is known, follow its dates, and go when \
             their time has come.",
            0,
            "",
        );
    }

    /// A day begins.
    pub(super) fn day(&mut self, at: Time) {
        if !std::mem::replace(&mut self.in_days, true) {
            self.line("", "");
        }
        let line = format!("    {} …", day_and_time(at, self.zone));
        self.line(DIM, &line);
    }

    /// A time has come.
    pub(super) fn comes_due(&mut self, number: usize, at: Time, due: &[Planned]) {
        let mut of: Vec<&str> = due.iter().filter_map(|planned| planned.code.as_deref()).collect();
        of.dedup();
        let what = match of[..] {
            [] => "what the calendar asks for is due".to_owned(),
            _ => format!("it is time for {}", of.join(", ")),
        };
        self.headed(number, at, &format!("the clock: {what}"));
    }

    /// What is planned, and how it has changed.
    pub(super) fn replanned(&mut self, changes: &[(&'static str, String)]) {
        for (word, text) in changes {
            self.told(word, PLAN, text);
        }
    }

    /// What arrived at the targets, and through which recipe.
    pub(super) fn went_out(&mut self, ran: &Ran, effects: &[Effect]) {
        // Told recipe by recipe, in the order in which the first effects of each are listed.
        let mut recipes: Vec<Option<&String>> = Vec::new();
        for effect in effects {
            let by = ran.keys.get(&effect.key);
            if !recipes.contains(&by) {
                recipes.push(by);
            }
        }
        for recipe in recipes {
            if let Some(recipe) = recipe {
                self.told("recipe", BOLD, recipe);
                let because = ran.because.get(recipe).map(String::as_str).unwrap_or_default();
                self.told("because", DIM, because);
            }
            for effect in effects.iter().filter(|effect| ran.keys.get(&effect.key) == recipe) {
                self.told("out", OUT, &format!("{:<9} {}", effect.target, effect.head));
                let body = match &effect.body {
                    Value::String(text) => text.clone(),
                    body => body.to_string(),
                };
                if !body.is_empty() {
                    self.told("", DIM, &shortened(&body, WIDTH - MARGIN));
                }
            }
        }
        for failed in &ran.failed {
            self.told("failed", BAD, failed);
        }
        if effects.is_empty() {
            self.told("out", DIM, "nothing");
        }
    }

    /// The summary.
    pub(super) fn sum_up(&mut self, record: &Record, times: usize) {
        let mut scenes: BTreeMap<&str, usize> = BTreeMap::new();
        for scene in SCENES {
            *scenes.entry(scene.source).or_default() += 1;
        }
        self.line("", "");
        for (source, count) in scenes {
            self.line("", &format!("in   {source:<12} {count:>2} deliveries"));
        }
        self.line("", &format!("in   {:<12} {times:>2} times that came", "the clock"));
        for target in TARGETS {
            let count = record.effects.iter().filter(|effect| effect.target == target).count();
            let effects = if count == 1 { "effect" } else { "effects" };
            self.line("", &format!("out  {target:<12} {count:>2} {effects}"));
        }
        let all = record.effects.len();
        match record.repeated().len() {
            0 => self.line(GOOD, &format!("{all} effects, each once.")),
            again => self.line(BAD, &format!("{all} effects, {again} of them not for the first time.")),
        }
    }

    /// What can be done while the daemon runs on.
    pub(super) fn look_around(&mut self, site: &Site) {
        let config = site.config();
        // Who came here by `cargo run` has no `stayhook` on the path.
        let program = std::env::current_exe().map_or_else(|_| "stayhook".to_owned(), |path| path.display().to_string());
        let stayhook = format!("{program} --config {}", config.display());
        let stay = "reservations show hospitable HMQ4KD7RZB";
        let again = SCENES.first().map(|scene| (scene.source, site.payload(scene)));
        self.line("", "");
        self.line(
            BOLD,
            "The daemon runs on; Ctrl-C ends it and removes its files. Look around (`send` posts once more):",
        );
        self.line("", &format!("  curl http://{}/api/v1/upcoming", site.admin));
        self.line("", &format!("  {stayhook} runs list"));
        self.line("", &format!("  {stayhook} {stay}"));
        if let Some((source, file)) = again {
            self.line("", &format!("  {stayhook} send {source} {}", file.display()));
        }
        self.line(
            DIM,
            &format!("The admin API is at http://{}/api/v1/openapi.json", site.admin),
        );
    }

    /// A line as it is.
    pub(super) fn plain(&mut self, text: &str) {
        self.line("", text);
    }

    /// A good end.
    pub(super) fn good(&mut self, text: &str) {
        self.line(GOOD, text);
    }

    /// A bad end.
    pub(super) fn bad(&mut self, text: &str) {
        self.line(BAD, text);
    }

    /// The first line of a scene.
    fn headed(&mut self, number: usize, at: Time, text: &str) {
        self.in_days = false;
        self.line("", "");
        let line = format!("{number:>2}  {}  {text}", day_and_time(at, self.zone));
        self.line(BOLD, &line);
    }

    /// A line that begins with a word; what is too long goes on below its text.
    fn told(&mut self, word: &str, paint: &str, text: &str) {
        let start = format!("    {word:<width$}", width = MARGIN - 4);
        let start = if start.chars().count() > MARGIN {
            format!("{start} ")
        } else {
            start
        };
        let mut lines = wrap(text, WIDTH - MARGIN).into_iter();
        let first = self.painted(paint, &lines.next().unwrap_or_default());
        self.raw(&format!("{start}{first}"));
        for rest in lines {
            let rest = self.painted(paint, &rest);
            self.raw(&format!("{:MARGIN$}{rest}", ""));
        }
    }

    fn wrapped(&mut self, text: &str, margin: usize, paint: &str) {
        for line in wrap(text, WIDTH - margin) {
            let line = format!("{:margin$}{line}", "");
            self.line(paint, &line);
        }
    }

    fn line(&mut self, paint: &str, text: &str) {
        let text = self.painted(paint, text);
        self.raw(&text);
    }

    fn painted(&self, paint: &str, text: &str) -> String {
        if !self.colour || paint.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{paint}m{text}\u{1b}[0m")
    }

    fn raw(&mut self, text: &str) {
        // A reader that has gone away (`| head`) does not end the demo; what it compares is compared all the same.
        let _ = writeln!(self.out, "{}", text.trim_end()).and_then(|()| self.out.flush());
    }
}

/// At most `width` characters, the last one `…` where something is cut off.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Lines of at most `width` characters, broken at spaces; a longer word stays whole. Text that fits keeps its spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width {
        return vec![text.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces() {
        for (text, lines) in [
            ("as it is", vec!["as it is"]),
            ("two  spaces", vec!["two  spaces"]),
            ("one two three four", vec!["one two", "three four"]),
            ("averyverylongword after", vec!["averyverylongword", "after"]),
        ] {
            assert_eq!(wrap(text, 11), lines, "{text}");
        }
        assert_eq!(shortened("abcdef", 4), "abc…");
    }
}
