//! `export`: a connection as one sealed line, for another machine.

use std::io::Write as _;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use super::blob_key::{self, KeySource};
use super::completions::complete_profile;
use super::context::Context;
use super::output::unwritten;
use super::report::{self, Exit, Report, Situation};
use super::save_to::belongings;
use crate::connection::export::Extent;
use crate::connection::keeping::KeepingError;
use crate::connection::{Connection, FreshError};
use crate::secret::Secret;

/// `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "The key: --key-file, else KEYFOB_BLOB_KEY, KEYFOB_STORE_KEY or\nKEYFOB_STORE_KEY_FILE, else a passphrase from the terminal.\n\nExamples:\n  keyfob export shop --key-file ci.key --move > shop.keyfob\n  gh secret set KEYFOB_BLOB < shop.keyfob\n  keyfob export shop --passphrase > shop.keyfob"
)]
pub struct Export {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// The key.
    #[command(flatten)]
    pub key: KeySource,
    /// Seal with a passphrase, whatever keys there are
    #[arg(long, conflicts_with = "key_file")]
    pub passphrase: bool,
    /// Forget the connection here once it is written out; nothing is revoked
    #[arg(long = "move", conflicts_with = "access_token_only")]
    pub moves: bool,
    /// Only the access token: what renews it stays here
    #[arg(long)]
    pub access_token_only: bool,
}

/// Prints the sealed connection.
pub fn run(context: &Context<'_>, args: &Export) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let about = chosen.situation(context.system);
    let name = chosen.name.clone();
    let belongings = belongings(context, &name, &chosen.profile);
    let belongings = belongings.map_err(|error| report::store_of(&error, &about))?;
    let extent = match args.access_token_only {
        true => Extent::AccessToken,
        false => Extent::Whole,
    };
    context.with_connection(chosen, None, |connection| {
        // What cannot be exported is told before anybody is asked for a passphrase.
        let failed = |error: FreshError| report::fresh(&error, &connection.provider, &about);
        connection.entry().map_err(failed)?;
        connection.may_export(extent).map_err(failed)?;
        let (key, which) = blob_key::to_seal(context, &args.key, args.passphrase)?;
        let entry = context.wait(connection.exportable(extent))?.map_err(failed)?;
        let entry = entry.ok_or_else(|| report::keeping(&KeepingError::Unsettled(name.clone())))?;
        let blob = connection.packed(&belongings, &entry, extent).map_err(failed)?;
        let blob = blob.seal(&key, &*context.system.random);
        let blob = blob.map_err(|error| report::store_of(&error, &about))?;
        context.mask(&blob);
        let single_holder = extent == Extent::Whole && connection.has_single_holder(&entry);
        write(context, args, &name, &blob, single_holder)?;
        let opens =
            format!("`{name}` is sealed with {which}, which `keyfob import --sealed` needs");
        context.output.note(context.system, &opens);
        if args.moves {
            let gone = context.wait(connection.carried_away(&entry))?.map_err(failed)?;
            return moved(context, gone, &name);
        }
        if single_holder {
            warn_of_two_holders(context, connection, &about);
        }
        Ok(Exit::Done)
    })
}

/// Writes the line whole; a reader that has gone has not got it.
fn write(
    context: &Context<'_>,
    args: &Export,
    name: &str,
    blob: &Secret,
    single_holder: bool,
) -> Result<(), Report> {
    let text = match context.output.json {
        false => format!("{}\n", blob.expose()),
        true => {
            let document = json!({
                "profile": name,
                "blob": blob.expose(),
                "single_holder": single_holder,
                "access_token_only": args.access_token_only,
                "moved": args.moves,
            });
            format!("{document:#}\n")
        }
    };
    let text = zeroize::Zeroizing::new(text);
    let mut stdout = context.system.stdout.borrow_mut();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    let written = written.and_then(|()| match (&context.system.stdout_file, args.moves) {
        // What only waits to be written would be lost with the power, and nothing is left here.
        (Some(file), true) => file.sync_all(),
        _ => Ok(()),
    });
    match written {
        Err(error) if args.moves || error.kind() != std::io::ErrorKind::BrokenPipe => {
            let report = unwritten(&error);
            Err(match args.moves {
                true => report.cause("the connection is still here, and was not moved"),
                false => report,
            })
        }
        _ => Ok(()),
    }
}

fn moved(context: &Context<'_>, gone: bool, name: &str) -> Result<Exit, Report> {
    if !gone {
        return Err(report::rolled_meanwhile(name));
    }
    context.output.note(
        context.system,
        &format!("`{name}` has moved: it is forgotten here, and was not revoked"),
    );
    Ok(Exit::Done)
}

fn warn_of_two_holders(context: &Context<'_>, connection: &Connection<'_>, about: &Situation) {
    context.output.warn(
        context.system,
        &format!(
            "{} replaces the refresh token at every refresh, so only one machine can keep this connection: \
             refresh `{}` only where it goes, or export it with --move",
            about.provider,
            connection.name()
        ),
    );
}
