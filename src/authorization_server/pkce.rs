//! Proof Key for Code Exchange, S256 only (RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::random::{Random, token_256};
use crate::secret::Secret;

/// Makes a verifier: 43 characters from 32 random octets (RFC 7636 section 4.1).
pub fn code_verifier(random: &dyn Random) -> Secret {
    Secret::new(token_256(random))
}

/// The S256 challenge of a verifier (RFC 7636 section 4.2).
pub fn code_challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // AR3, RFC 7636 appendix B
    fn the_challenge_is_the_rfc_s_own_example() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
