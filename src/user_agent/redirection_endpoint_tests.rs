//! The redirection endpoint met by real clients on real sockets.

use std::io::{Read, Write};
use std::net::TcpStream as Client;
use std::thread::JoinHandle;

use super::*;
use crate::random::SystemRandom;
use crate::user_agent::listeners::tests::spare_port;

const STATE: &str = "st4te-of-this-attempt";
const ANY_PORT: &str = "http://127.0.0.1/callback/shop";
/// Long enough for any machine; a test that needs it has failed.
const FAR_TOO_LONG: Duration = Duration::from_secs(60);

fn bound(uri: &str) -> RedirectionEndpoint {
    RedirectionEndpoint::bind(&uri.parse().unwrap(), ResponseMode::Query, &SystemRandom).unwrap()
}

fn bound_with(limits: Limits) -> RedirectionEndpoint {
    RedirectionEndpoint::bind_with(
        &ANY_PORT.parse().unwrap(),
        ResponseMode::Query,
        &SystemRandom,
        limits,
    )
    .unwrap()
}

/// As the real judge does: once each, then the state, then an error or a code.
fn judge(query: &CallbackQuery) -> Verdict {
    let only = |name| {
        let values: Vec<_> = query.values(name).collect();
        match values.as_slice() {
            [value] => Some((*value).to_owned()),
            _ => None,
        }
    };
    match only("state") {
        Some(state) if state == STATE => {}
        _ => return Verdict::Refuse("This is no answer to the present attempt."),
    }
    match (query.values("code").count(), query.values("error").count()) {
        (1, 0) | (0, 1) => Verdict::Accept,
        _ => Verdict::Refuse("This is no authorization response."),
    }
}

async fn arrival(endpoint: &mut RedirectionEndpoint) -> Arrival {
    timeout(FAR_TOO_LONG, endpoint.wait(judge)).await.expect("the genuine response gets through")
}

fn connected() -> Page {
    Page::Connected { profile: "shop".into() }
}

fn get(port: u16, target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")
}

fn genuine(port: u16) -> String {
    get(port, &format!("/callback/shop?code=c0de&state={STATE}"))
}

fn connect(port: u16) -> Client {
    let client = Client::connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(FAR_TOO_LONG)).unwrap();
    client
}

/// Sends one request and reads to the end of the answer; a reset counts as an end.
fn ask(port: u16, request: &str) -> String {
    let mut client = connect(port);
    client.write_all(request.as_bytes()).unwrap();
    answer_of(client)
}

/// As a browser does: asks, and follows to the page that tells the outcome; gives the first answer.
fn walk(port: u16, request: &str) -> String {
    let first = ask(port, request);
    if let Some(location) = field(&first, "location") {
        assert_eq!(status(&ask(port, &get(port, location))), 200);
    }
    first
}

fn answer_of(mut client: Client) -> String {
    let mut answer = Vec::new();
    if let Err(error) = client.read_to_end(&mut answer) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "no answer and no end");
    }
    String::from_utf8(answer).unwrap()
}

fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    std::thread::spawn(work)
}

async fn asked(port: u16, request: String) -> String {
    tokio::task::spawn_blocking(move || ask(port, &request)).await.unwrap()
}

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

// RL6, RL7, RL8, RL9, RL12, RL13, RL14, RL21, RL22, A3, A4
#[tokio::test]
async fn nothing_but_the_genuine_response_ends_the_wait() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let right = format!("/callback/shop?code=c&state={STATE}");
    let with = |method: &str, target: &str, rest: &str| {
        format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{rest}\r\n")
    };
    let table = [
        (get(port, "/favicon.ico"), 404),
        (get(port, "/"), 404),
        (get(port, &format!("/callback?code=c&state={STATE}")), 404),
        (get(port, &format!("/callback/shop/x?code=c&state={STATE}")), 404),
        (get(port, "/done/guess"), 404),
        (with("HEAD", &right, ""), 405),
        (with("POST", &right, "Content-Length: 0\r\n"), 405),
        (with("OPTIONS", &right, "Origin: https://evil.test\r\n"), 405),
        (get(port, "/callback/shop"), 400),
        (get(port, "/callback/shop?code=c"), 400),
        (get(port, "/callback/shop?code=c&state=other"), 400),
        (get(port, "/callback/shop?error=access_denied"), 400),
        (get(port, &format!("/callback/shop?code=a&code=b&state={STATE}")), 400),
        (get(port, &format!("/callback/shop?code=a&state={STATE}&state={STATE}")), 400),
        (get(port, &format!("/callback/shop?access_token=t&state={STATE}")), 400),
        (get(port, &format!("/callback/shop?code=%ff&state={STATE}")), 400),
        (right_with_host(&right, "Host: evil.test:80\r\n"), 421),
        (right_with_host(&right, "Host: 127.0.0.1\r\n"), 421),
        (right_with_host(&right, ""), 400),
        (with("GET", &right, &format!("Host: 127.0.0.1:{port}\r\n")), 400),
        (get(port, &format!("http://evil.test{right}")), 421),
        (with("GET", &right, "Sec-Fetch-Mode: no-cors\r\n"), 403),
        (with("GET", &right, "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n"), 403),
        ("this is no HTTP\r\n\r\n".into(), 400),
    ];
    let counted = table.len() as u64 - 1;
    let client = in_thread(move || {
        let answers: Vec<_> =
            table.map(|(request, expected)| (ask(port, &request), request, expected)).into();
        (answers, walk(port, &genuine(port)))
    });

    let arrival = arrival(&mut endpoint).await;
    assert_eq!(arrival.query.values("code").collect::<Vec<_>>(), ["c0de"]);
    assert_eq!(endpoint.refused(), counted, "what is no HTTP at all is not counted");
    arrival.reply.answer(connected());
    endpoint.finish().await;
    let (answers, last) = client.join().unwrap();
    assert_eq!(status(&last), 303);
    for (answer, request, expected) in answers {
        assert_eq!(status(&answer), expected, "{request}");
        assert!(!answer.contains(STATE) && !answer.contains("evil"), "{answer}");
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
    }
}

fn right_with_host(target: &str, host: &str) -> String {
    format!("GET {target} HTTP/1.1\r\n{host}\r\n")
}

// RL8
#[tokio::test]
async fn an_error_with_the_right_state_is_a_response() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let request = get(port, &format!("/callback/shop?error=access_denied&state={STATE}"));
    let client = in_thread(move || walk(port, &request));
    let arrival = arrival(&mut endpoint).await;
    assert_eq!(arrival.query.values("error").collect::<Vec<_>>(), ["access_denied"]);
    arrival.reply.answer(Page::Failed { what: "The vendor said <no>.".into() });
    endpoint.finish().await;
    let answer = client.join().unwrap();
    assert!(answer.contains("The vendor said &lt;no&gt;."), "{answer}");
}

// RL15, RL16, RL17, A10, A25
#[tokio::test]
async fn the_browser_ends_at_a_clean_address_that_tells_the_outcome() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let target =
        format!("/callback/shop?code={script}&state={STATE}&next=https://evil.test/&iss={script}");
    let client = in_thread(move || {
        let first = ask(port, &get(port, &target));
        let location = field(&first, "location").unwrap().to_owned();
        (ask(port, &get(port, &location)), first, location)
    });
    arrival(&mut endpoint).await.reply.answer(connected());
    endpoint.finish().await;

    let (page, first, location) = client.join().unwrap();
    assert_eq!((status(&first), status(&page)), (303, 200));
    assert!(location.starts_with("/done/") && location.len() > 40, "{location}");
    for answer in [&first, &page] {
        assert!(answer.contains("keyfob has connected <code>shop</code>"), "{answer}");
        assert!(!answer.contains("<script") && !answer.contains("evil"), "{answer}");
        assert!(!answer.contains(STATE) && !answer.contains("code="), "{answer}");
        assert_eq!(field(answer, "referrer-policy"), Some("no-referrer"));
        assert_eq!(field(answer, "cache-control"), Some("no-store"));
        assert_eq!(field(answer, "x-content-type-options"), Some("nosniff"));
        assert!(field(answer, "content-security-policy").unwrap().contains("default-src 'none'"));
        assert_eq!(field(answer, "connection"), Some("close"));
    }
}

// RL2
#[tokio::test]
async fn the_port_is_closed_when_it_is_over() {
    let port = spare_port();
    let endpoint = bound(&format!("http://127.0.0.1:{port}/cb"));
    timeout(FAR_TOO_LONG, endpoint.finish()).await.unwrap();
    assert!(Client::connect(("127.0.0.1", port)).is_err());
}

// RL19
#[tokio::test]
async fn a_second_delivery_is_told_that_the_first_was_used() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let first = in_thread(move || walk(port, &genuine(port)));
    let arrival = arrival(&mut endpoint).await;
    // The exchange is under way: the first is not answered yet.
    let second = asked(port, genuine(port)).await;
    assert_eq!(status(&second), 410);
    assert!(second.contains("Already used"), "{second}");
    arrival.reply.answer(connected());
    let third = asked(port, genuine(port)).await;
    assert_eq!(status(&third), 410);
    endpoint.finish().await;
    assert_eq!(status(&first.join().unwrap()), 303);
}

// RL19
#[tokio::test]
async fn of_many_deliveries_at_once_exactly_one_is_accepted() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let clients: Vec<_> = (0..20).map(|_| in_thread(move || ask(port, &genuine(port)))).collect();
    let arrival = arrival(&mut endpoint).await;
    let answers = tokio::task::spawn_blocking(move || {
        arrival.reply.answer(connected());
        clients.into_iter().map(|client| status(&client.join().unwrap())).collect::<Vec<_>>()
    });
    let answers = answers.await.unwrap();
    assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|status| **status == 410).count(), 19, "{answers:?}");
}

// RL7, A6
#[tokio::test]
async fn a_thousand_junk_requests_do_not_stop_the_genuine_one() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let client = in_thread(move || {
        for number in 0..1_000 {
            let target = match number % 3 {
                0 => "/callback/shop?code=c&state=wrong".to_owned(),
                1 => "/callback/shop?error=access_denied".to_owned(),
                _ => format!("/{number}"),
            };
            assert!(matches!(status(&ask(port, &get(port, &target))), 400 | 404));
        }
        walk(port, &genuine(port))
    });
    let arrival = arrival(&mut endpoint).await;
    assert_eq!(endpoint.refused(), 1_000);
    arrival.reply.answer(connected());
    endpoint.finish().await;
    assert_eq!(status(&client.join().unwrap()), 303);
}

// RL18, A6, A14
#[tokio::test]
async fn idle_connections_and_slow_senders_do_not_stop_the_genuine_one() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let client = in_thread(move || {
        // In rounds, so that this process does not run out of descriptors itself.
        for _ in 0..5 {
            let idle: Vec<_> = (0..200)
                .map(|number| {
                    let mut client = connect(port);
                    if number % 2 == 0 {
                        client.write_all(b"GET /callback/sh").unwrap();
                    }
                    client
                })
                .collect();
            drop(idle);
        }
        let idle: Vec<_> = (0..300).map(|_| connect(port)).collect();
        let answer = walk(port, &genuine(port));
        drop(idle);
        answer
    });
    arrival(&mut endpoint).await.reply.answer(connected());
    endpoint.finish().await;
    assert_eq!(status(&client.join().unwrap()), 303);
}

// RL18
#[tokio::test]
async fn the_accepted_connection_is_neither_dropped_for_room_nor_for_its_age() {
    let limits =
        Limits { connections: 2, connection: Duration::from_millis(20), ..Limits::default() };
    let mut endpoint = bound_with(limits);
    let port = endpoint.port();
    let first = in_thread(move || walk(port, &genuine(port)));
    let arrival = arrival(&mut endpoint).await;
    let crowd = tokio::task::spawn_blocking(move || (0..20).map(|_| connect(port)).collect());
    let crowd: Vec<_> = crowd.await.unwrap();
    sleep(limits.connection * 5).await;
    // A later caller is still served, so the crowd before it was let in and dropped.
    assert_eq!(status(&asked(port, get(port, "/late")).await), 404);
    arrival.reply.answer(connected());
    endpoint.finish().await;
    assert_eq!(status(&first.join().unwrap()), 303);
    drop(crowd);
}

// RL18, A14
#[tokio::test]
async fn half_a_request_and_an_endless_head_are_ended() {
    let endpoint = bound_with(Limits { head: Duration::from_millis(50), ..Limits::default() });
    let port = endpoint.port();
    let half = asked(port, "GET /callback/shop?code=".into()).await;
    assert!(matches!(status(&half), 0 | 408), "{half}");

    let endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let sent = tokio::task::spawn_blocking(move || {
        let mut client = connect(port);
        let line = format!("X: {}\r\n", "a".repeat(1_000));
        client.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        (0..100_000).take_while(|_| client.write_all(line.as_bytes()).is_ok()).count()
    });
    assert!(sent.await.unwrap() < 100_000, "the sender is cut off");
}

// RL23
#[tokio::test]
async fn a_code_of_eight_kibibytes_and_odd_characters_arrive_unchanged() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let long = "a".repeat(8 * 1024);
    let target = format!("/callback/shop?code={long}%2B%00%0d%0aX-Evil:%20y+z&state={STATE}");
    let client = in_thread(move || walk(port, &get(port, &target)));
    let arrival = arrival(&mut endpoint).await;
    let expected = format!("{long}+\0\r\nX-Evil: y z");
    assert!(arrival.query.values("code").eq([expected.as_str()]));
    assert!(!format!("{arrival:?}").contains("aaaa"), "nothing of it is printed");
    arrival.reply.answer(connected());
    endpoint.finish().await;
    assert!(!client.join().unwrap().contains("X-Evil"));
}

// RL17
#[tokio::test]
async fn a_reply_that_is_dropped_never_claims_success() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let client = in_thread(move || ask(port, &genuine(port)));
    drop(arrival(&mut endpoint).await.reply);
    let answer = tokio::task::spawn_blocking(move || client.join().unwrap()).await.unwrap();
    assert!(answer.contains("Not connected") && !answer.contains("Connected"), "{answer}");
}

#[tokio::test]
async fn a_browser_that_has_gone_does_not_hold_us_up() {
    let grace = Duration::from_millis(10);
    let mut endpoint = bound_with(Limits { grace, ..Limits::default() });
    let port = endpoint.port();
    let client = in_thread(move || {
        let mut client = connect(port);
        client.write_all(genuine(port).as_bytes()).unwrap();
    });
    let arrival = arrival(&mut endpoint).await;
    client.join().unwrap();
    arrival.reply.answer(connected());
    timeout(FAR_TOO_LONG, endpoint.finish()).await.unwrap();
}

#[tokio::test]
async fn a_wait_that_was_given_up_can_be_taken_up_again() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let client = in_thread(move || walk(port, &genuine(port)));
    tokio::select! {
        biased;
        _ = endpoint.wait(judge) => panic!("nobody can have come yet"),
        () = std::future::ready(()) => {}
    }
    arrival(&mut endpoint).await.reply.answer(connected());
    endpoint.finish().await;
    assert_eq!(status(&client.join().unwrap()), 303);
}

// RL25, AR10, AR7
#[tokio::test]
async fn a_fixed_port_with_a_query_serves_twice_in_a_row() {
    let port = spare_port();
    let uri = format!("http://127.0.0.1:{port}/callback/shop?tenant=a%7e");
    for _ in 0..2 {
        let mut endpoint = bound(&uri);
        assert_eq!(endpoint.redirect_uri().as_str(), uri);
        let client = in_thread(move || {
            let without = ask(port, &genuine(port));
            let target = format!("/callback/shop?tenant=a%7e&code=c0de&state={STATE}");
            let first = ask(port, &get(port, &target));
            ask(port, &get(port, field(&first, "location").unwrap()));
            status(&without)
        });
        let arrival = arrival(&mut endpoint).await;
        assert_eq!(arrival.query.values("tenant").count(), 0);
        arrival.reply.answer(connected());
        endpoint.finish().await;
        assert_eq!(client.join().unwrap(), 404, "the registered query is part of the address");
    }
}

// RL5
#[tokio::test]
async fn localhost_is_answered_on_both_addresses_under_its_own_name() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let mut endpoint = bound("http://localhost/cb");
    let port = endpoint.port();
    assert_eq!(endpoint.redirect_uri().as_str(), format!("http://localhost:{port}/cb"));
    let client = in_thread(move || {
        let by_number = ask(port, &get(port, &format!("/cb?code=c&state={STATE}")));
        let by_name = |target: &str| {
            let mut client = Client::connect(("::1", port)).unwrap();
            write!(client, "GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
            answer_of(client)
        };
        let first = by_name(&format!("/cb?code=c&state={STATE}"));
        by_name(field(&first, "location").unwrap());
        (by_number, first)
    });
    arrival(&mut endpoint).await.reply.answer(connected());
    endpoint.finish().await;
    let (by_number, by_name) = client.join().unwrap();
    assert_eq!((status(&by_number), status(&by_name)), (421, 303));
}

#[tokio::test]
async fn a_page_of_the_user_s_own_is_not_served() {
    let uri = "https://tools.example/cb".parse().unwrap();
    let outcome = RedirectionEndpoint::bind(&uri, ResponseMode::Query, &SystemRandom);
    assert!(matches!(outcome, Err(BindError::External)));
}

// RL21
#[tokio::test]
async fn a_posted_form_is_the_response_where_one_was_asked_for() {
    let uri = ANY_PORT.parse().unwrap();
    let mut endpoint =
        RedirectionEndpoint::bind(&uri, ResponseMode::FormPost, &SystemRandom).unwrap();
    let port = endpoint.port();
    let post = move |form: &str| {
        format!(
            "POST /callback/shop HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Origin: https://as.test\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{form}",
            form.len()
        )
    };
    let client = in_thread(move || {
        let by_query = ask(port, &genuine(port));
        let long = ask(port, &post(&format!("code=c&state={STATE}&x={}", "a".repeat(20_000))));
        let wrong = ask(port, &post("code=c&state=other"));
        let twice = ask(port, &post(&format!("code=c&state={STATE}&code=d")));
        let answers = [by_query, long, wrong, twice].map(|answer| status(&answer));
        (answers, walk(port, &post(&format!("code=c%2B+d&state={STATE}"))))
    });
    let arrival = arrival(&mut endpoint).await;
    assert!(arrival.query.values("code").eq(["c+ d"]));
    arrival.reply.answer(connected());
    endpoint.finish().await;
    let (answers, last) = client.join().unwrap();
    assert_eq!(answers, [405, 400, 400, 400]);
    assert_eq!(status(&last), 303);
}

#[tokio::test] // A7, A4, A10, RL12
async fn the_start_page_leads_to_the_vendor_once_and_only_under_our_name() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let vendor = url::Url::parse("https://as.test/authorize?state=st4te&code_challenge=c").unwrap();
    let start = endpoint.start_page(&vendor);
    assert_eq!(start.port(), Some(port));
    let path = start.path().to_owned();
    let other = format!("GET {path} HTTP/1.1\r\nHost: evil.test:{port}\r\n\r\n");
    assert_eq!(status(&asked(port, other).await), 421);
    let framed =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nSec-Fetch-Dest: iframe\r\n\r\n");
    assert_eq!(status(&asked(port, framed).await), 403);
    let first = asked(port, get(port, &path)).await;
    assert_eq!((status(&first), field(&first, "location")), (303, Some(vendor.as_str())));
    assert_eq!(field(&first, "referrer-policy"), Some("no-referrer"));
    assert_eq!(field(&first, "cache-control"), Some("no-store"));
    let body = first.split("\r\n\r\n").nth(1).unwrap();
    assert!(!body.contains("st4te") && !body.contains("as.test"), "{body}");
    let second = asked(port, get(port, &path)).await;
    assert_eq!((status(&second), field(&second, "location")), (410, None));
    // The wait has gone on all the while.
    let genuine = in_thread(move || walk(port, &genuine(port)));
    arrival(&mut endpoint).await.reply.answer(connected());
    endpoint.finish().await;
    assert_eq!(status(&genuine.join().unwrap()), 303);
}

#[tokio::test] // A7, RL2
async fn the_start_page_leads_nowhere_once_the_answer_is_there() {
    let mut endpoint = bound(ANY_PORT);
    let port = endpoint.port();
    let vendor = url::Url::parse("https://as.test/authorize?state=st4te").unwrap();
    let start = endpoint.start_page(&vendor).path().to_owned();
    let genuine = tokio::spawn(asked(port, genuine(port)));
    let arrival = arrival(&mut endpoint).await;
    let late = asked(port, get(port, &start)).await;
    assert_eq!((status(&late), field(&late, "location")), (410, None));
    arrival.reply.answer(connected());
    assert_eq!(status(&genuine.await.unwrap()), 303);
}
