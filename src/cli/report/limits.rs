//! What a person is told about requests that were held back for a vendor's limit.

use std::time::Duration;

use jiff::Timestamp;

use super::{Exit, Report, Situation, span};
use crate::provider::Provider;
use crate::resource_server::limits::token_limit;

/// Other commands use up what the vendor allows.
pub fn crowded(wait: Duration, per_minute: Option<u32>, about: &Situation) -> Report {
    let why = per_minute.map_or_else(
        || format!("{} asked for a pause, which is not over", about.provider),
        |per_minute| {
            let provider = &about.provider;
            format!(
                "{provider} allows {per_minute} requests a minute, and other commands use them up"
            )
        },
    );
    let mut report = Report::new(Exit::TryLater, "rate-limited", "the call was not sent")
        .cause(why)
        .hint(format!("try again in {}", span(wait.as_secs() + 1)));
    report.retry_after_seconds = Some(wait.as_secs() + 1);
    report
}

/// The token endpoint's limit is used up.
pub fn used_up(provider: &Provider, until: Timestamp, about: &Situation) -> Report {
    let limit = token_limit(&provider.api.limits).map_or(0, |limit| limit.per_minute);
    let until = until.strftime("%Y-%m-%dT%H:%M:%SZ");
    Report::new(Exit::TryLater, "rate-limited", "the token request was not sent")
        .cause(format!(
            "{} allows {limit} token requests a minute, and they are used up",
            about.provider
        ))
        .cause(format!("the next one may be sent at {until}"))
        .hint("try again then; nothing was spent")
}
