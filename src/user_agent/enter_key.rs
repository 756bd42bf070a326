//! Waits for the Enter key at the terminal, beside whatever else is waited for.

#[cfg(unix)]
use super::paste_lane::{PasteLane, PasteMarks};

/// A terminal that shows nothing of what is typed; as before when it is dropped.
///
/// On Windows there is none yet.
pub struct EnterKey {
    #[cfg(unix)]
    lane: PasteLane,
    #[cfg(not(unix))]
    never: std::convert::Infallible,
}

impl EnterKey {
    /// Listens at the controlling terminal; `None` where there is none.
    pub fn listen() -> Option<Self> {
        #[cfg(unix)]
        return Some(Self { lane: PasteLane::open(PasteMarks::Unasked).ok().flatten()? });
        #[cfg(not(unix))]
        None
    }

    /// Waits for the key; false after Ctrl-D or when the terminal is gone. May be cancelled and called again.
    pub async fn pressed(&mut self) -> bool {
        #[cfg(unix)]
        return self.lane.entered().await;
        #[cfg(not(unix))]
        match self.never {}
    }
}
