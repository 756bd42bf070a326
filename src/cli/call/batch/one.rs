//! One call of a batch, from its line to its answer's.

use std::cell::Cell;

use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::super::super::command_line;
use super::super::super::report::{self, Exit, Report, Situation};
use super::super::answer_document::broke_off;
use super::super::delivery::redirected;
use super::super::words::meant_method;
use super::answer_line::{answered, failed};
use super::desk::Desk;
use super::lines::{LONGEST_LINE, Line};
use super::queue::Done;
use super::request_line::{self, RequestLine};
use crate::connection::Connection;
use crate::connection::call::{CallError, Called, Manner};
use crate::connection::share::Share;
use crate::http::{HttpError, printable};
use crate::provider::Values;
use crate::resource_server::filters;
use crate::resource_server::request::Call;
use crate::resource_server::{ApiRequest, Base};

/// No answer's body is longer, in bytes.
const LONGEST_BODY: usize = 8 << 20;

/// The line of a call's answer, and why it failed.
type Made = (Vec<u8>, Option<Box<Report>>);

/// What all calls of a batch are made with.
pub struct Calls<'b> {
    /// Where lines come from and answers go.
    pub desk: &'b Desk,
    /// Whose.
    pub connection: &'b Connection<'b>,
    /// Token, limits, end.
    pub share: &'b Share<'b>,
    /// Retries and time.
    pub manner: Manner,
    /// Where they go.
    pub base: &'b Base,
    /// Settings and contexts.
    pub values: &'b Values,
    /// What is asked for again where a scope is missing.
    pub scopes: &'b [String],
    /// What advice may take for granted.
    pub about: &'b Situation,
    /// Whether what was sent is not waited for any more.
    pub given_up: Cell<bool>,
    /// Tells so.
    pub giving_up: Notify,
}

impl Calls<'_> {
    /// Lets the calls end that were sent and have no answer.
    pub fn give_up(&self) {
        self.given_up.set(true);
        self.giving_up.notify_waiters();
    }

    /// Makes the call of a line; `None` where it was not sent because the batch ends.
    pub async fn make(&self, line: Line, read: u64) -> Option<Done> {
        let number = line.number;
        let Some(text) = line.text else {
            let report = too_long(number);
            let line = failed(None, &report, Some(number));
            return Some(Done { line, id: None, number, read, failure: Some(report.into()) });
        };
        let asked = match request_line::read(&text) {
            Ok(asked) => asked,
            Err(why) => {
                let (report, id) = (no_request(number, &why), request_line::id_of(&text));
                let line = failed(id, &report, Some(number));
                let (id, failure) = (written(id), Some(report.into()));
                return Some(Done { line, id, number, read, failure });
            }
        };
        let (line, failure) = match self.request(&asked, &text, number) {
            Ok(request) => {
                self.desk.together().await;
                self.send(asked.id, request).await?
            }
            Err((report, number)) => (failed(asked.id, &report, number), Some(report.into())),
        };
        Some(Done { line, id: written(asked.id), number, read, failure })
    }

    fn request(
        &self,
        asked: &RequestLine<'_>,
        text: &bytes::Bytes,
        number: u64,
    ) -> Result<ApiRequest, (Report, Option<u64>)> {
        if let Some(slip) = asked.method.as_deref().filter(|_| !self.manner.force)
            && let Some(meant) = meant_method(slip)
        {
            return Err((no_method(number, slip, meant), Some(number)));
        }
        let items = asked.items().map_err(|why| (no_request(number, &why), Some(number)))?;
        let provider = &self.connection.provider;
        let call = Call {
            api: &provider.api,
            settings: &provider.settings,
            values: self.values,
            method: asked.method.as_deref(),
            path: &asked.path,
            body: asked.body(text, &items),
            items,
            form: false,
            idempotency_key: None,
        };
        let request = ApiRequest::on(self.base, call, &*self.connection.system.random)
            .map_err(|error| (report::request(&error, self.about), Some(number)))?;
        if !self.manner.force {
            filters::check(&provider.api.filters, &request.target.url)
                .map_err(|error| (report::filter(&error), Some(number)))?;
        }
        Ok(request)
    }

    async fn send(&self, id: Option<&RawValue>, mut request: ApiRequest) -> Option<Made> {
        let key = request.key.as_ref().map(|key| key.value.clone());
        let with_key = |mut report: Report| {
            report.idempotency_key = key.clone();
            report
        };
        let answered = async {
            match self.share.call(&mut request, self.manner).await {
                Ok(called) => Ok(self.taken(id, called, &with_key).await),
                Err(error) => Err(error),
            }
        };
        let giving_up = self.giving_up.notified();
        let answered = tokio::select! {
            biased;
            answered = answered => answered,
            () = giving_up => {
                let report = with_key(unanswered());
                return Some((failed(id, &report, None), Some(report.into())));
            }
        };
        match answered {
            Ok(answered) => Some(answered),
            Err(CallError::NotSent) => None,
            Err(error) => {
                let provider = &self.connection.provider;
                let report = report::call(&error, provider, self.scopes, self.about);
                // What was never sent has no key to repeat.
                let report = match error {
                    CallError::Http(_) | CallError::NotRenewed { .. } => with_key(report),
                    _ => report,
                };
                Some((failed(id, &report, None), Some(report.into())))
            }
        }
    }

    async fn taken(
        &self,
        id: Option<&RawValue>,
        called: Called,
        with_key: &impl Fn(Report) -> Report,
    ) -> Made {
        let Called { mut answer, refusal } = called;
        let (status, headers) = (answer.status, std::mem::take(&mut answer.headers));
        let failure = match refusal {
            Some(refused) => Some(report::refusal(&refused, self.scopes, self.about)),
            None if (300..400).contains(&status) => Some(redirected(status, &headers)),
            None => None,
        };
        match answer.whole(LONGEST_BODY).await {
            Ok(body) => {
                let failure = failure.map(|report| Box::new(with_key(report)));
                (answered(id, status, &headers, &body, failure.as_deref()), failure)
            }
            Err(error) => {
                let mut report = with_key(match error {
                    HttpError::BodyTooLarge { .. } => too_large(),
                    error => broke_off(&error),
                });
                report.http_status = Some(status);
                (failed(id, &report, None), Some(report.into()))
            }
        }
    }
}

fn written(id: Option<&RawValue>) -> Option<String> {
    id.map(|id| id.get().to_owned())
}

fn no_request(number: u64, why: &str) -> Report {
    Report::new(Exit::Usage, "bad-request-line", format!("line {number} is no request"))
        .cause(printable(why))
        .hint(r#"a line is {"id":…,"method":…,"path":…,"query":{},"headers":{},"body":…}; only the path must be there"#)
}

fn no_method(number: u64, slip: &str, meant: &str) -> Report {
    Report::new(Exit::Usage, "bad-request-line", format!("line {number} is no request"))
        .cause(format!("`{}` is no method", printable(slip)))
        .hint(format!(
            "did you mean {meant}? A method of the vendor's own goes by itself: keyfob call … -X {}",
            command_line::word(slip)
        ))
}

fn unanswered() -> Report {
    Report::new(Exit::Interrupted, "interrupted", "the answer was not waited for")
        .cause("the call was sent, and may have been carried out")
        .hint("look whether it was, before it is made again")
}

fn too_long(number: u64) -> Report {
    let message = format!("line {number} is longer than {} MiB", LONGEST_LINE >> 20);
    Report::new(Exit::Usage, "bad-request-line", message)
        .hint("send it by itself: keyfob call … -d @FILE")
}

fn too_large() -> Report {
    let message = format!("the answer's body is larger than {} MiB", LONGEST_BODY >> 20);
    Report::new(Exit::Unexpected, "answer-too-large", message)
        .cause("the call was carried out; its answer does not fit into a line")
        .hint("make this call by itself: keyfob call … -o FILE")
}
