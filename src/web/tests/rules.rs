//! Who may ask, and how.

use futures::StreamExt as _;

use super::*;

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

#[tokio::test]
async fn only_our_names_and_our_origins() {
    // Its names count with a token only.
    let with_token = House::with(|console| console.token = Some(Secret::new(TOKEN)), Daemon::default()).await;
    for (host, status) in [
        ("stays.example.com", 200),
        ("stays.example.com:443", 200),
        ("evil.example", 421),
    ] {
        let headers = [("host", host), ("authorization", "Bearer let-me-in")];
        let given = with_token.send(request("GET", "/api/v1/runs", &headers, "")).await;
        assert_eq!(given.status, status, "{host}");
    }
    let house = House::new().await;
    for (headers, status) in [
        (vec![("host", "localhost:8081")], 200),
        (vec![("host", "127.0.0.1:8081")], 200),
        (vec![("host", "[::1]")], 200),
        (vec![("host", "stays.example.com")], 421),
        (vec![("host", "evil.example")], 421),
        (vec![("host", "192.168.1.5:8081")], 421),
        (vec![], 421),
        (vec![("host", "localhost"), ("host", "evil.example")], 421),
        (vec![("host", "localhost"), ("origin", "http://localhost")], 200),
        (
            vec![("host", "localhost:8081"), ("origin", "http://localhost:3000")],
            403,
        ),
        (vec![("host", "localhost"), ("origin", "https://evil.example")], 403),
        (vec![("host", "localhost"), ("origin", "null")], 403),
    ] {
        for path in ["/api/v1/runs", "/healthz", "/metrics"] {
            let given = house.send(request("GET", path, &headers, "")).await;
            assert_eq!(given.status, status, "{path} {headers:?}");
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
            ] {
                assert_eq!(given.headers[name], value, "{path} {headers:?}");
            }
        }
    }
    for name in ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"] {
        let headers = [("host", "localhost"), (name, "203.0.113.7")];
        for (path, status) in [("/api/v1/runs", 403), ("/metrics", 403), ("/healthz", 200)] {
            let given = house.send(request("GET", path, &headers, "")).await;
            assert_eq!(given.status, status, "{path} {name}");
        }
    }
    // A name in the request line counts as much as the header.
    let twofold = request("GET", "http://evil.example/api/v1/runs", &[("host", "localhost")], "");
    house.send(twofold).await.problem(421, "not one of this daemon's");
}

#[tokio::test]
async fn the_token_opens_everything_but_health() {
    let house = House::with(
        |console| {
            console.token = Some(Secret::new(TOKEN));
            console.metrics_open = false;
        },
        Daemon::default(),
    )
    .await;
    for (path, authorization, status) in [
        ("/api/v1/runs", "", 401),
        ("/api/v1/runs", "Bearer wrong", 401),
        ("/api/v1/runs", "Bearer let-me-i", 401),
        ("/api/v1/runs", "Basic let-me-in", 401),
        ("/api/v1/runs", "let-me-in", 401),
        ("/api/v1/runs", "Bearer let-me-in", 200),
        ("/api/v1/runs", "bearer let-me-in", 200),
        ("/api/v1/openapi.json", "", 401),
        ("/nothing", "", 401),
        ("/nothing", "Bearer let-me-in", 404),
        ("/metrics", "", 401),
        ("/metrics", "Bearer let-me-in", 200),
        ("/healthz", "", 200),
        ("/readyz", "", 200),
    ] {
        let mut headers = vec![("host", "localhost")];
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        let given = house.send(request("GET", path, &headers, "")).await;
        assert_eq!(given.status, status, "{path} {authorization}");
        if status == 401 {
            given.problem(401, "Authorization: Bearer");
            assert_eq!(given.headers["www-authenticate"], "Bearer");
        }
    }
    let open = House::with(|console| console.token = Some(Secret::new(TOKEN)), Daemon::default()).await;
    assert_eq!(open.get("/metrics").await.status, 200);
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_guessing_gets_slow() {
    let house = House::with(|console| console.token = Some(Secret::new(TOKEN)), Daemon::default()).await;
    let with = |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [("host", "localhost"), ("authorization", authorization.as_str())];
        house.send(request("GET", "/api/v1/runs", &headers, ""))
    };
    let mut statuses = Vec::new();
    for n in 0..5 {
        statuses.push(with(&format!("wrong-{n}")).await.status.as_u16());
    }
    assert_eq!(statuses, [401; 5]);
    // All at once: a few wait for a turn, the others are sent away with their tokens unread, the right one among them.
    let guesses: Vec<String> = (0..100).map(|n| format!("guess-{n}")).collect();
    let all: futures::stream::FuturesUnordered<_> = guesses.iter().map(|guess| with(guess)).collect();
    let first: Vec<_> = all.take(80).collect().await;
    for given in &first {
        given.problem(429, "not looked at");
        assert!(given.headers.contains_key("retry-after"));
    }
    with(TOKEN).await.problem(429, "not looked at");
    let metrics = house.get("/metrics").await.text;
    let count = |reason: &str| -> usize {
        let name = format!("stayhook_admin_rejected_total{{reason=\"{reason}\"}} ");
        metrics
            .lines()
            .find_map(|line| line.strip_prefix(&name))
            .unwrap()
            .parse()
            .unwrap()
    };
    assert!(
        count("wrong token") >= 5 && count("too many wrong tokens") >= 81,
        "{metrics}"
    );
    assert_eq!(count("no token"), 0);
}

#[tokio::test]
async fn what_a_post_has_to_be() {
    let house = House::new().await;
    let run = house.dead(1).await;
    let path = format!("/api/v1/runs/{run}/retry");
    let json = ("content-type", "application/json; charset=utf-8");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let long = " ".repeat(BODY_MAX + 1);
    for (headers, body, status, part) in [
        (vec![], "{}", 415, "application/json"),
        (vec![form], "again=true", 415, "application/json"),
        (vec![("content-type", "text/plain")], "{}", 415, "application/json"),
        (vec![json], "[]", 400, "JSON object"),
        (vec![json], "{", 400, "JSON object"),
        (vec![json], r#"{"agian": true}"#, 400, "there is again, same_revision"),
        (
            vec![json],
            r#"{"again": "Wilhelmina"}"#,
            400,
            "`again` is true or false",
        ),
        (vec![json], long.as_str(), 413, "64 KiB"),
        (vec![json, ("idempotency-key", "")], "{}", 400, "1 to 255"),
    ] {
        let mut headers = headers;
        headers.push(("host", "localhost"));
        house
            .send(request("POST", &path, &headers, body.to_owned()))
            .await
            .problem(status, part);
    }
    let empty = request("POST", &path, &[("host", "localhost"), json], "");
    assert_eq!(house.send(empty).await.fine()["state"], "ready");
}

#[tokio::test]
async fn what_is_not_there() {
    let house = House::new().await;
    for path in [
        "/api/v1/deliveries/d_none",
        "/api/v1/events/e_none",
        "/api/v1/runs/r_none",
        "/api/v1/reservations/lab/none",
        "/api/v1/explain/d_none",
        "/api/v1/explain/e_none",
        "/api/v1/explain/r_none",
        "/api/v1/nothing",
        "/",
    ] {
        house.get(path).await.problem(404, "there is no");
    }
    house
        .post("/api/v1/runs/r_none/retry", json!({}))
        .await
        .problem(404, "there is no run");
    house
        .post("/api/v1/deliveries/d_none/replay", json!({}))
        .await
        .problem(404, "there is no delivery");
    house.get("/api/v1/runs/retry").await.problem(405, "another method");
    house
        .post("/api/v1/runs", json!({}))
        .await
        .problem(405, "another method");
    house.get("/api/v1/runs/%FF").await.problem(400, "percent-encoded");
}

#[tokio::test]
async fn health_says_why_not() {
    let daemon = Daemon {
        ill: Some("the writer stands still"),
        ..Daemon::default()
    };
    let house = House::with(|_| {}, daemon).await;
    for path in ["/healthz", "/readyz"] {
        house.get(path).await.problem(503, "the writer stands still");
    }
    let well = House::new().await;
    assert_eq!(well.get("/healthz").await.fine(), json!({"status": "ok"}));
}

/// What scripts rely on: the routes of the contract, and nothing that is not written down here.
#[tokio::test]
async fn the_description_lists_exactly_what_is_served() {
    let house = House::new().await;
    let document = house.get("/api/v1/openapi.json").await.fine();
    let mut listed = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            listed.push(format!("{method} {path}"));
            let real = path.replace("{source}", "lab").replace("{code}", "x");
            let real = real.replace("{id}", "x").replace("{delivery}", "x");
            let given = match method.as_str() {
                "get" => house.get(&real).await,
                _ => house.post(&real, json!({"unknown": 1})).await,
            };
            assert_ne!(given.status, 405, "{method} {path}");
            assert!(!given.text.contains("nothing under this path"), "{method} {path}");
        }
    }
    listed.sort_unstable();
    let mut expected = vec![
        "get /api/v1/connections",
        "get /api/v1/deliveries",
        "get /api/v1/deliveries/{id}",
        "get /api/v1/events",
        "get /api/v1/events/{id}",
        "get /api/v1/explain/{delivery}",
        "get /api/v1/openapi.json",
        "get /api/v1/recipes",
        "get /api/v1/reservations",
        "get /api/v1/reservations/{source}/{code}",
        "get /api/v1/reservations/{source}/{code}/timeline",
        "get /api/v1/runs",
        "get /api/v1/runs/{id}",
        "get /api/v1/sources",
        "get /api/v1/upcoming",
        "get /healthz",
        "get /metrics",
        "get /readyz",
        "post /api/v1/deliveries/replay",
        "post /api/v1/deliveries/{id}/replay",
        "post /api/v1/plan/backfill",
        "post /api/v1/runs/retry",
        "post /api/v1/runs/{id}/cancel",
        "post /api/v1/runs/{id}/done",
        "post /api/v1/runs/{id}/retry",
    ];
    expected.sort_unstable();
    assert_eq!(listed, expected);
}
