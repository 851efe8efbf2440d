//! What the tests of recipes share: stand-in kinds of actions, a stay, and an event about it.

mod book;
mod clocks;
mod matching;
mod mistakes;
mod never;
mod schedule;
mod whole;

use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

use super::*;
use crate::lang::diag::Report;
use crate::lang::effect::{EffectKind, Rendering};
use crate::lang::shape::{EMPTY, Form, More, Own, Shape};
use crate::lang::template::{Context, Format, Name, TemplateError};
use crate::lang::yaml::Node;
use crate::model::event::Event;
use crate::model::id::DeliveryId;

/// A kind of action that takes any settings and reads their templates.
struct Anything(&'static str);

static ANYTHING: Shape = Shape {
    what: "a step that takes anything",
    more: &[More::Own(&Own {
        name: "NAME",
        pattern: "",
        form: Form::Anything,
        about: "Anything.",
        example: "",
    })],
    ..EMPTY
};

#[derive(Debug)]
struct Tried {
    connection: Option<String>,
    tree: Tree,
}

impl EffectKind for Anything {
    fn name(&self) -> &'static str {
        self.0
    }

    fn shape(&self) -> &'static Shape {
        &ANYTHING
    }

    fn compile(&self, settings: &Node, report: &mut Report) -> Option<Arc<dyn Effect>> {
        let connection = settings.entries().iter().find(|(key, _)| key.text == "connection");
        Some(Arc::new(Tried {
            connection: connection.and_then(|(_, node)| node.scalar()).map(str::to_owned),
            tree: Tree::compile(settings, Format::Text, report)?,
        }))
    }
}

impl Effect for Tried {
    fn connection(&self) -> Option<&str> {
        self.connection.as_deref()
    }

    fn names(&self) -> Vec<(Name, Place)> {
        self.tree.names()
    }

    fn render(&self, _: &str, values: &Context) -> Result<Rendering, TemplateError> {
        Ok(Rendering::Skip(self.tree.value(values)?.value.to_string()))
    }
}

const KINDS: &[&dyn EffectKind] = &[&Anything("email"), &Anything("http")];

fn compiled(text: &str) -> (Option<Recipe>, Report) {
    let mut report = Report::new();
    let recipe = compile("r.yaml", text, KINDS, &mut report);
    assert_eq!(recipe.is_none(), report.has_mistakes(), "{}", report.render(|_| None));
    (recipe, report)
}

#[track_caller]
fn recipe(text: &str) -> Recipe {
    let (recipe, report) = compiled(text);
    recipe.unwrap_or_else(|| panic!("{}", report.render(|_| Some(text.to_owned()))))
}

/// A recipe with this `match`, and more at its top level.
#[track_caller]
fn matching(conditions: &str) -> Recipe {
    recipe(&format!(
        "name: r\non: {{event: reservation.created}}\n{conditions}\nactions: [{{http: {{}}}}]\n"
    ))
}

/// A confirmed stay of a guest from Antwerp with a cat.
fn stay() -> Value {
    json!({
        "key": "77", "code": "HMABC", "ids": ["77", "air-9"], "source": "hospitable", "kind": "guest",
        "status": "confirmed", "source_status": "accepted", "channel": "airbnb_official",
        "check_in": "2027-03-27T16:00:00-07:00", "check_out": "2027-03-30T11:00:00-07:00",
        "check_in_date": "2027-03-27", "check_out_date": "2027-03-30", "nights": 3,
        "guests": 4, "adults": 2, "children": 2, "infants": 0, "pets": null,
        "guest": {"first_name": "Ana", "name": "Ana Peeters", "email": "ana@example.com", "phone": null,
                  "location": "Antwerp, Belgium", "language": "nl"},
        "property": {"key": "brannan", "ids": ["1"], "name": "Brannan Street", "address": null,
                     "timezone": "America/Los_Angeles", "tags": ["Downtown", "self-check-in"],
                     "vars": {"lock": "dev_1", "self_clean": false, "cleaner": "bo@example.com"}},
        "money": {"currency": "USD", "total": serde_json::from_str::<Value>("500.10").unwrap()},
        "labels": ["VIP", "late"], "children_codes": [], "created_at": "2027-01-02T03:04:05Z",
    })
}

fn event(reservation: Value, previous: Value) -> Event {
    let delivery = DeliveryId("d_1".to_owned());
    Event {
        id: delivery.event(0),
        stay: delivery.stay(0),
        delivery,
        source: "hospitable".to_owned(),
        types: vec!["reservation.created".to_owned(), "reservation.confirmed".to_owned()],
        at_ms: 1_806_000_000_000,
        reservation: reservation.into(),
        previous: previous.into(),
        changes: json!({"check_out": {"from": "2027-03-29T11:00:00-07:00", "to": "2027-03-30T11:00:00-07:00"}}).into(),
        payment: Value::Null.into(),
        message: Value::Null.into(),
        around: Value::Null.into(),
        gathered: Value::Null.into(),
    }
}

fn blank() -> Value {
    json!({"code": null, "status": null, "guest": {"name": null}, "labels": [], "property": {"vars": {}, "tags": []}})
}

fn body() -> std::sync::Arc<Value> {
    std::sync::Arc::new(
        json!({"guest": {"location": "Gent, Belgium"}, "price": "120.50", "id": 12346789, "ref": "0042", "gone": null,
           "paid": true, "arrival": "2027-03-27", "rooms": [{"no": 1}, {"no": 7}]}),
    )
}

/// Two days and an hour before check-in.
fn now() -> DateTime<FixedOffset> {
    "2027-03-25T15:00:00-07:00".parse().unwrap()
}

fn wants(recipe: &Recipe, event: &Event) -> Wanted {
    recipe.wants(&Facts::new(event, &body(), now()))
}
