//! The authorization endpoint: judges the request, asks the person, sends the browser back.

use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use super::consent_page;
use super::message::{Answer, Request};
use super::openid;
use super::parameters::{Parameters, invalid};
use super::refusal::{Refusal, Refused};
use super::registration;
use super::stand_in::Turn;
use super::state::{Code, Ticket};
use super::vendor::Vendor;
use crate::clock::after_seconds;
use crate::provider::schema::{Authorize, BodyFormat, Pkce, RedirectMatch, State as StateRule};

/// Seconds a code lives where the vendor does not say (RFC 6749 section 4.1.2: ten minutes at most).
const CODE_LIFETIME: u64 = 600;
/// Seconds the consent page waits for a decision.
const TICKET_LIFETIME: u64 = 600;

/// Where an error goes.
enum Wrong {
    /// Shown to the person: the redirect URI cannot be trusted (RFC 6749 section 4.1.2.1).
    Shown(Refused),
    /// Sent back to the client.
    SentBack { redirect_uri: String, state: Option<String>, refused: Refused },
}

/// Answers at the authorization endpoint.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    let outcome = match request.method.as_str() {
        "GET" => consent(turn, request),
        "POST" => decided(turn, request),
        _ => return Answer::empty(405).with("allow", "GET, POST"),
    };
    match outcome {
        Ok(answer) => answer,
        Err(Wrong::Shown(refused)) => {
            turn.state.note_refusal(&refused.because);
            let code = turn.vendor.facts.errors.code(refused.what);
            consent_page::refused(turn.vendor, code, &refused.because)
        }
        Err(Wrong::SentBack { redirect_uri, state, refused }) => {
            turn.state.note_refusal(&refused.because);
            let code = turn.vendor.facts.errors.code(refused.what);
            let answer = [("error", code), ("error_description", &refused.because)];
            sent_back(turn.vendor, 302, &redirect_uri, &answer, state.as_deref())
        }
    }
}

fn consent(turn: &mut Turn<'_>, request: &Request) -> Result<Answer, Wrong> {
    let Some(authorize) = turn.vendor.provider.authorize.clone() else {
        return Err(Wrong::Shown(invalid("this vendor has no authorization endpoint")));
    };
    let parameters = Parameters::from_query(&request.query).map_err(Wrong::Shown)?;
    let redirect_uri = redirect_uri(turn, &authorize, &parameters).map_err(Wrong::Shown)?;
    let state = parameters.get("state").map(str::to_owned);
    let ticket = judged(turn, &authorize, &parameters, redirect_uri.clone())
        .map_err(|refused| Wrong::SentBack { redirect_uri, state, refused })?;
    let name = turn.secret("ticket");
    let page = consent_page::consent(turn.vendor, &name, &ticket);
    turn.state.tickets.insert(name, ticket);
    Ok(page)
}

/// The client and its redirect URI, before anything may be sent there.
fn redirect_uri(
    turn: &Turn<'_>,
    authorize: &Authorize,
    parameters: &Parameters,
) -> Result<String, Refused> {
    if parameters.get("client_secret").is_some() {
        return Err(invalid("a client secret must never travel through the browser"));
    }
    let known = turn.state.client_named(parameters.required("client_id")?);
    let Some((client, registered)) = known else {
        return Err(Refused::new(
            Refusal::InvalidClient,
            "no client is registered under this client_id",
        ));
    };
    match parameters.get("redirect_uri") {
        None if !authorize.redirect.send => Ok(client.redirect_uri.clone()),
        None => Err(invalid("`redirect_uri` is missing")),
        Some(uri) => {
            let matching = authorize.redirect.matching;
            match registered.iter().any(|known| redirect_matches(matching, known, uri)) {
                true => Ok(uri.to_owned()),
                false => Err(Refused::new(
                    Refusal::InvalidRedirectUri,
                    format!(
                        "the redirect URI {uri} is not registered; registered: {}",
                        registered.join(" ")
                    ),
                )),
            }
        }
    }
}

/// Compares redirect URIs: character by character, or on any port of a loopback address (RFC 8252 section 7.3).
///
/// A loopback registration without a path takes any path.
pub fn redirect_matches(matching: RedirectMatch, registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(known), Ok(uri)) = (Url::parse(registered), Url::parse(asked)) else { return false };
    let loopback = matches!(uri.host_str(), Some("127.0.0.1" | "[::1]"));
    let any_path = known.path() == "/" && known.query().is_none() && !registered.ends_with('/');
    matching == RedirectMatch::LoopbackAnyPort
        && loopback
        && known.scheme() == "http"
        && uri.scheme() == "http"
        && uri.username().is_empty()
        && uri.password().is_none()
        && uri.fragment().is_none()
        && (any_path || (known.path(), known.query()) == (uri.path(), uri.query()))
}

/// Everything else in the request; what is wrong now goes back to the client.
fn judged(
    turn: &Turn<'_>,
    authorize: &Authorize,
    parameters: &Parameters,
    redirect_uri: String,
) -> Result<Ticket, Refused> {
    let client_id = parameters.required("client_id")?;
    if !turn.state.is_approved(client_id) {
        let because = "the application is pending review";
        return Err(Refused::new(Refusal::UnauthorizedClient, because));
    }
    if parameters.required("response_type")? != "code" {
        let because = "the only response_type is code";
        return Err(Refused::new(Refusal::UnsupportedResponseType, because));
    }
    if authorize.state == StateRule::Required {
        parameters.required("state")?;
    }
    for (name, value) in &authorize.params {
        if parameters.get(name) != Some(value) {
            return Err(invalid(format!("this vendor wants `{name}={value}`")));
        }
    }
    let scopes = scopes(turn.vendor, &authorize.scope_separator, parameters.get("scope"))?;
    registration::check(turn, client_id, "authorization_code", &scopes)?;
    Ok(Ticket {
        client_id: client_id.to_owned(),
        redirect_uri,
        state: parameters.get("state").map(str::to_owned),
        challenge: challenge(turn.vendor, authorize, parameters)?,
        nonce: openid::nonce(turn, &scopes, parameters.get("nonce"))?,
        scopes,
        expires_at: after_seconds(turn.now, TICKET_LIFETIME),
    })
}

/// The PKCE challenge (RFC 7636 section 4.3); `plain` is never taken.
fn challenge(
    vendor: &Vendor,
    authorize: &Authorize,
    parameters: &Parameters,
) -> Result<Option<String>, Refused> {
    let challenge = parameters.get("code_challenge");
    let method = parameters.get("code_challenge_method");
    match (challenge, method) {
        (None, None) if vendor.facts.pkce_required => Err(invalid("`code_challenge` is missing")),
        (None, None) => Ok(None),
        _ if authorize.pkce == Pkce::Off => Err(invalid("this vendor does not know PKCE")),
        (Some(challenge), Some("S256")) => {
            let sound = challenge.len() == 43
                && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
            match sound {
                true => Ok(Some(challenge.to_owned())),
                false => Err(invalid("`code_challenge` is no SHA-256 in base64url")),
            }
        }
        _ => Err(invalid("the only code_challenge_method is S256")),
    }
}

/// The scopes that are asked for; every one must be known.
pub fn scopes(
    vendor: &Vendor,
    separator: &str,
    asked: Option<&str>,
) -> Result<Vec<String>, Refused> {
    let scopes: Vec<String> = match asked {
        Some(asked) => asked.split(separator).map(str::to_owned).collect(),
        None => vendor.facts.default_scopes.clone(),
    };
    let known = |name: &String| vendor.provider.scope.iter().any(|scope| scope.name == *name);
    let refused = |because: String| Err(Refused::new(Refusal::InvalidScope, because));
    if vendor.provider.scope.is_empty() {
        return Ok(scopes);
    }
    if scopes.is_empty() {
        return refused("no scope is asked for".into());
    }
    match scopes.iter().find(|name| !known(name)) {
        Some(unknown) => refused(format!("there is no scope `{unknown}`")),
        None => Ok(scopes),
    }
}

/// The person's decision: a form that only our own page can have made.
fn decided(turn: &mut Turn<'_>, request: &Request) -> Result<Answer, Wrong> {
    if request.header("origin").is_some_and(|origin| !is_own_origin(turn.vendor, origin)) {
        return Err(Wrong::Shown(invalid("the form was sent from another site")));
    }
    let parameters = Parameters::from_body(request, BodyFormat::Form).map_err(Wrong::Shown)?;
    let name = parameters.required("ticket").map_err(Wrong::Shown)?;
    let ticket = turn.state.tickets.remove(name).filter(|ticket| turn.now < ticket.expires_at);
    let Some(ticket) = ticket else {
        return Err(Wrong::Shown(invalid("this page was answered before, or has expired")));
    };
    match parameters.get("decision") {
        Some("allow") => Ok(allowed(turn, ticket)),
        Some("deny") => Ok(denied(turn, &ticket)),
        _ => Err(Wrong::Shown(invalid("the decision is `allow` or `deny`"))),
    }
}

pub fn is_own_origin(vendor: &Vendor, origin: &str) -> bool {
    origin == vendor.origin || origin == vendor.origin.replace("127.0.0.1", "localhost")
}

fn allowed(turn: &mut Turn<'_>, ticket: Ticket) -> Answer {
    let lifetime = turn.vendor.provider.authorize.as_ref().and_then(|it| it.code_lifetime);
    let code = turn.secret("code");
    let most = turn.state.grants_at_most.clone();
    let granted = |scope: &String| most.as_ref().is_none_or(|most| most.contains(scope));
    turn.state.codes.insert(
        code.clone(),
        Code {
            redirect_uri: ticket.redirect_uri.clone(),
            challenge: ticket.challenge,
            scopes: ticket.scopes.into_iter().filter(granted).collect(),
            nonce: ticket.nonce,
            client_id: ticket.client_id,
            expires_at: after_seconds(turn.now, lifetime.unwrap_or(CODE_LIFETIME)),
            spent: None,
        },
    );
    sent_back(turn.vendor, 303, &ticket.redirect_uri, &[("code", &code)], ticket.state.as_deref())
}

fn denied(turn: &Turn<'_>, ticket: &Ticket) -> Answer {
    let code = turn.vendor.facts.errors.code(Refusal::AccessDenied);
    let answer = [("error", code), ("error_description", "The person said no")];
    sent_back(turn.vendor, 303, &ticket.redirect_uri, &answer, ticket.state.as_deref())
}

/// Redirects with an answer; the redirect URI itself stays as it was, its own query included.
fn sent_back(
    vendor: &Vendor,
    status: u16,
    redirect_uri: &str,
    answer: &[(&str, &str)],
    state: Option<&str>,
) -> Answer {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(answer);
    let drops_state = |it: &Authorize| it.state == StateRule::MayBeDropped;
    if let Some(state) =
        state.filter(|_| !vendor.provider.authorize.as_ref().is_some_and(drops_state))
    {
        query.append_pair("state", state);
    }
    if vendor.provider.discovery.as_ref().is_some_and(|it| it.iss_in_response) {
        query.append_pair("iss", &vendor.origin);
    }
    let join = if redirect_uri.contains('?') { '&' } else { '?' };
    Answer::empty(status)
        .with("location", format!("{redirect_uri}{join}{}", query.finish()))
        .with("cache-control", "no-store")
        .with("referrer-policy", "no-referrer")
}

/// What a scope opens, in the provider's words.
pub fn grants<'a>(vendor: &'a Vendor, scope: &str) -> (&'a str, bool) {
    let known = vendor.provider.scope.iter().find(|known| known.name == scope);
    known.map_or(("", false), |known| (known.grants.as_str(), known.sensitive))
}

/// The names of all scopes, for the metadata document.
pub fn scope_names(vendor: &Vendor) -> Vec<Value> {
    vendor.provider.scope.iter().map(|scope| Value::from(scope.name.clone())).collect()
}
