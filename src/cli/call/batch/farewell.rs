//! The words at the end of a batch that did not go well: how far it came, and how to go on.

use std::path::Path;

use serde_json::Value;

use super::super::super::args::Call;
use super::super::super::command_line::{pair, path, typed, word};
use super::super::super::report::{Exit, Report, span};
use crate::connection::share::Halt;
use crate::http::printable;

/// How far a batch came.
#[derive(Debug, Default)]
pub struct Tale {
    /// Lines written.
    pub answered: u64,
    /// Those of them that are failures.
    pub failed: u64,
    /// Whether one of these was sent with an idempotency key.
    pub keyed: bool,
    /// The first of these, and the number of its line.
    pub first: Option<(u64, Option<String>, Report)>,
    /// The id of the last line written.
    pub last_id: Option<String>,
    /// The number of the last line that was answered.
    pub last_line: u64,
    /// How many requests there are, where that is known.
    pub of: Option<u64>,
}

impl Tale {
    fn count(&self) -> String {
        match self.of {
            Some(of) => format!("{} of {of} answered", self.answered),
            None => format!("{} answered", self.answered),
        }
    }

    fn place(&self) -> String {
        match (&self.last_id, self.last_line) {
            (Some(id), line) => {
                format!("the last complete id is {}, of line {line}", printable(id))
            }
            (None, 0) => "nothing was answered".into(),
            (None, line) => format!("the last complete one is line {line}"),
        }
    }

    /// A batch that was ended before its end.
    pub fn halted(&self, halt: Halt, go_on: String) -> Report {
        let report = match (halt, &self.first) {
            (Halt::Asked, _) => Report::new(
                Exit::Interrupted,
                "interrupted",
                format!("interrupted: {}", self.count()),
            ),
            (Halt::NoToken, Some((_, _, first))) => Report {
                message: format!("{}; {}", first.message, self.count()),
                hint: None,
                next: Vec::new(),
                idempotency_key: None,
                ..first.clone()
            },
            (Halt::LongPause(_), Some((_, _, first))) => {
                let message = format!("a long pause is asked for: {}", self.count());
                Report::new(first.exit, "rate-limited", message)
            }
            (_, None) => Report::new(
                Exit::TryLater,
                "rate-limited",
                format!("a long pause is asked for: {}", self.count()),
            ),
        };
        let report = report.cause(self.place()).next(go_on);
        match (halt, &self.first) {
            (Halt::LongPause(seconds), _) => {
                let mut report = report.hint(format!("go on in {}", span(seconds)));
                report.retry_after_seconds = Some(seconds);
                report
            }
            (Halt::NoToken, Some((_, _, first))) => {
                let hint = first.hint.clone().unwrap_or_else(|| "mend that".into());
                let mut report = report.hint(format!("{hint}; then go on"));
                report.next.splice(0..0, first.next.iter().cloned());
                report
            }
            _ => report.hint("go on with the rest"),
        }
    }

    /// A batch whose requests could not be read to their end.
    pub fn cut_off(&self, report: Report, go_on: String) -> Report {
        let message = format!("{}: {}", report.message, self.count());
        Report { message, ..report }.cause(self.place()).next(go_on)
    }

    /// A batch that came to its end, with failures in it; `redo` is told whether any of these had a key.
    pub fn ended(&self, redo: impl FnOnce(bool) -> String) -> Result<Exit, Report> {
        let Some((line, id, first)) = &self.first else { return Ok(Exit::Done) };
        let count = format!("{} of {} requests failed", self.failed, self.answered);
        let which = id
            .as_ref()
            .map_or_else(|| format!("line {line}"), |id| format!("id {}", printable(id)));
        let mut report = Report::new(first.exit, first.code, count)
            .cause(format!("the first was {which}: {}", first.message));
        report.causes.extend(first.causes.iter().cloned());
        report.http_status = first.http_status;
        report.oauth_error.clone_from(&first.oauth_error);
        let again = "make the failed ones again, once lines that are no requests are mended";
        report.hint = Some(match &first.hint {
            Some(hint) => format!("{hint}; then {again}"),
            None => again.into(),
        });
        report.next.clone_from(&first.next);
        Err(report.next(redo(self.keyed)))
    }
}

/// The command that makes the calls after a line.
pub fn go_on(args: &Call, file: &Path, profile: &str, store: Option<&str>, after: u64) -> String {
    let mut line = match file.as_os_str() == "-" {
        true => format!("tail -n +{} REQUESTS | ", after + 1),
        false => format!("tail -n +{} {} | ", after + 1, path(file)),
    };
    line.push_str(&call(args, profile, store));
    if let Some(output) = args.output.as_deref().filter(|it| it.as_os_str() != "-") {
        line.push_str(&format!(" >> {}", path(output)));
    }
    line
}

/// The command that makes the failed calls again: an answer stands where its request stood, and a
/// write goes out under the key that it had, in the header of that name.
pub fn redo(
    args: &Call,
    file: &Path,
    profile: &str,
    store: Option<&str>,
    key_header: Option<&str>,
) -> String {
    let named = |file: &Path, otherwise: &str| match file.as_os_str() == "-" {
        true => otherwise.to_owned(),
        false => path(file),
    };
    let answers =
        args.output.as_deref().map_or_else(|| "ANSWERS".into(), |it| named(it, "ANSWERS"));
    let request = key_header.map_or_else(|| "$request".into(), under_its_key);
    let filter =
        format!("foreach inputs as $request (-1; . + 1; $answers[.] | select(.error) | {request})");
    format!(
        "jq -nc --slurpfile answers {answers} {} {} | {}",
        typed(&filter),
        named(file, "REQUESTS"),
        call(args, profile, store)
    )
}

/// What was refused for good is new with a new key; all else may have been done, and must not be done twice.
fn under_its_key(header: &str) -> String {
    let (name, lower) = (Value::from(header), Value::from(header.to_ascii_lowercase()));
    format!(
        ".error.idempotency_key as $key | if $key and (.status // 500) >= 500 then $request | .headers = ((.headers // {{}} | with_entries(select(.key | ascii_downcase != {lower}))) + {{{name}: $key}}) else $request end"
    )
}

fn call(args: &Call, profile: &str, store: Option<&str>) -> String {
    let mut line = format!("keyfob call {} --batch -", word(profile));
    if args.many.concurrency != 8 {
        line.push_str(&format!(" --concurrency {}", args.many.concurrency));
    }
    if args.force {
        line.push_str(" --force");
    }
    if args.attempts.retry != 3 {
        line.push_str(&format!(" --retry {}", args.attempts.retry));
    }
    if args.attempts.timeout.as_secs() != 30 {
        line.push_str(&format!(" --timeout {}s", args.attempts.timeout.as_secs().max(1)));
    }
    for (key, value) in &args.settings {
        line.push_str(&format!(" --set {}", pair(key, value)));
    }
    if let Some(store) = store {
        line.push_str(&format!(" --store {}", typed(store)));
    }
    line
}

/// The requests could not be read to their end.
pub fn unreadable(file: &Path, error: &std::io::Error) -> Report {
    let name = match file.as_os_str() == "-" {
        true => "standard input".into(),
        false => printable(&file.display().to_string()),
    };
    Report::usage(format!("{name} cannot be read"))
        .cause(printable(&error.to_string()))
        .hint("name a readable file of JSON lines, or - for standard input")
}
