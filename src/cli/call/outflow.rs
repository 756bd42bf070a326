//! A long body on its way to standard output.
//!
//! It is written by a thread of its own: a reader who takes his time must not keep a signal from
//! being heard.

use std::io::{self, Write};

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use crate::system::System;

/// How many parts may wait for the reader; with the parts' size this bounds the memory.
const WAITING_PARTS: usize = 4;

type Stream = Box<dyn Write + Send>;

/// Nobody reads on, or what is written cannot be kept.
#[derive(Debug)]
pub struct Gone;

/// Takes parts of a body.
pub struct Outflow {
    parts: Sender<Bytes>,
    writing: JoinHandle<(Stream, io::Result<()>)>,
}

impl Outflow {
    /// Takes standard output until [`Outflow::finish`]; must be called within a Tokio runtime.
    pub fn start(system: &System) -> Self {
        let stdout = system.stdout.replace(Box::new(io::sink()));
        let (parts, waiting) = mpsc::channel(WAITING_PARTS);
        Self { parts, writing: tokio::task::spawn_blocking(move || write(stdout, waiting)) }
    }

    /// Hands over a part; false where nobody reads on.
    pub async fn send(&self, part: Bytes) -> bool {
        self.parts.send(part).await.is_ok()
    }

    /// Hands over a part if there is room for it, else gives it back; an error where nobody reads on.
    pub fn offer(&self, part: Bytes) -> Result<Option<Bytes>, Gone> {
        match self.parts.try_send(part) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full(part)) => Ok(Some(part)),
            Err(TrySendError::Closed(_)) => Err(Gone),
        }
    }

    /// Waits until there is room for a part, or nobody reads on.
    pub async fn room(&self) {
        // That nobody does is told by the next offer.
        drop(self.parts.reserve().await);
    }

    /// Waits until all of it is written, and gives standard output back.
    pub async fn finish(self, system: &System) -> io::Result<()> {
        drop(self.parts);
        let (stdout, written) = self.writing.await.map_err(io::Error::other)?;
        system.stdout.replace(stdout);
        written
    }
}

fn write(mut stdout: Stream, mut waiting: Receiver<Bytes>) -> (Stream, io::Result<()>) {
    let mut written = Ok(());
    while let Some(part) = waiting.blocking_recv() {
        written = stdout.write_all(&part);
        if written.is_err() {
            break;
        }
    }
    let written = written.and_then(|()| stdout.flush());
    (stdout, written)
}
