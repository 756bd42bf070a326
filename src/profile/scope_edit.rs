//! `--scope` as an edit: bare words are the whole set, `+x` adds to what there is, and `-x` takes away,
//! also what the provider asks for of its own accord.

use super::Profile;
use super::scopes::{self, ScopeError};
use crate::provider::Provider;

/// Words of one kind.
#[derive(Default)]
struct Words<'t> {
    bare: Vec<&'t str>,
    plus: Vec<&'t str>,
    minus: Vec<&'t str>,
}

impl Profile {
    /// What is asked for: the person's own scopes, and the provider's usual ones that were not taken away.
    pub fn asked_scopes(&self, provider: &Provider) -> Vec<String> {
        let mut asked = self.scopes.clone();
        for scope in usual(provider) {
            if !asked.contains(scope) && !self.without_scopes.contains(scope) {
                asked.push(scope.clone());
            }
        }
        asked
    }

    /// Changes what is asked for; `granted` is what the connection has.
    pub fn edit_scopes<'t>(
        &mut self,
        provider: &Provider,
        granted: &[String],
        given: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), ScopeError> {
        let words = sorted(provider, given);
        let bare = scopes::read(provider, words.bare.iter().copied())?;
        let plus = scopes::read(provider, words.plus)?;
        let minus = scopes::read(provider, words.minus)?;
        if !bare.is_empty() {
            (self.scopes, self.without_scopes) = (bare, Vec::new());
        } else if self.scopes.is_empty() && !(plus.is_empty() && minus.is_empty()) {
            // Granted without having been asked for: what the vendor gives by itself.
            let may_be_asked_for = |it: &&String| scopes::read(provider, [it.as_str()]).is_ok();
            self.scopes = granted.iter().filter(may_be_asked_for).cloned().collect();
        }
        for scope in plus {
            self.without_scopes.retain(|it| *it != scope);
            if !self.scopes.contains(&scope) {
                self.scopes.push(scope);
            }
        }
        let takes_away = !minus.is_empty();
        for scope in minus {
            self.scopes.retain(|it| *it != scope);
            let is_left_out = self.without_scopes.contains(&scope);
            if usual(provider).any(|it| *it == scope) && !is_left_out {
                self.without_scopes.push(scope);
            }
        }
        match takes_away && self.asked_scopes(provider).is_empty() {
            true => Err(ScopeError::NoneLeft),
            false => Ok(()),
        }
    }
}

fn usual(provider: &Provider) -> impl Iterator<Item = &String> {
    provider.authorize.iter().flat_map(|it| &it.default_scopes)
}

fn parts(words: &str) -> impl Iterator<Item = &str> {
    words.split([',', ' ', '\n', '\t'])
}

/// Whether words of a flag take this scope away by name.
pub fn takes_away(words: &str, scope: &str) -> bool {
    parts(words).any(|word| word.strip_prefix('-') == Some(scope))
}

/// A sign is part of the name where the table has such a name.
fn sorted<'t>(provider: &Provider, given: impl IntoIterator<Item = &'t str>) -> Words<'t> {
    let mut words = Words::default();
    for word in given.into_iter().flat_map(parts) {
        let is_a_name = provider.scope.iter().any(|it| it.name == word);
        match word.split_at_checked(1) {
            Some(("+", name)) if !is_a_name => words.plus.push(name),
            Some(("-", name)) if !is_a_name => words.minus.push(name),
            _ => words.bare.push(word),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test] // AT-19
    fn bare_words_are_the_set_and_signs_change_it() {
        let inkress = shipped("inkress").unwrap().unwrap();
        let mut profile = Profile::default();
        let mut after = |given: &[&str]| {
            profile.edit_scopes(&inkress, &["wallet:read".into()], given.iter().copied()).unwrap();
            profile.asked_scopes(&inkress).join(" ")
        };
        assert_eq!(after(&["orders:read"]), "orders:read offline_access");
        assert_eq!(after(&["+orders:write"]), "orders:read orders:write offline_access");
        assert_eq!(after(&["-offline_access"]), "orders:read orders:write");
        assert_eq!(after(&["-orders:read,-wallet:read"]), "orders:write");
    }

    #[test] // AT-19
    fn what_the_vendor_granted_by_itself_is_what_is_changed_where_nothing_was_asked_for() {
        let inkress = shipped("inkress").unwrap().unwrap();
        let mut profile = Profile::default();
        let granted = ["wallet:read".to_owned(), "not:askable".into()];
        profile.edit_scopes(&inkress, &granted, ["+orders:read"]).unwrap();
        assert_eq!(profile.scopes, ["wallet:read", "orders:read"]);
        profile.edit_scopes(&inkress, &granted, []).unwrap();
        assert_eq!(profile.scopes, ["wallet:read", "orders:read"], "nothing was said");
        profile.edit_scopes(&inkress, &granted, ["-offline_access"]).unwrap();
        profile.edit_scopes(&inkress, &granted, ["orders:read"]).unwrap();
        assert!(profile.asked_scopes(&inkress).contains(&"offline_access".into()), "the whole set");
    }
}
