//! Reads a pasted callback from the terminal while the redirection endpoint waits too; Unix only.
//!
//! The terminal is opened anew, so that making it non-blocking concerns nobody else who holds the
//! same descriptor (a shell shares its standard input with us), and no thread is left reading.
//! On Windows there is no such lane yet: a callback comes through the endpoint there.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::path::Arg;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use zeroize::Zeroizing;

use super::paste_keys::Keys;
use crate::secret::Secret;

/// Whether the terminal is asked to mark where a paste begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasteMarks {
    /// Asked for; terminals that do not know it ignore it.
    Asked,
    /// Not asked for, as on a `dumb` terminal, which would show the request.
    Unasked,
}

/// A terminal that takes a paste of any length without showing it; as before when it is dropped.
///
/// Ctrl-C still sends SIGINT to the foreground: who waits must let the signal end the wait rather
/// than the process, else the terminal is not put back.
pub struct PasteLane {
    terminal: AsyncFd<OwnedFd>,
    before: Termios,
    marks: PasteMarks,
    keys: Keys,
}

const MARKS_ON: &[u8] = b"\x1b[?2004h";
const MARKS_OFF: &[u8] = b"\x1b[?2004l";

impl PasteLane {
    /// Opens the controlling terminal; `None` where there is none, or where this process is in its background.
    pub fn open(marks: PasteMarks) -> io::Result<Option<Self>> {
        let mut last_error = None;
        for path in names_of_the_terminal() {
            match Self::open_at(path, marks) {
                Ok(lane) => return Ok(lane),
                // Darwin's event queue does not take /dev/tty, but takes the terminal's own name.
                Err(error) => last_error = Some(error),
            }
        }
        match last_error {
            Some(error) if is_absent(&error) => Ok(None),
            Some(error) => Err(error),
            None => Ok(None),
        }
    }

    /// Opens the terminal of that path.
    pub fn open_at(path: impl Arg, marks: PasteMarks) -> io::Result<Option<Self>> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(path, flags, Mode::empty())?;
        if !is_foreground(&terminal) {
            return Ok(None);
        }
        let before = rustix::termios::tcgetattr(&terminal)?;
        let terminal = watched(terminal)?;
        let lane = Self { terminal, before, marks, keys: Keys::default() };
        lane.set(&unseen(&lane.before))?;
        lane.write(MARKS_ON);
        Ok(Some(lane))
    }

    /// Waits for a line; `None` after Ctrl-D or when the terminal is gone. May be cancelled and called again.
    pub async fn pasted(&mut self) -> Option<Secret> {
        self.typed(Keys::line).await
    }

    /// Waits for the Enter key, whatever else is typed; false after Ctrl-D or when the terminal is gone.
    pub async fn entered(&mut self) -> bool {
        self.typed(|keys| keys.entered().then_some(())).await.is_some()
    }

    /// Waits until the keys make what is wanted.
    async fn typed<T>(&mut self, wanted: impl Fn(&mut Keys) -> Option<T>) -> Option<T> {
        loop {
            let mut readable = self.terminal.readable().await.ok()?;
            let mut bytes = Zeroizing::new([0; 4096]);
            let read = readable
                .try_io(|terminal| Ok(rustix::io::read(terminal.get_ref(), bytes.as_mut_slice())?));
            match read {
                Ok(Ok(0)) => return None,
                Ok(Ok(count)) => self.keys.feed(&bytes[..count]),
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(_)) => return None,
                // Nothing more for now: only here is a line break known to be the Enter key.
                Err(_would_block) => {
                    if let Some(made) = wanted(&mut self.keys) {
                        return Some(made);
                    }
                }
            }
            if self.keys.ended() {
                return None;
            }
        }
    }

    fn set(&self, modes: &Termios) -> io::Result<()> {
        // Now, and nothing discarded: what was typed ahead may be the paste.
        Ok(rustix::termios::tcsetattr(self.terminal.get_ref(), OptionalActions::Now, modes)?)
    }

    fn write(&self, mark: &[u8]) {
        if self.marks == PasteMarks::Asked {
            // A terminal that does not listen now does without the marks.
            let _ = rustix::io::write(self.terminal.get_ref(), mark);
        }
    }
}

impl Drop for PasteLane {
    fn drop(&mut self) {
        // From the background this would stop the process, and the modes are the shell's by then.
        if is_foreground(self.terminal.get_ref()) {
            self.write(MARKS_OFF);
            // A terminal that has gone needs no restoring.
            let _ = self.set(&self.before);
        }
    }
}

/// Lets the runtime tell when there is something to read.
#[expect(
    deprecated,
    reason = "its successor is unsafe, for types whose descriptor may change; an OwnedFd's never does"
)]
fn watched(terminal: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(terminal, Interest::READABLE)
}

/// No line limit, nothing shown, no key taken away by the driver; signals stay on, so Ctrl-C works.
fn unseen(before: &Termios) -> Termios {
    let mut modes = before.clone();
    let off = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL | LocalModes::IEXTEN;
    modes.local_modes.remove(off);
    modes.local_modes.insert(LocalModes::ISIG);
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
    modes
}

/// A terminal that is not this session's own has no job control over us.
fn is_foreground(terminal: &OwnedFd) -> bool {
    let group = rustix::termios::tcgetpgrp(terminal);
    group.map_or(true, |group| group == rustix::process::getpgrp())
}

fn names_of_the_terminal() -> impl Iterator<Item = CString> {
    let by_name = |descriptor: io::Result<CString>| descriptor.ok();
    let of_input = rustix::termios::ttyname(io::stdin(), Vec::new()).map_err(io::Error::from);
    let of_error = rustix::termios::ttyname(io::stderr(), Vec::new()).map_err(io::Error::from);
    std::iter::once(c"/dev/tty".to_owned()).chain(by_name(of_input)).chain(by_name(of_error))
}

fn is_absent(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    matches!(
        errno,
        Some(rustix::io::Errno::NXIO | rustix::io::Errno::NOENT | rustix::io::Errno::NODEV)
    )
}

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::*;

    /// The far end of a terminal, where a person would sit.
    struct Person {
        far_end: OwnedFd,
        /// Held, so that the terminal lives longer than the lane.
        near_end: OwnedFd,
        name: CString,
    }

    fn person() -> Person {
        let far_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&far_end).unwrap();
        unlockpt(&far_end).unwrap();
        let name = ptsname(&far_end, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let near_end = rustix::fs::open(&name, flags, Mode::empty()).unwrap();
        Person { far_end, near_end, name }
    }

    impl Person {
        fn lane(&self, marks: PasteMarks) -> PasteLane {
            PasteLane::open_at(&self.name, marks).unwrap().unwrap()
        }

        /// Types in a thread of its own, since a terminal takes only so much at a time.
        fn types(&self, text: Vec<u8>) -> std::thread::JoinHandle<()> {
            let far_end = self.far_end.try_clone().unwrap();
            std::thread::spawn(move || {
                let mut rest = text.as_slice();
                while !rest.is_empty() {
                    rest = &rest[rustix::io::write(&far_end, rest).unwrap()..];
                }
            })
        }

        fn sees(&self) -> Vec<u8> {
            let mut bytes = [0; 256];
            let count = rustix::io::read(&self.far_end, &mut bytes).unwrap();
            bytes[..count].to_vec()
        }

        fn modes(&self) -> LocalModes {
            rustix::termios::tcgetattr(&self.near_end).unwrap().local_modes
        }
    }

    // T7, RL24
    #[tokio::test]
    async fn ten_thousand_bytes_arrive_whole() {
        let person = person();
        let mut lane = person.lane(PasteMarks::Unasked);
        let code = "abcdefghij".repeat(1_000);
        let typing = person.types(format!("?code={code}\r").into_bytes());
        let line = lane.pasted().await.unwrap();
        assert_eq!(line.expose().len(), "?code=".len() + 10_000);
        assert_eq!(line.expose(), format!("?code={code}"));
        typing.join().unwrap();
    }

    // T7
    #[tokio::test]
    async fn a_marked_paste_keeps_its_line_breaks_to_itself_and_nothing_is_echoed() {
        let person = person();
        let mut lane = person.lane(PasteMarks::Asked);
        assert_eq!(person.sees(), MARKS_ON);
        let typing = person.types(b"\r\x1b[200~?code=a\r\n  b\n\x1b[201~\r".to_vec());
        assert_eq!(lane.pasted().await.unwrap().expose(), "?code=ab");
        typing.join().unwrap();
        drop(lane);
        assert_eq!(person.sees(), MARKS_OFF, "the next thing seen is no echo");
    }

    #[tokio::test]
    async fn the_terminal_is_as_before_when_the_lane_is_dropped() {
        let person = person();
        let before = person.modes();
        assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        let lane = person.lane(PasteMarks::Unasked);
        let during = person.modes();
        assert!(!during.intersects(LocalModes::ICANON | LocalModes::ECHO));
        assert!(during.contains(LocalModes::ISIG), "Ctrl-C keeps working");
        drop(lane);
        assert_eq!(person.modes(), before);
    }

    #[tokio::test]
    async fn ctrl_d_ends_the_lane_and_a_closed_terminal_too() {
        let writer = person();
        let mut lane = writer.lane(PasteMarks::Unasked);
        writer.types(b"\x04".to_vec()).join().unwrap();
        assert!(lane.pasted().await.is_none());

        let Person { far_end, near_end, name } = person();
        let mut lane = PasteLane::open_at(&name, PasteMarks::Unasked).unwrap().unwrap();
        drop((far_end, near_end));
        assert!(lane.pasted().await.is_none());
    }

    #[tokio::test] // DV9
    async fn the_enter_key_is_heard_and_nothing_else() {
        let person = person();
        let mut lane = person.lane(PasteMarks::Unasked);
        person.types(b"x y".to_vec()).join().unwrap();
        tokio::select! {
            biased;
            _ = lane.entered() => panic!("there was no Enter"),
            () = tokio::task::yield_now() => {}
        }
        person.types(b"\r".to_vec()).join().unwrap();
        assert!(lane.entered().await);
        person.types(b"\x04".to_vec()).join().unwrap();
        assert!(!lane.entered().await, "Ctrl-D is no Enter");
    }

    #[tokio::test]
    async fn a_wait_that_was_given_up_loses_nothing() {
        let person = person();
        let mut lane = person.lane(PasteMarks::Unasked);
        person.types(b"first".to_vec()).join().unwrap();
        tokio::select! {
            biased;
            _ = lane.pasted() => panic!("there was no Enter"),
            () = tokio::task::yield_now() => {}
        }
        person.types(b"half\r".to_vec()).join().unwrap();
        assert_eq!(lane.pasted().await.unwrap().expose(), "firsthalf");
    }

    #[tokio::test]
    async fn making_it_non_blocking_concerns_nobody_else() {
        let person = person();
        let _lane = person.lane(PasteMarks::Unasked);
        let flags = rustix::fs::fcntl_getfl(&person.near_end).unwrap();
        assert!(!flags.contains(OFlags::NONBLOCK));
    }
}
