//! The memory for bodies, shared so that nobody takes it all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answer::{self, Problem};

/// So much of every body costs nobody room: the listener's connections are its bound. Nearly every delivery is shorter.
const FREE: usize = 64 << 10;

/// Who has to answer for the memory of a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    /// A source, once the head of the request has shown that it is the sender.
    Source(String),
    /// Somebody who has not shown that yet, with the address of the request.
    Stranger(String, Option<IpAddr>),
}

/// All of it. A payer gets more only while what he has then is at most three times what is left to everybody else: whoever
/// holds most is refused first, and room for the next one is always left.
#[derive(Debug)]
pub(super) struct Memory {
    total: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    all: usize,
    by: HashMap<Payer, usize>,
}

impl Memory {
    pub(super) fn new(total: usize) -> Memory {
        Memory {
            total,
            used: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's share; given back when dropped.
pub(super) struct Held {
    memory: Arc<Memory>,
    payer: Payer,
    free: usize,
    taken: usize,
}

impl Held {
    pub(super) fn new(memory: Arc<Memory>, payer: Payer) -> Held {
        Held {
            memory,
            payer,
            free: FREE,
            taken: 0,
        }
    }

    /// Takes `bytes` more, or says that there is no room. Never waits: what waits would hold what it has.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let paid = bytes.saturating_sub(self.free);
        self.free -= bytes - paid;
        if paid == 0 {
            return Ok(());
        }
        let mut used = self.memory.lock();
        let left = self.memory.total.saturating_sub(used.all + paid);
        let mine = used.by.get(&self.payer).copied().unwrap_or_default() + paid;
        if mine / 3 > left {
            return Err(answer::OVERLOADED);
        }
        used.all += paid;
        used.by.insert(self.payer.clone(), mine);
        self.taken += paid;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.taken == 0 {
            return;
        }
        let mut used = self.memory.lock();
        used.all -= self.taken;
        if let Some(mine) = used.by.get_mut(&self.payer) {
            *mine -= self.taken;
            if *mine == 0 {
                used.by.remove(&self.payer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: usize = 1 << 10;

    #[test]
    fn whoever_holds_most_is_refused_first_and_room_is_left_for_the_next() {
        let memory = Arc::new(Memory::new(1024 * KIB));
        let held = |payer: &Payer| Held::new(memory.clone(), payer.clone());
        let most = |payer: &Payer| {
            let mut held = held(payer);
            while held.take(KIB).is_ok() {}
            held
        };
        let [mine, stranger, other] = [
            Payer::Source("a".to_owned()),
            Payer::Stranger("a".to_owned(), "192.0.2.1".parse().ok()),
            Payer::Stranger("a".to_owned(), "192.0.2.2".parse().ok()),
        ];
        let first = most(&stranger);
        assert!((767 * KIB..=769 * KIB).contains(&first.taken), "{}", first.taken);
        // The same one by another connection: only what every body gets.
        assert_eq!(most(&stranger).taken, 0);
        let (second, third) = (most(&other), most(&mine));
        assert!(
            second.taken >= 190 * KIB && third.taken >= 45 * KIB,
            "{} {}",
            second.taken,
            third.taken
        );
        assert!(held(&stranger).take(FREE).is_ok() && held(&stranger).take(FREE + 1).is_err());
        drop((first, second, third));
        assert!(memory.lock().by.is_empty() && memory.lock().all == 0);
    }
}
