//! The person at the terminal.

use std::future::Future;
use std::io::{self, BufRead as _, Write as _};

use super::signals::{Interruption as _, Signals};
use crate::secret::Secret;

/// Answers questions.
pub trait Person: Send + Sync {
    /// Asks and gives the line that was typed.
    ///
    /// # Errors
    /// `Interrupted` where a signal came first, `UnexpectedEof` where the person ended the input.
    fn ask(&self, question: &str) -> io::Result<String>;

    /// Asks without showing what is typed; errors as with [`Person::ask`].
    fn ask_secret(&self, question: &str) -> io::Result<Secret>;
}

/// The person at the controlling terminal: questions on standard error, answers from standard input.
pub struct TerminalPerson;

impl Person for TerminalPerson {
    fn ask(&self, question: &str) -> io::Result<String> {
        let mut stderr = io::stderr();
        write!(stderr, "{question}: ")?;
        stderr.flush()?;
        or_signal(tokio::task::spawn_blocking, read_line)
    }

    fn ask_secret(&self, question: &str) -> io::Result<Secret> {
        let question = format!("{question}: ");
        // The thread that hid the typing never ends where a signal does; somebody must show it again.
        let _shown_again = Echo::now();
        or_signal(tokio::task::spawn_blocking, move || {
            rpassword::prompt_password(question).map(Secret::new)
        })
    }
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim().to_owned()),
    }
}

/// Waits for an answer in a thread of its own; once a signal was ever listened for, its default
/// meaning is gone, and a read that nobody answers would last for ever.
fn or_signal<A, F>(
    start: impl FnOnce(F) -> tokio::task::JoinHandle<io::Result<A>>,
    read: F,
) -> io::Result<A>
where
    F: FnOnce() -> io::Result<A>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(first(async { start(read).await }));
    // The thread may still be reading; it ends with the process.
    runtime.shutdown_background();
    answer
}

async fn first<A>(
    reading: impl Future<Output = Result<io::Result<A>, tokio::task::JoinError>>,
) -> io::Result<A> {
    tokio::select! {
        biased;
        answer = reading => answer.map_err(io::Error::other)?,
        () = Signals.came() => Err(io::ErrorKind::Interrupted.into()),
    }
}

/// Puts the terminal's modes back when it is dropped.
struct Echo {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Echo {
    fn now() -> Self {
        Self {
            #[cfg(unix)]
            before: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }
}

#[cfg(unix)]
impl Drop for Echo {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            use rustix::termios::{OptionalActions, tcsetattr};
            // A terminal that has gone needs no restoring.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
