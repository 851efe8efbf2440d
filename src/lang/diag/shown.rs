//! The lines of a file as they may be shown: without the secrets that are typed into them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use super::did_you_mean;

/// Settings whose value is a secret wherever they stand, as parts of their names.
const SECRET: &str = "\
    password passwort passwd token secret api_key apikey api-key authorization cookie pasword passwrd \
    credential signature private_key access_key x-key";
/// Settings that only sound like it.
const NOT_SECRET: &str = "header tokens_of";
/// Sections of a configuration in which other values may be shown.
const OPEN: &str = "\
    listen public_url trusted_proxies timezone database recipes connectors dry_run redirect defaults \
    properties retention";
/// What a source says of bodies: nothing below these is a secret.
const MAPPING: &str = "\
    map reservation payment message event version partial ignore applies_to receipt_key emits items ping";
/// Settings of sources, connections and `admin` whose value is known to be harmless. Of all others it may be a secret, be
/// they misspelt or unknown.
const HARMLESS: &str = "\
    preset listen hosts metrics timezone live_from learn stays_of header algorithm encoding prefix separator \
    signed tolerance duplicate_window content_type allow_ips base_url method methods query challenge timeout \
    concurrency rate host port tls from format";
/// What stands in the place of a secret.
const MASK: &str = "•••";
/// A secret with fewer characters is a word wherever else it is found.
const SHORTEST: usize = 3;
/// A secret with so many characters is looked for in every message about its file.
const TELLING: usize = 8;
/// A longer key, or one with other characters than names have, is none that is known.
const KEY_MAX: usize = 64;

/// A line as it is shown.
pub(super) struct Shown {
    pub(super) text: String,
    /// The secrets that are not in it.
    hidden: Vec<(Range<usize>, String)>,
}

impl Shown {
    /// The column, in what is shown, of a column of the line (both from 1, in characters).
    pub(super) fn column(&self, column: usize) -> usize {
        let mask = MASK.chars().count();
        let mut shown = column;
        for (place, _) in &self.hidden {
            if column > place.end {
                shown = shown + mask - (place.end - place.start);
            } else if column > place.start + 1 {
                shown -= column - place.start - 1;
            }
        }
        shown
    }

    fn of(line: &str, mut hide: Vec<Range<usize>>) -> Shown {
        hide.retain(|range| !range.is_empty());
        hide.sort_by_key(|range| range.start);
        let count = |end: usize| line[..end].chars().count();
        let mut shown = Shown {
            text: String::new(),
            hidden: Vec::new(),
        };
        let mut done = 0;
        for range in hide {
            shown.text.push_str(&line[done..range.start]);
            shown.text.push_str(MASK);
            shown
                .hidden
                .push((count(range.start)..count(range.end), line[range.clone()].to_owned()));
            done = range.end;
        }
        shown.text.push_str(&line[done..]);
        shown
    }

    /// The secrets with at least so many characters.
    fn secrets(&self, least: usize) -> impl Iterator<Item = &str> {
        self.hidden
            .iter()
            .map(|(_, secret)| secret.trim_matches(['"', '\'', ' ', '}', ']']))
            .filter(move |secret| secret.chars().count() >= least)
    }
}

/// Takes secrets out of a text.
fn take_out<'s>(secrets: impl Iterator<Item = &'s str>, text: &mut String) {
    for secret in secrets {
        if text.contains(secret) {
            *text = text.replace(secret, MASK);
        }
    }
}

/// A text without the secrets of the line it is about.
pub(in crate::lang) fn without_secrets_of(line: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for shown in shown(&[line], false) {
        take_out(shown.secrets(SHORTEST), &mut text);
    }
    text
}

/// The secrets of a configuration that are looked for in all that is said about it, each once.
pub(super) fn telling(all: &[Shown]) -> BTreeSet<&str> {
    all.iter().flat_map(|shown| shown.secrets(TELLING)).collect()
}

/// Takes the secrets of a configuration, and those of the line it is about, out of what is said.
pub(super) fn clean(telling: &BTreeSet<&str>, own: Option<&Shown>, text: &mut String) {
    // A longer one first: what is left of it, once a shorter one in it was taken out, would be told.
    take_out(telling.iter().rev().copied(), text);
    take_out(own.into_iter().flat_map(|own| own.secrets(SHORTEST)), text);
}

/// A text without the user and the query of every address in it.
pub fn without_credentials(text: &str) -> String {
    match text.contains("://") {
        true => Shown::of(text, credentials(text)).text,
        false => text.to_owned(),
    }
}

/// Every line of a file. Of a configuration only what is known to be harmless is shown.
pub(super) fn shown(lines: &[impl AsRef<str>], configuration: bool) -> Vec<Shown> {
    let mut reading = Reading {
        configuration,
        keys: Vec::new(),
        flow: Vec::new(),
        open: None,
        section: RefCell::default(),
    };
    lines.iter().map(|line| reading.line(line.as_ref())).collect()
}

/// What goes on in the next line: a text in quotes, or one below `|` that is indented more than its key.
enum Open {
    Quote(char),
    Block(usize),
}

/// Where in a file it is: YAML read as far as this is needed, whatever is wrong with it.
struct Reading {
    configuration: bool,
    /// The keys above, with their columns.
    keys: Vec<(usize, String)>,
    /// The key in each open bracket.
    flow: Vec<Option<String>>,
    open: Option<Open>,
    /// The section that was asked for last, and whether it is open: asked for at every word.
    section: RefCell<(String, bool)>,
}

impl Reading {
    fn line(&mut self, line: &str) -> Shown {
        let end = line.trim_end().len();
        let indent = line.len() - line.trim_start().len();
        let mut hide = Vec::new();
        let mut at = indent.min(end);
        match self.open.take() {
            Some(Open::Block(of)) if at == end || indent > of => {
                self.open = Some(Open::Block(of));
                hide.push(at..end);
                return Shown::of(line, hide);
            }
            Some(Open::Quote(quote)) => match line[at..].find(quote) {
                None => {
                    self.open = Some(Open::Quote(quote));
                    hide.push(at..end);
                    return Shown::of(line, hide);
                }
                Some(close) => {
                    hide.push(at..at + close + 1);
                    at += close + 1;
                }
            },
            _ => {}
        }
        if at == indent && self.flow.is_empty() {
            while line[at..end].starts_with("- ") || &line[at..end] == "-" {
                self.keys.retain(|(column, _)| *column <= at);
                at += 1;
                at = (line.len() - line[at..].trim_start().len()).min(end);
            }
        }
        let column = at;
        let (mut after_key, mut anchored) = (false, false);
        while at < end {
            let rest = &line[at..end];
            let mut chars = rest.chars();
            let (c, next) = (chars.next().unwrap_or(' '), chars.next());
            match c {
                '#' if line[..at].ends_with([' ', '\t']) || at == 0 => {
                    let words = rest.trim_start_matches(['#', ' ']);
                    if self.is_closed() {
                        hide.push(end - words.len()..end);
                    }
                    break;
                }
                '{' if next != Some('{') => self.flow.push(None),
                '[' => self.flow.push(None),
                '}' | ']' if !self.flow.is_empty() => {
                    self.flow.pop();
                }
                ',' => self.flow.last_mut().into_iter().for_each(|key| *key = None),
                ':' => {}
                c if c.is_whitespace() => {}
                '&' | '!' | '*' if next.is_some_and(|c| !c.is_whitespace()) => {
                    anchored |= c == '&';
                    at += rest.find([' ', ',', '}', ']']).unwrap_or(rest.len());
                    continue;
                }
                _ => {
                    // White space that is none to YAML may be all that stands there: it is passed, never stood before.
                    let length = end_of_scalar(rest, !self.flow.is_empty(), after_key).max(c.len_utf8());
                    let (token, then) = (&rest[..length], rest[length..].trim_start());
                    let quoted = token.starts_with(['"', '\'']);
                    let is_key = then
                        .strip_prefix(':')
                        .is_some_and(|value| value.is_empty() || value.starts_with([' ', '\t']) || quoted);
                    if is_key && !(after_key && self.flow.is_empty()) {
                        if self.key(token.trim_matches(['"', '\'']), column) {
                            hide.push(at..at + length);
                        }
                        at = end - then.len() + 1;
                        after_key = true;
                        continue;
                    }
                    let block = token.starts_with(['|', '>']) && token[1..].trim().len() < 3 && self.flow.is_empty();
                    let hidden = self.hides(token, anchored);
                    if block && (self.is_closed() || self.last().is_some_and(is_secret)) {
                        self.open = Some(Open::Block(if after_key { column } else { indent }));
                    } else if hidden {
                        hide.push(at..at + length);
                    } else {
                        hide.extend(credentials(token).into_iter().map(|one| at + one.start..at + one.end));
                    }
                    let unclosed = quoted && (length == 1 || !token.ends_with(&token[..1]));
                    if unclosed && (hidden || self.is_closed()) {
                        self.open = token.chars().next().map(Open::Quote);
                    }
                    at += length;
                    continue;
                }
            }
            at += c.len_utf8();
        }
        Shown::of(line, hide)
    }

    /// Takes a key; says whether it may not be shown.
    fn key(&mut self, name: &str, column: usize) -> bool {
        match self.flow.last_mut() {
            Some(key) => *key = Some(name.to_owned()),
            None => {
                self.keys.retain(|(above, _)| *above < column);
                self.keys.push((column, name.to_owned()));
            }
        }
        let plain = |c: char| c.is_alphanumeric() || " _-.$*@/?<>".contains(c);
        self.is_closed() && !(name.chars().count() <= KEY_MAX && name.chars().all(plain))
    }

    fn path(&self) -> impl DoubleEndedIterator<Item = &str> {
        let keys = self.keys.iter().map(|(_, key)| key.as_str());
        keys.chain(self.flow.iter().flatten().map(String::as_str))
    }

    fn last(&self) -> Option<&str> {
        self.path().next_back()
    }

    /// Whether only what is known to be harmless may be shown here.
    fn is_closed(&self) -> bool {
        let is_open = |section: &str| {
            let mut known = self.section.borrow_mut();
            if known.0 != section {
                *known = (section.to_owned(), is_open(section));
            }
            known.1
        };
        self.configuration && !self.path().next().is_some_and(is_open) && !self.is_mapping()
    }

    fn is_mapping(&self) -> bool {
        let mut path = self.path();
        path.next() == Some("sources") && path.skip(1).any(|key| MAPPING.split(' ').any(|word| word == key))
    }

    /// Whether a value may not be shown.
    fn hides(&self, value: &str, anchored: bool) -> bool {
        let last = self.last();
        tells(value)
            && (last.is_some_and(is_secret)
                || self.configuration && anchored
                || self.is_closed() && !last.is_some_and(|key| means(key, HARMLESS)))
    }
}

/// Whether a key is one of these, or so long a word that it can only be a misspelt one of them.
fn means(key: &str, known: &str) -> bool {
    let known = || known.split(' ');
    let near = known().filter(|known| known.len().abs_diff(key.len()) <= 2);
    known().any(|known| known == key) || (5..=KEY_MAX).contains(&key.len()) && did_you_mean(key, near).is_some()
}

/// Whether a section, or the one it is a misspelt name of, holds nothing that has to be known as harmless first.
fn is_open(section: &str) -> bool {
    let all = OPEN.split(' ').chain(["sources", "connections", "admin"]);
    let meant = all
        .clone()
        .find(|name| *name == section)
        .or_else(|| did_you_mean(section, all));
    meant.is_some_and(|meant| OPEN.split(' ').any(|name| name == meant))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET.split(' ').any(|word| key.contains(word)) && !NOT_SECRET.split(' ').any(|word| key == word)
}

/// Where a key or a value ends: at its closing quotes, at the colon behind a key, at the comma or bracket of the settings
/// around it, at a comment, or with the line.
fn end_of_scalar(text: &str, flow: bool, after_key: bool) -> usize {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return text[1..].find(quote).map_or(text.len(), |at| at + 2);
    }
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        let then = text[at + c.len_utf8()..].chars().next();
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' | ']' if flow => return text[..at].trim_end().len(),
            ':' if (flow || !after_key) && then.is_none_or(char::is_whitespace) => return text[..at].trim_end().len(),
            '#' if before.is_whitespace() && at > 0 => return text[..at].trim_end().len(),
            _ => {}
        }
        before = c;
    }
    text.len()
}

/// Whether a value could be a secret: not what only says where the secret is.
fn tells(value: &str) -> bool {
    let bare = value.trim_matches(['"', '\'', ' ']);
    let variable = |text: &str| {
        text.starts_with("${") && text.find('}').is_none_or(|at| at == text.len() - 1) && !text.contains(":-")
    };
    let scheme = ["Bearer ", "Basic ", "Token "];
    let scheme = scheme.into_iter().find_map(|scheme| bare.strip_prefix(scheme));
    let nothing = matches!(bare, "" | "true" | "false" | "null" | "none" | "~")
        || ["$.", "@.", "query.", "header."]
            .iter()
            .any(|path| bare.starts_with(path));
    !(nothing || variable(bare) || scheme.is_some_and(variable))
}

/// Where an address ends: at a space or quotes, but not those within `{{ }}`.
fn end_of_address(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth <= 0 && (c.is_whitespace() || "\"'`<>".contains(c)) => return at,
            _ => {}
        }
    }
    text.len()
}

/// The users and the values of queries in the addresses of a text; not what a variable or a template puts there.
fn credentials(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let start = from + at + 3;
        let end = start + end_of_address(&text[start..]);
        let address = &text[start..end];
        let query = address.find('?').unwrap_or(address.len());
        let host = address[..query].find('/').unwrap_or(query);
        if let Some(user) = address[..host].rfind('@')
            && tells(&address[..user])
        {
            found.push(start..start + user);
        }
        let mut begin = (query + 1).min(address.len());
        for pair in address[begin..].split('&') {
            let value = pair.find('=').map_or(0, |at| at + 1);
            if tells(&pair[value..]) && !pair[value..].starts_with("{{") {
                found.push(start + begin + value..start + begin + pair.len());
            }
            begin += pair.len() + 1;
        }
        from = end;
    }
    found
}

#[cfg(test)]
mod tests;
