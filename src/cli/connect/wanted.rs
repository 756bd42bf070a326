//! What is asked for beside scopes: resources, and rights in detail.

use std::io::Read as _;
use std::path::Path;

use super::super::args::Connect;
use super::super::context::{Chosen, Context};
use super::super::report::{Exit, Report};
use super::super::secrets;
use crate::authorization_server::Wanted;
use crate::authorization_server::wanted::read_details;
use crate::http::printable::printable;
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::wanted::check_resource;

/// The longest file of rights, in bytes.
const LONGEST: u64 = 64 * 1024;

/// What is given replaces what is remembered; an empty resource and an empty list forget it.
pub fn set_wanted(
    context: &Context<'_>,
    chosen: &mut Chosen,
    args: &Connect,
) -> Result<(), Report> {
    let given: Vec<&String> = args.resource.iter().filter(|it| !it.is_empty()).collect();
    for resource in &given {
        check_resource(resource).map_err(|why| {
            Report::usage(format!("`{}` names no resource: {why}", printable(resource)))
                .hint("a resource is an absolute URI, such as https://api.example.com/")
        })?;
    }
    if !args.resource.is_empty() {
        chosen.profile.resource = given.into_iter().cloned().collect();
    }
    if let Some(path) = &args.authorization_details {
        chosen.profile.authorization_details = details(context, path)?;
    }
    Ok(())
}

/// The rights of a file as they are remembered: checked, and without its white space.
fn details(context: &Context<'_>, path: &Path) -> Result<Option<String>, Report> {
    let standard_input = Path::new("-");
    let text = match path == standard_input {
        true => secrets::standard_input(context.system, LONGEST)?.expose().to_owned(),
        false => file(path)?,
    };
    if text.split_whitespace().collect::<String>() == "[]" {
        return Ok(None);
    }
    let details = read_details(&text).map_err(|why| {
        let name = match path == standard_input {
            true => "standard input".to_owned(),
            false => path.display().to_string(),
        };
        Report::usage(format!("{name} holds no authorization details: {why}"))
            .hint(r#"give a JSON array such as [{"type":"payment","actions":["read"]}]"#)
    })?;
    Ok(serde_json::to_string(&details).ok())
}

fn file(path: &Path) -> Result<String, Report> {
    let unreadable = |why: String| {
        let message = format!("{} cannot be read", path.display());
        Report::new(Exit::SetUp, "details-file", message)
            .cause(printable(&why))
            .hint("name a file that holds a JSON array")
    };
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(error.to_string()))?;
    match read as u64 <= LONGEST {
        true => Ok(text),
        false => Err(unreadable(format!("it holds more than {LONGEST} bytes"))),
    }
}

/// What a profile asks for: its own, else the provider's.
pub fn wanted(provider: &Provider, profile: &Profile) -> Result<Wanted, Report> {
    let resource = match profile.resource.is_empty() {
        true => provider.token.resource.clone(),
        false => profile.resource.clone(),
    };
    if let Some((resource, why)) =
        resource.iter().find_map(|it| check_resource(it).err().map(|why| (it, why)))
    {
        return Err(in_profile(format!("`{}` names no resource: {why}", printable(resource))));
    }
    let authorization_details = match &profile.authorization_details {
        Some(text) => read_details(text)
            .map_err(|why| in_profile(format!("its `authorization_details`: {why}")))?,
        None => {
            let authorize = provider.authorize.as_ref();
            authorize.map(|it| it.authorization_details.clone()).unwrap_or_default()
        }
    };
    Ok(Wanted { resource, authorization_details, ..Wanted::default() })
}

/// A file that somebody wrote by hand.
fn in_profile(cause: String) -> Report {
    Report::new(Exit::SetUp, "bad-profile", "the profile's file asks for what makes no sense")
        .cause(cause)
        .hint("correct it, or give it anew with --resource or --authorization-details")
}
