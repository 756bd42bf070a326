//! What is written is read again as it was, whatever it was: every pair of an encoder and a decoder.
//!
//! The cases are the same in every run; `PROPTEST_CASES=10000 cargo test properties::` tries more.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use keyfob::authorization_server::{dialect, pkce};
use keyfob::clock::SystemClock;
use keyfob::connection::Entry;
use keyfob::connection::sync::cursor::{Cursor, Place};
use keyfob::http::printable::LONGEST;
use keyfob::http::{printable, retry_after};
use keyfob::profile::scopes;
use keyfob::provider::schema::{BodyFormat, Webhook};
use keyfob::provider::{Provider, catalogue, file, metadata};
use keyfob::random::{Random, SystemRandom, token_256, uuid_v4};
use keyfob::resource_server::items::Field;
use keyfob::resource_server::{Items, link_header, www_authenticate};
use keyfob::secret::Secret;
use keyfob::store::journal::{Journal, Recovered};
use keyfob::store::key::Key;
use keyfob::store::lock::Lock;
use keyfob::store::seal;
use keyfob::system::Home;
use keyfob::token_set::TokenSet;
use keyfob::user_agent::callback_query::CallbackQuery;
use keyfob::user_agent::paste::{Pasted, parse_pasted};
use keyfob::webhook::{self, Delivered};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use url::form_urlencoded::Serializer;

/// So many cases, the same ones each time.
fn cases(cases: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    // Where somebody asks for more, there are more.
    let cases = if usual.cases == 256 { cases } else { usual.cases };
    ProptestConfig { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(4), ..usual }
}

/// Any text, line ends and all.
fn any_text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..40).prop_map(String::from_iter)
}

/// What RFC 6749 calls a token: visible ASCII.
fn token() -> impl Strategy<Value = String> {
    "[!-~]{1,80}"
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((any_text(), any_text()), 0..6)
}

fn moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000).prop_map(|seconds| Timestamp::from_second(seconds).unwrap())
}

/// Gives bytes that are known.
struct Known(Vec<u8>);

impl Random for Known {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0[..bytes.len()]);
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test] // TQ2
    fn a_token_request_in_either_dialect_says_what_it_was_given(
        parameters in btree_map(any_text(), any_text(), 0..6)
    ) {
        let given: Vec<(String, Secret)> =
            parameters.iter().map(|(name, value)| (name.clone(), Secret::new(value))).collect();
        let form = dialect::body(BodyFormat::Form, &given);
        let read: BTreeMap<String, String> =
            url::form_urlencoded::parse(form.text.expose().as_bytes()).into_owned().collect();
        prop_assert_eq!(&read, &parameters);
        let json = dialect::body(BodyFormat::Json, &given);
        let read: BTreeMap<String, String> = serde_json::from_str(json.text.expose()).unwrap();
        prop_assert_eq!(&read, &parameters);
    }

    #[test]
    fn what_is_sealed_opens_under_its_key_and_words_alone(
        text in vec(any::<u8>(), 0..3000), about in vec(any_text(), 0..4), other in any_text()
    ) {
        let about: Vec<&str> = about.iter().map(String::as_str).collect();
        let key = Key::random(&SystemRandom);
        let sealed = seal::seal(&key, &SystemRandom, &about, &text);
        prop_assert_eq!(&**seal::open(&key, &about, &sealed).unwrap(), text.as_slice());
        let more = [about, vec![other.as_str()]].concat();
        prop_assert!(seal::open(&key, &more, &sealed).is_err());
        prop_assert!(seal::open(&Key::random(&SystemRandom), &more[..more.len() - 1], &sealed).is_err());
        let longer = [sealed.clone(), text].concat();
        prop_assert_eq!(seal::extent(&longer), Ok(sealed.len()));
    }

    #[test]
    fn a_key_comes_back_from_its_text(bytes in vec(any::<u8>(), 32)) {
        let key = Key::random(&Known(bytes));
        prop_assert!(Key::decode(&key.encode()).unwrap() == key);
    }

    #[test] // TS13
    fn an_entry_comes_back_as_it_was(
        access in token(), refresh in option::of(token()),
        granted in option::of(vec(token(), 0..4)),
        (issued, access_end, refresh_end) in (moment(), option::of(moment()), option::of(moment())),
        contexts in btree_map(any_text(), any_text(), 0..4),
        secrets in btree_map(any_text(), any_text(), 0..4),
    ) {
        let mut entry = Entry::empty(&SystemRandom);
        entry.secrets.extend(secrets.into_iter().map(|(name, value)| (name, Secret::new(value))));
        entry.adopt(TokenSet {
            access_token: Secret::new(access),
            refresh_token: refresh.map(Secret::new),
            granted,
            issued_at: issued,
            access_expires_at: access_end,
            refresh_expires_at: refresh_end,
            contexts: contexts.into_iter().map(|(name, value)| (name, value.into())).collect(),
            authorization_details: Vec::new(),
        });
        prop_assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap(), entry);
    }

    #[test]
    fn scopes_are_split_where_they_were_joined(
        names in vec("[!#-+\\--\\[\\]-~]{1,12}", 0..8), separator in "[ ,\n\t]{1,3}"
    ) {
        let provider = Provider { scope: Vec::new(), ..shipped("inkress") };
        let mut once: Vec<String> = Vec::new();
        names.iter().for_each(|name| if !once.contains(name) { once.push(name.clone()) });
        prop_assert_eq!(scopes::read(&provider, [names.join(&separator).as_str()]), Ok(once));
    }

    #[test]
    fn the_next_page_is_found_beside_any_other_link(
        target in "/[a-z0-9/?=&;,.]{0,30}", title in any_text(), before in 0_usize..3
    ) {
        prop_assume!(!title.contains(['\r', '\n']));
        let title = title.replace('\\', r"\\").replace('"', "\\\"");
        let other = format!("<https://x.example/a,b;c>; title=\"{title}\"; rel=\"last\", ").repeat(before);
        let header = format!("{other}<{target}>; title=\"{title}\"; rel=\"prev next\"");
        prop_assert_eq!(link_header::next([header.as_str()]), Some(target.as_str()));
    }

    #[test]
    fn a_quoted_string_says_what_was_quoted(text in any_text(), name in "[a-z_]{1,9}") {
        let quoted = text.replace('\\', r"\\").replace('"', "\\\"");
        let header = format!("Basic realm=x, Bearer {name}=\"{quoted}\", z=1");
        let challenges = www_authenticate::parse([header.as_str()]);
        prop_assert_eq!(challenges.len(), 2);
        prop_assert_eq!(challenges[1].parameter(&name), Some(text.as_str()));
    }

    #[test] // RR13
    fn a_wait_in_seconds_and_the_same_as_a_date_are_one(now in moment(), seconds in 0_u64..10_000) {
        let wait = Some(Duration::from_secs(seconds).min(retry_after::LONGEST));
        prop_assert_eq!(retry_after::retry_after(&seconds.to_string(), now), wait);
        let then = now + Duration::from_secs(seconds);
        let date = httpdate::fmt_http_date(then.into());
        prop_assert_eq!(retry_after::retry_after(&date, now), wait);
    }

    #[test]
    fn an_item_says_what_was_typed(name in any_text(), value in any_text()) {
        // The name's own separators are escaped, as the help says; what begins like a path or URL is one.
        let mut typed = String::new();
        for character in name.chars() {
            if matches!(character, ':' | '=' | '@' | ';' | '\\') {
                typed.push('\\');
            }
            typed.push(character);
        }
        prop_assume!(!name.is_empty() && !typed.starts_with('/') && !value.starts_with(['=', '@']));
        let none = |_: &str| unreachable!("no file is named");
        let read = |item: String| Items::parse([item.as_str()], &none).unwrap();
        prop_assert_eq!(&read(format!("{typed}={value}")).fields, &[(name.clone(), Field::Text(value.clone()))]);
        prop_assert_eq!(&read(format!("{typed}=={value}")).query, &[(name.clone(), value.clone())]);
        let json = serde_json::Value::from(value.as_str()).to_string();
        prop_assert_eq!(&read(format!("{typed}:={json}")).fields, &[(name, Field::Text(value))]);
    }

    #[test]
    fn a_response_says_what_the_server_put_into_it(pairs in pairs()) {
        let query = Serializer::new(String::new()).extend_pairs(&pairs).finish();
        prop_assert_eq!(CallbackQuery::parse(&query, None).unwrap().into_pairs(), pairs.clone());
        let redirect_uri = "http://127.0.0.1/callback".parse().unwrap();
        let all: Vec<_> = pairs.into_iter().chain([("code".into(), "c".into())]).collect();
        let query = Serializer::new(String::new()).extend_pairs(&all).finish();
        let pasted = parse_pasted(&format!("http://127.0.0.1/callback?{query}"), &redirect_uri);
        prop_assert!(matches!(&pasted, Pasted::Query(read) if read.pairs() == all), "{:?}", pasted);
    }

    #[test] // ER2
    fn printable_text_is_printable_and_stays_as_it_is(text in any_text(), often in 1_usize..20) {
        let shown = printable(&text.repeat(often));
        prop_assert!(shown.chars().count() <= LONGEST);
        prop_assert!(!shown.chars().any(char::is_control));
        let hidden = ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\u{2028}'];
        prop_assert!(!shown.contains(hidden));
        prop_assert_eq!(printable(&shown), shown);
    }

    #[test]
    fn state_and_verifier_hold_every_bit_in_characters_that_nothing_escapes(bytes in vec(any::<u8>(), 32)) {
        use base64::Engine as _;
        let state = token_256(&Known(bytes.clone()));
        prop_assert_eq!(state.len(), 43);
        prop_assert!(state.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        prop_assert_eq!(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&state).unwrap(), bytes.clone());
        let challenge = pkce::code_challenge(&Secret::new(state));
        prop_assert_eq!(challenge.len(), 43);
        let uuid = uuid_v4(&Known(bytes));
        prop_assert!(uuid.len() == 36 && &uuid[14..15] == "4", "{}", uuid);
    }

    #[test]
    fn a_delivery_that_was_signed_passes_and_any_other_does_not(
        scheme in 0..schemes().len(), secret in "[A-Za-z0-9]{40}",
        body in vec(any::<u8>(), 0..300), id in "[a-z0-9_]{1,20}", at in moment(), place in any::<prop::sample::Index>()
    ) {
        let scheme = &schemes()[scheme];
        let key = webhook::Key::new(scheme, &Secret::new(secret)).unwrap();
        let timestamp = webhook::timestamp_of(scheme, at);
        let (id, timestamp) = (Some(id.as_str()), timestamp.as_deref());
        let signature = webhook::sign(scheme, &key, id, timestamp, &body).unwrap();
        let delivered = Delivered { signature: Some(&signature), timestamp, id, body: &body };
        prop_assert_eq!(webhook::verify(scheme, &key, &delivered, at), Ok(()));
        let mut other = [body.as_slice(), b"."].concat();
        let judged = |body: &[u8]| webhook::verify(scheme, &key, &Delivered { body, ..delivered }, at);
        prop_assert!(judged(&other).is_err());
        let place = place.index(other.len());
        other[place] ^= 1;
        prop_assert!(judged(&other).is_err());
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test] // RF4
    fn an_answer_comes_back_from_its_journal(
        answer in vec(any::<u8>(), 0..5000), profile in any_text(), generation in any::<u64>()
    ) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("journal");
        let key = Key::random(&SystemRandom);
        let mut journal = Journal::claim(&folder, &profile, generation).unwrap().unwrap().fill().unwrap();
        journal.record(&key, &SystemRandom, &answer).unwrap();
        let found = Journal::recover(&folder, &profile, generation, &key).unwrap();
        prop_assert_eq!(found, Recovered::Answer(answer.into()));
    }

    #[test]
    fn a_cursor_comes_back_from_its_file(
        (profile, path, name) in ("[a-z]{1,8}", any_text(), any_text()), query in pairs(),
        since in option::of(moment()), seen in vec(any_text(), 0..5), account in btree_map(any_text(), any_text(), 0..3)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(&Home::under(folder.path()), &profile, &path, &name);
        let account = account.into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut cursor = Cursor::new(&place, query, account);
        (cursor.since, cursor.seen) = (since, seen);
        let lock = Lock::try_take(&place.lock_path().unwrap(), &SystemClock).unwrap().unwrap();
        place.write(&lock, &cursor).unwrap();
        prop_assert_eq!(place.read().unwrap(), Some(cursor));
    }

    #[test]
    fn a_provider_is_the_same_from_toml_and_from_json(
        words in vec(any_text(), 3), params in btree_map("[a-z]{1,6}", any_text(), 0..4)
    ) {
        let mut table: toml::Table = toml::from_str(catalogue::text("inkress").unwrap()).unwrap();
        table.insert("title".into(), words[0].as_str().into());
        table.insert("summary".into(), words[1].as_str().into());
        table.insert("docs".into(), vec![words[2].as_str()].into());
        let headers = params.into_iter().map(|(name, value)| (name, value.into()));
        let token = table["token"].as_table_mut().unwrap();
        token.insert("params".into(), toml::Value::Table(headers.collect()));
        let from_toml: Provider = file::read("inkress.toml", &toml::to_string(&table).unwrap()).unwrap();
        // As `build.rs` does it for the shipped ones.
        let from_json: Provider = serde_json::from_slice(&serde_json::to_vec(&table).unwrap()).unwrap();
        prop_assert_eq!(&from_json, &from_toml);
        let again: Provider = serde_json::from_slice(&serde_json::to_vec(&from_toml).unwrap()).unwrap();
        prop_assert_eq!(again, from_toml);
    }

    #[test] // DS4
    fn a_provider_file_from_metadata_says_what_the_metadata_said(
        path in "[a-z0-9/]{0,12}", scopes in vec("[a-z:._-]{1,9}", 0..5),
        grants in prop::sample::subsequence(vec!["authorization_code", "client_credentials", "refresh_token"], 1..=3),
        methods in prop::sample::subsequence(vec!["none", "client_secret_basic", "client_secret_post"], 1..=3),
    ) {
        prop_assume!(grants != ["refresh_token"]);
        let issuer = "https://issuer.example";
        let document = serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/a{path}"),
            "token_endpoint": format!("{issuer}/t{path}"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": grants,
            "token_endpoint_auth_methods_supported": methods,
            "scopes_supported": scopes,
        });
        let read = metadata::read(issuer, document.to_string().as_bytes()).unwrap();
        let provider = read.provider("mine");
        let written = metadata::to_toml(&provider);
        let again = file::read("mine.toml", &written).unwrap();
        prop_assert_eq!(again, provider, "{}", written);
    }
}

fn shipped(name: &str) -> Provider {
    catalogue::shipped(name).unwrap().unwrap()
}

/// Every hash, both encodings, and timestamps in the header, beside it, and nowhere.
fn schemes() -> Vec<Webhook> {
    let mut schemes: Vec<Webhook> =
        catalogue::names().filter_map(|name| shipped(name).webhook).collect();
    for algorithm in ["hmac_sha256", "hmac_sha1", "hmac_sha512"] {
        for encoding in ["hex", "base64"] {
            for more in [
                serde_json::json!({}),
                serde_json::json!({"separator": ",", "prefix": "v1=", "timestamp_prefix": "t=",
                    "signed": "{timestamp}.{body}", "tolerance": 300}),
                serde_json::json!({"separator": " ", "prefix": "v1,", "id_header": "i", "timestamp_header": "t",
                    "signed": "{id}.{timestamp}.{body}", "key": "base64"}),
            ] {
                let mut scheme = serde_json::json!({"algorithm": algorithm, "encoding": encoding, "signature_header": "s"});
                scheme.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                schemes.push(serde_json::from_value(scheme).unwrap());
            }
        }
    }
    schemes
}
