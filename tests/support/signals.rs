//! Signals that a test sends.

use std::future::Future;
use std::pin::Pin;

use keyfob::system::Interruption;

/// Comes as soon as a command waits for anything.
pub struct AtOnce;

impl Interruption for AtOnce {
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(std::future::ready(()))
    }
}
