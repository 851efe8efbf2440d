//! What a recipe's file may say at its top.

use crate::lang::shape::{EMPTY, Form, More, Own, Shape, key, later};

use super::actions::ACTION;
use super::conditions::MATCH;
use super::trigger::TRIGGER;
use super::trigger::gather::GATHER;
use super::trigger::late::LATE;

/// A recipe.
pub static RECIPE: Shape = Shape {
    what: "a recipe",
    about: "A file in the folder of recipes: what it waits for, for which stays, and what is done then.",
    keys: &[
        key(
            "name",
            Form::Text,
            "What the recipe is called, in one line of at most 80 characters. A recipe is its name: under another one it \
             is another recipe.",
            "name: Tell the cleaner when dates move",
        )
        .needed(),
        key("enabled", Form::Flag, "`false` lets it rest.", "enabled: false"),
        key(
            "dry_run",
            Form::Flag,
            "`true` does everything up to the sending, and shows what would have been sent.",
            "dry_run: true",
        ),
        key(
            "on",
            Form::OneOrMore(&Form::Settings(&TRIGGER)),
            "What it waits for; of several, each one starts it. An event starts it once at the most.",
            "on: {event: [reservation.confirmed, reservation.dates_changed]}",
        )
        .needed(),
        key(
            "match",
            Form::Settings(&MATCH),
            "For which stays it is. Stays of owners and blocked dates are left out unless `kind` names them.",
            "match: {status: booked, channel: airbnb*}",
        ),
        key(
            "when",
            Form::Condition,
            "One more condition, as an expression.",
            "when: reservation.guests > 2 and reservation.check_out > now",
        ),
        key(
            "vars",
            Form::Settings(&VARS),
            "Values of your own for the templates of the actions; each may use those before it.",
            "vars: {day: \"{{ reservation.check_out | date('%a, %d %b') }}\"}",
        ),
        key(
            "mode",
            Form::Word(&["queued", "newest", "parallel"]),
            "How its runs for one stay go together: one after the other (`queued`, which holds where nothing is said), \
             of those that wait only the newest (`newest`), or without waiting for one another (`parallel`).",
            "mode: newest",
        ),
        key(
            "queue",
            Form::Text,
            "Recipes with the same word here share one order for a stay.",
            "queue: cleaning",
        ),
        key(
            "actions",
            Form::List(&Form::Settings(&ACTION)),
            "What is done, one after the other; at most 50.",
            "actions: [{http: {connection: cleaning, url: /tasks}}]",
        )
        .needed(),
        later(
            "keep",
            "Something that lives as long as the stay.",
            "keep: {while: {status: booked}}",
        ),
        key(
            "settle",
            Form::Duration,
            "Several changes of a stay within this time make one run with the last state. The time is fixed and counted from \
             the first of them; a cancellation does not wait, nor do payments and messages.",
            "settle: 60s",
        ),
        key(
            "gather",
            Form::Settings(&GATHER),
            "With a schedule: lists of stays for the templates, which read them as `gathered.NAME`.",
            "gather: {arrivals: {stay: check_in, within: 7d}}",
        ),
        key(
            "late",
            Form::Like(&LATE),
            "What to do where the time of a clock entry has passed: run within so long after it, or not at all. Without it, \
             what lies before its moment may run until that moment, everything else for 12 hours.",
            "late: run within 12h",
        ),
        key(
            "again",
            Form::Flag,
            "Whether a clock entry that has fired fires again where its date moves afterwards. Without it only where a \
             cancelled stay is booked again, or where a stay moves to another property and the recipe reads `property`; \
             `false` switches that off too.",
            "again: true",
        ),
    ],
    ..EMPTY
};

/// `vars` of a recipe.
pub(super) static VARS: Shape = Shape {
    what: "`vars`",
    about: "Values of your own. Templates read them as `vars.NAME`.",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
        form: Form::Anything,
        about: "Any value; texts in it are templates. The name has letters, digits and `_`, and no digit first.",
        example: "who: \"{{ reservation.guest.first_name }}\"",
    })],
    ..EMPTY
};
