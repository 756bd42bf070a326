//! Each claim in turn is wrong, the others being right.

use serde_json::json;

use super::*;

const NOW: i64 = 1_780_300_800;

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://as.example/t", "sub": "pat-7", "aud": "me", "exp": NOW + 600, "iat": NOW,
        "nonce": "n0nce",
    });
    claims.as_object().unwrap().clone()
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.remove(name)),
        value => drop(claims.insert(name.to_owned(), value)),
    }
    claims
}

fn judged(claims: &Map<String, Value>) -> Result<String, IdTokenError> {
    judged_as(claims, None, SignatureAlgorithm::RS256)
}

fn judged_as(
    claims: &Map<String, Value>,
    max_age: Option<u64>,
    algorithm: SignatureAlgorithm,
) -> Result<String, IdTokenError> {
    let (nonce, access_token) = (Secret::new("n0nce"), Secret::new(ACCESS_TOKEN));
    let expected = Expected {
        issuer: "https://as.example/t",
        client_id: "me",
        audiences: &["the-api".to_owned()],
        nonce: Some(&nonce),
        max_age,
        access_token: &access_token,
        leeway: 60,
        now: Timestamp::from_second(NOW).unwrap(),
    };
    judge(claims, algorithm, &expected).map(str::to_owned)
}

/// OpenID Connect Core appendix A.3 has its hash.
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

#[test]
fn a_sound_token_names_its_subject() {
    assert_eq!(judged(&claims()).as_deref(), Ok("pat-7"));
}

#[test] // OI1
fn an_issuer_is_compared_code_point_by_code_point() {
    for other in [
        "https://as.example/t1",
        "https://as.example/t/",
        "https://as.example/T",
        "https://as.example:443/t",
        "http://as.example/t",
        "",
    ] {
        let judged = judged(&with("iss", json!(other)));
        assert!(matches!(judged, Err(IdTokenError::Issuer { .. })), "{other}: {judged:?}");
    }
    for none in [Value::Null, json!(7), json!(["https://as.example/t"])] {
        assert_eq!(judged(&with("iss", none)), Err(IdTokenError::Claim("iss")));
    }
}

#[test] // OI2
fn an_audience_is_this_client_and_nobody_that_is_not_trusted() {
    for good in [json!("me"), json!(["me"]), json!(["the-api", "me"]), json!(["me", "me"])] {
        assert!(judged(&with("aud", good.clone())).is_ok(), "{good}");
    }
    for bad in [
        json!("you"),
        json!(""),
        json!("ME"),
        json!(["you"]),
        json!(["me", "you"]),
        json!(["the-api"]),
    ] {
        let judged = judged(&with("aud", bad.clone()));
        assert!(matches!(judged, Err(IdTokenError::Audience { .. })), "{bad}: {judged:?}");
    }
    for none in [Value::Null, json!(7), json!([]), json!({"me": 1}), json!(["me", 7])] {
        assert_eq!(judged(&with("aud", none)), Err(IdTokenError::Claim("aud")));
    }
}

#[test] // OI3
fn an_authorized_party_is_this_client_where_one_is_named() {
    assert!(judged(&with("azp", json!("me"))).is_ok());
    for bad in ["you", "", "the-api"] {
        let judged = judged(&with("azp", json!(bad)));
        assert_eq!(judged, Err(IdTokenError::AuthorizedParty { found: bad.into() }));
    }
    assert_eq!(judged(&with("azp", json!(["me"]))), Err(IdTokenError::Claim("azp")));
}

#[test] // OI5
fn a_token_is_new_and_has_not_ended() {
    for good in [json!(NOW + 1), json!(NOW - 59), json!(NOW as f64 + 0.5), json!(1e300)] {
        assert!(judged(&with("exp", good.clone())).is_ok(), "{good}");
    }
    for (ago, what) in [(60, "the leeway"), (360, "six minutes"), (604_800, "a week")] {
        let judged = judged(&with("exp", json!(NOW - ago)));
        assert_eq!(judged, Err(IdTokenError::Expired(ago)), "{what}");
    }
    assert_eq!(judged(&with("exp", json!(-1e300))), Err(IdTokenError::Expired(i64::MAX)));
    for good in [NOW - 600, NOW + 600] {
        assert!(judged(&with("iat", json!(good))).is_ok(), "{good}");
    }
    for away in [601, 3600, 604_800] {
        for iat in [NOW - away, NOW + away] {
            assert_eq!(judged(&with("iat", json!(iat))), Err(IdTokenError::IssuedAt(away)));
        }
    }
    assert!(matches!(judged(&with("iat", json!(0))), Err(IdTokenError::IssuedAt(_))));
    // In thousandths of a second, as some servers slip.
    assert!(matches!(judged(&with("iat", json!(NOW * 1000))), Err(IdTokenError::IssuedAt(_))));
    for name in ["exp", "iat"] {
        for none in [Value::Null, json!("1780300900"), json!([NOW])] {
            assert_eq!(judged(&with(name, none)), Err(IdTokenError::Claim(name)));
        }
    }
    assert!(judged(&with("nbf", json!(NOW + 60))).is_ok());
    assert_eq!(judged(&with("nbf", json!(NOW + 61))), Err(IdTokenError::NotBefore(61)));
    assert_eq!(judged(&with("nbf", json!("x"))), Err(IdTokenError::Claim("nbf")));
}

#[test] // OI6, AR17
fn the_nonce_that_was_sent_comes_back() {
    for none in [Value::Null, json!(7), json!(["n0nce"])] {
        assert_eq!(judged(&with("nonce", none)), Err(IdTokenError::Claim("nonce")));
    }
    for other in ["n0nc", "n0nce1", "N0NCE", ""] {
        assert_eq!(judged(&with("nonce", json!(other))), Err(IdTokenError::Nonce), "{other}");
    }
}

#[test] // OI7
fn a_subject_is_there_and_can_be_shown_as_it_is() {
    assert!(judged(&with("sub", json!("x".repeat(255)))).is_ok());
    let bad = [
        Value::Null,
        json!(""),
        json!(7),
        json!(["pat-7"]),
        json!("x".repeat(256)),
        json!("pat-7\u{200b}"),
        json!("a\u{1b}[2Kb"),
        json!(" pat-7"),
        json!("pat\n7"),
    ];
    for sub in bad {
        assert_eq!(judged(&with("sub", sub)), Err(IdTokenError::Claim("sub")));
    }
}

#[test] // OI9
fn an_access_token_hash_is_of_this_access_token() {
    use SignatureAlgorithm::{ES256, ES384, EdDSA, RS512};
    let hash = |text: &str| with("at_hash", json!(text));
    // The standard's own example.
    assert!(judged(&hash("77QmUPtjPfzWtF2AnpK9RQ")).is_ok());
    assert!(judged_as(&hash("77QmUPtjPfzWtF2AnpK9RQ"), None, ES256).is_ok());
    for bad in ["77QmUPtjPfzWtF2AnpK9RR", "77QmUPtjPfzWtF2AnpK9RQ==", ""] {
        assert_eq!(judged(&hash(bad)), Err(IdTokenError::AccessTokenHash), "{bad}");
    }
    assert_eq!(judged(&with("at_hash", json!(7))), Err(IdTokenError::Claim("at_hash")));
    for (algorithm, length) in [(ES384, 32), (RS512, 43), (EdDSA, 43)] {
        let own = hash_of(algorithm, &Secret::new(ACCESS_TOKEN));
        assert_eq!(own.len(), length);
        assert!(judged_as(&hash(&own), None, algorithm).is_ok());
        let of_another = judged_as(&hash("77QmUPtjPfzWtF2AnpK9RQ"), None, algorithm);
        assert_eq!(of_another, Err(IdTokenError::AccessTokenHash));
    }
}

#[test] // OI10
fn a_sign_in_is_as_new_as_it_was_asked_to_be() {
    let judged = |claims, max_age| judged_as(&claims, max_age, SignatureAlgorithm::RS256);
    assert!(judged(with("auth_time", json!(NOW - 9000)), None).is_ok(), "nobody asked");
    assert!(judged(with("auth_time", json!(NOW - 360)), Some(300)).is_ok());
    let late = judged(with("auth_time", json!(NOW - 361)), Some(300));
    assert_eq!(late, Err(IdTokenError::TooLongAgo { found: 361, asked: 300 }));
    assert!(judged(with("auth_time", json!(NOW)), Some(u64::MAX)).is_ok());
    assert!(judged(with("auth_time", json!(NOW - 61)), Some(0)).is_err());
    for none in [Value::Null, json!("now")] {
        assert_eq!(
            judged(with("auth_time", none), Some(300)),
            Err(IdTokenError::Claim("auth_time"))
        );
    }
}

#[test] // RF20
fn a_refresh_keeps_issuer_subject_and_audience() {
    let judged = |claims| same_as_before(&claims, "https://as.example/t", "me", "pat-7");
    assert_eq!(judged(claims()), Ok(()));
    assert_eq!(judged(with("aud", json!(["me", "you"]))), Ok(()));
    assert_eq!(judged(with("nonce", Value::Null)), Ok(()));
    for (name, other) in [("iss", "https://as.example/t1"), ("sub", "pat-8"), ("aud", "you")] {
        assert_eq!(judged(with(name, json!(other))), Err(name));
        assert_eq!(judged(with(name, Value::Null)), Err(name));
    }
}

#[test]
fn what_is_told_of_a_claim_is_clean() {
    let error = judged(&with("iss", json!("https://\u{1b}[2Jevil\u{202e}"))).unwrap_err();
    assert_eq!(error.to_string(), "its `iss` is `https://evil`, not `https://as.example/t`");
}
