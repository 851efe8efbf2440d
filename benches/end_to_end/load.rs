//! The sender: many connections that are kept open, each sending the next delivery when the last is acknowledged; or a
//! few deliveries at a steady pace.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::body::Template;
use super::message;

/// What came of sending.
pub struct Sent {
    /// From the first request to the last answer.
    pub took: Duration,
    /// From request to answer, of each that was acknowledged; sorted.
    pub acks: Vec<Duration>,
    /// Answers other than 200.
    pub refused: usize,
    /// When each was sent, by its number from the begin of the range; only of a steady pace.
    pub at: Vec<Option<Instant>>,
}

impl Sent {
    /// Acknowledged a second.
    pub fn rate(&self) -> f64 {
        self.acks.len() as f64 / self.took.as_secs_f64()
    }
}

/// The duration below which `share` of the sorted ones lie, in milliseconds.
pub fn quantile_ms(sorted: &[Duration], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len()) - 1;
    sorted[at].as_secs_f64() * 1000.0
}

/// Sends the numbers of `range` as fast as they are acknowledged.
pub async fn flood(address: SocketAddr, template: &Template, range: Range<usize>, connections: usize) -> Sent {
    let next = Arc::new(AtomicUsize::new(range.start));
    let mut senders = JoinSet::new();
    let began = Instant::now();
    for _ in 0..connections {
        let (next, mut template, end) = (next.clone(), template.clone(), range.end);
        senders.spawn(async move {
            let mut line = Line::open(address).await;
            let (mut acks, mut refused) = (Vec::new(), 0);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return (acks, refused);
                }
                let sent = Instant::now();
                match line.ask(template.fill(number)).await {
                    200 => acks.push(sent.elapsed()),
                    _ => refused += 1,
                }
            }
        });
    }
    let mut sent = Sent {
        took: Duration::ZERO,
        acks: Vec::new(),
        refused: 0,
        at: Vec::new(),
    };
    while let Some(ended) = senders.join_next().await {
        let (acks, refused) = ended.unwrap();
        sent.acks.extend(acks);
        sent.refused += refused;
    }
    sent.took = began.elapsed();
    sent.acks.sort_unstable();
    sent
}

/// Sends the numbers of `range` one after the other, each `every` after the one before, whether or not that one is
/// acknowledged.
pub async fn steady(address: SocketAddr, template: &Template, range: Range<usize>, every: Duration) -> Sent {
    const LINES: usize = 16;
    let began = Instant::now();
    let mut senders = JoinSet::new();
    let first = range.start;
    for own in 0..LINES {
        let (mut template, numbers) = (template.clone(), range.clone().skip(own).step_by(LINES));
        senders.spawn(async move {
            let mut line = Line::open(address).await;
            let mut acks = Vec::new();
            for number in numbers {
                let due = began + every * u32::try_from(number - first).unwrap();
                tokio::time::sleep_until(due.into()).await;
                let sent = Instant::now();
                let status = line.ask(template.fill(number)).await;
                acks.push((number, sent, (status == 200).then(|| sent.elapsed())));
            }
            acks
        });
    }
    let mut sent = Sent {
        took: Duration::ZERO,
        acks: Vec::new(),
        refused: 0,
        at: vec![None; range.len()],
    };
    while let Some(ended) = senders.join_next().await {
        for (number, at, took) in ended.unwrap() {
            sent.at[number - first] = Some(at);
            match took {
                Some(took) => sent.acks.push(took),
                None => sent.refused += 1,
            }
        }
    }
    sent.took = began.elapsed();
    sent.acks.sort_unstable();
    sent
}

/// A connection that is kept open.
struct Line {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    async fn open(address: SocketAddr) -> Line {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Line {
            address,
            stream,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Sends one request; the status of the answer.
    async fn ask(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await.unwrap() == 0 {
                panic!("the connection to {} was closed", self.address);
            }
            if let Some(status) = whole(&self.buffer) {
                return status;
            }
        }
    }
}

/// The status, where the answer is there as a whole.
fn whole(answer: &[u8]) -> Option<u16> {
    let (head, length) = message::read(answer)?;
    (answer.len() >= length).then(|| head[9..12].parse().unwrap())
}
