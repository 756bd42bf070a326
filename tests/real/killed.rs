//! `kill -9` of the command and its process group, at every moment of a refresh, with a server that
//! ends the whole connection when it sees a spent refresh token. Nothing may be lost.

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

#[test] // RF4
fn two_hundred_killed_refreshes_lose_no_connection() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options { token_delay_milliseconds: DELAY });
    let keyfob = |arguments: &[&str]| folder.keyfob(arguments);
    let range = Range { server: &server, keyfob: &keyfob };
    range.connect(&folder);
    range.kills(KILLS);
}

#[test]
#[cfg(target_os = "linux")]
fn killed_refreshes_lose_no_connection_in_the_keychain_either() {
    use std::cell::Cell;

    use super::keyring::{Session, in_a_session};

    struct Site {
        server: AuthorizationServer,
        connected: Cell<bool>,
    }
    let site = |session: &Session| Site {
        server: AuthorizationServer::start(
            &session.folder,
            &Options { token_delay_milliseconds: DELAY },
        ),
        connected: Cell::new(false),
    };
    let steps = |session: &Session, site: &Site| {
        let keyfob = |arguments: &[&str]| session.keyfob("home", arguments);
        let range = Range { server: &site.server, keyfob: &keyfob };
        range.connect(&session.folder);
        site.connected.set(true);
        range.kills(KILLS_WITH_KEYCHAIN);
    };
    in_a_session(site, steps, |session, site| {
        let keyfob = |arguments: &[&str]| session.keyfob("home", arguments);
        let range = Range { server: &site.server, keyfob: &keyfob };
        assert!(!site.connected.get() || range.survived());
        range.no_token_was_lost();
    });
}

/// Where commands die: a server, and the program with one of its stores.
struct Range<'a> {
    server: &'a AuthorizationServer,
    keyfob: &'a dyn Fn(&[&str]) -> Command,
}

impl Range<'_> {
    fn connect(&self, folder: &Folder) {
        let mut command = (self.keyfob)(&["connect", "shop", "--timeout", "30s"]);
        self.server.with_client(folder, "provider", &mut command);
        command.args(["--scope", "openid,offline_access"]).env("BROWSER", person(folder, "allow"));
        Ran::of(&mut command).done();
    }

    fn kills(&self, kills: u32) {
        let whole = self.whole_refresh();
        let mut tally = Tally::default();
        while tally.killed < kills && tally.lost == 0 {
            tally.attempts += 1;
            // Every fourth is killed for certain, however the machine's pace changes meanwhile.
            assert!(tally.attempts <= 5 * kills, "most refreshes end before they are killed");
            if self.kill_one(whole, &mut tally) && !tally.killed.is_multiple_of(TWICE) {
                tally.lost += u32::from(!self.survived());
            }
        }
        tally.lost += u32::from(!self.survived());
        let counts = self.server.counts();
        report(&tally, &counts, whole);
        assert_eq!(tally.lost, 0);
        assert_eq!(counts.grants_alive, 1, "{counts:?}");
        self.no_token_was_lost();
    }

    /// No token was sent that the server had replaced, and so it revoked nothing.
    fn no_token_was_lost(&self) {
        let counts = self.server.counts();
        assert_eq!((counts.spent_tokens_seen, counts.unknown_tokens_seen), (0, 0), "{counts:?}");
        assert_eq!(counts.grants_revoked, 0, "{counts:?}");
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
        if !alive {
            println!("NOT ALIVE: {refreshed:#?} {token:#?} {:?}", self.server.counts());
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
