//! What a person is asked through their own browser, and what is never tried instead.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use url::form_urlencoded::Serializer;

use crate::support::browser::Behaviour;
use crate::support::scripted::{Answer, Pairs, Scripted, back, granted, honest, value};
use crate::support::{Ran, World, free_port, parameters, until};

fn connect(world: &World, text: &str, more: &[&str]) -> Ran {
    let file = world.own_file("plain.toml", text);
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let mut words = vec!["connect", "shop", "--provider", file.to_str().unwrap()];
    words.extend(["--client-id", "me", "--client-secret-file", "-"]);
    world.run(words.into_iter().chain(more.iter().copied()))
}

#[test] // AR1, AR15, AR12
fn the_person_is_asked_in_the_browser_alone_and_for_what_was_said_alone() {
    let (mut world, server) = (World::new(), Scripted::honest());
    world.seat(&[]);
    let scopes = ["--scope", "items:read a/b&c=d", "--scope", "other"];
    let ran = connect(&world, &server.provider("", ""), &scopes).ok();
    assert!(world.person.as_ref().unwrap().asked().is_empty(), "a question in the terminal");
    let asked = server.heard("GET /authorize").remove(0);
    assert_eq!(value(&asked.query, "scope"), Some("items:read a/b&c=d other"));
    let told = ran.stderr.find("`shop` asks Plain for items:read, a/b&c=d, other").unwrap();
    assert!(told < ran.stderr.find("/authorize?").unwrap(), "told after the address");
    // Where nothing is asked for, nothing is made up.
    let world = World::new();
    connect(&world, &server.provider("", ""), &[]).ok().says("its default scopes");
    assert_eq!(value(&server.heard("GET /authorize")[1].query, "scope"), None);
}

#[test] // AR4, AR19, A17
fn an_attempt_that_failed_is_never_repeated_with_less_and_shares_nothing_with_the_next() {
    let server = Scripted::start(|asked, origin| match asked.line.as_str() {
        "GET /authorize" => {
            let words = "transform algorithm not supported";
            let state = value(&asked.query, "state").unwrap();
            let error = [("error", "invalid_request"), ("error_description", words)];
            back(&asked.query, &[&error[..], &[("state", state), ("iss", origin)]].concat())
        }
        _ => honest(asked, origin),
    });
    let world = World::new();
    for attempt in 1..=2 {
        connect(&world, &server.provider("", ""), &[]).exits(5).says("transform algorithm");
        assert_eq!(server.heard("GET /authorize").len(), attempt, "one request an attempt");
    }
    let asked = server.heard("GET /authorize");
    for request in &asked {
        assert_eq!(value(&request.query, "code_challenge_method"), Some("S256"));
    }
    for name in ["state", "code_challenge"] {
        assert_ne!(value(&asked[0].query, name), value(&asked[1].query, name), "{name}");
    }
    assert!(server.heard("POST /token").is_empty());
}

#[test] // AR5, AR6, RL7
fn where_a_server_has_no_pkce_the_state_is_the_defence() {
    let is_first = AtomicBool::new(true);
    let server = Scripted::start(move |asked, origin| match asked.line.as_str() {
        "GET /authorize" if is_first.swap(false, Ordering::SeqCst) => {
            back(&asked.query, &[("code", "injected"), ("iss", origin)])
        }
        "POST /token" => Answer::json(200, &granted()),
        _ => honest(asked, origin),
    });
    let mut world = World::new();
    world.browser(Behaviour::stray(|url| vec![url.to_string()]));
    connect(&world, &server.provider("pkce = \"off\"", ""), &[]).ok();
    assert_eq!(world.browser.stray_answers(), [Some(400)], "an answer without `state`");
    let asked = server.heard("GET /authorize").remove(0);
    assert_eq!(value(&asked.query, "code_challenge"), None);
    assert_eq!(value(&asked.query, "state").map(str::len), Some(43));
    let [exchange] = server.heard("POST /token").try_into().unwrap();
    assert_eq!(value(&exchange.form, "code"), Some("code."), "the code of the second answer");
    // Neither of the two is no way to connect.
    world.browser(Behaviour::MustStayClosed);
    let text = server.provider("pkce = \"off\"\nstate = \"may_be_dropped\"", "");
    connect(&world, &text, &[]).exits(3).says("without PKCE and without `state`");
}

#[test] // RL20, RL2
fn a_wait_that_nobody_ends_names_the_redirect_uri_and_closes_the_port() {
    let (mut world, server) = (World::new(), Scripted::honest());
    world.browser(Behaviour::Forgets);
    let provider = server.provider("", "");
    let ran = connect(&world, &provider, &["--timeout", "50ms"]).exits(4);
    // On any port it is registered without one.
    ran.says("must be registered exactly as http://127.0.0.1/callback/plain\n");
    // A port of one's own, for anybody could be given one that was free a moment ago.
    let port = free_port();
    let uri = format!("http://127.0.0.1:{port}/cb");
    let own = ["--redirect-uri", uri.as_str(), "--timeout", "50ms"];
    let ran = connect(&world, &provider, &own).exits(4);
    ran.says(&format!("must be registered exactly as {uri}\n"));
    assert_eq!(parameters(&world.browser.opened()[1])["redirect_uri"], uri);
    until("the port is closed", || TcpStream::connect(("127.0.0.1", port)).is_err());
}

/// Posts a form as a browser does, and gives the status of the answer.
fn post(uri: &str, form: &[(&str, &str)]) -> u16 {
    let url = url::Url::parse(uri).unwrap();
    let place = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut body = Serializer::new(String::new());
    let body = body.extend_pairs(form).finish();
    let mut stream = TcpStream::connect(&place).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {place}\r\nOrigin: https://as.test\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        url.path(),
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What a server that answers by form posts for a request.
fn posted(request: &Pairs, origin: &str) -> u16 {
    let challenge = value(request, "code_challenge").unwrap();
    let code = format!("code.{challenge}");
    let state = value(request, "state").unwrap();
    let form = [("code", code.as_str()), ("state", state), ("iss", origin)];
    post(value(request, "redirect_uri").unwrap(), &form)
}

#[test] // RL21, A30
fn a_posted_answer_is_taken_where_it_was_asked_for_and_refused_elsewhere() {
    for (word, posts) in [("response_mode = \"form_post\"", true), ("", false)] {
        let (is_first, posts_were_answered) = (AtomicBool::new(true), Arc::default());
        let answers: Arc<Mutex<Vec<u16>>> = Arc::clone(&posts_were_answered);
        // The first answer comes in the way that was not asked for, the second in the other.
        let server = Scripted::start(move |asked, origin| match asked.line.as_str() {
            "GET /authorize" if is_first.swap(false, Ordering::SeqCst) != posts => {
                let status = posted(&asked.query, origin);
                answers.lock().unwrap().push(status);
                Answer::text(200, "")
            }
            _ => honest(asked, origin),
        });
        let mut world = World::new();
        // Nothing of a form can be pasted, so nobody is invited to.
        world.seat(&[]);
        world.browser(Behaviour::stray(|url| vec![url.to_string()]));
        connect(&world, &server.provider(word, ""), &[]).ok();
        let asked = server.heard("GET /authorize").remove(0);
        let mode = (!word.is_empty()).then_some("form_post");
        assert_eq!(value(&asked.query, "response_mode"), mode);
        let status = if posts { Some(405) } else { Some(200) };
        assert_eq!(world.browser.stray_answers(), [status]);
        let taken = if posts { 303 } else { 405 };
        assert_eq!(*posts_were_answered.lock().unwrap(), [taken], "{word}");
        assert_eq!(server.heard("POST /token").len(), 1);
    }
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let text = Scripted::honest().provider("response_mode = \"form_post\"", "");
    let own = ["--redirect-uri", "https://me.example/cb"];
    connect(&world, &text, &own).exits(2).says("posts its answer as a form");
}
