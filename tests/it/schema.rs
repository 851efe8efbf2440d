//! What `stayhook schema` prints, held against every file that is shipped, every bad file there is, and the readers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use stayhook::action;
use stayhook::cli::schema::{File, text};
use stayhook::config;
use stayhook::lang::diag::{Report, Severity};
use stayhook::lang::yaml;
use stayhook::{recipe, source};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn validator(file: File) -> Validator {
    let schema: Value = serde_json::from_str(&text(file)).unwrap();
    jsonschema::draft7::meta::validate(&schema).expect("it is a schema");
    jsonschema::draft7::new(&schema).unwrap()
}

/// A text of YAML as an editor sees it; `None` where it is none.
fn instance(text: &str) -> Option<Value> {
    let mut report = Report::new();
    let node = yaml::parse("file.yaml", text, &mut report)?;
    (!report.has_mistakes()).then(|| node.value())
}

fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                // A file that is not UTF-8 is no file for an editor either.
                let bytes = std::fs::read(path).unwrap();
                found.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    found.sort();
    found
}

fn shipped() -> Vec<(File, String, String)> {
    let mut all = Vec::new();
    for name in [
        "config.example.yaml",
        "demo/config.yaml",
        "tests/fixtures/whole/config.yaml",
    ] {
        let text = std::fs::read_to_string(root().join(name)).unwrap();
        all.push((File::Config, name.to_owned(), text));
    }
    for (name, text) in files("recipes").into_iter().chain(files("demo/recipes")) {
        let file = if name.ends_with(".test.yaml") {
            File::Test
        } else {
            File::Recipe
        };
        all.push((file, name, text));
    }
    let name = "tests/fixtures/whole/recipe.yaml";
    let text = std::fs::read_to_string(root().join(name)).unwrap();
    all.push((File::Recipe, name.to_owned(), text));
    let presets = files("presets/sources").into_iter();
    all.extend(presets.map(|(name, text)| (File::Source, name, text)));
    all
}

#[test]
fn every_shipped_file_is_taken() {
    let all = shipped();
    for sort in [File::Config, File::Recipe, File::Source] {
        assert!(all.iter().filter(|(file, ..)| *file == sort).count() >= 2);
    }
    for (file, name, text) in all {
        let instance = instance(&text).unwrap();
        let said: Vec<String> = validator(file)
            .iter_errors(&instance)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(said.is_empty(), "{name}: {said:#?}");
    }
}

/// The first line that the YAML servers of editors look for.
#[test]
fn files_name_their_schema() {
    for (file, name, text) in shipped().into_iter().filter(|(_, name, _)| !name.starts_with("tests/")) {
        let line = text.lines().next().unwrap_or_default();
        let Some(schema) = line.strip_prefix("# yaml-language-server: $schema=") else {
            panic!("{name} names none");
        };
        let path = root().join(&name).parent().unwrap().join(schema);
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == stayhook::cli::schema::text(file), "{name}: {schema}");
        // What people copy beside their configuration finds there what `init` has written.
        if !name.starts_with("demo/") && !name.starts_with("presets/") {
            assert_eq!(
                path.canonicalize().unwrap(),
                root().join(file.schema_name()).canonicalize().unwrap()
            );
            assert!(schema.ends_with(&file.schema_name()), "{name}: {schema}");
        }
    }
}

/// Mistakes that a schema cannot see, by their code, and why.
const UNSEEN: &[(&str, &str)] = &[
    ("line-break", "what a template prints between its values"),
    ("template", "what stands in a template is a language of its own"),
    (
        "unknown-name",
        "which words there are depends on the triggers and on the steps before",
    ),
    ("address", "whether a text is one address is more than a pattern says"),
    (
        "variable",
        "only the machine it starts on knows its variables and files",
    ),
    ("no-token", "it follows from the address and the token together"),
    ("duplicate-match", "it follows from two properties together"),
    ("missing-credential", "which credential is needed stands in the preset"),
    ("no-auth", "which credential is needed stands in the preset"),
    ("unknown-source", "it follows from two sources together"),
    ("timezone", "the zones are a list of their own"),
    ("place-not-said", "it follows from `signed` and what stands beside it"),
    ("no-separator", "it follows from `timestamp` and what stands beside it"),
    ("unsigned-id", "it follows from `signed` and `id` together"),
    (
        "unsigned-header",
        "it follows from the signature and the receipt key together",
    ),
    ("unknown-part", "what stands in `signed` is a language of its own"),
    (
        "trigger",
        "it follows from several keys of an entry, or from how they are written",
    ),
    ("cron", "what the five fields may say is a language of its own"),
    (
        "gather",
        "it follows from the triggers, or from how long a list reaches",
    ),
    ("no-stay", "it follows from the triggers and `match` together"),
    ("bad-key", "how a key is written depends on the signature"),
];

/// Slips that an editor has to show.
const SLIPS: &[(File, &str)] = &[
    (File::Recipe, "on: {evnt: reservation.confirmed}"),
    (File::Recipe, "on: {event: confirmed}"),
    (File::Recipe, "on: {stay: checkin, before: 2d}"),
    (File::Recipe, "on: {stay: check_in, before: 2 days}"),
    (File::Recipe, "on: {stay: check_in, before: 2d, after: 1d}"),
    (File::Recipe, "on: {stay: check_in, status: booked}"),
    (File::Recipe, "on: {stay: check_in, every: 7d, until: {before: 2d}}"),
    (File::Recipe, "on: {before: 2d}"),
    (File::Recipe, "on: {weekly: monday}"),
    (File::Recipe, "on: {schedule: {weekly: moonday, at: \"09:00\"}}"),
    (File::Recipe, "on: {schedule: {weekly: monday}}"),
    (File::Recipe, "on: {schedule: {cron: \"0 0 9 * * 1\"}}"),
    (File::Recipe, "on: {schedule: {cron: \"0 9 * * 1\", at: \"09:00\"}}"),
    (File::Recipe, "on: {schedule: \"0 9 * * 1\"}"),
    (File::Recipe, "gather: {stay: check_in, within: 7d}"),
    (File::Recipe, "gather: {a: {stay: created, within: 7d}}"),
    (File::Recipe, "gather: {a: {stay: check_in}}"),
    (
        File::Recipe,
        "gather: {a: {stay: check_in, within: 7d, match: {was: {nights: 2}}}}",
    ),
    (File::Recipe, "late: 12h"),
    (File::Recipe, "again: yes"),
    (File::Recipe, "match: {statsu: booked}"),
    (File::Recipe, "match: {kind: gest}"),
    (File::Recipe, "match: {notice: 24h}"),
    (File::Recipe, "match: {nights: many}"),
    (File::Recipe, "match: {guest: {mail: x}}"),
    (File::Recipe, "mode: quued"),
    (File::Recipe, "settle: 60"),
    (File::Recipe, "actions: [{htpp: {url: /x}}]"),
    (
        File::Recipe,
        "actions: [{http: {url: /x}, email: {to: a, subject: b, text: c}}]",
    ),
    (File::Recipe, "actions: [{http: {url: /x, json: {}, text: x}}]"),
    (File::Recipe, "actions: [{http: {url: /x}, retry: 24h}]"),
    (File::Recipe, "actions: [{email: {to: a, subject: b}}]"),
    (File::Recipe, "actions: []"),
    (File::Config, "lisen: 127.0.0.1:8080"),
    (File::Config, "listen: 8080"),
    (File::Config, "dry_run: yes"),
    (File::Config, "admin: {metrics: opn}"),
    (File::Config, "sources: {a: {preset: hospitabel, token: x}}"),
    (File::Config, "sources: {a: {preset: generic, tokn: x}}"),
    (File::Config, "sources: {a b: {preset: generic, token: x}}"),
    (File::Config, "connections: {a: {htp: {}}}"),
    (File::Config, "connections: {a: {http: {base_url: api.example.com}}}"),
    (
        File::Config,
        "connections: {a: {smtp: {host: x, from: a@b.example, port: 99999}}}",
    ),
    (
        File::Config,
        "connections: {a: {smtp: {host: x, from: a@b.example, username: a}}}",
    ),
    (File::Config, "properties: {a: {name: x}}"),
    (File::Config, "defaults: {default_check_in: 3pm}"),
    (File::Source, "auth: {hmac: {}}"),
    (File::Source, "auth: {token: {header: X, query: y}}"),
    (File::Source, "auth: {token: {body: key}}"),
    (File::Source, "auth: {stripe: {tolerence: 5m}}"),
    (
        File::Source,
        "auth: {hmac: {header: X, signed: \"{ts}{body}\", timestamp: {tolerance: 5m}}}",
    ),
    (File::Source, "emits: [reservation.create]"),
    (File::Source, "reservation: {code: code}"),
    (File::Source, "reservation: {code: $.c, nights: $.n}"),
    (
        File::Source,
        "reservation: {code: $.c, status: {from: $.s, map: {ok: confimed}}}",
    ),
    (File::Source, "map: [{version: {by: $.v}}]"),
];

#[test]
fn slips_are_shown_in_an_editor() {
    for (file, text) in SLIPS {
        let rest = json!({"name": "r", "on": {"event": "other.x"}, "actions": [{"http": {"url": "/"}}]});
        let mut whole = if *file == File::Recipe { rest } else { json!({}) };
        assert!(validator(*file).is_valid(&whole), "{text}");
        for (key, value) in instance(text).unwrap().as_object().unwrap() {
            whole[key] = value.clone();
        }
        assert!(!validator(*file).is_valid(&whole), "{text}");
        assert!(!mistakes(*file, &whole.to_string()).is_empty(), "{text}");
    }
}

/// Every bad file there is: what the reader has against it, the schema has too, unless it is of a sort that no schema sees.
#[test]
fn bad_files_are_refused() {
    let mut wrong = Vec::new();
    for (name, text) in files("tests/fixtures/mistakes") {
        let configuration = name.contains("/config/") || name.ends_with("/config.yaml");
        let file = if configuration { File::Config } else { File::Recipe };
        let found = mistakes(file, &text);
        // What is no YAML is said by every editor.
        let refused = instance(&text).is_none_or(|instance| !validator(file).is_valid(&instance));
        if refused && found.is_empty() {
            wrong.push(format!("{name}: the schema refuses what the reader takes"));
        }
        for (code, title) in found {
            if !refused && UNSEEN.iter().all(|(unseen, _)| *unseen != code) {
                wrong.push(format!("{name}: the schema does not see {code}: {title}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The recipe test that the language of recipe tests is explained with.
#[test]
fn a_recipe_test_is_taken_and_its_slips_are_not() {
    let test = json!({
        "properties": {"brannan": {"match": [1], "vars": {"cleaner": "ana@example.com"}}},
        "cases": [{
            "name": "moving the dates tells the cleaner once",
            "given": [
                {"at": "2026-03-01 09:00", "stay": {"property": "brannan", "status": "confirmed", "guest": {"name": "Ana"}}},
                {"at": "2026-03-02 09:00", "change": {"check_out": "2026-04-13 11:00"}},
                {"at": "2026-03-02 09:00", "source": "hospitable", "file": "accepted.json", "with": {"$.guests": 3}},
            ],
            "until": "2026-05-01",
            "answer": [{"http": {"url": "*/tasks/*", "status": 200, "json": {"ok": true}}}],
            "expect": [{"at": "2026-03-02 09:00", "email": {"to": "ana@example.com", "subject": "*13 Apr*"}}],
        }],
    });
    let validator = validator(File::Test);
    assert!(
        validator.is_valid(&test),
        "{:?}",
        validator.iter_errors(&test).collect::<Vec<_>>()
    );
    for (at, wrong) in [
        ("/properties/brannan", json!({"mach": 1})),
        ("/cases/0/expect", json!("nothin")),
        ("/cases/0/expect/0/email", json!({"too": "x"})),
        ("/cases/0/given/0/stay/status", json!("confimed")),
        ("/cases/0/given/0/stay/guest", json!({"mail": "x"})),
        (
            "/cases/0/given/1",
            json!({"at": "2026-03-02", "stay": {}, "change": {}}),
        ),
        ("/cases/0/given/1/at", json!("tomorrow")),
        ("/cases/0/answer/0/http", json!({"code": 200})),
    ] {
        let mut test = test.clone();
        *test.pointer_mut(at).unwrap() = wrong;
        assert!(!validator.is_valid(&test), "{at}");
    }
}

/// The mistakes that the reader finds in a text, with their codes.
fn mistakes(file: File, text: &str) -> BTreeSet<(&'static str, String)> {
    let mut report = Report::new();
    // What has a default is left to it.
    let env = |name: &str| match name {
        "ZONE" | "DRY" | "METRICS" | "TIMEOUT" | "MANY" => None,
        name if name.ends_with("PORT") => Some("2525".to_owned()),
        name => Some(format!("{name}-0123456789abcdef")),
    };
    match file {
        File::Recipe => drop(recipe::compile("f.yaml", text, &action::effect_kinds(), &mut report)),
        File::Config => drop(config::parse("f.yaml", text, Path::new("."), &env, &mut report)),
        File::Source | File::Test => source::preset_file("sender", text, &mut report),
    }
    let mistakes = report
        .items
        .into_iter()
        .filter(|item| item.severity == Severity::Mistake);
    mistakes.map(|item| (item.code, item.title)).collect()
}

/// What a schema has to see.
const SEEN: &[&str] = &[
    "unknown-key",
    "unknown-action",
    "unknown-condition",
    "unknown-event",
    "expected-settings",
    "expected-flag",
    "expected-number",
    "expected-duration",
    "expected-word",
    "not-yet",
];

/// A configuration in pieces, each with one of its sources, connections or properties or one of its other keys: what is
/// spoilt in one is seen in it, and reading the whole file for each would take minutes.
fn parts(file: File, document: Value) -> Vec<Value> {
    if file != File::Config {
        return vec![document];
    }
    let mut parts = Vec::new();
    for (key, value) in document.as_object().unwrap() {
        match (key.as_str(), value) {
            ("sources" | "connections" | "properties", Value::Object(named)) => {
                parts.extend(named.iter().map(|(name, one)| json!({key: {name: one}})));
            }
            _ => parts.push(json!({key: value})),
        }
    }
    parts
}

/// Every way to spoil one place of a document: a key with another name, a value of another kind.
///
/// Of presets, which are many and alike, one value a place in turn.
fn spoilt(document: &Value, in_turn: bool) -> Vec<Value> {
    let mut paths = Vec::new();
    walk(document, String::new(), &mut paths);
    let mut all = Vec::new();
    for (at, path) in paths.into_iter().enumerate() {
        let values = [
            json!("zz"),
            json!(999_999),
            json!(true),
            json!({"zz": 1}),
            json!([{"zz": 1}]),
            json!([]),
            Value::Null,
        ];
        let count = values.len();
        let taken = |n: usize| !in_turn || n == at % count;
        for (_, wrong) in values.into_iter().enumerate().filter(|(n, _)| taken(*n)) {
            let mut copy = document.clone();
            *copy.pointer_mut(&path).unwrap() = wrong;
            all.push(copy);
        }
        let (parent, key) = path.rsplit_once('/').unwrap();
        let mut copy = document.clone();
        if let Some(Value::Object(entries)) = copy.pointer_mut(parent) {
            let key = key.replace("~1", "/").replace("~0", "~");
            let value = entries.remove(&key).unwrap();
            entries.insert(format!("zz{key}"), value);
            all.push(copy);
        }
    }
    all
}

fn walk(value: &Value, at: String, paths: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        let path = format!("{at}/{key}");
        paths.push(path.clone());
        walk(value, path, paths);
    }
}

/// A schema refuses nothing that the reader takes, and sees every key and every word that the reader does not know.
#[test]
fn schemas_and_readers_agree() {
    let mut pieces = Vec::new();
    for (file, name, text) in shipped() {
        if file == File::Test {
            continue;
        }
        let document = instance(&text).unwrap();
        if name.contains("whole") {
            let before = mistakes(file, &document.to_string());
            assert!(before.is_empty(), "{name}: {before:?}");
        }
        pieces.extend(parts(file, document).into_iter().map(|part| (file, name.clone(), part)));
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let wrong: BTreeSet<String> = std::thread::scope(|scope| {
        let shares = (0..threads).map(|share| pieces.iter().skip(share).step_by(threads));
        let handles: Vec<_> = shares
            .map(|share| {
                scope.spawn(move || {
                    share
                        .flat_map(|(file, name, part)| disagreements(*file, name, part))
                        .collect::<Vec<String>>()
                })
            })
            .collect();
        handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
    });
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
}

/// Where schema and reader differ about a document that is spoilt in one place after the other.
fn disagreements(file: File, name: &str, document: &Value) -> Vec<String> {
    let validator = validator(file);
    let before = mistakes(file, &document.to_string());
    let mut wrong = Vec::new();
    for spoilt in spoilt(document, file == File::Source) {
        let found = mistakes(file, &spoilt.to_string());
        let new: Vec<_> = found.difference(&before).collect();
        let refused: Vec<String> = validator.iter_errors(&spoilt).map(|error| told(&error)).collect();
        if !refused.is_empty() && new.is_empty() {
            wrong.push(format!("{name}: refused and read: {refused:?}"));
        }
        if refused.is_empty()
            && let Some((code, title)) = new.iter().find(|(code, _)| SEEN.contains(code))
        {
            wrong.push(format!("{name}: taken and not read: {code} {title}"));
        }
    }
    wrong
}

/// An error with its place first; both ends of what it says.
fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let text: Vec<char> = error.to_string().chars().collect();
    let begin: String = text.iter().take(300).collect();
    let end: String = text.iter().skip(text.len().saturating_sub(300)).collect();
    format!("at {}: {begin} … {end}", error.instance_path())
}
