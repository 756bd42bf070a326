//! The address that a browser is started with in place of the authorization URL.
//!
//! Everybody on a machine can read the arguments of its programs, and `state` and the PKCE challenge
//! stand in the authorization URL. This address holds neither: it leads there once, so that whoever
//! reads it and is quicker breaks the sign-in where the person sees it. Answering it is
//! `redirection_endpoint`'s.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;

use crate::random::{Random, token_256};

/// A path that nobody can guess, and where it leads.
#[derive(Debug)]
pub(super) struct StartPage {
    path: String,
    leads_to: OnceLock<Url>,
    used: AtomicBool,
}

impl StartPage {
    /// One that leads nowhere yet.
    pub fn new(random: &dyn Random) -> Self {
        let path = format!("/start/{}", token_256(random));
        Self { path, leads_to: OnceLock::new(), used: AtomicBool::new(false) }
    }

    /// The path that is served.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Says where it leads; the first answer counts.
    pub fn lead_to(&self, url: &Url) {
        self.leads_to.get_or_init(|| url.clone());
    }

    /// Where it leads, and `None` from the second time on.
    pub fn take(&self) -> Option<&Url> {
        let url = self.leads_to.get()?;
        (!self.used.swap(true, Ordering::SeqCst)).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test] // A7
    fn it_leads_there_once() {
        let page = StartPage::new(&SystemRandom);
        assert_eq!(page.take(), None, "it leads nowhere yet");
        let url = Url::parse("https://as.test/authorize?state=a").unwrap();
        page.lead_to(&url);
        assert_eq!(page.take(), Some(&url));
        assert_eq!(page.take(), None);
        assert!(page.path().len() > "/start/".len() + 40 && !page.path().contains("state="));
    }
}
