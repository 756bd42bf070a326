//! What a server quotes back of the secrets it was sent: the last net, by value, before its words are read.

use super::error_response::ErrorResponse;
use crate::secret::Secret;

/// The shortest value that is looked for; a shorter one would match ordinary words.
const SHORTEST: usize = 8;

impl ErrorResponse {
    /// Puts a fingerprint in place of every secret that the server quotes back.
    pub fn without(mut self, secrets: &[Secret]) -> Self {
        let words = [&mut self.code, &mut self.description, &mut self.uri, &mut self.request_id];
        let words = words.into_iter().flatten().chain(&mut self.fields);
        for word in words {
            *word = without_secrets(word, secrets);
        }
        self
    }
}

/// The text with a fingerprint in place of every secret that it quotes.
pub fn without_secrets(text: &str, secrets: &[Secret]) -> String {
    let mut clean = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.expose().len() >= SHORTEST) {
        if clean.contains(secret.expose()) {
            let fingerprint = format!("[hidden sha256:{}]", secret.fingerprint());
            clean = clean.replace(secret.expose(), &fingerprint);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // T17
    fn a_secret_that_is_quoted_back_becomes_its_fingerprint() {
        let secrets = [Secret::new("secret-one"), Secret::new("no")];
        let fingerprint = secrets[0].fingerprint();
        let quoted = ErrorResponse {
            description: Some("no secret-one, secret-one".into()),
            fields: vec!["token: secret-one".into()],
            ..ErrorResponse::default()
        };
        let clean = quoted.without(&secrets);
        let hidden = format!("[hidden sha256:{fingerprint}]");
        assert_eq!(clean.description, Some(format!("no {hidden}, {hidden}")));
        assert_eq!(clean.fields, [format!("token: {hidden}")]);
    }
}
