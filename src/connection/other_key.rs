//! A key beside the one in force that may be the one which the server knows the client by: it was sent
//! with an update whose answer was lost, or of no use.
//!
//! It is kept before it is sent, and forgotten once the server has shown which of the two it knows.

use std::collections::BTreeMap;

use super::entry::{CERTIFICATE, Credentials, Entry, PRIVATE_KEY};
use crate::secret::Secret;

/// The other private key's name among the secrets.
pub(super) const OTHER_KEY: &str = "other_private_key";
/// The name of the certificate chain that belongs to it.
pub(super) const OTHER_CERTIFICATE: &str = "other_client_certificate";

/// The names in force, and those beside them.
const NAMES: [(&str, &str); 2] = [(PRIVATE_KEY, OTHER_KEY), (CERTIFICATE, OTHER_CERTIFICATE)];

/// A private key and a certificate, where there are.
pub type Pair = [Option<Secret>; 2];

type Secrets = BTreeMap<String, Secret>;

/// The other key as it is kept.
pub fn pair(secrets: &Secrets) -> Pair {
    NAMES.map(|(_, name)| secrets.get(name).cloned())
}

/// Puts it into the place of what is kept there.
pub fn put(secrets: &mut Secrets, pair: &Pair) {
    for ((_, name), secret) in NAMES.into_iter().zip(pair) {
        match secret {
            Some(secret) => secrets.insert(name.into(), secret.clone()),
            None => secrets.remove(name),
        };
    }
}

/// Keeps what is about to be sent, where it is not in force.
pub fn hold(secrets: &mut Secrets, sent: &Credentials) {
    if sent.private_key.is_some() && !super::registered_client::keeps(secrets, sent) {
        put(secrets, &[sent.private_key.clone(), sent.certificate.clone()]);
    }
}

/// The server knows the client by the key in force.
pub fn forget(secrets: &mut Secrets) {
    put(secrets, &Pair::default());
}

impl Entry {
    /// The other key, where one is kept.
    pub fn other_key(&self) -> Option<Credentials> {
        let [private_key, certificate] = pair(&self.secrets);
        private_key.as_ref()?;
        Some(Credentials { client_secret: None, private_key, certificate })
    }

    /// Puts the other key in force, and the one in force beside it; false where there is no other.
    pub fn turn_to_other_key(&mut self) -> bool {
        if self.other_key().is_none() {
            return false;
        }
        for (name, other) in NAMES {
            let (was, is) = (self.secrets.remove(name), self.secrets.remove(other));
            self.secrets.extend(is.map(|it| (name.to_owned(), it)));
            self.secrets.extend(was.map(|it| (other.to_owned(), it)));
        }
        true
    }
}
