//! What the calls of one command share: a token that is renewed once for all of them, the
//! vendor's limits, and the word that nothing more is to be started.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, Notify};

use super::call::{CallError, Manner, Sending};
use super::entry::Entry;
use super::fresh::{FreshError, Wanted};
use super::pace::{Counted, Lane, Pace, Turn};
use super::{Connection, Notice};
use crate::clock::after_seconds;
use crate::random::fraction;
use crate::resource_server::ApiRequest;
use crate::resource_server::scope::Judgement;
use crate::secret::Secret;
use crate::store::StoreError;

/// How long a single call waits for its turn.
const PATIENCE: Duration = Duration::from_secs(300);
/// A wait that is shorter is not told.
const TOLD_FROM: Duration = Duration::from_secs(1);
/// The most that is added to a wait, so that those who waited do not all ask in the same moment.
const SPREAD: Duration = Duration::from_millis(50);
/// Seconds between two tries to renew a token that still serves.
const BETWEEN_TRIES: u64 = 10;
/// Renewals for refused calls that did not help those calls; after them the refusals are believed.
const VAIN_RENEWALS: u32 = 3;

/// What ends a crowd of calls before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halt {
    /// The person or the system.
    Asked,
    /// There is no token, and none to be had.
    NoToken,
    /// The vendor wants a pause that is longer than is waited for, in seconds.
    LongPause(u64),
}

/// What became of a wish for another token than the one that was refused.
#[derive(Debug)]
pub(super) enum Renewal {
    /// It was renewed for this refusal.
    Made(Rc<Entry>),
    /// Somebody else had renewed it.
    Found(Rc<Entry>),
    /// Several renewals did not help those they were made for: the token is not what is wrong.
    NotBelieved,
}

/// The calls of one command.
pub struct Share<'c> {
    pub(super) connection: &'c Connection<'c>,
    entry: RefCell<Rc<Entry>>,
    pace: Pace,
    /// Whether many calls share it: they wait for each other, and end together.
    pub(super) crowd: bool,
    renewing: Mutex<()>,
    /// Calls are started in order: what was not started is a rest that somebody can go on with.
    starting: Mutex<()>,
    /// Whether the first entry was seen to: one that no save command took is saved before it is used.
    begun: Cell<bool>,
    failed: RefCell<Option<Rc<FreshError>>>,
    next_try: Cell<Option<Timestamp>>,
    /// Renewals for refused calls that have not helped, or not yet.
    vain: Cell<u32>,
    halt: Cell<Option<Halt>>,
    halted: Notify,
    told_until: Cell<Option<Timestamp>>,
    /// Whether it was told that a refusal points to another host.
    pub(super) told_elsewhere: Cell<bool>,
}

impl<'c> Share<'c> {
    /// One call's own, or a `crowd`'s; `entry` was read a moment ago.
    pub fn new(connection: &'c Connection<'c>, entry: Entry, crowd: bool) -> Self {
        let client_id = entry.client_id.as_deref().or(connection.client_id.as_deref());
        let origin = connection.api_origin().unwrap_or_default();
        let folder = connection.system.home.limits();
        let counted =
            Counted { folder: &folder, origin: &origin, client_id: client_id.unwrap_or_default() };
        let pace = Pace::new(&connection.provider.api.limits, counted, crowd);
        Self {
            connection,
            entry: RefCell::new(Rc::new(entry)),
            pace,
            crowd,
            renewing: Mutex::default(),
            starting: Mutex::default(),
            begun: Cell::new(false),
            failed: RefCell::default(),
            next_try: Cell::new(None),
            vain: Cell::new(0),
            halt: Cell::new(None),
            halted: Notify::new(),
            told_until: Cell::new(None),
            told_elsewhere: Cell::new(false),
        }
    }

    /// Sends a call when its turn has come.
    pub async fn call(
        &self,
        request: &mut ApiRequest,
        manner: Manner,
    ) -> Result<super::call::Called, CallError> {
        if !manner.force {
            self.check_scope(request)?;
        }
        let entry = self.start(request).await?;
        Sending::new(self, request, manner, entry).run().await
    }

    /// Lets nothing more be started; the first reason counts.
    pub fn end(&self, halt: Halt) {
        if self.halt.get().is_none() {
            self.halt.set(Some(halt));
            self.halted.notify_waiters();
        }
    }

    /// Why nothing more is started.
    pub fn ended(&self) -> Option<Halt> {
        self.halt.get()
    }

    fn check_scope(&self, request: &ApiRequest) -> Result<(), CallError> {
        let entry = self.entry();
        let granted = entry.tokens.as_ref().and_then(|tokens| tokens.granted.as_deref());
        match self.connection.scope_judgement(request, granted) {
            Judgement::Missing { needed } => {
                let needed = needed.iter().map(|scope| scope.name.clone()).collect();
                Err(CallError::MissingScope { needed })
            }
            _ => Ok(()),
        }
    }

    /// Waits for token and turn.
    async fn start(&self, request: &ApiRequest) -> Result<Rc<Entry>, CallError> {
        let _first_come = self.starting.lock().await;
        if self.halt.get().is_some() {
            return Err(CallError::NotSent);
        }
        let mut entry = self.good().await?;
        let lane = self.lane(request);
        if !lane.is_open() && self.turn(lane).await? {
            // The token may have ended during the wait.
            entry = self.good().await?;
        }
        match self.halt.get() {
            None => Ok(entry),
            Some(_) => Err(CallError::NotSent),
        }
    }

    fn lane(&self, request: &ApiRequest) -> &Lane {
        let limits = &self.connection.provider.api.limits;
        self.pace.lane(limits, request.target.below.as_deref())
    }

    /// Waits for a turn to send once more; false where it is not to be sent any more.
    pub(super) async fn again(&self, request: &ApiRequest) -> Result<bool, CallError> {
        let lane = self.lane(request);
        if self.halt.get().is_some() {
            return Ok(false);
        }
        match lane.is_open() {
            true => Ok(true),
            false => self.turn(lane).await,
        }
    }

    /// Waits for a turn; false where a halt came first.
    async fn turn(&self, lane: &Lane) -> Result<bool, CallError> {
        let clock = &*self.connection.system.clock;
        let mut waited = Duration::ZERO;
        while self.halt.get().is_none() {
            let turn = match lane.turn(clock).await {
                Ok(turn) => turn,
                Err(error) => {
                    self.counts_alone(&error);
                    continue;
                }
            };
            let (wait, per_minute) = match turn {
                Turn::Now => return Ok(true),
                Turn::After(wait) => (wait, lane.per_minute()),
                Turn::Paused(wait) => (wait, None),
            };
            if !self.crowd && waited + wait > PATIENCE {
                return Err(CallError::Crowded { wait, per_minute, refused: None });
            }
            self.tell_wait(wait, per_minute);
            let wait = wait + SPREAD.mul_f64(fraction(&*self.connection.system.random));
            self.sleep(wait).await;
            waited += wait;
        }
        Ok(false)
    }

    /// Waits, but no longer than until a halt; false where one came.
    pub(super) async fn sleep(&self, wait: Duration) -> bool {
        let halted = self.halted.notified();
        if self.halt.get().is_some() {
            return false;
        }
        tokio::select! {
            () = self.connection.system.clock.sleep(wait) => self.halt.get().is_none(),
            () = halted => false,
        }
    }

    /// The vendor wants a pause: nobody sends in that lane before it is over.
    pub(super) async fn pause(&self, request: &ApiRequest, wait: Duration) {
        let lane = self.lane(request);
        if let Err(error) = lane.pause(&*self.connection.system.clock, wait).await {
            self.counts_alone(&error);
        }
    }

    fn counts_alone(&self, error: &StoreError) {
        (self.connection.notify)(Notice::CountsAlone(error.to_string()));
    }

    /// Tells a wait once, however many wait.
    fn tell_wait(&self, wait: Duration, per_minute: Option<u32>) {
        let now = self.connection.system.clock.now();
        if wait < TOLD_FROM || self.told_until.get().is_some_and(|until| now < until) {
            return;
        }
        self.told_until.set(Some(after_seconds(now, wait.as_secs())));
        (self.connection.notify)(Notice::Pacing { seconds: wait.as_secs_f64(), per_minute });
    }

    /// The entry that counts now.
    pub fn entry(&self) -> Rc<Entry> {
        self.entry.borrow().clone()
    }

    /// An entry whose access token is good now.
    pub async fn good(&self) -> Result<Rc<Entry>, Rc<FreshError>> {
        let entry = self.entry();
        let good = Wanted::Good(None);
        match self.will_do(&entry, &good) {
            true => Ok(entry),
            false => self.renewed(&good).await,
        }
    }

    /// An entry with another access token than the one that was refused.
    ///
    /// Every renewal counts as in vain until the call it was made for says that it helped. What
    /// others that merely found the new token say does not count: where a vendor ends the old
    /// token at a refresh, each renewal in vain makes good calls renew, too.
    pub(super) async fn instead_of(&self, refused: Secret) -> Result<Renewal, Rc<FreshError>> {
        let wanted = Wanted::NotThis(refused);
        let _one = self.renewing.lock().await;
        if let Some(found) = self.found(&wanted)? {
            return Ok(Renewal::Found(found));
        }
        if self.vain.get() < VAIN_RENEWALS {
            self.vain.set(self.vain.get() + 1);
            return self.renew(&wanted).await.map(Renewal::Made);
        }
        // Another process may have one all the same.
        let other = self.connection.entry()?;
        Ok(match self.connection.satisfies(&other, &wanted) {
            true => Renewal::Found(self.adopt(other)),
            false => Renewal::NotBelieved,
        })
    }

    /// A call that had its token renewed was accepted with the new one.
    pub(super) fn renewal_helped(&self) {
        self.vain.set(self.vain.get().saturating_sub(1));
    }

    /// One renews, and all who wait for it meanwhile take what came of it.
    async fn renewed(&self, wanted: &Wanted) -> Result<Rc<Entry>, Rc<FreshError>> {
        let _one = self.renewing.lock().await;
        match self.found(wanted)? {
            Some(entry) => Ok(entry),
            None => self.renew(wanted).await,
        }
    }

    /// What others made of it meanwhile.
    fn found(&self, wanted: &Wanted) -> Result<Option<Rc<Entry>>, Rc<FreshError>> {
        if let Some(failed) = &*self.failed.borrow() {
            return Err(failed.clone());
        }
        let entry = self.entry();
        Ok(self.will_do(&entry, wanted).then_some(entry))
    }

    async fn renew(&self, wanted: &Wanted) -> Result<Rc<Entry>, Rc<FreshError>> {
        let connection = self.connection;
        let renewed = match wanted {
            Wanted::Good(_) => connection.fresh_from((*self.entry()).clone(), wanted).await,
            _ => connection.fresh(wanted).await,
        };
        match renewed {
            Ok(entry) => {
                self.begun.set(true);
                Ok(self.adopt(entry))
            }
            Err(error) => {
                let error = Rc::new(error);
                self.failed.replace(Some(error.clone()));
                self.end(Halt::NoToken);
                Err(error)
            }
        }
    }

    fn will_do(&self, entry: &Entry, wanted: &Wanted) -> bool {
        self.begun.get()
            && (self.connection.satisfies(entry, wanted) || self.is_served(entry, wanted))
    }

    fn adopt(&self, entry: Entry) -> Rc<Entry> {
        let connection = self.connection;
        let now = connection.system.clock.now();
        let is_good = connection.satisfies(&entry, &Wanted::Good(None));
        self.next_try.set((!is_good).then(|| after_seconds(now, BETWEEN_TRIES)));
        let entry = Rc::new(entry);
        self.entry.replace(entry.clone());
        entry
    }

    fn is_served(&self, entry: &Entry, wanted: &Wanted) -> bool {
        matches!(wanted, Wanted::Good(_)) && self.serves_meanwhile(entry)
    }

    /// A token that could not be renewed in time serves until it ends, and is not tried at every call.
    fn serves_meanwhile(&self, entry: &Entry) -> bool {
        let connection = self.connection;
        self.next_try.get().is_some_and(|next| connection.system.clock.now() < next)
            && connection.still_serves(entry, &Wanted::Good(None))
    }
}
