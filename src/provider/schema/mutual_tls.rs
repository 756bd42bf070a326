//! What a server has for clients that show a certificate (RFC 8705 sections 3.3 and 5).

use serde::{Deserialize, Serialize};

use super::Provider;

/// Used by a client that shows a certificate, and by no other: each URL stands for the plain one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MutualTls {
    /// Whether tokens are bound to the certificate that is shown.
    pub binds_tokens: bool,
    /// In the place of the `url` of [token].
    pub token_url: Option<String>,
    /// In the place of the `url` of [revoke].
    pub revoke_url: Option<String>,
    /// In the place of the `url` of [introspect].
    pub introspect_url: Option<String>,
    /// In the place of the `url` of [device].
    pub device_url: Option<String>,
    /// In the place of the `pushed_url` of [authorize].
    pub pushed_url: Option<String>,
    /// In the place of the `url` of [userinfo].
    pub userinfo_url: Option<String>,
}

impl MutualTls {
    /// The URLs that are named, by their words here.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let rows = [
            ("token_url", &self.token_url),
            ("revoke_url", &self.revoke_url),
            ("introspect_url", &self.introspect_url),
            ("device_url", &self.device_url),
            ("pushed_url", &self.pushed_url),
            ("userinfo_url", &self.userinfo_url),
        ];
        rows.into_iter().filter_map(|(word, url)| Some((word, url.as_deref()?)))
    }

    fn rows_mut(&mut self) -> [(&'static str, &mut Option<String>); 6] {
        [
            ("token_url", &mut self.token_url),
            ("revoke_url", &mut self.revoke_url),
            ("introspect_url", &mut self.introspect_url),
            ("device_url", &mut self.device_url),
            ("pushed_url", &mut self.pushed_url),
            ("userinfo_url", &mut self.userinfo_url),
        ]
    }
}

impl Provider {
    /// The same with the endpoints that are there for a client with a certificate.
    pub fn at_mutual_tls(mut self) -> Self {
        let Some(aliases) = self.mutual_tls.clone() else { return self };
        for (word, url) in aliases.urls() {
            if let Some(plain) = self.plain_url(word) {
                url.clone_into(plain);
            }
        }
        self
    }

    /// The URL whose place one of [`MutualTls`] takes; `None` where the provider has no such endpoint.
    fn plain_url(&mut self, word: &str) -> Option<&mut String> {
        match word {
            "token_url" => Some(&mut self.token.url),
            "revoke_url" => self.revoke.as_mut().map(|it| &mut it.url),
            "introspect_url" => self.introspect.as_mut().map(|it| &mut it.url),
            "device_url" => self.device.as_mut().map(|it| &mut it.url),
            "pushed_url" => self.authorize.as_mut()?.pushed_url.as_mut(),
            "userinfo_url" => self.userinfo.as_mut().map(|it| &mut it.url),
            _ => None,
        }
    }

    /// The words of [mutual_tls] that stand for endpoints which are not there.
    pub fn idle_mutual_tls_urls(&self) -> Vec<&'static str> {
        let mut own = self.clone();
        let aliases = self.mutual_tls.iter().flat_map(MutualTls::urls);
        aliases.map(|(word, _)| word).filter(|word| own.plain_url(word).is_none()).collect()
    }

    /// The same without those words, and without the table where nothing is left of it.
    pub fn without_idle_mutual_tls(mut self) -> Self {
        let idle = self.idle_mutual_tls_urls();
        if let Some(table) = &mut self.mutual_tls {
            for (_, url) in table.rows_mut().into_iter().filter(|(word, _)| idle.contains(word)) {
                *url = None;
            }
        }
        self.mutual_tls = self.mutual_tls.filter(|table| *table != MutualTls::default());
        self
    }
}
