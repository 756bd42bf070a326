//! Judges what came back to the redirect URI (RFC 6749 section 4.1.2).
//!
//! The order matters: each parameter once only, then `state`, then `iss`, then `error`, then `code`.

use super::authorization_request::Transaction;
use crate::secret::Secret;

/// What a response means.
#[derive(Debug, PartialEq)]
pub enum Judgement {
    /// The code to exchange.
    Code(Secret),
    /// The authorization server's refusal; it carried our `state`.
    Refused {
        /// `access_denied` and its like.
        error: String,
        /// The vendor's words.
        description: Option<String>,
    },
    /// `iss` names another server: a mix-up, and the end of this attempt (RFC 9207 section 2.4).
    WrongIssuer,
    /// Not an answer to this request: the wait goes on.
    NotOurs(NotOurs),
}

/// Why a request is no answer to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotOurs {
    /// A parameter came twice.
    Repeated,
    /// No `state`.
    StateAbsent,
    /// The `state` of another attempt, or of nobody.
    StateWrong,
    /// Neither code nor error.
    Empty,
}

/// Parameters of which two are never right (RFC 6749 section 3.1).
const ONCE: [&str; 6] = ["code", "state", "iss", "error", "error_description", "response"];

/// Judges the query of a request to the redirect URI.
pub fn judge(query: &[(String, String)], transaction: &Transaction) -> Judgement {
    let find = |name: &str| query.iter().find(|(it, _)| it == name).map(|(_, value)| value);
    let count = |name: &str| query.iter().filter(|(it, _)| it == name).count();
    if ONCE.iter().any(|name| count(name) > 1) {
        return Judgement::NotOurs(NotOurs::Repeated);
    }
    match find("state") {
        Some(state) if Secret::new(state.as_str()) != transaction.state => {
            return Judgement::NotOurs(NotOurs::StateWrong);
        }
        None if !transaction.state_may_be_dropped => {
            return Judgement::NotOurs(NotOurs::StateAbsent);
        }
        _ => {}
    }
    if !issuer_matches(find("iss"), transaction) {
        return Judgement::WrongIssuer;
    }
    if let Some(error) = find("error").filter(|error| !error.is_empty()) {
        return Judgement::Refused {
            error: error.clone(),
            description: find("error_description").cloned(),
        };
    }
    match find("code").filter(|code| !code.is_empty()) {
        Some(code) => Judgement::Code(Secret::new(code.as_str())),
        None => Judgement::NotOurs(NotOurs::Empty),
    }
}

fn issuer_matches(iss: Option<&String>, transaction: &Transaction) -> bool {
    match (iss, &transaction.issuer) {
        (Some(iss), Some(expected)) => iss == expected,
        (None, _) => !transaction.iss_required,
        (Some(_), None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction() -> Transaction {
        Transaction {
            state: Secret::new("s1"),
            state_may_be_dropped: false,
            code_verifier: None,
            redirect_uri: "http://127.0.0.1:1/cb".into(),
            scopes: vec![],
            wanted: crate::authorization_server::Wanted::default(),
            issuer: Some("https://as.test".into()),
            iss_required: false,
            dpop_jkt: None,
            nonce: None,
        }
    }

    fn judged(query: &str, transaction: &Transaction) -> Judgement {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        judge(&pairs, transaction)
    }

    #[test] // RL7, RL8, RL9, RL10, RL22
    fn a_response_is_judged_in_the_order_that_protects() {
        let not_ours = Judgement::NotOurs;
        let cases = [
            ("code=c&state=s1", Judgement::Code(Secret::new("c"))),
            ("code=a&code=b&state=s1", not_ours(NotOurs::Repeated)),
            ("code=c", not_ours(NotOurs::StateAbsent)),
            ("code=c&state=s2", not_ours(NotOurs::StateWrong)),
            ("error=access_denied", not_ours(NotOurs::StateAbsent)),
            ("error=access_denied&state=s2", not_ours(NotOurs::StateWrong)),
            ("state=s1", not_ours(NotOurs::Empty)),
            ("state=s1&access_token=x", not_ours(NotOurs::Empty)),
            ("code=c&state=s1&iss=https://evil.test", Judgement::WrongIssuer),
            ("error=access_denied&state=s1&iss=https://as.test/", Judgement::WrongIssuer),
            ("code=c&state=s1&iss=https%3A%2F%2Fas.test", Judgement::Code(Secret::new("c"))),
        ];
        for (query, expected) in cases {
            assert_eq!(judged(query, &transaction()), expected, "{query}");
        }
    }

    #[test] // RL10, DS13
    fn a_server_that_promises_iss_must_send_it() {
        let strict = Transaction { iss_required: true, ..transaction() };
        assert_eq!(judged("code=c&state=s1", &strict), Judgement::WrongIssuer);
    }

    #[test]
    fn where_the_vendor_drops_state_an_absent_one_passes_and_a_wrong_one_never() {
        let lenient = Transaction { state_may_be_dropped: true, ..transaction() };
        assert_eq!(judged("code=c", &lenient), Judgement::Code(Secret::new("c")));
        assert_eq!(judged("code=c&state=x", &lenient), Judgement::NotOurs(NotOurs::StateWrong));
    }

    #[test] // ER6
    fn a_refusal_keeps_the_vendor_s_words() {
        let refused =
            judged("error=access_denied&error_description=No+thanks&state=s1", &transaction());
        assert_eq!(
            refused,
            Judgement::Refused {
                error: "access_denied".into(),
                description: Some("No thanks".into())
            }
        );
    }
}
