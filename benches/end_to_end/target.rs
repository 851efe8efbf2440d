//! The target: answers every request at once and notes when it came.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::body::number;
use super::message;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{\"task\":{\"id\":4711}}";

/// A target that listens until the process ends.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

struct Seen {
    began: Instant,
    count: AtomicUsize,
    /// Nanoseconds from `began`, of the last.
    last: AtomicU64,
    at: Mutex<Vec<(usize, Instant)>>,
}

impl Target {
    pub async fn open() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target {
            address: listener.local_addr().unwrap(),
            seen: Arc::new(Seen {
                began: Instant::now(),
                count: AtomicUsize::new(0),
                last: AtomicU64::new(0),
                at: Mutex::default(),
            }),
        };
        let seen = target.seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let seen = seen.clone();
                tokio::spawn(async move { answer(stream, &seen).await });
            }
        });
        target
    }

    /// Forgets what came.
    pub fn clear(&self) {
        self.seen.count.store(0, Ordering::Relaxed);
        self.seen.at.lock().unwrap().clear();
    }

    /// Waits until so many have come, `most` at the longest; when the last came. Every effect exactly once, or it is no
    /// result.
    pub async fn wait_for(&self, count: usize, most: Duration) -> Instant {
        let until = Instant::now() + most;
        while self.seen.count.load(Ordering::Relaxed) < count {
            assert!(
                Instant::now() < until,
                "{} of {count} effects came in {most:?}",
                self.seen.count.load(Ordering::Relaxed)
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(self.seen.count.load(Ordering::Relaxed), count, "no effect comes twice");
        self.seen.began + Duration::from_nanos(self.seen.last.load(Ordering::Relaxed))
    }

    /// When each came.
    pub fn times(&self) -> Vec<(usize, Instant)> {
        self.seen.at.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, seen: &Seen) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(8192);
    loop {
        buffer.clear();
        let wanted = loop {
            if let Some((_, wanted)) = message::read(&buffer)
                && buffer.len() >= wanted
            {
                break wanted;
            }
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        };
        assert_eq!(wanted, buffer.len(), "requests come one after the other");
        let now = Instant::now();
        if let Some(number) = number(&buffer) {
            seen.at.lock().unwrap().push((number, now));
        }
        let nanos = u64::try_from((now - seen.began).as_nanos()).unwrap();
        seen.last.fetch_max(nanos, Ordering::Relaxed);
        seen.count.fetch_add(1, Ordering::Relaxed);
        if stream.write_all(ANSWER).await.is_err() {
            return;
        }
    }
}
