//! The one who has the connection: hands out the access token and rolls it, for all requests at once.
//!
//! A connection reads stores and waits for locks, so it stays on a thread of its own, and requests
//! ask for what they need. They are answered one after the other: whoever asked while a token was
//! rolled gets the new one, or hears of the same failure, and nothing is asked for twice.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};

use super::allow::Allowed;
use super::grant::{Grant, GrantError};
use super::refusal::{Failure, Refusal};
use crate::connection::{Connection, Entry, Wanted};
use crate::secret::Secret;

/// The longest that a request waits for a token: a wait for the lock, and two token requests.
const PATIENCE: Duration = Duration::from_secs(75);
/// How many requests may wait for a token.
const WAITING: usize = 1024;
/// For how long a token that could not be renewed early, or was refused when it was new, is used
/// without asking again.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How many earlier tokens are still looked for in answers.
const REMEMBERED: usize = 4;

/// Which token a request needs.
enum Want {
    /// One that is good now.
    Good,
    /// Any but this one, which the API has just refused.
    NotThis(Secret),
}

struct Ask {
    want: Want,
    answer: oneshot::Sender<Result<Arc<Grant>, Arc<Failure>>>,
}

/// Where requests get their token: from memory, or from the keeper.
#[derive(Clone)]
pub struct Tokens {
    current: Arc<RwLock<Arc<Grant>>>,
    asks: mpsc::Sender<Ask>,
}

impl Tokens {
    /// The current grant, whether it is good or not.
    pub fn current(&self) -> Arc<Grant> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A grant that is good at that time.
    pub async fn good(&self, now: Timestamp) -> Result<Arc<Grant>, Refusal> {
        let current = self.current();
        match current.is_good(now) {
            true => Ok(current),
            false => self.ask(|| Want::Good).await,
        }
    }

    /// A grant with another token than the one that the API has just refused; the same one where
    /// there is no other to be had.
    pub async fn other_than(&self, refused: &Secret) -> Result<Arc<Grant>, Refusal> {
        self.ask(|| Want::NotThis(refused.clone())).await
    }

    /// Has the token rolled for the requests to come; nobody waits for it.
    pub fn refused(&self, refused: &Secret) {
        let (answer, _) = oneshot::channel();
        // Where so many ask already, one of them will have it rolled.
        let _ = self.asks.try_send(Ask { want: Want::NotThis(refused.clone()), answer });
    }

    async fn ask(&self, want: impl Fn() -> Want) -> Result<Arc<Grant>, Refusal> {
        let asked = async {
            loop {
                let (answer, answered) = oneshot::channel();
                if self.asks.send(Ask { want: want(), answer }).await.is_err() {
                    return Err(Refusal::Closing);
                }
                // A question that was dropped met the end of the keeper's first run: once more.
                if let Ok(answer) = answered.await {
                    return answer.map_err(Refusal::NoToken);
                }
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(Err(Refusal::TokenLate))
    }
}

/// Has the connection.
pub struct Keeper<'c> {
    connection: &'c Connection<'c>,
    allowed: &'c Allowed,
    words: &'c dyn Fn(&GrantError) -> Failure,
    current: Arc<RwLock<Arc<Grant>>>,
    asks: mpsc::Receiver<Ask>,
    /// The proxy's secret, and tokens that were current.
    hidden: Vec<Secret>,
    /// When the current token came in place of one that the API had refused.
    replaced_at: Option<Timestamp>,
}

impl<'c> Keeper<'c> {
    /// Begins with an entry whose token is good; `words` tells a failure to a program.
    pub fn new(
        connection: &'c Connection<'c>,
        entry: &Entry,
        allowed: &'c Allowed,
        secret: &Secret,
        words: &'c dyn Fn(&GrantError) -> Failure,
    ) -> Result<(Self, Tokens), GrantError> {
        let hidden = vec![secret.clone()];
        let use_until = connection.fresh_until(entry);
        let grant = Grant::new(connection, entry, allowed, &hidden, use_until)?;
        let current = Arc::new(RwLock::new(Arc::new(grant)));
        let (sender, asks) = mpsc::channel(WAITING);
        let tokens = Tokens { current: current.clone(), asks: sender };
        let replaced_at = None;
        Ok((Self { connection, allowed, words, current, asks, hidden, replaced_at }, tokens))
    }

    /// Answers until nobody can ask any more.
    pub async fn serve(&mut self) {
        while let Some(ask) = self.asks.recv().await {
            if let Some(grant) = self.at_hand(&ask.want) {
                let _ = ask.answer.send(Ok(grant));
                continue;
            }
            let settled = self.settle(&ask.want).await;
            if let Err(failure) = &settled {
                self.tell_waiting(failure);
            }
            // Who has gone meanwhile does not need it.
            let _ = ask.answer.send(settled);
        }
    }

    /// Those who asked while it failed would only have it fail again, one after the other.
    fn tell_waiting(&mut self, failure: &Arc<Failure>) {
        while let Ok(ask) = self.asks.try_recv() {
            let answer = self.at_hand(&ask.want).ok_or_else(|| failure.clone());
            let _ = ask.answer.send(answer);
        }
    }

    fn current(&self) -> Arc<Grant> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The current grant where it is what is wanted, or where asking again would be too soon.
    fn at_hand(&self, want: &Want) -> Option<Arc<Grant>> {
        let (current, now) = (self.current(), self.connection.system.clock.now());
        let will_do = match want {
            Want::Good => current.is_good(now),
            // An API that refuses a new token at once would have one refresh token spent for every call.
            Want::NotThis(refused) => {
                current.token != *refused || self.replaced_at.is_some_and(|at| now < at + PAUSE)
            }
        };
        will_do.then_some(current)
    }

    async fn settle(&mut self, want: &Want) -> Result<Arc<Grant>, Arc<Failure>> {
        let wanted = match want {
            Want::Good => Wanted::Good(None),
            Want::NotThis(refused) => Wanted::NotThis(refused.clone()),
        };
        let words = self.words;
        let told = |error: GrantError| Arc::new(words(&error));
        let entry = match self.connection.fresh(&wanted).await {
            // What another process has stored meanwhile may have ended as well.
            Ok(entry) => self.connection.fresh_from(entry, &Wanted::Good(None)).await,
            failed => failed,
        };
        let entry = entry.map_err(|error| told(GrantError::Fresh(error)))?;
        let now = self.connection.system.clock.now();
        self.adopt(&entry, now).map_err(told)?;
        self.replaced_at = matches!(want, Want::NotThis(_)).then_some(now);
        Ok(self.current())
    }

    fn adopt(&mut self, entry: &Entry, now: Timestamp) -> Result<(), GrantError> {
        let before = self.current();
        if !self.hidden.contains(&before.token) {
            self.hidden.push(before.token.clone());
        }
        // The first one is the proxy's own secret.
        if self.hidden.len() > REMEMBERED + 1 {
            self.hidden.remove(1);
        }
        // One that ends soon is handed out where it could not be renewed; that is not tried for each request.
        let fresh_until = self.connection.fresh_until(entry);
        let end = entry.tokens.as_ref().and_then(|tokens| tokens.access_expires_at);
        let use_until = fresh_until
            .map(|until| if until > now { until } else { end.unwrap_or(until).min(now + PAUSE) });
        let grant = Grant::new(self.connection, entry, self.allowed, &self.hidden, use_until)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(grant);
        Ok(())
    }
}
