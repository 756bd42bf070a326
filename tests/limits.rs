//! The vendors' request limits: kept before they are broken, and heeded when the vendor speaks.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use keyfob::sandbox::{Endpoint, Fault, Seen};

use crate::batch::{answers, reads};
use crate::support::{Shop, private_file};

fn busy(status: u16, headers: &[(&str, &str)]) -> Fault {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Fault::Status { status, headers, body: "{}".into() }
}

/// The most requests in any minute.
fn most_in_a_minute(seen: &[Seen]) -> usize {
    let in_minute = |first: &Seen| {
        let since = |it: &&Seen| (0..60).contains(&it.at.duration_since(first.at).as_secs());
        seen.iter().filter(since).count()
    };
    seen.iter().map(in_minute).max().unwrap_or_default()
}

fn seconds_gone(shop: &Shop, since: jiff::Timestamp) -> i64 {
    use keyfob::clock::Clock as _;
    shop.world.clock.now().duration_since(since).as_secs()
}

fn now(shop: &Shop) -> jiff::Timestamp {
    use keyfob::clock::Clock as _;
    shop.world.clock.now()
}

#[test] // T16
fn a_batch_keeps_the_limits_of_its_vendor_and_leaves_a_tenth_to_others() {
    let shop = Shop::connected("inyo");
    let lines = reads(1000).replace("/orders", "/v2/payment");
    *shop.world.stdin.borrow_mut() = lines.into_bytes();
    let start = now(&shop);
    let ran = shop.line("call shop --batch - --concurrency 16").ok();
    assert!(answers(&ran.stdout).iter().all(|it| it["status"] == 200));
    let seen = shop.seen(Endpoint::Api);
    assert_eq!(seen.len(), 1000, "none was refused and sent again");
    // What is counted and on its way while the clock leaps is seen in the next minute.
    assert!(most_in_a_minute(&seen) <= 360 + 16, "{}", most_in_a_minute(&seen));
    let gone = seconds_gone(&shop, start);
    assert!((122..180).contains(&gone), "{gone}");
    ran.says("allows 400 requests a minute, and they are used up: going on in 61 s");
    assert_eq!(shop.sandbox.refusals(), Vec::<String>::new());
}

#[test]
fn single_calls_go_at_once_until_the_window_is_full_and_then_wait() {
    let shop = Shop::connected("inyo");
    let start = now(&shop);
    for _ in 0..200 {
        shop.line("call shop GET /v2/fx").ok();
    }
    assert_eq!(seconds_gone(&shop, start), 0);
    shop.line("call shop GET /v2/payment").ok();
    assert_eq!(seconds_gone(&shop, start), 0, "another limit");
    shop.line("call shop GET /v2/fx").ok().says("allows 200 requests a minute");
    assert!((61..63).contains(&seconds_gone(&shop, start)));
    assert_eq!(shop.sandbox.refusals(), Vec::<String>::new());
}

#[test] // AT-16f, RR18
fn token_requests_stay_under_the_limit_and_say_when_to_come_back() {
    let shop = Shop::connected("inyo");
    let before = shop.token_requests();
    let mut refused = 0;
    for _ in 0..100 {
        let ran = shop.line("refresh shop");
        if ran.exit != 0 {
            refused += 1;
            ran.exits(7).says("allows 60 token requests a minute");
        }
    }
    assert_eq!(shop.token_requests() - before + 1, 60, "connecting was one of them");
    assert_eq!(refused, 41);
    assert_eq!(shop.sandbox.refusals(), Vec::<String>::new());
    shop.world.pass(61);
    shop.line("refresh shop").ok();
}

#[test]
fn a_vendor_without_limits_costs_no_file() {
    let shop = Shop::connected("inkress");
    *shop.world.stdin.borrow_mut() = reads(5).into_bytes();
    shop.line("call shop --batch -").ok();
    shop.line("call shop GET /orders").ok();
    assert!(shop.world.files().keys().all(|path| !path.to_string_lossy().contains("limits")));
}

#[test] // RR13
fn a_429_holds_all_calls_of_a_batch_and_not_only_its_own() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![busy(429, &[("retry-after", "20")])]);
    *shop.world.stdin.borrow_mut() = reads(60).into_bytes();
    let start = now(&shop);
    let ran = shop.line("call shop --batch - --concurrency 4").ok();
    assert!(answers(&ran.stdout).iter().all(|it| it["status"] == 200));
    let seen = shop.seen(Endpoint::Api);
    let early = seen.iter().filter(|it| it.at.duration_since(start).as_secs() < 20).count();
    assert_eq!(seen.len(), 61);
    assert!(early <= 4, "only what was on its way already: {early}");
}

#[test] // RR14
fn an_answer_that_says_that_nothing_is_left_slows_the_batch_down() {
    let shop = Shop::connected("inkress");
    let last = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")];
    shop.sandbox.next_api_answers(vec![busy(200, &last)]);
    *shop.world.stdin.borrow_mut() = reads(40).into_bytes();
    let start = now(&shop);
    shop.line("call shop --batch - --concurrency 4").ok().says("asked for a pause");
    let seen = shop.seen(Endpoint::Api);
    let early = seen.iter().filter(|it| it.at.duration_since(start).as_secs() < 30).count();
    assert!(seen.len() == 40 && early <= 4, "{} {early}", seen.len());
}

#[test] // RR13, A27
fn a_pause_that_is_too_long_to_wait_for_ends_the_batch() {
    let shop = Shop::connected("inkress");
    shop.sandbox.next_api_answers(vec![busy(429, &[("retry-after", "3000")]); 4]);
    *shop.world.stdin.borrow_mut() = reads(500).into_bytes();
    let ran = shop.line("call shop --batch - --concurrency 4 --json").exits(7);
    let (answers, failure) = (answers(&ran.stdout), ran.failure());
    assert!(answers.len() <= 8, "{}", answers.len());
    assert_eq!(answers[0]["status"], 429);
    assert_eq!(
        (&failure["code"], &failure["retry_after_seconds"]),
        (&"rate-limited".into(), &3000.into())
    );
    assert!(failure["next"].to_string().contains("go on in 50 min"), "{failure}");
    assert!(shop.calls() <= 8);
}

#[test]
fn limits_that_cannot_be_shared_are_kept_alone_and_that_is_said() {
    let shop = Shop::connected("inyo");
    let folder = shop.world.home().limits();
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    *shop.world.stdin.borrow_mut() = reads(500).replace("/orders", "/v2/payment").into_bytes();
    let ran = shop.line("call shop --batch -").ok().says("are kept by this command alone");
    assert_eq!(ran.stderr.matches("warning").count(), 1, "{}", ran.stderr);
    assert!(most_in_a_minute(&shop.seen(Endpoint::Api)) <= 360 + 8);
    shop.line("refresh shop").ok().says("are kept by this command alone");
}

/// A vendor with a browser flow whose token endpoint takes one request a minute.
fn slow_to_connect() -> Shop {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text + "\n[[api.limits]]\npath = \"token\"\nper_minute = 1\n").unwrap();
    shop
}

#[test]
fn nobody_is_sent_to_the_browser_in_vain_where_the_token_limit_is_used_up() {
    let shop = slow_to_connect();
    shop.connect().ok();
    let asked = shop.seen(Endpoint::Authorization).len();
    let ran = shop.connect().exits(7);
    ran.says("allows 1 token requests a minute");
    assert_eq!(shop.seen(Endpoint::Authorization).len(), asked);
    shop.world.pass(61);
    shop.connect().ok();
}

#[test]
fn a_code_is_exchanged_where_the_limits_cannot_be_counted() {
    let shop = slow_to_connect();
    let folder = shop.world.home().limits();
    private_file(&folder, "in the way");
    let ran = shop.connect().ok().says("are kept by this command alone");
    assert_eq!(ran.stderr.matches("warning").count(), 1, "{}", ran.stderr);
    assert_eq!(shop.world.state("shop"), "ready");
}

#[test] // RR13
fn a_long_pause_is_heard_by_the_next_command() {
    let shop = Shop::connected("inyo");
    shop.sandbox.next_api_answers(vec![busy(429, &[("retry-after", "3000")])]);
    shop.line("call shop GET /v2/payment").exits(7);
    let ran = shop.line("call shop GET /v2/payment --json").exits(7);
    let failure = ran.failure();
    assert_eq!(failure["message"], "the call was not sent");
    assert!(failure["causes"][0].as_str().unwrap().contains("asked for a pause"), "{failure}");
    assert_eq!((shop.calls(), &failure["retry_after_seconds"]), (1, &3001.into()));
    shop.line("call shop GET /v2/fx").ok();
    shop.world.pass(3001);
    shop.line("call shop GET /v2/payment").ok();
}

#[test]
fn a_refused_call_that_gets_no_second_turn_says_why() {
    let shop = Shop::of("standard");
    let (listener, home) = (TcpListener::bind("127.0.0.1:0").unwrap(), shop.world.home());
    let file = home.providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let host = format!("http://{}/api", listener.local_addr().unwrap());
    let limit = "\n[[api.limits]]\npath = \"*\"\nper_minute = 9\n";
    std::fs::write(file, text.replace("{host}/api", &host) + limit).unwrap();
    shop.connect().ok();
    let folder = home.limits();
    let api = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = BufReader::new(stream.try_clone().unwrap()).lines();
        while !head.next().unwrap().unwrap().is_empty() {}
        // While the call is on its way, another command hears that the vendor wants a pause.
        let tally = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        std::fs::write(tally, "{\"sent\":[],\"pause\":[4000000000000,4000003000000]}").unwrap();
        let answer = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer error=\"invalid_token\"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let ran = shop.line("call shop GET /items --json").exits(7);
    api.join().unwrap();
    let failure = ran.failure();
    assert_eq!(failure["code"], "rate-limited", "{failure}");
    assert_eq!(failure["http_status"], 401);
    assert!(failure["message"].as_str().unwrap().contains("not sent once more"), "{failure}");
    assert_eq!(shop.sandbox.rotations(), 1);
}
