//! Tokens that roll while programs ask.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use keyfob::clock::{Clock as _, SystemClock};
use keyfob::sandbox::{Behaviour, Endpoint, Fault, Gate};
use rustix::process::Signal;

use super::running::{Behind, Proxy};
use super::upstream::{Upstream, ok};
use crate::support::program::{Life, Program};

/// An API that has ended the tokens on a list.
struct Picky {
    ended: Arc<Mutex<Vec<String>>>,
    behind: Behind,
}

impl Picky {
    fn new() -> Self {
        let ended = Arc::new(Mutex::new(Vec::<String>::new()));
        let list = ended.clone();
        let upstream = Upstream::answering(move |seen, stream| {
            let token = seen.header("authorization").unwrap();
            let has_ended = list.lock().unwrap().iter().any(|it| token.ends_with(it.as_str()));
            let refused = "HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}".to_owned();
            let answer = if has_ended { refused } else { ok("{}") };
            stream.write_all(answer.as_bytes()).unwrap();
        });
        Self { ended, behind: Behind::new(upstream) }
    }

    fn end(&self, token: &str) {
        self.ended.lock().unwrap().push(token.to_owned());
    }

    fn token_requests(&self) -> u64 {
        self.behind.program.sandbox.counts(Endpoint::Token)
    }
}

#[test] // AT-25, RR18, RF5
fn two_hundred_requests_on_an_ended_token_make_one_token_request() {
    let picky = Picky::new();
    let proxy = picky.behind.proxy(&[]);
    picky.end(&picky.behind.token);
    let mut streams: Vec<_> = (0..200).map(|_| proxy.connect()).collect();
    let request = format!("{}\r\n", proxy.head("GET /orders"));
    for stream in &mut streams {
        stream.write_all(request.as_bytes()).unwrap();
    }
    for mut stream in streams {
        let answer = super::running::Answer::read(&mut stream, false);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(picky.token_requests(), 1);
    assert!(!proxy.stderr().contains(&picky.behind.token));
}

#[test] // AT-25
fn a_token_whose_time_has_come_is_rolled_once_for_all() {
    let program = Program::expired(Behaviour::default());
    // The first one lives a second and is none that the API knows; the next lives an hour.
    let brief =
        r#"{"access_token":"brief","token_type":"Bearer","expires_in":1,"merchant_id":183}"#;
    program.sandbox.next_token_answers(vec![Fault::Status {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: brief.into(),
    }]);
    let proxy = Proxy::start(&program, &[]);
    assert_eq!(program.sandbox.counts(Endpoint::Token), 1, "one to begin with");
    let end = SystemClock.now() + jiff::SignedDuration::from_secs(1);
    crate::support::until("its time has come", || SystemClock.now() > end);
    let mut streams: Vec<_> = (0..50).map(|_| proxy.connect()).collect();
    let request = format!("{}\r\n", proxy.head("GET /orders"));
    for stream in &mut streams {
        stream.write_all(request.as_bytes()).unwrap();
    }
    for stream in &mut streams {
        assert_eq!(super::running::Answer::read(stream, false).status, 200);
    }
    let sandbox = &program.sandbox;
    assert_eq!((sandbox.counts(Endpoint::Token), sandbox.rotations()), (2, 1));
    assert_eq!(sandbox.counts(Endpoint::Api), 50, "none was sent with the ended token first");
}

#[test] // AT-25
fn a_write_is_sent_again_with_the_same_body_and_key() {
    let picky = Picky::new();
    let proxy = picky.behind.proxy(&[]);
    picky.end(&picky.behind.token);
    assert_eq!(proxy.send("POST /notes", "{\"a\":1}").status, 200);
    let seen = picky.behind.upstream.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!((&*seen[0].body, &*seen[1].body), (&b"{\"a\":1}"[..], &b"{\"a\":1}"[..]));
    assert_ne!(seen[0].header("authorization"), seen[1].header("authorization"));
}

#[test] // AT-25, RR21
fn a_body_that_cannot_be_sent_again_brings_the_refusal_back_and_a_new_token_for_the_next() {
    let picky = Picky::new();
    let proxy = picky.behind.proxy(&[]);
    picky.end(&picky.behind.token);
    let large = "x".repeat(65 * 1024);
    assert_eq!(proxy.send("POST /notes", &large).status, 401);
    crate::support::until("the token was rolled", || {
        proxy.send("POST /notes", &large).status == 200
    });
    assert_eq!(picky.token_requests(), 1);
}

#[test] // A27
fn an_api_that_refuses_every_token_does_not_have_them_all_spent() {
    let behind = Behind::new(Upstream::saying("HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\n{}"));
    let proxy = behind.proxy(&[]);
    for _ in 0..5 {
        let answer = proxy.ask("GET /orders");
        assert_eq!((answer.status, answer.header("x-keyfob-error")), (401, None));
    }
    assert_eq!(behind.program.sandbox.counts(Endpoint::Token), 1);
}

#[test]
fn what_another_process_has_rolled_is_taken_from_the_store() {
    let picky = Picky::new();
    let proxy = picky.behind.proxy(&[]);
    let refreshed = picky.behind.program.run("refresh shop");
    assert!(refreshed.status.success());
    picky.end(&picky.behind.token);
    assert_eq!(proxy.ask("GET /orders").status, 200);
    assert_eq!(picky.token_requests(), 1, "that of the other process");
}

#[test] // AT-25
fn a_connection_that_has_ended_is_told_and_nothing_leaks() {
    let picky = Picky::new();
    let proxy = picky.behind.proxy(&[]);
    picky.end(&picky.behind.token);
    picky.behind.program.sandbox.revoke_all();
    for _ in 0..2 {
        let answer = proxy.ask("GET /orders");
        assert_eq!((answer.status, answer.code().as_str()), (503, "authorization-needed"));
        assert!(answer.text().contains("keyfob connect shop"), "{}", answer.text());
        assert!(!answer.text().contains(&picky.behind.token), "{}", answer.text());
    }
    assert_eq!(picky.token_requests(), 1);
}

#[test]
fn those_who_wait_for_a_failing_refresh_hear_of_it_together() {
    let picky = Picky::new();
    let proxy = picky.behind.proxy(&[]);
    picky.end(&picky.behind.token);
    let slow = (0..2).map(|_| Fault::status(500));
    picky.behind.program.sandbox.next_token_answers(slow.collect());
    let mut streams: Vec<_> = (0..50).map(|_| proxy.connect()).collect();
    let request = format!("{}\r\n", proxy.head("GET /orders"));
    for stream in &mut streams {
        stream.write_all(request.as_bytes()).unwrap();
    }
    let statuses: Vec<u16> = streams
        .iter_mut()
        .map(|stream| super::running::Answer::read(stream, false).status)
        .collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    assert!(picky.token_requests() < 8, "{}", picky.token_requests());
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.ended().0, Some(0));
}

#[test]
fn a_refresh_that_takes_long_holds_nobody_up_who_needs_none() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let proxy = Proxy::start(&program, &[]);
    // The API refuses one token for one request; the token still serves the others.
    program.sandbox.next_api_answers(vec![Fault::status(401)]);
    let gate = Gate::default();
    program.sandbox.next_token_answers(vec![Fault::Held(gate.clone())]);
    let mut first = proxy.connect();
    first.write_all(format!("{}\r\n", proxy.head("GET /orders")).as_bytes()).unwrap();
    crate::support::until("the refresh is under way", || {
        program.sandbox.counts(Endpoint::Token) == 1
    });
    // The refresh is answered only after this call was: one that waited for it would never end well.
    assert_eq!(proxy.ask("GET /orders").status, 200);
    gate.open();
    assert_eq!(super::running::Answer::read(&mut first, false).status, 200);
}
