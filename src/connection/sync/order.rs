//! The order in which a walk met its records: tells whether the list shifted under it.
//!
//! A list that is cut by number or offset slides up when a record before the reader goes away or
//! moves to its end, and what slides over the edge of a page is read on neither. Whatever made it
//! slide is seen by a second walk: something is gone, stands elsewhere, or turns up that is old.

use std::collections::HashSet;

use jiff::Timestamp;

use super::records::{Mark, Record};

/// Records that are compared at most.
pub const COMPARED: usize = 1_000_000;

/// Records in the order of a walk, each where it was met first.
#[derive(Debug, Default)]
pub struct Order {
    /// Each with whether it is older than the run.
    met: Vec<(Mark, bool)>,
    known: HashSet<Mark>,
}

impl Order {
    /// Notes a record; `started` is when the run began, by the vendor's clock.
    pub fn note(&mut self, record: &Record, started: Timestamp) {
        if self.met.len() < COMPARED && self.known.insert(record.identity) {
            self.met.push((record.identity, record.changed_at.is_none_or(|at| at < started)));
        }
    }

    /// Whether this walk met a record.
    pub fn has(&self, record: &Record) -> bool {
        self.known.contains(&record.identity)
    }

    /// Whether there were too many to be compared.
    pub fn is_too_long(&self) -> bool {
        self.met.len() == COMPARED
    }

    /// Whether a later walk shows that this one skipped nothing.
    pub fn is_confirmed_by(&self, later: &Self) -> bool {
        let stayed = later.met.iter().map(|(mark, _)| mark).filter(|it| self.known.contains(*it));
        // What changed after the beginning is asked for by the next run, wherever it stood in this one.
        let is_explained = |(mark, is_old): &(Mark, bool)| !is_old || self.known.contains(mark);
        stayed.eq(self.met.iter().map(|(mark, _)| mark)) && later.met.iter().all(is_explained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records by number; from 100 on they changed after the run began.
    fn order(numbers: &[u8]) -> Order {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut order = Order::default();
        for number in numbers {
            let (line, changed_at) = (String::new(), Some(at(i64::from(*number))));
            let record = Record { line, mark: None, changed_at, identity: [*number; 12] };
            order.note(&record, at(100));
        }
        order
    }

    #[test]
    fn a_walk_is_confirmed_by_one_that_differs_in_nothing_that_shifts() {
        let cases: [(&[u8], &[u8], bool, &str); 9] = [
            (&[1, 2, 3], &[1, 2, 3], true, "nothing happened"),
            (&[1, 2, 2, 3], &[100, 1, 2, 3], true, "one was added in front: pages overlap"),
            (&[1, 2, 3], &[1, 2, 3, 101], true, "one was added at the end"),
            (&[1, 2, 4], &[2, 3, 4], false, "1 was deleted"),
            (&[1, 2, 4, 1], &[2, 3, 4, 1], false, "1 moved to the end, and 3 was skipped"),
            (&[1, 2, 4], &[1, 2, 3, 4], false, "3 is old and was not met"),
            (&[1, 2, 3], &[1, 2], false, "3 is gone"),
            (&[], &[], true, "there is nothing"),
            (&[], &[1], false, "there was something"),
        ];
        for (first, second, confirmed, why) in cases {
            assert_eq!(order(first).is_confirmed_by(&order(second)), confirmed, "{why}");
        }
    }
}
