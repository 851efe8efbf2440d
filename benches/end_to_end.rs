//! The whole program under load, beside two yardsticks of the same run. `docs/performance.md` says how to run it and what
//! the figures mean.
//!
//! Load and targets live in this process; what is measured is a child process each time, so that its processor time and
//! memory are its own. All bodies have 2 KB and codes of their own; every delivery causes one HTTP request.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement asks the machine for time, and ends where something is not as it should be"
)]

#[path = "end_to_end/body.rs"]
mod body;
#[path = "end_to_end/clock.rs"]
mod clock;
#[path = "end_to_end/load.rs"]
mod load;
#[path = "end_to_end/message.rs"]
mod message;
#[path = "end_to_end/program.rs"]
mod program;
#[path = "end_to_end/report.rs"]
mod report;
#[path = "end_to_end/round.rs"]
mod round;
#[path = "end_to_end/strangers.rs"]
mod strangers;
#[path = "end_to_end/target.rs"]
mod target;
#[path = "end_to_end/yardstick.rs"]
mod yardstick;

use clap::Parser;

/// The same as the daemon's, so that the yardsticks differ from it in what they do and in nothing else.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What to measure.
#[derive(Parser, Debug)]
struct Args {
    /// How many rounds; medians are over them.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How many deliveries each program gets in a round.
    #[arg(long, default_value_t = 20_000)]
    deliveries: usize,
    /// How many connections send at the same time.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How many runs the dead target holds.
    #[arg(long, default_value_t = 10_000)]
    held: usize,
    /// How many deliveries of the quiet part, at 200 a second.
    #[arg(long, default_value_t = 1_000)]
    quiet: usize,
    /// How many deliveries of the memory part, and runs in the store of the start part.
    #[arg(long, default_value_t = 100_000)]
    many: usize,
    /// Only these parts: parse, insert, paused, running, quiet, dead, one-stay, strangers, idle,
    /// memory, scheduled, replan. All where none is named.
    #[arg(long = "only")]
    only: Vec<String>,
    /// The process that is measured against: set by the benchmark itself.
    #[arg(long, hide = true)]
    yardstick: Option<String>,
    /// Where it may write.
    #[arg(long, hide = true)]
    folder: Option<std::path::PathBuf>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

fn main() {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    match &args.yardstick {
        Some(kind) => runtime.block_on(yardstick::serve(kind, args.folder.as_deref())),
        None => runtime.block_on(round::all(&args)),
    }
}
