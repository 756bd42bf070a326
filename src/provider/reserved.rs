//! Parameters of an authorization request or a token request that nobody but the protocol sets.

/// What has a place of its own: a flag, a word of the provider file, or keyfob itself.
const RESERVED: [&str; 30] = [
    "client_id",
    "redirect_uri",
    "state",
    "response_type",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "nonce",
    "scope",
    "request",
    "request_uri",
    "resource",
    "authorization_details",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "grant_type",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
    "username",
    "password",
    "assertion",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
];

/// What a token exchange says in a way of its own (RFC 8693 section 2.1).
const FREE_IN_AN_EXCHANGE: [&str; 2] = ["resource", "authorization_details"];

/// Whether a parameter is the protocol's own, in any case of letters.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name.to_ascii_lowercase().as_str())
}

/// The same for a token exchange, which may name its resource beside the one of `[token]`.
pub fn is_reserved_in_an_exchange(name: &str) -> bool {
    is_reserved(name) && !FREE_IN_AN_EXCHANGE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // AR14, EX6
    fn an_exchange_names_its_resource_as_it_likes_and_nothing_else_of_the_protocol() {
        assert!(is_reserved("Resource") && !is_reserved_in_an_exchange("resource"));
        assert!(is_reserved_in_an_exchange("Subject_Token"));
        assert!(!is_reserved("audience"));
    }
}
