//! `property.vars.…` in templates and `when`, held against the properties that the recipe can meet.

use serde_json::{Value, json};

use super::super::Config;
use super::some;
use crate::lang::diag::{Place, Report, did_you_mean};
use crate::lang::template::{Condition, Name};
use crate::lang::tree::places;
use crate::lang::yaml::Node;
use crate::model::property::Property;
use crate::recipe::Recipe;

/// One use of a var.
struct Use {
    /// Its path below `property.vars`.
    path: Vec<String>,
    place: Place,
    /// Whether it is asked first whether there is a value.
    guarded: bool,
}

/// Vars that no property, or not every property that the recipe is for, has.
///
/// Of a recipe that is not `whole` nobody knows which properties it is for.
pub(super) fn known(config: &Config, recipe: &Recipe, root: &Node, whole: bool, report: &mut Report) {
    let all = &config.properties.all;
    let meets: Vec<&Property> = all
        .iter()
        .filter(|property| whole && recipe.may_meet(&as_json(property, config)))
        .collect();
    let mut told: Vec<Vec<String>> = Vec::new();
    for one in uses(recipe, root) {
        if told.contains(&one.path) {
            continue;
        }
        let anywhere =
            all.iter().any(|property| has(&property.vars, &one.path)) || has(&config.properties.vars, &one.path);
        let lacking: Vec<&str> = meets
            .iter()
            .filter(|property| !has(&property.vars, &one.path))
            .map(|property| property.key.as_str())
            .collect();
        if !anywhere {
            told.push(one.path.clone());
            nowhere(config, &one, report);
        } else if !one.guarded && !lacking.is_empty() {
            told.push(one.path.clone());
            let var = one.path.join(".");
            let title = format!(
                "{} of {} no `vars.{var}`, used in {}, line {}",
                lacking.len(),
                match (lacking.len(), meets.len()) {
                    (_, 1) => "1 property has".to_owned(),
                    (1, n) => format!("{n} properties has"),
                    (_, n) => format!("{n} properties have"),
                },
                recipe.name,
                one.place.line
            );
            report.warning("missing-var", &one.place, title).help(format!(
                "missing in {}; one for every property stands in `defaults: {{vars: …}}`, and where there is none \
                 `{{{{ property.vars.{var} | default('…') }}}}` puts in something else",
                some(&lacking)
            ));
        }
    }
}

fn uses(recipe: &Recipe, root: &Node) -> Vec<Use> {
    let mut uses = Vec::new();
    let mut add = |name: &Name, place: Place, known: &[&Condition]| {
        let Some(path) = var(&name.path) else { return };
        let known = known.iter().flat_map(|when| when.known()).filter_map(|path| var(path));
        let guarded = name.guarded || known.into_iter().any(|known| known == path);
        uses.push(Use { path, place, guarded });
    };
    let own = recipe.when.as_ref();
    if let (Some(when), Some(node)) = (own, root.at("when")) {
        for (name, place) in places(when.names(), node) {
            add(&name, place, &[]);
        }
    }
    let before: Vec<&Condition> = own.into_iter().collect();
    for (name, place) in recipe.vars.iter().flat_map(|(_, tree)| tree.names()) {
        add(&name, place, &before);
    }
    let nodes = root.at("actions").map(Node::items).unwrap_or_default();
    for step in &recipe.steps {
        let node = nodes.iter().find(|node| node.place == step.place);
        if let (Some(when), Some(node)) = (&step.when, node.and_then(|node| node.at("when"))) {
            for (name, place) in places(when.names(), node) {
                add(&name, place, &before);
            }
        }
        let known: Vec<&Condition> = before.iter().copied().chain(step.when.as_ref()).collect();
        for (name, place) in step.effect.names() {
            add(&name, place, &known);
        }
    }
    uses
}

/// The path below `property.vars` of a name.
fn var(name: &str) -> Option<Vec<String>> {
    // Neighbours are stays of the same property.
    let name = ["reservation.", "stay.next.", "stay.previous.", "stay."]
        .iter()
        .find_map(|root| name.strip_prefix(root))
        .unwrap_or(name);
    let rest = name.strip_prefix("property.vars.")?;
    // What stands in brackets is known for certain only as one of several.
    let end = rest.find('[').unwrap_or(rest.len());
    let path = rest[..end].split('.').filter(|part| !part.is_empty());
    let path: Vec<String> = path.map(str::to_owned).collect();
    (!path.is_empty()).then_some(path)
}

fn has(vars: &std::collections::BTreeMap<String, Value>, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let found = vars.get(first);
    let found = rest.iter().fold(found, |value, part| value?.get(part));
    found.is_some_and(|value| !value.is_null())
}

fn as_json(property: &Property, config: &Config) -> Value {
    json!({
        "key": property.key,
        "timezone": property.timezone.unwrap_or(config.timezone).name(),
        "tags": property.tags,
        "vars": property.vars,
    })
}

/// A var that is nowhere: a slip, most probably. Who asks first whether it is there is told only of a slip.
fn nowhere(config: &Config, one: &Use, report: &mut Report) {
    let properties = config.properties.all.iter().flat_map(|one| one.vars.keys());
    let known = config.properties.vars.keys().chain(properties).map(String::as_str);
    let first = one.path[0].as_str();
    let whole = one.path.join(".");
    let near = did_you_mean(first, known).filter(|near| *near != first);
    if one.guarded && near.is_none() {
        return;
    }
    let title = format!("no property has a var `{whole}`, and the defaults have none");
    let otherwise = format!("`defaults: {{vars: {{{first}: …}}}}` is for every property");
    report.warning("unknown-var", &one.place, title).meant(near, otherwise);
}
