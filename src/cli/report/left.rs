//! What a person is told is left where no connection came to be.

use super::{Exit, Report, Situation};
use crate::connection::Leaves;

/// The end of a sentence that says how it ends.
pub fn left(leaves: Leaves) -> &'static str {
    match leaves {
        Leaves::Nothing => "nothing is changed",
        Leaves::Registration => "what was registered stays, and nothing else is changed",
    }
}

/// A command that a signal ended; `has_stored` says whether the tokens were there by then.
pub fn interrupted(report: Report, has_stored: bool, about: &Situation) -> Report {
    if report.exit != Exit::Interrupted {
        return report;
    }
    if has_stored {
        return report.cause(format!("`{}` was connected before it ended", about.profile));
    }
    let report = report.cause(left(about.leaves));
    match about.leaves {
        Leaves::Nothing => report,
        Leaves::Registration => {
            report.hint("go on with the client that is registered").next(about.connect())
        }
    }
}
