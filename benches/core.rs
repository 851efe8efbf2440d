//! What every delivery goes through between the socket and the disk, piece by piece: pure functions, on one thread.
//!
//! `cargo bench --bench core`; a word after `--` picks those whose name has it in it: `cargo bench --bench core -- decide`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement ends where something is not as it should be"
)]

#[path = "core/bodies.rs"]
mod bodies;
#[path = "end_to_end/body.rs"]
#[allow(dead_code, reason = "of the whole request only the body is used here")]
mod body;
#[path = "core/scene.rs"]
mod scene;

use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stayhook::cli::check;
use stayhook::cli::output::Output;
use stayhook::decide::fold;
use stayhook::engine::{Advance, advance, read_body};
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::clock::Clock;
use stayhook::model::fact::Says;
use stayhook::model::json;
use stayhook::source::{self, Mapped};

use scene::{Delivery, Scene};

/// The same as the daemon's.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn authenticate(c: &mut Criterion) {
    let scene = Scene::new(2);
    let mut group = c.benchmark_group("authenticate");
    for (name, delivery) in [
        ("token", Delivery::new(&scene, "hospitable", bodies::booking())),
        ("HMAC", Delivery::new(&scene, "hostelmate", bodies::created())),
    ] {
        let source = scene.source(delivery.source);
        let request = delivery.request();
        source
            .authenticate(&request)
            .expect("it is signed by the source itself");
        group.bench_function(name, |b| b.iter(|| source.authenticate(black_box(&request))));
    }
}

fn receipt_key(c: &mut Criterion) {
    let scene = Scene::new(2);
    let mut group = c.benchmark_group("receipt key");
    for (source, bytes) in bodies::both() {
        let delivery = Delivery::new(&scene, source, bytes);
        let key = || {
            let source = scene.source(delivery.source);
            source.receipt_key(&delivery.bytes, black_box(&delivery.body), &|name| {
                delivery.header(name)
            })
        };
        assert!(key().weak.is_none(), "the presets' keys are strong");
        group.bench_function(source, |b| b.iter(key));
    }
}

fn read(c: &mut Criterion) {
    let mut group = c.benchmark_group("read the body");
    let mut add = |name: &str, bytes: Vec<u8>| {
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format!("{name}, received"), |b| {
            b.iter(|| json::read(black_box(&bytes)).unwrap())
        });
        group.bench_function(format!("{name}, to be decided"), |b| {
            b.iter(|| read_body(None, black_box(&bytes)).unwrap())
        });
    };
    add("2 KB", bodies::booking());
    add("1 MiB, long texts", bodies::long_texts());
    add("1 MiB, many nights", bodies::many_nights());
}

fn map(c: &mut Criterion) {
    let scene = Scene::new(2);
    let mut group = c.benchmark_group("map");
    for (source, bytes) in bodies::both() {
        let delivery = Delivery::new(&scene, source, bytes);
        assert!(matches!(delivery.map(&scene), Mapped::Facts { facts, .. } if facts.len() == 1));
        group.bench_function(source, |b| b.iter(|| delivery.map(&scene)));
    }
}

/// One recorded body of every preset whose mapping has something particular to do.
fn map_every(c: &mut Criterion) {
    let mut group = c.benchmark_group("map every sender");
    for (preset, credential, body) in bodies::SENDERS {
        let mut report = Report::new();
        let settings = format!("preset: {preset}\n{credential}");
        let node = yaml::parse("config.yaml", &settings, &mut report).unwrap();
        let source =
            source::compile(preset, &node, &mut report).unwrap_or_else(|| panic!("{}", report.render(|_| None)));
        let value = json::read(body.as_bytes()).unwrap();
        assert!(matches!(source.map(&value, &|_| None), Mapped::Facts { .. }));
        group.bench_function(*preset, |b| b.iter(|| source.map(black_box(&value), &|_| None)));
    }
}

fn map_and_fold(c: &mut Criterion) {
    let scene = Scene::new(2);
    let mut group = c.benchmark_group("map and fold");
    for (name, source, bytes) in [
        ("2 KB", "hospitable", bodies::booking()),
        ("1 MiB, long texts", "hospitable", bodies::long_texts()),
        ("1 MiB, many nights", "hostelmate", bodies::many_nights()),
    ] {
        let delivery = Delivery::new(&scene, source, bytes);
        let empty = delivery.no_stay();
        let mapped_and_folded = |mut stay| {
            let fact = delivery.fact(&scene);
            let Says::Reservation { fields } = &fact.says else {
                unreachable!("it is a booking")
            };
            let folded = fold(&mut stay, fields, fact.version.unwrap_or_default());
            (fact, folded, stay)
        };
        assert!(mapped_and_folded(empty.clone()).2.status().is_some());
        group.throughput(Throughput::Bytes(delivery.bytes.len() as u64));
        group.bench_function(name, |b| {
            b.iter_batched(|| empty.clone(), mapped_and_folded, BatchSize::SmallInput)
        });
    }
}

fn decide(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    for recipes in [10, 50] {
        let scene = Scene::new(recipes);
        let new = Delivery::new(&scene, "hospitable", bodies::booking());
        let first = new.decide(&scene, Default::default());
        assert_eq!(first.runs.len(), 1, "{:?}", first.explanation);
        let known = Scene::known(&first);
        group.bench_function(format!("a new stay, {recipes} recipes"), |b| {
            b.iter_batched(
                Default::default,
                |known| new.decide(&scene, known),
                BatchSize::SmallInput,
            )
        });
        let changed = Delivery::new(&scene, "hospitable", bodies::one_night_more());
        let second = changed.decide(&scene, known.clone());
        assert_eq!(second.runs.len(), 1, "{:?}", second.explanation);
        assert_eq!(second.runs[0].recipe, "Move the cleaning");
        group.bench_function(format!("other dates, {recipes} recipes"), |b| {
            b.iter_batched(
                || known.clone(),
                |known| changed.decide(&scene, known),
                BatchSize::SmallInput,
            )
        });
        group.bench_function(format!("nothing new, {recipes} recipes"), |b| {
            b.iter_batched(
                || known.clone(),
                |known| new.decide(&scene, known),
                BatchSize::SmallInput,
            )
        });
    }
}

fn render(c: &mut Criterion) {
    let scene = Scene::new(2);
    let delivery = Delivery::new(&scene, "hospitable", bodies::booking());
    let decision = delivery.decide(&scene, Default::default());
    let (event, run) = (decision.event.unwrap(), decision.runs.first().unwrap());
    let mut group = c.benchmark_group("render");
    for (from, kind) in ["http", "email"].into_iter().enumerate() {
        let asked = scene.asked(run, &event, &delivery.payload, from);
        let rendered = || advance(&scene.setup, black_box(&asked));
        assert!(
            matches!(rendered(), Advance::Open(opening) if opening.position == from && opening.prepared.kind == kind)
        );
        group.bench_function(format!("{kind} step"), |b| b.iter(rendered));
    }
}

fn check(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.yaml");
    std::fs::write(&config, scene::CONFIG).unwrap();
    std::fs::create_dir(folder.path().join("recipes")).unwrap();
    for (file, text) in scene::recipes(50) {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let args = check::Args {
        paths: Vec::<PathBuf>::new(),
    };
    let checked = || {
        let mut told = Vec::with_capacity(1 << 16);
        let checked = check::run(&args, &config, Output::Table, &|_| None, &Clock::System, &mut told);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let code = runtime.block_on(checked);
        (code, told)
    };
    let (code, told) = checked();
    assert_eq!(
        format!("{code:?}"),
        format!("{:?}", ExitCode::SUCCESS),
        "{}",
        String::from_utf8_lossy(&told)
    );
    c.bench_function("check/50 recipes", |b| b.iter(checked));
}

criterion_group!(
    core,
    authenticate,
    receipt_key,
    read,
    map,
    map_every,
    map_and_fold,
    decide,
    render,
    check
);
criterion_main!(core);
