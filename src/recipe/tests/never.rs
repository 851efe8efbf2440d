//! What can never run, and what only looks like it.

use super::*;

/// Why a recipe with these events and this `match` never runs.
fn why(events: &str, conditions: &str, blocks: bool, hints: &[&str]) -> Vec<String> {
    why_on(&format!("{{event: [{events}]}}"), conditions, blocks, hints)
}

/// The same for any entries of `on`.
fn why_on(on: &str, conditions: &str, blocks: bool, hints: &[&str]) -> Vec<String> {
    let text = format!("name: r\non: {on}\nmatch: {{{conditions}}}\nactions: [{{http: {{}}}}]\n");
    let hints: Vec<String> = hints.iter().map(|hint| (*hint).to_owned()).collect();
    let (recipe, _) = compiled(&text);
    let senders = Senders { blocks, hints: &hints };
    let found = recipe.expect("it is a recipe").never_runs(senders);
    found.into_iter().map(|never| never.because).collect()
}

#[test]
fn what_is_certain_is_said() {
    for (events, conditions, words) in [
        ("reservation.cancelled", "status: booked", "the status is `cancelled`"),
        (
            "reservation.cancelled",
            "status: \"!= cancelled\"",
            "the status is `cancelled`",
        ),
        (
            "reservation.confirmed",
            "status: [cancelled, pending]",
            "`confirmed`, `in_house` or `completed`",
        ),
        (
            "reservation.marked_in_house",
            "status: confirmed",
            "the status is `in_house`",
        ),
        (
            "reservation.created",
            "status: booked, not: {status: [booked, pending]}",
            "leave no status over",
        ),
        (
            "reservation.created",
            "nights: \">= 3\", not: {nights: \">= 3\"}",
            "`not` excludes `nights: >= 3`",
        ),
        (
            "reservation.created",
            "was: {nights: 5, not: {nights: 5}}",
            "`not` excludes",
        ),
        ("reservation.created", "not: {kind: guest}", "`not` excludes"),
        (
            "reservation.created",
            "message.text: \"*\"",
            "no event of this recipe carries a message",
        ),
    ] {
        let found = why(events, conditions, false, &[]);
        assert!(found.len() == 1 && found[0].contains(words), "{conditions}: {found:?}");
    }
}

#[test]
fn what_may_run_is_left_alone() {
    for (events, conditions) in [
        ("reservation.cancelled", "status: cancelled"),
        ("reservation.cancelled", "was: {status: booked}"),
        ("reservation.cancelled", "status: Storniert"),
        ("reservation.cancelled", "status: null"),
        ("reservation.confirmed", "status: in_house"),
        ("reservation.dates_changed", "status: cancelled"),
        ("reservation.created", "status: cancelled"),
        ("reservation.confirmed", "was: {status: booked}"),
        ("reservation.declined", "was: {status: [declined, pending]}"),
        ("reservation.created", "nights: \">= 3\", not: {nights: \">= 5\"}"),
        ("reservation.created", "nights: [\">= 3\", 1], not: {nights: \">= 3\"}"),
        ("reservation.created", "channel: air*, not: {channel: airbnb}"),
        (
            "reservation.created",
            "channel: airbnb, not: {channel: airbnb, nights: 2}",
        ),
        (
            "reservation.created",
            "property: brannan, not: {property: \"tag:brannan\"}",
        ),
        ("reservation.created", "guests: 0"),
        ("reservation.created", "payment.amount: null"),
        ("payment.created", "payment.amount: 5"),
        ("other.deposit", "payment.amount: 5"),
    ] {
        assert_eq!(
            why(events, conditions, false, &[]),
            Vec::<String>::new(),
            "{conditions}"
        );
    }
    // A sender that names the event itself need not have changed the status.
    let hinted = why("reservation.no_show", "status: booked", false, &["reservation.no_show"]);
    assert_eq!(hinted, Vec::<String>::new());
    // A stay that turns into a block is cancelled and keeps its status.
    let blocked = why("reservation.cancelled", "status: booked", true, &[]);
    assert!(
        blocked[0].contains("only where a stay turns into a block"),
        "{blocked:?}"
    );
    assert_eq!(
        why("reservation.cancelled", "was: {status: cancelled}", true, &[]),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_clock_never_starts_is_said() {
    const CHECK_IN: &str = "{stay: check_in, before: 2d}";
    const PENDING: &str = "{status: pending, for: 24h}";
    const BOTH: &str = "[{stay: check_in}, {event: reservation.cancelled}]";
    for (on, conditions, words) in [
        (
            CHECK_IN,
            "status: cancelled",
            "once it is `cancelled`, so this never runs",
        ),
        (
            CHECK_IN,
            "status: [no_show, declined]",
            "once it is `declined` or `no_show`, so this never runs",
        ),
        (
            PENDING,
            "status: cancelled",
            "once it is `cancelled`, so this never runs",
        ),
        (
            PENDING,
            "status: booked",
            "while `status: pending` lasts the status is `pending`, so this never runs",
        ),
        (PENDING, "not: {status: pending}", "while `status: pending` lasts"),
        (
            CHECK_IN,
            "was: {status: booked}",
            "no event starts this recipe, so this never runs",
        ),
        (
            PENDING,
            "was: {nights: 2}",
            "no event starts this recipe, so this never runs",
        ),
        (
            BOTH,
            "status: cancelled",
            "so this never runs for the entries with `stay` and `status`",
        ),
        (
            BOTH,
            "was: {nights: 2}",
            "so this never runs for the entries with `stay` and `status`",
        ),
        (
            BOTH,
            "status: booked",
            "with `reservation.cancelled` the status is `cancelled`, so this never runs for it",
        ),
        (
            CHECK_IN,
            "payment.amount: 5",
            "no event of this recipe carries a payment",
        ),
    ] {
        let found = why_on(on, conditions, false, &[]);
        assert!(
            found.len() == 1 && found[0].contains(words),
            "{on} {conditions}: {found:?}"
        );
    }
    for (on, conditions) in [
        (CHECK_IN, "status: [booked, cancelled]"),
        (CHECK_IN, "status: Storniert"),
        (CHECK_IN, "nights: 2"),
        (PENDING, "status: [pending, confirmed]"),
        ("{status: Awaiting Deposit, for: 1d}", "status: booked"),
        (BOTH, "status: [booked, cancelled]"),
        (BOTH, "nights: 2"),
    ] {
        assert_eq!(
            why_on(on, conditions, false, &[]),
            Vec::<String>::new(),
            "{on} {conditions}"
        );
    }
}

#[test]
fn lists_that_always_hold_are_told() {
    for (condition, told) in [
        ("nights: [\">= 2\", \"<= 5\"]", true),
        ("nights: [\"> 2\", \"<= 2\"]", true),
        ("nights: [\"> 2\", \"< 2\"]", false),
        ("nights: [\"< 2\", \"> 5\"]", false),
        ("status: [\"!= cancelled\", \"!= declined\"]", true),
        ("status: [\"!= cancelled\"]", false),
        ("notice: [\"< 1h\", \"> 3d\"]", false),
        ("notice: [\"> 1h\", \"< 3d\"]", true),
    ] {
        let text =
            format!("name: r\non: {{event: reservation.created}}\nmatch: {{{condition}}}\nactions: [{{http: {{}}}}]\n");
        let (_, report) = compiled(&text);
        let found = report.items.iter().any(|item| item.code == "always-holds");
        assert_eq!(found, told, "{condition}: {:?}", report.items);
    }
}

#[test]
fn properties_and_sources_that_match_leaves() {
    let property =
        json!({"key": "brannan", "timezone": "UTC", "tags": ["downtown"], "vars": {"cleaner": "ana@example.com"}});
    for (conditions, meets) in [
        ("nights: 2", true),
        ("property: brannan", true),
        ("property: [mission, \"tag:downtown\"]", true),
        ("property: mission", false),
        ("not: {property: brannan}", false),
        ("not: {property: brannan, nights: 2}", true),
        ("property.vars.cleaner: ana@*", true),
        ("property.vars.cleaner: null", false),
        ("property.timezone: Europe/Lisbon", false),
        ("property.name: anything", true),
    ] {
        assert_eq!(
            matching(&format!("match: {{{conditions}}}")).may_meet(&property),
            meets,
            "{conditions}"
        );
    }
    for (conditions, comes) in [
        ("nights: 2", true),
        ("source: [lab, pms]", true),
        ("source: pms", false),
        ("source: \"!= lab\"", false),
        ("not: {source: lab}", false),
        ("not: {source: lab, nights: 2}", true),
    ] {
        assert_eq!(
            matching(&format!("match: {{{conditions}}}")).may_come_from("lab"),
            comes,
            "{conditions}"
        );
    }
}
