//! Webhooks from the vendor's side: what can be subscribed to, who is told, how often it is tried.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Instant;

use serde_json::json;

use super::api::token_for;
use super::*;
use crate::webhook::headers::Headers;
use crate::webhook::{Key, verify};

fn bench() -> Bench {
    let webhook_pause = Some(Duration::from_millis(1));
    Bench::with("inkress", Behaviour { webhook_pause, ..Behaviour::default() })
}

fn token(bench: &Bench) -> Value {
    token_for(bench, &["orders:read", "orders:write", "webhooks:manage"])
}

fn subscribe(bench: &Bench, token: &Value, url: &str, event: &str) -> u16 {
    let body = json!({ "url": url, "event": event }).to_string();
    bench.call("POST", "/api/v1/webhook_urls", token, &body).status
}

fn pay(bench: &Bench, token: &Value, order: u32) {
    let path = format!("/api/v1/orders/{order}");
    assert_eq!(bench.call("PUT", &path, token, "{\"status\":\"paid\"}").status, 200);
}

/// Looks every millisecond, for at most half a minute.
fn tries(bench: &Bench, count: usize) -> Vec<Try> {
    let start = Instant::now();
    loop {
        let tries = bench.sandbox.webhook_tries();
        if tries.len() >= count {
            return tries;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{tries:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Answers one request after the other, and gives what came.
fn heard(listener: &TcpListener, status: u16) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).unwrap();
        assert_ne!(count, 0, "the request broke off");
        bytes.extend_from_slice(&part[..count]);
        let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")).unwrap();
        if bytes.len() == end + 4 + length.parse::<usize>().unwrap() {
            let answer =
                format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            return (head, bytes.split_off(end + 4));
        }
    }
}

#[test]
fn a_subscription_names_a_url_and_an_event_that_there_is() {
    let bench = bench();
    let token = token(&bench);
    let here = "http://127.0.0.1:1/hook";
    assert_eq!(subscribe(&bench, &token, here, "orders.paid"), 201);
    assert_eq!(subscribe(&bench, &token, "https://app.example/hook", "orders.paid"), 201);
    assert_eq!(subscribe(&bench, &token, "hook", "orders.paid"), 400);
    assert_eq!(subscribe(&bench, &token, "ftp://x/", "orders.paid"), 400);
    assert_eq!(subscribe(&bench, &token, here, "orders.payed"), 400);
    assert_eq!(bench.call("POST", "/api/v1/webhook_urls", &token, "{}").status, 400);
    let reader = token_for(&bench, &["orders:read"]);
    assert_eq!(subscribe(&bench, &reader, here, "orders.paid"), 401);
    let list = json_of(&bench.call("GET", "/api/v1/webhook_urls", &token, ""));
    let entries = list["result"]["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["url"]), (2, &json!(here)));
    assert_eq!(bench.call("DELETE", "/api/v1/webhook_urls/1", &token, "").status, 204);
    pay(&bench, &token, 5003);
    assert!(bench.sandbox.webhook_tries().is_empty(), "nobody on this machine is told");
    let refusals = bench.sandbox.refusals().join("\n");
    assert!(refusals.contains("not delivered to https://app.example/hook"), "{refusals}");
}

#[test] // RR26
fn what_happens_is_signed_over_the_bytes_that_are_sent() {
    let bench = bench();
    let token = token(&bench);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    assert_eq!(subscribe(&bench, &token, &url, "orders.paid"), 201);
    pay(&bench, &token, 5003);
    let (head, body) = heard(&listener, 200);
    let webhook = bench.sandbox.provider().webhook.clone().unwrap();
    let secret = bench.sandbox.webhook_secret().unwrap();
    assert!(secret.expose().starts_with("whsec_"));
    let headers = Headers::read(&webhook, |name| {
        let named = |line: &&str| line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        let lines = head.lines().filter(named);
        lines.map(|line| line.split_once(": ").unwrap().1.as_bytes()).collect()
    });
    let headers = headers.unwrap();
    let key = Key::new(&webhook, &secret).unwrap();
    assert_eq!(verify(&webhook, &key, &headers.with(&body), bench.clock.now()), Ok(()));
    assert_eq!(headers.event.as_deref(), Some("orders.paid"));
    let payload: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&payload["merchant_id"], &payload["data"]["id"]), (&json!(183), &json!(5003)));
    // Paid once already: nothing happens any more.
    pay(&bench, &token, 5003);
    pay(&bench, &token, 5001);
    assert_eq!(tries(&bench, 1).len(), 1);
}

#[test]
fn a_failed_delivery_is_tried_again_under_its_id_and_then_given_up() {
    let bench = bench();
    let token = token(&bench);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    assert_eq!(subscribe(&bench, &token, &url, "orders.created"), 201);
    let created = bench.call("POST", "/api/v1/orders", &token, "{\"title\":\"x\"}");
    assert_eq!(created.status, 201);
    let (_, first) = heard(&listener, 500);
    for _ in 1..5 {
        assert_eq!(heard(&listener, 302).1, first, "the same bytes each time");
    }
    let tries = tries(&bench, 5);
    assert!(tries.iter().all(|it| it.id == tries[0].id && it.event == "orders.created"));
    assert_eq!((tries[0].status, tries[4].status), (Some(500), Some(302)));
}

#[test]
fn a_rotation_needs_its_scope_and_gives_another_secret() {
    let bench = bench();
    let before = bench.sandbox.webhook_secret().unwrap();
    let path = "/api/v1/oauth_clients/17/rotate_webhook_secret";
    let reader = token_for(&bench, &["orders:read"]);
    assert_eq!(bench.call("POST", path, &reader, "").status, 401);
    assert_eq!(bench.call("GET", path, &token(&bench), "").status, 405);
    let other = "/api/v1/oauth_clients/18/rotate_webhook_secret";
    assert_eq!(bench.call("POST", other, &token(&bench), "").status, 404);
    let answer = json_of(&bench.call("POST", path, &token(&bench), ""));
    let after = bench.sandbox.webhook_secret().unwrap();
    assert_ne!(after, before);
    assert_eq!(answer["result"]["webhook_secret"], json!(after.expose()));
}
