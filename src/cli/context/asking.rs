//! Questions to the person.

use super::Context;
use crate::cli::report::{Exit, Report};
use crate::secret::Secret;

/// What a Linux terminal lets through of one line, in bytes.
const TERMINAL_LINE: usize = 4095;

impl Context<'_> {
    /// Asks the person; `None` where nobody can be asked or nothing was answered.
    pub fn ask(&self, question: &str) -> Result<Option<String>, Report> {
        let Some(person) = &self.system.person else {
            return Ok(None);
        };
        answered(person.ask(question)).map(|answer| answer.filter(|it| !it.is_empty()))
    }

    /// Asks the person without showing what is typed.
    pub fn ask_secret(&self, question: &str) -> Result<Option<Secret>, Report> {
        let Some(person) = &self.system.person else {
            return Ok(None);
        };
        let answer = answered(person.ask_secret(question))?;
        let answer = answer.map(|it| Secret::new(it.expose().trim()));
        match &answer {
            Some(cut) if cut.expose().len() >= TERMINAL_LINE => Err(Report::usage(
                "a terminal cuts lines of this length, so what was pasted is not whole",
            )
            .hint("give it on standard input, or in a file")),
            _ => Ok(answer.filter(|it| !it.is_empty())),
        }
    }

    /// Asks a question that a yes settles; `--yes` is one.
    pub fn agreed(&self, question: &str) -> Result<bool, Report> {
        if self.global.yes {
            return Ok(true);
        }
        let answer = self.ask(&format!("{question} [y/N]"))?.unwrap_or_default();
        Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
    }
}

/// A signal at a question ends the command; an end of the input is no answer.
fn answered<A>(answer: std::io::Result<A>) -> Result<Option<A>, Report> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {
            Err(Report::new(Exit::Interrupted, "interrupted", "interrupted"))
        }
        Err(_) => Ok(None),
    }
}
