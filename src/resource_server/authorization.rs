//! Where the token goes, and which headers every call of a provider carries.

use crate::http::{HeaderName, HeaderText, HeaderValue};
use crate::provider::schema::Api;
use crate::provider::template::{MissingValue, Values, names};
use crate::secret::Secret;

/// Where the access token goes (RFC 6750 section 2); holds no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// `Authorization: SCHEME TOKEN`.
    Header {
        /// Such as `Bearer` or `OAuth`.
        scheme: String,
    },
    /// A query parameter of this name.
    Query {
        /// Such as `oauth_token`.
        name: String,
    },
}

/// Why a call has no headers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// A header of the provider names a value that is not known.
    #[error("the header `{header}` needs `{}`", .missing.0)]
    Missing {
        /// The header.
        header: String,
        /// What it names.
        missing: MissingValue,
    },
    /// The setting says neither `header` nor `query`, or the vendor takes no query parameter.
    #[error("the access token cannot go into `{0}`")]
    NoSuchPlace(String),
    /// The token is bound to a key, and every request needs a proof of its own (RFC 9449).
    #[error("a token that is bound to a key needs a proof with every request")]
    NeedsProof,
    /// A header that only keyfob or the HTTP library writes.
    #[error("the header `{0}` cannot be set")]
    Reserved(String),
    /// A name or a value that would break the header.
    #[error("the header `{0}` holds characters that no header may hold")]
    Broken(String),
}

/// Headers nobody else may write: a second credential, another host, another length (RFC 9112 section 6).
const RESERVED: [&str; 7] = [
    "authorization",
    "connection",
    "content-length",
    "host",
    "proxy-authorization",
    "te",
    "transfer-encoding",
];

/// Reads where the provider, with the profile's settings, wants the token.
pub fn placement(api: &Api, values: &Values) -> Result<Placement, AuthorizationError> {
    let authorization = &api.authorization;
    let place = values.render(&authorization.place).map_err(|missing| {
        AuthorizationError::Missing { header: "Authorization".into(), missing }
    })?;
    match (place.as_str(), &authorization.query) {
        ("header", _) => Ok(Placement::Header { scheme: authorization.scheme.clone() }),
        ("query", Some(name)) => Ok(Placement::Query { name: name.clone() }),
        _ => Err(AuthorizationError::NoSuchPlace(place)),
    }
}

/// The Authorization header of a token.
pub fn authorization_header(scheme: &str, token: &Secret) -> HeaderText {
    HeaderText::Secret(Secret::new(format!("{scheme} {}", token.expose())))
}

/// Every header of a call but the Authorization: the user's own first, then what the provider adds to them.
///
/// A header that names an unknown setting is left out where the call lists that setting's
/// choices (`lists`), and an error everywhere else: nothing is sent that the vendor must refuse.
pub fn headers(
    api: &Api,
    values: &Values,
    lists: Option<&str>,
    own: &[(String, String)],
) -> Result<Vec<(String, String)>, AuthorizationError> {
    own.iter().try_for_each(|(name, value)| permitted(name, value))?;
    let mut all = own.to_vec();
    let user_agent = api.user_agent.iter().map(|template| ("User-Agent", template));
    let vendor = api.headers.iter().map(|(name, template)| (name.as_str(), template));
    for (name, template) in vendor.chain(user_agent) {
        let is_set = own.iter().any(|(set, _)| set.eq_ignore_ascii_case(name));
        let is_listed = lists.is_some_and(|setting| {
            values.get(setting).is_none() && names(template).contains(&setting)
        });
        if is_set || is_listed {
            continue;
        }
        let value = values
            .render(template)
            .map_err(|missing| AuthorizationError::Missing { header: name.to_owned(), missing })?;
        writable(name, &value)?;
        all.push((name.to_owned(), value));
    }
    Ok(all)
}

/// The header lines a request needs, for programs that send it themselves; the token in the header
/// wherever the vendor takes it there.
pub fn header_lines(
    api: &Api,
    values: &Values,
    token: &Secret,
) -> Result<Vec<(String, HeaderText)>, AuthorizationError> {
    if api.authorization.place == "query" {
        return Err(AuthorizationError::NoSuchPlace("header".into()));
    }
    without_proof(api)?;
    let authorization = authorization_header(&api.authorization.scheme, token);
    let mut lines = vec![("Authorization".to_owned(), authorization)];
    let others = headers(api, values, None, &[])?;
    lines.extend(others.into_iter().map(|(name, value)| (name, value.into())));
    Ok(lines)
}

/// Refuses to show a token to a program that sends it by itself, where nothing but a proof makes it good.
pub fn without_proof(api: &Api) -> Result<(), AuthorizationError> {
    match api.authorization.scheme.eq_ignore_ascii_case("DPoP") {
        true => Err(AuthorizationError::NeedsProof),
        false => Ok(()),
    }
}

fn permitted(name: &str, value: &str) -> Result<(), AuthorizationError> {
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name.trim())) {
        return Err(AuthorizationError::Reserved(name.trim().to_owned()));
    }
    writable(name, value)
}

fn writable(name: &str, value: &str) -> Result<(), AuthorizationError> {
    let fits = HeaderName::from_bytes(name.as_bytes()).is_ok()
        && HeaderValue::from_bytes(value.as_bytes()).is_ok();
    match fits {
        true => Ok(()),
        false => Err(AuthorizationError::Broken(crate::http::printable(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn api(name: &str) -> Api {
        shipped(name).unwrap().unwrap().api
    }

    fn values(known: &[(&str, &str)]) -> Values {
        let mut values = Values::default();
        known.iter().for_each(|(name, value)| values.set(*name, *value));
        values
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test] // RR1, RR2
    fn the_token_goes_where_provider_and_profile_agree() {
        let header = |scheme: &str| Ok(Placement::Header { scheme: scheme.into() });
        let query = Ok(Placement::Query { name: "oauth_token".into() });
        let refused = |place: &str| Err(AuthorizationError::NoSuchPlace(place.into()));
        let cases = [
            ("inkress", "", header("Bearer")),
            ("merchantos", "header", header("OAuth")),
            ("merchantos", "query", query),
            ("merchantos", "cookie", refused("cookie")),
        ];
        for (name, token_in, expected) in cases {
            let found = placement(&api(name), &values(&[("token_in", token_in)]));
            assert_eq!(found, expected, "{name} {token_in}");
        }
        let mut without = api("inkress");
        without.authorization.place = "query".into();
        assert_eq!(placement(&without, &values(&[])), refused("query"));
    }

    #[test] // RR7
    fn a_vendors_headers_are_added_and_a_missing_value_is_named() {
        let merchantos =
            headers(&api("merchantos"), &values(&[("client_name", "shop/1")]), None, &[]);
        let accept = pair("Accept", "application/vnd.merchantos-v2+json");
        assert_eq!(merchantos, Ok(vec![accept, pair("User-Agent", "shop/1")]));

        let imprest = api("imprest");
        let missing = AuthorizationError::Missing {
            header: "X-Organization-Id".into(),
            missing: MissingValue("organization_id".into()),
        };
        let nothing = values(&[]);
        assert_eq!(headers(&imprest, &nothing, None, &[]), Err(missing));
        assert_eq!(headers(&imprest, &nothing, Some("organization_id"), &[]), Ok(vec![]));
        let own = [pair("x-organization-id", "7")];
        assert_eq!(headers(&imprest, &nothing, None, &own), Ok(own.to_vec()));
        let known = values(&[("organization_id", "9")]);
        let added = vec![pair("X-Organization-Id", "9")];
        assert_eq!(headers(&imprest, &known, None, &[]), Ok(added.clone()));
        assert_eq!(headers(&imprest, &known, Some("organization_id"), &[]), Ok(added));
    }

    #[test] // RR2, RR6, A23
    fn a_second_credential_another_host_and_broken_headers_are_refused() {
        for name in ["Authorization", "host", "Content-Length", "transfer-encoding", "Host "] {
            let refused = headers(&api("inkress"), &values(&[]), None, &[pair(name, "x")]);
            assert!(matches!(refused, Err(AuthorizationError::Reserved(_))), "{name}");
        }
        for (name, value) in
            [("X", "a\r\nb"), ("X", "a\nb"), ("X", "\0"), ("X Y", "a"), ("X\r\n", "a")]
        {
            let refused = headers(&api("inkress"), &values(&[]), None, &[pair(name, value)]);
            assert!(matches!(refused, Err(AuthorizationError::Broken(_))), "{name:?}: {value:?}");
        }
        let hostile = values(&[("organization_id", "7\r\nX-Evil: 1")]);
        assert!(matches!(
            headers(&api("imprest"), &hostile, None, &[]),
            Err(AuthorizationError::Broken(_))
        ));
    }

    #[test] // RR1
    fn header_lines_carry_the_token_in_the_header_always() {
        let values = values(&[("token_in", "query"), ("client_name", "c")]);
        let lines = header_lines(&api("merchantos"), &values, &Secret::new("t")).unwrap();
        assert_eq!(lines[0].0, "Authorization");
        assert_eq!(lines[0].1, HeaderText::Secret(Secret::new("OAuth t")));
        assert_eq!(lines.len(), 3);
    }
}
