//! The HTTP client: bounds, time-outs, addresses it refuses.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::standin::{Background, HttpStandin, Reply};
use stayhook::outbound::{BODY_MAX, End, Names, OutError, OutRequest, OutResponse, Outbound, Url};

/// Long enough for a busy machine; nothing here waits for it to pass.
const AMPLE: Duration = Duration::from_secs(20);

fn request(url: &str, timeout: Duration) -> OutRequest {
    OutRequest {
        method: Method::POST,
        url: Url::parse(url).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"hello"),
        timeout,
    }
}

async fn send(outbound: &Outbound, url: &str) -> Result<OutResponse, OutError> {
    outbound.send(request(url, AMPLE)).await
}

fn outbound() -> Outbound {
    let table = HashMap::from([
        ("metadata.example".to_owned(), vec!["169.254.169.254".parse().unwrap()]),
        (
            "mapped.example".to_owned(),
            vec!["::ffff:169.254.169.254".parse().unwrap()],
        ),
        ("home.example".to_owned(), vec![Ipv4Addr::LOCALHOST.into()]),
    ]);
    Outbound::with_names(Names::Table(Arc::new(table))).unwrap()
}

#[tokio::test]
async fn answers_come_back_bounded_and_redirects_are_answers() {
    let standin = HttpStandin::start().await.unwrap();
    let long = "x".repeat(BODY_MAX + 1);
    let answer = |body: &str| Reply::Answer {
        status: 200,
        headers: Vec::new(),
        body: body.into(),
    };
    standin.then([
        Reply::status(302).header("location", "http://169.254.169.254/"),
        answer(&long),
        answer(&long[1..]),
    ]);
    let outbound = outbound();
    let url = format!("{}/a?b=c", standin.base_url());
    let redirect = send(&outbound, &url).await.unwrap();
    assert_eq!(
        (redirect.status, redirect.headers["location"].to_str().unwrap()),
        (302, "http://169.254.169.254/")
    );
    let cut = send(&outbound, &url).await.unwrap();
    assert_eq!((cut.body.len(), cut.end), (BODY_MAX, End::Cut));
    let whole = send(&outbound, &url).await.unwrap();
    assert_eq!((whole.body.len(), whole.end), (BODY_MAX, End::Whole));
    let requests = standin.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(
        (requests[0].path_and_query.as_str(), requests[0].text()),
        ("/a?b=c", "hello".to_owned())
    );
    assert_eq!(requests[0].header("accept-encoding"), None);
}

#[tokio::test]
async fn names_lead_to_checked_addresses_only() {
    let standin = HttpStandin::start().await.unwrap();
    let outbound = outbound();
    let home = standin.base_url().replace("127.0.0.1", "home.example");
    assert_eq!(send(&outbound, &home).await.unwrap().status, 200);
    for url in [
        "http://metadata.example/latest?token=geheim",
        "http://mapped.example/latest?token=geheim",
        "http://unknown.example/?token=geheim",
        "http://169.254.169.254/?token=geheim",
        "http://[fe80::1]/?token=geheim",
        "http://[::ffff:169.254.169.254]/?token=geheim",
        "http://0xa9fea9fe/?token=geheim",
        "http://2852039166/?token=geheim",
        "http://0.0.0.0/?token=geheim",
        "http://100.100.100.200/?token=geheim",
    ] {
        let error = send(&outbound, url).await.unwrap_err();
        assert!(matches!(error, OutError::NotSent(_)), "{url}: {error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("geheim") && !text.contains("latest"), "{text}");
        assert!(
            text.contains("nothing is sent there") || text.contains("has no address"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_told_from_what_has_not() {
    let outbound = outbound();
    // A port that was free a moment ago and is closed now.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let refused = send(&outbound, &format!("http://127.0.0.1:{port}/?k=geheim")).await;
    assert!(
        matches!(&refused, Err(OutError::NotSent(why)) if why.contains("refused")),
        "{refused:?}"
    );

    let standin = HttpStandin::start().await.unwrap();
    let tls = send(&outbound, &standin.base_url().replace("http:", "https:")).await;
    assert!(matches!(&tls, Err(OutError::NotSent(_))), "TLS that fails: {tls:?}");
    assert_eq!(standin.requests().len(), 0);

    let url = format!("{}/?k=geheim", standin.base_url());
    standin.then([Reply::Close, Reply::status(200).held()]);
    let closed = send(&outbound, &url).await;
    assert!(
        matches!(&closed, Err(OutError::NoAnswer(why)) if !why.contains("geheim")),
        "{closed:?}"
    );
    let late = outbound.send(request(&url, Duration::from_millis(300))).await;
    assert!(
        matches!(&late, Err(OutError::NoAnswer(why)) if why.contains("in time")),
        "{late:?}"
    );
    assert_eq!(standin.requests().len(), 2);
}

#[tokio::test]
async fn a_held_answer_comes_after_its_release() {
    let standin = HttpStandin::start().await.unwrap();
    standin.then([Reply::status(204).held()]);
    let outbound = outbound();
    let (answer, ()) = tokio::join!(send(&outbound, standin.base_url()), async {
        standin.wait_for(1).await;
        standin.release();
    });
    assert_eq!(answer.unwrap().status, 204);
}

#[tokio::test]
async fn a_body_that_breaks_off_keeps_its_status() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let _serving = Background::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"hello") {
            stream.read_buf(&mut seen).await.unwrap();
        }
        stream
            .write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\nhalf")
            .await
            .unwrap();
    });
    let answer = send(&outbound(), &url).await.unwrap();
    assert_eq!(
        (answer.status, &answer.body[..], answer.end),
        (201, &b"half"[..], End::Broken)
    );
}
