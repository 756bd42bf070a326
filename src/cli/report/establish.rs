//! What a person is told when no connection came to be.

use super::super::command_line;
use super::account::account_changed;
use super::device::{device, instead_of_a_browser};
use super::fresh::{
    fresh, missing_value, registration, token_refusal, too_many, wrong_registration,
};
use super::{Exit, Report, Situation, http, identity, left, profile, span};
use crate::authorization_server::authorization_request::RequestError;
use crate::connection::establish::EstablishError;
use crate::connection::establish::imported::ImportError;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::{Action, Flow};
use crate::user_agent::redirection_endpoint::BindError;

/// A connection that did not come to be; nothing was written.
pub fn establish(error: &EstablishError, provider: &Provider, about: &Situation) -> Report {
    // The same command with the right secret stores it, and authorises at once.
    let about = &Situation { connected: false, ..about.clone() };
    match error {
        EstablishError::Fresh(error) => fresh(error, provider, about),
        EstablishError::Denied { error, description } => {
            denied(error, description.as_deref(), provider, about)
        }
        EstablishError::Refused(error) => code_refusal(error, provider, about),
        EstablishError::TooMany { retry_after } => too_many(about, *retry_after, None),
        EstablishError::Http(error) => {
            let report =
                http(&format!("{} gave no answer to the token request", about.provider), error);
            report.next(about.connect())
        }
        EstablishError::NoVerdict { status, what } => {
            let mut report = Report::new(
                Exit::TryLater,
                "no-verdict",
                format!("{} did not answer the token request sensibly", about.provider),
            )
            .cause(format!("it answered with {} (HTTP {status})", printable(what)))
            .hint(match about.redirect_uri {
                Some(_) => "a code works once, so start again",
                None => "start again",
            })
            .next(about.connect());
            report.http_status = Some(*status);
            report
        }
        EstablishError::Unbound => unbound(provider, about),
        EstablishError::WrongIssuer => Report::new(
            Exit::Refused,
            "wrong-issuer",
            "the answer came from another authorization server than the one that was asked",
        )
        .cause("its `iss` does not name the expected issuer, so the code was not used")
        .hint("start again; if it happens twice, do not authorise and tell the vendor")
        .next(about.connect()),
        EstablishError::TimedOut { after, redirect_uri, strays } => {
            let mut report = Report::new(
                Exit::AuthorizationNeeded,
                "connect-timeout",
                format!("nobody came back within {}", span(*after)),
            )
            .cause(format!(
                "the redirect URI must be registered exactly as {}",
                // On any port it is registered without one, and the one of this attempt says nothing.
                about.redirect_uri.as_ref().unwrap_or(redirect_uri)
            ));
            if *strays > 0 {
                report = report.cause(format!(
                    "{strays} other requests came to the listener and were refused"
                ));
            }
            let again = "start again, with more time if it is needed";
            let report = report.hint(format!("{}; {again}", left(about.leaves)));
            instead_of_a_browser(
                report.next(about.connect_with(&[("--timeout", "15m")])),
                provider,
                about,
            )
        }
        EstablishError::Bind(error) => bind(error, about),
        EstablishError::Request(error) => request(error, about),
        EstablishError::Push(error) => super::pushed::pushed(error, provider, about),
        EstablishError::NobodyToPaste { redirect_uri } => {
            let loopback = format!("http://127.0.0.1:8976/callback/{}", provider.name);
            let loopback = command_line::word(&loopback);
            let report = Report::usage(
                "the browser would come back to a page of your own, and nobody is here to paste its address",
            )
            .cause(format!("the redirect URI is {redirect_uri}"))
            .hint("run the first line on a terminal; the second comes back to this machine, once its URI is registered at the vendor")
            .next(about.connect())
            .next(about.connect_with(&[("--redirect-uri", &loopback)]));
            instead_of_a_browser(report, provider, about)
        }
        EstablishError::AccountChanged { was, is, likeness } => {
            account_changed(was, is, *likeness, about)
        }
        EstablishError::Device(error) => device(error, provider, about),
        EstablishError::Assertion(error) => {
            Report::new(Exit::SetUp, "assertion", "this assertion would not be taken")
                .cause(printable(&error.to_string()))
                .hint("nothing was sent; make another one, for this server and for now")
                .next(about.connect_with(&[("--flow", "jwt-bearer"), ("--assertion-file", "…")]))
        }
        EstablishError::NotForCalls { issued } => Report::new(
            Exit::Refused,
            "not-for-calls",
            format!("{} issued a token that no call can be made with", about.provider),
        )
        .cause(format!("its type is {}, and its `token_type` is N_A", printable(issued)))
        .hint("nothing was stored; ask for an access token")
        .next(about.connect_with(&[
            ("--flow", "token-exchange"),
            ("--requested-token-type", "access_token"),
        ])),
        EstablishError::Identity(error) => identity(error, about),
        EstablishError::Import(error) => import(error, about),
        EstablishError::Profile(error) => profile(error),
    }
}

/// The same command would give the same again, and leave one more token behind.
fn unbound(provider: &Provider, about: &Situation) -> Report {
    let mut report = Report::new(
        Exit::SetUp,
        "dpop-not-supported",
        format!("{} does not bind tokens to a key (DPoP)", about.provider),
    )
    .cause(
        "the token it gave is not bound to the key (its type is not DPoP), so it was not stored",
    );
    if provider.revoke.is_none() {
        report = report.cause("it cannot be revoked from here, and lives until it ends");
    }
    report
        .hint("ask the vendor to turn it on for this client, or connect without it; a provider file that wants it says `dpop_bound_access_tokens`")
        .next(about.connect_with(&[("--dpop", "=false")]))
}

pub(super) fn denied(
    code: &str,
    description: Option<&str>,
    provider: &Provider,
    about: &Situation,
) -> Report {
    let meaning = provider.errors.authorize.get(code);
    let shown = printable(code);
    if let (Some(meaning), Some(uri)) = (wrong_registration(meaning, code), &about.redirect_uri) {
        let report = registration(meaning, uri, about).cause(format!("it answered {shown}"));
        return with_description(Report { oauth_error: Some(shown), ..report }, description);
    }
    let (exit, name, message) = match (meaning.map(|it| it.action), code) {
        (_, "access_denied") => {
            (Exit::Refused, "access-denied", "the authorization was denied".to_owned())
        }
        (Some(Action::WaitForApproval), _) => (
            Exit::Refused,
            "approval-pending",
            format!("{} does not let this app in", about.provider),
        ),
        (Some(Action::FixClient), _) => {
            (Exit::SetUp, "client-refused", format!("{} refused the request", about.provider))
        }
        (_, "temporarily_unavailable" | "server_error") => {
            (Exit::TryLater, "no-verdict", format!("{} cannot authorise now", about.provider))
        }
        (_, "invalid_target") => (
            Exit::Refused,
            "authorization-refused",
            format!("{} gives no token for that resource", about.provider),
        ),
        (_, "invalid_authorization_details") => (
            Exit::Refused,
            "authorization-refused",
            format!("{} does not know these authorization details", about.provider),
        ),
        _ => (
            Exit::Refused,
            "authorization-refused",
            format!("{} refused the authorization", about.provider),
        ),
    };
    let mut report = Report::new(exit, name, message).cause(format!("it answered {shown}"));
    report.oauth_error = Some(shown);
    report = with_description(report, description);
    match meaning {
        Some(meaning) => {
            let report = report.cause(meaning.meaning.clone());
            if meaning.hint.is_empty() { report } else { report.hint(meaning.hint.clone()) }
        }
        // The same scopes would be refused again.
        None if code == "invalid_scope" => report
            .hint("ask for scopes that the vendor has: another --scope, or none for its own choice")
            .next(about.connect_with(&[("--scope", "…")])),
        None => report.hint("start again when that is settled").next(about.connect()),
    }
}

fn with_description(report: Report, description: Option<&str>) -> Report {
    match description {
        Some(description) => report.cause(format!("\"{}\"", printable(description))),
        None => report,
    }
}

/// What the provider file says of this code is about tokens: a password is the person's, and typed anew.
fn password_refused(
    error: &crate::http::error_response::ErrorResponse,
    about: &Situation,
) -> Report {
    Report::new(
        Exit::AuthorizationNeeded,
        "authorization-needed",
        format!("{} did not take the name and the password", about.provider),
    )
    .vendor(error)
    .hint("try again with the account owner's name and password; nothing was stored")
    .next(about.connect_with(&[("--flow", "password")]))
}

/// The code was refused: say when the vendor's code lives too short for a slow hand.
fn code_refusal(
    error: &crate::http::error_response::ErrorResponse,
    provider: &Provider,
    about: &Situation,
) -> Report {
    if (about.flow, error.code.as_deref()) == (Some(Flow::Password), Some("invalid_grant")) {
        return password_refused(error, about);
    }
    let report = token_refusal(error, provider, about);
    let life = provider.authorize.as_ref().and_then(|it| it.code_lifetime);
    match (error.code.as_deref(), life) {
        (Some("invalid_grant"), Some(seconds)) => {
            report.cause(format!("a code of {} lives {seconds} seconds only", about.provider))
        }
        _ => report,
    }
}

fn bind(error: &BindError, about: &Situation) -> Report {
    let report = Report::new(Exit::SetUp, "listener", format!("{error}"));
    match error {
        BindError::External => report.hint("run it on a terminal and paste the address"),
        BindError::PortBusy { port } => {
            let mut report = Report::new(
                Exit::SetUp,
                "port-busy",
                format!("port {port} is in use, and the redirect URI is registered with it"),
            )
            .cause("another program, or another `keyfob connect`, listens there");
            report = report.hint("stop that program (the first line names it), or register another port");
            report.next(format!("ss -ltnp 'sport = :{port}'")).next(about.connect_with(&[("--port", "…")]))
        }
        BindError::PortForbidden { source, .. } => report
            .cause(printable(&source.to_string()))
            .hint("choose a port above 1024; on Windows `netsh interface ipv4 show excludedportrange protocol=tcp` lists reserved ones"),
        BindError::NoSuchAddress { .. } => report.hint("use http://127.0.0.1 in the redirect URI"),
        BindError::Other { source, .. } => report.cause(printable(&source.to_string())).hint("try another port"),
    }
}

fn request(error: &RequestError, about: &Situation) -> Report {
    match error {
        RequestError::Missing(missing) => missing_value(&missing.0, about),
        RequestError::Endpoint(endpoint) => Report::new(
            Exit::SetUp,
            "bad-endpoint",
            "the authorization endpoint is no address a browser may be sent to",
        )
        .cause(printable(endpoint))
        .hint("check the provider file and the host settings"),
        RequestError::TooLong => {
            Report::usage("the authorization request is longer than a browser takes (8 KiB)")
                .hint("ask for fewer scopes or rights")
                .next(about.connect_with(&[("--scope", "…")]))
        }
        RequestError::ReservedParameter(name) => reserved_parameter(name),
    }
}

/// A `--param` that would replace what the protocol, a flag or keyfob says.
pub fn reserved_parameter(name: &str) -> Report {
    Report::usage(format!("--param {} is the protocol's own parameter", printable(name)))
        .hint("keyfob sets it, or a flag of its own does; leave it out")
}

fn import(error: &ImportError, about: &Situation) -> Report {
    let report = Report::usage("this import makes no sense").cause(printable(&error.to_string()));
    match error {
        ImportError::Unknown { nearest: Some(nearest), .. } => {
            report.hint(format!("did you mean `{nearest}`?"))
        }
        ImportError::Mixed { looks_like, .. } => {
            report.hint(format!("it begins like a {looks_like}: put each secret in its own place"))
        }
        ImportError::Spent => {
            report.hint("nothing was changed, and the connection works on; a new one needs a new token from the vendor")
        }
        ImportError::SpentBy(by) | ImportError::Held(by) => report
            .hint(format!(
                "nothing was changed, and `{by}` works on: use that, or give it another name with `keyfob profile rename`{}",
                match error {
                    ImportError::Held(_) => "; --yes imports it all the same",
                    _ => "",
                }
            ))
            .next(format!("keyfob status {}", command_line::word(by))),
        ImportError::Outdated(by) => report
            .hint(format!(
                "nothing was changed: import it as `{by}`, whose place it takes; --yes imports it beside it all the same"
            ))
            .next(format!("keyfob import {} --sealed < FILE", command_line::word(by))),
        ImportError::Older => report.hint(
            "nothing was changed; import what was exported or saved last, or another name; --yes takes it all the same",
        ),
        ImportError::Lesser => report.hint(
            "import it under another name; --yes takes it, and forgets what renews the one that is here",
        ),
        ImportError::Unbindable => Report::new(
            Exit::SetUp,
            "import-unbound",
            "tokens of this profile cannot be imported without the key they are bound to",
        )
        .cause(error.to_string())
        .hint("nothing was sent or stored; connect, which makes a key, or import what `keyfob export` has sealed, which carries it")
        .next(format!("keyfob connect {}", about.profile))
        .next(format!("keyfob import {} --sealed < FILE", about.profile)),
        ImportError::NotJson(_)
        | ImportError::Unknown { .. }
        | ImportError::Kind { .. }
        | ImportError::Missing(_) => report
            .hint(r#"give one JSON object: {"access_token":…,"refresh_token":…,"expires_in":…}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error_response::ErrorResponse;
    use crate::provider::catalogue::shipped;

    #[test] // AT-8c
    fn a_wait_in_vain_counts_what_came_where_anything_came() {
        let provider = shipped("inkress").unwrap().unwrap();
        let told = |strays| {
            let redirect_uri = "http://127.0.0.1:9/cb".to_owned();
            let error = EstablishError::TimedOut { after: 60, redirect_uri, strays };
            establish(&error, &provider, &Situation::default()).causes
        };
        assert!(told(2).iter().any(|it| it.starts_with("2 other requests came")));
        assert!(!told(0).iter().any(|it| it.contains("other requests")));
    }

    #[test]
    fn a_redirect_uri_that_differs_is_told_as_such_at_both_endpoints() {
        let provider = shipped("inkress").unwrap().unwrap();
        let about = Situation {
            profile: "shop".into(),
            provider: "Inkress".into(),
            redirect_uri: Some("http://127.0.0.1:9/cb".into()),
            ..Situation::default()
        };
        let code = "invalid_redirect_uri".to_owned();
        let at_token = ErrorResponse { code: Some(code.clone()), ..ErrorResponse::default() };
        for error in [
            EstablishError::Denied { error: code, description: None },
            EstablishError::Refused(at_token),
        ] {
            let report = establish(&error, &provider, &about);
            assert!(report.message.contains("the redirect URI differs"), "{report:?}");
            assert!(report.causes.iter().any(|it| it.ends_with("http://127.0.0.1:9/cb")));
            assert_eq!(report.next, ["keyfob connect shop --print-redirect"]);
            assert_eq!(report.oauth_error.as_deref(), Some("invalid_redirect_uri"));
        }
    }

    #[test] // ER4
    fn a_scope_that_the_server_refused_is_not_asked_for_again() {
        let provider = shipped("inkress").unwrap().unwrap();
        let about = Situation { profile: "shop".into(), ..Situation::default() };
        let error = EstablishError::Denied { error: "invalid_scope".into(), description: None };
        let report = establish(&error, &provider, &about);
        assert_eq!(report.next, ["keyfob connect shop --scope …"]);
        assert!(report.hint.is_some_and(|it| it.contains("another --scope")));
    }
}
