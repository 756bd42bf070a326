//! Flags that serve some flows alone: in another one they would do nothing, and that is a slip.

use super::super::args::FlowChoice;
use super::super::command_line::Given;
use super::super::report::Report;
use crate::provider::schema::Flow;

/// A browser on this machine comes back.
const BROWSER: &[Flow] = &[Flow::AuthorizationCode];
/// Somebody allows it.
const PERSON: &[Flow] = &[Flow::AuthorizationCode, Flow::DeviceCode];
/// Rights are asked for in detail: the other grants stand for rights that there are (RFC 9396).
const DETAILS: &[Flow] = &[Flow::AuthorizationCode, Flow::DeviceCode, Flow::ClientCredentials];

/// What each flag is for; one that is not here serves every flow. What forbids a browser or bounds a
/// wait is kept by itself where there is none: a script may say it to every profile.
const BOUND: [(&str, &[Flow]); 13] = [
    ("--redirect-uri", BROWSER),
    ("--port", BROWSER),
    ("--print-redirect", BROWSER),
    ("--userinfo", PERSON),
    ("--authorization-details", DETAILS),
    ("--username", &[Flow::Password]),
    ("--password-file", &[Flow::Password]),
    ("--assertion-file", &[Flow::JwtBearer]),
    ("--subject-token-file", &[Flow::TokenExchange]),
    ("--subject-token-type", &[Flow::TokenExchange]),
    ("--actor-token-file", &[Flow::TokenExchange]),
    ("--actor-token-type", &[Flow::TokenExchange]),
    ("--requested-token-type", &[Flow::TokenExchange]),
];

fn flows_of(flag: &str) -> Option<&'static [Flow]> {
    BOUND.into_iter().find(|(name, _)| *name == flag).map(|(_, flows)| flows)
}

/// Whether a flag does something in a flow.
pub fn serves(flag: &str, flow: Flow) -> bool {
    flows_of(flag).is_none_or(|flows| flows.contains(&flow))
}

/// Refuses a flag that would do nothing; `offered` are the flows that the provider has, as far as
/// that is known yet.
pub fn refuse_useless(
    given: &Given,
    flow: Flow,
    offered: &[Flow],
    profile: &str,
) -> Result<(), Report> {
    let Some(flag) = given.useless_in(flow) else { return Ok(()) };
    let serving = flows_of(flag).unwrap_or_default();
    let names = serving.iter().filter_map(|flow| FlowChoice::of(*flow));
    let names: Vec<String> = names.map(|flow| format!("--flow {}", flow.name())).collect();
    let here = FlowChoice::of(flow).map(FlowChoice::name).unwrap_or_default();
    let other = offered.iter().find(|it| serving.contains(it));
    let other = other.and_then(|flow| FlowChoice::of(*flow));
    let report = Report::usage(format!("{flag} is for {}", names.join(" and ")))
        .cause(format!("it does nothing in the flow `{here}`, which this is"))
        .hint(match other.is_some() || offered.is_empty() {
            true => "leave it out, or name that flow",
            false => "leave it out; the provider has no such flow",
        })
        .next(given.useful_in(flow).command("connect", profile, &[]));
    Err(match other {
        Some(flow) => report.next(given.command("connect", profile, &[("--flow", &flow.name())])),
        None => report,
    })
}
