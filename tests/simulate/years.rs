//! Years of a small business: a booking every few days, from one due time to the next, on one file that grows. Targets
//! have bad days, the daemon dies now and then. Seasons follow one another: at the end of each everything comes to rest and
//! is counted, which plays what is planned to its end, so that a year has some months without bookings.

use chrono::{Months, TimeDelta};
use stayhook::model::clock::{Clock, Time};

use crate::chance::at;
use crate::checks::Broken;
use crate::driver::{Flaw, History, Sim, Summary};
use crate::house::{Died, Ground, TARGETS};
use crate::seeds::{alone, asked, ground};

/// For how many months of a season stays are booked.
const SEASON: u32 = 2;
/// How many stays are booked in one: what is looked at after each step is all of a season, which sets the price.
const STAYS: usize = 12;
/// Without a word from outside only the beginning of a year is played, to see that it still can be.
const STAYS_IN_SHORT: usize = 8;

/// Everything that is due is worked on, however often the process dies over it.
async fn work(sim: &mut Sim) -> Result<(), Broken> {
    loop {
        if round(sim).await? == Ok(false) {
            return Ok(());
        }
    }
}

/// Once through all steps; whether more may follow at once.
async fn round(sim: &mut Sim) -> Result<Result<bool, Died>, Broken> {
    let mut more = false;
    for step in ["rescue", "timers", "decide", "claim", "send", "record"] {
        let done = match step {
            "rescue" => sim.rescue().await?,
            "timers" => sim.timers().await?,
            "decide" => sim.decide().await?,
            "claim" => sim.claim().await?,
            "send" => {
                while sim.send_one()? {
                    more = true;
                }
                Ok(())
            }
            _ => sim.record().await?,
        };
        sim.summary.steps += 1;
        if done == Err(Died) {
            sim.reopen("it died there").await?;
            return Ok(Err(Died));
        }
    }
    Ok(Ok(more))
}

/// What a day may bring beside the bookings.
fn luck(sim: &mut Sim) -> bool {
    match sim.chance.range(1, 100) {
        1..=8 => {
            let connection = *sim.chance.one_of(&TARGETS);
            sim.targets.change(connection, &mut sim.chance);
        }
        9..=30 => sim.targets.all_well(),
        31..=33 => sim.light(),
        34 => return true,
        _ => {}
    }
    false
}

/// Until then, from one due time to the next.
async fn until(sim: &mut Sim, then: Time) -> Result<(), Broken> {
    while sim.now() < then {
        if luck(sim) {
            sim.reopen("kill -9").await?;
        }
        let due = sim.next_due().map_or(then, |due| due.min(then));
        sim.ground.clock.set(due);
        work(sim).await?;
    }
    Ok(())
}

async fn season(sim: &mut Sim, number: usize, stays: usize) -> Result<(), Broken> {
    // What ended the season before is not of this one.
    let began = sim.now() + TimeDelta::seconds(1);
    sim.ground.clock.set(began);
    let ends = began + Months::new(SEASON);
    sim.begin_year(began);
    for n in 0..stays {
        let left = i64::try_from(stays - n).unwrap();
        let pause = ((ends - sim.now()) / i32::try_from(left).unwrap())
            .num_milliseconds()
            .max(2);
        let next = sim.now() + TimeDelta::milliseconds(sim.chance.ms(0, pause));
        until(sim, next).await?;
        sim.book("", number * STAYS + n, 1);
        while let Some(message) = sim.post.first().copied() {
            let often = sim.chance.weighted(&[(8, 1), (2, 2), (1, 3)]);
            for _ in 0..often {
                while sim.deliver_this(message).await? == Err(Died) {
                    sim.reopen("it died there").await?;
                }
            }
            work(sim).await?;
            let pause = sim.chance.ms(1000, 36 * 3_600_000);
            let next = sim.now() + TimeDelta::milliseconds(pause);
            until(sim, next).await?;
        }
    }
    sim.rest().await?;
    sim.ground.clock.set(ends.max(sim.now()));
    Ok(())
}

async fn simulated(ground: Ground, years: usize, stays: usize, history: History) -> Result<Summary, Broken> {
    let seed = asked("STAYHOOK_SEED").unwrap_or(1);
    let mut sim = Sim::begin(ground, seed, Flaw::None, history.clone(), true).await;
    let mut all = Summary::default();
    let ends = sim.now() + Months::new(12 * u32::try_from(years).unwrap());
    let mut number = 0;
    while sim.now() < ends && (years > 1 || number == 0) {
        season(&mut sim, number, stays).await?;
        number += 1;
        let sum = sim.end_year();
        if years > 1 {
            println!("season {number}, until {}: {sum:?}", sim.now().date_naive());
        }
        all.add(&sum);
        history.lock().unwrap().clear();
    }
    println!("{} KiB on the disk", sim.bytes() / 1024);
    sim.end().await;
    Ok(all)
}

#[test]
fn years() {
    let asked = asked("STAYHOOK_SIMULATE_YEARS");
    let years = usize::try_from(asked.unwrap_or(1)).unwrap();
    let stays = if asked.is_some() { STAYS } else { STAYS_IN_SHORT };
    let ground = Ground {
        clock: Clock::manual(at("2027-01-01T00:00:00Z")),
        ..ground()
    };
    let history = History::default();
    match alone(simulated(ground, years, stays, history.clone())) {
        Ok(sum) => {
            println!("{sum:#?}");
            assert!(sum.effects > stays && sum.deliveries > sum.duplicates, "{sum:#?}");
        }
        Err(broken) => panic!(
            "the year so far:\n{}\nbroken: {broken}",
            history.lock().unwrap().join("\n")
        ),
    }
}
