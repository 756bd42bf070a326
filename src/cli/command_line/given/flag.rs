//! A flag and its value, and what it is not said beside.

use crate::cli::connect::bound;
use crate::provider::schema::Flow;

/// What is not said together: the one that advice adds stays.
const CONTRADICT: [(&str, &str); 3] = [
    ("--port", "--redirect-uri"),
    ("--client-id", "--register"),
    ("--client-id", "--initial-access-token-file"),
];

/// What proves a client, and is not said together with a method that proves nothing.
const PROOFS: [&str; 3] =
    ["--client-secret-file", "--client-key-file", "--client-certificate-file"];

/// What is given once for each key.
const BY_KEY: [&str; 2] = ["--set", "--param"];

/// A flag that is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag {
    pub(super) name: &'static str,
    /// A word, or `=` and a word, or nothing.
    pub(super) value: String,
}

impl Flag {
    pub(super) fn serves(&self, flow: Flow) -> bool {
        self.value == "=false" || bound::serves(self.name, flow)
    }

    pub(super) fn is_replaced_by(&self, (name, value): &(&str, &str)) -> bool {
        let proves_nothing =
            |name: &str, value: &str| name == "--client-authentication" && value == "none";
        let is_no_proof = proves_nothing(self.name, &self.value) && PROOFS.contains(name)
            || proves_nothing(name, value) && PROOFS.contains(&self.name);
        let contradicts = is_no_proof
            || CONTRADICT.iter().any(|(one, other)| {
                [(self.name, *name), (*name, self.name)].contains(&(*one, *other))
            });
        let key = |text: &str| text.split_once('=').map(|(key, _)| key.to_owned());
        let says_the_same =
            self.name == *name && (!BY_KEY.contains(name) || key(&self.value) == key(value));
        says_the_same || contradicts
    }
}
