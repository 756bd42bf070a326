//! The provider that `connect` names: shipped, the user's own, or found at the URL of an issuer or of an API.

mod carried;
mod change;
pub mod former;
pub mod hosts;
mod own_words;
mod resource;

use std::time::Duration;

use url::Url;

use super::command_line;
use super::context::Context;
use super::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::http::{Answer, Limits, Method, Request, exchange};
use crate::profile::Profile;
use crate::provider::metadata::{self, Metadata, MetadataError, ProtectedResource};
use crate::provider::{Provider, file};
use crate::store::StoreError;
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

    /// The provider that it describes.
    pub fn provider(&self) -> Result<Provider, Report> {
        read(&self.name, &self.text)
    }
}

/// What was found at a URL.
struct Found {
    server: Metadata,
    /// The API that named the server, where the URL was the API's.
    resource: Option<ProtectedResource>,
}

impl Found {
    fn provider(&self, name: &str) -> Provider {
        match &self.resource {
            Some(resource) => resource.provider(name, &self.server),
            None => self.server.provider(name),
        }
    }
}

/// The provider of a profile that is being connected; one found at a URL comes with its file.
/// `server` is the one of an API's authorization servers that the person chose.
pub fn provider(
    context: &Context<'_>,
    profile: &mut Profile,
    server: Option<&str>,
) -> Result<(Provider, Option<ToKeep>), Report> {
    if !profile.provider.contains("://") {
        return match server {
            None => Ok((context.provider(&profile.provider)?, None)),
            Some(_) => Err(Report::usage("--authorization-server goes with the URL of an API")
                .hint("give that URL with --provider, or leave --authorization-server out")),
        };
    }
    let place = profile.provider.clone();
    let name = name_of(&place);
    let found = match find(context, &place, server) {
        Ok(found) => found,
        Err(report) => return known(context, profile, name, report),
    };
    let kept = kept(context, &name)?;
    hosts::confirm(context, &found.server, kept.as_ref())?;
    let text = match &kept {
        None => metadata::to_toml(&found.provider(&name)),
        Some(kept) => metadata::to_toml(&carried::carried(kept, &found, &name)),
    };
    let provider = read(&place, &text).map_err(|report| match &kept {
        None => report,
        Some(_) => not_together(context, &name, report),
    })?;
    if let Some(kept) = &kept {
        change::confirm(context, kept, &provider)?;
        own_words::tell(context, kept, &found, &provider);
    }
    profile.provider.clone_from(&name);
    Ok((provider, Some(ToKeep { name, text })))
}

/// The provider that was kept under that name; a file that cannot be read is not replaced in silence.
fn kept(context: &Context<'_>, name: &str) -> Result<Option<Provider>, Report> {
    match context.own_provider_names().iter().any(|own| own == name) {
        true => context.provider(name).map(Some),
        false => Ok(None),
    }
}

/// What a person added no longer passes beside what the server says.
fn not_together(context: &Context<'_>, name: &str, mut report: Report) -> Report {
    let file = context.system.home.providers().join(format!("{name}.toml"));
    report.message = format!("what {} adds does not go with what was found", file.display());
    report.next.clear();
    report
        .hint("take the words out of the file that this is about, then check it")
        .next(format!("keyfob provider check {}", command_line::path(&file)))
}

/// What a server or an API says of itself now, as a provider that is kept nowhere.
pub fn seen(context: &Context<'_>, place: &str) -> Result<Provider, Report> {
    let found = find(context, place, None)?;
    read(place, &metadata::to_toml(&found.provider(&name_of(place))))
}

fn read(place: &str, text: &str) -> Result<Provider, Report> {
    file::read(place, text).map_err(|error| report::provider_file(&error))
}

/// A provider file of that name, from what a server or an API says of itself: its text, and what it says.
pub fn written(
    context: &Context<'_>,
    place: &str,
    server: Option<&str>,
    name: &str,
) -> Result<(String, Provider), Report> {
    let found = find(context, place, server)?;
    hosts::confirm(context, &found.server, None)?;
    let text = metadata::to_toml(&found.provider(name));
    let provider = read(place, &text)?;
    Ok((text, provider))
}

/// Metadata that cannot be had now leaves what was found before in force.
fn known(
    context: &Context<'_>,
    profile: &mut Profile,
    name: String,
    report: Report,
) -> Result<(Provider, Option<ToKeep>), Report> {
    let is_known = report.exit == Exit::TryLater && context.own_provider_names().contains(&name);
    if !is_known {
        return Err(report);
    }
    let provider = context.provider(&name)?;
    context.output.warn(
        context.system,
        &format!(
            "the metadata of {} cannot be had now: the endpoints that were found before are used",
            shown(&profile.provider)
        ),
    );
    profile.provider = name;
    Ok((provider, None))
}

/// An issuer first; where the URL is none, the API's own word on which server it trusts.
fn find(context: &Context<'_>, place: &str, server: Option<&str>) -> Result<Found, Report> {
    let report = match (issuer(context, place, None), server) {
        (Ok(server), None) => return Ok(Found { server, resource: None }),
        (Ok(_), Some(_)) => Report::usage(format!("{} is an authorization server", shown(place)))
            .hint("--authorization-server is for the URL of an API: leave it out"),
        (Err(report), _) => report,
    };
    // An issuer that cannot be reached now may still be one.
    if report.exit == Exit::TryLater {
        return Err(report);
    }
    let Some(resource) = resource::find(context, place)? else { return Err(report) };
    let chosen = resource::server(context, &resource, server)?;
    let server = issuer(context, &chosen, Some(place))?;
    Ok(Found { server, resource: Some(resource) })
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
    let on_disk = |error: StoreError| report::store(&error);
    let write = || {
        let folder = Folder::make(&context.system.home.providers()).map_err(on_disk)?;
        let before = folder.read(&file).map_err(on_disk)?.map(|text| text.to_vec());
        if let Some(before) = &before {
            if says_the_same(before, &found.text) {
                return Ok(None);
            }
            former::hand_over(context, &found.name, before)?;
        }
        folder.replace(&file, found.text.as_bytes()).map_err(on_disk)?;
        Ok(Some(Written { file, before }))
    };
    write().map(Kept)
}

/// A file that says the same keeps its order and its comments.
fn says_the_same(before: &[u8], text: &str) -> bool {
    let before = file::read("", &String::from_utf8_lossy(before)).ok();
    before.is_some() && before == file::read("", text).ok()
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

/// The name of a discovered provider: the URL's host, port and path, in ASCII.
fn name_of(place: &str) -> String {
    let place = shown(place);
    let (_, rest) = place.split_once("://").unwrap_or(("", &place));
    let mapped: String = rest
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    let trimmed = mapped.trim_matches(['-', '.']).replace("..", ".");
    trimmed.chars().take(64).collect()
}

/// A URL for people: names beyond ASCII in their ASCII form, so that a look-alike is seen as one.
pub fn shown(place: &str) -> String {
    match Url::parse(place) {
        Ok(url) if !place.is_ascii() => printable(url.as_str()),
        _ => printable(place),
    }
}

/// RFC 8414's place first, OpenID Connect's where that has none.
fn issuer(context: &Context<'_>, issuer: &str, named_by: Option<&str>) -> Result<Metadata, Report> {
    let places =
        metadata::well_known_urls(issuer).map_err(|error| not_usable(context, issuer, &error))?;
    let mut status = 0;
    for place in places {
        let answer = context.wait(get_small(context, place, metadata::LARGEST, named_by))??;
        if answer.status == 200 {
            return metadata::read(issuer, &answer.body)
                .map_err(|error| not_usable(context, issuer, &error));
        }
        // Where one place cannot be read now, the other one's "not here" says nothing.
        if !is_for_now(status) {
            status = answer.status;
        }
    }
    Err(no_metadata(issuer, status))
}

/// Whether a status says that it may be another one later.
fn is_for_now(status: u16) -> bool {
    status == 429 || status >= 500
}

fn no_metadata(issuer: &str, status: u16) -> Report {
    if is_for_now(status) {
        let message = format!("{} gives no metadata now", shown(issuer));
        let mut report = Report::new(Exit::TryLater, "no-metadata", message)
            .cause(format!("it answered HTTP {status}"))
            .hint("try again later");
        report.http_status = Some(status);
        return report;
    }
    let mut report =
        Report::new(Exit::SetUp, "no-metadata", format!("{} publishes no metadata", shown(issuer)))
            .cause(format!("neither of the two well-known places has it (HTTP {status})"))
            .hint("check the issuer, or describe the provider in a file: see a shipped one with")
            .next("keyfob provider show inkress --json");
    report.http_status = Some(status);
    report
}

/// Fetches a small document: no redirect is followed, and no more than `largest` bytes are read.
/// A place that another server has named leads into this machine or its network only from there.
pub async fn get_small(
    context: &Context<'_>,
    place: Url,
    largest: usize,
    named_by: Option<&str>,
) -> Result<Answer, Report> {
    let failed = |error| report::http("the metadata cannot be retrieved", &error);
    let client = context.http().map_err(failed)?;
    let request = Request::new(Method::GET, place).header("Accept", "application/json");
    let request = request.named_by(named_by.map(str::to_owned));
    exchange(&client, request, Limits { total: PATIENCE, max_body: largest }).await.map_err(failed)
}

fn not_usable(context: &Context<'_>, issuer: &str, error: &MetadataError) -> Report {
    let report =
        Report::new(Exit::SetUp, "bad-metadata", format!("{} cannot be used", shown(issuer)))
            .cause(printable(&error.to_string()));
    match error {
        MetadataError::TrailingSlash { found, .. } => {
            let report = report
                .hint("issuers are compared character by character: name it as it calls itself");
            match context.typed_at(&command_line::word(found), None) {
                Some(command) => report.next(command),
                None => report,
            }
        }
        MetadataError::NotAUrl(_) | MetadataError::Insecure(_) | MetadataError::NotAnIssuer(_) => {
            report.hint("an issuer is an https URL without query and fragment")
        }
        _ => report.hint("nothing of it is used; ask who runs that server"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_s_name_is_a_file_name() {
        assert_eq!(name_of("https://login.example.com"), "login.example.com");
        assert_eq!(name_of("https://api.example/mcp"), "api.example-mcp");
        assert_eq!(name_of("http://127.0.0.1:8080/t/"), "127.0.0.1-8080-t");
        assert!(crate::profile::name::check(&name_of("https://[::1]:8/..//x")).is_ok());
    }

    #[test] // DS18, A18
    fn a_look_alike_has_another_name_and_is_shown_as_one() {
        let cyrillic = "https://\u{430}pple.example/t";
        assert_eq!(shown(cyrillic), "https://xn--pple-43d.example/t");
        assert_eq!(name_of(cyrillic), "xn--pple-43d.example-t");
        assert_eq!(shown("https://as.example"), "https://as.example");
        assert_eq!(shown("not a\u{1b}[2J url"), "not a url");
    }
}
