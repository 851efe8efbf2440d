//! As much of a mapping as is certain, and the rest as commented lines to choose from. Whatever is pasted unread must be
//! right: a name too many merges two guests' stays, a wrong date of making announces an old one.

use std::fmt::Write as _;

use serde_json::Value;

use super::Mapped;
use super::names::{FIELDS, fold, is_id, is_instant};
use super::stay::{Stay, stay};
use super::tree::{Place, Step, Tree, is_nothing, path, shown};
use crate::model::reservation::Status;

/// Spaces in front of every line: the draft stands below a source.
const INDENT: usize = 4;
/// The column at which comments begin, where the line is not longer.
const COMMENT: usize = 60;
/// Places shown to choose from, for one field; characters of a word that may be a status.
const CHOICES_MAX: usize = 4;
const WORD_MAX: usize = 40;
/// Our statuses whose own word may mean something else at a sender: a payment's state, a finished booking form.
const AMBIGUOUS: [Status; 4] = [Status::Pending, Status::Completed, Status::Expired, Status::Unknown];
/// What an object calls its own id. A booking may be one of several of a reservation, and the other way round.
const OWN_IDS: [&str; 4] = ["id", "uuid", "reservationid", "bookingid"];
/// Parts of the names of what several stays may share.
#[rustfmt::skip]
const SHARED: [&str; 7] = ["channel", "external", "ota", "reference", "group", "confirmation", "parent"];
/// Ends of names that may name something.
const NAMING: [&str; 4] = ["id", "code", "number", "reference"];

/// A draft.
#[derive(Default)]
pub struct Draft {
    /// In YAML that `check` accepts, below a source.
    pub text: String,
    /// The field, the path, and whether it is certain.
    pub lines: Vec<(&'static str, String, bool)>,
    /// What a stay needs and is not certain.
    pub missing: Vec<&'static str>,
}

/// A draft for bodies of one sender: for those that are about a stay in the same place.
pub fn draft(all: &[Mapped]) -> Draft {
    let mut bodies = Vec::new();
    let mut first: Option<Stay> = None;
    let mut remarks = Vec::new();
    for one in all {
        match stay(&one.tree) {
            Ok(found) if first.as_ref().is_none_or(|known| *known == found) => {
                first = Some(found);
                bodies.push(&one.body);
            }
            Ok(_) => remarks.push(format!("{}: its reservation lies elsewhere: map it alone", one.name)),
            Err(why) => remarks.push(format!("{}: nothing is certain: {why}", one.name)),
        }
    }
    if first.is_none() {
        bodies.extend(all.iter().map(|one| &one.body));
    }
    let whole = Tree::of(bodies);
    let scope = first.as_ref().map(|stay| stay.scope.as_slice());
    let mut writer = Writer {
        tree: &whole,
        inside: scope.map_or_else(Vec::new, |scope| inside(&whole, scope)),
        stay: first.clone().unwrap_or_default(),
        readable: false,
        out: Draft::default(),
    };
    remarks.iter().for_each(|remark| writer.put(0, false, remark, ""));
    writer.write();
    writer.out
}

struct Writer<'t> {
    tree: &'t Tree,
    /// Places in the stay, by their names there, folded and with `.` between them.
    inside: Vec<(String, &'t Place)>,
    stay: Stay,
    /// Whether something names the stay for certain.
    readable: bool,
    out: Draft,
}

impl<'t> Writer<'t> {
    /// A line, as a comment where it is not certain.
    fn put(&mut self, depth: usize, certain: bool, text: &str, comment: &str) {
        let mark = if certain { "" } else { "# " };
        let line = format!("{}{mark}{}", " ".repeat(INDENT + 2 * depth), one_line(text));
        // Writing into a String cannot fail.
        let _ = match comment {
            "" => writeln!(self.out.text, "{line}"),
            comment => writeln!(self.out.text, "{line:<COMMENT$}  # {}", one_line(comment)),
        };
    }

    /// A path as the mapping writes it: `@` for what lies in an item.
    fn at(&self, steps: &[Step]) -> String {
        match self.stay.list().and_then(|list| steps.strip_prefix(list)) {
            Some(rest) => scalar(&path("@", rest)),
            None => scalar(&path("$", steps)),
        }
    }

    fn line(&mut self, depth: usize, field: &'static str, certain: bool, place: &Place, note: &str) {
        let (at, name) = (self.at(&place.steps), field.rsplit('.').next().unwrap_or(field));
        let text = match field {
            "ids" | "references" | "property.ids" => format!("{name}: [{at}]"),
            _ => format!("{name}: {at}"),
        };
        let comment = match (certain, note) {
            (true, note) => note.to_owned(),
            (false, "") => shown(place.value()),
            (false, note) => format!("{}; {note}", shown(place.value())),
        };
        self.put(depth, certain, &text, &comment);
        self.out.lines.push((field, place.path(), certain));
    }

    /// The places in the stay that are called one of these.
    fn named(&self, names: &[&str]) -> Vec<&'t Place> {
        let named = self.inside.iter().filter(|(name, _)| names.contains(&name.as_str()));
        named.map(|(_, place)| *place).collect()
    }

    fn write(&mut self) {
        let called = self.stay.called;
        let envelope = self.stay.scope.is_empty();
        let mut ids = self.named(&OWN_IDS);
        ids.retain(|place| all(place, is_id));
        let id = single(&ids).filter(|place| match fold(place.last_name()).as_str() {
            // Beside what is said of the delivery it may be the delivery's.
            "id" | "uuid" => !envelope,
            name => name.starts_with(called),
        });
        let mut codes = self.named(&["code", "confirmationcode", &format!("{called}code")]);
        codes.retain(|place| all(place, is_id));
        // Alone it names the stay, and a channel's code is that of all units of one booking.
        let code = single(&codes)
            .filter(|place| id.is_some() || ids.is_empty() && !fold(place.last_name()).starts_with("confirmation"));
        // In an envelope it may be the delivery's; a date orders nothing, and an hour without a zone comes twice a year.
        let versions = self.named(&["updatedat", "lastupdatedat", "modifiedat", "lastmodifiedat"]);
        let version = single(&versions).filter(|place| !envelope && all(place, is_instant));
        self.readable = id.is_some() || code.is_some();
        let readable = self.readable;
        if !readable {
            self.put(0, true, "learn: true", "nothing names a stay for certain");
        }
        let by = version.map(|place| self.at(&place.steps));
        let by_name = by.as_deref().unwrap_or("PATH");
        let key = format!("receipt_key: [[{by_name}, {{hash: body}}], {{hash: body}}]");
        let sure = readable && by.is_some();
        self.put(
            0,
            sure && self.stay.list().is_none(),
            &key,
            "or an id that every delivery has",
        );
        self.put(0, readable, "map:", "");
        self.applies_to();
        let order = format!("version: {{by: {by_name}}}");
        self.put(1, sure, &order, "what grows with every change");
        self.put(1, readable, "reservation:", "");
        self.names(id, code);
        let status = self.status();
        let kinds = "kind: {from: PATH, map: {WORD: owner, OTHER: block}, else: guest}";
        self.put(2, false, kinds, "where it sends those too");
        let mut found = Vec::new();
        for group in ["", "guest", "property", "money"] {
            found.extend(self.group(group));
        }
        let day = |field: &str| found.iter().any(|known| known.starts_with(field));
        let days = [(day("check_in"), "arrival"), (day("check_out"), "departure")];
        let needed = [(readable, "name"), (status, "status")].into_iter().chain(days);
        self.out.missing = needed.filter(|(there, _)| !there).map(|(_, what)| what).collect();
    }

    fn applies_to(&mut self) {
        if let Some(list) = self.stay.list() {
            let text = format!("items: {}", scalar(&path("$", list)));
            self.put(1, self.readable, &text, "one stay each");
        }
        if let Some(event) = self.stay.event.as_ref().and_then(|steps| self.tree.at(steps)) {
            let words: Vec<String> = event.values.iter().filter_map(Value::as_str).map(scalar).collect();
            let text = format!("{{{}: [{}]}}", self.at(&event.steps), words.join(", "));
            let these = format!("applies_to: {text}");
            self.put(1, self.readable, &these, "and which types like it?");
            self.put(1, false, &format!("partial: {text}"), "if it says only what changed");
        }
    }

    /// What names the stay, and what may.
    fn names(&mut self, id: Option<&Place>, code: Option<&Place>) {
        if let Some(id) = id {
            self.line(2, "ids", true, id, "");
        }
        if let Some(code) = code {
            let note = if id.is_some() { "" } else { "no two stays may share it" };
            self.line(2, "code", true, code, note);
        }
        let mut others = Vec::new();
        for place in &self.tree.places {
            let name = fold(place.last_name());
            let chosen = [id, code].into_iter().flatten().any(|one| one.steps == place.steps);
            if chosen || !all(place, is_id) || !NAMING.iter().any(|end| name.ends_with(end)) {
                continue;
            }
            // What stands deeper is the id of something else: of a room, of a guest.
            let direct = place.steps.len() == self.stay.scope.len() + 1;
            let own = OWN_IDS.contains(&name.as_str()) && direct && place.steps.starts_with(&self.stay.scope);
            let shared = SHARED.iter().any(|part| name.contains(part));
            match place {
                place if shared => self.line(2, "references", false, place, "stays may share it"),
                place if own && id.is_none() => self.line(2, "ids", false, place, "if no two stays share it"),
                place if code.is_none() && name.ends_with("code") => self.line(2, "code", false, place, ""),
                place => others.push(self.at(&place.steps)),
            }
        }
        if !others.is_empty() {
            let text = format!("no names of the stay, as far as can be seen: {}", others.join(", "));
            self.put(2, false, &text, "");
        }
    }

    /// Whether a place for the status is certain.
    fn status(&mut self) -> bool {
        let is_word = |value: &Value| value.as_str().is_some_and(|text| text.len() <= WORD_MAX);
        let mut places = self.named(&["status", &format!("{}status", self.stay.called)]);
        places.retain(|place| all(place, is_word));
        let certain = self.readable && places.len() == 1;
        if !certain {
            let named = |name: &str| name.ends_with("status") || name == "state";
            let all = |place: &&Place| named(&fold(place.last_name())) && all(place, is_word);
            let perhaps = self.tree.places.iter().filter(all);
            places = perhaps.take(CHOICES_MAX).collect();
        }
        for place in &places {
            let (mut words, mut unknown) = (vec!["cancelled: cancelled".to_owned()], Vec::new());
            for word in place.values.iter().filter_map(Value::as_str) {
                // Nobody else knows what the sender means by it; `?` is no status, so `check` asks too.
                match meaning(word) {
                    Some(status) => words.push(format!("{}: {status}", scalar(word))),
                    None => unknown.push(format!("{}: ?", scalar(word))),
                }
            }
            words.sort_by_key(|word| fold(word));
            words.dedup_by_key(|word| fold(word));
            let at = self.at(&place.steps);
            let text = format!("status: {{from: {at}, map: {{{}}}, else: unknown}}", words.join(", "));
            self.put(2, certain, &text, "");
            if !unknown.is_empty() {
                self.put(
                    2,
                    false,
                    &unknown.join(", "),
                    "seen too; which of our words is it? it belongs into map",
                );
            }
            self.out.lines.push(("status", place.path(), certain));
        }
        if places.is_empty() {
            let text = "status: {from: PATH, map: {WORD: confirmed}, else: unknown}";
            self.put(2, false, text, "without it no event is made");
        }
        certain
    }

    /// The fields of one group; those that are certain.
    fn group(&mut self, group: &str) -> Vec<&'static str> {
        let mut lines: Vec<(&'static str, bool, &Place)> = Vec::new();
        for known in FIELDS.iter().filter(|known| known.group() == group) {
            let named = self.named(known.certain);
            let there: Vec<&Place> = named.iter().copied().filter(|place| all(place, known.fits)).collect();
            if let Some(one) = single(&there).filter(|one| self.readable && all(one, known.surely)) {
                lines.push((known.field, true, one));
                continue;
            }
            let perhaps = self.tree.places.iter().filter(|place| {
                let name = place.tail();
                (known.fits)(place.value()) && known.perhaps.iter().any(|part| name.contains(part))
            });
            lines.extend(perhaps.take(CHOICES_MAX).map(|place| (known.field, false, place)));
        }
        let certain: Vec<&'static str> = lines.iter().filter(|line| line.1).map(|line| line.0).collect();
        // Where the day is certain the time needs no choosing, and the other way round.
        let day = |field: &str| field.trim_end_matches("_date").to_owned();
        lines.retain(|(field, sure, _)| *sure || !certain.iter().any(|known| day(known) == day(field)));
        let mut depth = 2;
        if !group.is_empty() && !lines.is_empty() {
            self.put(depth, !certain.is_empty(), &format!("{group}:"), "");
            depth += 1;
        }
        for (field, sure, place) in lines {
            let note = match field {
                "check_in" | "check_out" if !sure => "its zone? {from: …, zone: Europe/Rome}",
                "money.total" if !sure => "cents? {from: …, minor: true}",
                _ => "",
            };
            self.line(depth, field, sure, place, note);
        }
        certain
    }
}

fn single<'t>(places: &[&'t Place]) -> Option<&'t Place> {
    match places {
        [one] => Some(one),
        _ => None,
    }
}

/// Whether all values that were seen are such, and there is one.
fn all(place: &Place, is: fn(&Value) -> bool) -> bool {
    let mut there = place.values.iter().filter(|value| !is_nothing(value)).peekable();
    there.peek().is_some() && there.all(is)
}

/// The places in an object, by their names there: folded and with `.` between them. Nothing that lies in a list.
fn inside<'t>(tree: &'t Tree, scope: &[Step]) -> Vec<(String, &'t Place)> {
    let named = |place: &'t Place| {
        let steps = place.steps.strip_prefix(scope)?;
        let names: Option<Vec<String>> = steps.iter().map(|step| step.name().map(fold)).collect();
        Some((names?.join("."), place))
    };
    tree.places.iter().filter_map(named).collect()
}

/// Our status for a word that means it and nothing else: our own.
fn meaning(word: &str) -> Option<&'static str> {
    let folded = fold(word).replace("canceled", "cancelled");
    let mut ours = Status::ALL.iter().filter(|status| !AMBIGUOUS.contains(status));
    ours.find(|ours| fold(ours.word()) == folded).map(|ours| ours.word())
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// A path or a word of the sender as YAML: in quotes, as JSON and YAML both read them, where it could mean something else or
/// end early.
fn scalar(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '.' | '-' | '/');
    let reserved = [
        "true", "false", "yes", "no", "on", "off", "null", "y", "n", "else", "from",
    ];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$') && text.chars().all(safe);
    match plain && !reserved.contains(&text.to_lowercase().as_str()) {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    }
}
