//! A request about one token: to end it (RFC 7009 section 2.1), or to hear what it is (RFC 7662
//! section 2.1). What the answers mean is told elsewhere.

use super::client_authentication::ClientRegistration;
use super::token_request::{ServerRequest, server_request};
use crate::provider::schema::{BodyFormat, Introspect, Revoke};
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;

/// Which token it is about.
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

/// An endpoint that is told a token, as the provider file describes it.
pub struct TokenEndpoint<'p> {
    url: &'p str,
    body: BodyFormat,
    /// Whether the kind of the token is told as well.
    hint: bool,
}

impl<'p> From<&'p Revoke> for TokenEndpoint<'p> {
    fn from(revoke: &'p Revoke) -> Self {
        Self { url: &revoke.url, body: revoke.body, hint: revoke.hint }
    }
}

impl<'p> From<&'p Introspect> for TokenEndpoint<'p> {
    fn from(introspect: &'p Introspect) -> Self {
        Self { url: &introspect.url, body: introspect.body, hint: introspect.hint }
    }
}

/// Makes the request, with the client's proof.
pub fn request_about_token<'p>(
    provider: &Provider,
    endpoint: impl Into<TokenEndpoint<'p>>,
    values: &Values,
    registration: &ClientRegistration,
    kind: TokenKind,
    token: &Secret,
) -> Result<ServerRequest, MissingValue> {
    let TokenEndpoint { url, body, hint } = endpoint.into();
    let mut parameters = vec![("token".to_owned(), token.clone())];
    if hint {
        parameters.push(("token_type_hint".to_owned(), Secret::new(kind.name())));
    }
    let mut request = server_request(provider, values, registration, body, parameters, |it| it)?;
    request.url = values.render_url(url)?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_server::example;
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
        let request = request_about_token(
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

    #[test] // RV9
    fn a_token_is_asked_about_in_the_body_with_the_client_s_proof() {
        let provider = example::provider();
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: Some(Secret::new("s")),
            private_key: None,
        };
        let introspect = provider.introspect.as_ref().unwrap();
        let (values, token) = (Values::default(), Secret::new("t/1"));
        let kind = TokenKind::AccessToken;
        let request =
            request_about_token(&provider, introspect, &values, &registration, kind, &token)
                .unwrap();
        assert_eq!(request.url, "https://as.example/i");
        assert_eq!(request.body.expose(), "token=t%2F1&token_type_hint=access_token");
        assert!(request.headers.iter().any(|(name, _)| name == "Authorization"));
        assert!(request.secrets.contains(&token));
    }
}
