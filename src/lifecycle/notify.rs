//! What the service manager is told: systemd's protocol, a datagram of `NAME=value` lines to the socket that
//! `NOTIFY_SOCKET` names. Without one, nothing is told to anybody.

use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;
use std::time::Duration;

use sd_notify::NotifyState;

/// How many signs of life fit into the time after which the manager counts us as stuck: one may get lost.
const SIGNS: u32 = 3;

/// The line to the service manager.
#[derive(Debug, Default)]
pub struct Notify {
    socket: Option<UnixDatagram>,
    every: Option<Duration>,
    /// What we say of ourselves while all is well.
    line: Mutex<String>,
}

impl Notify {
    /// Opens the line that the environment describes (`NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`); `pid` is this
    /// process's. One that cannot be opened is logged, and is no reason not to run.
    pub fn open(env: &dyn Fn(&str) -> Option<String>, pid: u32) -> Notify {
        let Some(path) = env("NOTIFY_SOCKET").filter(|path| !path.is_empty()) else {
            return Notify::default();
        };
        let socket = match connect(&path) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(%error, "the service manager's socket cannot be reached");
                return Notify::default();
            }
        };
        let meant = env("WATCHDOG_PID").is_none_or(|text| text.parse() == Ok(pid));
        let limit = env("WATCHDOG_USEC").and_then(|text| text.parse().ok());
        let limit = limit.filter(|limit| meant && *limit > 0).map(Duration::from_micros);
        Notify {
            socket: Some(socket),
            every: limit.map(|limit| limit / SIGNS),
            line: Mutex::default(),
        }
    }

    /// How often [`Notify::alive`] is expected; `None` where the manager does not watch.
    pub fn every(&self) -> Option<Duration> {
        self.every
    }

    /// The start or a reload is over; `line` says how we are, for `systemctl status`.
    pub fn ready(&self, line: &str) {
        *self.lock() = line.to_owned();
        self.send(&[NotifyState::Ready, NotifyState::Status(line)]);
    }

    /// The files are read again; [`Notify::ready`] follows.
    pub fn reloading(&self) {
        let since = NotifyState::monotonic_usec_now().ok();
        let mut words = vec![NotifyState::Reloading, NotifyState::Status("reading its files again")];
        words.extend(since);
        self.send(&words);
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.send(&[
            NotifyState::Stopping,
            NotifyState::Status("stopping: what is under way ends"),
        ]);
    }

    /// A sign of life.
    pub fn alive(&self) {
        self.send(&[NotifyState::Watchdog]);
    }

    /// Something is wrong with us.
    pub fn trouble(&self, what: &str) {
        self.send(&[NotifyState::Status(what)]);
    }

    /// All is well again.
    pub fn well(&self) {
        let line = self.lock().clone();
        self.send(&[NotifyState::Status(&line)]);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, String> {
        self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn send(&self, words: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else { return };
        let text: String = words
            .iter()
            .map(|word| format!("{}\n", word.to_string().replace(['\n', '\r'], " ")))
            .collect();
        if let Err(error) = socket.send(text.as_bytes()) {
            tracing::debug!(%error, "the service manager could not be told");
        }
    }
}

fn connect(path: &str) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not hold us up.
    socket.set_nonblocking(true)?;
    match path.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?;
        }
        _ => socket.connect(path)?,
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &std::path::Path, more: &[(&str, &str)]) -> Notify {
        let path = folder.join("notify").display().to_string();
        let env = |name: &str| match name {
            "NOTIFY_SOCKET" => Some(path.clone()),
            name => more
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned()),
        };
        Notify::open(&env, 7)
    }

    #[test]
    fn the_watchdog_is_ours_or_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let _manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        for (more, every) in [
            (&[][..], None),
            (&[("WATCHDOG_USEC", "30000000")][..], Some(Duration::from_secs(10))),
            (
                &[("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "7")][..],
                Some(Duration::from_secs(10)),
            ),
            (&[("WATCHDOG_USEC", "30000000"), ("WATCHDOG_PID", "8")][..], None),
            (&[("WATCHDOG_USEC", "0")][..], None),
            (&[("WATCHDOG_USEC", "soon")][..], None),
        ] {
            assert_eq!(open(folder.path(), more).every(), every, "{more:?}");
        }
        assert_eq!(Notify::open(&|_| None, 7).every(), None);
    }

    #[test]
    fn no_line_of_ours_becomes_two() {
        let folder = tempfile::tempdir().unwrap();
        let manager = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        open(folder.path(), &[]).trouble("a\nREADY=1");
        let mut bytes = [0; 100];
        let length = manager.recv(&mut bytes).unwrap();
        assert_eq!(std::str::from_utf8(&bytes[..length]), Ok("STATUS=a READY=1\n"));
    }

    #[test]
    fn nobody_there_is_no_reason_not_to_run() {
        let folder = tempfile::tempdir().unwrap();
        let alone = open(folder.path(), &[("WATCHDOG_USEC", "30000000")]);
        alone.ready("up");
        assert_eq!(alone.every(), None);
    }
}
