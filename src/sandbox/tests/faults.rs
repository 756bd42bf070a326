use super::*;
use crate::sandbox::walk::wire::WireError;
use std::time::Instant;

fn attempt(bench: &Bench, refresh_token: &Value) -> Result<Received, WireError> {
    let client = bench.sandbox.client();
    let body = json!({
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client.client_id,
        "client_secret": client.client_secret.unwrap().expose(),
    });
    let url = Url::parse(&bench.sandbox.url(Endpoint::Token).unwrap()).unwrap();
    let headers = [("content-type", "application/json")];
    wire::send("POST", &url, &headers, body.to_string().as_bytes())
}

/// Rotations, spent tokens seen and the outcome of one refresh under a fault.
fn under(fault: Fault) -> (u64, Bench, Result<Received, WireError>) {
    let bench = Bench::of("inkress");
    let tokens = bench.tokens("orders:read offline_access");
    bench.sandbox.next_token_answers(vec![fault]);
    let outcome = attempt(&bench, &tokens["refresh_token"]);
    (bench.sandbox.rotations(), bench, outcome)
}

#[test]
fn a_fault_in_place_of_the_work_spends_nothing() {
    let busy = Fault::Status {
        status: 503,
        headers: vec![("retry-after".into(), "7".into())],
        body: "busy".into(),
    };
    let (rotations, _, outcome) = under(busy);
    let received = outcome.unwrap();
    assert_eq!((rotations, received.status, received.header("retry-after")), (0, 503, Some("7")));
    assert_eq!(received.body, b"busy");

    let (rotations, _, outcome) = under(Fault::Html);
    let received = outcome.unwrap();
    assert_eq!((rotations, received.status), (0, 200));
    assert!(received.header("content-type").unwrap().starts_with("text/html"));

    let (rotations, _, outcome) = under(Fault::Reset);
    assert_eq!(rotations, 0);
    assert!(outcome.is_err(), "no answer at all");
}

#[test] // RF11
fn a_lost_answer_has_spent_the_refresh_token() {
    let (rotations, bench, outcome) = under(Fault::RotateThenReset);
    assert_eq!(rotations, 1);
    assert!(outcome.is_err());
    assert_eq!((bench.sandbox.spent_tokens_seen(), bench.sandbox.grants_alive()), (0, 1));

    let (rotations, _, outcome) = under(Fault::RotateThenBadGateway);
    assert_eq!((rotations, outcome.unwrap().status), (1, 502));
}

#[test] // TS19
fn a_truncated_answer_promises_more_than_it_gives() {
    let (rotations, _, outcome) = under(Fault::Truncated);
    assert_eq!(rotations, 1);
    assert!(matches!(outcome, Err(WireError::CutOff | WireError::Connection(_))));

    let bench = Bench::of("inkress");
    let token = bench.tokens("orders:read")["access_token"].clone();
    bench.sandbox.next_api_answers(vec![Fault::Truncated]);
    let host = bench.sandbox.origin().replace("http://", "");
    let token = token.as_str().unwrap();
    let head =
        format!("GET /api/v1/orders HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}");
    let answer = bench.raw(&format!("{head}\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let promised = head.split_once("content-length: ").unwrap().1.lines().next().unwrap();
    assert_eq!(body.len(), promised.parse::<usize>().unwrap() / 2);
    assert!(body.starts_with("{\"result\":{"), "{answer}");
}

#[test]
fn garbage_is_a_success_without_json() {
    let (rotations, _, outcome) = under(Fault::Garbage);
    let received = outcome.unwrap();
    assert_eq!((rotations, received.status), (1, 200));
    assert!(serde_json::from_slice::<Value>(&received.body).is_err());
}

#[test]
fn faults_come_in_order_and_then_no_more() {
    let bench = Bench::of("inkress");
    let token = bench.tokens("orders:read")["access_token"].clone();
    bench.sandbox.next_api_answers(vec![Fault::status(503), Fault::status(429)]);
    let statuses = [(); 3].map(|()| bench.call("GET", "/api/v1/orders", &token, "").status);
    assert_eq!(statuses, [503, 429, 200]);
}

#[test]
fn a_slow_answer_waits_and_others_do_not_wait_for_it() {
    let bench = Bench::of("inkress");
    let tokens = bench.tokens("orders:read offline_access");
    bench.sandbox.latency(Duration::from_millis(80));
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| attempt(&bench, &tokens["refresh_token"]).unwrap().status);
        assert_eq!(bench.get("/", &[]).status, 200);
        assert_eq!(slow.join().unwrap(), 200);
    });
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[test]
fn a_merchant_who_ends_the_connection_ends_it_for_good() {
    let bench = Bench::of("inkress");
    let tokens = bench.tokens("orders:read offline_access");
    bench.sandbox.revoke_all();
    assert_eq!(bench.call("GET", "/api/v1/orders", &tokens["access_token"], "").status, 401);
    assert_eq!(bench.refresh(&tokens["refresh_token"]).status, 400);
    assert_eq!(bench.sandbox.grants_alive(), 0);
}

#[test]
fn a_dropped_sandbox_closes_what_is_still_open() {
    let bench = Bench::of("inkress");
    let address = bench.sandbox.origin().replace("http://", "");
    let mut idle = std::net::TcpStream::connect(address).unwrap();
    assert_eq!(bench.get("/", &[]).status, 200);
    drop(bench);
    let mut bytes = Vec::new();
    let closed = std::io::Read::read_to_end(&mut idle, &mut bytes);
    assert!(closed.is_err() || bytes.is_empty());
}
