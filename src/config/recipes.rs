//! Finding and reading the files of a folder of recipes, within bounds.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::{Path, PathBuf};

use crate::action;
use crate::lang::diag::{Place, Report};
use crate::recipe::Book;

/// The largest recipe, in bytes.
const FILE_MAX: u64 = 256 << 10;
/// The most recipes of a folder.
const FILES_MAX: usize = 2000;
/// The most entries that are looked at, recipes or not.
const ENTRIES_MAX: usize = 20_000;
/// The deepest folder below the one asked for.
const DEPTH_MAX: usize = 8;

/// How often files are read anew because they have changed meanwhile.
const READINGS_MAX: usize = 10;

/// Recipes as they stand on the disk.
#[derive(Clone, Debug, Default)]
pub struct RecipeFiles {
    /// `(path, text)`, sorted by path. What is not UTF-8 becomes U+FFFD, which reading a recipe takes for a mistake.
    pub texts: Vec<(String, String)>,
    /// `(path, reason)` of each file that should be a recipe, and each folder, that cannot be read.
    pub unread: Vec<(String, String)>,
    /// What [`stamp`] says of the folder as it was read.
    pub stamp: u64,
}

impl RecipeFiles {
    /// Reads every recipe. What cannot be read is a mistake with its place and stops no other.
    pub fn book(&self, report: &mut Report) -> Book {
        let mut book = Book::load(&self.texts, &action::effect_kinds(), report);
        for (file, reason) in &self.unread {
            let place = Place {
                file: file.as_str().into(),
                line: 1,
                column: 1,
            };
            let title = format!("this cannot be read as a recipe: {reason}");
            report.mistake("unreadable", &place, title.clone());
            book.add_broken(None, file, title);
        }
        book
    }

    fn read(&mut self, path: &Path) {
        match read_bytes(path, FILE_MAX) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.texts.push((shown(path), text));
            }
            Err(reason) => self.unread.push((shown(path), why(&reason))),
        }
    }

    /// Joins others to these, each file once.
    pub(crate) fn join(&mut self, others: RecipeFiles) {
        let join = |own: &mut Vec<(String, String)>, mut others: Vec<(String, String)>| {
            others.retain(|(file, _)| own.iter().all(|(known, _)| known != file));
            own.append(&mut others);
        };
        join(&mut self.texts, others.texts);
        join(&mut self.unread, others.unread);
    }
}

/// The recipes in a folder and the folders in it: `*.yaml` and `*.yml` without `*.test.yaml` and `*.test.yml`. What is
/// hidden is passed over, and no link to a folder is followed. They are read once more where they change meanwhile.
///
/// # Errors
/// Where the folder itself cannot be read, holds more than 2,000 recipes, or does not stand still.
pub fn recipe_files(folder: &Path) -> Result<RecipeFiles> {
    let mut before = Listing::of(folder)?;
    for _ in 0..READINGS_MAX {
        let mut files = RecipeFiles {
            unread: before.unread.clone(),
            stamp: before.stamp(),
            ..RecipeFiles::default()
        };
        for path in &before.recipes {
            // Opening a pipe would wait for whoever writes into it.
            match fs::metadata(path) {
                Ok(meta) if !meta.is_file() && !meta.is_dir() => {
                    files.unread.push((shown(path), "it is no file".to_owned()));
                }
                _ => files.read(path),
            }
        }
        files.unread.sort();
        let after = Listing::of(folder)?;
        if after.stamp() == files.stamp {
            return Ok(files);
        }
        before = after;
    }
    Err(Error::other(format!("{}: its files keep changing", folder.display())))
}

/// One recipe by itself.
pub(crate) fn recipe_file(path: &Path) -> RecipeFiles {
    let mut files = RecipeFiles::default();
    files.read(path);
    files
}

/// What tells whether a folder of recipes is as it was when this was asked before: the names of its recipes, and of each its
/// size, its last change and which file it is on the disk, so that one that is put in the place of another is seen too.
pub fn stamp(folder: &Path) -> u64 {
    match Listing::of(folder) {
        Ok(listing) => listing.stamp(),
        Err(reason) => {
            let mut hasher = DefaultHasher::new();
            reason.kind().hash(&mut hasher);
            hasher.finish()
        }
    }
}

/// The entries of a folder that are or should be recipes, sorted.
#[derive(Default)]
struct Listing {
    recipes: Vec<PathBuf>,
    unread: Vec<(String, String)>,
    looked: usize,
}

impl Listing {
    fn of(folder: &Path) -> Result<Listing> {
        let mut listing = Listing::default();
        listing.look(folder, 0)?;
        listing.recipes.sort();
        listing.unread.sort();
        Ok(listing)
    }

    fn look(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(reason) if depth > 0 => {
                self.unread.push((shown(folder), why(&reason)));
                return Ok(());
            }
            entries => entries.map_err(|reason| named(folder, &reason))?,
        };
        for entry in entries {
            let entry = entry.map_err(|reason| named(folder, &reason))?;
            self.looked += 1;
            if self.looked > ENTRIES_MAX || self.recipes.len() > FILES_MAX {
                return Err(Error::other(format!("{} holds too many files", folder.display())));
            }
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            if is_recipe(&name) {
                self.recipes.push(path.clone());
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth == DEPTH_MAX => {
                    let deep = format!("it is more than {DEPTH_MAX} folders deep");
                    self.unread.push((shown(&path), deep));
                }
                Ok(kind) if kind.is_dir() => self.look(&path, depth + 1)?,
                Ok(_) => {}
                Err(reason) => self.unread.push((shown(&path), why(&reason))),
            }
        }
        Ok(())
    }

    fn stamp(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.unread.hash(&mut hasher);
        for path in &self.recipes {
            path.hash(&mut hasher);
            match fs::metadata(path) {
                Ok(meta) => (meta.len(), meta.modified().ok(), identity(&meta)).hash(&mut hasher),
                Err(reason) => reason.kind().hash(&mut hasher),
            }
        }
        hasher.finish()
    }
}

/// Which file it is, and when anything of it changed last, its permissions among that.
#[cfg(unix)]
fn identity(meta: &fs::Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (meta.ino(), meta.ctime(), meta.ctime_nsec())
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

/// A path as it is shown: `./recipes/a.yaml` is what nobody would write.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// Why something cannot be read, in words; a link is told apart from a file that is not there.
fn why(reason: &Error) -> String {
    match reason.kind() {
        ErrorKind::NotFound => "there is no such file; if it is a link, it leads nowhere".to_owned(),
        _ => reason.to_string(),
    }
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
