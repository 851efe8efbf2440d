//! The command line: one file per command.

mod anonymous;
pub mod check;
mod completions;
mod deliveries;
mod demo;
mod events;
mod healthcheck;
mod init;
mod later;
mod man;
mod map;
pub mod output;
mod plan;
pub mod preview;
mod print;
mod remote;
mod reservations;
mod runs;
pub mod schema;
mod select;
mod send;
mod serve;
pub mod test;
mod upcoming;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::lang::diag::{Report, Severity};
use crate::model::clock::Clock;
use crate::model::id::Ids;

pub use output::{FINDINGS, Output};

/// Everything is fine.
pub const FINE: u8 = 0;
/// Wrong usage.
pub const USAGE: u8 = 2;
/// Temporary: the store is locked or cannot be reached.
pub const TEMPORARY: u8 = 75;
/// The configuration cannot be used.
pub const CONFIGURATION: u8 = 78;

/// Keeps the outside world in step with a stay.
#[derive(Debug, Parser)]
#[command(name = "stayhook", version, about, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, clap::Args)]
pub struct Global {
    /// The configuration.
    #[arg(
        long,
        global = true,
        env = "STAYHOOK_CONFIG",
        default_value = "config.yaml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// How lists are printed.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon.
    Serve,
    /// Plays two stays through a daemon of its own, with stand-ins for every target; nothing to set up.
    Demo(demo::Args),
    /// Writes settings, a first recipe and a stay to try them with; never overwrites anything.
    Init(init::Args),
    /// Checks the configuration and the recipes.
    Check(check::Args),
    /// Shows what a recipe would do with a payload; touches nothing.
    Preview(preview::Args),
    /// Shows what stands where in a body, and drafts a mapping for it.
    Map(map::Args),
    /// Prints a JSON Schema, by which editors complete and check files.
    ///
    /// `stayhook schema config > config.schema.json`, and as the first line of config.yaml
    /// `# yaml-language-server: $schema=config.schema.json`.
    Schema(schema::Args),
    /// Signs a payload as its sender would and posts it to the running daemon.
    Send(send::Arguments),
    /// What came in.
    #[command(subcommand)]
    Deliveries(deliveries::Command),
    /// The stays as they are now.
    #[command(subcommand)]
    Reservations(reservations::Command),
    /// What changed.
    #[command(subcommand)]
    Events(events::Command),
    /// What went out, and what waits.
    #[command(subcommand)]
    Runs(runs::Command),
    /// Shows what the recipes on disk would change of what is planned; changes nothing unless it is told to.
    Plan(plan::Args),
    /// What will go out, the soonest first.
    Upcoming(upcoming::Args),
    /// Asks the running daemon whether it is alive and makes progress.
    Healthcheck,
    /// Prints what a shell needs to finish commands and options.
    Completions(completions::Args),
    /// Prints a page of the manual: `stayhook man | man -l -`
    Man(man::Args),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => match later::refusal(&error) {
            Some(refusal) => {
                eprintln!("{refusal}");
                return ExitCode::from(USAGE);
            }
            None => error.exit(),
        },
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stayhook cannot start: {error}");
            return ExitCode::from(TEMPORARY);
        }
    };
    let code = runtime.block_on(run(arguments));
    // A blocking name look-up that never ends must not hold up the end of the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    code
}

async fn run(arguments: Arguments) -> ExitCode {
    let global = arguments.global;
    let mut out = std::io::stdout();
    let done = match arguments.command {
        Command::Check(args) => {
            return check::run(
                &args,
                &global.config,
                global.output,
                &environment,
                &Clock::System,
                &mut out,
            )
            .await;
        }
        Command::Preview(args) => {
            return preview::run(
                &args,
                &global.config,
                global.output,
                &environment,
                &Clock::System,
                &mut out,
            );
        }
        Command::Map(args) => return map::run(&args, global.output, &mut out),
        Command::Init(args) => init::run(&args, &environment, Clock::System.now(), &Ids::random()),
        Command::Schema(args) => return schema::run(args, &mut out),
        Command::Serve => serve::run(&global).await,
        Command::Demo(args) => demo::run(&args, global.output, &mut out).await,
        Command::Send(arguments) => send::run(&global, &arguments).await,
        Command::Deliveries(command) => deliveries::run(&global, command).await,
        Command::Reservations(command) => reservations::run(&global, command).await,
        Command::Events(command) => events::run(&global, command).await,
        Command::Runs(command) => runs::run(&global, command).await,
        Command::Plan(args) => plan::run(&global, args).await,
        Command::Upcoming(args) => upcoming::run(&global, args).await,
        Command::Healthcheck => healthcheck::run(&global).await,
        Command::Completions(args) => completions::run(&args, &mut out),
        Command::Man(args) => man::run(&args, &mut out),
    };
    ExitCode::from(done.unwrap_or_else(|failure| {
        eprintln!("{}", failure.message);
        failure.code
    }))
}

/// Why a command ended early.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What to tell.
    pub message: String,
}

impl Failure {
    /// A failure with a code and words.
    pub fn new(code: u8, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
        }
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Failure {
        use crate::store::StoreError as E;
        let code = match error {
            E::Busy | E::Full | E::Gone(_) | E::Unavailable(_) | E::Overloaded | E::Locked | E::Conflict(_) => {
                TEMPORARY
            }
            E::Unusable(_) | E::Newer { .. } => CONFIGURATION,
            E::Broken(_) => FINDINGS,
        };
        Failure::new(code, format!("the store: {error}"))
    }
}

/// The process's environment; the only place that reads it.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where the environment is read"
)]
pub fn environment(name: &str) -> Option<String> {
    match std::env::var(name) {
        // What is not text is not absent: nothing takes U+FFFD for a value.
        Err(std::env::VarError::NotUnicode(value)) => Some(value.to_string_lossy().into_owned()),
        found => found.ok(),
    }
}

/// The configuration; mistakes end the command. Warnings are for `check` and `serve`.
pub fn configuration(global: &Global) -> Result<crate::config::Config, Failure> {
    let (config, report) = drafted(global);
    config
        .filter(|_| !report.has_mistakes())
        .ok_or_else(|| refused(&report))
}

/// The configuration as far as it can be read, and what there is to tell about it.
pub fn drafted(global: &Global) -> (Option<crate::config::Config>, Report) {
    let mut report = Report::new();
    let config = crate::config::load_draft(&global.config, &environment, &mut report);
    (config, report)
}

/// A configuration that cannot be used.
pub fn refused(report: &Report) -> Failure {
    Failure::new(CONFIGURATION, told(report).trim_end().to_owned())
}

/// What there is to tell as text, with the lines of the files.
pub fn told(report: &Report) -> String {
    report.render(crate::config::text_of)
}

/// Whether the only mistakes are variables that are set only where the daemon is started.
fn lacks_only_variables(report: &Report) -> bool {
    let mut mistakes = report.items.iter().filter(|item| item.severity == Severity::Mistake);
    mistakes.all(|item| item.code == "variable")
}

/// The configuration for looking at what is stored, as far as it can be read: a mistake that somebody has just made keeps
/// nobody from looking, as long as the database is there.
fn configuration_to_look(global: &Global) -> Result<crate::config::Config, Failure> {
    let (draft, report) = drafted(global);
    let config = draft.filter(|config| !config.database.is_empty() && !config.database.contains("${"));
    let config = config.ok_or_else(|| refused(&report))?;
    if !lacks_only_variables(&report) {
        there_is_a_database(&config).map_err(|_| refused(&report))?;
        let path = config.database.strip_prefix("sqlite://").unwrap_or_default();
        eprintln!("the configuration has mistakes, `stayhook check` says which; this is what is stored in {path}");
    }
    Ok(config)
}

/// The configuration for planning without acting: every word that plans depend on has to be right.
fn configuration_to_plan(global: &Global) -> Result<crate::config::Config, Failure> {
    let (draft, report) = drafted(global);
    draft
        .filter(|config| lacks_only_variables(&report) && !config.database.contains("${"))
        .ok_or_else(|| refused(&report))
}

/// The store to look at, also while a daemon works on it.
pub async fn store_to_read(global: &Global) -> Result<(crate::config::Config, crate::store::Store), Failure> {
    let config = configuration_to_look(global)?;
    there_is_a_database(&config)?;
    let store = crate::store::Store::open_to_read(&config.database).await?;
    Ok((config, store))
}

/// Refuses where no daemon has ever run: a command that looks or mends makes no database.
pub fn there_is_a_database(config: &crate::config::Config) -> Result<(), Failure> {
    let Some(path) = config.database.strip_prefix("sqlite://") else {
        return Ok(());
    };
    let why = match std::path::Path::new(path).try_exists() {
        Ok(true) => return Ok(()),
        Ok(false) => format!("there is no database {path} yet; `stayhook serve` makes it"),
        Err(error) => format!("the database {path} cannot be reached: {error}"),
    };
    Err(Failure::new(TEMPORARY, why))
}
