//! Keys of every form, the RFCs' own signatures, and what is no key. The keys in `test_keys` sign nothing anywhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::*;

const RSA_PKCS8: &str = include_str!("test_keys/rsa_pkcs8.pem");
const RSA_PKCS1: &str = include_str!("test_keys/rsa_pkcs1.pem");
const P256_SEC1: &str = include_str!("test_keys/p256_sec1.pem");
const P256_PKCS8: &str = include_str!("test_keys/p256_pkcs8.pem");
const ED25519_PKCS8: &str = include_str!("test_keys/ed25519_pkcs8.pem");

/// RFC 7515 appendix A.2.1.
const RFC_RSA: &str = r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U"}"#;
/// RFC 7515 appendix A.3.1.
const RFC_EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
/// RFC 8037 appendix A.1.
const RFC_ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn key(text: &str, wish: Option<Algorithm>) -> Result<SigningKey, KeyError> {
    SigningKey::read(&Secret::new(text), wish)
}

fn why(text: &str, wish: Option<Algorithm>) -> KeyError {
    match key(text, wish) {
        Ok(_) => panic!("it was taken"),
        Err(error) => error,
    }
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn with(jwk: &str, changes: serde_json::Value) -> String {
    let mut whole: serde_json::Value = serde_json::from_str(jwk).unwrap();
    whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    whole.to_string()
}

/// Verifies with the public half alone, as a server does.
fn is_good(public: &PublicJwk, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let member = |name: &str| decoded(&public.members()[name]);
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let parts = RsaPublicKeyComponents { n: member("n"), e: member("e") };
            let parameters = match algorithm {
                Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                _ => &RSA_PKCS1_2048_8192_SHA256,
            };
            parts.verify(parameters, message, signature).is_ok()
        }
        Algorithm::Es256 => {
            let point = [vec![4], member("x"), member("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok()
        }
        Algorithm::EdDsa => {
            UnparsedPublicKey::new(&ED25519, member("x")).verify(message, signature).is_ok()
        }
    }
}

#[test] // CA11, RFC 7515 appendix A.2, RFC 8037 appendix A.4
fn the_signatures_are_the_rfcs_own_where_they_are_always_the_same() {
    let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rs256 = key(RFC_RSA, None).unwrap();
    let signature = rs256.signature(format!("eyJhbGciOiJSUzI1NiJ9.{payload}").as_bytes()).unwrap();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(signature),
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let eddsa = key(RFC_ED25519, None).unwrap();
    let signature = eddsa.signature(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    assert_eq!(
        URL_SAFE_NO_PAD.encode(signature.unwrap()),
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    );
}

#[test] // CA6
fn every_form_of_a_key_signs_what_its_public_half_verifies() {
    let cases = [
        (RSA_PKCS8, None, Algorithm::Rs256),
        (RSA_PKCS1, None, Algorithm::Rs256),
        (RSA_PKCS8, Some(Algorithm::Ps256), Algorithm::Ps256),
        (P256_PKCS8, None, Algorithm::Es256),
        (P256_SEC1, Some(Algorithm::Es256), Algorithm::Es256),
        (ED25519_PKCS8, None, Algorithm::EdDsa),
        (RFC_RSA, Some(Algorithm::Ps256), Algorithm::Ps256),
        (RFC_EC, None, Algorithm::Es256),
        (RFC_ED25519, None, Algorithm::EdDsa),
    ];
    for (text, wish, algorithm) in cases {
        let key = key(text, wish).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let header = Members::from_iter([("typ".to_owned(), "x+jwt".into())]);
        let claims = Members::from_iter([("iss".to_owned(), "me".into())]);
        let signed = key.sign(header, &claims).unwrap();
        let (input, signature) = signed.expose().rsplit_once('.').unwrap();
        let signature = decoded(signature);
        assert!(is_good(&key.public(), algorithm, input.as_bytes(), &signature), "{algorithm:?}");
        assert!(!is_good(&key.public(), algorithm, b"something else", &signature));
        let (header, claims) = input.split_once('.').unwrap();
        let expected = format!(r#"{{"alg":"{}","typ":"x+jwt"}}"#, algorithm.name());
        assert_eq!(String::from_utf8(decoded(header)).unwrap(), expected);
        assert_eq!(String::from_utf8(decoded(claims)).unwrap(), r#"{"iss":"me"}"#);
    }
}

#[test]
fn two_forms_of_one_key_have_one_thumbprint() {
    let thumbprint = |text| key(text, None).unwrap().public().thumbprint();
    assert_eq!(thumbprint(RSA_PKCS8), thumbprint(RSA_PKCS1));
    assert_eq!(thumbprint(P256_PKCS8), thumbprint(P256_SEC1));
    assert_ne!(thumbprint(P256_PKCS8), thumbprint(RFC_EC));
}

#[test]
fn a_generated_key_is_another_each_time_and_is_read_again() {
    let [one, two] = [(); 2].map(|()| key(SigningKey::generate().unwrap().expose(), None).unwrap());
    assert_eq!(one.algorithm(), Algorithm::Es256);
    assert_ne!(one.public(), two.public());
}

#[test] // CA11
fn a_key_signs_with_its_own_algorithms_alone() {
    let asked = |text, wish| match why(text, Some(wish)) {
        KeyError::Algorithm { can, asked } => (can, asked),
        other => panic!("{other:?}"),
    };
    assert_eq!(asked(P256_PKCS8, Algorithm::Rs256), ("ES256", "RS256".into()));
    assert_eq!(asked(ED25519_PKCS8, Algorithm::Es256), ("EdDSA", "ES256".into()));
    assert_eq!(asked(RSA_PKCS8, Algorithm::EdDsa), ("RS256 or PS256", "EdDSA".into()));
    // The key's own word stands before its kind, and is not overruled.
    let own = with(RFC_RSA, serde_json::json!({"alg": "PS256", "kid": "k1", "use": "sig"}));
    let read = key(&own, None).unwrap();
    assert_eq!((read.algorithm(), read.key_id()), (Algorithm::Ps256, Some("k1")));
    assert_eq!(asked(&own, Algorithm::Rs256), ("PS256", "RS256".into()));
    // Of a list it takes what it does as a rule, else the first that it can.
    let among = |text, list: &[Algorithm]| {
        SigningKey::read_among(&Secret::new(text), list).map(|key| key.algorithm())
    };
    use Algorithm::{EdDsa, Es256, Ps256, Rs256};
    assert_eq!(among(RSA_PKCS8, &[Ps256, Es256, Rs256]), Ok(Rs256));
    assert_eq!(among(RSA_PKCS8, &[Es256, Ps256]), Ok(Ps256));
    assert_eq!(among(&own, &[Rs256, Ps256]), Ok(Ps256));
    assert!(among(&own, &[Rs256, EdDsa]).is_err());
    for alg in ["none", "HS256", "RS512", "RSA-OAEP", ""] {
        let named = with(RFC_RSA, serde_json::json!({ "alg": alg }));
        assert_eq!(why(&named, None), KeyError::Kind, "{alg}");
    }
}

#[test] // CA11
fn what_is_no_usable_private_key_is_refused_by_its_reason() {
    let pem = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
    let cases = [
        (include_str!("test_keys/rsa_1024.pem").to_owned(), KeyError::TooSmall),
        (include_str!("test_keys/p384_pkcs8.pem").to_owned(), KeyError::Kind),
        (include_str!("test_keys/secp256k1_sec1.pem").to_owned(), KeyError::Kind),
        (include_str!("test_keys/encrypted.pem").to_owned(), KeyError::Encrypted),
        (pem("OPENSSH PRIVATE KEY"), KeyError::OpenSsh),
        (pem("PUBLIC KEY"), KeyError::Public),
        (pem("CERTIFICATE"), KeyError::Public),
        (pem("SOMETHING"), KeyError::NotAKey),
        ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----".into(), KeyError::Encrypted),
        ("-----BEGIN PRIVATE KEY-----\nAAAA".into(), KeyError::NotAKey),
        ("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----".into(), KeyError::NotAKey),
        (String::new(), KeyError::NotAKey),
        ("hunter2".into(), KeyError::NotAKey),
        ("{".into(), KeyError::NotAKey),
        (r#"{"kty":"oct","k":"AAAA"}"#.into(), KeyError::Symmetric),
        (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.into(), KeyError::Public),
        (format!(r#"{{"keys":[{RFC_EC}]}}"#), KeyError::Set),
        (with(RFC_EC, serde_json::json!({"use": "enc"})), KeyError::NotForSignatures),
        (with(RFC_EC, serde_json::json!({"crv": "P-384"})), KeyError::Kind),
        (with(RFC_ED25519, serde_json::json!({"crv": "X25519"})), KeyError::Kind),
    ];
    for (text, expected) in cases {
        assert_eq!(why(&text, None), expected, "{}", text.lines().next().unwrap_or_default());
    }
    let broken = [
        with(RFC_EC, serde_json::json!({"y": "AAAA"})),
        with(RFC_EC, serde_json::json!({"x": null})),
        with(RFC_ED25519, serde_json::json!({"x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})),
        with(RFC_RSA, serde_json::json!({"p": null})),
        pem("PRIVATE KEY"),
        pem("EC PRIVATE KEY"),
    ];
    for text in broken {
        let error = why(&text, None);
        assert!(matches!(error, KeyError::Broken(_)), "{error:?}");
    }
    let not_base64 = why(&with(RFC_EC, serde_json::json!({"d": "mark-1!"})), None);
    assert_eq!(not_base64, KeyError::NotAKey);
}

#[test]
fn a_cut_off_key_never_panics() {
    for text in [RSA_PKCS8, RSA_PKCS1, P256_SEC1, ED25519_PKCS8, RFC_RSA, RFC_EC] {
        for end in (0..text.len()).step_by(37) {
            assert!(key(&text[..end], None).is_err());
        }
    }
}
