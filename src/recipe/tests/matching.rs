//! Every word of `match`, with values that are there and values that are not.

use super::*;

/// The condition, whether it holds for the stay, and what the explanation says it saw.
#[track_caller]
fn holds(table: &[(&str, bool, &str)], reservation: &Value, previous: &Value) {
    for (conditions, held, saw) in table {
        let recipe = matching(&format!("match: {{{conditions}}}"));
        let wanted = wants(&recipe, &event(reservation.clone(), previous.clone()));
        assert_eq!(wanted.wanted, *held, "{conditions}: {:?}", wanted.checks);
        assert_eq!(wanted.failed, None);
        let found = wanted
            .checks
            .iter()
            .any(|check| check.saw == *saw && check.held == *held);
        assert!(found, "{conditions}: {saw} is not in {:?}", wanted.checks);
    }
}

#[test]
fn words_hold_against_what_is_there() {
    let seen = "confirmed (the sender says `accepted`)";
    let tags = "brannan (tags: Downtown, self-check-in)";
    holds(
        &[
            ("status: booked", true, seen),
            ("status: [cancelled, Confirmed]", true, seen),
            ("status: in-house", false, seen),
            ("status: ACCEPTED", true, seen),
            ("status: accept*", true, seen),
            ("status: '!= cancelled'", true, seen),
            ("status: '!= booked'", false, seen),
            ("status: '!= null'", true, seen),
            ("status: null", false, seen),
            ("kind: guest", true, "guest"),
            ("kind: [owner, Guest]", true, "guest"),
            ("kind: owner", false, "guest"),
            ("channel: airbnb*", true, "airbnb_official"),
            ("channel: AirBnB_Official", true, "airbnb_official"),
            ("channel: airbnb", false, "airbnb_official"),
            ("channel: [vrbo, '*official']", true, "airbnb_official"),
            ("channel: '!= vrbo'", true, "airbnb_official"),
            ("channel: '!= airbnb*'", false, "airbnb_official"),
            ("property: brannan", true, "brannan"),
            ("property: BRANNAN", true, "brannan"),
            ("property: [pine, 'tag:downtown']", true, tags),
            ("property: 'tag:uptown'", false, tags),
            ("property: '!= brannan'", false, "brannan"),
            ("property: {name: Brannan*}", true, "Brannan Street"),
            ("property: {vars: {self_clean: false}}", true, "false"),
            ("property.vars.lock: dev_*", true, "dev_1"),
            ("nights: '>= 2'", true, "3"),
            ("nights: '> 3'", false, "3"),
            ("nights: 3", true, "3"),
            ("nights: [1, '<4']", true, "3"),
            ("notice: '> 24h'", true, "2d 1h"),
            ("notice: '> 3d'", false, "2d 1h"),
            ("notice: ['< 1h', '>= 49h']", true, "2d 1h"),
            ("check_in_weekday: sat", true, "Sat, 27 Mar 2027"),
            ("check_in_weekday: [SUN, Mon]", false, "Sat, 27 Mar 2027"),
            ("check_out_weekday: [tue, sun]", true, "Tue, 30 Mar 2027"),
            ("check_in_date: '>= 2027-03-01'", true, "2027-03-27"),
            ("check_in_date: 2027-03-27", true, "2027-03-27"),
            ("check_in: '< 2027-03-27'", false, "2027-03-27T16:00:00-07:00"),
            ("check_in: 2027-03-27", true, "2027-03-27T16:00:00-07:00"),
            ("check_in: '>= 2027-03-27T23:00:00Z'", true, "2027-03-27T16:00:00-07:00"),
            ("created_at: '< 2027-02-01'", true, "2027-01-02T03:04:05Z"),
            ("guest: {location: '*Belgium'}", true, "Antwerp, Belgium"),
            ("guest.location: 'a*w*P, b*'", true, "Antwerp, Belgium"),
            ("guest.location: Belgium", false, "Antwerp, Belgium"),
            ("money.total: '> 500'", true, "500.10"),
            ("money.total: 500.1", true, "500.10"),
            ("money: {total: '!= 500.1'}", false, "500.10"),
            ("labels: vip", true, "VIP, late"),
            ("labels: complaint", false, "VIP, late"),
            ("labels: [complaint, la*]", true, "VIP, late"),
            ("labels: '!= vip'", false, "VIP, late"),
            ("labels: '!= complaint'", true, "VIP, late"),
            ("ids: 77", true, "77, air-9"),
            ("source: hospitable", true, "hospitable"),
            ("code: hm*", true, "HMABC"),
            ("not: {labels: complaint}", true, "labels: VIP, late"),
            ("not: {labels: vip}", false, "labels: VIP, late"),
            ("not: {labels: vip, nights: 9}", true, "labels: VIP, late, nights: 3"),
            ("not: {labels: vip, nights: 3}", false, "labels: VIP, late, nights: 3"),
        ],
        &stay(),
        &Value::Null,
    );
}

#[test]
fn what_was_not_sent_is_false_and_said() {
    let nothing = json!({"property": {"name": "Loft 9", "tags": []}, "labels": [], "source": "x"});
    let unknown = "no known property (the sender says `Loft 9`)";
    holds(
        &[
            ("status: booked", false, "not sent"),
            ("status: null", true, "not sent"),
            ("status: '!= cancelled'", false, "not sent"),
            ("kind: guest", true, "guest"),
            ("channel: '*'", false, "not sent"),
            ("channel: '!= vrbo'", false, "not sent"),
            ("channel: null", true, "not sent"),
            ("channel: '!= null'", false, "not sent"),
            ("property: '*'", false, unknown),
            ("property: '!= brannan'", false, unknown),
            ("property.key: null", true, "not sent"),
            ("nights: '< 9'", false, "not sent"),
            ("notice: '< 9d'", false, "not sent"),
            ("check_in_weekday: sat", false, "not sent"),
            ("pets: '> 0'", false, "not sent"),
            ("pets: null", true, "not sent"),
            ("pets: [null, '> 0']", true, "not sent"),
            ("guest: {email: '*'}", false, "not sent"),
            ("labels: vip", false, "none"),
            ("labels: '!= vip'", true, "none"),
            ("labels: null", true, "none"),
            ("property.vars.lock: '*'", false, "not sent"),
            ("not: {pets: '> 0'}", true, "pets: not sent"),
            ("payment.kind: refund", false, "not sent"),
        ],
        &nothing,
        &Value::Null,
    );
}

#[test]
fn the_stay_before() {
    let was = json!({"status": "pending", "kind": "owner", "nights": 2, "property": {"key": "pine"}, "labels": []});
    holds(
        &[
            ("was: {status: booked}", false, "pending"),
            ("was: {status: pending, nights: 2}", true, "pending"),
            ("was: {kind: owner}", true, "owner"),
            ("was: {property: pine}", true, "pine"),
            ("was: {guest: {name: ana*}}", false, "not sent"),
            ("was: {not: {status: booked}}", true, "status: pending"),
            ("not: {was: {status: pending}}", false, "was status: pending"),
        ],
        &stay(),
        &was,
    );
    for before in [Value::Null, blank()] {
        let none = "there was no stay before";
        holds(
            &[
                ("was: {status: booked}", false, none),
                ("was: {status: null}", false, none),
                ("not: {was: {status: booked}}", true, "was: there was no stay before"),
            ],
            &stay(),
            &before,
        );
    }
}

#[test]
fn paths_into_the_body() {
    holds(
        &[
            ("payload: {$.guest.location: '*Belgium'}", true, "Gent, Belgium"),
            ("payload: {$.guest.location: '*France'}", false, "Gent, Belgium"),
            ("payload: {$.price: '> 100'}", true, "120.50"),
            ("payload: {$.price: 120.5}", true, "120.50"),
            ("payload: {$.id: 12346789}", true, "12346789"),
            ("payload: {$.id: '123*'}", true, "12346789"),
            ("payload: {$.ref: 42}", false, "0042"),
            ("payload: {$.ref: 0042}", true, "0042"),
            ("payload: {$.paid: true}", true, "true"),
            ("payload: {$.paid: '!= true'}", false, "true"),
            ("payload: {$.arrival: '>= 2027-03-01'}", true, "2027-03-27"),
            ("payload: {$.gone: null}", true, "not sent"),
            ("payload: {$.nowhere: null}", true, "not sent"),
            ("payload: {$.nowhere: '> 1'}", false, "not sent"),
            ("payload: {'$.rooms[*].no': 7}", true, "1, 7"),
            ("payload: {'$.rooms[*].no': '> 7'}", false, "1, 7"),
            ("payload: {$.guest: '*'}", false, r#"{"location":"Gent, Belgium"}"#),
        ],
        &stay(),
        &Value::Null,
    );
}

#[test]
fn kinds_are_guests_unless_widened() {
    let block = json!({"kind": "block", "status": "confirmed"});
    let guest = json!({"kind": "guest", "status": "confirmed"});
    let plain = matching("");
    assert!(!wants(&plain, &event(block.clone(), guest.clone())).wanted);
    // A guest's stay that became a block is cancelled as the guest's stay it was.
    let cancelled = recipe("name: r\non: {event: reservation.cancelled}\nactions: [{http: {}}]");
    let of_types = |reservation: &Value, previous: &Value| Event {
        types: vec!["reservation.cancelled".to_owned()],
        ..event(reservation.clone(), previous.clone())
    };
    assert!(wants(&cancelled, &of_types(&block, &guest)).wanted);
    assert!(!wants(&cancelled, &of_types(&block, &block)).wanted);
    assert!(wants(&cancelled, &of_types(&guest, &block)).wanted);
}

#[test]
fn payments_and_messages_are_fields_too() {
    let recipe = matching("match: {payment: {amount: '> 20', kind: guest}}");
    let payment = json!({"id": "p1", "amount": 20.01, "kind": "guest"});
    let wanted = wants(
        &recipe,
        &Event {
            payment: payment.into(),
            ..event(stay(), Value::Null)
        },
    );
    assert!(wanted.wanted, "{:?}", wanted.checks);
}

#[test]
fn every_condition_is_in_the_explanation() {
    let recipe = matching(
        "enabled: false\nmatch: {status: [cancelled, declined], nights: '> 5'}\nwhen: reservation.guests > 9 and reservation.pets > 0",
    );
    let wanted = wants(
        &recipe,
        &Event {
            types: vec!["reservation.updated".to_owned()],
            ..event(stay(), Value::Null)
        },
    );
    let lines: Vec<String> = wanted
        .checks
        .iter()
        .map(|check| format!("{} | {} | {}", check.condition, check.saw, check.held))
        .collect();
    assert_eq!(
        lines,
        [
            "enabled | the recipe is switched off | false",
            "on reservation.created | reservation.updated | false",
            "status: [cancelled, declined] | confirmed (the sender says `accepted`) | false",
            "nights: > 5 | 3 | false",
            "kind: guest | guest | true",
            "when reservation.guests > 9 and reservation.pets > 0 | reservation.guests: 4, reservation.pets: not sent | false",
        ]
    );
    assert_eq!(wanted.because(), "enabled is not so: the recipe is switched off");
}

#[test]
fn when_may_use_vars_and_a_failure_is_no_panic() {
    let when = |text: &str| wants(&matching(text), &event(stay(), Value::Null));
    assert!(when("vars: {crowd: '{{ reservation.guests * 2 }}'}\nwhen: vars.crowd == 8").wanted);
    assert!(!when("when: property.vars.self_clean").wanted);
    assert!(when("when: not property.vars.self_clean and property.vars.cleaner is known").wanted);
    let failed = when("vars: {bad: '{{ reservation.pets | required }}'}\nwhen: vars.bad > 1");
    assert!(!failed.wanted && failed.failed.is_some_and(|reason| reason.starts_with("vars.bad: ")));
    // What something else has ruled out cannot fail.
    let other = when("match: {nights: 9}\nvars: {bad: '{{ reservation.pets | required }}'}\nwhen: vars.bad > 1");
    assert!(!other.wanted && other.failed.is_none() && other.checks.iter().filter(|check| !check.held).count() == 2);
}

#[test]
fn the_gone_statuses_that_are_named() {
    for (conditions, named) in [
        ("", vec![]),
        ("match: {status: booked}", vec![]),
        (
            "match: {status: [booked, Cancelled, no-show]}",
            vec![Status::Cancelled, Status::NoShow],
        ),
        ("match: {status: '!= confirmed'}", vec![]),
        ("match: {was: {status: cancelled}, not: {status: declined}}", vec![]),
        ("match: {status: storniert}", vec![]),
    ] {
        assert_eq!(matching(conditions).names_gone(), named, "{conditions}");
    }
}

#[test]
fn stars_stand_for_anything() {
    for (pattern, text, like) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*", "abc", true),
        ("a*", "a", true),
        ("*c", "abc", true),
        ("a*c", "ac", true),
        ("ab*ba", "aba", false),
        ("a*b*c", "a b b c", true),
        ("a*b*c", "a c b", false),
        ("**a**", "xay", true),
        ("é*", "éa", true),
        ("a", "ab", false),
    ] {
        assert_eq!(crate::lang::glob::glob(pattern, text), like, "{pattern} {text}");
    }
}

#[test]
fn long_numbers_keep_every_digit() {
    let recipe = matching("match: {payload: {$.id: 12345678901234567890123456789012345}}");
    for (id, held) in [
        ("12345678901234567890123456789012345", true),
        ("12345678901234567890123456789012346", false),
    ] {
        let body: Value = serde_json::from_str(&format!("{{\"id\": {id}}}")).unwrap();
        let event = event(stay(), Value::Null);
        assert_eq!(
            recipe.wants(&Facts::new(&event, &body.into(), now())).wanted,
            held,
            "{id}"
        );
    }
}
