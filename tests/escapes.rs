//! What a vendor, a provider file or a profile file says reaches a terminal as plain words: every
//! printed field once, in every way to print it.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::json;

use crate::support::browser::Behaviour;
use crate::support::{Ran, Shop};

/// A word to find the field by, and what must not come with it.
const HOSTILE: &str = "evilword\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}]8;;https://evil.example\u{1b}\\a\u{9b}31mb\rc\u{8}d\u{7f}e\u{85}f\u{202e}g\u{200b}h\u{2066}i\u{feff}j";
/// The same for a header, where only the upper half of these can stand.
const IN_HEADER: &str = "evilword\u{9b}2Ja\u{202e}b\u{85}c";

/// The first as a TOML string.
fn in_toml() -> String {
    keyfob::http::printable::harmless_json(json!(HOSTILE).to_string())
}

/// Ways to print.
const WAYS: [&str; 4] = ["", " -v -v", " --json", " --color always -v"];

fn is_hostile(character: char) -> bool {
    let control = character.is_control() && character != '\n';
    control
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Passes where nothing hostile is in a text but the program's own colours.
#[track_caller]
fn is_plain(what: &str, text: &str) {
    let own = ["1;31", "32", "33", "2", "0"];
    let text =
        own.iter().fold(text.to_owned(), |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
    assert!(!text.contains(is_hostile), "{what}: {text:?}");
}

/// Runs a line in every way; `prepared` comes before each.
#[track_caller]
fn in_every_way(line: &str, tells: bool, run: impl FnMut(&str) -> Ran) {
    in_ways(&WAYS, line, if tells { "evilword" } else { "" }, run);
}

/// Runs a line in these ways, each of which tells a word.
#[track_caller]
fn in_ways(ways: &[&str], line: &str, word: &str, mut run: impl FnMut(&str) -> Ran) {
    for way in ways {
        let line = format!("{line}{way}");
        let ran = run(&line);
        is_plain(&format!("stderr of {line}"), &ran.stderr);
        is_plain(&format!("stdout of {line}"), &ran.stdout);
        let told = ran.stderr.contains(word) || ran.stdout.contains(word);
        assert!(told, "{line} shows nothing of {word}: {} {}", ran.stdout, ran.stderr);
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: String) -> Fault {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Fault::Status { status, headers, body }
}

fn as_json() -> (&'static str, &'static str) {
    ("content-type", "application/json")
}

#[test] // A13, ER2, ER3
fn what_a_token_endpoint_says_is_plain() {
    let body = json!({
        "error": format!("{HOSTILE}1"), "error_description": HOSTILE,
        "error_uri": format!("https://evil.example/{HOSTILE}"), "request_id": HOSTILE,
    });
    let shop = Shop::connected("inkress");
    for line in ["refresh shop", "connect shop", "refresh --all"] {
        in_every_way(line, true, |line| {
            let refused = answer(400, &[as_json(), ("x-request-id", IN_HEADER)], body.to_string());
            shop.sandbox.next_token_answers(vec![refused]);
            let ran = shop.line(line);
            assert!(!ran.stderr.contains("https://evil.example"), "{line}: {}", ran.stderr);
            ran
        });
    }
    in_every_way("revoke shop", true, |line| {
        let refused = answer(400, &[as_json()], body.to_string());
        shop.sandbox.next_answers(Endpoint::Revocation, vec![refused]);
        shop.line(line)
    });
}

#[test] // A13, ER2
fn what_an_api_says_in_its_refusal_is_plain() {
    let shop = Shop::connected("inkress");
    let challenge = format!(
        r#"Bearer realm="{IN_HEADER}", error="insufficient_scope", scope="{IN_HEADER}", error_description="{IN_HEADER}""#
    );
    let body = json!({
        "error": HOSTILE, "message": HOSTILE, "errors": { HOSTILE: [HOSTILE] },
    });
    let headers =
        [as_json(), ("www-authenticate", challenge.as_str()), ("x-request-id", IN_HEADER)];
    for status in [400, 403, 422, 500] {
        for way in WAYS {
            let refused = answer(status, &headers, body.to_string());
            shop.sandbox.next_api_answers(vec![refused]);
            // The body itself is the product and goes out as it came, save in a document.
            let ran = shop.line(&format!("call shop GET /orders --retry 0{way}"));
            is_plain(&format!("{status}{way}"), &ran.stderr);
            assert!(ran.stderr.contains("evilword"), "{status}{way}: {}", ran.stderr);
            if way == " --json" {
                is_plain(&format!("{status}{way}"), &ran.stdout);
                assert_eq!(ran.json()["body"], body);
            }
        }
    }
}

#[test] // A13, ER2
fn what_an_api_says_in_its_headers_is_plain() {
    let shop = Shop::connected("inkress");
    let elsewhere = format!("https://evilword.example/{IN_HEADER}");
    let controls = format!("<https://api.example/{IN_HEADER}>; rel=next");
    let title = format!("<https://evilword.example/>; title=\"{IN_HEADER}\"; rel=next");
    let links = |link: &str| answer(200, &[("link", link)], "[1]".into());
    let list = "call shop GET /orders --paginate --retry 0";
    let moved = answer(302, &[("location", &elsewhere)], "".into());
    let echo = answer(200, &[("x-echo", IN_HEADER)], "{}".into());
    let cases = [
        ("call shop GET /orders -i", &WAYS[..], "evilword", echo.clone()),
        ("call shop GET /orders", &[" --json"], "evilword", echo),
        ("call shop GET /orders --retry 0", &WAYS, "evilword", moved),
        (list, &WAYS, "a next page that is not followed", links(&controls)),
        (list, &WAYS, "evilword", links(&title)),
    ];
    for (line, ways, word, fault) in cases {
        in_ways(ways, line, word, |line| {
            shop.sandbox.next_api_answers(vec![fault.clone()]);
            shop.line(line)
        });
    }
}

#[test] // A13, ER2
fn the_lines_of_a_batch_are_plain_but_for_the_bodies() {
    let shop = Shop::connected("inkress");
    let body = json!({ "error": HOSTILE, "message": HOSTILE }).to_string();
    for status in [400, 500] {
        let headers = [as_json(), ("x-request-id", IN_HEADER), ("x-echo", IN_HEADER)];
        shop.sandbox.next_api_answers(vec![answer(status, &headers, body.clone())]);
        *shop.world.stdin.borrow_mut() = br#"{"method":"GET","path":"/orders"}"#.to_vec();
        let ran = shop.line("call shop --batch - --retry 0");
        is_plain("stderr", &ran.stderr);
        assert!(ran.stdout.contains("evilword"), "{}", ran.stdout);
        // The body goes out as the vendor wrote it.
        is_plain("stdout", &ran.stdout.replace(&body, ""));
    }
}

#[test] // A13, ER2
fn account_names_and_scopes_that_come_with_tokens_are_plain() {
    let shop = Shop::of("inkress");
    shop.sandbox.answer_with("merchant_id", HOSTILE.into());
    shop.sandbox.answer_with("scope", format!("orders:read {HOSTILE}").into());
    let connected = shop.connect();
    is_plain("connect", &connected.stderr);
    assert!(connected.stderr.contains("evilword"), "{}", connected.stderr);
    for line in ["status", "scopes shop", "connect shop", "profile show shop"] {
        in_every_way(line, line != "profile show shop", |line| shop.line(line));
    }
    shop.sandbox.answer_with("merchant_id", format!("{HOSTILE}2").into());
    in_every_way("connect shop", true, |line| shop.line(line).exits(2));
    in_every_way("call shop GET /users --retry 0", false, |line| shop.line(line).exits(5));
}

#[test] // A13, ER2
fn the_words_of_a_provider_file_are_plain() {
    let mut shop = Shop::of("standard");
    let path = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let hostile = in_toml();
    let words = text
        .replace("title = \"Standard\"", &format!("title = {hostile}"))
        .replace("grants = \"view items\"", &format!("grants = {hostile}, note = {hostile}"))
        .replace("ask = \"Host\"", &format!("ask = {hostile}"))
        .replace(
            "summary = \"a plain OAuth 2 server: form bodies, HTTP Basic, PKCE, iss, rotation with reuse detection\"",
            &format!("summary = {hostile}"),
        );
    let recipe = format!(
        "\n[[recipes]]\nname = \"x\"\ndoes = {hostile}\nnote = {hostile}\nneeds = [\"items:read\"]\n\
         steps = [{{ method = \"GET\", path = \"/items\", does = {hostile} }}]\n"
    );
    let words = words + &recipe;
    assert_eq!(words.matches("evilword").count(), 8, "every field was found");
    std::fs::write(&path, &words).unwrap();
    let file = path.display().to_string();
    for (line, tells) in [
        ("provider list", true),
        ("provider show standard", true),
        (&format!("provider check {file}"), false),
        ("connect shop --provider standard --client-id x", true),
    ] {
        in_every_way(line, tells, |line| shop.line(line));
    }
    shop.connect().ok();
    shop.sandbox.grant_at_most(&["items:read"]);
    in_every_way("recipes shop", true, |line| shop.line(line));
    for line in [
        "call shop @x",
        "call shop @x --dry-run",
        "scopes shop",
        "refresh shop",
        "connect shop --scope items:write",
        "revoke shop",
    ] {
        in_every_way(line, line == "scopes shop", |line| shop.line(line));
    }
    // A word that the schema does not know is quoted in its error.
    std::fs::write(&path, format!("{hostile} = 1\n{text}")).unwrap();
    in_every_way("provider show standard", true, |line| shop.line(line));
    shop.world.browser(Behaviour::MustStayClosed);
}

#[test] // A13, ER2
fn the_words_of_a_profile_file_are_plain() {
    let shop = Shop::connected("inkress");
    let path = shop.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let hostile = in_toml();
    let id = format!("client_id = \"{}\"", shop.how.client.client_id);
    let words = text.replace(&id, &format!("client_id = {hostile}"));
    assert!(words.contains("evilword"), "{text}");
    std::fs::write(&path, &words).unwrap();
    for line in ["profile show shop", "profile list"] {
        in_every_way(line, true, |line| shop.line(line));
    }
    for line in ["status", "token shop", "connect shop --timeout 20ms"] {
        in_every_way(line, false, |line| shop.line(line));
    }
    std::fs::write(
        &path,
        words.replace("provider = \"inkress\"", &format!("provider = {hostile}")),
    )
    .unwrap();
    for line in ["status", "profile show shop", "profile list", "token shop"] {
        in_every_way(line, true, |line| shop.line(line));
    }
    std::fs::write(&path, format!("provider = \"inkress\"\n{hostile} = 1\n")).unwrap();
    for line in ["profile show shop", "token shop", "status"] {
        in_every_way(line, true, |line| shop.line(line));
    }
}

#[test] // A13, ER2, DS18
fn host_names_are_shown_in_ascii() {
    let shop = Shop::connected("inkress");
    // The first letter is Cyrillic.
    shop.line("profile set shop api_host=\u{430}pi.example").ok();
    let ran = shop.line("refresh shop").exits(3).says("xn--");
    assert!(ran.stderr.is_ascii(), "{}", ran.stderr);
}
