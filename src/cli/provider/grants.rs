//! What `provider show` says of grants in which a signed token speaks.

use crate::cli::report::span;
use crate::provider::Provider;
use crate::provider::schema::{Flow, ScopePlace};

/// Who asserts what, for whom and how long.
pub fn jwt_bearer(provider: &Provider) -> String {
    if !provider.flows.contains(&Flow::JwtBearer) {
        return String::new();
    }
    let words = provider.jwt_bearer.clone().unwrap_or_default();
    let audience = words.audience.as_deref().unwrap_or("the token endpoint");
    let scopes = match words.scope {
        ScopePlace::Claim => ", with the scopes in it",
        ScopePlace::Parameter => "",
    };
    let lifetime = span(words.lifetime.into());
    format!(
        "{} speaks for {} to {audience}, {lifetime} at a time{scopes}",
        words.issuer, words.subject
    )
}

/// What is exchanged for what.
pub fn token_exchange(provider: &Provider) -> String {
    if !provider.flows.contains(&Flow::TokenExchange) {
        return String::new();
    }
    let words = provider.token_exchange.clone().unwrap_or_default();
    let from = words.subject_token_type.as_deref().unwrap_or("a token of any type");
    let to = words.requested_token_type.as_deref().unwrap_or("what the server gives");
    let params = words.params.iter().map(|(name, value)| format!(", {name} {value}"));
    format!("{from} for {to}{}", params.collect::<String>())
}
