//! The one writer. It commits in groups: whatever waits when a commit ends goes into the next, receipts first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::model::delivery::{Arrival, Receipt};
use crate::model::fault;

use super::dialect::{Conn, Database};
use super::{StoreError, receive};

/// How many deliveries may wait for the next commit; beyond it senders are told to come back.
pub const RECEIPTS_WAITING_MAX: usize = 2048;
/// And how many bytes of bodies; a few large ones must not cost more memory than many usual ones.
pub const RECEIPTS_WAITING_BYTES: usize = 64 << 20;
/// How many pieces of other work may wait.
const WORK_WAITING_MAX: usize = 256;
/// How many receipts go into one commit.
const RECEIPTS_PER_GROUP: usize = 256;
/// After this a group of other work ends, so that receipts do not wait for it.
const WORK_BUDGET: Duration = Duration::from_millis(5);

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;
/// A delivery that waits, and its share of [`RECEIPTS_WAITING_BYTES`], held until the commit.
type Waiting = (Arrival, (Reply<Receipt>, OwnedSemaphorePermit));
type Work = Box<dyn FnWork + Send>;

/// A piece of other work: run inside the group's transaction, told afterwards how the commit went.
trait FnWork {
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> BoxFuture<'c, Result<(), StoreError>>;
    fn end(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Piece<F, T> {
    run: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: Reply<T>,
}

impl<F, T> FnWork for Piece<F, T>
where
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send,
    T: Send,
{
    fn run<'c>(&'c mut self, conn: &'c mut Conn) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(run) = self.run.take() else { return Ok(()) };
            let result = run(conn).await;
            let plain = result.as_ref().map(|_| ()).map_err(Clone::clone);
            self.result = Some(result);
            plain
        })
    }

    fn end(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Err(error), _) => Err(error),
            (Ok(()), None) => Err(StoreError::Unavailable("the writer did not get to it".to_owned())),
        };
        // Whoever asked may have gone; the work is done all the same.
        let _ = self.reply.send(result);
    }
}

/// Hands work to the writer.
#[derive(Clone, Debug)]
pub struct Handle {
    receipts: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    work: mpsc::Sender<Work>,
    commits: watch::Sender<u64>,
    received: Arc<AtomicU64>,
}

impl std::fmt::Debug for dyn FnWork + Send {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("work")
    }
}

impl Handle {
    /// Stores one delivery; returns after the commit.
    pub async fn receive(&self, arrival: Arrival) -> Result<Receipt, StoreError> {
        let (reply, answer) = oneshot::channel();
        let bytes = u32::try_from(arrival.body.len()).map_err(|_| StoreError::Overloaded)?;
        let room = self.room.clone().try_acquire_many_owned(bytes);
        let room = room.map_err(|_| StoreError::Overloaded)?;
        self.receipts
            .try_send((arrival, (reply, room)))
            .map_err(|_| StoreError::Overloaded)?;
        answer
            .await
            .map_err(|_| StoreError::Unavailable("the writer has stopped".to_owned()))?
    }

    /// Runs a piece of work in the next group; returns after the commit. Where it fails, only this piece is taken back.
    pub async fn write<T, F>(&self, run: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let piece: Work = Box::new(Piece {
            run: Some(run),
            result: None,
            reply,
        });
        let stopped = || StoreError::Unavailable("the writer has stopped".to_owned());
        self.work.send(piece).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// How many deliveries were stored so far, those that had come before among them.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Counts commits; whoever waits for something in the store waits for this to change.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }
}

/// The writer's end of the queues.
#[derive(Debug)]
pub struct Writer {
    receipts: mpsc::Receiver<Waiting>,
    work: mpsc::Receiver<Work>,
    commits: watch::Sender<u64>,
    received: Arc<AtomicU64>,
    scoped: receive::Scoped,
}

/// The two ends.
pub fn channel() -> (Handle, Writer) {
    let (receipts, receipts_end) = mpsc::channel(RECEIPTS_WAITING_MAX);
    let (work, work_end) = mpsc::channel(WORK_WAITING_MAX);
    let commits = watch::Sender::new(0);
    let received = Arc::<AtomicU64>::default();
    (
        Handle {
            receipts,
            room: Arc::new(Semaphore::new(RECEIPTS_WAITING_BYTES)),
            work,
            commits: commits.clone(),
            received: received.clone(),
        },
        Writer {
            receipts: receipts_end,
            work: work_end,
            commits,
            received,
            scoped: receive::Scoped::default(),
        },
    )
}

impl Writer {
    /// Writes until every handle is gone.
    pub async fn run(mut self, database: Arc<Database>) {
        // What was taken out and not begun is the first of the next group.
        let mut next = None;
        loop {
            let mut receipts = Vec::new();
            if next.is_none() {
                tokio::select! {
                    biased;
                    Some(receipt) = self.receipts.recv() => receipts.push(receipt),
                    Some(work) = self.work.recv() => next = Some(work),
                    else => return,
                }
            }
            while receipts.len() < RECEIPTS_PER_GROUP
                && let Ok(receipt) = self.receipts.try_recv()
            {
                receipts.push(receipt);
            }
            next = self.group(&database, receipts, next).await;
        }
    }

    /// One group; gives back the work that it has taken out and not begun.
    #[expect(
        clippy::disallowed_methods,
        reason = "a budget of work within one group, not a time anybody sees"
    )]
    async fn group(&mut self, database: &Database, receipts: Vec<Waiting>, first: Option<Work>) -> Option<Work> {
        let (arrivals, replies): (Vec<_>, Vec<_>) = receipts.into_iter().unzip();
        let mut worked: Vec<(Work, Result<(), StoreError>)> = Vec::new();
        let mut next = first;
        let began = std::time::Instant::now();
        let outcome: Result<Vec<Receipt>, StoreError> = async {
            let mut conn = database.writer().await?;
            // Asked before as well: what is written behind a log that was cut short makes it look whole again.
            database.still_there()?;
            next = next.take().or_else(|| self.work.try_recv().ok());
            self.scoped.note(&mut conn, &arrivals).await?;
            let scoped = &self.scoped;
            let mut begun = false;
            if next.is_none() && receive::is_one_run(&arrivals) {
                fault::point("before-receive-commit");
                if let Some(stored) = receive::insert_new(&mut conn, &arrivals, scoped).await? {
                    return Ok(stored);
                }
                begun = true;
            }
            conn.begin().await?;
            let body = async {
                if next.is_some() {
                    database.fenced(&mut conn).await?;
                }
                let stored = match begun {
                    false => receive::insert(&mut conn, &arrivals, scoped).await?,
                    true => receive::sort_out(&mut conn, &arrivals, scoped).await?,
                };
                while let Some(mut work) = next.take().or_else(|| self.work.try_recv().ok()) {
                    next = self.work.try_recv().ok();
                    // What is alone is taken back with the transaction.
                    let alone = arrivals.is_empty() && worked.is_empty() && next.is_none();
                    if !alone {
                        conn.mark().await?;
                    }
                    let result = work.run(&mut conn).await;
                    let undone = match &result {
                        _ if alone => result.clone(),
                        Ok(()) => conn.keep().await,
                        // A full disk has taken everything back already: then that is what went wrong.
                        Err(error) => conn.take_back().await.map_err(|_| error.clone()),
                    };
                    worked.push((work, result));
                    undone?;
                    if began.elapsed() > WORK_BUDGET {
                        break;
                    }
                }
                if !arrivals.is_empty() {
                    fault::point("before-receive-commit");
                }
                conn.commit().await?;
                Ok(stored)
            };
            let done = body.await;
            if done.is_err() {
                // The transaction may have ended by itself (a full disk does that); then there is nothing to take back.
                let _ = conn.rollback().await;
            }
            done
        }
        .await;
        // Nothing counts as stored that the next start would not find.
        let outcome = outcome.and_then(|stored| database.still_there().map(|()| stored));
        if outcome.is_ok() && !arrivals.is_empty() {
            database.health.takes();
        }
        let known = database.health.refused(outcome.as_ref().err());
        if outcome.is_ok() && !arrivals.is_empty() {
            fault::point("after-receive-commit");
        }
        // A piece that failed by itself is told so, and is no news of the store.
        let own = worked.iter().all(|(_, result)| result.is_err()) && !worked.is_empty() && arrivals.is_empty();
        if let Err(error) = &outcome
            && !own
            && !known
        {
            tracing::warn!(%error, receipts = arrivals.len(), work = worked.len(), "a group was not committed");
        }
        let plain = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        match outcome {
            Ok(stored) => {
                self.received.fetch_add(stored.len() as u64, Ordering::Relaxed);
                for ((reply, _), receipt) in replies.into_iter().zip(stored) {
                    let _ = reply.send(Ok(receipt));
                }
            }
            Err(error) => {
                for (reply, _) in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
        if worked.is_empty()
            && let (Some(work), Err(error)) = (next.take_if(|_| plain.is_err()), &plain)
        {
            // It was not begun; what waits is told why.
            work.end(Err(error.clone()));
        }
        for (work, result) in worked {
            work.end(plain.clone().and(result));
        }
        self.commits.send_modify(|commits| *commits += 1);
        next
    }
}
