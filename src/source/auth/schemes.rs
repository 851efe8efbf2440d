//! What `auth` and the credentials of a source may say.

mod signatures;

use crate::lang::shape::{EMPTY, Entry, Form, Like, Rule, Shape, key};
pub(super) use signatures::{HMAC, ID, STANDARD_WEBHOOKS, STRIPE, TIMESTAMP};

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
        key(
            "standard_webhooks",
            Form::Settings(&STANDARD_WEBHOOKS),
            "A signature by Standard Webhooks (Svix), made with the `secret` of the source.",
            "standard_webhooks: {}",
        ),
        key(
            "stripe",
            Form::Settings(&STRIPE),
            "A signature as Stripe makes it, with the `secret` of the source.",
            "stripe: {}",
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

/// The name of a header.
const HEADER: Form = Form::Like(&Like {
    what: "the name of a header",
    pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
    numbers: true,
});
