//! The connections that are being served, and whom room is made for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::{AbortHandle, JoinSet};

/// Says that a connection has brought a whole delivery that verifies: it is not dropped any more.
#[derive(Clone, Default)]
pub struct InHand(Arc<AtomicBool>);

impl InHand {
    /// From now on.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Those that are open, oldest first; all end with this value.
#[derive(Default)]
pub struct Connections {
    tasks: JoinSet<()>,
    in_order: VecDeque<(InHand, AbortHandle)>,
}

impl Connections {
    /// Makes room for one more, and serves it; a sender who is slow gives way to one who comes.
    ///
    /// Where every one has a delivery in hand the newcomer is sent away: the vendor will try again.
    pub fn admit<F>(&mut self, most: usize, served: impl FnOnce(InHand) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if !self.make_room(most) {
            return;
        }
        let in_hand = InHand::default();
        let handle = self.tasks.spawn(served(in_hand.clone()));
        self.in_order.push_back((in_hand, handle));
    }

    fn make_room(&mut self, most: usize) -> bool {
        while self.tasks.try_join_next().is_some() {}
        self.in_order.retain(|(_, handle)| !handle.is_finished());
        while self.in_order.len() >= most {
            let oldest = self.in_order.iter().position(|(in_hand, _)| !in_hand.is());
            let Some((_, handle)) = oldest.and_then(|place| self.in_order.remove(place)) else {
                return false;
            };
            handle.abort();
        }
        true
    }
}
