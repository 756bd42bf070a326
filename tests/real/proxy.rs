//! The proxy and the programs it is made for, and not made for: curl, and pages in a real browser.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use keyfob::sandbox::{Endpoint, Options, Sandbox};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::folder::{Folder, HERE, Ran, require_packages};

/// A proxy in front of a sandbox.
struct Proxy {
    folder: Folder,
    sandbox: Sandbox,
    address: String,
    secret: String,
    process: Child,
}

impl Proxy {
    fn start(words: &[&str]) -> Self {
        let folder = Folder::new();
        let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
        import(&folder, &sandbox);
        let mut command = folder.keyfob(&["proxy", "shop"]);
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (address, secret) = (line(), line());
        Self { folder, sandbox, address, secret, process }
    }

    /// curl with these words, the secret in a file: never in the process list.
    fn curl(&self, words: &[&str]) -> Ran {
        let header =
            self.folder.write("header", &format!("Authorization: Bearer {}\n", self.secret));
        let mut curl = self.folder.command("curl");
        curl.args(["-q", "-sS", "-H", &format!("@{header}")]).args(words);
        Ran::of(&mut curl)
    }

    /// Ends it and gives what it has said.
    fn end(mut self) -> String {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn import(folder: &Folder, sandbox: &Sandbox) {
    let client = sandbox.client();
    let mut tokens = sandbox.dashboard_tokens(&["orders:read", "orders:write"]);
    tokens["client_secret"] = client.client_secret.as_ref().unwrap().expose().into();
    let mut command = folder.keyfob(&["import", "shop", "--quiet", "--provider", "inkress"]);
    for (name, value) in sandbox.settings() {
        command.args(["--set", &format!("{name}={value}")]);
    }
    command.args(["--client-id", &client.client_id]).stdin(Stdio::piped());
    let mut import = command.spawn().unwrap();
    import.stdin.take().unwrap().write_all(tokens.to_string().as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
}

#[test] // AT-25
fn curl_uses_the_api_without_the_token() {
    let proxy = Proxy::start(&[]);
    let orders = proxy.curl(&["-f", &format!("{}/orders?app=me", proxy.address)]).done();
    let orders: Value = serde_json::from_str(&orders).unwrap();
    assert_eq!(orders["result"]["entries"][0]["id"], 5001);

    let upload = proxy.folder.write("upload", &"x".repeat(3_000_000));
    let up = format!("{}/upload", proxy.address);
    let told = proxy.curl(&["-f", "-X", "POST", "-T", &upload, &up]).done();
    assert!(told.contains("3000000"), "{told}");
    let down = format!("{}/download?bytes=5000000", proxy.address);
    assert_eq!(proxy.curl(&["-f", &down]).done().len(), 5_000_000);

    // Two requests on one connection, and one as HTTP/1.0.
    let address = format!("{}/orders", proxy.address);
    let codes = ["-w", "%{http_code} ", "-o", "/dev/null", "-o", "/dev/null", &address, &address];
    assert_eq!(proxy.curl(&codes).done(), "200 200 ");
    let old = ["--http1.0", "-w", "%{http_code}", "-o", "/dev/null", &address];
    assert_eq!(proxy.curl(&old).done(), "200");

    let said = proxy.end();
    assert_eq!(said.matches(" 200 ").count(), 6, "{said}");
}

#[test] // AT-25
fn curl_that_takes_it_for_a_forward_proxy_is_refused() {
    let proxy = Proxy::start(&[]);
    let api = format!("{}/api/v1/orders", proxy.sandbox.origin());
    let through = ["-x", &proxy.address, "--noproxy", "", "-w", "%{http_code}", &api];
    assert!(proxy.curl(&through).done().ends_with("421"));
    let tunnel = ["-x", &proxy.address, "--noproxy", "", "-p", "-w", "%{http_connect}", &api];
    let refused = proxy.curl(&tunnel);
    assert_eq!((refused.exit, refused.stdout.as_str()), (Some(56), "501"), "{}", refused.stderr);
    assert_eq!(proxy.sandbox.counts(Endpoint::Api), 0);
}

/// A page that does nothing by itself, on a port of its own.
fn page() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A browser opens connections that it does not use.
            if stream.read(&mut [0; 4096]).unwrap_or(0) > 0 {
                let page = "<!doctype html><title>a page</title>";
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
                let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
            }
        }
    });
    address
}

#[test] // AT-25
fn no_page_in_a_browser_reaches_the_api() {
    require_packages("browser");
    let proxy = Proxy::start(&[]);
    let script = format!("{HERE}/browser/reach.mjs");
    let mut browser = proxy.folder.command("sh");
    browser.args(["-c", "CHROMIUM=$(command -v chromium) exec node \"$@\"", "sh"]);
    browser.args([&script, proxy.folder.path().to_str().unwrap(), &page()]);
    browser.args([&proxy.address, &proxy.secret]);
    Ran::of(&mut browser).done();
    let results = proxy.folder.json("results.json");
    assert_eq!(results["error"], Value::Null, "{results:#}");
    for (place, attempts) in results.as_object().unwrap() {
        for (attempt, result) in attempts.as_object().unwrap() {
            assert_ne!(result["opened"], true, "{place}: {attempt}");
            assert_ne!(result["status"], 200, "{place}: {attempt}");
            let body = result["body"].as_str().unwrap_or_default();
            assert!(!body.contains("5001"), "{place}: {attempt}: {body}");
        }
    }
    assert_eq!(results["a rebound name"]["visit"]["status"], 421);
    assert_eq!(results["a rebound name"]["fetch with the secret"]["status"], 421);
    assert_eq!(results["the address bar"]["visit"]["status"], 401);
    assert_eq!(proxy.sandbox.counts(Endpoint::Api), 0);
    let said = proxy.end();
    assert!(said.contains("from-browser") && said.contains("foreign-host"), "{said}");
}
