//! The API in a process of its own: the sandbox over http, one document over https.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use keyfob::clock::{Clock as _, SystemClock};
use keyfob::sandbox::{Endpoint, Options, Sandbox};
use serde_json::{Value, json};

use crate::Failure;
use crate::tls;

/// A second of 2001, counted from 1970.
const LONG_AGO: i64 = 1_000_000_000;
/// What the sandbox's tokens open.
const SCOPES: [&str; 2] = ["orders:read", "offline_access"];

/// Plays the part `serve`: says where it is, then answers one line for every line.
pub fn serve(authority: &str) -> Result<(), Failure> {
    let sandbox = Sandbox::start("inkress", Options::default())?;
    let https = tls::start(Path::new(authority))?;
    let client = sandbox.client();
    println!(
        "{}",
        json!({
            "http": sandbox.origin(),
            "https": format!("https://localhost:{https}"),
            "client_id": client.client_id,
            "client_secret": client.client_secret.as_ref().map(|it| it.expose()),
        })
    );
    for line in std::io::stdin().lock().lines() {
        let answer = obey(&sandbox, line?.split_whitespace())?;
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn obey<'a>(sandbox: &Sandbox, mut words: impl Iterator<Item = &'a str>) -> Result<Value, Failure> {
    match words.next() {
        Some("tokens") => Ok(sandbox.dashboard_tokens(&SCOPES)),
        Some("latency") => {
            let milliseconds = words.next().ok_or("how many milliseconds?")?.parse()?;
            sandbox.latency(Duration::from_millis(milliseconds));
            Ok(Value::Null)
        }
        Some("requests") => Ok(json!(sandbox.counts(Endpoint::Token))),
        _ => Err("`tokens`, `latency MILLISECONDS` or `requests`".into()),
    }
}

/// The server, as the benchmark sees it; it ends with this value.
pub struct Server {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Where the API is over http, as the sandbox says it.
    pub http: String,
    /// Where the API is over https.
    pub https: String,
    /// The certificate of its authority.
    pub authority: PathBuf,
    client_id: Value,
    client_secret: Value,
}

impl Server {
    /// Starts it.
    pub fn start(folder: &Path) -> Result<Self, Failure> {
        let authority = folder.join("authority.pem");
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg(&authority)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take().ok_or("the server has no input")?;
        let mut answers = BufReader::new(process.stdout.take().ok_or("the server has no output")?);
        let told = answer(&mut answers)?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            process,
            questions,
            answers,
            http: text("http"),
            https: text("https"),
            authority,
            client_id: told["client_id"].clone(),
            client_secret: told["client_secret"].clone(),
        })
    }

    fn ask(&mut self, question: &str) -> Result<Value, Failure> {
        writeln!(self.questions, "{question}")?;
        answer(&mut self.answers)
    }

    /// What `import` reads: new tokens, the access token already ended where `ended`.
    pub fn tokens(&mut self, ended: bool) -> Result<Value, Failure> {
        let made = self.ask("tokens")?;
        let end = if ended { LONG_AGO } else { SystemClock.now().as_second() + 3600 };
        Ok(json!({
            "access_token": made["access_token"],
            "refresh_token": made["refresh_token"],
            "scope": SCOPES.join(" "),
            "expires_at": end,
            "contexts": {"merchant_id": 183},
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }))
    }

    /// Lets every token answer come that much later.
    pub fn latency(&mut self, milliseconds: u64) -> Result<(), Failure> {
        self.ask(&format!("latency {milliseconds}")).map(drop)
    }

    /// How many token requests came so far.
    pub fn token_requests(&mut self) -> Result<u64, Failure> {
        self.ask("requests")?.as_u64().ok_or_else(|| "the server does not count".into())
    }
}

fn answer(answers: &mut BufReader<ChildStdout>) -> Result<Value, Failure> {
    let mut line = String::new();
    match answers.read_line(&mut line)? {
        0 => Err("the server ended".into()),
        _ => Ok(serde_json::from_str(&line)?),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
