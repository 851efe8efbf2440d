//! `stayhook map`: what stands where in a body, and a first mapping for it.

pub(super) mod body;
mod compare;
mod draft;
mod guess;
mod rules;
pub(super) mod shape;
mod tree;
pub(super) mod words;

#[cfg(test)]
mod tests;

use std::io::{Read as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use self::guess::{Guessed, How, Sort};
use self::shape::Shape;
use self::tree::{Tree, path};
use super::output::{FINDINGS, Output, say};
use super::print::{harmless, harmless_json};

/// The largest body, in bytes.
const BODY_MAX: u64 = 64 << 20;

/// What `map` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Files with bodies of one sender; `-` is standard input. Several are compared, which shows the words for a status.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// A body and what it seems to say.
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
        let read = bytes
            .map_err(|why| why.to_string())
            .and_then(|bytes| body::read(&bytes));
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
    let text = match output {
        Output::Table => harmless(&text(&all)),
        Output::Json => harmless_json(&format!("{:#}\n", json(&all))),
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

/// What the bodies seem to say: those of one sort together, stays last, for the first mapping that applies counts.
pub fn guessed(all: &[Mapped]) -> Vec<Guessed> {
    let mut sorts: Vec<(Sort, Tree)> = Vec::new();
    for one in all {
        let sort = guess::guess(&one.tree).sort;
        match sorts.iter_mut().find(|(known, _)| *known == sort) {
            Some((_, tree)) => tree.join(&one.tree),
            None => sorts.push((sort, one.tree.clone())),
        }
    }
    sorts.sort_by_key(|(sort, _)| *sort);
    sorts.iter().map(|(_, tree)| guess::guess(tree)).collect()
}

fn text(all: &[Mapped]) -> String {
    let mut out = String::new();
    // Bodies of different sorts have nothing in common that says anything.
    let mut sorts: Vec<(Sort, Vec<&Mapped>)> = Vec::new();
    for one in all {
        let sort = guess::guess(&one.tree).sort;
        match sorts.iter_mut().find(|(known, _)| *known == sort) {
            Some((_, group)) => group.push(one),
            None => sorts.push((sort, vec![one])),
        }
    }
    for (_, group) in &sorts {
        if all.len() > 1 {
            let names: Vec<&str> = group.iter().map(|one| one.name.as_str()).collect();
            out.push_str(&format!("{}:\n\n", names.join(", ")));
        }
        out.push_str(&match group.as_slice() {
            [one] => one.tree.text(),
            several => compare::text(several),
        });
        out.push('\n');
    }
    let guessed = guessed(all);
    let sorts: Vec<&str> = guessed.iter().map(|one| one.sort.word()).collect();
    out.push_str(&format!(
        "It looks like: {}. A first draft, to paste below the source in the configuration;\n\
         then `stayhook check`, and `stayhook preview --source NAME --payload FILE` shows how it reads a body:\n\n",
        sorts.join(", ")
    ));
    out.push_str(&draft::draft(&guessed));
    out
}

fn json(all: &[Mapped]) -> Value {
    let guessed = guessed(all);
    let each: Vec<&Mapped> = all.iter().collect();
    let places = compare::places(&each);
    let paths: Vec<Value> = places
        .iter()
        .map(|place| {
            json!({
                "path": place.path,
                "type": type_of(place.value),
                "example": place.value,
                "count": place.count,
                "files": place.files,
                "differs": place.differs,
            })
        })
        .collect();
    let guesses: Vec<Value> = guessed
        .iter()
        .map(|one| {
            let fields = one.names.iter().chain(&one.fields).map(|guess| {
                json!({
                    "field": guess.field,
                    "paths": guess.places.iter().map(|steps| path("$", steps)).collect::<Vec<_>>(),
                    "words": match &guess.how {
                        How::Words(words, _) => json!(words.iter().map(|(word, ours)| json!({"word": word, "means": ours})).collect::<Vec<_>>()),
                        _ => Value::Null,
                    },
                    "minor": guess.how == How::Minor,
                    "note": guess.note,
                })
            });
            json!({
                "about": one.sort.word(),
                "event": one.event.as_ref().map(|event| path("$", &event.steps)),
                "version": one.version.iter().map(|steps| path("$", steps)).collect::<Vec<_>>(),
                "fields": fields.collect::<Vec<_>>(),
                "missing": one.missing,
                "notes": one.notes,
            })
        })
        .collect();
    json!({
        "files": all.iter().map(|one| &one.name).collect::<Vec<_>>(),
        "paths": paths,
        "left_out": all.iter().map(|one| one.tree.left_out).sum::<usize>(),
        "guesses": guesses,
        "draft": draft::draft(&guessed),
    })
}

fn type_of(value: &Value) -> &'static str {
    match Shape::of(value) {
        Shape::Nothing if value.is_null() => "null",
        Shape::Nothing => "empty",
        Shape::Flag => "true or false",
        Shape::Whole | Shape::Fraction => "number",
        Shape::Date => "date",
        Shape::Local | Shape::Instant => "time",
        Shape::Clock => "time of day",
        Shape::Email => "e-mail address",
        Shape::Phone => "phone number",
        Shape::Url => "address",
        Shape::Uuid | Shape::Code => "id or code",
        Shape::Word | Shape::OddDate | Shape::Text => "text",
    }
}
