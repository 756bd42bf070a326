//! A part of a command that a signal does not cut short.

use std::cell::Cell;
use std::rc::Rc;

/// Counts the parts that are being seen through.
#[derive(Debug, Clone, Default)]
pub struct Critical(Rc<Cell<usize>>);

/// One part; over when it is dropped.
#[derive(Debug)]
pub struct SeenThrough(Rc<Cell<usize>>);

impl Critical {
    /// Begins such a part.
    pub fn enter(&self) -> SeenThrough {
        self.0.set(self.0.get() + 1);
        SeenThrough(self.0.clone())
    }

    /// Whether one is under way.
    pub fn is_under_way(&self) -> bool {
        self.0.get() > 0
    }
}

impl Drop for SeenThrough {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
