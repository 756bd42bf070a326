//! The client's private key: where it comes in, and that it can sign; it is never shown.

use std::path::Path;

use super::args::Client;
use super::client_certificate;
use super::command_line;
use super::context::{Chosen, Context, title};
use super::discovered;
use super::report::{self, Report};
use super::secrets;
use crate::authorization_server::AssertionError;
use crate::authorization_server::jose::{Members, SigningKey};
use crate::provider::Provider;
use crate::secret::Secret;

/// The most lines that a key has which is typed at a prompt.
const MOST_LINES: usize = 200;

/// Whether this command line brings a private key.
pub fn is_given(context: &Context<'_>, client: &Client) -> bool {
    client.client_key_file.is_some() || from_environment(context).is_some()
}

/// The file that the environment names.
pub fn from_environment<'a>(context: &'a Context<'_>) -> Option<&'a str> {
    context.system.environment.get("KEYFOB_CLIENT_KEY_FILE")
}

/// From the flag's file, or the one that the environment names; `None` where neither is.
pub fn given(
    context: &Context<'_>,
    chosen: &Chosen,
    client: &Client,
) -> Result<Option<Secret>, Report> {
    let provider = &chosen.provider;
    let key = match (&client.client_key_file, from_environment(context)) {
        (Some(_), _) if !provider.takes_key() => {
            return Err(useless(context, chosen, "private key", "--client-key-file"));
        }
        (Some(path), _) => secrets::from_file(context.system, path)?,
        (None, Some(path)) if provider.takes_key() => {
            secrets::from_file(context.system, Path::new(path))?
        }
        _ => return Ok(None),
    };
    check(provider, &chosen.name, &key)?;
    Ok(Some(key))
}

/// A key or a certificate that no client of this provider has a use for.
pub fn useless(context: &Context<'_>, chosen: &Chosen, what: &str, flag: &str) -> Report {
    let Chosen { name, provider, .. } = chosen;
    let methods = provider.client.all_methods().iter();
    let methods: Vec<&str> = methods.map(|method| method.registered_name()).collect();
    let report = Report::usage(format!("{} takes no {what}", title(provider)))
        .cause(format!("its client authentication is {}", methods.join(", ")));
    let issuer = provider.discovery.iter().flat_map(|it| &it.issuer);
    let mut urls = issuer.chain(&provider.token.resource);
    match urls.find(|url| discovered::is_named(url, &provider.name)) {
        Some(_) if chosen.discovered.is_some() => report.hint(format!("leave {flag} out")),
        // What is kept of a server may be older than what it takes.
        Some(url) => report
            .hint(format!("leave {flag} out, or ask the server what it takes now"))
            .next(chosen.given.command(
                context.verb(),
                name,
                &[("--provider", &command_line::word(url)), (flag, "…")],
            )),
        None => report.hint(format!(
            "leave {flag} out, or name such a method in [client] of your provider file"
        )),
    }
}

/// Asks for one; a PEM file has many lines, and each is read without echo.
pub fn asked(context: &Context<'_>, question: &str) -> Result<Option<Secret>, Report> {
    let Some(first) = context.ask_secret(question)? else { return Ok(None) };
    let mut whole = first;
    for _ in 0..MOST_LINES {
        let is_cut =
            whole.expose().starts_with("-----BEGIN") && !whole.expose().contains("-----END ");
        if !is_cut {
            break;
        }
        let Some(line) = context.ask_secret("…")? else { break };
        let text = zeroize::Zeroizing::new(format!("{}\n{}", whole.expose(), line.expose()));
        whole = Secret::new(text.as_str());
    }
    Ok(Some(whole))
}

/// Uses it once, so that a key that cannot be used is told while it is at hand.
pub fn check(provider: &Provider, profile: &str, key: &Secret) -> Result<(), Report> {
    if provider.client.shows_certificate() {
        client_certificate::check_key(key)?;
    }
    match provider.signs() {
        true => sign(provider, profile, key),
        false => Ok(()),
    }
}

fn sign(provider: &Provider, profile: &str, key: &Secret) -> Result<(), Report> {
    let algorithms = &provider.client.assertion_algorithms;
    let signed = SigningKey::read_among(key, algorithms)
        .map_err(AssertionError::Key)
        .and_then(|key| Ok(key.sign(Members::new(), &Members::new())?));
    signed.map(|_| ()).map_err(|error| report::client_key(&error, profile))
}
