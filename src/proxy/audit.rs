//! One line for every request: when, what, how it ended. No body, no header, no value of a query.

use std::borrow::Cow;
use std::fmt;
use std::mem::take;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc::OwnedPermit;

use crate::http::printable::{LONGEST, printable};

/// What became of a request.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it came.
    pub at: Timestamp,
    /// As sent.
    pub method: String,
    /// As sent, the query's values hidden.
    pub path: String,
    /// `None` where the program was gone before there was one.
    pub status: Option<u16>,
    /// Until the last byte of the answer was given away.
    pub took: Duration,
    /// Of the answer's body.
    pub bytes: u64,
    /// Why the proxy answered in place of the API, or that the answer was not given away whole.
    pub note: Option<&'static str>,
}

impl Line {
    /// A line of which nothing else is known.
    pub fn begin(at: Timestamp, method: String, path: String) -> Self {
        Self { at, method, path, status: None, took: Duration::ZERO, bytes: 0, note: None }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.0} {} {} ", self.at, plain(&self.method), plain(&self.path))?;
        match self.status {
            Some(status) => write!(formatter, "{status}")?,
            None => formatter.write_str("-")?,
        }
        write!(formatter, " {} ms {} B", self.took.as_millis(), self.bytes)?;
        match self.note {
            Some(note) => write!(formatter, " {note}"),
            None => Ok(()),
        }
    }
}

/// Made printable; most texts are.
fn plain(text: &str) -> Cow<'_, str> {
    match text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(printable(text)),
    }
}

/// A path whose query shows its names alone.
pub fn shown(path: &str, query: Option<&str>) -> String {
    let mut shown = path.to_owned();
    for (position, pair) in query.iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if position == 0 { '?' } else { '&' });
        shown.push_str(pair.split('=').next().unwrap_or_default());
        if pair.contains('=') {
            shown.push_str("=[hidden]");
        }
    }
    shown
}

/// A line that is written when this is dropped, whatever ended the request.
pub struct Record {
    /// What is known so far.
    pub line: Line,
    started: Instant,
    /// The place that was kept for it; `None` where nobody wants lines.
    place: Option<OwnedPermit<Line>>,
}

impl Record {
    /// Begins a line.
    pub fn begin(line: Line, place: Option<OwnedPermit<Line>>) -> Self {
        Self { line, started: Instant::now(), place }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            let (method, path) = (take(&mut self.line.method), take(&mut self.line.path));
            place.send(Line { method, path, took: self.started.elapsed(), ..self.line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test] // AT-25
    fn a_line_holds_no_value_and_no_control_character() {
        let line = Line {
            at: Timestamp::from_second(1_800_000_000).unwrap(),
            method: "GET".into(),
            path: shown("/orders\u{1b}[2K/\u{9b}x", Some("page=mark&empty&token=mark=")),
            status: Some(200),
            took: Duration::from_millis(12),
            bytes: 34,
            note: None,
        };
        let text = line.to_string();
        assert_eq!(
            text,
            "2027-01-15T08:00:00Z GET /orders/ ?page=[hidden]&empty&token=[hidden] 200 12 ms 34 B"
                .replace("/ ?", "/?")
        );
        let gone = Line { status: None, note: Some("cut-off"), ..line };
        assert!(gone.to_string().ends_with(" - 12 ms 34 B cut-off"), "{gone}");
    }
}
