//! The end: nobody comes in any more, whoever is inside may finish.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use keyfob::sandbox::{Fault, Gate};
use rustix::process::Signal;

use super::running::{Answer, Behind, Proxy};
use super::upstream::{PATIENCE, Upstream, ok};
use crate::support::until;

/// An API that answers when it is told to.
fn held() -> (Behind, Sender<()>) {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let behind = Behind::new(Upstream::answering(move |_, stream| {
        // The sender may be gone with its test.
        let _ = wait.lock().unwrap().recv_timeout(PATIENCE);
        let _ = stream.write_all(ok("{}").as_bytes());
    }));
    (behind, go)
}

#[test] // AT-25
fn a_signal_lets_requests_finish_and_nobody_in() {
    for signal in [Signal::INT, Signal::TERM] {
        let (behind, go) = held();
        let proxy = behind.proxy(&[]);
        let mut stream = proxy.connect();
        let _idle = proxy.connect();
        stream.write_all(format!("{}\r\n", proxy.head("GET /orders")).as_bytes()).unwrap();
        until("the request is there", || behind.upstream.seen().len() == 1);
        proxy.signal(signal);
        until("nobody comes in any more", || TcpStream::connect(proxy.host()).is_err());
        go.send(()).unwrap();
        let answer = Answer::read(&mut stream, false);
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
        drop(stream);
        let (exit, said) = proxy.ended();
        assert_eq!(exit, Some(0));
        assert!(said.contains("GET /orders 200 "), "{said}");
        assert!(said.ends_with("the proxy is closed; its secret opens nothing now\n"), "{said}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (behind, _go) = held();
    let proxy = behind.proxy(&[]);
    let mut stream = proxy.connect();
    stream.write_all(format!("{}\r\n", proxy.head("GET /orders")).as_bytes()).unwrap();
    until("the request is there", || behind.upstream.seen().len() == 1);
    proxy.signal(Signal::INT);
    until("nobody comes in any more", || TcpStream::connect(proxy.host()).is_err());
    proxy.signal(Signal::INT);
    let (exit, said) = proxy.ended();
    assert_eq!(exit, Some(0));
    assert!(said.contains("a second signal: requests that had not ended are cut off\n"), "{said}");
}

#[test] // AT-25
fn a_signal_during_a_refresh_loses_no_token() {
    let behind = Behind::new(Upstream::answering(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n");
    }));
    let proxy = behind.proxy(&[]);
    let sandbox = &behind.program.sandbox;
    let gate = Gate::default();
    sandbox.next_token_answers(vec![Fault::Held(gate.clone())]);
    let mut stream = proxy.connect();
    stream.write_all(format!("{}\r\n", proxy.head("GET /orders")).as_bytes()).unwrap();
    until("the refresh is under way", || sandbox.rotations() == 1);
    proxy.signal(Signal::TERM);
    until("nobody comes in any more", || TcpStream::connect(proxy.host()).is_err());
    gate.open();
    assert_eq!(Answer::read(&mut stream, false).status, 401);
    drop(stream);
    let (exit, said) = proxy.ended();
    assert_eq!(exit, Some(0));
    assert!(!said.contains("cut off"), "{said}");
    let refreshed = behind.program.run("refresh shop");
    assert!(refreshed.status.success(), "{}", String::from_utf8_lossy(&refreshed.stderr));
    assert_eq!(sandbox.spent_tokens_seen(), 0);
}

#[test]
fn a_standard_error_that_nobody_reads_holds_up_neither_requests_nor_the_end() {
    let upstream = Upstream::answering(|_, stream| stream.write_all(ok("{}").as_bytes()).unwrap());
    let behind = Behind::new(upstream);
    let (proxy, _unread) = Proxy::unheard(&behind.program);
    let request = format!("{}\r\n", proxy.head(&format!("GET /orders/{}", "x".repeat(400))));
    let mut stream = proxy.connect();
    // More lines than a pipe takes, fewer than wait in memory.
    for _ in 0..500 {
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(Answer::read(&mut stream, false).status, 200);
    }
    drop(stream);
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.ended().0, Some(0));
}
