//! What an entry of `sources` and the file of a preset may say.

use super::about::ABOUT;
use super::auth::{ALLOW_IPS, BASIC, SCHEMES};
use super::mapping::MAPPING;
use super::predicate;
use super::preset::NAMES;
use super::receipt::RECEIPT_KEY;
use super::secrets::SECRETS;
use crate::lang::shape::{EMPTY, EVENT, Form, INSTANT, Like, More, PATH, Shape, key};

/// An entry of `sources`.
pub static SOURCE: Shape = Shape {
    what: "a source",
    about: "Who may send to one address, what that sender's bodies mean, and which of them are new. What stands here lies \
            over the preset: a field of `reservation` is added or replaced alone, rules of `ignore` and `ping` and \
            types of `emits` and `secrets` are added, everything else is replaced.",
    keys: &[
        key(
            "preset",
            Form::Word(NAMES),
            "The ready mapping for a PMS.",
            "preset: hospitable-v1",
        ),
        key(
            "live_from",
            Form::Like(&INSTANT),
            "Stays that were booked before it are taken over in silence; for 30 days after it also those of which the sender does \
             not say when they were booked, or that they are new.",
            "live_from: 2026-11-22T12:00:00Z",
        ),
        key(
            "learn",
            Form::Flag,
            "`true` stores and shows what comes, also what headers and address say of the event, and runs no recipe.",
            "learn: true",
        ),
        key(
            "stays_of",
            Form::Text,
            "The source whose stays it speaks of, where they are not its own.",
            "stays_of: hospitable",
        ),
        key(
            "token",
            Form::OneOrMore(&Form::Text),
            "A secret word that has to stand in the address (`/hooks/NAME/<token>` or `?token=`) or in a header. Several \
             while they are being exchanged.",
            "token: \"${HOSPITABLE_TOKEN}\"",
        ),
        key(
            "secret",
            Form::OneOrMore(&Form::Text),
            "What the sender signs its bodies with. Several while they are being exchanged.",
            "secret: \"${HOSTELMATE_SECRET}\"",
        ),
        key(
            "basic",
            Form::Settings(&BASIC),
            "A user name and a password that the sender has to show.",
            "basic: {username: pms, password: \"${OLD_PMS_PASSWORD}\"}",
        ),
    ],
    also: &[&PRESET],
    ..EMPTY
};

/// The file of a preset.
pub static PRESET_FILE: Shape = Shape {
    what: "a preset",
    about: "What the bodies of one sender mean, who may post them, and what recognises one that comes again.",
    keys: &[key(
        "about",
        Form::Settings(&ABOUT),
        "What the page of the preset says to people.",
        "about: {name: Hostel Mate, click: [Add a webhook.], arrives: [Bookings.], unknown: [Times of day.], sure: Documented.}",
    )],
    also: &[&PRESET],
    ..EMPTY
};

/// What may stand in a preset and in a source.
pub static PRESET: Shape = Shape {
    what: "a preset",
    about: "What the bodies of one sender mean, who may post them, and what recognises one that comes again.",
    keys: &[
        key(
            "auth",
            SCHEMES,
            "How the sender proves who it is; of a list all have to hold. `none`, for everybody, has to be written out.",
            "auth: {hmac: {header: X-Signature}}",
        ),
        ALLOW_IPS,
        RECEIPT_KEY,
        key(
            "emits",
            Form::Several(&EVENT),
            "The event types that this sender can ever cause.",
            "emits: [reservation.created, reservation.cancelled]",
        ),
        key(
            "ignore",
            Form::Several(&Form::Settings(&IGNORE)),
            "Bodies in which there is nothing for us.",
            "ignore: [{$.type: \"calendar.*\", because: no reservation in it}]",
        ),
        key(
            "ping",
            Form::Several(&Form::Settings(&PING)),
            "Bodies by which the sender only tries whether anybody is there: they are answered and not stored.",
            "ping: [{$.type: healthcheck}]",
        ),
        key(
            "respond",
            Form::Settings(&RESPOND),
            "The answer that the sender insists on.",
            "respond: {status: 200, body: OK}",
        ),
        key(
            "methods",
            Form::Several(&Form::Word(&["POST", "GET"])),
            "How deliveries come: `POST` where nothing is said. With `GET` what stands in the query of the address is read as \
             a form; a GET without a query is a try.",
            "methods: [POST, GET]",
        ),
        SECRETS,
        key(
            "body_max",
            Form::Like(&Like {
                what: "a size such as `512KiB` or `2MiB`",
                pattern: r"^[0-9]+\s*([bB]|[kKmM]([iI]?[bB])?)?\s*$",
                numbers: true,
            }),
            "The largest body; 1MiB where nothing is said, 64MiB at the most.",
            "body_max: 2MiB",
        ),
        key(
            "content_type",
            Form::Word(&["any"]),
            "`any`: JSON and forms are taken whatever content type they come with, such as `text/plain`. Default: only with \
             their own, or with none.",
            "content_type: any",
        ),
        key(
            "duplicate_window",
            Form::Duration,
            "For how long the very same body counts as sent twice, where nothing in it tells deliveries apart; 10m where \
             nothing is said.",
            "duplicate_window: 10m",
        ),
        key(
            "map",
            Form::Either(&[Form::List(&Form::Settings(&MAPPING)), Form::Settings(&PRESET)]),
            "How bodies are read: one mapping, or a list of them of which the first counts that applies. What stands beside \
             a list holds for all of it. A single mapping may stand without `map` too.",
            "map: {reservation: {code: $.code, status: $.status}}",
        ),
    ],
    also: &[&MAPPING],
    ..EMPTY
};

/// A rule of `ignore`.
pub(super) static IGNORE: Shape = Shape {
    what: "a rule of `ignore`",
    about: "Which bodies have nothing in them for us, and why.",
    keys: &[key(
        "because",
        Form::Text,
        "Why; it is shown with the delivery.",
        "because: no reservation in it",
    )
    .needed()],
    more: &[More::Own(&predicate::PATHS)],
    ..EMPTY
};

/// A rule of `ping`.
pub(super) static PING: Shape = Shape {
    what: "a rule of `ping`",
    about: "By which bodies the sender only tries whether anybody is there: all conditions have to hold.",
    more: &[More::Own(&predicate::PATHS)],
    ..EMPTY
};

/// `respond`.
pub(super) static RESPOND: Shape = Shape {
    what: "`respond`",
    about: "The answer to a delivery that was stored.",
    keys: &[
        key(
            "status",
            Form::Count(200, 299),
            "Its status; 200 where nothing is said.",
            "status: 202",
        ),
        key("body", Form::Text, "Its body.", "body: OK"),
        key(
            "challenge",
            Form::Like(&PATH),
            "Where the word of a handshake stands: a request in which it is there gets it back as plain text, and is not stored.",
            "challenge: $.challenge",
        ),
    ],
    ..EMPTY
};
