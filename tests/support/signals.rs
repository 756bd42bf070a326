//! Signals that a test sends.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyfob::system::Interruption;

/// Comes as soon as a command waits for anything.
pub struct AtOnce;

impl Interruption for AtOnce {
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// Comes at once, but not before a command has waited for so many things without it.
pub struct After(AtomicUsize);

impl After {
    /// The first `waits` are left alone.
    pub fn waits(waits: usize) -> Self {
        Self(AtomicUsize::new(waits))
    }
}

impl Interruption for After {
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        let less = |left: usize| left.checked_sub(1);
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Ok(_) => Box::pin(std::future::pending()),
            Err(_) => Box::pin(std::future::ready(())),
        }
    }
}
