//! Parameters of an authorization request that nobody but the protocol sets.

/// What has a place of its own: a flag, a word of the provider file, or keyfob itself.
const RESERVED: [&str; 16] = [
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
    "code_verifier",
];

/// Whether a parameter is the protocol's own, in any case of letters.
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name.to_ascii_lowercase().as_str())
}
