//! Strangers beside a sender: bodies that are made to cost much, and connections that say nothing. What counts is how long
//! the sender waits for its acknowledgement.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Args;
use super::load::{self, quantile_ms};
use super::program::Site;
use super::report::Report;
use super::round::{fine, settled, to};
use super::target::Target;

/// How many strangers send at a time.
const STRANGERS: usize = 8;
/// How many connections of one host say nothing.
const IDLE: usize = 1_500;
/// How many probes are sent among them.
const PROBES: usize = 50;
/// One delivery every so often.
const PACE: Duration = Duration::from_millis(5);

/// 1 MB of gzip in which there is nothing.
fn empty_members() -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(b"").unwrap();
    writer.finish().unwrap().repeat(52_000)
}

/// Sends it again and again, each time on a connection of its own.
async fn stranger(address: SocketAddr, request: std::sync::Arc<Vec<u8>>) {
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else {
            continue;
        };
        let (mut from, mut to) = stream.split();
        let mut answer = Vec::new();
        let _ = tokio::join!(to.write_all(&request), from.read_to_end(&mut answer));
    }
}

/// Somebody else who reads what he is sent and answers nothing: what strangers cost a machine of which they share the cores.
async fn elsewhere() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let size = empty_members().len();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut left = size;
            tokio::spawn(async move {
                let mut buffer = vec![0; 1 << 16];
                while left > 0 {
                    match stream.read(&mut buffer).await {
                        Ok(read @ 1..) => left = left.saturating_sub(read),
                        _ => return,
                    }
                }
                tokio::time::sleep(Duration::from_millis(250)).await;
            });
        }
    });
    (address, tasks)
}

/// Acknowledgements without and with strangers, on one daemon each.
pub async fn costly(args: &Args, report: &mut Report) {
    for (who, path) in [
        ("no strangers", ""),
        ("8 strangers elsewhere", "/elsewhere"),
        ("8 strangers without the token", "/hooks/pms"),
        ("8 strangers without the signature", "/hooks/signed"),
        ("8 strangers to an open source", "/hooks/open"),
    ] {
        let target = Target::open().await;
        let site = Site::new(&target);
        let config = site.path().join("config.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        let more = "sources:\n  open: {learn: true, auth: none}\n  signed: {learn: true, secret: a-secret-for-the-benchmark, auth: {hmac: {header: X-Sig}}}\n";
        std::fs::write(&config, text.replace("sources:\n", more)).unwrap();
        let program = site.serve();
        let elsewhere = match path {
            "/elsewhere" => Some(elsewhere().await),
            _ => None,
        };
        let mut strangers = JoinSet::new();
        if !path.is_empty() {
            let body = empty_members();
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-sig: 00\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let request = std::sync::Arc::new([head.into_bytes(), body].concat());
            let to = match elsewhere.as_ref() {
                Some((address, _)) if path == "/elsewhere" => *address,
                _ => program.hooks,
            };
            for _ in 0..STRANGERS {
                strangers.spawn(stranger(to, request.clone()));
            }
        }
        let sent = load::steady(program.hooks, &to(&program, "pms", 'S'), 0..args.quiet, PACE).await;
        strangers.shutdown().await;
        fine(&sent);
        report.add(who, "ack p50 ms", quantile_ms(&sent.acks, 0.5));
        report.add(who, "ack p99 ms", quantile_ms(&sent.acks, 0.99));
        settled(&program).await;
    }
}

/// 1,500 connections that say nothing and come back when they are closed; a sender opens a new one for each delivery.
pub async fn idle(report: &mut Report) {
    let target = Target::open().await;
    let site = Site::new(&target);
    let program = site.serve();
    let address = program.hooks;
    let mut silent = JoinSet::new();
    for _ in 0..IDLE {
        silent.spawn(async move {
            loop {
                if let Ok(mut stream) = TcpStream::connect(address).await {
                    let _ = stream.read(&mut [0; 64]).await;
                }
                // Whoever is closed comes back, but not in a loop without an end.
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }
    let mut template = to(&program, "pms", 'I');
    let mut took = Vec::new();
    for number in 0..PROBES {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let began = Instant::now();
        let probe = async {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(template.fill(number)).await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer[9..], b"200", "a probe is acknowledged");
        };
        timeout(Duration::from_secs(10), probe)
            .await
            .expect("a probe is answered");
        took.push(began.elapsed());
    }
    silent.shutdown().await;
    took.sort_unstable();
    report.add("1,500 idle connections", "probe p50 ms", quantile_ms(&took, 0.5));
    report.add("1,500 idle connections", "slowest probe ms", quantile_ms(&took, 1.0));
}
