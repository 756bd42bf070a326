//! Commands to paste: whatever comes from outside is one word of a shell in them.

use crate::http::printable::printable;
use crate::profile::Profile;
use crate::provider::schema::Flow;

/// A word that a shell reads back as it is; empty text is a word too.
pub fn word(text: &str) -> String {
    quoted(&printable(text))
}

/// What the person typed as one word; unlike text from outside it is never shortened.
pub fn typed(text: &str) -> String {
    quoted(&text.chars().filter(|character| !character.is_control()).collect::<String>())
}

/// A path as one word.
pub fn path(path: &std::path::Path) -> String {
    typed(&path.display().to_string())
}

fn quoted(text: &str) -> String {
    // Only a NUL has no spelling, and it was taken out as a control character.
    shlex::try_quote(text).map(|it| it.into_owned()).unwrap_or_default()
}

/// `KEY=VALUE` as it was typed, each side a word.
pub fn pair(key: &str, value: &str) -> String {
    format!("{}={}", typed(key), typed(value))
}

/// The flags that a first `connect` was given: nothing else knows them while the profile is not on disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(Vec<(&'static str, String)>);

impl Given {
    /// Every flag that makes such a profile again, once its file is gone.
    pub fn of(profile: &Profile) -> Self {
        let mut given = Self::default();
        given.add("--provider", typed(&profile.provider));
        if let Some(client_id) = &profile.client_id {
            given.add("--client-id", typed(client_id));
        }
        if let Some(method) = profile.client.and_then(|client| client.auth) {
            given.add("--client-authentication", method.registered_name().to_owned());
        }
        for (key, value) in &profile.settings {
            given.add("--set", pair(key, value));
        }
        for scope in &profile.scopes {
            given.add("--scope", typed(scope));
        }
        for resource in &profile.resource {
            given.add("--resource", typed(resource));
        }
        if let Some(uri) = &profile.redirect_uri {
            given.add("--redirect-uri", typed(uri));
        }
        let flow = match profile.flow {
            Some(Flow::AuthorizationCode) => Some("code"),
            Some(Flow::DeviceCode) => Some("device"),
            Some(Flow::ClientCredentials) => Some("client-credentials"),
            Some(Flow::Password) => Some("password"),
            Some(Flow::JwtBearer) => Some("jwt-bearer"),
            Some(Flow::TokenExchange) => Some("token-exchange"),
            Some(Flow::Import) | None => None,
        };
        if let Some(flow) = flow {
            given.add("--flow", flow.to_owned());
        }
        if profile.userinfo {
            given.add("--userinfo", String::new());
        }
        if let Some(store) = profile.store {
            given.add("--store", store.name().to_owned());
        }
        given
    }

    /// Adds a flag with a value that is a word already; an empty one for a flag without a value.
    pub fn add(&mut self, flag: &'static str, value: String) {
        self.0.push((flag, value));
    }

    /// The command with these flags, and without those that are named in `replaced`.
    pub fn command(&self, command: &str, profile: &str, replaced: &[&str]) -> String {
        let mut line = format!("keyfob {command} {}", word(profile));
        for (flag, value) in self.0.iter().filter(|(flag, _)| !replaced.contains(flag)) {
            line.push_str(&format!(" {flag}"));
            if !value.is_empty() {
                line.push_str(&format!(" {value}"));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_from_outside_stays_one_word() {
        let cases = ["orders:read", "a b", "$(reboot)", "it's", "", "x;y", "`id`", "#"];
        for text in cases {
            assert_eq!(shlex::split(&word(text)), Some(vec![text.to_owned()]), "{text}");
        }
        assert_eq!(word("orders:read"), "orders:read");
        assert_eq!(pair("host", "http://127.0.0.1:1"), "host=http://127.0.0.1:1");
        assert_eq!(word("a\nb\u{1b}[2J"), "'a b'");
        assert_eq!(typed(&"x".repeat(999)).len(), 999);
    }

    #[cfg(unix)]
    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config {
            cases: 60, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(4),
            ..Default::default()
        })]

        #[test] // ER2
        fn a_shell_reads_a_word_to_paste_as_it_was_without_its_controls(text in "\\PC{0,30}|.{0,30}") {
            let script = format!("printf '%s\\0%s\\0' {} {}", typed(&text), word(&text));
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(output.stdout).unwrap();
            let plain: String = text.chars().filter(|it| !it.is_control()).collect();
            proptest::prop_assert_eq!(read, format!("{plain}\0{}\0", printable(&text)));
        }
    }

    #[test]
    fn a_command_repeats_what_was_given_and_leaves_out_what_is_replaced() {
        let mut given = Given::default();
        given.add("--provider", word("inkress"));
        given.add("--flow", word("device"));
        given.add("--set", pair("host", "a b"));
        assert_eq!(
            given.command("connect", "shop", &["--flow"]),
            "keyfob connect shop --provider inkress --set host='a b'"
        );
    }
}
