//! The resource server: who asks, whether the scopes open it, whether the call is complete.

use serde_json::json;

use super::idempotency;
use super::limits;
use super::message::{Answer, Payload, Request};
use super::parameters::invalid;
use super::records::{self, Place};
use super::refusal::{Refusal, Refused, Side};
use super::stand_in::Turn;
use super::vendor::Vendor;
use super::webhooks;
use crate::provider::schema::Scope;
use crate::provider::template;

/// Answers a call.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    answered(turn, request).unwrap_or_else(|refused| {
        let answer = turn.refuse(Side::Api, &refused);
        match (refused.what, records::place(turn.vendor, &request.path)) {
            (Refusal::MethodNotAllowed, Some(place)) => {
                answer.with("allow", place.methods().join(", "))
            }
            _ => answer,
        }
    })
}

fn answered(turn: &mut Turn<'_>, request: &Request) -> Result<Answer, Refused> {
    let granted = granted_scopes(turn, request)?;
    limits::check(turn, turn.vendor.relative(&request.path), "*")?;
    fixed_headers(turn.vendor, request)?;
    if is_measure(turn.vendor, &request.path) {
        return measure(request);
    }
    if let Some(rotated) = webhooks::rotation(turn, request, &granted) {
        return rotated;
    }
    let vendor = turn.vendor;
    let nothing = || Refused::new(Refusal::NotFound, "nothing is there");
    let place = records::place(vendor, &request.path).ok_or_else(nothing)?;
    if !place.methods().contains(&request.method) {
        let because = format!("only {} here", place.methods().join(", "));
        return Err(Refused::new(Refusal::MethodNotAllowed, because));
    }
    opened(vendor, &place, request, &granted)?;
    account_named(turn, request)?;
    idempotency::once(turn, request, |turn| records::act(turn, &place, request))
}

/// The scopes of the access token that a call shows, in the one place and scheme the vendor takes.
fn granted_scopes(turn: &Turn<'_>, request: &Request) -> Result<Vec<String>, Refused> {
    let rule = &turn.vendor.provider.api.authorization;
    let in_query = rule.query.as_ref().and_then(|name| request.query_value(name));
    let headers: Vec<&str> = request.headers_named("authorization").collect();
    let token = match (headers.as_slice(), in_query) {
        ([], Some(token)) => token,
        ([header], None) => {
            let shown = header.strip_prefix(rule.scheme.as_str());
            let wrong =
                || Refused::new(Refusal::TokenMissing, format!("the scheme is {}", rule.scheme));
            shown.and_then(|rest| rest.strip_prefix(' ')).ok_or_else(wrong)?.to_owned()
        }
        ([], None) => return Err(Refused::new(Refusal::TokenMissing, "no access token is shown")),
        _ => return Err(invalid("the access token is shown more than once")),
    };
    let ended = || Refused::new(Refusal::TokenInvalid, "the access token is unknown or has ended");
    if turn.behaviour.refused_path.as_deref() == Some(turn.vendor.relative(&request.path)) {
        return Err(ended());
    }
    turn.state.scopes_of(&token, turn.now).map(<[String]>::to_vec).ok_or_else(ended)
}

/// The headers that the vendor wants on every call, word for word.
fn fixed_headers(vendor: &Vendor, request: &Request) -> Result<(), Refused> {
    let api = &vendor.provider.api;
    for (name, value) in &api.headers {
        let header = name.to_ascii_lowercase();
        let values: Vec<&str> = request.headers_named(&header).collect();
        if template::names(value).is_empty() && values != [value] {
            let because = format!("every call needs the header {name}: {value}");
            return Err(Refused::new(Refusal::HeaderMissing, because));
        }
    }
    match api.user_agent.is_some() && request.header("user-agent").is_none_or(str::is_empty) {
        true => {
            Err(Refused::new(Refusal::HeaderMissing, "every call names its client in User-Agent"))
        }
        false => Ok(()),
    }
}

/// A header whose value is chosen from a list must hold one of the list; only the list itself is open without it.
fn account_named(turn: &Turn<'_>, request: &Request) -> Result<(), Refused> {
    let vendor = turn.vendor;
    for (name, value) in &vendor.provider.api.headers {
        let Some(list) = vendor.listed_setting(value) else { continue };
        if vendor.relative(&request.path) == list.get {
            continue;
        }
        let path = format!("{}{}", vendor.endpoints.api, list.get);
        let known = turn.state.records.get(&path).map(Vec::as_slice).unwrap_or_default();
        let header = name.to_ascii_lowercase();
        let named = request.header(&header);
        let is_known = named.is_some_and(|named| known.iter().any(|it| it[&list.id] == named));
        if !is_known {
            let because = format!("the header {name} must name one of {}", list.get);
            return Err(Refused::new(Refusal::ContextUnknown, because));
        }
    }
    Ok(())
}

fn opened(
    vendor: &Vendor,
    place: &Place<'_>,
    request: &Request,
    granted: &[String],
) -> Result<(), Refused> {
    let Some(needed) = needed_scopes(vendor, place, request) else { return Ok(()) };
    if needed.iter().any(|scope| granted.contains(scope)) {
        return Ok(());
    }
    let mut refused = Refused::new(
        Refusal::InsufficientScope,
        format!("{} {} needs the scope {}", request.method, request.path, needed.join(" or ")),
    );
    refused.scope = needed.first().cloned();
    Err(refused)
}

/// Scopes any of which opens a call: from the vendor's table, else from the provider's; `None` where nobody says.
fn needed_scopes(vendor: &Vendor, place: &Place<'_>, request: &Request) -> Option<Vec<String>> {
    if !place.needs().is_empty() {
        return Some(place.needs().get(&request.method).cloned().unwrap_or_default());
    }
    let path = vendor.relative(&request.path);
    let fit = |scope: &Scope| {
        let fits = |endpoint: &&String| covers(endpoint, path);
        scope.endpoints.iter().filter(fits).map(|endpoint| endpoint.split('/').count()).max()
    };
    let best = vendor.provider.scope.iter().filter_map(fit).max()?;
    let opens =
        |scope: &&Scope| fit(scope) == Some(best) && scope.methods.contains(&request.method);
    Some(vendor.provider.scope.iter().filter(opens).map(|scope| scope.name.clone()).collect())
}

/// Whether an endpoint of a scope table is a path or stands above it; a name in braces is one segment.
fn covers(endpoint: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    endpoint.split('/').all(|wanted| match segments.next() {
        Some(segment) => wanted == segment || (wanted.starts_with('{') && !segment.is_empty()),
        None => false,
    })
}

/// Whether a path is one of the two that measure throughput: `upload` and `download` below the API base.
pub fn is_measure(vendor: &Vendor, path: &str) -> bool {
    matches!(vendor.relative(path), "/upload" | "/download")
}

fn measure(request: &Request) -> Result<Answer, Refused> {
    if request.path.ends_with("/upload") {
        return Ok(Answer::json(200, &json!({"bytes": request.body_bytes})));
    }
    let bytes = request.query_value("bytes").and_then(|bytes| bytes.parse().ok());
    let bytes: u64 = bytes.ok_or_else(|| invalid("`bytes` is a number"))?;
    let answer = Answer::empty(200).with("content-type", "application/octet-stream");
    Ok(Answer { payload: Payload::Zeros(bytes), ..answer })
}
