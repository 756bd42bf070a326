//! What a person is told when the authorization request could not be pushed: no browser was opened.

use super::establish::denied;
use super::{Exit, Report, Situation, http};
use crate::connection::establish::pushed::PushError;
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;
use crate::provider::Provider;

/// A request that the server did not take.
pub fn pushed(error: &PushError, provider: &Provider, about: &Situation) -> Report {
    match error {
        PushError::Refused(error) => refused(error, provider, about),
        PushError::TooMany { retry_after } => {
            let message = format!("{} asks to be left alone for a while", about.provider);
            let mut report = Report::new(Exit::TryLater, "rate-limited", message)
                .cause("it did not take the authorization request (HTTP 429)");
            report.http_status = Some(429);
            report.retry_after_seconds = *retry_after;
            report.hint("try again then; no browser was opened").next(about.connect())
        }
        PushError::NoVerdict { status, what } => {
            let message =
                format!("{} did not take the authorization request sensibly", about.provider);
            let mut report = Report::new(Exit::TryLater, "no-verdict", message)
                .cause(format!("it answered with {} (HTTP {status})", printable(what)));
            report.http_status = Some(*status);
            report.hint("try again later; no browser was opened").next(about.connect())
        }
        PushError::Http(error) => {
            let message = format!("{} gave no answer to the authorization request", about.provider);
            http(&message, error).next(about.connect())
        }
        PushError::OtherEndpoint { endpoint } => Report::new(
            Exit::SetUp,
            "endpoints-changed",
            format!(
                "the client secret or key of `{}` was never used at that endpoint",
                about.profile
            ),
        )
        .cause(format!("the provider file now sends it to {}", printable(endpoint)))
        .hint("nothing was sent; if that is right, give the secret (or the key) again")
        .next(about.connect_with(&[("--client-secret-file", "…")])),
    }
}

/// The verdict is told like the same one in the browser; only a wrong client can be told before it.
fn refused(error: &ErrorResponse, provider: &Provider, about: &Situation) -> Report {
    let code = error.code.as_deref().unwrap_or_default();
    if code == "invalid_client" {
        return super::fresh::token_refusal(error, provider, about);
    }
    let mut report = denied(code, error.description.as_deref(), provider, about);
    report.http_status = Some(error.status);
    if code == "invalid_redirect_uri"
        && let (Some(uri), true) = (&about.redirect_uri, report.exit == Exit::Refused)
    {
        report.exit = Exit::SetUp;
        report.hint = Some(format!("register {} at the vendor, exactly so", printable(uri)));
        report.next = vec![about.connect_with(&[("--print-redirect", "")])];
    }
    report
}
