//! `import --sealed`: a connection that `export` has sealed, put in its place here.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};

use super::args::Import;
use super::blob_key::{self, KeySource};
use super::command_line;
use super::connect::{finish, leave_old_store};
use super::context::{Chosen, Context, is_path};
use super::discovered::{self, ToKeep};
use super::report::{self, Exit, Report, Situation};
use super::secrets;
use crate::connection::Entry;
use crate::connection::blob::{Blob, LONGEST, SealedBlob};
use crate::connection::establish::Brought;
use crate::http::printable::printable;
use crate::profile::Profile;
use crate::profile::file::check_name;
use crate::provider::{Provider, catalogue, file};
use crate::secret::Secret;
use crate::user_agent::opening::in_ci;

/// What `import --sealed` takes beside the profile.
#[derive(Debug, Args)]
pub struct SealedImport {
    /// Read what `export` wrote: standard input, or KEYFOB_BLOB
    #[arg(long, conflicts_with_all = ["provider", "client_id", "client_secret_file", "client_key_file", "client_certificate_file", "client_authentication", "settings"])]
    pub sealed: bool,
    /// With --sealed: read it from this file (`-` is standard input)
    #[arg(long, value_name = "FILE", requires = "sealed", value_hint = ValueHint::FilePath)]
    pub blob_file: Option<PathBuf>,
    /// With --sealed: its key.
    #[command(flatten)]
    pub key: KeySource,
}

/// Imports a sealed connection.
pub fn run(context: &Context<'_>, args: &Import) -> Result<Exit, Report> {
    let text = text(context, args)?;
    context.mask(&text);
    let sealed = SealedBlob::read(&text).map_err(|error| report::blob(&error))?;
    let origin = sealed.origin().map_err(|error| report::blob(&error))?;
    let key = blob_key::to_open(context, &args.sealed.key, origin, || on_terminal(context, args))?;
    let blob = sealed.open(&key).map_err(|error| report::blob(&error))?;
    let entry = blob.entry().map_err(|error| report::blob(&error))?;
    context.mask_entry(&entry);
    place(context, args, blob, entry)
}

fn place(context: &Context<'_>, args: &Import, blob: Blob, entry: Entry) -> Result<Exit, Report> {
    let mut chosen = chosen(context, args, &blob)?;
    let about = Situation { imports: true, ..chosen.situation(context.system) };
    let brought = Brought {
        account_may_change: context.global.yes,
        borrowed: in_ci(context.system.environment.all()) && entry.refresh_token().is_some(),
        ..Brought::default()
    };
    let before = chosen.record.store;
    let provider_file = chosen.discovered.take();
    let kept = discovered::keep(context, provider_file.as_ref())?;
    context.with_connection(chosen, None, |connection| {
        let stored = context.wait(connection.establish_carried(&brought, entry));
        let entry = stored
            .and_then(|stored| {
                stored.map_err(|error| report::establish(&error, &connection.provider, &about))
            })
            .inspect_err(|_| kept.undo(context))?;
        leave_old_store(context, connection, before)?;
        if entry.borrowed && connection.has_single_holder(&entry) {
            context.output.note(
                context.system,
                "this is a CI job's copy, wherever it is used: it is refreshed only with a save command (refresh --save-to, KEYFOB_SAVE_TO)",
            );
        }
        finish(context, connection, entry, &about, "imported")
    })
}

/// From a file, the environment, or standard input.
fn text(context: &Context<'_>, args: &Import) -> Result<Secret, Report> {
    let system = context.system;
    let text = match (&args.sealed.blob_file, system.environment.get("KEYFOB_BLOB")) {
        (Some(path), _) if path.as_os_str() != "-" => blob_file(path)?,
        (None, Some(blob)) => Secret::new(blob),
        (None, None) if system.terminals.stdin => return Err(nothing_to_read(args)),
        _ => secrets::standard_input(system, LONGEST)?,
    };
    match text.expose().trim().is_empty() {
        true => Err(nothing_there(args)),
        false => Ok(text),
    }
}

fn blob_file(path: &Path) -> Result<Secret, Report> {
    use std::io::Read as _;
    let mut text = zeroize::Zeroizing::new(String::new());
    let read =
        std::fs::File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    match read {
        Ok(length) if length as u64 <= LONGEST => Ok(Secret::new(text.as_str())),
        Ok(_) => Err(Report::usage(format!("{} holds more than {LONGEST} bytes", path.display()))
            .hint("name the file that `keyfob export` wrote")),
        Err(error) => Err(Report::usage(format!("{} cannot be read", path.display()))
            .cause(printable(&error.to_string()))
            .hint("name the file that `keyfob export` wrote")),
    }
}

fn import_of(args: &Import) -> String {
    import_under(args.profile.as_deref(), args)
}

/// The command under any name, with the key that was named.
fn import_under(profile: Option<&str>, args: &Import) -> String {
    let mut line = "keyfob import".to_owned();
    line.extend(profile.map(|name| format!(" {}", command_line::word(name))));
    line.push_str(" --sealed");
    let key = args.sealed.key.key_file.as_deref();
    line.extend(key.map(|file| format!(" --key-file {}", command_line::path(file))));
    line
}

/// The same on a terminal, where standard input cannot bring the text.
fn on_terminal(context: &Context<'_>, args: &Import) -> String {
    let named = args.sealed.blob_file.as_deref().filter(|path| path.as_os_str() != "-");
    let from_environment = context.system.environment.get("KEYFOB_BLOB").is_some();
    match named {
        Some(path) => format!("{} --blob-file {}", import_of(args), command_line::path(path)),
        None if from_environment && args.sealed.blob_file.is_none() => import_of(args),
        None => format!("{} --blob-file FILE", import_of(args)),
    }
}

fn nothing_to_read(args: &Import) -> Report {
    Report::usage("standard input is a terminal, and it cuts long lines")
        .hint("name the file that `keyfob export` wrote, give it on standard input, or set KEYFOB_BLOB")
        .next(format!("{} --blob-file FILE", import_of(args)))
}

fn nothing_there(args: &Import) -> Report {
    Report::usage("there is no sealed connection: what was given is empty")
        .hint("give the line that `keyfob export` printed; in CI, check that the secret reaches this job")
        .next(format!("{} < FILE", import_of(args)))
}

/// The profile as the blob describes it, under the name it gets here.
fn chosen(context: &Context<'_>, args: &Import, blob: &Blob) -> Result<Chosen, Report> {
    let named = args.profile.as_deref().or(context.system.environment.get("KEYFOB_PROFILE"));
    let name = named.unwrap_or(&blob.name).to_owned();
    check_name(&name).map_err(|error| report::profile(&error))?;
    let existing = context.profiles.find(&name).map_err(|error| report::profile(&error))?;
    let record = context.profiles.record(&name).map_err(|error| report::profile(&error))?;
    let (provider, discovered) = provider(context, blob)?;
    let here = existing.unwrap_or_else(|| Profile {
        provider: provider_name(blob, &provider),
        ..Profile::default()
    });
    let profile = Profile {
        provider: provider_name(blob, &provider),
        store: context.global.store.map(Into::into).or(here.store),
        save_to: here.save_to,
        ..blob.profile.clone()
    };
    if record.connected && here.provider != profile.provider && !context.global.yes {
        return Err(other_provider(&name, &here.provider, &profile.provider, args));
    }
    let provider = profile.at(provider);
    let (given, set_for_once) = Default::default();
    Ok(Chosen { name, profile, provider, record, discovered, given, set_for_once })
}

fn other_provider(name: &str, here: &str, there: &str, args: &Import) -> Report {
    Report::usage(format!(
        "`{name}` is connected to {}, and this is a connection to {}",
        printable(here),
        printable(there)
    ))
    .hint("import it under another name, or say --yes to replace the one that is here")
    .next(import_under(Some(&format!("{name}-2")), args))
}

/// The name by which the provider is known here: a file's path is another machine's.
fn provider_name(blob: &Blob, provider: &Provider) -> String {
    match is_path(&blob.profile.provider) {
        true => provider.name.clone(),
        false => blob.profile.provider.clone(),
    }
}

/// The provider: a file of the user's that came along, else one that is known here.
fn provider(context: &Context<'_>, blob: &Blob) -> Result<(Provider, Option<ToKeep>), Report> {
    let Some(text) = &blob.provider_file else {
        return Ok((context.provider(&blob.profile.provider)?, None));
    };
    let provider = file::read("the sealed provider file", text)
        .map_err(|error| report::provider_file(&error))?;
    let name = provider_name(blob, &provider);
    check_name(&name).map_err(|error| report::profile(&error))?;
    let is_there = context.own_provider_names().contains(&name) || catalogue::text(&name).is_some();
    let is_same = is_there && context.provider(&name).is_ok_and(|known| known == provider);
    if is_same {
        return Ok((provider, None));
    }
    let question = format!("there is another provider `{name}` here. Replace it?");
    if is_there && !context.agreed(&question)? {
        return Err(report::provider_collision(&name));
    }
    Ok((provider, Some(ToKeep::new(name, text.clone()))))
}
