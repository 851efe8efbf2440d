//! The names that exist where a template stands, by what starts its recipe.

use crate::lang::diag::{Place, Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::template::Name;
use crate::model::field::{FieldKind, MESSAGE, PAYMENT};
use crate::recipe::trigger::Sorts;
use crate::recipe::words::{EVENT_NAMES, ROOTS, RUN_NAMES, STAY_NAMES};

use super::{canonical, is_group};

/// What exists where a template stands.
#[derive(Clone, Copy)]
pub(in crate::recipe) struct Scope<'a> {
    /// Where it stands, for messages: "the recipe's `when`", "a step".
    pub(in crate::recipe) place: &'a str,
    /// The ids of the steps before it; `None` where no step has run yet.
    pub(in crate::recipe) steps: Option<&'a [String]>,
    /// The vars that are defined by then.
    pub(in crate::recipe) vars: &'a [String],
    /// The event types the recipe waits for.
    pub(in crate::recipe) events: &'a [String],
    /// Of which sorts its triggers are.
    pub(in crate::recipe) sorts: Sorts,
    /// The names of its lists of stays.
    pub(in crate::recipe) lists: &'a [String],
}

impl Scope<'_> {
    /// Reports a name that nothing defines here.
    pub(in crate::recipe) fn check(&self, name: &Name, place: &Place, report: &mut Report) {
        let parts = parts(&name.path);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let Some((root, rest)) = parts.split_first() else {
            return;
        };
        let path = &name.path;
        if !self.exists(root, name, place, report) {
            return;
        }
        match *root {
            "reservation" | "previous" => known_stay(rest, path, root, place, report),
            "property" => {
                let full: Vec<&str> = std::iter::once("property").chain(rest.iter().copied()).collect();
                known_stay(&full, path, "", place, report);
            }
            "stay" => match rest {
                [side @ ("next" | "previous"), below @ ..] => {
                    known_stay(below, path, &format!("stay.{side}"), place, report);
                }
                [one] if STAY_NAMES.contains(one) => {}
                [one, ..] if is_neighbour(one) => known(rest, STAY_NAMES, path, root, place, report),
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
            "gathered" => self.list(rest, path, place, report),
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

    /// Whether what starts the recipe has anything of this name; what only a part of its triggers has is told as well.
    fn exists(&self, root: &str, name: &Name, place: &Place, report: &mut Report) -> bool {
        let sorts = self.sorts;
        if !sorts.is_clear() {
            return true;
        }
        let of_event = matches!(root, "previous" | "changes" | "payment" | "message");
        let (has, lacks) = match root {
            "gathered" => (sorts.schedule, sorts.event || sorts.stay),
            "reservation" | "stay" | "property" | "payload" => (sorts.event || sorts.stay, sorts.schedule),
            _ if of_event => (sorts.event, sorts.stay || sorts.schedule),
            _ => return true,
        };
        if !has {
            absent(root, sorts, place, report);
            return false;
        }
        if lacks && !name.guarded {
            let title = match root {
                "gathered" => "there is a `gathered` only where `schedule` starts this recipe".to_owned(),
                _ if of_event => {
                    format!("there is no `{root}` where a clock starts this recipe, only where an event does")
                }
                _ => format!("there is no `{root}` where `schedule` starts this recipe"),
            };
            // Once says enough, however often it is used.
            if !report
                .items
                .iter()
                .any(|item| item.title == title && item.place.as_ref().is_some_and(|one| one.file == place.file))
            {
                report.warning("not-always", place, title).help(format!(
                    "ask first, such as `{{% if {} %}}`, or make two recipes of it",
                    name.path
                ));
            }
        }
        true
    }

    /// `rest` below `gathered`.
    fn list(&self, rest: &[&str], path: &str, place: &Place, report: &mut Report) {
        let Some((name, below)) = rest.split_first() else {
            return;
        };
        if !self.lists.iter().any(|known| known == name) {
            let near = did_you_mean(name, self.lists.iter().map(String::as_str));
            let diagnostic = unknown(path, place, report);
            match near {
                Some(near) => diagnostic.help(format!("did you mean `gathered.{near}`?")),
                None => diagnostic.help(format!(
                    "its lists stand in the recipe: `gather: {{{name}: {{stay: check_in, within: 7d}}}}`"
                )),
            }
            return;
        }
        match below {
            [] => {}
            [index, field @ ..] if index.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
                known_stay(field, path, &format!("gathered.{name}[{index}]"), place, report);
            }
            _ => {
                unknown(path, place, report).help(format!(
                    "`gathered.{name}` is a list: `{{% for one in gathered.{name} %}}{{{{ one.{} }}}}{{% endfor %}}`",
                    below.join(".")
                ));
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

/// Reports a name that nothing has that starts the recipe.
fn absent(root: &str, sorts: Sorts, place: &Place, report: &mut Report) {
    let (title, help) = match root {
        "gathered" if !sorts.stay => (
            "a recipe for events has no `gathered`".to_owned(),
            "only a recipe with `schedule` and `gather` has a list",
        ),
        "gathered" => (
            "only a recipe with `schedule` has `gathered`".to_owned(),
            "the stays before and after this one at the property are `stay.previous` and `stay.next`",
        ),
        _ if !sorts.stay && !sorts.event => (
            format!("a schedule has no stay and no event, so there is no `{root}`"),
            "lists of stays come with `gather: {arrivals: {stay: check_in, within: 7d}}`, and are read as \
             `gathered.arrivals`",
        ),
        "payment" => (
            "no event of this recipe carries a payment".to_owned(),
            "such as `on: {event: payment.created}`",
        ),
        "message" => (
            "no event of this recipe carries a message".to_owned(),
            "such as `on: {event: message.received}`",
        ),
        _ => (
            format!("a clock starts this recipe, no event, so there is no `{root}`"),
            "what the stay is like now is `reservation`",
        ),
    };
    report.mistake("unknown-name", place, title).help(help);
}

/// Whether this is, or is nearly, one of the names that only `stay` has.
fn is_neighbour(name: &str) -> bool {
    STAY_NAMES.contains(&name)
        || !is_group(name)
            && !canonical().any(|(known, _)| known == name)
            && did_you_mean(name, STAY_NAMES.iter().copied()).is_some()
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
    if leaf == "labels" {
        report
            .warning(
                "never-known",
                place,
                format!("`{path}` is always empty: nothing labels a stay in this version"),
            )
            .help("take it out until there are labels");
    }
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
