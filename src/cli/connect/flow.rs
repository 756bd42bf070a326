//! Which flow gets the first tokens.

use super::super::args::{Connect, FlowChoice};
use super::super::command_line::Plus;
use super::super::context::{Chosen, title};
use super::super::report::{Exit, Report};
use crate::provider::schema::Flow;

/// The flow: the one that was asked for, the remembered one, or the provider's first.
pub fn flow(chosen: &Chosen, args: &Connect) -> Result<Flow, Report> {
    let provider = &chosen.provider;
    let asked = args.flow.map(FlowChoice::flow).or(chosen.profile.flow);
    let flow = asked.or_else(|| provider.flows.first().copied()).unwrap_or(Flow::Import);
    if flow == Flow::Import || !provider.flows.contains(&flow) {
        return Err(no_flow(chosen, flow));
    }
    Ok(flow)
}

pub fn no_flow(chosen: &Chosen, flow: Flow) -> Report {
    let provider = &chosen.provider;
    let name = title(provider);
    let again = |command, plus: Plus<'_>| {
        chosen.given.in_own_flow(provider).command(command, &chosen.name, plus)
    };
    let what = match flow {
        Flow::AuthorizationCode | Flow::Import => "code flow",
        Flow::DeviceCode => "device flow",
        Flow::ClientCredentials => "client-credentials flow",
        Flow::Password => "password flow",
        Flow::JwtBearer => "jwt-bearer flow",
        Flow::TokenExchange => "token-exchange flow",
    };
    let mut report = Report::new(
        Exit::SetUp,
        "no-such-flow",
        format!("{name} has no {what} for other programs"),
    );
    if let Some(import) = &provider.import {
        report = report
            .cause(format!("its tokens are made at {}", import.console))
            .hint("make them there, then import them")
            .next(again("import", &[]));
    }
    if let (Some(legacy), true) = (&provider.legacy, flow != Flow::Password) {
        report = report
            .cause(format!("the password flow is for {} alone", legacy.until))
            .next(again("connect", &[("--flow", "password")]));
    }
    if report.next.is_empty() {
        report = report.hint("use the provider's own flow").next(again("connect", &[]));
    }
    report
}
