//! The save command's part in a refresh: proved before anything is sent, given what came of it.

use super::super::saving::{self, NotSaved, Stage};
use super::{Rolled, Rolling};
use crate::http::printable::printable;

impl Rolling<'_> {
    /// Proves that the save command works, with the connection that is still in force.
    ///
    /// A proof saves nothing: a command may do without writing then.
    pub(super) async fn prove_saving(&self) -> Result<(), NotSaved> {
        let Some(saving) = &self.order.saving else { return Ok(()) };
        let blob = saving.blob(&self.entry, self.tools.random, self.tools.clock.now())?;
        saving.give(Stage::Probe, &blob, &self.entry).await?;
        Ok(())
    }

    /// Gives new tokens to the save command; a copy is kept until it has taken them.
    pub(super) async fn save_if_renewed(&mut self, rolled: Rolled) -> Rolled {
        let Rolled::Renewed { .. } = &rolled else {
            return rolled;
        };
        let Some(saving) = &self.order.saving else {
            // A copy of the tokens before these would only end the connection for whoever uses it.
            saving::discard_in(&self.tools.copies, &self.drawer.name.profile);
            return rolled;
        };
        let sealed = saving.blob(&self.entry, self.tools.random, self.tools.clock.now());
        let blob = match sealed {
            Ok(blob) => blob,
            Err(error) => {
                saving.discard_copy();
                return Rolled::Unsaved { error: error.into(), copy: None };
            }
        };
        let copy = saving.keep_copy(&blob);
        match saving.give(Stage::Final, &blob, &self.entry).await {
            Ok(said) => said.lines().for_each(|line| (self.tools.tracing.sink)(printable(line))),
            Err(error) => return Rolled::Unsaved { error, copy },
        }
        self.entry.saved = Some(self.entry.generation);
        // A note that is not taken costs that the same connection is saved once more.
        let _ = self.drawer.note(self.lock, &self.entry);
        saving.discard_copy();
        rolled
    }
}
