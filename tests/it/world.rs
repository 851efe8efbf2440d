//! What the daemon does with deliveries and with time is what a world in memory says, for every recorded body and for
//! histories made up at random.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use stayhook::engine::{World, read};
use stayhook::model::clock::{Time, from_ms};
use stayhook::model::decision::{Decision, Explanation, FirstStep, Opening};
use stayhook::model::delivery::{Outcome, Pending};
use stayhook::model::event::Event;
use stayhook::model::id::{DeliveryId, Ids};
use stayhook::store::{Becomes, CameDue};

use crate::clock::{SENDER, brannan};
use crate::presets::replay::send;
use crate::presets::{clock, senders};
use crate::sender::plan;
use crate::support::{House, Plan, at};

/// A world that is told what a house was told, and what it said.
#[derive(Default)]
struct Shadow {
    world: World,
    told: usize,
    /// Outcome and reason of each delivery.
    outcomes: BTreeMap<String, (String, String)>,
    /// Event and explanation.
    events: BTreeMap<String, (Value, Value)>,
    /// By run: its recipe, and the request of its first step, where there was one.
    runs: BTreeMap<String, (String, Option<Value>)>,
}

fn request(opening: &Opening) -> Value {
    json!({"position": opening.position, "request": opening.prepared.request})
}

impl Shadow {
    fn event(&mut self, event: &Event, explanation: &[Explanation]) {
        let mut told = serde_json::to_value(event).unwrap();
        if told["previous"].is_null() {
            // As it is shown.
            told["previous"] = stayhook::model::blank::blank().clone();
        }
        let both = (told, serde_json::to_value(explanation).unwrap());
        self.events.insert(event.id.0.clone(), both);
    }

    fn decided(&mut self, decision: &Decision) {
        let outcome = (decision.outcome.word().to_owned(), decision.because.clone());
        self.outcomes.insert(decision.delivery.0.clone(), outcome);
        for fact in &decision.facts {
            if let Some(event) = &fact.event {
                self.event(event, &fact.explanation);
            }
            for run in fact.runs.iter().filter(|run| !run.settles) {
                let first = match &run.first {
                    FirstStep::Rendered(opening) => Some(request(opening)),
                    _ => None,
                };
                self.runs.insert(run.id.0.clone(), (run.recipe.clone(), first));
            }
        }
    }

    fn came(&mut self, came: &CameDue) {
        if let Some((event, explanation)) = &came.event {
            self.event(event, explanation);
        }
        if let Becomes::Ready(ready) = &came.becomes {
            let recipe = came.event.as_ref().unwrap().1[0].recipe.clone();
            self.runs
                .insert(came.run.0.clone(), (recipe, Some(request(&ready.opening))));
        }
    }

    /// Tells the world the deliveries that the house has got since, as they are stored.
    async fn follow(&mut self, house: &House) {
        let setup = house.engine.setup();
        for row in house.deliveries().await.split_off(self.told) {
            self.told += 1;
            let row = house.engine.store.delivery(&row.id).await.unwrap().unwrap();
            let pending = Pending {
                seq: row.seq,
                id: DeliveryId(row.id),
                source: row.source,
                received_at: from_ms(row.received_at_ms),
                headers: row.headers.unwrap_or_default().to_string(),
                body: row.body.unwrap_or_default().into_bytes(),
                outcome: Outcome::Undecided,
                replay: None,
            };
            let decision = self.world.deliver(&setup, &read(&setup, pending), house.clock.now());
            self.decided(&decision.unwrap());
        }
    }

    /// Lets both go on to a time, from one thing that is due to the next.
    async fn go_on(&mut self, house: &House, to: Time) {
        let setup = house.engine.setup();
        while let Some(next) = self.world.next_at().filter(|next| *next <= to) {
            house.clock.set(next.max(house.clock.now()));
            house.engine.clockwork.wake.notify_one();
            house.idle().await;
            for came in self.world.advance_to(&setup, next) {
                self.came(&came);
            }
        }
        house.clock.set(to.max(house.clock.now()));
    }

    /// What the house has stored is what the world has said.
    async fn compare(&self, house: &House, of: &str) {
        let store = &house.engine.store;
        for row in house.deliveries().await {
            let said = self.outcomes.get(&row.id).map(|(a, b)| (a.as_str(), b.as_str()));
            assert_eq!(said, Some((row.outcome.as_str(), row.because.as_str())), "{of}");
        }
        let filter = stayhook::store::Filter {
            limit: Some(500),
            ..Default::default()
        };
        let events = store.events(&filter).await.unwrap().items;
        let ids: Vec<&String> = events.iter().map(|row| &row.id).collect();
        assert_eq!(events.len(), self.events.len(), "{of} {ids:?} {:?}", self.events.keys());
        for row in &events {
            let stored = store.event(&row.id).await.unwrap().unwrap();
            let (event, explanation) = &self.events[&row.id];
            assert_eq!(stored.event.as_ref(), Some(event), "{of}");
            assert_eq!(stored.explanation.as_ref(), Some(explanation), "{of}");
        }
        let runs = house.runs().await;
        for run in &runs {
            let detail = house.run(&run.id).await;
            let first = detail.steps.iter().find(|step| !step.request.is_null());
            let stored = first.map(|step| json!({"position": step.position, "request": step.request["request"]}));
            match self.runs.get(&run.id) {
                Some((recipe, first)) => assert_eq!((&run.recipe, &stored), (recipe, first), "{of}"),
                // What the clock planned and what did not go.
                None => assert!(stored.is_none() && !run.entries.is_empty(), "{of}: {run:?}"),
            }
        }
        for id in self.runs.keys() {
            assert!(runs.iter().any(|run| run.id == *id), "{of}: {id}");
        }
        let waits: BTreeMap<&str, Time> = runs
            .iter()
            .filter(|run| run.state == "scheduled")
            .map(|run| (run.id.as_str(), from_ms(run.due_at_ms)))
            .collect();
        let said = self.world.scheduled().into_iter().map(|(id, at)| (id.as_str(), at));
        assert_eq!(waits, said.collect(), "{of}");
    }
}

const RECIPES: [&str; 7] = [
    "
name: Book
on: {event: [reservation.created, reservation.confirmed, reservation.updated]}
actions: [{http: {connection: books, url: '/book/{{ reservation.key }}', json: {now: '{{ now }}', guests: '{{ reservation.guests }}'}}}]
",
    "
name: Cancelled
on: {event: reservation.cancelled}
actions: [{http: {connection: books, url: '/gone/{{ reservation.key }}'}}]
",
    "
name: Door
on: {stay: check_in, before: 2d, at: '10:00'}
actions: [{http: {connection: cleaning, url: '/door/{{ reservation.key }}/{{ reservation.check_out_date }}'}}]
",
    "
name: Turn
on: {stay: check_out}
when: stay.next is known
actions: [{http: {connection: cleaning, url: '/turn/{{ reservation.key }}/{{ stay.next.key }}/{{ stay.same_day_turn }}'}}]
",
    "
name: Moved
on: {event: reservation.dates_changed}
settle: 30m
actions: [{http: {connection: cleaning, url: '/moved/{{ reservation.key }}/{{ changes.check_out.to }}'}}]
",
    "
name: Unpaid
on: {status: pending, for: 24h}
actions: [{http: {connection: books, url: '/unpaid/{{ reservation.key }}'}}]
",
    "
name: List
on: {schedule: {daily: true, at: '07:00', timezone: Europe/Lisbon}}
gather: {arrivals: {stay: check_in, within: 3d}}
actions: [{http: {connection: books, url: '/list/{{ gathered.arrivals | length }}'}}]
",
];

const STATUSES: [&str; 6] = ["confirmed", "confirmed", "confirmed", "pending", "cancelled", "house"];
const PROPERTIES: [&str; 3] = ["brannan", "alfama", "elsewhere"];

fn with_recipes(mut plan: Plan) -> Plan {
    for recipe in RECIPES {
        plan = plan.recipe(recipe);
    }
    plan
}

/// A few weeks of bookings in two properties.
async fn history(seed: u64) {
    let mut chance = StdRng::seed_from_u64(seed);
    let house = with_recipes(plan().source("pms", SENDER).properties(brannan()))
        .build()
        .await;
    let mut shadow = Shadow::default();
    shadow.world.plan_schedules(&house.engine.setup(), house.clock.now());
    for n in 1..=chance.random_range(4..10) {
        let code = ["A", "B", "C", "D"][chance.random_range(0..4)];
        let from = at("2027-01-06T00:00:00Z").date_naive() + TimeDelta::days(chance.random_range(0..12));
        let body = json!({
            "code": code,
            "status": (STATUSES[chance.random_range(0..STATUSES.len())]),
            "check_in": from,
            "check_out": from + TimeDelta::days(chance.random_range(1..5)),
            "property": (PROPERTIES[chance.random_range(0..PROPERTIES.len())]),
            "guests": chance.random_range(1..4),
            // Now and then an older one.
            "seq": n + chance.random_range(0..3) * 2 - 2,
            "id": format!("{code}-{n}"),
        });
        house.tell("pms", &body.to_string()).await;
        shadow.follow(&house).await;
        shadow.go_on(&house, house.clock.now()).await;
        let later = house.clock.now() + TimeDelta::minutes(chance.random_range(1..60 * 48));
        shadow.go_on(&house, later).await;
    }
    let end = house.clock.now() + TimeDelta::days(8);
    shadow.go_on(&house, end).await;
    shadow.compare(&house, &format!("seed {seed}")).await;
}

#[tokio::test]
async fn the_daemon_does_what_the_world_says() {
    for seed in 0..24 {
        history(seed).await;
    }
}

#[tokio::test]
#[ignore = "takes minutes: a thousand histories"]
async fn the_daemon_does_what_the_world_says_a_thousand_times() {
    for seed in 1000..2000 {
        history(seed).await;
    }
}

#[tokio::test]
async fn every_recorded_body_does_what_the_world_says() {
    for sender in senders() {
        let house = with_recipes(Plan::default().source(&sender.preset, &sender.settings))
            .build()
            .await;
        let ids = Arc::new(Ids::seeded(9));
        let mut shadow = Shadow::default();
        shadow.world.plan_schedules(&house.engine.setup(), house.clock.now());
        for (n, request) in sender.requests.iter().enumerate() {
            send(&house, &ids, request, request.clock.unwrap_or(clock(n))).await;
            house.idle().await;
            shadow.follow(&house).await;
            shadow.go_on(&house, house.clock.now()).await;
        }
        shadow.compare(&house, &sender.preset).await;
    }
}
