//! Calls under way: as many lanes as there were ever calls at once, each makes one call after the other.
//!
//! A lane stays where it is in memory from call to call; making and moving it anew for every line
//! took a tenth of a small call's time. It takes its next line itself. What is ready to be sent goes
//! out in one go: a server that is done with each request before it gets the next falls asleep in
//! between, and must be woken for every one of them.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::lines::{Line, Lines};
use super::queue::{Done, Queue};

/// Answers that may wait for an earlier one.
const AHEAD: usize = 1024;
/// Their size together, and that of what waits for the reader, in bytes.
const MOST_HELD: usize = 16 << 20;

/// Where lanes find their lines and leave their answers.
pub struct Desk {
    lines: RefCell<Lines>,
    answers: RefCell<Queue>,
    /// What waits for the reader, in bytes.
    unwritten: Cell<usize>,
    /// Lanes without work.
    idle: RefCell<Vec<Idle>>,
    busy: Cell<usize>,
    /// Lanes whose call is ready to be sent.
    ready: RefCell<Vec<Waker>>,
    /// Whether a lane has taken or left something that nobody has looked at.
    moved: Cell<bool>,
}

/// A lane without work.
struct Idle {
    waker: Waker,
    /// Whether the lane is in the list; shared with the lane itself, which so need not search it.
    is_listed: Rc<Cell<bool>>,
}

/// A line that is to be called, with its place among the answers and the bytes that were read with it.
type Asked = (u64, Line, u64);

impl Desk {
    /// One with these lines.
    pub fn new(lines: Lines) -> Self {
        Self {
            lines: RefCell::new(lines),
            answers: RefCell::default(),
            unwritten: Cell::new(0),
            idle: RefCell::default(),
            busy: Cell::new(0),
            ready: RefCell::default(),
            moved: Cell::new(false),
        }
    }

    /// Calls under way.
    pub fn busy(&self) -> usize {
        self.busy.get()
    }

    /// Requests that were taken and have no answer that was given out.
    pub fn open(&self) -> usize {
        self.answers.borrow().len()
    }

    /// Whether the last line was taken.
    pub fn is_through(&self) -> bool {
        self.lines.borrow().is_through()
    }

    /// Whether there is a line for a lane, and room for its answer.
    pub fn has_work(&self) -> bool {
        self.has_room() && self.lines.borrow_mut().has_line()
    }

    /// Whether lines are missing to go on.
    pub fn lacks_lines(&self) -> bool {
        self.has_room() && !self.is_through() && !self.lines.borrow_mut().has_line()
    }

    fn has_room(&self) -> bool {
        let answers = self.answers.borrow();
        answers.len() < AHEAD && answers.held + self.unwritten.get() < MOST_HELD
    }

    /// Notes how much waits for the reader, in bytes.
    pub fn note_unwritten(&self, bytes: usize) {
        self.unwritten.set(bytes);
    }

    /// Waits for more lines; nothing is lost where it is not waited for.
    pub async fn more(&self) -> io::Result<()> {
        poll_fn(|context| self.lines.borrow_mut().poll_more(context)).await
    }

    /// How many lines were not taken, where their source ends.
    pub async fn count_rest(&self) -> io::Result<u64> {
        let mut count = 0;
        loop {
            while self.lines.borrow_mut().take().is_some() {
                count += 1;
            }
            if self.is_through() {
                return Ok(count);
            }
            self.more().await?;
        }
    }

    /// The next answer in order, where it is there.
    pub fn answer(&self) -> Option<Done> {
        self.answers.borrow_mut().next()
    }

    /// Tells a lane without work that there may be some; false where all lanes are at work.
    pub fn call_a_lane(&self) -> bool {
        let lane = self.idle.borrow_mut().pop();
        lane.map(Idle::call).is_some()
    }

    /// A lane: makes the call of a line after the other for ever, as long as more `may_begin`.
    pub async fn lane(
        &self,
        may_begin: impl Fn() -> bool,
        make: impl AsyncFn(Line, u64) -> Option<Done>,
    ) {
        let is_listed = Rc::default();
        loop {
            let (place, line, read) = self.work(&may_begin, &is_listed).await;
            self.busy.update(|busy| busy + 1);
            let done = make(line, read).await;
            self.busy.update(|busy| busy - 1);
            self.moved.set(true);
            // One that was not sent keeps its place empty: nothing after it was sent either.
            if let Some(done) = done {
                self.answers.borrow_mut().settle(place, done);
            }
        }
    }

    async fn work(&self, may_begin: &impl Fn() -> bool, is_listed: &Rc<Cell<bool>>) -> Asked {
        poll_fn(|context| match may_begin().then(|| self.asked()).flatten() {
            Some(asked) => {
                self.unlist(is_listed);
                Poll::Ready(asked)
            }
            None => {
                self.list(is_listed, context.waker());
                Poll::Pending
            }
        })
        .await
    }

    /// Lists a lane that found no work: one that was called and came too late waits again.
    fn list(&self, is_listed: &Rc<Cell<bool>>, waker: &Waker) {
        let mut idle = self.idle.borrow_mut();
        if !is_listed.replace(true) {
            idle.push(Idle { waker: waker.clone(), is_listed: Rc::clone(is_listed) });
        } else if let Some(lane) = idle.iter_mut().find(|lane| lane.is(is_listed)) {
            lane.waker.clone_from(waker);
        }
    }

    /// Takes a lane that found work by itself off the list: a call must not go to one that works.
    fn unlist(&self, is_listed: &Rc<Cell<bool>>) {
        if is_listed.replace(false) {
            self.idle.borrow_mut().retain(|lane| !lane.is(is_listed));
        }
    }

    fn asked(&self) -> Option<Asked> {
        if !self.has_room() {
            return None;
        }
        let mut lines = self.lines.borrow_mut();
        let line = lines.take()?;
        self.moved.set(true);
        Some((self.answers.borrow_mut().enter(), line, lines.read))
    }

    /// Waits until every other lane that can go on has come as far as this or further.
    pub async fn together(&self) {
        let mut is_noted = false;
        poll_fn(|context| match std::mem::replace(&mut is_noted, true) {
            true => Poll::Ready(()),
            false => {
                self.ready.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }

    /// Lets the lanes work until one of them has taken or left something.
    pub async fn move_on<Lane: Future<Output = ()>>(&self, lanes: &mut FuturesUnordered<Lane>) {
        poll_fn(|context| self.poll_move(lanes, context)).await;
    }

    fn poll_move<Lane: Future<Output = ()>>(
        &self,
        lanes: &mut FuturesUnordered<Lane>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        // No lane ever ends.
        let _ = lanes.poll_next_unpin(context);
        if !self.ready.borrow().is_empty() {
            // They are asked at once: nobody else is to be woken for them.
            let _ = lanes.poll_next_unpin(&mut Context::from_waker(Waker::noop()));
            self.ready.borrow_mut().drain(..).for_each(Waker::wake);
            let _ = lanes.poll_next_unpin(context);
        }
        match self.moved.take() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Idle {
    fn is(&self, is_listed: &Rc<Cell<bool>>) -> bool {
        Rc::ptr_eq(&self.is_listed, is_listed)
    }

    fn call(self) {
        self.is_listed.set(false);
        self.waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::super::lines::Source;
    use super::*;

    #[test]
    fn lanes_take_lines_in_order_and_the_next_one_by_themselves() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let source = Source::stream(Box::new(&b"0\n1\n2\n3\n4\n5"[..]));
            let (desk, begun) = (Desk::new(Lines::of(source).unwrap()), RefCell::new(Vec::new()));
            let may = Cell::new(true);
            let gates: Vec<Semaphore> = (0..6).map(|_| Semaphore::new(0)).collect();
            let make = async |line: Line, read: u64| {
                let number = line.number - 1;
                begun.borrow_mut().push(number);
                gates[number as usize].acquire().await.unwrap().forget();
                Some(Done { line: vec![], id: None, number, read, failure: None })
            };
            assert!(desk.lacks_lines() && !desk.has_work());
            desk.more().await.unwrap();
            let mut lanes = FuturesUnordered::new();
            for _ in 0..3 {
                assert!(desk.has_work() && !desk.call_a_lane(), "each needs a lane of its own");
                lanes.push(desk.lane(|| may.get(), &make));
                desk.move_on(&mut lanes).await;
            }
            assert_eq!((desk.busy(), begun.borrow().as_slice()), (3, [0, 1, 2].as_slice()));
            gates[1].add_permits(1);
            desk.move_on(&mut lanes).await;
            assert_eq!((desk.busy(), begun.borrow().as_slice()), (3, [0, 1, 2, 3].as_slice()));
            assert!(desk.answer().is_none(), "the first one is missing");
            gates[0].add_permits(1);
            desk.move_on(&mut lanes).await;
            let answers = [desk.answer().unwrap().number, desk.answer().unwrap().number];
            assert_eq!((answers, desk.open()), ([0, 1], 3));
            may.set(false);
            (2..6).for_each(|number| gates[number].add_permits(1));
            while desk.busy() > 0 {
                desk.move_on(&mut lanes).await;
            }
            assert_eq!(*begun.borrow(), [0, 1, 2, 3, 4], "nothing is begun that may not be");
            desk.more().await.unwrap();
            assert!(desk.has_work());
            may.set(true);
            assert!(desk.call_a_lane());
            desk.move_on(&mut lanes).await;
            assert_eq!((*begun.borrow()).last(), Some(&5));
            while desk.busy() > 0 {
                desk.move_on(&mut lanes).await;
            }
            assert!(desk.is_through() && !desk.has_work());
        });
    }

    #[test]
    fn what_is_ready_goes_out_in_one_go() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let source = Source::stream(Box::new(&b"0\n1\n2\n3\n4\n5\n"[..]));
            let (desk, told) = (Desk::new(Lines::of(source).unwrap()), RefCell::new(Vec::new()));
            let gates: Vec<Semaphore> = (0..6).map(|_| Semaphore::new(0)).collect();
            let make = async |line: Line, read: u64| {
                let number = line.number - 1;
                told.borrow_mut().push(("made", number));
                desk.together().await;
                told.borrow_mut().push(("sent", number));
                gates[number as usize].acquire().await.unwrap().forget();
                Some(Done { line: vec![], id: None, number, read, failure: None })
            };
            desk.more().await.unwrap();
            let mut lanes = FuturesUnordered::new();
            (0..3).for_each(|_| lanes.push(desk.lane(|| true, &make)));
            desk.move_on(&mut lanes).await;
            (0..6).for_each(|number| gates[number].add_permits(1));
            while desk.busy() > 0 {
                desk.move_on(&mut lanes).await;
            }
            let all = |what, numbers: [u64; 3]| numbers.map(|number| (what, number));
            let first = [all("made", [0, 1, 2]), all("sent", [0, 1, 2])].concat();
            let second = [all("made", [3, 4, 5]), all("sent", [3, 4, 5])].concat();
            assert_eq!(*told.borrow(), [first, second].concat());
        });
    }

    #[test]
    fn a_lane_that_was_called_for_nothing_is_called_again() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new(Lines::of(Source::stream(Box::new(&b"0\n1\n"[..]))).unwrap());
            let make = async |_: Line, _: u64| std::future::pending::<Option<Done>>().await;
            let mut context = Context::from_waker(Waker::noop());
            let mut lane = std::pin::pin!(desk.lane(|| true, make));
            assert!(lane.as_mut().poll(&mut context).is_pending());
            assert!(desk.call_a_lane(), "it found no line");
            desk.more().await.unwrap();
            assert!(desk.asked().is_some() && desk.asked().is_some(), "others take both");
            assert!(lane.as_mut().poll(&mut context).is_pending());
            assert!(desk.call_a_lane(), "it came too late, and waits as before");
            assert!(!desk.call_a_lane(), "it is listed once");
        });
    }

    #[test]
    fn a_lane_that_found_work_by_itself_is_not_called_while_it_works() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new(Lines::of(Source::stream(Box::new(&b"0\n1\n"[..]))).unwrap());
            let make = async |_: Line, _: u64| std::future::pending::<Option<Done>>().await;
            let lane = || Box::pin(desk.lane(|| true, make));
            let mut context = Context::from_waker(Waker::noop());
            let mut lanes = [lane(), lane()];
            for lane in &mut lanes {
                assert!(lane.as_mut().poll(&mut context).is_pending());
                assert!(lane.as_mut().poll(&mut context).is_pending(), "it is listed once");
            }
            desk.more().await.unwrap();
            assert!(lanes[1].as_mut().poll(&mut context).is_pending());
            assert_eq!(desk.busy(), 1);
            assert!(desk.call_a_lane(), "the other one");
            assert!(!desk.call_a_lane(), "the first one is at work");
            assert!(lanes[0].as_mut().poll(&mut context).is_pending());
            assert_eq!(desk.busy(), 2);
        });
    }
}
