//! Finding and reading the files of a folder of recipes, within bounds.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::{Path, PathBuf};

/// The largest recipe, in bytes.
const FILE_MAX: u64 = 256 << 10;
/// The most recipes of a folder.
const FILES_MAX: usize = 2000;
/// The most entries that are looked at, recipes or not.
const ENTRIES_MAX: usize = 20_000;
/// The deepest folder below the one asked for.
const DEPTH_MAX: usize = 8;

/// The recipes in a folder and the folders in it, as `(path, text)` sorted by path: `*.yaml` and `*.yml` without
/// `*.test.yaml` and `*.test.yml`. What is hidden is passed over, and no link to a folder is followed. A file that is
/// not text is listed all the same, so that it becomes a mistake with a place.
///
/// # Errors
/// Where the folder cannot be read, where a file cannot be read or is larger than 256 KiB, or where there are more than
/// 2,000 of them.
pub fn recipe_files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    list(folder, 0, &mut 0, &mut paths)?;
    let mut found = paths.iter().map(|path| recipe_file(path)).collect::<Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

/// What tells whether a folder of recipes is as it was when this was asked before: the names of its recipes, and of each its
/// size, its last change and which file it is on the disk, so that one that is put in the place of another is seen too.
pub fn stamp(folder: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut looked = 0;
    let mut found = Vec::new();
    // What cannot be looked at is told when it is read.
    if list(folder, 0, &mut looked, &mut found).is_err() {
        false.hash(&mut hasher);
    }
    found.sort();
    for path in found {
        path.hash(&mut hasher);
        if let Ok(meta) = fs::metadata(&path) {
            (meta.len(), meta.modified().ok(), identity(&meta)).hash(&mut hasher);
        }
    }
    hasher.finish()
}

#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> u64 {
    0
}

/// Whether a file of this name is a recipe.
pub(crate) fn is_recipe(name: &str) -> bool {
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    !name.starts_with('.') && stem.is_some_and(|stem| !stem.is_empty() && !stem.ends_with(".test"))
}

/// One recipe's `(path, text)`; what is not UTF-8 in it becomes U+FFFD, which reading a recipe takes for a mistake.
pub(crate) fn recipe_file(path: &Path) -> Result<(String, String)> {
    let bytes = read_bytes(path, FILE_MAX).map_err(|error| named(path, &error))?;
    // `./recipes/a.yaml` is what nobody would write.
    let named = path.strip_prefix(".").unwrap_or(path);
    Ok((
        named.display().to_string(),
        String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

fn list(folder: &Path, depth: usize, looked: &mut usize, found: &mut Vec<PathBuf>) -> Result<()> {
    if depth > DEPTH_MAX {
        return Ok(());
    }
    for entry in fs::read_dir(folder).map_err(|error| named(folder, &error))? {
        let entry = entry.map_err(|error| named(folder, &error))?;
        *looked += 1;
        if *looked > ENTRIES_MAX || found.len() > FILES_MAX {
            return Err(Error::other(format!("{} holds too many files", folder.display())));
        }
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| named(&path, &error))?;
        if kind.is_dir() {
            list(&path, depth + 1, looked, found)?;
        } else if is_recipe(&name) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

fn named(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A file's text, of at most `max` bytes.
pub(super) fn read_text(path: &Path, max: u64) -> Result<String> {
    let bytes = read_bytes(path, max)?;
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not text (UTF-8)"))
}

/// A file of at most `max` bytes.
pub(crate) fn read_bytes(path: &Path, max: u64) -> Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(Error::other(format!("it is larger than {} KiB", max >> 10)));
    }
    Ok(bytes)
}
