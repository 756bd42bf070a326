//! A proxy as a process, and the plainest program that uses it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use keyfob::sandbox::Behaviour;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::upstream::{PATIENCE, Upstream, header, read_head};
use crate::support::program::{Life, Program};
use crate::support::until;

/// A profile `shop` whose tokens the sandbox gives, and whose API is the test's own.
pub struct Behind {
    pub program: Program,
    pub upstream: Upstream,
    /// The access token that was imported.
    pub token: String,
}

impl Behind {
    pub fn new(upstream: Upstream) -> Self {
        let program = Program::beside("inkress", Behaviour::default());
        upstream.tokens_from(&program.sandbox.origin());
        let host = [("api_host", upstream.origin.as_str())];
        let token = program.import_elsewhere(&program.home(), "shop", Life::Ahead, &host);
        Self { program, upstream, token }
    }

    /// A proxy with these words besides.
    pub fn proxy(&self, words: &[&str]) -> Proxy {
        Proxy::start(&self.program, words)
    }
}

/// The process; it ends with this value.
pub struct Proxy {
    pub address: String,
    pub secret: String,
    child: Child,
    stderr: PathBuf,
}

impl Proxy {
    pub fn start(program: &Program, words: &[&str]) -> Self {
        let stderr = program.folder.path().join(format!("stderr-{}", crate::support::free_port()));
        let file = File::create(&stderr).unwrap();
        Self::saying_into(program, words, stderr, file.into())
    }

    /// A proxy whose standard error nobody reads; the end of the pipe that nobody reads from.
    pub fn unheard(program: &Program) -> (Self, std::io::PipeReader) {
        let (reader, writer) = std::io::pipe().unwrap();
        (Self::saying_into(program, &[], PathBuf::from("/dev/null"), writer.into()), reader)
    }

    fn saying_into(program: &Program, words: &[&str], stderr: PathBuf, to: Stdio) -> Self {
        let mut command = program.command(["proxy", "shop"].iter().chain(words).copied());
        command.stderr(to).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().map(Result::unwrap).unwrap_or_default();
        let (address, secret) = (line(), line());
        let proxy = Self { address, secret, child, stderr };
        assert!(proxy.address.starts_with("http://127.0.0.1:"), "{}", proxy.stderr());
        assert_eq!(proxy.secret.len(), 43, "{}", proxy.stderr());
        proxy
    }

    pub fn host(&self) -> &str {
        self.address.strip_prefix("http://").unwrap()
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    /// Waits for a word on standard error.
    #[track_caller]
    pub fn says(&self, words: &str) {
        until(&format!("{words} is said"), || self.stderr().contains(words));
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.host()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends bytes as they are and reads one answer.
    pub fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        Answer::read(&mut stream, request.starts_with("HEAD "))
    }

    /// The head of a request that shows the secret; headers may follow.
    pub fn head(&self, line: &str) -> String {
        format!("{line} HTTP/1.1\r\nHost: {}\r\nX-Keyfob-Proxy: {}\r\n", self.host(), self.secret)
    }

    /// Asks with the secret.
    pub fn ask(&self, line: &str) -> Answer {
        self.raw(&format!("{}\r\n", self.head(line)))
    }

    /// Asks with the secret and one more line of headers.
    pub fn ask_with(&self, line: &str, header: &str) -> Answer {
        self.raw(&format!("{}{header}\r\n\r\n", self.head(line)))
    }

    /// Sends a body with its length.
    pub fn send(&self, line: &str, body: &str) -> Answer {
        let length = body.len();
        self.raw(&format!("{}Content-Length: {length}\r\n\r\n{body}", self.head(line)))
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end and gives exit code and standard error.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let exit = self.child.wait().unwrap().code();
        (exit, self.stderr())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// What followed a chunked body.
    pub trailers: String,
    /// Whether the body came to its proper end.
    pub is_whole: bool,
}

impl Answer {
    pub fn read(stream: &mut TcpStream, of_head: bool) -> Self {
        let head = read_head(stream).expect("an answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer =
            Self { status, head, body: Vec::new(), trailers: String::new(), is_whole: true };
        if of_head || status == 204 || status == 304 {
            return answer;
        }
        if answer.header("transfer-encoding").is_some() {
            answer.read_chunks(stream);
        } else if let Some(length) = answer.header("content-length") {
            answer.body.resize(length.parse().unwrap(), 0);
            answer.is_whole = stream.read_exact(&mut answer.body).is_ok();
        } else {
            answer.is_whole = stream.read_to_end(&mut answer.body).is_ok();
        }
        answer
    }

    fn read_chunks(&mut self, stream: &mut TcpStream) {
        let mut reader = BufReader::new(stream);
        loop {
            let mut size = String::new();
            self.is_whole = reader.read_line(&mut size).unwrap_or(0) > 0;
            if !self.is_whole {
                return;
            }
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            if size == 0 {
                break;
            }
            let mut piece = vec![0; size + 2];
            self.is_whole = reader.read_exact(&mut piece).is_ok();
            self.body.extend_from_slice(&piece[..size]);
        }
        let mut line = String::new();
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            self.trailers.push_str(&std::mem::take(&mut line));
        }
    }

    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of the proxy's own answer.
    #[track_caller]
    pub fn code(&self) -> String {
        let document: Value = serde_json::from_slice(&self.body).expect(&self.head);
        let code = document["error"]["code"].as_str().unwrap().to_owned();
        assert_eq!(self.header("x-keyfob-error").as_deref(), Some(code.as_str()));
        code
    }
}
