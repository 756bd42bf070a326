//! Chance that a seed repeats: SplitMix64 (Steele, Lea and Flood 2014).

use std::time::Duration;

/// A sequence of its own.
pub struct Chance(u64);

impl Chance {
    /// The sequence of one seed and one place.
    pub fn new(seed: u64, place: u64) -> Self {
        Self(seed ^ place.wrapping_mul(0xA24B_AED4_963E_E407))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below another, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, of_hundred: u64) -> bool {
        self.below(100) < of_hundred
    }

    /// A time between two, in milliseconds.
    pub fn time(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most - least + 1))
    }

    /// One of some.
    pub fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }

    /// One of some, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, all: &[(T, u64)]) -> T {
        let mut rest = self.below(all.iter().map(|(_, weight)| weight).sum());
        for (what, weight) in all {
            match rest.checked_sub(*weight) {
                Some(less) => rest = less,
                None => return *what,
            }
        }
        all[0].0
    }
}
