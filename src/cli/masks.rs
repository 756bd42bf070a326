//! On GitHub's runners a secret is made known to the log before it could be in it; nowhere else.
//!
//! The lines go to standard error, where the runner reads them too: standard output is the product.
//! Any other log would keep such a line, and the secret with it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::output::Output;
use crate::connection::Entry;
use crate::secret::Secret;
use crate::system::System;

/// The masks of one command; each value is told once.
pub struct Masks {
    is_on: bool,
    told: RefCell<BTreeSet<String>>,
}

impl Masks {
    /// Masks where `GITHUB_ACTIONS` is `true`.
    pub fn new(system: &System) -> Self {
        let is_on = system.environment.get("GITHUB_ACTIONS") == Some("true");
        Self { is_on, told: RefCell::default() }
    }

    /// Whether anything is told at all.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Masks a value, line by line as the runner knows them.
    pub fn secret(&self, output: Output, system: &System, secret: &Secret) {
        if !self.is_on || !self.told.borrow_mut().insert(secret.fingerprint()) {
            return;
        }
        for line in secret.expose().lines().filter(|line| !line.trim().is_empty()) {
            output.say(system, &format!("::add-mask::{}", line.replace('%', "%25")));
        }
    }

    /// Masks all that an entry holds, and what a request makes of it.
    pub fn entry(&self, output: Output, system: &System, entry: &Entry) {
        for secret in entry.all_secrets() {
            self.secret(output, system, secret);
        }
        if let (Some(id), Some(secret)) = (&entry.client_id, entry.client_secret()) {
            let basic = zeroize::Zeroizing::new(format!("{id}:{}", secret.expose()));
            self.secret(output, system, &Secret::new(STANDARD.encode(basic.as_bytes())));
        }
    }
}
