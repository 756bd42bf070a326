//! The world that a command meets in a test: a home, a clock moved by hand, a store, a browser, a person.

pub mod browser;
pub mod certified;
pub mod clients;
pub mod clock;
#[cfg(unix)]
pub mod hostile;
pub mod person;
pub mod program;
pub mod random;
pub mod receiver;
pub mod scripted;
pub mod shelf;
pub mod shop;
pub mod signals;
pub mod site;
pub mod streams;
pub mod verifier;
pub mod world;

pub use shop::Shop;
pub use world::{Ran, World};

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// A port that nobody else is given: below the ephemeral ones, so that no other socket takes it by chance.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + (std::process::id() % 100) as u16 * 100;
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed) % 2_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a consent page's query says.
pub fn parameters(url: &str) -> std::collections::BTreeMap<String, String> {
    url::Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// Waits until something is so, looking every millisecond, for at most half a minute.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
