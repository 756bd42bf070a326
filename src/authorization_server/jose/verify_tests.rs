//! Tokens signed here with keys of the tests, and every way in which one can be wrong.

use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    RsaPublicKeyComponents,
};
use serde_json::json;

use super::*;
use SignatureAlgorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};

/// PKCS #8, 2048 bits, of these tests alone: the library makes no RSA keys.
const RSA: &str = concat!(
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCW0k+PYZyoxjLVxF9DdyWm4w3gl1HJIJV+b9bo",
    "x2ZTwmmg0ptELkQ0sZ1A3vffQDnRtDwhcHWPm+AKU3Y4O+cjEzjCRiNrHTae2jf/Yd79fF1c7ZWeXMMW65psII7j",
    "KoVUyUUey6WgOaB0VtHWE8BFhwK3Q1UyaNuOigHHBfoCdSOoMA6ztY8IV79Gl3kEUfqIthjFxMdHjtvtgNFONvzb",
    "2VG5J/AC8+V2/uSdTR7EdxoGYCoj1oVWS8VCul3ljyQD9P9t0mMDGfgJveTK+72T5pu8RDhe8cswIJmD5szQX4M0",
    "AgjIOzjBk3iJdfDz+eg2sD4w0w0jOdOgsxulw8nRAgMBAAECggEAMLe/lleYBJZ9Hjr/8KmAgo9uUKFgfEDnuT9E",
    "Is4iOiUe/KF7IQN26bSD0MwVMkqrQpdfIwgSGXDm5j7+fXywFU7kszB3yWZW2eowU3CYWLY+7EEcZtqc8/7n00yT",
    "C0MVbYVUK/XpSr/CmkHfJzEbFvpdALihwRZI8ZqXp2PBVeBkxl7tpLx6qPUFz4gou8yN6dZthhsDv0qJymCGga3G",
    "1xkVS31lm6dyFPyQycVWwlkuanVQxdA1TNo5/WjSmn1iVtKvH7s2sO8yX11bAYgkrW7BUhi2P4aTBP72g23WocXk",
    "RmnAU2GV7atSsLVS2JnOPdz6A4BjduyJ2hHcoObQjwKBgQDJ1D0UenNWjNQ1XU1wesh2ZB+FK70LLYkOHjIc2Acd",
    "QxHYeD4B6sMNQ8dGnm226+f2OgCoXuaYCYCyJ6NfaZIITK5W4sk8GrQhVNTBhoAO58UDCgCmjWRW0C49mSb7CO6a",
    "AxT2IHMjxKf9YZSi2P+DJbbmFSccqIi8IRR8snyeWwKBgQC/TVKjTd6Wt4jZrNlyDdkK2MF3MfPU6Zr8lHpU1Ctb",
    "RBsY3dEC8rI6tZtZi788/hooAUVBrO7fnbyPHdZQsaUZMra0m1U2BahpiynRaxTuxpjoXzvhYwOHYL0vxGkf+3ho",
    "bCy9K1dJvXKHp0QmzGWU87f9YCSEjXvqhhlLa/KIQwKBgAaRns9M0PYvLTTzbXLMvDuGNLRr4QI9ICnSd8USjuC3",
    "7xvBhhsf3etPmmvE+kMq2GjeKGlSdWTbYlHqElonoHYesMnpJa2MHPK8xRPrYb2ac4IO0Eibb3mX2vlsQ6WF++YN",
    "VaBRHA48906631CRiXdmQdapN5WqMpEU7orEcGPjAoGBAKIUex2NTjfYDISQ5DKz9N4xw8ifc/1CZ2P00Kiqkoli",
    "7Kpm1T1wLv16/MIjmsWsbLDUUr9QK5seY7HGD9yShlURGKdwrAN3S7cQhz+9QCEF9mt6tJtDbqv2lJOyD3dfcibW",
    "8Bjebbg2YKD6YM2Wg8Jts8di+82qqgCL2UaDkRtNAoGAIYuJSb712Ix+Xe5s3+U0stG1um1P6bPGUvWyHjuAjs4o",
    "E/ezMwKm52SLQk0Ohbe5hzoeYIYlskyJ4yh0xX9DjTZxhuCRLG7+PlvTS5ts9LFr8bStGY+TQlFSOG5+TNMeesIc",
    "WoK77NFaN952U9fB6uZHoumxqK/SFqm9Zm2Eito=",
);

/// A key of 1024 bits, and a token that it signed soundly.
const SHORT_MODULUS: &str = concat!(
    "vps9mq87u20yrNEycz_4SK-cTZhyfw9s5VoiPzFZzZdK7ukkD4o0U0mvCHcoWxKRhMphMpr5i243o6uBLTsC-a_6",
    "AQ0bEAgwpRYhHW6LKBbi4wMn8o1Vll5kXeBQhVDywHGqkSiYXLttPOJIea0Jkh68GbNNz8kR9L-UbhI49NM",
);
const SHORT_TOKEN: &str = concat!(
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.unpCNlFb5SZ5OCTWbQW1he8KnEvdF1XKT-k8OuV6UA_rBpbiyk3",
    "v8kNUfORw3zrB90h2iORzd2KkBNGQvqVNmuWeww89dISHGiFPgrKxwvrIdJx7m2b5bJIw94sozFL2b1WOahT0K5j",
    "vRoaqA_vZhB2fZGgHILNgA--H7RtGpXI",
);

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl Pair {
    fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::from_pkcs8(&STANDARD.decode(RSA).unwrap()).unwrap())
    }

    fn ec(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        let random = SystemRandom::new();
        let text = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ec(EcdsaKeyPair::from_pkcs8(algorithm, text.as_ref(), &random).unwrap(), curve)
    }

    fn p256() -> Self {
        Self::ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")
    }

    fn ed() -> Self {
        let text = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed(Ed25519KeyPair::from_pkcs8(text.as_ref()).unwrap())
    }

    fn of(algorithm: SignatureAlgorithm) -> Self {
        match algorithm {
            ES256 => Self::p256(),
            ES384 => Self::ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            EdDSA => Self::ed(),
            _ => Self::rsa(),
        }
    }

    /// The public side, with these members besides.
    fn published(&self, more: Value) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match self {
            Self::Rsa(pair) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) })
            }
            Self::Ec(pair, curve) => {
                let (x, y) = pair.public_key().as_ref()[1..]
                    .split_at((pair.public_key().as_ref().len() - 1) / 2);
                json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
            }
            Self::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
        };
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let encoding: &'static dyn RsaEncoding = match algorithm {
            RS384 => &RSA_PKCS1_SHA384,
            RS512 => &RSA_PKCS1_SHA512,
            PS256 => &RSA_PSS_SHA256,
            PS384 => &RSA_PSS_SHA384,
            PS512 => &RSA_PSS_SHA512,
            _ => &RSA_PKCS1_SHA256,
        };
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::Ec(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    fn token(&self, algorithm: SignatureAlgorithm, header: Value) -> Secret {
        let message = format!("{}.{}", part(&header.to_string()), part(r#"{"sub":"x"}"#));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(algorithm, message.as_bytes()));
        Secret::new(format!("{message}.{signature}"))
    }
}

fn part(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn keys(keys: &[Value]) -> Keys {
    Keys::read(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn judged(
    token: &Secret,
    expected: &[SignatureAlgorithm],
    set: &Keys,
) -> Result<String, VerifyError> {
    let read = read(token, expected)?;
    Ok(read.verified(set)?["sub"].as_str().unwrap().to_owned())
}

#[test] // OI4
fn every_algorithm_verifies_what_its_key_has_signed_and_nothing_else() {
    for algorithm in SignatureAlgorithm::ALL {
        let pair = Pair::of(algorithm);
        let set = keys(&[pair.published(json!({}))]);
        let token = pair.token(algorithm, json!({ "alg": algorithm.name(), "typ": "JWT" }));
        assert_eq!(judged(&token, &[algorithm], &set).as_deref(), Ok("x"), "{algorithm:?}");
        let message = token.expose().rsplit_once('.').unwrap().0;
        let other = token.expose().replace(&part(r#"{"sub":"x"}"#), &part(r#"{"sub":"y"}"#));
        let empty = format!("{message}.");
        let zeros = format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
        for forged in [other, empty, zeros] {
            let judged = judged(&Secret::new(forged.as_str()), &[algorithm], &set);
            assert_eq!(judged, Err(VerifyError::Forged), "{algorithm:?} {forged}");
        }
    }
}

#[test] // OI4
fn none_a_mac_and_a_switch_of_the_algorithm_are_refused() {
    let pair = Pair::rsa();
    let set = keys(&[pair.published(json!({}))]);
    let signed_as = |name: &str| pair.token(RS256, json!({ "alg": name }));
    for name in ["none", "None", "NONE", "nOnE", "HS256", "HS512", "", "rs256", "ES256", "PS256"] {
        match judged(&signed_as(name), &[RS256], &set) {
            Err(VerifyError::Algorithm { found, expected }) => {
                assert_eq!((found.as_str(), expected), (name, vec!["RS256"]));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    // The public key as the secret of a MAC: no way leads there.
    let modulus = pair.published(json!({}))["n"].as_str().unwrap().to_owned();
    let message = format!("{}.{}", part(r#"{"alg":"HS256"}"#), part(r#"{"sub":"x"}"#));
    let mac = ring::hmac::sign(
        &ring::hmac::Key::new(ring::hmac::HMAC_SHA256, modulus.as_bytes()),
        message.as_bytes(),
    );
    let token = Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref())));
    assert!(matches!(judged(&token, &[RS256], &set), Err(VerifyError::Algorithm { .. })));
    // One that is agreed on, signed by a key of another kind or for something else.
    let token = pair.token(RS256, json!({ "alg": "RS256" }));
    let ec = Pair::p256().published(json!({}));
    let elsewhere = pair.published(json!({ "alg": "PS256" }));
    let encrypting = pair.published(json!({ "use": "enc" }));
    for key in [ec, elsewhere, encrypting] {
        assert_eq!(judged(&token, &[RS256, ES256], &keys(&[key])), Err(VerifyError::NoKey));
    }
    assert!(
        judged(&token, &[RS256], &keys(&[pair.published(json!({"alg": "RS256", "use": "sig"}))]))
            .is_ok()
    );
}

#[test] // OI4
fn an_rsa_key_of_1024_bits_proves_nothing() {
    let key = json!({ "kty": "RSA", "n": SHORT_MODULUS, "e": "AQAB" });
    let judged = judged(&Secret::new(SHORT_TOKEN), &[RS256], &keys(&[key]));
    assert_eq!(judged, Err(VerifyError::Forged));
}

#[test] // OI4
fn what_a_header_demands_or_brings_along_is_never_followed() {
    let (pair, thief) = (Pair::p256(), Pair::p256());
    let set = keys(&[pair.published(json!({ "kid": "a" }))]);
    let of = |header: Value| judged(&pair.token(ES256, header), &[ES256], &set);
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), Value::Null, json!("x")] {
        let header = json!({ "alg": "ES256", "crit": crit, "b64": false });
        assert_eq!(of(header), Err(VerifyError::Critical));
    }
    for kind in ["at+jwt", "logout+jwt", "dpop+jwt"] {
        let header = json!({ "alg": "ES256", "typ": kind });
        assert_eq!(of(header), Err(VerifyError::Kind(kind.into())));
    }
    let brought =
        json!({ "alg": "ES256", "jwk": thief.published(json!({})), "jku": "https://evil.example" });
    assert_eq!(judged(&thief.token(ES256, brought), &[ES256], &set), Err(VerifyError::Forged));
    assert!(matches!(of(json!({"alg": "ES256", "kid": 7})), Err(VerifyError::Malformed(_))));
    let long = "k".repeat(2000);
    assert!(matches!(of(json!({"alg": "ES256", "kid": long})), Err(VerifyError::Malformed(_))));
}

#[test] // OI8
fn a_key_is_found_by_its_id_and_without_one_by_trying_what_fits() {
    let (first, second) = (Pair::p256(), Pair::p256());
    let named = |pair: &Pair, id: &str| pair.published(json!({ "kid": id }));
    let both = keys(&[named(&first, "a"), Pair::ed().published(json!({})), named(&second, "b")]);
    let token = |id: Value| match id {
        Value::Null => second.token(ES256, json!({ "alg": "ES256" })),
        id => second.token(ES256, json!({ "alg": "ES256", "kid": id })),
    };
    let judged = |id: Value, set: &Keys| judged(&token(id), &[ES256], set);
    assert!(judged(json!("b"), &both).is_ok());
    assert_eq!(judged(json!("a"), &both), Err(VerifyError::Forged), "the other key's id");
    assert_eq!(judged(json!("c"), &both), Err(VerifyError::NoKey));
    assert_eq!(judged(json!(""), &both), Err(VerifyError::NoKey));
    assert!(judged(Value::Null, &both).is_ok(), "several: each is tried");
    assert!(judged(Value::Null, &keys(&[named(&second, "b")])).is_ok(), "one: it is used");
    assert_eq!(judged(Value::Null, &keys(&[named(&first, "a")])), Err(VerifyError::Forged));
    assert_eq!(judged(Value::Null, &keys(&[])), Err(VerifyError::NoKey));
    // Two keys of one id: a mistake of the server's that need not stop anybody.
    assert!(judged(json!("a"), &keys(&[named(&first, "a"), named(&second, "a")])).is_ok());
    assert!(VerifyError::NoKey.may_be_rotation() && VerifyError::Forged.may_be_rotation());
    assert!(!VerifyError::Critical.may_be_rotation());
}

#[test] // OI4, DS9
fn what_is_no_token_is_refused_without_a_crash_and_without_being_quoted() {
    let pair = Pair::p256();
    let set = keys(&[pair.published(json!({}))]);
    let sound = pair.token(ES256, json!({ "alg": "ES256" })).expose().to_owned();
    let header = part(r#"{"alg":"ES256"}"#);
    let twice = part(r#"{"alg":"none","alg":"ES256"}"#);
    let deep = part(&format!("{{\"alg\":\"ES256\",\"x\":{}{}}}", "[".repeat(200), "]".repeat(200)));
    let cases = [
        String::new(),
        "mark-of-a-secret".into(),
        "..".into(),
        format!("{sound}."),
        format!("{sound}.x.y"),
        format!("{sound}="),
        sound.replacen('.', "..", 1),
        format!(" {sound}"),
        format!("{header}.{}.x", part("[]")),
        format!("{header}.%%.x"),
        format!("{twice}.{}.x", part("{}")),
        format!("{deep}.{}.x", part("{}")),
        "a".repeat(70_000),
        ".".repeat(70_000),
    ];
    for case in cases {
        match judged(&Secret::new(case.as_str()), &[ES256], &set) {
            Err(error @ VerifyError::Malformed(_)) => {
                assert!(!error.to_string().contains("mark-of"), "{error}");
            }
            other => panic!("{case:.80}: {other:?}"),
        }
    }
}
