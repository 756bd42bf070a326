//! What ends a command early.

use std::future::Future;
use std::pin::Pin;

/// Tells when the person or the system wants the command to end.
pub trait Interruption: Send + Sync {
    /// Resolves when a signal has come since the call; may never. Must be called within a Tokio runtime.
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>>;
}

/// SIGINT, SIGTERM and SIGHUP.
pub struct Signals;

impl Interruption for Signals {
    #[cfg(unix)]
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        use tokio::signal::unix::{SignalKind, signal};
        // Listened for from this call on, not from the first poll: what is waited beside it may
        // change the terminal before it yields, and only a signal that is heard puts that back.
        let streams =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Box::pin(async move {
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)] = streams else {
                // Without handlers the signals keep their default meaning: the process ends.
                return std::future::pending().await;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        })
    }

    #[cfg(not(unix))]
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

/// Nothing ever does.
pub struct Never;

impl Interruption for Never {
    fn came(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(std::future::pending())
    }
}
