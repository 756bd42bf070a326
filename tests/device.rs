//! `connect --flow device`: a code is shown here and typed elsewhere (RFC 8628), on a clock moved by hand.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use jiff::Timestamp;
use keyfob::sandbox::walk::{Decision, device};
use keyfob::sandbox::{Endpoint, Fault};
use keyfob::system::Interruption;
use serde_json::{Value, json};

use crate::support::browser::Behaviour;
use crate::support::streams::Captured;
use crate::support::{Ran, Shop, parameters};

/// What the person does at the end of a wait: how many there were before, address and code.
pub type Person = Box<dyn FnMut(usize, &str, &str) + Send>;

/// A person who decides at the end of that wait.
pub fn decides(at: usize, decision: Decision) -> Person {
    Box::new(move |waits, address, code| {
        if waits == at {
            let page = device::enter(address, code, decision).unwrap();
            assert_eq!(page.status, Some(200), "{}", page.body);
        }
    })
}

fn nobody() -> Person {
    Box::new(|_, _, _| {})
}

fn standard() -> Shop {
    let mut shop = Shop::of("standard");
    shop.world.browser(Behaviour::MustStayClosed);
    shop
}

/// The first two lines that hold one word alone: the address and the code.
fn shown(stderr: &str) -> Option<(String, String)> {
    let mut lines = stderr.lines().filter(|line| !line.is_empty() && !line.contains(' '));
    Some((lines.next()?.to_owned(), lines.next()?.to_owned()))
}

/// A first `connect shop --flow device`, while a person is somewhere else.
fn connect(shop: &Shop, words: &[&str], person: Person) -> Ran {
    let mut all: Vec<String> = ["connect", "shop", "--flow", "device"].map(str::to_owned).into();
    all.extend(shop.client());
    all.extend(shop.secret_on_stdin().map(str::to_owned));
    all.extend(["--scope", "items:read"].map(str::to_owned));
    all.extend(words.iter().map(|it| (*it).to_owned()));
    run(shop, &all, person)
}

pub fn run(shop: &Shop, words: &[String], mut person: Person) -> Ran {
    let (stdout, stderr) = (Captured::default(), Captured::default());
    let seen = stderr.clone();
    let mut waits = 0;
    shop.world.clock.meanwhile(move |_| {
        if let Some((address, code)) = shown(&seen.text()) {
            person(waits, &address, &code);
        }
        waits += 1;
    });
    let words = words.iter().map(String::as_str);
    let exit = shop.world.run_into(words, Box::new(stdout.clone()), stderr.clone());
    Ran { exit, stdout: stdout.text(), stderr: stderr.text() }
}

/// Seconds between the answer with the codes and each question, and between the questions.
fn pauses(shop: &Shop) -> Vec<i64> {
    let codes = shop.seen(Endpoint::DeviceAuthorization);
    let times: Vec<Timestamp> =
        codes.iter().chain(&shop.seen(Endpoint::Token)).map(|seen| seen.at).collect();
    times.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect()
}

fn error(status: u16, code: &str) -> Fault {
    answer(status, &json!({ "error": code }).to_string())
}

fn answer(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.into() }
}

/// Nothing came of it: neither a connection nor a profile.
#[track_caller]
fn nothing_is_kept(shop: &Shop) {
    assert_eq!(shop.world.shelf.entry("shop"), None);
    let kept: Vec<_> = shop.world.files().into_keys().collect();
    assert!(!kept.iter().any(|path| path.ends_with("shop.toml")), "{kept:?}");
}

#[test] // DV1, DV4, DV8, DV9, DV10, AR15
fn the_person_allows_on_another_device_and_the_flow_is_remembered() {
    let shop = standard();
    let ran = connect(&shop, &[], decides(2, Decision::Allow)).ok();
    assert_eq!(ran.stdout, "");
    let page = format!("{}/device", shop.sandbox.origin());
    let (address, code) = shown(&ran.stderr).unwrap();
    assert_eq!(address, page, "the address stands on a line of its own");
    assert_eq!((code.len(), code.matches('-').count()), (9, 1), "{code}");
    let ran = ran.says("`shop` asks Standard for items:read").says("waiting 10 min");
    ran.says("connected `shop` to Standard: granted items:read");
    assert_eq!(pauses(&shop), [6, 6, 6], "a little more than the interval");
    let asked = shop.seen(Endpoint::DeviceAuthorization).remove(0);
    assert!(asked.header("authorization").unwrap().starts_with("Basic "));
    assert_eq!(asked.text(), "scope=items%3Aread");
    let question = shop.seen(Endpoint::Token).remove(0);
    assert!(question.header("authorization").unwrap().starts_with("Basic "));
    let sent = parameters(&format!("http://x/?{}", question.text()));
    assert_eq!(sent.keys().collect::<Vec<_>>(), ["device_code", "grant_type"]);
    assert_eq!(shop.world.state("shop"), "ready");

    let again: Vec<String> = ["connect", "shop"].map(str::to_owned).into();
    run(&shop, &again, decides(0, Decision::Allow)).ok().says("enter this code");
    shop.line("call shop /me").ok();
    shop.line("refresh shop").ok();
    assert!(shop.sandbox.refusals().iter().all(|it| it.contains("not decided yet")));
}

#[test] // DV3, LG4
fn the_device_code_is_never_shown_nor_kept() {
    let shop = standard();
    let ran = connect(&shop, &["-vvv"], decides(1, Decision::Allow)).ok();
    let question = shop.seen(Endpoint::Token).remove(0);
    let sent = parameters(&format!("http://x/?{}", question.text()));
    let device_code = &sent["device_code"];
    assert!(device_code.len() > 20);
    assert!(!ran.stderr.contains(device_code), "{}", ran.stderr);
    assert!(!shop.world.shelf.entry("shop").unwrap().contains(device_code));
    for (path, bytes) in shop.world.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains(device_code), "{path:?}");
    }
}

#[test] // DV4
fn slow_down_adds_five_seconds_for_good() {
    let shop = standard();
    shop.sandbox.next_token_answers(vec![error(400, "slow_down"); 3]);
    connect(&shop, &[], decides(4, Decision::Allow)).ok();
    let pauses = pauses(&shop);
    assert_eq!(pauses, [6, 12, 18, 24, 24]);
}

#[test] // DV5
fn every_other_error_ends_the_questions_and_leaves_nothing_behind() {
    let cases = [
        ("access_denied", 5, "access-denied"),
        ("expired_token", 4, "connect-timeout"),
        ("invalid_grant", 4, "authorization-needed"),
        ("invalid_client", 3, "client-refused"),
        ("unauthorized_client", 5, "authorization-refused"),
        ("unsupported_grant_type", 5, "authorization-refused"),
        ("of_a_vendor_s_own", 5, "authorization-refused"),
    ];
    for (code, exit, name) in cases {
        for status in [400, 200] {
            let shop = standard();
            shop.sandbox.next_token_answers(vec![
                error(status, "authorization_pending"),
                error(status, code),
            ]);
            let ran = connect(&shop, &["--json"], nobody()).exits(exit).without_product();
            assert!(
                ran.stderr.contains(&format!("\"code\": \"{name}\"")),
                "{code}: {}",
                ran.stderr
            );
            assert_eq!(shop.token_requests(), 2, "{code}");
            nothing_is_kept(&shop);
        }
    }
}

#[test] // DV5, AT-3
fn an_answer_that_is_no_verdict_ends_them_too_where_waiting_would_not_help() {
    for fault in [answer(404, "{}"), Fault::Html, answer(302, ""), answer(200, "{}")] {
        let shop = standard();
        shop.sandbox.next_token_answers(vec![fault.clone()]);
        connect(&shop, &[], nobody()).exits(7).says("connect shop --provider");
        assert_eq!(shop.token_requests(), 1, "{fault:?}");
        nothing_is_kept(&shop);
    }
}

#[test]
fn the_person_says_no() {
    let shop = standard();
    connect(&shop, &[], decides(1, Decision::Deny)).exits(5).says("the authorization was denied");
    nothing_is_kept(&shop);
}

#[test] // DV6, A27
fn a_question_without_an_answer_doubles_the_wait() {
    let shop = standard();
    let faults = vec![Fault::Reset, Fault::status(503), Fault::Reset];
    shop.sandbox.next_token_answers(faults);
    connect(&shop, &[], decides(3, Decision::Allow)).ok();
    assert_eq!(pauses(&shop), [6, 12, 24, 48]);
}

#[test] // DV6, TQ10
fn a_lost_answer_that_carried_the_tokens_is_told_and_the_device_code_is_spent_once() {
    let shop = standard();
    shop.sandbox.next_token_answers(vec![Fault::RotateThenReset]);
    let ran = connect(&shop, &[], decides(0, Decision::Allow)).exits(4);
    ran.says("an earlier answer was lost, and may have carried tokens").says("connect shop");
    assert_eq!(shop.token_requests(), 2, "one question after the other");
    nothing_is_kept(&shop);
}

#[test] // DV7
fn at_the_end_of_the_codes_no_new_one_is_asked_for() {
    let shop = standard();
    let ran = connect(&shop, &[], nobody()).exits(4).says("Ctrl-C ends it: nothing is changed");
    ran.says("waiting 10 min").says("the code has ended").says("no new one is asked for");
    assert_eq!(shop.sandbox.counts(Endpoint::DeviceAuthorization), 1);
    let total: i64 = pauses(&shop).iter().sum();
    assert!((590..=600).contains(&total), "{total}");
    nothing_is_kept(&shop);
}

#[test] // DV7
fn a_code_is_waited_for_as_long_as_it_lives_where_nobody_says_otherwise() {
    for (lifetime, words, waiting) in [
        (json!(1800), &[][..], "waiting 30 min"),
        (json!(1800), &["--timeout", "10m"], "waiting 10 min"),
        (json!(120), &[], "waiting 2 min"),
        // A life that is not told, and one without an end.
        (json!("long"), &[], "waiting 5 min"),
        (json!(1e300), &[], "waiting 24 h"),
    ] {
        let shop = standard();
        codes_are(&shop, codes("expires_in", lifetime));
        shop.sandbox.next_token_answers(vec![error(400, "access_denied")]);
        connect(&shop, words, nobody()).exits(5).says(waiting);
    }
    // Somebody who takes ten minutes less a little.
    let shop = standard();
    connect(&shop, &[], decides(90, Decision::Allow)).ok();
    assert!(pauses(&shop).iter().sum::<i64>() > 500);
}

#[test]
fn a_person_who_does_not_come_is_waited_for_as_long_as_was_said() {
    let shop = standard();
    let start = shop.world.clock.slept().len();
    connect(&shop, &["--timeout", "20s"], nobody()).exits(4).says("nobody had decided within 20 s");
    let slept: u64 = shop.world.clock.slept()[start..].iter().map(|it| it.as_secs()).sum();
    assert_eq!(slept, 20);
    assert_eq!(shop.token_requests(), 3);
    let shop = standard();
    shop.sandbox.next_token_answers(vec![Fault::Reset; 9]);
    let ran = connect(&shop, &["--timeout", "1m"], nobody()).exits(7);
    ran.says("the last question got no answer").says("--flow device");
}

#[test]
fn a_script_reads_the_address_and_the_code_and_no_more() {
    for words in [["--json", "--no-input"], ["--quiet", "--no-input"]] {
        let shop = standard();
        let ran = connect(&shop, &words, decides(1, Decision::Allow)).ok();
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 2, "{words:?}: {}", ran.stderr);
        assert!(lines[0].ends_with("/device") && lines[1].len() == 9, "{lines:?}");
        if words[0] == "--json" {
            assert_eq!(ran.json()["state"], "ready");
        }
    }
}

#[test] // DV2, AR23
fn without_a_terminal_there_is_neither_a_picture_nor_a_key_to_press() {
    let mut shop = standard();
    shop.world.set("LANG", "C.UTF-8");
    let ran = connect(&shop, &["--color", "always"], decides(0, Decision::Allow)).ok();
    assert!(!ran.stderr.contains("scan") && !ran.stderr.contains("press Enter"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\u{2588}'), "{}", ran.stderr);
}

/// A signal that a test raises.
struct Raised(Arc<AtomicBool>);

impl Interruption for Raised {
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(poll_fn(|_| match self.0.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }))
    }
}

/// A signal that comes while the question after the decision is under way: the wait before that
/// question is looked in at once more.
struct WithTheTokens {
    decided: Arc<AtomicBool>,
    rest: AtomicBool,
}

impl Interruption for WithTheTokens {
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(poll_fn(|_| {
            let is_decided = self.decided.load(Ordering::Relaxed);
            match is_decided && self.rest.swap(is_decided, Ordering::Relaxed) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }
}

#[test]
fn ctrl_c_ends_the_wait_with_130_and_nothing_is_kept() {
    let mut shop = standard();
    let raised = Arc::new(AtomicBool::new(false));
    shop.world.interruption = Arc::new(Raised(raised.clone()));
    let person = Box::new(move |waits, _: &str, _: &str| {
        if waits == 2 {
            raised.store(true, Ordering::Relaxed);
        }
    });
    let ran = connect(&shop, &[], person).exits(130).without_product();
    ran.says("error: interrupted\ncause: nothing is changed\n");
    assert!(shop.token_requests() <= 3);
    nothing_is_kept(&shop);
}

/// A good answer of the device authorization endpoint with one member changed.
fn codes(member: &str, value: Value) -> Fault {
    let mut body = json!({
        "device_code": "a-device-code-of-the-stand-in",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://as.example/device",
        "expires_in": 600,
        "interval": 5,
    });
    body[member] = value;
    answer(200, &body.to_string())
}

#[test] // DV2, A8, A9, A13, ER2
fn hostile_codes_and_addresses_are_refused_and_reach_no_terminal() {
    let uris = [
        "javascript:alert(document.cookie)",
        "file:///etc/passwd",
        "ms-msdt:/id PCWDiagnostic",
        "data:text/html,x",
        "http://as.example/device",
        "https://user:pass@as.example/",
        "--flag",
        "https://as.example/\u{1b}]8;;https://evil.example\u{7}x",
        "https://as.example/$(touch marker)",
        "https://as.example/`touch marker`",
        "https://as.example/\u{202e}",
    ];
    let codes_of_a_user =
        ["A\u{1b}[2KB", "A\u{1b}]52;c;eA==\u{7}B", "A\rB", "A\u{9b}2KB", "\u{202e}AB"];
    let hostile = uris
        .iter()
        .map(|uri| codes("verification_uri", json!(uri)))
        .chain(codes_of_a_user.iter().map(|code| codes("user_code", json!(code))))
        .chain([
            codes("user_code", json!("x".repeat(10_000))),
            codes("device_code", json!("a\nb")),
        ]);
    for fault in hostile {
        let shop = standard();
        shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![fault.clone()]);
        let ran = connect(&shop, &[], nobody()).exits(7).says("gave no code that can be used");
        assert!(!ran.stderr.chars().any(|c| c.is_control() && c != '\n'), "{:?}", ran.stderr);
        for quoted in ["evil", "passwd", "cookie", "marker", "\u{202e}", "xxxx"] {
            assert!(!ran.stderr.contains(quoted), "{fault:?}: {}", ran.stderr);
        }
        assert_eq!(shop.token_requests(), 0);
        nothing_is_kept(&shop);
    }
}

#[test] // DV2, DV9, A8
fn a_complete_address_that_must_not_be_opened_is_passed_over() {
    let shop = standard();
    let fault = codes("verification_uri_complete", json!("javascript:alert(1)"));
    shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![fault]);
    shop.sandbox.next_token_answers(vec![error(400, "access_denied")]);
    let ran = connect(&shop, &[], nobody()).exits(5).says("https://as.example/device");
    assert!(!ran.stderr.contains("javascript"), "{}", ran.stderr);
}

#[test] // DV8, A27
fn an_interval_that_is_none_neither_storms_nor_sleeps_for_ever() {
    for interval in [json!(0), json!(-1), json!("5"), json!(1e9), json!("x"), json!(null)] {
        let shop = standard();
        let fault = codes("interval", interval.clone());
        shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![fault]);
        let pending = error(400, "authorization_pending");
        shop.sandbox.next_token_answers(vec![
            pending.clone(),
            pending,
            error(400, "expired_token"),
        ]);
        connect(&shop, &[], nobody()).exits(4);
        assert_eq!(pauses(&shop), [6, 6, 6], "{interval}");
    }
}

#[test] // A27, DV7
fn an_endless_slow_down_ends_with_the_codes() {
    let shop = standard();
    shop.sandbox.next_token_answers(vec![error(429, "slow_down"); 100]);
    connect(&shop, &["--timeout", "1h"], nobody()).exits(4).says("the code has ended");
    let pauses = pauses(&shop);
    assert!(pauses.len() < 20 && pauses.windows(2).all(|it| it[0] < it[1]), "{pauses:?}");
}

#[test] // TQ12, TS12
fn the_device_authorization_endpoint_is_bounded_and_not_followed_elsewhere() {
    let elsewhere = standard();
    let location = elsewhere.sandbox.url(Endpoint::DeviceAuthorization).unwrap();
    let huge = format!(r#"{{"device_code":"{}"}}"#, "x".repeat(2 << 20));
    let redirect = |status| Fault::Status {
        status,
        headers: vec![("location".into(), location.clone())],
        body: String::new(),
    };
    let faults = [
        redirect(302),
        redirect(307),
        redirect(308),
        answer(200, &huge),
        answer(200, &"[".repeat(200_000)),
        Fault::Html,
        Fault::Reset,
        Fault::Truncated,
        Fault::Garbage,
        Fault::status(503),
    ];
    for fault in faults {
        let shop = standard();
        shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![fault]);
        connect(&shop, &[], nobody()).exits(7).says("connect shop --provider");
        assert_eq!(shop.sandbox.counts(Endpoint::DeviceAuthorization), 1, "never sent again");
        assert_eq!(shop.token_requests(), 0);
        nothing_is_kept(&shop);
    }
    assert_eq!(elsewhere.sandbox.counts(Endpoint::DeviceAuthorization), 0);
}

#[test] // ER2, A13
fn a_refusal_of_the_codes_is_told_in_the_vendor_s_words_whatever_its_status() {
    for status in [200, 400, 403] {
        let shop = standard();
        let body = json!({
            "error": "device_flow_disabled",
            "error_description": "Ask \u{1b}[31man owner\u{1b}]0;x\u{7} first",
        });
        let fault = answer(status, &body.to_string());
        shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![fault]);
        let ran = connect(&shop, &[], nobody()).exits(5);
        ran.says("Standard refused the request for a code").says("\"Ask an owner first\"");
        nothing_is_kept(&shop);
    }
    let shop = standard();
    shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![Fault::status(429)]);
    connect(&shop, &[], nobody()).exits(7).says("asks to be left alone");
}

#[test]
fn an_issuer_that_has_the_flow_is_enough() {
    let shop = standard();
    std::fs::remove_file(shop.world.home().providers().join("standard.toml")).unwrap();
    let origin = shop.sandbox.origin();
    let client_id = &shop.how.client.client_id;
    let line = format!("connect shop --flow device --provider {origin} --client-id {client_id}");
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    run(&shop, &words, decides(0, Decision::Allow)).ok().says("connected `shop`");
    shop.line("profile show shop").ok();
}

#[test] // AT-8f
fn a_signal_that_comes_with_the_tokens_takes_back_nothing_that_the_connection_needs() {
    let mut shop = standard();
    std::fs::remove_file(shop.world.home().providers().join("standard.toml")).unwrap();
    let decided = Arc::new(AtomicBool::new(false));
    let before = std::mem::replace(
        &mut shop.world.interruption,
        Arc::new(WithTheTokens { decided: decided.clone(), rest: AtomicBool::new(false) }),
    );
    let mut allows = decides(1, Decision::Allow);
    let person = Box::new(move |waits, address: &str, code: &str| {
        allows(waits, address, code);
        decided.store(waits == 1, Ordering::Relaxed);
    });
    let (origin, client_id) = (shop.sandbox.origin(), &shop.how.client.client_id);
    let line = format!("connect shop --flow device --provider {origin} --client-id {client_id}");
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    words.extend(shop.secret_on_stdin().map(str::to_owned));
    let ran = run(&shop, &words, person).exits(130).without_product();
    ran.says("error: interrupted\ncause: `shop` was connected before it ended\n");
    shop.world.interruption = before;
    shop.line("refresh shop").ok();
}

#[test] // A30
fn where_no_browser_can_start_the_advice_names_the_flow() {
    let mut shop = Shop::of("standard");
    shop.world.environment.remove("BROWSER");
    let ran = shop.connect_with(&["--timeout", "30ms"]).exits(4);
    let ran = ran.says("or start again with --flow device");
    let next = ran.stderr.lines().rfind(|line| line.contains("keyfob connect shop")).unwrap();
    assert!(next.ends_with("--flow device"), "{next}");
    let mut inkress = Shop::of("inkress");
    inkress.world.environment.remove("BROWSER");
    let ran = inkress.connect_with(&["--scope", "orders:read", "--timeout", "30ms"]).exits(4);
    assert!(!ran.stderr.contains("device"), "{}", ran.stderr);
}

#[test]
fn a_provider_shows_that_it_has_the_flow() {
    let shop = Shop::of("standard");
    let ran = shop.line("provider show standard").ok();
    assert!(ran.stdout.contains("flows: authorization_code, device_code"), "{}", ran.stdout);
    assert!(ran.stdout.contains("device: {host}/device_authorization"), "{}", ran.stdout);
    assert!(ran.stdout.contains("--flow device"), "{}", ran.stdout);
}

#[test] // AR14
fn an_extra_parameter_goes_with_the_request_and_never_replaces_one_of_the_protocol() {
    let shop = standard();
    connect(&shop, &["--param", "audience=x y"], decides(0, Decision::Allow)).ok();
    let asked = shop.seen(Endpoint::DeviceAuthorization).remove(0);
    assert_eq!(asked.text(), "scope=items%3Aread&audience=x+y");
    let shop = standard();
    connect(&shop, &["--param", "scope=all"], nobody()).exits(2);
    assert_eq!(shop.sandbox.counts(Endpoint::DeviceAuthorization), 0);
}

/// What goes wrong, the wait for the person, and what the person does.
type Failure = (fn(&Shop), &'static str, Person);

fn codes_are(shop: &Shop, fault: Fault) {
    shop.sandbox.next_answers(Endpoint::DeviceAuthorization, vec![fault]);
}

#[test]
fn each_failure_says_what_happened_and_what_to_do_next() {
    let failures: [Failure; 9] = [
        (|_| {}, "1h", nobody()),
        (|_| {}, "30s", nobody()),
        (|shop| shop.sandbox.next_token_answers(vec![Fault::Reset; 9]), "1m", nobody()),
        (
            |shop| shop.sandbox.next_token_answers(vec![Fault::RotateThenReset]),
            "5m",
            decides(0, Decision::Allow),
        ),
        (|_| {}, "5m", decides(0, Decision::Deny)),
        (|shop| codes_are(shop, codes("user_code", json!("\u{1b}[2J"))), "5m", nobody()),
        (|shop| codes_are(shop, codes("verification_uri", json!("file:///"))), "5m", nobody()),
        (|shop| codes_are(shop, error(400, "device_flow_disabled")), "5m", nobody()),
        (|shop| codes_are(shop, Fault::Reset), "5m", nobody()),
    ];
    let told = failures.map(|(prepare, patience, person)| {
        let shop = standard();
        prepare(&shop);
        let ran = connect(&shop, &["--timeout", patience], person);
        let origin = shop.sandbox.origin();
        let text = ran.stderr[ran.stderr.find("error:").unwrap()..]
            .replace(origin.trim_start_matches("http://"), "VENDOR")
            .replace(CLIENT, "CLIENT");
        format!("{}\n{text}", ran.exit)
    });
    assert_eq!(told.join("\n"), EXPECTED.trim_start());
}

/// What the command that is told repeats, for it was the first of its profile.
const CLIENT: &str = "--provider standard --client-id standard-sandbox-client \
                      --set host=http://VENDOR --scope items:read --flow device";

const EXPECTED: &str = r#"
4
error: the code has ended, and nobody had decided
hint:  nothing is changed; start again for a new code: no new one is asked for by itself
       keyfob connect shop CLIENT

4
error: nobody had decided within 30 s
hint:  nothing is changed; start again for a new code, with more time if it is needed
       keyfob connect shop CLIENT --timeout 15m

7
error: Standard did not say within 60 s that anybody decided
cause: the last question got no answer: `VENDOR` closed the connection without an answer
hint:  nothing is changed; start again for a new code, with more time if it is needed
       keyfob connect shop CLIENT --timeout 15m

4
error: Standard refused the authorization
cause: it answered invalid_grant (HTTP 400)
cause: "the device code was used before: every token of it has ended"
cause: an earlier answer was lost, and may have carried tokens that never arrived here
hint:  authorise it again
       keyfob connect shop CLIENT

5
error: the authorization was denied
cause: it answered access_denied
cause: "the person said no"
hint:  start again when that is settled
       keyfob connect shop CLIENT

7
error: Standard gave no code that can be used
cause: it answered with a `user_code` that nobody can type (HTTP 200)
hint:  start again; where the vendor has other names for it, they belong into its file
       keyfob connect shop CLIENT

7
error: Standard gave no code that can be used
cause: it answered with a `verification_uri` that is neither https nor http to this machine (HTTP 200)
hint:  start again; where the vendor has other names for it, they belong into its file
       keyfob connect shop CLIENT

5
error: Standard refused the request for a code
cause: it answered device_flow_disabled (HTTP 400)
hint:  ask the vendor what this client may do

7
error: Standard gave no answer to the request for a code
cause: `VENDOR` closed the connection without an answer
hint:  try again
       keyfob connect shop CLIENT
"#;
