//! A recipe's file, read and checked as a whole.

use sha2::{Digest, Sha256};

use crate::lang::diag::{Place, Report, lines};
use crate::lang::effect::EffectKind;
use crate::lang::fields::{self, Fields, text};
use crate::lang::template::Format;
use crate::lang::tree::{Tree, places};
use crate::lang::yaml::{self, Node};
use crate::model::run::Mode;

use super::names::Scope;
use super::reads::{of_neighbour, of_property};
use super::shape::{RECIPE, VARS};
use super::trigger::fit::Keys;
use super::trigger::{gather, late};
use super::{Match, Recipe, ValueTemplate, actions, trigger};

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
    let mut lines = lines(text).into_iter().zip(1..);
    let damaged = lines.find_map(|(text, line)| Some((line, text.split_once('\u{FFFD}')?.0)));
    if let Some((line, before)) = damaged {
        let place = Place {
            file: file.into(),
            line,
            column: before.chars().count() + 1,
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
    let again = fields.get("again").map(|node| (node, again));
    let keys = Keys {
        conditions: match_node,
        settle: fields.get("settle"),
        gather: gather_node,
        late: fields.get("late"),
        again: again.filter(|(_, again)| *again).map(|(node, _)| node),
    };
    trigger::fit::check(&waits, &keys, report);
    fields.finish(report);
    let (steps, ids) = actions
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

    let entries = waits.entries.iter();
    let events: Vec<String> = entries.flat_map(|(trigger, _)| trigger.types().to_vec()).collect();
    // A var that could not be read is there all the same.
    let declared = vars_node.map(Node::entries).unwrap_or_default();
    let declared: Vec<String> = declared.iter().map(|(key, _)| key.text.clone()).collect();
    let everywhere = Scope {
        place: "`vars`",
        steps: None,
        vars: &declared,
        events: &events,
        sorts,
        lists: &lists,
    };
    for (name, tree) in &vars {
        let at = declared.iter().position(|known| known == name).unwrap_or(0);
        let scope = Scope {
            vars: &declared[..at],
            ..everywhere
        };
        scope.check_all(tree.names(), report);
    }
    if let Some((node, when)) = when_node.zip(when.as_ref()) {
        let scope = Scope {
            place: "the `when` of a recipe",
            ..everywhere
        };
        scope.check_all(places(when.names(), node), report);
    }
    for step in &steps {
        let at = ids.iter().position(|id| *id == step.id).unwrap_or(0);
        let scope = Scope {
            place: "an action",
            steps: Some(&ids[..at]),
            ..everywhere
        };
        scope.check_all(step.effect.names(), report);
        let node = actions.and_then(|list| list.items().get(at)?.at("when"));
        if let (Some(when), Some(node)) = (&step.when, node) {
            scope.check_all(places(when.names(), node), report);
        }
    }
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
        again: again.map(|(_, again)| again),
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
        let title = format!("`{key}` is one line of 1 to {NAME_MAX} characters");
        report.mistake("bad-name", &node.place, title);
    }
    fine.then(|| name.to_owned())
}

fn vars(node: &Node, report: &mut Report) -> Vec<(String, ValueTemplate)> {
    let entries = fields::own(node, &VARS, report);
    if entries.len() > VARS_MAX {
        report.mistake("too-many", &node.place, format!("a recipe has at most {VARS_MAX} vars"));
        return Vec::new();
    }
    let mut vars = Vec::new();
    for (key, value) in entries {
        fields::name(key, "a var", report);
        if let Some(tree) = Tree::compile(value, Format::Text, report) {
            vars.push((key.text.clone(), tree));
        }
    }
    vars
}
