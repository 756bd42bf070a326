//! Standard output, which is the product, and standard error, which is for people.

use std::io::{ErrorKind, Write as _};

use serde_json::Value;

use super::args::{Color, Global};
use super::report::{Exit, Paint, Report};
use crate::http::printable::{harmless, harmless_json, printable};
use crate::system::System;

/// How a command speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One document on each stream.
    pub json: bool,
    /// Only what is needed.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
    /// Colour on standard error.
    pub paint: Paint,
}

impl Output {
    /// Speaks as the global flags and the terminal ask.
    pub fn new(global: &Global, system: &System) -> Self {
        let colour = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                system.terminals.stderr
                    && system.environment.get("NO_COLOR").is_none()
                    && system.environment.get("TERM") != Some("dumb")
            }
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            paint: Paint(colour),
        }
    }

    /// Writes the product; a reader that has gone is no error.
    pub fn product(self, system: &System, text: &str) -> Result<(), Report> {
        let mut stdout = system.stdout.borrow_mut();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritten(&error)),
            _ => Ok(()),
        }
    }

    /// Writes what people read: a list, a page, a line. A product that programs read goes out as it is.
    pub fn page(self, system: &System, text: &str) -> Result<(), Report> {
        self.product(system, &harmless(text))
    }

    /// How wide what people read may be; `None` where standard output is no terminal, or nobody knows.
    pub fn width(self, system: &System) -> Option<usize> {
        let window = system.terminals.window.filter(|_| system.terminals.stdout)?;
        Some(usize::from(window.columns)).filter(|columns| *columns > 0)
    }

    /// Writes a document of `--json`.
    pub fn document(self, system: &System, document: &Value) -> Result<(), Report> {
        self.product(system, &harmless_json(format!("{document:#}\n")))
    }

    /// Says something that a person may want to know.
    pub fn note(self, system: &System, line: &str) {
        if !self.quiet && !self.json {
            self.say(system, line);
        }
    }

    /// Warns; `--json` keeps standard error for a failure's document.
    pub fn warn(self, system: &System, line: &str) {
        if !self.json {
            write(system, &format!("{} {}", self.paint.yellow("warning:"), harmless(line)));
        }
    }

    /// Writes a line to standard error, whatever was asked.
    pub fn say(self, system: &System, line: &str) {
        write(system, &harmless(line));
    }

    /// Shows a picture that keyfob has drawn itself, its colours included; no word of anybody's is in it.
    pub fn picture(self, system: &System, drawn: &str) {
        write(system, drawn);
    }

    /// Tells a failure.
    pub fn failure(self, system: &System, report: &Report) {
        if self.json {
            write(system, &harmless_json(format!("{:#}", report.document())));
        } else {
            report.lines(self.paint).iter().for_each(|line| write(system, line));
        }
    }
}

/// A line on standard error as it is, our own colours included.
fn write(system: &System, line: &str) {
    // Nobody to hear it is no reason to stop.
    let _ = writeln!(system.stderr.borrow_mut(), "{line}");
}

/// Standard output refused what was written.
pub fn unwritten(error: &std::io::Error) -> Report {
    Report::new(Exit::Unexpected, "stdout", "standard output could not be written")
        .cause(printable(&error.to_string()))
        .hint("check where it goes: a full disk, perhaps")
}
