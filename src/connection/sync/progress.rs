//! What a run has handed over, and what follows from it for the next one.
//!
//! The next run begins a little before the last change that was seen, by the clock that the
//! vendor's records carry, and never later than this run began by the vendor's own clock: a
//! clock that is wrong by hours, here or there, costs repetitions and no record.

use std::collections::{BTreeSet, HashSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::records::{Mark, Record};

/// Marks that a cursor keeps, so that its file stays below a megabyte; older ones may come out again.
const KEPT: usize = 40_000;

/// Marks that a run remembers of itself; repetitions farther apart than that come out again.
const REMEMBERED: usize = 1_000_000;

/// What one run has seen.
#[derive(Debug)]
pub struct Progress {
    before: HashSet<Mark>,
    within: HashSet<Mark>,
    order: VecDeque<Mark>,
    newest: BTreeSet<(Timestamp, Mark)>,
    timeless: VecDeque<Mark>,
    latest: Option<Timestamp>,
    has_timeless: bool,
}

impl Progress {
    /// Begins after the runs whose last records these were.
    pub fn after(seen: &[String]) -> Self {
        Self {
            before: seen.iter().filter_map(|text| decoded(text)).collect(),
            within: HashSet::new(),
            order: VecDeque::new(),
            newest: BTreeSet::new(),
            timeless: VecDeque::new(),
            latest: None,
            has_timeless: false,
        }
    }

    /// Notes a record; true where it is to be handed over, false where it was before.
    pub fn is_new(&mut self, record: &Record) -> bool {
        self.latest = self.latest.max(record.changed_at);
        self.has_timeless |= record.changed_at.is_none();
        let Some(mark) = record.mark else { return true };
        if !self.within.insert(mark) {
            return false;
        }
        self.keep(mark, record.changed_at);
        self.order.push_back(mark);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.within.remove(&oldest);
        }
        !self.before.contains(&mark)
    }

    fn keep(&mut self, mark: Mark, changed_at: Option<Timestamp>) {
        match changed_at {
            Some(at) => {
                self.newest.insert((at, mark));
                if self.newest.len() > KEPT {
                    self.newest.pop_first();
                }
            }
            None => {
                self.timeless.push_back(mark);
                if self.timeless.len() > KEPT {
                    self.timeless.pop_front();
                }
            }
        }
    }

    /// Where the next run begins: `from` is where this one did, `started` when, by the vendor's clock.
    pub fn next_since(
        &self,
        from: Option<Timestamp>,
        started: Timestamp,
        overlap: u64,
    ) -> Option<Timestamp> {
        // An empty list says nothing about the vendor's clock, so nothing follows from it.
        let reached = match (self.latest, self.has_timeless) {
            (None, false) => return from,
            (None, true) => started,
            (Some(latest), _) => latest.min(started),
        };
        let overlap = SignedDuration::from_secs(i64::try_from(overlap).unwrap_or(i64::MAX));
        let next = reached.checked_sub(overlap).unwrap_or(Timestamp::MIN);
        Some(from.map_or(next, |from| from.max(next)))
    }

    /// The marks of what will come again in a run from `since`.
    pub fn marks_since(&self, since: Option<Timestamp>) -> Vec<String> {
        let from = since.map(whole_second).unwrap_or(Timestamp::MIN);
        let recent = self.newest.iter().rev().take_while(|(at, _)| *at >= from).map(|(_, it)| it);
        let timeless = self.timeless.iter().rev();
        timeless.chain(recent).take(KEPT).map(|mark| URL_SAFE_NO_PAD.encode(mark)).collect()
    }
}

/// The second that a time lies in: servers that know no fractions must not skip what lies within it.
pub fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second() - i64::from(time.subsec_nanosecond() < 0))
        .unwrap_or(time)
}

fn decoded(text: &str) -> Option<Mark> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + second).unwrap()
    }

    fn record(id: u8, second: i64) -> Record {
        let mut mark = Mark::default();
        mark[0] = id;
        mark[1..9].copy_from_slice(&second.to_be_bytes());
        let changed_at = Some(at(second));
        Record { line: String::new(), mark: Some(mark), changed_at, identity: [id; 12] }
    }

    #[test]
    fn the_next_run_goes_back_behind_the_last_change_and_knows_what_will_come_again() {
        let mut first = Progress::after(&[]);
        for (id, second) in [(1, 0), (2, 500), (3, 990), (4, 1000)] {
            assert!(first.is_new(&record(id, second)));
        }
        let since = first.next_since(None, at(5000), 60);
        assert_eq!(since, Some(at(940)));
        let mut second = Progress::after(&first.marks_since(since));
        assert!(!second.is_new(&record(3, 990)));
        assert!(!second.is_new(&record(4, 1000)));
        assert!(second.is_new(&record(4, 1001)), "it changed again");
        assert!(second.is_new(&record(5, 1000)), "another of the same second");
        assert!(!second.is_new(&record(5, 1000)), "on two pages of one run");
        assert_eq!(second.next_since(since, at(9000), 60), Some(at(941)));
    }

    #[test]
    fn a_clock_that_is_wrong_costs_repetitions_and_no_record() {
        let mut progress = Progress::after(&[]);
        progress.is_new(&record(1, 1000));
        let hours = 5 * 3600;
        let ahead = progress.next_since(None, at(1000 + hours), 60);
        assert_eq!(ahead, Some(at(940)), "the answer's clock is ahead of the records'");
        let behind = progress.next_since(None, at(1000 - hours), 60);
        assert_eq!(behind, Some(at(940 - hours)), "the answer's clock is behind");
        let kept = progress.next_since(Some(at(0)), at(1000 - hours), 60);
        assert_eq!(kept, Some(at(0)), "a complete run never goes back behind its own beginning");
    }

    #[test]
    fn nothing_seen_moves_nothing_and_records_without_a_time_go_by_the_answers_clock() {
        let empty = Progress::after(&[]);
        assert_eq!(empty.next_since(None, at(5000), 60), None);
        assert_eq!(empty.next_since(Some(at(7)), at(5000), 60), Some(at(7)));
        let mut timeless = Progress::after(&[]);
        let record = Record { changed_at: None, ..record(1, 0) };
        assert!(timeless.is_new(&record) && !timeless.is_new(&record));
        assert_eq!(timeless.marks_since(None).len(), 1, "a second look leaves no second mark");
        assert_eq!(timeless.next_since(None, at(5000), 60), Some(at(4940)));
        let again = Progress::after(&timeless.marks_since(Some(at(4940)))).is_new(&record);
        assert!(!again);
        let nameless = Record { mark: None, ..record.clone() };
        assert!(timeless.is_new(&nameless) && timeless.is_new(&nameless));
    }

    #[test]
    fn a_fraction_of_a_second_is_left_out_downwards() {
        for (text, whole) in [
            ("2026-05-29T10:15:00.9Z", "2026-05-29T10:15:00Z"),
            ("2026-05-29T10:15:00Z", "2026-05-29T10:15:00Z"),
            ("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:58Z"),
        ] {
            assert_eq!(whole_second(text.parse().unwrap()), whole.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut progress = Progress::after(&[]);
        for second in 0..KEPT as i64 + 10 {
            progress.is_new(&record(1, second));
        }
        let marks = progress.marks_since(None);
        assert_eq!(marks.len(), KEPT);
        let mut next = Progress::after(&marks);
        assert!(!next.is_new(&record(1, KEPT as i64 + 9)));
        assert!(next.is_new(&record(1, 0)));
    }
}
