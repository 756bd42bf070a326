//! New tokens, and the answer that carries them in the vendor's words.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::json_template;
use super::stand_in::Turn;
use super::state::{AccessToken, RefreshToken};
use crate::clock::after_seconds;

/// Gives a family a new access token, and a new refresh token where the vendor and the scopes have one.
pub fn tokens(turn: &mut Turn<'_>, family: u64) -> Value {
    let lifetime = access_lifetime(turn);
    let access_token = new_access_token(turn, family, lifetime);
    let refresh_token = may_refresh(turn, family).then(|| new_refresh_token(turn, family));
    answer(turn, family, access_token, refresh_token, lifetime)
}

/// Gives a family an access token and no way to renew it (RFC 6749 section 4.4.3).
pub fn access_token_alone(turn: &mut Turn<'_>, family: u64) -> Value {
    let lifetime = access_lifetime(turn);
    let access_token = new_access_token(turn, family, lifetime);
    answer(turn, family, access_token, None, lifetime)
}

/// Gives tokens as a vendor's dashboard does: in standard words, with the dashboard's own lifetime.
pub fn by_dashboard(turn: &mut Turn<'_>, scopes: Vec<String>) -> Value {
    let own = turn.vendor.provider.import.as_ref().and_then(|import| import.lifetime);
    let lifetime = own.or_else(|| access_lifetime(turn));
    let family = {
        let client_id = turn.state.client.client_id.clone();
        turn.state.begin_family(&client_id, scopes.clone())
    };
    let mut tokens = Map::new();
    tokens.insert("access_token".into(), new_access_token(turn, family, lifetime).into());
    if may_refresh(turn, family) {
        tokens.insert("refresh_token".into(), new_refresh_token(turn, family).into());
    }
    if let Some(lifetime) = lifetime {
        tokens.insert("expires_in".into(), lifetime.into());
    }
    tokens.insert("scope".into(), scopes.join(" ").into());
    Value::Object(tokens)
}

fn access_lifetime(turn: &Turn<'_>) -> Option<u64> {
    turn.behaviour.access_lifetime.or(turn.vendor.provider.response.lifetime)
}

fn may_refresh(turn: &Turn<'_>, family: u64) -> bool {
    let granted = |wanted: &String| {
        turn.state.families.get(&family).is_some_and(|family| family.scopes.contains(wanted))
    };
    let needed = turn.vendor.provider.refresh.needs_scope.as_ref();
    turn.vendor.gives_refresh_tokens() && needed.is_none_or(granted)
}

fn new_access_token(turn: &mut Turn<'_>, family: u64, lifetime: Option<u64>) -> String {
    let expires_at = lifetime.map(|seconds| after_seconds(turn.now, seconds));
    let token = match turn.vendor.facts.token.jwt {
        true => jwt(turn, lifetime.unwrap_or_default()),
        false => turn.secret("access_token"),
    };
    turn.state
        .access_tokens
        .insert(token.clone(), AccessToken { family, expires_at, revoked: false });
    token
}

fn new_refresh_token(turn: &mut Turn<'_>, family: u64) -> String {
    let lifetime = turn.vendor.provider.refresh.lifetime;
    let expires_at = lifetime.map(|seconds| after_seconds(turn.now, seconds));
    let token = turn.secret("refresh_token");
    turn.state
        .refresh_tokens
        .insert(token.clone(), RefreshToken { family, expires_at, spent_at: None });
    token
}

/// Looks like a JWT (RFC 7519); its signature is random, since clients must not look inside.
fn jwt(turn: &Turn<'_>, lifetime: u64) -> String {
    let issued = turn.now.as_second();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "RS256", "typ": "JWT"}));
    let claims = part(json!({
        "iss": turn.vendor.origin,
        "sub": turn.vendor.facts.client_id,
        "jti": turn.uuid(),
        "iat": issued,
        "exp": after_seconds(turn.now, lifetime).as_second(),
    }));
    format!("{header}.{claims}.{}", turn.secret("signature"))
}

fn answer(
    turn: &Turn<'_>,
    family: u64,
    access_token: String,
    refresh_token: Option<String>,
    lifetime: Option<u64>,
) -> Value {
    let facts = &turn.vendor.facts.token;
    let names = &turn.vendor.provider.response;
    let scopes = turn.state.families.get(&family).map(|family| family.scopes.as_slice());
    let members = [
        ("access_token", &names.access_token, Some(Value::from(access_token))),
        ("token_type", &names.token_type, Some(json!("Bearer"))),
        ("expires_in", &names.expires_in, lifetime.map(Value::from)),
        ("refresh_token", &names.refresh_token, refresh_token.map(Value::from)),
        ("scope", &names.scope, scopes.map(|it| json!(lines(it, facts.scopes_per_line)))),
    ];
    let mut document = Map::new();
    for (standard, path, value) in members {
        if let Some(value) = value.filter(|_| !facts.leaves_out.iter().any(|it| it == standard)) {
            json_template::put(&mut document, path, value);
        }
    }
    document.extend(facts.extra.clone());
    document.extend(turn.state.answer_members.clone());
    Value::Object(document)
}

/// Joins scopes; some vendors break the line between them.
fn lines(scopes: &[String], per_line: Option<usize>) -> String {
    let lines = scopes.chunks(per_line.unwrap_or(usize::MAX).max(1));
    lines.map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
}
