//! A thread that speaks to the keychain, so that one which never answers keeps nobody waiting.
//!
//! It owns the one connection of the process. Whoever asks waits for a bounded time; a thread
//! that did not answer is left to itself, and must not change anything for a caller who has gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::StoreError;

type Job<C> = Box<dyn FnOnce(&mut Option<C>) + Send>;
type Opening<C> = dyn Fn() -> Result<C, StoreError> + Send + Sync;

/// Asks a thread of its own, within limits of time.
pub struct Clerk<C> {
    patience: Duration,
    open: Arc<Opening<C>>,
    thread: Mutex<Option<Sender<Job<C>>>>,
}

/// Whoever asked, as the thread sees it.
#[derive(Clone)]
pub struct Caller {
    has_gone: Arc<AtomicBool>,
    patience: Duration,
}

impl Caller {
    /// Stops a change that nobody waits for any more: the caller no longer holds its lock.
    pub fn still_waits(&self) -> Result<(), StoreError> {
        match self.has_gone.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(silent(self.patience)),
        }
    }
}

impl<C: 'static> Clerk<C> {
    /// Makes one that answers within `patience`; `open` runs on its thread before the first answer.
    pub fn new(
        patience: Duration,
        open: impl Fn() -> Result<C, StoreError> + Send + Sync + 'static,
    ) -> Self {
        Self { patience, open: Arc::new(open), thread: Mutex::new(None) }
    }

    /// Runs a task over the connection, and waits for its answer.
    pub fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&C, &Caller) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        // One at a time: the connection has one conversation.
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = Caller { has_gone: Arc::default(), patience: self.patience };
        let (answer, answered) = mpsc::channel();
        let job = self.job(task, caller.clone(), answer);
        let jobs = match thread.take() {
            Some(jobs) => jobs,
            None => start::<C>()?,
        };
        jobs.send(job).map_err(|_| gone())?;
        let result = answered.recv_timeout(self.patience).map_err(|error| {
            caller.has_gone.store(true, Ordering::Release);
            match error {
                RecvTimeoutError::Timeout => silent(self.patience),
                RecvTimeoutError::Disconnected => gone(),
            }
        })?;
        // A thread that did not answer is not asked again: it ends with what it is at.
        *thread = Some(jobs);
        result
    }

    fn job<T: Send + 'static>(
        &self,
        task: impl FnOnce(&C, &Caller) -> Result<T, StoreError> + Send + 'static,
        caller: Caller,
        answer: Sender<Result<T, StoreError>>,
    ) -> Job<C> {
        let open = Arc::clone(&self.open);
        Box::new(move |connection| {
            let result = connected(connection, &*open).and_then(|open| task(open, &caller));
            if result.is_err() {
                // The next question begins with a connection that has no history.
                *connection = None;
            }
            // A caller who has gone does not hear it.
            let _ = answer.send(result);
        })
    }
}

fn connected<'a, C>(connection: &'a mut Option<C>, open: &Opening<C>) -> Result<&'a C, StoreError> {
    match connection {
        Some(connection) => Ok(connection),
        empty => Ok(empty.insert(open()?)),
    }
}

fn start<C: 'static>() -> Result<Sender<Job<C>>, StoreError> {
    let (jobs, received) = mpsc::channel::<Job<C>>();
    std::thread::Builder::new()
        .name("keychain".to_owned())
        .spawn(move || {
            let mut connection = None;
            for job in received {
                job(&mut connection);
            }
        })
        .map_err(|error| StoreError::KeychainRefused { detail: format!("no thread: {error}") })?;
    Ok(jobs)
}

fn silent(patience: Duration) -> StoreError {
    StoreError::KeychainSilent { seconds: patience.as_secs_f64().round() as u64 }
}

fn gone() -> StoreError {
    StoreError::KeychainRefused { detail: "its connection broke off".to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn one_connection_serves_every_question_until_one_fails() {
        let opened = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&opened);
        let clerk = Clerk::new(LONG, move || Ok(count.fetch_add(1, Ordering::SeqCst)));
        assert_eq!(clerk.ask(|connection, _| Ok(*connection)).unwrap(), 0);
        assert_eq!(clerk.ask(|connection, _| Ok(*connection)).unwrap(), 0);
        clerk.ask(|_, _| Err::<(), _>(StoreError::NotKept)).unwrap_err();
        assert_eq!(clerk.ask(|connection, _| Ok(*connection)).unwrap(), 1);
    }

    #[test]
    fn a_silent_keychain_is_left_alone_and_changes_nothing_later() {
        let clerk = Clerk::new(Duration::ZERO, || Ok(()));
        let (awake, sleeping) = channel::<()>();
        let (outcome, late) = channel();
        let silent = clerk.ask(move |(), caller| {
            sleeping.recv().unwrap();
            outcome.send(caller.still_waits().is_ok()).unwrap();
            Ok(())
        });
        assert!(matches!(silent, Err(StoreError::KeychainSilent { seconds: 0 })), "{silent:?}");
        awake.send(()).unwrap();
        assert!(!late.recv().unwrap(), "the thread believed that its caller still waits");
    }

    #[test]
    fn a_keychain_that_cannot_be_opened_says_why() {
        let clerk = Clerk::<()>::new(LONG, || Err(StoreError::KeychainWithoutCollection));
        let refused = clerk.ask(|(), _| Ok(()));
        assert!(matches!(refused, Err(StoreError::KeychainWithoutCollection)), "{refused:?}");
    }
}
