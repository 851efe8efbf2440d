//! A stand-in for a mail server. It is more lenient than real ones: a bare LF ends a line, so that whatever could be
//! taken for a command by some server is taken for one here.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Background;
use super::letter::{Letter, decoded};

/// A longer line or letter ends the connection.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where in the conversation a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Just connected.
    Greeting,
    /// `EHLO`.
    Hello,
    /// `AUTH`.
    Login,
    /// `MAIL FROM`.
    Sender,
    /// Each `RCPT TO`.
    Recipient,
    /// `DATA`, before the mail itself.
    Data,
    /// After the mail itself.
    Content,
}

/// What the stand-in does instead of going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Says this: `451 4.7.1 later`.
    Say(String),
    /// Never says another word.
    Hang,
    /// Closes the connection.
    Close,
}

/// A mail server on this machine. It ends when it is dropped.
#[derive(Debug)]
pub struct SmtpStandin {
    port: u16,
    shared: Arc<Shared>,
    serving: Background,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// How many mails have arrived.
    arrived: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    letters: Vec<Letter>,
    commands: Vec<String>,
    moves: VecDeque<(Phase, Move)>,
    login: Option<(String, String)>,
}

impl SmtpStandin {
    /// Starts one on a free port; it takes every mail, without TLS and without a login.
    ///
    /// # Errors
    ///
    /// Where no port of the loopback address can be taken.
    pub async fn start() -> io::Result<SmtpStandin> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            arrived: watch::Sender::new(0),
        });
        let serving = Background::spawn(serve(listener, shared.clone()));
        Ok(SmtpStandin { port, shared, serving })
    }

    /// Its port at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on it wants this login before a mail.
    pub fn require_login(&self, username: &str, password: &str) {
        self.shared.state().login = Some((username.to_owned(), password.to_owned()));
    }

    /// The next time a conversation comes to `phase`, this happens, once. Several are used in order.
    pub fn then(&self, phase: Phase, act: Move) {
        self.shared.state().moves.push_back((phase, act));
    }

    /// Every mail whose last line arrived, in order, also where the answer to it was no.
    pub fn letters(&self) -> Vec<Letter> {
        self.shared.state().letters.clone()
    }

    /// The mails that differ in their `Message-ID`: what a reader would see.
    pub fn effects(&self) -> Vec<Letter> {
        let mut seen = Vec::new();
        self.letters()
            .into_iter()
            .filter(|letter| {
                let id = letter.header("message-id");
                let new = id.is_none() || !seen.contains(&id);
                seen.push(id);
                new
            })
            .collect()
    }

    /// Every command that was understood as one, without credentials.
    pub fn commands(&self) -> Vec<String> {
        self.shared.state().commands.clone()
    }

    /// Ends it; afterwards its port refuses connections.
    pub async fn stop(self) {
        self.serving.stop().await;
    }

    /// Returns once `count` mails have arrived in all.
    pub async fn wait_for(&self, count: usize) -> Vec<Letter> {
        // The sender lives in `self`, so the only error (sender gone) cannot happen.
        let _ = self
            .shared
            .arrived
            .subscribe()
            .wait_for(|arrived| *arrived >= count)
            .await;
        self.letters()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self, phase: Phase) -> Option<Move> {
        let mut state = self.state();
        let at = state.moves.iter().position(|(planned, _)| *planned == phase)?;
        state.moves.remove(at).map(|(_, act)| act)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = FuturesUnordered::new();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                if let Ok((stream, _)) = taken {
                    let talk = Talk { line: BufStream::new(stream), shared: shared.clone() };
                    open.push(talk.run());
                }
            }
            Some(_) = open.next() => {}
        }
    }
}

/// One conversation.
struct Talk {
    line: BufStream<TcpStream>,
    shared: Arc<Shared>,
}

impl Talk {
    async fn run(mut self) -> io::Result<()> {
        self.answer(Phase::Greeting, "220 stand-in").await?;
        let mut letter: Option<Letter> = None;
        let mut welcome = false;
        loop {
            let command = self.read_line().await?;
            let upper = command.to_ascii_uppercase();
            let shown = match upper.starts_with("AUTH") {
                true => "AUTH".to_owned(),
                false => command.clone(),
            };
            self.shared.state().commands.push(shown);
            let wanted = self.shared.state().login.clone();
            if upper.starts_with("EHLO") || upper.starts_with("HELO") {
                let offer = match wanted {
                    Some(_) => "250-stand-in\r\n250-AUTH PLAIN LOGIN\r\n250 HELP",
                    None => "250-stand-in\r\n250 HELP",
                };
                self.answer(Phase::Hello, offer).await?;
            } else if upper.starts_with("AUTH") {
                welcome = self.login(&command, wanted).await?;
                let said = if welcome { "235 2.7.0 ok" } else { "535 5.7.8 wrong" };
                self.answer(Phase::Login, said).await?;
            } else if let Some(from) = argument(&command, "MAIL FROM:") {
                if wanted.is_some() && !welcome {
                    self.say("530 5.7.0 log in first").await?;
                    continue;
                }
                if self.answer(Phase::Sender, "250 2.1.0 ok").await? {
                    letter = Some(Letter {
                        from,
                        to: Vec::new(),
                        raw: Vec::new(),
                    });
                }
            } else if let Some(to) = argument(&command, "RCPT TO:") {
                if self.answer(Phase::Recipient, "250 2.1.5 ok").await?
                    && let Some(letter) = &mut letter
                {
                    letter.to.push(to);
                }
            } else if upper == "DATA" {
                if self.answer(Phase::Data, "354 go on").await? {
                    let raw = self.read_content().await?;
                    if let Some(mut letter) = letter.take() {
                        letter.raw = raw;
                        self.shared.state().letters.push(letter);
                        self.shared.arrived.send_modify(|count| *count += 1);
                    }
                    self.answer(Phase::Content, "250 2.0.0 taken as STANDIN").await?;
                }
            } else if upper == "RSET" || upper == "NOOP" {
                letter = None;
                self.say("250 2.0.0 ok").await?;
            } else if upper == "QUIT" {
                return self.say("221 2.0.0 bye").await;
            } else {
                self.say("500 5.5.1 not understood").await?;
            }
        }
    }

    /// What is planned for this phase, or the usual answer; whether it was the usual one.
    async fn answer(&mut self, phase: Phase, usual: &str) -> io::Result<bool> {
        match self.shared.planned(phase) {
            None => self.say(usual).await.map(|()| true),
            Some(Move::Say(text)) => self.say(&text).await.map(|()| false),
            Some(Move::Close) => Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Move::Hang) => std::future::pending().await,
        }
    }

    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.line.write_all(text.as_bytes()).await?;
        self.line.write_all(b"\r\n").await?;
        self.line.flush().await
    }

    async fn read_raw(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.line).take(BYTES_MAX).read_until(b'\n', &mut line).await?;
        match line.last() {
            Some(b'\n') => Ok(line),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    async fn read_line(&mut self) -> io::Result<String> {
        let line = self.read_raw().await?;
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn read_content(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        loop {
            let line = self.read_raw().await?;
            if line == b".\r\n" || line == b".\n" {
                return Ok(content);
            }
            content.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if content.len() as u64 > BYTES_MAX {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
    }

    async fn login(&mut self, command: &str, wanted: Option<(String, String)>) -> io::Result<bool> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let found = if words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("PLAIN")) {
            let given = match words.get(2) {
                Some(given) => (*given).to_owned(),
                None => {
                    self.say("334 ").await?;
                    self.read_line().await?
                }
            };
            let text = decoded(&given);
            let mut parts = text.split('\0').skip(1).map(str::to_owned);
            parts.next().zip(parts.next())
        } else {
            self.say("334 VXNlcm5hbWU6").await?;
            let username = decoded(&self.read_line().await?);
            self.say("334 UGFzc3dvcmQ6").await?;
            let password = decoded(&self.read_line().await?);
            Some((username, password))
        };
        Ok(wanted.is_some() && found == wanted)
    }
}

/// What stands behind a command, in angle brackets.
fn argument(command: &str, name: &str) -> Option<String> {
    let head = command.get(..name.len())?;
    let rest = head.eq_ignore_ascii_case(name).then(|| &command[name.len()..])?;
    let (address, _) = rest.trim().strip_prefix('<')?.split_once('>')?;
    Some(address.to_owned())
}
