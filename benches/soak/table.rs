//! The table at the end, and the line of every minute.

use std::fmt;
use std::time::Duration;

use crate::Stage;
use crate::server::Counts;

/// Rows of name and number, and the rows that must be 0.
pub struct Table {
    rows: Vec<(String, u64)>,
    must_be_none: Vec<(&'static str, u64)>,
}

impl Table {
    /// What was counted.
    pub fn of(stage: &Stage, took: Duration) -> Self {
        let counts = stage.server.counts();
        let tally = &stage.tally;
        let mut rows = vec![
            ("seconds".to_owned(), took.as_secs()),
            ("commands".to_owned(), tally.commands.get()),
            ("  kill -9 of the command".to_owned(), tally.killed_alone.get()),
            ("  kill -9 of its process group".to_owned(), tally.killed_in_group.get()),
            ("  SIGTERM".to_owned(), tally.terminated.get()),
            ("  with a wrong clock".to_owned(), tally.wrong_clocks.get()),
            ("  with a limit on file sizes".to_owned(), tally.limited_files.get()),
            ("times the disk was full".to_owned(), tally.disks_filled.get()),
            ("times the keychain was locked".to_owned(), tally.keychains_locked.get()),
            ("times the keychain broke by itself".to_owned(), tally.keychains_broken.get()),
            ("times everything was killed at once".to_owned(), tally.power_cuts.get()),
            ("token requests".to_owned(), counts.token_requests),
            ("  rotations".to_owned(), counts.rotations),
            ("  client credentials".to_owned(), counts.reissued),
            ("calls".to_owned(), counts.calls),
        ];
        let faults = |named: Vec<(String, u64)>| {
            let total = named.iter().map(|(_, count)| count).sum();
            let rows = named.into_iter().map(|(name, count)| (format!("  {name}"), count));
            std::iter::once(("faults of the server".to_owned(), total)).chain(rows)
        };
        let named = counts.token_faults.iter().map(|(fault, count)| (fault.to_string(), *count));
        let calls = counts.api_faults.iter().map(|(fault, count)| (fault.to_string(), *count));
        rows.extend(faults(named.chain(calls).collect()));
        rows.push(("answers lost after a rotation".to_owned(), counts.answers_lost));
        rows.push(("  too late, on a busy machine".to_owned(), counts.answers_late));
        rows.push(("  on their way when everything was killed".to_owned(), counts.answers_cut));
        rows.push(("  their tokens sent again, and forgiven".to_owned(), counts.forgiven));
        let exits = tally.exits().into_iter();
        rows.push(("how commands ended".to_owned(), tally.commands.get()));
        rows.extend(exits.map(|(how, count)| (format!("  {how}"), count)));
        Self { rows, must_be_none: must_be_none(stage, &counts) }
    }

    /// Whether everything that must be 0 is 0, and something was tried at all.
    pub fn is_clean(&self) -> bool {
        self.must_be_none.iter().all(|(_, count)| *count == 0)
    }
}

fn must_be_none(stage: &Stage, counts: &Counts) -> Vec<(&'static str, u64)> {
    let (_, odd) = stage.tally.all_odd();
    vec![
        ("connections lost", stage.tally.lost.get()),
        ("spent tokens sent", counts.spent_seen),
        ("unknown tokens sent", counts.unknown_seen),
        ("tokens sent twice at once", counts.sent_twice_at_once),
        ("other endings that should not be", (odd as u64).saturating_sub(stage.tally.lost.get())),
        ("soaks without a rotation", u64::from(counts.rotations == 0)),
    ]
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| soak | |\n| --- | ---: |")?;
        for (name, count) in &self.rows {
            let name = match name.strip_prefix("  ") {
                Some(part) => format!("&nbsp;&nbsp;{part}"),
                None => name.clone(),
            };
            writeln!(formatter, "| {name} | {count} |")?;
        }
        for (name, count) in &self.must_be_none {
            let verdict = if *count == 0 { "" } else { " **must be 0**" };
            writeln!(formatter, "| **{name}** | **{count}**{verdict} |")?;
        }
        Ok(())
    }
}

/// How it goes, in one line.
pub fn line(stage: &Stage) -> String {
    let counts = stage.server.counts();
    let tally = &stage.tally;
    let kills = tally.killed_alone.get() + tally.killed_in_group.get();
    format!(
        "{} commands, {kills} kills, {} token requests, {} rotations, {} lost, {} spent tokens sent",
        tally.commands.get(),
        counts.token_requests,
        counts.rotations,
        tally.lost.get(),
        counts.spent_seen,
    )
}
