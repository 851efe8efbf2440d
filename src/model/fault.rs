//! Our own faults: catching a panic so that it costs one piece of work, and the named places where a test can end the
//! process, as if by `kill -9`, or put a bug in.

use std::cell::{Cell, RefCell};
use std::sync::{Mutex, Once, OnceLock};

static ARMED: OnceLock<String> = OnceLock::new();

/// Every named place, in the order in which a delivery passes them.
pub const POINTS: &[&str] = &[
    "before-receive-commit",
    "after-receive-commit",
    "before-decide-commit",
    "after-decide-commit",
    "before-send",
    "after-send",
    "after-record-commit",
    "task-dies",
    "no-progress",
    "no-sync",
];

/// Arms places for the life of the process, separated by commas: the name of one to end at, or `place:mark`, which breaks
/// a place for what contains the mark, as [`break_for`] does. Only development builds listen to it.
pub fn arm(names: &str) {
    for name in names.split(',') {
        match name.split_once(':') {
            Some((place, mark)) => faulty().push((place.to_owned(), mark.to_owned())),
            None => _ = ARMED.set(name.to_owned()),
        }
    }
}

/// Ends the process here, without any cleaning up, where a test has armed this place.
pub fn point(name: &'static str) {
    if cfg!(debug_assertions) && ARMED.get().is_some_and(|armed| armed == name) {
        debug_assert!(POINTS.contains(&name), "{name} is not a named place");
        std::process::abort();
    }
}

/// Panics here where a test has armed this place: a background task that dies by a fault of ours.
pub fn dies(name: &'static str) {
    if cfg!(debug_assertions) && ARMED.get().is_some_and(|armed| armed == name) {
        panic!("armed: {name}");
    }
}

/// Whether a test has armed this place: what stands there is left out.
pub fn left_out(name: &'static str) -> bool {
    cfg!(debug_assertions) && ARMED.get().is_some_and(|armed| armed == name)
}

/// A fault of ours that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What the panic said.
    pub message: String,
    /// The message, where it happened and what led there; for the delivery's page only, never for a log: a message may
    /// quote a guest's values.
    pub trace: String,
}

/// No kept trace is longer, in bytes.
const TRACE_MAX: usize = 8 * 1024;

thread_local! {
    static GUARDS: Cell<usize> = const { Cell::new(0) };
    static TRACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs our own pure code so that a panic in it costs this piece of work and nothing else. What the panic says goes
/// into the fault and nowhere else.
///
/// # Errors
/// The fault, where there was a panic.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, Fault> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if GUARDS.get() == 0 {
                return before(panic);
            }
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let stack = std::backtrace::Backtrace::force_capture();
            TRACE.set(Some(format!("at {place}\n{stack}")));
        }));
    });
    GUARDS.set(GUARDS.get() + 1);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    GUARDS.set(GUARDS.get() - 1);
    done.map_err(|panic| {
        let message = panic_text(&*panic);
        let mut trace = format!("{message}\n{}", TRACE.take().unwrap_or_default());
        let end = (0..=TRACE_MAX.min(trace.len()))
            .rev()
            .find(|at| trace.is_char_boundary(*at));
        trace.truncate(end.unwrap_or_default());
        Fault { message, trace }
    })
}

/// What a panic said, where that is a text of the program's own; any other may quote a guest's values.
pub fn plain_text(panic: &(dyn std::any::Any + Send)) -> &'static str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("the log says where")
}

/// What a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

static FAULTY: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Makes `place` (`map`, `decide`, `recipe`, `send`) panic for everything whose text contains `mark`, as a bug in there would;
/// gives back what ends it. Only development builds listen to it.
#[doc(hidden)]
pub fn break_for(place: &'static str, mark: &str) -> Broken {
    let entry = (place.to_owned(), mark.to_owned());
    faulty().push(entry.clone());
    Broken(entry)
}

/// A bug that a test has put in; dropping it is the fix.
#[doc(hidden)]
#[derive(Debug)]
pub struct Broken((String, String));

impl Drop for Broken {
    fn drop(&mut self) {
        faulty().retain(|entry| *entry != self.0);
    }
}

fn faulty() -> std::sync::MutexGuard<'static, Vec<(String, String)>> {
    FAULTY.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Panics here where a test has broken this place for such a text.
#[expect(clippy::panic, reason = "a test has asked for it; other builds never come here")]
pub(crate) fn maybe(place: &'static str, text: impl FnOnce() -> String) {
    if !cfg!(debug_assertions) {
        return;
    }
    let marks: Vec<String> = faulty()
        .iter()
        .filter(|(at, _)| *at == place)
        .map(|(_, mark)| mark.clone())
        .collect();
    if marks.is_empty() {
        return;
    }
    let text = text();
    if marks.iter().any(|mark| text.contains(mark)) {
        // As the panics of the standard library do, it quotes what it could not deal with.
        panic!("broken by a test: {place} with {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_fault_says_what_and_where() {
        assert_eq!(guard(|| 7), Ok(7));
        let fault = guard(|| assert_eq!(1 + 1, 3, "sums")).unwrap_err();
        assert!(fault.message.contains("sums"), "{fault:?}");
        assert!(fault.trace.contains("model/fault.rs:"), "{fault:?}");
        let inner = guard(|| guard(|| assert_eq!(1, 2)).is_err());
        assert_eq!(inner, Ok(true));
    }
}
