//! The token endpoint: which grants there are and what each demands.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::client_authentication;
use super::device;
use super::issue;
use super::limits;
use super::message::{Answer, Request};
use super::openid;
use super::parameters::{Parameters, invalid};
use super::refusal::{Refusal, Refused};
use super::registration;
use super::stand_in::Turn;
use super::state::{Code, RefreshToken};
use crate::provider::schema::Flow;
use crate::secret::Secret;

/// Answers at the token endpoint.
pub fn answer(turn: &mut Turn<'_>, request: &Request) -> Answer {
    match granted(turn, request) {
        Ok(tokens) => {
            Answer::json(200, &tokens).with("cache-control", "no-store").with("pragma", "no-cache")
        }
        Err(refused) => client_authentication::refuse(turn, &refused),
    }
}

fn granted(turn: &mut Turn<'_>, request: &Request) -> Result<Value, Refused> {
    limits::check(turn, "token", "")?;
    if request.method != "POST" {
        return Err(Refused::new(Refusal::MethodNotAllowed, "tokens are asked for by POST"));
    }
    let token = &turn.vendor.provider.token;
    let parameters =
        Parameters::from_body(request, token.body)?.standardised(&token.rename, &token.omit)?;
    let client_id = client_authentication::check(turn, request, &parameters)?;
    fixed_parts(turn, request, &parameters)?;
    let grant = grant_type(turn, &parameters)?;
    known_parameters(turn, &parameters, grant)?;
    registration::check(turn, &client_id, grant, &[])?;
    match grant {
        "authorization_code" => by_code(turn, &parameters, &client_id),
        device::GRANT_TYPE => device::by_device_code(turn, &parameters, &client_id),
        "refresh_token" => by_refresh_token(turn, &parameters, &client_id),
        "password" => by_password(turn, &parameters, &client_id),
        _ => by_client_credentials(turn, &parameters, &client_id),
    }
}

/// What the vendor wants with every grant.
fn fixed_parts(turn: &Turn<'_>, request: &Request, parameters: &Parameters) -> Result<(), Refused> {
    let token = &turn.vendor.provider.token;
    let filled = |template: &String| turn.vendor.values.render(template).ok();
    for (name, value) in &token.params {
        if parameters.get(name) != filled(value).as_deref() {
            return Err(invalid(format!("this vendor wants `{name}` in every token request")));
        }
    }
    for (name, value) in &token.headers {
        if request.header(&name.to_ascii_lowercase()) != filled(value).as_deref() {
            return Err(invalid(format!("this vendor wants the header {name}")));
        }
    }
    Ok(())
}

fn grant_type<'a>(turn: &Turn<'_>, parameters: &'a Parameters) -> Result<&'a str, Refused> {
    let vendor = turn.vendor;
    if vendor.provider.token.omit.iter().any(|name| name == "grant_type") {
        return Ok("client_credentials");
    }
    let grant = parameters.required("grant_type")?;
    let offered = match grant {
        "authorization_code" => vendor.has(Flow::AuthorizationCode),
        device::GRANT_TYPE => vendor.has(Flow::DeviceCode),
        "client_credentials" => vendor.has(Flow::ClientCredentials),
        "password" => vendor.has(Flow::Password) && vendor.facts.owner.is_some(),
        "refresh_token" => vendor.gives_refresh_tokens(),
        _ => false,
    };
    match offered {
        true => Ok(grant),
        false => Err(Refused::new(Refusal::UnsupportedGrantType, "this vendor has no such grant")),
    }
}

fn known_parameters(turn: &Turn<'_>, parameters: &Parameters, grant: &str) -> Result<(), Refused> {
    if turn.vendor.facts.ignores_unknown_parameters {
        return Ok(());
    }
    let provider = &turn.vendor.provider;
    let mut known = vec!["grant_type"];
    known.extend(client_authentication::parameters(provider.client.auth));
    known.extend(provider.token.params.keys().map(String::as_str));
    known.extend(match grant {
        "authorization_code" => ["code", "redirect_uri", "code_verifier"].as_slice(),
        device::GRANT_TYPE => &["device_code"],
        "refresh_token" if provider.token.scope_on_refresh => &["refresh_token", "scope"],
        "refresh_token" => &["refresh_token"],
        "password" => &["username", "password"],
        _ => &["scope"],
    });
    parameters.only(&known)
}

/// RFC 6749 section 4.1.3. A code is spent by being shown, whatever else is wrong.
fn by_code(
    turn: &mut Turn<'_>,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Value, Refused> {
    let redirect_uri = parameters.required("redirect_uri")?;
    let name = parameters.required("code")?;
    let code = spend_code(turn, name)?;
    if code.client_id != client_id {
        return Err(bad_grant("the code was given to another client"));
    }
    if turn.now >= code.expires_at {
        return Err(bad_grant("the code has expired"));
    }
    if redirect_uri != code.redirect_uri {
        let because = "the redirect URI is not the one the code was sent to";
        return Err(Refused::new(Refusal::InvalidRedirectUri, because));
    }
    verified(code.challenge.as_deref(), parameters.get("code_verifier"))?;
    let family = turn.state.begin_family(client_id, code.scopes);
    if let Some(code) = turn.state.codes.get_mut(name) {
        code.spent = Some(Some(family));
    }
    let mut answer = issue::tokens(turn, family);
    openid::add_id_token(turn, family, code.nonce, &mut answer);
    Ok(answer)
}

/// A code that comes again ends the tokens it gave (RFC 6749 section 4.1.2).
fn spend_code(turn: &mut Turn<'_>, name: &str) -> Result<Code, Refused> {
    let known = turn.state.codes.get_mut(name).ok_or_else(|| bad_grant("the code is not known"))?;
    let code = known.clone();
    match code.spent {
        None => known.spent = Some(None),
        Some(family) => {
            turn.state.spent_seen += 1;
            family.into_iter().for_each(|family| turn.state.end_family(family));
            return Err(bad_grant("the code was used before"));
        }
    }
    Ok(code)
}

/// RFC 7636 section 4.6; a verifier without a challenge is refused too (RFC 9700 section 2.1.1).
fn verified(challenge: Option<&str>, verifier: Option<&str>) -> Result<(), Refused> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(bad_grant("a verifier came, but no challenge was sent before")),
        (Some(_), None) => Err(bad_grant("the code_verifier is missing")),
        (Some(challenge), Some(verifier)) => {
            let letter = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(letter) {
                return Err(bad_grant("the code_verifier is malformed"));
            }
            let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
            match made.as_bytes().ct_eq(challenge.as_bytes()).into() {
                true => Ok(()),
                false => Err(bad_grant("the code_verifier does not match")),
            }
        }
    }
}

/// RFC 6749 section 6 with rotation; a spent token that comes again ends its family (RFC 9700 section 4.14.2).
fn by_refresh_token(
    turn: &mut Turn<'_>,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Value, Refused> {
    let name = parameters.required("refresh_token")?;
    let unknown = || bad_grant("the refresh token is not known");
    let token = turn.state.refresh_tokens.get(name).cloned().ok_or_else(unknown)?;
    if token.expires_at.is_some_and(|at| turn.now >= at) {
        return Err(bad_grant("the refresh token has expired"));
    }
    let owner = turn.state.families.get(&token.family).map(|it| it.client_id.as_str());
    if owner.is_some_and(|owner| owner != client_id) {
        return Err(bad_grant("the refresh token was given to another client"));
    }
    refuse_spent(turn, &token)?;
    let family = turn.state.families.get(&token.family).filter(|family| family.alive);
    let scopes =
        family.map(|it| it.scopes.clone()).ok_or_else(|| bad_grant("the grant was revoked"))?;
    within(parameters.get("scope"), &scopes)?;
    if let Some(token) = turn.state.refresh_tokens.get_mut(name) {
        token.spent_at.get_or_insert(turn.now);
    }
    if turn.behaviour.refresh_ends_access {
        let old = turn.state.access_tokens.values_mut();
        old.filter(|it| it.family == token.family).for_each(|it| it.revoked = true);
    }
    turn.state.rotations += 1;
    let mut answer = issue::tokens(turn, token.family);
    openid::add_id_token(turn, token.family, None, &mut answer);
    Ok(answer)
}

fn refuse_spent(turn: &mut Turn<'_>, token: &RefreshToken) -> Result<(), Refused> {
    let Some(spent_at) = token.spent_at else { return Ok(()) };
    let grace = jiff::SignedDuration::try_from(turn.behaviour.reuse_grace).unwrap_or_default();
    if !grace.is_zero() && turn.now.duration_since(spent_at) <= grace {
        return Ok(());
    }
    turn.state.spent_seen += 1;
    turn.state.end_family(token.family);
    Err(bad_grant("the refresh token was used before: every token of this grant has ended"))
}

fn within(asked: Option<&str>, granted: &[String]) -> Result<(), Refused> {
    let wider = asked.unwrap_or_default().split_ascii_whitespace();
    match wider.into_iter().find(|scope| !granted.iter().any(|known| known == scope)) {
        Some(_) => Err(Refused::new(Refusal::InvalidScope, "a refresh cannot widen the scopes")),
        None => Ok(()),
    }
}

/// RFC 6749 section 4.4.
fn by_client_credentials(
    turn: &mut Turn<'_>,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Value, Refused> {
    let known = |scope: &&str| turn.vendor.provider.scope.iter().any(|it| it.name == **scope);
    let asked: Vec<&str> =
        parameters.get("scope").unwrap_or_default().split_ascii_whitespace().collect();
    if !turn.vendor.provider.scope.is_empty() && !asked.iter().all(known) {
        return Err(Refused::new(Refusal::InvalidScope, "there is no such scope"));
    }
    let scopes = match asked.is_empty() {
        true => turn.vendor.facts.default_scopes.clone(),
        false => asked.into_iter().map(str::to_owned).collect(),
    };
    let family = turn.state.begin_family(client_id, scopes);
    Ok(issue::access_token_alone(turn, family))
}

/// RFC 6749 section 4.3, for the old applications of a vendor that still has it.
fn by_password(
    turn: &mut Turn<'_>,
    parameters: &Parameters,
    client_id: &str,
) -> Result<Value, Refused> {
    let username = parameters.required("username")?;
    let password = parameters.required("password")?;
    let owner = turn.vendor.facts.owner.as_ref();
    match owner
        .filter(|owner| owner.username == username && owner.password == Secret::new(password))
    {
        None => Err(bad_grant("username or password is wrong")),
        Some(owner) => {
            let family = turn.state.begin_family(client_id, owner.scopes.clone());
            Ok(issue::tokens(turn, family))
        }
    }
}

fn bad_grant(because: &str) -> Refused {
    Refused::new(Refusal::InvalidGrant, because)
}
