//! `import`: tokens made elsewhere, by prompt or as JSON on standard input.

mod client;

use serde_json::{Map, Value};

use super::args::{Client, Import};
use super::command_line::Given;
use super::connect::{ask_settings, begin, bring, finish, leave_old_store};
use super::context::{Chosen, Context};
use super::report::{self, Exit, Report, Situation};
use super::{client_key, sealed_import, secrets, standard_input};
use crate::connection::entry::Credentials;
use crate::connection::establish::imported::{self, ImportError, Imported};
use crate::connection::establish::{Brought, EstablishError};
use crate::connection::{Connection, Entry, FreshError, Wanted};
use crate::http::printable::printable;
use crate::http::strict_json::parse_object;
use crate::provider::schema::Rotation;
use crate::token_set::TokenSet;
use crate::user_agent::opening::in_ci;

/// The longest import, in bytes.
const LONGEST: u64 = 1 << 20;

/// Imports tokens into a profile.
pub fn run(context: &Context<'_>, args: &Import) -> Result<Exit, Report> {
    if args.sealed.sealed {
        return sealed_import::run(context, args);
    }
    if args.sealed.key.key_file.is_some() {
        return Err(Report::usage("--key-file opens what `keyfob export` has sealed")
            .hint("add --sealed, or leave --key-file out"));
    }
    standard_input::of_import(context, &args.client)?;
    let given = Given::of_client(context.global, &args.client);
    let mut chosen = begin(context, args.profile.as_deref(), &args.client, "import", given)?;
    ask_settings(context, &mut chosen, false)?;
    let about = Situation { imports: true, ..chosen.situation(context.system) };
    let wrong = |error| report::establish(&EstablishError::Import(error), &chosen.provider, &about);
    if chosen.profile.dpop || chosen.provider.client.dpop_bound_access_tokens {
        return Err(wrong(ImportError::Unbindable));
    }
    let object = match &context.system.person {
        Some(_) => asked(context, &chosen, &args.client)?,
        None if context.system.terminals.stdin => return Err(nothing_to_read(&about)),
        None => read(context)?,
    };
    let now = context.system.clock.now();
    let imported = imported::read(&object, &chosen.provider, now);
    let imported = imported.map_err(wrong)?;
    let tokens = &imported.tokens;
    let secrets = [
        Some(&tokens.access_token),
        tokens.refresh_token.as_ref(),
        imported.client_secret.as_ref(),
    ];
    secrets.into_iter().flatten().for_each(|secret| context.mask(secret));
    client::take(context, &mut chosen, &args.client, &imported)?;
    let Imported { tokens, client_secret, .. } = imported;
    let mut brought = bring_without_prompt(context, &chosen, args)?;
    brought.client_secret = brought.client_secret.or(client_secret);
    if let Some(secret) = &brought.client_secret {
        secrets::refuse_mixed(&chosen.provider, "client_secret", secret)?;
    }
    brought.borrowed = in_ci(context.system.environment.all());
    // What was granted is what was asked for at the vendor's dashboard.
    brought.scopes = tokens.granted.clone().unwrap_or_default();
    let discovered = chosen.discovered.take();
    let before = chosen.record.store;
    let kept = super::discovered::keep(context, discovered.as_ref())?;
    context.with_connection(chosen, args.client.client_id.as_deref(), |connection| {
        let entry = stored(context, connection, &brought, tokens)
            .and_then(|stored| {
                stored.map_err(|error| report::establish(&error, &connection.provider, &about))
            })
            .inspect_err(|_| kept.undo(context))?;
        leave_old_store(context, connection, before)?;
        let entry = refresh_at_once(context, connection, entry, &about)?;
        finish(context, connection, entry, &about, "imported")
    })
}

/// Stores the tokens; a person is asked before a connection that renews itself gives way to an access token.
fn stored(
    context: &Context<'_>,
    connection: &Connection<'_>,
    brought: &Brought,
    tokens: TokenSet,
) -> Result<Result<Entry, EstablishError>, Report> {
    let store =
        |agreed| context.wait(connection.establish_imported(brought, tokens.clone(), agreed));
    let first = store(context.global.yes)?;
    let question = format!(
        "`{}` renews itself now; these tokens hold no refresh token. Replace it?",
        connection.name()
    );
    match &first {
        Err(EstablishError::Import(ImportError::Lesser)) if context.agreed(&question)? => {
            store(true)
        }
        _ => Ok(first),
    }
}

/// The prompt for a client secret comes with the other prompts, and never when standard input speaks.
fn bring_without_prompt(
    context: &Context<'_>,
    chosen: &Chosen,
    args: &Import,
) -> Result<Brought, Report> {
    let has_source = args.client.client_secret_file.is_some()
        || args.client.client_key_file.is_some()
        || args.client.client_certificate_file.is_some()
        || chosen.provider.takes_key() && client_key::is_given(context, &args.client)
        || context.system.environment.get("KEYFOB_CLIENT_SECRET").is_some();
    if has_source {
        return bring(context, chosen, &args.client, Credentials::default());
    }
    Ok(Brought { account_may_change: context.global.yes, ..Default::default() })
}

/// Nobody may be asked, and a terminal would wait for somebody who types.
fn nothing_to_read(about: &Situation) -> Report {
    Report::usage("standard input is a terminal, and nobody may be asked")
        .hint("give a token response on standard input, or leave --no-input away")
        .next(format!("{} < FILE", about.connect()))
}

fn read(context: &Context<'_>) -> Result<Value, Report> {
    let text = secrets::standard_input(context.system, LONGEST)?;
    if text.expose().trim().is_empty() {
        return Err(Report::usage("standard input is empty").hint(
            r#"give a token response: {"access_token":…,"refresh_token":…,"expires_in":…}"#,
        ));
    }
    match parse_object(text.expose().as_bytes()) {
        Ok(object) => Ok(Value::Object(object)),
        Err(error) => Err(Report::usage("this import makes no sense")
            .cause(printable(&ImportError::NotJson(error.to_string()).to_string()))
            .hint(r#"give one JSON object: {"access_token":…,"refresh_token":…,"expires_in":…}"#)),
    }
}

/// Asks for each; an empty answer leaves it out.
fn asked(context: &Context<'_>, chosen: &Chosen, client: &Client) -> Result<Value, Report> {
    if let Some(import) = &chosen.provider.import {
        context.output.note(context.system, &format!("tokens are made at {}", import.console));
        for step in &import.steps {
            context.output.note(context.system, &format!("  {step}"));
        }
    }
    let mut object = Map::new();
    if context.client_id(None, &chosen.profile).is_none()
        && chosen.provider.client.needs_secret()
        && let Some(id) = context.ask("Client id")?
    {
        object.insert("client_id".into(), Value::String(id));
    }
    let questions = [
        ("client_secret", "Client secret (not shown)"),
        ("access_token", "Access token (not shown)"),
        ("refresh_token", "Refresh token (not shown; empty if there is none)"),
    ];
    let has_secret = client.client_secret_file.is_some()
        || context.system.environment.get("KEYFOB_CLIENT_SECRET").is_some();
    // What came another way is not asked for.
    for (name, question) in questions.into_iter().skip(usize::from(has_secret)) {
        if let Some(secret) = context.ask_secret(question)? {
            object.insert(name.into(), Value::String(secret.expose().to_owned()));
        }
    }
    Ok(Value::Object(object))
}

/// Where the vendor's dashboard still shows the refresh token, it is rolled, so that keyfob alone holds the live one.
fn refresh_at_once(
    context: &Context<'_>,
    connection: &Connection<'_>,
    entry: Entry,
    about: &Situation,
) -> Result<Entry, Report> {
    let provider = &connection.provider;
    let wanted = provider.import.as_ref().is_some_and(|it| it.refresh_at_once);
    let rolls = matches!(provider.refresh.rotation, Rotation::SingleUse | Rotation::Rotating);
    if !wanted || !rolls || entry.refresh_token().is_none() {
        return Ok(entry);
    }
    match context.wait(connection.fresh(&Wanted::New))? {
        Ok(entry) => Ok(entry),
        // Without a client the tokens serve until they end; that is worth a word and no more.
        Err(FreshError::ClientSecretMissing) => {
            warn_without(context, about, "client secret", "client_secret");
            Ok(entry)
        }
        Err(FreshError::ClientIdMissing) => {
            context.output.warn(
                context.system,
                &format!(
                    "without client id and secret `{}` cannot be refreshed: give them with --client-id and --client-secret-file",
                    about.profile
                ),
            );
            Ok(entry)
        }
        Err(FreshError::ClientKeyMissing) => {
            warn_without(context, about, "private key", "private_key");
            Ok(entry)
        }
        Err(FreshError::ClientCertificateMissing) => {
            warn_without(context, about, "client certificate", "client_certificate");
            Ok(entry)
        }
        Err(FreshError::Borrowed) => {
            context.output.note(
                context.system,
                "this is a CI job's copy: its refresh token is not rolled here, and lives on where it was made",
            );
            Ok(entry)
        }
        Err(error) => Err(report::fresh(&error, provider, about)
            .cause("the tokens were imported; only their first refresh did not succeed")),
    }
}

/// Says what the client cannot be renewed without, and the command that keeps it.
fn warn_without(context: &Context<'_>, about: &Situation, what: &str, name: &str) {
    context.output.warn(
        context.system,
        &format!(
            "without its {what} `{}` cannot be refreshed: give it with `keyfob profile secret {} {name}`",
            about.profile,
            super::command_line::word(&about.profile)
        ),
    );
}
