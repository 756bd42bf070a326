//! Requests through the proxy, beside nginx that adds a fixed header: same API, same load, by turns.
//!
//! The API is an nginx of its own with one short document. Both proxies forward with one worker;
//! both are measured with a line written for every request, and without.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Failure;
use crate::home::World;
use crate::measure::{answer, median};
use crate::tools;

/// Connections that are kept and used at once.
const CONNECTIONS: &str = "32";
/// How long each is measured, in each round.
const SPAN: &str = "3s";
/// How often each is measured.
const ROUNDS: usize = 7;
/// What nginx adds; as long as a token.
const FIXED: &str = "inka_a-fixed-token-of-the-usual-length-0123456789";

/// Measures and prints.
pub fn report(world: &mut World) -> Result<(), Failure> {
    for (program, package) in [("nginx", "nginx-light"), ("wrk", "wrk")] {
        if !tools::is_there(program, package, "requests through the proxy, beside nginx") {
            return Ok(());
        }
    }
    let folder = world.folder().join("forwarding");
    std::fs::create_dir_all(&folder)?;
    let api = Server::nginx(&folder, "api", API)?;
    let behind = |directive: &str| NGINX.replace("LOG", directive).replace("API", &api.host());
    let log = folder.join("access.log");
    let mut ways = vec![
        Server::nginx(&folder, "nginx, no line a request", &behind("off"))?,
        Server::nginx(&folder, "nginx, a line a request", &behind(&log.display().to_string()))?,
    ];
    let home = world.sealed_home("forwarding-home")?;
    let tokens = json!({
        "access_token": FIXED,
        "scope": "orders:read",
        "expires_at": "2099-01-01T00:00:00Z",
    });
    home.import(world, &format!("http://{}", api.host()), &tokens)?;
    for (name, words) in [
        ("keyfob proxy, no line a request", &["proxy", "shop", "--quiet"][..]),
        ("keyfob proxy, a line a request", &["proxy", "shop"][..]),
    ] {
        ways.push(Server::keyfob(&folder, name, home.command(world, words))?);
    }
    let mut measured: Vec<Vec<f64>> = vec![Vec::new(); ways.len() + 1];
    for round in 0..ROUNDS {
        for turn in 0..=ways.len() {
            let which = (turn + round) % (ways.len() + 1);
            let server = ways.get(which).unwrap_or(&api);
            measured[which].push(requests_a_second(server)?);
        }
    }
    println!("\n{CONNECTIONS} connections, {SPAN} each, medians of {ROUNDS}\n");
    println!("| requests through | a second | of nginx |");
    println!("| --- | ---: | ---: |");
    let medians: Vec<f64> = measured.iter().filter_map(|all| median(all.iter().copied())).collect();
    for (which, per_second) in medians.iter().enumerate() {
        let name = ways.get(which).map_or("nothing: the API itself", |way| &way.name);
        let beside = medians.get(which % 2).copied().unwrap_or(f64::NAN);
        let share = match which {
            4 => "-".to_owned(),
            _ => format!("{:.2}", per_second / beside),
        };
        println!("| {name} | {per_second:.0} | {share} |");
    }
    Ok(())
}

/// One short document.
const API: &str = "access_log off; location / { default_type application/json; \
                   return 200 '{\"result\":{\"entries\":[{\"id\":5001,\"status\":\"paid\"}]},\"state\":\"ok\"}'; }";

/// A reverse proxy that keeps its connections.
const NGINX: &str = "access_log LOG; location / { proxy_pass http://api/api/v1/; \
                     proxy_http_version 1.1; proxy_set_header Connection ''; \
                     proxy_set_header Authorization 'Bearer FIXED'; } \
                     } upstream api { server API; keepalive 64; keepalive_requests 1000000;";

/// A server under load; it ends with this value.
struct Server {
    name: String,
    address: String,
    secret: String,
    process: Child,
}

impl Server {
    fn nginx(folder: &Path, name: &str, server: &str) -> Result<Self, Failure> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let place: PathBuf = folder.join(format!("nginx-{port}"));
        std::fs::create_dir_all(&place)?;
        let server = server.replace("FIXED", FIXED);
        let configuration = format!(
            "worker_processes 1; daemon off; pid {0}/pid; error_log {0}/error.log;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;\n\
             uwsgi_temp_path {0}/d; scgi_temp_path {0}/e; keepalive_requests 100000000;\n\
             server {{ listen 127.0.0.1:{port}; {server} }} }}\n",
            place.display()
        );
        let file = place.join("nginx.conf");
        std::fs::write(&file, configuration)?;
        let process = Command::new("nginx").arg("-c").arg(&file).arg("-p").arg(&place).spawn()?;
        let address = format!("http://127.0.0.1:{port}");
        let server = Self { name: name.to_owned(), address, secret: String::new(), process };
        server.wait_for_it()?;
        Ok(server)
    }

    fn keyfob(folder: &Path, name: &str, mut command: Command) -> Result<Self, Failure> {
        let audit = File::create(folder.join("audit"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(audit);
        let mut process = command.spawn()?;
        let stdout = process.stdout.take().ok_or("the proxy has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut line = || lines.next().ok_or("the proxy said nothing");
        let (address, secret) = (line()??, line()??);
        Ok(Self { name: name.to_owned(), address, secret, process })
    }

    fn host(&self) -> String {
        self.address.replacen("http://", "", 1)
    }

    fn wait_for_it(&self) -> Result<(), Failure> {
        let start = Instant::now();
        while std::net::TcpStream::connect(self.host()).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("{} does not listen", self.name).into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx ends its worker when it is asked to, and not when it is killed.
        let process = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}

fn requests_a_second(server: &Server) -> Result<f64, Failure> {
    let mut wrk = Command::new("wrk");
    wrk.args(["-t", "1", "-c", CONNECTIONS, "-d", SPAN]);
    // The secret of a benchmark's own proxy guards nothing.
    wrk.arg("-H").arg(format!("X-Keyfob-Proxy: {}", server.secret));
    wrk.arg(format!("{}/orders", server.address));
    let said = answer(&mut wrk)?;
    if said.contains("Non-2xx") {
        return Err(format!("{} does not answer as it should: {said}", server.name).into());
    }
    let line = said.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:"));
    Ok(line.ok_or("wrk gives no number")?.trim().parse()?)
}
