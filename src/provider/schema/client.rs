//! How the client proves who it is (RFC 6749 section 2.3).

use serde::{Deserialize, Serialize};

use super::SigningAlgorithm;

/// Client authentication (RFC 6749 section 2.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// One method a request; the one of a client that chose no other.
    pub auth: ClientAuthentication,
    /// What the server takes, of which a profile chooses; only `auth` where this is empty.
    pub methods: Vec<ClientAuthentication>,
    /// How id and secret are written in HTTP Basic.
    pub basic_encoding: BasicEncoding,
    /// Whether there is a client secret.
    pub secret: Presence,
    /// Whether tokens are bound to a key that every request proves (RFC 9449 section 5.2).
    pub dpop_bound_access_tokens: bool,
    /// What the server takes such proofs signed with, by the names of RFC 7518; empty where it does not say.
    pub dpop_algorithms: Vec<String>,
    /// Whether tokens are bound to the client's certificate, which the API sees too (RFC 8705 section 3).
    pub certificate_bound_access_tokens: bool,
    /// Whom a client assertion is for.
    pub assertion_audience: AssertionAudience,
    /// What the vendor lets an assertion be signed with; whatever the private key does as a rule where this is empty.
    pub assertion_algorithms: Vec<SigningAlgorithm>,
    /// The name under which the vendor knows the private key, where the key has none of its own.
    pub key_id: Option<String>,
}

impl Client {
    /// Whether no token request can be made without a client secret.
    pub fn needs_secret(&self) -> bool {
        let needs_none =
            self.auth == ClientAuthentication::PrivateKeyJwt || self.is_known_by_certificate();
        self.secret == Presence::Required && !needs_none
    }

    /// Whether it proves who it is by a signature.
    pub fn signs(&self) -> bool {
        self.auth.signs()
    }

    /// The methods that a profile may have.
    pub fn all_methods(&self) -> &[ClientAuthentication] {
        match self.methods.is_empty() {
            true => std::slice::from_ref(&self.auth),
            false => &self.methods,
        }
    }

    /// Whether a profile may prove itself so.
    pub fn offers(&self, method: ClientAuthentication) -> bool {
        self.all_methods().contains(&method)
    }

    /// Whether no token request can be made without a private key.
    pub fn needs_key(&self) -> bool {
        self.auth == ClientAuthentication::PrivateKeyJwt || self.shows_certificate()
    }

    /// Whether its certificate is its proof (RFC 8705 section 2).
    pub fn is_known_by_certificate(&self) -> bool {
        self.auth.shows_certificate()
    }

    /// Whether servers see a certificate of it, as its proof or because tokens are bound to it.
    pub fn shows_certificate(&self) -> bool {
        self.is_known_by_certificate() || self.certificate_bound_access_tokens
    }
}

/// The `aud` of a client assertion, always alone (RFC 7523bis section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// The `issuer` of [discovery].
    #[default]
    Issuer,
    /// The token endpoint, for servers that still want it (RFC 7523 section 3).
    TokenEndpoint,
}

/// Names a method of client authentication.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    #[default]
    Post,
    /// HTTP Basic.
    Basic,
    /// Only `client_id` in the body: a public client.
    Id,
    /// An assertion signed with the client's private key (RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// An assertion signed with the client secret, by HS256 (OpenID Connect Core section 9).
    ClientSecretJwt,
    /// A certificate that an authority has signed (RFC 8705 section 2.1); `client_id` in the body.
    TlsClientAuth,
    /// A certificate of the client's own that the server was given (RFC 8705 section 2.2).
    SelfSignedTlsClientAuth,
}

impl ClientAuthentication {
    /// The one that is best known first, and those with a key only where nothing else is taken.
    pub const ALL: [Self; 7] = [
        Self::Basic,
        Self::Post,
        Self::Id,
        Self::PrivateKeyJwt,
        Self::ClientSecretJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
    ];

    /// Its name at the registry of authorization server metadata (RFC 8414 section 2).
    pub fn registered_name(self) -> &'static str {
        match self {
            Self::Post => "client_secret_post",
            Self::Basic => "client_secret_basic",
            Self::Id => "none",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// Whether the proof is a signature.
    pub fn signs(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::ClientSecretJwt)
    }

    /// Whether the proof is a certificate (RFC 8705 section 2).
    pub fn shows_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }

    /// Whether the proof is the client secret, or made with it.
    pub fn uses_secret(self) -> bool {
        matches!(self, Self::Basic | Self::Post | Self::ClientSecretJwt)
    }
}

/// How id and secret become HTTP Basic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasicEncoding {
    /// Form-encoded first (RFC 6749 section 2.3.1).
    #[default]
    Form,
    /// As they are, like `curl -u`.
    Raw,
}

/// Whether a thing is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It must be.
    #[default]
    Required,
    /// It may be.
    Optional,
    /// It is not.
    None,
}
