//! `profile set`: one KEY=VALUE at a time, all of them or none.

use serde_json::json;

use super::asking;
use crate::cli::args::ProfileSet;
use crate::cli::connect::userinfo;
use crate::cli::context::{Context, store_kind_named};
use crate::cli::report::{self, Exit, Report};
use crate::connection::api_origin;
use crate::http::printable::printable;
use crate::profile::client_id::{self, ClientIdError};
use crate::profile::record::GivenFor;
use crate::profile::scopes::{self, ScopeError};
use crate::profile::{Profile, Record, settings};
use crate::provider::Provider;
use crate::provider::nearest::nearest;
use crate::store::StoreKind;
use crate::user_agent::redirect_uri::RedirectUri;

/// What can be set beside the provider's settings.
pub const KEYS: [&str; 9] = [
    "client_id",
    "scopes",
    "redirect_uri",
    "store",
    "save_to",
    "flow",
    "dpop",
    "userinfo",
    "resource",
];

/// Sets what was given and writes the profile once.
pub fn run(context: &Context<'_>, args: &ProfileSet) -> Result<Exit, Report> {
    let chosen = context.chosen(Some(&args.profile))?;
    let mut profile = chosen.profile.clone();
    for (key, value) in &args.settings {
        set(&mut profile, &chosen.provider, &chosen.record, key, value)
            .map_err(|refusal| refusal.report(&chosen.name, &chosen.provider))?;
    }
    if profile.userinfo && !chosen.profile.userinfo {
        userinfo::check(&chosen.provider, &profile)?;
    }
    context.profiles.write(&chosen.name, &profile).map_err(|error| report::profile(&error))?;
    for warning in warnings(&chosen.profile, &profile, &chosen.provider, &chosen.record) {
        context.output.warn(context.system, &printable(&warning));
    }
    for (key, value) in &args.settings {
        if let Some(warning) = settings::warning(&chosen.provider, key, value) {
            context.output.warn(context.system, &printable(&format!("{key}={value}: {warning}")));
        }
    }
    if context.output.json {
        let set: Vec<&String> = args.settings.iter().map(|(key, _)| key).collect();
        let document = json!({"profile": chosen.name, "set": set});
        context.output.document(context.system, &document)?;
    } else {
        context.output.note(context.system, &format!("`{}` is written", chosen.name));
    }
    Ok(Exit::Done)
}

/// Why a value is not taken.
#[derive(Debug)]
enum Refusal {
    /// Neither a setting nor one of [`KEYS`].
    UnknownKey { key: String, nearest: Option<String> },
    /// A secret, which belongs into the store and not on a command line.
    Secret(String),
    /// The provider's own rule.
    Setting(settings::SettingError),
    /// A scope that makes no sense.
    Scope(ScopeError),
    /// No redirect URI.
    RedirectUri(crate::user_agent::redirect_uri::RedirectUriError),
    /// No store of that name.
    UnknownStore { name: String, nearest: Option<&'static str> },
    /// The connection is kept somewhere, and a line in a file does not move it.
    Connected { kept: Option<StoreKind>, wanted: StoreKind },
    /// No client id of the provider.
    ClientId(ClientIdError),
    /// What cannot be asked for.
    Asking(asking::Refusal),
}

/// Sets one value; an empty one unsets it.
fn set(
    profile: &mut Profile,
    provider: &Provider,
    record: &Record,
    key: &str,
    value: &str,
) -> Result<(), Refusal> {
    let value = value.trim();
    if provider.settings.contains_key(key) {
        let value = settings::check(provider, key, value).map_err(Refusal::Setting)?;
        match value.is_empty() {
            true => profile.settings.remove(key),
            false => profile.settings.insert(key.to_owned(), value),
        };
        return Ok(());
    }
    let given = Some(value).filter(|value| !value.is_empty());
    match key {
        "client_id" => {
            let client_id = given.map(|id| client_id::check(provider, id)).transpose();
            profile.name_client(client_id.map_err(Refusal::ClientId)?);
        }
        "scopes" => {
            profile.scopes = scopes::read(provider, [value]).map_err(Refusal::Scope)?;
        }
        "redirect_uri" => profile.redirect_uri = given.map(redirect_uri).transpose()?,
        "save_to" => profile.save_to = given.map(str::to_owned),
        "store" => profile.store = given.map(|name| store(record, name)).transpose()?,
        _ => match asking::set(profile, provider, key, value) {
            Some(done) => done.map_err(Refusal::Asking)?,
            None => return Err(unknown_key(provider, key)),
        },
    }
    Ok(())
}

fn unknown_key(provider: &Provider, key: &str) -> Refusal {
    if matches!(key, "client_secret" | "webhook_secret" | "private_key" | "client_certificate") {
        return Refusal::Secret(key.to_owned());
    }
    let known = KEYS.into_iter().chain(provider.settings.keys().map(String::as_str));
    Refusal::UnknownKey { key: key.to_owned(), nearest: nearest(key, known).map(str::to_owned) }
}

fn redirect_uri(value: &str) -> Result<String, Refusal> {
    let uri: RedirectUri = value.parse().map_err(Refusal::RedirectUri)?;
    Ok(uri.as_str().to_owned())
}

fn store(record: &Record, name: &str) -> Result<StoreKind, Refusal> {
    let wanted = store_kind_named(name)
        .map_err(|nearest| Refusal::UnknownStore { name: name.to_owned(), nearest })?;
    match record.connected && record.store != Some(wanted) {
        true => Err(Refusal::Connected { kept: record.store, wanted }),
        false => Ok(wanted),
    }
}

/// What a change means for tokens that are there already: nothing where it sets back what they belong to.
fn warnings(
    before: &Profile,
    after: &Profile,
    provider: &Provider,
    record: &Record,
) -> Vec<String> {
    let known = record.given_for.clone().or_else(|| as_set_up(before, provider));
    let Some(given) = known.filter(|_| record.connected) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    let changed = provider.settings.keys().filter(|name| {
        let value = |profile: &Profile| profile.settings.get(*name).cloned();
        value(before) != value(after)
    });
    let changed: Vec<&str> = changed.map(String::as_str).collect();
    if !changed.is_empty()
        && let Some(home) = left(&given, after, provider)
    {
        warnings.push(format!(
            "the stored tokens belong to {} {home} and are not sent elsewhere: set it back, or connect again",
            changed.join(", ")
        ));
    }
    if let Some(client_id) = &given.client_id
        && before.client_id != after.client_id
        && after.client_id.as_ref() != Some(client_id)
    {
        warnings.push(format!(
            "the stored tokens belong to the client id {client_id} until you connect again"
        ));
    }
    let wants_key = after.dpop || provider.client.dpop_bound_access_tokens;
    if before.dpop != after.dpop && wants_key != given.to_key {
        let are = if given.to_key { "are bound to a key" } else { "are bound to no key" };
        warnings.push(format!("the stored tokens {are}, as they were given: connect again"));
    }
    warnings
}

/// What tokens belong to that a profile, as it is set up, was connected with.
fn as_set_up(profile: &Profile, provider: &Provider) -> Option<GivenFor> {
    let values = settings::values(provider, &profile.settings, profile.client_id.as_deref());
    Some(GivenFor {
        client_id: profile.client_id.clone(),
        token_endpoint: values.render_url(&provider.token.url).ok()?,
        api_origin: api_origin(provider, &values).ok()?,
        to_key: profile.dpop || provider.client.dpop_bound_access_tokens,
    })
}

/// The place that tokens belong to, where a profile now names another one.
fn left<'g>(given: &'g GivenFor, profile: &Profile, provider: &Provider) -> Option<&'g str> {
    let client_id = given.client_id.as_ref().or(profile.client_id.as_ref());
    let values = settings::values(provider, &profile.settings, client_id.map(String::as_str));
    // What cannot be filled in cannot be sent to either.
    let endpoint = values.render_url(&provider.token.url).ok();
    let origin = api_origin(provider, &values).ok();
    [(origin, &given.api_origin), (endpoint, &given.token_endpoint)]
        .into_iter()
        .find(|(is, was)| is.as_ref().is_some_and(|is| is != *was))
        .map(|(_, was)| was.as_str())
}

impl Refusal {
    /// The words for it.
    fn report(self, name: &str, provider: &Provider) -> Report {
        let command = format!("keyfob profile set {name}");
        match self {
            Self::UnknownKey { key, nearest } => {
                unknown_key_report(&key, nearest, provider, &command)
            }
            Self::Secret(key) => Report::usage("a profile's file holds no secret")
                .cause("every user of this machine can read the arguments of a process")
                .hint(
                    "change the secret that was typed, then keep it in the store; it is asked for",
                )
                .next(format!("keyfob profile secret {name} {key}")),
            Self::Setting(error) => {
                let mut report = report::setting(&error);
                // Its words are those of `connect --set`.
                report.hint = report.hint.map(|it| it.replace("--set ", &format!("{command} ")));
                report
            }
            Self::Scope(error) => {
                report::scope(&error, provider, "").next(format!("keyfob scopes {name}"))
            }
            Self::RedirectUri(error) => Report::usage("that is no redirect URI")
                .cause(printable(&error.to_string()))
                .hint("give it as it is registered at the vendor")
                .next(format!("{command} redirect_uri=http://127.0.0.1:8976/callback")),
            Self::UnknownStore { name: store, nearest } => {
                let names = StoreKind::ALL.map(StoreKind::name).join(", ");
                Report::usage(format!("there is no store `{}`", printable(&store)))
                    .hint(format!("the stores are {names}"))
                    .next(format!("{command} store={}", nearest.unwrap_or("file")))
            }
            Self::Connected { kept, wanted } => Report::usage(format!(
                "the connection of `{name}` is kept in the {} store",
                kept.map_or("old", StoreKind::name)
            ))
            .cause("setting another one would not move its tokens")
            .hint("connect again, with the store to use")
            .next(format!("keyfob connect {name} --store {}", wanted.name())),
            Self::ClientId(error) => report::client_id(&error, provider),
            Self::Asking(refusal) => refusal.report(provider, &command),
        }
    }
}

fn unknown_key_report(
    key: &str,
    nearest: Option<String>,
    provider: &Provider,
    command: &str,
) -> Report {
    let report =
        Report::usage(format!("a profile of `{}` has no `{}`", provider.name, printable(key)));
    match nearest {
        Some(nearest) => report.hint("did you mean this?").next(format!("{command} {nearest}=…")),
        None => {
            let own = provider.settings.keys().map(String::as_str);
            let known: Vec<&str> = own.chain(KEYS).collect();
            report.hint(format!("it has {}", known.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn provider(name: &str) -> Provider {
        shipped(name).unwrap().unwrap()
    }

    fn set_one(profile: &mut Profile, vendor: &str, key: &str, value: &str) -> Result<(), Refusal> {
        set(profile, &provider(vendor), &Record::default(), key, value)
    }

    #[test]
    fn every_key_is_set_and_an_empty_value_unsets_it() {
        let cases = [
            ("client_id", "inkid_1"),
            ("scopes", "orders:read,orders:write wallet:read"),
            ("redirect_uri", "http://127.0.0.1:8976/callback/x"),
            ("store", "file"),
            ("save_to", "cat"),
            ("flow", "code"),
            ("dpop", "true"),
            ("userinfo", "true"),
            ("resource", "https://a.test/ https://b.test/"),
            ("api_host", "http://127.0.0.1:9"),
        ];
        let mut profile = Profile::default();
        for (key, value) in cases {
            set_one(&mut profile, "inkress", key, value).unwrap();
        }
        assert_eq!(profile.scopes, ["orders:read", "orders:write", "wallet:read"]);
        assert_eq!(profile.store, Some(StoreKind::File));
        assert_eq!(profile.flow, Some(crate::provider::schema::Flow::AuthorizationCode));
        assert_eq!(profile.resource, ["https://a.test/", "https://b.test/"]);
        assert!(profile.dpop && profile.userinfo);
        assert!(KEYS.iter().all(|key| cases.iter().any(|(it, _)| it == key)));
        assert_eq!(profile.settings["api_host"], "http://127.0.0.1:9");
        for (key, _) in cases {
            set_one(&mut profile, "inkress", key, "").unwrap();
        }
        assert_eq!(profile, Profile::default());
    }

    #[test]
    fn a_slip_is_named() {
        let mut profile = Profile::default();
        let key = set_one(&mut profile, "inkress", "clientid", "x");
        assert!(
            matches!(key, Err(Refusal::UnknownKey { nearest: Some(it), .. }) if it == "client_id")
        );
        let scope = set_one(&mut profile, "inkress", "scopes", "order:read");
        assert!(
            matches!(scope, Err(Refusal::Scope(ScopeError::Unknown { nearest: Some(it), .. })) if it == "orders:read")
        );
        let store = set_one(&mut profile, "inkress", "store", "fil");
        assert!(matches!(store, Err(Refusal::UnknownStore { nearest: Some("file"), .. })));
        assert_eq!(profile, Profile::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut profile = Profile::default();
        let reserved = set_one(&mut profile, "inkress", "scopes", "payments:read");
        assert!(matches!(reserved, Err(Refusal::Scope(ScopeError::Reserved { .. }))));
        let uri = set_one(&mut profile, "inkress", "redirect_uri", "http://evil.test/x");
        assert!(matches!(uri, Err(Refusal::RedirectUri(_))));
        let host = set_one(&mut profile, "inkress", "api_host", "http://api.example.com");
        assert!(matches!(host, Err(Refusal::Setting(_))));
        for (key, value) in
            [("flow", "device"), ("flow", "x"), ("dpop", "yes"), ("resource", "api")]
        {
            let refused = set_one(&mut profile, "inkress", key, value);
            assert!(matches!(refused, Err(Refusal::Asking(_))), "{key}={value}");
        }
        assert_eq!(profile, Profile::default());
        assert!(matches!(
            set_one(&mut profile, "inkress", "client_id", "a\u{1b}[2Kb"),
            Err(Refusal::ClientId(ClientIdError::Unusable))
        ));
    }

    #[test]
    fn a_table_that_is_not_whole_refuses_no_scope() {
        let mut profile = Profile::default();
        set_one(&mut profile, "inventorum", "scopes", "shop.products.publishing").unwrap();
        assert_eq!(profile.scopes, ["shop.products.publishing"]);
    }

    #[test]
    fn a_connection_stays_in_its_store_and_warns_of_another_host() {
        let record = Record { connected: true, store: Some(StoreKind::File), ..Record::default() };
        let inkress = provider("inkress");
        let before = Profile::default();
        let mut after = before.clone();
        let moved = set(&mut after, &inkress, &record, "store", "keychain");
        assert!(matches!(moved, Err(Refusal::Connected { wanted: StoreKind::Keychain, .. })));
        set(&mut after, &inkress, &record, "api_host", "api.staging.example").unwrap();
        let warnings_of = |record| warnings(&before, &after, &inkress, record);
        assert_eq!(warnings_of(&record).len(), 1);
        assert!(warnings_of(&record)[0].contains("https://api.inkress.com"));
        assert!(warnings_of(&Record::default()).is_empty());
    }

    #[test]
    fn what_is_set_back_warns_of_nothing() {
        let inkress = provider("inkress");
        let connected = Profile { client_id: Some("one".into()), ..Profile::default() };
        let given_for = as_set_up(&connected, &inkress);
        let record = Record { connected: true, given_for, ..Record::default() };
        let change = |before: &Profile, key, value| {
            let mut after = before.clone();
            set(&mut after, &inkress, &record, key, value).unwrap();
            let warnings = warnings(before, &after, &inkress, &record);
            (after, warnings)
        };
        for (key, value, back, words) in [
            ("api_host", "https://evil.example", "https://api.inkress.com", "https://api.inkress"),
            ("api_host", "https://evil.example", "", "https://api.inkress"),
            ("client_id", "two", "one", "client id one"),
            ("dpop", "true", "false", "no key"),
        ] {
            let (away, told) = change(&connected, key, value);
            assert!(told.len() == 1 && told[0].contains(words), "{key}: {told:?}");
            let (_, told) = change(&away, key, back);
            assert_eq!(told, [""; 0], "{key}={back}");
        }
        let (away, _) = change(&connected, "api_host", "https://evil.example");
        let (_, told) = change(&away, "api_host", "https://worse.example");
        assert!(told[0].contains("https://api.inkress.com"), "{told:?}");
    }
}
