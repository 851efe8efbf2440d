//! The house under test: the real engine on a database of its own, with stand-ins for every target and a clock that is
//! moved by hand.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::standin::HttpStandin;
use crate::standin::SmtpStandin;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use stayhook::action;
use stayhook::engine::Setup;
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::Clock;
use stayhook::model::delivery::{Arrival, Receipt};
use stayhook::model::id::{DeliveryId, Ids};
use stayhook::model::property::Properties;
use stayhook::outbound::Outbound;
use stayhook::recipe::Book;
use stayhook::source::{self, Source};
use stayhook::store::{Counts, DeliveryRow, EventRow, Filter, ReplayWhich, RunDetail, RunRow, StayRow, Store};
use stayhook::worker::{Clockwork, Engine, Lanes};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a test waits for the house before it fails; a healthy one needs milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a house is built of.
#[derive(Default)]
pub struct Plan {
    sources: Vec<(String, String)>,
    connections: String,
    recipes: Vec<String>,
    properties: Option<Properties>,
    dry_run: bool,
    /// How often it was restarted: ids must not come twice.
    restarts: u64,
}

impl Plan {
    /// A source by name and YAML.
    pub fn source(mut self, name: &str, yaml: &str) -> Plan {
        self.sources.push((name.to_owned(), yaml.to_owned()));
        self
    }

    /// More connections beside `cleaning`, `books` (HTTP) and `mail` (SMTP).
    pub fn connections(mut self, yaml: &str) -> Plan {
        self.connections.push_str(yaml);
        self
    }

    /// Another YAML for a source there is already.
    pub fn source_changed(mut self, name: &str, yaml: &str) -> Plan {
        self.sources.retain(|(known, _)| known != name);
        self.source(name, yaml)
    }

    /// A recipe's text.
    pub fn recipe(mut self, yaml: &str) -> Plan {
        self.recipes.push(yaml.to_owned());
        self
    }

    /// Other recipes instead of all before.
    pub fn instead(mut self, yaml: &str) -> Plan {
        self.recipes = vec![yaml.to_owned()];
        self
    }

    /// Without the connections that were added.
    pub fn without_connections(mut self) -> Plan {
        self.connections.clear();
        self
    }

    pub fn properties(mut self, properties: Properties) -> Plan {
        self.properties = Some(properties);
        self
    }

    pub fn dry_run(mut self) -> Plan {
        self.dry_run = true;
        self
    }

    pub async fn build(self) -> House {
        let folder = tempfile::tempdir().unwrap();
        House::open(self, folder, Clock::manual(at("2027-01-01T00:00:00Z")), None).await
    }
}

/// A running house.
pub struct House {
    pub engine: Engine,
    pub clock: Clock,
    pub cleaning: Arc<HttpStandin>,
    pub books: Arc<HttpStandin>,
    pub mail: Arc<SmtpStandin>,
    ids: Arc<Ids>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    plan: Plan,
    folder: tempfile::TempDir,
}

/// A time, RFC 3339.
pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A recorded request of a sender.
pub fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/sources/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

type Targets = (Arc<HttpStandin>, Arc<HttpStandin>, Arc<SmtpStandin>);

/// Opens the store. A program that another test is just starting holds a copy of our files until it runs, and with them
/// the lock of a house that has ended.
async fn opened(url: &str) -> (Store, stayhook::store::Writer) {
    let opening = async {
        loop {
            match Store::open(url).await {
                Err(stayhook::store::StoreError::Locked) => tokio::task::yield_now().await,
                opened => return opened.unwrap(),
            }
        }
    };
    tokio::time::timeout(PATIENCE, opening)
        .await
        .expect("nobody holds the store for long")
}

impl House {
    async fn open(plan: Plan, folder: tempfile::TempDir, clock: Clock, targets: Option<Targets>) -> House {
        stayhook::outbound::install_crypto();
        // `RUST_LOG=debug cargo test NAME -- --nocapture` shows what the house does.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        let (cleaning, books, mail) = match targets {
            Some(targets) => targets,
            None => (
                Arc::new(HttpStandin::start().await.unwrap()),
                Arc::new(HttpStandin::start().await.unwrap()),
                Arc::new(SmtpStandin::start().await.unwrap()),
            ),
        };
        let url = format!("sqlite://{}", folder.path().join("stayhook.db").display());
        // Each process sees it for itself.
        let clock = clock.seen_anew();
        let (store, writer) = opened(&url).await;
        let setup = setup(&plan, &cleaning, &books, &mail);
        let lanes = Lanes::default();
        lanes.configure(setup.connections.values().map(|connection| &**connection));
        let revisions = revisions(&setup);
        let engine = Engine {
            store,
            clock: clock.clone(),
            setup: Arc::new(RwLock::new(Arc::new(setup))),
            outbound: Outbound::new().unwrap(),
            lanes,
            owner: "test".into(),
            inbox: Arc::default(),
            outbox: Arc::default(),
            clockwork: Clockwork::default(),
            meter: Arc::new(stayhook::model::meter::Meter::new("test")),
            pulse: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        let store = engine.store.clone();
        tasks.spawn(async move { Store::run_writer(writer, &store).await });
        engine.store.keep_revisions(revisions, clock.now()).await.unwrap();
        engine.recover().await.unwrap();
        let stop = CancellationToken::new();
        for (_, task) in engine.tasks(&stop) {
            tasks.spawn(task);
        }
        // What other recipes planned is planned anew first, whatever the clock is set to meanwhile.
        engine.clockwork.until_planned().await;
        House {
            engine,
            clock,
            cleaning,
            books,
            mail,
            ids: Arc::new(Ids::seeded(7 + plan.restarts)),
            stop,
            tasks,
            plan,
            folder,
        }
    }

    /// Posts a body to a source as the sender would; the answer is that of the store.
    pub async fn deliver(&self, source: &str, body: &str) -> Receipt {
        let source = self.engine.setup().sources[source].clone();
        let value: Value = stayhook::model::json::read(body.as_bytes()).unwrap();
        let none = |_: &str| None;
        let arrival = Arrival {
            id: self.ids.delivery(self.clock.now()),
            source: source.name().to_owned(),
            receipt: source.receipt_key(body.as_bytes(), &value, &none),
            received_at: self.clock.now(),
            headers: "{}".to_owned(),
            body: body.as_bytes().to_vec(),
        };
        let receipt = self.engine.store.receive(arrival).await.unwrap();
        self.engine.inbox.notify_one();
        receipt
    }

    /// The database's address.
    pub fn database(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("stayhook.db").display())
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// Waits until every delivery is decided and nothing is due or under way.
    pub async fn idle(&self) {
        self.until(|counts| {
            let running = counts
                .runs
                .iter()
                .any(|(state, count)| state == "running" && *count > 0);
            counts.undecided == 0 && counts.due == 0 && counts.timers_due == 0 && !running
        })
        .await;
    }

    /// Waits until the counts are as asked.
    pub async fn until(&self, wanted: impl Fn(&Counts) -> bool) -> Counts {
        let mut commits = self.engine.store.commits();
        let wait = async {
            loop {
                commits.borrow_and_update();
                let counts = self.engine.store.counts(self.clock.now()).await.unwrap();
                if wanted(&counts) {
                    return counts;
                }
                commits.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(counts) => counts,
            Err(_) => panic!(
                "the house did not come to rest: {:?}\n{:#?}",
                self.engine.store.counts(self.clock.now()).await.unwrap(),
                self.runs().await
            ),
        }
    }

    /// Delivers and waits until everything that follows is done.
    pub async fn tell(&self, source: &str, body: &str) -> Receipt {
        let receipt = self.deliver(source, body).await;
        self.idle().await;
        receipt
    }

    /// All runs, oldest first.
    pub async fn runs(&self) -> Vec<RunRow> {
        let filter = Filter {
            limit: Some(500),
            ..Filter::default()
        };
        let mut runs = self.engine.store.runs(&filter).await.unwrap().items;
        runs.reverse();
        runs
    }

    /// `recipe: state` of all runs, oldest first.
    pub async fn states(&self) -> Vec<String> {
        self.runs()
            .await
            .iter()
            .map(|run| format!("{}: {}", run.recipe, run.state))
            .collect()
    }

    pub async fn run(&self, id: &str) -> RunDetail {
        self.engine.store.run(id).await.unwrap().unwrap()
    }

    /// All deliveries, oldest first.
    pub async fn deliveries(&self) -> Vec<DeliveryRow> {
        let filter = Filter {
            limit: Some(500),
            ..Filter::default()
        };
        let mut rows = self.engine.store.deliveries(&filter).await.unwrap().items;
        rows.reverse();
        rows
    }

    /// The types of all events, oldest first, without `reservation.`.
    pub async fn event_types(&self) -> Vec<String> {
        let filter = Filter {
            limit: Some(500),
            ..Filter::default()
        };
        let mut rows = self.engine.store.events(&filter).await.unwrap().items;
        rows.reverse();
        rows.iter()
            .map(|row| row.types.join(" ").replace("reservation.", ""))
            .collect()
    }

    pub async fn stay(&self, source: &str, code: &str) -> StayRow {
        self.engine.store.called(source, code).await.unwrap().pop().unwrap()
    }

    /// The canonical reservation.
    pub async fn reservation(&self, source: &str, code: &str) -> Value {
        let row = self.stay(source, code).await;
        stayhook::decide::view(&row.stay, &self.engine.setup().properties).json
    }

    /// One delivery by its place in the order of arrival, from 0.
    pub async fn delivery(&self, n: usize) -> DeliveryRow {
        self.deliveries().await.remove(n)
    }

    /// `outcome` of all deliveries, oldest first.
    pub async fn outcomes(&self) -> Vec<String> {
        self.deliveries().await.into_iter().map(|row| row.outcome).collect()
    }

    /// All warnings of a delivery, of its body and of its facts.
    pub async fn warnings(&self, n: usize) -> Vec<String> {
        let detail = self.delivery(n).await.detail;
        let facts = detail["facts"].as_array().cloned().unwrap_or_default();
        let lists =
            std::iter::once(detail["warnings"].clone()).chain(facts.iter().map(|fact| fact["warnings"].clone()));
        lists
            .flat_map(|list| list.as_array().cloned().unwrap_or_default())
            .map(|warning| warning.as_str().unwrap().to_owned())
            .collect()
    }

    /// One event with everything recipes saw of it, by its place in the order of events, from 0.
    pub async fn event(&self, n: usize) -> EventRow {
        let filter = Filter {
            limit: Some(500),
            ..Filter::default()
        };
        let mut rows = self.engine.store.events(&filter).await.unwrap().items;
        rows.reverse();
        self.engine.store.event(&rows[n].id).await.unwrap().unwrap()
    }

    /// `recipe: result` of all explanations of an event.
    pub async fn explanations(&self, n: usize) -> Vec<String> {
        let all = self.event(n).await.explanation.unwrap();
        let all = all.as_array().unwrap();
        all.iter()
            .map(|one| {
                format!(
                    "{}: {}",
                    one["recipe"].as_str().unwrap(),
                    one["result"].as_str().unwrap()
                )
            })
            .collect()
    }

    /// Decides a stored delivery once more, by its place in the order of arrival, and waits for everything that follows.
    pub async fn replay(&self, n: usize, again: bool, recipe: Option<&str>) {
        let which = ReplayWhich {
            ids: vec![DeliveryId(self.delivery(n).await.id)],
            ..ReplayWhich::default()
        };
        let marked = self
            .engine
            .store
            .replay(which, again, recipe.map(str::to_owned))
            .await
            .unwrap();
        assert_eq!(marked, 1);
        self.engine.inbox.notify_one();
        self.idle().await;
    }

    /// Does to the database what only a damaged disk would do; how many rows.
    pub async fn damage(&self, sql: &'static str) -> u64 {
        use sqlx::{ConnectOptions, Connection};
        let file = self.folder.path().join("stayhook.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut conn = options.connect().await.unwrap();
        let done = sqlx::query(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        done.rows_affected()
    }

    /// Ends every task where it stands, as `kill -9` does, and opens the house again, perhaps furnished otherwise.
    pub async fn crash(self, change: impl FnOnce(Plan) -> Plan) -> House {
        let targets = (self.cleaning.clone(), self.books.clone(), self.mail.clone());
        let (clock, mut plan, folder) = (self.clock.clone(), self.plan, self.folder);
        plan.restarts += 1;
        let mut tasks = self.tasks;
        tasks.shutdown().await;
        self.engine.store.close().await;
        drop(self.engine);
        House::open(change(plan), folder, clock, Some(targets)).await
    }

    /// Stops the house in order and opens it again on the same database and the same targets.
    pub async fn restart(self) -> House {
        self.restart_with(|plan| plan).await
    }

    /// Takes over other recipes and sources while it runs, as a reload does.
    pub async fn reload(&mut self, change: impl FnOnce(Plan) -> Plan) {
        self.plan = change(std::mem::take(&mut self.plan));
        let setup = setup(&self.plan, &self.cleaning, &self.books, &self.mail);
        let revisions = revisions(&setup);
        self.engine
            .store
            .keep_revisions(revisions, self.clock.now())
            .await
            .unwrap();
        self.engine.adopt(setup).await.unwrap();
        self.engine.clockwork.until_planned().await;
    }

    /// The same with another plan: more recipes, other sources.
    pub async fn restart_with(mut self, change: impl FnOnce(Plan) -> Plan) -> House {
        self.plan = change(self.plan);
        self.plan.restarts += 1;
        let targets = (self.cleaning.clone(), self.books.clone(), self.mail.clone());
        let (clock, plan, folder) = (self.clock.clone(), self.plan, self.folder);
        self.stop.cancel();
        let mut tasks = self.tasks;
        // All but the writer, which lives as long as the store.
        while tasks.len() > 1 {
            tasks.join_next().await.unwrap().unwrap();
        }
        self.engine.store.close().await;
        tasks.shutdown().await;
        drop(self.engine);
        House::open(plan, folder, clock, Some(targets)).await
    }
}

fn node(text: &str) -> yaml::Node {
    let mut report = Report::new();
    let node = yaml::parse("test.yaml", text, &mut report);
    assert!(!report.has_mistakes(), "{}", report.render(|_| Some(text.to_owned())));
    node.unwrap()
}

/// A source by name and YAML.
pub fn source(name: &str, yaml: &str) -> Source {
    let mut report = Report::new();
    let source = source::compile(name, &node(yaml), &mut report);
    assert!(!report.has_mistakes(), "{}", report.render(|_| None));
    source.unwrap()
}

fn revisions(setup: &Setup) -> Vec<stayhook::store::Revision> {
    let revision = |recipe: &Arc<stayhook::recipe::Recipe>| stayhook::store::Revision {
        recipe: recipe.name.clone(),
        hash: recipe.revision.clone(),
        file: recipe.file.clone(),
        text: recipe.text.clone(),
    };
    setup.book.all().iter().map(revision).collect()
}

fn setup(plan: &Plan, cleaning: &HttpStandin, books: &HttpStandin, mail: &SmtpStandin) -> Setup {
    let mut report = Report::new();
    let defaults = format!(
        "cleaning: {{http: {{base_url: {}, timeout: 5s}}}}\nbooks: {{http: {{base_url: {}, timeout: 5s}}}}\nmail: {{smtp: {{host: 127.0.0.1, port: {}, tls: none, from: Stays <stays@example.com>, timeout: 5s}}}}\n",
        cleaning.base_url(),
        books.base_url(),
        mail.port()
    );
    let mut connections = std::collections::HashMap::new();
    let text = format!("{defaults}{}", plan.connections);
    for (name, settings) in node(&text).entries() {
        let read_file = |path: &str| std::fs::read_to_string(path).map_err(|error| error.to_string());
        let connection = action::compile_connection(&name.text, settings, &read_file, &mut report);
        assert!(!report.has_mistakes(), "{}", report.render(|_| Some(text.clone())));
        connections.insert(name.text.clone(), Arc::new(connection.unwrap()));
    }
    let mut sources = std::collections::HashMap::new();
    for (name, text) in &plan.sources {
        sources.insert(name.clone(), Arc::new(source(name, text)));
    }
    let files: Vec<(String, String)> = plan
        .recipes
        .iter()
        .enumerate()
        .map(|(n, text)| (format!("recipes/{n}.yaml"), text.clone()))
        .collect();
    let book = Book::load(&files, &action::effect_kinds(), &mut report);
    assert!(!report.has_mistakes(), "{}", report.render(|_| None));
    let properties = plan.properties.clone().unwrap_or_else(Properties::none);
    Setup {
        sources,
        book,
        properties,
        connections,
        dry_run: plan.dry_run,
        redirect_email: None,
        in_force: stayhook::model::plan::InForce::default(),
    }
}
