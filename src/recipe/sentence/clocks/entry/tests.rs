//! Entries in words.

use super::*;

#[test]
fn entries_are_said_as_recipes_say_them() {
    for (entry, said) in [
        ("check_in-2d@10:00#0", "2 days before check-in at 10:00"),
        ("check_in-36h#0", "36 hours before check-in"),
        ("check_in+0@10:00#0", "on the day of check-in at 10:00"),
        ("check_out+0#0", "at check-out"),
        ("created+45m#0", "45 minutes after booking"),
        (
            "check_in+0@11:00*7d#3",
            "every 7 days from check-in on at 11:00 (no. 3)",
        ),
        (
            "check_in+1d*24h#2",
            "every 24 hours from 1 day after check-in on (no. 2)",
        ),
        ("check_out-3d*1d#1", "every day from 3 days before check-out on (no. 1)"),
        (
            "status:awaiting_payment+24h#0",
            "when the status has been awaiting payment for 24 hours",
        ),
        (
            "status:on-hold,wait+list+1d#0",
            "when the status has been on-hold or wait+list for 1 day",
        ),
        (
            "schedule:0 9 * * 1 America/Los_Angeles#1775000000",
            "every Monday at 09:00",
        ),
        ("settle", "waits for further changes"),
        ("of another version", "of another version"),
        ("check_in~2d#0", "check_in~2d#0"),
    ] {
        assert_eq!(entry_words(&[entry.to_owned()]), said, "{entry}");
    }
    let two = ["check_in-2d@10:00#0", "check_out+0#0", "check_out+0#0"].map(str::to_owned);
    assert_eq!(entry_words(&two), "2 days before check-in at 10:00 and at check-out");
    let zone = |entry: &str| entry_zone(&[entry.to_owned()]).map(Tz::name);
    assert_eq!(
        zone("schedule:0 9 * * 1 Europe/Lisbon#1775000000"),
        Some("Europe/Lisbon")
    );
    assert_eq!(zone("check_in-2d@10:00#0"), None);
}
