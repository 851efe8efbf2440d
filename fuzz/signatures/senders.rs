//! Sources of every way to prove who one is, and what each takes for a proof.

use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::source::{self, Source};

pub(super) const NOW_MS: i64 = 1_801_126_800_000;
pub(super) const SECRET: &str = "whsec_bG9uZy1lbm91Z2gtZm9yLWEta2V5";
pub(super) const TOKEN: &str = "open+7f2c 9d1e";
pub(super) const PASSWORD: &str = "pa55:phrase";

/// A source, and what proves that a request comes from its sender.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) settings: &'static str,
    pub(super) proof: Proof,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    Hmac(Form),
    /// Standard Webhooks, whose headers have two names.
    Standard,
    /// In the address or as bearer.
    Token,
    TokenHeader(&'static str),
    TokenBody,
    Basic,
    /// Both of a signature and user with password.
    Both(Form),
}

/// What is signed, from the id, the time and the body.
type Signed = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;

/// A signature: where it stands, how it is written, what it covers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) header: &'static str,
    pub(super) hash: Hash,
    pub(super) base64: bool,
    pub(super) prefix: &'static str,
    pub(super) separator: Option<&'static str>,
    pub(super) id: Option<&'static str>,
    pub(super) time: Option<&'static str>,
    pub(super) time_entry: Option<&'static str>,
    pub(super) tolerance_s: i64,
    pub(super) key: fn() -> Vec<u8>,
    pub(super) signed: Signed,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

pub(super) fn whole_secret() -> Vec<u8> {
    SECRET.as_bytes().to_vec()
}

pub(super) fn decoded_secret() -> Vec<u8> {
    b"long-enough-for-a-key".to_vec()
}

pub(super) const PLAIN: Form = Form {
    header: "x-signature",
    hash: Hash::Sha256,
    base64: false,
    prefix: "",
    separator: None,
    id: None,
    time: None,
    time_entry: None,
    tolerance_s: 300,
    key: whole_secret,
    signed: |_, _, body| body.to_vec(),
};
pub(super) const GITHUB: Form = Form {
    hash: Hash::Sha1,
    prefix: "sha1=",
    ..PLAIN
};
pub(super) const TIMED: Form = Form {
    hash: Hash::Sha512,
    base64: true,
    time: Some("x-timestamp"),
    tolerance_s: 60,
    signed: |_, ts, body| [ts, b".", body].concat(),
    ..PLAIN
};
pub(super) const ENTRIES: Form = Form {
    prefix: "v1=",
    separator: Some(","),
    id: Some("x-id"),
    time_entry: Some("t="),
    signed: |id, ts, body| [id, b".", ts, b".", body].concat(),
    ..PLAIN
};
pub(super) const STRIPE: Form = Form {
    header: "stripe-signature",
    prefix: "v1=",
    separator: Some(","),
    time_entry: Some("t="),
    signed: |_, ts, body| [ts, b".", body].concat(),
    ..PLAIN
};
pub(super) const WEBHOOK: Form = Form {
    header: "webhook-signature",
    base64: true,
    prefix: "v1,",
    separator: Some(" "),
    id: Some("webhook-id"),
    time: Some("webhook-timestamp"),
    key: decoded_secret,
    signed: |id, ts, body| [id, b".", ts, b".", body].concat(),
    ..PLAIN
};
pub(super) const SVIX: Form = Form {
    header: "svix-signature",
    id: Some("svix-id"),
    time: Some("svix-timestamp"),
    ..WEBHOOK
};

pub(super) const ALL: &[Known] = &[
    Known {
        name: "plain",
        settings: "secret: S\nauth: {hmac: {header: X-Signature}}",
        proof: Proof::Hmac(PLAIN),
    },
    Known {
        name: "github",
        settings: "secret: S\nauth: {hmac: {header: X-Signature, algorithm: sha1, prefix: \"sha1=\"}}",
        proof: Proof::Hmac(GITHUB),
    },
    Known {
        name: "timed",
        settings: "secret: S\nauth: {hmac: {header: X-Signature, algorithm: sha512, encoding: base64, signed: \"{ts}.{body}\", \
                   timestamp: {header: X-Timestamp, tolerance: 1m}}}",
        proof: Proof::Hmac(TIMED),
    },
    Known {
        name: "entries",
        settings: "secret: S\nauth: {hmac: {header: X-Signature, prefix: \"v1=\", separator: \",\", signed: \"{id}.{ts}.{body}\", \
                   id: {header: X-Id}, timestamp: {prefix: \"t=\"}}}",
        proof: Proof::Hmac(ENTRIES),
    },
    Known {
        name: "stripe",
        settings: "secret: S\nauth: {stripe: {}}",
        proof: Proof::Hmac(STRIPE),
    },
    Known {
        name: "standard",
        settings: "secret: S\nauth: {standard_webhooks: {}}",
        proof: Proof::Standard,
    },
    Known {
        name: "token",
        settings: "token: T",
        proof: Proof::Token,
    },
    Known {
        name: "token-header",
        settings: "token: T\nauth: {token: {header: X-Token}}",
        proof: Proof::TokenHeader("x-token"),
    },
    Known {
        name: "token-body",
        settings: "token: T\nauth: {token: {body: $.auth.key}}",
        proof: Proof::TokenBody,
    },
    Known {
        name: "basic",
        settings: "basic: {username: pms, password: P}",
        proof: Proof::Basic,
    },
    Known {
        name: "both",
        settings: "secret: S\nbasic: {username: pms, password: P}\nauth: [{hmac: {header: X-Signature}}, {basic: {}}]",
        proof: Proof::Both(PLAIN),
    },
];

pub(super) fn compiled(known: &Known) -> Source {
    let quoted = |text: &str| serde_json::json!(text).to_string();
    let settings = known
        .settings
        .replace("secret: S", &format!("secret: {}", quoted(SECRET)));
    let settings = settings.replace("token: T", &format!("token: {}", quoted(TOKEN)));
    let settings = settings.replace("password: P", &format!("password: {}", quoted(PASSWORD)));
    let settings = format!("{settings}\nlearn: true");
    let mut report = Report::new();
    let node = yaml::parse("source.yaml", &settings, &mut report).unwrap();
    let source = source::compile(known.name, &node, &mut report);
    source.unwrap_or_else(|| panic!("{}: {}", known.name, report.render(|_| None)))
}
