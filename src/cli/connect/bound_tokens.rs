//! Whether a server can be asked for tokens that are bound to a key (RFC 9449): known before anybody
//! consents where the server's metadata says it, and forgotten where the tokens show that it cannot.

use super::super::command_line;
use super::super::context::{Chosen, Context, is_path, title};
use super::super::discovered;
use super::super::report::{Exit, Report};
use super::brought::token_endpoint;
use crate::authorization_server::dpop;
use crate::http::printable::printable;
use crate::profile::Profile;

/// The code of both failures.
const CODE: &str = "dpop-not-supported";

/// Refuses to ask for bound tokens where the server says that it takes no proof of ours.
pub fn check(context: &Context<'_>, chosen: &Chosen) -> Result<(), Report> {
    let client = &chosen.provider.client;
    let is_wanted = chosen.profile.dpop || client.dpop_bound_access_tokens;
    if !is_wanted || has_bound_tokens(chosen) {
        return Ok(());
    }
    let algorithms = &client.dpop_algorithms;
    let was_found = chosen.provider.discovery.as_ref().is_some_and(|it| it.names_endpoints);
    match algorithms.is_empty() {
        // Nobody has said anything: the tokens will.
        true if !was_found => Ok(()),
        true => Err(refusal(
            context,
            chosen,
            "its metadata has no `dpop_signing_alg_values_supported`".to_owned(),
        )),
        false if algorithms.iter().any(|it| it == dpop::ALGORITHM) => Ok(()),
        false => Err(refusal(
            context,
            chosen,
            format!(
                "it takes proofs that are signed with {}, and keyfob signs them with {}",
                printable(&algorithms.join(", ")),
                dpop::ALGORITHM
            ),
        )),
    }
}

/// Whether the server has shown that it binds tokens, whatever it says.
fn has_bound_tokens(chosen: &Chosen) -> bool {
    let endpoint = token_endpoint(&chosen.provider, &chosen.profile);
    let given_for = chosen.record.given_for.as_ref().filter(|_| chosen.record.connected);
    given_for.is_some_and(|it| it.to_key && endpoint.as_ref() == Some(&it.token_endpoint))
}

fn refusal(context: &Context<'_>, chosen: &Chosen, why: String) -> Report {
    let report = Report::new(
        Exit::SetUp,
        CODE,
        format!(
            "{} does not bind tokens to a key (DPoP), as far as it says",
            title(&chosen.provider)
        ),
    )
    .cause(why);
    let connect = |plus| chosen.given.command("connect", &chosen.name, plus);
    let report = match chosen.provider.client.dpop_bound_access_tokens {
        true => in_the_file(
            context,
            chosen,
            report,
            "; or, where the server does it and does not say so, add `dpop_algorithms = [\"ES256\"]` to its [client]",
        ),
        false => report
            .hint(format!("connect without it; or, where the server does it and does not say so, {} and add `dpop_algorithms = [\"ES256\"]` to its [client]", open_file(context, chosen)))
            .next(connect(&[("--dpop", "=false")])),
    };
    // What was kept may be older than what the server says now.
    let issuer = chosen.provider.discovery.as_ref().and_then(|it| it.issuer.as_deref());
    match issuer.filter(|issuer| discovered::is_named(issuer, &chosen.profile.provider)) {
        Some(issuer) if chosen.discovered.is_none() => {
            let issuer = command_line::typed(issuer);
            let report =
                report.cause("that is as it was found before; the last command reads it anew");
            report.next(connect(&[("--provider", &issuer)]))
        }
        _ => report,
    }
}

/// How a person gets at the provider file; what was found a moment ago has none yet.
fn open_file(context: &Context<'_>, chosen: &Chosen) -> &'static str {
    let has_file = chosen.discovered.is_none()
        || context.own_provider_names().contains(&chosen.profile.provider);
    match has_file {
        true => "open its provider file",
        false => "have `keyfob provider new` write a file",
    }
}

/// The provider file wants it, which no flag takes back.
fn in_the_file(context: &Context<'_>, chosen: &Chosen, report: Report, hint: &str) -> Report {
    let named = &chosen.profile.provider;
    let file = match is_path(named) {
        true => std::path::PathBuf::from(named),
        false => context.system.home.providers().join(format!("{named}.toml")),
    };
    report
        .cause(format!("{} wants it", printable(&file.display().to_string())))
        .hint(format!("take `dpop_bound_access_tokens` out of that file{hint}; then"))
        .next(format!("keyfob provider check {}", command_line::path(&file)))
        .next(chosen.given.command("connect", &chosen.name, &[]))
}

/// Tokens that came without their binding: what the file wants no flag takes back.
pub fn advise(context: &Context<'_>, chosen: &Chosen, report: Report) -> Report {
    match report.code == CODE && !chosen.profile.dpop {
        true => in_the_file(context, chosen, Report { next: Vec::new(), ..report }, ""),
        false => report,
    }
}

/// What the profile's file says of it.
pub fn kept(context: &Context<'_>, name: &str) -> bool {
    let file = context.profiles.find(name).ok().flatten();
    file.is_some_and(|profile| profile.dpop)
}

/// Puts back what the profile's file said of it, where the tokens came without: a registration may
/// have written the profile already.
pub fn take_back(context: &Context<'_>, name: &str, before: bool, report: &Report) {
    if report.code != CODE {
        return;
    }
    let Ok(Some(file)) = context.profiles.find(name) else { return };
    if file.dpop != before {
        // What cannot be written is told by whoever writes next; the failure itself is what a person needs.
        let _ = context.profiles.write(name, &Profile { dpop: before, ..file });
    }
}
