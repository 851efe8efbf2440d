//! Sees when the recipes' files have changed. It looks at the folder instead of being told by the system: that works on
//! every disk and mount, and for editors and git, which put a new file in the place of the old one.

use std::path::PathBuf;

use chrono::TimeDelta;

use crate::config;
use crate::model::clock::Clock;

/// How often it looks.
const EVERY: TimeDelta = TimeDelta::seconds(1);
/// For how long nothing may change before it counts: files are written one after the other.
const STILL: TimeDelta = TimeDelta::milliseconds(300);

/// After so many looks what could not be taken over is tried once more, changed or not.
const AGAIN: u32 = 30;

/// A folder of recipes that is watched.
#[derive(Debug)]
pub struct Watch {
    /// The folder.
    pub folder: PathBuf,
    clock: Clock,
    /// How it was when its recipes were read last.
    last: u64,
    /// The looks that are left until what could not be taken over is tried once more.
    again: Option<u32>,
}

impl Watch {
    /// A folder, and how it was when its recipes were read.
    pub fn new(folder: PathBuf, clock: Clock, last: u64) -> Watch {
        Watch {
            folder,
            clock,
            last,
            again: None,
        }
    }

    /// How the folder was when its recipes were taken over; `None` where they were not.
    pub fn taken(&mut self, stamp: Option<u64>) {
        self.again = stamp.is_none().then_some(AGAIN);
        self.last = stamp.unwrap_or(self.last);
    }

    /// Returns once the files are others than they were, and all of them are written.
    pub async fn changed(&mut self) {
        loop {
            self.clock.sleep(EVERY).await;
            let mut now = config::recipes_stamp(&self.folder);
            self.again = self.again.map(|left| left.saturating_sub(1));
            if now == self.last && self.again != Some(0) {
                continue;
            }
            loop {
                self.clock.sleep(STILL).await;
                let then = std::mem::replace(&mut now, config::recipes_stamp(&self.folder));
                if then == now {
                    break;
                }
            }
            self.last = now;
            return;
        }
    }
}
