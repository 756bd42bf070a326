//! What came of a refresh, written down: new tokens, an end, or nothing.

use super::super::entry::Ended;
use super::super::other_key;
use super::put_aside::{Fate, Judged};
use super::{Rolled, Rolling};
use crate::http::error_response::ErrorResponse;
use crate::http::printable::printable;
use crate::store::journal::Journal;
use crate::token_set::TokenSet;

impl Rolling<'_> {
    /// Stores new tokens, reads them back, and only then lets go of the journal.
    ///
    /// Tokens that must not be used are stored like any other, in the same write that puts them
    /// aside: the refresh token that was sent is spent, and this one may be all there is. The
    /// connection stays that of its own account, which the next authorization is held against.
    pub(super) fn keep(
        &mut self,
        mut tokens: TokenSet,
        judged: Judged,
        recovered: bool,
        in_journal: bool,
    ) -> Rolled {
        let mut renewed = self.entry.clone();
        if let (Some(_), Some(own)) = (&judged.put_aside, renewed.tokens.take()) {
            tokens.contexts = own.contexts;
        }
        renewed.adopt(tokens);
        renewed.ended = judged.put_aside;
        // A recovered answer was to an earlier request, with whatever key was in force then.
        if !recovered {
            other_key::forget(&mut renewed.secrets);
        }
        renewed.account_is_claimed &= !judged.is_named;
        if self.order.saving.is_some() {
            // Owed from now on, whatever ends this process before it is saved.
            renewed.saved.get_or_insert(0);
        }
        renewed.last_refreshed_at = renewed.tokens.as_ref().map(|tokens| tokens.issued_at);
        if let Err(error) = self.drawer.keep(self.lock, &renewed) {
            return Rolled::Unstored { error, in_journal };
        }
        self.entry = renewed;
        self.lost = false;
        self.earlier = None;
        self.tell();
        self.discard_journal();
        Rolled::Renewed { recovered }
    }

    /// Only a proven `invalid_grant` ends a connection, and even that deletes nothing.
    pub(super) fn end(&mut self, error: &ErrorResponse) -> Rolled {
        let moved = match self.drawer.read() {
            Ok(Some(now)) => now.generation != self.entry.generation,
            Ok(None) => true,
            // The verdict cannot be written either; the next command hears it again.
            Err(_) => false,
        };
        if moved {
            return Rolled::Moved;
        }
        let ended = Ended {
            at: self.tools.clock.now(),
            fate: Some(Fate::Over),
            // As long as it is ever shown: what is kept must not grow with a server's words.
            error: printable(error.code.as_deref().unwrap_or("invalid_grant")),
            description: error.description.as_deref().map(printable),
            after_lost_answer: self.lost,
        };
        self.entry.ended = Some(ended.clone());
        self.unmark();
        self.tell();
        Rolled::Ended(ended)
    }

    /// Takes the mark away where the refresh token was certainly not spent.
    pub(super) fn unmark_unless_lost(&mut self) {
        if !self.lost {
            self.unmark();
        }
    }

    /// Takes the mark away: the refresh token was certainly not spent, or its fate is written in the entry.
    fn unmark(&mut self) {
        self.entry.mark = None;
        // A mark that stays by a failing store costs one look at an empty journal.
        if self.drawer.note(self.lock, &self.entry).is_ok() {
            self.discard_journal();
        }
    }

    fn discard_journal(&self) {
        // A journal left behind is of an older generation and never read again.
        let _ = Journal::discard_all(&self.drawer.journal, &self.drawer.name.profile);
    }
}
