//! How the store is: whether it takes what is written, and what else a person should know.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::StoreError;

/// How much room the store takes and has, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// The database, its write-ahead log included.
    pub bytes: u64,
    /// The write-ahead log.
    pub wal: u64,
    /// What is free where it is, where the system says so.
    pub free: Option<u64>,
}

/// How the store is; said in the log when it changes.
#[derive(Debug, Default)]
pub struct Health {
    gone: watch::Sender<Option<String>>,
    /// Why the last commit failed, where the store and not the work was at fault.
    refuses: Mutex<Option<StoreError>>,
    warnings: Mutex<BTreeMap<&'static str, String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Health {
    /// Whether what is written is taken; else why not.
    pub fn writable(&self) -> Result<(), StoreError> {
        self.not_gone()?;
        lock(&self.refuses).clone().map_or(Ok(()), Err)
    }

    /// Sees that the file is still there, as far as anybody has noticed.
    pub fn not_gone(&self) -> Result<(), StoreError> {
        let gone = self.gone.borrow();
        gone.as_ref().map_or(Ok(()), |why| Err(StoreError::Gone(why.clone())))
    }

    /// Returns once the file is gone.
    pub async fn wait_until_gone(&self) {
        // The sender lives in `self`, so the only error (sender gone) cannot happen.
        let _ = self.gone.subscribe().wait_for(Option::is_some).await;
    }

    /// What is not as it should be although everything is taken, one line each.
    pub fn warnings(&self) -> Vec<String> {
        lock(&self.warnings).values().cloned().collect()
    }

    /// Takes note of an error; a file that is gone stays gone.
    pub(super) fn noticed(&self, error: StoreError) -> StoreError {
        if let StoreError::Gone(why) = &error
            && self.gone.borrow().is_none()
        {
            tracing::error!(
                why,
                "the database is gone; nothing is taken any more, and Stayhook stops"
            );
            self.gone.send_replace(Some(why.clone()));
        }
        error
    }

    /// Takes note that something was written: whatever was wrong is over.
    pub(super) fn takes(&self) {
        if lock(&self.refuses).take().is_some() {
            tracing::info!("the store takes what is written again");
        }
    }

    /// Takes note of why a commit failed; whether that was told. That one did not fail says little: it may have had nothing
    /// to write.
    pub(super) fn refused(&self, failed: Option<&StoreError>) -> bool {
        use StoreError::{Busy, Full, Gone, Unavailable};
        match failed {
            Some(Gone(_)) => true,
            Some(error @ (Busy | Full | Unavailable(_))) => {
                let mut refuses = lock(&self.refuses);
                if refuses.as_ref() != Some(error) {
                    tracing::error!(%error, "the store takes nothing; senders are told to come back");
                    *refuses = Some(error.clone());
                }
                true
            }
            // Of one piece of work, not of the store.
            Some(_) | None => false,
        }
    }

    /// Begins to warn of something, or ends it with `None`; `sort` tells one warning from the next.
    pub(super) fn warn(&self, sort: &'static str, warning: Option<String>) {
        let mut warnings = lock(&self.warnings);
        match warning {
            Some(text) => {
                if !warnings.contains_key(sort) {
                    tracing::warn!("{text}");
                }
                warnings.insert(sort, text);
            }
            None => {
                if let Some(text) = warnings.remove(sort) {
                    tracing::info!("no longer: {text}");
                }
            }
        }
    }
}
