//! Handing a mail to its server, command by command, so that it is known how far it came.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use serde_json::json;

use crate::action::connection::{Connection, ConnectionKind, SmtpConnection, Tls};
use crate::action::{Io, excerpt, reject};
use crate::model::effect::{Answer, Prepared};
use crate::model::run::AttemptOutcome;
use crate::outbound::root;

use super::Mail;
use super::address::Address;
use super::message::{self, Ready};

/// How far a mail came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Stage {
    /// Looking up, connecting, greeting, TLS.
    Connecting = 0,
    /// User name and password.
    Login = 1,
    /// Sender and recipients: nothing of the mail is there yet.
    Addresses = 2,
    /// The mail itself is on its way. From here on only an answer says whether it was taken.
    Content = 3,
}

/// What stopped a mail.
struct Stopped {
    stage: Stage,
    /// The server's answer, if it gave one.
    code: Option<u16>,
    summary: String,
}

pub(super) async fn perform(prepared: &Prepared, key: &str, connection: &Connection, io: &Io) -> Answer {
    let ConnectionKind::Smtp(server) = &connection.kind else {
        return reject(format!("the connection `{}` does not send mail", connection.name));
    };
    let mail: Mail = match serde_json::from_value(prepared.request.clone()) {
        Ok(mail) => mail,
        Err(error) => return reject(format!("the recorded mail cannot be read: {error}")),
    };
    let redirect = match io.redirect_email.as_deref().map(Address::parse).transpose() {
        Ok(redirect) => redirect,
        // Never to the guest instead.
        Err(why) => return reject(format!("all mail is redirected, but the address for it {why}")),
    };
    let ready = match message::compose(&mail, key, &server.from, redirect.as_ref(), io.clock.now()) {
        Ok(ready) => ready,
        Err(why) => return reject(why),
    };
    let progress = AtomicU8::new(Stage::Connecting as u8);
    let sent = tokio::time::timeout(
        connection.timeout,
        deliver(server, &ready, connection.timeout, &progress, io),
    );
    match sent.await {
        Ok(Ok(said)) => Answer {
            summary: format!("taken: {}", connection.hide(&said)),
            output: json!({"message_id": ready.message_id}),
            ..Answer::plain(AttemptOutcome::Done, "")
        },
        Ok(Err(stopped)) => outcome(stopped, connection),
        Err(_) => {
            let stage = match progress.load(Ordering::Relaxed) {
                0 => Stage::Connecting,
                1 => Stage::Login,
                2 => Stage::Addresses,
                _ => Stage::Content,
            };
            let summary = format!("{} did not answer in time", server.host);
            outcome(
                Stopped {
                    stage,
                    code: None,
                    summary,
                },
                connection,
            )
        }
    }
}

/// The one table from where and how a mail stopped to an outcome.
fn outcome(stopped: Stopped, connection: &Connection) -> Answer {
    let summary = connection.hide(&stopped.summary);
    let (outcome, denied) = match (stopped.stage, stopped.code) {
        // 530 asks for a login, 534 for another kind of it, 535 says that it is wrong, 538 that it needs TLS.
        (stage, Some(530 | 534 | 535 | 538)) if stage < Stage::Content => (AttemptOutcome::Retry, true),
        (Stage::Login, Some(code)) if code >= 500 => (AttemptOutcome::Retry, true),
        (Stage::Connecting, _) => (AttemptOutcome::Retry, false),
        (_, Some(400..=499)) => (AttemptOutcome::Retry, false),
        (_, Some(_)) => (AttemptOutcome::Reject, false),
        (Stage::Content, None) => (AttemptOutcome::Uncertain, false),
        (_, None) => (AttemptOutcome::Retry, false),
    };
    Answer {
        excerpt: stopped.code.and_then(|_| excerpt::of(summary.as_bytes())),
        denied,
        ..Answer::plain(outcome, summary)
    }
}

async fn deliver(
    server: &SmtpConnection,
    ready: &Ready,
    timeout: Duration,
    progress: &AtomicU8,
    io: &Io,
) -> Result<String, Stopped> {
    let at = |stage: Stage| progress.store(stage as u8, Ordering::Relaxed);
    let plain = |why: String| Stopped {
        stage: Stage::Connecting,
        code: None,
        summary: why,
    };
    let addresses = io
        .outbound
        .names()
        .addresses(&server.host, server.port)
        .await
        .map_err(|error| plain(error.to_string()))?;
    let tls = match server.tls {
        Tls::None => None,
        Tls::Implicit | Tls::Starttls => Some(parameters(server).await.map_err(plain)?),
    };
    // Says nothing about this machine; servers that hand mail on for users do not look at it.
    let hello = ClientId::Domain(format!("stayhook.{}", server.from.domain));
    let early = |error: Error| stopped(Stage::Connecting, server, &error);
    let implicit = tls.clone().filter(|_| server.tls == Tls::Implicit);
    let mut line = AsyncSmtpConnection::connect_tokio1(addresses.as_slice(), Some(timeout), &hello, implicit, None)
        .await
        .map_err(early)?;
    if let (Tls::Starttls, Some(tls)) = (server.tls, tls) {
        if !line.can_starttls() {
            return Err(plain(format!(
                "{} offers no STARTTLS, and nothing is sent without encryption",
                server.host
            )));
        }
        line.starttls(tls, &hello).await.map_err(early)?;
    }
    if let Some((username, password)) = &server.login {
        at(Stage::Login);
        let credentials = Credentials::new(username.clone(), password.reveal().to_owned());
        line.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
            .await
            .map_err(|error| stopped(Stage::Login, server, &error))?;
    }
    at(Stage::Addresses);
    let middle = |error: Error| stopped(Stage::Addresses, server, &error);
    line.command(MailFrom::new(Some(ready.sender.clone()), Vec::new()))
        .await
        .map_err(middle)?;
    for recipient in &ready.recipients {
        // All or nobody: where one is refused, nobody gets the mail, and the run says so.
        line.command(Rcpt::new(recipient.clone(), Vec::new()))
            .await
            .map_err(middle)?;
    }
    line.command(Data).await.map_err(middle)?;
    at(Stage::Content);
    let taken = line
        .message(&ready.bytes)
        .await
        .map_err(|error| stopped(Stage::Content, server, &error))?;
    // Dropping the connection instead of waiting for the answer to QUIT: the mail is taken, nothing may undo that.
    Ok(excerpt::of(taken.first_line().unwrap_or_default().as_bytes()).unwrap_or_default())
}

/// Reading the machine's certificates blocks, once a connection.
async fn parameters(server: &SmtpConnection) -> Result<TlsParameters, String> {
    let server = server.clone();
    tokio::task::spawn_blocking(move || server.tls_parameters())
        .await
        .map_err(|_| "TLS could not be set up".to_owned())?
}

fn stopped(stage: Stage, server: &SmtpConnection, error: &Error) -> Stopped {
    let code = error.status().map(u16::from);
    let why = excerpt::of(root(error).as_bytes()).unwrap_or_default();
    let summary = match code {
        Some(code) => format!("{} said {code} {why}", server.host),
        None => format!("{}: {why}", server.host),
    };
    Stopped { stage, code, summary }
}
