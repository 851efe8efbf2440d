//! Every name a recipe may use, and what stands behind it.

use serde_json::{Map, Value};

use crate::lang::diag::{Place, Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::template::Name;
use crate::model::field::{DERIVED, FIELDS, Field, FieldKind, MESSAGE, PAYMENT};

use super::words::{EVENT_NAMES, ROOTS, RUN_NAMES};

/// What a later version brings to `stay`.
const NEIGHBOURS: &[&str] = &["next", "previous", "same_day_turn", "gap_nights"];

/// Every canonical name of a reservation with what it holds; the free `property.vars` is not among them.
pub(super) fn canonical() -> impl Iterator<Item = (&'static str, FieldKind)> {
    FIELDS.iter().chain(DERIVED).map(kind)
}

/// Every name that may stand in `match` as a field: of the reservation, the payment and the message.
pub(super) fn matchable() -> impl Iterator<Item = (&'static str, FieldKind)> {
    canonical().chain(PAYMENT.iter().chain(MESSAGE).map(kind))
}

fn kind(field: &Field) -> (&'static str, FieldKind) {
    (field.name, field.kind)
}

/// Whether names with this prefix exist: `guest`, `property`, `money`.
pub(super) fn is_group(name: &str) -> bool {
    matchable().any(|(known, _)| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// Fills what is not there with nothing, so that every canonical name is known to templates.
pub(super) fn complete(mut stay: Value) -> Value {
    if !stay.is_object() {
        stay = Value::Object(Map::new());
    }
    for (name, _) in canonical() {
        let (group, leaf) = name
            .split_once('.')
            .map_or((None, name), |(group, leaf)| (Some(group), leaf));
        let map = match group {
            None => stay.as_object_mut(),
            Some(group) => stay.as_object_mut().and_then(|map| {
                let inner = map.entry(group).or_insert(Value::Null);
                if !inner.is_object() {
                    *inner = Value::Object(Map::new());
                }
                inner.as_object_mut()
            }),
        };
        if let Some(map) = map
            && !map.contains_key(leaf)
        {
            map.insert(leaf.to_owned(), Value::Null);
        }
    }
    if let Some(property) = stay.get_mut("property").and_then(Value::as_object_mut) {
        property.entry("vars").or_insert_with(|| Value::Object(Map::new()));
    }
    stay
}

/// Whether every canonical name is there.
pub(super) fn is_complete(stay: &Value) -> bool {
    let vars = stay
        .get("property")
        .is_some_and(|property| property.get("vars").is_some());
    vars && canonical().all(|(name, _)| match name.split_once('.') {
        None => stay.get(name).is_some(),
        Some((group, leaf)) => stay.get(group).is_some_and(|group| group.get(leaf).is_some()),
    })
}

/// What exists where a template stands.
pub(super) struct Scope<'a> {
    /// Where it stands, for messages: "the recipe's `when`", "a step".
    pub(super) place: &'a str,
    /// The ids of the steps before it; `None` where no step has run yet.
    pub(super) steps: Option<&'a [String]>,
    /// The vars that are defined by then.
    pub(super) vars: &'a [String],
    /// The event types the recipe waits for.
    pub(super) events: &'a [String],
}

impl Scope<'_> {
    /// Reports a name that nothing defines here.
    pub(super) fn check(&self, name: &Name, place: &Place, report: &mut Report) {
        let parts = parts(&name.path);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let Some((root, rest)) = parts.split_first() else {
            return;
        };
        let path = &name.path;
        match *root {
            "reservation" | "previous" => known_stay(rest, path, root, place, report),
            "property" => {
                let full: Vec<&str> = std::iter::once("property").chain(rest.iter().copied()).collect();
                known_stay(&full, path, "", place, report);
            }
            "stay" => match rest.first() {
                Some(first) if NEIGHBOURS.contains(first) => not_yet(&format!("stay.{first}"), place, report),
                _ => known_stay(rest, path, root, place, report),
            },
            "event" => known(rest, EVENT_NAMES, path, root, place, report),
            "run" => known(rest, RUN_NAMES, path, root, place, report),
            "now" => {
                if !rest.is_empty() {
                    unknown(path, place, report).help("`now` is one value; the filter `date` takes it apart");
                }
            }
            "changes" => known_change(rest, path, place, report),
            "payload" => {}
            "payment" | "message" => self.fact(root, rest, path, place, report),
            "vars" => {
                if let Some(first) = rest.first()
                    && !self.vars.iter().any(|var| var == first)
                {
                    let near = did_you_mean(first, self.vars.iter().map(String::as_str));
                    let diagnostic = unknown(path, place, report);
                    match near {
                        Some(near) => diagnostic.help(format!("did you mean `vars.{near}`?")),
                        None => diagnostic.help("`vars` are defined by the recipe, each before it is used"),
                    }
                }
            }
            "steps" => self.step(rest, path, place, report),
            "kept" | "earlier" => not_yet(root, place, report),
            "gathered" => {
                report
                    .mistake("unknown-name", place, "a recipe for events has no `gathered`")
                    .help("only a recipe with `schedule` and `gather` has a list");
            }
            _ => {
                let as_field = did_you_mean(path, canonical().map(|(name, _)| name))
                    .filter(|near| near == path)
                    .map(|near| format!("reservation.{near}"));
                let near = as_field.or_else(|| did_you_mean(root, ROOTS.iter().copied()).map(str::to_owned));
                let diagnostic = unknown(path, place, report);
                match near {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help(format!("names begin with {}", quoted(ROOTS))),
                }
            }
        }
    }

    fn fact(&self, root: &str, rest: &[&str], path: &str, place: &Place, report: &mut Report) {
        let carries = |kind: &str| kind.starts_with("other.") || kind.split('.').next() == Some(root);
        if !self.events.iter().any(|event| carries(event)) {
            report
                .mistake(
                    "unknown-name",
                    place,
                    format!("no event of this recipe carries a {root}"),
                )
                .help(match root {
                    "payment" => "such as `on: {event: payment.created}`",
                    _ => "such as `on: {event: message.received}`",
                });
            return;
        }
        let table = if root == "payment" { PAYMENT } else { MESSAGE };
        let names: Vec<&str> = table.iter().map(|field| field.split().1).collect();
        known(rest, &names, path, root, place, report);
    }

    fn step(&self, rest: &[&str], path: &str, place: &Place, report: &mut Report) {
        let Some(earlier) = self.steps else {
            report.mistake("unknown-name", place, format!("in {} no step has run yet", self.place));
            return;
        };
        let Some((id, rest)) = rest.split_first() else { return };
        if !earlier.iter().any(|step| step == id) {
            let near = did_you_mean(id, earlier.iter().map(String::as_str));
            let diagnostic = report.mistake(
                "unknown-name",
                place,
                format!("no step before this one is called `{id}`"),
            );
            match near {
                Some(near) => diagnostic.help(format!("did you mean `steps.{near}`?")),
                None => diagnostic.help("a step sees those before it, by their `id` or their position"),
            }
        } else if rest.first().is_some_and(|first| *first != "output") {
            unknown(path, place, report).help(format!("a step has `output`: `steps.{id}.output.…`"));
        }
    }
}

/// A dotted name in parts; `a.b[0]` and `a["b c"]` too.
fn parts(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in path.chars() {
        match c {
            ']' => inside = false,
            '[' => {
                inside = true;
                parts.push(String::new());
            }
            '.' if !inside => parts.push(String::new()),
            '"' | '\'' if inside => {}
            c => {
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    parts
}

fn unknown<'r>(path: &str, place: &Place, report: &'r mut Report) -> &'r mut crate::lang::diag::Diagnostic {
    report.mistake("unknown-name", place, format!("nothing is called `{path}`"))
}

fn not_yet(name: &str, place: &Place, report: &mut Report) {
    report.mistake("not-yet", place, format!("`{name}` is not in this version yet"));
}

/// `rest` below a root that has just these names, each one value.
fn known(rest: &[&str], names: &[&str], path: &str, root: &str, place: &Place, report: &mut Report) {
    let Some(first) = rest.first() else { return };
    if names.contains(first) && (rest.len() == 1 || *first == "types") {
        return;
    }
    let near = did_you_mean(first, names.iter().copied()).map(str::to_owned);
    let diagnostic = unknown(path, place, report);
    match near {
        Some(near) => diagnostic.help(format!("did you mean `{root}.{near}`?")),
        None => diagnostic.help(format!("`{root}` has {}", quoted(names).replace(" or ", " and "))),
    }
}

/// `rest` below a reservation.
fn known_stay(rest: &[&str], path: &str, root: &str, place: &Place, report: &mut Report) {
    let leaf = rest.join(".");
    if rest.is_empty() || is_group(&leaf) || rest.starts_with(&["property", "vars"]) {
        return;
    }
    // What follows a list is an index; a value has nothing below it.
    let found = canonical().any(|(name, kind)| {
        name == leaf || kind == FieldKind::List && leaf.strip_prefix(name).is_some_and(|below| below.starts_with('.'))
    });
    if !found {
        // `reservation.total` leaves `money` out.
        let mut deeper = canonical().map(|(name, _)| name).filter(|name| {
            let end = name.rsplit_once('.').map(|(_, end)| end);
            end == Some(leaf.as_str())
        });
        let only = deeper.next().filter(|_| deeper.next().is_none());
        let near = only.or_else(|| did_you_mean(&leaf, canonical().map(|(name, _)| name)));
        let diagnostic = unknown(path, place, report);
        if let Some(near) = near {
            let dot = if root.is_empty() { "" } else { "." };
            diagnostic.help(format!("did you mean `{root}{dot}{near}`?"));
        }
    }
}

/// `rest` below `changes`: a canonical name, then `from` or `to`.
fn known_change(rest: &[&str], path: &str, place: &Place, report: &mut Report) {
    let (field, side) = match rest.split_last() {
        Some((&("from" | "to"), field)) => (field.join("."), true),
        _ => (rest.join("."), false),
    };
    let is_field = canonical().any(|(name, _)| name == field);
    if field.is_empty() && !side || is_field || (!side && is_group(&field)) {
        return;
    }
    let near = did_you_mean(&field, canonical().map(|(name, _)| name));
    let diagnostic = unknown(path, place, report);
    match near.filter(|near| *near != field) {
        Some(near) => diagnostic.help(format!("did you mean `changes.{near}.from`?")),
        None => diagnostic.help("write `changes.FIELD.from` or `changes.FIELD.to`, such as `changes.check_out.to`"),
    }
}
