//! What a body seems to say: for each of our names the place where it probably stands.

mod dates;
mod naming;
mod sort;
mod status;

use serde_json::Value;

use super::rules::{RULES, Rule};
use super::shape::{Shape, may_be_epoch};
use super::tree::{Place, Step, Tree};

pub use self::sort::Sort;
pub use self::status::EventType;

/// How sure a place has to be.
const ENOUGH: i32 = 5;
/// Parts of a body that speak of something else than this stay as it is now.
const ELSEWHERE: &[&str] = &[
    "history",
    "previous",
    "old",
    "invoice",
    "items",
    "addons",
    "add",
    "thread",
    "attachments",
    "log",
    "changes",
];

/// Where one of our names probably stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// Our name: `check_in_date`, `payment.amount`.
    pub field: &'static str,
    /// The places, the best first.
    pub places: Vec<Vec<Step>>,
    /// What is done with what stands there.
    pub how: How,
    /// What to know about it before believing it.
    pub note: Option<String>,
}

/// What is done with a value.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// Taken as it is.
    Plain,
    /// An amount in the smallest unit.
    Minor,
    /// Several are added up.
    Sum,
    /// The first of several dates.
    First,
    /// The day after the last of several nights.
    DayAfterLast,
    /// Words of the sender with ours; `else` where there is one.
    Words(Vec<(String, &'static str)>, Option<&'static str>),
    /// Always the same.
    Fixed(&'static str),
}

/// Everything that a body seems to say.
#[derive(Clone, Debug)]
pub struct Guessed {
    /// What it is about.
    pub sort: Sort,
    /// How many of the steps of a place lead to the list of stays; none where the body is one stay.
    pub items: Option<usize>,
    /// The sender's word for what happened.
    pub event: Option<EventType>,
    /// Where a new id comes with every delivery.
    pub event_id: Option<Vec<Step>>,
    /// The confirmation code, and other names of the stay.
    pub names: Vec<Guess>,
    /// Everything else of the stay, payment or message.
    pub fields: Vec<Guess>,
    /// The sender's order.
    pub version: Vec<Vec<Step>>,
    /// What is different when the same is sent again.
    pub sent: Vec<Vec<Step>>,
    /// What was looked for and not found, in words.
    pub missing: Vec<String>,
    /// What was found and cannot be used, in words.
    pub notes: Vec<String>,
}

/// A body being looked at.
pub(super) struct Look<'t> {
    pub(super) tree: &'t Tree,
    /// The way to the object that holds the stay.
    pub(super) scope: Vec<Step>,
    /// Whether the stay lies beside what is said of the delivery.
    pub(super) flat: bool,
}

/// Looks at a body.
pub fn guess(tree: &Tree) -> Guessed {
    let event = status::event_type(tree);
    let scope = dates::scope(tree);
    let flat = scope.is_empty() && event.as_ref().is_some_and(|event: &EventType| event.steps.len() == 1);
    let look = Look { tree, scope, flat };
    let sort = sort::sort(&look, event.as_ref());
    let items = look
        .scope
        .iter()
        .rposition(|step| *step == Step::Every)
        .map(|at| at + 1);
    let mut guessed = Guessed {
        sort,
        items,
        names: naming::names(&look, sort, event.as_ref()),
        event_id: naming::event_id(&look, event.as_ref()),
        event,
        fields: Vec::new(),
        version: Vec::new(),
        sent: look.named(
            &["sent at", "sent", "retries", "retry", "attempt", "attempts"],
            1,
            |shape| shape.is_number() || shape.is_day(),
        ),
        missing: Vec::new(),
        notes: Vec::new(),
    };
    match sort {
        Sort::Stay => stay(&look, &mut guessed),
        Sort::Payment => sort::payment(&look, &mut guessed),
        Sort::Message => sort::message(&look, &mut guessed),
        Sort::Nothing => {}
    }
    guessed.version = version(&look, &guessed);
    if sort == Sort::Stay && guessed.fields.is_empty() {
        guessed
            .notes
            .push("such a delivery names a stay and says nothing of it, so nothing is done with it".to_owned());
    }
    if guessed.names.is_empty() && sort != Sort::Nothing {
        guessed
            .missing
            .push("a confirmation code or an id of the stay".to_owned());
    }
    guessed
}

fn stay(look: &Look<'_>, guessed: &mut Guessed) {
    let fields = &mut guessed.fields;
    status::kind(look, fields);
    status::status(look, guessed.event.as_ref(), fields, &mut guessed.missing);
    dates::dates(look, fields, &mut guessed.missing, &mut guessed.notes);
    for rule in RULES {
        if let Some(found) = look.best(rule) {
            let count = matches!(rule.field, "guests" | "adults" | "children" | "infants" | "pets");
            let how = match found.is_listed(look.scope.len()) && count {
                true => How::Sum,
                false => How::Plain,
            };
            fields.push(Guess {
                field: rule.field,
                places: vec![found.steps.clone()],
                how,
                note: None,
            });
        }
    }
    heads(fields);
    let at = |field: &str| {
        fields
            .iter()
            .find(|guess| guess.field == field)
            .map(|guess| guess.places.clone())
    };
    if at("money.base") == at("money.total") {
        fields.retain(|guess| guess.field != "money.base");
    }
    guest_name(look, fields);
    naming::property(look, fields);
    sort::minor(look, fields);
    let has = |field: &str| fields.iter().any(|guess| guess.field == field);
    let mut missing = Vec::new();
    for (any, words) in [
        (
            &["guest.name", "guest.first_name", "guest.last_name"][..],
            "a guest's name",
        ),
        (&["guest.email"], "an e-mail address of the guest"),
        (&["guest.phone"], "a phone number of the guest"),
        (&["guests", "adults"], "a number of guests"),
        (&["property.ids", "property.name"], "a property, listing or room"),
        (&["money.total"], "what the guest pays in all"),
    ] {
        if !any.iter().any(|field| has(field)) {
            missing.push(words.to_owned());
        }
    }
    // Two ways to say the same: the halves are better than the whole that is put together from them.
    if has("guest.first_name") && has("guest.last_name") {
        guessed.fields.retain(|guess| guess.field != "guest.name");
    }
    guessed.missing.extend(missing);
}

/// Adults and children beside one another are all guests, where no place says how many come.
fn heads(fields: &mut Vec<Guess>) {
    let at = |field: &str| {
        let guess = fields
            .iter()
            .find(|guess| guess.field == field && guess.how == How::Plain)?;
        let (last, above) = guess.places.first()?.split_last()?;
        match last {
            Step::Name(name) => Some((above.to_vec(), name.clone())),
            _ => None,
        }
    };
    let known = fields.iter().any(|guess| guess.field == "guests");
    if let (false, Some((above, adults)), Some((other, children))) = (known, at("adults"), at("children"))
        && above == other
    {
        let mut steps = above;
        steps.push(Step::Any(vec![adults, children]));
        let place = fields
            .iter()
            .position(|guess| guess.field == "adults")
            .unwrap_or_default();
        fields.insert(
            place,
            Guess {
                field: "guests",
                places: vec![steps],
                how: How::Sum,
                note: Some("adults and children together".to_owned()),
            },
        );
    }
}

/// `guest: {name: …}`, and `customer`, `contact` and the like.
fn guest_name(look: &Look<'_>, fields: &mut Vec<Guess>) {
    if fields
        .iter()
        .any(|guess| guess.field.starts_with("guest.") && guess.field.ends_with("name"))
    {
        return;
    }
    let found = look.tree.places.iter().find(|place| {
        let mut names = place.names().rev();
        let own = names.next().map(|name| super::words::words(name)).unwrap_or_default();
        let parent = names.next().map(|name| super::words::words(name)).unwrap_or_default();
        own == ["name"]
            && parent
                .iter()
                .any(|word| ["guest", "customer", "booker", "contact", "traveler", "client"].contains(&word.as_str()))
    });
    if let Some(place) = found {
        fields.push(Guess {
            field: "guest.name",
            places: vec![place.steps.clone()],
            how: How::Plain,
            note: None,
        });
    }
}

fn version(look: &Look<'_>, guessed: &Guessed) -> Vec<Vec<Step>> {
    if guessed.sort != Sort::Stay {
        return Vec::new();
    }
    let updated = guessed.fields.iter().find(|guess| guess.field == "updated_at");
    let by = updated.and_then(|guess| guess.places.first().cloned());
    let envelope = || {
        // The time of the delivery itself, beside the type: it grows with every one.
        let names = &[
            "time stamp",
            "published at",
            "occurred at",
            "created",
            "created at",
            "event time",
            "event date",
            "time",
        ];
        let outside = look.named(names, 2, |shape| shape.is_day() || shape.is_number());
        outside
            .into_iter()
            .find(|steps| !steps.starts_with(&look.scope) || look.scope.is_empty() && guessed.event.is_some())
    };
    let by = by.or_else(envelope);
    let mut version: Vec<Vec<Step>> = by.into_iter().collect();
    if let Some(sent) = guessed
        .sent
        .iter()
        .find(|steps| !version.is_empty() && !version.contains(steps))
        && look
            .tree
            .places
            .iter()
            .any(|place| place.steps == *sent && moment(place))
    {
        version.push(sent.clone());
    }
    version
}

fn moment(place: &Place) -> bool {
    Shape::of(place.value()).is_day() || may_be_epoch(place.value())
}

impl Look<'_> {
    /// The place that fits a rule best.
    fn best(&self, rule: &Rule) -> Option<&Place> {
        let scored = self
            .tree
            .places
            .iter()
            .filter_map(|place| Some((self.score(rule, place)?, place)));
        let best = scored.max_by(|(a, left), (b, right)| a.cmp(b).then(right.steps.len().cmp(&left.steps.len())))?;
        (best.0 >= ENOUGH).then_some(best.1)
    }

    fn score(&self, rule: &Rule, place: &Place) -> Option<i32> {
        let shape = Shape::of(place.value());
        if shape == Shape::Nothing || !(rule.takes)(shape) {
            return None;
        }
        if matches!(rule.field, "created_at" | "updated_at") {
            // Outside of the stay it is the delivery that was made then.
            let own = place.words().join(" ");
            let of_delivery = self.flat && matches!(own.as_str(), "created" | "created at");
            if !moment(place) || !place.steps.starts_with(&self.scope) || of_delivery {
                return None;
            }
        }
        if rule.field == "money.currency" && place.value().as_str().is_none_or(|text| text.trim().len() != 3) {
            return None;
        }
        let inside = place.steps.starts_with(&self.scope);
        if place.is_listed(self.scope.len()) && inside && !rule.listed {
            return None;
        }
        self.named_as(place, rule.names, rule.not)
    }

    /// How sure the name of a place says that it is one of these.
    pub(super) fn named_as(&self, place: &Place, names: &[(&str, i32)], not: &[&str]) -> Option<i32> {
        let own = place.words();
        let parent = place
            .names()
            .rev()
            .nth(1)
            .map(|name| super::words::words(name))
            .unwrap_or_default();
        let below: Vec<Vec<String>> = place.names().map(|name| super::words::words(name)).collect();
        let far = below.iter().rev().skip(1).flatten();
        if far.clone().any(|word| ELSEWHERE.contains(&word.as_str())) {
            return None;
        }
        let against = |word: &String| not.contains(&word.as_str());
        if own.iter().any(against) || parent.iter().any(against) {
            return None;
        }
        let fits = |wanted: &str| {
            let wanted: Vec<&str> = wanted.split(' ').collect();
            let here = wanted.iter().filter(|word| own.iter().any(|one| one == *word)).count();
            let all = wanted
                .iter()
                .all(|word| own.iter().chain(&parent).any(|one| one == word));
            (here > 0 && all).then(|| {
                // What else the name says makes it less sure.
                let rest = own.len().saturating_sub(here);
                2 * i32::from(rest == 0) - i32::try_from(rest).unwrap_or(9).min(3)
            })
        };
        let best = names
            .iter()
            .filter_map(|(name, points)| Some(points + fits(name)?))
            .max()?;
        let inside = place.steps.starts_with(&self.scope);
        let depth = match inside {
            true => 2 - i32::try_from(place.steps.len() - self.scope.len()).unwrap_or(9).min(6) / 2,
            false => -1,
        };
        Some(best + depth)
    }

    /// Places that are called exactly so, not deeper than `depth` names, in the order of `names`.
    pub(super) fn named(&self, names: &[&str], depth: usize, takes: fn(Shape) -> bool) -> Vec<Vec<Step>> {
        let mut found = Vec::new();
        for name in names {
            for place in &self.tree.places {
                let fits =
                    place.steps.len() <= depth && place.words().join(" ") == *name && takes(Shape::of(place.value()));
                if fits && !place.is_listed(0) {
                    found.push(place.steps.clone());
                }
            }
        }
        found
    }

    /// The value that stands at a place.
    pub(super) fn value(&self, steps: &[Step]) -> Option<&Value> {
        self.tree
            .places
            .iter()
            .find(|place| place.steps == steps)
            .map(Place::value)
    }
}
