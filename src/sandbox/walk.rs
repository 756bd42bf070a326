//! A scripted person with a browser: opens the consent page, decides, follows every redirect to the last page.
//!
//! It plays over plain HTTP on loopback and nothing else; `wire` is its only socket.

pub mod device;
pub mod wire;

use std::thread::JoinHandle;

use url::Url;
use url::form_urlencoded::Serializer;

use wire::{Received, WireError};

/// Redirects that are followed at most.
const REDIRECTS: usize = 10;

/// What the person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Presses Allow.
    Allow,
    /// Presses Deny.
    Deny,
}

/// The page the person ends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What the address bar shows.
    pub url: String,
    /// Its status; `None` where the browser left loopback and the walk ended with the address.
    pub status: Option<u16>,
    /// The page.
    pub body: String,
}

/// Why a walk does not end on a page.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The address is no URL.
    #[error("this is no URL: {0}")]
    Url(String),
    /// The browser got no answer.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A redirect without an address.
    #[error("a redirect names no address")]
    NoLocation,
    /// The redirects do not end.
    #[error("more than {REDIRECTS} redirects")]
    TooManyRedirects,
}

/// Plays the person on the calling thread, which must not be the one that serves the redirect.
pub fn walk(authorization_url: &str, decision: Decision) -> Result<Page, WalkError> {
    let url = parsed(authorization_url)?;
    let (url, received) = follow(url.clone(), request("GET", &url, b"")?)?;
    let page = String::from_utf8_lossy(&received.body).into_owned();
    let Some((action, ticket)) = form(&page) else { return Ok(shown(&url, &received)) };
    answer(&url, &action, &ticket, decision)
}

/// Presses a button of the consent form.
fn answer(page: &Url, action: &str, ticket: &str, decision: Decision) -> Result<Page, WalkError> {
    let action = page.join(action).map_err(|_| WalkError::Url(action.to_owned()))?;
    let decision = match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    };
    let mut body = Serializer::new(String::new());
    body.append_pair("ticket", ticket).append_pair("decision", decision);
    let received = request("POST", &action, body.finish().as_bytes())?;
    let (url, received) = follow(action, received)?;
    Ok(shown(&url, &received))
}

/// Plays the person in a thread of its own.
pub fn in_thread(
    authorization_url: &str,
    decision: Decision,
) -> JoinHandle<Result<Page, WalkError>> {
    let url = authorization_url.to_owned();
    std::thread::spawn(move || walk(&url, decision))
}

/// Opens an address and follows its redirects, as a person does who types it.
pub fn open(url: &str) -> Result<Page, WalkError> {
    let url = parsed(url)?;
    let (url, received) = follow(url.clone(), request("GET", &url, b"")?)?;
    Ok(shown(&url, &received))
}

fn follow(mut url: Url, mut received: Received) -> Result<(Url, Received), WalkError> {
    for _ in 0..REDIRECTS {
        if !matches!(received.status, 301..=303) {
            return Ok((url, received));
        }
        let location = received.header("location").ok_or(WalkError::NoLocation)?.to_owned();
        url = url.join(&location).map_err(|_| WalkError::Url(location))?;
        if !wire::is_loopback(&url) {
            return Ok((url, Received { status: 0, headers: Vec::new(), body: Vec::new() }));
        }
        received = request("GET", &url, b"")?;
    }
    Err(WalkError::TooManyRedirects)
}

/// Sends what a browser sends when a person goes somewhere.
fn request(method: &str, url: &Url, body: &[u8]) -> Result<Received, WireError> {
    let mut headers = vec![
        ("accept", "text/html"),
        ("user-agent", "keyfob-walk"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    if method == "POST" {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
    }
    wire::send(method, url, &headers, body)
}

fn shown(url: &Url, received: &Received) -> Page {
    Page {
        url: url.to_string(),
        status: (received.status != 0).then_some(received.status),
        body: String::from_utf8_lossy(&received.body).into_owned(),
    }
}

/// The address and the ticket of the consent form.
fn form(page: &str) -> Option<(String, String)> {
    let after = |text: &'_ str, mark: &str| Some(text.split_once(mark)?.1.to_owned());
    let form = after(page, "<form")?;
    let action = after(&form, "action=\"")?;
    let ticket = after(&form, "name=\"ticket\" value=\"")?;
    let value = |text: String| Some(text.split_once('"')?.0.to_owned());
    Some((value(action)?, value(ticket)?))
}

fn parsed(url: &str) -> Result<Url, WalkError> {
    Url::parse(url).map_err(|_| WalkError::Url(url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_consent_page_is_found() {
        let page = r#"<h1>x</h1><form method="post" action="/oauth/authorize">
            <input type="hidden" name="ticket" value="abc"></form>"#;
        assert_eq!(form(page), Some(("/oauth/authorize".into(), "abc".into())));
        assert_eq!(form("<p>refused</p>"), None);
    }
}
