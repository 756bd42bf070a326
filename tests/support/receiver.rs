//! A program that deliveries go to: answers what it is told to, remembers what it heard.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::served::Served;

/// What was heard: the head, with names in lower case, and the body.
pub type Heard = (String, Vec<u8>);

/// Answers each request with the next status; the last one for ever.
pub struct Program {
    port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
    _served: Served,
}

impl Program {
    /// On any port.
    pub fn answering(statuses: &[u16]) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap(), statuses)
    }

    /// On a port that was kept for it.
    pub fn at(listener: TcpListener, statuses: &[u16]) -> Self {
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (memory, statuses) = (heard.clone(), statuses.to_vec());
        let mut number = 0;
        let served = Served::by(listener, move |mut stream| {
            let status = *statuses.get(number).unwrap_or(statuses.last().unwrap());
            number += 1;
            let Some(heard) = hear(&mut stream) else { return };
            // Whoever has the answer finds it remembered.
            memory.lock().unwrap().push(heard);
            answer(stream, status);
        });
        Self { port, heard, _served: served }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/app", self.port)
    }

    /// What came, oldest first.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn hear(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            break (head.clone(), length.map_or(0, |length| length.parse().unwrap()));
        }
    };
    while bytes.len() < length {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&part[..count]);
    }
    Some((head, bytes))
}

fn answer(mut stream: TcpStream, status: u16) {
    let answer = format!(
        "HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    // A sender who has gone wants no answer.
    let _ = stream.write_all(answer.as_bytes());
}
