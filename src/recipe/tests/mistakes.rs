//! Every mistake has its line, its column and a correction.

use super::*;

/// Line, column, title and help of everything reported about a text.
pub(super) fn told(text: &str) -> Vec<String> {
    let (_, report) = compiled(text);
    report
        .items
        .iter()
        .map(|item| {
            let place = item.place.clone().unwrap();
            let help = item.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}:{} {}{help}", place.line, place.column, item.title)
        })
        .collect()
}

/// A text in which one part is wrong, and how the only thing told about it begins.
#[track_caller]
pub(super) fn each(table: &[(&str, &str)]) {
    for (text, wanted) in table {
        let told = told(text);
        assert!(
            told.len() == 1 && told[0].starts_with(wanted),
            "{text}\n wanted {wanted}\n told   {told:#?}"
        );
    }
}

const END: &str = "\non: {event: reservation.created}\nactions: [{http: {}}]\n";

fn with(part: &str) -> String {
    format!("name: r\n{part}{END}")
}

#[track_caller]
fn parts(table: &[(&str, &str)]) {
    let texts: Vec<(String, &str)> = table.iter().map(|(part, wanted)| (with(part), *wanted)).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(text, wanted)| (text.as_str(), *wanted)).collect();
    each(&texts);
}

#[test]
fn of_the_recipe() {
    each(&[
        (
            "on: {event: reservation.created}\nactions: [{http: {}}]",
            "1:1 a recipe needs `name`",
        ),
        ("name: r\nactions: [{http: {}}]", "1:1 a recipe needs `on`"),
        (
            "name: r\non: {event: reservation.created}",
            "1:1 a recipe needs `actions`",
        ),
        (
            "name: r\nkeep: {while: {status: booked}}",
            "2:1 `keep` is not in this version yet",
        ),
    ]);
    parts(&[
        (
            "macth: {}",
            "2:1 a recipe has no setting called `macth` (did you mean `match`?)",
        ),
        (
            "mode: quued",
            "2:7 `mode` is one of `queued`, `newest` or `parallel` (did you mean `queued`?)",
        ),
        ("enabled: maybe", "2:10 `enabled` is `true` or `false`"),
        ("queue: \"a\\nb\"", "2:8 `queue` is one line of 1 to 80 characters"),
        ("vars: [a]", "2:7 `vars` is written as settings"),
        ("vars: {\"a b\": 1}", "2:8 `a b` cannot be the name of a var"),
    ]);
    let long = format!("name: {}{END}", "x".repeat(81));
    each(&[(&long, "1:7 `name` is one line of 1 to 80 characters")]);
}

#[test]
fn of_triggers() {
    let rest = "\nname: r\nactions: [{http: {}}]";
    let table = [
        (
            "on: reservation.created",
            "1:5 a trigger says what `reservation.created` is (write `on: {event: reservation.created}`)",
        ),
        (
            "on: created",
            "1:5 a trigger says what `created` is (write `on: {event: reservation.created}`)",
        ),
        ("on: []", "1:5 `on` needs at least one trigger"),
        (
            "on: {event: created}",
            "1:13 there is no event `created` (did you mean `reservation.created` or `payment.created`?)",
        ),
        (
            "on: {event: [.cancelled]}",
            "1:14 there is no event `.cancelled` (did you mean `reservation.cancelled`?)",
        ),
        (
            "on: {event: reservation.canceled}",
            "1:13 there is no event `reservation.canceled` (did you mean `reservation.cancelled`?)",
        ),
        (
            "on: {event: date_changed}",
            "1:13 there is no event `date_changed` (did you mean `reservation.dates_changed`?)",
        ),
        (
            "on: {event: nonsense}",
            "1:13 there is no event `nonsense` (events are `reservation.created`",
        ),
        ("on: {event: other.}", "1:13 there is no event `other.`"),
        ("on: {event: []}", "1:13 `event` needs at least one event type"),
        (
            "on:\n  - event: reservation.created\n    befor: 2d",
            "3:5 a trigger has no setting called `befor`",
        ),
    ];
    for (text, wanted) in table {
        each(&[(&format!("{text}{rest}"), wanted)]);
    }
    assert_eq!(told(&format!("on: {{evnt: x}}{rest}")).len(), 2);
}

#[test]
fn of_conditions() {
    parts(&[
        (
            "match: booked",
            "2:8 `match` is written as settings (`key: value`), this is a text (such as `status: booked`",
        ),
        (
            "match: {statsu: booked}",
            "2:9 `match` has no condition `statsu` (did you mean `status`?)",
        ),
        (
            "match: {first_name: Ana}",
            "2:9 `match` has no condition `first_name` (did you mean `guest.first_name`?)",
        ),
        (
            "match: {guest: {mail: x}}",
            "2:17 `match` has no condition `guest.mail` (did you mean `guest.email`?)",
        ),
        (
            "match: {$.a: x}",
            "2:9 `match` has no condition `$.a` (a path into the body stands below `payload`",
        ),
        (
            "match: {property: {var: {a: 1}}}",
            "2:20 `match` has no condition `property.var` (did you mean `property.vars`?)",
        ),
        ("match: {guest: Ana}", "2:9 `match` has no condition `guest`"),
        (
            "match:\n  status: [booked, canceled]",
            "3:20 `canceled` is compared with the sender's own word; it is none of ours (did you mean `cancelled`?)",
        ),
        ("match: {status: []}", "2:17 an empty list for `status` never holds"),
        ("match: {status: '> pending'}", "2:17 `status` is a word"),
        (
            "match: {kind: gest}",
            "2:15 `kind` is one of `guest`, `owner` or `block` (did you mean `guest`?)",
        ),
        ("match: {nights: many}", "2:17 `nights` is a number, not `many`"),
        (
            "match: {nights: '>= two'}",
            "2:17 `nights: >=` compares with one number, not `two`",
        ),
        (
            "match: {nights: '>= 2 and <= 5'}",
            "2:17 `nights: >=` compares with one number",
        ),
        (
            "match: {nights: '= 2'}",
            "2:17 equal is written without a sign (write `nights: 2`)",
        ),
        (
            "match: {nights: '=> 2'}",
            "2:17 the sign is written the other way round (write `nights: \">= 2\"`)",
        ),
        (
            "match: {notice: 24h}",
            "2:17 `notice` is compared with a duration, not `24h`",
        ),
        ("match: {notice: '> soon'}", "2:17 `notice: >` compares with a duration"),
        (
            "match: {check_in_date: someday}",
            "2:24 `check_in_date` is a date, not `someday`",
        ),
        (
            "match: {channel: '> a'}",
            "2:18 `channel` is a text: `>` has nothing to compare",
        ),
        (
            "match: {channel: {a: b}}",
            "2:18 `channel` is a value or a list of values, this is settings",
        ),
        (
            "match: {channel: ['!= a', '!= b']}",
            "2:18 one of these for `channel` always holds",
        ),
        ("match: {check_in_weekday: someday}", "2:27 `someday` is no day"),
        ("match: {property: 'tag:'}", "2:19 `property` is the key of a property"),
        (
            "match: {payload: {guest.name: x}}",
            "2:19 `guest.name` is not a JSONPath into the body (write `$.guest.name`)",
        ),
        (
            "match: {payload: {'$.a[': x}}",
            "2:19 `$.a[` is not a JSONPath into the body",
        ),
        ("match: {payload: x}", "2:18 `payload` is written as settings"),
        ("match: {was: {notice: '> 1h'}}", "2:15 the stay before has no `notice`"),
        (
            "match: {was: {payment.amount: 5}}",
            "2:15 the stay before has no `payment.amount`",
        ),
        (
            "match: {was: {was: {status: booked}}}",
            "2:15 the stay before has no `was`",
        ),
        ("match: {not: {}}", "2:9 `not` needs at least one condition"),
        ("when: reservation.guests >", "2:"),
        ("when: [a]", "2:7 `when` is a text, this is a list"),
    ]);
}

#[test]
fn of_actions() {
    let start = "name: r\non: {event: reservation.created}\n";
    let table = [
        ("actions: []", "3:10 `actions` needs at least one action"),
        ("actions: {http: {}}", "3:10 `actions` is a list"),
        (
            "actions: [{htpp: {}}]",
            "3:12 there is no action `htpp` (did you mean `http`?)",
        ),
        (
            "actions: [{slack: {}}]",
            "3:12 there is no action `slack` (an action is `email` or `http`)",
        ),
        ("actions: [{journal: {}}]", "3:12 `journal` is not in this version yet"),
        (
            "actions: [{seam.create_code: {}}]",
            "3:12 `seam.create_code`: operations of connectors are not in this version yet",
        ),
        (
            "actions: [{http: {}, email: {}}]",
            "3:22 one action does one thing: `http` or `email`",
        ),
        ("actions: [{id: a}]", "3:11 this action does not say what it does"),
        (
            "actions: [{id: a b, http: {}}]",
            "3:16 an `id` is up to 40 letters, digits and `_`",
        ),
        (
            "actions:\n  - {id: a, http: {}}\n  - {id: a, http: {}}",
            "5:5 the id `a` is there twice, first in line 4",
        ),
        (
            "actions:\n  - {id: '2', http: {}}\n  - {http: {}}",
            "5:5 the id `2` is there twice, first in line 4",
        ),
        (
            "actions: [{http: {}, retyr: never}]",
            "3:22 there is no action `retyr` (did you mean `retry`?)",
        ),
        (
            "actions: [{http: {}, retry: 24h}]",
            "3:29 `retry` is `never`, `{for: 24h}` or `{schedule: [5s, 1m]}` (write `retry: {for: 24h}`)",
        ),
        (
            "actions: [{http: {}, retry: {for: 31d}}]",
            "3:35 `for` is more than nothing and at most 30d",
        ),
        ("actions: [{http: {}, retry: {for: soon}}]", "3:35 `for` is a duration"),
        (
            "actions: [{http: {}, retry: {for: 1h, schedule: [5s]}}]",
            "3:29 `retry` has either `for` or `schedule`",
        ),
        (
            "actions: [{http: {}, retry: {}}]",
            "3:29 `retry` has either `for` or `schedule`",
        ),
        (
            "actions: [{http: {}, retry: {schedule: [5s, soon]}}]",
            "3:40 `schedule` is a list of 1 to 50 durations",
        ),
        (
            "actions: [{http: {}, on_error: go}]",
            "3:32 `on_error` is one of `stop` or `continue`",
        ),
        (
            "actions: [{http: {}, at_most_once: 1}]",
            "3:36 `at_most_once` is `true` or `false`",
        ),
        ("actions: [nonsense]", "3:11 an action is written as settings"),
    ];
    for (text, wanted) in table {
        each(&[(&format!("{start}{text}"), wanted)]);
    }
    let delays = vec!["5s"; 51].join(", ");
    each(&[(
        &format!("{start}actions: [{{http: {{}}, retry: {{schedule: [{delays}]}}}}]"),
        "3:40 `schedule` is a list",
    )]);
    let many = "\n  - http: {}".repeat(51);
    each(&[(
        &format!("{start}actions:{many}"),
        "54:5 a recipe has at most 50 actions",
    )]);
}

#[test]
fn of_names_in_templates() {
    let table = [
        (
            "reservation.guest.first_nam",
            "nothing is called `reservation.guest.first_nam` (did you mean `reservation.guest.first_name`?)",
        ),
        ("reservation.status.word", "nothing is called `reservation.status.word`"),
        (
            "reservation.total",
            "nothing is called `reservation.total` (did you mean `reservation.money.total`?)",
        ),
        (
            "reservaton.code",
            "nothing is called `reservaton.code` (did you mean `reservation`?)",
        ),
        (
            "guest.first_name",
            "nothing is called `guest.first_name` (did you mean `reservation.guest.first_name`?)",
        ),
        (
            "property.nme",
            "nothing is called `property.nme` (did you mean `property.name`?)",
        ),
        (
            "event.typ",
            "nothing is called `event.typ` (did you mean `event.type`?)",
        ),
        (
            "run.nothing",
            "nothing is called `run.nothing` (`run` has `id`, `key`, `recipe`, `revision`, `due_at` and `dry_run`)",
        ),
        ("now.year", "nothing is called `now.year`"),
        (
            "changes.checkout.from",
            "nothing is called `changes.checkout.from` (did you mean `changes.check_out.from`?)",
        ),
        ("changes.check_out.was", "nothing is called `changes.check_out.was`"),
        (
            "previous.cod",
            "nothing is called `previous.cod` (did you mean `previous.code`?)",
        ),
        ("payment.amount", "no event of this recipe carries a payment"),
        ("message.text", "no event of this recipe carries a message"),
        ("vars.b", "nothing is called `vars.b` (`vars` are defined by the recipe"),
        ("steps.tell.output", "in `vars` no step has run yet"),
        ("gathered", "only a recipe with `schedule` and `gather` has `gathered`"),
        ("kept.Cleaning.id", "`kept` is not in this version yet"),
        ("earlier.a.b.c", "`earlier` is not in this version yet"),
        (
            "stay.next.chek_in",
            "nothing is called `stay.next.chek_in` (did you mean `stay.next.check_in`?)",
        ),
        (
            "stay.previous.guest.mail",
            "nothing is called `stay.previous.guest.mail`",
        ),
        ("stay.nxt", "nothing is called `stay.nxt` (did you mean `stay.next`?)"),
        ("stay.gap_nights.x", "nothing is called `stay.gap_nights.x`"),
    ];
    for (name, wanted) in table {
        let text = with(&format!("vars:\n  a: \"x {{{{ {name} }}}}\"\n  b: 1"));
        each(&[(&text, &format!("3:12 {wanted}"))]);
    }
    let fine = [
        "reservation",
        "reservation.guest",
        "reservation.labels[0]",
        "stay.property.vars.x.y",
        "stay.next",
        "stay.next.guest.first_name",
        "stay.previous.property.vars.x",
        "stay.same_day_turn",
        "stay.gap_nights + 1",
        "property.vars.cleaners['sat']",
        "previous.money.total",
        "changes.guest.email.to",
        "changes.property",
        "payload.a.b[0]['c d']",
        "event.types[0]",
        "now",
        "run.id",
        "reservation.property.tags | join(', ')",
    ];
    for name in fine {
        recipe(&with(&format!("vars: {{a: \"{{{{ {name} }}}}\"}}")));
    }
}

#[test]
fn of_names_in_steps_and_when() {
    let start = "name: r\non: {event: [reservation.created, payment.created]}\nvars: {a: '{{ payment.amount }}', b: '{{ vars.a }}'}\n";
    let table = [
        (
            "when: steps.a.output.x\nactions: [{http: {}}]",
            "4:7 in the `when` of a recipe no step has run yet",
        ),
        ("when: vars.c\nactions: [{http: {}}]", "4:7 nothing is called `vars.c`"),
        (
            "actions:\n  - {id: tell, http: {}}\n  - http:\n      url: |\n        one\n        {{ steps.tel.output.id }}",
            "9:12 no step before this one is called `tel` (did you mean `steps.tell`?)",
        ),
        (
            "actions:\n  - {id: tell, http: {a: '{{ steps.tell.output.id }}'}}",
            "5:30 no step before this one is called `tell`",
        ),
        (
            "actions:\n  - {id: tell, http: {}}\n  - {http: {a: '{{ steps.tell.id }}'}}",
            "6:20 nothing is called `steps.tell.id` (a step has `output`",
        ),
        (
            "actions:\n  - http: {}\n    when: reservation.gests > 1",
            "6:11 nothing is called `reservation.gests` (did you mean `reservation.guests`?)",
        ),
    ];
    for (text, wanted) in table {
        each(&[(&format!("{start}{text}"), wanted)]);
    }
    recipe(&format!(
        "{start}actions:\n  - http: {{}}\n  - {{id: b, http: {{x: \"{{{{ steps['1'].output.id }}}}\"}}, when: vars.b > 1}}\n"
    ));
}

#[test]
fn all_of_a_file_at_once() {
    let told = told(
        "nam: r\non: {event: created}\nmatch: {statsu: x, nights: y}\nwhen: a +\nactions:\n  - htpp: {}\n    retry: 1\n",
    );
    let lines: Vec<&str> = told.iter().filter_map(|line| line.split(':').next()).collect();
    for line in ["1", "2", "3", "4", "6", "7"] {
        assert!(lines.contains(&line), "line {line}: {told:#?}");
    }
}
