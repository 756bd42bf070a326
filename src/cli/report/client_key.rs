//! What a person is told about a private key, or a secret, that does not sign.

use super::super::command_line;
use super::kept_secret::keep;
use super::{Exit, Report, Situation};
use crate::authorization_server::AssertionError;
use crate::authorization_server::jose::KeyError;
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::provider::schema::ClientAuthentication;

/// A key that was given and is of no use; nothing was stored.
pub fn client_key(error: &AssertionError, profile: &str) -> Report {
    let report = Report::new(Exit::SetUp, "client-key", "this private key cannot be used").cause(
        match error {
            AssertionError::Key(error) => printable(&error.to_string()),
            other => printable(&other.to_string()),
        },
    );
    match error {
        AssertionError::Key(KeyError::Encrypted) => report
            .hint("give it without a passphrase; keyfob keeps it in the store")
            .next(format!(
                "openssl pkcs8 -topk8 -nocrypt -in FILE | keyfob profile secret {} private_key",
                command_line::word(profile)
            )),
        AssertionError::Key(KeyError::OpenSsh) => report
            .hint("write a copy of it as PKCS#8")
            .next("ssh-keygen -p -N '' -m PKCS8 -f COPY"),
        AssertionError::Key(KeyError::TooSmall) => report
            .hint("make a new one, and register its public half")
            .next("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE"),
        _ => report.hint(
            "give a private key as PEM (PKCS#8, PKCS#1 or SEC1) or as a JSON Web Key: RSA of 2048 to 4096 bits, P-256 or Ed25519",
        ),
    }
}

/// A token request needs a private key, and there is none.
pub fn client_key_missing(about: &Situation) -> Report {
    Report::new(
        Exit::SetUp,
        "client-key-missing",
        format!("there is no private key for `{}`", about.profile),
    )
    .cause(format!("without it this client cannot prove to {} who it is", about.provider))
    .hint("name the file that holds it; the key is kept in the store")
    .next(match about.connected {
        true => keep("private_key", about),
        false => about.connect_with(&[("--client-key-file", "…")]),
    })
}

/// A request needs a client certificate, and there is none.
pub fn client_certificate_missing(about: &Situation) -> Report {
    let report = Report::new(
        Exit::SetUp,
        "client-certificate-missing",
        format!("there is no client certificate for `{}`", about.profile),
    )
    .cause(format!("{} wants to see one", about.provider))
    .hint("name the PEM files that hold its chain and its key; both are kept in the store");
    match about.connected {
        true => report.next(keep("client_certificate", about)).next(keep("private_key", about)),
        false => report.next(
            about.connect_with(&[("--client-certificate-file", "…"), ("--client-key-file", "…")]),
        ),
    }
}

/// What the client signs cannot be signed; nothing was sent.
pub fn unsigned(why: &str, provider: &Provider, about: &Situation) -> Report {
    let (flag, name) = match provider.client.auth {
        ClientAuthentication::ClientSecretJwt => ("--client-secret-file", "client_secret"),
        _ => ("--client-key-file", "private_key"),
    };
    Report::new(
        Exit::SetUp,
        "client-key",
        format!("`{}` cannot prove who the client is", about.profile),
    )
    .cause(printable(why))
    .hint("nothing was sent; give another")
    .next(match about.connected {
        true => keep(name, about),
        false => about.connect_with(&[(flag, "…")]),
    })
}
