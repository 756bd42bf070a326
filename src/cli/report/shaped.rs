//! What a person is told about pages, expressions and envelopes.

use super::super::call::jq::{JqError, NotUnderstood};
use super::{Exit, Report, Situation, call, http};
use crate::connection::pages::{LARGEST_PAGE, PagesError};
use crate::http::HttpError;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::resource_server::envelope::EnvelopeError;
use crate::resource_server::pages::{Astray, PageError};

/// A list that cannot be followed to its end.
pub fn pages(
    error: &PagesError,
    provider: &Provider,
    scopes: &[String],
    about: &Situation,
) -> Report {
    match error {
        PagesError::Call(error) => call(error, provider, scopes, about),
        PagesError::Body(error @ HttpError::BodyTooLarge { .. }) => answer_too_large(error),
        PagesError::Body(error) => http("a page broke off", error),
        PagesError::Page(error) => page(error, about),
        PagesError::Astray(astray) => gone_astray(*astray, about),
    }
}

/// An answer that is too large to be looked at.
pub fn answer_too_large(error: &HttpError) -> Report {
    let message = format!("an answer of more than {} MiB is not looked into", LARGEST_PAGE >> 20);
    Report::new(Exit::ApiFailed, "answer-too-large", message)
        .cause(printable(&error.to_string()))
        .hint("ask for less at a time, or leave out --paginate, --jq and --result: then it streams, whatever its size")
}

/// A page that does not say where the list goes on.
pub fn page(error: &PageError, about: &Situation) -> Report {
    let unreadable = |error: &PageError| {
        Report::new(
            Exit::ApiFailed,
            "pages-unreadable",
            format!("it cannot be told where this list of {} goes on", about.provider),
        )
        .cause(printable(&error.to_string()))
        .hint("see whether [api.pages] in the provider file says how this path is paged; call it without --paginate for one page")
    };
    match error {
        PageError::Link(reason) => Report::new(
            Exit::ApiFailed,
            "pages-elsewhere",
            format!("{} names a next page that is not followed", about.provider),
        )
        .cause(printable(&reason.to_string()))
        .cause(format!("the token of `{}` goes to its API alone", about.profile))
        .hint("nothing was sent there; ask the vendor why its pages lead elsewhere"),
        PageError::NotANumber { .. } => Report::usage(printable(&error.to_string()))
            .hint("give a number to begin with, or leave it out"),
        PageError::NotJson | PageError::NoRecords { .. } | PageError::Unusable { .. } => {
            unreadable(error)
        }
    }
}

fn gone_astray(astray: Astray, about: &Situation) -> Report {
    let hint = match astray {
        Astray::SamePage => "this path may not be paged: call it without --paginate",
        Astray::Circle | Astray::NothingButEmptyPages => {
            "tell the vendor; what came before is all that there is to have"
        }
        Astray::NoEnd => "narrow it down with a filter of the vendor's",
    };
    Report::new(
        Exit::ApiFailed,
        "pages-endless",
        format!("the pages of {} have no end", about.provider),
    )
    .cause(astray.to_string())
    .hint(hint)
}

/// `--paginate` on a call that cannot be sent once for each page.
pub fn not_pageable(why: &str) -> Report {
    Report::usage(format!("--paginate follows the pages of a GET: {why}"))
        .hint("leave out --paginate")
}

/// `--result` at a provider without an envelope.
pub fn no_envelope(about: &Situation) -> Report {
    Report::new(
        Exit::SetUp,
        "no-envelope",
        format!("the provider file of {} names no envelope that --result could take off", about.provider),
    )
    .cause("nothing was sent")
    .hint("leave out --result, or if its answers are wrapped, say so in the provider file: [api.envelope] result = \"PATH\"")
}

/// A good status around something that is not in the envelope.
pub fn envelope(error: &EnvelopeError, about: &Situation) -> Report {
    match error {
        EnvelopeError::SaysNo { path, said } => Report::new(
            Exit::ApiRefused,
            "api-refused",
            format!("{} refused the call", about.provider),
        )
        .cause(format!("its answer says {} = {}", printable(path), printable(said)))
        .hint("see the answer: it is given out as it came"),
        EnvelopeError::NotJson | EnvelopeError::Missing { .. } => Report::new(
            Exit::ApiFailed,
            "not-in-envelope",
            format!("the answer of {} is not in its envelope", about.provider),
        )
        .cause(printable(&error.to_string()))
        .hint("see the answer: it is given out as it came; leave out --result for calls like this"),
    }
}

/// An expression that was not understood.
#[cfg(feature = "jq")]
pub fn jq_not_understood(expression: &str, error: &NotUnderstood) -> Report {
    let (line, column) = place(expression, error.at);
    let report = Report::usage(format!("--jq was not understood: {}", printable(&error.what)))
        .cause(line)
        .cause(format!("{}^ here", " ".repeat(column)));
    match (&error.nearest, error.is_name) {
        (Some(near), _) => report.hint(format!("did you mean `{near}`?")),
        (None, true) => report.hint(
            "an expression sees the answer alone: no environment, no files, no further input",
        ),
        (None, false) => {
            report.hint("write it as jq does, in single quotes: --jq '.items[] | .id'")
        }
    }
}

/// The line of an expression in which a place is, and how many characters stand before it.
#[cfg(feature = "jq")]
fn place(expression: &str, at: usize) -> (String, usize) {
    let at = (0..=at.min(expression.len())).rev().find(|at| expression.is_char_boundary(*at));
    let (before, after) = expression.split_at(at.unwrap_or(0));
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let rest = after.split('\n').next().unwrap_or_default();
    let shown = |text: &str| text.replace(|character: char| character.is_control(), " ");
    (shown(&before[start..]) + &shown(rest), before[start..].chars().count())
}

/// A program that was built without jq.
#[cfg(not(feature = "jq"))]
pub fn jq_not_understood(_: &str, _: &NotUnderstood) -> Report {
    Report::usage("this keyfob was built without jq, so there is no --jq")
        .hint("pipe the answer into jq, or build keyfob with its default features")
}

/// An expression that failed on an answer.
#[cfg(feature = "jq")]
pub fn jq_failed(error: &JqError) -> Report {
    match error {
        JqError::NotJson => {
            Report::new(Exit::Unexpected, "not-json", "the answer is not JSON: --jq cannot filter it")
                .hint("call it without --jq to see what came")
        }
        JqError::TooDeep | JqError::Failed(_) | JqError::TooMuch | JqError::BrokenOff => {
            Report::new(Exit::Unexpected, "jq-failed", "the --jq expression failed on the answer")
                .cause(error.to_string())
                .hint("the call was carried out; only its answer does not fit the expression: see it without --jq")
        }
    }
}

/// There is no program that could fail.
#[cfg(not(feature = "jq"))]
pub fn jq_failed(error: &JqError) -> Report {
    match *error {}
}
