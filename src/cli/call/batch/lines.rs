//! The lines of a batch, as they come in: read by a thread of its own, never further ahead than
//! a few blocks, and no line longer than is allowed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use memchr::memchr;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How much is read at once.
const BLOCK: usize = 64 << 10;
/// How many blocks may wait.
const WAITING_BLOCKS: usize = 2;
/// No line is longer, in bytes.
pub const LONGEST_LINE: usize = 8 << 20;

/// Where lines come from.
pub struct Source {
    stream: Box<dyn Read + Send>,
    /// The length, where it is a plain file.
    pub length: Option<u64>,
}

impl Source {
    /// A stream whose end nobody knows.
    pub fn stream(stream: Box<dyn Read + Send>) -> Self {
        Self { stream, length: None }
    }

    /// A file.
    pub fn file(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let facts = file.metadata()?;
        if facts.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let length = facts.is_file().then_some(facts.len());
        Ok(Self { stream: Box::new(file), length })
    }
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1, empty ones included.
    pub number: u64,
    /// Without its end; none where it is too long.
    pub text: Option<Bytes>,
}

/// The lines of a source.
pub struct Lines {
    blocks: Receiver<io::Result<Bytes>>,
    block: Bytes,
    /// One that was taken off the block ahead of time.
    next: Option<Line>,
    /// The beginning of a line that goes on in the next block.
    begun: Vec<u8>,
    too_long: bool,
    number: u64,
    /// Bytes of the lines so far.
    pub read: u64,
    /// Whether no more blocks come.
    ended: bool,
}

impl Lines {
    /// Starts to read; the thread ends with the source, or at its next block after this is dropped.
    pub fn of(source: Source) -> io::Result<Self> {
        let (sender, blocks) = mpsc::channel(WAITING_BLOCKS);
        std::thread::Builder::new()
            .name("requests".into())
            .spawn(move || read(source.stream, &sender))?;
        Ok(Self {
            blocks,
            block: Bytes::new(),
            next: None,
            begun: Vec::new(),
            too_long: false,
            number: 0,
            read: 0,
            ended: false,
        })
    }

    /// The next line that is not empty, where it lies here already.
    pub fn take(&mut self) -> Option<Line> {
        if let Some(line) = self.next.take() {
            return Some(line);
        }
        while !self.block.is_empty() {
            if let Some(line) = self.split().filter(|line| !line.is_empty()) {
                return Some(line);
            }
        }
        None
    }

    /// Whether [`Lines::take`] gives one.
    pub fn has_line(&mut self) -> bool {
        self.next = self.take();
        self.next.is_some()
    }

    /// Whether the last line has been given.
    pub fn is_through(&self) -> bool {
        self.ended && self.next.is_none()
    }

    /// Waits for more where nothing lies here.
    pub fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_line() {
            return Poll::Ready(Ok(()));
        }
        match ready!(self.blocks.poll_recv(context)) {
            Some(block) => self.block = block.inspect_err(|_| self.ended = true)?,
            None => {
                self.ended = true;
                let rest = !self.begun.is_empty() || self.too_long;
                self.next = rest.then(|| self.line(Bytes::new())).filter(|it| !it.is_empty());
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes a line off the block; a rest without an end is kept.
    fn split(&mut self) -> Option<Line> {
        match memchr(b'\n', &self.block) {
            Some(end) => {
                let text = self.block.split_to(end);
                let _ = self.block.split_to(1);
                self.read += end as u64 + 1;
                Some(self.line(text))
            }
            None => {
                let rest = std::mem::take(&mut self.block);
                self.read += rest.len() as u64;
                self.begin(&rest);
                None
            }
        }
    }

    fn begin(&mut self, part: &[u8]) {
        if self.begun.len() + part.len() > LONGEST_LINE {
            self.too_long = true;
        }
        match self.too_long {
            true => self.begun = Vec::new(),
            false => self.begun.extend_from_slice(part),
        }
    }

    fn line(&mut self, end: Bytes) -> Line {
        self.number += 1;
        let text = match self.begun.is_empty() && !self.too_long && end.len() <= LONGEST_LINE {
            true => Some(end),
            false => {
                self.begin(&end);
                let whole = std::mem::take(&mut self.begun);
                (!std::mem::take(&mut self.too_long)).then(|| whole.into())
            }
        };
        Line { number: self.number, text: text.map(|text| self.without_mark(text)) }
    }

    /// Some programs begin a file with a byte order mark.
    fn without_mark(&self, mut text: Bytes) -> Bytes {
        if self.number == 1 && text.starts_with(b"\xef\xbb\xbf") {
            let _ = text.split_to(3);
        }
        text
    }
}

impl Line {
    fn is_empty(&self) -> bool {
        self.text.as_ref().is_some_and(|text| text.trim_ascii().is_empty())
    }
}

fn read(mut stream: Box<dyn Read + Send>, blocks: &Sender<io::Result<Bytes>>) {
    loop {
        let mut block = vec![0; BLOCK];
        let read = match stream.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
            Ok(0) => return,
            Ok(length) => {
                block.truncate(length);
                // What comes in drops from a pipe must not lie there in whole blocks.
                if length < BLOCK / 2 {
                    block.shrink_to_fit();
                }
                Ok(block.into())
            }
        };
        let failed = read.is_err();
        if blocks.blocking_send(read).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Drops(Vec<u8>, usize);

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0.drain(..length);
            Ok(length)
        }
    }

    fn all(text: &[u8], at_once: usize) -> Vec<(u64, Option<String>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut lines =
                Lines::of(Source::stream(Box::new(Drops(text.to_vec(), at_once)))).unwrap();
            let mut all = Vec::new();
            while !lines.is_through() {
                while let Some(line) = lines.take() {
                    let text = line.text.map(|text| String::from_utf8(text.to_vec()).unwrap());
                    all.push((line.number, text));
                }
                std::future::poll_fn(|context| lines.poll_more(context)).await.unwrap();
                let has_line = lines.has_line();
                assert_eq!(has_line, lines.has_line(), "a look takes nothing away");
            }
            all
        })
    }

    #[test]
    fn lines_are_the_same_however_they_come_in() {
        let text = b"\xef\xbb\xbfone\n\n  \ntwo\r\nthree and more\nlast";
        for at_once in [1, 2, 3, 7, 1000] {
            let some = |number, text: &str| (number, Some(text.to_owned()));
            let expected =
                [some(1, "one"), some(4, "two\r"), some(5, "three and more"), some(6, "last")];
            assert_eq!(all(text, at_once), expected, "{at_once}");
        }
        assert_eq!(all(b"", 9), []);
        assert_eq!(all(b"\n\n", 9), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_counts() {
        let mut text = vec![b'x'; LONGEST_LINE + 1];
        text.extend_from_slice(b"\nok\n");
        assert_eq!(all(&text, BLOCK), [(1, None), (2, Some("ok".into()))]);
        let mut fits = vec![b'x'; LONGEST_LINE];
        fits.extend_from_slice(b"\nok");
        assert!(all(&fits, BLOCK)[0].1.is_some());
        assert_eq!(all(&vec![b'x'; LONGEST_LINE + 1], BLOCK), [(1, None)]);
    }
}
