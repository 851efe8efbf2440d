//! The names that exist where a template stands, by what starts its recipe.

use crate::lang::diag::{Diagnostic, Place, Report, did_you_mean};
use crate::lang::fields::quoted;
use crate::lang::template::Name;
use crate::model::field::{FieldKind, MESSAGE, PAYMENT};
use crate::recipe::reads::parts;
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

/// A name where it is used.
#[derive(Clone, Copy)]
struct Used<'u> {
    path: &'u str,
    place: &'u Place,
}

impl Scope<'_> {
    /// Reports every name that nothing defines here.
    pub(in crate::recipe) fn check_all(&self, names: Vec<(Name, Place)>, report: &mut Report) {
        names.iter().for_each(|(name, place)| self.check(name, place, report));
    }

    /// Reports a name that nothing defines here.
    fn check(&self, name: &Name, place: &Place, report: &mut Report) {
        let used = Used {
            path: &name.path,
            place,
        };
        let parts: Vec<&str> = parts(used.path).collect();
        let Some((root, rest)) = parts.split_first() else {
            return;
        };
        if !self.exists(root, name.guarded, used, report) {
            return;
        }
        match *root {
            "reservation" | "previous" => used.of_stay(rest, root, report),
            "property" => used.of_stay(&parts, "", report),
            "stay" => match rest {
                [side @ ("next" | "previous"), below @ ..] => used.of_stay(below, &format!("stay.{side}"), report),
                [one] if STAY_NAMES.contains(one) => {}
                [one, ..] if is_neighbour(one) => used.one_of(rest, STAY_NAMES, root, report),
                _ => used.of_stay(rest, root, report),
            },
            "event" => used.one_of(rest, EVENT_NAMES, root, report),
            "run" => used.one_of(rest, RUN_NAMES, root, report),
            "now" if rest.is_empty() => {}
            "now" => used
                .unknown(report)
                .help("`now` is one value; the filter `date` takes it apart"),
            "changes" => used.of_changes(rest, report),
            "payload" => {}
            "payment" | "message" => self.fact(root, rest, used, report),
            "vars" => {
                if let Some(first) = rest.first().filter(|first| !has(self.vars, first)) {
                    let near = near_of(first, self.vars).map(|near| format!("vars.{near}"));
                    let otherwise = "`vars` are defined by the recipe, each before it is used";
                    used.unknown(report).meant(near, otherwise);
                }
            }
            "steps" => self.step(rest, used, report),
            "kept" | "earlier" => {
                report.mistake("not-yet", place, format!("`{root}` is not in this version yet"));
            }
            "gathered" => self.list(rest, used, report),
            _ => {
                let field = canonical().find(|(name, _)| *name == used.path);
                let near = field
                    .map(|(name, _)| format!("reservation.{name}"))
                    .or_else(|| did_you_mean(root, ROOTS.iter().copied()).map(str::to_owned));
                let otherwise = format!("names begin with {}", quoted(ROOTS));
                used.unknown(report).meant(near, otherwise);
            }
        }
    }

    /// Whether what starts the recipe has anything of this name; what only a part of its triggers has is told as well.
    fn exists(&self, root: &str, guarded: bool, used: Used<'_>, report: &mut Report) -> bool {
        let sorts = self.sorts;
        if !sorts.is_clear() {
            return true;
        }
        let (has, lacks, missing) = match root {
            "gathered" => (
                sorts.schedule,
                sorts.event || sorts.stay,
                "a stay starts this recipe, only where `schedule` does",
            ),
            "reservation" | "stay" | "property" | "payload" => (
                sorts.event || sorts.stay,
                sorts.schedule,
                "`schedule` starts this recipe",
            ),
            "previous" | "changes" | "payment" | "message" => (
                sorts.event,
                sorts.stay || sorts.schedule,
                "a clock starts this recipe, only where an event does",
            ),
            _ => return true,
        };
        if !has {
            self.absent(root, used, report);
        } else if lacks && !guarded {
            let title = format!("there is no `{root}` where {missing}");
            let told = |item: &Diagnostic| {
                item.title == title && item.place.as_ref().is_some_and(|one| one.file == used.place.file)
            };
            // Once says enough, however often it is used.
            if !report.items.iter().any(told) {
                report.warning("not-always", used.place, title).help(format!(
                    "ask first, such as `{{% if {} %}}`, or make two recipes of it",
                    used.path
                ));
            }
        }
        has
    }

    /// Reports a name that nothing has that starts the recipe.
    fn absent(&self, root: &str, used: Used<'_>, report: &mut Report) {
        let (title, help) = match root {
            "gathered" => (
                "only a recipe with `schedule` and `gather` has `gathered`".to_owned(),
                "the stays before and after this one at the property are `stay.previous` and `stay.next`",
            ),
            _ if !self.sorts.stay && !self.sorts.event => (
                format!("a schedule has no stay and no event, so there is no `{root}`"),
                "lists of stays come with `gather: {arrivals: {stay: check_in, within: 7d}}`, and are read as \
                 `gathered.arrivals`",
            ),
            "payment" | "message" => return used.carried_by_none(root, report),
            _ => (
                format!("a clock starts this recipe, no event, so there is no `{root}`"),
                "what the stay is like now is `reservation`",
            ),
        };
        report.mistake("unknown-name", used.place, title).help(help);
    }

    /// `rest` below `gathered`.
    fn list(&self, rest: &[&str], used: Used<'_>, report: &mut Report) {
        let Some((name, below)) = rest.split_first() else {
            return;
        };
        if !has(self.lists, name) {
            let near = near_of(name, self.lists).map(|near| format!("gathered.{near}"));
            let otherwise =
                format!("its lists stand in the recipe: `gather: {{{name}: {{stay: check_in, within: 7d}}}}`");
            used.unknown(report).meant(near, otherwise);
            return;
        }
        match below {
            [] => {}
            [index, field @ ..] if index.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
                used.of_stay(field, &format!("gathered.{name}[{index}]"), report);
            }
            _ => used.unknown(report).help(format!(
                "`gathered.{name}` is a list: `{{% for one in gathered.{name} %}}{{{{ one.{} }}}}{{% endfor %}}`",
                below.join(".")
            )),
        }
    }

    fn fact(&self, root: &str, rest: &[&str], used: Used<'_>, report: &mut Report) {
        let carries = |kind: &String| kind.starts_with("other.") || kind.split('.').next() == Some(root);
        if !self.events.iter().any(carries) {
            return used.carried_by_none(root, report);
        }
        let table = if root == "payment" { PAYMENT } else { MESSAGE };
        let names: Vec<&str> = table.iter().map(|field| field.split().1).collect();
        used.one_of(rest, &names, root, report);
    }

    fn step(&self, rest: &[&str], used: Used<'_>, report: &mut Report) {
        let Some(earlier) = self.steps else {
            report.mistake(
                "unknown-name",
                used.place,
                format!("in {} no step has run yet", self.place),
            );
            return;
        };
        let Some((id, rest)) = rest.split_first() else { return };
        if !has(earlier, id) {
            let title = format!("no step before this one is called `{id}`");
            let near = near_of(id, earlier).map(|near| format!("steps.{near}"));
            let otherwise = "a step sees those before it, by their `id` or their position";
            report.mistake("unknown-name", used.place, title).meant(near, otherwise);
        } else if rest.first().is_some_and(|first| *first != "output") {
            used.unknown(report)
                .help(format!("a step has `output`: `steps.{id}.output.…`"));
        }
    }
}

impl Used<'_> {
    fn unknown<'r>(&self, report: &'r mut Report) -> &'r mut Diagnostic {
        report.mistake("unknown-name", self.place, format!("nothing is called `{}`", self.path))
    }

    fn carried_by_none(&self, what: &str, report: &mut Report) {
        let event = if what == "payment" {
            "payment.created"
        } else {
            "message.received"
        };
        report
            .mistake(
                "unknown-name",
                self.place,
                format!("no event of this recipe carries a {what}"),
            )
            .help(format!("such as `on: {{event: {event}}}`"));
    }

    /// `rest` below a root that has just these names, each one value.
    fn one_of(&self, rest: &[&str], names: &[&str], root: &str, report: &mut Report) {
        let Some(first) = rest.first() else { return };
        if names.contains(first) && (rest.len() == 1 || *first == "types") {
            return;
        }
        let near = did_you_mean(first, names.iter().copied()).map(|near| format!("{root}.{near}"));
        let otherwise = format!("`{root}` has {}", quoted(names).replace(" or ", " and "));
        self.unknown(report).meant(near, otherwise);
    }

    /// `rest` below a reservation.
    fn of_stay(&self, rest: &[&str], root: &str, report: &mut Report) {
        let leaf = rest.join(".");
        if rest.is_empty() || is_group(&leaf) || rest.starts_with(&["property", "vars"]) {
            return;
        }
        if leaf == "labels" {
            let title = format!("`{}` is always empty: nothing labels a stay in this version", self.path);
            report
                .warning("never-known", self.place, title)
                .help("take it out until there are labels");
        }
        // What follows a list is an index; a value has nothing below it.
        let is_field = |(name, kind): (&str, FieldKind)| {
            let below = leaf.strip_prefix(name);
            below.is_some_and(|below| below.is_empty() || kind == FieldKind::List && below.starts_with('.'))
        };
        if canonical().any(is_field) {
            return;
        }
        let names = || canonical().map(|(name, _)| name);
        // `reservation.total` leaves `money` out.
        let mut deeper = names().filter(|name| name.rsplit_once('.').is_some_and(|(_, end)| end == leaf));
        let only = deeper.next().filter(|_| deeper.next().is_none());
        let near = only.or_else(|| did_you_mean(&leaf, names()));
        let dot = if root.is_empty() { "" } else { "." };
        self.unknown(report)
            .meant(near.map(|near| format!("{root}{dot}{near}")), "");
    }

    /// `rest` below `changes`: a canonical name, then `from` or `to`.
    fn of_changes(&self, rest: &[&str], report: &mut Report) {
        let (field, side) = match rest.split_last() {
            Some((&("from" | "to"), field)) => (field.join("."), true),
            _ => (rest.join("."), false),
        };
        let names = || canonical().map(|(name, _)| name);
        if names().any(|name| name == field) || !side && (field.is_empty() || is_group(&field)) {
            return;
        }
        let near = did_you_mean(&field, names()).map(|near| format!("changes.{near}.from"));
        let otherwise = "write `changes.FIELD.from` or `changes.FIELD.to`, such as `changes.check_out.to`";
        self.unknown(report).meant(near, otherwise);
    }
}

fn has(known: &[String], name: &str) -> bool {
    known.iter().any(|known| known == name)
}

fn near_of<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    did_you_mean(name, known.iter().map(String::as_str))
}

/// Whether this is, or is nearly, one of the names that only `stay` has.
fn is_neighbour(name: &str) -> bool {
    STAY_NAMES.contains(&name)
        || !is_group(name)
            && !canonical().any(|(known, _)| known == name)
            && did_you_mean(name, STAY_NAMES.iter().copied()).is_some()
}
