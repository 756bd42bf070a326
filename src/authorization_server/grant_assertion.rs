//! The assertion of a JWT bearer grant: the client's own, or one that was brought (RFC 7523 sections 2.1 and 3).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;

use super::assertion::{Assertion, Signer};
use super::client_authentication::ClientRegistration;
use super::jose::Members;
use crate::provider::schema::ScopePlace;
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;

/// Seconds by which two clocks may differ.
const LEEWAY: i64 = 60;

/// Why a ready assertion is of no use; nothing of it is quoted but whom it is for and when it ends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BroughtError {
    /// Not three parts, or none that can be read.
    #[error("it is no signed JSON Web Token")]
    NotAJwt,
    /// A claim that must be there is not (RFC 7523 section 3).
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// Its end has passed.
    #[error("it ended at {0}")]
    Ended(Timestamp),
    /// Its beginning is still to come.
    #[error("it begins at {0}")]
    NotYet(Timestamp),
    /// It is for somebody else.
    #[error("it is for {found}, and not for {expected}")]
    Audience {
        /// As it says.
        found: String,
        /// Who takes it.
        expected: String,
    },
}

/// The assertion that the client signs about the subject that the provider names.
pub fn own(
    provider: &Provider,
    values: &Values,
    registration: &ClientRegistration,
    scopes: &[String],
) -> Result<Assertion, MissingValue> {
    let words = provider.jwt_bearer.clone().unwrap_or_default();
    let mut claims = Members::new();
    claims.insert("iss".into(), values.render(&words.issuer)?.into());
    claims.insert("sub".into(), values.render(&words.subject)?.into());
    claims.insert("aud".into(), audience(provider, values)?.into());
    if words.scope == ScopePlace::Claim && !scopes.is_empty() {
        claims.insert("scope".into(), scopes.join(" ").into());
    }
    for (name, template) in &words.claims {
        claims.insert(name.clone(), values.render(template)?.into());
    }
    let key_id = provider.client.key_id.as_deref();
    let signer = Signer::PrivateKey {
        key: registration.private_key.clone(),
        algorithms: provider.client.assertion_algorithms.clone(),
        key_id: key_id.map(|it| values.render(it)).transpose()?,
    };
    let lifetime = words.lifetime;
    Ok(Assertion { parameter: "assertion", signer, kind: "JWT", claims, lifetime })
}

fn audience(provider: &Provider, values: &Values) -> Result<String, MissingValue> {
    match provider.jwt_bearer.as_ref().and_then(|it| it.audience.as_deref()) {
        Some(template) => values.render(template),
        None => values.render_url(&provider.token.url),
    }
}

/// Looks at an assertion that was made elsewhere: whom it is for and until when; who signed it, only the server can tell.
pub fn check_brought(
    provider: &Provider,
    values: &Values,
    assertion: &Secret,
    now: Timestamp,
) -> Result<Result<(), BroughtError>, MissingValue> {
    let issuer = provider.discovery.as_ref().and_then(|it| it.issuer.as_ref());
    let mut takes = vec![audience(provider, values)?, values.render_url(&provider.token.url)?];
    takes.extend(issuer.map(|template| values.render_url(template)).transpose()?);
    takes.dedup();
    Ok(look_at(assertion, &takes, now.as_second()))
}

fn look_at(assertion: &Secret, takes: &[String], now: i64) -> Result<(), BroughtError> {
    let claims = claims(assertion).ok_or(BroughtError::NotAJwt)?;
    for name in ["iss", "sub"] {
        claims.get(name).and_then(Value::as_str).ok_or(BroughtError::Missing(name))?;
    }
    let found: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => return Err(BroughtError::Missing("aud")),
    };
    if !found.iter().any(|it| takes.iter().any(|ours| ours == it)) {
        let (found, expected) = (found.join(", "), takes.join(" or "));
        return Err(BroughtError::Audience { found, expected });
    }
    let time = |name| claims.get(name).and_then(Value::as_f64).map(|it| it as i64);
    let at = |seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let end = time("exp").ok_or(BroughtError::Missing("exp"))?;
    match time("nbf") {
        _ if end <= now => Err(BroughtError::Ended(at(end))),
        Some(start) if start > now + LEEWAY => Err(BroughtError::NotYet(at(start))),
        _ => Ok(()),
    }
}

fn claims(token: &Secret) -> Option<Members> {
    let parts: Vec<&str> = token.expose().split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return None };
    let object =
        |part: &str| serde_json::from_slice::<Members>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let is_signed = !signature.is_empty() && object(header)?.get("alg")? != "none";
    is_signed.then(|| object(claims)).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: Value, claims: Value, signature: &str) -> Secret {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Secret::new(format!("{}.{}.{signature}", part(header), part(claims)))
    }

    fn looked(claims: Value) -> Result<(), BroughtError> {
        let takes = ["https://as.test/token".to_owned(), "https://as.test".to_owned()];
        look_at(&token(json!({"alg": "ES256"}), claims, "AAAA"), &takes, 1_000)
    }

    #[test] // CA10
    fn a_ready_assertion_is_looked_at_before_it_is_sent() {
        let good = json!({"iss": "a", "sub": "b", "aud": "https://as.test", "exp": 1_001});
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            looked(claims)
        };
        assert_eq!(looked(good.clone()), Ok(()));
        assert_eq!(with("aud", json!(["x", "https://as.test/token"])), Ok(()));
        assert_eq!(with("nbf", json!(1_060)), Ok(()));
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(with("exp", json!(1_000)), Err(BroughtError::Ended(at(1_000))));
        assert_eq!(with("exp", json!(null)), Err(BroughtError::Missing("exp")));
        assert_eq!(with("exp", json!(1e300)), Ok(()));
        assert_eq!(with("nbf", json!(1_061)), Err(BroughtError::NotYet(at(1_061))));
        assert_eq!(with("sub", json!(null)), Err(BroughtError::Missing("sub")));
        assert_eq!(with("aud", json!(7)), Err(BroughtError::Missing("aud")));
        for other in [json!("https://as.test/"), json!(["x"]), json!([])] {
            assert!(matches!(with("aud", other), Err(BroughtError::Audience { .. })));
        }
    }

    #[test] // CA10, CA11
    fn what_is_not_signed_is_no_assertion() {
        let claims = json!({"iss": "a", "sub": "b", "aud": "https://as.test", "exp": 1_001});
        let takes = ["https://as.test".to_owned()];
        let cases = [
            token(json!({"alg": "none"}), claims.clone(), "AAAA"),
            token(json!({"alg": "ES256"}), claims.clone(), ""),
            token(json!({}), claims.clone(), "AAAA"),
            token(json!({"alg": "ES256"}), json!(["iss"]), "AAAA"),
            Secret::new("a.b"),
            Secret::new("hunter2"),
            Secret::new(""),
        ];
        for token in cases {
            assert_eq!(look_at(&token, &takes, 0), Err(BroughtError::NotAJwt));
        }
    }
}
