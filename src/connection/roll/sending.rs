//! The request on its way, and what its answer comes to.

use jiff::Timestamp;

use super::super::server::{self, Unanswered};
use super::journalled::encode_answer;
use super::{NoAnswer, NoVerdict, Rolled, Rolling};
use crate::authorization_server::token_request::ServerRequest;
use crate::authorization_server::token_response::{Asked, TokenAnswer, judge};
use crate::http::error_response::ErrorResponse;
use crate::http::{Answer, HttpError};
use crate::provider::schema::Action;
use crate::store::journal::Journal;

impl Rolling<'_> {
    /// Sends once, and once more where an answer was lost and the same token is worth it.
    pub(super) async fn send(&mut self, request: &ServerRequest, journal: &mut Journal) -> Rolled {
        let lost_before = self.lost;
        let first = self.attempt(request, journal, false).await;
        match &first {
            Rolled::NoVerdict(lost) if !lost_before && self.is_worth_resending(lost) => {
                match self.turn().await {
                    Ok(()) => self.attempt(request, journal, true).await,
                    _ => first,
                }
            }
            _ => first,
        }
    }

    fn is_worth_resending(&self, lost: &NoVerdict) -> bool {
        let settled = matches!(
            lost.cause,
            // It asks for a wait, or it has given tokens: the one that was sent is certainly spent.
            NoAnswer::Unusable { retry_after: Some(_), .. }
                | NoAnswer::Unfit { .. }
                // It has answered as long as that, and would again.
                | NoAnswer::Http(HttpError::BodyTooLarge { .. })
        );
        lost.may_be_spent && !settled && self.order.reason.allows_resend()
    }

    async fn attempt(
        &mut self,
        request: &ServerRequest,
        journal: &mut Journal,
        resent: bool,
    ) -> Rolled {
        // A life counts from when it was asked for: a slow answer must not look fresh for too long.
        let asked_at = self.tools.clock.now();
        let tools = self.tools;
        let sent = server::send_stamped(tools.http, request, self.stamp(), &tools.tracing).await;
        let (answer, secrets) = match sent {
            Ok(sent) => sent,
            Err(Unanswered::Http(error)) => return self.unanswered(error, resent),
            Err(Unanswered::Unsigned(error)) => {
                self.unmark_unless_lost();
                return Rolled::Unsigned(error.to_string());
            }
        };
        let recorded = self
            .journal_key()
            .and_then(|key| journal.record(&key, self.tools.random, &encode_answer(&answer)));
        match self.judge(&answer, asked_at).without(&secrets) {
            // A journal that failed is not fatal here: the store is still to be tried.
            TokenAnswer::Granted(tokens) => {
                self.keep(tokens, self.judged(&answer, true), false, recorded.is_ok())
            }
            TokenAnswer::Unbound(tokens) => {
                self.keep(tokens, self.judged(&answer, false), false, recorded.is_ok())
            }
            TokenAnswer::Refused(error) if self.turns_to_other_key(&error) => {
                self.unmark_unless_lost();
                Rolled::Refused(error)
            }
            TokenAnswer::Refused(error) if self.is_final(&error) => self.end(&error),
            TokenAnswer::Refused(error) => {
                self.unmark_unless_lost();
                Rolled::Refused(error)
            }
            TokenAnswer::TooMany { retry_after } => self.cool_down(retry_after),
            TokenAnswer::Unfit { status, what } => {
                self.lost = true;
                self.no_verdict(NoAnswer::Unfit { status, what }, true, resent)
            }
            TokenAnswer::NoVerdict { status, what, retry_after } => {
                self.lost = true;
                self.no_verdict(NoAnswer::Unusable { status, what, retry_after }, true, resent)
            }
        }
    }

    fn unanswered(&mut self, error: HttpError, resent: bool) -> Rolled {
        if error.never_reached() {
            self.unmark_unless_lost();
        } else {
            self.lost = true;
        }
        let may_be_spent = self.lost;
        self.no_verdict(NoAnswer::Http(error), may_be_spent, resent)
    }

    pub(super) fn judge(&self, answer: &Answer, asked_at: Timestamp) -> TokenAnswer {
        let tokens = self.entry.tokens.as_ref();
        let asked = Asked {
            scopes: self.granted(),
            refresh_token: self.entry.refresh_token().cloned(),
            refresh_expires_at: tokens.and_then(|it| it.refresh_expires_at),
            contexts: tokens.map(|it| it.contexts.clone()).unwrap_or_default(),
            authorization_details: tokens
                .map(|it| it.authorization_details.clone())
                .unwrap_or_default(),
            renews: true,
            exchange: false,
        };
        judge(&self.order.provider, &asked, answer, asked_at)
    }

    pub(super) fn is_final(&self, error: &ErrorResponse) -> bool {
        let code = error.code.as_deref().unwrap_or_default();
        let meaning = self.order.provider.errors.token.get(code);
        code == "invalid_grant" || meaning.is_some_and(|it| it.action == Action::Reconnect)
    }

    fn cool_down(&mut self, retry_after: Option<u64>) -> Rolled {
        self.unmark_unless_lost();
        let now = self.tools.clock.now();
        // Where the wait cannot be noted, this command still waits for it.
        let until = self.tools.cooldown.begin(now, retry_after).unwrap_or(now);
        Rolled::TooMany { until, may_be_spent: self.lost }
    }
}
