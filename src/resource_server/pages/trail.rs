//! Which pages were read, in memory that does not grow: tells a walk that goes in a circle.

use std::collections::VecDeque;

use sha2::{Digest as _, Sha256};
use url::Url;

/// The pages that were read.
///
/// The last addresses are known one by one; a longer circle is met at a stone that is laid down
/// again after twice as many steps each time (Brent's way).
#[derive(Debug, Default)]
pub struct Trail {
    recent: VecDeque<Fingerprint>,
    stone: Option<Fingerprint>,
    steps: u64,
    last_page: Option<Fingerprint>,
    empty_pages: u32,
}

type Fingerprint = [u8; 32];

/// How many addresses are known one by one.
const RECENT: usize = 1024;

/// How many pages in a row may be without a record, while each names a next one.
const MOST_EMPTY_PAGES: u32 = 100;

/// After so many pages a server is believed to have no end.
const MOST_PAGES: u64 = 100_000;

/// Why a walk is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Astray {
    /// The link leads to a page that was read.
    #[error("the next page is one that was read already")]
    Circle,
    /// The page is the one before once more.
    #[error("the page is the same as the one before it")]
    SamePage,
    /// Page after page holds nothing.
    #[error("{MOST_EMPTY_PAGES} pages in a row hold no record")]
    NothingButEmptyPages,
    /// There is no end in sight.
    #[error("{MOST_PAGES} pages were read, and there is no end in sight")]
    NoEnd,
}

impl Trail {
    /// Begins at an address.
    pub fn from(url: &Url) -> Self {
        let here: Fingerprint = Sha256::digest(url.as_str()).into();
        Self { recent: [here].into(), stone: Some(here), steps: 1, ..Self::default() }
    }

    /// Notes an address that is about to be asked for.
    pub fn step(&mut self, url: &Url) -> Result<(), Astray> {
        let here: Fingerprint = Sha256::digest(url.as_str()).into();
        if self.stone == Some(here) || self.recent.contains(&here) {
            return Err(Astray::Circle);
        }
        if self.steps == MOST_PAGES {
            return Err(Astray::NoEnd);
        }
        self.steps += 1;
        if self.steps.is_power_of_two() {
            self.stone = Some(here);
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(here);
        Ok(())
    }

    /// Notes a page that came.
    pub fn page(&mut self, body: &[u8], records: Option<usize>) -> Result<(), Astray> {
        let page: Fingerprint = Sha256::digest(body).into();
        let before = self.last_page.replace(page);
        if is_empty(body, records) {
            self.empty_pages += 1;
            return match self.empty_pages > MOST_EMPTY_PAGES {
                true => Err(Astray::NothingButEmptyPages),
                false => Ok(()),
            };
        }
        self.empty_pages = 0;
        match before == Some(page) {
            true => Err(Astray::SamePage),
            false => Ok(()),
        }
    }
}

fn is_empty(body: &[u8], records: Option<usize>) -> bool {
    let bare: Vec<u8> = match body.len() {
        0..=64 => body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect(),
        _ => return records == Some(0),
    };
    records == Some(0) || matches!(bare.as_slice(), b"" | b"[]" | b"{}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // RR19
    fn a_circle_is_noticed_whatever_its_length_and_a_long_way_is_none() {
        let url = |n: usize| format!("https://own.example/?page={n}").parse().unwrap();
        for length in [1, 2, 3, 1024, 5000] {
            let mut trail = Trail::default();
            let met = (0..length * 4 + 10).find(|n| trail.step(&url(n % length)).is_err());
            assert!(met.is_some_and(|met| met >= length), "{length}: {met:?}");
        }
        let mut trail = Trail::default();
        assert!((0..20_000).all(|n| trail.step(&url(n)).is_ok()));
        assert!(trail.recent.len() <= RECENT);
    }

    #[test] // RR19
    fn a_page_that_comes_twice_ends_the_walk_and_empty_ones_only_when_they_do_not_end() {
        let mut trail = Trail::default();
        assert_eq!(trail.page(b"[1]", Some(1)), Ok(()));
        assert_eq!(trail.page(b"[2]", Some(1)), Ok(()));
        assert_eq!(trail.page(b"[2]", Some(1)), Err(Astray::SamePage));
        let mut trail = Trail::default();
        assert!((0..100).all(|_| trail.page(b"[ ]", None).is_ok()));
        assert_eq!(trail.page(b"[]", None), Err(Astray::NothingButEmptyPages));
    }
}
