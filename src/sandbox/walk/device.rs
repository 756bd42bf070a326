//! The same person with a code from another device.

use url::form_urlencoded::Serializer;

use super::{Decision, Page, WalkError, answer, follow, form, parsed, request, shown};

/// Opens the page, types the code and decides; ends on a page that refuses where there is no such code.
pub fn enter(
    verification_uri: &str,
    user_code: &str,
    decision: Decision,
) -> Result<Page, WalkError> {
    let url = parsed(verification_uri)?;
    let (url, _) = follow(url.clone(), request("GET", &url, b"")?)?;
    let typed = Serializer::new(String::new()).append_pair("user_code", user_code).finish();
    let received = request("POST", &url, typed.as_bytes())?;
    let page = String::from_utf8_lossy(&received.body).into_owned();
    match form(&page) {
        Some((action, ticket)) => answer(&url, &action, &ticket, decision),
        None => Ok(shown(&url, &received)),
    }
}
