//! How a secret of the client is put right that is in the store: nobody need authorise for that.

use super::super::command_line::word;
use super::{Report, Situation};
use crate::provider::Provider;
use crate::provider::schema::ClientAuthentication;

/// The command that keeps a secret with a profile: from a prompt, or where nobody sits there from a file.
pub fn keep(name: &str, about: &Situation) -> String {
    let command = format!("keyfob profile secret {} {name}", word(&about.profile));
    match about.person {
        true => command,
        false => format!("{command} < FILE"),
    }
}

/// What the client of a provider proves itself with, as `profile secret` names it.
fn proof(provider: &Provider) -> &'static [&'static str] {
    match provider.client.auth {
        ClientAuthentication::Id => &[],
        ClientAuthentication::PrivateKeyJwt => &["private_key"],
        ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth => {
            &["client_certificate", "private_key"]
        }
        ClientAuthentication::Basic
        | ClientAuthentication::Post
        | ClientAuthentication::ClientSecretJwt => &["client_secret"],
    }
}

/// Adds the commands that put right what the client proves itself with; `otherwise` is the one for a
/// client that has nothing in the store yet.
pub fn put_right(
    report: Report,
    provider: &Provider,
    about: &Situation,
    otherwise: impl FnOnce() -> String,
) -> Report {
    let names = proof(provider);
    if !about.connected || names.is_empty() {
        return report.next(otherwise());
    }
    if about.secret_of_environment && names == ["client_secret"] {
        return report
            .cause("the secret is that of KEYFOB_CLIENT_SECRET, which stands before the stored one")
            .next("unset KEYFOB_CLIENT_SECRET");
    }
    names.iter().fold(report, |report, name| report.next(keep(name, about)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::Exit;
    use crate::provider::catalogue::shipped;

    #[test] // CA3
    fn what_is_put_right_is_what_this_client_proves_itself_with() {
        use ClientAuthentication::{Basic, ClientSecretJwt, Id, PrivateKeyJwt, TlsClientAuth};
        let next = |auth, connected, secret_of_environment| {
            let mut provider = shipped("inkress").unwrap().unwrap();
            provider.client.auth = auth;
            let (profile, person) = ("shop".to_owned(), true);
            let situation = Situation::default();
            let about =
                Situation { profile, person, connected, secret_of_environment, ..situation };
            let report = Report::new(Exit::SetUp, "client-refused", "x");
            put_right(report, &provider, &about, || "otherwise".into()).next
        };
        let keep = |name: &str| format!("keyfob profile secret shop {name}");
        assert_eq!(next(Basic, true, false), [keep("client_secret")]);
        assert_eq!(next(ClientSecretJwt, true, false), [keep("client_secret")]);
        assert_eq!(next(PrivateKeyJwt, true, true), [keep("private_key")]);
        let both = [keep("client_certificate"), keep("private_key")];
        assert_eq!(next(TlsClientAuth, true, false), both);
        assert_eq!(next(Basic, true, true), ["unset KEYFOB_CLIENT_SECRET"]);
        assert_eq!(next(Basic, false, true), ["otherwise"]);
        assert_eq!(next(Id, true, false), ["otherwise"]);
    }
}
