//! The line that says how far a run came.

use crate::cli::command_line;
use crate::connection::sync::Moved;

/// A run that came to its end.
pub fn moved(records: u64, name: &str, moved: Moved) -> String {
    let records = if records == 1 { "1 record".to_owned() } else { format!("{records} records") };
    let name = command_line::word(name);
    let place = match (moved.from, moved.to) {
        (Some(from), _) if moved.held_back => {
            format!("stays at {from}: --since is later, and what changed in between was not read")
        }
        (None, None) => "is not set: there is nothing to go on from yet".into(),
        (None, Some(to)) => format!("set to {to}"),
        (Some(from), Some(to)) if from != to => format!("moved from {from} to {to}"),
        (Some(from), _) => format!("stays at {from}"),
    };
    format!("{records}; cursor {name} {place}")
}

/// A run whose reader went away.
pub fn left(name: &str) -> String {
    let name = command_line::word(name);
    format!("nobody reads on; cursor {name} stays where it was, and the next run begins there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_told() {
        let at = |day: u8| Some(format!("2026-05-0{day}T00:00:00Z").parse().unwrap());
        let told = |from, to, held_back| moved(1, "/orders", Moved { from, to, held_back });
        let one = "1 record; cursor /orders";
        let cases = [
            (told(None, None, false), "is not set: there is nothing to go on from yet"),
            (told(None, at(1), false), "set to 2026-05-01T00:00:00Z"),
            (told(at(1), at(2), false), "moved from 2026-05-01T00:00:00Z to 2026-05-02T00:00:00Z"),
            (told(at(1), at(1), false), "stays at 2026-05-01T00:00:00Z"),
            (
                told(at(1), at(1), true),
                "stays at 2026-05-01T00:00:00Z: --since is later, and what changed in between was not read",
            ),
        ];
        for (line, end) in cases {
            assert_eq!(line, format!("{one} {end}"));
        }
        assert!(
            moved(0, "a b", Moved { from: None, to: None, held_back: false })
                .starts_with("0 records; cursor 'a b'")
        );
    }
}
