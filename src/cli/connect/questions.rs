//! What nothing named yet is asked for, before the browser opens.

use super::super::command_line::{self, Plus};
use super::super::context::{Chosen, Context, title};
use super::super::report::{self, Exit, Report};
use super::begin::checked_client_id;
use crate::profile::settings;
use crate::provider::schema::{Needed, RegistrationKind};

/// Asks for the client id where nothing named it.
pub fn ask_client(context: &Context<'_>, chosen: &mut Chosen) -> Result<(), Report> {
    if chosen.profile.client_id.is_some() {
        return Ok(());
    }
    match context.ask(&format!("Client id that {} gave you", title(&chosen.provider)))? {
        Some(client_id) => {
            let client_id = checked_client_id(context, &chosen.provider, &client_id)?;
            chosen.profile.client_id = Some(client_id);
            Ok(())
        }
        None => Err(client_id_missing(chosen)),
    }
}

fn client_id_missing(chosen: &Chosen) -> Report {
    let report = Report::new(
        Exit::SetUp,
        "client-id-missing",
        format!("there is no client id for `{}`", chosen.name),
    );
    // What was found at an issuer a moment ago has no file that could be shown.
    let report = match chosen.discovered.is_some() {
        true => report.hint("give the one that the vendor issued, or set KEYFOB_CLIENT_ID"),
        false => report
            .hint("give the one that the vendor issued, or set KEYFOB_CLIENT_ID; this shows how to get one")
            .next(format!("keyfob provider show {}", command_line::typed(&chosen.profile.provider))),
    };
    let connect = |plus: Plus<'_>| chosen.given.command("connect", &chosen.name, plus);
    match chosen.provider.registration.as_ref().map(|it| it.kind) {
        Some(RegistrationKind::Dynamic) => report
            .cause("the server gives client ids itself, to whoever asks with --register")
            .next(connect(&[("--register", "")])),
        Some(RegistrationKind::MetadataDocument) => report
            .cause("the server takes the https URL of a document that you publish")
            .next(connect(&[("--client-id", "https://…"), ("--print-client-document", "")])),
        None => report,
    }
    .next(connect(&[("--client-id", "…")]))
}

/// Asks for the settings that are missing; an empty answer is enough where calls alone need it.
pub fn ask_settings(
    context: &Context<'_>,
    chosen: &mut Chosen,
    for_calls_too: bool,
) -> Result<(), Report> {
    let values = settings::values(&chosen.provider, &chosen.profile.settings, None);
    let mut missing = settings::missing(&chosen.provider, &values, Needed::Connect);
    if for_calls_too {
        let calls = settings::missing(&chosen.provider, &values, Needed::Call);
        // An empty value that was given on purpose means "later".
        missing.extend(
            calls.into_iter().filter(|(name, _)| !chosen.profile.settings.contains_key(*name)),
        );
    }
    let mut answers = Vec::new();
    for (name, setting) in missing {
        let nobody = context.system.person.is_none();
        // What calls alone need can be set later.
        if nobody && setting.needed == Needed::Call {
            set_later(context, chosen, name);
            continue;
        }
        if nobody {
            return Err(missing_setting(chosen, name, &setting.ask, for_calls_too));
        }
        let answer = context.ask(&setting.ask)?.unwrap_or_default();
        if answer.is_empty() && setting.needed == Needed::Connect {
            return Err(missing_setting(chosen, name, &setting.ask, for_calls_too));
        }
        let value = settings::check(&chosen.provider, name, &answer)
            .map_err(|error| report::setting(&error))?;
        answers.push((name.to_owned(), value));
    }
    chosen.profile.settings.extend(answers);
    Ok(())
}

fn set_later(context: &Context<'_>, chosen: &Chosen, name: &str) {
    let profile = command_line::word(&chosen.name);
    let says = format!(
        "calls need the setting `{name}`; set it when it is known: keyfob profile set {profile} {name}=…"
    );
    context.output.note(context.system, &says);
}

fn missing_setting(chosen: &Chosen, name: &str, ask: &str, connects: bool) -> Report {
    let command = if connects { "connect" } else { "import" };
    Report::usage(format!("{} needs the setting `{name}`", title(&chosen.provider)))
        .cause(ask.to_owned())
        .hint("give it")
        .next(chosen.given.command(command, &chosen.name, &[("--set", &format!("{name}=…"))]))
}
