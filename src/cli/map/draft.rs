//! Guesses as a first mapping, in YAML that `check` accepts.

use std::fmt::Write as _;

use super::guess::{Guess, Guessed, How, Sort};
use super::tree::{Step, path};

/// Spaces in front of every line: the draft stands below a source.
const INDENT: usize = 4;
/// The column at which comments begin, where the line is not longer.
const COMMENT: usize = 60;

/// A draft for bodies of one sender, one entry for every sort of them.
pub fn draft(all: &[Guessed]) -> String {
    let mut lines = Lines::default();
    let nameable: Vec<&Guessed> = all
        .iter()
        .filter(|one| one.sort != Sort::Nothing && !one.names.is_empty())
        .collect();
    for one in all {
        if one.sort != Sort::Nothing && one.names.is_empty() {
            lines.remark(
                0,
                &format!(
                    "a {} without {}: nothing says whose it is",
                    one.sort.word(),
                    "a code or id of a stay"
                ),
            );
        }
    }
    ignored(&mut lines, all);
    if nameable.is_empty() {
        lines.put(
            0,
            "learn: true",
            Some("nothing to map yet: what comes is stored and shown"),
        );
        return lines.0;
    }
    receipt_key(&mut lines, &nameable);
    lines.put(0, "map:", None);
    for one in &nameable {
        // Beside the type of the delivery other sorts will come, so every mapping says for which it is.
        let listed = one.event.is_some();
        mapping(&mut lines, one, listed || nameable.len() > 1);
    }
    lines.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn put(&mut self, depth: usize, text: &str, comment: Option<&str>) {
        let line = format!("{}{text}", " ".repeat(INDENT + 2 * depth));
        // Writing into a String cannot fail.
        let _ = match comment {
            Some(comment) => writeln!(self.0, "{line:<COMMENT$}  # {}", one_line(comment)),
            None => writeln!(self.0, "{line}"),
        };
    }

    fn remark(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.0, "{}# {}", " ".repeat(INDENT + 2 * depth), one_line(text));
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn ignored(lines: &mut Lines, all: &[Guessed]) {
    let nothing = all
        .iter()
        .filter(|one| one.sort == Sort::Nothing || one.names.is_empty());
    let rules: Vec<String> = nothing
        .filter_map(|one| {
            let event = one.event.as_ref()?;
            let words: Vec<String> = event.words.iter().map(|word| scalar(word)).collect();
            let at = quoted(&path("$", &event.steps));
            let whole = event.steps.iter().all(|step| *step != Step::Every) && !words.is_empty();
            whole.then(|| format!("- {{{at}: [{}], because: no stay in it}}", words.join(", ")))
        })
        .collect();
    if !rules.is_empty() {
        lines.put(0, "ignore:", None);
        for rule in rules {
            lines.put(1, &rule, Some("a guess"));
        }
    }
}

fn receipt_key(lines: &mut Lines, all: &[&Guessed]) {
    let mut entries: Vec<(String, Option<&str>)> = Vec::new();
    let id = all.iter().find_map(|one| one.event_id.as_ref());
    if let Some(steps) = id {
        let note = "a guess: it has to be another one in every delivery";
        entries.push((quoted(&path("$", steps)), Some(note)));
    }
    let mut without: Vec<String> = Vec::new();
    for steps in all.iter().flat_map(|one| &one.sent) {
        let at = quoted(&path("$", steps));
        if !without.contains(&at) {
            without.push(at);
        }
    }
    let hash = match without.is_empty() {
        true => "{hash: body}".to_owned(),
        false => format!("{{hash: body, without: [{}]}}", without.join(", ")),
    };
    let version = all
        .iter()
        .find_map(|one| one.version.first().filter(|steps| !steps.contains(&Step::Every)));
    match version {
        Some(steps) => entries.push((format!("[{}, {hash}]", quoted(&path("$", steps))), None)),
        None if id.is_none() => {
            entries.push((
                hash.clone(),
                Some("nothing here tells two deliveries apart, only what they say"),
            ));
        }
        None => {}
    }
    if entries.last().is_none_or(|(entry, _)| *entry != hash) {
        entries.push((hash, None));
    }
    lines.put(0, "receipt_key:", None);
    for (entry, note) in entries {
        lines.put(1, &format!("- {entry}"), note);
    }
}

/// One mapping; `listed` as an entry of a list.
fn mapping(lines: &mut Lines, one: &Guessed, listed: bool) {
    let from = lines.0.len();
    let depth = if listed { 2 } else { 1 };
    let at = |steps: &[Step]| one.at(steps);
    if let Some(items) = one.items {
        lines.put(depth, &format!("items: {}", quoted(&path("$", &one.list(items)))), None);
    }
    applies_to(lines, depth, one);
    if !one.version.is_empty() {
        let mut order = vec![format!("by: {}", at(&one.version[0]))];
        order.extend(one.version.get(1).map(|then| format!("then: {}", at(then))));
        lines.put(
            depth,
            &format!("version: {{{}}}", order.join(", ")),
            Some("the order of this sender"),
        );
    } else if one.sort == Sort::Stay {
        lines.remark(
            depth,
            "nothing here looks like a time of the last change: what arrives last wins",
        );
    }
    events(lines, depth, one);
    lines.put(depth, "reservation:", None);
    for guess in &one.names {
        let note = (guess.field == "ids" && one.names.len() == 1)
            .then_some("no code for people is here; the first id stands in");
        let places: Vec<String> = guess.places.iter().map(|steps| at(steps)).collect();
        let text = match (guess.field, places.as_slice()) {
            ("code", [one]) => format!("code: {one}"),
            (field, places) => format!("{field}: [{}]", places.join(", ")),
        };
        lines.put(depth + 1, &text, note);
    }
    if one.sort == Sort::Stay {
        for guess in one.fields.iter().filter(|guess| !guess.field.contains('.')) {
            field(lines, depth + 1, guess.field, guess, one);
        }
        for group in ["guest", "property", "money"] {
            section(lines, depth + 1, group, one);
        }
    } else {
        section(lines, depth, one.sort.word(), one);
    }
    for missing in &one.missing {
        lines.remark(depth, &format!("nothing here looks like {missing}"));
    }
    for note in &one.notes {
        lines.remark(depth, note);
    }
    if listed {
        // The first line that is no remark gets the mark of an entry.
        let start = lines.0[from..].lines().scan(from, |at, line| {
            let begin = *at;
            *at += line.len() + 1;
            Some((begin, line))
        });
        let first = start
            .into_iter()
            .find(|(_, line)| !line.trim_start().starts_with('#'))
            .map(|(begin, _)| begin);
        if let Some(begin) = first {
            let mark = begin + INDENT + 2;
            lines.0.replace_range(mark..mark + 2, "- ");
        }
    }
}

fn section(lines: &mut Lines, depth: usize, group: &str, one: &Guessed) {
    let mut inside = one
        .fields
        .iter()
        .filter_map(|guess| {
            guess
                .field
                .strip_prefix(group)?
                .strip_prefix('.')
                .map(|name| (name, guess))
        })
        .peekable();
    if inside.peek().is_none() {
        return;
    }
    lines.put(depth, &format!("{group}:"), None);
    for (name, guess) in inside {
        field(lines, depth + 1, name, guess, one);
    }
}

fn applies_to(lines: &mut Lines, depth: usize, one: &Guessed) {
    let Some(event) = &one.event else { return };
    let mut patterns: Vec<String> = Vec::new();
    let of_stay = |word: &str| {
        let words = super::words::words(word);
        ["reservation", "booking", "order", "stay"]
            .iter()
            .any(|name| words.iter().any(|word| word == name))
    };
    let some = one.sort == Sort::Stay && event.words.iter().any(|word| of_stay(word));
    for word in event.words.iter().filter(|word| !some || of_stay(word)) {
        // `booking.created`: its siblings speak of the same thing.
        let head = word.find(['.', '/']).map(|at| &word[..=at]);
        let of_stay = head.is_some_and(|head| {
            ["reservation", "booking"]
                .iter()
                .any(|name| head.to_lowercase().starts_with(name))
        });
        let pattern = match (head, one.sort) {
            (Some(head), Sort::Stay) if of_stay => format!("{head}*"),
            _ => word.clone(),
        };
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    let words: Vec<String> = patterns.iter().map(|word| scalar(word)).collect();
    let text = format!("applies_to: {{{}: [{}]}}", one.at(&event.steps), words.join(", "));
    lines.put(depth, &text, Some("and which other types like it?"));
}

/// What the type of a delivery says and a change does not show.
fn events(lines: &mut Lines, depth: usize, one: &Guessed) {
    let Some(event) = &one.event else { return };
    let says = |word: &str, parts: &[&str]| parts.iter().any(|part| word.to_lowercase().contains(part));
    let known: Vec<String> = event
        .words
        .iter()
        .filter_map(|word| {
            let ours = match one.sort {
                Sort::Stay if says(word, &["cancel", "declin"]) => None,
                Sort::Stay if says(word, &["creat", "new"]) => Some("reservation.created"),
                Sort::Payment if says(word, &["refund"]) => Some("payment.refunded"),
                Sort::Message => Some("message.received"),
                _ => None,
            }?;
            Some(format!("{}: {ours}", scalar(word)))
        })
        .collect();
    if !known.is_empty() {
        let text = format!(
            "event: {{from: {}, map: {{{}}}}}",
            one.at(&event.steps),
            known.join(", ")
        );
        lines.put(depth, &text, None);
    }
    let changes: Vec<String> = event
        .words
        .iter()
        .filter(|word| says(word, &["updat", "chang", "modif", "amend", "cancel"]))
        .map(|word| scalar(word))
        .collect();
    if one.sort == Sort::Stay && !changes.is_empty() {
        let all = ["check_in", "check_in_date"]
            .iter()
            .any(|day| one.fields.iter().any(|guess| guess.field == *day));
        let guest = one.fields.iter().any(|guess| guess.field.starts_with("guest."));
        let text = format!("partial: {{{}: [{}]}}", one.at(&event.steps), changes.join(", "));
        match all && guest {
            true => lines.remark(depth, &format!("{text}   if such a delivery says only what changed")),
            false => lines.put(depth, &text, Some("it says only a part; the rest keeps its value")),
        }
    }
}

fn field(lines: &mut Lines, depth: usize, name: &str, guess: &Guess, one: &Guessed) {
    let places: Vec<String> = guess.places.iter().map(|steps| one.at(steps)).collect();
    let at = match (guess.field, places.as_slice()) {
        (_, [place]) if guess.field != "property.ids" => place.clone(),
        _ => format!("[{}]", places.join(", ")),
    };
    let note = guess.note.as_deref();
    match &guess.how {
        How::Plain => lines.put(depth, &format!("{name}: {at}"), note),
        How::Minor => lines.put(depth, &format!("{name}: {{from: {at}, minor: true}}"), note),
        How::Sum => lines.put(depth, &format!("{name}: {{from: {at}, pick: sum}}"), note),
        How::First => lines.put(depth, &format!("{name}: {{from: {at}, pick: min}}"), note),
        How::DayAfterLast => lines.put(depth, &format!("{name}: {{from: {at}, pick: max, plus_days: 1}}"), note),
        How::Fixed(value) => lines.put(depth, &format!("{name}: {{value: {value}}}"), note),
        How::Words(words, other) if guess.field == "status" => status(lines, depth, &at, words, *other, note),
        How::Words(words, other) => {
            let words: Vec<String> = words
                .iter()
                .map(|(word, ours)| format!("{}: {ours}", scalar(word)))
                .collect();
            let other = other.map(|other| format!(", else: {other}")).unwrap_or_default();
            let text = format!("{name}: {{from: {at}, map: {{{}}}{other}}}", words.join(", "));
            lines.put(depth, &text, note.or(Some("a guess; which other words are there?")));
        }
    }
}

fn status(
    lines: &mut Lines,
    depth: usize,
    at: &str,
    words: &[(String, &str)],
    other: Option<&str>,
    note: Option<&str>,
) {
    lines.put(depth, "status:", note);
    lines.put(depth + 1, &format!("from: {at}"), None);
    lines.put(depth + 1, "map:", None);
    let folded = |word: &str| word.trim().to_lowercase().replace([' ', '-'], "_");
    let mut known: Vec<String> = Vec::new();
    for (word, ours) in words {
        if known.contains(&folded(word)) {
            continue;
        }
        known.push(folded(word));
        let note = match *ours {
            "unknown" => "seen; which of ours is it? confirmed, pending, cancelled, …",
            _ if folded(word) == folded(ours) => "seen",
            _ => "seen; the meaning is a guess",
        };
        lines.put(depth + 2, &format!("{}: {ours}", scalar(word)), Some(note));
    }
    if other.is_some() {
        for word in ["cancelled", "canceled"] {
            if !known.iter().any(|one| one == word) {
                lines.put(
                    depth + 2,
                    &format!("{word}: cancelled"),
                    Some("not seen; how does this sender write it?"),
                );
            }
        }
    }
    if let Some(other) = other {
        lines.put(depth + 1, &format!("else: {other}"), None);
    }
}

impl Guessed {
    /// The steps to the list of stays.
    fn list(&self, items: usize) -> Vec<Step> {
        let first = self.fields.iter().chain(&self.names).flat_map(|guess| &guess.places);
        let mut inside = first.filter(|steps| steps.get(items - 1) == Some(&Step::Every));
        inside.next().map(|steps| steps[..items].to_vec()).unwrap_or_default()
    }

    /// A path as a mapping writes it: `@` for what lies in an item.
    fn at(&self, steps: &[Step]) -> String {
        match self.items {
            Some(items) if steps.get(items - 1) == Some(&Step::Every) => quoted(&path("@", &steps[items..])),
            _ => quoted(&path("$", steps)),
        }
    }
}

/// A path as YAML, in quotes where it needs them.
pub fn quoted(path: &str) -> String {
    let plain = path.starts_with('$')
        && path
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '.' | '_'));
    if plain { path.to_owned() } else { in_quotes(path) }
}

/// A word of the sender as YAML, in quotes where it would mean something else or end early.
fn scalar(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/');
    let reserved = [
        "true", "false", "yes", "no", "on", "off", "null", "y", "n", "else", "from",
    ];
    let plain = word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(safe)
        && !reserved.contains(&word.to_lowercase().as_str());
    if plain { word.to_owned() } else { in_quotes(word) }
}

/// In double quotes, as JSON and YAML both read them.
fn in_quotes(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
