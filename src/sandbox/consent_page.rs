//! The pages a person sees in the browser: consent, refusal, and the front page. Static text and escaped values only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use url::Url;

use super::authorization::grants;
use super::message::Answer;
use super::state::Ticket;
use super::vendor::Vendor;

const STYLE: &str = include_str!("consent_page.css");

/// Asks the person.
pub fn consent(vendor: &Vendor, ticket_name: &str, ticket: &Ticket) -> Answer {
    let action = vendor.endpoints.authorize.as_deref().unwrap_or("/");
    let body = format!(
        r#"<h1>Allow <strong>{client}</strong> to use your {vendor} account?</h1>
<p class="who">Signed in as {account}</p>
<ul>{scopes}</ul>
<form method="post" action="{action}">
<input type="hidden" name="ticket" value="{ticket}">
<button name="decision" value="allow" class="yes">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
<p class="small">Either way you go back to <code>{redirect}</code></p>"#,
        client = escaped(&vendor.facts.client_id),
        vendor = escaped(&vendor.provider.title),
        account = escaped(&vendor.facts.account),
        scopes = ticket.scopes.iter().map(|scope| scope_line(vendor, scope)).collect::<String>(),
        action = escaped(action),
        ticket = escaped(ticket_name),
        redirect = escaped(&ticket.redirect_uri),
    );
    page(vendor, 200, "Allow access?", &body, &form_targets(&ticket.redirect_uri))
}

/// Tells the person what is wrong where the client must not be told (RFC 6749 section 4.1.2.1).
pub fn refused(vendor: &Vendor, code: &str, because: &str) -> Answer {
    let body = format!(
        "<h1>This request cannot be answered</h1>\n<p><code>{}</code></p>\n<p>{}</p>",
        escaped(code),
        escaped(because)
    );
    page(vendor, 400, "Refused", &body, "'none'").with("x-sandbox-refused", code)
}

/// Tells who answers here.
pub fn front(vendor: &Vendor) -> Answer {
    let endpoints = &vendor.endpoints;
    let listed = [
        ("Authorization endpoint", endpoints.authorize.as_deref()),
        ("Device authorization endpoint", endpoints.device.as_deref()),
        ("Token endpoint", Some(endpoints.token.as_str())),
        ("Revocation endpoint", endpoints.revoke.as_deref()),
        ("Metadata", endpoints.discovery.as_deref()),
        ("API", Some(endpoints.api.as_str())),
    ];
    let lines: String = listed
        .iter()
        .filter_map(|(name, path)| {
            let path = escaped((*path)?);
            Some(format!("<li>{name} <code>{}{path}</code></li>", escaped(&vendor.origin)))
        })
        .collect();
    let body =
        format!("<h1>{} on loopback</h1>\n<ul>{lines}</ul>", escaped(&vendor.provider.title));
    page(vendor, 200, "Sandbox", &body, "'none'")
}

pub(super) fn scope_line(vendor: &Vendor, scope: &str) -> String {
    let (grants, sensitive) = grants(vendor, scope);
    let mark = if sensitive { " <em>sensitive</em>" } else { "" };
    format!("<li><code>{}</code>{mark}<br>{}</li>", escaped(scope), escaped(grants))
}

/// Browsers hold `form-action` against the redirect that follows a form, too.
fn form_targets(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        Ok(url) if url.origin().is_tuple() => {
            format!("'self' {}", url.origin().ascii_serialization())
        }
        _ => "'self'".to_owned(),
    }
}

pub(super) fn page(
    vendor: &Vendor,
    status: u16,
    title: &str,
    body: &str,
    form_targets: &str,
) -> Answer {
    let style_hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style_hash}'; form-action {form_targets}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let name = escaped(&vendor.provider.title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - {name} sandbox</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <p class=\"banner\">A rehearsal: keyfob stands in for {name} on this machine. \
         No real account is touched.</p>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    Answer::html(status, page)
        .with("content-security-policy", policy)
        .with("cache-control", "no-store")
        .with("x-content-type-options", "nosniff")
        .with("x-frame-options", "DENY")
        .with("referrer-policy", "same-origin")
}

pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
