//! Everything about one stay in one column, and what is ahead of all of them.

use stayhook::store::Ahead;
use stayhook::web::{Coming, tell};

use crate::clock::{booked, go_to, house, recipe, with};
use crate::support::{House, at};

const SOON: &str = "{stay: check_in, before: 2d, at: '10:00'}";

/// `time kind text | more | more` of everything about a stay.
async fn told(house: &House, code: &str) -> Vec<String> {
    let history = house.engine.store.history(house.stay("pms", code).await).await.unwrap();
    let told = tell(&history, &house.engine.setup().properties, house.clock.now());
    let line = |entry: &stayhook::web::Entry| {
        let text = [vec![entry.text.clone()], entry.more.clone()].concat().join(" | ");
        format!("{} {} {text}", told.local.whole(entry.at), entry.kind.word())
    };
    told.entries.iter().map(line).collect()
}

#[tokio::test]
async fn a_stay_from_the_first_delivery_to_what_is_ahead() {
    let house = house(&recipe("Door", SOON, ""))
        .recipe(&recipe("Clean", "{stay: check_out}", ""))
        .recipe(
            "name: Book\non: {event: reservation.confirmed}\nactions:\n  - http: {connection: cleaning, url: /book}\n",
        )
        .build()
        .await;
    let first = booked("A", "brannan", "2027-04-09", "2027-04-12", 1);
    go_to(&house, "2027-03-01T17:00:00Z").await;
    house.tell("pms", &first).await;
    go_to(&house, "2027-03-01T17:05:00Z").await;
    house.tell("pms", &first).await;
    go_to(&house, "2027-03-02T17:00:00Z").await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-10", "2027-04-13", 3))
        .await;
    // An older one makes no event, and is told all the same.
    go_to(&house, "2027-03-03T17:00:00Z").await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-11", "2027-04-14", 2))
        .await;
    go_to(&house, "2027-04-08T17:00:00Z").await;
    let all = told(&house, "A").await;
    assert_eq!(
        all,
        [
            "Mon 1 Mar 09:00 PST delivery processed: reservation.created, reservation.confirmed | came once more, Mon 1 Mar 09:05 PST",
            "Mon 1 Mar 09:00 PST event reservation.created, reservation.confirmed | confirmed, brannan, 9 Apr 16:00 → 12 Apr 11:00",
            "Mon 1 Mar 09:00 PST planned 2 runs | Door for Wed 7 Apr 10:00 PDT (2 days before check-in at 10:00) | Clean for Mon 12 Apr 11:00 PDT (at check-out)",
            "Mon 1 Mar 09:00 PST run Book: succeeded | attempt 1: done, 200 OK",
            "Tue 2 Mar 09:00 PST delivery processed: reservation.dates_changed",
            "Tue 2 Mar 09:00 PST event reservation.dates_changed | check_in: 9 Apr 16:00 → 10 Apr 16:00 | check_out: 12 Apr 11:00 → 13 Apr 11:00",
            "Tue 2 Mar 09:00 PST moved Clean from Mon 12 Apr 11:00 to Tue 13 Apr 11:00 PDT",
            "Tue 2 Mar 09:00 PST moved Door from Wed 7 Apr 10:00 to Thu 8 Apr 10:00 PDT",
            "Wed 3 Mar 09:00 PST delivery stale: older (1970-01-01T00:00:02+00:00) than what is known (1970-01-01T00:00:03+00:00): nothing in it is news",
            "Thu 8 Apr 10:00 PDT run Door (2 days before check-in at 10:00): succeeded | attempt 1: done, 200 OK",
            "Tue 13 Apr 11:00 PDT ahead Clean: at check-out, in 5d 1h",
        ]
    );
    go_to(&house, "2027-04-09T17:00:00Z").await;
    // Cancelled: what was ahead is called off, with the reason.
    house
        .tell("pms", &with("A", "brannan", "2027-04-10", "2027-04-13", "cancelled", 4))
        .await;
    let all = told(&house, "A").await;
    assert_eq!(
        all[10..],
        [
            "Fri 9 Apr 10:00 PDT delivery processed: reservation.cancelled, reservation.status_changed",
            "Fri 9 Apr 10:00 PDT event reservation.cancelled, reservation.status_changed | status: confirmed → cancelled",
            "Fri 9 Apr 10:00 PDT called_off Clean of Tue 13 Apr 11:00 PDT: the stay was cancelled",
        ]
    );
}

#[tokio::test]
async fn why_nothing_went_out_is_told() {
    let house = house(&recipe("Door", SOON, "match: {guests: '> 4'}"))
        .recipe(&recipe("Hello", "{stay: check_in, before: 200d}", ""))
        .build()
        .await;
    house
        .tell("pms", &booked("A", "brannan", "2027-04-09", "2027-04-12", 1))
        .await;
    go_to(&house, "2027-04-07T17:00:00Z").await;
    let all = told(&house, "A").await;
    let skipped = all.iter().find(|line| line.contains("Door (")).unwrap();
    assert!(
        skipped.starts_with("Wed 7 Apr 10:00 PDT run Door (2 days before check-in at 10:00): skipped, "),
        "{all:#?}"
    );
    assert!(!all.iter().any(|line| line.contains(" ahead ")), "{all:#?}");
}

#[tokio::test]
async fn what_is_ahead_of_all_stays_the_soonest_first() {
    let house = house(&recipe("Door", SOON, ""))
        .recipe(&recipe("Clean", "{stay: check_out}", ""))
        .recipe("name: Week\non: {schedule: {weekly: monday, at: '09:00', timezone: Europe/Lisbon}}\nactions:\n  - http: {connection: cleaning, url: /week}\n")
        .build()
        .await;
    // Another year in one zone than in the other would show.
    go_to(&house, "2027-01-02T00:00:00Z").await;
    for (code, property, from, to) in [
        ("A", "brannan", "2027-04-09", "2027-04-12"),
        ("B", "alfama", "2027-04-05", "2027-04-08"),
    ] {
        house.tell("pms", &booked(code, property, from, to, 1)).await;
    }
    let listed = async |ahead: Ahead| {
        let (rows, next) = house.engine.store.upcoming(&ahead).await.unwrap();
        let (properties, now) = (house.engine.setup().properties.clone(), house.clock.now());
        let line = |row: &stayhook::store::AheadRow| {
            let coming = Coming::of(row, &properties, now);
            let code = row.run.code.clone().unwrap_or_default();
            format!(
                "{} {} {code} {}",
                coming.local.whole(coming.at),
                row.run.recipe,
                coming.entry
            )
        };
        (rows.iter().map(line).collect::<Vec<_>>(), next)
    };
    let whole = [
        "Mon 4 Jan 09:00 WET Week  every Monday at 09:00",
        "Sat 3 Apr 10:00 WEST Door B 2 days before check-in at 10:00",
        "Wed 7 Apr 10:00 PDT Door A 2 days before check-in at 10:00",
        "Thu 8 Apr 11:00 WEST Clean B at check-out",
        "Mon 12 Apr 11:00 PDT Clean A at check-out",
    ];
    assert_eq!(
        listed(Ahead::default()).await,
        (whole.map(str::to_owned).to_vec(), None)
    );
    let mut after = None;
    for line in whole {
        let (one, next) = listed(Ahead {
            limit: Some(1),
            after,
            ..Ahead::default()
        })
        .await;
        assert_eq!(one, [line]);
        after = next;
    }
    assert_eq!(after, None);
    let some = |text: &str| Some(text.to_owned());
    for (ahead, wanted) in [
        (
            Ahead {
                recipe: some("Door"),
                ..Ahead::default()
            },
            vec![1, 2],
        ),
        (
            Ahead {
                code: some("A"),
                ..Ahead::default()
            },
            vec![2, 4],
        ),
        (
            Ahead {
                source: some("pms"),
                ..Ahead::default()
            },
            vec![1, 2, 3, 4],
        ),
        (
            Ahead {
                before: Some(at("2027-04-07T17:00:00Z")),
                ..Ahead::default()
            },
            vec![0, 1],
        ),
        (
            Ahead {
                recipe: some("Other"),
                ..Ahead::default()
            },
            vec![],
        ),
    ] {
        let wanted: Vec<&str> = wanted.into_iter().map(|n: usize| whole[n]).collect();
        assert_eq!(listed(ahead).await.0, wanted);
    }
    let next = |recipe: &'static str| house.engine.store.next_of(recipe);
    let (due, run) = next("Clean").await.unwrap().unwrap();
    assert_eq!((due, run.code.as_deref()), (at("2027-04-08T10:00:00Z"), Some("B")));
    assert!(next("Other").await.unwrap().is_none());
}
