//! Reads a provider file strictly: what is unknown, missing or without effect is an error with its line.

use std::collections::BTreeSet;
use std::fmt;

use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use super::schema::{Flow, Format, Needed, Pkce, Provider, RedirectMatch, Rotation, State};
use super::template;

/// What is wrong with a provider file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file, as the user named it.
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// The word that was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.message)?;
        if let Some(nearest) = &self.nearest {
            write!(formatter, "; did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}

impl std::error::Error for FileError {}

/// Reads a provider from its text.
pub fn read(file: &str, text: &str) -> Result<Provider, FileError> {
    let provider: Provider = toml::from_str(text).map_err(|error| from_toml(file, text, &error))?;
    match ineffective(&provider) {
        Some(finding) => Err(FileError {
            file: file.to_owned(),
            line: line_of(text, &finding.path),
            message: finding.message,
            nearest: finding.nearest,
        }),
        None => Ok(provider),
    }
}

/// A rule that a well-formed file breaks, and the keys that lead to the place.
pub(super) struct Finding {
    pub path: Vec<String>,
    pub message: String,
    pub nearest: Option<String>,
}

impl Finding {
    pub fn at(path: &[&str], message: impl Into<String>) -> Self {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Self { path, message: message.into(), nearest: None }
    }
}

fn from_toml(file: &str, text: &str, error: &toml::de::Error) -> FileError {
    let message = error.message().to_owned();
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let meant = match words.split_first() {
        Some((unknown, known)) if message.starts_with("unknown ") => {
            nearest(unknown, known.iter().copied())
        }
        _ => None,
    };
    let message = match words.first() {
        Some(unknown) if message.starts_with("unknown field") => format!("unknown key `{unknown}`"),
        _ => message.lines().collect::<Vec<_>>().join(" "),
    };
    FileError {
        file: file.to_owned(),
        line: error.span().map(|span| line_at(text, span.start)),
        nearest: meant.map(str::to_owned),
        message,
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line that keys lead to; tables that are there several times are counted from 0.
pub fn line_of(text: &str, path: &[String]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut keys = path.iter();
    let (name, mut value) = key_of(document.get_ref(), keys.next()?)?;
    let mut line = line_at(text, name);
    for key in keys {
        let found = match value {
            DeValue::Table(inner) => key_of(inner, key),
            // One of several `[[tables]]`, counted from 0.
            DeValue::Array(items) => key
                .parse()
                .ok()
                .and_then(|place: usize| items.get(place))
                .map(|item| (item.span().start, item.get_ref())),
            _ => None,
        };
        let Some((start, inner)) = found else { break };
        line = line_at(text, start);
        value = inner;
    }
    Some(line)
}

/// Where a key stands, and its value.
fn key_of<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<(usize, &'a DeValue<'i>)> {
    let (name, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == key)?;
    Some((name.span().start, value.get_ref()))
}

/// The first rule that the file breaks.
fn ineffective(provider: &Provider) -> Option<Finding> {
    let rules: [fn(&Provider) -> Option<Finding>; 22] = [
        schema_version,
        slug,
        flows,
        super::device_check::device,
        super::dpop_check::bound_tokens,
        super::client_check::client,
        super::mutual_tls_check::mutual_tls,
        super::grants_check::grants,
        redirect,
        settings,
        template_names,
        endpoints,
        hosts,
        scope_table,
        super::webhook_rules::broken,
        super::pages_check::pages,
        super::answers_check::answers,
        super::authorize_check::authorize,
        super::lists_check::lists,
        super::recipes_check::recipes,
        super::openid_check::openid,
        super::registration_check::registration,
    ];
    rules.iter().find_map(|rule| rule(provider))
}

fn schema_version(provider: &Provider) -> Option<Finding> {
    (provider.schema != 1).then(|| {
        Finding::at(
            &["schema"],
            format!("schema {} is not known; this keyfob reads schema 1", provider.schema),
        )
    })
}

fn slug(provider: &Provider) -> Option<Finding> {
    let fits = !provider.name.is_empty()
        && provider.name.len() <= 64
        && provider.name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && provider
            .name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    (!fits).then(|| {
        Finding::at(
            &["name"],
            format!(
                "`{}` is no provider name: lower-case letters, digits, `.`, `_` and `-`",
                provider.name
            ),
        )
    })
}

/// Each flow has what it needs, and nothing is described for a flow that is not there.
fn flows(provider: &Provider) -> Option<Finding> {
    let has = |flow| provider.flows.contains(&flow);
    let rules = [
        (provider.flows.is_empty(), "flows", "at least one flow is needed"),
        (
            has(Flow::AuthorizationCode) && provider.authorize.is_none(),
            "flows",
            "`authorization_code` needs an [authorize] table",
        ),
        (
            !has(Flow::AuthorizationCode) && provider.authorize.is_some(),
            "authorize",
            "[authorize] has no effect without the flow `authorization_code`",
        ),
        (
            !has(Flow::Password) && provider.legacy.is_some(),
            "legacy",
            "[legacy] has no effect without the flow `password`",
        ),
        (
            has(Flow::Password) && provider.legacy.is_none(),
            "flows",
            "`password` needs a [legacy] table that says whose applications may use it",
        ),
        (
            provider.flows == [Flow::ClientCredentials]
                && provider.refresh.rotation != Rotation::Reissue,
            "refresh",
            "`client_credentials` alone needs `rotation = \"reissue\"` in [refresh]",
        ),
    ];
    rules.into_iter().find(|(broken, ..)| *broken).map(|(_, key, says)| Finding::at(&[key], says))
}

/// An exact redirect needs its URI, and a code needs at least one defence (RFC 9700 section 4.7.1).
fn redirect(provider: &Provider) -> Option<Finding> {
    let authorize = provider.authorize.as_ref()?;
    let redirect = &authorize.redirect;
    if redirect.matching == RedirectMatch::Exact && redirect.uri.is_empty() {
        return Some(Finding::at(
            &["authorize", "redirect", "match"],
            "`match = \"exact\"` needs the `uri` to register",
        ));
    }
    if !redirect.uri.is_empty() && url::Url::parse(&redirect.uri).is_err() {
        return Some(Finding::at(&["authorize", "redirect", "uri"], "this is not a URL"));
    }
    if authorize.pkce == Pkce::Off
        && authorize.state == State::MayBeDropped
        && redirect.matching != RedirectMatch::Exact
    {
        return Some(Finding::at(
            &["authorize", "state"],
            "without PKCE and without `state` the redirect must at least be exact",
        ));
    }
    None
}

fn settings(provider: &Provider) -> Option<Finding> {
    provider.settings.iter().find_map(|(name, setting)| {
        let path = ["settings", name.as_str()];
        if let Some(default) = &setting.default {
            if !setting.choices.is_empty() && !setting.choices.contains(default) {
                return Some(Finding::at(&path, "the default is not one of the choices"));
            }
            if setting.needed != Needed::Connect {
                return Some(Finding::at(&path, "`needed` has no effect beside a default"));
            }
        }
        if setting.list.is_some() != (setting.needed == Needed::AfterConnect) {
            return Some(Finding::at(&path, "`list` and `needed = \"after_connect\"` go together"));
        }
        if let Some(value) = setting.warn.keys().find(|it| !setting.choices.contains(it)) {
            let says = format!("`warn` has no effect: `{value}` is not one of the choices");
            return Some(Finding::at(&path, &says));
        }
        if !setting.choices.is_empty() && setting.format != Format::Text {
            return Some(Finding::at(&path, "`format` has no effect beside `choices`"));
        }
        None
    })
}

/// Every name in braces is a setting, a context or one of the two that keyfob fills.
fn template_names(provider: &Provider) -> Option<Finding> {
    let mut known: BTreeSet<&str> = ["client_id", "keyfob_version"].into();
    known.extend(provider.settings.keys().map(String::as_str));
    known.extend(provider.context.iter().map(|context| context.name.as_str()));
    known.extend(provider.id_token.iter().flat_map(|_| super::openid_check::CLAIMS));
    for (path, template) in templates(provider) {
        for name in template::names(template) {
            if !known.contains(name) {
                let mut finding =
                    Finding::at(&path, format!("`{{{name}}}` is neither a setting nor a context"));
                finding.nearest = nearest(name, known.iter().copied()).map(str::to_owned);
                return Some(finding);
            }
        }
    }
    None
}

/// Secrets go over TLS, or to this machine; an endpoint that begins with a setting is checked there.
fn endpoints(provider: &Provider) -> Option<Finding> {
    templates(provider)
        .into_iter()
        .filter(|(path, _)| {
            matches!(path.last(), Some(&"url" | &"base_url" | &"pushed_url" | &"jwks_url"))
                || path.first() == Some(&"mutual_tls")
        })
        .filter(|(_, template)| !template.starts_with('{'))
        .find(|(_, template)| {
            let url = url::Url::parse(&template.replace(['{', '}'], ""));
            !url.is_ok_and(|url| super::metadata::is_protected(&url))
        })
        .map(|(path, _)| {
            Finding::at(&path, "an endpoint is an https URL; plain http is for loopback alone")
        })
}

fn hosts(provider: &Provider) -> Option<Finding> {
    let says = super::hosts::wrong_host(&provider.api)?;
    Some(Finding::at(&["api", "hosts"], says))
}

fn templates(provider: &Provider) -> Vec<(Vec<&'static str>, &str)> {
    let mut all = vec![
        (vec!["token", "url"], provider.token.url.as_str()),
        (vec!["api", "base_url"], provider.api.base_url.as_str()),
        (vec!["api", "authorization", "place"], provider.api.authorization.place.as_str()),
    ];
    all.extend(provider.authorize.iter().map(|it| (vec!["authorize", "url"], it.url.as_str())));
    all.extend(super::device_check::templates(provider));
    all.extend(
        provider
            .authorize
            .iter()
            .filter_map(|it| it.pushed_url.as_deref())
            .map(|it| (vec!["authorize", "pushed_url"], it)),
    );
    all.extend(provider.revoke.iter().map(|it| (vec!["revoke", "url"], it.url.as_str())));
    all.extend(provider.discovery.iter().map(|it| (vec!["discovery", "url"], it.url.as_str())));
    all.extend(super::grants_check::templates(provider));
    all.extend(super::mutual_tls_check::templates(provider));
    all.extend(provider.client.key_id.iter().map(|it| (vec!["client", "key_id"], it.as_str())));
    all.extend(
        provider.id_token.iter().map(|it| (vec!["id_token", "jwks_url"], it.jwks_url.as_str())),
    );
    all.extend(provider.userinfo.iter().map(|it| (vec!["userinfo", "url"], it.url.as_str())));
    all.extend(provider.introspect.iter().map(|it| (vec!["introspect", "url"], it.url.as_str())));
    let issuer = provider.discovery.iter().flat_map(|it| &it.issuer);
    all.extend(issuer.map(|it| (vec!["discovery", "issuer"], it.as_str())));
    let registration = provider.registration.iter().filter_map(|it| it.url.as_deref());
    all.extend(registration.map(|url| (vec!["registration", "url"], url)));
    all.extend(provider.api.user_agent.iter().map(|it| (vec!["api", "user_agent"], it.as_str())));
    all.extend(provider.api.headers.values().map(|it| (vec!["api", "headers"], it.as_str())));
    all.extend(provider.token.headers.values().map(|it| (vec!["token", "headers"], it.as_str())));
    all.extend(provider.token.params.values().map(|it| (vec!["token", "params"], it.as_str())));
    all
}

fn scope_table(provider: &Provider) -> Option<Finding> {
    let named = |wanted: &str| provider.scope.iter().any(|scope| scope.name == wanted);
    for scope in &provider.scope {
        if scope.methods.is_empty() != scope.endpoints.is_empty() {
            return Some(Finding::at(
                &["scope"],
                format!("scope `{}`: `methods` and `endpoints` go together", scope.name),
            ));
        }
    }
    let needed = provider.refresh.needs_scope.as_deref()?;
    (!provider.scope.is_empty() && !named(needed))
        .then(|| Finding::at(&["refresh", "needs_scope"], format!("no scope is named `{needed}`")))
}
