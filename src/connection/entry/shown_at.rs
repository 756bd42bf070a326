//! Where beside the token endpoint the client's proof may be shown.

use serde::{Deserialize, Serialize};
use url::Url;

use super::Entry;

/// Where beside the token endpoint the client's proof may be shown, because it was given for there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownAt {
    /// The pushed authorization request endpoint.
    pub pushed: Option<String>,
    /// The device authorization endpoint.
    pub codes: Option<String>,
}

impl Entry {
    /// Where beside the token endpoint the client's proof may be shown.
    pub fn shown_at(&self) -> ShownAt {
        let (pushed, codes) = (&self.secrets_pushed_to, &self.secrets_asked_codes_at);
        ShownAt { pushed: pushed.clone(), codes: codes.clone() }
    }

    /// Says where beside the token endpoint it may be shown from now on.
    pub fn show_at(&mut self, ShownAt { pushed, codes }: ShownAt) {
        self.secrets_pushed_to = pushed;
        self.secrets_asked_codes_at = codes;
    }

    /// Whether the client may be proved there with what is kept: at the token endpoint's own
    /// server, or where that was shown when it was given (attack A16).
    pub fn may_prove_at(&self, endpoint: &str) -> bool {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        let kept_for = self.secrets_for.as_deref().and_then(origin);
        let shown = [&self.secrets_pushed_to, &self.secrets_asked_codes_at];
        shown.into_iter().any(|it| it.as_deref() == Some(endpoint))
            || kept_for.is_none_or(|kept_for| origin(endpoint) == Some(kept_for))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::entry::Credentials;
    use crate::connection::entry::example::{HERE, entry_for};
    use crate::secret::Secret;

    #[test] // A16
    fn a_secret_is_shown_again_where_it_was_shown_and_another_one_is_not() {
        const CODES: &str = "https://codes.example/device";
        let shown = || ShownAt { pushed: None, codes: Some(CODES.into()) };
        let secret = |text: &str| Credentials {
            client_secret: Some(Secret::new(text)),
            ..Credentials::default()
        };
        let mut entry = entry_for("c", HERE);
        let mut bring = |text, shown_at| {
            entry.bring_credentials(secret(text), Some(HERE.into()), "vendor", shown_at);
            entry.may_prove_at(CODES)
        };
        assert!(!bring("one", ShownAt::default()));
        assert!(bring("one", shown()));
        assert!(bring("one", ShownAt::default()), "the same secret was there before");
        assert!(!bring("two", ShownAt::default()), "this one never was");
    }
}
