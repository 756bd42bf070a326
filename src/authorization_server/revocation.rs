//! The revocation request as a value (RFC 7009 section 2.1).

use super::client_authentication::ClientRegistration;
use super::token_request::{ServerRequest, server_request};
use crate::provider::schema::Revoke;
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;

/// Which token is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Revoked first: most servers end the access tokens with it.
    RefreshToken,
    /// Revoked after it.
    AccessToken,
}

impl TokenKind {
    /// The RFC's name, also the `token_type_hint`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::AccessToken => "access_token",
        }
    }
}

/// Makes the request that revokes one token.
pub fn revocation_request(
    provider: &Provider,
    revoke: &Revoke,
    values: &Values,
    registration: &ClientRegistration,
    kind: TokenKind,
    token: &Secret,
) -> Result<ServerRequest, MissingValue> {
    let mut parameters = vec![("token".to_owned(), token.clone())];
    if revoke.hint {
        parameters.push(("token_type_hint".to_owned(), Secret::new(kind.name())));
    }
    let mut request =
        server_request(provider, values, registration, revoke.body, parameters, |all| all)?;
    request.url = values.render_url(&revoke.url)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;

    #[test] // RV1
    fn inkress_takes_a_json_revocation_without_a_hint() {
        let provider = catalogue::shipped("inkress").unwrap().unwrap();
        let mut values = Values::default();
        values.set("api_host", "https://api.test");
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: Some(Secret::new("s")),
            ..ClientRegistration::default()
        };
        let request = revocation_request(
            &provider,
            provider.revoke.as_ref().unwrap(),
            &values,
            &registration,
            TokenKind::RefreshToken,
            &Secret::new("inkr_1"),
        )
        .unwrap();
        assert_eq!(request.url, "https://api.test/api/v1/hooks/oauth/revoke");
        assert_eq!(
            request.body.expose(),
            r#"{"token":"inkr_1","client_id":"id","client_secret":"s"}"#
        );
    }
}
