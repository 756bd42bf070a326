//! What a person is told when there is no access token that is good now.

use super::super::command_line;
use super::client_key::{client_certificate_missing, client_key_missing, unsigned};
use super::kept_secret::{keep, put_right};
use super::limits::used_up;
use super::{Exit, Report, Situation, http, lock, sealed, span, store, store_of};
use crate::connection::FreshError;
use crate::connection::entry::Ended;
use crate::connection::roll::put_aside::PutAside;
use crate::connection::roll::{NoAnswer, NoVerdict};
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::{Action, ClientAuthentication, Flow, Meaning};
use crate::store::StoreError;

/// An access token that could not be had.
pub fn fresh(error: &FreshError, provider: &Provider, about: &Situation) -> Report {
    let profile = &about.profile;
    match error {
        FreshError::NotConnected => Report::new(
            Exit::AuthorizationNeeded,
            "not-connected",
            format!("`{profile}` is not connected"),
        )
        .hint("authorise it once")
        .next(about.connect()),
        FreshError::CannotRenew => Report::new(
            Exit::AuthorizationNeeded,
            "cannot-renew",
            format!("the access token of `{profile}` cannot be renewed"),
        )
        .cause("there is no refresh token for it")
        .hint("authorise it again")
        .next(about.connect()),
        FreshError::Ended(ended) => ended_report(ended, provider, about),
        FreshError::Rebound { was, is } => rebound(was, is, about),
        FreshError::Unbound { is_wanted } => Report::new(
            Exit::AuthorizationNeeded,
            "binding-changed",
            format!("`{profile}` was connected another way than it is set up now"),
        )
        .cause(match is_wanted {
            true => "its tokens are to be bound to a key (DPoP), and those it has are not",
            false => "its tokens are bound to a key (DPoP), and it is set up without one",
        })
        .hint("nothing was sent; connect it as it is set up now")
        .next(about.connect()),
        FreshError::NoKey => key_unreadable(about),
        FreshError::ClientSecretMissing => {
            let report = Report::new(
                Exit::SetUp,
                "client-secret-missing",
                format!("there is no client secret for `{profile}`"),
            )
            .cause(format!("{} wants one with every token request{}", about.provider, by_its_file(provider)))
            .hint("keep it in the store (asked without echo, or from standard input), or set KEYFOB_CLIENT_SECRET");
            match about.connected {
                true => report.next(keep("client_secret", about)),
                false => report.next(about.connect_with(&[("--client-secret-file", "…")])),
            }
        }
        FreshError::ClientKeyMissing => client_key_missing(about),
        FreshError::ClientCertificateMissing => client_certificate_missing(about),
        FreshError::Unsigned(why) => unsigned(why, provider, about),
        FreshError::ClientIdMissing => Report::new(
            Exit::SetUp,
            "client-id-missing",
            format!("there is no client id for `{profile}`"),
        )
        .hint("give the one that the vendor issued, or set KEYFOB_CLIENT_ID")
        .next(about.connect_with(&[("--client-id", "…")])),
        FreshError::MissingValue(name) => missing_value(name, about),
        FreshError::Lock(error) => lock(error, profile),
        FreshError::Store(error) => store_of(error, about),
        FreshError::Unstored { error, in_journal } => unstored(error, *in_journal, about),
        FreshError::Refused(error) => token_refusal(error, provider, about),
        FreshError::TooMany { until, seconds, may_be_spent } => {
            let mut report = too_many(about, None, Some(*until));
            report.retry_after_seconds = Some(*seconds);
            match may_be_spent {
                true => report
                    .cause("an earlier answer was lost, so whether the refresh token is spent is not known; it is kept")
                    .hint("try again then"),
                false => report,
            }
        }
        FreshError::UsedUp { until } => used_up(provider, *until, about),
        FreshError::NoVerdict(lost) => no_verdict(lost, about),
        FreshError::Worker(why) => {
            Report::unexpected("the process that refreshes could not do its work")
                .cause(printable(why))
                .hint("run the command again: it finds what was done, and says what is not known")
        }
        FreshError::Http(error) => http("no request can be made", error),
        FreshError::Borrowed => sealed::borrowed(provider, about),
        FreshError::AccessTokenOnly => sealed::access_token_only(about),
        FreshError::NeedsCertificate => sealed::needs_certificate(about),
        FreshError::SaveKey(error) => sealed::save_key(error),
        FreshError::NotProved(error) => sealed::not_proved(error, about),
        FreshError::Unsaved { error, copy } => sealed::unsaved(error, copy.as_deref(), about),
    }
}

/// Tokens that belong elsewhere than this command would send them: by its flag, or by what is set up now.
fn rebound(was: &str, is: &str, about: &Situation) -> Report {
    let report = Report::new(
        Exit::SetUp,
        "endpoints-changed",
        format!("the tokens of `{}` were given for another host", about.profile),
    );
    match about.set_for_once.as_slice() {
        [] => report
            .cause(format!("they belong to {was}; the profile and its provider file now say {is}"))
            .hint("nothing was sent; set the host back, or connect to the new one")
            .next(about.connect()),
        names => report
            .cause(format!("they belong to {was}; with --set this command would go to {is}"))
            .hint(format!("nothing was sent; leave --set {} out", printable(&names.join(", ")))),
    }
}

/// A path or a template of the provider that names a value nobody set.
pub fn missing_value(name: &str, about: &Situation) -> Report {
    let profile = command_line::word(&about.profile);
    let is = |names: &[String]| names.iter().any(|it| it == name);
    let report = Report::usage(format!("`{}` has no value for `{name}`", about.profile));
    if is(&about.settings) {
        let report = report.hint("set it for the profile, or for one call with --set");
        let report = match about.lists.iter().find(|(setting, _)| setting == name) {
            Some((_, path)) => {
                report.next(format!("keyfob call {profile} GET {}", command_line::word(path)))
            }
            None => report,
        };
        return report.next(format!("keyfob profile set {profile} {name}=…"));
    }
    if is(&about.contexts) {
        let how = if about.imports { "import it again, with that value" } else { "connect again" };
        return report
            .cause(format!(
                "{} gives it with the tokens, and these came without it",
                about.provider
            ))
            .hint(how)
            .next(about.connect());
    }
    match about.known.as_slice() {
        [] => {
            report.hint("write the path without braces: the connection has no values to put there")
        }
        known => report
            .hint(format!("the values of this connection are {}", printable(&known.join(", ")))),
    }
}

fn ended_report(ended: &Ended, provider: &Provider, about: &Situation) -> Report {
    if let Some(why) = PutAside::of(ended) {
        return put_aside(why, ended, about);
    }
    let meaning = provider.errors.token.get(&ended.error);
    let mut report = Report::new(
        Exit::AuthorizationNeeded,
        "authorization-needed",
        format!("the connection `{}` needs a new authorization", about.profile),
    )
    .cause(format!(
        "{} refused the refresh token: {} (at {})",
        about.provider,
        printable(&ended.error),
        ended.at
    ));
    report.oauth_error = Some(printable(&ended.error));
    if let Some(description) = &ended.description {
        report = report.cause(format!("\"{}\"", printable(description)));
    }
    if ended.after_lost_answer {
        report = report.cause("an earlier answer was lost: the provider may have issued a token that this machine never stored");
    }
    report = match meaning {
        Some(meaning) => report.cause(meaning.meaning.clone()),
        None if ended.after_lost_answer => report,
        None => report.cause("it has expired, was revoked, or was used by another machine"),
    };
    let hint = match (meaning.filter(|it| !it.hint.is_empty()), about.person) {
        (Some(meaning), _) => meaning.hint.as_str(),
        (None, true) => "authorise it again",
        (None, false) => "a person must authorise it again, or import a new connection",
    };
    report.hint(hint).next(about.connect())
}

/// The new tokens are stored, and nothing uses them: what is written into another's account cannot be taken back.
fn put_aside(why: PutAside<'_>, ended: &Ended, about: &Situation) -> Report {
    let cause = match why {
        PutAside::Subject(claim) => format!(
            "a refresh brought the tokens of somebody else: the `{}` of its ID token is not the one of `connect`",
            printable(claim)
        ),
        PutAside::Account(how) => {
            format!("a refresh brought the tokens of another account: {}", printable(how))
        }
        PutAside::Unbound => format!(
            "{} answered a refresh with tokens that are not bound to the key (their type is not DPoP): anyone could use them",
            about.provider
        ),
    };
    let hint = match why {
        PutAside::Unbound => {
            "authorise it again; where its tokens are not bound any more, that says so"
        }
        _ => "authorise it again; it asks before another account takes the place of this one",
    };
    Report::new(
        Exit::AuthorizationNeeded,
        "authorization-needed",
        format!("the connection `{}` needs a new authorization", about.profile),
    )
    .cause(format!("{cause} (at {})", ended.at))
    .cause("they are stored and not used; `keyfob revoke` still ends them")
    .hint(hint)
    .next(about.connect())
}

/// A client that asserts often needs no secret beside, and a file that does not say so wants one.
fn by_its_file(provider: &Provider) -> &'static str {
    match provider.flows.contains(&Flow::JwtBearer) {
        true => {
            ", by its provider file; where the signed assertion is enough, the file says \
             `auth = \"id\"` and `secret = \"none\"` under [client]"
        }
        false => "",
    }
}

/// What the provider file says of a client that is known, but registered otherwise.
pub fn wrong_registration<'m>(meaning: Option<&'m Meaning>, code: &str) -> Option<&'m Meaning> {
    meaning.filter(|it| it.action == Action::FixClient && code != "invalid_client")
}

/// The registration at the vendor differs from what was sent: the person compares the two.
pub fn registration(meaning: &Meaning, redirect_uri: &str, about: &Situation) -> Report {
    let message = format!("{} refused the request: {}", about.provider, meaning.meaning);
    let hint = match meaning.hint.as_str() {
        "" => "compare it with what is registered at the vendor",
        hint => hint,
    };
    Report::new(Exit::SetUp, "client-refused", message)
        .cause(format!("the redirect URI that was sent is {}", printable(redirect_uri)))
        .hint(hint)
        .next(about.connect_with(&[("--print-redirect", "")]))
}

/// A verdict of the token endpoint that is not about the tokens.
pub fn token_refusal(error: &ErrorResponse, provider: &Provider, about: &Situation) -> Report {
    let code = error.code.as_deref().unwrap_or_default();
    let meaning = provider.errors.token.get(code);
    if let (Some(meaning), Some(uri)) = (wrong_registration(meaning, code), &about.redirect_uri) {
        return registration(meaning, uri, about).vendor(error);
    }
    let proof = match (provider.client.signs(), provider.client.is_known_by_certificate()) {
        (true, _) => "signature of its assertion",
        (false, true) => "client certificate",
        (false, false) => "client secret",
    };
    let (exit, name, message) = match (meaning.map(|it| it.action), code) {
        (Some(Action::WaitForApproval), _) => (
            Exit::Refused,
            "approval-pending",
            format!("{} does not let this app in", about.provider),
        ),
        (Some(Action::FixClient), _) | (_, "invalid_client") => (
            Exit::SetUp,
            "client-refused",
            format!("{} refused the client id or the {proof}", about.provider),
        ),
        (Some(Action::Reconnect), _) | (_, "invalid_grant") => (
            Exit::AuthorizationNeeded,
            "authorization-needed",
            format!("{} refused the authorization", about.provider),
        ),
        (_, "invalid_target") => (
            Exit::Refused,
            "authorization-refused",
            format!("{} gives no token for that resource", about.provider),
        ),
        _ => (
            Exit::Refused,
            "authorization-refused",
            format!("{} refused the token request", about.provider),
        ),
    };
    let mut report = Report::new(exit, name, message).vendor(error);
    if let Some(meaning) = meaning {
        report = report.cause(meaning.meaning.clone());
        if !meaning.hint.is_empty() {
            let report = report.hint(meaning.hint.clone());
            let again = || about.connect_with(&[("--client-secret-file", "…")]);
            return match code {
                "invalid_client" => put_right(report, provider, about, again),
                _ => report,
            };
        }
    }
    match exit {
        Exit::SetUp if provider.client.is_known_by_certificate() => put_right(
            report.hint("check that the vendor knows this certificate for this client id, and that it has not ended; or give the right one"),
            provider,
            about,
            || about.connect_with(&[("--client-certificate-file", "…"), ("--client-key-file", "…")]),
        ),
        Exit::SetUp if provider.client.auth == ClientAuthentication::PrivateKeyJwt => put_right(
            report.hint("check that the vendor knows the public half of this key, its `kid`, and this machine's clock; or give the right key"),
            provider,
            about,
            || about.connect_with(&[("--client-key-file", "…")]),
        ),
        Exit::SetUp => put_right(
            report.hint("check both, then give the secret again"),
            provider,
            about,
            || about.connect_with(&[("--client-secret-file", "…")]),
        ),
        Exit::AuthorizationNeeded => report.hint("authorise it again").next(about.connect()),
        _ => report.hint("ask the vendor what this client may do"),
    }
}

/// The token endpoint asked to be left alone.
pub fn too_many(about: &Situation, seconds: Option<u64>, until: Option<jiff::Timestamp>) -> Report {
    let mut report = Report::new(
        Exit::TryLater,
        "rate-limited",
        format!("{} asks to be left alone for a while", about.provider),
    )
    .cause("too many token requests (HTTP 429)");
    report.http_status = Some(429);
    if let Some(seconds) = seconds {
        report = report.cause(format!("it said to wait {}", span(seconds)));
        report.retry_after_seconds = Some(seconds);
    }
    if let Some(until) = until {
        report = report.cause(format!("no token request is sent before {until}"));
    }
    report.hint("try again then; nothing was spent")
}

fn no_verdict(lost: &NoVerdict, about: &Situation) -> Report {
    let message = format!("the tokens of `{}` could not be refreshed now", about.profile);
    let mut report = match &lost.cause {
        NoAnswer::Http(error) => {
            let mut report = http(&message, error);
            report.exit = match error {
                HttpError::Certificates { .. }
                | HttpError::Identity { .. }
                | HttpError::InsecureUrl { .. } => report.exit,
                _ => Exit::TryLater,
            };
            report
        }
        NoAnswer::Unusable { status, what, retry_after } => {
            let bare = format!("HTTP {status}");
            let what = match *what == bare {
                true => bare,
                false => format!("{} ({bare})", printable(what)),
            };
            let mut report = Report::new(Exit::TryLater, "no-verdict", message)
                .cause(format!("{} answered with {what}", about.provider))
                .hint("try again later");
            report.http_status = Some(*status);
            report.retry_after_seconds = *retry_after;
            report
        }
        NoAnswer::Unfit { status, what } => {
            let mut report = Report::new(Exit::TryLater, "tokens-unfit", message)
                .cause(format!("{} gave tokens, but {} (HTTP {status})", about.provider, printable(what)))
                .cause("they are kept in the journal; the old refresh token is spent and not sent again")
                .hint("where the provider file is yours, correct it and run the command again; else connect again")
                .next(about.connect());
            report.http_status = Some(*status);
            report
        }
        NoAnswer::NotTried => Report::new(Exit::TryLater, "no-verdict", message)
            .cause("an earlier refresh was cut short")
            .hint("run it again with `keyfob refresh`"),
    };
    if let Some(earlier) = &lost.earlier {
        report = report.cause(format!(
            "the refresh that began at {} on {} had lost its answer already",
            earlier.started_at,
            printable(&earlier.host)
        ));
    }
    if matches!(lost.cause, NoAnswer::Unfit { .. }) {
        return report;
    }
    if matches!(lost.cause, NoAnswer::Http(HttpError::BodyTooLarge { .. })) {
        return report
            .cause("no answer with tokens is as long as that, and none of it was kept; the refresh token is likely spent")
            .hint(format!("ask {} why; the old tokens are kept, and a new authorization makes others", about.provider))
            .next(about.connect());
    }
    report.cause(match (lost.may_be_spent, lost.resent) {
        (false, _) => "the request did not arrive, so nothing was spent; the connection is as it was",
        (true, false) => "whether the refresh token was spent is not known; it is kept, and the next refresh tries it once more",
        (true, true) => "it was tried twice; the refresh token is kept, and the next refresh tries it again",
    })
}

/// New tokens that the store did not take.
fn unstored(error: &StoreError, in_journal: bool, about: &Situation) -> Report {
    let mut report = store(error);
    report.message = format!("the new tokens of `{}` could not be stored", about.profile);
    report.causes.push(match in_journal {
        true => "they are safe in the journal: the next command that can write stores them".into(),
        false => "the journal did not take them either: the old refresh token is spent".into(),
    });
    report.hint = Some("make room or give keyfob access, then run the command again".into());
    report
}

/// The key that tokens are bound to cannot be read, or cannot sign.
pub fn key_unreadable(about: &Situation) -> Report {
    let profile = &about.profile;
    Report::new(
        Exit::Store,
        "key-unreadable",
        format!("the key that the tokens of `{profile}` are bound to cannot be used"),
    )
    .hint("nothing was sent; connect again, which makes a new one")
    .next(about.connect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn ended(vendor: &str) -> Report {
        let ended = Ended {
            at: jiff::Timestamp::UNIX_EPOCH,
            fate: None,
            error: "invalid_grant".into(),
            description: None,
            after_lost_answer: false,
        };
        let error = FreshError::Ended(ended);
        let about = Situation { profile: "till".into(), imports: true, ..Situation::default() };
        fresh(&error, &shipped(vendor).unwrap().unwrap(), &about)
    }

    #[test]
    fn the_vendor_s_own_meaning_of_an_ended_grant_is_told() {
        let report = ended("inventorum");
        assert!(report.causes[1].contains("was deleted in the dashboard"), "{report:?}");
        assert!(report.hint.unwrap().contains("https://connect.inventorum.com/apps"));
        assert_eq!(report.next, ["keyfob import till"]);
        assert!(ended("merchantos").causes[1].contains("by another machine"));
    }

    #[test]
    fn a_value_is_advised_as_what_it_is() {
        let about = Situation {
            profile: "shop".into(),
            settings: vec!["host".into()],
            contexts: vec!["merchant_id".into()],
            known: vec!["host".into()],
            ..Situation::default()
        };
        assert_eq!(missing_value("host", &about).next, ["keyfob profile set shop host=…"]);
        assert_eq!(missing_value("merchant_id", &about).next, ["keyfob connect shop"]);
        let other = missing_value("order_id", &about);
        assert!(other.next.is_empty() && other.hint.unwrap().ends_with("are host"));
    }
}
