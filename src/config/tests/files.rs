//! What is read from the disk.

use std::fs;

use super::*;

#[test]
fn files_of_variables_and_of_recipes() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("recipes/deep")).expect("folders");
    fs::create_dir_all(at("recipes/.git")).expect("folders");
    for name in [
        "b.yaml",
        "a.yml",
        "a.test.yaml",
        "a.test.yml",
        ".hidden.yaml",
        "notes.txt",
        "deep/c.yaml",
        ".git/d.yaml",
    ] {
        fs::write(at("recipes").join(name), "name: x\n").expect("a file");
    }
    fs::write(at("recipes/z.yaml"), b"name: caf\xe9\n").expect("a file");
    fs::write(at("secret"), "s3cret of some length\r\n").expect("a file");
    fs::write(at("config.yaml"), "defaults: {vars: {x: \"${file:secret}\"}}\n").expect("a file");

    let mut report = Report::new();
    let config = load(&at("config.yaml"), &env, &mut report).expect("no mistakes");
    assert_eq!(config.properties.vars["x"], "s3cret of some length");
    assert_eq!(config.recipes, at("recipes"));

    let files = recipe_files(&config.recipes).expect("they can be read");
    let names: Vec<&str> = files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(&format!("{}/", config.recipes.display())))
        .collect();
    assert_eq!(names, ["a.yml", "b.yaml", "deep/c.yaml", "z.yaml"]);

    let mut report = Report::new();
    Book::load(&files[3..], &action::effect_kinds(), &mut report);
    assert_eq!(said(&report), [(1, "this file is not text in UTF-8".to_owned())]);
    assert_eq!(report.items[0].place.as_ref().map(|place| place.column), Some(10));
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut report = Report::new();
    assert!(load(&folder.path().join("config.yaml"), &env, &mut report).is_none());
    assert!(
        report.items[0]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("--config"))
    );
    assert!(load(folder.path(), &env, &mut report).is_none());
    assert_eq!(report.mistakes(), 2);
    fs::write(folder.path().join("large.yaml"), " ".repeat(300 << 10)).expect("a file");
    let why = recipe_files(folder.path()).map_err(|why| why.to_string());
    assert!(why.is_err_and(|why| why.contains("larger than 256 KiB")));
}
