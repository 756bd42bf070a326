//! `[client]`: one method, what it needs, and no word without effect.

use super::Provider;
use super::file::Finding;
use super::schema::{AssertionAudience, ClientAuthentication, Presence};

/// What is signed when a request is sent, after names were translated.
const SIGNED_PARAMETERS: [&str; 2] = ["client_assertion", "assertion"];

/// The first rule that the client breaks.
pub(super) fn client(provider: &Provider) -> Option<Finding> {
    secret(provider)
        .or_else(|| methods(provider))
        .or_else(|| assertion(provider))
        .or_else(|| translation(provider))
}

/// A list of methods holds the one of a client that chose none, and each of them once.
fn methods(provider: &Provider) -> Option<Finding> {
    let client = &provider.client;
    let twice = client.methods.iter().enumerate().any(|(at, it)| client.methods[..at].contains(it));
    let rules = [
        (!client.offers(client.auth), "`methods` does not hold what `auth` says"),
        (twice, "a method stands in `methods` twice"),
    ];
    let (_, says) = rules.into_iter().find(|(broken, _)| *broken)?;
    Some(Finding::at(&["client", "methods"], says))
}

fn secret(provider: &Provider) -> Option<Finding> {
    use ClientAuthentication::{SelfSignedTlsClientAuth, TlsClientAuth};
    let client = &provider.client;
    match (client.auth, client.secret) {
        (ClientAuthentication::Id, Presence::Required) => Some(Finding::at(
            &["client", "auth"],
            "`auth = \"id\"` sends no secret: set `secret = \"none\"`",
        )),
        (ClientAuthentication::Id, _) => None,
        (ClientAuthentication::PrivateKeyJwt, Presence::Optional) => Some(Finding::at(
            &["client", "secret"],
            "`auth = \"private_key_jwt\"` has no use for a client secret",
        )),
        (ClientAuthentication::PrivateKeyJwt, _) => None,
        (TlsClientAuth | SelfSignedTlsClientAuth, Presence::Optional) => Some(Finding::at(
            &["client", "secret"],
            "a client that shows a certificate has no use for a client secret",
        )),
        (TlsClientAuth | SelfSignedTlsClientAuth, _) => None,
        (ClientAuthentication::ClientSecretJwt, Presence::Optional) => Some(Finding::at(
            &["client", "secret"],
            "`auth = \"client_secret_jwt\"` cannot do without the secret",
        )),
        (_, Presence::None) => Some(Finding::at(
            &["client", "secret"],
            "without a secret the only client authentication is `auth = \"id\"`, `\"private_key_jwt\"`, or one with a certificate, such as `\"tls_client_auth\"`",
        )),
        _ => None,
    }
}

fn assertion(provider: &Provider) -> Option<Finding> {
    let client = &provider.client;
    let asserts = client.signs() || client.methods.iter().any(|method| method.signs());
    let signs = provider.signs() || client.offers(ClientAuthentication::PrivateKeyJwt);
    let issuer = provider.discovery.as_ref().and_then(|it| it.issuer.as_ref());
    let for_issuer = client.assertion_audience == AssertionAudience::Issuer;
    let rules = [
        (
            asserts && for_issuer && issuer.is_none(),
            if client.signs() { "auth" } else { "methods" },
            "an assertion is for the `issuer` of [discovery], which is not there; or set `assertion_audience = \"token_endpoint\"`",
        ),
        (
            !asserts && !for_issuer,
            "assertion_audience",
            "`assertion_audience` has no effect without `auth = \"private_key_jwt\"` or `\"client_secret_jwt\"`",
        ),
        (
            !signs && !client.assertion_algorithms.is_empty(),
            "assertion_algorithms",
            "`assertion_algorithms` has no effect without a private key: `auth = \"private_key_jwt\"` or the flow `jwt_bearer`",
        ),
        (
            !signs && client.key_id.is_some(),
            "key_id",
            "`key_id` has no effect without a private key: `auth = \"private_key_jwt\"` or the flow `jwt_bearer`",
        ),
    ];
    let broken = rules.into_iter().find(|(broken, ..)| *broken);
    broken.map(|(_, key, says)| Finding::at(&["client", key], says))
}

fn translation(provider: &Provider) -> Option<Finding> {
    let token = &provider.token;
    let is_signed = |name: &&String| SIGNED_PARAMETERS.contains(&name.as_str());
    let says =
        |name: &String| format!("`{name}` is signed when the request is sent, under its own name");
    token
        .rename
        .keys()
        .find(is_signed)
        .map(|name| Finding::at(&["token", "rename"], says(name)))
        .or_else(|| {
            token
                .omit
                .iter()
                .find(is_signed)
                .map(|name| Finding::at(&["token", "omit"], says(name)))
        })
}

#[cfg(test)]
mod tests {
    use crate::provider::file;

    fn findings(client: &str, more: &str) -> Result<(), String> {
        let text = format!(
            "schema = 1\nname = \"x\"\nflows = [\"client_credentials\"]\n[client]\n{client}\n[token]\nurl = \"https://as.test/token\"\n{more}\n[refresh]\nrotation = \"reissue\"\n[api]\nbase_url = \"https://api.test\"\n"
        );
        file::read("x.toml", &text).map(|_| ()).map_err(|error| error.to_string())
    }

    const ISSUER: &str =
        "[discovery]\nurl = \"https://as.test/.well-known/x\"\nissuer = \"https://as.test\"";

    #[test] // CA6
    fn an_assertion_needs_somebody_whom_it_is_for() {
        for method in ["private_key_jwt", "client_secret_jwt"] {
            let auth = format!("auth = \"{method}\"");
            assert_eq!(findings(&auth, ISSUER), Ok(()));
            let at_endpoint = format!("{auth}\nassertion_audience = \"token_endpoint\"");
            assert_eq!(findings(&at_endpoint, ""), Ok(()));
            let error = findings(&auth, "").unwrap_err();
            assert!(error.starts_with("x.toml:5") && error.contains("[discovery]"), "{error}");
        }
    }

    #[test] // CA11
    fn no_word_of_the_client_stands_there_without_effect() {
        let cases = [
            ("assertion_audience = \"token_endpoint\"", "", "no effect"),
            ("assertion_algorithms = [\"ES256\"]", "", "no effect"),
            ("key_id = \"k\"", "", "no effect"),
            ("auth = \"private_key_jwt\"\nsecret = \"optional\"", ISSUER, "no use"),
            ("auth = \"tls_client_auth\"\nsecret = \"optional\"", "", "no use"),
            ("auth = \"self_signed_tls_client_auth\"\nsecret = \"optional\"", "", "no use"),
            ("auth = \"tls_client_auth\"\nkey_id = \"k\"", "", "no effect"),
            ("auth = \"client_secret_jwt\"\nsecret = \"none\"", ISSUER, "without a secret"),
            ("auth = \"client_secret_jwt\"\nsecret = \"optional\"", ISSUER, "cannot do without"),
            ("auth = \"private_key_jwt\"\nassertion_algorithms = [\"HS256\"]", ISSUER, "HS256"),
            ("auth = \"private_key_jwt\"\nassertion_algorithms = [\"none\"]", ISSUER, "none"),
            ("auth = \"private_key_jwt\"\nkey_id = \"{key}\"", ISSUER, "neither a setting"),
            ("auth = \"basic\"\nmethods = [\"post\"]", "", "what `auth` says"),
            ("auth = \"basic\"\nmethods = [\"basic\", \"basic\"]", "", "twice"),
            ("auth = \"basic\"\nmethods = [\"basic\", \"private_key_jwt\"]", "", "[discovery]"),
        ];
        for (client, more, says) in cases {
            let error = findings(client, more).unwrap_err();
            assert!(error.contains(says), "{client}: {error}");
        }
        let renamed = format!("rename = {{ client_assertion = \"proof\" }}\n{ISSUER}");
        let error = findings("auth = \"private_key_jwt\"", &renamed).unwrap_err();
        assert!(error.contains("under its own name"), "{error}");
    }
}
