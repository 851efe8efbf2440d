//! Signs of life for the service manager, given only while `/healthz` would say that work goes on.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::lifecycle::notify::Notify;
use crate::model::clock::Clock;
use crate::web::Live;

/// Gives a sign of life now and again after each `every`, for ever. While there is no progress none is given, so that the
/// manager ends and starts us anew, and the reason stands in its status.
pub(super) async fn run(notify: Arc<Notify>, live: Arc<dyn Live>, clock: Clock, every: TimeDelta) {
    let mut well = true;
    loop {
        match live.alive() {
            Ok(()) => {
                notify.alive();
                if !well {
                    notify.well();
                }
                well = true;
            }
            Err(why) => {
                if well {
                    tracing::error!(why, "no progress; the service manager gets no sign of life");
                    notify.trouble(&format!("no progress: {why}"));
                }
                well = false;
            }
        }
        clock.sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::Value;
    use tokio::net::UnixDatagram;

    use super::*;
    use crate::model::clock::from_ms;
    use crate::model::property::Properties;

    #[derive(Default)]
    struct Sick(Mutex<Option<String>>);

    impl Live for Sick {
        fn properties(&self) -> Arc<Properties> {
            Arc::new(Properties::none())
        }
        fn recognised_by(&self, _: &str, _: &Value, _: &str) -> Option<String> {
            None
        }
        fn recipes(&self) -> Value {
            Value::Null
        }
        fn sources(&self) -> Value {
            Value::Null
        }
        fn connections(&self) -> Value {
            Value::Null
        }
        fn ready(&self) -> Result<(), String> {
            Ok(())
        }
        fn alive(&self) -> Result<(), String> {
            self.0.lock().unwrap().clone().map_or(Ok(()), Err)
        }
        fn wake_inbox(&self) {}
        fn wake_outbox(&self) {}
        fn wake_timers(&self) {}
    }

    #[tokio::test]
    async fn it_falls_silent_says_why_and_speaks_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let env = |name: &str| (name == "NOTIFY_SOCKET").then(|| path.display().to_string());
        let notify = Arc::new(Notify::open(&env, 7));
        notify.ready("all is well");
        let (live, clock) = (Arc::new(Sick::default()), Clock::manual(from_ms(0)));
        let every = TimeDelta::seconds(10);
        let mut running = tokio::task::JoinSet::new();
        running.spawn(run(notify, live.clone(), clock.clone(), every));
        for (trouble, expected) in [
            (None, &["READY=1\nSTATUS=all is well\n", "WATCHDOG=1\n"][..]),
            (Some("the disk sleeps"), &["STATUS=no progress: the disk sleeps\n"]),
            (None, &["WATCHDOG=1\n", "STATUS=all is well\n"]),
            (None, &["WATCHDOG=1\n"]),
        ] {
            // On one thread the loop sleeps again by the time that it has been heard.
            *live.0.lock().unwrap() = trouble.map(str::to_owned);
            clock.advance(every);
            for expected in expected {
                let mut bytes = [0; 100];
                let length = manager.recv(&mut bytes).await.unwrap();
                assert_eq!(std::str::from_utf8(&bytes[..length]), Ok(*expected));
            }
        }
    }
}
