//! `call`: an authorised call.

mod again;
mod answer_document;
mod asked;
mod batch;
pub mod curl;
mod delivery;
mod destination;
mod flags;
#[cfg(feature = "jq")]
pub mod jq;
#[cfg(not(feature = "jq"))]
#[path = "without_jq.rs"]
pub mod jq;
mod outflow;
mod output_file;
mod shape;
mod shaped;
mod shown_scope;
mod words;

use serde_json::json;

pub use batch::Many;

use super::args::Call;
use super::context::{Chosen, Context};
use super::recipes;
use super::report::{self, Exit, Report, Situation};
use crate::connection::call::{Manner, Refused};
use crate::connection::pages::{Page, PageWalk};
use crate::connection::{Connection, Entry, prover};
use crate::http::printable::printable;
use crate::http::{HttpError, Method};
use crate::profile::settings;
use crate::provider::Provider;
use crate::resource_server::authorization::without_proof;
use crate::resource_server::{ApiRequest, RequestError, pages};
use asked::build;
use delivery::{deliver, output_target};
use destination::Destination;
pub use flags::{AnswerFlags, EXAMPLES};
use jq::Jq;
pub use outflow::Outflow;
use shape::{Shape, envelope, program};
use shaped::{Delivery, Progress, come_so_far};
pub use words::Words;
use words::sort;

/// What may be otherwise a moment later.
const MAY_PASS: [&str; 7] =
    ["network", "timeout", "proxy", "rate-limited", "api-unavailable", "api-failed", "no-verdict"];

/// Calls.
pub fn run(context: &Context<'_>, args: &Call) -> Result<Exit, Report> {
    if let Some(file) = &args.many.batch {
        return batch::run(context, args, file);
    }
    let words = sort(&args.words, args.method.as_deref())?;
    let program = program(args)?;
    let chosen = with_settings(context.chosen(words.profile)?, &args.settings)?;
    if words.path.starts_with('@') {
        return recipes::run(context, args, chosen, &words);
    }
    let about = chosen.situation(context.system);
    warn_slash(context, &chosen, words.path);
    warn_body(context, args, &words);
    if args.dry_run || args.curl {
        return show(context, args, &words, &chosen, &about);
    }
    context.with_connection(chosen, None, |connection| {
        let asked = Asked { context, args, words: &words, connection, about: &about };
        asked.send(program)
    })
}

/// The profile as `--set` wants it for these calls alone.
pub fn with_settings(mut chosen: Chosen, given: &[(String, String)]) -> Result<Chosen, Report> {
    for (key, value) in given {
        let value = settings::check(&chosen.provider, key, value)
            .map_err(|error| report::setting(&error))?;
        let before = chosen.profile.settings.insert(key.clone(), value);
        if before.as_ref() != chosen.profile.settings.get(key) {
            chosen.set_for_once.push(key.clone());
        }
    }
    Ok(chosen)
}

/// Some vendors answer a path without its last slash with a redirect, which is never followed.
fn warn_slash(context: &Context<'_>, chosen: &Chosen, path: &str) {
    let bare = path.split(['?', '#']).next().unwrap_or(path);
    if chosen.provider.api.trailing_slash && !bare.ends_with('/') {
        context.output.warn(
            context.system,
            &format!("paths of this API end in a slash: {bare}/ is probably meant"),
        );
    }
}

/// A read with a body is hardly ever meant: `name=value` beside `name==value` is a slip that changes the answer in silence.
fn warn_body(context: &Context<'_>, args: &Call, words: &Words<'_>) {
    let reads = words.method.is_some_and(|method| matches!(method, "GET" | "HEAD"));
    let slip = words.items.iter().find_map(|item| {
        let (name, value) = item.split_once('=')?;
        let is_text = !name.ends_with(':') && !value.starts_with(['=', '@']) && !name.contains(':');
        is_text.then(|| format!("{name}=={value}"))
    });
    if let (true, false, Some(query)) = (reads, args.form, slip) {
        let said = format!("this read carries a body; a query is written {}", printable(&query));
        context.output.warn(context.system, &said);
    }
}

/// `--dry-run` and `--curl`: nothing is sent, refreshed, or read from the store.
fn show(
    context: &Context<'_>,
    args: &Call,
    words: &Words<'_>,
    chosen: &Chosen,
    about: &Situation,
) -> Result<Exit, Report> {
    let client_id = context.client_id(None, &chosen.profile);
    let mut values =
        settings::values(&chosen.provider, &chosen.profile.settings, client_id.as_deref());
    for (name, value) in &chosen.record.account {
        values.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let mut provider = chosen.provider.clone();
    prover::bind(&mut provider, &chosen.profile);
    if args.curl {
        without_proof(&provider.api)
            .map_err(|error| report::request(&RequestError::Authorization(error), about))?;
    }
    let mut request = build(context, args, words, &provider, &values, about)?;
    envelope(args, &chosen.provider, about)?;
    if args.answer.paginate {
        pageable(&request)?;
        let begun = pages::begin(chosen.provider.api.pages.as_ref(), &mut request.target.url);
        begun.map_err(|error| report::page(&error, about))?;
    }
    shown_scope::tell(context, args, chosen, &request);
    let text = match args.curl {
        true => format!("{}\n", curl::command(context, chosen, &args.settings, &request)?),
        false => request.shown(),
    };
    match context.output.json {
        true => {
            let key = if args.curl { "curl" } else { "request" };
            context.output.document(context.system, &json!({ key: text.trim_end() }))?;
        }
        false => context.output.product(context.system, &text)?,
    }
    Ok(Exit::Done)
}

/// The last step of a recipe: a call like any other, whose answer goes where the flags say.
pub fn send_step(
    context: &Context<'_>,
    args: &Call,
    method: &str,
    path: &str,
    connection: &Connection<'_>,
    about: &Situation,
) -> Result<Exit, Report> {
    let words = Words { profile: Some(&about.profile), method: Some(method), path, items: &[] };
    let asked = Asked { context, args, words: &words, connection, about };
    asked.send(program(args)?)
}

/// Whether the flags about the answer can be followed.
pub fn check_answer_flags(
    args: &Call,
    provider: &Provider,
    about: &Situation,
) -> Result<(), Report> {
    program(args)?;
    envelope(args, provider, about).map(|_| ())
}

/// Only what can be sent once for each page has pages.
fn pageable(request: &ApiRequest) -> Result<(), Report> {
    if request.method != Method::GET {
        return Err(report::not_pageable(&format!("this is a {}", request.method)));
    }
    match request.body.again() {
        Some(_) => Ok(()),
        None => Err(report::not_pageable("a body from a stream can be sent only once")),
    }
}

/// A call that is to be sent, with all that is known about it.
struct Asked<'a> {
    context: &'a Context<'a>,
    args: &'a Call,
    words: &'a Words<'a>,
    connection: &'a Connection<'a>,
    about: &'a Situation,
}

impl Asked<'_> {
    fn send(&self, program: Option<Jq>) -> Result<Exit, Report> {
        let Self { context, args, words, connection, about } = *self;
        let provider = &connection.provider;
        let envelope = envelope(args, provider, about)?;
        let entry = connection.entry().map_err(|error| report::fresh(&error, provider, about))?;
        let values = connection.call_values(&entry);
        let request = build(context, args, words, provider, &values, about)?;
        let key = request.key.clone();
        let may_be_shown = request.body.again().is_some();
        let is_read = may_be_shown && matches!(request.method, Method::GET | Method::HEAD);
        let scopes = scopes(&entry);
        let shape = Shape::new(program, envelope, context.output.json, args.answer.paginate);
        let done = match args.answer.paginate {
            true => self.every_page(entry, request, shape, &scopes),
            false => self.once(entry, request, shape, &scopes),
        };
        let judged = done.and_then(|refused| judged(refused, &scopes, about));
        // A script can repeat a write with its key; a call that was never sent has none to repeat.
        judged.map_err(|mut report| {
            if let Some(key) = key.filter(|_| may_have_been_sent(&report)) {
                if key.protects && may_be_repeated(&report) {
                    let changed =
                        again::Changed { key: Some(&key.value), ..again::Changed::default() };
                    let hint = report.hint.take().unwrap_or_else(|| "send it again".into());
                    report.hint =
                        Some(format!("{hint}; with its key the write is carried out once"));
                    report.next.push(again::command(args, words, context.global, &changed));
                }
                report.idempotency_key = Some(key.value);
            }
            if report.next.is_empty() {
                let typed = || again::command(args, words, context.global, &Default::default());
                match report.exit {
                    Exit::TryLater | Exit::ApiFailed
                        if is_read && MAY_PASS.contains(&report.code) =>
                    {
                        report.next.push(typed());
                    }
                    Exit::ApiRefused if may_be_shown && report.hint.is_none() => {
                        report.hint = Some("see what is sent, and correct it by the answer".into());
                        report.next.push(format!("{} --dry-run", typed()));
                    }
                    _ => {}
                }
            }
            report
        })
    }

    /// One call; a plain answer goes out while it comes in.
    fn once(
        &self,
        entry: Entry,
        mut request: ApiRequest,
        shape: Shape,
        scopes: &[String],
    ) -> Result<Option<Refused>, Report> {
        let Self { context, args, connection, about, .. } = *self;
        // A place that cannot be written is known before anything is sent.
        let target = output_target(args)?;
        context.wait(async {
            let called = connection.call(entry, &mut request, self.manner()).await;
            let called = called
                .map_err(|error| report::call(&error, &connection.provider, scopes, about))?;
            if args.answer.are_absent() {
                return deliver(context, args, called, target).await;
            }
            let page = Page::of(called).await.map_err(|error| match error {
                HttpError::BodyTooLarge { .. } => report::answer_too_large(&error),
                error => answer_document::broke_off(&error),
            })?;
            self.delivery(shape).one(page, Destination::new(target)).await
        })?
    }

    fn every_page(
        &self,
        entry: Entry,
        request: ApiRequest,
        shape: Shape,
        scopes: &[String],
    ) -> Result<Option<Refused>, Report> {
        let Self { context, args, connection, about, .. } = *self;
        pageable(&request)?;
        let walk = PageWalk::begin(connection, entry, request, self.manner());
        let mut walk = walk.map_err(|error| report::page(&error, about))?;
        let destination = Destination::new(output_target(args)?);
        let (progress, keeps_parts) = (Progress::default(), destination.keeps_parts());
        let delivery = self.delivery(shape);
        let provider = &connection.provider;
        let walked = delivery.pages(&mut walk, destination, &progress, scopes, provider);
        let done = match context.wait(walked) {
            Ok(Ok(None)) => return Ok(None),
            Ok(Ok(Some(refused))) => Err(report::refusal(&refused, scopes, about)),
            Ok(Err(report)) | Err(report) => Err(report),
        };
        done.map_err(|report| {
            come_so_far(report, &progress, keeps_parts, |url| {
                let changed = again::Changed { url: Some(url), ..again::Changed::default() };
                again::command(args, self.words, context.global, &changed)
            })
        })
    }

    fn manner(&self) -> Manner {
        self.args.attempts.manner(self.args.force)
    }

    fn delivery(&self, shape: Shape) -> Delivery<'_> {
        let include = self.args.include;
        Delivery { context: self.context, about: self.about, shape, include }
    }
}

fn may_have_been_sent(report: &Report) -> bool {
    !matches!(report.exit, Exit::Usage | Exit::SetUp | Exit::AuthorizationNeeded)
        && report.code != "scope-missing"
}

/// A call that was refused for what it is would be refused again.
fn may_be_repeated(report: &Report) -> bool {
    !matches!(report.exit, Exit::ApiRefused | Exit::Refused)
}

/// The scopes that a command which adds one must ask for again.
pub fn scopes(entry: &Entry) -> Vec<String> {
    match entry.requested.is_empty() {
        false => entry.requested.clone(),
        true => entry.tokens.as_ref().and_then(|it| it.granted.clone()).unwrap_or_default(),
    }
}

fn judged(refused: Option<Refused>, scopes: &[String], about: &Situation) -> Result<Exit, Report> {
    match refused {
        None => Ok(Exit::Done),
        Some(refused) => Err(report::refusal(&refused, scopes, about)),
    }
}
