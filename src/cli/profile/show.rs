//! `profile list` and `profile show`: no secret is in a profile, and none is read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::args::OneProfile;
use crate::cli::context::Context;
use crate::cli::layout::table;
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::profile::{OwnClient, Profile, settings};

/// Lists the profiles; one that cannot be read is named all the same.
pub fn list(context: &Context<'_>) -> Result<Exit, Report> {
    let names = context.profiles.names().map_err(|error| report::profile(&error))?;
    let read: Vec<(String, Result<Profile, Report>)> = names
        .into_iter()
        .map(|name| {
            let profile = context.profiles.read(&name).map_err(|error| report::profile(&error));
            (name, profile)
        })
        .collect();
    if context.output.json {
        let rows: Vec<Value> = read.iter().map(|(name, profile)| row(name, profile)).collect();
        context.output.document(context.system, &json!({ "profiles": rows }))?;
    } else if read.is_empty() {
        context.output.note(context.system, "no profiles yet: `keyfob connect` makes one");
    } else {
        context.output.page(context.system, &shown(context.output.width(context.system), &read))?;
    }
    let unreadable: Vec<&Report> =
        read.iter().filter_map(|(_, profile)| profile.as_ref().err()).collect();
    let Some((last, others)) = unreadable.split_last() else { return Ok(Exit::Done) };
    if !context.output.json {
        others.iter().for_each(|report| context.output.failure(context.system, report));
    }
    Err((*last).clone())
}

fn row(name: &str, profile: &Result<Profile, Report>) -> Value {
    match profile {
        Ok(profile) => json!({
            "profile": name,
            "provider": profile.provider,
            "client_id": profile.client_id,
            "scopes": profile.scopes,
            "settings": profile.settings,
        }),
        Err(report) => json!({"profile": name, "error": report.document()["error"]}),
    }
}

fn shown(width: Option<usize>, read: &[(String, Result<Profile, Report>)]) -> String {
    let rows = read.iter().map(|(name, profile)| match profile {
        Ok(profile) => vec![
            name.clone(),
            printable(&profile.provider),
            printable(profile.client_id.as_deref().unwrap_or("-")),
            or_dash(pairs(&profile.settings)),
            or_dash(printable(&profile.scopes.join(" "))),
        ],
        Err(_) => vec![name.clone(), "cannot be read".into(), "-".into(), "-".into(), "-".into()],
    });
    table(width, &["profile", "provider", "client id", "settings", "scopes"], rows.collect())
}

fn pairs(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}={value}")).collect();
    printable(&pairs.join(" "))
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

/// Shows one profile, with the provider's defaults where it can be read.
pub fn one(context: &Context<'_>, args: &OneProfile) -> Result<Exit, Report> {
    let name = context.profile_name(args.profile.as_deref())?;
    let profile = context.profiles.read(&name).map_err(|error| report::profile(&error))?;
    let defaults = defaults(context, &profile);
    if context.output.json {
        let document = json!({
            "profile": name,
            "provider": profile.provider,
            "client_id": profile.client_id,
            "scopes": profile.scopes,
            "flow": profile.flow,
            "resource": profile.resource,
            "authorization_details": profile.authorization_details,
            "redirect_uri": profile.redirect_uri,
            "store": profile.store.map(|kind| kind.name()),
            "save_to": profile.save_to,
            "dpop": profile.dpop,
            "client": profile.own_client(),
            "userinfo": profile.userinfo,
            "settings": profile.settings,
            "defaults": defaults,
            "params": profile.params,
            "registered": registered(&profile),
            "file": context.profiles.path(&name),
        });
        context.output.document(context.system, &document)?;
        return Ok(Exit::Done);
    }
    let mut lines = lines(&profile, &defaults);
    lines.extend(registered_line(context, &profile));
    let mut text = format!("profile       {name}\n");
    for (key, value) in lines {
        text.push_str(&format!("{key:<13} {}\n", printable(&value)));
    }
    text.push_str(&format!("file          {}\n", context.profiles.path(&name).display()));
    context.output.page(context.system, &text)?;
    Ok(Exit::Done)
}

fn lines(profile: &Profile, defaults: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let flow = profile.flow.map(|flow| json!(flow).as_str().unwrap_or_default().to_owned());
    let known = [
        ("provider", Some(profile.provider.clone())),
        ("client_id", profile.client_id.clone()),
        ("scopes", Some(profile.scopes.join(" ")).filter(|scopes| !scopes.is_empty())),
        ("flow", flow),
        ("resource", Some(profile.resource.join(" ")).filter(|it| !it.is_empty())),
        ("details", profile.authorization_details.clone()),
        ("redirect_uri", profile.redirect_uri.clone()),
        ("store", profile.store.map(|kind| kind.name().to_owned())),
        ("save_to", profile.save_to.clone()),
        ("dpop", profile.dpop.then(|| "true".to_owned())),
        ("client", profile.own_client().map(client)),
        ("userinfo", profile.userinfo.then(|| "true".to_owned())),
    ];
    let mut lines: Vec<(String, String)> =
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    let set = profile.settings.iter().filter(|(_, value)| !value.is_empty());
    lines.extend(set.map(|(key, value)| (key.clone(), value.clone())));
    lines.extend(defaults.iter().map(|(key, value)| (key.clone(), format!("{value} (default)"))));
    lines.extend(
        profile.params.iter().map(|(key, value)| ("param".into(), format!("{key}={value}"))),
    );
    lines
}

/// How the client proves itself, by the names that servers publish.
fn client(own: OwnClient) -> String {
    let method = own.auth.map(|auth| auth.registered_name());
    let bound = own.certificate.then_some("tokens bound to its certificate");
    method.into_iter().chain(bound).collect::<Vec<_>>().join(", ")
}

/// The registration that keyfob made, for scripts.
fn registered(profile: &Profile) -> Option<Value> {
    let it = profile.registered.as_ref()?;
    Some(json!({
        "endpoint": it.endpoint,
        "at": it.at,
        "authentication": it.authentication,
        "secret_expires_at": it.secret_expires_at,
    }))
}

/// The same for people.
fn registered_line(context: &Context<'_>, profile: &Profile) -> Option<(String, String)> {
    let it = profile.registered.as_ref()?;
    let ended = profile.secret_has_ended(context.system.clock.now());
    let secret = match it.secret_expires_at {
        Some(end) if ended => format!("; its secret ended {end}"),
        Some(end) => format!("; its secret ends {end}"),
        None => String::new(),
    };
    Some(("registered".into(), format!("by keyfob at {}, {}{secret}", it.endpoint, it.at)))
}

/// The settings that the provider fills in; none where its file cannot be read.
fn defaults(context: &Context<'_>, profile: &Profile) -> BTreeMap<String, String> {
    let Ok(provider) = context.provider(&profile.provider) else {
        return BTreeMap::new();
    };
    let values = settings::values(&provider, &profile.settings, profile.client_id.as_deref());
    provider
        .settings
        .keys()
        .filter(|name| profile.settings.get(*name).is_none_or(String::is_empty))
        .filter_map(|name| Some((name.clone(), values.get(name)?.to_owned())))
        .collect()
}
