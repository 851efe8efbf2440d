//! What the settings of signatures may say.

use super::HEADER;
use crate::lang::shape::{EMPTY, Entry, Form, Like, Rule, Shape, key};

/// `hmac` in `auth`.
pub(in crate::source::auth) static HMAC: Shape = Shape {
    what: "`hmac`",
    about: "A signature over the body (HMAC).",
    keys: &[
        key(
            "header",
            HEADER,
            "The header in which it stands.",
            "header: X-Signature",
        )
        .needed(),
        key(
            "algorithm",
            Form::Word(&["sha256", "sha1", "sha512"]),
            "The hash; `sha256` where nothing is said.",
            "algorithm: sha256",
        ),
        key(
            "encoding",
            Form::Word(&["hex", "base64"]),
            "How it is written; `hex` where nothing is said.",
            "encoding: base64",
        ),
        key(
            "prefix",
            Form::Text,
            "What stands before it. Where the header holds several entries, those that begin like this are signatures.",
            "prefix: \"sha256=\"",
        ),
        key(
            "separator",
            Form::Text,
            "What stands between the entries of the header, where it holds several.",
            "separator: \",\"",
        ),
        key(
            "key",
            Form::Word(&["text", "base64", "hex"]),
            "How the key is written in the secret; `text`, the secret as it is, where nothing is said.",
            "key: base64",
        ),
        key(
            "key_after",
            Form::Text,
            "Where the secret begins with this, only what follows it is the key.",
            "key_after: \"whsec_\"",
        ),
        key(
            "signed",
            Form::Like(&Like {
                what: "a text with `{body}` in it",
                pattern: r"\{body( *\| *base64 *)?\}",
                numbers: false,
            }),
            "What is signed: `{body}` is the body, `{body | base64}` the body in base64, `{ts}` the time that `timestamp` names, `{id}` the id that `id` names.",
            "signed: \"{ts}.{body}\"",
        ),
        key(
            "id",
            Form::Settings(&ID),
            "Where the id of the delivery stands that is signed too; `receipt_key` may name that header then.",
            "id: {header: X-Id}",
        ),
        key(
            "timestamp",
            Form::Settings(&TIMESTAMP),
            "Where the time stands that is signed too.",
            "timestamp: {header: X-Timestamp, tolerance: 5m}",
        ),
        key(
            "secret",
            Form::OneOrMore(&Form::Text),
            "A secret of its own, where it is not the source's.",
            "secret: \"${SECOND_SECRET}\"",
        ),
    ],
    ..EMPTY
};

/// `id` in `hmac`.
pub(in crate::source::auth) static ID: Shape = Shape {
    what: "`id`",
    about: "The id of the delivery, where it is signed with the body. It may not hold what stands beside `{id}` in `signed`.",
    keys: &[key("header", HEADER, "The header in which it stands.", "header: X-Id").needed()],
    ..EMPTY
};

/// `timestamp` in `hmac`.
pub(in crate::source::auth) static TIMESTAMP: Shape = Shape {
    what: "`timestamp`",
    about: "The time that is signed with the body: seconds or milliseconds since 1970, or ISO 8601.",
    keys: &[
        key(
            "header",
            HEADER,
            "The header in which it stands.",
            "header: X-Timestamp",
        ),
        key(
            "prefix",
            Form::Text,
            "What it begins with, where it is an entry of the signature's own header.",
            "prefix: \"t=\"",
        ),
        TOLERANCE,
    ],
    rules: &[Rule::One(&["header", "prefix"])],
    ..EMPTY
};

/// `standard_webhooks` in `auth`.
pub(in crate::source::auth) static STANDARD_WEBHOOKS: Shape = Shape {
    what: "`standard_webhooks`",
    about: "A signature over id, time and body: `webhook-id`, `webhook-timestamp` and `webhook-signature`, or the same with \
            `svix-`. The `secret` begins with `whsec_`, or is what follows that.",
    keys: &[TOLERANCE],
    ..EMPTY
};

/// `stripe` in `auth`.
pub(in crate::source::auth) static STRIPE: Shape = Shape {
    what: "`stripe`",
    about: "A signature over time and body in `Stripe-Signature`. The `secret` is that of the endpoint, `whsec_` with it.",
    keys: &[TOLERANCE],
    ..EMPTY
};

/// How old or new a signed time may be.
const TOLERANCE: Entry = key(
    "tolerance",
    Form::Duration,
    "How far it may be off; 5m where nothing is said.",
    "tolerance: 5m",
);
