//! Ports that redirect URIs are registered with, each given to one test.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use super::port_block;

/// Longer than any process takes from its start to its program.
const PATIENCE: Duration = Duration::from_secs(1);

thread_local! {
    static GIVEN: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

/// A port that nobody else is given: below the ephemeral ones, so that no other socket takes it by chance,
/// and below those that keyfob chooses by itself for a client that it registers.
pub fn free_port() -> u16 {
    let port = port_to_listen_on();
    watch(port);
    port
}

/// The same for a listener of this process, which is there while commands run.
pub fn port_to_listen_on() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let port = port_block::start() + NEXT.fetch_add(1, Ordering::Relaxed) % port_block::LENGTH;
        if !is_listened_on(port) {
            return port;
        }
    }
}

/// Has [`settle`] wait for this port too, since its listener has gone.
pub fn watch(port: u16) {
    GIVEN.with_borrow_mut(|given| given.push(port));
}

/// Waits until nobody listens any more on the ports that this test was given.
///
/// A process that another test starts holds a copy of every socket of this one until it runs its
/// program, and so keeps a port for a moment after the command that listened there has ended. Where
/// somebody listens for longer, the test means it, and is not asked again.
pub fn settle() {
    GIVEN.with_borrow_mut(|given| given.retain(|port| becomes_free(*port)));
}

fn becomes_free(port: u16) -> bool {
    let start = Instant::now();
    while is_listened_on(port) {
        if start.elapsed() > PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

/// Knocked at and not bound, for a bound one would be copied just so.
fn is_listened_on(port: u16) -> bool {
    let knock = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), PATIENCE);
    // No answer at all is a listener with a full queue, and no free port.
    knock.map_or_else(|error| error.kind() == ErrorKind::TimedOut, |_| true)
}
