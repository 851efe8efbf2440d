//! A recipe's file, read and checked as a whole.

use sha2::{Digest, Sha256};

use crate::lang::diag::{Place, Report, lines};
use crate::lang::effect::EffectKind;
use crate::lang::fields::{Fields, text};
use crate::lang::template::{Condition, Format};
use crate::lang::tree::Tree;
use crate::lang::yaml::{self, Kind, Node};
use crate::model::run::Mode;

use super::names::Scope;
use super::reads::{of_neighbour, of_property};
use super::shape::RECIPE;
use super::trigger::fit::Keys;
use super::trigger::{gather, late};
use super::{Match, Recipe, Step, ValueTemplate, actions, trigger};

/// The longest name of a recipe or a queue, in characters.
const NAME_MAX: usize = 80;
/// More vars than this in one recipe are refused.
const VARS_MAX: usize = 100;

/// Reads one recipe. All its mistakes go to the report; with one of them there is no recipe.
///
/// `file` is named in places, `kinds` are the kinds of actions there are.
pub fn compile(file: &str, text: &str, kinds: &[&dyn EffectKind], report: &mut Report) -> Option<Recipe> {
    let before = report.mistakes();
    draft(file, text, kinds, report).filter(|_| report.mistakes() == before)
}

/// A recipe as far as it can be read: for looking at, never for running.
pub(super) fn draft(file: &str, text: &str, kinds: &[&dyn EffectKind], report: &mut Report) -> Option<Recipe> {
    if let Some((at, line)) = lines(text)
        .into_iter()
        .enumerate()
        .find(|(_, line)| line.contains('\u{FFFD}'))
    {
        let place = Place {
            file: file.into(),
            line: at + 1,
            column: line.chars().take_while(|c| *c != '\u{FFFD}').count() + 1,
        };
        report
            .mistake("not-utf8", &place, "this file is not text in UTF-8")
            .help("save it once more with the encoding UTF-8");
        return None;
    }
    let root = yaml::parse(file, text, report)?;
    let mut fields = Fields::of(&root, &RECIPE, report)?;
    let name_node = fields.required("name", report);
    let name = name_node.and_then(|node| label(node, "name", report));
    let enabled = fields.flag("enabled", true, report);
    let dry_run = fields.flag("dry_run", false, report);
    // A recipe that keeps a thing has neither triggers nor actions of its own.
    let keeps = fields.get("keep").is_some();
    let mut wanted = |key: &'static str, report: &mut Report| match keeps {
        true => fields.get(key),
        false => fields.required(key, report),
    };
    let waits = wanted("on", report)
        .map(|node| trigger::read(node, report))
        .unwrap_or_default();
    let actions = wanted("actions", report);
    let match_node = fields.get("match");
    let conditions = match_node.map_or_else(Match::default_for_stays, |node| Match::read(node, report));
    let when_node = fields.get("when");
    let when = when_node.and_then(|node| actions::condition(node, "when", report));
    let vars_node = fields.get("vars");
    let vars = vars_node.map(|node| vars(node, report)).unwrap_or_default();
    let mode = fields.word("mode", report);
    let queue = fields.get("queue").and_then(|node| label(node, "queue", report));
    let settle = fields.duration("settle", report).unwrap_or_default();
    let gather_node = fields.get("gather");
    let (gather, lists) = gather_node.map(|node| gather::read(node, report)).unwrap_or_default();
    let late = fields.get("late").and_then(|node| late::read(node, report));
    let again = fields.flag("again", false, report);
    let again = fields.get("again").map(|_| again);
    let keys = Keys {
        conditions: match_node,
        settle: fields.get("settle"),
        gather: gather_node,
        late: fields.get("late"),
        again: fields.get("again").filter(|_| again == Some(true)),
    };
    trigger::fit::check(&waits, &keys, report);
    fields.finish(report);
    let steps = actions
        .map(|node| actions::read(node, kinds, report))
        .unwrap_or_default();

    let sorts = waits.sorts;
    if sorts.schedule && !sorts.event && !sorts.stay && !sorts.unclear {
        for step in steps.iter().filter(|step| step.until.is_some()) {
            let title = "`until` has no effect: it is a moment of a stay, and a schedule knows no stay";
            report
                .warning("no-effect", &step.place, title)
                .help("`retry: {for: 2h}` says for how long it is tried");
        }
    }

    // A var that could not be read is there all the same.
    let declared = vars_node.map(Node::entries).unwrap_or_default();
    let declared: Vec<String> = declared.iter().map(|(key, _)| key.text.clone()).collect();
    let events = waits
        .entries
        .iter()
        .flat_map(|(trigger, _)| trigger.types().iter().cloned());
    let events: Vec<String> = events.collect();
    let everywhere = Scope {
        place: "`vars`",
        steps: None,
        vars: &[],
        events: &events,
        sorts: waits.sorts,
        lists: &lists,
    };
    check_names(
        everywhere,
        when_node.zip(when.as_ref()),
        &vars,
        &declared,
        actions.zip(Some(&steps)),
        report,
    );
    let name = name.unwrap_or_default();
    let mut recipe = Recipe {
        file: file.to_owned(),
        revision: revision(text),
        text: text.to_owned(),
        enabled,
        dry_run,
        on: waits.entries.into_iter().map(|(trigger, _)| trigger).collect(),
        conditions,
        when,
        vars,
        mode: match mode {
            Some("newest") => Mode::Newest,
            Some("parallel") => Mode::Parallel,
            _ => Mode::Queued,
        },
        queue: queue.unwrap_or_else(|| name.clone()),
        settle,
        late: late.unwrap_or_default(),
        again,
        gather,
        steps,
        reads_neighbours: false,
        reads_property: false,
        named_at: name_node.unwrap_or(&root).place.clone(),
        name,
    };
    recipe.reads_neighbours = recipe.reads(of_neighbour);
    recipe.reads_property = recipe.reads(of_property);
    Some(recipe)
}

/// The revision of a recipe's text: the first 16 hex digits of its SHA-256.
pub(super) fn revision(text: &str) -> String {
    let mut hex = hex::encode(Sha256::digest(text.as_bytes()));
    hex.truncate(16);
    hex
}

/// A name of a recipe or a queue.
fn label(node: &Node, key: &str, report: &mut Report) -> Option<String> {
    let name = text(node, key, report)?.trim();
    let fine = (1..=NAME_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if !fine {
        report.mistake(
            "bad-name",
            &node.place,
            format!("`{key}` is one line of 1 to {NAME_MAX} characters"),
        );
    }
    fine.then(|| name.to_owned())
}

fn vars(node: &Node, report: &mut Report) -> Vec<(String, ValueTemplate)> {
    let Kind::Map(entries) = &node.kind else {
        let title = format!("`vars` is written as settings (`name: value`), this is {}", node.what());
        report.mistake("expected-settings", &node.place, title);
        return Vec::new();
    };
    if entries.len() > VARS_MAX {
        report.mistake("too-many", &node.place, format!("a recipe has at most {VARS_MAX} vars"));
        return Vec::new();
    }
    let mut vars = Vec::new();
    for (key, value) in entries {
        let fine = key
            .text
            .chars()
            .enumerate()
            .all(|(at, c)| c == '_' || c.is_ascii_alphabetic() || at > 0 && c.is_ascii_digit());
        if key.text.is_empty() || !fine {
            report
                .mistake(
                    "bad-name",
                    &key.place,
                    format!("`{}` cannot be the name of a var", key.text),
                )
                .help("letters, digits and `_`, not beginning with a digit");
        }
        if let Some(tree) = Tree::compile(value, Format::Text, report) {
            vars.push((key.text.clone(), tree));
        }
    }
    vars
}

/// Holds every name that a template reads against what exists where it stands.
fn check_names(
    everywhere: Scope<'_>,
    when: Option<(&Node, &Condition)>,
    vars: &[(String, ValueTemplate)],
    names: &[String],
    steps: Option<(&Node, &Vec<Step>)>,
    report: &mut Report,
) {
    for (name, tree) in vars {
        let at = names.iter().position(|known| known == name).unwrap_or(0);
        let scope = Scope {
            vars: &names[..at],
            ..everywhere
        };
        for (name, place) in tree.names() {
            scope.check(&name, &place, report);
        }
    }
    if let Some((node, when)) = when {
        let scope = Scope {
            place: "the `when` of a recipe",
            vars: names,
            ..everywhere
        };
        for name in when.names() {
            scope.check(name, &node.place_inside(name.line, name.column), report);
        }
    }
    let Some((list, steps)) = steps else { return };
    // A step that could not be read is missing from `steps`; it still has its id.
    let ids: Vec<String> = list
        .items()
        .iter()
        .enumerate()
        .map(|(at, item)| id_of(item, at))
        .collect();
    for step in steps {
        let at = ids.iter().position(|id| *id == step.id).unwrap_or(0);
        let scope = Scope {
            place: "an action",
            steps: Some(&ids[..at]),
            vars: names,
            ..everywhere
        };
        for (name, place) in step.effect.names() {
            scope.check(&name, &place, report);
        }
        if let (Some(when), Some(node)) = (&step.when, entry(list, at, "when")) {
            for name in when.names() {
                scope.check(name, &node.place_inside(name.line, name.column), report);
            }
        }
    }
}

fn id_of(item: &Node, at: usize) -> String {
    let given = item
        .entries()
        .iter()
        .find(|(key, _)| key.text == "id")
        .and_then(|(_, value)| value.scalar());
    given
        .filter(|id| !id.is_empty())
        .map_or_else(|| (at + 1).to_string(), str::to_owned)
}

fn entry<'n>(list: &'n Node, at: usize, key: &str) -> Option<&'n Node> {
    let entries = list.items().get(at)?.entries();
    entries
        .iter()
        .find(|(found, _)| found.text == key)
        .map(|(_, value)| value)
}
