//! What stands behind a line that YAML cannot read, said in our words, and the line mended in memory so that the rest of
//! the file can be read. What is mended is never accepted: it has been reported as a mistake.

mod comment;
mod flow;
mod indent;
mod line;
mod quote;
mod slip;

use std::collections::BTreeSet;

use crate::lang::diag::{Place, Report, lines, without_secrets_of};

pub(super) use comment::Comment;

use line::{before, children, column_of, indent_of, is_blank, parts, write};

/// After so many lines that YAML cannot read, the file is given up.
const MENDED_MAX: usize = 60;

/// A longer line, in bytes, is left out and not mended: nobody has written it by hand, and places in a line that was mended
/// are found by going through it.
const LINE_MAX: usize = 8 << 10;

/// Where the parser gave up.
pub(super) struct Trouble {
    pub(super) said: Said,
    /// From 1, in the text as it is mended so far.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
}

/// Why it gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The parser's own words; never shown.
    Parser(String),
    /// A key that is settings or a list: `{{ x }}`.
    OddKey,
    /// A key such as `on:{event`.
    KeyOfNoKind,
    /// A value that begins with `!`.
    Tag,
    /// Something after `---`.
    SecondDocument,
    /// Too many values, or too deeply nested.
    TooLarge,
}

impl Said {
    /// Whether the parser said one of these words.
    fn has(&self, words: &[&str]) -> bool {
        matches!(self, Said::Parser(said) if words.iter().any(|word| said.contains(word)))
    }
}

/// What is wrong, how to write it, and the lines that let the reading go on.
struct Mend {
    code: &'static str,
    /// From 0.
    line: usize,
    /// From 1, in characters of the line as it stands now.
    column: usize,
    title: String,
    help: Option<String>,
    /// The new text of lines (from 0); nothing where there is no way on.
    lines: Vec<(usize, String)>,
    /// Whether this is what the author meant for certain.
    sure: bool,
}

impl Mend {
    fn new(line: usize, column: usize, title: impl Into<String>) -> Mend {
        Mend {
            code: "yaml",
            line,
            column,
            title: title.into(),
            help: None,
            lines: Vec::new(),
            sure: true,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Mend {
        self.help = Some(help.into());
        self
    }

    fn with(mut self, line: usize, text: impl Into<String>) -> Mend {
        self.lines.push((line, text.into()));
        self
    }

    fn unsure(mut self) -> Mend {
        self.sure = false;
        self
    }
}

/// A text with its lines, as they were and as they are mended.
pub(super) struct Mended {
    text: String,
    original: Vec<String>,
    /// How many characters each of them has.
    widths: Vec<usize>,
    lines: Vec<String>,
    told: Vec<Told>,
    /// Lines whose content is a guess or gone, from 1.
    doubtful: BTreeSet<usize>,
    /// Lines the parser has given up at, from 1.
    seen: Vec<usize>,
}

struct Told {
    code: &'static str,
    line: usize,
    column: usize,
    title: String,
    help: Option<String>,
}

impl Mended {
    pub(super) fn new(text: &str) -> Mended {
        let lines: Vec<String> = lines(text).into_iter().map(str::to_owned).collect();
        Mended {
            text: text.to_owned(),
            original: lines.clone(),
            widths: lines.iter().map(|line| line.chars().count()).collect(),
            lines,
            told: Vec::new(),
            doubtful: BTreeSet::new(),
            seen: Vec::new(),
        }
    }

    /// The text as it is mended so far; as it was where nothing was.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Says what the parser gave up at and mends it. `false` where the reading cannot go on.
    pub(super) fn mend(&mut self, trouble: &Trouble) -> bool {
        let at = trouble.line.clamp(1, self.lines.len().max(1)) - 1;
        let tries = self.seen.iter().filter(|seen| **seen == at).count();
        self.seen.push(at);
        let long = self.lines.get(at).is_some_and(|line| line.len() > LINE_MAX);
        let mend = match tries {
            0 if !long => find(&self.lines, at, trouble),
            // What was tried has not helped: without the line, then.
            0 | 1 => slip::without(&self.lines, at),
            _ => return false,
        };
        let known = self
            .told
            .iter()
            .any(|told| told.line == mend.line + 1 && (tries > 0 || told.title == mend.title));
        if !(known || self.doubtful.contains(&(mend.line + 1))) {
            let column = self
                .column(mend.line + 1, mend.column)
                .min(self.width(mend.line + 1) + 1);
            let line = self.original.get(mend.line).map_or("", String::as_str);
            self.told.push(Told {
                code: mend.code,
                line: mend.line + 1,
                column,
                title: without_secrets_of(line, &mend.title),
                help: mend.help.map(|help| without_secrets_of(line, &help)),
            });
        }
        if mend.lines.is_empty() || self.seen.len() > MENDED_MAX {
            return false;
        }
        for (line, text) in mend.lines {
            if !mend.sure {
                self.doubtful.insert(line + 1);
            }
            if let Some(old) = self.lines.get_mut(line) {
                *old = text;
            }
        }
        self.text = self.lines.join("\n") + "\n";
        true
    }

    /// Reports what was mended, and that nothing is to be said that only follows from it.
    pub(super) fn tell(&self, file: &str, report: &mut Report) {
        for told in &self.told {
            let place = Place {
                file: file.into(),
                line: told.line,
                column: told.column,
            };
            let diagnostic = report.mistake(told.code, &place, told.title.clone());
            diagnostic.help = told.help.clone();
        }
        if !self.doubtful.is_empty() {
            report.doubt(file, self.doubtful.iter().copied());
        }
    }

    /// The column, in the line as its author wrote it, of a column of the mended line (both from 1).
    pub(super) fn column(&self, line: usize, column: usize) -> usize {
        let (Some(old), Some(new)) = (self.original.get(line - 1), self.lines.get(line - 1)) else {
            return column;
        };
        if old == new {
            return column;
        }
        let old: Vec<char> = old.chars().collect();
        let mut at = 0;
        // What was put in is passed over; where something was taken out or changed, the place is near enough.
        for c in new.chars().take(column - 1) {
            if old.get(at) == Some(&c) {
                at += 1;
            }
        }
        (at + 1).min(old.len() + 1)
    }

    /// Whether the character here was put in.
    pub(super) fn is_inserted(&self, line: usize, column: usize) -> bool {
        let (Some(old), Some(new)) = (self.original.get(line - 1), self.lines.get(line - 1)) else {
            return false;
        };
        old != new && old.chars().nth(self.column(line, column) - 1) != new.chars().nth(column - 1)
    }

    /// How many characters a line of the file has.
    pub(super) fn width(&self, line: usize) -> usize {
        self.widths.get(line - 1).copied().unwrap_or(0)
    }

    /// How many lines the file has; one at least.
    pub(super) fn height(&self) -> usize {
        self.original.len().max(1)
    }

    /// How far the first line with a text, from this one on (from 1), is indented.
    pub(super) fn indent_from(&self, line: usize) -> usize {
        let first = self.original.iter().skip(line - 1).find(|line| !line.trim().is_empty());
        first.map_or(0, |line| line.len() - line.trim_start().len())
    }

    /// Whether `text` stands in this place as one word.
    pub(super) fn is_one_word(&self, line: usize, at: usize, text: &str) -> bool {
        let rest: Option<String> = self.short(line).map(|line| line.chars().skip(at).collect());
        rest.is_some_and(|rest| {
            rest.strip_prefix(text)
                .is_some_and(|rest| rest.trim_start().starts_with([',', '}']))
                && !text.contains(' ')
        })
    }

    /// The comment right behind a value that begins at this character (line from 1, character from 0).
    pub(super) fn comment_after(&self, line: usize, at: usize, text: &str, quoted: bool) -> Option<Comment> {
        comment::after_value(self.short(line)?, at, text, quoted)
    }

    /// A line as it stands now; `None` where it is so long that looking at each of its words would go through it without
    /// end.
    fn short(&self, line: usize) -> Option<&str> {
        let line = self.lines.get(line.checked_sub(1)?)?;
        (line.len() <= LINE_MAX).then_some(line.as_str())
    }

    /// The comment right behind a key without a value on its line.
    pub(super) fn comment_after_key(&self, line: usize, at: usize, key: &str) -> Option<Comment> {
        comment::after_key(self.short(line)?, at, key)
    }
}

/// What stands behind the trouble: the first slip that fits.
fn find(lines: &[String], at: usize, trouble: &Trouble) -> Mend {
    if trouble.said == Said::TooLarge || trouble.said.has(&["recursion limit"]) {
        return Mend::new(at, trouble.column, "this file is too large or too deeply nested").code("too-large");
    }
    if trouble.said == Said::SecondDocument {
        return slip::second_document(lines, at);
    }
    let tries = [
        indent::tabs,
        indent::text_block,
        slip::odd_space,
        slip::no_space,
        quote::unclosed,
        quote::after_quotes,
        quote::backslash,
        flow::inside,
        quote::value,
        quote::value_above,
        flow::never_closed,
        slip::word_without_colon,
        indent::misplaced,
        slip::invisible,
    ];
    tries
        .iter()
        .find_map(|attempt| attempt(lines, at, trouble))
        .unwrap_or_else(|| slip::unknown(lines, at, trouble))
}

impl Mend {
    fn code(mut self, code: &'static str) -> Mend {
        self.code = code;
        self
    }
}
