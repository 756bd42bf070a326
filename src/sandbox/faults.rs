//! Answers that go wrong on purpose: what networks and broken servers do to a client.

use std::time::Duration;

use tokio::sync::watch;

use super::message::{Answer, Payload};

/// One answer that goes wrong.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Another answer, and nothing is done.
    Status {
        /// The status.
        status: u16,
        /// Its headers.
        headers: Vec<(String, String)>,
        /// Its body.
        body: String,
    },
    /// A page with status 200, as a captive portal gives; nothing is done.
    Html,
    /// The connection closes without an answer; nothing is done.
    Reset,
    /// The work is done, then the connection closes: the lost answer.
    RotateThenReset,
    /// The work is done, then a gateway answers 502.
    RotateThenBadGateway,
    /// The work is done at once, the answer comes after that long.
    Slow(Duration),
    /// The work is done at once, the answer comes when the gate is opened.
    Held(Gate),
    /// The work is done, half of the answer comes, then the connection closes.
    Truncated,
    /// The work is done, and a success that is no JSON comes.
    Garbage,
}

/// Keeps an answer back until it is opened; the copies of one are one gate.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Gate {
    /// Lets go of every answer that it keeps, and keeps none from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn passed(&self) {
        // It cannot go while it is waited at.
        let _ = self.0.subscribe().wait_for(|is_open| *is_open).await;
    }
}

/// How an answer goes out.
pub enum Delivery {
    /// Whole.
    Whole(Answer),
    /// Half of it, then nothing.
    Half(Answer),
    /// Not at all.
    Dropped,
}

impl Fault {
    /// A bare status.
    pub fn status(status: u16) -> Self {
        Self::Status { status, headers: Vec::new(), body: String::new() }
    }

    /// What is said in place of doing the work, where the work is not done.
    pub fn instead(&self) -> Option<Delivery> {
        match self {
            Self::Status { status, headers, body } => {
                let mut answer = Answer::empty(*status).carrying(body.as_str());
                answer.headers.extend(headers.iter().cloned());
                Some(Delivery::Whole(answer))
            }
            Self::Html => Some(Delivery::Whole(Answer::html(200, PORTAL.to_owned()))),
            Self::Reset => Some(Delivery::Dropped),
            _ => None,
        }
    }

    /// What becomes of the true answer.
    pub fn spoil(&self, answer: Answer) -> Delivery {
        match self {
            Self::RotateThenReset => Delivery::Dropped,
            Self::RotateThenBadGateway => {
                Delivery::Whole(Answer::html(502, "<h1>502 Bad Gateway</h1>".to_owned()))
            }
            Self::Truncated => Delivery::Half(answer),
            Self::Garbage => Delivery::Whole(Answer {
                payload: Payload::Bytes(b"\x1f\x00not json".to_vec()),
                ..answer
            }),
            _ => Delivery::Whole(answer),
        }
    }

    /// Waits until the answer may go out.
    pub async fn held(&self) {
        if let Self::Held(gate) = self {
            gate.passed().await;
        }
    }

    /// How long the answer waits.
    pub fn delay(&self) -> Duration {
        match self {
            Self::Slow(duration) => *duration,
            _ => Duration::ZERO,
        }
    }
}

const PORTAL: &str = "<!doctype html><title>Welcome</title><p>Please sign in to this network.";
