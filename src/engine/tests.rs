//! A world with sources and recipes, that is told bodies as they would arrive.

#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Setup, World, read_as};
use crate::decide::view;
use crate::lang::diag::Report;
use crate::lang::yaml;
use crate::model::blank::blank;
use crate::model::clock::Time;
use crate::model::decision::{Decision, FactDecision};
use crate::model::delivery::{Outcome, Pending};
use crate::model::event::Event;
use crate::model::id::DeliveryId;
use crate::model::plan::InForce;
use crate::model::property::Properties;
use crate::recipe::Book;
use crate::store::CameDue;
use crate::{action, source};

/// What happened in a world.
pub(crate) struct Lab {
    pub(crate) setup: Setup,
    pub(crate) world: World,
    pub(crate) now: Time,
    told: Vec<Decision>,
}

impl Lab {
    /// Sources by name, and recipes that send over the connections `cleaning` and `books`.
    pub(crate) fn new(sources: &[(&str, &str)], recipes: &[&str]) -> Lab {
        let mut report = Report::new();
        let node = |text: &str| yaml::parse("test.yaml", text, &mut Report::new()).unwrap();
        let mut compiled = HashMap::new();
        for (name, text) in sources {
            let source = source::compile(name, &node(text), &mut report).unwrap();
            compiled.insert((*name).to_owned(), Arc::new(source));
        }
        let mut connections = HashMap::new();
        for name in ["cleaning", "books"] {
            let settings = node("{http: {base_url: \"http://127.0.0.1:9\"}}");
            let none = |_: &str| Err(String::new());
            let connection = action::compile_connection(name, &settings, &none, &mut report).unwrap();
            connections.insert(name.to_owned(), Arc::new(connection));
        }
        let files = recipes.iter().enumerate();
        let files: Vec<(String, String)> = files
            .map(|(n, text)| (format!("recipes/{n}.yaml"), (*text).to_owned()))
            .collect();
        let book = Book::load(&files, &action::effect_kinds(), &mut report);
        assert!(!report.has_mistakes(), "{}", report.render(|_| None));
        Lab {
            setup: Setup {
                sources: compiled,
                book,
                properties: Properties::none(),
                connections,
                dry_run: false,
                redirect_email: None,
                in_force: InForce::default(),
            },
            world: World::new(),
            now: "2027-01-01T00:00:00Z".parse().unwrap(),
            told: Vec::new(),
        }
    }

    /// Delivers a body; what was decided.
    pub(crate) fn tell(&mut self, source: &str, body: &str) -> &Decision {
        let n = self.told.len() + 1;
        let pending = Pending {
            seq: i64::try_from(n).unwrap(),
            id: DeliveryId(format!("d_{n}")),
            source: source.to_owned(),
            received_at: self.now,
            headers: "{}".to_owned(),
            body: body.as_bytes().to_vec(),
            outcome: Outcome::Undecided,
            replay: None,
        };
        let read = read_as(&self.setup, pending, None);
        let decision = self.world.deliver(&self.setup, &read, self.now).unwrap();
        self.told.push(decision);
        self.told.last().unwrap()
    }

    /// Forgets what was told last, so that the next delivery has its id.
    pub(crate) fn forget_last(&mut self) {
        self.told.pop();
    }

    /// Lets time pass; what came due.
    pub(crate) fn go_to(&mut self, time: &str) -> Vec<CameDue> {
        self.now = time.parse().unwrap();
        self.world.advance_to(&self.setup, self.now)
    }

    fn facts(&self) -> impl Iterator<Item = &FactDecision> {
        self.told.iter().flat_map(|decision| &decision.facts)
    }

    fn events(&self) -> impl Iterator<Item = &Event> {
        self.facts().filter_map(|fact| fact.event.as_ref())
    }

    /// The types of all events, without `reservation.`.
    pub(crate) fn event_types(&self) -> Vec<String> {
        let bare = |name: &String| name.strip_prefix("reservation.").unwrap_or(name).to_owned();
        let joined = |event: &Event| event.types.iter().map(bare).collect::<Vec<_>>().join(" ");
        self.events().map(joined).collect()
    }

    /// What became of each delivery.
    pub(crate) fn outcomes(&self) -> Vec<&'static str> {
        self.told.iter().map(|decision| decision.outcome.word()).collect()
    }

    /// Why.
    pub(crate) fn because(&self, n: usize) -> &str {
        &self.told[n].because
    }

    /// What the `n`th delivery could not say clearly.
    pub(crate) fn warnings(&self, n: usize) -> Vec<String> {
        self.told[n]
            .facts
            .iter()
            .flat_map(|fact| fact.warnings.clone())
            .collect()
    }

    /// An event as it is shown.
    pub(crate) fn event(&self, n: usize) -> Value {
        let mut event = serde_json::to_value(self.events().nth(n).unwrap()).unwrap();
        if event["previous"].is_null() {
            event["previous"] = blank().clone();
        }
        event
    }

    /// A stay as recipes see it, by its code.
    pub(crate) fn reservation(&self, code: &str) -> Value {
        let stays = self.facts().filter_map(|fact| fact.stay.as_ref());
        let named = stays.filter(|stay| stay.code() == Some(code)).last().unwrap();
        view(self.world.stay(&named.id).unwrap(), &self.setup.properties).json
    }
}

mod clock;
mod settle;
