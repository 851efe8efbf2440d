//! `plan`: the recipes on disk against what is planned, and what was passed over because it was too late.

mod backfill;
mod compare;

use serde_json::{Value, json};

use crate::app;
use crate::engine::Setup;
use crate::lang::diag::{Report, Severity};
use crate::model::clock::Clock;
use crate::store::{AheadRow, Store};
use crate::web::Coming;

use self::compare::{Differences, What};
use super::print::sayln;
use super::{FINDINGS, FINE, Failure, Global, Output, print};

/// How many of a sort are shown without `--all`.
const SHOWN: usize = 20;
/// How many runs that were passed over are shown with it.
const PASSED_MAX: usize = 10_000;

/// `stayhook plan`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this recipe.
    #[arg(long)]
    recipe: Option<String>,
    /// Runs what was passed over because its time had passed when it was planned.
    #[arg(long)]
    backfill: bool,
    /// With --backfill: do not ask.
    #[arg(long, requires = "backfill")]
    yes: bool,
    /// Ends with 1 where the recipes on disk would change what is planned.
    #[arg(long, conflicts_with = "backfill")]
    check: bool,
    /// Shows all of them, not the first 20 of each sort.
    #[arg(long)]
    all: bool,
}

pub async fn run(global: &Global, args: Args) -> Result<u8, Failure> {
    let config = super::configuration_to_plan(global)?;
    super::there_is_a_database(&config)?;
    let store = Store::open_to_read(&config.database).await?;
    let mut report = Report::new();
    let setup = app::load(&config, Some(&store), None, &mut report).await;
    let (setup, _) = setup.map_err(|error| Failure::new(FINDINGS, error.to_string()))?;
    there_is_a_recipe(&setup, &store, args.recipe.as_deref()).await?;
    let shown = if args.all { usize::MAX } else { SHOWN };
    let now = Clock::System.now();
    let differences = compare::compare(&store, &setup, args.recipe.as_deref(), shown, now).await?;
    let most = if args.all { PASSED_MAX } else { SHOWN };
    let passed = store.passed_over(args.recipe.as_deref(), most).await?;
    let passed = Passed {
        rows: passed.0,
        more: passed.1,
    };
    if args.backfill {
        store.close().await;
        return backfill::run(global, &args, &differences, &passed).await;
    }
    let coming: Vec<Coming<'_>> = passed
        .rows
        .iter()
        .map(|row| Coming::of(row, &config.properties, now))
        .collect();
    match global.output {
        Output::Json => print::print_json(&json!({
            "differs": differences.any(),
            "recipes": differences.json(),
            "passed_over": passed.all(),
            "items": coming.iter().map(Coming::json).collect::<Vec<Value>>(),
            "broken": broken(&setup),
        })),
        Output::Table => {
            tell_broken(&setup, report);
            tell(&differences);
            tell_passed(&passed, &coming);
        }
    }
    Ok(if args.check && differences.any() {
        FINDINGS
    } else {
        FINE
    })
}

/// Runs that were passed over because their time had passed when they were planned.
struct Passed {
    /// The first of them.
    rows: Vec<AheadRow>,
    /// How many there are beside those.
    more: u64,
}

impl Passed {
    fn all(&self) -> u64 {
        self.rows.len() as u64 + self.more
    }
}

/// Refuses the name of a recipe that no file has and that has nothing planned.
async fn there_is_a_recipe(setup: &Setup, store: &Store, name: Option<&str>) -> Result<(), Failure> {
    let Some(name) = name else { return Ok(()) };
    if store.next_of(name).await?.is_some() || store.passed_over(Some(name), 1).await?.0.len() == 1 {
        return Ok(());
    }
    print::known_recipe(&setup.book, name)
}

/// Whether the last good revision of a recipe with a mistake counts.
fn runs_on(setup: &Setup, name: Option<&String>) -> bool {
    name.is_some_and(|name| setup.book.all().iter().any(|recipe| recipe.name == *name))
}

fn broken(setup: &Setup) -> Vec<Value> {
    let one = |broken: &crate::recipe::Broken| {
        json!({
            "file": broken.file,
            "name": broken.name,
            "because": broken.because,
            "last_good_revision_counts": runs_on(setup, broken.name.as_ref()),
        })
    };
    setup.book.broken().iter().map(one).collect()
}

fn tell_broken(setup: &Setup, mut report: Report) {
    if setup.book.broken().is_empty() {
        return;
    }
    report.items.retain(|item| item.severity == Severity::Mistake);
    eprintln!("{}", print::harmless(super::told(&report).trim_end()));
    for broken in setup.book.broken() {
        let counts = match runs_on(setup, broken.name.as_ref()) {
            true => "its last good revision counts",
            false => "there is no good revision of it, and it plans nothing",
        };
        eprintln!("{}: {counts}", print::harmless(&broken.file));
    }
    eprintln!();
}

fn tell(differences: &Differences) {
    for (name, recipe) in differences.recipes() {
        let counts: Vec<String> = What::ALL
            .into_iter()
            .filter(|what| recipe.count(*what) > 0)
            .map(|what| format!("{} {}", recipe.count(what), what.words()))
            .collect();
        match counts.is_empty() {
            true => sayln!("{name}: as planned"),
            false => sayln!("{name}: {}", counts.join(", ")),
        }
        let reasons = recipe.reasons();
        if let [reason] = reasons[..] {
            sayln!("removed because {reason}");
        }
        let rows = recipe.shown().map(|one| one.cells(reasons.len() > 1));
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            print::table(&["", "when", "code", "property", "what"], rows);
        }
        for what in What::ALL {
            let left = recipe.count(what).saturating_sub(recipe.shown_of(what));
            if left > 0 {
                sayln!("and {left} more {} (--all)", what.words());
            }
        }
        if !counts.is_empty() {
            sayln!("");
        }
    }
    match differences.any() {
        true => sayln!(
            "nothing is written: a running daemon takes recipes over a second or two after they are saved, else the next start does"
        ),
        false => sayln!("what is planned is what the recipes say"),
    }
}

fn tell_passed(passed: &Passed, coming: &[Coming<'_>]) {
    if passed.rows.is_empty() {
        return;
    }
    sayln!(
        "\n{} passed over, too late when planned; `stayhook plan --backfill` runs {} all the same",
        print::count(passed.all(), "run"),
        if passed.all() == 1 { "it" } else { "them" }
    );
    let row = |(coming, row): (&Coming<'_>, &AheadRow)| {
        vec![
            coming.local.whole(coming.at),
            row.run.recipe.clone(),
            row.run.code.clone().unwrap_or_default(),
            coming.property.clone().unwrap_or_default(),
            coming.entry.clone(),
        ]
    };
    let rows = coming.iter().zip(&passed.rows).map(row).collect();
    print::table(&["when", "recipe", "code", "property", "what"], rows);
    if passed.more > 0 {
        sayln!("and {} more (--all)", passed.more);
    }
}
