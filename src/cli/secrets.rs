//! Where secrets come in: a prompt without echo, a file, standard input, the environment. Never a flag.

use std::io::Read as _;
use std::path::Path;

use super::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::provider::{Provider, looks_like};
use crate::secret::Secret;
use crate::system::System;

/// The longest secret, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Reads a secret from a file, or from standard input where the file is `-`.
pub fn from_file(system: &System, path: &Path) -> Result<Secret, Report> {
    let text = match path.as_os_str() == "-" {
        true => standard_input(system, LONGEST)?,
        false => file(path)?,
    };
    let secret = Secret::new(text.expose().trim_end_matches(['\r', '\n']));
    match secret.is_empty() {
        true => Err(Report::usage(format!("{} holds no secret: it is empty", path.display()))
            .hint("write the secret into it, without anything else")),
        false => Ok(secret),
    }
}

fn file(path: &Path) -> Result<Secret, Report> {
    let unreadable = |why: String| {
        let message = format!("{} cannot be read", path.display());
        let report = Report::new(Exit::SetUp, "secret-file", message)
            .cause(printable(&why))
            .hint("name a file that only you can read");
        match report::for_me_alone(path) {
            Some(command) => report.next(command),
            None => report,
        }
    };
    // Also a pipe of the shell's, as `<(pass show keyfob)` makes one.
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let mut text = zeroize::Zeroizing::new(String::new());
    match file.take(LONGEST + 1).read_to_string(&mut text) {
        Ok(length) if length as u64 <= LONGEST => Ok(Secret::new(text.as_str())),
        Ok(_) => Err(unreadable(format!("it holds more than {LONGEST} bytes"))),
        Err(error) => Err(unreadable(error.to_string())),
    }
}

/// Reads all of standard input, up to a limit.
pub fn standard_input(system: &System, limit: u64) -> Result<Secret, Report> {
    let mut text = zeroize::Zeroizing::new(String::new());
    let mut stdin = system.stdin.borrow_mut();
    let read = (&mut *stdin).take(limit + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 <= limit => Ok(Secret::new(text.as_str())),
        Ok(_) => Err(Report::usage(format!("standard input holds more than {limit} bytes"))
            .hint("give only what is asked for")),
        Err(error) => Err(Report::usage("standard input cannot be read")
            .cause(printable(&error.to_string()))
            .hint("give UTF-8 text")),
    }
}

/// A secret that begins like another kind of the vendor's was pasted into the wrong place, and so was
/// one that is longer than the vendor's are.
pub fn refuse_mixed(provider: &Provider, name: &str, secret: &Secret) -> Result<(), Report> {
    let longest = provider.setup.client_secret_max_length.filter(|_| name == "client_secret");
    if let Some(longest) = longest.filter(|longest| secret.expose().len() > *longest) {
        return Err(Report::usage(format!(
            "this is no {name} of the vendor: at most {longest} characters"
        ))
        .hint(format!("give the {name}; nothing was stored")));
    }
    match looks_like::another(provider, name, secret) {
        Some(kind) => Err(Report::usage(format!("this {name} begins like a {kind}"))
            .hint(format!("give the {name}; nothing was stored"))),
        None => Ok(()),
    }
}
