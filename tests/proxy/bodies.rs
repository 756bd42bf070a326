//! Bodies on their way: event by event, without end, broken off, refused by nobody who waits.

use std::io::{Read as _, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use keyfob::sandbox::Behaviour;

use super::running::{Answer, Behind, Proxy};
use super::upstream::{PATIENCE, Upstream, chunk, is_closed, ok, read_head};
use crate::support::program::{Life, Program};

#[test] // AT-25
fn events_arrive_one_by_one() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let behind = Behind::new(Upstream::answering(move |_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            .unwrap();
        for number in 0..3 {
            chunk(stream, format!("data: {number}\n\n").as_bytes());
            wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        stream.write_all(b"0\r\n\r\n").unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let mut stream = proxy.connect();
    stream.write_all(format!("{}\r\n", proxy.head("GET /events")).as_bytes()).unwrap();
    assert!(read_head(&mut stream).unwrap().contains("text/event-stream"));
    for number in 0..3 {
        // The next one is sent only after this one was read.
        let expected = format!("9\r\ndata: {number}\n\n\r\n");
        let mut event = vec![0; expected.len()];
        stream.read_exact(&mut event).unwrap();
        assert_eq!(String::from_utf8(event).unwrap(), expected);
        go.send(()).unwrap();
    }
    let mut end = [0; 5];
    stream.read_exact(&mut end).unwrap();
    assert_eq!(&end, b"0\r\n\r\n");
}

#[test] // AT-25
fn an_upload_is_passed_on_while_it_arrives() {
    let (go, wait) = channel::<()>();
    let go = Mutex::new(go);
    let behind = Behind::new(Upstream::reading(move |_, stream| {
        let mut piece = [0; 8];
        stream.read_exact(&mut piece).unwrap();
        assert_eq!(&piece, b"3\r\none\r\n");
        go.lock().unwrap().send(()).unwrap();
        let mut rest = [0; 13];
        stream.read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"3\r\ntwo\r\n0\r\n\r\n");
        stream.write_all(ok("{}").as_bytes()).unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let mut stream = proxy.connect();
    let head =
        proxy.head("POST /notes") + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    assert!(read_head(&mut stream).unwrap().starts_with("HTTP/1.1 100 "));
    stream.write_all(b"3\r\none\r\n").unwrap();
    wait.recv_timeout(PATIENCE).unwrap();
    stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n").unwrap();
    assert_eq!(Answer::read(&mut stream, false).status, 200);
}

#[test] // AT-25
fn who_may_not_come_in_sends_no_body() {
    let behind = Behind::new(Upstream::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    let proxy = behind.proxy(&["--read-only"]);
    for head in [format!("POST /x HTTP/1.1\r\nHost: {}\r\n", proxy.host()), proxy.head("POST /x")] {
        let mut stream = proxy.connect();
        let request = format!("{head}Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let answer = Answer::read(&mut stream, false);
        assert!(matches!(answer.status, 401 | 403), "{}", answer.head);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.is_empty(), "the connection is closed");
    }
    assert_eq!(behind.upstream.connections(), 0);
}

#[test]
fn a_body_that_breaks_off_is_not_taken_for_whole() {
    let behind = Behind::new(Upstream::answering(|seen, stream| {
        // No secret begins with its last character: one that might be is kept back until more comes.
        let head = match seen.line() {
            "GET /api/v1/orders/1" => "content-length: 100\r\n\r\nhal!",
            _ => "transfer-encoding: chunked\r\n\r\n4\r\nhal!\r\n",
        };
        write!(stream, "HTTP/1.1 200 OK\r\n{head}").unwrap();
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    }));
    let proxy = behind.proxy(&[]);
    for path in ["1", "2"] {
        let answer = proxy.ask(&format!("GET /orders/{path}"));
        assert!(!answer.is_whole, "{answer:?}");
        proxy.says(&format!("GET /orders/{path} 200"));
    }
    assert_eq!(proxy.stderr().matches(" 4 B cut-off").count(), 2, "{}", proxy.stderr());
}

#[test]
fn a_program_that_goes_away_takes_its_request_along() {
    let (tell, told) = channel::<bool>();
    let tell = Mutex::new(tell);
    let behind = Behind::new(Upstream::answering(move |_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        chunk(stream, b"one!");
        // The next read ends when the proxy closes the connection.
        let closed = is_closed(&stream.read(&mut [0]));
        tell.lock().unwrap().send(closed).unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let mut stream = proxy.connect();
    stream.write_all(format!("{}\r\n", proxy.head("GET /events")).as_bytes()).unwrap();
    read_head(&mut stream).unwrap();
    // Only what was passed on is known to have been sent.
    let mut piece = [0; 9];
    stream.read_exact(&mut piece).unwrap();
    assert_eq!(&piece, b"4\r\none!\r\n");
    drop(stream);
    assert!(told.recv_timeout(PATIENCE).unwrap());
    proxy.says("GET /events 200");
    proxy.says("cut-off");
}

#[test] // AT-25
fn large_bodies_pass_within_little_memory() {
    const LENGTH: usize = 128 << 20;
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let proxy = Proxy::start(&program, &[]);
    let mut stream = proxy.connect();
    let down = format!("{}\r\n", proxy.head(&format!("GET /download?bytes={LENGTH}")));
    stream.write_all(down.as_bytes()).unwrap();
    let head = read_head(&mut stream).unwrap();
    assert!(head.contains(&format!("content-length: {LENGTH}")), "{head}");
    let read = std::io::copy(&mut (&mut stream).take(LENGTH as u64), &mut std::io::sink()).unwrap();
    assert_eq!(read, LENGTH as u64);

    let mut stream = proxy.connect();
    let up = format!("{}Content-Length: {LENGTH}\r\n\r\n", proxy.head("POST /upload"));
    stream.write_all(up.as_bytes()).unwrap();
    let piece = vec![b'a'; 1 << 20];
    for _ in 0..LENGTH / piece.len() {
        stream.write_all(&piece).unwrap();
    }
    let answer = Answer::read(&mut stream, false);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains(&LENGTH.to_string()), "{}", answer.text());
    #[cfg(target_os = "linux")]
    assert!(peak(proxy.process()) < 64 << 10, "{} KiB", peak(proxy.process()));
}

/// The most memory a process has held, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test] // AT-25
fn a_request_that_waits_holds_nobody_else_up() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let behind = Behind::new(Upstream::answering(move |seen, stream| {
        if seen.line().ends_with("slow") {
            wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        stream.write_all(ok("{}").as_bytes()).unwrap();
    }));
    let proxy = behind.proxy(&[]);
    let mut slow = proxy.connect();
    slow.write_all(format!("{}\r\n", proxy.head("GET /orders/slow")).as_bytes()).unwrap();
    crate::support::until("the slow one is there", || behind.upstream.seen().len() == 1);
    assert_eq!(proxy.ask("GET /orders").status, 200);
    go.send(()).unwrap();
    assert_eq!(Answer::read(&mut slow, false).status, 200);
}
