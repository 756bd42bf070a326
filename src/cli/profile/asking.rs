//! `profile set` of what `connect` asks for: the flow, what tokens are bound to, for whom and for what.

use clap::ValueEnum as _;

use crate::cli::args::FlowChoice;
use crate::cli::report::Report;
use crate::http::printable::printable;
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::schema::Flow;
use crate::provider::wanted::check_resource;

/// Why a value is not taken.
#[derive(Debug)]
pub enum Refusal {
    /// No flow, or none that the provider has.
    Flow {
        /// As typed.
        flow: String,
        /// Those that it has.
        offered: Vec<String>,
    },
    /// Neither `true` nor `false`.
    NoChoice {
        /// What was to be set.
        key: &'static str,
        /// As typed.
        value: String,
    },
    /// No absolute URI.
    Resource {
        /// As typed.
        resource: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Sets one of them; an empty value unsets it, and `None` is for another key.
pub fn set(
    profile: &mut Profile,
    provider: &Provider,
    key: &str,
    value: &str,
) -> Option<Result<(), Refusal>> {
    let done = match key {
        "flow" => flow(provider, value).map(|flow| profile.flow = flow),
        "dpop" => choice("dpop", value).map(|choice| profile.dpop = choice),
        "userinfo" => choice("userinfo", value).map(|choice| profile.userinfo = choice),
        "resource" => resources(value).map(|resource| profile.resource = resource),
        _ => return None,
    };
    Some(done)
}

fn flow(provider: &Provider, value: &str) -> Result<Option<Flow>, Refusal> {
    if value.is_empty() {
        return Ok(None);
    }
    let flow = FlowChoice::from_str(value, false).ok().map(FlowChoice::flow);
    match flow.filter(|flow| provider.flows.contains(flow)) {
        Some(flow) => Ok(Some(flow)),
        None => {
            let offered = provider.flows.iter().filter_map(|flow| FlowChoice::of(*flow));
            let offered = offered.map(FlowChoice::name).collect();
            Err(Refusal::Flow { flow: value.to_owned(), offered })
        }
    }
}

fn choice(key: &'static str, value: &str) -> Result<bool, Refusal> {
    match value {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => Err(Refusal::NoChoice { key, value: value.to_owned() }),
    }
}

fn resources(value: &str) -> Result<Vec<String>, Refusal> {
    let given = value.split_whitespace();
    given
        .map(|resource| match check_resource(resource) {
            Ok(_) => Ok(resource.to_owned()),
            Err(why) => {
                Err(Refusal::Resource { resource: resource.to_owned(), why: why.to_string() })
            }
        })
        .collect()
}

impl Refusal {
    /// The words for it; `command` sets something of the profile.
    pub fn report(self, provider: &Provider, command: &str) -> Report {
        match self {
            Self::Flow { flow, offered } => {
                let report = Report::usage(format!(
                    "`{}` has no flow `{}`",
                    provider.name,
                    printable(&flow)
                ));
                match offered.first() {
                    Some(first) => report
                        .hint(format!("it has {}", offered.join(", ")))
                        .next(format!("{command} flow={first}")),
                    None => report.hint("its tokens are imported: leave the flow out"),
                }
            }
            Self::NoChoice { key, value } => {
                Report::usage(format!("`{key}` is true or false, not `{}`", printable(&value)))
                    .hint("say which")
                    .next(format!("{command} {key}=true"))
            }
            Self::Resource { resource, why } => {
                Report::usage(format!("`{}` names no resource: {why}", printable(&resource)))
                    .hint("a resource is an absolute URI; several are parted by blanks")
                    .next(format!("{command} resource=https://api.example.com/"))
            }
        }
    }
}
