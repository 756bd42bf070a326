//! The device authorization endpoint and its grant (RFC 8628), strict about every pause.

use serde_json::{Map, Value};

use super::authorization::scopes;
use super::client_authentication;
use super::issue;
use super::json_template;
use super::limits;
use super::message::{Answer, Request};
use super::parameters::Parameters;
use super::refusal::{Refusal, Refused};
use super::registration;
use super::stand_in::Turn;
use super::state::{Decision, DeviceCode};
use super::vendor::DEVICE_PAGE;
use crate::clock::after_seconds;

/// The grant's name (RFC 8628 section 3.4).
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Seconds a code lives.
const LIFETIME: u64 = 600;
/// Seconds between two questions, at the start; every question that comes too early adds as many.
const INTERVAL: u64 = 5;
/// Letters that nobody mistakes for another, or reads as a word (RFC 8628 section 6.1).
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Answers at the device authorization endpoint.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match codes(turn, request) {
        Ok(codes) => Answer::json(200, &codes).with("cache-control", "no-store"),
        Err(refused) => client_authentication::refuse(turn, &refused),
    }
}

fn codes(turn: &mut Turn<'_>, request: &Request) -> Result<Value, Refused> {
    let Some(device) = turn.vendor.provider.device.as_ref() else {
        return Err(Refused::new(Refusal::NotFound, "this vendor has no such endpoint"));
    };
    limits::check(turn, "token", "")?;
    if request.method != "POST" {
        return Err(Refused::new(Refusal::MethodNotAllowed, "codes are asked for by POST"));
    }
    let parameters =
        Parameters::from_body(request, device.body)?.standardised(&device.rename, &device.omit)?;
    let client_id = client_authentication::check(turn, request, &parameters)?;
    let asked = parameters.get("scope");
    let scopes = scopes(turn.vendor, &device.scope_separator, asked)?;
    registration::check(turn, &client_id, GRANT_TYPE, &scopes)?;
    let code = DeviceCode {
        user_code: user_code(turn),
        scopes,
        client_id,
        expires_at: after_seconds(turn.now, LIFETIME),
        interval: INTERVAL,
        asked_at: turn.now,
        ticket: None,
        decision: Decision::Open,
    };
    let name = turn.secret("device_code");
    let page = format!("{}{DEVICE_PAGE}", turn.vendor.origin);
    let names = &device.response;
    let members = [
        (&names.device_code, Value::from(name.as_str())),
        (&names.user_code, Value::from(code.user_code.as_str())),
        (&names.verification_uri, Value::from(page.as_str())),
        (
            &names.verification_uri_complete,
            Value::from(format!("{page}?user_code={}", code.user_code)),
        ),
        (&names.expires_in, Value::from(LIFETIME)),
        (&names.interval, Value::from(INTERVAL)),
    ];
    let mut document = Map::new();
    for (path, value) in members {
        json_template::put(&mut document, path, value);
    }
    turn.state.device_codes.insert(name, code);
    Ok(Value::Object(document))
}

/// Two times four letters.
fn user_code(turn: &Turn<'_>) -> String {
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    let random = turn.uuid();
    let digits: Vec<u8> = random.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks_exact(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    let bytes = pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok());
    let letters: String = bytes.map(letter).take(8).collect();
    let (first, second) = letters.split_at(letters.len() / 2);
    format!("{first}-{second}")
}

/// A question for tokens (RFC 8628 section 3.5).
pub fn by_device_code(
    turn: &mut Turn<'_>,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Value, Refused> {
    let refused = |what, because: &str| Err(Refused::new(what, because));
    let name = parameters.required("device_code")?;
    let now = turn.now;
    let code = turn.state.device_codes.get_mut(name).filter(|it| it.client_id == client_id);
    let Some(code) = code else {
        return refused(Refusal::InvalidGrant, "there is no such device code");
    };
    if let Decision::Spent(family) = code.decision {
        turn.state.spent_seen += 1;
        turn.state.end_family(family);
        return refused(
            Refusal::InvalidGrant,
            "the device code was used before: every token of it has ended",
        );
    }
    if now >= code.expires_at {
        return refused(Refusal::ExpiredToken, "the device code has expired");
    }
    if now < after_seconds(code.asked_at, code.interval) {
        code.interval += INTERVAL;
        code.asked_at = now;
        let because = format!("asked too early: the interval is now {} s", code.interval);
        return refused(Refusal::SlowDown, &because);
    }
    code.asked_at = now;
    let scopes = match &code.decision {
        Decision::Allowed(scopes) => scopes.clone(),
        Decision::Denied => return refused(Refusal::DeviceDenied, "the person said no"),
        Decision::Open | Decision::Spent(_) => {
            return refused(Refusal::AuthorizationPending, "the person has not decided yet");
        }
    };
    let family = turn.state.begin_family(client_id, scopes);
    if let Some(code) = turn.state.device_codes.get_mut(name) {
        code.decision = Decision::Spent(family);
    }
    Ok(issue::tokens(turn, family))
}
