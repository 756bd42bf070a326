//! `provider show`: how to register, what it opens, where it is, how it ends; ready to paste.

use serde_json::json;

use super::{flow_name, grants, lists, webhook};
use crate::cli::args::ProviderShow;
use crate::cli::command_line;
use crate::cli::context::{Context, is_path, title};
use crate::cli::discovered;
use crate::cli::layout;
use crate::cli::report::{Exit, Report, span};
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::{
    ClientAuthentication, Flow, Needed, PageStyle, Pages, Pkce, Presence, RedirectMatch,
    RegistrationKind, Rotation, Setting,
};

/// Shows one provider.
pub fn run(context: &Context<'_>, args: &ProviderShow) -> Result<Exit, Report> {
    let is_url = args.provider.contains("://");
    let provider = match is_url {
        true => discovered::seen(context, &args.provider)?,
        false => context.provider(&args.provider)?,
    };
    if context.output.json {
        context.output.document(context.system, &json!(provider))?;
        return Ok(Exit::Done);
    }
    let mut page = Page::default();
    heading(&mut page, &provider);
    register(&mut page, &provider, &args.provider);
    settings(&mut page, &provider);
    scopes(&mut page, &provider);
    endpoints(&mut page, &provider);
    behaviour(&mut page, &provider);
    page.section("Lists", lists::lists(&provider));
    page.section("Recipes (keyfob call PROFILE @NAME)", lists::recipes(&provider));
    page.section("Webhooks", webhook::lines(&provider));
    page.section("Connect", [command(&provider, &args.provider)]);
    let text = layout::page(context.output.width(context.system), &page.0);
    context.output.page(context.system, &text)?;
    if is_url {
        let from = command_line::typed(&args.provider);
        let says =
            format!("this is kept nowhere; `keyfob provider new NAME --from {from}` keeps it");
        context.output.note(context.system, &says);
    }
    Ok(Exit::Done)
}

/// Text in sections; what is empty is left out.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn section(&mut self, head: &str, lines: impl IntoIterator<Item = String>) {
        let lines: Vec<String> = lines.into_iter().filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            return;
        }
        self.line("");
        self.line(head);
        for line in lines {
            self.line(&format!("  {}", printable(&line)));
        }
    }
}

fn heading(page: &mut Page, provider: &Provider) {
    page.line(&printable(&format!("{}  ({})", title(provider), provider.name)));
    if !provider.summary.is_empty() {
        page.line(&printable(&provider.summary));
    }
    let flows: Vec<&str> = provider.flows.iter().map(|flow| flow_name(*flow)).collect();
    page.line(&format!("flows: {}", flows.join(", ")));
    if !provider.docs.is_empty() {
        page.line(&printable(&format!("from:  {}", provider.docs.join(", "))));
    }
}

fn labelled(label: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{label}: {text}") }
}

fn register(page: &mut Page, provider: &Provider, given: &str) {
    let setup = &provider.setup;
    let mut lines = vec![
        labelled("where", &setup.console),
        labelled("page", &setup.register_url),
        labelled("approval", &setup.approval),
    ];
    let steps = setup.steps.iter().enumerate();
    lines.extend(steps.map(|(at, step)| format!("{}. {step}", at + 1)));
    lines.push(by_itself(provider));
    lines.push(redirect(provider, given));
    lines.extend(setup.notes.iter().map(|note| labelled("note", note)));
    lines.push(labelled("support", &setup.support));
    page.section("Register", lines);
    if let Some(import) = &provider.import {
        let steps = import.steps.iter().enumerate();
        let steps = steps.map(|(at, step)| format!("{}. {step}", at + 1));
        page.section("Import", [labelled("where", &import.console)].into_iter().chain(steps));
    }
    if let Some(legacy) = &provider.legacy {
        let lines = [labelled("for", &legacy.until)].into_iter().chain(legacy.notes.clone());
        page.section("Password flow", lines);
    }
}

/// How a client becomes known without a form.
fn by_itself(provider: &Provider) -> String {
    match provider.registration.as_ref().map(|it| it.kind) {
        Some(RegistrationKind::Dynamic) => {
            "client id: the server gives one to `keyfob connect … --register`".into()
        }
        Some(RegistrationKind::MetadataDocument) => {
            "client id: the https URL of a document; `keyfob connect … --print-client-document` prints it".into()
        }
        None => String::new(),
    }
}

fn redirect(provider: &Provider, given: &str) -> String {
    let Some(authorize) = &provider.authorize else {
        return String::new();
    };
    let redirect = &authorize.redirect;
    match (redirect.matching, redirect.uri.as_str()) {
        (_, "") => format!(
            "redirect URI: a loopback address on any port; `keyfob connect {} --print-redirect` prints it",
            profile(provider, given)
        ),
        (RedirectMatch::Exact, uri) => {
            format!("redirect URI: {uri} (compared character by character)")
        }
        (RedirectMatch::LoopbackAnyPort, uri) => format!("redirect URI: {uri}, any port"),
    }
}

fn settings(page: &mut Page, provider: &Provider) {
    let lines = provider
        .settings
        .iter()
        .map(|(name, setting)| format!("{name}: {}; {}", setting.ask, value_of(setting)));
    page.section("Settings (--set KEY=VALUE)", lines);
}

fn value_of(setting: &Setting) -> String {
    match (&setting.default, setting.needed) {
        (Some(default), _) => format!("default {default}"),
        (None, Needed::Connect) => "required".into(),
        (None, Needed::Call) => "required by calls that use it".into(),
        (None, Needed::AfterConnect) => "chosen once connected".into(),
        (None, Needed::Never) => "optional".into(),
    }
}

fn scopes(page: &mut Page, provider: &Provider) {
    let mut lines: Vec<String> = provider
        .scope
        .iter()
        .map(|scope| {
            let words = [
                scope.grants.clone(),
                crate::cli::scopes::opens(scope),
                crate::cli::scopes::note(scope),
            ];
            let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
            labelled_or_bare(&scope.name, &words.join("; "))
        })
        .collect();
    if provider.more_scopes {
        lines.push("others may exist".into());
    }
    page.section(&format!("Scopes ({})", provider.scope.len()), lines);
}

fn labelled_or_bare(name: &str, words: &str) -> String {
    if words.is_empty() { name.to_owned() } else { format!("{name}: {words}") }
}

fn endpoints(page: &mut Page, provider: &Provider) {
    let url = |url: Option<&String>| url.cloned().unwrap_or_default();
    let pushed = provider.authorize.as_ref().and_then(|it| it.pushed_url.as_ref());
    let mut lines = vec![
        labelled("authorize", &url(provider.authorize.as_ref().map(|it| &it.url))),
        labelled("requests pushed to", &url(pushed)),
        labelled("device", &url(provider.device.as_ref().map(|it| &it.url))),
        labelled("token", &provider.token.url),
        labelled("revoke", &url(provider.revoke.as_ref().map(|it| &it.url))),
        labelled("introspect", &url(provider.introspect.as_ref().map(|it| &it.url))),
        labelled("userinfo", &url(provider.userinfo.as_ref().map(|it| &it.url))),
        labelled("keys", &url(provider.id_token.as_ref().map(|it| &it.jwks_url))),
        labelled("metadata", &url(provider.discovery.as_ref().map(|it| &it.url))),
        labelled(
            "registration",
            &url(provider.registration.as_ref().and_then(|it| it.url.as_ref())),
        ),
        labelled("API", &provider.api.base_url),
    ];
    let aliases = provider.mutual_tls.iter().flat_map(|table| table.urls());
    lines.extend(aliases.map(|(word, url)| {
        let what = word.trim_end_matches("_url");
        labelled(&format!("{what}, with a certificate"), url)
    }));
    lines.extend(provider.token.resource.iter().map(|it| labelled("tokens are for", it)));
    lines.extend(provider.api.hosts.iter().map(|host| labelled("token goes to", host)));
    let headers = provider.api.headers.iter();
    lines.extend(headers.map(|(name, value)| format!("every call: {name}: {value}")));
    page.section("Endpoints", lines);
    let limits = provider.api.limits.iter().map(|limit| {
        let what = match limit.path.as_str() {
            "token" => "token endpoint",
            "*" => "every other path",
            path => path,
        };
        let note = if limit.note.is_empty() { String::new() } else { format!(" ({})", limit.note) };
        format!("{what}: {} a minute{note}", limit.per_minute)
    });
    page.section("Limits", limits);
}

fn behaviour(page: &mut Page, provider: &Provider) {
    let lines = [
        format!("client: {}", client(provider)),
        labelled("or", &other_methods(provider)),
        labelled("tokens", bound(provider)),
        authorization(provider),
        device(provider),
        labelled("jwt bearer", &grants::jwt_bearer(provider)),
        labelled("token exchange", &grants::token_exchange(provider)),
        format!("refresh: {}", refresh(provider)),
        labelled("writes", &writes(provider)),
        labelled("pages", &pages(provider)),
        labelled("answers", &envelope(provider)),
        format!("end: {}", end(provider)),
    ];
    page.section("Behaviour", lines);
}

fn client(provider: &Provider) -> &'static str {
    let names_public = provider.client.offers(ClientAuthentication::Id);
    let secret = match provider.client.secret {
        // The server lists what it takes, and no client without a secret is among it.
        Presence::Optional if !provider.client.methods.is_empty() && !names_public => {
            Presence::Required
        }
        secret => secret,
    };
    match (provider.client.auth, secret) {
        (ClientAuthentication::Id, _) => "public, without a secret",
        (ClientAuthentication::Basic, Presence::Optional) => "HTTP Basic; public without a secret",
        (ClientAuthentication::Basic, _) => "client id and secret by HTTP Basic",
        (ClientAuthentication::Post, Presence::Optional) => {
            "secret in the body; public without one"
        }
        (ClientAuthentication::Post, _) => "client id and secret in the body",
        (ClientAuthentication::PrivateKeyJwt, _) => "an assertion signed with a private key",
        (ClientAuthentication::ClientSecretJwt, _) => "an assertion signed with the client secret",
        (ClientAuthentication::TlsClientAuth, _) => "a certificate (mutual TLS)",
        (ClientAuthentication::SelfSignedTlsClientAuth, _) => {
            "a certificate of its own (mutual TLS)"
        }
    }
}

/// What a profile may choose in the place of that, and how.
fn other_methods(provider: &Provider) -> String {
    let client = &provider.client;
    let others = client.all_methods().iter().filter(|method| **method != client.auth);
    let others = others.map(|method| match method {
        ClientAuthentication::PrivateKeyJwt => {
            "an assertion signed with a private key (--client-key-file)".to_owned()
        }
        method if method.shows_certificate() => {
            "a certificate (--client-certificate-file and --client-key-file)".to_owned()
        }
        method => format!("--client-authentication {}", method.registered_name()),
    });
    let mut words: Vec<String> = others.collect();
    words.dedup();
    words.join("; ")
}

fn bound(provider: &Provider) -> &'static str {
    let binds = provider.mutual_tls.as_ref().is_some_and(|table| table.binds_tokens);
    match (provider.client.certificate_bound_access_tokens, binds) {
        (true, _) => "bound to the client's certificate, which the API sees too",
        (false, true) => {
            "bound to the certificate of a client that shows one, and the API sees it too"
        }
        (false, false) => "",
    }
}

fn authorization(provider: &Provider) -> String {
    let Some(authorize) = &provider.authorize else {
        return String::new();
    };
    let pkce = if authorize.pkce == Pkce::S256 { "PKCE S256" } else { "no PKCE" };
    let lifetime = authorize.code_lifetime.map(|it| format!(", a code lives {}", span(it)));
    format!("code flow: {pkce}{}", lifetime.unwrap_or_default())
}

fn device(provider: &Provider) -> String {
    match provider.device {
        Some(_) => "device flow: a code is typed on any other device (--flow device)".into(),
        None => String::new(),
    }
}

fn refresh(provider: &Provider) -> String {
    let what = match provider.refresh.rotation {
        Rotation::Rotating => "the refresh token may be replaced at each refresh",
        Rotation::SingleUse => "each refresh token serves once, and each refresh gives the next",
        Rotation::Reissue => {
            "no refresh token: the client's own credentials give a new access token"
        }
        Rotation::None => "none: an ended access token needs a person",
    };
    let access = provider.response.lifetime.map(|it| format!("; access token {}", span(it)));
    let refresh = provider.refresh.lifetime.map(|it| format!("; refresh token {}", span(it)));
    let scope = provider.refresh.needs_scope.as_ref().map(|it| format!("; needs the scope {it}"));
    [Some(what.to_owned()), access, refresh, scope].into_iter().flatten().collect()
}

fn writes(provider: &Provider) -> String {
    let Some(key) = &provider.api.idempotency else {
        return String::new();
    };
    let lifetime = key.lifetime.map(|it| format!(", remembered {}", span(it)));
    format!("{} carry {}{}", key.methods.join(", "), key.header, lifetime.unwrap_or_default())
}

fn pages(provider: &Provider) -> String {
    let Some(pages) = &provider.api.pages else {
        return String::new();
    };
    let Pages { parameter, next, last_item, .. } = pages;
    let what = match pages.style {
        PageStyle::PageNumber => format!("?{parameter}=N, until a page is empty or not there"),
        PageStyle::Offset => format!("?{parameter}=N, counted by the records that came"),
        PageStyle::Cursor if last_item.is_empty() => format!("?{parameter}=CURSOR, from {next}"),
        PageStyle::Cursor => format!("?{parameter}={last_item} of the last record"),
        PageStyle::LinkHeader => "the Link header leads on".into(),
        PageStyle::NextUrl => format!("{next} leads on"),
    };
    format!("{what} (--paginate)")
}

fn envelope(provider: &Provider) -> String {
    let Some(envelope) = &provider.api.envelope else {
        return String::new();
    };
    match envelope.list.as_str() {
        "" => format!("wrapped in {} (--result)", envelope.result),
        list => format!("wrapped in {0}, lists in {0}.{list} (--result)", envelope.result),
    }
}

fn end(provider: &Provider) -> String {
    let by_hand = provider.end_by_hand.as_ref().map(|it| match it.page.is_empty() {
        true => it.how.clone(),
        false => format!("{}: {}", it.how, it.page),
    });
    match (&provider.revoke, by_hand) {
        (Some(_), None) => "`keyfob revoke` ends it".into(),
        (Some(_), Some(by_hand)) => format!("`keyfob revoke` ends it; {by_hand}"),
        (None, Some(by_hand)) => by_hand,
        (None, None) => "the vendor has to be asked".into(),
    }
}

/// A profile of the provider's name, which needs no `--provider` where that is how it was named.
fn profile(provider: &Provider, given: &str) -> String {
    match is_path(given) || provider.name != given {
        true => format!("{} --provider {}", provider.name, command_line::typed(given)),
        false => provider.name.clone(),
    }
}

/// The command that connects.
pub fn command(provider: &Provider, given: &str) -> String {
    let verb = if provider.flows.first() == Some(&Flow::Import) { "import" } else { "connect" };
    let mut words = vec!["keyfob".to_owned(), verb.to_owned(), profile(provider, given)];
    words.push(format!("--client-id {}ID", provider.setup.client_id_prefix));
    if provider.takes_key() {
        words.push("--client-key-file FILE".to_owned());
    }
    if provider.client.shows_certificate() {
        words.push("--client-certificate-file FILE".to_owned());
    }
    if provider.flows.first() == Some(&Flow::TokenExchange) {
        let words_of = provider.token_exchange.as_ref();
        let has_type = words_of.is_some_and(|it| it.subject_token_type.is_some());
        words.push("--subject-token-file FILE".to_owned());
        words.extend((!has_type).then(|| "--subject-token-type jwt".to_owned()));
    }
    for (name, setting) in &provider.settings {
        if setting.default.is_none() && setting.needed == Needed::Connect {
            words.push(format!("--set {name}=VALUE"));
        }
    }
    let default_scopes = provider.authorize.iter().flat_map(|it| &it.default_scopes);
    let defaults: Vec<&String> = default_scopes.collect();
    let useful = |name: &String| !defaults.contains(&name);
    let first = provider.scope.iter().find(|it| !it.reserved && !it.sensitive && useful(&it.name));
    let for_people =
        matches!(provider.flows.first(), Some(Flow::AuthorizationCode | Flow::DeviceCode));
    if let (Some(scope), true) = (first, for_people) {
        words.push(format!("--scope {}", scope.name));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Cli;
    use crate::provider::catalogue;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_of_every_shipped_provider_can_be_typed() {
        for name in catalogue::names() {
            let provider = catalogue::shipped(name).unwrap().unwrap();
            let command = command(&provider, name);
            let words = shlex::split(&command).unwrap();
            let parsed = Cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }
}
