//! The lines that `keyfob sandbox` prints are pasted as they stand, and work.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStderr, Command, Stdio};

use keyfob::sandbox::walk::wire;
use serde_json::{Value, json};
use url::Url;

use crate::support::receiver::Program as Receiver;
use crate::support::{World, free_port, parameters};

/// `keyfob sandbox` as a process of its own; it ends with the test.
struct Running {
    process: Child,
    lines: Vec<String>,
    more: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn of(vendor: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_keyfob"))
            .args(["sandbox", vendor])
            .env("KEYFOB_HOME", folder.path().join("home"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut lines = Vec::new();
        // The example is the last line that each of these vendors prints.
        while !lines.last().is_some_and(|line: &String| line.starts_with("  keyfob call ")) {
            lines.push(stderr.next().expect("the sandbox prints an example").unwrap());
        }
        Self { process, lines, more: stderr }
    }

    /// The words of the line that begins so.
    fn line(&self, start: &str) -> Vec<String> {
        let line = self.lines.iter().find(|line| line.trim_start().starts_with(start)).unwrap();
        shlex::split(line).unwrap().split_off(1)
    }

    fn secret(&self) -> Vec<u8> {
        let after = |line: &String| line.strip_prefix("  client secret  ").map(str::to_owned);
        self.lines.iter().find_map(after).unwrap().into_bytes()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_a_sandbox_prints_connects_and_calls() {
    for vendor in ["standard", "inyo"] {
        let (sandbox, world) = (Running::of(vendor), World::new());
        let mut connect = sandbox.line("keyfob connect");
        connect.extend(["--client-secret-file".into(), "-".into()]);
        *world.stdin.borrow_mut() = sandbox.secret();
        world.run(connect.iter().map(String::as_str)).ok();
        let call = sandbox.line("keyfob call");
        let ran = world.run(call.iter().map(String::as_str)).ok();
        assert!(serde_json::from_str::<serde_json::Value>(&ran.stdout).is_ok(), "{vendor}");
    }
}

#[test]
fn what_a_sandbox_of_imported_tokens_prints_imports_and_calls() {
    let (sandbox, world) = (Running::of("inventorum"), World::new());
    let mut import = sandbox.line("keyfob import");
    import.retain(|word| !word.starts_with("<<"));
    let tokens = sandbox.lines.iter().find(|line| line.starts_with("  {")).unwrap();
    *world.stdin.borrow_mut() = tokens.clone().into_bytes();
    world.run(import.iter().map(String::as_str)).ok();
    let call = sandbox.line("keyfob call");
    world.run(call.iter().map(String::as_str)).ok();
}

/// Plays person and client in one: the port of the printed redirect URI may be anybody's here.
fn tokens(sandbox: &Running) -> Value {
    let words = sandbox.line("keyfob connect");
    let client_id = &words[words.iter().position(|word| word == "--client-id").unwrap() + 1];
    let host = words.iter().find_map(|word| word.strip_prefix("api_host=")).unwrap();
    let after = |line: &String| line.strip_prefix("  redirect URI   ").map(str::to_owned);
    let redirect_uri = sandbox.lines.iter().find_map(after).unwrap();
    let url = |path: &str| Url::parse(host).unwrap().join(path).unwrap();
    let mut authorize = url("/oauth/authorize");
    authorize.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", &redirect_uri),
        ("scope", "orders:write webhooks:manage"),
        ("state", "s"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]);
    let page = wire::send("GET", &authorize, &[], b"").unwrap();
    let page = String::from_utf8(page.body).unwrap();
    let ticket = page.split_once("name=\"ticket\" value=\"").unwrap().1.split_once('"').unwrap().0;
    authorize.set_query(None);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let allowed = format!("decision=allow&ticket={ticket}");
    let back = wire::send("POST", &authorize, &form, allowed.as_bytes()).unwrap();
    let code = parameters(back.header("location").unwrap()).remove("code").unwrap();
    let grant = json!({
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": client_id,
        "client_secret": String::from_utf8(sandbox.secret()).unwrap(),
        "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    });
    let kind = [("content-type", "application/json")];
    let path = url("/api/v1/hooks/oauth/token");
    let given = wire::send("POST", &path, &kind, grant.to_string().as_bytes()).unwrap();
    let given: Value = serde_json::from_slice(&given.body).unwrap();
    json!({"access_token": given["access_token"], "expires_in": 600})
}

#[test]
fn a_webhook_that_does_not_arrive_is_told_with_its_reason_and_without_a_secret() {
    let (mut sandbox, world) = (Running::of("inkress"), World::new());
    *world.stdin.borrow_mut() = tokens(&sandbox).to_string().into_bytes();
    let mut import = sandbox.line("keyfob connect");
    import[0] = "import".into();
    import.truncate(import.iter().position(|word| word == "--scope").unwrap());
    world.run(import.iter().map(String::as_str)).ok();
    let mut until = |start: &str| {
        let mut lines = sandbox.more.by_ref().map(Result::unwrap);
        lines.find(|line| line.trim_start().starts_with(start)).unwrap()
    };
    let secret = until("export KEYFOB_WEBHOOK_SECRET=").split_once('=').unwrap().1.to_owned();
    let receiver = Receiver::answering(&[503, 401]);
    let nobody = format!("http://127.0.0.1:{}/hook?key=word", free_port());
    for url in [&*receiver.url(), &*nobody, "https://app.example/hook"] {
        let url = format!("url={url}");
        let line = ["call", "inkress", "POST", "/webhook_urls", &url, "event=orders.paid"];
        world.run(line).ok();
    }
    world.line("call inkress PUT /orders/5003 status=paid").ok();
    // Told as it comes: one that is never tried, then each try of the others.
    let mut told: Vec<String> = (0..5).map(|_| until("warning: orders.paid")).collect();
    told.sort();
    let all = told.join("\n");
    assert!(!all.contains("word") && !all.contains(&secret), "{all}");
    let once = |part: &str| assert_eq!(all.matches(part).count(), 1, "{part}: {all}");
    once("did not reach https://app.example/hook: the sandbox delivers to this machine alone");
    once("it answered HTTP 503; this was try 1 of 5, the next is in 1 s");
    once("it answered HTTP 401; this was try 2 of 5, the next is in 2 s");
    let refused = "refused the connection; this was try ";
    assert_eq!(all.matches(refused).count(), 2, "{all}");
    assert_eq!(all.matches("orders.paid (delivery ").count(), 4, "{all}");
}
