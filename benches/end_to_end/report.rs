//! Medians, and the ratios that count.

use std::collections::BTreeMap;

/// Every figure of every round.
#[derive(Default)]
pub struct Report {
    figures: BTreeMap<(String, String), Vec<f64>>,
    order: Vec<(String, String)>,
}

/// A ratio: its name, the figure above, the figure below, the bound to reach and whether it is a least or a most.
type Ratio = (
    &'static str,
    (&'static str, &'static str),
    (&'static str, &'static str),
    Bound,
);

enum Bound {
    Least(f64),
    Most(f64),
}

/// What is to be reached, beside the yardsticks of the same run.
const RATIOS: &[Ratio] = &[
    (
        "acknowledged/s, inbox paused ÷ insert",
        ("paused", "acknowledged/s"),
        ("insert", "acknowledged/s"),
        Bound::Least(0.6),
    ),
    (
        "acknowledged/s, everything running ÷ insert",
        ("running", "acknowledged/s"),
        ("insert", "acknowledged/s"),
        Bound::Least(0.6),
    ),
    (
        "effects/s ÷ insert",
        ("running", "effects/s"),
        ("insert", "acknowledged/s"),
        Bound::Least(0.2),
    ),
    (
        "CPU per delivery with one effect ÷ CPU per insert",
        ("running", "CPU-s per 1,000"),
        ("insert", "CPU-s per 1,000"),
        Bound::Most(6.0),
    ),
    (
        "ack p99, inbox paused ÷ insert",
        ("paused", "ack p99 ms"),
        ("insert", "ack p99 ms"),
        Bound::Most(3.0),
    ),
    (
        "ack p99, everything running ÷ insert",
        ("running", "ack p99 ms"),
        ("insert", "ack p99 ms"),
        Bound::Most(3.0),
    ),
    (
        "ack p99, a dead target holds runs ÷ nothing held",
        ("dead target", "ack p99 ms"),
        ("nothing held", "ack p99 ms"),
        Bound::Most(1.5),
    ),
    (
        "a stay told 2,000 times ÷ one told 500 times, each delivery",
        ("one stay, told 2,000 times", "decided in ms each"),
        ("one stay, told 500 times", "decided in ms each"),
        Bound::Most(1.3),
    ),
    (
        "ack p99, 10,000 stays planned anew ÷ no change",
        ("re-planning", "ack p99 ms"),
        ("no change", "ack p99 ms"),
        Bound::Most(2.0),
    ),
    (
        "ack p50, 8 strangers without the token ÷ none",
        ("8 strangers without the token", "ack p50 ms"),
        ("no strangers", "ack p50 ms"),
        Bound::Most(1.5),
    ),
    (
        "ack p50, 8 strangers without the signature ÷ none",
        ("8 strangers without the signature", "ack p50 ms"),
        ("no strangers", "ack p50 ms"),
        Bound::Most(1.5),
    ),
    (
        "ack p50, 8 strangers to an open source ÷ none",
        ("8 strangers to an open source", "ack p50 ms"),
        ("no strangers", "ack p50 ms"),
        Bound::Most(1.5),
    ),
    (
        "ack p50, 8 strangers elsewhere ÷ none",
        ("8 strangers elsewhere", "ack p50 ms"),
        ("no strangers", "ack p50 ms"),
        Bound::Most(1.5),
    ),
    (
        "end to end p50 at 200/s ÷ ack p50",
        ("quiet", "end to end p50 ms"),
        ("quiet", "ack p50 ms"),
        Bound::Most(5.0),
    ),
];

/// What is to be reached by itself.
const BOUNDS: &[(&str, &str, f64)] = &[
    ("1,500 idle connections", "slowest probe ms", 1000.0),
    ("memory", "idle MB", 30.0),
    ("memory", "peak MB", 100.0),
    ("start", "ready after ms", 250.0),
    ("scheduled", "ready after ms", 250.0),
    ("scheduled", "idle % of a core", 0.5),
    ("scheduled", "idle MB", 60.0),
    ("due", "due to sent p99 ms", 1000.0),
    ("re-planning", "from file to plan s", 10.0),
];

impl Report {
    /// Notes a figure of a round.
    pub fn add(&mut self, who: &str, what: &str, figure: f64) {
        let key = (who.to_owned(), what.to_owned());
        eprintln!("  {who:14} {what:20} {figure:10.3}");
        let all = self.figures.entry(key.clone()).or_default();
        if all.is_empty() {
            self.order.push(key);
        }
        all.push(figure);
    }

    /// Everything, as tables of Markdown.
    pub fn print(&self) {
        println!("\n| program | figure | median | least | most | rounds |\n| --- | --- | --: | --: | --: | --: |");
        for key in &self.order {
            let all = &self.figures[key];
            let (least, most) = all
                .iter()
                .fold((f64::MAX, f64::MIN), |(a, b), n| (a.min(*n), b.max(*n)));
            let (who, what) = key;
            println!(
                "| {who} | {what} | {} | {} | {} | {} |",
                round(median(all)),
                round(least),
                round(most),
                all.len()
            );
        }
        println!(
            "\n| ratio, round by round | median | least | most | reach | |\n| --- | --: | --: | --: | --: | --- |"
        );
        for (name, above, below, bound) in RATIOS {
            let all = |(who, what): &(&str, &str)| self.figures.get(&((*who).to_owned(), (*what).to_owned()));
            let (Some(above), Some(below)) = (all(above), all(below)) else {
                continue;
            };
            let ratios: Vec<f64> = above.iter().zip(below).map(|(a, b)| a / b).collect();
            let (least, most) = ratios
                .iter()
                .fold((f64::MAX, f64::MIN), |(a, b), n| (a.min(*n), b.max(*n)));
            let middle = median(&ratios);
            let (reach, fine) = match bound {
                Bound::Least(least) => (format!("≥ {least}"), middle >= *least),
                Bound::Most(most) => (format!("≤ {most}"), middle <= *most),
            };
            println!(
                "| {name} | {middle:.2} | {least:.2} | {most:.2} | {reach} | {} |",
                said(fine)
            );
        }
        println!("\n| figure | median | reach | |\n| --- | --: | --: | --- |");
        for (who, what, most) in BOUNDS {
            if let Some(all) = self.figures.get(&((*who).to_owned(), (*what).to_owned())) {
                let middle = median(all);
                println!(
                    "| {who}: {what} | {} | ≤ {most} | {} |",
                    round(middle),
                    said(middle <= *most)
                );
            }
        }
    }
}

fn said(fine: bool) -> &'static str {
    if fine { "reached" } else { "**not reached**" }
}

fn round(figure: f64) -> String {
    match figure.abs() {
        n if n >= 1000.0 => format!("{figure:.0}"),
        n if n >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.3}"),
    }
}

fn median(all: &[f64]) -> f64 {
    let mut sorted = all.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}
