//! The answer's way to standard output, a file or a document.

use std::io::{ErrorKind, Write as _};

use bytes::Bytes;

use super::super::args::Call;
use super::super::context::Context;
use super::super::output::unwritten;
use super::super::report::{Exit, Report};
use super::answer_document::{broke_off, document};
use super::outflow::Outflow;
use super::output_file::OutputFile;
use crate::connection::call::{Called, Refused};
use crate::http::printable::{harmless, printable};
use crate::http::{HeaderMap, Streaming};

/// The file that the answer goes to; none for standard output.
pub fn output_target(args: &Call) -> Result<Option<OutputFile>, Report> {
    let path = args.output.as_deref().filter(|path| path.as_os_str() != "-");
    path.map(OutputFile::open).transpose()
}

/// Brings the answer to where it was asked for, and gives back what its status means.
pub async fn deliver(
    context: &Context<'_>,
    args: &Call,
    called: Called,
    target: Option<OutputFile>,
) -> Result<Option<Refused>, Report> {
    let Called { answer, refusal, .. } = called;
    let redirect =
        (300..400).contains(&answer.status).then(|| redirected(answer.status, &answer.headers));
    match (target, context.output.json) {
        (None, false) => to_stdout(context, args, answer).await?,
        (None, true) => {
            let document = document(answer).await?;
            context.output.product(context.system, &document)?;
        }
        (Some(file), false) => to_file(context, args, answer, file).await?,
        (Some(mut file), true) => {
            let text = document(answer).await?;
            file.write(text.as_bytes())?;
            file.close()?;
        }
    }
    match redirect {
        Some(report) => Err(report),
        None => Ok(refusal),
    }
}

/// An answer that leads elsewhere.
pub fn redirected(status: u16, headers: &HeaderMap) -> Report {
    let mut report = Report::new(
        Exit::ApiRefused,
        "api-redirect",
        format!("the API answered with a redirect: HTTP {status}"),
    )
    .hint("redirects are never followed with a token; call the address itself if it is the API's");
    let location = headers.get("location").map(|it| String::from_utf8_lossy(it.as_bytes()));
    if let Some(location) = location.as_deref().and_then(|it| it.split(['?', '#']).next()) {
        report = report.cause(format!("it leads to {}", printable(location)));
    }
    report.http_status = Some(status);
    report
}

/// Status and headers, as `-i` prints them.
pub fn head(status: u16, headers: &HeaderMap) -> String {
    let mut text = format!("HTTP {status}\n");
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        text.push_str(&format!("{name}: {}\n", harmless(&value)));
    }
    text.push('\n');
    text
}

async fn to_stdout(
    context: &Context<'_>,
    args: &Call,
    mut answer: Streaming,
) -> Result<(), Report> {
    if args.include {
        context.output.product(context.system, &head(answer.status, &answer.headers))?;
    }
    let mut next = async || answer.next_chunk().await.map_err(|error| broke_off(&error));
    let mut last = None;
    if let Some(first) = next().await? {
        last = first.last().copied();
        match next().await? {
            None => short(context, &first)?,
            Some(second) => {
                last = long(context, [first, second], &mut next).await?.or(last);
            }
        }
    }
    // A prompt on the line of a body's end is hard to read; a file keeps the body's exact bytes.
    match context.system.terminals.stdout && last.is_some_and(|byte| byte != b'\n') {
        true => context.output.product(context.system, "\n"),
        false => context.output.product(context.system, ""),
    }
}

/// A body of one part fits into what waits between two programs.
fn short(context: &Context<'_>, body: &[u8]) -> Result<(), Report> {
    let written = context.system.stdout.borrow_mut().write_all(body);
    read_or_left(written)
}

/// Gives the body's last byte.
async fn long(
    context: &Context<'_>,
    begun: [Bytes; 2],
    next: &mut impl AsyncFnMut() -> Result<Option<Bytes>, Report>,
) -> Result<Option<u8>, Report> {
    let outflow = Outflow::start(context.system);
    let mut begun = begun.into_iter();
    let mut last = None;
    let whole = loop {
        let part = match begun.next() {
            Some(part) => Some(part),
            None => match next().await {
                Ok(part) => part,
                Err(report) => break Err(report),
            },
        };
        let Some(part) = part else { break Ok(()) };
        last = part.last().copied();
        if !outflow.send(part).await {
            break Ok(());
        }
    };
    read_or_left(outflow.finish(context.system).await)?;
    whole.map(|()| last)
}

/// A reader who has gone has what he wanted.
fn read_or_left(written: std::io::Result<()>) -> Result<(), Report> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&error)),
        _ => Ok(()),
    }
}

/// Brings the body to a file; one that breaks off replaces nothing.
async fn to_file(
    context: &Context<'_>,
    args: &Call,
    mut answer: Streaming,
    mut file: OutputFile,
) -> Result<(), Report> {
    if args.include {
        context.output.product(context.system, &head(answer.status, &answer.headers))?;
    }
    while let Some(chunk) = answer.next_chunk().await.map_err(|error| broke_off(&error))? {
        file.write(&chunk)?;
    }
    file.close()
}
