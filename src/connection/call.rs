//! A call with a token that is good now: sent, after one refusal refreshed and sent once more, repeated where that is safe.

mod error;
mod pausing;
mod refusal;
mod refused;
mod sending;

use std::time::Duration;

use super::Connection;
use super::entry::Entry;
use super::share::Share;
use crate::http::Streaming;
use crate::resource_server::ApiRequest;
use crate::resource_server::scope::{self, Judgement};
pub use error::CallError;
pub use refused::{NotAgain, Refused};
pub(super) use sending::Sending;

/// How a call is sent.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// How often it is repeated at most.
    pub retries: u32,
    /// How long to wait for the answer, and between two parts of it.
    pub timeout: Duration,
    /// Whether to send what the granted scopes do not cover.
    pub force: bool,
}

/// An answer, its body still on its way.
pub struct Called {
    /// Status, headers, body.
    pub answer: Streaming,
    /// What a refusal means: a status of 400 and above, or a body that says no.
    pub refusal: Option<Refused>,
}

impl Connection<'_> {
    /// Whether the granted scopes open a call, as far as the provider's table says.
    pub fn scope_judgement(
        &self,
        request: &ApiRequest,
        granted: Option<&[String]>,
    ) -> Judgement<'_> {
        let below = request.target.below.as_deref();
        let table = &self.provider.scope;
        match scope::judge(table, granted, request.method.as_str(), below) {
            Judgement::NotListed => scope::judge_needs(table, granted, &request.needs),
            judgement => judgement,
        }
    }

    /// Sends a call; `entry` is the one that was read to build it.
    pub async fn call(
        &self,
        entry: Entry,
        request: &mut ApiRequest,
        manner: Manner,
    ) -> Result<Called, CallError> {
        Share::new(self, entry, false).call(request, manner).await
    }
}
