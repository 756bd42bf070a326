//! An entry as the text that a store keeps.

use serde::Deserialize;

use super::{Entry, VERSION};
use crate::secret::Secret;
use crate::store::StoreError;

impl Entry {
    /// Writes the entry as text for a store (a keychain may take UTF-8 only).
    pub fn encode(&self) -> Result<Secret, StoreError> {
        Secret::json(self).map_err(|_| StoreError::Damaged {
            detail: "the entry cannot be written as text".into(),
        })
    }

    /// Reads an entry; one of a newer keyfob is refused rather than damaged.
    pub fn decode(text: &Secret) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        // The parser's own words may quote the text, so they are not passed on.
        let damaged = |_| StoreError::Damaged { detail: "it is not a keyfob entry".into() };
        let Versioned { version } = serde_json::from_str(text.expose()).map_err(damaged)?;
        if version > VERSION {
            return Err(StoreError::Newer { version });
        }
        serde_json::from_str(text.expose()).map_err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test] // ST11
    fn a_newer_entry_is_refused_and_a_damaged_one_never_quoted() {
        let newer = Secret::new(r#"{"version":2,"surprise":true}"#);
        assert!(matches!(Entry::decode(&newer), Err(StoreError::Newer { version: 2 })));
        let damaged = Entry::decode(&Secret::new(r#"{"version":1,"journal_key":"mark-17"#));
        assert!(!format!("{damaged:?}").contains("mark-17"));
        assert!(matches!(damaged, Err(StoreError::Damaged { .. })));
    }

    #[test]
    fn an_entry_comes_back_as_it_was_written() {
        let mut entry = Entry::empty(&SystemRandom);
        entry.secrets.insert("client_secret".into(), Secret::new("s"));
        assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap(), entry);
    }

    /// An entry as the first keyfob wrote it.
    const FIRST: &str = concat!(
        r#"{"version":1,"generation":3,"journal_key":"j","client_id":"c","#,
        r#""secrets":{"client_secret":"s"},"#,
        r#""tokens":{"access_token":"a","refresh_token":"r","granted":["x"],"#,
        r#""issued_at":"2026-01-02T03:04:05Z","access_expires_at":null},"#,
        r#""requested":["x"],"#,
        r#""bound":{"token_endpoint":"https://a.example/token","api_origin":"https://b.example"},"#,
        r#""mark":{"started_at":"2026-01-02T04:04:05Z","#,
        r#""refresh_token_fingerprint":"f","host":"h"},"#,
        r#""ended":{"at":"2026-01-02T05:04:05Z","error":"invalid_grant","#,
        r#""description":null,"after_lost_answer":true},"#,
        r#""last_refreshed_at":"2026-01-02T03:04:05Z"}"#
    );

    /// The same as it is written now.
    const NOW: &str = concat!(
        r#"{"version":1,"generation":3,"journal_key":"j","client_id":"c","#,
        r#""secrets":{"client_secret":"s"},"#,
        r#""tokens":{"access_token":"a","refresh_token":"r","granted":["x"],"#,
        r#""issued_at":"2026-01-02T03:04:05Z","access_expires_at":null,"#,
        r#""refresh_expires_at":null,"contexts":{},"authorization_details":[]},"#,
        r#""requested":["x"],"wanted":{"resource":[],"authorization_details":[]},"#,
        r#""bound":{"token_endpoint":"https://a.example/token","api_origin":"https://b.example","#,
        r#""revocation_endpoint":null,"introspection_endpoint":null,"other_hosts":null},"#,
        r#""mark":{"started_at":"2026-01-02T04:04:05Z","#,
        r#""refresh_token_fingerprint":"f","host":"h"},"#,
        r#""ended":{"at":"2026-01-02T05:04:05Z","fate":null,"error":"invalid_grant","#,
        r#""description":null,"after_lost_answer":true},"#,
        r#""secrets_for":null,"secrets_pushed_to":null,"secrets_asked_codes_at":null,"#,
        r#""imported":null,"authorizations":0,"reissues":false,"asserts":false,"#,
        r#""last_refreshed_at":"2026-01-02T03:04:05Z","saved":null,"borrowed":false,"#,
        r#""access_only":false,"account_is_claimed":false,"dpop_key":null,"#,
        r#""registration":null,"registering":null}"#
    );

    #[test]
    fn an_entry_of_the_first_keyfob_is_read_and_written_in_today_s_words() {
        let entry = Entry::decode(&Secret::new(FIRST)).unwrap();
        assert_eq!(entry.refresh_token(), Some(&Secret::new("r")));
        assert_eq!(entry.client_secret(), Some(&Secret::new("s")));
        assert_eq!(entry.encode().unwrap().expose(), NOW);
        assert_eq!(Entry::decode(&Secret::new(NOW)).unwrap(), entry);
    }
}
