//! Where the answers go: standard output or a file, whole lines only.

use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::{Sleep, sleep};

use super::super::super::output::unwritten;
use super::super::super::report::Report;
use super::super::outflow::Outflow;
use super::super::output_file::OutputFile;
use crate::system::System;

/// So much is written at once, in bytes.
const ENOUGH: usize = 32 << 10;
/// How long a line may lie here.
const SOON: Duration = Duration::from_millis(2);

/// Takes lines.
pub struct Sink {
    way: Way,
    waiting: BytesMut,
    /// A part that standard output had no room for.
    held: Option<Bytes>,
    /// When what waits must be on its way.
    due: Option<Pin<Box<Sleep>>>,
}

enum Way {
    Stdout(Outflow),
    File(OutputFile),
}

/// How the writing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    On,
    /// Nobody reads on, or it cannot be kept: [`Sink::finish`] says which.
    Over,
}

impl Sink {
    /// Writes to standard output, or to a file that was opened; must be called within a Tokio runtime.
    pub fn new(system: &System, file: Option<OutputFile>) -> Self {
        let way = file.map_or_else(|| Way::Stdout(Outflow::start(system)), Way::File);
        Self { way, waiting: BytesMut::new(), held: None, due: None }
    }

    /// Takes a line.
    pub fn take(&mut self, line: &[u8]) -> Result<Flow, Report> {
        self.waiting.extend_from_slice(line);
        match self.waiting.len() >= ENOUGH {
            true => self.flush(),
            false => {
                self.due.get_or_insert_with(|| Box::pin(sleep(SOON)));
                Ok(Flow::On)
            }
        }
    }

    /// Brings on its way what waits, as far as there is room.
    pub fn flush(&mut self) -> Result<Flow, Report> {
        self.due = None;
        loop {
            let part = match self.held.take() {
                Some(part) => part,
                None if self.waiting.is_empty() => return Ok(Flow::On),
                None => self.waiting.split().freeze(),
            };
            match &mut self.way {
                Way::File(file) => file.write(&part)?,
                Way::Stdout(outflow) => match outflow.offer(part) {
                    Ok(None) => {}
                    Ok(Some(part)) => {
                        self.held = Some(part);
                        return Ok(Flow::On);
                    }
                    Err(_) => return Ok(Flow::Over),
                },
            }
        }
    }

    /// How much waits, in bytes.
    pub fn waiting(&self) -> usize {
        self.waiting.len() + self.held.as_ref().map_or(0, Bytes::len)
    }

    /// Whether there is anything to wait for.
    pub fn is_busy(&self) -> bool {
        self.due.is_some() || self.held.is_some()
    }

    /// Ends when it is time to flush.
    pub async fn is_due(&mut self) {
        match (&self.held, &self.way) {
            (Some(_), Way::Stdout(outflow)) => outflow.room().await,
            _ => match &mut self.due {
                Some(due) => due.await,
                None => std::future::pending().await,
            },
        }
    }

    /// Writes what is left and waits until it is written; a reader who has gone is no error.
    pub async fn finish(mut self, system: &System) -> Result<(), Report> {
        let rest = self.held.take().into_iter().chain([self.waiting.split().freeze()]);
        match self.way {
            Way::File(mut file) => {
                rest.into_iter().try_for_each(|part| file.write(&part))?;
                file.close()
            }
            Way::Stdout(outflow) => {
                for part in rest.filter(|part| !part.is_empty()) {
                    if !outflow.send(part).await {
                        break;
                    }
                }
                match outflow.finish(system).await {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&error)),
                    _ => Ok(()),
                }
            }
        }
    }
}
