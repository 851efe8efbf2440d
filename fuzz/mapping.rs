//! Bodies for every preset and for sources that use everything: facts of the promised shape, and the same for the same body.
//!
//! An input is the name of a source in the first line, then bodies with a line `---` between them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use serde_json::Value;
use stayhook::decide::{Known, Origin, Rules, decide, view};
use stayhook::lang::diag::Report;
use stayhook::lang::yaml;
use stayhook::model::body;
use stayhook::model::fact::{Fact, Says};
use stayhook::model::field::{CODE, FieldKind, MESSAGE, PAYMENT, STATUSES, STAY_KINDS, field_named};
use stayhook::model::id::DeliveryId;
use stayhook::model::property::Properties;
use stayhook::model::reservation::Stay;
use stayhook::source::{self, CHALLENGE_MAX, Mapped, PRESETS, Source};

use crate::rounds::{Target, run};
use crate::{seeds, values};

/// Sources of our own, beside those of `tests/fixtures/whole/config.yaml`.
const OWN: &[(&str, &str)] = &[
    (
        "greedy",
        "auth: none
receipt_key: [[\"$.*\", header.x], {hash: body, without: [$..id, $.sent_at]}]
secrets: [$..token, \"$.keys[*]\"]
ping: [{$.type: [healthcheck, ~]}]
respond: {challenge: $.challenge}
map:
  version: {by: $.updated_at, then: $.sent_at}
  reservation:
    ids: \"$..id\"
    status: $.status
    guests: {from: $.*, pick: max}
    check_in: $..check_in
    check_out_date: {from: $..date, plus_days: 366}
    money: {total: {from: $.*, pick: sum, minor: true}}
    guest: {name: {join: [$.guest.name, $.name], skip_missing: true}, phone: $..phone}",
    ),
    (
        "items",
        "auth: none
map:
  - items: [\"$.data[*]\", \"$.items[*]\"]
    version: {by: \"@.updated_at\"}
    partial: {$.type: patch}
    event: {from: $.type, map: {no_show: reservation.no_show}}
    reservation:
      code: \"@.code\"
      ids: [\"@.id\", $.id]
      status: {from: \"@.status\", map: {yes: confirmed}, else: unknown}
      channel: $.channel
      guest: {first_name: {from: \"@.name\", part: first_name, match: \"^[^(]+\"}, last_name: {from: \"@.name\", part: last_name}}
      check_in: {join: [\"@.day\", \"@.time\"], with: T, zone: Europe/Berlin}
      check_out_date: {from: \"@.nights[*].date\", pick: max, plus_days: 1}
      property: {ids: [\"@.listing.id\", $.account]}
  - applies_to: {$.payment: \"*\"}
    partial: true
    reservation: {code: $.code}
    payment: {id: $.payment.id, amount: {from: $.payment.amount, minor: true}, paid_at: $.payment.at}
    message: {id: $.message.id, text: $.message.text, from: $.message.from, at: $.message.at}",
    ),
];

fn compiled(name: &str, settings: &str) -> Source {
    let mut report = Report::new();
    let node = yaml::parse("source.yaml", settings, &mut report).unwrap();
    let source = source::compile(name, &node, &mut report);
    source.unwrap_or_else(|| panic!("{name}: {}", report.render(|_| Some(settings.to_owned()))))
}

/// The sources of the configuration in which every key stands once.
fn whole() -> Vec<Source> {
    let text = std::fs::read_to_string(seeds::at("tests/fixtures/whole/config.yaml")).unwrap();
    // What it takes from the environment is mostly a credential; what is not has a default.
    let env = |name: &str| {
        (!["ZONE", "DRY", "METRICS", "TIMEOUT", "MANY", "MAIL_PORT"].contains(&name))
            .then(|| "kanari-7f2c-kanari".to_owned())
    };
    let mut report = Report::new();
    let config = stayhook::config::draft("config.yaml", &text, &seeds::at(""), &env, &mut report).unwrap();
    let all: Vec<Source> = config.sources.iter().map(|source| (**source).clone()).collect();
    assert!(all.len() > 5, "only {} sources can be read", all.len());
    all
}

fn sources() -> Vec<Source> {
    let presets = PRESETS
        .iter()
        .map(|(name, _)| compiled(name, &format!("preset: {name}\nauth: none")));
    let own = OWN.iter().map(|(name, settings)| compiled(name, settings));
    presets.chain(own).chain(whole()).collect()
}

#[test]
fn mapping() {
    let sources = sources();
    let names: Vec<String> = sources.iter().map(|source| source.name().to_owned()).collect();
    let input = |name: &str, bodies: &[Vec<u8>]| [name.as_bytes(), b"\n", &bodies.join(&b"\n---\n"[..])].concat();
    let recorded = seeds::bodies();
    let mut all = Vec::new();
    for name in &names {
        let of: Vec<Vec<u8>> = recorded
            .iter()
            .filter(|(sender, _)| sender == name)
            .map(|(_, body)| body.clone())
            .collect();
        all.extend(of.iter().map(|body| input(name, std::slice::from_ref(body))));
        all.extend(of.windows(2).map(|two| input(name, two)));
    }
    let values: Vec<Value> = recorded
        .iter()
        .filter_map(|(_, body)| serde_json::from_slice(body).ok())
        .collect();
    // Mostly to the sender whose bodies they are.
    let by_sender = recorded.iter().filter(|(name, _)| names.contains(name)).cloned();
    let by_sender: Vec<(String, Value)> = by_sender
        .filter_map(|(name, body)| Some((name, serde_json::from_slice(&body).ok()?)))
        .collect();
    let text = |value: Value| value.to_string().into_bytes();
    let own = prop::sample::select(by_sender.clone()).prop_flat_map(move |(name, _)| {
        let bodies = by_sender
            .iter()
            .filter(|(sender, _)| *sender == name)
            .map(|(_, body)| body.clone())
            .collect();
        (Just(name), prop::collection::vec(values::spoiled(bodies), 1..4))
    });
    let made = prop_oneof![
        3 => own,
        1 => (prop::sample::select(names.clone()), prop::collection::vec(values::spoiled(values), 1..3)),
        2 => (prop::sample::select(names), prop::collection::vec(values::any_value(), 1..4)),
    ];
    let made = made.prop_map(move |(name, bodies)| input(&name, &bodies.into_iter().map(text).collect::<Vec<_>>()));
    run(Target {
        name: "mapping",
        seeds: all,
        tokens: &[
            "\n---\n",
            "\"updated_at\":1801126800,",
            "\"id\":7,",
            "\"code\":\"A1\",",
            "\"status\":\"cancelled\",",
            "null",
            "[null]",
            "\"items\":[{}],",
            "\"payment\":{\"id\":\"p\",\"amount\":\"1,5\"},",
            "\"message\":{\"text\":\"{{ 7*7 }}\"},",
            "[{},{}]",
        ],
        made: made.boxed(),
        cases: 600,
        check: Box::new(move |input| holds(&sources, input)),
    });
}

fn holds(sources: &[Source], input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let named = sources.iter().find(|source| source.name().as_bytes() == &input[..end]);
    let source = named.unwrap_or(&sources[input.len() % sources.len()]);
    let rest = String::from_utf8_lossy(input.get(end + 1..).unwrap_or_default()).into_owned();
    let bodies: Vec<Value> = rest
        .split("\n---\n")
        .filter_map(|body| body::decode(None, body.as_bytes()).ok())
        .take(5)
        .collect();
    let mut facts = Vec::new();
    for body in &bodies {
        facts.push((body, said(source, body)));
    }
    decided(source, &facts);
}

/// Headers, and what the address says, from the body itself, so that they change with it.
fn headers(body: &Value) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let found = body.get(name.trim_start_matches(['?', '/']))?;
        Some(found.as_str().map_or_else(|| found.to_string(), str::to_owned))
    }
}

/// The facts of one body, which keep what is promised of them.
fn said(source: &Source, body: &Value) -> Vec<Fact> {
    let beside = headers(body);
    let size = values::size(body);
    source.is_ping(body, &beside);
    if let Some(word) = source.challenge(body, &beside) {
        assert!(
            !word.is_empty() && word.chars().count() <= CHALLENGE_MAX,
            "a word of {} bytes",
            word.len()
        );
    }
    let mut hidden = body.clone();
    source.redact(&mut hidden);
    let mut twice = hidden.clone();
    source.redact(&mut twice);
    assert_eq!(twice, hidden, "what is hidden is hidden once more");

    let raw = body.to_string();
    let other = values::the_other_way_round(body);
    let again = body::decode(None, other.as_bytes());
    assert_eq!(again.as_ref(), Ok(body), "in another order it is another value");
    let key = source.receipt_key(raw.as_bytes(), body, &beside);
    assert_eq!(
        key,
        source.receipt_key(raw.as_bytes(), body, &beside),
        "the receipt key differs"
    );
    if !body.is_null() {
        assert_eq!(
            key,
            source.receipt_key(other.as_bytes(), &again.unwrap(), &beside),
            "the receipt key goes by the order of keys"
        );
    }
    let mapped = source.map(body, &beside);
    assert_eq!(mapped, source.map(body, &beside), "the same body says something else");
    match mapped {
        Mapped::Ignored(because) | Mapped::Unmapped(because) => {
            assert!(
                !because.is_empty() && because.len() <= 20_000 + 4 * size,
                "{} bytes of why",
                because.len()
            );
            Vec::new()
        }
        Mapped::Facts { facts, left_out } => {
            assert!(facts.len() <= 3 * 5_000, "{} facts", facts.len());
            assert!(!facts.is_empty() || !left_out.is_empty(), "neither facts nor why");
            // What stands once in a body may be said of each of its items.
            let each = 4 * size + 4_000;
            facts.iter().for_each(|fact| well_formed(fact, each));
            facts
        }
    }
}

fn well_formed(fact: &Fact, most: usize) {
    let told: usize = fact.warnings.iter().map(String::len).sum();
    assert!(told <= most + 100 * 200, "{told} bytes of warnings");
    assert!(
        fact.stay
            .all()
            .all(|name| !name.trim().is_empty() && name.len() <= 4 * 200),
        "a name of the stay: {:?}",
        fact.stay
    );
    assert!(fact.stay.all().count() <= 201, "{} names", fact.stay.all().count());
    assert!(
        fact.hint.as_ref().is_none_or(|hint| hint.contains('.')),
        "{:?} is no event type",
        fact.hint
    );
    match &fact.says {
        Says::Reservation { fields } => {
            assert!(!fact.stay.is_empty(), "a reservation without a name");
            assert!(
                fields.values().map(values::size).sum::<usize>() <= most,
                "more is said than was sent"
            );
            for (name, value) in fields {
                let field = if *name == CODE.name {
                    Some(&CODE)
                } else {
                    field_named(name)
                };
                let field = field.unwrap_or_else(|| panic!("there is no field {name}"));
                typed(name, field.kind, value);
            }
        }
        Says::Payment { id, payment } => {
            assert!(id.as_ref().is_none_or(|id| !id.is_empty()), "an empty id of a payment");
            group("payment", PAYMENT, payment, most);
        }
        Says::Message { id, message } => {
            assert!(id.as_ref().is_none_or(|id| !id.is_empty()), "an empty id of a message");
            group("message", MESSAGE, message, most);
        }
    }
}

fn group(of: &str, known: &[stayhook::model::field::Field], value: &Value, most: usize) {
    assert!(values::size(value) <= most, "more is said than was sent");
    for (name, value) in value.as_object().unwrap_or_else(|| panic!("a {of} is no object")) {
        let whole = format!("{of}.{name}");
        let field = known.iter().find(|field| field.name == whole);
        typed(
            &whole,
            field.unwrap_or_else(|| panic!("there is no field {whole}")).kind,
            value,
        );
    }
}

/// A value is nothing, or what its field holds.
fn typed(name: &str, kind: FieldKind, value: &Value) {
    let text = value.as_str();
    let fits = value.is_null()
        || match kind {
            FieldKind::Text => text.is_some_and(|text| !text.contains('\0')),
            FieldKind::Count => value.is_i64() || value.is_u64(),
            FieldKind::Money => value.is_number(),
            FieldKind::Date => text.is_some_and(|text| text.parse::<NaiveDate>().is_ok()),
            FieldKind::Time => text.is_some_and(|text| {
                DateTime::parse_from_rfc3339(text).is_ok()
                    || text.parse::<NaiveDateTime>().is_ok()
                    || text.parse::<NaiveDate>().is_ok()
            }),
            FieldKind::Status => text.is_some_and(|text| STATUSES.contains(&text)),
            FieldKind::Kind => text.is_some_and(|text| STAY_KINDS.contains(&text)),
            FieldKind::List => value
                .as_array()
                .is_some_and(|all| all.len() <= 200 && all.iter().all(Value::is_string)),
        };
    assert!(fits, "`{name}` holds {value}");
}

/// Facts in the order of their bodies and the other way round; where all name the same stay and say how new they are, both end
/// in the same.
fn decided(source: &Source, facts: &[(&Value, Vec<Fact>)]) {
    let forth: Vec<(&Value, &Fact)> = facts
        .iter()
        .flat_map(|(body, facts)| facts.iter().take(20).map(move |fact| (*body, fact)))
        .collect();
    let mut back = forth.clone();
    back.reverse();
    let doubled: Vec<(&Value, &Fact)> = back.iter().chain(&forth).copied().collect();
    let [forth, back, doubled] = [&forth, &back, &doubled].map(|order| (order, told(source, order)));
    let names = |fact: &Fact| fact.stay.all().map(str::to_owned).collect::<BTreeSet<_>>();
    let states = || {
        forth
            .0
            .iter()
            .map(|(_, fact)| *fact)
            .filter(|fact| matches!(fact.says, Says::Reservation { .. }))
    };
    let ordered = states().all(|fact| fact.version.is_some());
    let one_stay = forth
        .0
        .iter()
        .map(|(_, fact)| names(fact))
        .collect::<BTreeSet<_>>()
        .len()
        == 1;
    if ordered && one_stay {
        assert_eq!(forth.1, back.1, "the order of arrival matters");
        assert_eq!(
            forth.1, doubled.1,
            "what comes twice is not the same as what comes once"
        );
    }
}

fn told(source: &Source, facts: &[(&Value, &Fact)]) -> Vec<Value> {
    let properties = Properties::none();
    let rules = Rules {
        in_force: stayhook::model::plan::InForce::default(),
        echo: chrono::TimeDelta::zero(),
        live_from: source.live_from(),
        learn: source.learn(),
        dry_run: false,
        properties: &properties,
        recipes: &[],
        broken: &[],
    };
    let mut stays: Vec<Stay> = Vec::new();
    let mut contents: BTreeMap<String, Value> = BTreeMap::new();
    for (seq, (body, fact)) in (0_i64..).zip(facts) {
        let now = DateTime::from_timestamp(1_801_126_800, 0).unwrap() + TimeDelta::seconds(seq);
        let delivery = DeliveryId(format!("d_{seq:05}"));
        let content_key = match &fact.says {
            Says::Payment { id: Some(id), .. } => Some(format!("payment {id}")),
            Says::Message { id: Some(id), .. } => Some(format!("message {id}")),
            _ => None,
        };
        let known = Known {
            stays: stays.clone(),
            content: content_key.as_ref().and_then(|key| contents.get(key)).cloned(),
            ..Known::default()
        };
        let origin = Origin {
            delivery: &delivery,
            seq,
            source: source.name(),
            received_at: now,
            payload: &(*body).clone().into(),
            replay: None,
            position: 0,
        };
        let decision = decide(known, fact, &origin, &rules, now);
        assert!(!decision.because.is_empty(), "it is not said why");
        if let (Some(key), Says::Payment { payment: content, .. } | Says::Message { message: content, .. }) =
            (content_key, &fact.says)
        {
            contents.insert(key, content.clone());
        }
        stays.retain(|stay| !decision.absorbed.contains(&stay.id));
        if let Some(mut stay) = decision.stay {
            stay.revision += 1;
            match stays.iter_mut().find(|known| known.id == stay.id) {
                Some(known) => *known = stay,
                None => stays.push(stay),
            }
        }
    }
    stays.iter().map(|stay| view(stay, &properties).json).collect()
}
