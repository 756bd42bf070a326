//! The grants of RFC 6749 as values, with their standard parameters.

use super::wanted::Wanted;
use crate::secret::Secret;

/// What is exchanged for tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum Grant {
    /// RFC 6749 section 4.1.3.
    AuthorizationCode {
        /// Single-use.
        code: Secret,
        /// The same as in the authorization request.
        redirect_uri: String,
        /// Present exactly when a challenge was sent (RFC 7636 section 4.5).
        code_verifier: Option<Secret>,
    },
    /// RFC 8628 section 3.4.
    DeviceCode {
        /// Asked with again and again, until the person has decided.
        device_code: Secret,
    },
    /// RFC 6749 section 6.
    RefreshToken {
        /// The one that is stored now.
        refresh_token: Secret,
        /// Only where the vendor wants the scopes again.
        scopes: Vec<String>,
    },
    /// RFC 6749 section 4.4.2.
    ClientCredentials {
        /// Empty for the client's default.
        scopes: Vec<String>,
    },
    /// RFC 6749 section 4.3.2, for old applications.
    Password {
        /// The account owner's name.
        username: String,
        /// Used once, never kept.
        password: Secret,
        /// Empty for the client's default.
        scopes: Vec<String>,
    },
    /// RFC 7523 section 2.1, with an assertion that the client signs when the request is sent.
    OwnAssertion {
        /// Empty for the client's default.
        scopes: Vec<String>,
    },
    /// RFC 7523 section 2.1, with an assertion that was made elsewhere.
    Assertion {
        /// Never kept.
        assertion: Secret,
        /// Empty for the client's default.
        scopes: Vec<String>,
    },
    /// RFC 8693 section 2.1.
    TokenExchange {
        /// For whom.
        subject: Subject,
        /// Who acts for them.
        actor: Option<Subject>,
        /// The type of token that is wanted.
        requested: Option<String>,
        /// Empty for the server's default.
        scopes: Vec<String>,
    },
    /// One of the others, for what else was asked for (RFC 8707 section 2.2, RFC 9396 section 6).
    For {
        /// Which one.
        grant: Box<Self>,
        /// For which resources and rights.
        wanted: Wanted,
    },
}

/// A token that is exchanged, never kept, and its type.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The token.
    pub token: Secret,
    /// A URI (RFC 8693 section 3).
    pub kind: String,
}

/// RFC 7523 section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// RFC 8693 section 2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

impl Grant {
    /// The grant without what else was asked for.
    pub fn itself(&self) -> &Self {
        match self {
            Self::For { grant, .. } => grant.itself(),
            grant => grant,
        }
    }

    /// Whether the person has set a parameter of the request, if only to leave it out.
    pub fn names(&self, parameter: &str) -> bool {
        match self {
            Self::For { grant, wanted } => wanted.names(parameter) || grant.names(parameter),
            _ => false,
        }
    }

    /// The same grant for what is wanted beside the scopes.
    pub fn wanting(self, wanted: Wanted) -> Self {
        match wanted.is_empty() {
            true => self,
            false => Self::For { grant: Box::new(self), wanted },
        }
    }

    /// The grant's parameters in the RFC's own names and order; empty ones are left out (RFC 6749 section 3.2).
    pub fn parameters(&self) -> Vec<(String, Secret)> {
        let plain = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
        let scope = |scopes: &[String]| plain("scope", &scopes.join(" "));
        let mut parameters = match self {
            Self::AuthorizationCode { code, redirect_uri, code_verifier } => {
                let mut parameters = vec![
                    plain("grant_type", "authorization_code"),
                    ("code".to_owned(), code.clone()),
                    plain("redirect_uri", redirect_uri),
                ];
                parameters
                    .extend(code_verifier.iter().map(|it| ("code_verifier".into(), it.clone())));
                parameters
            }
            Self::DeviceCode { device_code } => vec![
                plain("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("device_code".to_owned(), device_code.clone()),
            ],
            Self::RefreshToken { refresh_token, scopes } => vec![
                plain("grant_type", "refresh_token"),
                ("refresh_token".to_owned(), refresh_token.clone()),
                scope(scopes),
            ],
            Self::ClientCredentials { scopes } => {
                vec![plain("grant_type", "client_credentials"), scope(scopes)]
            }
            Self::Password { username, password, scopes } => vec![
                plain("grant_type", "password"),
                plain("username", username),
                ("password".to_owned(), password.clone()),
                scope(scopes),
            ],
            Self::OwnAssertion { scopes } => vec![plain("grant_type", JWT_BEARER), scope(scopes)],
            Self::Assertion { assertion, scopes } => vec![
                plain("grant_type", JWT_BEARER),
                ("assertion".to_owned(), assertion.clone()),
                scope(scopes),
            ],
            Self::TokenExchange { subject, actor, requested, scopes } => {
                let mut parameters = vec![
                    plain("grant_type", TOKEN_EXCHANGE),
                    ("subject_token".to_owned(), subject.token.clone()),
                    plain("subject_token_type", &subject.kind),
                ];
                if let Some(actor) = actor {
                    parameters.push(("actor_token".to_owned(), actor.token.clone()));
                    parameters.push(plain("actor_token_type", &actor.kind));
                }
                parameters.extend(requested.iter().map(|it| plain("requested_token_type", it)));
                parameters.push(scope(scopes));
                parameters
            }
            Self::For { grant, wanted } => {
                let mut parameters = grant.parameters();
                let more = wanted.parameters().into_iter();
                parameters.extend(more.map(|(name, value)| (name, Secret::new(value))));
                parameters
            }
        };
        parameters.retain(|(_, value)| !value.is_empty());
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::reserved::is_reserved_in_an_exchange;

    #[test] // TQ8, RF1
    fn a_refresh_without_scopes_sends_no_scope_at_all() {
        let grant =
            Grant::RefreshToken { refresh_token: Secret::new("inkr_1"), scopes: Vec::new() };
        let names: Vec<_> = grant.parameters().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["grant_type", "refresh_token"]);
    }

    #[test] // TQ4
    fn a_verifier_is_sent_exactly_when_there_is_one() {
        let grant = |code_verifier| Grant::AuthorizationCode {
            code: Secret::new("c"),
            redirect_uri: "http://127.0.0.1:1/cb".into(),
            code_verifier,
        };
        assert_eq!(grant(None).parameters().len(), 3);
        assert_eq!(grant(Some(Secret::new("v"))).parameters()[3].0, "code_verifier");
    }

    #[test] // AR14
    fn whatever_a_grant_says_itself_is_said_by_nobody_else() {
        let token = || Secret::new("t");
        let subject = || Subject { token: token(), kind: "urn:x".into() };
        let scopes = vec!["a".to_owned()];
        let code = Grant::AuthorizationCode {
            code: token(),
            redirect_uri: "http://127.0.0.1:1/cb".into(),
            code_verifier: Some(token()),
        };
        let username = "ada".to_owned();
        let exchange = Grant::TokenExchange {
            subject: subject(),
            actor: Some(subject()),
            requested: Some("urn:x".into()),
            scopes: scopes.clone(),
        };
        let grants = [
            code,
            exchange,
            Grant::DeviceCode { device_code: token() },
            Grant::RefreshToken { refresh_token: token(), scopes: scopes.clone() },
            Grant::ClientCredentials { scopes: scopes.clone() },
            Grant::Password { username, password: token(), scopes: scopes.clone() },
            Grant::Assertion { assertion: token(), scopes },
        ];
        for (name, _) in grants.iter().flat_map(Grant::parameters) {
            assert!(is_reserved_in_an_exchange(&name), "{name}");
        }
    }
}
