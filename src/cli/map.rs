//! `stayhook map`: what stands where in a body, and as much of a mapping as is certain.

mod draft;
mod names;
mod stay;
mod tree;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use self::draft::{Draft, draft};
use self::tree::{Place, Tree, shown};
use super::output::{FINDINGS, Output, say};
use super::print::{harmless, harmless_json};
use crate::model::body;

/// The largest body, in bytes.
const BODY_MAX: u64 = 64 << 20;
/// Values of a place that are shown beside one another.
const VALUES_SHOWN: usize = 3;

/// What `map` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Files with bodies of one sender; `-` is standard input. Several are compared, which shows the words for a status.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// A body taken apart.
pub struct Mapped {
    /// What it is called: its file.
    pub name: String,
    /// Its places.
    pub tree: Tree,
}

/// Prints the places of the bodies and a draft. The exit code is 0, or 1 where a file cannot be read.
pub fn run(args: &Args, output: Output, out: &mut dyn Write) -> ExitCode {
    let mut all = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let bytes = match name.as_str() {
            "-" => stdin(),
            _ => crate::config::read_bytes(file, BODY_MAX),
        };
        let read = bytes.map_err(|why| why.to_string()).and_then(|bytes| read_body(&bytes));
        match read {
            Ok(body) => all.push(Mapped {
                name,
                tree: Tree::of(&body),
            }),
            Err(why) => {
                eprintln!("{name}: {why}");
                return ExitCode::from(FINDINGS);
            }
        }
    }
    let draft = draft(&all);
    let text = match output {
        Output::Table => harmless(&text(&all, &draft)),
        Output::Json => harmless_json(&format!("{:#}\n", json(&all, &draft))),
    };
    say(out, &text, 0)
}

fn stdin() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(BODY_MAX + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        n if n > BODY_MAX => Err(std::io::Error::other(format!("it is larger than {BODY_MAX} bytes"))),
        _ => Ok(bytes),
    }
}

/// A body from a file: JSON, or what a form sends.
///
/// # Errors
///
/// In words, where it is neither.
pub(super) fn read_body(bytes: &[u8]) -> Result<Value, String> {
    match bytes.trim_ascii().first() {
        None => Err("it is empty".to_owned()),
        Some(b'<') => Err("it looks like XML; bodies are JSON or a form".to_owned()),
        Some(_) => body::decode(body::guess_type(bytes), bytes).map_err(|why| why.says().to_owned()),
    }
}

fn text(all: &[Mapped], draft: &Draft) -> String {
    let mut out = match all {
        [one] => one.tree.text(),
        several => compared(several),
    };
    let missing = match draft.missing.as_slice() {
        [] => "It says all that a stay needs.".to_owned(),
        missing => format!("It is not complete: no {} is certain.", missing.join(", no ")),
    };
    let _ = write!(
        out,
        "\nA first draft, to paste below the source in the configuration. What is certain is written out, the rest stands in\n\
         comments to choose from. {missing} Then `stayhook check`, and\n\
         `stayhook preview --source NAME --payload FILE` shows how it reads a body:\n\n{}",
        draft.text
    );
    out
}

/// A place in several bodies: itself in each that has it.
fn places(all: &[Mapped]) -> Vec<Vec<&Place>> {
    let mut found: Vec<Vec<&Place>> = Vec::new();
    for place in all.iter().flat_map(|one| &one.tree.places) {
        match found.iter_mut().find(|known| known[0].steps == place.steps) {
            Some(known) => known.push(place),
            None => found.push(vec![place]),
        }
    }
    found
}

fn differs(found: &[&Place]) -> bool {
    found.iter().any(|place| place.values != found[0].values)
}

/// One line a place, marked where the bodies say different things there.
fn compared(all: &[Mapped]) -> String {
    let places = places(all);
    let width = places.iter().map(|found| found[0].path().chars().count()).max();
    let width = width.unwrap_or_default().min(48);
    let mut out = "`*` where the files differ:\n\n".to_owned();
    for found in places {
        let mut values: Vec<String> = Vec::new();
        for value in found.iter().map(|place| shown(place.value())) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        let more = if values.len() > VALUES_SHOWN { " | …" } else { "" };
        values.truncate(VALUES_SHOWN);
        let (mark, values) = (if differs(&found) { '*' } else { ' ' }, values.join(" | "));
        let some = if found.len() < all.len() {
            format!("  (in {} of {})", found.len(), all.len())
        } else {
            String::new()
        };
        let _ = writeln!(out, "{mark} {:<width$}  {values}{more}{some}", found[0].path());
    }
    let left_out: usize = all.iter().map(|one| one.tree.left_out).sum();
    if left_out > 0 {
        let _ = writeln!(out, "… and {left_out} more places");
    }
    out
}

fn json(all: &[Mapped], draft: &Draft) -> Value {
    let paths: Vec<Value> = places(all)
        .iter()
        .map(|found| {
            json!({
                "path": found[0].path(),
                "type": type_of(found[0].value()),
                "example": found[0].value(),
                "count": found.iter().map(|place| place.count).sum::<usize>(),
                "files": found.len(),
                "differs": differs(found),
            })
        })
        .collect();
    let lines = draft.lines.iter();
    json!({
        "files": all.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "paths": paths,
        "left_out": all.iter().map(|one| one.tree.left_out).sum::<usize>(),
        "fields": lines.map(|(field, path, certain)| json!({"field": field, "path": path, "certain": certain})).collect::<Vec<_>>(),
        "missing": draft.missing,
        "draft": draft.text,
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}
