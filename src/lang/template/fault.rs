//! What can be wrong with a template, in words for the person who wrote it.

use std::fmt;

/// A sentence about a template has no more characters, and an ellipsis.
const LONGEST: usize = 400;

/// A mistake in a template or in what it was asked to do, with its place inside the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// What is wrong, in one sentence.
    pub message: String,
    /// Line inside the source, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What to write instead, where that can be said.
    pub help: Option<String>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TemplateError {}

/// A mistake before its place is known: whoever knows the place fills it in once.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) at: Option<usize>,
}

/// What every internal step gives.
pub(super) type Outcome<T> = Result<T, Fault>;

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Fault {
        Fault {
            message: message.into(),
            help: None,
            at: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }

    /// The innermost place wins: it is closest to what has to be changed.
    pub(super) fn at(mut self, offset: usize) -> Fault {
        self.at.get_or_insert(offset);
        self
    }

    pub(super) fn placed(self, source: &str) -> TemplateError {
        let (line, column) = place(source, self.at.unwrap_or(0));
        TemplateError {
            message: short(self.message),
            line,
            column,
            help: self.help.map(short),
        }
    }
}

/// A text that may quote what was written or computed, cut where nobody would read on: it is stored with each run.
fn short(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Line and column, from 1, of a byte offset.
pub(super) fn place(source: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let before = source.get(..end).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}
