//! What a browser, or a person with a clipboard, brings back.

use std::str::FromStr as _;

use keyfob::authorization_server::Wanted;
use keyfob::authorization_server::authorization_request::Transaction;
use keyfob::authorization_server::authorization_response::{Judgement, judge};
use keyfob::secret::Secret;
use keyfob::user_agent::paste::{Pasted, parse_pasted};
use keyfob::user_agent::redirect_uri::{Place, RedirectUri};

use super::user_agent;

const REDIRECT_URI: &str = "http://127.0.0.1:8976/callback?shop=1";
const STATE: &str = "0123456789abcdef0123456789abcdef";

/// A request line and headers, as a browser or anybody else on this machine sends them.
pub fn request(bytes: &[u8]) {
    let (line, rest) = super::head_and_rest(bytes);
    let line = super::text(line);
    let mut words = line.split(' ');
    let mut request = hyper::Request::builder()
        .method(words.next().unwrap_or_default())
        .uri(words.next().unwrap_or_default());
    for header in rest.split(|byte| *byte == b'\n').take(100) {
        let colon = header.iter().position(|byte| *byte == b':').unwrap_or(header.len());
        let value = header.get(colon + 1..).unwrap_or_default();
        request = request.header(&header[..colon], value.trim_ascii());
    }
    let Ok(request) = request.body(()) else { return };
    let redirect_uri = redirect_uri();
    let Place::Loopback(loopback) = redirect_uri.place() else { unreachable!("it is loopback") };
    if let Some(pairs) = user_agent::returned(loopback, &request.into_parts().0) {
        judged(&pairs);
    }
}

/// What a person pastes: a whole address, a query, a bare code.
pub fn pasted(bytes: &[u8]) {
    let text = super::text(bytes);
    match parse_pasted(&text, &redirect_uri()) {
        Pasted::Query(query) => judged(&query.into_pairs()),
        Pasted::BareCode(code) => assert!(code.expose().len() <= text.len()),
        Pasted::Unusable(_) => {}
    }
}

/// Only the right `state` ends the wait, whatever else stands there.
fn judged(pairs: &[(String, String)]) {
    let transaction = Transaction {
        state: Secret::new(STATE),
        state_may_be_dropped: false,
        code_verifier: None,
        redirect_uri: REDIRECT_URI.to_owned(),
        scopes: Vec::new(),
        wanted: Wanted::default(),
        issuer: None,
        iss_required: false,
        dpop_jkt: None,
        nonce: None,
    };
    let states = pairs.iter().filter(|(name, value)| name == "state" && value == STATE).count();
    match judge(pairs, &transaction) {
        Judgement::NotOurs(_) => {}
        _ => assert_eq!(states, 1, "{pairs:?}"),
    }
}

fn redirect_uri() -> RedirectUri {
    RedirectUri::from_str(REDIRECT_URI).expect("it is one")
}
