use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::Notify;

use super::seats::PATIENCE;
use super::*;

const GET: &[u8] = b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n";

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    entered: Arc<Notify>,
    go_on: Arc<Notify>,
    tasks: JoinSet<()>,
}

async fn served(limits: Limits) -> Served {
    let (entered, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, wait) = (entered.clone(), go_on.clone());
    let router = Router::new()
        .route(
            "/peer",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
        )
        .route("/panic", get(|| async { broken_on_purpose() }))
        .route(
            "/wait",
            get(move || async move {
                inside.notify_one();
                wait.notified().await;
                "waited"
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, router, limits, stop.clone()));
    Served {
        address,
        stop,
        entered,
        go_on,
        tasks,
    }
}

fn broken_on_purpose() -> &'static str {
    panic!("on purpose")
}

/// Sends one request on a connection that stays open, and reads the answer as far as its head.
async fn ask(stream: &mut BufReader<TcpStream>, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    head(stream).await
}

async fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).await.unwrap(), 0, "closed after {head:?}");
    }
    head
}

async fn connect(served: &Served) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(served.address).await.unwrap())
}

async fn rest(stream: &mut BufReader<TcpStream>) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn handlers_see_the_peer() {
    let served = served(Limits::default()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let me = stream.local_addr().unwrap().to_string();
    let request = b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&me), "{answer}");
}

#[tokio::test]
async fn heads_have_a_time_and_a_size() {
    let served = served(Limits {
        header_read: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    // Nothing, half a head, and a connection that idles after an answer: each is closed from the other side.
    for begun in [&b""[..], b"POST / HTTP/1.1\r\nHo", GET] {
        let mut stream = connect(&served).await;
        stream.write_all(begun).await.unwrap();
        rest(&mut stream).await;
    }
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "x".repeat(4 * HEAD_MAX));
    for headers in [many, long] {
        let mut stream = connect(&served).await;
        // The other side may close while this one still writes; then there is no answer to read.
        let _ = stream
            .write_all(format!("GET /peer HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes())
            .await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"));
    }
}

#[tokio::test]
async fn what_is_being_answered_is_not_closed_for_others() {
    let served = served(Limits {
        connections: 1,
        ..Limits::default()
    })
    .await;
    let mut first = connect(&served).await;
    first.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.entered.notified().await;
    let mut second = connect(&served).await;
    second.write_all(GET).await.unwrap();
    let early = timeout(2 * PATIENCE, second.fill_buf()).await;
    assert!(early.is_err(), "served beside the first");
    served.go_on.notify_one();
    assert!(head(&mut first).await.starts_with("HTTP/1.1 200"));
    // Now the first is the quietest.
    assert!(head(&mut second).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(&mut first).await, "waited");
}

#[tokio::test]
async fn a_host_that_says_nothing_keeps_nobody_out() {
    let served = served(Limits {
        connections: 8,
        ..Limits::default()
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..5 {
        for _ in 0..8 {
            idle.push(connect(&served).await);
        }
        let mut probe = connect(&served).await;
        assert!(ask(&mut probe, GET).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn whoever_holds_most_gives_one_up() {
    let served = served(Limits {
        connections: 6,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..Limits::default()
    })
    .await;
    let of = |client: &str| format!("GET /peer HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n");
    // The eldest, and the only one of its address.
    let mut sender = connect(&served).await;
    ask(&mut sender, of("203.0.113.1").as_bytes()).await;
    let mut many = Vec::new();
    for n in 0..20 {
        let mut stream = connect(&served).await;
        // Addresses of one network of the sixth version count as one.
        let client = if n % 2 == 0 {
            "2001:db8::1".to_owned()
        } else {
            format!("[2001:db8::{n}]:80")
        };
        ask(&mut stream, of(&client).as_bytes()).await;
        many.push(stream);
    }
    let answer = ask(&mut sender, of("203.0.113.1").as_bytes()).await;
    assert!(answer.contains("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn nobody_keeps_a_place_for_ever() {
    let served = served(Limits {
        age: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut stream = connect(&served).await;
    ask(&mut stream, GET).await;
    rest(&mut stream).await;
}

#[tokio::test]
async fn a_panic_costs_one_answer() {
    let served = served(Limits::default()).await;
    let mut other = connect(&served).await;
    ask(&mut other, GET).await;
    let mut stream = connect(&served).await;
    let answer = ask(&mut stream, b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
}

#[tokio::test]
async fn stopping_lets_finish_what_is_under_way() {
    let mut served = served(Limits::default()).await;
    let mut idle = connect(&served).await;
    ask(&mut idle, GET).await;
    let mut silent = connect(&served).await;
    let mut busy = connect(&served).await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.entered.notified().await;
    served.stop.cancel();
    // Those that do nothing are closed at once; then nobody new is let in.
    rest(&mut idle).await;
    rest(&mut silent).await;
    assert!(TcpStream::connect(served.address).await.is_err());
    served.go_on.notify_one();
    let answer = rest(&mut busy).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("waited"),
        "{answer}"
    );
    served.tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn stopping_ends_in_bounded_time() {
    let mut served = served(Limits {
        drain: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut busy = connect(&served).await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.entered.notified().await;
    served.stop.cancel();
    served.tasks.join_next().await.unwrap().unwrap();
}
