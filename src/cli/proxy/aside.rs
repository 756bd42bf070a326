//! Standard error on a thread of its own: who does not read it holds up neither a refresh nor a signal.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::proxy::Line;
use crate::system::System;

/// How many notices may wait to be written; what is more is left out.
const NOTICES: usize = 64;
/// How many audit lines are written at once.
const AT_ONCE: usize = 1024;
/// How long lines are gathered while they come one upon the other; the first of them goes at once.
const GATHERED: Duration = Duration::from_millis(5);
/// How long the last lines may take.
const END: Duration = Duration::from_secs(1);

type Stream = Box<dyn Write + Send>;

/// Has standard error; gives it back when it ends.
pub struct Aside<'s> {
    system: &'s System,
    ended: std::sync::mpsc::Receiver<Stream>,
}

impl<'s> Aside<'s> {
    /// Writes audit lines, and from now on everything that this command says.
    pub fn start(system: &'s System, lines: mpsc::Receiver<Line>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (sender, notices) = mpsc::channel(NOTICES);
        let (end, ended) = std::sync::mpsc::sync_channel(1);
        let mut stream = system.stderr.replace(Box::new(Notices { sender, line: Vec::new() }));
        std::thread::Builder::new().name("standard error".into()).spawn(move || {
            runtime.block_on(write(&mut stream, notices, lines));
            // Whoever waits no longer does not need it.
            let _ = end.send(stream);
        })?;
        Ok(Self { system, ended })
    }

    /// Waits a moment for the last lines, and says everything directly again.
    pub fn end(self) {
        // This lets the last sender of notices go, which is the end of the thread.
        drop(self.system.stderr.replace(Box::new(io::sink())));
        if let Ok(stream) = self.ended.recv_timeout(END) {
            self.system.stderr.replace(stream);
        }
    }
}

/// Writes until nobody can say anything any more.
async fn write(
    stream: &mut Stream,
    mut notices: mpsc::Receiver<Vec<u8>>,
    mut lines: mpsc::Receiver<Line>,
) {
    let (mut some, mut text) = (Vec::with_capacity(AT_ONCE), String::new());
    let mut pause = std::pin::pin!(sleep(Duration::ZERO));
    let mut is_paused = false;
    loop {
        tokio::select! {
            () = &mut pause, if is_paused => is_paused = false,
            notice = notices.recv() => match notice {
                Some(notice) => {
                    // What happened before it was said stands before it.
                    put_waiting(stream, &mut some, &mut lines);
                    // A stream that is closed is no reason to stop.
                    let _ = stream.write_all(&notice);
                }
                None => break,
            },
            count = lines.recv_many(&mut some, AT_ONCE),
                if !is_paused && (!lines.is_closed() || !lines.is_empty()) =>
            {
                if count > 0 {
                    put(stream, &mut some, &mut text);
                    // A thread that is woken for every line takes as much time as the request.
                    is_paused = true;
                    pause.as_mut().reset(Instant::now() + GATHERED);
                }
            }
        }
    }
    put_waiting(stream, &mut some, &mut lines);
}

/// Writes the lines that wait, no more than a moment's worth.
fn put_waiting(stream: &mut Stream, some: &mut Vec<Line>, lines: &mut mpsc::Receiver<Line>) {
    for _ in 0..lines.len() {
        some.extend(lines.try_recv());
    }
    put(stream, some, &mut String::new());
}

fn put(stream: &mut Stream, lines: &mut Vec<Line>, text: &mut String) {
    text.clear();
    for line in lines.drain(..) {
        // Memory always takes it.
        let _ = writeln!(text, "{line}");
    }
    // A stream that is closed is no reason to stop.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// What the command says, line by line, so that none is parted by an audit line.
struct Notices {
    sender: mpsc::Sender<Vec<u8>>,
    line: Vec<u8>,
}

impl Write for Notices {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            // Where so many wait that nobody reads, one more would not be read either.
            let _ = self.sender.try_send(std::mem::take(&mut self.line));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
