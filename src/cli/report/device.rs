//! What a person is told when a decision on another device did not become a connection.

use super::fresh::token_refusal;
use super::{Exit, Report, Situation, http, left, span};
use crate::connection::establish::device::DeviceError;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::Flow;

/// Tokens that may have been on their way.
const LOST: &str =
    "an earlier answer was lost, and may have carried tokens that never arrived here";

/// A device flow that ended without tokens; nothing was written.
pub fn device(error: &DeviceError, provider: &Provider, about: &Situation) -> Report {
    let with_lost = |report: Report, lost: bool| if lost { report.cause(LOST) } else { report };
    let again = |how: &str| format!("{}; {how}", left(about.leaves));
    match error {
        DeviceError::Http(error) => {
            http(&format!("{} gave no answer to the request for a code", about.provider), error)
                .next(about.connect())
        }
        DeviceError::Refused(error) => {
            let report = token_refusal(error, provider, about);
            match report.code {
                "authorization-refused" => Report {
                    message: format!("{} refused the request for a code", about.provider),
                    ..report
                },
                _ => report,
            }
        }
        DeviceError::Unusable { status, what } => {
            let mut report = Report::new(
                Exit::TryLater,
                "no-verdict",
                format!("{} gave no code that can be used", about.provider),
            )
            .cause(format!("it answered with {} (HTTP {status})", printable(what)))
            .hint("start again; where the vendor has other names for it, they belong into its file")
            .next(about.connect());
            report.http_status = Some(*status);
            report
        }
        DeviceError::Ended { error, lost } => {
            with_lost(token_refusal(error, provider, about), *lost)
        }
        DeviceError::Expired { lost } => {
            let report = Report::new(
                Exit::AuthorizationNeeded,
                "connect-timeout",
                "the code has ended, and nobody had decided",
            );
            with_lost(report, *lost)
                .hint(again("start again for a new code: no new one is asked for by itself"))
                .next(about.connect())
        }
        DeviceError::TimedOut { after, unanswered } => {
            let after = span(*after);
            let report = match unanswered {
                None => Report::new(
                    Exit::AuthorizationNeeded,
                    "connect-timeout",
                    format!("nobody had decided within {after}"),
                ),
                Some(why) => Report::new(
                    Exit::TryLater,
                    "timeout",
                    format!("{} did not say within {after} that anybody decided", about.provider),
                )
                .cause(format!("the last question got no answer: {}", printable(why))),
            };
            report
                .hint(again("start again for a new code, with more time if it is needed"))
                .next(about.connect_with(&[("--timeout", "15m")]))
        }
    }
}

/// Adds the way without a browser on this machine, where the provider has it.
pub fn instead_of_a_browser(report: Report, provider: &Provider, about: &Situation) -> Report {
    match provider.flows.contains(&Flow::DeviceCode) {
        true => report.next(about.connect_with(&[("--flow", "device")])),
        false => report,
    }
}
