//! Named places at the borders between commits where a test can end the process, as if by `kill -9`.

use std::sync::OnceLock;

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
];

/// Arms one place for the life of the process. Only development builds listen to it.
pub fn arm(name: &str) {
    let _ = ARMED.set(name.to_owned());
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
