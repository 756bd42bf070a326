//! What a receiver has done so far, in one line for people.

/// Counts.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    /// Printed or forwarded.
    pub done: u64,
    /// Known from before.
    pub repeated: u64,
    /// For other accounts, and not wanted.
    pub passed_over: u64,
    /// Not taken by the program behind.
    pub not_taken: u64,
    /// Sent away.
    pub refused: u64,
}

impl Tally {
    /// The line; what did not happen is left out.
    pub fn line(&self) -> String {
        let plural = if self.done == 1 { "delivery" } else { "deliveries" };
        let rest = [
            (self.repeated, "repeated"),
            (self.passed_over, "for other accounts"),
            (self.not_taken, "not taken"),
            (self.refused, "refused"),
        ];
        let rest = rest.into_iter().filter(|(count, _)| *count > 0);
        let rest: String = rest.map(|(count, what)| format!(", {count} {what}")).collect();
        format!("{} {plural}{rest}", self.done)
    }
}
