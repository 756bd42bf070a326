//! The curl command of a call: what `keyfob header` needs to give the same headers, and curl to trust the same server.

use crate::cli::command_line::{path, word};
use crate::cli::context::{Chosen, Context};
use crate::cli::report::Report;
use crate::provider::schema::Api;
use crate::resource_server::request::ApiRequest;

/// The command, without the end of its line.
pub fn command(
    context: &Context<'_>,
    chosen: &Chosen,
    set: &[(String, String)],
    request: &ApiRequest,
) -> Result<String, Report> {
    refuse_other_headers(&chosen.provider.api, chosen, set)?;
    let mut header = format!("keyfob header {}", word(&chosen.name));
    if let Some(file) = &context.global.cacert {
        header.push_str(&format!(" --cacert {}", path(file)));
    }
    if let Some(store) = context.global.store {
        header.push_str(&format!(" --store {}", crate::store::StoreKind::from(store).name()));
    }
    let trusted = context.cacert()?.map(|file| format!(" --cacert {}", path(&file)));
    Ok(request.as_curl(&header, &trusted.unwrap_or_default()))
}

/// `keyfob header` knows the profile's settings, and nothing of a setting for one call.
fn refuse_other_headers(
    api: &Api,
    chosen: &Chosen,
    set: &[(String, String)],
) -> Result<(), Report> {
    let is_in_a_header =
        |name: &str| api.headers.values().any(|value| value.contains(&format!("{{{name}}}")));
    let Some((name, value)) = set.iter().find(|(name, _)| is_in_a_header(name)) else {
        return Ok(());
    };
    Err(Report::usage(format!("no curl command carries --set {name} for one call"))
        .cause(format!("{name} goes into a header, and `keyfob header` gives the profile's own"))
        .hint("set it for the profile, then leave --set out")
        .next(format!("keyfob profile set {} {name}={}", word(&chosen.name), word(value))))
}
