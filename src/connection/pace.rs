//! The vendor's limits, kept by every process of this user together.
//!
//! One lane for each limit of a provider, host and client. A vendor that declares no limit costs
//! nothing: no file, no look at the clock.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use url::Url;

use crate::clock::Clock;
use crate::provider::Provider;
use crate::provider::schema::Limit;
use crate::resource_server::limits::{limit_for, token_limit};
use crate::resource_server::window::Window;
use crate::store::StoreError;
use crate::store::tally::Tally;
use crate::system::Home;

/// How long a token request waits for its turn: less than those wait who wait for its result.
const TOKEN_PATIENCE: Duration = Duration::from_secs(5);

/// The lanes of one command's calls.
#[derive(Debug)]
pub struct Pace {
    lanes: Vec<Lane>,
    /// For calls that no limit is declared for: only what the vendor asks for in its answers counts.
    open: Lane,
}

/// The requests that count against one limit.
#[derive(Debug)]
pub struct Lane {
    limit: Option<Limit>,
    /// How many a minute this command may take at most; others find the rest.
    room: u32,
    folder: PathBuf,
    file: String,
    tally: OnceCell<Tally>,
    /// Why the tally failed, so that this command counts for itself.
    alone: RefCell<Option<String>>,
    /// What counts where nothing is shared.
    own: RefCell<Window>,
}

/// What a limit is shared by.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// Where tallies are.
    pub folder: &'a Path,
    /// Scheme, host and port.
    pub origin: &'a str,
    /// Public.
    pub client_id: &'a str,
}

/// Whether a request may be sent now.
#[derive(Debug)]
pub enum Turn {
    /// It is counted.
    Now,
    /// The limit is used up for that long.
    After(Duration),
    /// The vendor asked for a pause, which lasts that long yet.
    Paused(Duration),
}

impl Pace {
    /// The lanes of a provider's calls; a `crowd` of calls leaves a tenth of each limit to others.
    pub fn new(limits: &[Limit], counted: Counted<'_>, crowd: bool) -> Self {
        let lanes = limits.iter().map(|limit| Lane::of(limit, counted, crowd)).collect();
        Self { lanes, open: Lane::open() }
    }

    /// The lane of a call below the API base.
    pub fn lane(&self, limits: &[Limit], below: Option<&str>) -> &Lane {
        let limit = limit_for(limits, below).filter(|limit| limit.per_minute > 0);
        let lane = limit.and_then(|limit| {
            self.lanes.iter().find(|lane| lane.limit.as_ref().is_some_and(|it| it == limit))
        });
        lane.unwrap_or(&self.open)
    }
}

impl Lane {
    fn open() -> Self {
        Self {
            limit: None,
            room: u32::MAX,
            folder: PathBuf::new(),
            file: String::new(),
            tally: OnceCell::new(),
            alone: RefCell::default(),
            own: RefCell::default(),
        }
    }

    fn of(limit: &Limit, counted: Counted<'_>, crowd: bool) -> Self {
        let left = if crowd { limit.per_minute / 10 } else { 0 };
        let Counted { folder, origin, client_id } = counted;
        let digest = Sha256::digest(format!("{origin}\n{client_id}\n{}", limit.path));
        let name: String = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            limit: Some(limit.clone()),
            room: limit.per_minute - left,
            folder: folder.to_owned(),
            file: format!("{name}.json"),
            ..Self::open()
        }
    }

    /// The lane of the token endpoint; none where its vendor declares no limit.
    pub fn of_tokens(limits: &[Limit], counted: Counted<'_>) -> Option<Self> {
        let limit = token_limit(limits).filter(|limit| limit.per_minute > 0)?;
        Some(Self::of(limit, counted, false))
    }

    /// The same for a token endpoint's address.
    pub fn of_endpoint(
        provider: &Provider,
        home: &Home,
        endpoint: &str,
        client_id: &str,
    ) -> Option<Self> {
        let origin = Url::parse(endpoint).ok()?.origin().ascii_serialization();
        let counted = Counted { folder: &home.limits(), origin: &origin, client_id };
        Self::of_tokens(&provider.api.limits, counted)
    }

    /// Requests a minute, where the vendor says how many.
    pub fn per_minute(&self) -> Option<u32> {
        self.limit.as_ref().map(|limit| limit.per_minute)
    }

    /// Whether every request may go at once, as far as is known.
    pub fn is_open(&self) -> bool {
        self.limit.is_none() && !self.own.borrow().is_paused()
    }

    /// Asks for a turn; a tally that fails is an error once, and from then on this command counts alone.
    pub async fn turn(&self, clock: &dyn Clock) -> Result<Turn, StoreError> {
        self.ask(clock, Window::take).await
    }

    /// Asks for a turn; `work` looks into the window, and counts there or not.
    async fn ask(
        &self,
        clock: &dyn Clock,
        work: impl Fn(&mut Window, Timestamp, u32) -> Result<(), Duration>,
    ) -> Result<Turn, StoreError> {
        if self.limit.is_none() {
            let paused = self.own.borrow_mut().paused_for(clock.now());
            return Ok(paused.map_or(Turn::Now, Turn::Paused));
        }
        let (now, room) = (clock.now(), self.room);
        let asked = |window: &mut Window| match window.paused_for(now) {
            Some(wait) => Turn::Paused(wait),
            None => work(window, now, room).map_or_else(Turn::After, |()| Turn::Now),
        };
        self.with(clock, asked).await
    }

    /// Notes that the vendor wants nothing for that long, for every process.
    pub async fn pause(&self, clock: &dyn Clock, wait: Duration) -> Result<(), StoreError> {
        let now = clock.now();
        let pause = |window: &mut Window| window.pause(now, wait);
        if self.limit.is_none() {
            pause(&mut self.own.borrow_mut());
            return Ok(());
        }
        let shared = self.with(clock, pause).await;
        shared.inspect_err(|_| pause(&mut self.own.borrow_mut()))
    }

    /// Why this command counts alone, where it does.
    pub fn counts_alone(&self) -> Option<String> {
        self.alone.borrow().clone()
    }

    async fn with<T>(
        &self,
        clock: &dyn Clock,
        work: impl FnOnce(&mut Window) -> T,
    ) -> Result<T, StoreError> {
        if self.alone.borrow().is_some() {
            return Ok(work(&mut self.own.borrow_mut()));
        }
        let worked = self.with_others(clock, work).await;
        worked.inspect_err(|error| drop(self.alone.replace(Some(error.to_string()))))
    }

    async fn with_others<T>(
        &self,
        clock: &dyn Clock,
        work: impl FnOnce(&mut Window) -> T,
    ) -> Result<T, StoreError> {
        let (now, limit) = (clock.now(), self.per_minute().unwrap_or_default());
        let tally = match self.tally.get() {
            Some(tally) => tally,
            None => {
                let opened = Tally::open(&self.folder, &self.file)?;
                self.tally.get_or_init(|| opened)
            }
        };
        let changed = tally.change(clock, |found| {
            let mut window = read(found, now, limit);
            let result = work(&mut window);
            Ok((serde_json::to_vec(&window)?, result))
        });
        changed.await
    }

    /// Waits for the turn of a token request and counts it; where it is far off, says when it is.
    pub async fn token_turn(&self, clock: &dyn Clock) -> Result<(), Timestamp> {
        self.token_turn_of(clock, Window::take).await
    }

    /// The same without counting: the request comes later, and is counted when it is sent.
    pub async fn token_prospect(&self, clock: &dyn Clock) -> Result<(), Timestamp> {
        self.token_turn_of(clock, Window::ready).await
    }

    /// Counts a token request that is sent in any case.
    pub async fn count(&self, clock: &dyn Clock) {
        let count = |window: &mut Window| window.count(clock.now());
        if self.with(clock, count).await.is_err() {
            count(&mut self.own.borrow_mut());
        }
    }

    async fn token_turn_of(
        &self,
        clock: &dyn Clock,
        work: impl Fn(&mut Window, Timestamp, u32) -> Result<(), Duration>,
    ) -> Result<(), Timestamp> {
        let mut waited = Duration::ZERO;
        loop {
            let wait = match self.ask(clock, &work).await {
                Ok(Turn::Now) => return Ok(()),
                Ok(Turn::After(wait) | Turn::Paused(wait)) => wait,
                // From now on it is counted alone, which cannot fail.
                Err(_) => continue,
            };
            if waited + wait > TOKEN_PATIENCE {
                return Err(clock.now().checked_add(wait).unwrap_or(Timestamp::MAX));
            }
            clock.sleep(wait).await;
            waited += wait;
        }
    }
}

/// What is in a tally; one that cannot be read counts as used up, so that nothing is sent too much.
fn read(found: &[u8], now: Timestamp, limit: u32) -> Window {
    match found {
        [] => Window::default(),
        _ => serde_json::from_slice(found).unwrap_or_else(|_| Window::used_up(now, limit)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::Wait;
    use crate::provider::catalogue::shipped;

    /// Moves by waiting alone.
    struct Moved(Mutex<Timestamp>);

    impl Clock for Moved {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
        fn sleep(&self, duration: Duration) -> Wait<'_> {
            *self.0.lock().unwrap() += duration;
            Box::pin(std::future::ready(()))
        }
    }

    fn clock() -> Moved {
        Moved(Mutex::new(Timestamp::from_second(1_800_000_000).unwrap()))
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(future)
    }

    fn counted(folder: &Path) -> Counted<'_> {
        Counted { folder, origin: "https://gw.test", client_id: "c" }
    }

    fn inyo() -> Vec<Limit> {
        shipped("inyo").unwrap().unwrap().api.limits
    }

    fn taken(lane: &Lane, clock: &Moved) -> u32 {
        let mut count = 0;
        while matches!(now(lane.turn(clock)).unwrap(), Turn::Now) {
            count += 1;
        }
        count
    }

    #[test] // RR18
    fn two_commands_share_a_limit_and_two_limits_do_not_share() {
        let folder = tempfile::tempdir().unwrap();
        let (limits, clock) = (inyo(), clock());
        let one = Pace::new(&limits, counted(folder.path()), false);
        let other = Pace::new(&limits, counted(folder.path()), false);
        let crowd = Pace::new(&limits, counted(folder.path()), true);
        assert_eq!(taken(crowd.lane(&limits, Some("/v2/payment")), &clock), 360);
        assert_eq!(taken(one.lane(&limits, Some("/v2/payment")), &clock), 40);
        assert_eq!(taken(other.lane(&limits, Some("/v2/refund")), &clock), 0);
        assert_eq!(taken(other.lane(&limits, Some("/v2/fx/usd")), &clock), 200);
        assert_eq!(taken(&Lane::of_tokens(&limits, counted(folder.path())).unwrap(), &clock), 60);
        let elsewhere = Counted { client_id: "d", ..counted(folder.path()) };
        assert_eq!(taken(Pace::new(&limits, elsewhere, false).lane(&limits, None), &clock), 400);
    }

    #[test] // RR13
    fn a_pause_is_heard_by_the_other_command() {
        let folder = tempfile::tempdir().unwrap();
        let (limits, clock) = (inyo(), clock());
        let pace = || Pace::new(&limits, counted(folder.path()), false);
        let (one, other) = (pace(), pace());
        now(one.lane(&limits, None).pause(&clock, Duration::from_secs(9))).unwrap();
        for pace in [&one, &other] {
            let turn = now(pace.lane(&limits, None).turn(&clock)).unwrap();
            assert!(
                matches!(turn, Turn::Paused(wait) if wait == Duration::from_secs(9)),
                "{turn:?}"
            );
        }
    }

    #[test]
    fn where_no_limit_is_declared_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let pace = Pace::new(&[], counted(&folder.path().join("limits")), true);
        let (lane, clock) = (pace.lane(&[], Some("/x")), clock());
        assert!(lane.is_open());
        assert!(matches!(now(lane.turn(&clock)).unwrap(), Turn::Now));
        now(lane.pause(&clock, Duration::from_secs(1))).unwrap();
        assert!(!lane.is_open());
        assert!(matches!(now(lane.turn(&clock)).unwrap(), Turn::Paused(_)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_tally_that_cannot_be_written_is_told_once_and_the_command_counts_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("limits");
        std::fs::write(&place, "in the way").unwrap();
        let (limits, clock) = (inyo(), clock());
        let pace = Pace::new(&limits, counted(&place), false);
        let lane = pace.lane(&limits, None);
        assert!(now(lane.turn(&clock)).is_err());
        assert_eq!(taken(lane, &clock), 400);
    }

    #[test]
    fn a_tally_that_cannot_be_read_counts_as_used_up() {
        let folder = tempfile::tempdir().unwrap();
        let (limits, clock) = (inyo(), clock());
        let pace = Pace::new(&limits, counted(folder.path()), false);
        let lane = pace.lane(&limits, None);
        std::fs::write(folder.path().join(&lane.file), "[[[").unwrap();
        assert_eq!(taken(lane, &clock), 0);
        now(clock.sleep(Duration::from_secs(61)));
        assert_eq!(taken(lane, &clock), 400);
    }

    #[test] // RR13
    fn a_pause_does_not_grow_when_the_clock_is_set_back() {
        let folder = tempfile::tempdir().unwrap();
        for limits in [inyo(), Vec::new()] {
            let clock = clock();
            let pace = Pace::new(&limits, counted(folder.path()), true);
            let lane = pace.lane(&limits, None);
            now(lane.pause(&clock, Duration::from_secs(9))).unwrap();
            *clock.0.lock().unwrap() -= Duration::from_secs(86_400);
            let turn = now(lane.turn(&clock)).unwrap();
            assert!(
                matches!(turn, Turn::Paused(wait) if wait == Duration::from_secs(9)),
                "{turn:?}"
            );
            now(clock.sleep(Duration::from_secs(9)));
            assert!(matches!(now(lane.turn(&clock)).unwrap(), Turn::Now));
        }
    }

    #[test]
    fn a_token_request_whose_tally_cannot_be_used_is_counted_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("limits");
        std::fs::write(&place, "in the way").unwrap();
        let (limits, clock) = (inyo(), clock());
        let lane = Lane::of_tokens(&limits, counted(&place)).unwrap();
        assert_eq!(lane.counts_alone(), None);
        for _ in 0..60 {
            now(lane.token_turn(&clock)).unwrap();
        }
        now(lane.token_turn(&clock)).unwrap_err();
        assert!(lane.counts_alone().is_some());
    }

    #[test]
    fn a_request_that_comes_later_is_counted_when_it_is_sent_and_never_held_back() {
        let folder = tempfile::tempdir().unwrap();
        let (limits, clock) = (inyo(), clock());
        let lane = Lane::of_tokens(&limits, counted(folder.path())).unwrap();
        for _ in 0..100 {
            now(lane.token_prospect(&clock)).unwrap();
        }
        for _ in 0..60 {
            now(lane.count(&clock));
        }
        now(lane.token_prospect(&clock)).unwrap_err();
        now(lane.count(&clock));
        now(lane.token_turn(&clock)).unwrap_err();
    }

    #[test] // AT-16f
    fn a_token_request_waits_a_little_or_says_until_when() {
        let folder = tempfile::tempdir().unwrap();
        let (limits, clock) = (inyo(), clock());
        let lane = Lane::of_tokens(&limits, counted(folder.path())).unwrap();
        let start = clock.now();
        for _ in 0..60 {
            now(lane.token_turn(&clock)).unwrap();
        }
        let until = now(lane.token_turn(&clock)).unwrap_err();
        assert_eq!(until.duration_since(start).as_secs(), 61);
        now(clock.sleep(Duration::from_secs(57)));
        now(lane.token_turn(&clock)).unwrap();
        assert_eq!(clock.now().duration_since(start).as_secs(), 61);
    }
}
