//! `completions`: the script that makes a shell ask keyfob, and the answers to what it asks.
//!
//! An answer costs neither keychain nor network: it knows the files of profiles and providers,
//! and the words on the line.

mod bash;
mod line;

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap_complete::CompleteEnv;
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _};
use clap_complete::env::{Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};

use super::args::{Completions, Shell};
use super::context::{Context, is_path};
use super::report::{Exit, Report};
use crate::sandbox::vendors;
use crate::system::Home;
use bash::Bash;
use line::Line;

/// The variable by which a shell asks; its value is the shell's name.
pub const VARIABLE: &str = "COMPLETE";

/// Prints the script of a shell.
pub fn run(context: &Context<'_>, args: &Completions) -> Result<Exit, Report> {
    context.output.product(context.system, &script(args.shell))?;
    Ok(Exit::Done)
}

/// The script that registers keyfob with a shell.
pub fn script(shell: Shell) -> String {
    let bash = Bash::default();
    let adapter: &dyn EnvCompleter = match shell {
        Shell::Bash => &bash,
        Shell::Zsh => &Zsh,
        Shell::Fish => &Fish,
        Shell::Elvish => &Elvish,
        Shell::Powershell => &Powershell,
    };
    let mut script = Vec::new();
    // A vector takes whatever is written.
    let _ = adapter.write_registration(VARIABLE, "keyfob", "keyfob", "keyfob", &mut script);
    let text = String::from_utf8_lossy(&script);
    format!("{}\n", text.trim())
}

/// What a shell asks with.
pub struct Question {
    /// All arguments of this process.
    pub arguments: Vec<OsString>,
    /// Where profiles and providers are; absent for a user without a home.
    pub home: Option<Home>,
    /// Where relative paths begin.
    pub folder: Option<std::path::PathBuf>,
    /// Reads a variable of this process.
    pub variable: fn(&str) -> Option<String>,
}

thread_local! {
    /// The line that is being completed: clap's completers are handed the typed word alone.
    static LINE: RefCell<Option<Line>> = const { RefCell::new(None) };
}

/// Answers a shell on standard output; fails where the shell is not known.
pub fn answer(mut question: Question) -> Result<(), clap::Error> {
    let variable = question.variable;
    let mut bash = Bash::default();
    if variable(VARIABLE).is_some_and(|shell| Path::new(&shell).ends_with("bash")) {
        bash = Bash::join(&mut question.arguments, variable);
    }
    let words = question.arguments.iter().skip_while(|word| *word != "--").skip(1);
    let line = Line {
        words: words.map(|word| word.to_string_lossy().into_owned()).collect(),
        home: question.home,
        profile: variable("KEYFOB_PROFILE"),
    };
    LINE.set(Some(line));
    let shells: [&dyn EnvCompleter; 5] = [&bash, &Elvish, &Fish, &Powershell, &Zsh];
    CompleteEnv::with_factory(super::command)
        .var(VARIABLE)
        .bin("keyfob")
        .shells(Shells(&shells))
        .try_complete(question.arguments, question.folder.as_deref())
        .map(|_| ())
}

/// Candidates that begin with what was typed.
fn candidates(
    typed: &OsStr,
    of: impl FnOnce(&Line, &str) -> Vec<line::Candidate>,
) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    LINE.with_borrow(|line| line.as_ref().map(|line| of(line, &typed)))
        .unwrap_or_default()
        .into_iter()
        .filter(|candidate| candidate.word.starts_with(&*typed))
        .map(|candidate| {
            let help = Some(candidate.help).filter(|help| !help.is_empty());
            CompletionCandidate::new(candidate.word).help(help.map(Into::into))
        })
        .collect()
}

/// Profiles.
pub fn complete_profile(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(typed, |line, _| line.profiles())
}

/// Providers, and files where a path was begun.
pub fn complete_provider(typed: &OsStr) -> Vec<CompletionCandidate> {
    match is_path(&typed.to_string_lossy()) || typed == "." || typed == ".." {
        true => PathCompleter::file().complete(typed),
        false => candidates(typed, |line, _| line.providers()),
    }
}

/// Vendors that have a stand-in.
pub fn complete_vendor(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(typed, |_, _| vendors::names().map(|name| line::candidate(name, "")).collect())
}

/// What the `app` filter of the provider on the line takes.
pub fn complete_app(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(typed, Line::apps)
}

/// Scopes of the provider on the line.
pub fn complete_scope(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(typed, Line::scopes)
}

/// Settings of the provider on the line, as `KEY=` or with a choice.
pub fn complete_setting(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(typed, Line::settings)
}

/// Words of a call: a profile, then a method, then a path.
pub fn complete_word(typed: &OsStr) -> Vec<CompletionCandidate> {
    candidates(typed, Line::words_of_call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_in_the_repository_are_those_that_the_program_prints() {
        let files = [
            (Shell::Bash, include_str!("../../completions/keyfob.bash")),
            (Shell::Zsh, include_str!("../../completions/_keyfob")),
            (Shell::Fish, include_str!("../../completions/keyfob.fish")),
            (Shell::Elvish, include_str!("../../completions/keyfob.elv")),
            (Shell::Powershell, include_str!("../../completions/_keyfob.ps1")),
        ];
        for (shell, text) in files {
            assert_eq!(script(shell), text, "keyfob completions {shell:?}");
        }
    }
}
