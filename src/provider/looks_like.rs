//! A vendor's secrets begin differently, so one in the place of another is seen at once.

use super::Provider;
use crate::secret::Secret;

/// The kind that a secret begins like, where that is not the kind it is given as.
pub fn another<'p>(provider: &'p Provider, kind: &str, secret: &Secret) -> Option<&'p str> {
    let begins = |prefix: &str| !prefix.is_empty() && secret.expose().starts_with(prefix);
    let prefixes = &provider.response.prefix;
    let other = prefixes.iter().find(|(other, prefix)| *other != kind && begins(prefix));
    match other {
        Some((other, _)) => Some(other),
        None => begins(&provider.setup.client_id_prefix).then_some("client_id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test]
    fn one_secret_in_the_place_of_another_is_seen() {
        let provider = shipped("inkress").unwrap().unwrap();
        let seen = |kind, text| another(&provider, kind, &Secret::new(text));
        assert_eq!(seen("access_token", "inkr_1"), Some("refresh_token"));
        assert_eq!(seen("client_secret", "inkid_1"), Some("client_id"));
        assert_eq!(seen("access_token", "inka_1"), None);
        assert_eq!(seen("access_token", "anything"), None);
    }
}
