//! What a person is told when keyfob did not become a client, or did not cease to be one.

use super::super::command_line::Plus;
use super::{Exit, Report, http, keeping};
use crate::authorization_server::registered_key::RegisteredKeyError;
use crate::connection::registration::RegistrationError;
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;

/// A client that was not registered; `again` is the command with what the advice adds.
pub fn registration(
    error: &RegistrationError,
    provider: &str,
    again: &dyn Fn(Plus<'_>) -> String,
) -> Report {
    let register = || again(&[("--register", "")]);
    let by_hand = || again(&[("--client-id", "…")]);
    match error {
        RegistrationError::Keeping(error) => keeping(error),
        RegistrationError::Endpoint(text) => Report::new(
            Exit::SetUp,
            "bad-provider-file",
            format!("the registration endpoint of {provider} is no URL"),
        )
        .cause(printable(text))
        .hint("correct `url` in the [registration] table of the provider file"),
        RegistrationError::Http(error) => {
            http(&format!("{provider} gave no answer about the registration"), error)
                .next(register())
        }
        RegistrationError::Refused(error) => Report::new(
            Exit::Refused,
            "registration-refused",
            format!("{provider} does not register keyfob so"),
        )
        .vendor(error)
        .hint("register an application at the vendor by hand, and give its client id")
        .next(by_hand()),
        RegistrationError::Unauthorized(error) => Report::new(
            Exit::SetUp,
            "registration-unauthorized",
            format!("{provider} registers clients only with an initial access token"),
        )
        .vendor(error)
        .hint("ask who runs that server for one; it is read from a file, `-` is standard input")
        .next(again(&[("--register", ""), ("--initial-access-token-file", "FILE")])),
        RegistrationError::NoVerdict { status, what } => {
            let mut report = Report::new(
                Exit::TryLater,
                "no-verdict",
                format!("{provider} did not answer the registration sensibly"),
            )
            .cause(format!("it answered with {what} (HTTP {status})"))
            .hint("try again; there may be a client now that nobody uses")
            .next(register());
            report.http_status = Some(*status);
            report
        }
        RegistrationError::Unfit { why, ended } => Report::new(
            Exit::SetUp,
            "registration-unfit",
            format!("{provider} registered a client that keyfob cannot use"),
        )
        .cause(printable(why))
        .cause(match ended {
            true => "it was ended at once",
            false => "it may live on there, and nothing here uses it",
        })
        .hint("register an application at the vendor by hand, and give its client id")
        .next(by_hand()),
        RegistrationError::UnfitUpdate { why } => Report::new(
            Exit::SetUp,
            "registration-unfit",
            format!("{provider} answers about the client of this profile what keyfob cannot use"),
        )
        .cause(printable(why))
        .cause("that client stays in force for what it was registered for before")
        .hint("ask who runs that server; or register an application at the vendor by hand, and give its client id")
        .next(by_hand()),
        RegistrationError::Connected => {
            Report::usage("the profile is connected with another client")
                .cause("its tokens belong to that client, and a new one could not renew them")
                .hint("use another profile name, or revoke the connection first")
        }
        RegistrationError::NotManaged => Report::new(
            Exit::SetUp,
            "not-registered",
            format!("there is no registration at {provider} that keyfob can manage"),
        )
        .cause("keyfob did not register this client, or was given no registration access token")
        .hint("end it in the vendor's own pages, if there are any"),
        RegistrationError::Gone => Report::new(
            Exit::SetUp,
            "registration-gone",
            format!("{provider} knows the registration of this client no more"),
        )
        .hint("register again")
        .next(register()),
        RegistrationError::StillEnded => Report::new(
            Exit::SetUp,
            "client-secret-ended",
            format!("the client secret from {provider} has ended, and it gives no new one"),
        )
        .hint("register again")
        .next(register()),
    }
}

/// A client that is there and was not changed, read or renewed; `again` as for a registration.
pub fn registration_change(
    error: &RegistrationError,
    provider: &str,
    again: &dyn Fn(Plus<'_>) -> String,
) -> Report {
    match error {
        RegistrationError::Http(error) => {
            http(&format!("{provider} gave no answer about the registration"), error)
                .next(again(&[]))
        }
        RegistrationError::NoVerdict { status, what } => {
            let message = format!("{provider} did not say sensibly what is registered");
            let mut report = Report::new(Exit::TryLater, "no-verdict", message)
                .cause(format!("it answered with {what} (HTTP {status})"))
                .hint("try again; the client is the same whether it was changed or not")
                .next(again(&[]));
            report.http_status = Some(*status);
            report
        }
        error => registration(error, provider, again),
    }
}

/// A client that is registered for less than is asked for now, and is not changed; `again` is the
/// command that registers another for it.
pub fn registration_lacks(
    profile: &str,
    provider: &str,
    lacking: &str,
    refusal: Option<&ErrorResponse>,
    again: String,
) -> Report {
    let message =
        format!("the client of `{profile}` is not registered at {provider} for {lacking}");
    let report = match refusal {
        Some(error) => Report::new(Exit::Refused, "registration-refused", message)
            .cause(format!("{provider} does not change the registration"))
            .vendor(error),
        None => Report::new(Exit::SetUp, "registration-lacks", message).cause(format!(
            "{provider} gives no way to change a registration, or knows it no more"
        )),
    };
    report
        .hint("register another client; the one of before is used until that one has tokens")
        .next(again)
}

/// A key or a certificate that no client can be registered with.
pub fn registered_key(error: &RegisteredKeyError) -> Report {
    Report::new(Exit::SetUp, "registered-key", "no client can be registered with this key")
        .cause(printable(&error.to_string()))
        .hint("give another key, or the certificate that belongs to it")
}

/// `--register` for a profile whose client id somebody gave; `again` is the command that was typed.
/// What is connected is ended by the client that it belongs to, so that comes first.
pub fn has_a_client(profile: &str, is_connected: bool, again: String) -> Report {
    let report = Report::usage(format!("`{profile}` has a client id already"));
    let report = match is_connected {
        true => report
            .cause("its tokens belong to that client, and a new one could not renew them")
            .hint("use another profile name; or give this one up, in this order")
            .next(format!("keyfob revoke {profile}")),
        false => report.hint("use another profile name; or give this one up, in this order"),
    };
    report.next(format!("keyfob profile set {profile} client_id=")).next(again)
}

/// `--register` where nobody registers clients so.
pub fn no_registration(provider: &str) -> Report {
    Report::new(
        Exit::SetUp,
        "no-registration",
        format!("{provider} does not say that clients can register themselves"),
    )
    .cause("its provider file has no [registration] table of the kind `dynamic`")
    .hint("register an application at the vendor by hand, and give its client id with --client-id")
}

/// The server registered redirect URIs that keyfob cannot serve.
pub fn registered_elsewhere(profile: &str, own: &str, theirs: &[String]) -> Report {
    let mut report = Report::new(
        Exit::SetUp,
        "registration-unfit",
        "the server registered other redirect URIs than keyfob asked for",
    )
    .cause(format!("asked for: {}", printable(own)));
    for uri in theirs.iter().take(5) {
        report = report.cause(format!("registered: {}", printable(uri)));
    }
    report
        .hint("end that registration, and register an application by hand")
        .next(format!("keyfob profile remove {profile} --unregister"))
}

/// A client that the server did not end; the profile stays, and `again` tries once more.
pub fn unregistration(
    error: &RegistrationError,
    provider: &str,
    again: &str,
    remove: &str,
) -> Report {
    let leave_it = |report: Report| {
        report.hint("ask who runs that server to end it; or remove the profile alone, and the client lives on there").next(remove)
    };
    match error {
        RegistrationError::Http(error) => {
            http(&format!("{provider} gave no answer to the end of the registration"), error)
                .next(again)
        }
        RegistrationError::Refused(error) | RegistrationError::Unauthorized(error) => {
            let message = format!("{provider} does not end the registration of this client");
            leave_it(Report::new(Exit::Refused, "registration-refused", message).vendor(error))
        }
        RegistrationError::NoVerdict { status, what } => {
            let message = format!("{provider} did not say sensibly that the client is ended");
            let mut report = Report::new(Exit::TryLater, "no-verdict", message)
                .cause(format!("it answered with {what} (HTTP {status})"))
                .hint("the profile is kept; try again")
                .next(again);
            report.http_status = Some(*status);
            report
        }
        RegistrationError::NotManaged => {
            let message = format!("there is no registration at {provider} that keyfob can end");
            leave_it(Report::new(Exit::SetUp, "not-registered", message).cause(
                "keyfob did not register this client, or was given no registration access token",
            ))
        }
        RegistrationError::Keeping(_)
        | RegistrationError::Endpoint(_)
        | RegistrationError::Unfit { .. }
        | RegistrationError::UnfitUpdate { .. }
        | RegistrationError::Connected
        | RegistrationError::Gone
        | RegistrationError::StillEnded => registration(error, provider, &|_| again.to_owned()),
    }
}

/// A client that the environment names, and one that is to be registered.
pub fn register_or_environment(again: &str) -> Report {
    Report::usage("--register makes a new client, and KEYFOB_CLIENT_ID names one")
        .cause("the one of the environment would be used, and the new one by nobody")
        .hint("take one of them away")
        .next(format!("env -u KEYFOB_CLIENT_ID {again}"))
}
