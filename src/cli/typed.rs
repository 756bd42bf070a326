//! From words to what was typed.
//!
//! The whole command line takes longer to build than a short command runs. So a command that
//! scripts run often is built alone, where its name comes first; whatever that does not take, and
//! every message about it, is the whole command line's.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args as _, Command, CommandFactory as _, FromArgMatches as _};

use super::args::{Call, Cli, Exec, Global, OneProfile, Refresh, Status, Token};
use super::helper::{self, cargo::PLUGIN};

/// Reads the arguments, the program's name first.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    // cargo starts a provider so and in no other way, whatever its configuration says.
    let from_cargo = ["keyfob", "helper", "cargo"].map(OsString::from);
    let arguments = match arguments {
        [_, only] if only == PLUGIN => &from_cargo,
        [program, first, of @ ..] if first == "help" => return help(program, of),
        _ => arguments,
    };
    match alone(arguments) {
        Some(read) => read,
        None => whole(arguments),
    }
}

/// `help connect`, as other programs spell `connect --help`.
fn help(program: &OsString, of: &[OsString]) -> Result<Cli, clap::Error> {
    let mut arguments = vec![program.clone()];
    arguments.extend(of.iter().cloned());
    arguments.push("--help".into());
    whole(&arguments)
}

fn whole(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// `None` where only the whole command line can tell.
fn alone(arguments: &[OsString]) -> Option<Result<Cli, clap::Error>> {
    let first = arguments.get(1)?.to_str()?;
    if arguments.len() == 2 && matches!(first, "--version" | "-V") {
        return version(arguments).map(Err);
    }
    let command = match first {
        "call" => Call::augment_args(Command::new("call")),
        "exec" => Exec::augment_args(Command::new("exec")),
        "header" => OneProfile::augment_args(Command::new("header")),
        "helper" => helper::command_of(arguments.get(2)?.to_str()?)?,
        "refresh" => Refresh::augment_args(Command::new("refresh")),
        "status" => Status::augment_args(Command::new("status")),
        "token" => Token::augment_args(Command::new("token")),
        _ => return None,
    };
    let program = Global::augment_args(Command::new("keyfob")).subcommand(command);
    let matches = program.try_get_matches_from(arguments).ok()?;
    Cli::from_arg_matches(&matches).ok().map(Ok)
}

/// The version, which the library gives as an error.
fn version(arguments: &[OsString]) -> Option<clap::Error> {
    let program = Command::new("keyfob").version(env!("CARGO_PKG_VERSION"));
    let asked = program.try_get_matches_from(arguments).err()?;
    (asked.kind() == ErrorKind::DisplayVersion).then_some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_command_that_is_read_alone_is_read_as_the_whole_command_line_reads_it() {
        let lines = [
            "keyfob token",
            "keyfob token shop --min-ttl 5m --json",
            "keyfob header shop -qvv --store file",
            "keyfob status --check --within 7d",
            "keyfob exec shop --env A --env B_1 --min-ttl 5m -- cmd --json -x a=b",
            "keyfob exec --keep-secrets -q -- cmd",
            "keyfob helper git shop get --username me --min-ttl 5m",
            "keyfob helper kubectl shop --json",
            "keyfob helper docker shop get --username me",
            "keyfob helper terraform get app.example -v",
            "keyfob helper cargo --cargo-plugin",
            "keyfob helper cargo shop --bare",
            "keyfob helper bazel shop get",
            "keyfob helper mcp",
            "keyfob refresh one two --no-input --color never",
            "keyfob refresh --all --within 15m --yes",
            "keyfob call shop GET /orders app==me",
            "keyfob call /x -X PUT -H a:b -d -5 -i -o out --retry 0 --timeout 2s --set a=b",
            "keyfob call shop /x --cacert ca.pem --form --force -- --odd=1",
        ];
        for line in lines {
            let alone = alone(&words(line)).unwrap_or_else(|| panic!("{line}")).unwrap();
            assert_eq!(
                format!("{alone:?}"),
                format!("{:?}", whole(&words(line)).unwrap()),
                "{line}"
            );
        }
    }

    #[test]
    fn help_and_whatever_was_typed_wrongly_is_for_the_whole_command_line() {
        let lines = [
            "keyfob",
            "keyfob --json token shop",
            "keyfob tokne shop",
            "keyfob token --help",
            "keyfob token -V",
            "keyfob token one two",
            "keyfob call",
            "keyfob status --within 7d",
            "keyfob refresh one --all",
            "keyfob connect shop",
            "keyfob helper",
            "keyfob helper get",
            "keyfob helper git",
            "keyfob helper git --help",
            "keyfob helper terraform get",
            "keyfob exec shop",
            "keyfob exec shop cmd",
            "keyfob exec shop --env 1A -- cmd",
        ];
        for line in lines {
            assert!(alone(&words(line)).is_none(), "{line}");
        }
    }

    #[test]
    fn cargo_s_own_argument_means_its_helper() {
        let plugin = parse(&words("keyfob --cargo-plugin")).unwrap();
        let helper = whole(&words("keyfob helper cargo")).unwrap();
        assert_eq!(format!("{plugin:?}"), format!("{helper:?}"));
        assert!(parse(&words("keyfob --cargo-plugin x")).is_err());
    }

    #[test]
    fn help_before_a_command_is_its_help() {
        for (line, same) in [
            ("keyfob help", "keyfob --help"),
            ("keyfob help connect", "keyfob connect --help"),
            ("keyfob help helper git", "keyfob helper git --help"),
        ] {
            let (one, other) = (parse(&words(line)).unwrap_err(), whole(&words(same)).unwrap_err());
            assert_eq!(one.kind(), ErrorKind::DisplayHelp);
            assert_eq!(one.render().to_string(), other.render().to_string(), "{line}");
        }
        let error = parse(&words("keyfob help connekt")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSubcommand);
    }

    #[test]
    fn the_version_is_told_in_the_same_words() {
        for line in ["keyfob --version", "keyfob -V"] {
            let alone = alone(&words(line)).unwrap().unwrap_err();
            let whole = whole(&words(line)).unwrap_err();
            assert_eq!(alone.render().to_string(), whole.render().to_string());
        }
    }
}
