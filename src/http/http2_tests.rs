//! How a request over HTTP/2 fails, and what becomes of its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::test_server::{client, run};
use super::wire_tests::Authority;
use super::*;

/// RFC 9113 section 3.4.
const PREFACE: usize = 24;
const HEADERS: u8 = 1;
/// A frame that sets nothing (RFC 9113 section 6.5); the nine bytes are the head.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// `:status: 200` (RFC 7541 appendix A), at the end of stream 1.
const ANSWER: [u8; 10] = [0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88];

fn reset(reason: u8) -> Vec<u8> {
    vec![0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, reason]
}

fn go_away(last: u8, reason: u8) -> Vec<u8> {
    vec![0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last, 0, 0, 0, reason]
}

/// Says one thing to the first request of each connection; says nothing more, and closes where asked.
async fn serve(
    listener: tokio::net::TcpListener,
    config: rustls::ServerConfig,
    says: impl Fn(usize) -> (Vec<u8>, bool),
    connections: Arc<AtomicUsize>,
) {
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let (said, closes) = says(connections.fetch_add(1, Ordering::SeqCst));
        tokio::spawn(async move {
            stream.write_all(&SETTINGS).await.unwrap();
            stream.read_exact(&mut [0; PREFACE]).await.unwrap();
            loop {
                let mut head = [0; 9];
                stream.read_exact(&mut head).await.unwrap();
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
                if head[3] == HEADERS {
                    break;
                }
            }
            stream.write_all(&said).await.unwrap();
            stream.flush().await.unwrap();
            if !closes {
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            }
        });
    }
}

/// What so many requests, one after the other, come to, and over how many connections.
fn sent(
    times: usize,
    total: Duration,
    says: impl Fn(usize) -> (Vec<u8>, bool) + Send + Sync + 'static,
) -> (Vec<Result<u16, HttpError>>, usize) {
    let authority = Authority::new();
    let mut config = authority.config_for("127.0.0.1");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connections = Arc::new(AtomicUsize::new(0));
    let outcomes = run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = serve(listener, config, says, connections.clone());
        let asking = async {
            let client = client(vec![authority.file("ca.pem")]);
            let mut outcomes = Vec::new();
            for _ in 0..times {
                let url = format!("https://{address}/").parse().unwrap();
                let limits = Limits { total, ..Limits::default() };
                let answer = exchange(&client, Request::new(Method::GET, url), limits).await;
                outcomes.push(answer.map(|answer| answer.status));
            }
            outcomes
        };
        tokio::select! {
            outcomes = asking => outcomes,
            () = serving => unreachable!("it serves until the test ends"),
        }
    });
    (outcomes, connections.load(Ordering::SeqCst))
}

fn failing(said: Vec<u8>, closes: bool) -> HttpError {
    let (mut outcomes, _) = sent(1, Duration::from_secs(10), move |_| (said.clone(), closes));
    outcomes.remove(0).unwrap_err()
}

#[test]
fn a_request_that_a_server_sent_back_unread_never_reached_it() {
    for said in [reset(7), go_away(0, 0)] {
        let error = failing(said, false);
        assert!(matches!(error, HttpError::NotTaken { .. }), "{error:?}");
        assert!(error.never_reached() && error.may_pass());
    }
}

#[test]
fn a_request_that_a_server_may_have_seen_was_cut_off() {
    // An inner error, a cancelled stream, a server that goes away in anger or in the middle.
    for (said, closes) in
        [(reset(2), false), (reset(8), false), (go_away(0, 11), false), (go_away(1, 0), true)]
    {
        let error = failing(said, closes);
        assert!(matches!(error, HttpError::Reset { .. }), "{error:?}");
        assert!(!error.never_reached() && error.may_pass());
    }
}

#[test]
fn a_connection_that_let_a_request_wait_in_vain_is_not_used_again() {
    let (outcomes, connections) = sent(2, Duration::from_secs(2), |connection| {
        (if connection == 0 { Vec::new() } else { ANSWER.to_vec() }, false)
    });
    assert!(matches!(outcomes[0], Err(HttpError::TimedOut { .. })), "{outcomes:?}");
    assert_eq!(outcomes[1], Ok(200));
    assert_eq!(connections, 2);
}
