//! What a person is told about calls that were not sent, not answered, or refused.

use super::super::command_line;
use super::fresh::{fresh, missing_value};
use super::limits::crowded;
use super::{Exit, Report, Situation, http};
use crate::connection::FreshError;
use crate::connection::call::{CallError, NotAgain, Refused};
use crate::connection::organization::ListError;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::{Action, Meaning};
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
        CallError::Crowded { wait, per_minute, refused } => {
            let report = crowded(*wait, *per_minute, about);
            match refused {
                Some(refused) => not_sent_again(report, refused),
                None => report,
            }
        }
        CallError::NotSent => {
            Report::new(Exit::Interrupted, "interrupted", "the call was not sent")
        }
    }
}

/// The API's refusal led to a refresh that did not succeed: both are told.
fn not_renewed(
    error: &FreshError,
    refused: &Refused,
    provider: &Provider,
    about: &Situation,
) -> Report {
    with_refusal(fresh(error, provider, about), refused)
}

/// Its token was refused and renewed, and then the limit was used up.
fn not_sent_again(mut report: Report, refused: &Refused) -> Report {
    report.message = "the call was not sent once more with the renewed access token".into();
    with_refusal(report, refused)
}

fn with_refusal(mut report: Report, refused: &Refused) -> Report {
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
    let one_of_them = needed.iter().find(|scope| about.may_ask_for(scope)).or(needed.first());
    grantable(report, scopes.iter().chain(one_of_them), about)
}

/// How a person grants these scopes; those that `connect` would refuse are no advice.
pub(super) fn grantable<'s>(
    report: Report,
    scopes: impl Iterator<Item = &'s String>,
    about: &Situation,
) -> Report {
    if about.imports {
        return report.hint("make a token with that scope and import it").next(about.connect());
    }
    let scopes: Vec<&String> = scopes.collect();
    if let Some(unknown) = scopes.iter().find(|scope| !about.may_ask_for(scope)) {
        return report
            .cause(format!(
                "the provider file of {} has no scope `{}`, so it cannot be asked for",
                about.provider,
                printable(unknown)
            ))
            .hint("see which there are; a provider file of your own can name it, or say `more_scopes = true`")
            .next(format!("keyfob scopes {}", command_line::word(&about.profile)));
    }
    let words: Vec<String> = scopes.into_iter().map(|scope| command_line::word(scope)).collect();
    let plus: Vec<(&str, &str)> = words.iter().map(|word| ("--scope", word.as_str())).collect();
    report.hint("a person can grant it").next(about.connect_with(&plus))
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
                Some(granted) => {
                    report.cause(format!("it was granted {}", printable(&granted.join(" "))))
                }
                None => report,
            }
        }
        Kind::StepUp(wanted) => super::step_up::step_up(wanted, refused, about),
        Kind::Expired if status == 401 && about.imports => {
            api(Exit::AuthorizationNeeded, "authorization-needed", refused, about)
                .hint("the access token is not accepted any more: import a new one")
                .next(about.connect())
        }
        Kind::Expired => expired(refused, about),
        Kind::WantsUnbound => wants_unbound(refused, about),
        Kind::Other => other(refused, about),
    };
    // That a token has ended explains nothing once a new one was refused as well.
    let was_renewed = refused.kind == Kind::Expired
        && matches!(refused.not_again, Some(NotAgain::RefreshedAlready | NotAgain::Enough));
    let explains = |it: &&Meaning| !(was_renewed && it.action == Action::Refresh);
    if let Some(meaning) = refused.meaning.as_ref().filter(explains) {
        report.causes.push(meaning.meaning.clone());
        if !meaning.hint.is_empty() {
            report.hint = Some(meaning.hint.clone());
            report.next.clear();
        }
    }
    report
}

/// An API that takes no token that is bound to a key: one of its own kind would help, and no refresh brings it.
fn wants_unbound(refused: &Refused, about: &Situation) -> Report {
    api(Exit::ApiRefused, "api-refused", refused, about)
        .cause("the token is bound to a key (DPoP), and this API asks for tokens of another kind; no refresh was spent on it")
        .hint("ask the vendor whether this API takes DPoP, or connect without it; a provider file that wants it says `dpop_bound_access_tokens`")
        .next(about.connect_with(&[("--dpop", "=false")]))
}

/// An access token that was not taken, and a call that was not sent again with a new one.
fn expired(refused: &Refused, about: &Situation) -> Report {
    let report = api(Exit::ApiRefused, "api-refused", refused, about);
    let profile = command_line::word(&about.profile);
    match refused.not_again {
        Some(NotAgain::StreamSpent | NotAgain::MightHappenTwice) => report
            .cause(not_again(refused).unwrap_or_default())
            .hint("renew the access token, then make the call again")
            .next(format!("keyfob refresh {profile}")),
        Some(NotAgain::Ended) => report
            .cause(not_again(refused).unwrap_or_default())
            .hint("the access token is renewed: make the call again"),
        Some(NotAgain::RefreshedAlready | NotAgain::Enough) | None => {
            not_allowed(report.cause("a new access token was refused as well"), about)
        }
    }
}

/// What may be wrong where the token is not: the person's rights, the scopes, or the client's own.
fn not_allowed(report: Report, about: &Situation) -> Report {
    let profile = command_line::word(&about.profile);
    match (about.is_the_client, about.has_scopes) {
        (false, _) => report
            .hint("the person may have lost rights, or the call needs another scope: see what is granted")
            .next(format!("keyfob scopes {profile}")),
        (true, true) => report
            .hint("the call needs another scope, or the client may not make it: see what is granted")
            .next(format!("keyfob scopes {profile}")),
        (true, false) => report.hint(format!(
            "this client may not make the call, or it is not the API's: ask {} what it may do",
            about.provider
        )),
    }
}

/// Why a call was not sent again, where that is not told by its outcome.
fn not_again(refused: &Refused) -> Option<&'static str> {
    match refused.not_again? {
        NotAgain::StreamSpent => {
            Some("it was not sent again: its body came from a stream, which cannot be read twice")
        }
        NotAgain::MightHappenTwice => {
            Some("it was not sent again: it could be carried out twice, and no key protects it")
        }
        NotAgain::Ended => {
            Some("it was not sent again: the batch ended when its access token was renewed")
        }
        NotAgain::RefreshedAlready | NotAgain::Enough => None,
    }
}

fn other(refused: &Refused, about: &Situation) -> Report {
    let mut report = by_status(refused, about);
    if let Some(said) = &refused.denial {
        // The status says the contrary of what happened.
        report.message = format!("{} refused the call", about.provider);
        report.causes.push(format!("its answer says {}", printable(said)));
        report.hint.get_or_insert_with(|| "see the answer: it is given out as it came".into());
    }
    report.causes.extend(not_again(refused).map(str::to_owned));
    report
}

fn by_status(refused: &Refused, about: &Situation) -> Report {
    match refused.response.status {
        status if matches!(status, 429 | 503) || refused.is_postponed() => {
            let code = if status == 503 { "api-unavailable" } else { "rate-limited" };
            let report = api(Exit::TryLater, code, refused, about);
            match report.retry_after_seconds {
                Some(seconds) => report.hint(format!("try again in {}", super::span(seconds))),
                None => report.hint("try again later"),
            }
        }
        200..=299 | 400..=499 => api(Exit::ApiRefused, "api-refused", refused, about),
        300..=399 => api(Exit::ApiRefused, "api-redirect", refused, about).hint(
            "redirects are never followed with a token; call the address itself if it is the API's",
        ),
        _ => api(Exit::ApiFailed, "api-failed", refused, about).hint("try again later"),
    }
}

pub(super) fn api(exit: Exit, code: &'static str, refused: &Refused, about: &Situation) -> Report {
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
        RequestError::Authorization(AuthorizationError::NeedsProof) => Report::new(
            Exit::SetUp,
            "proof-needed",
            format!(
                "the tokens of `{}` are bound to a key that never leaves keyfob",
                about.profile
            ),
        )
        .cause("every request needs a proof of its own (DPoP, RFC 9449)")
        .hint("let keyfob make the requests: `keyfob call`, or for other programs the proxy")
        .next(format!("keyfob proxy {}", about.profile)),
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
