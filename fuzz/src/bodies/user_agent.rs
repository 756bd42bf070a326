//! The redirection endpoint reads requests in private: its file is compiled here as it stands.

#[allow(dead_code, reason = "the endpoint uses more of it")]
#[path = "../../../src/user_agent/callback_request.rs"]
mod callback_request;

use callback_request::{Expected, OwnPaths, Purpose};
use hyper::http::request::Parts;
use keyfob::provider::schema::ResponseMode;
use keyfob::user_agent::{callback_query, redirect_uri};

/// The parameters of a request that is the browser's return.
pub fn returned(place: &redirect_uri::Loopback, request: &Parts) -> Option<Vec<(String, String)>> {
    let expected = Expected::new(
        place,
        8976,
        ResponseMode::Query,
        OwnPaths { outcome: "/outcome".to_owned(), start: "/start".to_owned() },
    );
    match expected.purpose(request) {
        Ok(Purpose::Callback(query)) => Some(query.into_pairs()),
        Ok(Purpose::Outcome | Purpose::Form | Purpose::Start) | Err(_) => None,
    }
}
