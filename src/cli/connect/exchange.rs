//! What a flow brings in which a signed token speaks: a key, a ready assertion, or tokens to exchange.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::super::context::{Chosen, Context, title};
use super::super::report::Report;
use super::super::secrets;
use super::brought::stored_or_asked_key;
use crate::authorization_server::Grant;
use crate::authorization_server::grant::Subject;
use crate::connection::establish::Brought;
use crate::secret::Secret;

/// Before the short names of token types (RFC 8693 section 3).
const TOKEN_TYPES: &str = "urn:ietf:params:oauth:token-type:";

/// The flags of `--flow jwt-bearer` and `--flow token-exchange`.
#[derive(Debug, Default, Args)]
pub struct Exchange {
    /// Send this ready assertion, `-` for standard input, for `--flow jwt-bearer`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub assertion_file: Option<PathBuf>,
    /// The token to exchange, `-` for standard input, for `--flow token-exchange`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub subject_token_file: Option<PathBuf>,
    /// Its type: access_token, id_token, jwt, saml2, … or a URI
    #[arg(long, value_name = "TYPE", value_parser = token_type)]
    pub subject_token_type: Option<String>,
    /// The token of who acts for the subject, `-` for standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "actor_token_type")]
    pub actor_token_file: Option<PathBuf>,
    /// Its type
    #[arg(long, value_name = "TYPE", value_parser = token_type, requires = "actor_token_file")]
    pub actor_token_type: Option<String>,
    /// The type of token that is wanted
    #[arg(long, value_name = "TYPE", value_parser = token_type)]
    pub requested_token_type: Option<String>,
}

/// A registered short name, or a URI as it is.
fn token_type(text: &str) -> Result<String, String> {
    const SHORT: [&str; 6] = ["access_token", "refresh_token", "id_token", "saml1", "saml2", "jwt"];
    match text {
        short if SHORT.contains(&short) => Ok(format!("{TOKEN_TYPES}{short}")),
        uri if uri.contains(':') => Ok(uri.to_owned()),
        _ => Err(format!("a URI, or one of {}", SHORT.join(", "))),
    }
}

/// A ready assertion; `None` where the client signs its own.
pub fn assertion(context: &Context<'_>, flags: &Exchange) -> Result<Option<Secret>, Report> {
    let path = flags.assertion_file.as_ref();
    path.map(|path| token(context, path)).transpose()
}

/// Adds the key that signs the grant, where nothing else needed it.
pub fn with_key(
    context: &Context<'_>,
    chosen: &Chosen,
    brought: Brought,
) -> Result<Brought, Report> {
    if brought.private_key.is_some() {
        return Ok(brought);
    }
    let private_key = stored_or_asked_key(context, chosen)?;
    Ok(Brought { private_key, ..brought })
}

/// What is exchanged; its tokens are read now and kept nowhere.
pub fn exchange(
    context: &Context<'_>,
    chosen: &Chosen,
    flags: &Exchange,
    scopes: &[String],
) -> Result<Grant, Report> {
    let words = chosen.provider.token_exchange.clone().unwrap_or_default();
    let again = |kind: &str| {
        let file = flags.subject_token_file.as_ref();
        let mut plus = vec![("--flow", "token-exchange")];
        plus.extend(file.is_none().then_some(("--subject-token-file", "…")));
        plus.push(("--subject-token-type", kind));
        chosen.given.command("connect", &chosen.name, &plus)
    };
    let Some(path) = &flags.subject_token_file else {
        return Err(Report::usage("a token exchange needs the token to exchange")
            .hint(format!(
                "name the file that holds what {} takes for its own",
                title(&chosen.provider)
            ))
            .next(again("…")));
    };
    let Some(kind) = flags.subject_token_type.clone().or(words.subject_token_type) else {
        return Err(Report::usage("a token exchange needs the type of the token to exchange")
            .hint("a CI runner's is an id_token or a jwt")
            .next(again("jwt")));
    };
    let actor = match (&flags.actor_token_file, &flags.actor_token_type) {
        (Some(path), Some(kind)) => {
            Some(Subject { token: token(context, path)?, kind: kind.clone() })
        }
        _ => None,
    };
    Ok(Grant::TokenExchange {
        subject: Subject { token: token(context, path)?, kind },
        actor,
        requested: flags.requested_token_type.clone().or(words.requested_token_type),
        scopes: scopes.to_vec(),
    })
}

/// A token out of a file, known to the log's masks before anything could print it.
fn token(context: &Context<'_>, path: &std::path::Path) -> Result<Secret, Report> {
    let token = secrets::from_file(context.system, path)?;
    let token = Secret::new(token.expose().trim());
    context.mask(&token);
    Ok(token)
}
