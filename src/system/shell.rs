//! A command of the user's, run by the shell with something on its standard input, within a bound.
//!
//! What it says on either stream is heard and given back: the caller decides what of it is shown.
//! On Unix it has a process group of its own, so that all it started ends with it.

use std::cell::RefCell;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use crate::secret::Secret;

/// What is kept of its words, in bytes.
const LONGEST_OUTPUT: usize = 64 * 1024;
/// How long its words are still waited for once it has ended: something it left behind may hold them open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A command as the user typed it, and where it runs.
#[derive(Debug, Clone, Copy)]
pub struct ShellCommand<'a> {
    /// For `sh -c`, on Windows for `cmd /C`.
    pub text: &'a str,
    /// Its working folder.
    pub folder: &'a Path,
    /// Variables to set.
    pub set: &'a [(&'a str, &'a str)],
    /// Variables that it must not see.
    pub hidden: &'a [&'a str],
}

/// Why a command did not do its work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ShellError {
    /// The system refused.
    #[error("it could not be started: {0}")]
    NotStarted(String),
    /// It said so itself.
    #[error("it exited with {0}")]
    Status(i32),
    /// It was ended from outside.
    #[error("signal {0} ended it")]
    Signal(i32),
    /// It took too long.
    #[error("it had not ended after {0} seconds, and was ended")]
    TimedOut(u64),
}

/// What became of a command.
#[derive(Debug)]
pub struct Said {
    /// Both streams, each in its own order; what goes beyond 64 KiB is left out.
    pub output: Secret,
    /// Whether it did its work.
    pub outcome: Result<(), ShellError>,
}

/// Runs a command with `input` on its standard input; one that does not end in time is ended.
pub async fn run(command: ShellCommand<'_>, input: &Secret, bound: Duration) -> Said {
    let heard = RefCell::new(zeroize::Zeroizing::new(Vec::new()));
    let outcome = match start(command) {
        Err(error) => Err(ShellError::NotStarted(error.to_string())),
        Ok(mut child) => {
            let group = Group::of(&child);
            match tokio::time::timeout(bound, attend(&mut child, input, &heard)).await {
                Ok(Ok(status)) => {
                    group.leave();
                    judged(status)
                }
                Ok(Err(error)) => Err(ShellError::NotStarted(error.to_string())),
                Err(_) => Err(ShellError::TimedOut(bound.as_secs())),
            }
        }
    };
    let output = Secret::new(String::from_utf8_lossy(&heard.borrow()).into_owned());
    Said { output, outcome }
}

fn start(command: ShellCommand<'_>) -> std::io::Result<Child> {
    let mut shell = shell();
    shell
        .arg(command.text)
        .current_dir(command.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command.hidden.iter().for_each(|name| {
        shell.env_remove(name);
    });
    shell.envs(command.set.iter().copied());
    #[cfg(unix)]
    shell.process_group(0);
    shell.spawn()
}

#[cfg(unix)]
fn shell() -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c");
    shell
}

#[cfg(not(unix))]
fn shell() -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C");
    shell
}

/// Feeds it, hears it, and waits for its end.
async fn attend(
    child: &mut Child,
    input: &Secret,
    heard: &RefCell<zeroize::Zeroizing<Vec<u8>>>,
) -> std::io::Result<ExitStatus> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let mut listening = std::pin::pin!(async {
        tokio::join!(listen(stdout, heard), listen(stderr, heard));
    });
    let mut feeding = std::pin::pin!(feed(stdin, input));
    let mut ending = std::pin::pin!(child.wait());
    let (mut listened, mut fed) = (false, false);
    let status = loop {
        tokio::select! {
            status = &mut ending => break status?,
            () = &mut listening, if !listened => listened = true,
            () = &mut feeding, if !fed => fed = true,
        }
    };
    if !listened {
        // What it left running may keep the streams; its own words are there by now.
        let _ = tokio::time::timeout(LAST_WORDS, listening).await;
    }
    Ok(status)
}

/// A command that does not read is judged by its exit status alone.
async fn feed(stdin: Option<ChildStdin>, input: &Secret) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input.expose().as_bytes()).await;
    }
}

async fn listen(
    stream: Option<impl AsyncRead + Unpin>,
    heard: &RefCell<zeroize::Zeroizing<Vec<u8>>>,
) {
    let Some(mut stream) = stream else { return };
    let mut part = zeroize::Zeroizing::new([0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut *part).await {
        let mut heard = heard.borrow_mut();
        let room = LONGEST_OUTPUT.saturating_sub(heard.len()).min(length);
        heard.extend_from_slice(&part[..room]);
    }
}

fn judged(status: ExitStatus) -> Result<(), ShellError> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Err(ShellError::Signal(signal));
    }
    match status.code() {
        Some(0) => Ok(()),
        code => Err(ShellError::Status(code.unwrap_or(-1))),
    }
}

/// All that a command started; ended when this is dropped, unless the command ended by itself.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    fn of(child: &Child) -> Self {
        let _ = child;
        Self {
            #[cfg(unix)]
            leader: child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(rustix::process::Pid::from_raw),
        }
    }

    /// What a command leaves running on purpose is its own affair.
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is nothing to forget"))]
    fn leave(mut self) {
        #[cfg(unix)]
        {
            self.leader = None;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(leader) = self.leader {
            // One that has gone already needs no ending.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn ran(text: &str, bound: Duration) -> Said {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let command = ShellCommand {
            text,
            folder: Path::new("/"),
            set: &[("KEYFOB_SAVE", "probe")],
            hidden: &["PATH_OF_NOBODY"],
        };
        runtime.block_on(run(command, &Secret::new("what it is given"), bound))
    }

    #[test]
    fn it_is_given_its_input_and_both_its_streams_are_heard() {
        let said = ran("cat; echo \" $KEYFOB_SAVE\" >&2", LONG);
        assert_eq!(said.outcome, Ok(()));
        let output = said.output.expose();
        assert!(output.contains("what it is given") && output.contains(" probe\n"), "{output}");
    }

    #[test]
    fn one_that_does_not_read_is_judged_by_its_status() {
        assert_eq!(ran("true", LONG).outcome, Ok(()));
        assert_eq!(ran("exit 7", LONG).outcome, Err(ShellError::Status(7)));
        assert_eq!(ran("kill -TERM $$", LONG).outcome, Err(ShellError::Signal(15)));
    }

    #[test]
    fn one_that_hangs_is_ended_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let text = format!("sleep 1000 & echo $! > '{}'; wait", file.display());
        let said = ran(&text, Duration::from_secs(1));
        assert_eq!(said.outcome, Err(ShellError::TimedOut(1)));
        let sleeper: i32 = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
        let sleeper = rustix::process::Pid::from_raw(sleeper).unwrap();
        let gone = || {
            let state = std::fs::read_to_string(format!("/proc/{sleeper}/stat"));
            rustix::process::test_kill_process(sleeper).is_err()
                || state.is_ok_and(|it| it.contains(") Z "))
        };
        let start = std::time::Instant::now();
        while !gone() {
            assert!(start.elapsed() < LONG, "it lives on");
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_it_leaves_running_holds_nobody_up_and_floods_are_cut() {
        let said = ran("sleep 1000 & echo done; kill $! 2>/dev/null", LONG);
        assert!(said.output.expose().contains("done"));
        assert_eq!(ran("sleep 30 & echo left; exit 3", LONG).outcome, Err(ShellError::Status(3)));
        let flood = ran("yes | head -c 1000000", LONG);
        assert_eq!((flood.outcome, flood.output.expose().len()), (Ok(()), LONGEST_OUTPUT));
    }
}
