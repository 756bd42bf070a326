//! What an answer becomes before it is given out: its payload, the results of an expression, a document, a line.

use super::super::args::Call;
use super::super::report::{self, Report, Situation};
use super::answer_document::{Layout, text};
use super::jq::{Jq, Strings};
use crate::connection::pages::Page;
use crate::provider::Provider;
use crate::provider::schema::Envelope;
use crate::resource_server::envelope::{EnvelopeError, payload};

/// What is asked for.
pub struct Shape {
    jq: Option<Jq>,
    envelope: Option<Envelope>,
    json: bool,
    /// Whether one answer of many is written.
    paged: bool,
}

/// A good answer that cannot be given the shape.
pub enum Unfit {
    /// It is not in the envelope, or the envelope says no: it is given out as it is.
    Envelope(EnvelopeError),
    /// Nothing is given out.
    Failed(Report),
}

/// Understands `--jq`, before anything else is done.
pub fn program(args: &Call) -> Result<Option<Jq>, Report> {
    let expression = args.answer.jq.as_deref();
    let compiled = expression.map(|expression| {
        Jq::compile(expression).map_err(|error| report::jq_not_understood(expression, &error))
    });
    compiled.transpose()
}

/// The envelope of `--result`; a provider that has none is told before anything is sent.
pub fn envelope(
    args: &Call,
    provider: &Provider,
    about: &Situation,
) -> Result<Option<Envelope>, Report> {
    match (args.answer.result, &provider.api.envelope) {
        (false, _) => Ok(None),
        (true, Some(envelope)) => Ok(Some(envelope.clone())),
        (true, None) => Err(report::no_envelope(about)),
    }
}

impl Shape {
    /// What the flags ask for.
    pub fn new(jq: Option<Jq>, envelope: Option<Envelope>, json: bool, paged: bool) -> Self {
        Self { jq, envelope, json, paged }
    }

    /// A good answer in its shape.
    pub async fn of(&self, page: &Page) -> Result<Vec<u8>, Unfit> {
        let payload = match &self.envelope {
            Some(envelope) => payload(envelope, &page.body).map_err(Unfit::Envelope)?,
            None => &page.body,
        };
        match (&self.jq, self.json) {
            (Some(jq), json) => {
                let strings = if json { Strings::Quoted } else { Strings::Raw };
                let results = jq.results(payload.to_vec(), strings).await;
                results.map_err(|error| Unfit::Failed(report::jq_failed(&error)))
            }
            (None, true) => self.document(page, payload).map_err(Unfit::Failed),
            (None, false) => Ok(line(payload)),
        }
    }

    /// An answer that is not good: nothing is taken off it and nothing filtered.
    pub fn as_it_is(&self, page: &Page) -> Result<Vec<u8>, Report> {
        match self.json {
            true => self.document(page, &page.body),
            false => Ok(page.body.clone()),
        }
    }

    fn document(&self, page: &Page, body: &[u8]) -> Result<Vec<u8>, Report> {
        let layout = if self.paged { Layout::OneLine } else { Layout::Indented };
        Ok(text(page.status, &page.headers, body, layout)?.into_bytes())
    }
}

/// The payload, ended as a line; nothing stays nothing.
fn line(payload: &[u8]) -> Vec<u8> {
    let mut line = payload.to_vec();
    if line.last().is_some_and(|last| *last != b'\n') {
        line.push(b'\n');
    }
    line
}
