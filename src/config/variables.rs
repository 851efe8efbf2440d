//! `${VAR}`, `${VAR:-default}` and `${file:PATH}`, replaced in what YAML has read: a value can never become YAML, and
//! keys are left alone.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::lang::diag::{Place, Report, without_credentials};
use crate::lang::fields::is_name;
use crate::lang::yaml::{Kind, Node};

use super::{Env, once, recipes};

/// The largest file that `${file:…}` reads, in bytes.
const FILE_MAX: u64 = 64 << 10;
/// A value shorter than this is an ordinary word wherever else it is found.
const TELLING: usize = 8;

/// What was replaced, so that no message repeats a value that may be a secret.
pub(super) struct Filled {
    /// Scalars with a variable in them: where, as written, the value.
    filled: Vec<(Place, String, String)>,
    /// Scalars that could not be filled: what else is wrong with them says nothing.
    failed: Vec<Place>,
}

/// Fills the variables in.
pub(super) fn fill(root: &mut Node, base: &Path, env: Env<'_>, report: &mut Report) -> Filled {
    let from = report.items.len();
    let mut filled = Filled {
        filled: Vec::new(),
        failed: Vec::new(),
    };
    node(root, base, env, &mut filled, report);
    // What an anchor stands for is looked at every time it is used.
    once(from, report);
    filled
}

impl Filled {
    /// Goes over the diagnostics from `from` on: what follows from a missing variable is dropped, values become the
    /// variable's name again.
    pub(super) fn tidy(&self, from: usize, report: &mut Report) {
        let failed: HashSet<&Place> = self.failed.iter().collect();
        let mut own: HashMap<&Place, Vec<Shown<'_>>> = HashMap::new();
        let mut telling = Vec::new();
        let mut seen = HashSet::new();
        // An address has lost its user and query in what was said by now.
        let masked = self.filled.iter().filter_map(|(place, written, value)| {
            let masked = without_credentials(value);
            (masked != *value).then(|| (place.clone(), written.clone(), masked))
        });
        let masked: Vec<_> = masked.collect();
        for (place, written, value) in self.filled.iter().chain(&masked) {
            let shown = (value.as_str(), written.as_str());
            if value.len() >= TELLING && seen.insert(value) {
                telling.push(shown);
            } else if (2..TELLING).contains(&value.len()) {
                own.entry(place).or_default().push(shown);
            }
        }
        // What is left of a long value, once a shorter one in it was replaced, would be told.
        let longest_first = |all: &mut Vec<Shown<'_>>| all.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        longest_first(&mut telling);
        own.values_mut().for_each(longest_first);
        let items = report.items.split_off(from);
        for mut item in items {
            if item.place.as_ref().is_some_and(|place| failed.contains(place)) {
                continue;
            }
            let own = item.place.as_ref().and_then(|place| own.get(place));
            for (value, written) in telling.iter().chain(own.into_iter().flatten()) {
                for text in [Some(&mut item.title), item.help.as_mut()].into_iter().flatten() {
                    if text.contains(value) {
                        *text = text.replace(value, written);
                    }
                }
            }
            report.items.push(item);
        }
    }
}

/// A value, and the variable that is shown for it.
type Shown<'f> = (&'f str, &'f str);

fn node(node: &mut Node, base: &Path, env: Env<'_>, filled: &mut Filled, report: &mut Report) {
    match &mut node.kind {
        Kind::List(items) => {
            return items
                .iter_mut()
                .for_each(|item| self::node(item, base, env, filled, report));
        }
        Kind::Map(entries) => {
            let values = entries.iter_mut().map(|(_, value)| value);
            return values.for_each(|value| self::node(value, base, env, filled, report));
        }
        Kind::Scalar(scalar) if !scalar.text.contains("${") => {
            return without_braces(&scalar.text, &node.place, report);
        }
        Kind::Scalar(_) => {}
    }
    let before = report.mistakes();
    let written = node.scalar().unwrap_or_default().to_owned();
    let mut value = text(node, &written, base, env, filled, report);
    if report.mistakes() > before {
        // As written, it is at least not empty: whether something is there at all can still be said.
        filled.failed.push(node.place.clone());
        value = written;
    }
    if let Kind::Scalar(scalar) = &mut node.kind {
        scalar.plain = false;
        scalar.text = value;
    }
}

/// Warns of `$NAME`, which is a variable to a shell and mere letters here. What stands there may be a secret: it is not said.
fn without_braces(text: &str, place: &Place, report: &mut Report) {
    let is_variable = |name: &str| name.len() > 2 && is_name(name) && name.to_ascii_uppercase() == name;
    let mut names = text.split_whitespace().filter_map(|word| word.strip_prefix('$'));
    if names.any(is_variable) {
        report
            .warning("variable", place, "a variable without braces is not filled in")
            .help("write `${NAME}` instead of `$NAME`, in quotes");
    }
}

/// One scalar with all its variables filled in.
fn text(node: &Node, written: &str, base: &Path, env: Env<'_>, filled: &mut Filled, report: &mut Report) -> String {
    let mut out = String::new();
    let mut rest = written;
    while let Some(at) = rest.find("${") {
        let here = written.len() - rest.len() + at;
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at]);
            out.push('{');
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let place = place_of(node, written, here);
        let Some(end) = rest[at..].find('}') else {
            report
                .mistake("variable", &place, "`${` without a `}`")
                .help("a variable is written `${NAME}`; for the characters themselves write `$${`");
            return written.to_owned();
        };
        let inside = &rest[at + 2..at + end];
        if let Some(value) = value(inside, &place, base, env, report) {
            out.push_str(&value);
            filled
                .filled
                .push((node.place.clone(), format!("${{{inside}}}"), value));
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    out
}

fn place_of(node: &Node, written: &str, at: usize) -> Place {
    let before = &written[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    node.place_inside(line, column)
}

/// The value of what stands between `${` and `}`.
fn value(inside: &str, place: &Place, base: &Path, env: Env<'_>, report: &mut Report) -> Option<String> {
    if let Some(path) = inside.strip_prefix("file:") {
        let path = path.trim();
        let found = match path {
            "" => Err("it names no file".to_owned()),
            path => recipes::read_text(&base.join(path), FILE_MAX).map_err(|why| why.to_string()),
        };
        return match found {
            Ok(text) => Some(text.strip_suffix('\n').map_or(text.as_str(), cut_return).to_owned()),
            Err(why) => {
                report
                    .mistake("variable", place, format!("`${{{inside}}}` cannot be read: {why}"))
                    .help("a path that does not begin with `/` begins at the folder of the configuration");
                None
            }
        };
    }
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        let title = format!("`${{{inside}}}` is not the name of a variable");
        report
            .mistake("variable", place, title)
            .help("write `${NAME}`, `${NAME:-default}` or `${file:PATH}`; for the characters themselves `$${`");
        return None;
    }
    // As in a shell, the default stands for an empty variable too.
    let found = env(name).filter(|value| default.is_none() || !value.is_empty());
    let found = found.or_else(|| default.map(str::to_owned));
    if found.as_ref().is_some_and(|value| value.contains('\u{FFFD}')) {
        report.mistake("variable", place, format!("the variable `{name}` is not text (UTF-8)"));
        return None;
    }
    if found.is_none() {
        report
            .mistake("variable", place, format!("the variable `{name}` is not set"))
            .help(format!(
                "set it where Stayhook is started, or write `${{{name}:-default}}`"
            ));
    }
    found
}

fn cut_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}
