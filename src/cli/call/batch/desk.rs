//! Calls under way: as many lanes as there were ever calls at once, each makes one call after the other.
//!
//! A lane stays where it is in memory from call to call; making and moving it anew for every line
//! took a tenth of a small call's time.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

/// What is handed to the lanes, and what comes from them.
pub struct Desk<Asked, Done> {
    waiting: RefCell<VecDeque<Asked>>,
    done: RefCell<VecDeque<Done>>,
    /// Lanes without work.
    idle: RefCell<Vec<Waker>>,
    busy: Cell<usize>,
}

impl<Asked, Done> Desk<Asked, Done> {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            waiting: RefCell::default(),
            done: RefCell::default(),
            idle: RefCell::default(),
            busy: Cell::new(0),
        }
    }

    /// Calls under way.
    pub fn busy(&self) -> usize {
        self.busy.get()
    }

    /// Hands over work; true where it needs one more lane.
    pub fn hand(&self, asked: Asked) -> bool {
        self.busy.set(self.busy.get() + 1);
        self.waiting.borrow_mut().push_back(asked);
        match self.idle.borrow_mut().pop() {
            Some(lane) => {
                lane.wake();
                false
            }
            None => true,
        }
    }

    /// A lane: does what is handed over, in that order, for ever.
    pub async fn lane(&self, make: impl AsyncFn(Asked) -> Done) {
        loop {
            let done = make(self.work().await).await;
            self.done.borrow_mut().push_back(done);
        }
    }

    async fn work(&self) -> Asked {
        let mut is_noted = false;
        poll_fn(|context| match self.waiting.borrow_mut().pop_front() {
            Some(asked) => Poll::Ready(asked),
            None => {
                // Noted once: a lane that is noted twice would be woken while it works.
                if !std::mem::replace(&mut is_noted, true) {
                    self.idle.borrow_mut().push(context.waker().clone());
                }
                Poll::Pending
            }
        })
        .await
    }

    /// What comes next from the lanes.
    pub async fn next<Lane: Future<Output = ()>>(
        &self,
        lanes: &mut FuturesUnordered<Lane>,
    ) -> Done {
        poll_fn(|context| self.poll_next(lanes, context)).await
    }

    fn poll_next<Lane: Future<Output = ()>>(
        &self,
        lanes: &mut FuturesUnordered<Lane>,
        context: &mut Context<'_>,
    ) -> Poll<Done> {
        let taken = || {
            let done = self.done.borrow_mut().pop_front()?;
            self.busy.set(self.busy.get() - 1);
            Some(done)
        };
        if let Some(done) = taken() {
            return Poll::Ready(done);
        }
        // No lane ever ends.
        let _ = lanes.poll_next_unpin(context);
        taken().map_or(Poll::Pending, Poll::Ready)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[test]
    fn lanes_take_what_is_handed_over_in_order_and_are_used_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (desk, begun) = (Desk::new(), RefCell::new(Vec::new()));
            let gates: Vec<Semaphore> = (0..6).map(|_| Semaphore::new(0)).collect();
            let make = async |number: usize| {
                begun.borrow_mut().push(number);
                gates[number].acquire().await.unwrap().forget();
                number
            };
            let mut lanes = FuturesUnordered::new();
            for number in 0..3 {
                assert!(desk.hand(number), "each needs a lane of its own");
                lanes.push(desk.lane(&make));
            }
            gates[1].add_permits(1);
            assert_eq!(desk.next(&mut lanes).await, 1);
            assert_eq!((desk.busy(), begun.borrow().as_slice()), (2, [0, 1, 2].as_slice()));
            assert!(!desk.hand(3), "the lane that has ended its call is free");
            assert!(desk.hand(4), "the others are not");
            lanes.push(desk.lane(&make));
            gates[4].add_permits(1);
            assert_eq!(desk.next(&mut lanes).await, 4);
            assert_eq!(*begun.borrow(), [0, 1, 2, 3, 4]);
            (0..4).for_each(|number| gates[number].add_permits(1));
            let mut rest = Vec::new();
            while desk.busy() > 0 {
                rest.push(desk.next(&mut lanes).await);
            }
            rest.sort_unstable();
            assert_eq!(rest, [0, 2, 3]);
        });
    }
}
