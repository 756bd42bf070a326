//! Two authorization servers, one of them hostile: whose answer is it, and where does the code go?

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::support::browser::Behaviour;
use crate::support::scripted::{Answer, Scripted, back, honest, request_of, value};
use crate::support::{Ran, World, parameters};

fn connect(world: &World, text: &str, more: &[&str]) -> Ran {
    let file = world.own_file("plain.toml", text);
    *world.stdin.borrow_mut() = b"s3cret".to_vec();
    let mut words = vec!["connect", "shop", "--provider", file.to_str().unwrap()];
    words.extend(["--client-id", "me", "--client-secret-file", "-"]);
    world.run(words.into_iter().chain(more.iter().copied()))
}

#[test] // A1, RL10, DS13, AR18
fn a_server_that_sends_the_browser_to_an_honest_one_never_gets_its_code() {
    let honest = Scripted::honest();
    let place = honest.origin.clone();
    let evil = Scripted::start(move |asked, _| {
        let mut url = url::Url::parse(&format!("{place}/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs(request_of(&asked.query));
        Answer::text(303, "").with("location", url.as_str())
    });
    let world = World::new();
    let ran = connect(&world, &evil.provider("", ""), &[]).exits(5);
    ran.says("came from another authorization server").without_product();
    assert_eq!(honest.heard("GET /authorize").len(), 1, "the honest server was fooled");
    assert!(evil.heard("POST /token").is_empty() && honest.heard("POST /token").is_empty());
    world.line("status shop").exits(3);

    // The same where the provider file itself names the honest server's authorization endpoint.
    let text = evil.provider("", "").replace(
        &format!("url = \"{}/authorize\"", evil.origin),
        &format!("url = \"{}/authorize\"", honest.origin),
    );
    connect(&World::new(), &text, &[]).exits(5).says("another authorization server");
    assert!(evil.heard("POST /token").is_empty());
}

#[test] // RL10, DS13
fn an_answer_names_its_issuer_exactly_where_the_server_says_that_answers_do() {
    type Variant = fn(&str) -> Vec<String>;
    let refused: [(&str, Variant); 5] = [
        ("missing", |_| vec![]),
        ("empty", |_| vec![String::new()]),
        ("slash", |origin| vec![format!("{origin}/")]),
        ("encoded twice", |origin| vec![origin.replace(':', "%3A")]),
        ("case", |origin| vec![origin.to_uppercase()]),
    ];
    for (name, variant) in refused {
        let server = Scripted::start(move |asked, origin| match asked.line.as_str() {
            "GET /authorize" => {
                let state = value(&asked.query, "state").unwrap();
                let issuers = variant(origin);
                let mut answer = vec![("code", "c"), ("state", state)];
                answer.extend(issuers.iter().map(|iss| ("iss", iss.as_str())));
                back(&asked.query, &answer)
            }
            _ => honest(asked, origin),
        });
        let ran = connect(&World::new(), &server.provider("", ""), &[]).exits(5);
        assert!(ran.stderr.contains("another authorization server"), "{name}: {}", ran.stderr);
        assert!(server.heard("POST /token").is_empty(), "{name}");
    }
    // Twice is no answer at all, and the wait goes on.
    let server = Scripted::start(|asked, origin| {
        let state = value(&asked.query, "state").unwrap();
        let twice = [("code", "c"), ("state", state), ("iss", origin), ("iss", origin)];
        back(&asked.query, &twice)
    });
    let text = server.provider("", "");
    connect(&World::new(), &text, &["--timeout", "300ms"]).exits(4).says("nobody came back");
    assert!(server.heard("POST /token").is_empty());
    // An error of another issuer is none of ours either.
    let server = Scripted::start(|asked, _| {
        let state = value(&asked.query, "state").unwrap();
        back(&asked.query, &[("error", "access_denied"), ("state", state), ("iss", "https://x")])
    });
    connect(&World::new(), &server.provider("", ""), &[])
        .exits(5)
        .says("another authorization server");
}

#[test] // AR9, RL11
fn each_provider_has_a_redirect_path_of_its_own() {
    let server = Scripted::honest();
    let mut paths = Vec::new();
    for name in ["plain", "other"] {
        let world = World::new();
        let text = server.provider("", "").replace("\"plain\"", &format!("\"{name}\""));
        connect(&world, &text, &[]).ok();
        let asked = parameters(&world.browser.opened()[0]);
        paths.push(url::Url::parse(&asked["redirect_uri"]).unwrap().path().to_owned());
    }
    assert_eq!(paths, ["/callback/plain", "/callback/other"]);
}

#[test] // A2, AR3
fn a_code_of_another_attempt_is_refused_by_the_server_and_tried_once() {
    fn injected(authorization: &url::Url) -> Vec<String> {
        let asked = parameters(authorization.as_str());
        let origin = authorization.origin().ascii_serialization();
        let code = "code.E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        vec![format!("{}?code={code}&state={}&iss={origin}", asked["redirect_uri"], asked["state"])]
    }
    let (mut world, server) = (World::new(), Scripted::honest());
    world.browser(Behaviour::stray(injected));
    connect(&world, &server.provider("", ""), &[]).exits(4).says("invalid_grant");
    assert_eq!(server.heard("POST /token").len(), 1);
    world.line("status shop").exits(3);
}

#[test] // TQ9, AR18, DS11
fn the_code_goes_to_the_endpoint_that_was_known_when_the_browser_opened() {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    static EVIL: OnceLock<String> = OnceLock::new();
    fn rewritten(authorization: &url::Url) -> Vec<String> {
        let file = FILE.get().unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let token = format!("{}/token", authorization.origin().ascii_serialization());
        let evil = format!("{}/token", EVIL.get().unwrap());
        assert!(text.contains(&token));
        std::fs::write(file, text.replace(&token, &evil)).unwrap();
        Vec::new()
    }
    let (mut world, server, evil) = (World::new(), Scripted::honest(), Scripted::honest());
    FILE.set(world.folder.path().join("plain.toml")).unwrap();
    EVIL.set(evil.origin.clone()).unwrap();
    world.browser(Behaviour::stray(rewritten));
    connect(&world, &server.provider("", ""), &[]).ok();
    assert_eq!((server.heard("POST /token").len(), evil.count()), (1, 0));
    // Afterwards the file is another vendor's, and the tokens stay where they belong.
    world.line("refresh shop").exits(3).says("were given for another host");
    assert_eq!(evil.count(), 0);
}
