//! What the documents tell people to write and to type, held against the program. A block of YAML says in its first line
//! what it is: `# config.yaml` and `# recipes/NAME.yaml` are read as such, anything else is at least YAML.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stayhook::action::effect_kinds;
use stayhook::config;
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::recipe::Book;

use crate::daemon::Site;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every document for users: the README, that of the recipes, and what is below `docs`.
fn documents() -> Vec<(PathBuf, String)> {
    let mut found = vec![root().join("README.md"), root().join("recipes/README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    let text = |path: PathBuf| (path.clone(), std::fs::read_to_string(path).unwrap());
    found.into_iter().map(text).collect()
}

/// The blocks of YAML of a document, each with the line at which it begins.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (None, "```yaml") => open = Some((at + 2, String::new())),
            (Some(_), "```") => found.extend(open.take()),
            (Some((_, block)), line) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// A folder with every file that the text takes in by `${file:PATH}`.
fn with_files(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for rest in text.split("${file:").skip(1) {
        let path = folder.path().join(rest.split('}').next().unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "0123456789abcdefghij\n").unwrap();
    }
    folder
}

#[test]
fn every_block_of_yaml_is_right() {
    let example = std::fs::read_to_string(root().join("config.example.yaml")).unwrap();
    let env = |name: &str| Some(format!("{name}-0123456789abcdef"));
    let whole = config::parse(
        "config.example.yaml",
        &example,
        Path::new("."),
        &env,
        &mut Report::new(),
    )
    .unwrap();
    let (mut configs, mut recipes) = (0, 0);
    for (path, text) in documents() {
        for (line, block) in blocks(&text) {
            let at = format!("{}, line {line}", path.display());
            let mut report = Report::new();
            let what = block.lines().next().unwrap_or_default();
            if what == "# config.yaml" {
                configs += 1;
                let folder = with_files(&block);
                config::parse(&at, &block, folder.path(), &|_| None, &mut report);
                // A block shows a part of the file.
                report.items.retain(|item| item.code != "no-sources");
            } else if what.starts_with("# recipes/") && what.ends_with(".yaml") {
                recipes += 1;
                let book = Book::load(&[(at.clone(), block.clone())], &effect_kinds(), &mut report);
                // The documents call things as the example of a configuration does.
                let setup = config::setup(&whole, book);
                config::check_together(&whole, &setup, &mut report);
            } else {
                assert!(
                    what.starts_with("# ") && what.ends_with(".yaml"),
                    "{at}: says not what it is"
                );
                yaml::parse(&at, &block, &mut report);
            }
            assert!(report.items.is_empty(), "{}", report.render(|_| Some(block.clone())));
        }
    }
    assert!(configs > 5 && recipes > 2, "{configs} {recipes}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for (path, text) in documents() {
        for rest in text.split("](").skip(1) {
            let link = rest.split(')').next().unwrap();
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.starts_with("https://") {
                continue;
            }
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            let heading = |text: &str| {
                let kept = text.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                kept.replace(|c: char| !c.is_alphanumeric() && c != '-', "")
            };
            let headed = |text: String| {
                let mut heads = text.lines().filter(|line| line.starts_with('#')).map(heading);
                heads.any(|head| head == anchor) || text.contains(&format!("<a id=\"{anchor}\">"))
            };
            let there = target.exists() && (anchor.is_empty() || std::fs::read_to_string(&target).is_ok_and(headed));
            if !there {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_shipped_recipe_is_listed() {
    let list = std::fs::read_to_string(root().join("recipes/README.md")).unwrap();
    let recipes = config::recipe_files(&root().join("recipes")).unwrap().texts;
    assert!(recipes.len() > 15);
    for (file, _) in recipes {
        let name = Path::new(&file).file_name().unwrap().to_str().unwrap();
        assert!(list.contains(&format!("]({name})")), "{name}");
    }
}

/// The commands that a document tells to type, without what stands in front of them.
fn commands(text: &str) -> BTreeSet<String> {
    let indented = text.lines().filter_map(|line| line.strip_prefix("    "));
    let inline = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
    let mut found = BTreeSet::new();
    for line in indented.chain(inline) {
        let line = line.split(['#', '|', '&', ';']).next().unwrap_or_default().trim();
        let bare = ["docker compose exec stayhook ", "sudo -u stayhook ", "$ "]
            .iter()
            .find_map(|before| line.strip_prefix(before))
            .unwrap_or(line);
        let bare = bare
            .strip_prefix("docker compose run --rm stayhook ")
            .map_or_else(|| bare.to_owned(), |rest| format!("stayhook {rest}"));
        if bare
            .strip_prefix("stayhook ")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            found.insert(bare);
        }
    }
    found
}

#[tokio::test]
async fn every_command_is_there_with_its_options() {
    let site = Site::new("", &[]);
    let mut lines: BTreeSet<String> = documents().iter().flat_map(|(_, text)| commands(text)).collect();
    let recipes = config::recipe_files(&root().join("recipes")).unwrap().texts;
    lines.extend(recipes.iter().flat_map(|(_, text)| commands(text)));
    assert!(lines.len() > 20, "{lines:?}");
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let grouped = ["deliveries", "events", "reservations", "runs"].contains(&words[0]);
        let command = &words[..words.len().min(if grouped { 2 } else { 1 })];
        // `help COMMAND` is clap's own.
        if command[0] == "help" {
            continue;
        }
        let done = site.command(command).arg("--help").output().await.unwrap();
        let help = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "`{line}`: there is no such command");
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "`{line}`: there is no option {option}\n{help}");
        }
    }
}
