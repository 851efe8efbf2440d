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

    let files = recipe_files(&config.recipes).expect("they can be read").texts;
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
}

/// What cannot be read as a recipe stops only itself, and is told with its place.
#[cfg(unix)]
#[test]
fn one_that_cannot_be_read_stops_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("large.yaml"), " ".repeat(300 << 10)).expect("a file");
    fs::create_dir(at("folder.yaml")).expect("a folder");
    std::os::unix::fs::symlink(at("nowhere"), at("link.yaml")).expect("a link");
    std::os::unix::fs::symlink(at("folder.yaml"), at("to-folder.yaml")).expect("a link");
    std::os::unix::net::UnixListener::bind(at("socket.yaml")).expect("a socket");
    let deep = at("1/2/3/4/5/6/7/8/9");
    fs::create_dir_all(&deep).expect("folders");
    let good =
        "name: good\non: {event: reservation.created}\nactions: [{email: {to: a@b.example, subject: s, text: t}}]\n";
    for file in ["a.yaml", "folder.yaml/inside.yaml", "1/2/3/4/5/6/7/8/in.yaml"] {
        fs::write(at(file), good.replace("good", file)).expect("a file");
    }
    let files = recipe_files(folder.path()).expect("it can be read");
    let mut report = Report::new();
    let book = files.book(&mut report);
    let names: Vec<&str> = book.all().iter().map(|recipe| recipe.name.as_str()).collect();
    assert_eq!(names, ["1/2/3/4/5/6/7/8/in.yaml", "a.yaml", "folder.yaml/inside.yaml"]);
    let told: Vec<String> = report
        .sorted()
        .iter()
        .map(|item| {
            let file = item.place.as_ref().map_or("", |place| &place.file);
            let file = file
                .strip_prefix(&format!("{}/", folder.path().display()))
                .unwrap_or(file);
            format!(
                "{file}: {}",
                item.title.replace("this cannot be read as a recipe: ", "")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "1/2/3/4/5/6/7/8/9: it is more than 8 folders deep",
            "folder.yaml: it is a folder",
            "large.yaml: it is larger than 256 KiB",
            "link.yaml: there is no such file; if it is a link, it leads nowhere",
            "socket.yaml: it is no file",
            "to-folder.yaml: it is a folder",
        ]
    );
    assert_eq!(book.broken().len(), told.len());
    // A change of permissions alone, and what stands in the place of a link, change the stamp.
    assert_eq!(recipes_stamp(folder.path()), files.stamp);
    fs::write(at("nowhere"), "x").expect("a file");
    assert_ne!(recipes_stamp(folder.path()), files.stamp);
}
