//! `profile rename`, `remove` and `secret`: the words around what `connection::keeping` does.

use serde_json::json;

use super::unregister;
use crate::cli::args::{ProfileRemove, ProfileRename, ProfileSecret, SecretName};
use crate::cli::context::Context;
use crate::cli::report::{self, Exit, Report};
use crate::cli::{client_certificate, client_key, notices, secrets};
use crate::connection::keeping::{self, KeepingError};
use crate::connection::{Drawer, Notice};
use crate::http::printable::printable;
use crate::profile::file::check_name;
use crate::profile::{Profile, Record};
use crate::secret::Secret;
use crate::store::{StoreError, StoreKind};

/// The longest secret that standard input may hold, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

/// A profile, its record and the store that holds its entry; its provider may be unreadable.
pub(super) struct Kept {
    pub(super) name: String,
    pub(super) profile: Profile,
    record: Record,
    kind: StoreKind,
}

impl Kept {
    fn find(context: &Context<'_>, name: &str) -> Result<Self, Report> {
        let name = context.profile_name(Some(name))?;
        let profile = context.profiles.read(&name).map_err(|error| report::profile(&error))?;
        let record = context.profiles.record(&name).map_err(|error| report::profile(&error))?;
        let kind = context.store_kind(&profile, &record)?;
        match record.store {
            Some(kept) if kept != kind => Err(elsewhere(&name, kept)),
            _ => Ok(Self { name, profile, record, kind }),
        }
    }

    fn drawer(&self, context: &Context<'_>) -> Result<Drawer, Report> {
        context.drawer(&self.name, self.kind)
    }

    fn notify<'a>(&'a self, context: &'a Context<'_>) -> impl Fn(Notice) + 'a {
        |notice| {
            let provider = &self.profile.provider;
            notices::tell(context.output, context.system, &self.name, provider, notice);
        }
    }
}

/// `--store` names another store than the one the connection is in.
fn elsewhere(name: &str, kept: StoreKind) -> Report {
    Report::usage(format!("the connection of `{name}` is kept in the {} store", kept.name()))
        .cause("--store names another one")
        .hint("leave --store away; to move the connection, connect again with it")
}

/// Gives a profile another name.
pub fn rename(context: &Context<'_>, args: &ProfileRename) -> Result<Exit, Report> {
    let kept = Kept::find(context, &args.profile)?;
    check_name(&args.new).map_err(|error| report::profile(&error))?;
    if context.profiles.find(&args.new).map_err(|error| report::profile(&error))?.is_some() {
        return Err(report::keeping(&KeepingError::NameTaken(args.new.clone())));
    }
    let drawer = kept.drawer(context)?;
    let notify = kept.notify(context);
    context
        .wait(keeping::rename(context.system, &drawer, &args.new, &notify))?
        .map_err(|error| report::keeping(&error))?;
    let document = json!({"profile": args.new, "was": kept.name});
    done(context, document, &format!("`{}` is now `{}`", kept.name, args.new))
}

/// Removes a profile and everything that is kept for it.
pub fn remove(context: &Context<'_>, args: &ProfileRemove) -> Result<Exit, Report> {
    let kept = Kept::find(context, &args.profile)?;
    if kept.record.connected && !context.global.yes {
        confirm(context, &kept.name, args.unregister)?;
    }
    let drawer = kept.drawer(context)?;
    if args.unregister {
        unregister::run(context, &kept, &drawer)?;
    }
    let notify = kept.notify(context);
    match context.wait(keeping::remove(context.system, &drawer, &notify))? {
        Ok(()) => {}
        // A profile that was never connected has at most a client secret, and there is no
        // keychain that could hold it.
        Err(KeepingError::Store(
            StoreError::KeychainAbsent { .. } | StoreError::KeychainWithoutCollection,
        )) if !kept.record.connected => {
            context.profiles.remove(&kept.name).map_err(|error| report::profile(&error))?;
            context.output.warn(
                context.system,
                "there is no keychain here: a client secret kept in one elsewhere stays there",
            );
        }
        Err(error) => return Err(report::keeping(&error)),
    }
    if let (Some(registered), false) = (&kept.profile.registered, args.unregister) {
        let says = format!("its client lives on at {}", printable(&registered.endpoint));
        context.output.warn(context.system, &says);
    }
    let document = json!({"profile": kept.name, "outcome": "removed"});
    done(context, document, &format!("`{}` is removed", kept.name))
}

/// Tokens that are only forgotten live on at the vendor, so a person says yes first.
fn confirm(context: &Context<'_>, name: &str, unregister: bool) -> Result<(), Report> {
    let question =
        format!("`{name}` is connected; removing it does not revoke its tokens. Remove it?");
    if context.agreed(&question)? {
        return Ok(());
    }
    Err(Report::usage(format!("`{name}` is connected, so it was not removed"))
        .cause("removing it forgets its tokens here, and they live on at the vendor")
        .hint("revoke it first; or remove it all the same")
        .next(format!("keyfob revoke {name}"))
        .next(format!(
            "keyfob profile remove {name} --yes{}",
            if unregister { " --unregister" } else { "" }
        )))
}

/// Keeps a secret in the store; it is never printed.
pub fn secret(context: &Context<'_>, args: &ProfileSecret) -> Result<Exit, Report> {
    let kept = Kept::find(context, &args.profile)?;
    let provider = kept.profile.at(context.provider(&kept.profile.provider)?);
    let name = match args.name {
        SecretName::ClientSecret => "client_secret",
        SecretName::WebhookSecret => "webhook_secret",
        SecretName::PrivateKey => "private_key",
        SecretName::ClientCertificate => "client_certificate",
    };
    let secret = given(context, &kept.name, name)?;
    secrets::refuse_mixed(&provider, name, &secret)?;
    match args.name {
        SecretName::PrivateKey => client_key::check(&provider, &kept.name, &secret)?,
        SecretName::ClientCertificate => client_certificate::check_chain(&secret)?,
        SecretName::ClientSecret | SecretName::WebhookSecret => {}
    }
    let drawer = kept.drawer(context)?;
    let notify = kept.notify(context);
    context
        .wait(keeping::keep_secret(context.system, &drawer, &notify, &provider, name, secret))?
        .map_err(|error| report::keeping(&error))?;
    remember_store(context, &kept)?;
    let document = json!({"profile": kept.name, "secret": name, "store": kept.kind.name()});
    let says = format!("{name} of `{}` is kept in the {} store", kept.name, kept.kind.name());
    done(context, document, &says)
}

/// From a prompt without echo, or from standard input where that is no terminal.
fn given(context: &Context<'_>, profile: &str, name: &str) -> Result<Secret, Report> {
    let nothing = || {
        Report::usage(format!("no {name} was given"))
            .hint("type it at the prompt, or give it on standard input")
            .next(format!("keyfob profile secret {profile} {name} < FILE"))
    };
    if context.system.terminals.stdin {
        return client_key::asked(context, &format!("{name} of `{profile}` (not shown)"))?
            .ok_or_else(nothing);
    }
    let text = secrets::standard_input(context.system, LONGEST_SECRET)?;
    let secret = Secret::new(text.expose().trim_end_matches(['\r', '\n']));
    match secret.is_empty() {
        true => Err(nothing()),
        false => Ok(secret),
    }
}

/// A store that was named for the secret is the profile's from now on, so that `connect` finds it.
fn remember_store(context: &Context<'_>, kept: &Kept) -> Result<(), Report> {
    let named = context.global.store.is_some() && kept.profile.store != Some(kept.kind);
    if !named || kept.record.store.is_some() {
        return Ok(());
    }
    let profile = Profile { store: Some(kept.kind), ..kept.profile.clone() };
    context.profiles.write(&kept.name, &profile).map_err(|error| report::profile(&error))
}

fn done(context: &Context<'_>, document: serde_json::Value, says: &str) -> Result<Exit, Report> {
    match context.output.json {
        true => context.output.document(context.system, &document)?,
        false => context.output.note(context.system, says),
    }
    Ok(Exit::Done)
}
