//! What follows from a refusal: a new access token, a repetition, or nothing.

use super::sending::{Next, Sending, access_token};
use super::{CallError, NotAgain, Refused};
use crate::connection::Notice;
use crate::connection::share::Renewal;
use crate::http::Streaming;
use crate::http::quoting::without_secrets;
use crate::http::retry::{Decision, Outcome};
use crate::resource_server::idempotency::{safe_after_refusal, safe_to_repeat};
use crate::resource_server::refusal::{self, Kind, Refusal};
use crate::secret::Secret;

impl Sending<'_, '_> {
    pub(super) async fn refused(
        &mut self,
        answer: Streaming,
        body: &[u8],
        denial: Option<String>,
    ) -> Next {
        let token = match self.token() {
            Ok(token) => token,
            Err(error) => return Next::Fail(error),
        };
        self.share.tell_elsewhere(&self.request.target.url, answer.status, &answer.headers);
        let mut refusal = self.judge(&answer, body, &token);
        refusal.denial = denial.map(|it| without_secrets(&it, std::slice::from_ref(&token)));
        if refusal.kind == Kind::Expired {
            refusal.not_again = self.not_refreshed().or_else(|| self.renewed_in_vain(&answer));
            if refusal.not_again.is_none() {
                return self.refresh(token, answer, refusal).await;
            }
            if self.refreshed {
                self.connection.note_refused_renewal(answer.status, &token);
            }
        }
        let outcome = match refusal.is_postponed() {
            true => Outcome::Postponed(&answer.headers),
            false => Outcome::Answered(answer.status, &answer.headers),
        };
        let decision = self.decision(outcome);
        self.slow_down(&answer, decision).await;
        match (decision, self.is_replayable()) {
            (Decision::After(wait), true) => {
                if self.pause(wait, refusal.words()).await {
                    return Next::Again;
                }
            }
            (Decision::After(_), false) => refusal.not_again = Some(NotAgain::StreamSpent),
            (Decision::Stop, _) if refusal.not_again.is_none() => {
                refusal.not_again = self.not_repeated(&answer, &refusal);
            }
            (Decision::Stop, _) => {}
        }
        self.take(answer, Some(refusal))
    }

    /// Why a call that was to be waited for is not sent again.
    fn not_repeated(&self, answer: &Streaming, refusal: &Refused) -> Option<NotAgain> {
        let asks_to_wait = self.connection.provider.api.retry.on.contains(&answer.status);
        if !asks_to_wait && !refusal.is_postponed() {
            return None;
        }
        let is_safe = safe_to_repeat(self.request.repeats_like(), self.request.key.as_ref());
        let says_when = refusal.response.retry_after.is_some();
        match answer.status == 429 || refusal.is_postponed() || is_safe || says_when {
            true => Some(NotAgain::Enough),
            false => Some(NotAgain::MightHappenTwice),
        }
    }

    fn judge(&self, answer: &Streaming, body: &[u8], token: &Secret) -> Refused {
        let connection = self.connection;
        let granted = self.entry.tokens.as_ref().and_then(|tokens| tokens.granted.as_deref());
        let scope = connection.scope_judgement(self.request, granted);
        let now = connection.system.clock.now();
        let Refusal { kind, response, meaning } =
            refusal::judge(&connection.provider, answer.status, &answer.headers, body, &scope, now);
        let response = response.without(std::slice::from_ref(token));
        Refused { kind, response, meaning: meaning.cloned(), denial: None, not_again: None }
    }

    /// Why there is no refresh: at most one a call, and only where the second sending cannot carry a write out twice.
    fn not_refreshed(&self) -> Option<NotAgain> {
        let api = &self.connection.provider.api;
        let is_safe =
            safe_after_refusal(api, self.request.repeats_like(), self.request.key.as_ref());
        match (self.refreshed, self.is_replayable(), is_safe) {
            (true, ..) => Some(NotAgain::RefreshedAlready),
            (false, false, _) => Some(NotAgain::StreamSpent),
            (false, true, false) => Some(NotAgain::MightHappenTwice),
            (false, true, true) => None,
        }
    }

    /// A token that was made for a refused call and refused again is not made once more at once.
    fn renewed_in_vain(&self, answer: &Streaming) -> Option<NotAgain> {
        let token = access_token(&self.entry).ok()?;
        let in_vain = self.connection.was_renewed_in_vain(answer.status, token);
        in_vain.then_some(NotAgain::RefreshedAlready)
    }

    async fn refresh(&mut self, token: Secret, answer: Streaming, mut refused: Refused) -> Next {
        self.refreshed = true;
        let entry = match self.share.instead_of(token).await {
            Ok(Renewal::Made(entry)) => {
                self.renewed = true;
                (self.connection.notify)(Notice::CallRefused);
                entry
            }
            Ok(Renewal::Found(entry)) => entry,
            Ok(Renewal::NotBelieved) => {
                refused.not_again = Some(NotAgain::RefreshedAlready);
                return self.take(answer, Some(refused));
            }
            Err(error) => {
                self.connection.note_refused_for_good(answer.status, &self.entry, &error);
                return Next::Fail(CallError::NotRenewed { error, refused: Box::new(refused) });
            }
        };
        self.entry = entry;
        match self.share.again(self.request).await {
            Ok(true) => {
                // The resend after a refresh is not one of the retries.
                self.sent -= 1;
                Next::Again
            }
            Ok(false) => {
                // Those after it may have been sent: it cannot be left to the rest.
                refused.not_again = Some(NotAgain::Ended);
                self.take(answer, Some(refused))
            }
            Err(CallError::Crowded { wait, per_minute, .. }) => {
                let refused = Some(Box::new(refused));
                Next::Fail(CallError::Crowded { wait, per_minute, refused })
            }
            Err(error) => Next::Fail(error),
        }
    }
}
