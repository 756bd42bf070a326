//! The world that a command meets in a test: a home, a clock moved by hand, a store, a browser, a person.

pub mod browser;
pub mod certified;
pub mod clients;
pub mod clock;
pub mod files;
#[cfg(unix)]
pub mod hostile;
pub mod person;
pub mod place;
pub mod port_block;
pub mod ports;
pub mod program;
pub mod random;
pub mod receiver;
pub mod scripted;
pub mod served;
pub mod shelf;
pub mod shop;
pub mod signals;
pub mod site;
pub mod streams;
#[cfg(target_os = "linux")]
pub mod tracing;
pub mod verifier;
pub mod world;

pub use files::private_file;
pub use ports::free_port;
pub use shop::Shop;
pub use world::{Ran, World};

use std::time::{Duration, Instant};

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
