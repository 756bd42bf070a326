//! Answers in the order of their requests: what is ready before its turn waits here.

use std::collections::VecDeque;

use super::super::super::report::Report;

/// What became of one request.
pub struct Done {
    /// Its line.
    pub line: Vec<u8>,
    /// Its id as it was written, for people.
    pub id: Option<String>,
    /// The number of the request's line.
    pub number: u64,
    /// How many bytes had been read with its line.
    pub read: u64,
    /// Why it failed.
    pub failure: Option<Box<Report>>,
}

/// Requests from the oldest without an answer on.
#[derive(Default)]
pub struct Queue {
    places: VecDeque<Option<Done>>,
    first: u64,
    /// Bytes of the lines that wait.
    pub held: usize,
}

impl Queue {
    /// Gives the next request its place.
    pub fn enter(&mut self) -> u64 {
        self.places.push_back(None);
        self.first + self.places.len() as u64 - 1
    }

    /// Takes what became of a request.
    pub fn settle(&mut self, place: u64, done: Done) {
        self.held += done.line.len();
        let place = place.checked_sub(self.first).and_then(|it| usize::try_from(it).ok());
        if let Some(waiting) = place.and_then(|place| self.places.get_mut(place)) {
            *waiting = Some(done);
        }
    }

    /// The next in order, where it is ready.
    pub fn next(&mut self) -> Option<Done> {
        self.places.front()?.as_ref()?;
        let done = self.places.pop_front()??;
        self.first += 1;
        self.held -= done.line.len();
        Some(done)
    }

    /// Requests that have a place.
    pub fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(line: &str) -> Done {
        Done { line: line.into(), id: None, number: 0, read: 0, failure: None }
    }

    #[test]
    fn answers_leave_in_the_order_of_their_requests() {
        let mut queue = Queue::default();
        let places: Vec<u64> = (0..4).map(|_| queue.enter()).collect();
        queue.settle(places[2], done("ccc"));
        queue.settle(places[1], done("b"));
        assert!(queue.next().is_none());
        assert_eq!((queue.held, queue.len()), (4, 4));
        queue.settle(places[0], done("a"));
        let left: Vec<Vec<u8>> = std::iter::from_fn(|| queue.next()).map(|it| it.line).collect();
        assert_eq!(left, [&b"a"[..], b"b", b"ccc"]);
        assert_eq!((queue.held, queue.len()), (0, 1));
        queue.settle(places[3], done("d"));
        assert_eq!(queue.next().unwrap().line, b"d");
        assert_eq!(queue.enter(), 4);
    }
}
