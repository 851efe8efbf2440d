//! Times of the calendar: what the five fields mean, in every zone, and what is said where they cannot be read.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use proptest::prelude::*;

use super::*;

/// The first times of a line after an instant, as the wall clock of the zone shows them, with the offset.
#[track_caller]
fn next(line: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::cron(line, None).unwrap_or_else(|why| panic!("{line}: {why}"));
    let mut at = after.parse().unwrap();
    let mut all = Vec::new();
    for _ in 0..count {
        let Some(next) = schedule.next(at, zone.parse().unwrap()) else {
            break;
        };
        assert!(next > at, "{line}: {next} is not after {at}");
        all.push(next.format("%F %H:%M %:z").to_string());
        at = next.with_timezone(&Utc);
    }
    all
}

#[test]
fn in_every_zone() {
    for (line, zone, after, wanted) in [
        // Clocks go forward at 02:00: what does not exist comes when it does; once.
        (
            "30 2 * * *",
            "America/New_York",
            "2027-03-13T12:00:00Z",
            &["2027-03-14 03:00 -04:00", "2027-03-15 02:30 -04:00"][..],
        ),
        (
            "*/20 2,3 * * *",
            "America/New_York",
            "2027-03-14T06:00:00Z",
            &["2027-03-14 03:00 -04:00", "2027-03-14 03:20 -04:00"],
        ),
        // And back: of two the first only.
        (
            "30 1 * * *",
            "America/New_York",
            "2027-11-07T04:00:00Z",
            &["2027-11-07 01:30 -04:00", "2027-11-08 01:30 -05:00"],
        ),
        (
            "0,30 * * * *",
            "America/New_York",
            "2027-11-07T05:00:00Z",
            &["2027-11-07 01:30 -04:00", "2027-11-07 02:00 -05:00"],
        ),
        // Asked in the middle of the hour that comes twice.
        (
            "30 1 * * *",
            "America/New_York",
            "2027-11-07T06:10:00Z",
            &["2027-11-08 01:30 -05:00"],
        ),
        (
            "30 1 28 3 *",
            "Europe/Lisbon",
            "2027-01-01T00:00:00Z",
            &["2027-03-28 02:00 +01:00", "2028-03-28 01:30 +01:00"],
        ),
        (
            "15 1 * 10 sun",
            "Europe/Lisbon",
            "2027-10-25T00:00:00Z",
            &["2027-10-31 01:15 +01:00", "2028-10-01 01:15 +01:00"],
        ),
        // Half an hour forward, half an hour back.
        (
            "10 2 * * *",
            "Australia/Lord_Howe",
            "2027-10-02T00:00:00Z",
            &["2027-10-03 02:30 +11:00", "2027-10-04 02:10 +11:00"],
        ),
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2027-04-03T00:00:00Z",
            &["2027-04-04 01:45 +11:00", "2027-04-05 01:45 +10:30"],
        ),
        // A whole day that never was.
        (
            "0 9 * * *",
            "Pacific/Apia",
            "2011-12-29T00:00:00Z",
            &[
                "2011-12-29 09:00 -10:00",
                "2011-12-31 00:00 +14:00",
                "2011-12-31 09:00 +14:00",
            ],
        ),
        (
            "0 9 * * mon",
            "Asia/Kathmandu",
            "2027-01-04T03:14:00Z",
            &["2027-01-04 09:00 +05:45", "2027-01-11 09:00 +05:45"],
        ),
        // Back for the month of fasting, and forward after it.
        (
            "30 2 * * *",
            "Africa/Casablanca",
            "2027-02-06T12:00:00Z",
            &["2027-02-07 02:30 +01:00", "2027-02-08 02:30 +00:00"],
        ),
        (
            "30 2 * * *",
            "Africa/Casablanca",
            "2027-03-13T12:00:00Z",
            &["2027-03-14 03:00 +01:00", "2027-03-15 02:30 +01:00"],
        ),
        (
            "0 9 31 * *",
            "UTC",
            "2027-01-31T09:00:00Z",
            &[
                "2027-03-31 09:00 +00:00",
                "2027-05-31 09:00 +00:00",
                "2027-07-31 09:00 +00:00",
            ],
        ),
        (
            "0 9 29 2 *",
            "UTC",
            "2027-01-01T00:00:00Z",
            &["2028-02-29 09:00 +00:00", "2032-02-29 09:00 +00:00"],
        ),
        (
            "0 9 29 2 *",
            "UTC",
            "2096-03-01T00:00:00Z",
            &["2104-02-29 09:00 +00:00"],
        ),
        (
            "59 23 31 12 *",
            "UTC",
            "2027-12-31T23:58:59Z",
            &["2027-12-31 23:59 +00:00", "2028-12-31 23:59 +00:00"],
        ),
        // A 29 February that is a Sunday: only one kind of days is given, both have to hold.
        (
            "0 0 29 2 */7",
            "UTC",
            "2027-01-01T00:00:00Z",
            &["2032-02-29 00:00 +00:00"],
        ),
        (
            "0 0 29 2 */7",
            "UTC",
            "2088-03-01T00:00:00Z",
            &["2128-02-29 00:00 +00:00"],
        ),
    ] {
        assert_eq!(next(line, zone, after, wanted.len()), wanted, "{line} in {zone}");
    }
}

/// The days of a week from Sunday, 3 January 2027 that a line with these days of the week has.
#[test]
fn days_of_the_week_are_those_of_unix() {
    for (field, wanted) in [
        ("0", "0"),
        ("7", "0"),
        ("1", "1"),
        ("sun", "0"),
        ("MON", "1"),
        ("Sat", "6"),
        ("5-7", "0 5 6"),
        ("fri-sun", "0 5 6"),
        ("fri-mon", "0 1 5 6"),
        ("6-1", "0 1 6"),
        ("fri-tue/2", "0 2 5"),
        ("0-7", "0 1 2 3 4 5 6"),
        ("0-6", "0 1 2 3 4 5 6"),
        ("*/2", "0 2 4 6"),
        ("*/3", "0 3 6"),
        ("*/7", "0"),
        ("1-5/2", "1 3 5"),
        ("mon,wed,7", "0 1 3"),
        ("7-0", "0"),
        ("7-1", "0 1"),
    ] {
        let schedule = Schedule::cron(&format!("0 9 * * {field}"), None).unwrap();
        let mut at = "2027-01-03T00:00:00Z".parse().unwrap();
        let mut days = std::collections::BTreeSet::new();
        for _ in 0..7 {
            let next = schedule.next(at, chrono_tz::UTC).unwrap();
            days.insert(next.weekday().num_days_from_sunday().to_string());
            at = next.with_timezone(&Utc);
        }
        assert_eq!(days.into_iter().collect::<Vec<_>>().join(" "), wanted, "{field}");
    }
}

#[test]
fn what_cannot_be_read_is_explained() {
    for (line, wanted) in [
        ("", "five fields, this has 0 (they are minute, hour"),
        ("daily", "five fields, this has one (they are minute, hour"),
        ("0 9 * *", "five fields, this has 4"),
        (
            "0 0 9 * * 1",
            "this has six: seconds are no field here (without it: `0 9 * * 1`)",
        ),
        (
            "0 0 9 ? * MON",
            "this has six: seconds are no field here (without it: `0 9 * * MON`)",
        ),
        (
            "0 0 9 * * 1 2027",
            "neither seconds nor years are fields here (without it: `0 9 * * 1`)",
        ),
        ("60 9 * * *", "`60` is no minute: they go from 0 to 59"),
        ("0 24 * * *", "`24` is no hour: they go from 0 to 23"),
        ("0 9 0 * *", "`0` is no day of the month: they go from 1 to 31"),
        (
            "0 9 * 13 *",
            "`13` is no month: they go from 1 to 12, or `jan` to `dec`",
        ),
        (
            "0 9 * june *",
            "`june` is no month: they go from 1 to 12, or `jan` to `dec` (write `jun`)",
        ),
        ("0 9 * * 8", "`8` is no day of the week: they go from 0 to 7"),
        (
            "0 9 * * Monday",
            "is no day of the week: they go from 0 to 7 (0 and 7 are Sunday), or `mon` to `sun` (write `mon`)",
        ),
        (
            "0 9 ? * 1",
            "`?` is no day of the month: they go from 1 to 31 (for any day write `*`)",
        ),
        ("0 9 L * *", "`L` is no day of the month"),
        ("0 9 * * 1#2", "`1#2` is no day of the week"),
        ("30-10 9 * * *", "`30-10` runs backwards (write `30-59,0-10`)"),
        ("0 9 * nov-feb *", "`nov-feb` runs backwards (write `nov-12,1-feb`)"),
        (
            "5/10 9 * * *",
            "`5/10` says where it begins and not where it ends (write `5-59/10`, or `*/10`)",
        ),
        (
            "0 9 * * mon/2",
            "`mon/2` says where it begins and not where it ends (write `mon-6/2`, or `*/2`)",
        ),
        ("*/0 * * * *", "`*/0`: a step of a minute is a number from 1 to 59"),
        ("*/60 * * * *", "every hour is `0 * * * *`"),
        ("*/90 * * * *", "a step begins anew with each hour"),
        ("* * * * */8", "a step of a day of the week is a number from 1 to 7"),
        ("1,,2 9 * * *", "`` is no minute"),
        ("-5 9 * * *", "`` is no minute"),
        ("09.00 * * * *", "`09.00` is no minute"),
        ("+5 9 * * *", "`+5` is no minute"),
        (
            "0 9 31 2 *",
            "`0 9 31 2 *` never comes: the months it names have no such day",
        ),
        ("0 9 31 feb,4,jun *", "never comes"),
        ("0 9 30 2 */2", "never comes"),
        (
            "@daily",
            "`@daily` is no cron line of five fields (write `daily: true, at: \"00:00\"`)",
        ),
        ("@Weekly", "(write `weekly: sunday, at: \"00:00\"`)"),
        ("@reboot", "(such as `weekly: monday, at: \"09:00\"`)"),
    ] {
        let why = Schedule::cron(line, None).expect_err(line);
        assert!(why.contains(wanted), "{line}\n wanted {wanted}\n told   {why}");
    }
    // All of a line at once.
    let why = Schedule::cron("61 25 * * nope", None).unwrap_err();
    assert!(
        why.contains("minute") && why.contains("hour") && why.contains("`nope`"),
        "{why}"
    );
    // Where a day of the week is enough, it does come.
    assert!(Schedule::cron("0 9 31 2 mon", None).is_ok());
}

#[test]
fn in_plain_words_where_they_are_short() {
    for (line, words) in [
        ("0 9 * * 1", "every Monday at 09:00"),
        ("5 17 * * mon,thu,7", "every Monday, Thursday and Sunday at 17:05"),
        ("0 9 * * *", "every day at 09:00"),
        ("0 9 1 * *", "on day 1 of every month at 09:00"),
        ("0 9 * * 0-7", "every day at 09:00"),
        ("0 9 1 * 1", "at `0 9 1 * 1`"),
        ("*/5 9 * * *", "at `*/5 9 * * *`"),
        ("0 9 * 6 *", "at `0 9 * 6 *`"),
        ("0 9 1,15 * *", "at `0 9 1,15 * *`"),
    ] {
        assert_eq!(Schedule::cron(line, None).unwrap().words(), words);
    }
    let zone = Some(chrono_tz::Europe::Lisbon);
    assert_eq!(
        Schedule::cron("0 9 * * *", zone).unwrap().words(),
        "every day at 09:00, Europe/Lisbon"
    );
}

/// A part of a field: its text, and the numbers that it stands for. Written without a look at the reader.
fn part(min: u32, max: u32, week: bool) -> impl Strategy<Value = (String, Vec<u32>)> {
    const DAYS: [&str; 8] = ["sun", "Mon", "tue", "WED", "thu", "fri", "sat", "sun"];
    let say = move |n: u32, named: bool| match week && named {
        true => DAYS[n as usize].to_owned(),
        false => n.to_string(),
    };
    let value = min..=max;
    prop_oneof![
        (value.clone(), any::<bool>()).prop_map(move |(n, named)| (say(n, named), vec![n])),
        (value.clone(), value, 1..=max, any::<bool>()).prop_map(move |(a, b, step, named)| {
            // By name Sunday is one day, be it the first or the last: `sun-sun` is no week.
            let (a, b) = match (week, named) {
                (true, true) => (a % 7, b % 7),
                (true, false) => (a, b),
                (false, _) => (a.min(b), a.max(b)),
            };
            // The wall of the week: on from Saturday to Sunday.
            let end = if b < a { b + 7 } else { b };
            let numbers = (a..=end).step_by(step as usize).collect();
            let step = if step == 1 { String::new() } else { format!("/{step}") };
            (format!("{}-{}{step}", say(a, named), say(b, named)), numbers)
        }),
        (1..=max).prop_map(move |step| (format!("*/{step}"), (min..=max).step_by(step as usize).collect())),
        Just(("*".to_owned(), (min..=max).collect())),
    ]
}

fn field(min: u32, max: u32, week: bool) -> impl Strategy<Value = (String, Vec<u32>)> {
    proptest::collection::vec(part(min, max, week), 1..4).prop_map(move |parts| {
        let texts: Vec<&str> = parts.iter().map(|(text, _)| text.as_str()).collect();
        let numbers = parts.iter().flat_map(|(_, numbers)| numbers);
        let numbers = numbers.map(|n| if week { n % 7 } else { *n }).collect();
        (texts.join(","), numbers)
    })
}

/// The first minute of some weeks that is right, tried one by one.
fn by_hand(fields: &[(String, Vec<u32>); 5], after: NaiveDateTime, minutes: i64) -> Option<NaiveDateTime> {
    let [minute, hour, day, month, weekday] = fields;
    let star = |field: &(String, Vec<u32>)| field.0.starts_with('*');
    let first = after.with_second(0)?;
    (1..=minutes).map(|n| first + TimeDelta::minutes(n)).find(|at| {
        let on_day = day.1.contains(&at.day());
        let on_weekday = weekday.1.contains(&at.weekday().num_days_from_sunday());
        let date = match star(day) || star(weekday) {
            true => on_day && on_weekday,
            false => on_day || on_weekday,
        };
        minute.1.contains(&at.minute()) && hour.1.contains(&at.hour()) && date && month.1.contains(&at.month())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn the_next_time_is_the_one_found_by_trying_every_minute(
        minute in field(0, 59, false),
        hour in field(0, 23, false),
        day in field(1, 31, false),
        month in field(1, 12, false),
        weekday in field(0, 7, true),
        start in 0i64..4 * 365 * 1440,
    ) {
        const WEEKS: i64 = 3 * 7 * 1440;
        let fields = [minute, hour, day, month, weekday];
        let line: Vec<&str> = fields.iter().map(|(text, _)| text.as_str()).collect();
        let line = line.join(" ");
        let begin = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().and_hms_opt(0, 0, 30).unwrap();
        let after = begin + TimeDelta::minutes(start);
        let found = match Schedule::cron(&line, None) {
            Ok(schedule) => schedule.next(after.and_utc(), chrono_tz::UTC).map(|at| at.naive_utc()),
            Err(why) => {
                prop_assert!(why.contains("never comes"), "{}: {}", line, why);
                None
            }
        };
        match by_hand(&fields, after, WEEKS) {
            Some(wanted) => prop_assert_eq!(found, Some(wanted), "{}", line),
            None => prop_assert!(found.is_none_or(|at| at > after + TimeDelta::minutes(WEEKS)), "{}: {:?}", line, found),
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "[-0-9a-z*/,#?L@ ü]{0,24}") {
        if let Ok(schedule) = Schedule::cron(&text, None) {
            prop_assert!(schedule.next("2027-01-01T00:00:00Z".parse().unwrap(), chrono_tz::UTC).is_some());
        }
    }
}
