//! What templates promise, as tables.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod forms;
mod guards;
mod hostile;
mod random;

use serde_json::json;

use super::{Context, FILTERS, Format, Template};

/// A stay such as templates see it.
pub(super) fn stay() -> Context {
    let amounts: serde_json::Value = serde_json::from_str(
        r#"{"total": 1003.20, "whole": 5, "big": 123456789012345678901234567890123456789012345678901234567890,
            "bigger": 123456789012345678901234567890123456789012345678901234567891, "tiny": 0.1, "huge": 1e400}"#,
    )
    .unwrap();
    let root = json!({
        "reservation": {
            "code": "HMABC1", "guests": 3, "pets": null, "status": "booked", "total": amounts["total"],
            "check_in": "2027-03-27T16:00:00+00:00", "check_out": "2027-03-30T10:00:00+01:00",
            "labels": ["vip", "late"], "note": "{{ 7*7 }}", "money": {"total": amounts["total"]},
            "guest": {"name": "Zoë Müller", "email": null, "phone": "+1 415 555 0123"},
        },
        "payments": [{"id": "p1", "amount": 50}, {"id": "p2", "amount": "100.50", "note": null}],
        "property": {"name": "Brannan", "vars": {"self_clean": false, "html": "<b>"}},
        "payload": {
            "a": {"text": "10"}, "list": [1], "odd key": null,
            "payments": [{"id": "p1", "amount": 50}, {"id": "p2", "amount": "100.50"}],
        },
        "amounts": amounts,
        "previous": null,
    });
    Context::new(root, &["payload", "property.vars", "vars"])
}

fn text(source: &str) -> String {
    let template = Template::compile(source, Format::Text).map_err(|e| e.to_string());
    match template.and_then(|template| template.text(&stay()).map_err(|e| e.to_string())) {
        Ok(rendered) if rendered.missing.is_empty() => rendered.value,
        Ok(rendered) => format!("{} <{}>", rendered.value, rendered.missing.join(" ")),
        Err(error) => format!("! {error}"),
    }
}

fn table(rows: &[(&str, &str)]) {
    let wrong: Vec<_> = rows.iter().filter(|(source, gives)| text(source) != *gives).collect();
    let wrong: Vec<_> = wrong
        .iter()
        .map(|(source, gives)| (source, text(source), gives))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_example_of_the_list_gives_what_it_says() {
    for doc in FILTERS {
        assert_eq!(text(doc.example), doc.gives, "{}", doc.name);
        assert!(doc.example.contains(doc.name), "{}", doc.name);
    }
}

#[test]
fn values_print_as_they_were_sent() {
    table(&[
        ("{{ reservation.total }}", "1003.20"),
        ("{{ reservation.total * 2 }}", "2006.40"),
        ("{{ amounts.tiny + 0.2 }}", "0.3"),
        ("{{ 1.10 }}", "1.10"),
        (
            "{{ 6 / 2 }} {{ 1 / 4 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }}",
            "3 0.25 3 -4 2 1024",
        ),
        (
            "{{ amounts.big }}",
            "123456789012345678901234567890123456789012345678901234567890",
        ),
        (
            "{{ amounts.big < amounts.bigger }} {{ amounts.huge > amounts.big }}",
            "true true",
        ),
        (
            "{{ amounts.big + 1 }}",
            "! A number here has too many digits to calculate with",
        ),
        ("{{ reservation.note }}", "{{ 7*7 }}"),
        ("{{ reservation.labels }}", r#"["vip","late"]"#),
        (
            "{{ reservation.labels[0] }}{{ reservation.labels[-1] }}{{ reservation.labels.1 }}",
            "viplatelate",
        ),
        (
            "{{ reservation.labels[1:] }}{{ reservation.code[:2] }}",
            r#"["late"]HM"#,
        ),
        (
            "{% if reservation.guests > 2 %}many{% elif true %}few{% else %}none{% endif %}\n",
            "many\n",
        ),
        (
            "{% for p in payments %}{{ loop.index }}:{{ p.id }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1:p1, 2:p2",
        ),
        (
            "{% for p in payments if p.id == 'p2' %}{{ p.amount }}{% else %}nothing{% endfor %}",
            "100.50",
        ),
        ("{% set a = 1 %}{% with b = a + 1 %}{{ b }}{% endwith %}{{ a }}", "21"),
        ("{% set x %}<{{ reservation.code }}>{% endset %}{{ x }}", "<HMABC1>"),
        ("{{ 'a' ~ 1 ~ true }}", "a1true"),
        ("{# note #}a", "a"),
    ]);
}

#[test]
fn what_was_not_sent_is_nothing_and_is_noted() {
    table(&[
        ("<{{ reservation.pets }}>", "<> <reservation.pets>"),
        ("{{ reservation.guest.email | upper }}", " <reservation.guest.email>"),
        (
            "{{ payload.a.b.c }}{{ payload.list[7].x }}",
            " <payload.a.b.c payload.list[7].x>",
        ),
        ("{{ payload['odd key'] }}", " <payload[\"odd key\"]>"),
        ("{{ payload.a.text.deeper }}", " <payload.a.text.deeper>"),
        (
            "{{ payload[reservation.code] }}{{ 'a' is startingwith(payload.gone) }}",
            "false <payload[…] payload.gone>",
        ),
        (
            "{{ previous.code }}{{ previous.guest.email }}",
            " <previous.code previous.guest.email>",
        ),
        (
            "{{ reservation.pets + 1 }}{{ -reservation.pets }}",
            " <reservation.pets>",
        ),
        (
            "{{ reservation.pets == 0 }} {{ reservation.pets != 0 }} {{ 1 > reservation.pets }}",
            "false false false <reservation.pets>",
        ),
        (
            "{{ reservation.pets in [1] }} {{ reservation.pets not in [1] }} {{ (reservation.pets) not in ([1]) }}",
            "false false false <reservation.pets>",
        ),
        (
            "{{ not reservation.pets in [1] }} {{ not (reservation.pets in [1]) }}",
            "true true <reservation.pets>",
        ),
        (
            "{{ 1 in payload.gone }} {{ reservation.pets == previous }}",
            "false false <payload.gone reservation.pets previous>",
        ),
        (
            "{{ reservation.pets == none }} {{ reservation.pets != none }} {{ reservation.code == none }} {{ reservation.code != none }}",
            "true false false true",
        ),
        (
            "{{ reservation.pets is none }} {{ reservation.pets is known }} {{ reservation.code is known }}",
            "true false true",
        ),
        (
            "{{ 'y' if reservation.pets else 'n' }} {{ reservation.pets or 'x' }} {{ not reservation.pets }}",
            "n x true",
        ),
        (
            "{{ reservation.pets | default('y') }}{{ reservation.pets | default(none) | default(2) }}",
            "y2",
        ),
        (
            "{{ reservation.guest.email | required }}",
            "! reservation.guest.email was not sent",
        ),
        (
            "{{ reservation.pets | json }} {{ {'a': reservation.pets} | json }}",
            "null {\"a\":null} <reservation.pets>",
        ),
        ("{% for x in payload.gone %}{% else %}-{% endfor %}", "- <payload.gone>"),
        ("{{ 'a' if false }}", ""),
        ("{{ '12' | last4 | default('0000') }}", "0000"),
    ]);
}

#[test]
fn mistakes_say_what_to_write() {
    table(&[
        (
            "{{ reservation.gest.name }}",
            "! `reservation.gest` is not a name Stayhook knows (did you mean `reservation.guest`?)",
        ),
        (
            "{{ reservaton.code }}",
            "! `reservaton` is not a name Stayhook knows (did you mean `reservation`?)",
        ),
        (
            "{{ 'a' | uper }}",
            "! `uper` is not a filter Stayhook knows (did you mean `upper`?)",
        ),
        (
            "{{ 1 is knwn }}",
            "! `knwn` is not a test after `is` Stayhook knows (did you mean `known`?)",
        ),
        ("{{ debug() }}", "! `debug` is not a function Stayhook knows"),
        (
            "{{ 'a' | upper('b') }}",
            "! `upper` takes 0 values in brackets (for example `{{ 'anna' | upper }}`)",
        ),
        (
            "{{ '2027-01-01' | plus(dayz=1) }}",
            "! `plus` has no argument `dayz` (it has weeks, days, hours, minutes)",
        ),
        (
            "{{ 1 / 0 }}",
            "! A number cannot be divided by 0 (test it first, as in `{% if nights > 0 %}`)",
        ),
        (
            "{{ '2027-01-01' | date('%Q') }}",
            "! `%Q` is not a format of a date (for example `%d %b %Y` or `%H:%M`)",
        ),
        (
            "{{ '2027-01-01' | date('DD.MM.YYYY') }}",
            "! `DD.MM.YYYY` prints these letters and no date (did you mean `%d.%m.%Y`?)",
        ),
        (
            "{{ '2027-01-01' | date('short') }}",
            "! `short` prints these letters and no date (for example `%d %b %Y` or `%H:%M`)",
        ),
        (
            "{{ reservation.check_in.strftime('%d') }}",
            "! `.strftime(…)` is not available (write a filter: `… | date('%d %b %Y')`)",
        ),
        (
            "{{ reservation.code.startsWith('HM') }}",
            "! `.startsWith(…)` is not available (what can be done with a value are filters, such as `… | upper`)",
        ),
        (
            "{% if true %}x{% elseif true %}y{% endif %}",
            "! `{% elseif %}` is not available (write `{% elif … %}` between `{% if … %}` and `{% endif %}`)",
        ),
        (
            "{{ '2027-01-01' | time }}",
            "! This date has nothing to print for `%H:%M` (a date without a time has days, months and years only)",
        ),
        (
            "{% include 'a' %}",
            "! `{% include %}` is not available (templates have `{{ … }}`, `{% if %}`, `{% for %}`, `{% set %}` and `{% with %}`)",
        ),
        (
            "{{ reservation.code.upper() }}",
            "! `.upper(…)` is not available (write a filter: `… | upper`)",
        ),
        (
            "{{ 'a' + 1 }}",
            "! This cannot calculate with a text and a number (`~` puts texts together; `| number` makes a number of a text)",
        ),
    ]);
    let error = Template::compile("a\nb {{ 1 +\n  x | nope }}", Format::Text).unwrap_err();
    assert_eq!((error.line, error.column), (3, 7));
    let error = Template::compile("ü {{ reservation.gest }}", Format::Text)
        .unwrap()
        .text(&stay())
        .unwrap_err();
    assert_eq!((error.line, error.column), (1, 6));
    assert!(
        Template::compile("{{ 1 ", Format::Text)
            .unwrap_err()
            .message
            .starts_with("`{{` is not closed")
    );
}

#[test]
fn comparisons_are_what_a_reader_expects() {
    table(&[
        (
            "{{ payload.a.text > 9 }} {{ 10 == '10.0' }} {{ 1 == 'one' }} {{ 1 != 'one' }} {{ 1 < 'one' }}",
            "true true false true false",
        ),
        (
            "{{ '2027-03-27T16:00:00+00:00' == '2027-03-27T17:00:00+01:00' }} {{ reservation.check_in < reservation.check_out }}",
            "true true",
        ),
        (
            "{{ 'a' < 'b' }} {{ '10' < '9' }} {{ [1, 2.0] == [1.0, 2] }}",
            "true true true",
        ),
        (
            "{{ 1 < reservation.guests <= 3 }} {{ 'vip' in reservation.labels }} {{ 'x' not in reservation.labels }}",
            "true true true",
        ),
        (
            "{{ 1.0 == 1 }} {{ reservation.total == 1003.2 }} {{ true == 1 }}",
            "true true false",
        ),
        ("{{ 2 in ['2'] }} {{ 'M' in reservation.code }}", "true true"),
    ]);
}

#[test]
fn time_and_money_keep_their_kind() {
    table(&[
        ("{{ '2027-03-27' | plus(weeks=1) }}", "2027-04-03"),
        (
            "{{ reservation.check_out | minus(hours=12) | date('%A %H:%M') }}",
            "Monday 22:00",
        ),
        (
            "{{ '2027-03-27' | plus(hours=1) }}",
            "! A date without a time has no hours (write `days=`)",
        ),
        (
            "{{ '2027-03-27' | plus(days=9999999999) }}",
            "! This date is too far away",
        ),
        ("{{ '2027-03-27T16:00:00' | plus(minutes=5) | time }}", "16:05"),
        (
            "{{ 1003.205 | money('EUR') }} {{ 1003.5 | money('jpy') }} {{ 5 | money('KWD') }}",
            "1003.21 EUR 1004 JPY 5.000 KWD",
        ),
        (
            "{{ '12' | money('EURO') }}",
            "! This is not a currency (write its three letters, as in `money('EUR')`)",
        ),
        ("{{ 2.5 | round }} {{ -2.5 | round }} {{ 5 | round(2) }}", "3 -3 5"),
    ]);
}
