//! YAML as a tree that remembers where everything stands.

mod mend;
mod reader;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::diag::{Place, Report};
use mend::Mended;
use reader::Reader;

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
    /// Where the lines of a block (`|`) stand; its `place` is where its first line that is not empty begins.
    block: Option<Block>,
    /// How many characters of the file stand between `place` and the text: the opening quote, where there is one.
    inset: usize,
    /// The last column of the line it begins on; a text over several lines has no column behind it.
    room: usize,
}

/// The lines of a block.
#[derive(Clone, Debug)]
struct Block {
    /// How far they are indented.
    indent: usize,
    /// How many empty lines come before `place`.
    above: usize,
    /// The column behind the last character of each line of the file, from the first empty one on; never none.
    rooms: Vec<usize>,
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
///
/// Where YAML itself gives up, the line is reported in our words, mended in memory, and the reading goes on, so that the
/// other mistakes of the file are found too: a node is no sign that the file is right, the report is. What can only follow
/// from a mended line is not reported. `None` only where there is nothing to read on with.
pub fn parse(file: &str, text: &str, report: &mut Report) -> Option<Node> {
    let mut mended = Mended::new(text);
    loop {
        // Only what the last pass finds is known for the whole file.
        let mut found = Report::new();
        let read = Reader::new(file, &mended).document(&mut found);
        let given_up = match read {
            Ok(node) => {
                report.items.append(&mut found.items);
                mended.tell(file, report);
                return Some(node.unwrap_or_else(|| nothing(file)));
            }
            Err(trouble) => !mended.mend(&trouble),
        };
        if given_up {
            report.items.append(&mut found.items);
            mended.tell(file, report);
            return None;
        }
    }
}

fn nothing(file: &str) -> Node {
    Node {
        place: Place {
            file: file.into(),
            line: 1,
            column: 1,
        },
        kind: Kind::Map(Vec::new()),
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

    /// The value of a key of settings.
    pub fn at(&self, key: &str) -> Option<&Node> {
        let mut entries = self.entries().iter();
        entries.find(|(found, _)| found.text == key).map(|(_, node)| node)
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
            match &scalar.block {
                Some(block) => {
                    // What was mended or folded has not the lines of the file.
                    let at = (line - 1).min(block.rooms.len().saturating_sub(1));
                    place.line = place.line - block.above + at;
                    place.column = (block.indent + column).min(block.rooms.get(at).copied().unwrap_or(1));
                }
                None if line == 1 => {
                    place.column = (place.column + column - 1 + scalar.inset).min(scalar.room);
                }
                None => {}
            }
        }
        place
    }
}
