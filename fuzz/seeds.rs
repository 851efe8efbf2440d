//! What inputs are made from: the corpus, and the files of this repository that are read like what others write.

use std::path::{Path, PathBuf};

/// A path of this repository.
pub fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The corpus of a target, with the path of each file.
pub fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    files(&at("fuzz/corpus").join(name), "")
}

/// Every file below a folder whose name ends like this, in the order of their paths.
pub fn files(folder: &Path, ending: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            let bytes = std::fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

/// The recorded bodies of every sender: the name of its folder, and the body.
pub fn bodies() -> Vec<(String, Vec<u8>)> {
    let all = files(&at("tests/fixtures/sources"), ".json");
    let of = |path: &Path| {
        path.parent()
            .unwrap()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    all.into_iter()
        .filter(|(path, _)| !path.to_string_lossy().ends_with(".headers.json"))
        .map(|(path, body)| (of(&path), body))
        .collect()
}
