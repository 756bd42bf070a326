//! The page where a person types the code of another device, and allows or denies (RFC 8628 section 3.3).

use super::authorization::is_own_origin;
use super::consent_page::{escaped, page, refused, scope_line};
use super::message::{Answer, Request};
use super::parameters::{Parameters, invalid};
use super::refusal::Refused;
use super::stand_in::Turn;
use super::state::{Decision, DeviceCode};
use super::vendor::{DEVICE_PAGE, Vendor};
use crate::provider::schema::BodyFormat;

/// Answers at the page.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    let outcome = match request.method.as_str() {
        "GET" => Ok(typing(turn.vendor, &request.query_value("user_code").unwrap_or_default())),
        "POST" => sent(turn, request),
        _ => return Answer::empty(405).with("allow", "GET, POST"),
    };
    outcome.unwrap_or_else(|because| {
        turn.state.note_refusal(&because.because);
        refused(turn.vendor, turn.vendor.facts.errors.code(because.what), &because.because)
    })
}

/// Asks for the code; one that came with the address is there to be compared (RFC 8628 section 3.3.1).
fn typing(vendor: &Vendor, user_code: &str) -> Answer {
    let body = format!(
        r#"<h1>Enter the code that your device shows</h1>
<p class="small">Go on only if you have just started this yourself, and the device shows this very code.</p>
<form method="post" action="{DEVICE_PAGE}">
<input name="user_code" value="{code}" autocomplete="off" autofocus>
<button class="yes">Continue</button>
</form>"#,
        code = escaped(user_code),
    );
    page(vendor, 200, "Connect a device", &body, "'self'")
}

fn sent(turn: &mut Turn<'_>, request: &Request) -> Result<Answer, Refused> {
    if request.header("origin").is_some_and(|origin| !is_own_origin(turn.vendor, origin)) {
        return Err(invalid("the form was sent from another site"));
    }
    let parameters = Parameters::from_body(request, BodyFormat::Form)?;
    match parameters.get("ticket") {
        None => typed(turn, parameters.required("user_code")?),
        Some(ticket) => decided(turn, ticket, parameters.required("decision")?),
    }
}

/// Letters count alone: how they are written does not (RFC 8628 section 6.1).
fn letters(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn typed(turn: &mut Turn<'_>, user_code: &str) -> Result<Answer, Refused> {
    let (now, ticket) = (turn.now, turn.secret("ticket"));
    let wanted = letters(user_code);
    let mut codes = turn.state.device_codes.values_mut();
    let found = codes.find(|code| {
        letters(&code.user_code) == wanted
            && now < code.expires_at
            && matches!(code.decision, Decision::Open)
    });
    let code = found.ok_or_else(|| invalid("there is no such code, or it has expired"))?;
    code.ticket = Some(ticket.clone());
    Ok(consent(turn.vendor, &ticket, code))
}

fn consent(vendor: &Vendor, ticket: &str, code: &DeviceCode) -> Answer {
    let body = format!(
        r#"<h1>Allow <strong>{client}</strong> on the device that shows {shown} to use your {vendor} account?</h1>
<p class="who">Signed in as {account}</p>
<ul>{scopes}</ul>
<form method="post" action="{DEVICE_PAGE}">
<input type="hidden" name="ticket" value="{ticket}">
<button name="decision" value="allow" class="yes">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>"#,
        client = escaped(&vendor.facts.client_id),
        shown = escaped(&code.user_code),
        vendor = escaped(&vendor.provider.title),
        account = escaped(&vendor.facts.account),
        scopes = code.scopes.iter().map(|scope| scope_line(vendor, scope)).collect::<String>(),
        ticket = escaped(ticket),
    );
    page(vendor, 200, "Allow access?", &body, "'self'")
}

fn decided(turn: &mut Turn<'_>, ticket: &str, decision: &str) -> Result<Answer, Refused> {
    let most = turn.state.grants_at_most.clone();
    let granted = |scope: &&String| most.as_ref().is_none_or(|most| most.contains(scope));
    let now = turn.now;
    let mut codes = turn.state.device_codes.values_mut();
    let found = codes.find(|code| code.ticket.as_deref() == Some(ticket) && now < code.expires_at);
    let code = found.ok_or_else(|| invalid("this page was answered before, or has expired"))?;
    let (decision, says) = match decision {
        "allow" => {
            let scopes = code.scopes.iter().filter(granted).cloned().collect();
            (Decision::Allowed(scopes), "It is allowed")
        }
        "deny" => (Decision::Denied, "It is denied"),
        _ => return Err(invalid("the decision is `allow` or `deny`")),
    };
    code.decision = decision;
    code.ticket = None;
    let body = format!("<h1>{says}</h1>\n<p>Go back to your device: it goes on by itself.</p>");
    Ok(page(turn.vendor, 200, says, &body, "'none'"))
}
