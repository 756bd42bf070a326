//! `kill -9` of the command and its process group, at every moment of a refresh, with a server that
//! ends the whole connection when it sees a spent refresh token. Nothing may be lost.

use std::cell::Cell;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::authorization_server::{AuthorizationServer, Counts, Options, person};
use super::folder::{Folder, Ran};

/// How many commands die with sealed files as their store.
const KILLS: u32 = 200;
/// How many die with the keychain, where a service of its own stores the tokens.
const KILLS_WITH_KEYCHAIN: u32 = 60;
/// How many keychains may end by themselves, each taking its session with it.
const SESSIONS: u32 = 8;
/// Every so many kills one falls when the server has the request and has not answered.
const IN_FLIGHT: u32 = 4;
/// Every so many kills the next refresh is killed too, before a whole one had a turn.
const TWICE: u32 = 3;
/// How long the server keeps a token request before it works on it.
const DELAY: u32 = 10;

/// What became of the kills.
#[derive(Default)]
struct Tally {
    attempts: u32,
    killed: u32,
    in_flight: u32,
    lost: u32,
    /// Kills by tenths of the time a whole refresh takes.
    moments: [u32; 12],
}

#[test]
fn two_hundred_killed_refreshes_lose_no_connection() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options { token_delay_milliseconds: DELAY });
    let keyfob = |arguments: &[&str]| folder.keyfob(arguments);
    let range = Range { server: &server, keyfob: &keyfob, keychain_ended: Cell::new(false) };
    range.connect(&folder);
    assert_eq!(range.kills(KILLS), KILLS);
}

#[test]
#[cfg(target_os = "linux")]
fn killed_refreshes_lose_no_connection_in_the_keychain_either() {
    let mut killed = 0;
    for _ in 0..SESSIONS {
        killed += with_a_keychain(KILLS_WITH_KEYCHAIN - killed);
        if killed >= KILLS_WITH_KEYCHAIN {
            return;
        }
        println!("the keychain's own service ended after {killed} kills: a new session goes on");
    }
    panic!(
        "the keychain's service ended in each of {SESSIONS} sessions, after {killed} kills in all"
    );
}

/// A session, a keychain and a connection of their own; how many commands died in it.
#[cfg(target_os = "linux")]
fn with_a_keychain(kills: u32) -> u32 {
    let session = super::keychain_program::Session::unlocked();
    let folder = &session.folder;
    let server = AuthorizationServer::start(folder, &Options { token_delay_milliseconds: DELAY });
    let keyfob = |arguments: &[&str]| session.keyfob("home", arguments);
    let range = Range { server: &server, keyfob: &keyfob, keychain_ended: Cell::new(false) };
    range.connect(folder);
    range.kills(kills)
}

/// Where commands die: a server, and the program with one of its stores.
struct Range<'a> {
    server: &'a AuthorizationServer,
    keyfob: &'a dyn Fn(&[&str]) -> Command,
    /// gnome-keyring 42 ends by itself now and then when clients of its die in the middle of a
    /// request. Nothing can be stored then, and nothing may be lost or spent either.
    keychain_ended: Cell<bool>,
}

impl Range<'_> {
    fn connect(&self, folder: &Folder) {
        let mut command = (self.keyfob)(&["connect", "shop", "--timeout", "30s"]);
        self.server.with_client(folder, "provider", &mut command);
        command.args(["--scope", "openid,offline_access"]).env("BROWSER", person(folder, "allow"));
        Ran::of(&mut command).done();
    }

    /// Kills that many, or fewer where the keychain's service ended.
    fn kills(&self, kills: u32) -> u32 {
        let whole = self.whole_refresh();
        let mut tally = Tally::default();
        while tally.killed < kills && !self.keychain_ended.get() {
            tally.attempts += 1;
            assert!(tally.attempts < 3 * kills, "most refreshes end before they are killed");
            if self.kill_one(whole, &mut tally) && !tally.killed.is_multiple_of(TWICE) {
                tally.lost += u32::from(!self.survived());
            }
        }
        tally.lost += u32::from(!self.survived());
        let counts = self.server.counts();
        report(&tally, &counts, whole);
        assert_eq!(tally.lost, 0);
        assert_eq!((counts.spent_tokens_seen, counts.unknown_tokens_seen), (0, 0), "{counts:?}");
        assert_eq!((counts.grants_revoked, counts.grants_alive), (0, 1), "{counts:?}");
        tally.killed
    }

    /// How long a refresh takes that nobody disturbs: the median of five.
    fn whole_refresh(&self) -> Duration {
        let mut took: Vec<Duration> = (0..5)
            .map(|_| {
                let start = Instant::now();
                Ran::of(&mut (self.keyfob)(&["refresh", "shop"])).done();
                start.elapsed()
            })
            .collect();
        took.sort();
        took[2]
    }

    /// Starts a refresh and kills its process group; whether it was still running then.
    fn kill_one(&self, whole: Duration, tally: &mut Tally) -> bool {
        let in_flight = tally.attempts.is_multiple_of(IN_FLIGHT);
        // Spread evenly and not in order: multiples of the golden ratio.
        let part = (f64::from(tally.attempts) * 0.618_034).fract() * 1.1;
        if in_flight {
            // A worker whose command was killed may still be at it, and would spare this one its request.
            tally.lost += u32::from(!self.survived());
            if self.keychain_ended.get() {
                return false;
            }
        }
        let seen = self.server.counts().token_requests;
        let child = self.start();
        match in_flight {
            true => self.server.sees_token_request(seen + 1),
            // Not a wait for something: the moment of the kill is what is tried here.
            false => std::thread::sleep(whole.mul_f64(part)),
        }
        let status = kill(child);
        let killed = status.signal() == Some(9);
        tally.killed += u32::from(killed);
        match (killed, in_flight) {
            (true, true) => tally.in_flight += 1,
            (true, false) => tally.moments[(part * 10.0) as usize] += 1,
            (false, _) => {}
        }
        killed
    }

    fn start(&self) -> Child {
        let mut command = (self.keyfob)(&["refresh", "shop"]);
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Whether the connection still refreshes, and gives a token that the resource server takes.
    fn survived(&self) -> bool {
        let refreshed = Ran::of(&mut (self.keyfob)(&["refresh", "shop"]));
        let token = Ran::of(&mut (self.keyfob)(&["token", "shop"]));
        let alive = refreshed.exit == Some(0) && self.server.me(token.stdout.trim()).0 == 200;
        let no_keychain = |ran: &Ran| {
            let says = ["there is no keychain", "the keychain does not answer"];
            ran.exit == Some(6) && says.iter().any(|words| ran.stderr.contains(words))
        };
        if !alive && no_keychain(&token) {
            self.keychain_ended.set(true);
            return true;
        }
        if !alive {
            println!("LOST: {refreshed:#?} {token:#?} {:?}", self.server.counts());
        }
        alive
    }
}

fn kill(mut child: Child) -> ExitStatus {
    let group = Pid::from_child(&child);
    // Until it is waited for, its number is nobody else's, ended or not.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait().unwrap()
}

fn report(tally: &Tally, counts: &Counts, whole: Duration) {
    println!("a whole refresh takes {} ms, {DELAY} of them at the server", whole.as_millis());
    println!("kills                              {:>4}", tally.killed);
    println!("  while the server had the request {:>4}", tally.in_flight);
    for (tenth, kills) in tally.moments.iter().enumerate() {
        println!("  at {:>3}-{:>3} % of a refresh         {kills:>4}", tenth * 10, tenth * 10 + 10);
    }
    println!("ended before the kill              {:>4}", tally.attempts - tally.killed);
    println!("rotations at the server            {:>4}", counts.rotations);
    println!("connections lost                   {:>4}", tally.lost);
    println!(
        "spent or unknown tokens sent       {:>4}",
        counts.spent_tokens_seen + counts.unknown_tokens_seen
    );
    println!("grants revoked by the server       {:>4}", counts.grants_revoked);
}
