//! Lines on their way to whoever reads the log. Writing one is putting it into a buffer; a thread of its own writes the
//! buffer down, so that a slow terminal, a full pipe or a hung collector holds up nothing. What does not fit is lost, counted
//! and said once there is room again: a log may have a gap, a booking may not.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::model::meter::LOG_LINES_LOST;

/// How many bytes wait at the most, some four thousand lines; as many again may be on their way out.
const WAITING_MAX: usize = 1 << 20;

/// Lines that wait to be written down.
#[derive(Debug, Default)]
pub struct Lines {
    state: Mutex<State>,
    /// There is something to write.
    more: Condvar,
    /// Everything is written.
    rest: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    /// Lines lost since it was last said.
    lost: u64,
    /// Whether something is on its way out.
    writing: bool,
}

/// What a line is written with.
#[derive(Clone, Debug)]
pub struct Pen(pub Arc<Lines>);

impl Lines {
    /// Nothing waits.
    pub fn new() -> Arc<Lines> {
        Arc::default()
    }

    /// Writes down what waits, for the life of the process.
    ///
    /// # Errors
    ///
    /// Where the machine has no thread left.
    pub fn write_down(self: &Arc<Lines>, mut to: impl Write + Send + 'static) -> std::io::Result<()> {
        let lines = self.clone();
        let name = std::thread::Builder::new().name("log".to_owned());
        name.spawn(move || {
            let mut taken = Vec::new();
            loop {
                let lost = lines.take(&mut taken);
                // Nobody reads any more: nothing better to do with it than to go on.
                let _ = to.write_all(&taken).and_then(|()| to.flush());
                taken.clear();
                if lost > 0 {
                    tracing::warn!(lines = lost, "lines of the log were lost: nobody read them");
                }
            }
        })?;
        Ok(())
    }

    /// Waits until everything is written, but not for longer than this.
    pub fn settle(&self, patience: Duration) {
        let state = self.lock();
        let waits = |state: &mut State| state.writing || !state.waiting.is_empty();
        drop(self.rest.wait_timeout_while(state, patience, waits));
    }

    /// Waits for lines and takes them all; how many were lost before them.
    fn take(&self, into: &mut Vec<u8>) -> u64 {
        let mut state = self.lock();
        state.writing = false;
        if state.waiting.is_empty() {
            self.rest.notify_all();
            let empty = |state: &mut State| state.waiting.is_empty();
            state = self
                .more
                .wait_while(state, empty)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.writing = true;
        // The two buffers change places: none is ever made anew.
        std::mem::swap(&mut state.waiting, into);
        std::mem::take(&mut state.lost)
    }

    fn put(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len() + line.len() > WAITING_MAX {
            state.lost += 1;
            LOG_LINES_LOST.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.waiting.extend_from_slice(line);
        drop(state);
        self.more.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Pen {
    /// One whole line: whoever formats the log writes each in one piece.
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Pen {
    type Writer = Pen;

    fn make_writer(&self) -> Pen {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Somebody who reads only what they are told to.
    struct Reader {
        may: mpsc::Receiver<()>,
        read: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.may.recv();
            let _ = self.read.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_does_not_read_holds_nobody_up_and_loses_lines() {
        let lines = Lines::new();
        let (reads, may) = mpsc::channel();
        let (read, got) = mpsc::channel();
        lines.write_down(Reader { may, read }).unwrap();
        let before = LOG_LINES_LOST.load(Ordering::Relaxed);
        let mut pen = Pen(lines.clone()).make_writer();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        // As much again as fits is on its way out at the most.
        for _ in 0..3 * WAITING_MAX / line.len() {
            pen.write_all(&line).unwrap();
        }
        assert!(lines.lock().waiting.len() <= WAITING_MAX);
        let lost = LOG_LINES_LOST.load(Ordering::Relaxed) - before;
        assert!(lost >= (WAITING_MAX / line.len()) as u64, "{lost}");
        // The end does not wait for it either.
        lines.settle(Duration::from_millis(1));
        // Once somebody reads, whole lines come, and as many as were not lost.
        drop(reads);
        lines.settle(Duration::from_secs(30));
        let all: Vec<u8> = got.try_iter().flatten().collect();
        assert_eq!(all.len() / line.len(), 3 * WAITING_MAX / line.len() - lost as usize);
        assert!(all.chunks(line.len()).all(|chunk| chunk == line));
    }
}
