//! The journal's part in a refresh: proved before anything is spent, and looked at for what an earlier one left.

use std::time::Duration;

use zeroize::Zeroizing;

use super::super::entry::Mark;
use super::super::fresh::LOCK_WAIT;
use super::{NoAnswer, Rolled, Rolling};
use crate::authorization_server::token_response::TokenAnswer;
use crate::http::{Answer, HeaderMap};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::journal::{Claimed, Journal, Recovered};

/// How long is waited before the next look whether the journal is free.
const JOURNAL_PAUSE: Duration = Duration::from_millis(20);

impl Rolling<'_> {
    /// Uses an answer that an earlier command received and could not store.
    ///
    /// Where the lock file was taken away, the command that received it may still be storing it:
    /// whoever stores the answer holds the journal.
    pub(super) async fn recover(&mut self) -> Result<Option<Rolled>, StoreError> {
        if self.earlier.is_none() || !matches!(self.left_in_journal()?, Recovered::Answer(_)) {
            return Ok(None);
        }
        let mut claimed = self.journal().await?;
        if self.drawer.read()?.as_ref() != Some(&self.entry) {
            return Ok(Some(Rolled::Moved));
        }
        let held = claimed.held(&self.journal_key()?)?;
        Ok(self.take(&held))
    }

    fn left_in_journal(&self) -> Result<Recovered, StoreError> {
        let (folder, profile) = (&self.drawer.journal, &self.drawer.name.profile);
        Journal::recover(folder, profile, self.entry.generation, &self.journal_key()?)
    }

    /// The same of what a journal held; `None` where it settles nothing.
    fn take(&mut self, recovered: &Recovered) -> Option<Rolled> {
        let mark = self.earlier.clone()?;
        let Recovered::Answer(text) = recovered else {
            return None;
        };
        let answer = decode_answer(text)?;
        // Its lifetimes began when it was asked for.
        match self.judge(&answer, mark.started_at).without(&self.secrets()) {
            TokenAnswer::Granted(tokens) => {
                Some(self.keep(tokens, self.judged(&answer, true), true, true))
            }
            TokenAnswer::Refused(error) if self.is_final(&error) => Some(self.end(&error)),
            TokenAnswer::Unbound(tokens) => {
                Some(self.keep(tokens, self.judged(&answer, false), true, true))
            }
            TokenAnswer::Unfit { status, what } => {
                Some(self.no_verdict(NoAnswer::Unfit { status, what }, true, false))
            }
            _ => None,
        }
    }

    /// Proves that mark and journal can be written, before anything is spent; what became of it
    /// instead, where another writer was first.
    pub(super) async fn prepare(&mut self) -> Result<Result<Journal, Rolled>, StoreError> {
        let mut claimed = self.journal().await?;
        // Where the lock file was taken away from under its holder, two come here: one after the other.
        // What the first one could not store is in this journal alone: it stays as it is.
        if self.drawer.read()?.as_ref() != Some(&self.entry) {
            return Ok(Err(Rolled::Moved));
        }
        // A mark that both found says nothing of an answer that came between.
        if self.earlier.is_some() {
            let held = claimed.held(&self.journal_key()?)?;
            if let Some(rolled) = self.take(&held) {
                return Ok(Err(rolled));
            }
        }
        let journal = claimed.fill()?;
        self.entry.mark = Some(Mark {
            started_at: self.tools.clock.now(),
            refresh_token_fingerprint: self
                .entry
                .refresh_token()
                .map(Secret::fingerprint)
                .unwrap_or_default(),
            host: self.order.host.clone(),
        });
        match self.drawer.note(self.lock, &self.entry) {
            Ok(()) => Ok(Ok(journal)),
            Err(error) => {
                // Empty, and of a generation that the next try takes again.
                let _ = journal.discard();
                Err(error)
            }
        }
    }

    /// The journal of this generation, once nobody else has it; one refresh waits so long altogether.
    async fn journal(&mut self) -> Result<Claimed, StoreError> {
        let (folder, profile) = (&self.drawer.journal, &self.drawer.name.profile);
        loop {
            if let Some(claimed) = Journal::claim(folder, profile, self.entry.generation)? {
                return Ok(claimed);
            }
            if self.waited_for_journal >= LOCK_WAIT {
                let held = std::io::Error::other("another process is writing it");
                return Err(StoreError::unwritable("write", folder)(held));
            }
            self.tools.clock.sleep(JOURNAL_PAUSE).await;
            self.waited_for_journal += JOURNAL_PAUSE;
        }
    }
}

/// An answer as the journal keeps it: two bytes of status, then the body.
pub(super) fn encode_answer(answer: &Answer) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(answer.body.len() + 2));
    text.extend_from_slice(&answer.status.to_be_bytes());
    text.extend_from_slice(&answer.body);
    text
}

fn decode_answer(text: &[u8]) -> Option<Answer> {
    let (status, body) = text.split_first_chunk::<2>()?;
    Some(Answer {
        status: u16::from_be_bytes(*status),
        headers: HeaderMap::new(),
        body: Zeroizing::new(body.to_vec()),
        date: None,
    })
}
