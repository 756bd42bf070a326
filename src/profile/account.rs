//! Which of a profile's settings say whose data it is: an account, an organization, a tenant.

use std::collections::BTreeMap;

use super::file::Profile;
use crate::provider::Provider;
use crate::provider::schema::{Format, Needed, Setting};

/// The settings of a profile that name an account, by name.
pub fn named(provider: &Provider, profile: &Profile) -> BTreeMap<String, String> {
    let names_one = |name: &str| provider.settings.get(name).is_some_and(is_account);
    let set = profile.settings.iter().filter(|(name, value)| !value.is_empty() && names_one(name));
    set.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What nobody but its owner can know: no host, no choice of a few, nothing that the provider fills in.
fn is_account(setting: &Setting) -> bool {
    setting.format != Format::Host
        && setting.default.is_none()
        && setting.choices.is_empty()
        && setting.needed != Needed::Never
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test]
    fn accounts_and_organizations_are_told_from_hosts_and_habits() {
        for (vendor, name) in [("merchantos", "account_id"), ("imprest", "organization_id")] {
            let provider = shipped(vendor).unwrap().unwrap();
            let all = provider.settings.keys().map(|name| (name.clone(), "7".to_owned()));
            let profile = Profile { settings: all.collect(), ..Profile::default() };
            assert_eq!(named(&provider, &profile).into_keys().collect::<Vec<_>>(), [name]);
            let none = Profile { settings: [(name.into(), String::new())].into(), ..profile };
            assert!(named(&provider, &none).is_empty());
        }
    }
}
