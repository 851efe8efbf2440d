//! Who holds the connections of a listener, and who has to give one up when none is left: whoever holds most of them,
//! and of those the one that has said nothing for longest.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::{AbortHandle, Id};
use tokio::time::Instant;

use super::proxy::network;

/// Of a connection that is closed for others it has to be this long since it said anything: what has only just been opened
/// may have a request on its way.
pub(super) const PATIENCE: Duration = Duration::from_millis(50);
/// The same of one whose request is being answered: longer than an answer takes.
const ANSWER_PATIENCE: Duration = Duration::from_secs(3);

/// One connection, as its own task and whoever handles its requests see it.
#[derive(Debug)]
pub struct Seat {
    began: Instant,
    /// In milliseconds since `began`.
    heard: AtomicU64,
    /// A whole request is there, and the peer waits for us.
    answering: AtomicBool,
    owner: Mutex<IpAddr>,
}

impl Seat {
    pub(super) fn new(peer: IpAddr) -> Seat {
        Seat {
            began: Instant::now(),
            heard: AtomicU64::new(0),
            answering: AtomicBool::new(false),
            owner: Mutex::new(network(peer)),
        }
    }

    /// The peer has said something.
    pub fn heard(&self) {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(since, Ordering::Relaxed);
    }

    /// Whether the peer waits for us now, and not we for the rest of its request.
    pub fn answering(&self, answering: bool) {
        self.answering.store(answering, Ordering::Relaxed);
    }

    /// The head of a request is there; it comes from this address.
    pub(super) fn asked(&self, from: IpAddr) {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = network(from);
        self.heard();
        self.answering(true);
    }

    /// The answer is on its way.
    pub(super) fn answered(&self) {
        self.heard();
        self.answering(false);
    }

    fn owner(&self) -> IpAddr {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much longer it may keep its place while others wait for one; nothing where its time is over.
    fn grace(&self, now: Instant) -> Duration {
        let heard = self.began + Duration::from_millis(self.heard.load(Ordering::Relaxed));
        let patience = match self.answering.load(Ordering::Relaxed) {
            true => ANSWER_PATIENCE,
            false => PATIENCE,
        };
        patience.saturating_sub(now.saturating_duration_since(heard))
    }

    /// For how long nothing was heard, with those that are being answered behind all others.
    fn silence(&self, now: Instant) -> (bool, Duration) {
        let heard = self.began + Duration::from_millis(self.heard.load(Ordering::Relaxed));
        let waits_for_peer = !self.answering.load(Ordering::Relaxed);
        (waits_for_peer, now.saturating_duration_since(heard))
    }
}

/// The connections that are open.
#[derive(Default)]
pub(super) struct Seats(HashMap<Id, (Arc<Seat>, AbortHandle)>);

impl Seats {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, seat: Arc<Seat>, task: AbortHandle) {
        self.0.insert(task.id(), (seat, task));
    }

    pub(super) fn ended(&mut self, task: Id) {
        self.0.remove(&task);
    }

    /// Closes one for somebody who waits; else says how long to wait until one may be closed.
    pub(super) fn free_one(&mut self, now: Instant) -> Result<(), Duration> {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for (seat, _) in self.0.values() {
            *held.entry(seat.owner()).or_default() += 1;
        }
        let weight = |seat: &Seat| (held.get(&seat.owner()).copied(), seat.silence(now));
        let found = self.0.iter().max_by_key(|(_, (seat, _))| weight(seat));
        let Some((id, grace)) = found.map(|(id, (seat, _))| (*id, seat.grace(now))) else {
            return Err(PATIENCE);
        };
        if !grace.is_zero() {
            // Another one may be quiet sooner.
            return Err(grace.min(PATIENCE));
        }
        if let Some((_, task)) = self.0.remove(&id) {
            task.abort();
        }
        Ok(())
    }
}
