//! The provider that `connect` names: shipped, the user's own, or found at an issuer URL.

use std::time::Duration;

use url::Url;

use super::command_line;
use super::context::Context;
use super::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::http::{Answer, Limits, Method, Request, exchange};
use crate::profile::Profile;
use crate::provider::metadata::{self, Metadata, MetadataError};
use crate::provider::{Provider, file};
use crate::store::durable::Folder;

/// How long a metadata document may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A provider file that is to be kept before a profile names it.
pub struct ToKeep {
    name: String,
    text: String,
}

impl ToKeep {
    /// A file of that name with this text.
    pub fn new(name: String, text: String) -> Self {
        Self { name, text }
    }
}

/// The provider of a profile that is being connected; one found at an issuer comes with its file.
pub fn provider(
    context: &Context<'_>,
    profile: &mut Profile,
    has_private_key: bool,
) -> Result<(Provider, Option<ToKeep>), Report> {
    if !profile.provider.contains("://") {
        return Ok((context.provider(&profile.provider)?, None));
    }
    let issuer = profile.provider.clone();
    let metadata = context.wait(fetch(context, &issuer))??;
    confirm_hosts(context, &metadata)?;
    let metadata = if has_private_key { metadata.with_private_key() } else { metadata };
    let name = name_of(&issuer);
    let text = metadata::to_toml(&metadata.provider(&name));
    let provider = file::read(&issuer, &text).map_err(|error| report::provider_file(&error))?;
    confirm_change(context, &name, &provider)?;
    profile.provider.clone_from(&name);
    Ok((provider, Some(ToKeep { name, text })))
}

/// A provider file that was written, and what stood there before.
pub struct Kept(Option<Written>);

struct Written {
    file: String,
    before: Option<Vec<u8>>,
}

/// Writes the provider file before any profile names it, so that the endpoints stay as they were found.
pub fn keep(context: &Context<'_>, found: Option<&ToKeep>) -> Result<Kept, Report> {
    let Some(found) = found else {
        return Ok(Kept(None));
    };
    let file = format!("{}.toml", found.name);
    let write = || {
        let folder = Folder::make(&context.system.home.providers())?;
        let before = folder.read(&file)?.map(|text| text.to_vec());
        folder.replace(&file, found.text.as_bytes())?;
        Ok(before)
    };
    let before = write().map_err(|error| report::store(&error))?;
    Ok(Kept(Some(Written { file, before })))
}

impl Kept {
    /// Puts back what was there: nobody was connected.
    pub fn undo(&self, context: &Context<'_>) {
        let Some(Written { file, before }) = &self.0 else { return };
        let back = Folder::make(&context.system.home.providers()).and_then(|folder| match before {
            Some(text) => folder.replace(file, text),
            None => folder.remove(file),
        });
        // A file that nothing names does no harm, and the failure itself is what a person needs.
        let _ = back;
    }
}

/// Whether a provider's name is the one under which an issuer is kept.
pub fn is_named(issuer: &str, name: &str) -> bool {
    issuer.contains("://") && name_of(issuer) == name
}

/// The name of a discovered provider: the issuer's host, port and path.
fn name_of(issuer: &str) -> String {
    let (_, rest) = issuer.split_once("://").unwrap_or(("", issuer));
    let mapped: String = rest
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let trimmed = mapped.trim_matches(['-', '.']).replace("..", ".");
    trimmed.chars().take(64).collect()
}

/// RFC 8414's place first, OpenID Connect's where that has none.
async fn fetch(context: &Context<'_>, issuer: &str) -> Result<Metadata, Report> {
    let places = metadata::well_known_urls(issuer).map_err(|error| not_usable(issuer, &error))?;
    let mut status = 0;
    for place in places {
        let answer = get(context, place).await?;
        status = answer.status;
        if status == 200 {
            return metadata::read(issuer, &answer.body)
                .map_err(|error| not_usable(issuer, &error));
        }
    }
    let mut report = Report::new(
        Exit::SetUp,
        "no-metadata",
        format!("{} publishes no metadata", printable(issuer)),
    )
    .cause(format!("neither of the two well-known places has it (HTTP {status})"))
    .hint("check the issuer, or describe the provider in a file: see a shipped one with")
    .next("keyfob provider show inkress --json");
    report.http_status = Some(status);
    Err(report)
}

async fn get(context: &Context<'_>, place: Url) -> Result<Answer, Report> {
    let failed = |error| report::http("the metadata cannot be retrieved", &error);
    let client = context.http().map_err(failed)?;
    let request = Request::new(Method::GET, place).header("Accept", "application/json");
    exchange(&client, request, Limits { total: PATIENCE, ..Limits::default() })
        .await
        .map_err(failed)
}

fn not_usable(issuer: &str, error: &MetadataError) -> Report {
    let report =
        Report::new(Exit::SetUp, "bad-metadata", format!("{} cannot be used", printable(issuer)))
            .cause(printable(&error.to_string()));
    match error {
        MetadataError::TrailingSlash { found, .. } => report
            .hint("issuers are compared character by character: name it as it calls itself")
            .next(format!("keyfob connect … --provider {}", command_line::word(found))),
        MetadataError::NotAUrl(_) | MetadataError::Insecure(_) | MetadataError::NotAnIssuer(_) => {
            report.hint("an issuer is an https URL without query and fragment")
        }
        _ => report.hint("nothing of it is used; ask who runs that server"),
    }
}

/// Endpoints on other hosts than the issuer's see secrets: a person says yes to them once.
fn confirm_hosts(context: &Context<'_>, metadata: &Metadata) -> Result<(), Report> {
    if metadata.other_hosts.is_empty() {
        return Ok(());
    }
    let hosts: Vec<String> = metadata
        .other_hosts
        .iter()
        .map(|other| format!("{} ({})", printable(&other.host), other.member))
        .collect();
    let issuer = printable(&metadata.issuer);
    match context.agreed(&format!("{issuer} sends you to {}. Go on?", hosts.join(", ")))? {
        true => Ok(()),
        false => Err(Report::new(
            Exit::SetUp,
            "other-hosts",
            "the issuer's endpoints are on other hosts",
        )
        .cause(hosts.join(", "))
        .hint("if they belong to it, say so with --yes")),
    }
}

/// Endpoints that differ from those found before are not taken in silence.
fn confirm_change(context: &Context<'_>, name: &str, found: &Provider) -> Result<(), Report> {
    let Ok(before) = context.provider(name) else {
        return Ok(());
    };
    let endpoints = |provider: &Provider| {
        (
            provider.authorize.as_ref().map(|it| (it.url.clone(), it.pushed_url.clone())),
            provider.token.url.clone(),
            provider.revoke.as_ref().map(|it| it.url.clone()),
            // A file from before there was one is not another server's.
            provider.device.as_ref().filter(|_| before.device.is_some()).map(|it| it.url.clone()),
        )
    };
    // One that an earlier keyfob did not look for is new, and no other one.
    let later = |provider: &Provider| {
        [
            provider.introspect.as_ref().map(|it| it.url.clone()),
            provider.userinfo.as_ref().map(|it| it.url.clone()),
            provider.id_token.as_ref().map(|it| it.jwks_url.clone()),
        ]
    };
    let mut pairs = later(&before).into_iter().zip(later(found));
    let stays = pairs.all(|(before, found)| before.is_none() || before == found);
    if stays && endpoints(&before) == endpoints(found) {
        return Ok(());
    }
    if context.agreed(&format!("the endpoints of {name} are others than before. Go on?"))? {
        return Ok(());
    }
    let message = "the issuer's endpoints are others than before";
    Err(Report::new(Exit::SetUp, "endpoints-changed", message)
        .cause(format!("the token endpoint was {}", printable(&before.token.url)))
        .cause(format!("it is now {}", printable(&found.token.url)))
        .hint("if that is right, say so with --yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_s_name_is_a_file_name() {
        assert_eq!(name_of("https://login.example.com"), "login.example.com");
        assert_eq!(name_of("http://127.0.0.1:8080/t/"), "127.0.0.1-8080-t");
        assert!(crate::profile::name::check(&name_of("https://[::1]:8/..//x")).is_ok());
    }
}
