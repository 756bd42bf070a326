//! What a server quotes back of the secrets it was sent: the last net, by value, before its words are read.

use crate::secret::Secret;

/// The shortest value that is looked for; a shorter one would match ordinary words.
const SHORTEST: usize = 8;

/// Puts the fingerprint in place of every occurrence of each secret.
pub fn without(text: &[u8], secrets: &[Secret]) -> Vec<u8> {
    let mut text = text.to_vec();
    for secret in secrets.iter().filter(|secret| secret.expose().len() >= SHORTEST) {
        text = replaced(&text, secret.expose().as_bytes(), &secret.fingerprint());
    }
    text
}

fn replaced(text: &[u8], secret: &[u8], fingerprint: &str) -> Vec<u8> {
    let mut clean = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(secret.len()).position(|window| window == secret) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(format!("[hidden sha256:{fingerprint}]").as_bytes());
        rest = &rest[at + secret.len()..];
    }
    clean.extend_from_slice(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // T17
    fn a_secret_that_is_quoted_back_becomes_its_fingerprint() {
        let secrets = [Secret::new("secret-one"), Secret::new("no")];
        let fingerprint = secrets[0].fingerprint();
        let clean = without(b"no secret-one, secret-one", &secrets);
        let expected = format!("no [hidden sha256:{fingerprint}], [hidden sha256:{fingerprint}]");
        assert_eq!(String::from_utf8(clean).unwrap(), expected);
        assert_eq!(without(b"", &secrets), b"");
    }
}
