//! The schemes of the field, with the vectors that their authors publish, and what must not pass.

use super::*;
use crate::provider::catalogue::shipped;
use crate::provider::file;
use crate::secret::Secret;
use crate::webhook::KeyError;

/// A scheme as a user's provider file says it.
fn scheme(table: &str) -> Webhook {
    let text = format!(
        "schema = 1\nname = \"x\"\nflows = [\"import\"]\n[token]\nurl = \"https://x.example/t\"\n[api]\nbase_url = \"https://x.example\"\n[webhook]\n{table}"
    );
    file::read("x.toml", &text).unwrap_or_else(|error| panic!("{error}")).webhook.unwrap()
}

fn key(webhook: &Webhook, secret: &str) -> Key {
    Key::new(webhook, &Secret::new(secret)).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn inkress() -> Webhook {
    shipped("inkress").unwrap().unwrap().webhook.unwrap()
}

fn github() -> Webhook {
    scheme("encoding = \"hex\"\nsignature_header = \"X-Hub-Signature-256\"\nprefix = \"sha256=\"")
}

fn stripe() -> Webhook {
    scheme(
        "encoding = \"hex\"\nsignature_header = \"Stripe-Signature\"\nseparator = \",\"\nprefix = \"v1=\"\ntimestamp_prefix = \"t=\"\nsigned = \"{timestamp}.{body}\"\ntolerance = 300",
    )
}

fn standard_webhooks() -> Webhook {
    scheme(
        "encoding = \"base64\"\nsignature_header = \"webhook-signature\"\nseparator = \" \"\nprefix = \"v1,\"\nsigned = \"{id}.{timestamp}.{body}\"\nid_header = \"webhook-id\"\ntimestamp_header = \"webhook-timestamp\"\nkey = \"base64\"\nkey_prefix = \"whsec_\"",
    )
}

fn signed_by<'a>(signature: &'a str, body: &'a [u8]) -> Delivered<'a> {
    Delivered { signature: Some(signature), body, ..Delivered::default() }
}

/// Validating webhook deliveries, GitHub Docs, "Testing the webhook payload validation".
#[test]
fn github_as_its_documentation_tests_it() {
    let (webhook, body) = (github(), b"Hello, World!");
    let key = key(&webhook, "It's a Secret to Everybody");
    let header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(sign(&webhook, &key, None, None, body).unwrap(), header);
    assert_eq!(verify(&webhook, &key, &signed_by(header, body), at(0)), Ok(()));
    let upper = format!("sha256={}", header.trim_start_matches("sha256=").to_uppercase());
    assert_eq!(verify(&webhook, &key, &signed_by(&upper, body), at(0)), Ok(()));
    for (other, why) in [
        (header.trim_start_matches("sha256="), Unverified::Unreadable),
        ("sha256=", Unverified::Unreadable),
        ("sha256=zz", Unverified::Unreadable),
        ("sha256=75", Unverified::Mismatch),
        (&header[..header.len() - 2], Unverified::Mismatch),
        (&format!("{header}00"), Unverified::Mismatch),
        ("", Unverified::NoSignature),
        (" ", Unverified::NoSignature),
    ] {
        assert_eq!(verify(&webhook, &key, &signed_by(other, body), at(0)), Err(why), "{other}");
    }
}

/// The example of the Standard Webhooks specification and of Svix's documentation.
#[test]
fn standard_webhooks_as_its_specification_shows_it() {
    let webhook = standard_webhooks();
    let key = key(&webhook, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let (id, time) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
    let body = b"{\"test\": 2432232314}";
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(sign(&webhook, &key, Some(id), Some(time), body).unwrap(), signature);
    let delivered =
        Delivered { signature: Some(signature), timestamp: Some(time), id: Some(id), body };
    assert_eq!(verify(&webhook, &key, &delivered, at(1_614_265_330)), Ok(()));
    // Rotation: the old key's signature, another scheme's and this one, in any order.
    let several = format!(
        "v1,bm9uZQ== v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== {signature}"
    );
    let rotated = Delivered { signature: Some(&several), ..delivered };
    assert_eq!(verify(&webhook, &key, &rotated, at(1_614_265_330)), Ok(()));
    let cases = [
        (Delivered { id: None, ..delivered }, Unverified::NoId),
        (Delivered { id: Some("msg_other"), ..delivered }, Unverified::Mismatch),
        (Delivered { timestamp: None, ..delivered }, Unverified::NoTimestamp),
        (Delivered { timestamp: Some("now"), ..delivered }, Unverified::UnreadableTimestamp),
        (Delivered { timestamp: Some("1614265331"), ..delivered }, Unverified::Mismatch),
        (Delivered { signature: Some("v2,AAAA"), ..delivered }, Unverified::Unreadable),
    ];
    for (delivered, why) in cases {
        assert_eq!(verify(&webhook, &key, &delivered, at(1_614_265_330)), Err(why));
    }
}

/// The trap: the same secret is a key's text at Inkress and base64 in Standard Webhooks.
#[test] // RR26
fn inkress_signs_with_the_secret_as_it_stands() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let webhook = inkress();
    // printf '%s' BODY | openssl dgst -sha256 -hmac SECRET -binary | base64
    let body = b"{\"event\":\"orders.paid\",\"merchant_id\":183}";
    let signature = "N31l0LSOW1fFgyCGcQCrRfKoseqxJgjCJU6KnzGpg58=";
    let made = sign(&webhook, &key(&webhook, secret), None, None, body).unwrap();
    assert_eq!(made, signature);
    let as_base64 = Webhook {
        key: crate::provider::schema::KeyForm::Base64,
        key_prefix: "whsec_".into(),
        ..inkress()
    };
    assert_ne!(sign(&as_base64, &key(&as_base64, secret), None, None, body).unwrap(), made);
}

#[test] // RR26
fn one_changed_bit_anywhere_is_a_no() {
    let webhook = inkress();
    let key = key(&webhook, "whsec_one");
    let body = b"{\"a\":1.0,\r\n\"b\":\"\x00\xff\"}".to_vec();
    let signature = sign(&webhook, &key, None, None, &body).unwrap();
    assert_eq!(verify(&webhook, &key, &signed_by(&signature, &body), at(0)), Ok(()));
    for bit in 0..body.len() * 8 {
        let mut flipped = body.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let judged = verify(&webhook, &key, &signed_by(&signature, &flipped), at(0));
        assert_eq!(judged, Err(Unverified::Mismatch), "bit {bit}");
    }
    let other = super::super::Key::new(&webhook, &Secret::new("whsec_onf")).unwrap();
    let judged = verify(&webhook, &other, &signed_by(&signature, &body), at(0));
    assert_eq!(judged, Err(Unverified::Mismatch));
}

/// Nothing is written anew: another order, another number, a line break more are other bytes.
#[test] // RR26
fn the_same_json_in_other_bytes_is_a_no() {
    let webhook = inkress();
    let key = key(&webhook, "whsec_one");
    let body = b"{\"total\":10.0,\"id\":1}";
    let signature = sign(&webhook, &key, None, None, body).unwrap();
    let others: [&[u8]; 6] = [
        b"{\"id\":1,\"total\":10.0}",
        b"{\"total\":10,\"id\":1}",
        b"{\"total\": 10.0, \"id\": 1}",
        b"{\"total\":10.0,\"id\":1}\n",
        b"\xef\xbb\xbf{\"total\":10.0,\"id\":1}",
        b"",
    ];
    for other in others {
        let judged = verify(&webhook, &key, &signed_by(&signature, other), at(0));
        assert_eq!(judged, Err(Unverified::Mismatch));
    }
    let empty = sign(&webhook, &key, None, None, b"").unwrap();
    assert_eq!(verify(&webhook, &key, &signed_by(&empty, b""), at(0)), Ok(()));
}

#[test]
fn a_timestamp_is_judged_in_both_directions() {
    let webhook = stripe();
    let key = key(&webhook, "whsec_stripe_secret_is_text_too");
    let body = b"{\"id\":\"evt_test\"}";
    let header = sign(&webhook, &key, None, Some("1700000000"), body).unwrap();
    assert!(header.starts_with("t=1700000000,v1="), "{header}");
    let judged = |now| verify(&webhook, &key, &signed_by(&header, body), at(now));
    assert_eq!(judged(1_700_000_000), Ok(()));
    assert_eq!(judged(1_700_000_300), Ok(()));
    assert_eq!(judged(1_700_000_301), Err(Unverified::TooOld { seconds: 301 }));
    assert_eq!(judged(1_699_999_700), Ok(()));
    assert_eq!(judged(1_699_999_699), Err(Unverified::TooNew { seconds: 301 }));
    // The age of what does not verify is not even looked at.
    let forged = header.replace("t=1700000000", "t=1700009999");
    let judged = verify(&webhook, &key, &signed_by(&forged, body), at(1_700_009_999));
    assert_eq!(judged, Err(Unverified::Mismatch));
    let twice = format!("t=1,{header}");
    let judged = verify(&webhook, &key, &signed_by(&twice, body), at(1_700_000_000));
    assert_eq!(judged, Err(Unverified::NoTimestamp));
    // Older signatures of a rolling secret, and the test scheme `v0`, stand beside the one that fits.
    let several = header.replace(",v1=", ",v1=00ff,v0=11,v1=");
    assert_eq!(verify(&webhook, &key, &signed_by(&several, body), at(1_700_000_000)), Ok(()));
}

/// Other vendors' ways, each against a hash that OpenSSL made of the same bytes.
#[test]
fn the_other_schemes_of_the_field() {
    let shopify = "encoding = \"base64\"\nsignature_header = \"X-Shopify-Hmac-Sha256\"";
    let pagerduty = "encoding = \"hex\"\nsignature_header = \"X-PagerDuty-Signature\"\nseparator = \",\"\nprefix = \"v1=\"";
    let slack = "encoding = \"hex\"\nsignature_header = \"X-Slack-Signature\"\nprefix = \"v0=\"\nsigned = \"v0:{timestamp}:{body}\"\ntimestamp_header = \"X-Slack-Request-Timestamp\"";
    let old_github = "algorithm = \"hmac_sha1\"\nencoding = \"hex\"\nsignature_header = \"X-Hub-Signature\"\nprefix = \"sha1=\"";
    let sha512 = "algorithm = \"hmac_sha512\"\nencoding = \"hex\"\nsignature_header = \"X-S\"\nkey = \"hex\"";
    let cases: [(&str, &str, Option<&str>, &str); 5] = [
        (shopify, "hush", None, "9rH31uuj5hhqmm7KlJIz5n9aIw1kbT9bj4DsOKYfVTI="),
        (
            pagerduty,
            "hush",
            None,
            "v1=f6b1f7d6eba3e6186a9a6eca949233e67f5a230d646d3f5b8f80ec38a61f5532",
        ),
        (
            slack,
            "hush",
            Some("1531420618"),
            "v0=c6513f9a4d771e50dae864a38052a45c672428d82bbc5d69f81bb9bd28aa69d4",
        ),
        (old_github, "hush", None, "sha1=0224505647970a42719570937ec282fa1ecbbe2a"),
        (
            sha512,
            "68757368",
            None,
            "0900e1d77d70c2da8ae4c6b5a91720b068b0c9955c1d39dafbe95d41d4bed28a2d5ab7a84daff2f636296e627f8bab95eeb6da2cbdf45de4d148211da5eafe21",
        ),
    ];
    for (table, secret, time, expected) in cases {
        let webhook = scheme(table);
        let key = key(&webhook, secret);
        let body = b"token=x&text=a+b";
        let made = sign(&webhook, &key, None, time, body).unwrap();
        assert_eq!(made, expected, "{table}");
        let delivered = Delivered { timestamp: time, ..signed_by(&made, body) };
        assert_eq!(verify(&webhook, &key, &delivered, at(1_531_420_618)), Ok(()), "{table}");
    }
    let webhook = scheme(pagerduty);
    let key = key(&webhook, "hush");
    let one = sign(&webhook, &key, None, None, b"x").unwrap();
    let list = format!("v1=00, {one},v2=11");
    assert_eq!(verify(&webhook, &key, &signed_by(&list, b"x"), at(0)), Ok(()));
}

/// Without this, what was signed as one id and body could be read as another id and body.
#[test]
fn an_id_that_reaches_into_what_follows_is_refused() {
    let webhook = standard_webhooks();
    let key = key(&webhook, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let body = b"a.1700000100.b";
    let signature = sign(&webhook, &key, Some("msg"), Some("1700000000"), body).unwrap();
    let shifted = Delivered {
        signature: Some(&signature),
        id: Some("msg.1700000000.a"),
        timestamp: Some("1700000100"),
        body: b"b",
    };
    let judged = verify(&webhook, &key, &shifted, at(1_700_000_100));
    assert_eq!(judged, Err(Unverified::Ambiguous));
    let unsigned = sign(&webhook, &key, Some("a.b"), Some("1"), b"");
    assert_eq!(unsigned, Err(Unsignable::Ambiguous));
}

#[test]
fn nothing_is_signed_without_what_belongs_to_it() {
    let webhook = standard_webhooks();
    let key = key(&webhook, "AAAA");
    assert_eq!(sign(&webhook, &key, None, Some("1"), b""), Err(Unsignable::NoId));
    assert_eq!(sign(&webhook, &key, Some("a"), None, b""), Err(Unsignable::Timestamp));
    assert_eq!(sign(&webhook, &key, Some("a"), Some("x"), b""), Err(Unsignable::Timestamp));
}

#[test] // LG6
fn a_secret_that_is_no_key_is_refused_and_a_key_is_never_shown() {
    let refused = |webhook: &Webhook, secret| Key::new(webhook, &Secret::new(secret)).err();
    assert_eq!(refused(&inkress(), ""), Some(KeyError::Empty));
    assert_eq!(refused(&standard_webhooks(), "whsec_"), Some(KeyError::Empty));
    assert_eq!(refused(&standard_webhooks(), "whsec_%%%"), Some(KeyError::NotBase64));
    let hex = scheme("encoding = \"hex\"\nsignature_header = \"S\"\nkey = \"hex\"");
    assert_eq!(refused(&hex, "abc"), Some(KeyError::NotHexadecimal));
    assert_eq!(format!("{:?}", key(&inkress(), "whsec_mark")), "[hidden]");
}
