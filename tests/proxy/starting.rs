//! What is checked before anybody can knock, and what is told.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use keyfob::sandbox::Behaviour;
use rustix::process::Signal;
use serde_json::Value;

use super::running::Behind;
use super::upstream::{Upstream, ok};
use crate::support::program::{Program, text};
use crate::support::shelf::Trouble;
use crate::support::{Shop, until};

fn upstream() -> Upstream {
    Upstream::answering(|_, stream| stream.write_all(ok("{}").as_bytes()).unwrap())
}

#[test]
fn without_a_connection_or_a_store_nobody_listens() {
    let shop = Shop::of("inkress");
    shop.line("proxy nobody").exits(3).without_product();
    let shop = Shop::connected("inkress");
    shop.world.trouble(Trouble::Locked);
    shop.line("proxy shop").exits(6).without_product();
    let shop = Shop::connected("inkress");
    shop.line("revoke shop").ok();
    shop.line("proxy shop").exits(4).without_product().says("keyfob connect shop");
}

#[test]
fn a_busy_port_is_told() {
    let shop = Shop::connected("inkress");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = shop.world.run(["proxy", "shop", "--port", &port]).exits(3).without_product();
    ran.says(&format!("port {port} of 127.0.0.1 cannot be had"));
}

#[test]
fn a_rule_that_is_none_is_refused() {
    let shop = Shop::connected("inkress");
    for rule in ["/orders", "GET orders", "GET /orders?x", "G!T /x", "", "GET /a /b"] {
        shop.world.run(["proxy", "shop", "--allow", rule]).exits(2).without_product();
    }
    let ran = shop.world.run(["proxy", "shop", "--allow", "GET /orders/{nobody}"]);
    ran.exits(2).without_product().says("nobody");
    shop.world.run(["proxy", "shop", "--allow", "GET /orders/../users"]).exits(2).without_product();
}

#[test]
fn a_token_that_cannot_be_renewed_is_told_before_anybody_listens() {
    let program = Program::expired(Behaviour::default());
    program.sandbox.revoke_all();
    let ran = program.run("proxy shop");
    assert_eq!((ran.status.code(), text(&ran.stdout).as_str()), (Some(4), ""));
}

#[test] // T18
fn json_gives_one_document_and_no_line_besides() {
    let behind = Behind::new(upstream());
    let mut child = behind.program.command(["proxy", "shop", "--json"]).spawn().unwrap();
    let mut documents =
        serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter::<Value>();
    let document = documents.next().unwrap().unwrap();
    let (url, secret) = (document["url"].as_str().unwrap(), document["secret"].as_str().unwrap());
    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let host = url.strip_prefix("http://").unwrap();
    write!(stream, "GET /orders HTTP/1.1\r\nHost: {host}\r\nX-Keyfob-Proxy: {secret}\r\n\r\n")
        .unwrap();
    assert!(super::upstream::read_head(&mut stream).unwrap().contains(" 200 "));
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, Signal::TERM).unwrap();
    assert!(documents.next().is_none());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

/// The secret that a log shows as a product: in a document, or on the line after the address.
fn secret_in(log: &str) -> Option<String> {
    let mut lines = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let document = log.find('{').map(|start| &log[start..=log.rfind('}').unwrap_or(start)]);
    match document.and_then(|it| serde_json::from_str::<Value>(it).ok()) {
        Some(document) => Some(document["secret"].as_str()?.to_owned()),
        None => {
            lines.find(|line| line.starts_with("http://127.0.0.1:"))?;
            lines.find(|line| !line.starts_with("::")).map(|line| line.trim_end().to_owned())
        }
    }
}

#[test] // AT-16d
fn on_a_runner_the_log_hides_the_secret_before_it_is_printed() {
    let behind = Behind::new(upstream());
    for words in [&["proxy", "shop"][..], &["proxy", "shop", "--json"]] {
        // Both streams go into one file, so that it shows what came first.
        let log = behind.program.folder.path().join("log");
        let _ = std::fs::remove_file(&log);
        let stream = || File::options().create(true).append(true).open(&log).unwrap();
        let mut command = behind.program.command(words.iter().copied());
        command.env("GITHUB_ACTIONS", "true").stdout(stream()).stderr(stream());
        let mut child = command.spawn().unwrap();
        let said = || std::fs::read_to_string(&log).unwrap();
        let printed = || secret_in(&said());
        until("the secret is printed", || printed().is_some());
        let process = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(process, Signal::TERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let (said, secret) = (said(), printed().unwrap());
        let mask = said.find(&format!("::add-mask::{secret}\n")).expect(&said);
        assert_eq!(said.find(&secret), Some(mask + "::add-mask::".len()), "{said}");
    }
}

#[test] // AT-25
fn a_line_is_written_for_every_request_and_none_under_quiet() {
    let behind = Behind::new(upstream());
    let proxy = behind.proxy(&[]);
    proxy.ask("GET /orders?page=secret-value");
    proxy.ask("DELETE /orders/%1b[2Kx");
    proxy.says("Z GET /orders?page=[hidden] 200 ");
    proxy.says("ms 2 B\n");
    proxy.says("Z DELETE /orders/%1b[2Kx 400 ");
    let said = proxy.stderr();
    for hidden in ["secret-value", &behind.token, &proxy.secret, "\u{1b}"] {
        assert!(!said.contains(hidden), "{said}");
    }
    let quiet = behind.proxy(&["--quiet"]);
    assert_eq!(quiet.ask("GET /orders").status, 200);
    quiet.signal(Signal::TERM);
    assert_eq!(quiet.ended(), (Some(0), String::new()));
}

#[test]
fn the_secret_can_go_into_a_file_for_this_user_alone() {
    let behind = Behind::new(upstream());
    let path = behind.program.folder.path().join("secret");
    let words = ["proxy", "shop", "--secret-file", path.to_str().unwrap()];
    let mut child = behind.program.command(words).spawn().unwrap();
    until("the file is there", || path.exists());
    let secret = std::fs::read_to_string(&path).unwrap();
    assert_eq!(secret.trim_end().len(), 43);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut address = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut address).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = format!("{address}{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!said.contains(secret.trim_end()), "{said}");
    assert!(!path.exists(), "it opens nothing any more");

    let nowhere = behind.program.run("proxy shop --secret-file /nowhere/at/all");
    assert_eq!(nowhere.status.code(), Some(3), "{}", text(&nowhere.stderr));
    assert_eq!(text(&nowhere.stdout), "");
}

#[test]
fn every_run_has_a_secret_of_its_own() {
    let behind = Behind::new(upstream());
    let (one, other) = (behind.proxy(&[]), behind.proxy(&[]));
    assert_ne!(one.secret, other.secret);
    let request = format!(
        "GET /orders HTTP/1.1\r\nHost: {}\r\nX-Keyfob-Proxy: {}\r\n\r\n",
        other.host(),
        one.secret
    );
    assert_eq!(other.raw(&request).status, 401);
}
