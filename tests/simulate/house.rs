//! The real engine on a file of its own, moved step by step, and killed where the seed says.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, RwLock};

use stayhook::action;
use stayhook::engine::Setup;
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::Clock;
use stayhook::model::delivery::{Arrival, Receipt};
use stayhook::model::id::{DeliveryId, Ids};
use stayhook::model::meter::Meter;
use stayhook::model::plan::InForce;
use stayhook::outbound::Outbound;
use stayhook::recipe::Book;
use stayhook::source;
use stayhook::store::{Revision, Store, StoreError};
use stayhook::worker::by_step::ByStep;
use stayhook::worker::{Engine, Lanes};
use tokio::task::JoinSet;

use crate::calendar;
use crate::rules::Rule;

/// Nobody is there: what comes back is made up by the stand-ins.
const CONNECTIONS: &str = "
cleaning: {http: {base_url: 'http://127.0.0.1:9', concurrency: 2}}
books: {http: {base_url: 'http://127.0.0.1:9'}}
mail: {smtp: {host: 127.0.0.1, port: 9, tls: none, from: Stays <stays@example.com>}}
";

/// What the business does with its bookings: one after the other, the newest only, in parallel, at most once, over
/// several connections, in spite of a cancellation and because of it.
pub const RECIPES: [&str; 8] = [
    "
name: Clean
on: {event: reservation.confirmed}
actions:
  - id: book
    http: {connection: cleaning, method: PUT, url: '/stays/{{ reservation.key }}', json: {guests: '{{ reservation.guests }}', asked: '{{ now }}'}, output: {id: $.id}}
  - http: {connection: books, url: '/stays/{{ reservation.key }}', json: {task: '{{ steps.book.output.id }}', asked: '{{ now }}'}}
",
    "
name: Move
on: {event: reservation.dates_changed}
mode: newest
actions:
  - http: {connection: cleaning, method: PATCH, url: '/stays/{{ reservation.key }}', json: {until: '{{ reservation.check_out_date }}', asked: '{{ now }}'}}
",
    "
name: Count
on: {event: reservation.guests_changed}
mode: parallel
actions:
  - retry: {schedule: [1m, 5m]}
    on_error: continue
    http: {connection: cleaning, url: '/stays/{{ reservation.key }}/guests', json: {guests: '{{ reservation.guests }}', asked: '{{ now }}'}}
  - http: {connection: books, url: '/stays/{{ reservation.key }}/guests', json: {asked: '{{ now }}'}}
",
    "
name: Tell
on: {event: reservation.dates_changed}
settle: 10m
actions:
  - http: {connection: books, url: '/tell/{{ reservation.key }}', json: {from: '{{ previous.check_out_date }}', to: '{{ reservation.check_out_date }}'}}
",
    "
name: Told
on: {event: reservation.confirmed}
match: {status: [booked, cancelled]}
actions:
  - http: {connection: books, url: '/told/{{ reservation.key }}', json: {asked: '{{ now }}'}}
",
    "
name: Farewell
on: {event: reservation.cancelled}
actions:
  - http: {connection: cleaning, method: DELETE, url: '/stays/{{ reservation.key }}', json: {asked: '{{ now }}'}}
  - http: {connection: books, method: DELETE, url: '/stays/{{ reservation.key }}'}
",
    "
name: Paid
on: {event: payment.created}
actions:
  - http: {connection: books, url: '/paid/{{ payment.id }}', json: {amount: '{{ payment.amount }}', asked: '{{ now }}'}}
",
    "
name: Pass on
on: {event: message.received}
actions:
  - at_most_once: true
    email: {connection: mail, to: host@example.com, subject: 'From {{ reservation.key }}', text: '{{ message.text }}'}
",
];

/// The connections, by name.
pub const TARGETS: [&str; 3] = ["cleaning", "books", "mail"];

fn node(text: &str) -> yaml::Node {
    let mut report = Report::new();
    let node = yaml::parse("simulate.yaml", text, &mut report);
    assert!(!report.has_mistakes(), "{}", report.render(|_| Some(text.to_owned())));
    node.unwrap()
}

/// Sources, recipes and connections, compiled once for all seeds of a thread.
pub fn setup() -> Setup {
    let mut report = Report::new();
    let mut connections = HashMap::new();
    for (name, settings) in node(CONNECTIONS).entries() {
        let none = |_: &str| Err("there is no file".to_owned());
        let connection = action::compile_connection(&name.text, settings, &none, &mut report);
        assert!(
            !report.has_mistakes(),
            "{}",
            report.render(|_| Some(CONNECTIONS.to_owned()))
        );
        connections.insert(name.text.clone(), Arc::new(connection.unwrap()));
    }
    let mut sources = HashMap::new();
    for name in ["pms", "sheet"] {
        let settings = node("{preset: generic, auth: none}");
        let source = source::compile(name, &settings, &mut report).unwrap();
        sources.insert(name.to_owned(), Arc::new(source));
    }
    Setup {
        sources,
        book: book(&[]),
        properties: calendar::properties(),
        connections,
        dry_run: false,
        redirect_email: None,
        in_force: InForce::default(),
    }
}

/// The recipes, with these rules of the clock among them.
pub fn book(rules: &[Rule]) -> Book {
    let own = RECIPES.iter().map(|text| (*text).to_owned());
    let texts: Vec<String> = own.chain(rules.iter().map(Rule::yaml)).collect();
    let file = |(n, text): (usize, &String)| (format!("recipes/{n}.yaml"), text.clone());
    let files: Vec<(String, String)> = texts.iter().enumerate().map(file).collect();
    let mut report = Report::new();
    let book = Book::load(&files, &action::effect_kinds(), &mut report);
    assert!(!report.has_mistakes(), "{}", report.render(|_| Some(texts.concat())));
    book
}

/// What the store keeps of the recipes.
pub fn revisions(setup: &Setup) -> Vec<Revision> {
    let revisions = setup.book.all().iter().map(|recipe| Revision {
        recipe: recipe.name.clone(),
        hash: recipe.revision.clone(),
        file: recipe.file.clone(),
        text: recipe.text.clone(),
    });
    revisions.collect()
}

/// The process died in the middle of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Died;

/// One life of the daemon.
pub struct House {
    pub engine: Engine,
    pub worker: ByStep,
    /// The writer of the store.
    writer: JoinSet<()>,
}

/// The address of the database in this folder.
pub fn address(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("stayhook.db").display())
}

/// What a life needs that outlives it.
#[derive(Clone)]
pub struct Ground {
    pub setup: Arc<Setup>,
    pub clock: Clock,
    pub outbound: Outbound,
}

impl House {
    /// Starts the daemon; with `fuse` it dies so many borders of the store later at the latest.
    pub async fn open(ground: &Ground, folder: &Path, fuse: Option<u32>) -> Result<House, Died> {
        let (store, writing) = Store::open(&address(folder)).await.unwrap();
        let (setup, clock) = (ground.setup.clone(), ground.clock.clone());
        let lanes = Lanes::default();
        lanes.configure(setup.connections.values().map(|connection| &**connection));
        let revisions = revisions(&setup);
        let mut writer = JoinSet::new();
        let written = store.clone();
        writer.spawn(async move { Store::run_writer(writing, &written).await });
        let engine = Engine {
            store,
            clock,
            setup: Arc::new(RwLock::new(setup)),
            outbound: ground.outbound.clone(),
            lanes,
            owner: "simulated".into(),
            inbox: Arc::default(),
            outbox: Arc::default(),
            clockwork: Default::default(),
            meter: Arc::new(Meter::new("simulated")),
            pulse: Arc::default(),
        };
        if let Some(borders) = fuse {
            engine.store.fuse().light(borders);
        }
        let begun = async {
            engine.store.keep_revisions(revisions, engine.clock.now()).await?;
            ByStep::start(engine.clone()).await
        };
        let begun = tokio::select! {
            biased;
            begun = begun => Some(begun.unwrap()),
            () = engine.store.fuse().blown() => None,
        };
        match begun {
            Some(worker) => Ok(House { engine, worker, writer }),
            None => {
                gone(engine, writer).await;
                Err(Died)
            }
        }
    }

    /// One step of the worker, unless the process dies in it.
    pub async fn step<T>(&mut self, step: impl AsyncFnOnce(&mut ByStep) -> T) -> Result<T, Died> {
        let store = self.engine.store.clone();
        tokio::select! {
            biased;
            done = step(&mut self.worker) => Ok(done),
            () = store.fuse().blown() => Err(Died),
        }
    }

    /// Stores a delivery, as the receive path does.
    pub async fn receive(
        &self,
        source: &str,
        bytes: Vec<u8>,
        id: DeliveryId,
    ) -> Result<Result<Receipt, StoreError>, Died> {
        let source = self.engine.setup().sources[source].clone();
        let value = stayhook::model::json::read(&bytes).unwrap();
        let arrival = Arrival {
            id,
            source: source.name().to_owned(),
            receipt: source.receipt_key(&bytes, &value, &|_| None),
            received_at: self.engine.clock.now(),
            headers: "{}".to_owned(),
            body: bytes,
        };
        tokio::select! {
            biased;
            received = self.engine.store.receive(arrival) => Ok(received),
            () = self.engine.store.fuse().blown() => Err(Died),
        }
    }

    /// The end of the process, wherever it stands: nothing of it is left but the file.
    pub async fn kill(self) {
        drop(self.worker);
        gone(self.engine, self.writer).await;
    }
}

async fn gone(engine: Engine, mut writer: JoinSet<()>) {
    writer.shutdown().await;
    engine.store.close().await;
}

/// Ids of deliveries, never the same twice over all lives.
pub fn ids(seed: u64) -> Ids {
    Ids::seeded(seed)
}
