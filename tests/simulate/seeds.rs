//! Seeds one by one and in crowds, and what is printed of one that fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use stayhook::model::clock::Clock;
use stayhook::outbound::{self, Outbound};

use crate::chance::{Chance, at};
use crate::driver::{Flaw, History, Sim, Summary};
use crate::house::{Ground, setup};
use crate::model::Order;

/// How many seeds `cargo test` tries.
const SEEDS: u64 = 150;
/// When a world begins: where clocks are put forward or back soon, somewhere, and on a plain day.
const BEGINS: [&str; 4] = [
    "2027-01-01T00:00:00Z",
    "2027-03-08T00:00:00Z",
    "2027-03-24T12:00:00Z",
    "2027-10-24T00:00:00Z",
];
/// How many threads do it.
const THREADS: usize = 2;

/// What a test bends, to prove that it is seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bent {
    pub flaw: Flaw,
    pub order: Order,
    /// Text before every code, so that a fault that is put in concerns this simulation only.
    pub mark: &'static str,
}

/// A seed that failed.
#[derive(Debug)]
pub struct Failure {
    pub seed: u64,
    pub broken: String,
    pub history: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}:", self.seed)?;
        for line in &self.history {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "broken: {}", self.broken)?;
        write!(
            f,
            "alone: STAYHOOK_SEED={} cargo test --test simulate one -- --nocapture\n\
             once it is understood it gets a name in tests/simulate/regressions.rs",
            self.seed
        )
    }
}

fn prepare() {
    // Only the process dies here, never the machine: what is committed need not reach the disk.
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        stayhook::model::fault::arm("no-sync");
        outbound::install_crypto();
        // `RUST_LOG=debug` shows what the daemon says; else nothing, for it says much when everything goes wrong.
        let quiet = tracing_subscriber::EnvFilter::builder()
            .with_default_directive(tracing_subscriber::filter::LevelFilter::OFF.into());
        let _ = tracing_subscriber::fmt()
            .with_env_filter(quiet.from_env_lossy())
            .with_test_writer()
            .try_init();
    });
}

/// What all seeds of a thread stand on.
pub fn ground() -> Ground {
    prepare();
    Ground {
        setup: Arc::new(setup()),
        clock: Clock::manual(at("2027-01-01T00:00:00Z")),
        outbound: Outbound::new().unwrap(),
    }
}

/// Plays one seed from the beginning to the end.
pub async fn play(ground: &Ground, seed: u64, bent: Bent) -> Result<(Summary, Vec<String>), Failure> {
    let history = History::default();
    let ground = Ground {
        clock: Clock::manual(at(Chance::of(!seed).one_of::<&str>(&BEGINS))),
        ..ground.clone()
    };
    let played = async {
        let mut sim = Sim::begin(ground, seed, bent.flaw, history.clone(), false).await;
        sim.seen.order = bent.order;
        let (stays, steps) = (sim.chance.place(4) + 2, sim.chance.range(60, 150));
        sim.book(bent.mark, 1, stays);
        let outcome = async {
            sim.walk(steps).await?;
            sim.rest().await
        };
        let outcome = outcome.await;
        let summary = sim.end().await;
        outcome.map(|()| summary)
    };
    let played = std::panic::AssertUnwindSafe(played).catch_unwind().await;
    let told = std::mem::take(&mut *history.lock().unwrap_or_else(PoisonError::into_inner));
    let broken = match played {
        Ok(Ok(summary)) => return Ok((summary, told)),
        Ok(Err(broken)) => broken,
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()))
                .unwrap_or_default()
        }
    };
    Err(Failure {
        seed,
        broken,
        history: told,
    })
}

/// A runtime of one thread: nothing happens but what the driver does.
pub fn alone<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

/// Plays seeds on two threads; all that happened, or the smallest history that failed.
pub fn crowd(from: u64, to: u64) -> Result<Summary, Failure> {
    let next = AtomicU64::new(from);
    let sum = Mutex::new(Summary::default());
    let failures: Mutex<Vec<Failure>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let ground = ground();
                alone(async {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= to || failures.lock().unwrap().len() > 4 {
                            return;
                        }
                        match play(&ground, seed, Bent::default()).await {
                            Ok((summary, _)) => sum.lock().unwrap().add(&summary),
                            Err(failure) => failures.lock().unwrap().push(failure),
                        }
                    }
                });
            });
        }
    });
    let shortest = failures
        .into_inner()
        .unwrap()
        .into_iter()
        .min_by_key(|failure| failure.history.len());
    shortest.map_or_else(|| Ok(sum.into_inner().unwrap()), Err)
}

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "which seeds a person wants is said there")]
pub fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn many() {
    let from = asked("STAYHOOK_FIRST_SEED").unwrap_or(0);
    let seeds = asked("STAYHOOK_SEEDS").unwrap_or(SEEDS);
    let sum = crowd(from, from + seeds).unwrap_or_else(|failure| panic!("{failure}"));
    println!("{sum:#?}");
    // A simulation in which nothing happens would hold every promise.
    assert!(
        sum.crashes > seeds && sum.duplicates > seeds && sum.effects > 0,
        "{sum:#?}"
    );
    for what in ["went", "passed over"] {
        assert!(sum.clock.get(what).is_some_and(|count| *count > 0), "{what}: {sum:#?}");
    }
    for state in ["succeeded", "dead", "parked", "cancelled"] {
        assert!(
            sum.runs.get(state).is_some_and(|count| *count > 0),
            "no run is {state}: {sum:#?}"
        );
    }
}

#[test]
fn one() {
    let asked = asked("STAYHOOK_SEED");
    match alone(play(&ground(), asked.unwrap_or(1), Bent::default())) {
        Ok((_, history)) if asked.is_some() => println!("{}", history.join("\n")),
        Ok(_) => {}
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in [3, 77] {
        let told = || {
            alone(play(&ground(), seed, Bent::default()))
                .unwrap_or_else(|failure| panic!("{failure}"))
                .1
        };
        assert_eq!(told(), told());
    }
}
