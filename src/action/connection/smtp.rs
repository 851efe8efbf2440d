//! Settings of an `smtp` connection.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::client::{Certificate, TlsParameters};

use crate::action::email::address::Address;
use crate::lang::diag::Report;
use crate::lang::fields::Fields;
use crate::lang::shape::{EMPTY, Form, Rule, Shape, key};
use crate::lang::yaml::Node;
use crate::model::secret::Secret;
use crate::outbound::install_crypto;

use super::{ConnectionKind, Pace, ReadFile, Speaks, secret};

/// Where mail goes, with which credentials, and whose name it bears.
#[derive(Clone)]
pub struct SmtpConnection {
    /// The server's name, which its certificate has to bear, or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// User name and password.
    pub login: Option<(String, Secret)>,
    /// The sender of every mail.
    pub from: Address,
    /// A certificate that is trusted beside those of the machine.
    trusted: Option<Certificate>,
    /// Made when first needed: reading the machine's certificates takes a while.
    parameters: Arc<OnceLock<TlsParameters>>,
}

/// How mail is encrypted on its way to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// By `STARTTLS`; nothing is sent where the server does not offer it.
    Starttls,
    /// Not at all, because the settings say so.
    None,
}

impl std::fmt::Debug for SmtpConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpConnection")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("login", &self.login.is_some())
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl SmtpConnection {
    pub(super) fn secrets(&self) -> Vec<Secret> {
        // `AUTH PLAIN` sends user and password as one text, RFC 4616; servers repeat commands that they refuse.
        let pair = |user: &str, password: &Secret| {
            let text = Secret::new(format!("\0{user}\0{}", password.reveal()));
            Secret::new(STANDARD.encode(text.reveal()))
        };
        self.login
            .iter()
            .flat_map(|(user, password)| [password.clone(), pair(user, password)])
            .collect()
    }

    /// What TLS needs to know. Reads the machine's certificates the first time, which blocks for some milliseconds.
    ///
    /// # Errors
    ///
    /// Where the machine has no usable certificates.
    pub(in crate::action) fn tls_parameters(&self) -> Result<TlsParameters, String> {
        if let Some(known) = self.parameters.get() {
            return Ok(known.clone());
        }
        install_crypto();
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(trusted) = &self.trusted {
            builder = builder.add_root_certificate(trusted.clone());
        }
        let made = builder
            .build_rustls()
            .map_err(|error| format!("TLS could not be set up: {error}"))?;
        Ok(self.parameters.get_or_init(|| made).clone())
    }
}

/// `smtp`: mail.
pub(super) const KIND: Speaks = Speaks {
    key: key(
        "smtp",
        Form::Settings(&SHAPE),
        "A mail server, for `email` steps.",
        "smtp: {host: smtp.example.com, username: stays, password: \"${SMTP_PASSWORD}\", from: stays@example.com}",
    ),
    compile,
};

static SHAPE: Shape = Shape {
    what: "an `smtp` connection",
    about: "A mail server, and whose name the mails bear.",
    keys: &[
        key(
            "host",
            Form::Text,
            "The server's name or address.",
            "host: smtp.example.com",
        )
        .needed(),
        key(
            "port",
            Form::Count(1, 65_535),
            "Its port: 465 where nothing is said, 587 with `starttls`, 25 with `none`.",
            "port: 587",
        ),
        key(
            "tls",
            Form::Word(&["required", "starttls", "implicit", "none"]),
            "How the way to it is encrypted: in the way that goes with the port (`required`, which holds where nothing is \
             said), from the first byte (`implicit`), after a greeting (`starttls`), or not at all.",
            "tls: starttls",
        ),
        key(
            "username",
            Form::Text,
            "The user name to log in with.",
            "username: stays",
        ),
        key(
            "password",
            Form::Text,
            "The password to log in with.",
            "password: \"${SMTP_PASSWORD}\"",
        ),
        key(
            "from",
            Form::Text,
            "The sender of every mail: one address, with or without a name.",
            "from: \"Stays <stays@example.com>\"",
        )
        .needed(),
        key(
            "ca_file",
            Form::Text,
            "A file with a certificate (PEM) that is trusted beside those of the machine.",
            "ca_file: mail-ca.pem",
        ),
    ],
    also: &[&super::PACE],
    rules: &[Rule::Together(&["username", "password"])],
    ..EMPTY
};

fn compile(node: &Node, read_file: ReadFile<'_>, report: &mut Report) -> Option<(ConnectionKind, Pace)> {
    let mut fields = Fields::of(node, &SHAPE, report)?;
    let place = fields.place().clone();
    let host = fields
        .required("host", report)
        .and_then(|_| fields.text("host", report))
        .map(str::to_owned);
    if let Some(host) = &host
        && (host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c)))
    {
        report
            .mistake("host", &place, "`host` is the name or address of a mail server")
            .help("such as `smtp.example.com`; the port has a key of its own");
    }
    let port = fields.count("port", report);
    let word = fields.word("tls", report);
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(match word {
        Some("starttls") => 587,
        Some("none") => 25,
        _ => 465,
    });
    let tls = match word {
        Some("none") => Tls::None,
        Some("implicit") => Tls::Implicit,
        Some("starttls") => Tls::Starttls,
        _ if port == 465 => Tls::Implicit,
        _ => Tls::Starttls,
    };
    let alone = fields.get("username").is_some() != fields.get("password").is_some();
    let username = secret(&mut fields, "username", report);
    let password = secret(&mut fields, "password", report);
    let login = match (username, password) {
        (Some(username), Some(password)) => Some((username.reveal().to_owned(), password)),
        // One that is there and empty has been told of.
        _ if !alone => None,
        _ => {
            let title = "`username` and `password` stand together or not at all";
            report.mistake("login", &place, title);
            None
        }
    };
    let near = host.as_deref().is_some_and(is_loopback);
    if tls == Tls::None && !near {
        if login.is_some() {
            let title = "with `tls: none` the password would cross the network readable";
            report
                .mistake("tls", &place, title)
                .help("write `tls: required`, or leave `username` and `password` out");
        } else {
            report.warning("tls", &place, "with `tls: none` mail crosses the network readable");
        }
    }
    let from = fields.required("from", report);
    let from = from.and_then(|node| Address::read(node, "from", "Stays <stays@example.com>", report));
    let trusted = fields.get("ca_file").and_then(|node| {
        let path = crate::lang::fields::text(node, "ca_file", report)?;
        let found = read_file(path)
            .and_then(|pem| Certificate::from_pem(pem.as_bytes()).map_err(|_| "it holds no certificate".to_owned()));
        match found {
            Ok(certificate) => Some(certificate),
            Err(why) => {
                let title = format!("`ca_file` has to be a certificate in PEM form: {why}");
                report.mistake("ca-file", &node.place, title);
                None
            }
        }
    });
    let pace = Pace::read(&mut fields, report);
    fields.finish(report);
    Some((
        ConnectionKind::Smtp(SmtpConnection {
            host: host?,
            port,
            tls,
            login,
            from: from?,
            trusted,
            parameters: Arc::default(),
        }),
        pace,
    ))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
