//! Whether and when a call is sent again, and how long those beside it hold back.

use std::time::Duration;

use super::sending::Sending;
use crate::connection::Notice;
use crate::connection::share::Halt;
use crate::http::Streaming;
use crate::http::retry::{Decision, Outcome, decide};
use crate::random::fraction;
use crate::resource_server::idempotency::{retry_rules, safe_to_repeat, wait_headers};

impl Sending<'_, '_> {
    /// A 429 is about everybody who calls, and so is a 503 that names a time.
    pub(super) async fn slow_down(&self, answer: &Streaming, decision: Decision) {
        let retry = &self.connection.provider.api.retry;
        if !retry.on.contains(&answer.status) {
            return;
        }
        let asked = wait_headers(retry).wait(&answer.headers, self.now());
        match (decision, asked) {
            (_, Some(asked)) => self.heed(asked).await,
            (Decision::After(wait), None) if answer.status == 429 => {
                self.share.pause(self.request, wait).await;
            }
            _ => {}
        }
    }

    /// A pause that the vendor asks for; one that is too long to be waited for ends a crowd of calls.
    pub(super) async fn heed(&self, asked: Duration) {
        let longest = retry_rules(&self.connection.provider.api.retry, 0).max;
        // However long it is, other commands hear of it.
        self.share.pause(self.request, asked).await;
        if asked > longest && self.share.crowd {
            self.share.end(Halt::LongPause(asked.as_secs()));
        }
    }

    pub(super) fn decision(&self, outcome: Outcome<'_>) -> Decision {
        let system = self.connection.system;
        decide(
            self.sent,
            outcome,
            &retry_rules(&self.connection.provider.api.retry, self.manner.retries),
            safe_to_repeat(self.request.repeats_like(), self.request.key.as_ref()),
            system.clock.now(),
            fraction(&*system.random),
        )
    }

    /// Waits before one more sending; false where there is to be none.
    pub(super) async fn pause(&self, wait: Duration, why: String) -> bool {
        if !self.share.crowd {
            (self.connection.notify)(Notice::Waiting { seconds: wait.as_secs_f64(), why });
        }
        self.share.sleep(wait).await && self.has_a_turn().await
    }

    pub(super) async fn has_a_turn(&self) -> bool {
        matches!(self.share.again(self.request).await, Ok(true))
    }
}
