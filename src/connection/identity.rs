//! Which account tokens belong to, as far as the provider says; and whether two are one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::Connection;
use crate::provider::Provider;
use crate::provider::openid_check::CLAIMS;
use crate::token_set::TokenSet;

/// What the contexts say of the account, as far as they identify it.
pub type Identity = BTreeMap<String, Value>;

/// How two identities stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// All that both say is the same.
    Same,
    /// Something that both say differs.
    Different,
    /// They say nothing of the same thing.
    Unknown,
}

/// Compares what both say; `183` and `"183"` name one account.
pub fn compare(was: &Identity, is: &Identity) -> Likeness {
    let mut shared = was.iter().filter_map(|(name, was)| Some((was, is.get(name)?))).peekable();
    if shared.peek().is_none() {
        return Likeness::Unknown;
    }
    match shared.all(|(was, is)| text(was) == text(is)) {
        true => Likeness::Same,
        false => Likeness::Different,
    }
}

/// What differs between two accounts, in words.
pub fn difference(was: &Identity, is: &Identity) -> String {
    let shared = was.iter().filter_map(|(name, was)| Some((name, text(was), text(is.get(name)?))));
    let differing = shared.filter(|(_, was, is)| was != is);
    let parts = differing.map(|(name, was, is)| format!("{name} {is} instead of {was}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What a person reads of an account.
pub fn words(identity: &Identity) -> String {
    let parts = identity.iter().map(|(name, value)| format!("{name} {}", text(value)));
    parts.collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

/// The account by what the provider gives with the tokens themselves.
pub(super) fn identity_of(provider: &Provider, tokens: &TokenSet) -> Identity {
    let contexts = provider.context.iter().filter(|it| it.identifies_account);
    pick(tokens, contexts.map(|it| it.name.as_str()))
}

impl Connection<'_> {
    /// The account that tokens belong to; empty where the provider does not say.
    pub(super) fn identity(&self, tokens: &TokenSet) -> Identity {
        let mut identity = identity_of(&self.provider, tokens);
        identity.append(&mut pick(tokens, self.claims().take(1)));
        identity
    }

    /// The same with what a person knows an account by, for words alone.
    pub(super) fn described(&self, tokens: &TokenSet) -> Identity {
        let mut described = pick(tokens, self.claims());
        described.append(&mut self.identity(tokens));
        described
    }

    /// What an ID token says, the subject first: it alone never changes its person.
    fn claims(&self) -> impl Iterator<Item = &'static str> {
        self.provider.id_token.iter().flat_map(|_| CLAIMS)
    }
}

fn pick<'a>(tokens: &TokenSet, names: impl Iterator<Item = &'a str>) -> Identity {
    names.filter_map(|name| Some((name.to_owned(), tokens.contexts.get(name)?.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn likeness(was: Value, is: Value) -> Likeness {
        let identity = |value: Value| value.as_object().unwrap().clone().into_iter().collect();
        compare(&identity(was), &identity(is))
    }

    #[test]
    fn numbers_and_texts_are_compared_by_their_text() {
        assert_eq!(likeness(json!({"id": 183}), json!({"id": "183"})), Likeness::Same);
        assert_eq!(likeness(json!({"id": 183}), json!({"id": "138"})), Likeness::Different);
    }

    #[test]
    fn only_what_both_say_is_compared() {
        assert_eq!(likeness(json!({"a": 1}), json!({"a": 1, "b": 2})), Likeness::Same);
        assert_eq!(likeness(json!({"a": 1, "b": 2}), json!({"b": 3})), Likeness::Different);
        assert_eq!(likeness(json!({"a": 1}), json!({"b": 2})), Likeness::Unknown);
        assert_eq!(likeness(json!({}), json!({})), Likeness::Unknown);
    }
}
