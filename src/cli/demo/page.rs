//! Where the story is told: on a terminal, or into a pipe.

use std::io::Write;

use super::super::print::wrapped;

/// The widest line, in characters.
const WIDTH: usize = 100;
/// Where the text of a line begins, behind its word.
const MARGIN: usize = 14;

/// How a line is painted on a terminal.
pub(super) const BOLD: &str = "1";
pub(super) const DIM: &str = "2";
pub(super) const BAD: &str = "31";
pub(super) const GOOD: &str = "32";
pub(super) const PLAN: &str = "33";
pub(super) const OUT: &str = "36";

/// The page.
pub(super) struct Page<'w> {
    out: &'w mut dyn Write,
    colour: bool,
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut dyn Write, colour: bool) -> Page<'w> {
        Page { out, colour }
    }

    /// A line that begins with a word; what is too long goes on below its text.
    pub(super) fn told(&mut self, word: &str, paint: &str, text: &str) {
        let mut start = format!("    {word:<9} ");
        for line in lines(text, WIDTH - MARGIN) {
            let line = self.painted(paint, &line);
            self.plain(&format!("{start}{line}"));
            start = " ".repeat(MARGIN);
        }
    }

    /// The same, in one line.
    pub(super) fn shortened(&mut self, text: &str) {
        let most = WIDTH - MARGIN;
        let cut: String = match text.chars().count() > most {
            true => text.chars().take(most - 1).chain(['…']).collect(),
            false => text.to_owned(),
        };
        self.told("", DIM, &cut);
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, paint: &str, text: &str) {
        for line in lines(text, WIDTH) {
            let line = self.painted(paint, &line);
            self.plain(&line);
        }
    }

    /// A good end.
    pub(super) fn good(&mut self, text: &str) {
        self.paragraph(GOOD, text);
    }

    /// A bad end.
    pub(super) fn bad(&mut self, text: &str) {
        self.paragraph(BAD, text);
    }

    /// A line as it is.
    pub(super) fn plain(&mut self, text: &str) {
        // A reader that has gone away (`| head`) does not end the demo; what it compares is compared all the same.
        let _ = writeln!(self.out, "{}", text.trim_end()).and_then(|()| self.out.flush());
    }

    fn painted(&self, paint: &str, text: &str) -> String {
        match self.colour && !paint.is_empty() {
            true => format!("\u{1b}[{paint}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

/// Lines of at most so many characters; text that fits keeps its spaces.
fn lines(text: &str, width: usize) -> Vec<String> {
    match text.chars().count() <= width {
        true => vec![text.to_owned()],
        false => wrapped(text, width, ""),
    }
}
