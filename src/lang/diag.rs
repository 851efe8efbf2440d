//! Mistakes of users, each with its place, what was expected and a correction.

mod shown;

use std::collections::{BTreeSet, HashMap};
use std::fmt::{Display, Write as _};
use std::sync::Arc;

pub use shown::without_credentials;
pub(super) use shown::without_secrets_of;

/// At most so many characters of a line are shown.
const LINE_MAX: usize = 160;

/// The lines of a text as YAML counts them: a carriage return alone ends one too.
pub fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .flat_map(|line| line.split('\r'))
        .collect();
    if text.is_empty() || text.ends_with(['\n', '\r']) {
        lines.pop();
    }
    lines
}

/// A place in a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The file cannot be used like this.
    Mistake,
    /// It can, but probably not as meant.
    Warning,
}

/// One thing to tell the author of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable short name: `unknown-key`.
    pub code: &'static str,
    /// One sentence: what is wrong.
    pub title: String,
    /// Where.
    pub place: Option<Place>,
    /// What to write instead.
    pub help: Option<String>,
}

/// All that there is to tell about a set of files.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order found.
    pub items: Vec<Diagnostic>,
    doubtful: Vec<Doubtful>,
    /// The files of which only what is known to be harmless is shown.
    configurations: Vec<Arc<str>>,
    /// What was found in doubtful places; the last one only, for its help to be written to.
    dropped: Option<Diagnostic>,
}

/// A file of which lines are not what their author wrote.
#[derive(Clone, Debug)]
struct Doubtful {
    file: Arc<str>,
    lines: BTreeSet<usize>,
}

/// What is said where something is missing: it says nothing of a file of which a part could not be read.
const ABSENT: &[&str] = &[
    "missing-key",
    "missing-credential",
    "no-auth",
    "no-mapping",
    "no-sources",
    "nameless",
    "expected-trigger",
    "expected-list",
    "expected-settings",
    "unknown-name",
    "unknown-source",
    "empty-condition",
    "bad-action",
    "bad-retry",
];

impl Report {
    /// An empty report.
    pub fn new() -> Report {
        Report::default()
    }

    /// Adds a mistake.
    pub fn mistake(&mut self, code: &'static str, place: &Place, title: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Mistake, code, Some(place.clone()), title.into())
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: &'static str, place: &Place, title: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, code, Some(place.clone()), title.into())
    }

    /// Adds something that has no place in a file.
    pub fn general(&mut self, code: &'static str, title: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Mistake, code, None, title.into())
    }

    /// Warns of something that has no place in a file.
    pub fn general_warning(&mut self, code: &'static str, title: impl Into<String>) -> &mut Diagnostic {
        self.add(Severity::Warning, code, None, title.into())
    }

    fn add(&mut self, severity: Severity, code: &'static str, place: Option<Place>, title: String) -> &mut Diagnostic {
        let item = Diagnostic {
            severity,
            code,
            title: shown::without_credentials(&title),
            place,
            help: None,
        };
        if self.is_doubtful(&item) {
            return self.dropped.insert(item);
        }
        let at = self.items.len();
        self.items.push(item);
        &mut self.items[at]
    }

    /// These lines of a file have been reported and are not read as their author wrote them: from now on nothing is said
    /// about them, nor that something is missing in this file.
    pub fn doubt(&mut self, file: &str, lines: impl IntoIterator<Item = usize>) {
        self.doubtful.push(Doubtful {
            file: file.into(),
            lines: lines.into_iter().collect(),
        });
    }

    fn is_doubtful(&self, item: &Diagnostic) -> bool {
        let Some(place) = &item.place else { return false };
        let mut doubtful = self.doubtful.iter().filter(|one| one.file == place.file);
        doubtful.any(|one| one.lines.contains(&place.line) || ABSENT.contains(&item.code))
    }

    /// This file is a configuration: it may hold secrets anywhere.
    pub fn configuration(&mut self, file: &str) {
        self.configurations.push(file.into());
    }

    /// Takes what may be a secret in a configuration out of what is said about it from `from` on.
    pub fn clean(&mut self, from: usize, file: &str, text: &str) {
        if self.items.len() == from {
            return;
        }
        let shown = shown::shown(&lines(text), true);
        let telling = shown::telling(&shown);
        for item in &mut self.items[from..] {
            let place = item.place.as_ref().filter(|place| *place.file == *file);
            let own = place.and_then(|place| shown.get(place.line.checked_sub(1)?));
            shown::clean(&telling, own, &mut item.title);
            item.help.iter_mut().for_each(|help| shown::clean(&telling, own, help));
        }
    }

    /// Whether there is a mistake, not only warnings.
    pub fn has_mistakes(&self) -> bool {
        self.items.iter().any(|item| item.severity == Severity::Mistake)
    }

    /// How many mistakes there are so far; compare before and after reading a part.
    pub fn mistakes(&self) -> usize {
        self.items
            .iter()
            .filter(|item| item.severity == Severity::Mistake)
            .count()
    }

    /// Everything as it is told: what belongs to one file together, in the order of its lines. Files stay in the order in
    /// which they came up, and what has no place comes first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut files: Vec<&Arc<str>> = Vec::new();
        for place in self.items.iter().filter_map(|item| item.place.as_ref()) {
            if !files.contains(&&place.file) {
                files.push(&place.file);
            }
        }
        let mut sorted: Vec<&Diagnostic> = self.items.iter().collect();
        sorted.sort_by_cached_key(|item| {
            let place = item.place.as_ref();
            place.map(|place| {
                let file = files.iter().position(|file| **file == place.file);
                (file, place.line, place.column)
            })
        });
        sorted
    }

    /// The text for a terminal, with the line of the file shown where `text_of` has it.
    pub fn render(&self, text_of: impl Fn(&str) -> Option<String>) -> String {
        let mut texts = Texts::new(self, &text_of);
        self.sorted().iter().map(|item| item.text(&mut texts)).collect()
    }
}

/// The texts of files, each asked for once.
pub struct Texts<'f> {
    text_of: &'f dyn Fn(&str) -> Option<String>,
    configurations: Vec<Arc<str>>,
    /// The lines of each file.
    known: HashMap<Arc<str>, Option<Vec<shown::Shown>>>,
}

impl std::fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texts(…)")
    }
}

impl<'f> Texts<'f> {
    /// Texts from where `text_of` finds them, for showing what a report says.
    pub fn new(report: &Report, text_of: &'f dyn Fn(&str) -> Option<String>) -> Texts<'f> {
        Texts {
            text_of,
            configurations: report.configurations.clone(),
            known: HashMap::new(),
        }
    }

    /// The line of a place, at most 160 characters of it, without the secrets that are typed into it.
    pub fn line(&mut self, place: &Place) -> Option<String> {
        self.shown(place).map(|(line, _)| line)
    }

    /// The line, and the column of the place in it.
    fn shown(&mut self, place: &Place) -> Option<(String, usize)> {
        let text_of = self.text_of;
        let configuration = self.configurations.contains(&place.file);
        let read = || Some(shown::shown(&lines(&text_of(&place.file)?), configuration));
        let known = self.known.entry(place.file.clone()).or_insert_with(read);
        let shown = known.as_ref()?.get(place.line.checked_sub(1)?)?;
        let column = shown.column(place.column);
        // Nothing in a file steers a terminal.
        let shown = shown.text.chars().take(LINE_MAX);
        let shown = shown.map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c });
        Some((shown.collect(), column))
    }
}

impl Diagnostic {
    /// Adds what to write instead.
    pub fn help(&mut self, help: impl Into<String>) {
        self.help = Some(shown::without_credentials(&help.into()));
    }

    /// Asks whether this was meant, where anything near was found; else says the other thing, if that says anything.
    pub fn meant(&mut self, near: Option<impl Display>, otherwise: impl Into<String>) {
        match near {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => {
                let otherwise = otherwise.into();
                if !otherwise.is_empty() {
                    self.help(otherwise);
                }
            }
        }
    }

    /// As it is told everywhere: what, where, the line, and what to write instead.
    pub fn text(&self, texts: &mut Texts<'_>) -> String {
        let mut out = String::new();
        let word = self.severity.word();
        // Writing into a String cannot fail.
        let _ = match &self.place {
            Some(Place { file, line, column }) => {
                writeln!(
                    out,
                    "{word}[{}] {file}, line {line}, column {column}: {}",
                    self.code, self.title
                )
            }
            None => writeln!(out, "{word}[{}]: {}", self.code, self.title),
        };
        if let Some(place) = &self.place
            && let Some((source, column)) = texts.shown(place)
        {
            // A tab is as wide in front of the mark as in the line.
            let before = source.chars().chain(std::iter::repeat(' '));
            let gap: String = before
                .take(column.saturating_sub(1).min(LINE_MAX))
                .map(|c| if c == '\t' { c } else { ' ' })
                .collect();
            let _ = writeln!(out, "{:>5} | {source}\n      | {gap}^", place.line);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "      = {help}");
        }
        out
    }
}

impl Severity {
    /// `mistake` or `warning`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Mistake => "mistake",
            Severity::Warning => "warning",
        }
    }
}

/// The nearest of `known` to `word`, where one is near enough to be meant. None where two are equally near, nor what is
/// spelled alike and means something else: with another number in it, or the opposite.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + word.chars().count() / 5;
    let near = known
        .into_iter()
        .filter(|candidate| !means_something_else(word, candidate));
    let mut near: Vec<(usize, &str)> = near
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= limit)
        .collect();
    near.sort_unstable();
    near.dedup();
    match near.as_slice() {
        [(first, _), (second, _), ..] if first == second => None,
        [(_, candidate), ..] => Some(candidate),
        [] => None,
    }
}

/// `lock2` is no misspelt `lock1`, and `unconfirmed` no misspelt `confirmed`.
fn means_something_else(word: &str, candidate: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_lowercase();
    let (a, b) = (last(word), last(candidate));
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let turned = long
        .strip_suffix(short.as_str())
        .map(|head| head.trim_end_matches(['_', '-', ' ']));
    let written = digits(word);
    !written.is_empty() && written != digits(candidate)
        || turned.is_some_and(|head| ["un", "in", "non", "not", "no", "dis"].contains(&head))
}

/// Edit distance with transpositions (optimal string alignment), ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().take(64).collect();
    let b: Vec<char> = b.to_lowercase().chars().take(64).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}
