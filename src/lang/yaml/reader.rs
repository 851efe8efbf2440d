//! From the parser's events to a tree with places.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::mend::{Comment, Mended, Said, Trouble};
use super::{Block, Key, Kind, Node, Scalar};
use crate::lang::diag::{Place, Report};

/// A file with more nodes than this (anchors count every time they are used) is refused.
const NODES_MAX: usize = 200_000;
/// A file nested deeper than this is refused.
const DEPTH_MAX: usize = 64;

/// Reads one document of a text that may have been mended.
pub(super) struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    file: Arc<str>,
    mended: &'t Mended,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &str, mended: &'t Mended) -> Reader<'t> {
        Reader {
            parser: Parser::new_from_str(mended.text()),
            file: Arc::from(file),
            mended,
            anchors: HashMap::new(),
            nodes: 0,
        }
    }

    /// A place in the file as its author wrote it.
    fn place(&self, span: &Span) -> Place {
        // What is missing at the end stands behind the last line for the parser.
        let line = span.start.line().clamp(1, self.mended.height());
        let column = match span.start.line() > line {
            true => usize::MAX,
            false => self.mended.column(line, span.start.col() + 1),
        };
        Place {
            file: self.file.clone(),
            line,
            column: column.min(self.mended.width(line) + 1),
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Trouble> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let mark = error.marker();
                Err(Trouble {
                    said: Said::Parser(error.info().to_owned()),
                    line: mark.line().max(1),
                    column: mark.col() + 1,
                })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The document; nothing where the file is empty.
    pub(super) fn document(&mut self, report: &mut Report) -> Result<Option<Node>, Trouble> {
        let mut found = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(found),
                event if found.is_none() => {
                    let node = self.node(event, span, 0, report)?;
                    found = Some(node).filter(|node| !node.is_null());
                }
                _ => return Err(trouble(Said::SecondDocument, &span)),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize, report: &mut Report) -> Result<Node, Trouble> {
        let place = self.place(&span);
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return Err(trouble(Said::TooLarge, &span));
        }
        let before = self.nodes;
        let (anchor, kind) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                untagged(tag.as_deref(), &span)?;
                self.comment(&span, style, &text, report);
                (
                    anchor,
                    Kind::Scalar(self.scalar(text.into_owned(), style, &span, &place, report)),
                )
            }
            Event::SequenceStart(anchor, tag) => {
                untagged(tag.as_deref(), &span)?;
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, span, depth + 1, report)?);
                }
                (anchor, Kind::List(items))
            }
            Event::MappingStart(anchor, tag) => {
                untagged(tag.as_deref(), &span)?;
                (anchor, Kind::Map(self.map(&span, depth, report)?))
            }
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    return Err(trouble(Said::Parser("found unknown anchor".to_owned()), &span));
                };
                self.nodes += size;
                return Ok(node.clone());
            }
            _ => return Err(trouble(Said::Parser("unexpected eof".to_owned()), &span)),
        };
        let node = Node { place, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn scalar(&self, text: String, style: ScalarStyle, span: &Span, place: &Place, report: &mut Report) -> Scalar {
        let block = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => Some(self.block(&text, place.line)),
            _ => None,
        };
        let plain = style == ScalarStyle::Plain;
        if plain && text.starts_with(['“', '„', '‘']) && text.ends_with(['”', '“', '’']) {
            let bare = text.trim_matches(['“', '„', '‘', '”', '’']);
            report
                .warning("curly-quotes", place, "curly quotes are part of the text")
                .help(format!("quotes for YAML are straight ones: write `\"{bare}\"`"));
        }
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let inset = usize::from(quoted && !self.mended.is_inserted(span.start.line(), span.start.col() + 1));
        Scalar {
            text,
            plain,
            block,
            inset,
            room: self.mended.width(place.line) + 1,
        }
    }

    /// Where the lines of a block stand whose first line that is not empty is this one.
    fn block(&self, text: &str, line: usize) -> Block {
        let empty = text.len() - text.trim_start_matches('\n').len();
        let above = empty.min(line - 1);
        let from = line - above;
        let last = (from + text.matches('\n').count()).min(self.mended.height());
        Block {
            indent: self.mended.indent_from(line),
            above,
            rooms: (from..=last.max(from))
                .map(|line| self.mended.width(line) + 1)
                .collect(),
        }
    }

    /// What YAML takes for a comment although it was hardly meant as one: ` #12`, ` #{{ … }}`.
    fn comment(&self, span: &Span, style: ScalarStyle, text: &str, report: &mut Report) {
        let quoted = match style {
            ScalarStyle::Plain => false,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => true,
            _ => return,
        };
        let line = span.start.line().max(1);
        if let Some(comment) = self.mended.comment_after(line, span.start.col(), text, quoted) {
            self.tell_comment(line, comment, report);
        }
    }

    fn tell_comment(&self, line: usize, comment: Comment, report: &mut Report) {
        let place = Place {
            file: self.file.clone(),
            line,
            column: self.mended.column(line, comment.column),
        };
        let title = format!("for YAML a comment begins at this `#`: `{}` is left out", comment.text);
        let template = comment.text.contains("{{") || comment.text.contains("{%");
        // With a space it may be a comment about a template.
        let diagnostic = if template && !comment.text.starts_with("# ") {
            report.mistake("cut-by-comment", &place, title)
        } else {
            report.warning("cut-by-comment", &place, title)
        };
        diagnostic.help(format!(
            "if it belongs to the text, put the whole text in quotes: `{}`",
            comment.write
        ));
    }

    fn map(&mut self, start: &Span, depth: usize, report: &mut Report) -> Result<Vec<(Key, Node)>, Trouble> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut first_in: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            let place = self.place(&span);
            let text = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, style, _, tag) => {
                    untagged(tag.as_deref(), &span)?;
                    let text = text.into_owned();
                    if style == ScalarStyle::Plain && odd_key(&text) {
                        return Err(trouble(Said::KeyOfNoKind, &span));
                    }
                    text
                }
                // `{{ x }}` without quotes is settings with settings as their key.
                Event::MappingStart(..) | Event::SequenceStart(..) => return Err(trouble(Said::OddKey, start)),
                _ => return Err(trouble(Said::OddKey, &span)),
            };
            let (event, after) = self.next()?;
            if let Some(comment) = self
                .mended
                .comment_after_key(span.start.line(), span.start.col(), &text)
            {
                self.tell_comment(span.start.line(), comment, report);
            }
            let empty = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text.is_empty());
            if empty && text.contains(':') && self.mended.is_one_word(span.start.line(), span.start.col(), &text) {
                return Err(trouble(Said::KeyOfNoKind, &span));
            }
            let value = self.node(event, after, depth + 1, report)?;
            if let Some(line) = first_in.get(&text) {
                let scalar = matches!(value.kind, Kind::Scalar(_));
                report
                    .mistake(
                        "duplicate-key",
                        &place,
                        format!("`{text}` is there twice, first in line {line}"),
                    )
                    .help(match scalar {
                        true => format!(
                            "delete one of them; where several values may stand, they are a list: `{text}: [a, b]`"
                        ),
                        false => "put what stands below both under one of them".to_owned(),
                    });
            } else {
                first_in.insert(text.clone(), place.line);
                entries.push((Key { text, place }, value));
            }
        }
    }
}

/// A key that is a slip for certain: `on:{event`, or with a space that is none.
fn odd_key(text: &str) -> bool {
    [":{", ":[", ":\"", ":'"].iter().any(|slip| text.contains(slip)) || text.contains('\u{a0}')
}

fn trouble(said: Said, span: &Span) -> Trouble {
    Trouble {
        said,
        line: span.start.line().max(1),
        column: span.start.col() + 1,
    }
}

/// A word behind `!` has a meaning of its own in YAML, and none here: `status: != cancelled` would say `cancelled`.
fn untagged(tag: Option<&Tag>, span: &Span) -> Result<(), Trouble> {
    match tag {
        None => Ok(()),
        Some(_) => Err(trouble(Said::Tag, span)),
    }
}
