//! Tokens made elsewhere: a vendor's dashboard, another tool, another machine.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Brought, EstablishError};
use crate::authorization_server::ClientRegistration;
use crate::clock::after_seconds;
use crate::connection::drawer::is_renewable;
use crate::connection::entry::ShownAt;
use crate::connection::leftover::Origin;
use crate::connection::{Connection, Entry, Notice};
use crate::profile::lineage::Lineage;
use crate::provider::looks_like;
use crate::provider::schema::Rotation;
use crate::secret::Secret;
use crate::token_set::TokenSet;

/// What is wrong with an import; no value is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Not one JSON object.
    #[error("standard input holds no JSON object: {0}")]
    NotJson(String),
    /// A member that nobody reads.
    #[error("`{name}` is no member of an import")]
    Unknown {
        /// As written.
        name: String,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// A member of the wrong kind.
    #[error("`{name}` must be {expected}")]
    Kind {
        /// The member.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The refresh token was imported before, and has been rolled since.
    #[error("this refresh token was imported before and is spent: keyfob has rolled it since")]
    Spent,
    /// Another profile came by the refresh token first, and has rolled it since.
    #[error("this refresh token is spent: `{0}` holds its grant and has rolled it since")]
    SpentBy(String),
    /// Another profile holds the very same refresh token.
    #[error("`{0}` holds this refresh token: a refresh of one profile would end both")]
    Held(String),
    /// Another profile holds an earlier refresh token of the same grant.
    #[error("`{0}` holds an earlier token of the same grant: its next refresh would end both")]
    Outdated(String),
    /// The connection that is here was refreshed after this one was sealed.
    #[error("it is older than the connection that is here, and its refresh token is likely spent")]
    Older,
    /// It would put an access token alone in the place of a connection that can be renewed.
    #[error("it holds an access token alone, and the connection that is here can be renewed")]
    Lesser,
    /// The key that the provider bound them to stayed where they were made (RFC 9449).
    #[error("they are bound to a key (DPoP) that is not among them")]
    Unbindable,
    /// A member that must be there.
    #[error("`{0}` is missing or empty")]
    Missing(&'static str),
    /// A token that begins like another of the vendor's secrets.
    #[error("`{name}` begins like the vendor's {looks_like}")]
    Mixed {
        /// The member.
        name: &'static str,
        /// What it looks like.
        looks_like: String,
    },
}

/// What an import may hold.
const MEMBERS: [&str; 9] = [
    "access_token",
    "refresh_token",
    "token_type",
    "expires_in",
    "expires_at",
    "refresh_token_expires_in",
    "scope",
    "client_id",
    "client_secret",
];

/// An import, read.
#[derive(Debug)]
pub struct Imported {
    /// The tokens; an unknown end stays unknown unless the provider says how long such tokens live.
    pub tokens: TokenSet,
    /// Public.
    pub client_id: Option<String>,
    /// Kept in the store.
    pub client_secret: Option<Secret>,
}

impl Connection<'_> {
    /// Stores tokens that were made elsewhere; `agreed` where somebody said that what renews the
    /// connection that is here may go.
    pub async fn establish_imported(
        &self,
        brought: &Brought,
        tokens: TokenSet,
        agreed: bool,
    ) -> Result<Entry, EstablishError> {
        refuse_unbindable(&self.provider).map_err(EstablishError::Import)?;
        // A store that cannot be opened is known before anything is made here.
        self.drawer.read()?;
        let _alone = self.lock_imports().await?;
        self.refuse_held_elsewhere(self.lineage_of(&tokens), agreed)?;
        // Tokens alone can be imported: the client is only needed to renew them.
        let registration = ClientRegistration {
            client_id: self.client_id.clone().unwrap_or_default(),
            client_secret: match self.client_secret_override() {
                None => brought.client_secret.clone(),
                from_environment => from_environment,
            },
            private_key: brought.private_key.clone(),
        };
        let replaces = |before: &Entry, tokens: &TokenSet| {
            if before.has_rolled(tokens.refresh_token.as_ref()) {
                return Err(ImportError::Spent);
            }
            match !agreed && self.would_end_renewal(before, tokens) {
                true => Err(ImportError::Lesser),
                false => Ok(()),
            }
        };
        let fill = |entry: &mut Entry| {
            self.fill_first(entry, (&registration, ShownAt::default()), brought, false)?;
            entry.account_is_claimed = true;
            if entry.tokens.as_ref().is_some_and(|tokens| self.misses_refresh_token(tokens)) {
                (self.notify)(Notice::NoneImported);
            }
            self.tell_missing_contexts(entry);
            Ok(())
        };
        self.put(tokens, brought, Origin::Imported, &replaces, fill).await
    }

    /// Imported tokens among their like: what came before them is not known.
    fn lineage_of(&self, tokens: &TokenSet) -> Option<Lineage> {
        let rotates =
            matches!(self.provider.refresh.rotation, Rotation::Rotating | Rotation::SingleUse);
        let held = tokens.refresh_token.as_ref().filter(|_| rotates)?;
        Some(Lineage { first: None, held: held.fingerprint(), issued_at: tokens.issued_at })
    }

    /// Says what a token response brings and this import does not.
    fn tell_missing_contexts(&self, entry: &Entry) {
        let here = |name| entry.tokens.as_ref().is_some_and(|it| it.contexts.contains_key(name));
        for it in self.provider.context.iter().filter(|it| it.required && !here(&it.name)) {
            (self.notify)(Notice::ContextNotImported(it.name.clone()));
        }
    }

    /// Whether a connection that renews itself would end with the access token that takes its place.
    fn would_end_renewal(&self, before: &Entry, tokens: &TokenSet) -> bool {
        let rotation = self.provider.refresh.rotation;
        let now = self.system.clock.now();
        let lapses_at = before.tokens.as_ref().and_then(|it| it.refresh_expires_at);
        // What the client's own credentials renew, they renew after an import as well.
        rotation != Rotation::Reissue
            && tokens.refresh_token.is_none()
            && before.ended.is_none()
            && is_renewable(before, rotation)
            && lapses_at.is_none_or(|at| at > now)
    }
}

/// Tokens that come without their key are never given another: the first refresh would spend them in vain.
pub fn refuse_unbindable(provider: &crate::provider::Provider) -> Result<(), ImportError> {
    match provider.client.dpop_bound_access_tokens {
        true => Err(ImportError::Unbindable),
        false => Ok(()),
    }
}

/// Reads a token response with the provider's contexts, and optionally the client.
pub fn read(
    object: &Value,
    provider: &crate::provider::Provider,
    now: Timestamp,
) -> Result<Imported, ImportError> {
    let contexts: Vec<&str> = provider.context.iter().map(|it| it.name.as_str()).collect();
    refuse_unknown(object, &contexts)?;
    let access_token =
        secret(object, "access_token")?.ok_or(ImportError::Missing("access_token"))?;
    let refresh_token = secret(object, "refresh_token")?;
    refuse_mixed(provider, "access_token", &access_token)?;
    if let Some(token) = &refresh_token {
        refuse_mixed(provider, "refresh_token", token)?;
    }
    let refresh_life = seconds(object, "refresh_token_expires_in")?.or(provider.refresh.lifetime);
    let refresh_expires_at =
        refresh_token.as_ref().and(refresh_life).map(|life| after_seconds(now, life));
    let tokens = TokenSet {
        access_token,
        refresh_token,
        granted: text(object, "scope")?
            .map(|scope| scope.split_whitespace().map(str::to_owned).collect()),
        issued_at: now,
        access_expires_at: end(object, provider, now)?,
        refresh_expires_at,
        contexts: contexts_of(object, &contexts)?,
        authorization_details: Vec::new(),
    };
    let client_id = text(object, "client_id")?;
    Ok(Imported { tokens, client_id, client_secret: secret(object, "client_secret")? })
}

/// What names an account or a place: a word, a number, yes or no; `null` is not there.
fn contexts_of(object: &Value, names: &[&str]) -> Result<BTreeMap<String, Value>, ImportError> {
    let mut contexts = BTreeMap::new();
    for name in names {
        match object.get(name) {
            None | Some(Value::Null) => {}
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => {
                contexts.insert((*name).to_owned(), value.clone());
            }
            Some(Value::Array(_) | Value::Object(_)) => {
                let expected = "text, a number, or true or false";
                return Err(ImportError::Kind { name: (*name).to_owned(), expected });
            }
        }
    }
    Ok(contexts)
}

fn refuse_unknown(object: &Value, contexts: &[&str]) -> Result<(), ImportError> {
    let known = || MEMBERS.iter().copied().chain(contexts.iter().copied());
    let members = object.as_object().into_iter().flat_map(|it| it.keys());
    for name in members {
        if !known().any(|it| it == name) {
            let nearest = crate::provider::nearest::nearest(name, known()).map(str::to_owned);
            // A token response may carry members that nobody reads; a slip of a known one is refused.
            if nearest.is_some() {
                return Err(ImportError::Unknown { name: name.clone(), nearest });
            }
        }
    }
    Ok(())
}

fn refuse_mixed(
    provider: &crate::provider::Provider,
    name: &'static str,
    value: &Secret,
) -> Result<(), ImportError> {
    match looks_like::another(provider, name, value) {
        Some(kind) => Err(ImportError::Mixed { name, looks_like: kind.to_owned() }),
        None => Ok(()),
    }
}

fn text(object: &Value, name: &str) -> Result<Option<String>, ImportError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(ImportError::Kind { name: name.to_owned(), expected: "text" }),
    }
}

fn secret(object: &Value, name: &str) -> Result<Option<Secret>, ImportError> {
    match text(object, name)? {
        Some(value) if value.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(Secret::new(value)))
        }
        Some(_) => Err(ImportError::Kind {
            name: name.to_owned(),
            expected: "visible ASCII characters without spaces",
        }),
        None => Ok(None),
    }
}

fn seconds(object: &Value, name: &str) -> Result<Option<u64>, ImportError> {
    let wrong = ImportError::Kind { name: name.to_owned(), expected: "a number of seconds" };
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_u64().map(Some).ok_or(wrong),
        Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong),
        Some(_) => Err(wrong),
    }
}

fn end(
    object: &Value,
    provider: &crate::provider::Provider,
    now: Timestamp,
) -> Result<Option<Timestamp>, ImportError> {
    match object.get("expires_at") {
        None | Some(Value::Null) => {
            let usual = provider.import.as_ref().and_then(|it| it.lifetime);
            let life = seconds(object, "expires_in")?.or(usual);
            return Ok(life.map(|life| after_seconds(now, life)));
        }
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(number)) => {
            number.as_i64().and_then(|at| Timestamp::from_second(at).ok())
        }
        Some(_) => None,
    }
    .map(Some)
    .ok_or_else(|| ImportError::Kind {
        name: "expires_at".into(),
        expected: "a time such as 2026-05-29T10:15:00Z, or seconds since 1970",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;
    use serde_json::json;

    fn imported(vendor: &str, object: &Value) -> Result<Imported, ImportError> {
        read(object, &catalogue::shipped(vendor).unwrap().unwrap(), Timestamp::UNIX_EPOCH)
    }

    #[test] // ST13
    fn a_dashboard_token_lives_a_day_and_a_token_response_as_long_as_it_says() {
        let end = |object| {
            imported("inventorum", &object).unwrap().tokens.access_expires_at.unwrap().as_second()
        };
        assert_eq!(end(json!({"access_token": "a", "refresh_token": "r"})), 86_400);
        assert_eq!(end(json!({"access_token": "a", "expires_in": 36000})), 36_000);
        assert_eq!(end(json!({"access_token": "a", "expires_at": "1970-01-02T00:00:00Z"})), 86_400);
        assert_eq!(end(json!({"access_token": "a", "expires_at": 77})), 77);
    }

    #[test]
    fn nonsense_is_named_and_never_quoted() {
        let cases = [
            (json!({}), ImportError::Missing("access_token")),
            (json!({"access_token": " "}), ImportError::Missing("access_token")),
            (
                json!({"acces_token": "a"}),
                ImportError::Unknown {
                    name: "acces_token".into(),
                    nearest: Some("access_token".into()),
                },
            ),
            (
                json!({"access_token": "a", "expires_in": "soon"}),
                ImportError::Kind { name: "expires_in".into(), expected: "a number of seconds" },
            ),
            (
                json!({"access_token": "a", "merchant_id": {"id": 1}}),
                ImportError::Kind {
                    name: "merchant_id".into(),
                    expected: "text, a number, or true or false",
                },
            ),
            (
                json!({"access_token": "inkr_1"}),
                ImportError::Mixed { name: "access_token", looks_like: "refresh_token".into() },
            ),
        ];
        for (object, expected) in cases {
            assert_eq!(imported("inkress", &object).unwrap_err(), expected, "{object}");
        }
    }

    #[test] // TS9
    fn a_merchant_comes_along() {
        let object = json!({"access_token": "inka_1", "merchant_id": 183, "scope": "a b"});
        let imported = imported("inkress", &object).unwrap();
        assert_eq!(imported.tokens.contexts["merchant_id"], 183);
        assert_eq!(imported.tokens.granted.unwrap(), ["a", "b"]);
        let without = json!({"access_token": "inka_1", "merchant_id": null});
        assert!(super::tests::imported("inkress", &without).unwrap().tokens.contexts.is_empty());
    }
}
