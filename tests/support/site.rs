//! A server that says whatever a test lets it say: honest documents, and hostile ones.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::served::Served;

/// A request that came.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Upper case.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

impl Asked {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What it says.
#[derive(Debug, Clone)]
pub struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Said {
    /// A document.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, body.to_string()).with("content-type", "application/json")
    }

    /// The metadata of a server at `origin` where clients register themselves.
    pub fn registers_clients(origin: &str) -> Self {
        let at = |path: &str| format!("{origin}/{path}");
        Self::json(
            200,
            &json!({
                "issuer": origin,
                "authorization_endpoint": at("authorize"),
                "token_endpoint": at("token"),
                "registration_endpoint": at("register"),
                "scopes_supported": ["a", "b"],
            }),
        )
    }

    /// Anything.
    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// With a header more.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A server on loopback, until it is dropped.
pub struct Site {
    origin: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _served: Served,
}

impl Site {
    /// Says what `says` makes of each request; it is told its own origin.
    pub fn saying(says: impl Fn(&str, &Asked) -> Said + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (memory, own) = (asked.clone(), origin.clone());
        let served = Served::by(listener, move |stream| {
            let Some(request) = hear(&stream) else { return };
            memory.lock().unwrap().push(request.clone());
            match says(&own, &request) {
                // A closed connection in place of an answer.
                said if said.status == 0 => {}
                said => tell(stream, &said),
            }
        });
        Self { origin, asked, _served: served }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What came, oldest first.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The paths that were asked for, with their methods.
    pub fn paths(&self) -> Vec<String> {
        self.asked().iter().map(|it| format!("{} {}", it.method, it.path)).collect()
    }
}

fn hear(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut asked = Asked { method: words.next()?, path: words.next()?, ..Asked::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        asked.headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = asked.header("content-length").map_or(0, |it| it.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8(body).unwrap();
    Some(asked)
}

fn tell(mut stream: TcpStream, said: &Said) {
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", said.status);
    for (name, value) in &said.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", said.body.len()));
    // Who has heard enough of a large answer hangs up.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&said.body));
}
