//! The recipes that are shipped, told what senders send: however often it comes, every effect is there once.

use std::sync::Arc;

use serde_json::Value;
use stayhook::model::fact::Says;
use stayhook::model::id::Ids;

use super::order::facts;
use super::replay::send;
use super::{Recorded, Sender, clock, senders};
use crate::recipes::{letters, lines, properties, with_recipes};
use crate::support::Plan;

/// Everything that goes out when these requests come, in the order of the alphabet.
async fn effects(sender: &Sender, requests: &[&Recorded]) -> Vec<String> {
    let mut properties = properties();
    let all = sender.requests.iter().flat_map(|request| facts(sender, request));
    for fact in all {
        let Says::Reservation { fields } = fact.says else {
            continue;
        };
        let ids = fields
            .get("property.ids")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let ids = ids.iter().filter_map(|id| Some((None, id.as_str()?.to_owned())));
        properties.all[0].matches.extend(ids);
    }
    let plan = Plan::default()
        .source(&sender.preset, &sender.settings)
        .properties(properties);
    let (house, locks) = with_recipes(plan).await;
    let ids = Arc::new(Ids::seeded(5));
    for request in requests {
        let at = sender
            .requests
            .iter()
            .position(|known| known.name == request.name)
            .unwrap();
        let answer = send(&house, &ids, request, request.clock.unwrap_or(clock(at))).await;
        assert_eq!(answer.status(), 200, "{}/{}", sender.preset, request.name);
        house.idle().await;
    }
    let mut all = letters(&house);
    for target in [&house.cleaning, &house.books, &locks] {
        all.extend(lines(target));
    }
    all.sort();
    all
}

#[tokio::test]
async fn effects_come_once_however_often_it_is_told() {
    let mut seen = 0;
    for sender in senders() {
        let open = |request: &&Recorded| sender.expected[&request.name]["answer"] == Value::Null;
        let once: Vec<&Recorded> = sender.requests.iter().filter(open).collect();
        let expected = effects(&sender, &once).await;
        seen += expected.len();
        // As senders do that have not heard the answer, and, where they say an order, all of it once more at the end.
        let mut again: Vec<&Recorded> = once.iter().flat_map(|request| [*request, *request]).collect();
        if sender.versioned {
            again.extend(&once);
        }
        assert_eq!(effects(&sender, &again).await, expected, "{}", sender.preset);
    }
    assert!(seen > 60, "{seen} effects");
}
