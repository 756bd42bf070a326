//! Where shaped answers go: standard output, part by part, or a file, whole or not at all.

use std::cell::Cell;
use std::io::{ErrorKind, Write as _};

use super::super::context::Context;
use super::super::output::unwritten;
use super::super::report::Report;
use super::output_file::OutputFile;

/// Where answers go.
pub enum Destination {
    /// Standard output.
    Stdout,
    /// The file of `-o`.
    File(Box<OutputFile>),
}

/// Whether anybody reads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// More is welcome.
    There,
    /// He has what he wanted.
    Gone,
}

impl Destination {
    /// Standard output where there is no file.
    pub fn new(file: Option<OutputFile>) -> Self {
        file.map_or(Self::Stdout, |file| Self::File(Box::new(file)))
    }

    /// Whether what was written before a failure is there.
    pub fn keeps_parts(&self) -> bool {
        match self {
            Self::Stdout => true,
            Self::File(file) => !file.is_replaced_whole(),
        }
    }

    /// Writes one answer; the head goes to standard output, wherever the rest goes.
    ///
    /// `under_way` is true while an answer may be there in part.
    pub async fn write(
        &mut self,
        context: &Context<'_>,
        head: &str,
        answer: Vec<u8>,
        under_way: &Cell<bool>,
    ) -> Result<Reader, Report> {
        match self {
            Self::Stdout => {
                let whole = [head.as_bytes(), &answer].concat();
                to_stdout(context, whole, under_way).await
            }
            Self::File(file) => {
                let reader = to_stdout(context, head.into(), under_way).await?;
                file.write(&answer)?;
                Ok(reader)
            }
        }
    }

    /// Puts a file in its place.
    pub fn close(self) -> Result<(), Report> {
        match self {
            Self::Stdout => Ok(()),
            Self::File(file) => file.close(),
        }
    }
}

/// On a thread of its own: a reader who takes his time must not keep a signal from being heard.
async fn to_stdout(
    context: &Context<'_>,
    bytes: Vec<u8>,
    under_way: &Cell<bool>,
) -> Result<Reader, Report> {
    if bytes.is_empty() {
        return Ok(Reader::There);
    }
    let stdout = &context.system.stdout;
    let mut stream = stdout.replace(Box::new(std::io::sink()));
    under_way.set(true);
    let writing = tokio::task::spawn_blocking(move || {
        let written = stream.write_all(&bytes).and_then(|()| stream.flush());
        (stream, written)
    });
    let (stream, written) =
        writing.await.map_err(|error| unwritten(&std::io::Error::other(error)))?;
    stdout.replace(stream);
    match written {
        Ok(()) => {
            under_way.set(false);
            Ok(Reader::There)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(unwritten(&error)),
    }
}
