//! A death between any two calls to the store, as far as a test can have one without a process of its own.
//!
//! Once lit, the fuse counts borders: one before each read, one before each write, and one after a write's commit. At the
//! last one everything stops: that call and every later one never return, as in a process that is gone. Whoever drives the
//! worker waits for [`Fuse::blown`] beside what it does, lets go of all that was in memory and opens the file again. Only
//! development builds have it; in others it never burns.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::watch;

/// Counts the borders that are left; shared by all clones of a store.
#[derive(Clone, Debug)]
pub struct Fuse {
    /// How many borders are left; below zero for an unlit one.
    left: Arc<AtomicI64>,
    blown: watch::Sender<bool>,
}

impl Default for Fuse {
    fn default() -> Fuse {
        Fuse {
            left: Arc::new(AtomicI64::new(-1)),
            blown: watch::Sender::new(false),
        }
    }
}

impl Fuse {
    /// Everything stops at the border after `borders` more of them.
    pub fn light(&self, borders: u32) {
        self.left.store(i64::from(borders), Ordering::Relaxed);
    }

    /// Puts it out again, where it has not blown.
    pub fn put_out(&self) {
        self.left.store(-1, Ordering::Relaxed);
    }

    /// Returns once everything has stopped.
    pub async fn blown(&self) {
        // The sender lives in `self`, so the only error (sender gone) cannot happen.
        let _ = self.blown.subscribe().wait_for(|blown| *blown).await;
    }

    /// A border. Never returns where everything has stopped.
    pub(super) async fn border(&self) {
        if !cfg!(debug_assertions) {
            return;
        }
        let left = self.left.load(Ordering::Relaxed);
        if left > 0 {
            self.left.store(left - 1, Ordering::Relaxed);
        }
        if left == 0 {
            self.blown.send_replace(true);
            std::future::pending::<()>().await;
        }
    }
}
