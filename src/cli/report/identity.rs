//! What a person is told when it is not known who connected, and of what the provider says about a token.

use super::super::command_line;
use super::{Exit, Report, Situation, fresh, http, put_right};
use crate::authorization_server::about_token::TokenKind;
use crate::authorization_server::id_token::IdTokenError;
use crate::authorization_server::introspection::Introspected;
use crate::authorization_server::jose::verify::VerifyError;
use crate::connection::establish::identified::{IdentityError, KeysError, UserinfoTrouble};
use crate::connection::introspect::IntrospectError;
use crate::http::printable::printable;
use crate::provider::Provider;

/// No connection was made: nobody proved whose it would be.
pub fn identity(error: &IdentityError, about: &Situation) -> Report {
    let refused = |code| {
        let message = format!("{} did not prove who signed in", about.provider);
        Report::new(Exit::Refused, code, message)
    };
    match error {
        IdentityError::Missing => refused("id-token-missing")
            .cause("`openid` was asked for, and no ID token came with the tokens")
            .hint("nothing was stored; leave the scope `openid` out, or write `required = false` into [id_token] of the provider file")
            .next(about.connect()),
        IdentityError::Wrong(error) => refused("id-token-wrong")
            .cause(format!("the ID token did not pass a check: {error}"))
            .hint(advice(error))
            .next(about.connect()),
        IdentityError::Keys(KeysError::Http(error)) => {
            let what = format!("the keys of {} cannot be retrieved", about.provider);
            http(&what, error).cause("nothing was stored").next(about.connect())
        }
        IdentityError::Keys(KeysError::Status(status)) => {
            let mut report = keys(about).cause(format!("its `jwks_url` answered HTTP {status}"));
            report.http_status = Some(*status);
            report
        }
        IdentityError::Keys(KeysError::Unusable(error)) => {
            keys(about).cause(format!("what its `jwks_url` gave is no set of keys: {error}"))
        }
    }
}

fn keys(about: &Situation) -> Report {
    let message = format!("the keys of {} cannot be used", about.provider);
    Report::new(Exit::TryLater, "no-keys", message)
        .hint("nothing was stored; try again later, or check `jwks_url` in the provider file")
        .next(about.connect())
}

fn advice(error: &IdTokenError) -> &'static str {
    match error {
        IdTokenError::Expired(_) | IdTokenError::IssuedAt(_) | IdTokenError::NotBefore(_) => {
            "nothing was stored; compare this machine's clock with the right time, then start again"
        }
        IdTokenError::Signature(VerifyError::Algorithm { .. }) => {
            "nothing was stored; if the client is registered so, say it with `algorithms` in [id_token] of the provider file"
        }
        IdTokenError::Audience { .. } => {
            "nothing was stored; an audience that belongs to the vendor can be named with `audiences` in [id_token] of the provider file"
        }
        IdTokenError::TooLongAgo { .. } => {
            "nothing was stored; sign in at the provider again, then start again"
        }
        IdTokenError::Signature(_)
        | IdTokenError::Claim(_)
        | IdTokenError::Issuer { .. }
        | IdTokenError::AuthorizedParty { .. }
        | IdTokenError::Nonce
        | IdTokenError::AccessTokenHash => {
            "nothing was stored; start again; if it happens twice, do not authorise and tell the vendor"
        }
    }
}

/// Why what the userinfo endpoint said was not used.
pub fn userinfo(trouble: &UserinfoTrouble) -> String {
    match trouble {
        UserinfoTrouble::Http(error) => printable(&error.to_string()),
        UserinfoTrouble::Wrong(error) => printable(&error.to_string()),
        UserinfoTrouble::NoKeys => "the keys that it is signed with cannot be retrieved".into(),
    }
}

/// Nothing was said of a token.
pub fn introspect(error: &IntrospectError, provider: &Provider, about: &Situation) -> Report {
    match error {
        IntrospectError::Fresh(error) => fresh(error, provider, about),
        IntrospectError::NoEndpoint => Report::new(
            Exit::SetUp,
            "no-introspection",
            format!("{} has no introspection endpoint that keyfob knows of", about.provider),
        )
        .hint("if it has one, name it in the provider file: [introspect] with its `url`"),
        IntrospectError::NoRefreshToken => Report::new(
            Exit::AuthorizationNeeded,
            "no-refresh-token",
            format!("`{}` has no refresh token", about.profile),
        )
        .hint("ask about the access token")
        .next(format!("keyfob introspect {}", command_line::word(&about.profile))),
        IntrospectError::Http(error) => {
            http(&format!("{} gave no answer to the introspection", about.provider), error)
        }
    }
}

/// A token that is not good, or an answer that does not say.
pub fn introspected(
    said: &Introspected,
    kind: TokenKind,
    renewable: bool,
    provider: &Provider,
    about: &Situation,
) -> Report {
    let profile = command_line::word(&about.profile);
    match said {
        Introspected::Active(_) => Report::unexpected("an active token is no failure"),
        Introspected::Inactive => {
            let (name, can_refresh) = match kind {
                TokenKind::AccessToken => ("access token", renewable),
                TokenKind::RefreshToken => ("refresh token", false),
            };
            let report = Report::new(
                Exit::AuthorizationNeeded,
                "token-inactive",
                format!("the {name} of `{}` is not active", about.profile),
            )
            .cause(format!(
                "{} says so: it has expired, was revoked, or is not one of its own",
                about.provider
            ));
            match can_refresh {
                true => report.hint("get a new one").next(format!("keyfob refresh {profile}")),
                false => report.hint("authorise it again").next(about.connect()),
            }
        }
        // The exit code that the contract has for it: the client is what has to be put right.
        Introspected::Refused(error) if error.code.as_deref() == Some("invalid_client") => {
            let report = Report::new(
                Exit::SetUp,
                "client-refused",
                format!("{} does not take this client's word at its introspection", about.provider),
            )
            .vendor(error)
            .hint(
                "if its secret or key was changed, give the new one; if tokens are still given \
                 (`keyfob refresh`), this endpoint wants the credentials of an API (a resource \
                 server), which the vendor gives out",
            );
            put_right(report, provider, about, || about.connect())
        }
        Introspected::Refused(error) => Report::new(
            Exit::Refused,
            "introspection-refused",
            format!("{} does not let this client ask about tokens", about.provider),
        )
        .vendor(error)
        .hint("many servers let only an API ask; the vendor can say whether this client may"),
        Introspected::NoVerdict { status, what, retry_after } => {
            let message = format!("{} did not say whether the token is good", about.provider);
            let mut report = Report::new(Exit::TryLater, "no-verdict", message)
                .cause(format!("it answered with {} (HTTP {status})", printable(what)))
                .hint("try again later");
            report.http_status = Some(*status);
            report.retry_after_seconds = *retry_after;
            report
        }
    }
}
