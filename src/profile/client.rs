//! How the client of one profile proves itself, where its provider leaves a choice.
//!
//! The provider says what the server takes, and several profiles share it; what one client was set up
//! with at the vendor is its profile's own.

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::provider::Provider;
use crate::provider::schema::{Client, ClientAuthentication, Presence};

/// What was chosen for a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnClient {
    /// Its method, where it is not the provider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<ClientAuthentication>,
    /// Whether it shows a certificate beside its method, so that its tokens are bound to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub certificate: bool,
}

/// What a command brings that says how the client proves itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proofs {
    /// The method by its name.
    pub named: Option<ClientAuthentication>,
    /// A private key.
    pub private_key: bool,
    /// A certificate.
    pub certificate: bool,
    /// A client secret.
    pub secret: bool,
}

impl OwnClient {
    /// What a provider file of before says of the one client that it was written for; `None` where it
    /// says of it what every client gets.
    pub fn of_former_file(provider: &Provider) -> Option<Self> {
        let Client { auth, ref methods, certificate_bound_access_tokens, .. } = provider.client;
        let was_found = provider.discovery.as_ref().is_some_and(|it| it.names_endpoints);
        let is_chosen = |auth: &ClientAuthentication| {
            *auth == ClientAuthentication::PrivateKeyJwt || auth.shows_certificate()
        };
        let own = Self {
            auth: Some(auth).filter(is_chosen),
            certificate: certificate_bound_access_tokens,
        };
        Some(own).filter(|own| was_found && methods.is_empty() && *own != Self::default())
    }

    fn shows_certificate(self) -> bool {
        self.certificate || self.auth.is_some_and(ClientAuthentication::shows_certificate)
    }
}

/// The client of a profile once a command has brought something; what is not brought stays as it was.
pub fn choose(kept: Option<OwnClient>, provider: &Provider, brings: Proofs) -> Option<OwnClient> {
    let offered = |method: &ClientAuthentication| provider.client.methods.contains(method);
    let before = kept.unwrap_or_default();
    let binds = provider.mutual_tls.as_ref().is_some_and(|table| table.binds_tokens);
    if let Some(method) = brings.named {
        let certificate = !method.shows_certificate() && brings.certificate && binds;
        return Some(OwnClient { auth: Some(method), certificate });
    }
    let signs = Some(ClientAuthentication::PrivateKeyJwt).filter(offered);
    if brings.certificate {
        let shown = ClientAuthentication::ALL.into_iter().filter(|it| it.shows_certificate());
        let before_shown = before.auth.filter(|auth| auth.shows_certificate());
        return match before_shown.or(shown.into_iter().find(offered)) {
            Some(auth) => Some(OwnClient { auth: Some(auth), certificate: false }),
            None if binds => Some(OwnClient {
                auth: signs.filter(|_| brings.private_key).or(before.auth),
                certificate: true,
            }),
            None => kept,
        };
    }
    if brings.private_key {
        // The key of a client with a certificate goes with that.
        return match signs.filter(|_| !before.shows_certificate()) {
            Some(auth) => Some(OwnClient { auth: Some(auth), certificate: false }),
            None => kept,
        };
    }
    let own = before.auth.filter(|auth| auth.uses_secret());
    // A secret goes with every method that uses one; a server may have given one of them up.
    let is_gone = own.is_some_and(|auth| !provider.client.offers(auth));
    if brings.secret && own.is_none() || is_gone && !provider.client.methods.is_empty() {
        let default = Some(provider.client.auth).filter(|auth| auth.uses_secret()).filter(offered);
        let first =
            ClientAuthentication::ALL.into_iter().find(|it| it.uses_secret() && offered(it));
        return match default.or(first) {
            Some(auth) => Some(OwnClient { auth: Some(auth), certificate: before.certificate }),
            None => kept,
        };
    }
    kept
}

impl Profile {
    /// The provider as the client of this profile meets it: with its method, and with a certificate at
    /// the endpoints that are there for that (RFC 8705 section 5).
    pub fn at(&self, mut provider: Provider) -> Provider {
        provider.client = self.client_of(&provider);
        match provider.client.shows_certificate() {
            true => provider.at_mutual_tls(),
            false => provider,
        }
    }

    /// The client as it was chosen, else as the provider describes all of its clients.
    pub(super) fn chosen_client(&self, provider: &Provider) -> Client {
        let mut client = provider.client.clone();
        if let Some(own) = self.client {
            if let Some(auth) = own.auth {
                client.auth = auth;
                client.secret = match auth {
                    ClientAuthentication::Id => Presence::None,
                    _ => Presence::Required,
                };
            }
            client.certificate_bound_access_tokens |= own.certificate;
        }
        let binds = provider.mutual_tls.as_ref().is_some_and(|table| table.binds_tokens);
        client.certificate_bound_access_tokens |= binds && client.is_known_by_certificate();
        client
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use ClientAuthentication::{Basic, Id, Post, PrivateKeyJwt, TlsClientAuth};

    const ISSUER: &str = "https://as.example";

    /// A discovered provider of a server that names these methods.
    fn found(methods: &[&str], more: &Value) -> Provider {
        let mut document = json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
            "revocation_endpoint": "https://as.example/revoke",
            "token_endpoint_auth_methods_supported": methods,
        });
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let metadata = crate::provider::metadata::read(ISSUER, document.to_string().as_bytes());
        metadata.unwrap().provider("x")
    }

    fn aliases() -> Value {
        json!({
            "tls_client_certificate_bound_access_tokens": true,
            "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.as.example/token"},
        })
    }

    const KEY: Proofs =
        Proofs { named: None, private_key: true, certificate: false, secret: false };
    const CERTIFICATE: Proofs = Proofs { certificate: true, ..KEY };
    const SECRET: Proofs = Proofs { private_key: false, secret: true, ..KEY };

    fn by(auth: ClientAuthentication) -> Option<OwnClient> {
        Some(OwnClient { auth: Some(auth), certificate: false })
    }

    #[test] // CA3
    fn what_is_brought_chooses_between_the_methods_and_nothing_else_does() {
        let all = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
        let server = found(&[&all[..], &["tls_client_auth"]].concat(), &json!({}));
        assert_eq!(choose(None, &server, KEY), by(PrivateKeyJwt));
        assert_eq!(choose(None, &server, CERTIFICATE), by(TlsClientAuth));
        assert_eq!(choose(None, &server, SECRET), by(Basic));
        assert_eq!(choose(None, &server, Proofs::default()), None);
        let named = Proofs { named: Some(Post), ..SECRET };
        assert_eq!(choose(by(PrivateKeyJwt), &server, named), by(Post));
        // What the profile remembers stays without a word, and gives way to one.
        assert_eq!(choose(by(PrivateKeyJwt), &server, Proofs::default()), by(PrivateKeyJwt));
        assert_eq!(choose(by(PrivateKeyJwt), &server, SECRET), by(Basic));
        assert_eq!(choose(by(Post), &server, SECRET), by(Post));
        assert_eq!(choose(by(Id), &server, SECRET), by(Basic));
        assert_eq!(choose(by(Basic), &server, KEY), by(PrivateKeyJwt));
        // A new key of a client with a certificate is no other method.
        assert_eq!(choose(by(TlsClientAuth), &server, KEY), by(TlsClientAuth));
        // What the server does not take is not chosen.
        let plain = found(&["client_secret_post"], &json!({}));
        assert_eq!(choose(None, &plain, KEY), None);
        assert_eq!(choose(None, &plain, CERTIFICATE), None);
        assert_eq!(choose(None, &plain, SECRET), by(Post));
        // A method that the server has given up makes room for another one with the same secret.
        assert_eq!(choose(by(Basic), &plain, Proofs::default()), by(Post));
        assert_eq!(choose(by(Basic), &plain, SECRET), by(Post));
        assert_eq!(choose(by(PrivateKeyJwt), &plain, Proofs::default()), by(PrivateKeyJwt));
        assert_eq!(choose(None, &found(&["none"], &json!({})), SECRET), None);
    }

    #[test] // DS15, SC10
    fn a_certificate_leads_to_its_endpoints_and_leaves_every_other_client_at_the_plain_ones() {
        let server = found(&["client_secret_basic", "tls_client_auth"], &aliases());
        let with = |client| Profile { client, ..Profile::default() }.at(server.clone());
        let plain = with(None);
        assert_eq!(plain.token.url, "https://as.example/token");
        assert!(!plain.client.shows_certificate());
        let shown = with(by(TlsClientAuth));
        assert_eq!(shown.token.url, "https://mtls.as.example/token");
        assert_eq!(shown.revoke.as_ref().unwrap().url, "https://as.example/revoke");
        assert!(shown.client.certificate_bound_access_tokens);
        let again = Profile { client: by(TlsClientAuth), ..Profile::default() }.at(shown.clone());
        assert_eq!(again, shown);
        // Where nothing else is taken, nobody need choose it.
        let alone = Profile::default().at(found(&["tls_client_auth"], &aliases()));
        assert_eq!(alone.token.url, "https://mtls.as.example/token");
    }

    #[test] // SC10
    fn tokens_can_be_bound_to_a_certificate_that_is_not_the_proof() {
        let server = found(&["client_secret_basic", "private_key_jwt"], &aliases());
        let bound = choose(None, &server, CERTIFICATE);
        assert_eq!(bound, Some(OwnClient { auth: Some(PrivateKeyJwt), certificate: true }));
        let met = Profile { client: bound, ..Profile::default() }.at(server.clone());
        assert!(met.client.certificate_bound_access_tokens);
        assert_eq!(met.token.url, "https://mtls.as.example/token");
        assert_eq!(choose(bound, &server, KEY), bound);
        assert_eq!(choose(bound, &server, SECRET).unwrap().auth, Some(Basic));
    }

    #[test]
    fn a_file_of_before_speaks_of_the_one_client_that_it_was_written_for() {
        let mut file = found(&["private_key_jwt"], &json!({}));
        assert_eq!(OwnClient::of_former_file(&file), None, "a file of today lists methods");
        file.client.methods.clear();
        assert_eq!(OwnClient::of_former_file(&file), by(PrivateKeyJwt));
        file.client.auth = Basic;
        assert_eq!(OwnClient::of_former_file(&file), None);
        file.client.certificate_bound_access_tokens = true;
        let bound = OwnClient { auth: None, certificate: true };
        assert_eq!(OwnClient::of_former_file(&file), Some(bound));
        file.discovery = None;
        assert_eq!(OwnClient::of_former_file(&file), None, "a person wrote it");
    }
}
