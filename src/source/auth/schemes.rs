//! What `auth` and the credentials of a source may say.

use crate::lang::shape::{EMPTY, Entry, Form, Like, Rule, Shape, key, later};

/// Addresses that may send.
pub(in crate::source) const ALLOW_IPS: Entry = key(
    "allow_ips",
    Form::OneOrMore(&Form::Text),
    "The only addresses and networks that may send.",
    "allow_ips: [203.0.113.0/24]",
);

/// Schemes that have to hold: one, or a list of which all have to.
pub(in crate::source) static SCHEMES: Form = Form::OneOrMore(&Form::Either(&[
    Form::Word(&["none"]),
    Form::Settings(&AUTH),
    Form::List(&Form::Either(&[Form::Word(&["none"]), Form::Settings(&AUTH)])),
]));

/// `auth`.
pub(in crate::source) static AUTH: Shape = Shape {
    what: "`auth`",
    about: "How a sender proves who it is; all of it has to hold. Credentials stand in the source: `token`, `secret`, `basic`.",
    keys: &[
        key(
            "token",
            Form::Settings(&TOKEN),
            "The `token` of the source: in the address, in a header or in the body.",
            "token: {header: X-Token}",
        ),
        key(
            "basic",
            Form::Either(&[Form::Settings(&BASIC), Form::Settings(&EMPTY_SETTINGS)]),
            "The user name and the password of the source's `basic`.",
            "basic: {}",
        ),
        key(
            "hmac",
            Form::Settings(&HMAC),
            "A signature over the body, made with the `secret` of the source.",
            "hmac: {header: X-Signature, prefix: \"sha256=\"}",
        ),
        ALLOW_IPS,
        key(
            "any",
            SCHEMES,
            "Alternatives, of which one has to hold. Those whose credential the source does not have are left out, as long as one \
             remains.",
            "any: [{token: {}}, {hmac: {header: X-Signature}}]",
        ),
        key(
            "all",
            SCHEMES,
            "Schemes that all have to hold.",
            "all: [{token: {}}, {allow_ips: [203.0.113.0/24]}]",
        ),
        later(
            "standard_webhooks",
            "Signatures by Standard Webhooks.",
            "standard_webhooks: {}",
        ),
        later("stripe", "Signatures by Stripe.", "stripe: {}"),
    ],
    ..EMPTY
};

/// `token` in `auth`.
pub(super) static TOKEN: Shape = Shape {
    what: "`token`",
    about: "Where the token stands. With nothing in it: at the end of the address (`/hooks/NAME/<token>`), in `?token=`, or \
            behind `Authorization: Bearer`.",
    keys: &[
        key(
            "header",
            HEADER,
            "The header in which it stands, and nowhere else.",
            "header: X-Token",
        ),
        key(
            "query",
            Form::Text,
            "The parameter of the address in which it stands, and nowhere else.",
            "query: key",
        ),
        key(
            "body",
            Form::Like(&Like {
                what: "a JSONPath (`$.token`)",
                pattern: r"^\$",
                numbers: false,
            }),
            "Where in the body it stands, and nowhere else. It is not stored.",
            "body: $.token",
        ),
    ],
    rules: &[Rule::AtMostOne(&["header", "query", "body"])],
    ..EMPTY
};

/// `basic`.
pub(in crate::source) static BASIC: Shape = Shape {
    what: "`basic`",
    about: "A user name and a password.",
    keys: &[
        key("username", Form::Text, "The user name.", "username: pms").needed(),
        key(
            "password",
            Form::OneOrMore(&Form::Text),
            "The password.",
            "password: \"${OLD_PMS_PASSWORD}\"",
        )
        .needed(),
    ],
    ..EMPTY
};

/// `basic: {}` in `auth`: the credentials stand in the source.
static EMPTY_SETTINGS: Shape = Shape {
    what: "`{}`",
    about: "Nothing more: the credentials stand in the source.",
    ..EMPTY
};

/// `hmac` in `auth`.
pub(super) static HMAC: Shape = Shape {
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
        key("prefix", Form::Text, "What stands before it.", "prefix: \"sha256=\""),
        key(
            "signed",
            Form::Like(&Like {
                what: "a text with `{body}` in it",
                pattern: r"\{body\}",
                numbers: false,
            }),
            "What is signed: the body, with `{ts}` the time that `timestamp` names.",
            "signed: \"{ts}.{body}\"",
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

/// `timestamp` in `hmac`.
pub(super) static TIMESTAMP: Shape = Shape {
    what: "`timestamp`",
    about: "The time that is signed with the body.",
    keys: &[
        key(
            "header",
            HEADER,
            "The header in which it stands.",
            "header: X-Timestamp",
        )
        .needed(),
        key(
            "tolerance",
            Form::Duration,
            "How far it may be off; 5m where nothing is said.",
            "tolerance: 5m",
        ),
    ],
    ..EMPTY
};

const HEADER: Form = Form::Like(&Like {
    what: "the name of a header",
    pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    numbers: true,
});
