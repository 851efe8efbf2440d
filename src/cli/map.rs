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
use self::tree::{Place, Tree};
use super::output::{FINDINGS, Output, say};
use super::print::{harmless, harmless_json};
use crate::model::body;

/// The largest body, in bytes.
const BODY_MAX: u64 = 64 << 20;
/// The widest column of paths, in characters.
const PATH_WIDTH: usize = 64;

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
    name: String,
    body: Value,
    /// Its places.
    tree: Tree,
}

impl Mapped {
    fn of(name: String, body: Value) -> Mapped {
        let tree = Tree::of([&body]);
        Mapped { name, body, tree }
    }
}

/// Prints the places of the bodies and a draft. The exit code is 0, or 1 where a file cannot be read.
pub fn run(args: &Args, output: Output, out: &mut dyn Write) -> ExitCode {
    let mut all = Vec::new();
    for file in &args.files {
        let name = file.display().to_string();
        let bytes = match name.as_str() {
            "-" => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().lock().take(BODY_MAX).read_to_end(&mut bytes);
                read.map(|_| bytes)
            }
            _ => crate::config::read_bytes(file, BODY_MAX),
        };
        let read = bytes.map_err(|why| why.to_string()).and_then(|bytes| read_body(&bytes));
        match read {
            Ok(body) => all.push(Mapped::of(name, body)),
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

/// One line a place, its path first, indented as deep as it lies; below them the draft.
fn text(all: &[Mapped], draft: &Draft) -> String {
    let tree = Tree::of(all.iter().map(|one| &one.body));
    let head = |place: &Place| format!("{}{}", "  ".repeat(place.steps.len().saturating_sub(1)), place.path());
    let widths = tree.places.iter().map(|place| head(place).chars().count());
    let width = widths.max().unwrap_or_default().min(PATH_WIDTH);
    let mut out = String::new();
    for place in &tree.places {
        let note = match compared(all, place) {
            (files, _) if files < all.len() => format!("  (in {files} of {} files)", all.len()),
            (_, true) => "  (differs)".to_owned(),
            _ => String::new(),
        };
        // Writing into a String cannot fail.
        let _ = writeln!(out, "{:<width$}  {}{note}", head(place), place.shown());
    }
    if tree.left_out > 0 {
        let _ = writeln!(out, "… and {} more places", tree.left_out);
    }
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

/// In how many bodies a place is, and whether they say different things there.
fn compared(all: &[Mapped], place: &Place) -> (usize, bool) {
    let found: Vec<&Place> = all.iter().filter_map(|one| one.tree.at(&place.steps)).collect();
    (found.len(), found.iter().any(|one| one.values != found[0].values))
}

fn json(all: &[Mapped], draft: &Draft) -> Value {
    let tree = Tree::of(all.iter().map(|one| &one.body));
    let paths = tree.places.iter().map(|place| {
        let (files, differs) = compared(all, place);
        let value = place.value();
        json!({"path": place.path(), "example": value, "count": place.count, "files": files, "differs": differs})
    });
    let lines = draft.lines.iter();
    json!({
        "files": all.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "paths": paths.collect::<Vec<_>>(),
        "left_out": tree.left_out,
        "fields": lines.map(|(field, path, certain)| json!({"field": field, "path": path, "certain": certain})).collect::<Vec<_>>(),
        "missing": draft.missing,
        "draft": draft.text,
    })
}
