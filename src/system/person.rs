//! The person at the terminal.

use std::io::{self, BufRead as _, Write as _};

use crate::secret::Secret;

/// Answers questions.
pub trait Person: Send + Sync {
    /// Asks and gives the line that was typed.
    fn ask(&self, question: &str) -> io::Result<String>;

    /// Asks without showing what is typed.
    fn ask_secret(&self, question: &str) -> io::Result<Secret>;
}

/// The person at the controlling terminal: questions on standard error, answers from standard input.
pub struct TerminalPerson;

impl Person for TerminalPerson {
    fn ask(&self, question: &str) -> io::Result<String> {
        let mut stderr = io::stderr();
        write!(stderr, "{question}: ")?;
        stderr.flush()?;
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim().to_owned()),
        }
    }

    fn ask_secret(&self, question: &str) -> io::Result<Secret> {
        rpassword::prompt_password(format!("{question}: ")).map(Secret::new)
    }
}
