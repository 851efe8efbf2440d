//! The pages of `docs/senders`: one for each preset, from what its file says to people and from what it does.

use std::fmt::Write as _;

use serde_json::Value;

use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::event::EVENTS;
use stayhook::source::{self, About, PRESETS, Source};

/// Stands for the credentials of a sender where only its way of using them is asked for.
const ANY_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The page of every preset that says something of itself, and their list: paths below `docs/reference`, and texts.
pub(super) fn pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut list = String::from(
        "# Senders\n\nOne page for each sender that Stayhook knows: what to click there, which address and which secret, what \
         arrives, and what cannot be known from it. For any other there is [our own JSON](other.md), and a way to \
         [write a mapping](../mapping.md) in minutes.\n\n| preset | sender |\n| --- | --- |\n",
    );
    for (preset, _) in PRESETS {
        let Some(about) = source::about(preset) else { continue };
        let Some(source) = example(preset, &about) else {
            continue;
        };
        let _ = writeln!(list, "| [`{preset}`]({preset}.md) | {} |", about.name);
        pages.push((format!("../senders/{preset}.md"), page(preset, &about, &source)));
    }
    pages.push(("../senders/README.md".to_owned(), list));
    pages
}

/// A source as somebody would configure it.
fn example(preset: &str, about: &About) -> Option<Source> {
    let mut text = format!("preset: {preset}\n");
    for (key, written) in &about.source {
        let value = if written.contains("${") && !written.starts_with('{') {
            format!("{ANY_SECRET:?}")
        } else {
            written.replace("${", "")
        };
        let _ = writeln!(text, "{key}: {value}");
    }
    let mut report = Report::new();
    let node = yaml::parse("config.yaml", &text, &mut report)?;
    source::compile(preset, &node, &mut report)
}

fn page(preset: &str, about: &About, source: &Source) -> String {
    let mut page = format!("# {}\n\n```yaml\n# config.yaml\nsources:\n", about.name);
    if let Some((_, other)) = about.source.iter().find(|(key, _)| key == "stays_of") {
        let other = other.trim_matches('"');
        let _ = writeln!(
            page,
            "  {other}:    # whose stays it speaks of: your PMS, with its own preset"
        );
        let _ = writeln!(
            page,
            "    preset: hospitable-v1\n    live_from: 2026-11-22T12:00:00Z\n    token: \"${{file:secrets/hooks-token}}\""
        );
    }
    let _ = writeln!(page, "  {preset}:");
    let _ = writeln!(page, "    preset: {preset}");
    let _ = writeln!(
        page,
        "    live_from: 2026-11-22T12:00:00Z    # when you switch over; `stayhook init` writes now"
    );
    let mut secrets = Vec::new();
    for (key, written) in &about.source {
        let _ = writeln!(page, "    {key}: {}", from_files(&flow(written), &mut secrets));
    }
    page.push_str("```\n\n");
    if !secrets.is_empty() {
        let files = quoted(&secrets);
        let _ = write!(
            page,
            "What is secret stands in {files}, beside the configuration and readable for you alone: in the folder of the \
             configuration `(umask 077; cat > {})`, paste, Enter, Ctrl-D. {}\n\n",
            secrets[0],
            whose(about)
        );
    }
    page.push_str("The address to paste:\n\n");
    let none = [String::new()];
    let ways = if about.address.is_empty() {
        &none[..]
    } else {
        &about.address
    };
    for way in ways {
        let _ = writeln!(page, "    https://YOUR-HOST/hooks/{preset}{way}");
    }
    let _ = write!(
        page,
        "\n`{preset}` after `/hooks/` is the name of the source in the configuration: name it otherwise, and the address \
         changes with it. What has to be shown to get in: {}.\n\n## What to do there\n\n",
        source.asks_for()
    );
    for (at, step) in about.click.iter().enumerate() {
        let _ = writeln!(page, "{}. {step}", at + 1);
    }
    let of_another = about.source.iter().any(|(key, _)| key == "stays_of");
    // Who speaks of the stays of another has no reservations to change.
    let try_it = if of_another {
        "wait for the first real delivery"
    } else {
        "change something harmless in a reservation"
    };
    let _ = write!(
        page,
        "\nThen {try_it}, and look: `stayhook deliveries list`. A delivery that is \
         `processed` means that it works; [the other words](../outcomes.md). Nothing at all: it did not get here (the \
         address, the proxy), or the log says `turned away` (the credential).\n\n## What arrives\n\n"
    );
    bullets(&mut page, &about.arrives);
    statuses(&mut page, source);
    names(&mut page, source, of_another);
    let _ = write!(
        page,
        "\nThe events it can cause: {}.\n\n## What it cannot know\n\n",
        quoted(source.emits())
    );
    bullets(&mut page, &about.unknown);
    bullets(&mut page, &derived(source));
    let _ = write!(
        page,
        "\nStays that were made before `live_from` are taken over in silence: they are there, later changes count, and no \
         `reservation.created` fires for them.\n\n## How sure this is\n\n{}\n\nAll of it, field by field: \
         [`presets/sources/{preset}.yaml`](../../presets/sources/{preset}.yaml). A field that turns out to stand elsewhere \
         is put right in the source's own [`map:`](../mapping.md); `stayhook deliveries show ID` prints what came.\n",
        about.sure
    );
    page
}

/// Who makes up what is secret: a signature's secret is mostly the sender's, a token or a password always one's own.
fn whose(about: &About) -> &'static str {
    if about.source.iter().any(|(key, _)| key == "secret") {
        "Paste what the sender shows you; where it lets you choose the word, `openssl rand -hex 24` makes one."
    } else {
        "It is a word of your own: `openssl rand -hex 24` makes one."
    }
}

/// Settings in braces as people write them in YAML: names without quotes, a space behind each `:` and `,`.
fn flow(written: &str) -> String {
    let Ok(Value::Object(entries)) = serde_json::from_str(written) else {
        return written.to_owned();
    };
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", entries.join(", "))
}

/// The settings with files in the place of variables, which are added: `${HOSTAWAY_PASSWORD}` is
/// `secrets/hostaway-password`.
fn from_files(written: &str, files: &mut Vec<String>) -> String {
    let mut text = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let file = match name.strip_prefix("file:") {
            Some(file) => file.to_owned(),
            None => format!("secrets/{}", name.to_lowercase().replace('_', "-")),
        };
        let _ = write!(text, "{before}${{file:{file}}}");
        if !files.contains(&file) {
            files.push(file);
        }
        rest = after;
    }
    text + rest
}

fn bullets(page: &mut String, lines: &[String]) {
    for line in lines {
        let _ = writeln!(page, "- {line}");
    }
}

/// The sender's words for a status and ours.
fn statuses(page: &mut String, source: &Source) {
    let words = source.status_meanings();
    if words.is_empty() {
        return;
    }
    page.push_str("\n| it says | that is |\n| --- | --- |\n");
    for (theirs, ours) in words {
        let _ = writeln!(page, "| {theirs} | `{ours}` |");
    }
}

/// Which of the sender's names are a stay's own, and which several stays may share.
fn names(page: &mut String, source: &Source, of_another: bool) {
    let (own, shared) = source.name_paths(true);
    let (mut all, besides) = source.name_paths(false);
    all.extend(besides);
    page.push_str("\n## What it calls a stay\n\n");
    if of_another {
        let _ = writeln!(
            page,
            "It has no stays of its own. What stands at {} is looked for among the names of the stays of the source under \
             `stays_of`: own names first, then those that stays share. Where several carry it, the payment makes its event \
             without a stay.",
            quoted(&all)
        );
        return;
    }
    let _ = writeln!(
        page,
        "- Its own names, each of one stay alone: {}. The first of them that is there becomes `reservation.key`; name things \
         at targets by it.",
        quoted(&own)
    );
    if !shared.is_empty() {
        let _ = writeln!(
            page,
            "- Shared, since two units of one booking carry the same: {}. They find a stay only while one alone carries them.",
            quoted(&shared)
        );
    }
    if !all.is_empty() {
        let _ = writeln!(page, "- Payments and messages say whose they are at {}.", quoted(&all));
    }
}

/// What follows from the mapping itself.
fn derived(source: &Source) -> Vec<String> {
    let mut lines = Vec::new();
    if !source.says_order() {
        lines.push(
            "It says no order: what arrives last wins, and an old state that is sent again counts as news.".to_owned(),
        );
    }
    let reservation = EVENTS
        .iter()
        .map(|event| event.name)
        .filter(|name| name.starts_with("reservation."));
    let never: Vec<String> = reservation
        .filter(|name| !source.emits().iter().any(|known| known == name))
        .map(str::to_owned)
        .collect();
    if !never.is_empty() && !source.emits().is_empty() {
        lines.push(format!("It never causes {}.", quoted(&never)));
    }
    for (what, says) in [("payment.", "payments"), ("message.", "messages of guests")] {
        if !source.emits().iter().any(|known| known.starts_with(what)) {
            lines.push(format!("No {says} come this way."));
        }
    }
    lines
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
