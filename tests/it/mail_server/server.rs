//! The server that `.ci/mail-server` started, and what it stored.

use std::path::Path;
use std::time::Duration;

use crate::standin::Letter;
use stayhook::model::id::Ids;
use stayhook::model::run::AttemptOutcome::Done;

use crate::support::at;

use super::{mail, send};

/// The server hands a mail to the maildir after it has said yes; that takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server that `.ci/mail-server` started.
pub struct Server {
    pub starttls: String,
    pub implicit: String,
    pub certificate: String,
    pub username: String,
    pub password: String,
    pub mail: String,
    /// Tells the recipients of this run of a test from those of all others.
    pub run: String,
}

/// A mail that the server stored: one of these for each recipient.
#[derive(Debug)]
pub struct Stored {
    /// Whom the server stored it for.
    pub envelope_to: String,
    pub letter: Letter,
}

impl Server {
    #[expect(clippy::disallowed_methods, reason = "only the environment says where the server is")]
    pub fn here() -> Server {
        stayhook::outbound::install_crypto();
        let read = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: `.ci/mail-server` starts a server"))
        };
        Server {
            starttls: read("STAYHOOK_TEST_SMTP"),
            implicit: read("STAYHOOK_TEST_SMTPS"),
            certificate: read("STAYHOOK_TEST_SMTP_CA"),
            username: read("STAYHOOK_TEST_SMTP_USER"),
            password: read("STAYHOOK_TEST_SMTP_PASSWORD"),
            mail: read("STAYHOOK_TEST_SMTP_MAIL"),
            run: Ids::random().delivery(at("2027-01-01T00:00:00Z")).as_str()[15..].to_lowercase(),
        }
    }

    /// An address that no other test, and no earlier run of this one, sends to.
    pub fn address(&self, name: &str) -> String {
        format!("{name}.{}@guests.example", self.run)
    }

    pub fn login(&self) -> String {
        format!("username: {}, password: {}", self.username, self.password)
    }

    /// Settings of a connection over STARTTLS with the log-in.
    pub fn settings(&self) -> String {
        format!(
            "{}, tls: required, ca_file: {}, {}",
            at_port(&self.starttls),
            self.certificate,
            self.login()
        )
    }

    /// Every mail that is stored for an address of this test.
    pub fn stored(&self) -> Vec<Stored> {
        let Ok(files) = std::fs::read_dir(Path::new(&self.mail).join("new")) else {
            return Vec::new(); // Made with the first mail.
        };
        let mut found: Vec<Stored> = files
            .map(|file| Stored::read(&std::fs::read(file.unwrap().path()).unwrap()))
            .filter(|stored| stored.envelope_to.contains(&self.run))
            .collect();
        found.sort_by(|a, b| a.envelope_to.cmp(&b.envelope_to));
        found
    }

    /// Waits until as many mails are stored. Nothing tells when a foreign program writes a file, so this looks again and
    /// again.
    pub async fn wait_for(&self, count: usize) -> Vec<Stored> {
        let look = async {
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                let found = self.stored();
                if found.len() >= count {
                    return found;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(found) => found,
            Err(_) => panic!("{count} mails were awaited, there are {:#?}", self.stored()),
        }
    }

    /// Everything that is stored once a mail sent after all others has arrived, without that mail.
    pub async fn all(&self, others: usize) -> Vec<Stored> {
        let last = self.address("zz-last");
        let answer = send(&self.settings(), &mail(&[&last]), "sh_last").await;
        assert_eq!(answer.outcome, Done, "{answer:?}");
        let mut found = self.wait_for(others + 1).await;
        let at = found.iter().position(|stored| stored.envelope_to == last).unwrap();
        found.remove(at);
        found
    }
}

impl Stored {
    fn read(raw: &[u8]) -> Stored {
        // A maildir has the line ends of its machine; the wire's are CR LF.
        let text = String::from_utf8(raw.to_vec()).unwrap().replace('\n', "\r\n");
        let letter = Letter {
            from: String::new(),
            to: Vec::new(),
            raw: text.into_bytes(),
        };
        let envelope_to = letter.header("envelope-to").unwrap();
        let from = letter.header("return-path").unwrap();
        Stored {
            letter: Letter {
                from: from.trim_matches(['<', '>']).to_owned(),
                to: vec![envelope_to.clone()],
                ..letter
            },
            envelope_to,
        }
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.letter.header(name)
    }

    /// What we sent: without the lines that the server put before it.
    pub fn ours(&self) -> String {
        let text = self.letter.text();
        let start = text.find("\r\nFrom: ").unwrap();
        text[start..].to_owned()
    }
}

/// `host` and `port` of `127.0.0.1:2525`.
pub fn at_port(address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap();
    format!("host: {host}, port: {port}")
}
