//! Rules of the repository, as tests: who may import whom, how long files get, what every file says first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each part may import, from the ground up. `ARCHITECTURE.md` says why.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("lang", &["model"]),
    ("source", &["lang", "model"]),
    ("recipe", &["lang", "model"]),
    ("decide", &["recipe", "model"]),
    ("store", &["model"]),
    ("outbound", &["model"]),
    ("action", &["outbound", "lang", "model"]),
    (
        "engine",
        &["decide", "recipe", "source", "action", "store", "lang", "model"],
    ),
    (
        "config",
        &["engine", "action", "outbound", "source", "recipe", "lang", "model"],
    ),
    ("listener", &["model"]),
    ("receive", &["source", "store", "listener", "model"]),
    (
        "worker",
        &[
            "engine", "outbound", "decide", "recipe", "action", "store", "lang", "model",
        ],
    ),
    ("web", &["store", "recipe", "decide", "listener", "model", "lang"]),
    ("telemetry", &["model"]),
    ("lifecycle", &[]),
    (
        "app",
        &[
            "config",
            "web",
            "receive",
            "listener",
            "worker",
            "engine",
            "store",
            "action",
            "outbound",
            "recipe",
            "source",
            "decide",
            "lang",
            "model",
            "lifecycle",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "config",
            "web",
            "receive",
            "worker",
            "engine",
            "store",
            "action",
            "outbound",
            "recipe",
            "source",
            "decide",
            "lang",
            "model",
            "lifecycle",
            "telemetry",
        ],
    ),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// The longest a file may be without a reason beside its name.
const LINES_MAX: usize = 450;
const LONGER: &[(&str, &str)] = &[];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn source() -> Vec<(String, String)> {
    texts("src")
}

/// The name below a folder and the text of each of its files.
fn texts(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
    files(&root)
        .iter()
        .map(|path| (name(path), std::fs::read_to_string(path).unwrap()))
        .collect()
}

fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

/// The part a file belongs to: `store` for `store.rs` and `store/apply.rs`.
fn part(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The parts that a file names with `crate::…`, also inside `use crate::{a::b, c}`.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let word = |text: &str| {
            text.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect::<String>()
        };
        match rest.strip_prefix('{') {
            None => _ = found.insert(word(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut item = String::new();
                for c in list.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => _ = found.insert(word(std::mem::take(&mut item).trim())),
                        c if depth == 0 => item.push(c),
                        _ => {}
                    }
                }
                found.insert(word(item.trim()));
            }
        }
    }
    found.remove("");
    found
}

#[test]
fn every_part_imports_only_what_stands_below_it() {
    let mut wrong = Vec::new();
    // A part's own tests may set up what stands above it.
    for (file, text) in source().into_iter().filter(|(file, _)| !is_test(file)) {
        let part = part(&file);
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == part) else {
            wrong.push(format!("{file}: the part `{part}` is not in the list"));
            continue;
        };
        for import in imports(&text) {
            if import != part && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{file}: `{part}` must not know `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_list_of_parts_has_no_circle() {
    for (at, (name, allowed)) in MAY_IMPORT.iter().enumerate() {
        for import in *allowed {
            let below = MAY_IMPORT[..at].iter().any(|(other, _)| other == import);
            assert!(below, "`{name}` imports `{import}`, which does not stand below it");
        }
    }
}

#[test]
fn the_reader_of_imports_sees_through_every_form() {
    let text = "use crate::a::B; use crate::{c, d::{E, f::G}, h}; let x = crate::i::j(); #[doc = \"crate::\"]";
    assert_eq!(imports(text).into_iter().collect::<Vec<_>>(), ["a", "c", "d", "h", "i"]);
}

#[test]
fn files_have_one_subject_and_say_it_first() {
    let mut wrong = Vec::new();
    for (file, text) in source().into_iter().chain(texts("fuzz")).chain(texts("tests/simulate")) {
        let tests = is_test(&file);
        let lines = text.lines().count();
        if lines > LINES_MAX && !tests && !LONGER.iter().any(|(name, _)| *name == file) {
            wrong.push(format!(
                "{file}: {lines} lines; split it by concept, or give a reason in LONGER"
            ));
        }
        if !text.starts_with("//!") && !tests {
            wrong.push(format!("{file}: does not begin with what it is"));
        }
        for word in ["TODO", "FIXME", "XXX"] {
            if text.contains(word) {
                wrong.push(format!("{file}: has a {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_a_drawer() {
    let drawers = ["utils", "util", "common", "types", "manager", "helpers", "misc", "mod"];
    for (file, _) in source().into_iter().chain(texts("fuzz")).chain(texts("tests/simulate")) {
        let name = Path::new(&file).file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!drawers.contains(&name.as_str()), "{file}: say what is in it");
    }
}
