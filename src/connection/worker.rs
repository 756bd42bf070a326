//! The critical part in a process of its own: this program started again, in its own session.
//!
//! It inherits the locked descriptor, so the lock lives as long as the work. It has no terminal
//! and none of the caller's streams. It acts only on a complete message, and ends before that
//! when its pipe does. The caller waits for its answer; nobody can take it away from the worker.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::Connection;
use super::certificate::{Held, presenting};
use super::cooldown::Cooldown;
use super::drawer::Drawer;
use super::fresh::FreshError;
use super::pace::Lane;
use super::roll::{self, Order, Rolled, Tools};
use super::saving;
use super::server::Tracing;
use crate::clock::{Clock as _, SystemClock};
use crate::http::Client;
use crate::profile::file::Profiles;
use crate::profile::settings;
use crate::random::SystemRandom;
use crate::secret::Secret;
use crate::store::lock::Lock;
use crate::store::{EntryName, StoreError, StoreKind};
use crate::system::Home;
use crate::system::environment::SECRET_VARIABLES;
use crate::system::real::{self, ClientOptions};
use crate::system::stores;

/// The argument that makes this program a worker.
pub const ARGUMENT: &str = "refresh-worker";
/// The longest wait for the worker: two token requests, and a keychain that takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a worker that has answered may take to end.
const FAREWELL: Duration = Duration::from_secs(1);
/// The longest message either way, in bytes.
const LONGEST_MESSAGE: u64 = 16 << 20;

/// Everything a worker needs; the pipe is private to the two processes.
#[derive(Serialize, Deserialize)]
struct Message {
    order: Order,
    name: EntryName,
    store: StoreKind,
    #[serde(with = "crate::secret::stored_option")]
    store_key: Option<Secret>,
    home: Home,
    lock: PathBuf,
    client: ClientOptions,
    verbose: u8,
}

/// What comes back.
#[derive(Serialize, Deserialize)]
struct Reply {
    /// Lines of the traffic, for the caller's standard error.
    trace: Vec<String>,
    /// Why the endpoint's limit was not counted together with other processes.
    counts_alone: Option<String>,
    outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
enum Outcome {
    Rolled(Rolled),
    NothingSent(StoreError),
    Failed(String),
}

/// Has a worker roll the tokens, and waits for it.
pub async fn roll(
    connection: &Connection<'_>,
    order: Order,
    lock: Lock,
) -> Result<Rolled, FreshError> {
    let message = Message {
        order,
        name: connection.drawer.name.clone(),
        store: connection.drawer.store.kind(),
        store_key: connection
            .system
            .stores
            .worker_key(connection.drawer.store.kind(), &connection.drawer.name)?,
        home: connection.system.home.clone(),
        lock: lock.path().to_owned(),
        client: connection.system.client_options.clone(),
        verbose: connection.verbose,
    };
    let text = Secret::json(&message).map_err(worker_failure)?;
    let saves = if message.order.saving.is_some() { 2 } else { 0 };
    let reply =
        ask(&lock, &text, PATIENCE + saves * saving::BOUND).await.map_err(worker_failure)?;
    // What the worker tells comes after the masks of what it has stored.
    if connection.hears_entries.is_some()
        && let Ok(Some(entry)) = connection.drawer.read()
    {
        connection.hear(&entry);
    }
    connection.trace(reply.trace);
    connection.tell_counts_alone(reply.counts_alone);
    match reply.outcome {
        Outcome::Rolled(rolled) => Ok(rolled),
        Outcome::NothingSent(error) => Err(FreshError::Store(error)),
        Outcome::Failed(why) => Err(FreshError::Worker(why)),
    }
}

fn worker_failure(error: impl std::fmt::Display) -> FreshError {
    FreshError::Worker(error.to_string())
}

async fn ask(lock: &Lock, message: &Secret, patience: Duration) -> io::Result<Reply> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut worker = start(OwnedFd::from(theirs), lock.share()?)?;
    ours.set_nonblocking(true)?;
    let mut ours = tokio::net::UnixStream::from_std(ours)?;
    ours.write_all(message.expose().as_bytes()).await?;
    ours.write_all(b"\n").await?;
    let mut reply = Vec::new();
    let mut ours = tokio::io::BufReader::new(ours).take(LONGEST_MESSAGE);
    let heard = tokio::time::timeout(patience, ours.read_until(b'\n', &mut reply)).await;
    let Ok(heard) = heard else {
        return Err(io::Error::other("the process that refreshes did not answer in time"));
    };
    heard?;
    see_off(&mut worker, &mut ours).await;
    serde_json::from_slice(&reply)
        .map_err(|_| io::Error::other("the process that refreshes ended without an answer"))
}

/// Collects a worker that ends: a program that takes this one's place must find no child that is not its own.
async fn see_off(worker: &mut Child, pipe: &mut (impl AsyncRead + Unpin)) {
    let ended = tokio::time::timeout(FAREWELL, pipe.read_to_end(&mut Vec::new())).await;
    // Its end of the pipe closes as it ends; one that hangs is left to the system.
    let _ = match ended {
        Ok(_) => worker.wait().map(Some),
        Err(_) => worker.try_wait(),
    };
}

/// Starts this program again; what it must not see in its environment is taken out.
fn start(pipe: OwnedFd, lock: File) -> io::Result<Child> {
    let mut command = Command::new(this_program()?);
    for name in SECRET_VARIABLES {
        command.env_remove(name);
    }
    command
        .arg(ARGUMENT)
        .current_dir("/")
        .stdin(Stdio::from(pipe))
        .stdout(Stdio::from(lock))
        .stderr(Stdio::null());
    command.spawn()
}

/// The file this process runs from, also when it was replaced by an upgrade meanwhile.
fn this_program() -> io::Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    match running.exists() {
        true => Ok(running),
        false => std::env::current_exe(),
    }
}

/// Runs as the worker: standard input is the pipe, standard output the locked file.
///
/// # Errors
/// Where the pipe ends before a whole message; nothing has been done then.
pub fn run() -> io::Result<()> {
    // First of all: a signal to the caller's process group must not reach this process.
    rustix::process::setsid()?;
    let pipe = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let lock = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _deaf = runtime.block_on(async { ignore_signals() })?;
    let message = read_message(&pipe)?;
    let reply = runtime.block_on(obey(message, lock));
    let text = Secret::json(&reply)?;
    // A caller that is gone does not matter: the work is done and stored.
    let _ = (&pipe).write_all(text.expose().as_bytes()).and_then(|()| (&pipe).write_all(b"\n"));
    // A name that is still being looked up must not keep this process.
    runtime.shutdown_background();
    Ok(())
}

/// Takes the signals that would end this process and does nothing with them.
fn ignore_signals() -> io::Result<Vec<tokio::signal::unix::Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()]
        .into_iter()
        .map(signal)
        .collect()
}

fn read_message(pipe: &UnixStream) -> io::Result<Message> {
    let mut line = zeroize::Zeroizing::new(Vec::new());
    BufReader::new(pipe).take(LONGEST_MESSAGE).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

async fn obey(message: Message, lock: File) -> Reply {
    let lock = Lock::inherited(lock, message.lock.clone());
    lock.name_holder(std::process::id(), SystemClock.now());
    let trace = RefCell::new(Vec::new());
    let sink = |line| trace.borrow_mut().push(line);
    let mut counts_alone = None;
    let outcome = match real::client(&message.client) {
        Ok(client) => match carry_out(&message, &lock, &client, &sink, &mut counts_alone).await {
            Ok(rolled) => Outcome::Rolled(rolled),
            Err(error) => Outcome::NothingSent(error),
        },
        Err(error) => Outcome::Failed(error.to_string()),
    };
    // The lock ends with the work and not only with this process.
    lock.release();
    Reply { trace: trace.into_inner(), counts_alone, outcome }
}

async fn carry_out(
    message: &Message,
    lock: &Lock,
    client: &Client,
    sink: &dyn Fn(String),
    counts_alone: &mut Option<String>,
) -> Result<Rolled, StoreError> {
    let random: Arc<dyn crate::random::Random> = Arc::new(SystemRandom);
    let order = &message.order;
    let drawer = Drawer {
        store: stores::for_worker(
            message.store,
            &message.home,
            message.store_key.clone(),
            random.clone(),
        )?,
        name: message.name.clone(),
        journal: message.home.journal(),
        profiles: Profiles::new(&message.home.configuration),
    };
    let values = settings::values(&order.provider, &order.settings, Some(&order.client_id));
    let endpoint = values.render_url(&order.provider.token.url).unwrap_or_default();
    let client = presenting(client, &order.provider, &values, &drawer, &Held::default());
    let tools = Tools {
        http: &client,
        clock: &SystemClock,
        random: &*random,
        cooldown: Cooldown::of(message.home.cooldowns(), &endpoint, &order.client_id),
        pace: Lane::of_endpoint(&order.provider, &message.home, &endpoint, &order.client_id),
        tracing: Tracing { level: message.verbose, sink },
        copies: saving::copies(&message.home),
        nonces: message.home.nonces(),
    };
    let rolled = roll::roll(&drawer, lock, order, &tools).await;
    *counts_alone = tools.counts_alone();
    rolled
}
