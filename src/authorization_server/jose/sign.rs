//! A private key, and the signatures it makes.

use ring::rand::SystemRandom;
use ring::rsa::{self, KeyPairComponents, PublicKeyComponents};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING as P256, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};

use super::key_text::{Jwk, KeyText, Part, pkcs8_of_sec1, read, to_pem};
use super::{Algorithm, CannotSign, Members, PublicJwk, compact, signing_input};
use crate::secret::Secret;

/// Why a text is of no use as a private key; nothing of it is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor a JSON Web Key, or one that is cut off.
    #[error("it is neither a PEM file nor a JSON Web Key")]
    NotAKey,
    /// It needs a passphrase.
    #[error("it is encrypted under a passphrase")]
    Encrypted,
    /// OpenSSH's own form.
    #[error("it is in the form of OpenSSH")]
    OpenSsh,
    /// The public half, or a certificate.
    #[error("it is a public key or a certificate, and a private key is needed")]
    Public,
    /// A shared secret.
    #[error("it is a shared secret, and a private key is needed")]
    Symmetric,
    /// A set of keys.
    #[error("it is a set of keys, and one of them is needed")]
    Set,
    /// For encryption (RFC 7517 section 4.2).
    #[error("its `use` says that it is not for signatures")]
    NotForSignatures,
    /// RSA below 2048 bits (RFC 7518 section 3.3).
    #[error("it is an RSA key of less than 2048 bits")]
    TooSmall,
    /// RSA above 4096 bits.
    #[error("it is an RSA key of more than 4096 bits")]
    TooLarge,
    /// Another kind, or another curve.
    #[error("it is neither RSA, nor P-256, nor Ed25519")]
    Kind,
    /// The numbers of the key make no sense.
    #[error("its parts do not fit together ({0})")]
    Broken(String),
    /// The key signs, but not with the algorithm that is asked for.
    #[error("it signs with {can}, and {asked} is asked for")]
    Algorithm {
        /// What it can do.
        can: &'static str,
        /// What is asked for.
        asked: String,
    },
}

/// A private key of one algorithm; it cannot be printed.
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
    key_id: Option<String>,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl SigningKey {
    /// Reads PEM (PKCS#8, PKCS#1, SEC1) or a JSON Web Key, for one algorithm or its own.
    pub fn read(text: &Secret, wish: Option<Algorithm>) -> Result<Self, KeyError> {
        Self::read_among(text, wish.as_slice())
    }

    /// Reads a key for one of the algorithms that the other side takes; an empty list takes all.
    ///
    /// First comes the key's own word, and nothing else where there is one; then what its kind is
    /// used with as a rule (RS256, ES256, EdDSA); then the list in its order.
    pub fn read_among(text: &Secret, allowed: &[Algorithm]) -> Result<Self, KeyError> {
        let (pair, algorithm, key_id) = match read(text)? {
            KeyText::Pkcs8(der) => (of_pkcs8(&der)?, None, None),
            KeyText::Pkcs1(der) => (rsa(RsaKeyPair::from_der(&der))?, None, None),
            KeyText::Sec1(der) => (p256(&pkcs8_of_sec1(&der))?, None, None),
            KeyText::Jwk(jwk) => (of_jwk(&jwk)?, algorithm_of(&jwk)?, jwk.kid),
        };
        let candidates = match algorithm {
            Some(own) => vec![own],
            None => [&[pair.usual()], allowed].concat(),
        };
        let is_allowed = |it: &Algorithm| allowed.is_empty() || allowed.contains(it);
        let fits = |it: &Algorithm| pair.signs_with(*it) && is_allowed(it);
        match candidates.into_iter().find(fits) {
            Some(algorithm) => Ok(Self { pair, algorithm, key_id }),
            None => Err(KeyError::Algorithm {
                can: algorithm.map_or(pair.can(), Algorithm::name),
                asked: allowed.iter().map(|it| it.name()).collect::<Vec<_>>().join(" or "),
            }),
        }
    }

    /// Makes a new ES256 key and gives it as PEM, for a store; [`SigningKey::read`] takes it.
    ///
    /// The randomness is the operating system's: the library takes no other source.
    pub fn generate() -> Result<Secret, CannotSign> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&P256, &SystemRandom::new());
        pkcs8.map(|it| to_pem(it.as_ref())).map_err(|_| CannotSign)
    }

    /// The one algorithm it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's own `kid`, where it is a JSON Web Key that has one.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The public half.
    pub fn public(&self) -> PublicJwk {
        match &self.pair {
            Pair::Rsa(pair) => {
                let PublicKeyComponents { n, e } =
                    PublicKeyComponents::<Vec<u8>>::from(pair.public());
                PublicJwk::rsa(&n, &e)
            }
            Pair::P256(pair) => {
                // An uncompressed point: 4, then two coordinates of one length (SEC 1 section 2.3.3).
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                PublicJwk::p256(x, y)
            }
            Pair::Ed25519(pair) => PublicJwk::ed25519(pair.public_key().as_ref()),
        }
    }

    /// Signs claims, in the compact form; the header's `alg` is the key's (RFC 7515 section 5.1).
    pub fn sign(&self, header: Members, claims: &Members) -> Result<Secret, CannotSign> {
        let input = signing_input(self.algorithm.name(), header, claims);
        Ok(compact(&input, &self.signature(input.as_bytes())?))
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn ring::signature::RsaEncoding = match self.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let signed = pair.sign(padding, &random, message, &mut signature);
                signed.map(|()| signature).map_err(|_| CannotSign)
            }
            Pair::P256(pair) => {
                let signed = pair.sign(&random, message);
                signed.map(|it| it.as_ref().to_vec()).map_err(|_| CannotSign)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl Pair {
    fn usual(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
            Self::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    fn signs_with(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa(_) => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            _ => self.usual() == algorithm,
        }
    }

    fn can(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RS256 or PS256",
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }
}

fn of_pkcs8(der: &[u8]) -> Result<Pair, KeyError> {
    // Each reader looks at the algorithm first, and says so when it is another's.
    [|der: &[u8]| rsa(RsaKeyPair::from_pkcs8(der)), p256, ed25519]
        .iter()
        .map(|reader| reader(der))
        .find(|read| !matches!(read, Err(KeyError::Kind)))
        .unwrap_or(Err(KeyError::Kind))
}

fn rsa(read: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Pair, KeyError> {
    read.map(|pair| Pair::Rsa(Box::new(pair))).map_err(rejected)
}

fn p256(pkcs8: &[u8]) -> Result<Pair, KeyError> {
    let pair = EcdsaKeyPair::from_pkcs8(&P256, pkcs8, &SystemRandom::new());
    pair.map(|pair| Pair::P256(Box::new(pair))).map_err(rejected)
}

fn ed25519(pkcs8: &[u8]) -> Result<Pair, KeyError> {
    // OpenSSL leaves the public half out, which the strict reader would want (RFC 8410 section 7).
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8);
    pair.map(|pair| Pair::Ed25519(Box::new(pair))).map_err(rejected)
}

fn rejected(error: ring::error::KeyRejected) -> KeyError {
    match error.to_string().as_str() {
        "TooSmall" => KeyError::TooSmall,
        "TooLarge" => KeyError::TooLarge,
        "WrongAlgorithm" => KeyError::Kind,
        why => KeyError::Broken(why.to_owned()),
    }
}

fn of_jwk(jwk: &Jwk) -> Result<Pair, KeyError> {
    if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
        return Err(KeyError::NotForSignatures);
    }
    match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => rsa(RsaKeyPair::from_components(&rsa_parts(jwk)?)),
        ("EC", Some("P-256")) => {
            let (x, y) = (part("x", &jwk.x)?, part("y", &jwk.y)?);
            let point = [&[4][..], x, y].concat();
            let private = part("d", &jwk.d)?;
            let random = SystemRandom::new();
            EcdsaKeyPair::from_private_key_and_public_key(&P256, private, &point, &random)
                .map(|pair| Pair::P256(Box::new(pair)))
                .map_err(rejected)
        }
        ("OKP", Some("Ed25519")) => {
            let (seed, public) = (part("d", &jwk.d)?, part("x", &jwk.x)?);
            Ed25519KeyPair::from_seed_and_public_key(seed, public)
                .map(|pair| Pair::Ed25519(Box::new(pair)))
                .map_err(rejected)
        }
        _ => Err(KeyError::Kind),
    }
}

fn rsa_parts(jwk: &Jwk) -> Result<KeyPairComponents<&[u8]>, KeyError> {
    Ok(rsa::KeyPairComponents {
        public_key: PublicKeyComponents { n: part("n", &jwk.n)?, e: part("e", &jwk.e)? },
        d: part("d", &jwk.d)?,
        p: part("p", &jwk.p)?,
        q: part("q", &jwk.q)?,
        dP: part("dp", &jwk.dp)?,
        dQ: part("dq", &jwk.dq)?,
        qInv: part("qi", &jwk.qi)?,
    })
}

fn part<'a>(name: &str, value: &'a Option<Part>) -> Result<&'a [u8], KeyError> {
    match value {
        Some(Part(bytes)) => Ok(bytes),
        None => Err(KeyError::Broken(format!("there is no `{name}`"))),
    }
}

/// The key's own word on its algorithm (RFC 7517 section 4.4).
fn algorithm_of(jwk: &Jwk) -> Result<Option<Algorithm>, KeyError> {
    match jwk.alg.as_deref() {
        None => Ok(None),
        Some(name) => Algorithm::named(name).map(Some).ok_or(KeyError::Kind),
    }
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
