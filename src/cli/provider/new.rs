//! `provider new`: a provider file of the user's own, from what a server says of itself.

use serde_json::json;

use crate::cli::args::ProviderNew;
use crate::cli::command_line::{self, Given, Plus, Typed};
use crate::cli::context::Context;
use crate::cli::discovered::{self, ToKeep};
use crate::cli::report::{Exit, Report};
use crate::http::printable::printable;
use crate::profile::name;
use crate::provider::schema::RegistrationKind;
use crate::provider::{Provider, catalogue};

/// Writes the file, or prints it; one that is there is replaced only on purpose.
pub fn run(context: &Context<'_>, args: &ProviderNew) -> Result<Exit, Report> {
    check(args)?;
    // Nothing is asked of a server for a file that will not be written.
    let is_free = args.print || !context.own_provider_names().contains(&args.name);
    if !is_free && !context.agreed(&format!("replace your provider `{}`?", args.name))? {
        return Err(taken(context, args));
    }
    context.typed(typed(context, args));
    let server = args.authorization_server.as_deref();
    let (text, provider) = discovered::written(context, &args.from, server, &args.name)?;
    if args.print {
        match context.output.json {
            true => {
                let document = json!({"provider": args.name, "file": null, "text": text});
                context.output.document(context.system, &document)?;
            }
            false => context.output.product(context.system, &text)?,
        }
        return Ok(Exit::Done);
    }
    let path = context.system.home.providers().join(format!("{}.toml", args.name));
    discovered::keep(context, Some(&ToKeep::new(args.name.clone(), text.clone())))?;
    if context.output.json {
        let document = json!({"provider": args.name, "file": path, "text": text});
        context.output.document(context.system, &document)?;
        return Ok(Exit::Done);
    }
    let path = printable(&path.display().to_string());
    context.output.say(context.system, &format!("wrote {path}"));
    tell_next(context, &provider);
    Ok(Exit::Done)
}

/// How to go on, one command a line; a server that registers clients itself leaves the choice.
fn tell_next(context: &Context<'_>, provider: &Provider) {
    let connect = format!("keyfob connect {}", provider.name);
    let kind = provider.registration.as_ref().map(|it| it.kind);
    let lines = match kind {
        Some(RegistrationKind::Dynamic) => vec![
            "next, with a client id that the server gives you itself:".to_owned(),
            format!("      {connect} --register"),
            "or with one that you have:".to_owned(),
            format!("      {connect} --client-id …"),
        ],
        Some(RegistrationKind::MetadataDocument) | None => vec![format!("next: {connect}")],
    };
    lines.iter().for_each(|line| context.output.say(context.system, line));
}

/// What is wrong with the words, before anything is sent.
fn check(args: &ProviderNew) -> Result<(), Report> {
    let shown = printable(&args.name);
    if let Err(error) = name::check(&args.name) {
        return Err(Report::usage(format!("`{shown}` is no name for a provider"))
            .cause(error.to_string())
            .hint("choose one such as `vendor`"));
    }
    if catalogue::names().any(|shipped| shipped == args.name) {
        return Err(Report::usage(format!("`{shown}` is shipped with keyfob"))
            .hint("a file of that name would hide it: choose another name"));
    }
    match args.from.contains("://") {
        true => Ok(()),
        false => Err(Report::usage(format!("`{}` is no URL", printable(&args.from)))
            .hint("name an issuer, or an API, by its https URL")),
    }
}

fn taken(context: &Context<'_>, args: &ProviderNew) -> Report {
    let Typed { verb, name, given, .. } = typed(context, args);
    let again = |plus: Plus<'_>| given.command(verb, &name, plus);
    let path = context.system.home.providers().join(format!("{}.toml", args.name));
    Report::usage(format!("you have a provider `{}`", args.name))
        .cause(printable(&path.display().to_string()))
        .hint("nothing was changed; look at the new one, or replace it on purpose")
        .next(again(&[("--print", "")]))
        .next(again(&[("--yes", "")]))
}

/// The command as it was typed.
fn typed(context: &Context<'_>, args: &ProviderNew) -> Typed {
    let mut given = Given::of_global(context.global);
    given.add("--from", command_line::typed(&args.from));
    if let Some(server) = &args.authorization_server {
        given.add("--authorization-server", command_line::typed(server));
    }
    if args.print {
        given.add("--print", String::new());
    }
    Typed { verb: "provider new", name: args.name.clone(), place: "--from", given }
}
