//! A real browser that really clicks, on the sandbox's pages and on a certified server's.

use keyfob::provider::schema::ResponseMode;
use keyfob::random::SystemRandom;
use keyfob::sandbox::{Options, Sandbox};
use keyfob::user_agent::browser::{Browser as _, SystemBrowser};
use keyfob::user_agent::page::Page;
use keyfob::user_agent::redirection_endpoint::{RedirectionEndpoint, Verdict};
use serde_json::Value;

use super::authorization_server::{self, AuthorizationServer, CLIENT_SECRET};
use super::folder::{Folder, HERE, PATIENCE, Ran, browser_command, require_packages};
use super::stand_in;

/// `connect shop` to a sandbox, by a browser that decides.
fn connect(sandbox: &Sandbox, folder: &Folder, decision: &str) -> Ran {
    let mut command = folder.keyfob(&[]);
    stand_in::connect(sandbox, folder, &mut command);
    Ran::of(command.env("BROWSER", opener(folder, decision)))
}

fn opener(folder: &Folder, decision: &str) -> String {
    require_packages("browser");
    let script = format!("{HERE}/browser/open");
    browser_command(&[&script, decision, folder.path().to_str().unwrap()])
}

/// The last page has a clean address and no complaint, and no address in the history holds a code.
fn has_ended_clean(folder: &Folder) -> Value {
    let page = folder.json("last-page.json");
    let log = std::fs::read_to_string(folder.join("browser.log")).unwrap();
    assert!(page["error"].is_null(), "{page:#}\n{log}");
    let url = page["url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1:").unwrap().split_once('/').unwrap().1;
    assert!(path.starts_with("done/") && !path.contains(['?', '#']), "{url}");
    for address in page["visited"].as_array().unwrap() {
        assert!(!address.as_str().unwrap().contains("code="), "{page:#}");
    }
    // What the certified server's own pages fetch in vain is not ours.
    let origin = url.split("/done/").next().unwrap();
    let problems = page["problems"].as_array().unwrap();
    let of_ours = problems.iter().filter(|it| it.as_str().unwrap().starts_with(origin));
    assert_eq!(of_ours.count(), 0, "{page:#}");
    keep_pictures(folder, url);
    page
}

/// Keeps the pictures where somebody wants to look at them.
fn keep_pictures(folder: &Folder, url: &str) {
    let Some(album) = std::env::var_os("KEYFOB_TEST_PICTURES") else { return };
    std::fs::create_dir_all(&album).unwrap();
    let port: String =
        url.chars().skip("http://127.0.0.1:".len()).take_while(char::is_ascii_digit).collect();
    for picture in ["consent.png", "last-page.png"] {
        let name = format!("{port}-{picture}");
        std::fs::copy(folder.join(picture), std::path::Path::new(&album).join(name)).unwrap();
    }
}

fn says(page: &Value, words: &str) {
    assert!(page["text"].as_str().unwrap().contains(words), "{page:#}");
}

#[test]
fn a_browser_allows_the_sandbox() {
    let folder = Folder::new();
    let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
    let connected = connect(&sandbox, &folder, "allow");
    assert_eq!(connected.exit, Some(0), "{connected:#?}");
    assert!(connected.stderr.contains("connected `shop` to Inkress"), "{}", connected.stderr);
    says(&has_ended_clean(&folder), "keyfob has connected shop");
    folder.run(&["call", "shop", "/orders"]).done();
    folder.run(&["revoke", "shop"]).done();
}

#[test]
fn a_browser_denies_the_sandbox() {
    let folder = Folder::new();
    let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
    let stderr = connect(&sandbox, &folder, "deny").failed(5);
    assert!(stderr.contains("access_denied"), "{stderr}");
    says(&has_ended_clean(&folder), "Not connected");
}

#[test]
fn a_browser_logs_in_at_the_certified_server_and_allows() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &authorization_server::Options::default());
    let provider = server.provider_file(&folder, "provider");
    let secret = folder.write("client-secret", CLIENT_SECRET);
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &provider]);
    command
        .args(["--client-id", "confidential", "--client-secret-file", &secret])
        .args(["--scope", "openid,offline_access", "--timeout", "60s"])
        .env("BROWSER", opener(&folder, "allow"));
    Ran::of(&mut command).done();
    says(&has_ended_clean(&folder), "keyfob has connected shop");
    let token = folder.run(&["token", "shop"]).done();
    assert_eq!(server.me(token.trim()).0, 200);
}

#[test] // A7
fn a_browser_that_starts_at_our_own_address_is_led_to_the_vendor_and_back() {
    let (folder, sandbox) = (Folder::new(), Sandbox::start("inkress", Options::default()).unwrap());
    let redirect_uri = stand_in::redirect_uri(&sandbox);
    let vendor = stand_in::authorization_url(&sandbox, &redirect_uri, "a-state-of-this-test");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let redirect_uri = redirect_uri.parse().unwrap();
        let mut endpoint =
            RedirectionEndpoint::bind(&redirect_uri, ResponseMode::Query, &SystemRandom).unwrap();
        let browser = SystemBrowser { command: Some(opener(&folder, "allow")) };
        browser.open(&endpoint.start_page(&vendor)).unwrap();
        let waited = endpoint.wait(|query| match query.values("state").next() {
            Some("a-state-of-this-test") => Verdict::Accept,
            _ => Verdict::Refuse("This is no answer to the present attempt."),
        });
        let arrival = tokio::time::timeout(PATIENCE, waited).await.expect("the browser comes back");
        assert_eq!(arrival.query.values("code").count(), 1);
        arrival.reply.answer(Page::Connected { profile: "shop".into() });
        endpoint.finish().await;
    });
    says(&has_ended_clean(&folder), "keyfob has connected shop");
}
