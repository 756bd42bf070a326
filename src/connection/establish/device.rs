//! The device flow: a code is shown here, typed elsewhere, and the server is asked until the person has decided.

use std::time::Duration;

use jiff::Timestamp;

use super::identified::{Granted, SignIn};
use super::turn::Turn;
use super::{Brought, EstablishError};
use crate::authorization_server::device::{
    Codes, CodesAnswer, Pace, Poll, device_request, judge_codes, judge_poll,
};
use crate::authorization_server::token_request::{ServerRequest, token_request};
use crate::authorization_server::token_response::{Asked, id_token};
use crate::authorization_server::{ClientRegistration, Grant};
use crate::clock::{after_seconds, seconds_until};
use crate::connection::entry::ShownAt;
use crate::connection::pace::Lane;
use crate::connection::{Connection, EnterCode, Entry, FreshError, Leaves, Notice, server};
use crate::http::HttpError;
use crate::http::error_response::ErrorResponse;
use crate::secret::Secret;
use crate::user_agent::enter_key::EnterKey;

/// How the person is to be waited for.
pub struct Wait {
    /// Extra parameters of the device authorization request.
    pub params: Vec<(String, String)>,
    /// Whether a browser may be started here once the person asks for it.
    pub browser: bool,
    /// The longest wait for the person; the life of the codes where nobody says.
    pub patience: Option<Duration>,
    /// What is left where nobody decides.
    pub leaves: Leaves,
}

/// How long is waited for another command's codes, and for those whose life the server does not tell.
const PATIENCE: Duration = Duration::from_secs(300);

/// No code is waited for longer, whatever life the server gives it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Why the person's decision did not become a connection.
#[derive(Debug)]
pub enum DeviceError {
    /// The device authorization endpoint gave no answer.
    Http(HttpError),
    /// It said no.
    Refused(ErrorResponse),
    /// Its answer is of no use.
    Unusable {
        /// The status.
        status: u16,
        /// What came instead.
        what: String,
    },
    /// The token endpoint said something that ends the questions.
    Ended {
        /// In the vendor's words.
        error: ErrorResponse,
        /// Whether an answer was lost before, which may have carried the tokens.
        lost: bool,
    },
    /// The codes ended first (RFC 8628 section 3.5).
    Expired {
        /// Whether an answer was lost before, which may have carried the tokens.
        lost: bool,
    },
    /// Nobody decided in time.
    TimedOut {
        /// In seconds.
        after: u64,
        /// Why the last question got no answer, where it got none.
        unanswered: Option<String>,
    },
}

impl From<DeviceError> for EstablishError {
    fn from(error: DeviceError) -> Self {
        Self::Device(error)
    }
}

/// When the wait ends, and by what.
struct Deadline {
    at: Timestamp,
    /// In seconds from the start; `None` where the codes end first.
    patience: Option<u64>,
}

/// What happened to the questions so far.
#[derive(Default)]
struct Questions {
    /// An answer was lost that may have carried the tokens.
    lost: bool,
    /// Why the last one got no answer.
    unanswered: Option<String>,
}

impl Connection<'_> {
    /// Asks for codes, shows them, and asks for tokens until the person has decided elsewhere.
    pub async fn establish_with_device(
        &self,
        brought: &Brought,
        wait: &Wait,
    ) -> Result<Entry, EstablishError> {
        let registration = self.registration(brought)?;
        let turn = wait.patience.unwrap_or(PATIENCE);
        let _one_code = match self.turn_to_connect(&registration, brought, turn).await? {
            Turn::Ours(lock) => lock,
            Turn::Over(entry) => return Ok(*entry),
        };
        let asked_at = self.system.clock.now();
        let codes = self.codes(&registration, brought, wait).await?;
        let deadline = deadline(asked_at, &codes, wait.patience);
        let mut key = self.enter_key(wait);
        (self.notify)(Notice::EnterCode(Box::new(EnterCode {
            scopes: brought.scopes.clone(),
            user_code: codes.user_code.clone(),
            verification_uri: codes.verification_uri.clone(),
            complete: codes.verification_uri_complete.clone(),
            seconds: seconds_until(asked_at, deadline.at),
            opens: key.is_some(),
            leaves: wait.leaves,
        })));
        let tokens = self.tokens_of_codes(&registration, brought, &codes, &deadline, &mut key);
        let granted = tokens.await?;
        // The terminal is as it was before anything more is asked.
        drop(key);
        let shown_at = ShownAt { pushed: None, codes: self.device_endpoint() };
        let scopes = brought.scopes.clone();
        let sign_in = SignIn { scopes, shown_at, ..SignIn::default() };
        self.store_identified(granted, &registration, brought, &sign_in).await
    }

    async fn codes(
        &self,
        registration: &ClientRegistration,
        brought: &Brought,
        wait: &Wait,
    ) -> Result<Codes, EstablishError> {
        // A flow is chosen from those that the file has, and the file is refused without the table.
        let device = self.provider.device.as_ref().ok_or(FreshError::CannotRenew)?;
        let (provider, asked) = (&self.provider, (&*brought.scopes, &brought.wanted));
        let request =
            device_request(provider, device, &self.values, registration, asked, &wait.params)
                .map_err(EstablishError::Request)?;
        self.check_stored_proof(registration, brought, &request.url)?;
        let now = self.system.clock.now();
        let signed = request.signed(now, &*self.system.random).map_err(FreshError::from)?;
        let answer = server::send(self.http()?, &signed, &self.tracing())
            .await
            .map_err(DeviceError::Http)?;
        let now = self.system.clock.now();
        match judge_codes(provider, device, &answer, &signed.request().secrets, now) {
            CodesAnswer::Given(codes) => Ok(codes),
            CodesAnswer::Refused(error) => Err(DeviceError::Refused(error).into()),
            CodesAnswer::TooMany { retry_after } => Err(EstablishError::TooMany { retry_after }),
            CodesAnswer::Unusable { status, what } => {
                Err(DeviceError::Unusable { status, what }.into())
            }
        }
    }

    /// Offers the Enter key where a person sits at a terminal on which a browser may be started.
    fn enter_key(&self, wait: &Wait) -> Option<EnterKey> {
        self.system.person.as_ref().filter(|_| wait.browser)?;
        EnterKey::listen()
    }

    /// Asks, one question after the other, until there is a verdict or the time is over.
    async fn tokens_of_codes(
        &self,
        registration: &ClientRegistration,
        brought: &Brought,
        codes: &Codes,
        deadline: &Deadline,
        key: &mut Option<EnterKey>,
    ) -> Result<Granted, EstablishError> {
        let grant = Grant::DeviceCode { device_code: codes.device_code.clone() };
        let grant = grant.wanting(brought.wanted.resources_alone());
        let request = token_request(&self.provider, &self.values, registration, &grant)?;
        let lane = self.token_lane(&registration.client_id)?;
        let mut pace = Pace::new(codes.interval);
        let mut questions = Questions::default();
        loop {
            self.rest(pace, codes, deadline, key, &questions).await?;
            let (poll, id_token) = match self.ask(&request, brought, lane.as_ref()).await {
                Ok(answered) => answered,
                // RFC 8628 section 3.5 has a client ask again, slower. A lost answer may have carried
                // the tokens: then the next verdict is a refusal, and the person is told.
                Err(EstablishError::Http(error)) if error.may_pass() => {
                    questions.lost |= !error.never_reached();
                    questions.unanswered = Some(error.to_string());
                    pace.double();
                    continue;
                }
                Err(error) => return Err(error),
            };
            questions.unanswered = None;
            let lost = questions.lost;
            match poll {
                Poll::Granted(tokens) => return Ok(Granted { tokens, id_token }),
                Poll::Unbound(tokens) => return Err(self.end_unbound(tokens, registration).await),
                Poll::Pending => {}
                Poll::SlowDown { seconds } => pace.slow_down(seconds),
                Poll::Busy { status } => {
                    questions.unanswered = Some(format!("HTTP {status}"));
                    pace.double();
                }
                Poll::Denied(error) => {
                    return Err(EstablishError::Denied {
                        error: error.code.unwrap_or_default(),
                        description: error.description,
                    });
                }
                Poll::Expired => return Err(DeviceError::Expired { lost }.into()),
                Poll::Refused(error) => return Err(DeviceError::Ended { error, lost }.into()),
                Poll::NoVerdict { status, what } => {
                    return Err(EstablishError::NoVerdict { status, what });
                }
            }
        }
    }

    /// Waits until the next question may be asked; the Enter key opens the page meanwhile.
    async fn rest(
        &self,
        pace: Pace,
        codes: &Codes,
        deadline: &Deadline,
        key: &mut Option<EnterKey>,
        questions: &Questions,
    ) -> Result<(), EstablishError> {
        let left = Duration::from_secs(seconds_until(self.system.clock.now(), deadline.at));
        let mut time = self.system.clock.sleep(pace.wait().min(left));
        loop {
            tokio::select! {
                () = &mut time => break,
                () = pressed(key) => self.open_page(codes),
            }
        }
        match pace.interval() <= left {
            true => Ok(()),
            false => Err(match deadline.patience {
                Some(after) => {
                    DeviceError::TimedOut { after, unanswered: questions.unanswered.clone() }
                }
                None => DeviceError::Expired { lost: questions.lost },
            }
            .into()),
        }
    }

    fn open_page(&self, codes: &Codes) {
        let page = codes.verification_uri_complete.as_ref().unwrap_or(&codes.verification_uri);
        if let Err(error) = self.system.browser.open(page) {
            (self.notify)(Notice::BrowserNotStarted(error.to_string()));
        }
    }

    async fn ask(
        &self,
        request: &ServerRequest,
        brought: &Brought,
        lane: Option<&Lane>,
    ) -> Result<(Poll, Option<Secret>), EstablishError> {
        if let Some(lane) = lane {
            lane.count(&*self.system.clock).await;
        }
        // The answer may carry the tokens: a signal waits for it, and then for the store.
        let _seen_through = self.system.critical.enter();
        let asked_at = self.system.clock.now();
        let prover = self.new_prover()?;
        let stamp = self.stamp(&prover);
        let (answer, secrets) =
            server::send_stamped(self.http()?, request, stamp, &self.tracing()).await?;
        let scopes = &brought.scopes;
        let asked =
            Asked { scopes: (!scopes.is_empty()).then(|| scopes.clone()), ..Asked::default() };
        let poll = judge_poll(&self.provider, &asked, &answer, &secrets, asked_at);
        Ok((poll, id_token(&answer)))
    }
}

/// The codes' end or the person's, whichever comes first; a life counts from when it was asked for.
fn deadline(asked_at: Timestamp, codes: &Codes, patience: Option<Duration>) -> Deadline {
    let longest = if codes.lifetime.is_some() { LONGEST } else { PATIENCE };
    let patience = patience.unwrap_or(longest).as_secs();
    match codes.lifetime.filter(|lifetime| *lifetime <= patience) {
        Some(lifetime) => Deadline { at: after_seconds(asked_at, lifetime), patience: None },
        None => Deadline { at: after_seconds(asked_at, patience), patience: Some(patience) },
    }
}

/// Resolves once, when the key is pressed.
async fn pressed(key: &mut Option<EnterKey>) {
    if let Some(waiting) = key {
        let was_pressed = waiting.pressed().await;
        *key = None;
        if was_pressed {
            return;
        }
    }
    std::future::pending().await
}
