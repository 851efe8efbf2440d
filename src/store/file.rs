//! The database as a file on the disk: whose it is, whether it is still the one that was opened, who may read it.
//!
//! The lock is one of the file itself (`flock`, on a descriptor of our own), so that no other name of it, and nobody who
//! clears up beside it, gets around it. SQLite's own locks are POSIX ones: they fall as soon as the process closes any
//! descriptor of the file, so ours is closed after SQLite's, and everything else here goes by name.

use std::fs::{self, File};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::StoreError;

/// Of a file: device and inode.
type Id = (u64, u64);

/// How SQLite's files are called beside the database: <https://sqlite.org/walformat.html>
const WAL: &str = "-wal";
const INDEX: &str = "-shm";
/// A database begins so, and has the number of its changes here: <https://sqlite.org/fileformat2.html#database_header>
const MAGIC: &[u8] = b"SQLite format 3\0";
const CHANGES_AT: usize = 24;

/// The database of a process that works on it. Dropping it gives the lock back.
#[derive(Debug)]
pub struct Held {
    /// As it is configured: links are followed anew each time.
    named: PathBuf,
    id: Id,
    /// The files beside it and which they are, once SQLite has made them.
    beside: [(PathBuf, OnceLock<Id>); 2],
    /// How many changes the file said last.
    changes: AtomicU32,
    lengths: Mutex<Lengths>,
    lock: File,
}

/// How long the files were last, in bytes.
#[derive(Debug, Default)]
struct Lengths {
    database: u64,
    log: u64,
    /// The log is being cut by ourselves.
    cutting: bool,
}

impl Held {
    /// Makes the file where it is not there yet, for its owner alone, and locks it. Gives back its real path too.
    pub fn take(path: &Path) -> Result<(Held, PathBuf), StoreError> {
        let refused = |error: Error| refused(path, &error);
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(path).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StoreError::Locked),
            Err(fs::TryLockError::Error(error)) => return Err(refused(error)),
        }
        let (named, real) = (std::path::absolute(path), fs::canonicalize(path));
        let (named, real) = (named.map_err(refused)?, real.map_err(refused)?);
        let open = lock.metadata().map_err(refused)?;
        let held = Held {
            named,
            id: (open.dev(), open.ino()),
            beside: [WAL, INDEX].map(|ending| (beside(&real, ending), OnceLock::new())),
            changes: AtomicU32::new(0),
            lengths: Mutex::default(),
            lock,
        };
        held.same()?;
        for path in std::iter::once(&real).chain(held.beside.iter().map(|(path, _)| path)) {
            tighten(path);
        }
        if let Some(folder) = real.parent() {
            look_at_folder(folder);
        }
        Ok((held, real))
    }

    /// Remembers the files beside the database. From here on somebody has it open all the time, so SQLite makes no others.
    pub fn remember(&self) {
        for (path, known) in &self.beside {
            // Where SQLite cannot share memory it goes without them.
            if let Ok(found) = fs::metadata(path) {
                let _ = known.set((found.dev(), found.ino()));
            }
        }
    }

    /// Sees that the names still lead to the files that are open, and that nobody has cut them short.
    ///
    /// # Errors
    /// [`StoreError::Gone`] where it is not so; [`StoreError::Unavailable`] where that cannot be seen.
    pub fn same(&self) -> Result<(), StoreError> {
        // Held while we look: what was seen before a cut of ours is not held against what is seen after it.
        let mut before = self.lengths();
        let database = one(&self.named, self.id)?;
        if std::mem::replace(&mut before.database, database) > database {
            // VACUUM does that too.
            self.not_written_over()?;
        }
        let [(log, known), (index, known_index)] = &self.beside;
        known_index.get().map_or(Ok(0), |known| one(index, *known))?;
        let length = known.get().map_or(Ok(0), |known| one(log, *known))?;
        if !before.cutting && std::mem::replace(&mut before.log, length) > length {
            return Err(gone(log, "was cut short"));
        }
        Ok(())
    }

    /// The log is about to be cut by ourselves, or has been.
    pub fn cutting(&self, cutting: bool) {
        let mut lengths = self.lengths();
        (lengths.cutting, lengths.log) = (cutting, 0);
    }

    /// Whether only the log's name leads elsewhere: what is in it is in nobody's hands but ours.
    pub fn lost_its_log(&self) -> bool {
        let [(log, known), _] = &self.beside;
        let elsewhere = known.get().is_some_and(|known| one(log, *known).is_err());
        elsewhere && one(&self.named, self.id).is_ok() && self.not_written_over().is_ok()
    }

    fn lengths(&self) -> MutexGuard<'_, Lengths> {
        self.lengths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees that nobody has written another database over this one: the number of its changes never falls.
    pub fn not_written_over(&self) -> Result<(), StoreError> {
        let mut head = [0; CHANGES_AT + 4];
        match self.lock.read_exact_at(&mut head, 0) {
            Ok(()) => {}
            // Before the first checkpoint everything is in the log.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && self.changes.load(Ordering::Relaxed) == 0 => {
                return Ok(());
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => head = [0; CHANGES_AT + 4],
            Err(error) => return Err(StoreError::Unavailable(error.to_string())),
        }
        let (magic, changes) = (&head[..MAGIC.len()], &head[CHANGES_AT..]);
        let changes = u32::from_be_bytes([changes[0], changes[1], changes[2], changes[3]]);
        let before = self.changes.swap(changes, Ordering::Relaxed);
        if magic == MAGIC && changes >= before {
            return Ok(());
        }
        Err(gone(&self.named, "was written over"))
    }
}

/// A path with something behind the name.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Bytes of the database and of its write-ahead log on the disk.
pub fn sizes(path: &Path) -> (u64, u64) {
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    (size(path), size(&beside(path, WAL)))
}

/// Bytes that are free for us where the database is; nothing where the system does not say.
pub fn free(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path.parent()?).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

fn gone(path: &Path, what: &str) -> StoreError {
    StoreError::Gone(format!("{} {what} while a daemon works on it", path.display()))
}

/// How long a file is, where it is the one that is known.
fn one(path: &Path, known: Id) -> Result<u64, StoreError> {
    match fs::metadata(path) {
        Ok(found) if (found.dev(), found.ino()) == known => Ok(found.len()),
        Ok(_) => Err(gone(path, "was replaced by another file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(gone(path, "was removed")),
        Err(error) => Err(StoreError::Unavailable(format!("{}: {error}", path.display()))),
    }
}

fn refused(path: &Path, error: &Error) -> StoreError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match (error.kind(), folder) {
        (ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge, _) => StoreError::Full,
        (ErrorKind::NotFound, Some(folder)) => StoreError::Unusable(format!(
            "the folder {} for the database is not there; make it first",
            folder.display()
        )),
        _ => StoreError::Unusable(format!("cannot use {}: {error}", path.display())),
    }
}

/// Guests' names are in it: what everybody may read becomes the owner's alone. What only a group may read was meant so.
fn tighten(path: &Path) {
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.mode() & 0o777;
    if mode & 0o007 == 0 {
        return;
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)) {
        Ok(()) => tracing::warn!(file = %path.display(), "everybody could read the database; now only its owner can"),
        Err(error) => tracing::warn!(file = %path.display(), %error, "everybody can read the database; `chmod 600` it"),
    }
}

fn look_at_folder(folder: &Path) {
    let Ok(found) = fs::metadata(folder) else { return };
    // With the sticky bit, as /tmp has it, nobody removes the files of others.
    if found.mode() & 0o1002 == 0o002 {
        tracing::warn!(folder = %folder.display(), "everybody can remove or replace the database; `chmod o-w` its folder");
    }
}
