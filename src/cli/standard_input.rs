//! Standard input brings one thing: which flags name it is looked at before any of it is read.

use std::path::Path;

use super::args::{Client, Connect};
use super::client_key;
use super::context::Context;
use super::report::Report;

/// What may name a file, and the file where it does.
type Source<'a> = (&'a str, Option<&'a Path>);

/// Refuses a `connect` that wants two things from standard input.
pub fn of_connect(context: &Context<'_>, args: &Connect) -> Result<(), Report> {
    let exchange = &args.exchange;
    let token = &args.registering.initial_access_token_file;
    let mut sources = of_client(context, &args.client);
    sources.extend([
        ("--initial-access-token-file", token.as_deref()),
        ("--authorization-details", args.authorization_details.as_deref()),
        ("--password-file", args.password_file.as_deref()),
        ("--assertion-file", exchange.assertion_file.as_deref()),
        ("--subject-token-file", exchange.subject_token_file.as_deref()),
        ("--actor-token-file", exchange.actor_token_file.as_deref()),
    ]);
    once(&sources)
}

/// Refuses an `import` that wants a secret from standard input, where the tokens come from it.
pub fn of_import(context: &Context<'_>, client: &Client) -> Result<(), Report> {
    let mut sources = of_client(context, client);
    if context.system.person.is_none() {
        sources.push(("the import itself", Some(Path::new("-"))));
    }
    once(&sources)
}

fn of_client<'a>(context: &'a Context<'_>, client: &'a Client) -> Vec<Source<'a>> {
    let key = match &client.client_key_file {
        Some(path) => ("--client-key-file", Some(path.as_path())),
        None => ("KEYFOB_CLIENT_KEY_FILE", client_key::from_environment(context).map(Path::new)),
    };
    vec![
        ("--client-secret-file", client.client_secret_file.as_deref()),
        key,
        ("--client-certificate-file", client.client_certificate_file.as_deref()),
    ]
}

fn once(sources: &[Source<'_>]) -> Result<(), Report> {
    let named = sources.iter().filter(|(_, path)| path.is_some_and(|it| it.as_os_str() == "-"));
    let named: Vec<&str> = named.map(|(name, _)| *name).collect();
    match named.len() {
        0 | 1 => Ok(()),
        _ => Err(Report::usage("standard input is read once")
            .cause(format!("{} name it", named.join(" and ")))
            .hint("give all of them but one in a file")),
    }
}
