//! The command that was typed, plus what advice adds to it: the only way to print one that connects.

mod flag;
mod from_arguments;
mod from_profile;
mod placed;
#[cfg(test)]
mod tests;

use std::path::Path;

use clap::ValueEnum as _;

use super::{path, typed, word};
use crate::cli::args::FlowChoice;
use crate::provider::Provider;
use crate::provider::schema::Flow;
use flag::Flag;
pub use placed::Typed;

/// What advice adds: a flag, and its value as a word; an empty value for a flag without one.
pub type Plus<'a> = &'a [(&'a str, &'a str)];

/// What `import` takes too.
const OF_IMPORT: [&str; 11] = [
    "--provider",
    "--authorization-server",
    "--client-id",
    "--client-authentication",
    "--client-secret-file",
    "--client-key-file",
    "--client-certificate-file",
    "--set",
    "--store",
    "--cacert",
    "--yes",
];

/// What no profile remembers.
const FOR_ONCE: [&str; 14] = [
    "--client-secret-file",
    "--client-key-file",
    "--client-certificate-file",
    "--username",
    "--password-file",
    "--assertion-file",
    "--subject-token-file",
    "--subject-token-type",
    "--actor-token-file",
    "--actor-token-type",
    "--requested-token-type",
    "--no-browser",
    "--cacert",
    "--yes",
];

/// How long somebody waited says nothing of the next time.
const PATIENCE: &str = "--timeout";

/// What a prompt asks for where no file brings it.
const ASKED_FOR: [&str; 4] =
    ["--client-secret-file", "--client-key-file", "--password-file", "--initial-access-token-file"];

/// The flags that were typed, which no file says yet: what fails repeats them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    flags: Vec<Flag>,
    /// What standard input has to hold, where that is known.
    text: Option<String>,
}

impl Given {
    /// What is left to say once a file says the rest.
    pub fn for_once(&self) -> Self {
        self.where_flag(|flag| FOR_ONCE.contains(&flag.name))
    }

    /// The same without what does nothing in a flow.
    pub fn useful_in(&self, flow: Flow) -> Self {
        self.where_flag(|flag| flag.serves(flow))
    }

    /// The same for the flow that the provider has first.
    pub fn in_own_flow(&self, provider: &Provider) -> Self {
        let own = provider.flows.first();
        self.where_flag(|flag| flag.name != "--flow" && own.is_none_or(|flow| flag.serves(*flow)))
    }

    fn where_flag(&self, stays: impl Fn(&Flag) -> bool) -> Self {
        let flags = self.flags.iter().filter(|flag| stays(flag));
        Self { flags: flags.cloned().collect(), text: self.text.clone() }
    }

    /// The first flag that does nothing in a flow.
    pub fn useless_in(&self, flow: Flow) -> Option<&'static str> {
        self.flags.iter().find(|it| !it.serves(flow)).map(|it| it.name)
    }

    /// Adds a flag with a value that is a word already; an empty one for a flag without a value.
    pub fn add(&mut self, name: &'static str, value: String) {
        // A word that begins like a flag is taken for one, but after `=`.
        let value = match value.len() > 1 && value.starts_with('-') {
            true => format!("={value}"),
            false => value,
        };
        self.flags.push(Flag { name, value });
    }

    fn add_switch(&mut self, name: &'static str, is_given: bool) {
        if is_given {
            self.add(name, String::new());
        }
    }

    fn add_choice(&mut self, name: &'static str, choice: Option<bool>) {
        match choice {
            Some(true) => self.add(name, String::new()),
            Some(false) => self.add(name, "=false".to_owned()),
            None => {}
        }
    }

    fn add_each<'t>(&mut self, name: &'static str, texts: impl IntoIterator<Item = &'t String>) {
        texts.into_iter().for_each(|text| self.add(name, typed(text)));
    }

    /// What came on standard input and is asked for without echo is not typed a second time.
    fn add_file(&mut self, name: &'static str, file: Option<&Path>) {
        match file {
            Some(file) if file.as_os_str() == "-" && ASKED_FOR.contains(&name) => {}
            Some(file) => self.add(name, path(file)),
            None => {}
        }
    }

    /// The command with these flags, and with `plus` in the place of those that say the same.
    pub fn command(&self, verb: &str, profile: &str, plus: Plus<'_>) -> String {
        let other_flow = plus.iter().find(|(name, _)| *name == "--flow");
        let other_flow = other_flow.and_then(|(_, name)| FlowChoice::from_str(name, false).ok());
        let kept = self.flags.iter().filter(|flag| {
            flag.name != PATIENCE
                && (verb != "import" || OF_IMPORT.contains(&flag.name))
                && other_flow.is_none_or(|flow| flag.serves(flow.flow()))
                && !plus.iter().any(|plus| flag.is_replaced_by(plus))
        });
        let kept: Vec<&Flag> = kept.collect();
        let mut line = format!("keyfob {verb} {}", word(profile));
        for flag in &kept {
            push(&mut line, flag.name, &flag.value);
        }
        plus.iter().for_each(|(name, value)| push(&mut line, name, value));
        match &self.text {
            _ if !kept.iter().any(|flag| flag.value == "-") => line,
            Some(text) => format!("printf %s {} | {line}", typed(text)),
            None => format!("{line} < FILE"),
        }
    }
}

fn push(line: &mut String, name: &str, value: &str) {
    let gap = if value.is_empty() || value.starts_with('=') { "" } else { " " };
    line.push_str(&format!(" {name}{gap}{value}"));
}
