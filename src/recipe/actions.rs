//! `actions`: the steps of a recipe.

use crate::lang::diag::{Report, did_you_mean};
use crate::lang::effect::EffectKind;
use crate::lang::fields::{self, Fields, quoted};
use crate::lang::shape::{EMPTY, Form, Like, More, Rule, Shape, key, later};
use crate::lang::template::Condition;
use crate::lang::yaml::{Key, Kind, Node};
use crate::lang::{duration, tree};
use crate::model::effect::Policy;
use crate::model::retry::Retry;

use super::Step;
use super::trigger::clock::{SENT_UNTIL, moment};

/// More actions than this in one recipe are refused.
const STEPS_MAX: usize = 50;
/// More delays than this in one `retry` are refused.
const DELAYS_MAX: usize = 50;
/// Nothing is tried for longer than this many seconds: 30 days.
const RETRY_MAX_S: i64 = 30 * 86_400;

/// An action.
pub(super) static ACTION: Shape = Shape {
    what: "an action",
    about: "One thing that is done: one kind of action with its settings, and how it is tried.",
    keys: &[
        key(
            "id",
            Form::Like(&Like {
                what: "up to 40 letters, digits and `_`",
                pattern: "^[A-Za-z0-9_]{1,40}$",
                numbers: true,
            }),
            "What later actions call it: `steps.ID.output`. Without one it has its position as its id, counted from 1.",
            "id: tell",
        ),
        key(
            "when",
            Form::Condition,
            "Where it does not hold, this action is left out; the others go on.",
            "when: property.vars.cleaner is known",
        ),
        key(
            "retry",
            Form::Either(&[Form::Word(&["never"]), Form::Settings(&RETRY)]),
            "How long it is tried again where the target cannot be reached or is busy: `never`, or for how long, or after \
             which delays.",
            "retry: {for: 24h}",
        ),
        key(
            "until",
            Form::Settings(&SENT_UNTIL),
            "Not sent after this moment of the stay, not by a retry either. Default: no end; what a check-in entry starts \
             ends at check-out.",
            "until: {stay: check_out}",
        ),
        key(
            "at_most_once",
            Form::Flag,
            "`true` where a repetition would do harm: where it is not known whether it had an effect, the run waits for a \
             person.",
            "at_most_once: true",
        ),
        key(
            "on_error",
            Form::Word(&["stop", "continue"]),
            "Whether the actions after it are done when it has failed, in whatever way: the target refused, it was tried for \
             too long, or it could not be filled in. The run then ends as done with the number of failed steps.",
            "on_error: continue",
        ),
        later(
            "journal",
            "A line in a book of accounts.",
            "journal: {connection: books}",
        ),
    ],
    more: &[More::Actions],
    rules: &[Rule::OneAction],
    ..EMPTY
};

/// `retry` of an action.
static RETRY: Shape = Shape {
    what: "`retry`",
    about: "How long an action is tried again.",
    keys: &[
        key(
            "for",
            Form::Duration,
            "Again and again, ever more slowly, for so long; at most 30d.",
            "for: 24h",
        ),
        key(
            "schedule",
            Form::OneOrMore(&Form::Duration),
            "After these delays, then no more; at most 50, each at most 30d.",
            "schedule: [5s, 1m, 10m]",
        ),
    ],
    rules: &[Rule::One(&["for", "schedule"])],
    ..EMPTY
};

/// Reads `actions`; at least one has to be there. Returns the steps that are right, and the ids of all.
pub(super) fn read(node: &Node, kinds: &[&dyn EffectKind], report: &mut Report) -> (Vec<Step>, Vec<String>) {
    let items = match &node.kind {
        Kind::Map(_) => {
            report
                .mistake("expected-list", &node.place, "`actions` is a list, this is settings")
                .help("begin each action with `- `, such as `- email:`");
            return Default::default();
        }
        Kind::List(items) if !items.is_empty() => items,
        _ => {
            report.mistake("expected-list", &node.place, "`actions` needs at least one action");
            return Default::default();
        }
    };
    if let Some(first) = items.get(STEPS_MAX) {
        let title = format!("a recipe has at most {STEPS_MAX} actions");
        report.mistake("too-many", &first.place, title);
        return Default::default();
    }
    let mut ids: Vec<String> = Vec::new();
    let mut steps = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let id = given_id(item, report).unwrap_or_else(|| (at + 1).to_string());
        if let Some(first) = ids.iter().position(|known| *known == id) {
            let title = format!(
                "the id `{id}` is there twice, first in line {}",
                items[first].place.line
            );
            report
                .mistake("duplicate-id", &item.place, title)
                .help("an action without `id` has its position as its id");
        }
        ids.push(id.clone());
        steps.extend(step(item, id, kinds, report));
    }
    (steps, ids)
}

fn given_id(node: &Node, report: &mut Report) -> Option<String> {
    let value = node.at("id").filter(|value| !value.is_null())?;
    let id = value
        .scalar()
        .filter(|id| (1..=40).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if id.is_none() {
        report
            .mistake("bad-id", &value.place, "an `id` is up to 40 letters, digits and `_`")
            .help("other steps read it as `steps.ID.output`");
    }
    id.map(str::to_owned)
}

fn step(node: &Node, id: String, kinds: &[&dyn EffectKind], report: &mut Report) -> Option<Step> {
    let before = report.mistakes();
    let mut fields = Fields::of(node, &ACTION, report)?;
    fields.get("id");
    let when = fields.get("when").and_then(|node| condition(node, "when", report));
    let retry = fields
        .get("retry")
        .map_or_else(|| Some(Retry::default()), |node| retry(node, report));
    let until_node = fields.get("until");
    let until = until_node.and_then(|node| moment(node, &SENT_UNTIL, report));
    let at_most_once = fields.flag("at_most_once", false, report);
    let go_on = fields.word("on_error", report) == Some("continue");
    let kind = kind(node, kinds, report);
    // What is not a setting of ours has been judged as a kind of action.
    fields.rest();
    fields.close();
    let (key, settings, kind) = kind?;
    let effect = kind.compile(settings, report);
    if effect.is_none() && report.mistakes() == before {
        let title = format!("`{}` cannot be used like this", key.text);
        report.mistake("bad-action", &key.place, title);
    }
    Some(Step {
        id,
        kind: kind.name().to_owned(),
        effect: effect?,
        when,
        policy: Policy {
            retry: retry?,
            at_most_once,
            go_on,
        },
        until: if until_node.is_some() { Some(until?) } else { None },
        place: node.place.clone(),
    })
}

/// The one key of an action that says what it does.
fn kind<'n, 'k>(
    node: &'n Node,
    kinds: &[&'k dyn EffectKind],
    report: &mut Report,
) -> Option<(&'n Key, &'n Node, &'k dyn EffectKind)> {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    if beside(node, kinds, report) {
        return None;
    }
    let mut found: Option<(&Key, &Node, &dyn EffectKind)> = None;
    let mut judged = false;
    for (key, value) in node.entries() {
        let word = key.text.as_str();
        let declared = ACTION.entry(word);
        if declared.is_some_and(|entry| entry.is_read()) {
            continue;
        }
        judged = true;
        if let Some(kind) = kinds.iter().find(|kind| kind.name() == word) {
            match found {
                None => found = Some((key, value, *kind)),
                Some((first, ..)) => {
                    let title = format!("one action does one thing: `{}` or `{word}`", first.text);
                    report
                        .mistake("two-actions", &key.place, title)
                        .help("begin a second one with `- `");
                }
            }
        } else if declared.is_some() {
            fields::not_yet(key, report);
        } else if word.contains('.') {
            let title = format!("`{word}`: operations of connectors are not in this version yet");
            report.mistake("not-yet", &key.place, title);
        } else {
            let diagnostic = report.mistake("unknown-action", &key.place, format!("there is no action `{word}`"));
            let here = |kind: &&&dyn EffectKind| node.at(kind.name()).is_some() && kind.shape().entry(word).is_some();
            if let Some(owner) = kinds.iter().find(here) {
                let owner = owner.name();
                diagnostic.help(format!("`{word}` belongs to `{owner}`: indent it by two more spaces"));
                continue;
            }
            let near = match word {
                "if" | "condition" | "only_if" => Some("when"),
                word => did_you_mean(word, words.iter().copied().chain(ACTION.names())),
            };
            diagnostic.meant(near, format!("an action is {}", quoted(&words)));
        }
    }
    if !judged && matches!(node.kind, Kind::Map(_)) {
        report
            .mistake("missing-key", &node.place, "this action does not say what it does")
            .help(format!("an action is {}", quoted(&words)));
    }
    found
}

/// Whether the settings of an action stand beside its name instead of below it, which is one mistake and not one for each.
fn beside(node: &Node, kinds: &[&dyn EffectKind], report: &mut Report) -> bool {
    let mut entries = node.entries().iter();
    let Some(kind) = entries.find_map(|(key, value)| {
        let kind = kinds.iter().find(|kind| kind.name() == key.text);
        kind.filter(|_| value.is_null())
    }) else {
        return false;
    };
    let own = |key: &&Key| ACTION.entry(&key.text).is_none() && kind.shape().entry(&key.text).is_some();
    let misplaced: Vec<&Key> = node.entries().iter().map(|(key, _)| key).filter(own).collect();
    fields::beside(kind.name(), &misplaced, report)
}

/// Reads `when`.
pub(super) fn condition(node: &Node, key: &str, report: &mut Report) -> Option<Condition> {
    let text = crate::lang::fields::text(node, key, report)?;
    match Condition::compile(text) {
        Ok(condition) => {
            tree::doubts(node, "", condition.doubts(), report);
            Some(condition)
        }
        Err(error) => {
            tree::mistake(node, error, report);
            None
        }
    }
}

fn retry(node: &Node, report: &mut Report) -> Option<Retry> {
    if let Some(word) = node.scalar() {
        if word == "never" {
            return Some(Retry::Never);
        }
        let diagnostic = report.mistake(
            "bad-retry",
            &node.place,
            "`retry` is `never`, `{for: 24h}` or `{schedule: [5s, 1m]}`",
        );
        if duration::parse(word).is_some() {
            diagnostic.help(format!("write `retry: {{for: {word}}}`"));
        }
        return None;
    }
    let mut fields = Fields::of(node, &RETRY, report)?;
    let (given, schedule) = (fields.get("for"), fields.get("schedule"));
    let span = fields.duration("for", report);
    fields.finish(report);
    let (found, place, title) = match (given, schedule) {
        (Some(given), None) => {
            let seconds = span?.num_seconds();
            let fine = (1..=RETRY_MAX_S).contains(&seconds);
            let title = "`for` is more than nothing and at most 30d; `retry: never` for not at all".to_owned();
            (fine.then_some(Retry::For(seconds)), given, title)
        }
        (None, Some(list)) => {
            let title =
                format!("`schedule` is a list of 1 to {DELAYS_MAX} durations such as `5s` or `1m`, each up to 30d");
            (delays(list).map(Retry::Schedule), list, title)
        }
        _ => (None, node, "`retry` has either `for` or `schedule`".to_owned()),
    };
    if found.is_none() {
        report.mistake("bad-retry", &place.place, title);
    }
    found
}

fn delays(list: &Node) -> Option<Vec<i64>> {
    let items = list.items();
    let delays: Option<Vec<i64>> = items
        .iter()
        .map(|item| {
            item.scalar()
                .and_then(duration::parse)
                .map(|span| span.num_seconds())
                .filter(|s| *s <= RETRY_MAX_S)
        })
        .collect();
    delays.filter(|delays| (1..=DELAYS_MAX).contains(&delays.len()))
}
