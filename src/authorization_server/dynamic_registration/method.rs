//! The methods of client authentication by their registered names.

use crate::provider::schema::ClientAuthentication;

/// The methods of client authentication that a registration can name.
pub(super) const METHODS: [(&str, ClientAuthentication); 7] = [
    ("client_secret_basic", ClientAuthentication::Basic),
    ("client_secret_post", ClientAuthentication::Post),
    ("client_secret_jwt", ClientAuthentication::ClientSecretJwt),
    ("private_key_jwt", ClientAuthentication::PrivateKeyJwt),
    ("tls_client_auth", ClientAuthentication::TlsClientAuth),
    ("self_signed_tls_client_auth", ClientAuthentication::SelfSignedTlsClientAuth),
    ("none", ClientAuthentication::Id),
];

/// Whether a client proves itself with a key of its own and is given no secret.
pub fn has_own_key(method: ClientAuthentication) -> bool {
    matches!(
        method,
        ClientAuthentication::PrivateKeyJwt
            | ClientAuthentication::TlsClientAuth
            | ClientAuthentication::SelfSignedTlsClientAuth
    )
}

pub(super) fn method_name(method: ClientAuthentication) -> &'static str {
    METHODS.into_iter().find(|(_, known)| *known == method).map_or("none", |(name, _)| name)
}
