//! What recipes say of clocks: what is read, and what is said where it does not go together.

use super::mistakes::{each, told};
use super::*;

const REST: &str = "\nname: r\nactions: [{http: {}}]\n";

#[track_caller]
fn fine(text: &str) -> Recipe {
    let text = format!("{text}{REST}");
    assert_eq!(told(&text), Vec::<String>::new(), "{text}");
    recipe(&text)
}

/// A recipe with one mistake or warning, and how what is told about it begins.
#[track_caller]
fn all(table: &[(&str, &str)]) {
    for (text, wanted) in table {
        each(&[(&format!("{text}{REST}"), wanted)]);
    }
}

fn at(text: &str) -> Option<chrono::NaiveTime> {
    Some(text.parse().unwrap())
}

#[test]
fn what_the_contract_shows_is_read() {
    let stay = |text: &str| match &fine(text).on[..] {
        [Trigger::Stay(clock)] => clock.clone(),
        other => panic!("{other:?}"),
    };
    let mark = |anchor, shift, at| Mark { anchor, shift, at };
    assert_eq!(
        stay("on: {stay: check_in, before: 2d, at: \"10:00\"}"),
        StayClock {
            mark: mark(Anchor::CheckIn, Shift::Days(-2), at("10:00:00")),
            every: None,
            until: None
        }
    );
    let moment = stay("on: {stay: check_out}");
    assert_eq!(moment.mark, mark(Anchor::CheckOut, Shift::NONE, None));
    assert_eq!(moment.label(), "check_out+0");
    assert_eq!(
        stay("on: {stay: check_in, every: 7d, at: \"11:00\", until: {stay: check_out, before: 2d}}"),
        StayClock {
            mark: mark(Anchor::CheckIn, Shift::NONE, at("11:00:00")),
            every: Some(Shift::Days(7)),
            until: Some(mark(Anchor::CheckOut, Shift::Days(-2), None)),
        }
    );
    assert_eq!(
        stay("on: {stay: created, after: 36h}").mark.shift,
        Shift::Seconds(36 * 3600)
    );
    assert_eq!(
        stay("on: {stay: check_out, before: 3d, every: 1d}").label(),
        "check_out-3d*1d"
    );
    assert_eq!(
        stay("on: {stay: check_in, before: 0h, at: \"9:00\"}").label(),
        "check_in+0@09:00"
    );

    let recipe = fine("on: {status: awaiting_payment, for: 24h}");
    let [Trigger::Status(clock)] = &recipe.on[..] else {
        panic!("{:?}", recipe.on)
    };
    assert_eq!(
        (clock.says.as_str(), clock.lasts),
        ("awaiting_payment", Shift::Seconds(86_400))
    );
    assert_eq!(clock.label(), "status:awaiting_payment+24h");
    assert!(clock.holds(Some(Status::AwaitingPayment), None) && !clock.holds(Some(Status::Confirmed), None));

    let recipe = fine(
        "on: {schedule: {weekly: monday, at: \"09:00\"}}\n\
         gather: {arrivals: {stay: check_in, within: 7d, match: {property: \"tag:downtown\"}}}\n\
         late: run within 12h",
    );
    let [list] = &recipe.gather[..] else {
        panic!("{:?}", recipe.gather)
    };
    assert_eq!(
        (list.name.as_str(), list.anchor, list.within),
        ("arrivals", Anchor::CheckIn, Shift::Days(7))
    );
    let says: Vec<&str> = list.conditions.tests.iter().map(|test| test.says.as_str()).collect();
    assert_eq!(says, ["status: booked", "property: tag:downtown", "kind: guest"]);
    assert_eq!(recipe.late, Late::Within(chrono::TimeDelta::hours(12)));
    assert_eq!(fine("on: {stay: check_in}\nlate: skip\nagain: true").late, Late::Skip);
    let again = |more: &str| fine(&format!("on: {{stay: check_in}}\n{more}")).again;
    assert_eq!(again("again: true"), Some(true));
    assert_eq!(again("again: false"), Some(false));
    assert_eq!(again(""), None);
    let settled = fine("on: {event: reservation.dates_changed}\nsettle: 60s");
    assert_eq!(settled.settle, chrono::TimeDelta::seconds(60));
}

#[test]
fn schedules_are_called_by_their_five_fields() {
    for (written, label) in [
        ("{weekly: monday, at: \"09:00\"}", "schedule:0 9 * * mon UTC"),
        ("{weekly: MON, at: \"9:05\"}", "schedule:5 9 * * mon UTC"),
        (
            "{weekly: [sun, Thursday, mon, thu], at: \"23:59\"}",
            "schedule:59 23 * * mon,thu,sun UTC",
        ),
        ("{daily: true, at: \"00:00\"}", "schedule:0 0 * * * UTC"),
        (
            "{monthly: 31, at: \"07:30\", timezone: Europe/Lisbon}",
            "schedule:30 7 31 * * Europe/Lisbon",
        ),
        ("{cron: \"0 9 * * MON\"}", "schedule:0 9 * * MON UTC"),
        (
            "{cron: \"  */5  9-17 *  jan-mar fri-sun \", timezone: UTC}",
            "schedule:*/5 9-17 * jan-mar fri-sun UTC",
        ),
    ] {
        let recipe = fine(&format!("on: {{schedule: {written}}}"));
        let [Trigger::Schedule(schedule)] = &recipe.on[..] else {
            panic!("{:?}", recipe.on)
        };
        assert_eq!(schedule.label(chrono_tz::UTC), label);
    }
}

#[test]
fn of_a_stay() {
    all(&[
        (
            "on: {stay: checkin}",
            "1:12 `stay` is one of `check_in`, `check_out` or `created` (did you mean `check_in`?)",
        ),
        (
            "on: {stay: check_in, before: 24h, at: '10:00'}",
            "1:39 `at` goes with days, not with hours or minutes (write `before: 1d`)",
        ),
        (
            "on: {stay: check_in, after: 5h, at: '10:00'}",
            "1:37 `at` goes with days, not with hours or minutes (such as `after: 2d, at: \"10:00\"`; without",
        ),
        (
            "on: {stay: check_in, before: 1d, after: 1d}",
            "1:41 either `before` or `after`, not both (take one of them away; two moments are two entries",
        ),
        (
            "on: {stay: check_in, before: 2 days}",
            "1:30 `before` is a duration such as `90s`, `15m`, `2h` or `3d` (did you mean `2d`?)",
        ),
        (
            "on: {stay: check_in, at: noon}",
            "1:26 `at` is a time of day (such as \"15:00\"",
        ),
        ("on: {stay: check_in, at: '24:00'}", "1:26 `at` is a time of day"),
        (
            "on: {stay: created, before: 1d}",
            "1:29 nobody knows of a stay before it is booked: `before` does not go with `created` (such as `stay: created, \
             after: 2h` or",
        ),
        (
            "on: {stay: check_in, every: 30m}",
            "1:29 `every` is an hour at least (such as `every: 7d`)",
        ),
        ("on: {stay: check_in, every: 0d}", "1:29 `every` is an hour at least"),
        (
            "on: {stay: check_in, every: 48h, at: '11:00'}",
            "1:29 with `at`, `every` is days, not hours or minutes (write `every: 2d`)",
        ),
        (
            "on: {stay: check_in, every: 5h, at: '11:00'}",
            "1:29 with `at`, `every` is days, not hours or minutes (without `at`",
        ),
        (
            "on: {stay: check_in, until: {stay: check_out}}",
            "1:29 `until` goes with `every` (such as `every: 7d, until: {stay: check_out, before: 2d}`)",
        ),
        (
            "on: {stay: check_in, every: 1d, until: {before: 2d}}",
            "1:40 `until` needs `stay`",
        ),
        (
            "on: {stay: check_in, every: 1d, until: check_out}",
            "1:40 `until` is written as settings",
        ),
        (
            "on: {stay: check_in, every: 7d, until: {stay: check_in, after: 3d}}",
            "1:40 `until` lies before the first repetition, so nothing ever happens",
        ),
        (
            "on: {stay: check_out, every: 7d}",
            "1:30 `every` ends with the departure, before the first repetition, so nothing ever happens (the first lies",
        ),
        (
            "on: {stay: check_out, before: 3d, every: 7d}",
            "1:42 `every` ends with the departure",
        ),
        (
            "on: {stay: check_in, for: 24h}",
            "1:27 `for` goes with `status`, not with `stay` (so long after that moment is `after`, such as `after: 24h`)",
        ),
        (
            "on: {stay: check_in, status: booked}",
            "1:5 `stay` and `status` are triggers of their own (for which stays stands in `match: {status: …}`",
        ),
        (
            "on: {stay: check_in, event: reservation.created}",
            "1:5 `event` and `stay` are triggers of their own (several are a list",
        ),
        (
            "on: {before: 2d}",
            "1:5 a trigger needs one of `event`, `stay`, `status` or `schedule` (such as `{stay: check_in, ",
        ),
        (
            "on: {for: 2d}",
            "1:5 a trigger needs one of `event`, `stay`, `status` or `schedule` (such as `{status: awaiting",
        ),
        (
            "on: {event: reservation.created, before: 2d}",
            "1:42 `before` goes with `stay`, not with `event` (such as `{stay: check_in, before: 2d}`)",
        ),
        (
            "on: {event: reservation.created, after: 2h}",
            "1:41 `after` goes with `stay`, not with `event` (an event is acted on at once; so long after the booking is \
             `{stay: created, after: 2h}`)",
        ),
        (
            "on: {event: reservation.created, at: '10:00'}",
            "1:38 `at` goes with `stay`, not with `event`",
        ),
        (
            "on: check_in",
            "1:5 a trigger says what `check_in` is (write `on: {stay: check_in}`)",
        ),
        (
            "on: [{stay: check_in, before: 2d}, {stay: check_in, before: 1d}, {stay: check_in, before: 2d}]",
            "1:66 this is twice the same: it stands in line 1 too (moments that are the same start the recipe once",
        ),
    ]);
    // All of an entry at once.
    let told = told(&format!(
        "on: {{stay: created, before: 1d, at: x, every: 5m, until: {{stay: nope}}, for: 3}}{REST}"
    ));
    assert_eq!(told.len(), 5, "{told:#?}");
}

#[test]
fn of_a_status() {
    all(&[
        (
            "on: {status: pending}",
            "1:5 a trigger on a status needs `for` (such as `{status: awaiting_payment, for: 24h}`; the change itself is \
             `event: reservation.status_changed`)",
        ),
        ("on: {status: pending, for: 0h}", "1:28 `for` is more than nothing"),
        ("on: {status: pending, for: long}", "1:28 `for` is a duration"),
        (
            "on: {status: cancelled, for: 24h}",
            "1:14 `cancelled` ends a stay, and nothing that is planned for a stay runs once it is gone (for the change \
             itself write `event: reservation.cancelled`)",
        ),
        (
            "on: {status: [pending, No Show], for: 24h}",
            "1:24 `No Show` ends a stay, and nothing that is planned for a stay runs once it is gone (for the change itself \
             write `event: reservation.no_show`)",
        ),
        (
            "on: {status: [~], for: 24h}",
            "1:15 a status that was never sent does not last",
        ),
        ("on: {status: '> pending', for: 24h}", "1:14 `status` is a word"),
        (
            "on: {status: pendin, for: 24h}",
            "1:14 `pendin` is compared with the sender's own word; it is none of ours (did you mean `pending`?)",
        ),
        (
            "on: [{status: pending, for: 24h}, {status: pending, for: 24h}]",
            "1:35 this is twice the same",
        ),
    ]);
    // What is written instead of `for` is told with it.
    let both = told(&format!("on: {{status: pending, after: 24h}}{REST}"));
    assert!(
        both.len() == 2 && both.iter().any(|line| line.contains("is `for`, such as `for: 24h`")),
        "{both:#?}"
    );
    fine("on: {status: ['!= cancelled', Awaiting Deposit], for: 24h}");
    fine("on: [{status: pending, for: 24h}, {status: pending, for: 1d}, {status: inquiry, for: 24h}]");
}

#[test]
fn of_a_schedule() {
    all(&[
        (
            "on: {schedule: {weekly: monday}}",
            "1:16 `schedule` needs `at` (such as `at: \"09:00\"`)",
        ),
        ("on: {schedule: {daily: true}}", "1:16 `schedule` needs `at`"),
        ("on: {schedule: {monthly: 1}}", "1:16 `schedule` needs `at`"),
        (
            "on: {schedule: {weekly: monday}, at: '09:00'}",
            "1:38 `at` goes with `stay`, not with `schedule` (it stands below `schedule`: `schedule: {weekly: monday, at: ",
        ),
        (
            "on: {schedule: {at: '09:00'}}",
            "1:16 `schedule` needs one of `daily`, `weekly`, `monthly` or `cron`",
        ),
        (
            "on: {schedule: {daily: false, at: '09:00'}}",
            "1:16 `schedule` needs one of",
        ),
        (
            "on: {schedule: {daily: true, weekly: mon, at: '09:00'}}",
            "1:16 `schedule` needs one of",
        ),
        (
            "on: {schedule: {weekly: someday, at: '09:00'}}",
            "1:25 `someday` is no day: they are `mon`",
        ),
        (
            "on: {schedule: {weekly: [mon, tuseday], at: '09:00'}}",
            "1:31 `tuseday` is no day: they are `mon`, `tue`, `wed`, `thu`, `fri`, `sat` and `sun` (did you mean `tuesday`?)",
        ),
        (
            "on: {schedule: {weekly: [], at: '09:00'}}",
            "1:25 `weekly` needs at least one day",
        ),
        (
            "on: {schedule: {monthly: 32, at: '09:00'}}",
            "1:26 `monthly` is a whole number from 1 to 31",
        ),
        ("on: {schedule: {weekly: mon, at: 9am}}", "1:34 `at` is a time of day"),
        (
            "on: {schedule: {cron: '0 9 * * 1', at: '09:00'}}",
            "1:40 a cron line says the time itself: `at` does not go with it",
        ),
        (
            "on: {schedule: {cron: '0 0 9 * * 1'}}",
            "1:23 a cron line has five fields, this has six: seconds are no field here (without it: `0 9 * * 1`)",
        ),
        (
            "on: {schedule: {cron: '@daily'}}",
            "1:23 `@daily` is no cron line of five fields (write `daily: true, at: ",
        ),
        ("on: {schedule: {cron: '0 9 31 2 *'}}", "1:23 `0 9 31 2 *` never comes"),
        (
            "on: {schedule: {cron: '0 25 * * *'}}",
            "1:23 `25` is no hour: they go from 0 to 23",
        ),
        (
            "on: {schedule: {daily: true, at: '09:00', timezone: Lisbon}}",
            "1:53 there is no time zone `Lisbon` (did you mean `Europe/Lisbon`?)",
        ),
        (
            "on: {schedule: 0 9 * * 1}",
            "1:16 `schedule` is written as settings (`key: value`), this is a text (write `schedule: {cron: \"0 9 * * 1\"}`)",
        ),
        (
            "on: {schedule: monday}",
            "1:16 `schedule` is written as settings (`key: value`), this is a text (write `schedule: {weekly: monday, at: ",
        ),
        (
            "on: {weekly: monday}",
            "1:14 `weekly` stands below `schedule` (write `schedule: {weekly: monday, at: \"09:00\"}`)",
        ),
        (
            "on: {cron: '0 9 * * 1'}",
            "1:12 `cron` stands below `schedule` (write `schedule: {cron: \"0 9 * * 1\"}`)",
        ),
        (
            "on: {schedule: {daily: true, at: '09:00'}, timezone: UTC}",
            "1:54 `timezone` stands below `schedule`, not beside it",
        ),
        (
            "on: [{schedule: {weekly: mon, at: '09:00'}}, {schedule: {cron: '0 9 * * MON'}}]",
            "1:46 this is twice the same: it stands in line 1 too",
        ),
    ]);
}

#[test]
fn of_what_goes_with_a_clock() {
    const WEEKLY: &str = "on: {schedule: {weekly: mon, at: '09:00'}}\n";
    const GATHER: &str = "gather: {a: {stay: check_in, within: 7d}}";
    let with = |rest: &str| format!("{WEEKLY}{rest}");
    all(&[
        (
            "on: {event: reservation.created}\nlate: skip",
            "2:7 `late` has no effect: an event is acted on when it comes (it is for entries of `on` with `stay`",
        ),
        (
            "on: {event: reservation.created}\nagain: true",
            "2:8 `again` has no effect: every event starts the recipe",
        ),
        (
            &with("again: true"),
            "2:8 `again` has no effect: a schedule comes again by itself",
        ),
        (
            "on: {stay: check_in}\nsettle: 60s",
            "2:9 `settle` has no effect: only changes of a stay are waited for, payments and messages are not",
        ),
        (
            "on: {event: payment.created}\nsettle: 60s",
            "2:9 `settle` has no effect",
        ),
        (
            "on: {stay: check_in}\nlate: 12h",
            "2:7 `late` is `skip`, or `run within` and a duration (write `late: run within 12h`, or `late: skip`)",
        ),
        (
            "on: {stay: check_in}\nlate: run within 3 hours",
            "2:7 `late` is `skip`, or `run within` and a duration (write `late: run within 3h`",
        ),
        ("on: {stay: check_in}\nlate: [skip]", "2:7 `late` is a text"),
        (
            &format!("on: {{stay: check_in}}\n{GATHER}"),
            "2:9 `gather` goes with `schedule` (such as `on: {schedule: {weekly: monday, at: \"09:00\"}}`; elsewhere the stay",
        ),
        (
            &with("match: {status: booked}"),
            "2:8 a schedule has no stay that `match` could look at (for which stays a list is",
        ),
        (
            "on: [{stay: check_in}, {schedule: {daily: true, at: '09:00'}}]\nmatch: {status: booked}",
            "2:8 `schedule` has no stay that `match` could look at, so it never starts this recipe (make it a recipe of its",
        ),
        (&with("gather: {}"), "2:9 `gather` has 1 to 20 lists"),
        (
            &with("gather: {stay: check_in, within: 7d}"),
            "2:10 every list of `gather` has a name",
        ),
        (
            &with("gather: {a b: {stay: check_in, within: 7d}}"),
            "2:10 `a b` cannot be the name of a list",
        ),
        (
            &with("gather: {a: {within: 7d}}"),
            "2:13 a list of `gather` needs `stay`",
        ),
        (
            &with("gather: {a: {stay: check_in}}"),
            "2:13 a list of `gather` needs `within`",
        ),
        (
            &with("gather: {a: {stay: created, within: 7d}}"),
            "2:20 `stay` is one of `check_in` or `check_out`",
        ),
        (
            &with("gather: {a: {stay: check_in, within: 0d}}"),
            "2:38 `within` is more than nothing",
        ),
        (
            &with("gather: {a: {stay: check_in, within: 7d, match: {was: {status: booked}}}}"),
            "2:50 a list of stays has no `was`: there is no event",
        ),
        (
            &with("gather: {a: {stay: check_in, within: 7d, match: {not: {payment.amount: 5}}}}"),
            "2:56 a list of stays has no `payment.amount`: there is no event",
        ),
    ]);
    fine("on: [{event: reservation.created}, {stay: check_in}]\nlate: skip\nagain: true\nsettle: 5m");
    fine("on: {event: payment.created}\nagain: false");
    // What could not be read may have been what it goes with.
    let told = told(&format!("on: {{evnt: x}}\nlate: skip\nsettle: 60s\n{GATHER}{REST}"));
    assert!(told.iter().all(|line| line.starts_with("1:")), "{told:#?}");
}

#[test]
fn of_names() {
    let recipes = |on: &str, template: &str| {
        format!(
            "on: {on}\ngather: {{arrivals: {{stay: check_in, within: 7d}}}}\nname: r\nvars:\n  a: \"x {template}\"\nactions: [{{http: {{}}}}]\n"
        )
    };
    const SCHEDULE: &str = "{schedule: {daily: true, at: '09:00'}}";
    for (name, wanted) in [
        (
            "reservation.code",
            "there is no `reservation` (lists of stays come with `gather: {arrivals: ",
        ),
        ("stay.nights", "there is no `stay`"),
        ("property.name", "there is no `property`"),
        ("previous.code", "there is no `previous`"),
        ("changes.check_in.to", "there is no `changes`"),
        ("payload.a", "there is no `payload`"),
        ("payment.amount", "there is no `payment`"),
        ("message.text", "there is no `message`"),
    ] {
        let wanted = format!("5:12 a schedule has no stay and no event, so {wanted}");
        each(&[(&recipes(SCHEDULE, &format!("{{{{ {name} }}}}")), &wanted)]);
    }
    for (template, wanted) in [
        (
            "{{ gathered.arivals }}",
            "nothing is called `gathered.arivals` (did you mean `gathered.arrivals`?)",
        ),
        (
            "{{ gathered.others }}",
            "nothing is called `gathered.others` (its lists stand in the recipe: `gather: {others: ",
        ),
        (
            "{{ gathered.arrivals.code }}",
            "nothing is called `gathered.arrivals.code` (`gathered.arrivals` is a list: `{% for",
        ),
        (
            "{{ gathered.arrivals[0].cod }}",
            "nothing is called `gathered.arrivals[0].cod`",
        ),
    ] {
        each(&[(&recipes(SCHEDULE, template), &format!("5:12 {wanted}"))]);
    }
    for template in [
        "{{ gathered.arrivals | length }}",
        "{{ gathered.arrivals[0].guest.first_name }}",
        "{% for stay in gathered.arrivals %}{{ stay.guest.name }} {{ stay.property.vars.x }}{% endfor %}",
        "{{ event.type }} {{ now }} {{ run.due_at }}",
    ] {
        let told = told(&recipes(SCHEDULE, template));
        assert!(told.is_empty(), "{template}: {told:?}");
    }
    let of_clocks = |on: &str, template: &str| {
        told(&format!(
            "on: {on}\nname: r\nvars: {{a: \"{template}\"}}\nactions: [{{http: {{}}}}]\n"
        ))
    };
    for clock in ["{stay: check_in, before: 2d}", "{status: pending, for: 24h}"] {
        for (name, wanted) in [
            (
                "changes.check_in.to",
                "a clock starts this recipe, no event, so there is no `changes` (what the stay is like",
            ),
            (
                "previous.code",
                "a clock starts this recipe, no event, so there is no `previous`",
            ),
            ("payment.amount", "no event of this recipe carries a payment"),
            ("message.text", "no event of this recipe carries a message"),
            (
                "gathered.x",
                "only a recipe with `schedule` and `gather` has `gathered`",
            ),
            ("kept.a.b", "`kept` is not in this version yet"),
            ("earlier.a.b", "`earlier` is not in this version yet"),
        ] {
            let told = of_clocks(clock, &format!("{{{{ {name} }}}}"));
            assert!(told.len() == 1 && told[0].contains(wanted), "{clock} {name}: {told:?}");
        }
        let fine =
            "{{ reservation.code }} {{ stay.next.check_in }} {{ property.name }} {{ payload.a }} {{ stay.gap_nights }}";
        assert_eq!(of_clocks(clock, fine), Vec::<String>::new());
    }
    // Where a part of the triggers has it: a warning, once, unless it is asked first.
    let both = "[{event: reservation.created}, {stay: check_in}]";
    let told = of_clocks(both, "{{ previous.code }} {{ previous.nights }}");
    assert!(
        told.len() == 1
            && told[0]
                .contains("there is no `previous` where a clock starts this recipe, only where an event does (ask"),
        "{told:?}"
    );
    assert_eq!(
        of_clocks(both, "{% if previous.code %}{{ previous.code }}{% endif %}"),
        Vec::<String>::new()
    );
    let told = of_clocks(
        "[{schedule: {daily: true, at: '09:00'}}, {stay: check_in}]",
        "{{ reservation.code }}",
    );
    assert!(
        told.len() == 1 && told[0].contains("no `reservation` where `schedule` starts"),
        "{told:?}"
    );
    let told = of_clocks("[{event: payment.created}, {stay: check_in}]", "{{ payment.amount }}");
    assert!(
        told.len() == 1 && told[0].contains("no `payment` where a clock starts"),
        "{told:?}"
    );
}
