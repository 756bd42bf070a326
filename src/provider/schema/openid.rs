//! Who connected: ID tokens, userinfo (OpenID Connect Core), and what a token is worth (RFC 7662).

use serde::{Deserialize, Serialize};

use super::{BodyFormat, yes};

/// How an ID token is checked; its issuer is `[discovery]`'s (OpenID Connect Core section 3.1.3.7).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    /// The issuer's keys (RFC 7517 section 5); required.
    pub jwks_url: String,
    /// What the tokens may be signed with: the client's registration says it, RS256 where it does not.
    #[serde(default = "rs256")]
    pub algorithms: Vec<SignatureAlgorithm>,
    /// Whether an answer without one is a failure where `openid` was asked for.
    #[serde(default = "yes")]
    pub required: bool,
    /// Other audiences that a token may have beside this client.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Seconds that the vendor's clock may differ.
    #[serde(default = "minute")]
    pub leeway: u64,
}

/// A signature that a public key checks (RFC 7518 section 3.1, RFC 8037).
///
/// Neither `none` nor a MAC is among them: whoever has the public key could make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// RSA PKCS #1 with SHA-256.
    RS256,
    /// RSA PKCS #1 with SHA-384.
    RS384,
    /// RSA PKCS #1 with SHA-512.
    RS512,
    /// RSA-PSS with SHA-256.
    PS256,
    /// RSA-PSS with SHA-384.
    PS384,
    /// RSA-PSS with SHA-512.
    PS512,
    /// P-256 with SHA-256.
    ES256,
    /// P-384 with SHA-384.
    ES384,
    /// Ed25519.
    EdDSA,
}

impl SignatureAlgorithm {
    /// All of them, the default first.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// The registered name, as in `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }
}

/// Claims about the person (OpenID Connect Core section 5.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Userinfo {
    /// The userinfo endpoint; required.
    pub url: String,
    /// Whether every `connect` asks it; else `connect --userinfo` does.
    #[serde(default)]
    pub at_connect: bool,
}

/// Token introspection (RFC 7662).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Introspect {
    /// The introspection endpoint; required.
    pub url: String,
    /// How the parameters are written.
    #[serde(default)]
    pub body: BodyFormat,
    /// Whether `token_type_hint` is sent.
    #[serde(default = "yes")]
    pub hint: bool,
}

fn rs256() -> Vec<SignatureAlgorithm> {
    vec![SignatureAlgorithm::RS256]
}

fn minute() -> u64 {
    60
}
