//! YAML as a tree that remembers where everything stands.

mod advice;

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Value;

use super::diag::{Place, Report};

/// A file with more nodes than this (anchors count every time they are used) is refused.
const NODES_MAX: usize = 200_000;
/// A file nested deeper than this is refused.
const DEPTH_MAX: usize = 64;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Text, a number, a word: all that is not a list and not settings.
    Scalar(Scalar),
    /// `- a` or `[a, b]`.
    List(Vec<Node>),
    /// `key: value`; keys are texts, with their own place.
    Map(Vec<(Key, Node)>),
}

/// A text with the way it was written.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text itself.
    pub text: String,
    /// Whether it was written without quotes: only then can it mean a number, `true` or nothing.
    pub plain: bool,
    /// How far the lines of a block (`|`) are indented; its `place` is where its first line begins.
    block_indent: Option<usize>,
}

/// A key of settings.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

/// Reads one YAML document; what is wrong goes to the report. An empty file is empty settings.
pub fn parse(file: &str, text: &str, report: &mut Report) -> Option<Node> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        file: Arc::from(file),
        lines: text.lines().collect(),
        anchors: HashMap::new(),
        nodes: 0,
    };
    let start = Place {
        file: reader.file.clone(),
        line: 1,
        column: 1,
    };
    match reader.document(report) {
        Ok(Some(node)) => Some(node),
        Ok(None) => Some(Node {
            place: start,
            kind: Kind::Map(Vec::new()),
        }),
        Err(()) => None,
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    file: Arc<str>,
    lines: Vec<&'t str>,
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn place(&self, span: &Span) -> Place {
        Place {
            file: self.file.clone(),
            line: span.start.line().max(1),
            column: span.start.col() + 1,
        }
    }

    fn next(&mut self, report: &mut Report) -> Result<(Event<'t>, Span), ()> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let mark = error.marker();
                let place = Place {
                    file: self.file.clone(),
                    line: mark.line().max(1),
                    column: mark.col() + 1,
                };
                let title = format!("this is not readable as YAML: {}", error.info());
                let line = self.lines.get(place.line - 1).copied().unwrap_or_default();
                let diagnostic = report.mistake("yaml", &place, title);
                if let Some(advice) = advice::on(error.info(), line) {
                    diagnostic.help(advice);
                }
                Err(())
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self, report: &mut Report) -> Result<Option<Node>, ()> {
        let mut found = None;
        loop {
            let (event, span) = self.next(report)?;
            match event {
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(found),
                event if found.is_none() => {
                    let node = self.node(event, span, 0, report)?;
                    found = Some(node).filter(|node| !node.is_null());
                }
                _ => {
                    let place = self.place(&span);
                    report.mistake(
                        "second-document",
                        &place,
                        "a file holds one document; a second one begins here",
                    );
                    return Err(());
                }
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize, report: &mut Report) -> Result<Node, ()> {
        let place = self.place(&span);
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            report.mistake("too-large", &place, "this file is too large or too deeply nested");
            return Err(());
        }
        let before = self.nodes;
        let (anchor, kind) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let block_indent = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        let first = self
                            .lines
                            .iter()
                            .skip(place.line - 1)
                            .find(|line| !line.trim().is_empty());
                        Some(first.map_or(0, |line| line.len() - line.trim_start().len()))
                    }
                    _ => None,
                };
                let plain = style == ScalarStyle::Plain;
                (
                    anchor,
                    Kind::Scalar(Scalar {
                        text: text.into_owned(),
                        plain,
                        block_indent,
                    }),
                )
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next(report)?;
                    if matches!(event, Event::SequenceEnd) {
                        break;
                    }
                    items.push(self.node(event, span, depth + 1, report)?);
                }
                (anchor, Kind::List(items))
            }
            Event::MappingStart(anchor, _) => (anchor, Kind::Map(self.map(depth, report)?)),
            Event::Alias(id) => {
                let Some((node, size)) = self.anchors.get(&id) else {
                    report.mistake("unknown-anchor", &place, "this `*name` has no `&name` before it");
                    return Err(());
                };
                self.nodes += size;
                return Ok(node.clone());
            }
            _ => {
                report.mistake("yaml", &place, "this is not readable as YAML: it ends too early");
                return Err(());
            }
        };
        let node = Node { place, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn map(&mut self, depth: usize, report: &mut Report) -> Result<Vec<(Key, Node)>, ()> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, span) = self.next(report)?;
            let place = self.place(&span);
            let text = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    report
                        .mistake("odd-key", &place, "a key has to be a text")
                        .help("a value that begins with `{` or `[` has to stand in quotes: \"{{ … }}\"");
                    return Err(());
                }
            };
            let (event, span) = self.next(report)?;
            let value = self.node(event, span, depth + 1, report)?;
            if let Some((first, _)) = entries.iter().find(|(key, _)| key.text == text) {
                let line = first.place.line;
                report.mistake(
                    "duplicate-key",
                    &place,
                    format!("`{text}` is there twice, first in line {line}"),
                );
            } else {
                entries.push((Key { text, place }, value));
            }
        }
    }
}

impl Node {
    /// Whether there is nothing: an empty plain scalar, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(s) if s.plain && matches!(s.text.as_str(), "" | "~" | "null"))
    }

    /// The scalar's text, whatever it looks like; `None` for lists and settings.
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The items of a list; one single value counts as a list of one; nothing as an empty list.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ if self.is_null() => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The entries of settings; empty for everything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What it is, in the words of a recipe's author.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "settings",
            Kind::Scalar(_) if self.is_null() => "nothing",
            Kind::Scalar(_) => "a text",
        }
    }

    /// As JSON: plain scalars may be numbers, `true`, `false` or null; `0042`, `+15550100`, `NO` and `10:00` stay text.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::List(items) => Value::Array(items.iter().map(Node::value).collect()),
            Kind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, node)| (key.text.clone(), node.value()))
                    .collect(),
            ),
            Kind::Scalar(_) if self.is_null() => Value::Null,
            Kind::Scalar(scalar) if !scalar.plain => Value::String(scalar.text.clone()),
            Kind::Scalar(scalar) => match scalar.text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                text if text.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                    && !text.contains(['e', 'E']) =>
                {
                    // JSON's grammar of numbers is just the one that does not change what was written.
                    serde_json::from_str(text)
                        .ok()
                        .filter(Value::is_number)
                        .unwrap_or_else(|| text.into())
                }
                text => text.into(),
            },
        }
    }

    /// The place in the file of a place inside this scalar's text (both counted from 1).
    pub fn place_inside(&self, line: usize, column: usize) -> Place {
        let mut place = self.place.clone();
        if let Kind::Scalar(scalar) = &self.kind {
            match scalar.block_indent {
                Some(indent) => {
                    place.line += line - 1;
                    place.column = indent + column;
                }
                None if line == 1 => place.column += column - 1 + usize::from(!scalar.plain),
                None => {}
            }
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        let mut report = Report::new();
        let node = parse("f.yaml", text, &mut report);
        assert!(!report.has_mistakes(), "{}", report.render(|_| None));
        node.map(|node| node.value()).unwrap_or_default()
    }

    fn mistakes(text: &str) -> String {
        let mut report = Report::new();
        parse("f.yaml", text, &mut report);
        report
            .items
            .iter()
            .map(|item| item.title.clone())
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn what_looks_like_a_number_is_one_only_if_nothing_is_lost() {
        assert_eq!(
            read("[1, -2, 1.50, 0042, +1555, NO, 10:00, true, \"1\", ~, 1e3]").to_string(),
            r#"[1,-2,1.50,"0042","+1555","NO","10:00",true,"1",null,"1e3"]"#
        );
    }

    #[test]
    fn places_are_those_of_keys_and_values() {
        let node = parse("f.yaml", "a:\n  bc: |\n    one\n    {{ two }}\n", &mut Report::new()).unwrap();
        let (key, inner) = &node.entries()[0].1.entries()[0];
        assert_eq!((key.place.line, key.place.column), (2, 3));
        let place = inner.place_inside(2, 4);
        assert_eq!((place.line, place.column), (4, 8));
    }

    #[test]
    fn duplicate_keys_and_bombs_are_mistakes() {
        assert!(mistakes("a: 1\nb: 2\na: 3").contains("`a` is there twice, first in line 1"));
        let mut bomb = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
        for n in 1..9 {
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(","));
        }
        assert!(mistakes(&bomb).contains("too large"));
        assert!(
            mistakes(&"[".repeat(5000)).contains("too deeply nested") || mistakes(&"[".repeat(5000)).contains("YAML")
        );
    }
}
