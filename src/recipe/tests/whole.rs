//! Whole recipes: the contract's example, what vars give, and what recipes say of themselves.

use super::*;
use crate::model::retry::Retry;

const EXAMPLE: &str = r#"name: Tell the cleaner when dates move
enabled: true
dry_run: false
on:
  - event: [reservation.dates_changed, reservation.cancelled]
match:
  status: [booked, cancelled]
  was: {status: booked}
  kind: guest
  channel: airbnb*
  property: [brannan, "tag:downtown"]
  nights: ">= 2"
  notice: "> 24h"
  check_out_weekday: [sat, sun]
  payload: {$.guest.location: "*Belgium"}
  not: {labels: complaint}
when: reservation.guests > 2 and not property.vars.self_clean
vars: {moved: "{{ changes.check_out.from | date('%d %b') }} → {{ changes.check_out.to | date('%d %b') }}"}
mode: queued
queue: cleaning
actions:
  - id: tell
    email:
      connection: mail
      to: "{{ property.vars.cleaner }}"
      subject: "{{ property.name }}: {{ vars.moved }}"
    when: property.vars.cleaner is known
    retry: {for: 24h}
    at_most_once: false
    on_error: continue
  - http:
      connection: cleaning
      method: PUT
      url: /tasks/{{ reservation.key }}
      json: {starts: "{{ reservation.check_out }}", guests: "{{ reservation.guests }}", mail: "{{ steps.tell.output.message_id }}"}
      succeeds_if: {status: 2xx, body: {$.ok: true}}
      output: {id: $.task.id}
"#;

#[test]
fn the_example_of_the_contract() {
    let recipe = recipe(EXAMPLE);
    assert_eq!(recipe.queue, "cleaning");
    assert_eq!(recipe.revision.len(), 16);
    assert_eq!(recipe.names_gone(), [Status::Cancelled]);
    let ids: Vec<(&str, &str)> = recipe
        .steps
        .iter()
        .map(|step| (step.id.as_str(), step.kind.as_str()))
        .collect();
    assert_eq!(ids, [("tell", "email"), ("2", "http")]);
    assert_eq!(recipe.steps[0].policy.retry, Retry::For(86_400));
    assert!(recipe.steps[0].policy.go_on && !recipe.steps[1].policy.go_on);
    let mut moved = event(stay(), stay());
    moved.types = vec!["reservation.dates_changed".to_owned()];
    let mut shorter = stay();
    shorter["check_out_date"] = json!("2027-03-28");
    moved.reservation = shorter.into();
    let wanted = wants(&recipe, &moved);
    assert!(wanted.wanted, "{:#?}", wanted);
}

#[test]
fn as_a_sentence() {
    assert_eq!(
        recipe(EXAMPLE).sentence(),
        "Tell the cleaner when dates move: when the dates of a stay change or a stay is cancelled, if the status is booked \
         or cancelled, and before that the status was booked, and channel is airbnb*, and the property is brannan or one \
         with the tag downtown, and nights is at least 2, and check-in is more than 24h away, and check-out is on sat or \
         sun, and `$.guest.location` in the body is *Belgium, and it is not so that labels is complaint, and \
         `reservation.guests > 2 and not property.vars.self_clean`, email over `mail` (only if `property.vars.cleaner is \
         known`; the rest goes on if it fails), then http over `cleaning`. Its runs stand in the queue `cleaning`."
    );
    assert_eq!(
        matching("dry_run: true\nmode: newest\nmatch: {pets: null, channel: '!= vrbo', kind: [guest, owner]}")
            .sentence(),
        "r: when a stay is new, if pets is not sent, and channel is not vrbo, and the kind is guest or owner, http. A newer \
         run for the same stay takes the place of one that still waits. Nothing is really sent (dry run)."
    );
    let off = recipe(
        "name: r\nenabled: false\nmode: parallel\non: {event: [payment.created, other.x]}\nactions: [{http: {}, at_most_once: true}]",
    );
    assert_eq!(
        off.sentence(),
        "r: when a payment comes in or the sender reports `x`, http (never twice). Runs for the same stay wait for nothing. \
         It is switched off."
    );
}

#[test]
fn what_starts_it() {
    let text = "name: r\non: [{event: reservation.confirmed}, {stay: check_in, before: 2d, at: '10:00'}]\nactions: [{http: {}}]";
    let words = "when a stay is confirmed or 2 days BEFORE check-in at 10:00, the property's time";
    assert_eq!(recipe(text).waits_for(), words);
}

#[test]
fn clocks_as_sentences() {
    let says = |rest: &str| recipe(&format!("name: r\nactions: [{{http: {{}}}}]\n{rest}")).sentence();
    for (written, wanted) in [
        (
            "on: {stay: check_in, before: 2d, at: '10:00'}",
            "r: 2 days BEFORE check-in at 10:00, the property's time, if the status is booked, http.",
        ),
        (
            "on: {stay: check_out}",
            "r: at check-out, if the status is booked, http.",
        ),
        (
            "on: {stay: check_in, at: '09:00'}\nmatch: {status: [booked, pending]}",
            "r: on the day of check-in at 09:00, the property's time, if the status is booked or pending, http.",
        ),
        (
            "on: {stay: created, after: 90m}\nmatch: {status: '!= unknown'}",
            "r: 90 minutes AFTER booking, if the status is not unknown, http.",
        ),
        (
            "on: {stay: check_in, before: 48h}\nmatch: {status: booked}",
            "r: 48 hours BEFORE check-in, if the status is booked, http.",
        ),
        (
            "on: {stay: check_in, every: 7d, at: '11:00', until: {stay: check_out, before: 2d}}\nmatch: {status: booked}",
            "r: every 7 days after check-in at 11:00, until 2 days before check-out, if the status is booked, http.",
        ),
        (
            "on: {stay: check_out, before: 3d, every: 1d}\nmatch: {status: booked}",
            "r: every day, counted from 3 days before check-out, until check-out, if the status is booked, http.",
        ),
        (
            "on: {stay: check_in, every: 12h, until: {stay: check_out}}\nmatch: {status: booked}",
            "r: every 12 hours after check-in, until check-out, if the status is booked, http.",
        ),
        (
            "on: {status: awaiting_payment, for: 24h}",
            "r: when the status has been awaiting payment for 24 hours, http.",
        ),
        (
            "on: {status: [pending, '!= booked'], for: 3d}\nlate: skip\nagain: true",
            "r: when the status has been pending or other than booked for 3 days, http. Where its time has passed it does not \
             run. It runs again for a date that moves after it has run.",
        ),
        (
            "on: {schedule: {weekly: Monday, at: '09:00', timezone: Europe/Lisbon}}\nlate: run within 12h\n\
             gather: {soon: {stay: check_in, within: 7d, match: {property: 'tag:downtown'}}, \
             out: {stay: check_out, within: 36h, match: {status: pending}}, today: {stay: check_out, within: 1d}}",
            "r: every Monday at 09:00, Europe/Lisbon, http. `gathered.soon` are the stays that arrive within 7 days, today \
             the first, if the property is one with the tag downtown. `gathered.out` are the stays that leave within 36 \
             hours, if the status is pending. `gathered.today` are the stays that leave today. Where its time has passed it \
             runs within 12 hours.",
        ),
        (
            "on: {schedule: {cron: '0 9 * * 1-5'}}",
            "r: every Monday, Tuesday, Wednesday, Thursday and Friday at 09:00, http.",
        ),
        ("on: {schedule: {cron: '*/5 9 * * 1'}}", "r: at `*/5 9 * * 1`, http."),
        (
            "on: [{event: reservation.confirmed}, {stay: check_in, before: 1d}, {event: reservation.dates_changed}]\nsettle: 60s",
            "r: when a stay is confirmed or the dates of a stay change or 1 day BEFORE check-in, http. At the moments of a \
             stay it is for booked ones. It waits 60 seconds for further changes.",
        ),
    ] {
        assert_eq!(says(written), wanted, "{written}");
    }
}

#[test]
fn policies_read() {
    for (written, retry) in [
        ("retry: never", Retry::Never),
        ("retry: {schedule: [5s, 1m, 10m]}", Retry::Schedule(vec![5, 60, 600])),
        ("retry: {for: 30d}", Retry::For(2_592_000)),
        ("at_most_once: true", Retry::default()),
    ] {
        let recipe = recipe(&format!(
            "name: r\non: {{event: other.x}}\nactions: [{{http: {{}}, {written}}}]"
        ));
        assert_eq!(recipe.steps[0].policy.retry, retry, "{written}");
        assert_eq!(recipe.steps[0].policy.at_most_once, written.starts_with("at"));
        assert_eq!(recipe.queue, "r");
    }
}

#[test]
fn vars_keep_types_and_build_on_one_another() {
    let recipe = matching(concat!(
        "vars:\n",
        "  guests: '{{ reservation.guests }}'\n",
        "  moved: \"{{ changes.check_out.from | date('%d %b') }} → {{ changes.check_out.to | date('%d %b') }}\"\n",
        "  tree: {of: ['{{ vars.guests + 1 }}', 7, true, ~], who: '{{ property.vars.cleaner }}', pets: '{{ reservation.pets }}'}\n",
        "  last: '{{ vars.tree.of[0] }} in {{ event.type }} at {{ event.at }}'\n",
    ));
    let event = event(stay(), Value::Null);
    let body = body();
    let facts = Facts::new(&event, &body, now());
    let vars = recipe.vars(&facts, &Value::Null, &Value::Null).unwrap();
    assert_eq!(
        vars,
        json!({
            "guests": 4,
            "moved": "29 Mar → 30 Mar",
            "tree": {"of": [5, 7, true, null], "who": "bo@example.com", "pets": null},
            "last": "5 in reservation.created at 2027-03-25T11:40:00-07:00",
        })
    );
}

#[test]
fn every_canonical_name_is_known_where_nothing_was_sent() {
    let names: Vec<&str> = super::super::names::canonical().map(|(name, _)| name).collect();
    let mut text = String::from("name: r\non: {event: [payment.created, message.received]}\nvars:\n");
    for (at, name) in names.iter().enumerate() {
        text +=
            &format!("  v{at}: \"{{{{ [reservation.{name}, previous.{name}, stay.{name}, changes.{name}.to] }}}}\"\n");
    }
    text += "  w: '{{ [payment.amount, message.text, run.id, run.due_at, property.vars.x, payload.a.b] }}'\n";
    text += "actions: [{http: {}}]\n";
    let recipe = recipe(&text);
    let mut event = event(json!({}), Value::Null);
    event.changes = Value::Null.into();
    let nothing = Value::Null.into();
    let facts = Facts::new(&event, &nothing, now());
    let vars = recipe.vars(&facts, &Value::Null, &Value::Null).unwrap();
    assert_eq!(vars["v0"], json!([null, null, null, null]));
}

#[test]
fn steps_render_with_what_came_before() {
    let recipe = recipe(EXAMPLE);
    let event = event(stay(), stay());
    let body = body();
    let facts = Facts::new(&event, &body, now());
    let steps = json!({"tell": {"output": {"message_id": "<1@x>"}}});
    let vars = recipe.vars(&facts, &Value::Null, &Value::Null).unwrap();
    let values = facts.values(steps, vars, Value::Null);
    let rendered = format!("{:?}", recipe.steps[1].effect.render("cleaning", &values).unwrap());
    assert!(
        rendered.contains(r#"\"guests\":4"#) && rendered.contains("<1@x>") && rendered.contains("/tasks/77"),
        "{rendered}"
    );
    let rendered = format!("{:?}", recipe.steps[0].effect.render("mail", &values).unwrap());
    assert!(rendered.contains("Brannan Street: 29 Mar → 30 Mar"), "{rendered}");
}

proptest::proptest! {
    #[test]
    fn no_damage_to_a_file_is_a_panic(at in 0..EXAMPLE.len(), cut in 0usize..40, put in "[ \\[\\]{}:,'\"$*|>\\-a0\n]{0,6}") {
        let chars: Vec<char> = EXAMPLE.chars().collect();
        let at = at.min(chars.len());
        let rest = &chars[(at + cut).min(chars.len())..];
        let text: String = chars[..at].iter().copied().chain(put.chars()).chain(rest.iter().copied()).collect();
        // A recipe comes out, or a mistake is told.
        if let (Some(recipe), _) = compiled(&text) {
            wants(&recipe, &event(stay(), stay()));
        }
    }
}

#[test]
fn what_the_reference_shows_of_filters_may_be_copied() {
    for doc in crate::lang::template::FILTERS {
        let example = Value::from(doc.example);
        let text = format!("name: r\non: {{event: reservation.created}}\nactions: [{{http: {{text: {example}}}}}]\n");
        let (recipe, report) = compiled(&text);
        assert!(
            recipe.is_some() && report.items.is_empty(),
            "{text}: {:?}",
            report.items
        );
    }
}
