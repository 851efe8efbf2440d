//! The same key, the same answer.

use chrono::TimeDelta;

use super::*;

async fn keyed(house: &House, path: &str, key: &str, body: Value) -> Given {
    let request = Request::post(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    house.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn the_same_key_does_it_once() {
    let house = House::new().await;
    let (one, two) = (house.dead(1).await, house.dead(2).await);
    let retry = format!("/api/v1/runs/{one}/retry");
    let first = keyed(&house, &retry, "k", json!({})).await;
    let again = keyed(&house, &retry, "k", json!({})).await;
    assert_eq!(first.fine(), again.fine());
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(house.daemon.outbox.load(Ordering::Relaxed), 1);

    keyed(&house, &retry, "k", json!({"again": true}))
        .await
        .problem(422, "another body");
    // Another path or another key is another request.
    keyed(&house, &format!("/api/v1/runs/{two}/retry"), "k", json!({}))
        .await
        .fine();
    keyed(&house, &retry, "k2", json!({}))
        .await
        .problem(409, "nothing to try again");
    // A refusal is kept too, with its kind.
    keyed(&house, &retry, "k2", json!({}))
        .await
        .problem(409, "nothing to try again");

    house.console.clock.advance(TimeDelta::minutes(59));
    keyed(&house, &retry, "k", json!({})).await.fine();
    house.console.clock.advance(TimeDelta::minutes(2));
    keyed(&house, &retry, "k", json!({}))
        .await
        .problem(409, "nothing to try again");
}

#[tokio::test]
async fn the_oldest_answers_make_room() {
    let house = House::new().await;
    let run = house.dead(1).await;
    let cancel = format!("/api/v1/runs/{run}/cancel");
    keyed(&house, &cancel, "first", json!({})).await.fine();
    for n in 0..1000 {
        house.console.clock.advance(TimeDelta::milliseconds(1));
        keyed(&house, "/api/v1/runs/retry", &format!("k{n}"), json!({}))
            .await
            .problem(400, "dead");
    }
    keyed(&house, &cancel, "first", json!({})).await.problem(409, "already");
}
