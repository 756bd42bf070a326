//! A provider's settings for one profile: checked, and with their defaults.

use std::collections::BTreeMap;

use super::host::{self, HostError};
use crate::provider::nearest::nearest;
use crate::provider::schema::{Format, Needed, Setting};
use crate::provider::{Provider, Values};

/// Why a setting is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The provider has none of that name.
    #[error("the provider `{provider}` has no setting `{name}`")]
    Unknown {
        /// The provider.
        provider: String,
        /// As typed.
        name: String,
        /// The one that was probably meant.
        nearest: Option<String>,
        /// All there are.
        known: Vec<String>,
    },
    /// Not one of the choices.
    #[error("`{name}` must be one of {}", choices.join(", "))]
    Choice {
        /// The setting.
        name: String,
        /// All there are.
        choices: Vec<String>,
    },
    /// Not only digits.
    #[error("`{name}` takes digits only")]
    Digits {
        /// The setting.
        name: String,
    },
    /// Not a host.
    #[error("`{name}` is no host: {why}")]
    Host {
        /// The setting.
        name: String,
        /// The rule it breaks.
        why: HostError,
    },
    /// A control character.
    #[error("`{name}` holds a control character")]
    Control {
        /// The setting.
        name: String,
    },
}

/// Checks one setting and gives the value to keep; an empty value unsets it.
pub fn check(provider: &Provider, name: &str, value: &str) -> Result<String, SettingError> {
    let Some(setting) = provider.settings.get(name) else {
        let known: Vec<String> = provider.settings.keys().cloned().collect();
        let near = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        return Err(SettingError::Unknown {
            provider: provider.name.clone(),
            name: name.to_owned(),
            nearest: near,
            known,
        });
    };
    let value = value.trim();
    if value.is_empty() {
        return Ok(String::new());
    }
    if value.chars().any(char::is_control) {
        return Err(SettingError::Control { name: name.to_owned() });
    }
    if !setting.choices.is_empty() && !setting.choices.iter().any(|choice| choice == value) {
        return Err(SettingError::Choice {
            name: name.to_owned(),
            choices: setting.choices.clone(),
        });
    }
    match setting.format {
        Format::Digits if !value.bytes().all(|b| b.is_ascii_digit()) => {
            Err(SettingError::Digits { name: name.to_owned() })
        }
        Format::Host => {
            host::origin(value).map_err(|why| SettingError::Host { name: name.to_owned(), why })
        }
        Format::Text | Format::Digits => Ok(value.to_owned()),
    }
}

/// What is worth knowing of a value that was chosen.
pub fn warning<'p>(provider: &'p Provider, name: &str, value: &str) -> Option<&'p String> {
    provider.settings.get(name)?.warn.get(value.trim())
}

/// The values that the provider's templates can use: settings, their defaults, the client's id.
pub fn values(
    provider: &Provider,
    settings: &BTreeMap<String, String>,
    client_id: Option<&str>,
) -> Values {
    let mut values = Values::default();
    values.set("keyfob_version", env!("CARGO_PKG_VERSION"));
    values.set("client_id", client_id.unwrap_or_default());
    for (name, setting) in &provider.settings {
        // An empty value says "not now" at `connect`; it hides no default.
        let set = settings.get(name).filter(|value| !value.is_empty());
        let value = set.cloned().or_else(|| default(setting, &values));
        values.set(name, value.unwrap_or_default());
    }
    values
}

fn default(setting: &Setting, values: &Values) -> Option<String> {
    setting.default.as_deref().and_then(|template| values.render(template).ok())
}

/// The settings that have no value yet and are needed at that time.
pub fn missing<'a>(
    provider: &'a Provider,
    values: &Values,
    needed: Needed,
) -> Vec<(&'a str, &'a Setting)> {
    provider
        .settings
        .iter()
        .filter(|(name, setting)| setting.needed == needed && values.get(name).is_none())
        .map(|(name, setting)| (name.as_str(), setting))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue;

    fn merchantos() -> Provider {
        catalogue::shipped("merchantos").unwrap().unwrap()
    }

    #[test]
    fn a_setting_is_checked_and_a_slip_is_named() {
        let provider = merchantos();
        assert_eq!(check(&provider, "account_id", " 797 ").unwrap(), "797");
        assert_eq!(
            check(&provider, "api_host", "http://127.0.0.1:9/").unwrap(),
            "http://127.0.0.1:9"
        );
        assert!(matches!(check(&provider, "account_id", "79a"), Err(SettingError::Digits { .. })));
        assert!(matches!(check(&provider, "token_in", "cookie"), Err(SettingError::Choice { .. })));
        assert!(matches!(
            check(&provider, "acount_id", "1"),
            Err(SettingError::Unknown { nearest: Some(near), .. }) if near == "account_id"
        ));
    }

    #[test]
    fn defaults_stand_in_and_what_is_needed_is_listed() {
        let provider = merchantos();
        let values = values(&provider, &BTreeMap::new(), Some("id"));
        assert_eq!(values.get("api_host"), Some("https://api.merchantos.com"));
        assert!(values.get("client_name").unwrap().starts_with("keyfob/"));
        let emptied = BTreeMap::from([("api_host".to_owned(), String::new())]);
        let same = super::values(&provider, &emptied, Some("id"));
        assert_eq!(same.get("api_host"), values.get("api_host"));
        assert!(missing(&provider, &values, Needed::Connect).is_empty());
        assert_eq!(missing(&provider, &values, Needed::Call)[0].0, "account_id");
    }
}
