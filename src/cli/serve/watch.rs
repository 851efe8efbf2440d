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

/// A folder of recipes that is watched.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    clock: Clock,
    last: u64,
}

impl Watch {
    /// The folder as it is now.
    pub fn new(folder: PathBuf, clock: Clock) -> Watch {
        let last = config::recipes_stamp(&folder);
        Watch { folder, clock, last }
    }

    /// Returns once the files are others than they were, and all of them are written.
    pub async fn changed(&mut self) {
        loop {
            self.clock.sleep(EVERY).await;
            let mut now = config::recipes_stamp(&self.folder);
            if now == self.last {
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
