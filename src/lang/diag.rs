//! Mistakes of users, each with its place, what was expected and a correction.

use std::fmt::Write as _;
use std::sync::Arc;

/// A place in a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file cannot be used like this.
    Mistake,
    /// It can, but probably not as meant.
    Warning,
}

/// One thing to tell the author of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

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

    fn add(&mut self, severity: Severity, code: &'static str, place: Option<Place>, title: String) -> &mut Diagnostic {
        let at = self.items.len();
        self.items.push(Diagnostic {
            severity,
            code,
            title,
            place,
            help: None,
        });
        &mut self.items[at]
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

    /// The text for a terminal, with the line of the file shown where `text_of` has it.
    pub fn render(&self, text_of: impl Fn(&str) -> Option<String>) -> String {
        let mut out = String::new();
        for item in &self.items {
            item.render(&mut out, &text_of);
        }
        out
    }
}

impl Diagnostic {
    /// Adds what to write instead.
    pub fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }

    fn render(&self, out: &mut String, text_of: &impl Fn(&str) -> Option<String>) {
        let word = match self.severity {
            Severity::Mistake => "mistake",
            Severity::Warning => "warning",
        };
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
            && let Some(text) = text_of(&place.file)
            && let Some(source) = text.lines().nth(place.line.saturating_sub(1))
        {
            let source: String = source.chars().take(160).collect();
            let gap = " ".repeat(place.column.saturating_sub(1).min(160));
            let _ = writeln!(out, "{:>5} | {source}\n      | {gap}^", place.line);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "      = {help}");
        }
    }
}

/// The nearest of `known` to `word`, where one is near enough to be meant.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + word.chars().count() / 4;
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
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
