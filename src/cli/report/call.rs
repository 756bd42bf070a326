//! What a person is told about calls that were not sent, not answered, or refused.

use super::super::command_line;
use super::fresh::{fresh, missing_value};
use super::{Exit, Report, Situation, http};
use crate::connection::FreshError;
use crate::connection::call::{CallError, Refused};
use crate::connection::organization::ListError;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::resource_server::refusal::Kind;
use crate::resource_server::request::RequestError;
use crate::resource_server::{AuthorizationError, ItemError, TargetError};

/// A call without an answer.
pub fn call(
    error: &CallError,
    provider: &Provider,
    scopes: &[String],
    about: &Situation,
) -> Report {
    match error {
        CallError::Fresh(error) => fresh(error, provider, about),
        CallError::NotRenewed { error, refused } => not_renewed(error, refused, provider, about),
        CallError::MissingScope { needed } => missing_scope(needed, scopes, about)
            .cause("the call was not sent; --force sends it all the same"),
        CallError::Http(error) => http(&format!("{} gave no answer", about.provider), error),
    }
}

/// The API's refusal led to a refresh that did not succeed: both are told.
fn not_renewed(
    error: &FreshError,
    refused: &Refused,
    provider: &Provider,
    about: &Situation,
) -> Report {
    let mut report = fresh(error, provider, about);
    let response = &refused.response;
    report.http_status = report.http_status.or(Some(response.status));
    let mut said = format!("the API refused the access token (HTTP {})", response.status);
    if let Some(words) = response.description.as_ref().or(response.code.as_ref()) {
        said.push_str(&format!(": \"{}\"", printable(words)));
    }
    report.causes.insert(0, said);
    report
}

/// The granted scopes do not open a call: the command that adds what is missing asks for the rest as well.
pub(super) fn missing_scope(needed: &[String], scopes: &[String], about: &Situation) -> Report {
    let report = Report::new(
        Exit::Refused,
        "scope-missing",
        match needed {
            [] => format!("the scopes granted to `{}` do not open this call", about.profile),
            _ => format!("`{}` was not granted {}", about.profile, printable(&needed.join(" or "))),
        },
    );
    if about.imports {
        return report.hint("make a token with that scope and import it").next(about.connect());
    }
    let all = scopes.iter().chain(needed.first());
    let flags: Vec<String> =
        all.map(|scope| format!("--scope {}", command_line::word(scope))).collect();
    report.hint("a person can grant it").next(format!("{} {}", about.connect(), flags.join(" ")))
}

/// An answer of 400 and above; its body is on standard output already.
pub fn refusal(refused: &Refused, scopes: &[String], about: &Situation) -> Report {
    let status = refused.response.status;
    let mut report = match &refused.kind {
        Kind::MissingScope { needed } => {
            let mut report = missing_scope(needed, scopes, about);
            report.http_status = Some(status);
            report = report.vendor(&refused.response);
            match &about.granted {
                Some(granted) => report
                    .cause(format!("it was granted {}", printable(&granted.join(" ")))),
                None => report,
            }
        }
        Kind::Expired if status == 401 && about.imports => {
            api(Exit::AuthorizationNeeded, "authorization-needed", refused, about)
                .hint("the access token is not accepted any more: import a new one")
                .next(about.connect())
        }
        Kind::Expired => api(Exit::ApiRefused, "api-refused", refused, about)
            .cause("a new access token was refused as well, or the call cannot be sent twice")
            .hint("the person may have lost rights, or the call needs another scope: see what is granted")
            .next(format!("keyfob scopes {}", command_line::word(&about.profile))),
        Kind::Other => other(refused, about),
    };
    if let Some(meaning) = &refused.meaning {
        report.causes.push(meaning.meaning.clone());
        if !meaning.hint.is_empty() {
            report.hint = Some(meaning.hint.clone());
            report.next.clear();
        }
    }
    report
}

fn other(refused: &Refused, about: &Situation) -> Report {
    match refused.response.status {
        status @ (429 | 503) => {
            let code = if status == 429 { "rate-limited" } else { "api-unavailable" };
            let report = api(Exit::TryLater, code, refused, about);
            match report.retry_after_seconds {
                Some(seconds) => report.hint(format!("try again in {}", super::span(seconds))),
                None => report.hint("try again later"),
            }
        }
        400..=499 => api(Exit::ApiRefused, "api-refused", refused, about),
        300..=399 => api(Exit::ApiRefused, "api-redirect", refused, about).hint(
            "redirects are never followed with a token; call the address itself if it is the API's",
        ),
        _ => api(Exit::ApiFailed, "api-failed", refused, about).hint("try again later"),
    }
}

fn api(exit: Exit, code: &'static str, refused: &Refused, about: &Situation) -> Report {
    let status = refused.response.status;
    let what = if status >= 500 { "failed" } else { "refused the call" };
    let report = Report::new(exit, code, format!("{} {what}: HTTP {status}", about.provider));
    let mut report = report.vendor(&refused.response);
    // The status stands in the message; without a code the first line would only repeat it.
    if refused.response.code.is_none() {
        report.causes.remove(0);
    }
    report
}

/// A call that cannot be made.
pub fn request(error: &RequestError, about: &Situation) -> Report {
    let nonsense = || Report::usage(printable(&error.to_string()));
    match error {
        RequestError::Target(error) => target(error, about),
        RequestError::Authorization(AuthorizationError::Missing { missing, .. }) => {
            missing_value(&missing.0, about)
        }
        RequestError::Authorization(AuthorizationError::NoSuchPlace(_)) => nonsense()
            .cause(format!("{} takes it elsewhere", about.provider))
            .hint("let keyfob make the request, it puts the token where it belongs: keyfob call"),
        RequestError::Authorization(_) => nonsense()
            .hint("leave that header out: keyfob sets it, and the token goes nowhere else"),
        RequestError::Method(_) => nonsense().hint("use GET, POST, PUT, PATCH or DELETE"),
        RequestError::TwoBodies => nonsense().hint("give the fields, or -d, but not both"),
        RequestError::Repeated(_) => {
            nonsense().hint("give it once, as a list if it has many values: name:='[1,2]'")
        }
    }
}

fn target(error: &TargetError, about: &Situation) -> Report {
    if let TargetError::Missing(missing) = error {
        return missing_value(&missing.0, about);
    }
    Report::usage(printable(&error.to_string()))
        .cause(format!(
            "the token of `{}` goes to the API of {} alone",
            about.profile, about.provider
        ))
        .hint("give a path such as /orders")
}

/// Items that make no sense.
pub fn item(error: &ItemError) -> Report {
    Report::usage(printable(&error.to_string()))
        .hint("items are name==query, name=text, name:=json, Header:value, name=@file")
}

/// A list of choices that could not be had.
pub fn list(error: &ListError, name: &str, provider: &Provider, about: &Situation) -> Report {
    let report = match error {
        ListError::Request(error) => request(error, about),
        ListError::Call(error) => call(error, provider, &[], about),
        ListError::Unreadable { status } => {
            let mut report = Report::new(
                Exit::ApiFailed,
                "list-unreadable",
                format!("{} did not list the values of `{name}`", about.provider),
            );
            report.http_status = Some(*status);
            report.cause(format!("it answered HTTP {status}"))
        }
    };
    let set = format!("keyfob profile set {} {name}=…", command_line::word(&about.profile));
    report.cause("the connection is made and kept").hint("set it yourself").next(set)
}
