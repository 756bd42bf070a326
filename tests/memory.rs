//! What is left in the memory of a process that is still alive: what it needs, and no secret besides.

use std::fs::{File, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStdout};
use std::sync::Arc;

use keyfob::connection::Entry;
use keyfob::random::SystemRandom;
use keyfob::sandbox::Behaviour;
use keyfob::secret::Secret;
use keyfob::store::file::{FileKey, FileStore};
use keyfob::store::{EntryName, Store as _};
use keyfob::system::Home;

use crate::support::program::{Life, Program, STORE_KEY};
use crate::support::tracing::may_trace;

/// A `proxy` that runs, and waits.
struct Waiting {
    child: Child,
    _stdout: BufReader<ChildStdout>,
}

impl Waiting {
    fn start(program: &Program) -> Self {
        // What is in the environment stays there; a key from a file is read when it is needed.
        let path = program.folder.path().join("key");
        std::fs::write(&path, STORE_KEY).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let mut command = program.command(["proxy", "shop"]);
        command.env_remove("KEYFOB_STORE_KEY").env("KEYFOB_STORE_KEY_FILE", &path);
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        assert!(line().starts_with("http://127.0.0.1:"));
        // The proxy's own secret is told last: it serves from here on.
        assert_eq!(line().len(), 43);
        Self { child, _stdout: stdout }
    }

    /// How often each of these stands in its memory; `None` where the system does not let anybody look.
    fn holds(&self, wanted: &[&str]) -> Option<Vec<usize>> {
        let process = format!("/proc/{}", self.child.id());
        let maps = std::fs::read_to_string(format!("{process}/maps")).ok()?;
        let mut memory = File::open(format!("{process}/mem")).ok()?;
        let mut counts = vec![0; wanted.len()];
        for (start, end) in maps.lines().filter_map(writable) {
            let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
            // Pages of the kernel's own are not read.
            let read = memory.seek(SeekFrom::Start(start)).and_then(|_| memory.read(&mut bytes));
            let Ok(length) = read else { continue };
            for (count, wanted) in counts.iter_mut().zip(wanted) {
                *count += found(&bytes[..length], wanted.as_bytes());
            }
        }
        Some(counts)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `start-end rw-p …`
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    rest.starts_with("rw").then_some((number(start)?, number(end)?))
}

fn found(bytes: &[u8], wanted: &[u8]) -> usize {
    let first = wanted[0];
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first);
    starts.filter(|(at, _)| bytes[*at..].starts_with(wanted)).count()
}

fn store(program: &Program) -> (FileStore, EntryName) {
    let home = Home::under(&program.home());
    let key = FileKey::Text(Secret::new(STORE_KEY));
    let store = FileStore::new(home.sealed(), key, Arc::new(SystemRandom));
    (store, EntryName { profile: "shop".into(), home: home.identity.clone() })
}

fn entry(program: &Program) -> Entry {
    let (store, name) = store(program);
    Entry::decode(&store.read(&name).unwrap().unwrap()).unwrap()
}

#[test] // A21, ST14
fn a_process_that_waits_holds_the_token_that_it_needs_and_no_other_secret() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Over);
    let before = entry(&program);
    let proxy = Waiting::start(&program);
    let after = entry(&program);
    let (old, new) = (before.tokens.clone().unwrap(), after.tokens.clone().unwrap());
    assert_ne!(old.refresh_token, new.refresh_token, "it has begun with a refresh");
    let (store, name) = store(&program);
    let (filed, told) = (Secret::new(STORE_KEY), store.worker_key(&name).unwrap());
    let named: [(&str, &Secret); 8] = [
        ("the access token", &new.access_token),
        ("the access token before it", &old.access_token),
        ("the refresh token that was spent", old.refresh_token.as_ref().unwrap()),
        ("the refresh token in force", new.refresh_token.as_ref().unwrap()),
        ("the client secret", after.client_secret().unwrap()),
        ("the journal's key", &after.journal_key),
        ("the store's key as it stands in its file", &filed),
        ("the store's key as the worker is told it", &told),
    ];
    let wanted: Vec<&str> = named.iter().map(|(_, secret)| secret.expose()).collect();
    let Some(counts) = proxy.holds(&wanted) else {
        // Nobody looks into it (PR_SET_DUMPABLE): that is the promise before this one.
        assert!(!may_trace(), "who may trace may look");
        return;
    };
    assert!(counts[0] > 0, "the one that it needs is found, so the others would be");
    let left = named.iter().zip(&counts).skip(1).filter(|(_, count)| **count > 0);
    let left: Vec<&str> = left.map(|((name, _), _)| *name).collect();
    assert!(left.is_empty(), "left in memory: {left:?}");
}
