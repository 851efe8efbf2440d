//! Whether a recipe wants an event, and why.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde_json::{Map, Value};

use crate::lang::template::{Condition, Context, TemplateError};
use crate::model::decision::Check;
use crate::model::event::Event;

use super::conditions::{Match, booked, short};
use super::context::{of_event, of_run};
use super::matching::{View, at};
use super::reads::of_vars;
use super::{Gather, Recipe, Trigger};

/// What is known when it is asked whether recipes want an event. One for all recipes: what their `when` reads is
/// put together once.
#[derive(Debug)]
pub struct Facts<'a> {
    event: &'a Event,
    payload: &'a Arc<Value>,
    now: DateTime<FixedOffset>,
    values: OnceLock<Context>,
    /// The same without steps, vars and run, which is what nearly every `when` reads.
    bare: OnceLock<Context>,
}

impl<'a> Facts<'a> {
    /// `payload` is the delivery's body, `now` the time with the offset of the property's zone.
    pub fn new(event: &'a Event, payload: &'a Arc<Value>, now: DateTime<FixedOffset>) -> Facts<'a> {
        Facts {
            event,
            payload,
            now,
            values: OnceLock::new(),
            bare: OnceLock::new(),
        }
    }

    /// The values that templates see: `steps` is step id to `{output: …}`, for the steps that are done; `vars` the recipe's
    /// vars, rendered; for `run` see [`super::RUN_NAMES`]. Null stands for none of them.
    pub fn values(&self, steps: Value, vars: Value, run: Value) -> Context {
        let shared = self.values.get_or_init(|| {
            let now = self.now.to_rfc3339_opts(SecondsFormat::Secs, false);
            of_event(self.event, self.payload, &now)
        });
        of_run(shared.clone(), steps, vars, run)
    }

    /// What conditions look at.
    fn view(&self) -> View<'_> {
        View {
            previous: &self.event.previous,
            payload: self.payload,
            payment: &self.event.payment,
            message: &self.event.message,
            ..View::of_stay(&self.event.reservation, self.now)
        }
    }
}

/// Whether a recipe wants an event, with every condition and what it saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Whether a run is to be made; never with `failed`.
    pub wanted: bool,
    /// All conditions: whether it is enabled (only if not), its triggers, `match`, `when`.
    pub checks: Vec<Check>,
    /// Why it could not be said, where nothing else spoke against it: `when` or `vars` has a mistake that only this
    /// event's values brought to light.
    pub failed: Option<String>,
}

impl Wanted {
    /// In one line for a person: what spoke against it first, or that nothing did.
    pub fn because(&self) -> String {
        match (&self.failed, self.checks.iter().find(|check| !check.held)) {
            (Some(failed), _) => failed.clone(),
            (None, Some(check)) => format!("{} is not so: {}", check.condition, check.saw),
            (None, None) => "every condition holds".to_owned(),
        }
    }
}

impl Recipe {
    /// Holds the recipe against an event. Everything is evaluated, so that the explanation is complete.
    pub fn wants(&self, facts: &Facts) -> Wanted {
        let mut checks = Vec::new();
        if !self.enabled {
            checks.push(Check {
                condition: "enabled".to_owned(),
                saw: "the recipe is switched off".to_owned(),
                held: false,
            });
        }
        checks.push(self.trigger(facts.event));
        checks.extend(self.conditions.check(&View {
            kind: kind_of(facts.event),
            ..facts.view()
        }));
        self.and_when(checks, facts)
    }

    /// Holds the recipe against a clock's event, that its time has come. `until_status`: whether `match` has to name a
    /// status, and `booked` holds where it does not. A schedule has no stay to hold `match` against.
    pub fn wants_when_due(&self, facts: &Facts, of_stay: bool, booked_unless_named: bool) -> Wanted {
        let mut checks = Vec::new();
        if of_stay {
            let view = facts.view();
            checks = self.conditions.check(&view);
            if booked_unless_named && !self.conditions.names_status() {
                checks.extend(Match { tests: vec![booked()] }.check(&view));
            }
        }
        self.and_when(checks, facts)
    }

    /// The checks so far and `when`.
    fn and_when(&self, mut checks: Vec<Check>, facts: &Facts) -> Wanted {
        let mut failed = None;
        if let Some(when) = &self.when {
            match self.check_when(when, facts) {
                Ok(check) => checks.push(check),
                // Where something else speaks against it, there is nothing that could have failed.
                Err(reason) if checks.iter().all(|check| check.held) => failed = Some(reason),
                Err(reason) => checks.push(Check {
                    condition: says(when),
                    saw: reason,
                    held: false,
                }),
            }
        }
        Wanted {
            wanted: failed.is_none() && checks.iter().all(|check| check.held),
            checks,
            failed,
        }
    }

    /// Renders `vars` one after the other, for a run with these steps done.
    ///
    /// # Errors
    /// The first mistake that the event's values bring to light, with the name of the var.
    pub fn vars(&self, facts: &Facts, steps: &Value, run: &Value) -> Result<Value, TemplateError> {
        let mut vars = Map::new();
        if self.vars.is_empty() {
            return Ok(Value::Object(vars));
        }
        let mut values = facts.values(steps.clone(), Value::Null, run.clone());
        for (name, tree) in &self.vars {
            if tree.names().iter().any(|(name, _)| of_vars(&name.path)) {
                values = values.with("vars", Value::Object(vars.clone()));
            }
            let rendered = tree.value(&values).map_err(|error| TemplateError {
                message: format!("vars.{name}: {}", error.message),
                ..error
            })?;
            vars.insert(name.clone(), rendered.value);
        }
        Ok(Value::Object(vars))
    }

    fn trigger(&self, event: &Event) -> Check {
        let types: Vec<&str> = self.on.iter().flat_map(Trigger::types).map(String::as_str).collect();
        Check {
            condition: format!("on {}", types.join(" or ")),
            saw: short(&event.types.join(", ")),
            held: self.on.iter().any(|trigger| trigger.wants(event)),
        }
    }

    fn check_when(&self, when: &Condition, facts: &Facts) -> Result<Check, String> {
        let verdict = if when.names().iter().any(|name| of_vars(&name.path)) {
            let vars = self.vars(facts, &Value::Null, &Value::Null);
            let vars = vars.map_err(|error| error.to_string())?;
            when.holds(&facts.values(Value::Null, vars, Value::Null))
        } else {
            let values = || facts.values(Value::Null, Value::Null, Value::Null);
            when.holds(facts.bare.get_or_init(values))
        };
        let verdict = verdict.map_err(|error| format!("`when`: {error}"))?;
        let saw: Vec<String> = verdict
            .saw
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        Ok(Check {
            condition: says(when),
            saw: short(&saw.join(", ")),
            held: verdict.held,
        })
    }
}

fn says(when: &Condition) -> String {
    format!("when {}", short(when.source().trim()))
}

/// The kind to hold `match` against: a guest's stay that turns into a block is cancelled as the guest's stay it was.
fn kind_of(event: &Event) -> &Value {
    let now = at(&event.reservation, "kind");
    let before = at(&event.previous, "kind");
    let cancelled = event.types.iter().any(|kind| kind == "reservation.cancelled");
    if cancelled && now == "block" && before != "block" {
        before
    } else {
        now
    }
}

impl Gather {
    /// Whether a stay is on the list, apart from its time.
    pub fn wants(&self, stay: &Value, now: DateTime<FixedOffset>) -> bool {
        self.conditions.holds(&View::of_stay(stay, now))
    }
}
