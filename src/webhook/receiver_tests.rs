//! The receiver against senders of every kind, over real sockets.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::clock::SystemClock;
use crate::provider::catalogue::shipped;
use crate::secret::Secret;
use crate::webhook::sign;

const SECRET: &str = "whsec_of_the_receiver";

fn webhook() -> Webhook {
    shipped("inkress").unwrap().unwrap().webhook.unwrap()
}

fn key() -> Key {
    Key::new(&webhook(), &Secret::new(SECRET)).unwrap()
}

fn open(limits: Limits) -> Receiver {
    let expected = Expected {
        webhook: webhook(),
        key: key(),
        path: "/hook".into(),
        clock: Arc::new(SystemClock),
    };
    Receiver::bind(0, expected, limits).unwrap()
}

/// Far longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends what is given and gives the status that is answered; 0 where the connection just ends.
async fn send(address: SocketAddr, parts: &[&[u8]]) -> u16 {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        for part in parts {
            // A receiver that has refused already may have closed.
            if stream.write_all(part).await.is_err() {
                break;
            }
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    };
    timeout(PATIENCE, exchange).await.expect("an answer")
}

fn head(method: &str, path: &str, length: usize, signature: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: a-tunnel.example\r\nContent-Length: {length}\r\nX-Inkress-Webhook-Signature: {signature}\r\nX-Inkress-Webhook-ID: evt_1\r\n\r\n").into_bytes()
}

fn signed(body: &[u8]) -> Vec<u8> {
    let signature = sign(&webhook(), &key(), None, None, body).unwrap();
    let mut request = head("POST", "/hook", body.len(), &signature);
    request.extend_from_slice(body);
    request
}

/// Takes what comes, does every delivery, and says why the rest was refused.
async fn taking(receiver: &mut Receiver, refusals: &mut Vec<Refusal>, bodies: &mut Vec<Bytes>) {
    while let Some(arrival) = receiver.next().await {
        match arrival {
            Arrival::Refused(refusal) => refusals.push(refusal),
            Arrival::Delivery(delivery) => {
                bodies.push(delivery.body.clone());
                delivery.answer(Outcome::Done);
            }
        }
    }
}

/// Runs a sender beside a receiver that takes everything.
async fn beside<T>(
    receiver: &mut Receiver,
    sender: impl Future<Output = T>,
) -> (T, Vec<Refusal>, Vec<Bytes>) {
    let (mut refusals, mut bodies) = (Vec::new(), Vec::new());
    let sent = tokio::select! {
        biased;
        () = taking(receiver, &mut refusals, &mut bodies) => unreachable!("the door stays open"),
        sent = sender => sent,
    };
    (sent, refusals, bodies)
}

#[tokio::test]
async fn a_delivery_comes_through_byte_for_byte() {
    let mut receiver = open(Limits::default());
    let address = receiver.address();
    assert!(address.ip().is_loopback());
    let bodies: [&[u8]; 4] = [b"{\"a\": 1}\r\n", b"", b"\x00\xff\r\n\n", &[b'x'; 1 << 20]];
    for body in bodies {
        let request = signed(body);
        let (status, refusals, taken) = beside(&mut receiver, send(address, &[&request])).await;
        assert_eq!((status, refusals), (200, vec![]));
        assert_eq!(taken, [Bytes::copy_from_slice(body)]);
    }
}

#[tokio::test]
async fn whatever_is_no_delivery_is_refused_in_the_words_of_http() {
    let limits = Limits { body: 1000, ..Limits::default() };
    let mut receiver = open(limits);
    let address = receiver.address();
    let good = String::from_utf8(signed(b"{}")).unwrap();
    let chunked = format!(
        "POST /hook HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        "x".repeat(2000)
    );
    let cases: [(String, u16); 11] = [
        (good.clone(), 200),
        (good.replace("/hook", "/hook?a=b"), 200),
        (good.replace("POST", "GET"), 405),
        (good.replace("/hook", "/"), 404),
        (good.replace("/hook", "/hook/"), 404),
        (good.replace("{}", "{ "), 401),
        (good.replace("X-Inkress-Webhook-Signature", "X-Other"), 401),
        (good.replace("evt_1", "evt_1\r\nX-Inkress-Webhook-ID: evt_2"), 400),
        (good.replace("Content-Length: 2", "Content-Length: 1001"), 413),
        (chunked, 413),
        ("nonsense\r\n\r\n".into(), 400),
    ];
    for (request, expected) in cases {
        let (status, _, taken) = beside(&mut receiver, send(address, &[request.as_bytes()])).await;
        assert_eq!(status, expected, "{request:?}");
        assert_eq!(taken.len(), usize::from(expected == 200), "{request:?}");
    }
    let long = format!("POST /hook HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024));
    let (status, ..) = beside(&mut receiver, send(address, &[long.as_bytes()])).await;
    assert!(matches!(status, 0 | 431), "{status}");
}

#[tokio::test]
async fn a_slow_sender_is_sent_away_and_a_body_that_breaks_off_is_none() {
    let sending = Duration::from_millis(20);
    let mut receiver = open(Limits { head: PATIENCE, sending, ..Limits::default() });
    let address = receiver.address();
    let half = head("POST", "/hook", 100, "x");
    let (status, refusals, _) = beside(&mut receiver, send(address, &[&half, b"{"])).await;
    assert_eq!((status, refusals), (408, vec![Refusal::TooSlow(sending)]));
    let mut receiver = open(Limits { head: sending, ..Limits::default() });
    let address = receiver.address();
    let (status, ..) = beside(&mut receiver, send(address, &[b"POST /hook HT"])).await;
    assert!(matches!(status, 0 | 408), "{status}");

    let mut receiver = open(Limits::default());
    let mut stream = TcpStream::connect(receiver.address()).await.unwrap();
    stream.write_all(&half).await.unwrap();
    stream.shutdown().await.unwrap();
    let arrival = timeout(PATIENCE, receiver.next()).await.unwrap();
    assert!(matches!(arrival, Some(Arrival::Refused(Refusal::CutOff))), "{arrival:?}");
}

#[tokio::test]
async fn senders_who_never_end_give_way_to_one_who_does() {
    let limits = Limits { connections: 8, ..Limits::default() };
    let mut receiver = open(limits);
    let address = receiver.address();
    let mut slow = Vec::new();
    for _ in 0..32 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST /hook HTTP/1.1\r\n").await.unwrap();
        slow.push(stream);
    }
    let request = signed(b"{}");
    let (status, ..) = beside(&mut receiver, send(address, &[&request])).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_delivery_in_hand_is_not_dropped_for_a_newcomer() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let mut receiver = open(limits);
    let address = receiver.address();
    let first = tokio::spawn(async move { send(address, &[&signed(b"1")]).await });
    let second = tokio::spawn(async move { send(address, &[&signed(b"2")]).await });
    let mut held = Vec::new();
    while held.len() < 2 {
        if let Some(Arrival::Delivery(delivery)) = receiver.next().await {
            held.push(delivery);
        }
    }
    // A third one is closed without an answer: its vendor tries again.
    assert_eq!(send(address, &[&signed(b"3")]).await, 0);
    held.pop().unwrap().answer(Outcome::NotTaken);
    drop(held);
    let mut statuses = [first.await.unwrap(), second.await.unwrap()];
    statuses.sort_unstable();
    assert_eq!(statuses, [502, 503]);
}

#[tokio::test]
async fn a_busy_port_is_said_and_a_closed_receiver_lets_go() {
    let receiver = open(Limits::default());
    let address = receiver.address();
    let expected =
        Expected { webhook: webhook(), key: key(), path: "/".into(), clock: Arc::new(SystemClock) };
    let busy = Receiver::bind(address.port(), expected, Limits::default());
    assert_eq!(busy.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    drop(receiver);
    tokio::task::yield_now().await;
    assert!(TcpStream::connect(address).await.is_err());
}
