//! The vendor: rolls refresh tokens, ends a connection when it sees a spent one, and misbehaves.
//!
//! It shares no code with keyfob or its sandbox: what one gets wrong, the other must notice.

mod answer;
mod family;
mod fault;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use answer::Answer;
pub use family::Granted;
use family::{Family, Fate, Presented};
pub use fault::{ApiFault, TokenFault};
use wire::Request;

use crate::Failure;
use crate::chance::Chance;

/// The client that has no refresh token.
const MACHINE: &str = "machine";
/// How many of a hundred token requests meet a fault.
const TOKEN_FAULTS: u64 = 40;
/// How many of a hundred calls do.
const API_FAULTS: u64 = 12;
/// A normal answer that took longer may have come too late: this machine is busy, and a client gives up.
const TOO_LATE: Duration = Duration::from_secs(5);
/// The least time between two refusals of a good access token.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(5);
/// How many of its last decisions it remembers, to be printed where something was lost.
const REMEMBERED: usize = 60;

/// What it has seen and done.
#[derive(Default, Clone)]
pub struct Counts {
    pub token_requests: u64,
    pub calls: u64,
    pub rotations: u64,
    pub reissued: u64,
    pub spent_seen: u64,
    pub unknown_seen: u64,
    pub sent_twice_at_once: u64,
    pub families_ended: u64,
    pub answers_lost: u64,
    pub answers_late: u64,
    pub answers_cut: u64,
    pub forgiven: u64,
    pub token_faults: BTreeMap<TokenFault, u64>,
    pub api_faults: BTreeMap<ApiFault, u64>,
}

/// The server, at work until the process ends.
pub struct Server {
    address: SocketAddr,
    misbehaves: AtomicBool,
    state: Mutex<State>,
    /// Wakes those who want to kill while a token request is in its hands.
    arrived: Condvar,
}

struct State {
    chance: Chance,
    counts: Counts,
    families: Vec<Family>,
    /// Refresh tokens whose requests are being answered, and since when.
    in_hand: HashMap<String, Instant>,
    last_refusal: Option<Instant>,
    start: Instant,
    history: Vec<String>,
}

impl Server {
    /// Starts it.
    pub fn start(seed: u64) -> Result<Arc<Self>, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let state = State {
            chance: Chance::new(seed, 1000),
            counts: Counts::default(),
            families: Vec::new(),
            in_hand: HashMap::new(),
            last_refusal: None,
            start: Instant::now(),
            history: Vec::new(),
        };
        let server = Arc::new(Self {
            address: listener.local_addr()?,
            misbehaves: AtomicBool::new(false),
            state: Mutex::new(state),
            arrived: Condvar::new(),
        });
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                std::thread::spawn(move || server.serve(&stream));
            }
        });
        Ok(server)
    }

    /// Where it is.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether it misbehaves from now on.
    pub fn faults(&self, wanted: bool) {
        self.misbehaves.store(wanted, Ordering::Relaxed);
    }

    /// A new connection, as a vendor's dashboard gives one.
    pub fn new_family(&self) -> Granted {
        let mut state = self.state();
        let number = state.families.len();
        let (family, granted) = Family::new(number, &mut state.chance);
        state.families.push(family);
        granted
    }

    /// What it has seen and done.
    pub fn counts(&self) -> Counts {
        self.state().counts.clone()
    }

    /// Its last decisions.
    pub fn history(&self) -> Vec<String> {
        self.state().history.clone()
    }

    /// Waits until another token request is in its hands, at most so long.
    pub fn wait_for_token_request(&self, at_most: Duration) {
        let state = self.state();
        let seen = state.counts.token_requests;
        let same = |state: &mut State| state.counts.token_requests == seen;
        drop(self.arrived.wait_timeout_while(state, at_most, same));
    }

    /// Forgives what was on its way when everything of keyfob's was killed.
    pub fn everything_was_killed(&self) {
        let mut state = self.state();
        state.in_hand.clear();
        let cut = state.families.iter_mut().filter_map(Family::forgive_what_is_on_its_way).count();
        state.counts.answers_cut += cut as u64;
        state.remember("everything was killed");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &TcpStream) {
        let arrived = Instant::now();
        let Some(request) = wire::peek(stream) else { return };
        match request.path.as_str() {
            "/token" => self.serve_tokens(stream, &request, arrived),
            path if path.starts_with("/api/") => self.serve_call(stream, &request),
            _ => drop(wire::send(stream, &Answer::error(404, "not_found"))),
        }
    }

    fn serve_tokens(&self, stream: &TcpStream, request: &Request, arrived: Instant) {
        let decision = {
            let mut state = self.state();
            let fault = self.token_fault(&mut state);
            let decision = state.decide(request, fault);
            self.arrived.notify_all();
            decision
        };
        std::thread::sleep(decision.delay);
        let token = request.field("refresh_token").unwrap_or_default();
        // Noted before it is written: the next request may come sooner than this thread goes on.
        let fate = self.state().fate(decision.delivers, arrived);
        self.state().answered(token, fate);
        if !wire::send(stream, &decision.answer) && matches!(fate, Fate::Delivered(_)) {
            self.state().answered(token, Fate::Lost);
        }
    }

    fn token_fault(&self, state: &mut State) -> Option<TokenFault> {
        let misbehaves = self.misbehaves.load(Ordering::Relaxed);
        let chosen = misbehaves && state.chance.percent(TOKEN_FAULTS);
        let fault = chosen.then(|| TokenFault::any(&mut state.chance))?;
        *state.counts.token_faults.entry(fault).or_default() += 1;
        Some(fault)
    }

    fn serve_call(&self, stream: &TcpStream, request: &Request) {
        let (delay, answer) = {
            let mut state = self.state();
            state.counts.calls += 1;
            let misbehaves = self.misbehaves.load(Ordering::Relaxed);
            let chosen = misbehaves && state.chance.percent(API_FAULTS);
            let fault = chosen.then(|| ApiFault::any(&mut state.chance));
            if let Some(fault) = fault {
                *state.counts.api_faults.entry(fault).or_default() += 1;
            }
            let delay = state.chance.time(0, 30);
            match fault {
                Some(fault) if fault != ApiFault::Refuses => (delay, fault.answer()),
                _ => (delay, state.call(request, fault.is_some())),
            }
        };
        std::thread::sleep(delay);
        wire::send(stream, &answer);
    }
}

/// What becomes of a token request.
struct Decision {
    delay: Duration,
    answer: Answer,
    /// Whether the answer brings the tokens to whoever asked.
    delivers: bool,
}

impl State {
    fn fate(&mut self, delivers: bool, arrived: Instant) -> Fate {
        let is_late = arrived.elapsed() > TOO_LATE;
        self.counts.answers_late += u64::from(delivers && is_late);
        if delivers && !is_late { Fate::Delivered(Instant::now()) } else { Fate::Lost }
    }

    fn answered(&mut self, token: &str, fate: Fate) {
        self.in_hand.remove(token);
        self.families.iter_mut().for_each(|family| family.answered(token, fate));
    }

    /// One token in two requests at once is two processes at work where one should be.
    fn take_in_hand(&mut self, token: &str) {
        let before = self.in_hand.insert(token.to_owned(), Instant::now());
        if before.is_some_and(|since| since.elapsed() < TOO_LATE) {
            self.counts.sent_twice_at_once += 1;
            self.remember(&format!("{token} SENT TWICE AT ONCE"));
        }
    }

    fn decide(&mut self, request: &Request, fault: Option<TokenFault>) -> Decision {
        self.counts.token_requests += 1;
        if let Some(token) = request.field("refresh_token") {
            self.take_in_hand(token);
        }
        let delay = match fault {
            Some(fault) => fault.delay(&mut self.chance),
            None => self.chance.time(0, 60),
        };
        if let Some(fault) = fault.filter(|fault| !fault.rotates()) {
            self.remember(&format!("{fault}, nothing rolled"));
            return Decision { delay, answer: fault.answer(None), delivers: false };
        }
        let granted = match request.field("grant_type") {
            Some("client_credentials") => self.reissue(request),
            Some("refresh_token") => {
                self.roll(request.field("refresh_token").unwrap_or_default(), fault)
            }
            _ => Err(Answer::error(400, "unsupported_grant_type")),
        };
        match (granted, fault) {
            (Err(answer), _) => Decision { delay, answer, delivers: false },
            (Ok(granted), Some(fault)) if fault.loses_the_answer() => {
                Decision { delay, answer: fault.answer(Some(&granted)), delivers: false }
            }
            (Ok(granted), _) => Decision { delay, answer: granted.answer(), delivers: true },
        }
    }

    fn reissue(&mut self, request: &Request) -> Result<Granted, Answer> {
        if request.field("client_id") != Some(MACHINE) {
            return Err(Answer::error(401, "invalid_client"));
        }
        self.counts.reissued += 1;
        let number = self.families.len();
        let (family, granted) = Family::new(number, &mut self.chance);
        self.families.push(family);
        Ok(Granted { refresh_token: None, ..granted })
    }

    fn roll(&mut self, token: &str, fault: Option<TokenFault>) -> Result<Granted, Answer> {
        let loses = fault.is_some_and(TokenFault::loses_the_answer);
        let presented = self
            .families
            .iter_mut()
            .map(|family| family.present(token, &mut self.chance))
            .find(|presented| !matches!(presented, Presented::NotOurs));
        let (granted, what) = match presented.unwrap_or(Presented::NotOurs) {
            Presented::Rolled(granted) => {
                self.counts.rotations += 1;
                (Ok(granted), "rolled")
            }
            Presented::Forgiven(granted) => {
                self.counts.forgiven += 1;
                (Ok(granted), "sent again after a lost answer")
            }
            Presented::Spent => {
                self.counts.spent_seen += 1;
                self.counts.families_ended += 1;
                (Err(Answer::error(400, "invalid_grant")), "SPENT")
            }
            Presented::Ended => {
                (Err(Answer::error(400, "invalid_grant")), "of an ended connection")
            }
            Presented::NotOurs => {
                self.counts.unknown_seen += 1;
                (Err(Answer::error(400, "invalid_grant")), "UNKNOWN")
            }
        };
        self.counts.answers_lost += u64::from(loses && granted.is_ok());
        let fault = fault.map(|it| it.to_string()).unwrap_or_default();
        self.remember(&format!("{token} {what} {fault}"));
        granted
    }

    fn call(&mut self, request: &Request, refuses: bool) -> Answer {
        let token = request.bearer.as_deref().unwrap_or_default();
        let is_good = self.families.iter().any(|family| family.opens(token));
        let rested = self.last_refusal.is_none_or(|at| at.elapsed() > BETWEEN_REFUSALS);
        match is_good {
            true if refuses && rested => {
                self.last_refusal = Some(Instant::now());
                Answer::unauthorized()
            }
            true => Answer::json(200, "{\"me\":183}"),
            false => Answer::unauthorized(),
        }
    }

    fn remember(&mut self, what: &str) {
        if self.history.len() == REMEMBERED {
            self.history.remove(0);
        }
        let seconds = self.start.elapsed().as_secs_f64();
        self.history.push(format!("{seconds:>9.3}  server  {what}"));
    }
}
