//! Rounds of one target: what is in the corpus, then inputs made from it, as many or for as long as is asked. What fails is
//! made smaller, written to `fuzz/found/` and told with its place.

#![allow(
    clippy::disallowed_methods,
    reason = "how long and from which seed is said by who starts it, and a reader that hangs is a finding"
)]

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::changes::{self, Change};
use crate::seeds;

/// No input may take longer, also where nothing is optimised.
const SLOW: Duration = Duration::from_secs(2);
/// So many steps are tried to make a finding smaller, and for so long.
const SMALLER_STEPS: usize = 2_000;
const SMALLER_FOR: Duration = Duration::from_secs(20);
/// After so many different findings a round ends.
const FINDINGS_MAX: usize = 8;
/// The seed where none is given.
const SEED: u64 = 0x5747_a98c;

/// What has to hold for an input.
pub type Check = Box<dyn Fn(&[u8])>;

/// One reader and what has to hold for it.
pub struct Target {
    /// Its name, which is that of its corpus too.
    pub name: &'static str,
    /// What inputs are made from, beside the corpus.
    pub seeds: Vec<Vec<u8>>,
    /// What is put into inputs, beside what is put into all.
    pub tokens: &'static [&'static str],
    /// Inputs that are made without a seed.
    pub made: BoxedStrategy<Vec<u8>>,
    /// How many inputs an ordinary test run tries.
    pub cases: u64,
    /// Panics where something does not hold.
    pub check: Check,
}

/// How long, and from where.
struct Asked {
    seconds: Option<u64>,
    seed: u64,
}

impl Asked {
    fn of_environment() -> Asked {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(
                text.parse()
                    .unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")),
            )
        };
        Asked {
            seconds: number("STAYHOOK_FUZZ_SECONDS"),
            seed: number("STAYHOOK_FUZZ_SEED").unwrap_or(SEED),
        }
    }
}

fn found() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/found")
}

/// Tries everything; panics where anything was found.
pub fn run(target: Target) {
    let asked = Asked::of_environment();
    let corpus = seeds::corpus(target.name);
    assert!(!corpus.is_empty(), "there is no corpus for {}", target.name);
    for (path, input) in &corpus {
        if let Err(why) = tried(&target, input) {
            panic!("{}: {why}", path.display());
        }
    }
    let mut all: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    all.extend(target.seeds.iter().cloned());
    for seed in &all {
        if let Err(why) = tried(&target, seed) {
            let path = kept(target.name, seed);
            panic!("{why}\n  as it is, it is in {}", path.display());
        }
    }
    let inputs = changes::inputs(all, target.tokens, target.made.clone());
    let began = Instant::now();
    let until = asked.seconds.map(|seconds| began + Duration::from_secs(seconds));
    let now = until.map(|_| Now::new(target.name));
    let mut findings: BTreeMap<String, String> = BTreeMap::new();
    let mut case = 0;
    while until.map_or(case < target.cases, |until| Instant::now() < until) && findings.len() < FINDINGS_MAX {
        let mut runner = runner(asked.seed, case);
        let mut tree = inputs.new_tree(&mut runner).expect("every strategy gives a value");
        let input = tree.current();
        if let Some(now) = &now {
            now.note(&input);
        }
        if let Err(why) = tried(&target, &input)
            && !findings.contains_key(&kind(&why))
        {
            let smallest = smaller(&target, &mut *tree, input, &kind(&why));
            let path = kept(target.name, &smallest);
            let told = format!(
                "{why}\n  seed {}, case {case}, {} bytes: {}",
                asked.seed,
                smallest.len(),
                path.display()
            );
            println!("{}: found {told}", target.name);
            findings.insert(kind(&why), told);
        }
        case += 1;
    }
    if let Some(now) = now {
        now.over();
        let took = began.elapsed();
        let rate = f64::from(u32::try_from(case).unwrap_or(u32::MAX)) / took.as_secs_f64();
        println!(
            "{}: {case} cases in {:.0} s, {rate:.0} cases/s, seed {}, {} findings",
            target.name,
            took.as_secs_f64(),
            asked.seed,
            findings.len()
        );
    }
    let told: Vec<String> = findings.into_values().collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// Every case has a beginning of its own, so that it is the same however many came before.
fn runner(seed: u64, case: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&case.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Why it does not hold, where it does not.
fn tried(target: &Target, input: &[u8]) -> Result<(), String> {
    let once = || {
        let began = spent();
        catch_unwind(AssertUnwindSafe(|| (target.check)(input))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "a panic without words".to_owned())
        })?;
        Ok::<Duration, String>(spent().saturating_sub(began))
    };
    // A machine that was busy with something else is not slow twice.
    if once()? > SLOW && once()? > SLOW {
        return Err(format!("takes longer than {SLOW:?}"));
    }
    Ok(())
}

/// How long this thread has worked, as Linux counts it: a machine that is busy makes nothing slower. Elsewhere the time of day.
fn spent() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let counted = counted.and_then(|text| text.split_whitespace().next()?.parse().ok());
    counted.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}

/// What findings of one kind have in common: the beginning of what is said, without what differs from input to input.
fn kind(why: &str) -> String {
    let line = why.lines().next().unwrap_or_default();
    line.chars().filter(|c| !c.is_ascii_digit()).take(40).collect()
}

fn smaller(
    target: &Target,
    tree: &mut dyn proptest::strategy::ValueTree<Value = Vec<u8>>,
    first: Vec<u8>,
    of: &str,
) -> Vec<u8> {
    let until = Instant::now() + SMALLER_FOR;
    let mut smallest = first;
    let fails = |input: &[u8]| tried(target, input).is_err_and(|why| kind(&why) == of);
    let mut going = tree.simplify();
    for _ in 0..SMALLER_STEPS {
        if !going || Instant::now() > until {
            break;
        }
        let input = tree.current();
        going = if fails(&input) {
            smallest = input;
            tree.simplify()
        } else {
            tree.complicate()
        };
    }
    // Then without one part after the other.
    let mut size = smallest.len() / 2;
    while size > 0 && Instant::now() < until {
        let mut at = 0;
        while at < smallest.len() && Instant::now() < until {
            let mut input = smallest.clone();
            input.drain(at..(at + size).min(smallest.len()));
            if fails(&input) {
                smallest = input;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    smallest
}

fn kept(name: &str, input: &[u8]) -> PathBuf {
    use sha2::Digest as _;
    let digest = hex::encode(&sha2::Sha256::digest(input)[..6]);
    let path = found().join(format!("{name}-{digest}"));
    std::fs::create_dir_all(found()).unwrap();
    std::fs::write(&path, input).unwrap();
    path
}

/// The input that is being tried, in a file: where a reader hangs or runs out of stack, nobody is left to tell of it.
struct Now {
    file: std::fs::File,
    path: PathBuf,
}

impl Now {
    fn new(name: &str) -> Now {
        std::fs::create_dir_all(found()).unwrap();
        let path = found().join(format!("{name}.now"));
        Now {
            file: std::fs::File::create(&path).unwrap(),
            path,
        }
    }

    fn note(&self, input: &[u8]) {
        self.file.write_all_at(input, 0).unwrap();
        self.file.set_len(input.len() as u64).unwrap();
    }

    fn over(self) {
        std::fs::remove_file(self.path).unwrap();
    }
}

#[test]
fn an_input_that_fails_is_made_smaller_and_a_panic_is_caught() {
    let target = Target {
        name: "body_decoding",
        seeds: Vec::new(),
        tokens: &[],
        made: changes::nothing(),
        cases: 0,
        check: Box::new(|input| assert!(!input.contains(&b'!'), "an exclamation of {} bytes", input.len())),
    };
    assert_eq!(tried(&target, b"quiet"), Ok(()));
    let why = tried(&target, b"lo!ud").unwrap_err();
    assert_eq!(kind(&why), "an exclamation of  bytes");
    let made = changes::changed(b"nothing of", &[Change::put(5, b"a!b")], &[], &[]);
    let strategy = proptest::strategy::Just(made.clone());
    let mut tree = strategy.new_tree(&mut runner(1, 1)).unwrap();
    assert_eq!(smaller(&target, &mut tree, made, &kind(&why)), b"!");
}
