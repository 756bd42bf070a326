//! What can be typed: one file a command, arguments turned once into settings, one call into the
//! rooms below, the result shown. No protocol, no repetition, no storage.

mod args;
mod blob_key;
mod call;
mod choice;
mod client_certificate;
mod client_key;
mod command_line;
mod completions;
mod connect;
mod context;
mod demo;
mod discovered;
mod enter_code;
mod exec;
mod export;
mod header;
mod helper;
mod import;
mod introspect;
mod layout;
mod masks;
mod notices;
mod other_words;
mod output;
mod patience;
mod profile;
mod provider;
mod proxy;
mod qr_code;
mod recipes;
mod refresh;
mod report;
mod revoke;
mod sandbox;
mod save_to;
mod scopes;
mod sealed_import;
mod secrets;
mod standard_input;
mod status;
mod sync;
mod token;
mod typed;
mod webhook;

use std::ffi::OsString;

use clap::CommandFactory as _;

use args::{Cli, Color, Command, Global};
pub use completions::{Question, VARIABLE as COMPLETION_VARIABLE, answer as complete};
use context::Context;
use output::Output;
pub use report::Exit;
use report::Report;

use crate::system::System;

/// The command line as clap knows it; for documentation and completion.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs one command and gives its exit code.
pub fn run(arguments: Vec<OsString>, system: &mut System) -> u8 {
    let cli = match typed::parse(&arguments) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error, &arguments, system),
    };
    if cli.global.no_input || matches!(cli.command, Command::Helper(_)) {
        system.ask_nobody();
    }
    if cfg!(unix) && matches!(cli.command, Command::Exec(_)) {
        system.leave_signals_alone();
    }
    let output = Output::new(&cli.global, system);
    match dispatch(&cli, system, output) {
        Ok(code) => code,
        Err(report) => {
            output.failure(system, &report);
            report.exit as u8
        }
    }
}

/// Tells that there is nowhere to keep anything, and gives the exit code.
#[expect(clippy::print_stderr, reason = "there is no System to speak through")]
pub fn without_home() -> u8 {
    let report = Report::new(Exit::SetUp, "no-home", "this user has no home folder")
        .hint("name a folder for keyfob's files")
        .next("export KEYFOB_HOME=DIR");
    for line in report.lines(report::Paint(false)) {
        eprintln!("{line}");
    }
    report.exit as u8
}

fn dispatch(cli: &Cli, system: &mut System, output: Output) -> Result<u8, Report> {
    let context = Context::new(system, &cli.global, output);
    // These have nothing to do with what is kept in the home, so nothing there keeps them.
    if !matches!(cli.command, Command::Completions(_) | Command::Demo) {
        let extra_roots = context.extra_roots().inspect_err(|_| {
            if let Command::Helper(helper) = &cli.command {
                helper::failed_before(&context, helper);
            }
        })?;
        system.client_options.extra_roots = extra_roots;
    }
    let context = Context::new(system, &cli.global, output);
    context.tell_trust();
    let done = match &cli.command {
        Command::Exec(args) => return exec::run(&context, args),
        Command::Connect(args) => connect::run(&context, args),
        Command::Import(args) => import::run(&context, args),
        Command::Export(args) => export::run(&context, args),
        Command::Call(args) => call::run(&context, args),
        Command::Refresh(args) => refresh::run(&context, args),
        Command::Revoke(args) => revoke::run(&context, args),
        Command::Introspect(args) => introspect::run(&context, args),
        Command::Status(args) => status::run(&context, args),
        Command::Token(args) => token::run(&context, args),
        Command::Header(args) => header::run(&context, args),
        Command::Helper(helper) => helper::run(&context, helper),
        Command::Scopes(args) => scopes::run(&context, args),
        Command::Profile(command) => profile::run(&context, command),
        Command::Provider(command) => provider::run(&context, command),
        Command::Webhook(command) => webhook::run(&context, command),
        Command::Proxy(args) => proxy::run(&context, args),
        Command::Sandbox(args) => sandbox::run(&context, args),
        Command::Demo => demo::run(&context),
        Command::Recipes(args) => recipes::list(&context, args),
        Command::Sync(args) => sync::run(&context, args),
        Command::Completions(args) => completions::run(&context, args),
    };
    done.map(|exit| exit as u8)
}

/// Help and version are products; everything else is a command line that was not understood.
fn not_understood(error: &clap::Error, arguments: &[OsString], system: &System) -> u8 {
    use clap::error::ErrorKind;
    let said = |word: &str| arguments.iter().any(|argument| argument == word);
    let global = Global {
        cacert: None,
        yes: false,
        json: said("--json"),
        quiet: false,
        verbose: 0,
        no_input: true,
        color: Color::Auto,
        store: None,
    };
    let output = Output::new(&global, system);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = match system.terminals.stdout && output.paint.0 {
                true => error.render().ansi().to_string(),
                false => error.render().to_string(),
            };
            match output.product(system, &text) {
                Ok(()) => Exit::Done as u8,
                Err(report) => report.exit as u8,
            }
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !output.json => {
            output.say(system, &error.render().to_string());
            Exit::Usage as u8
        }
        _ => {
            output.failure(system, &usage_report(error, arguments));
            Exit::Usage as u8
        }
    }
}

/// Flags that people look for, and that would put a secret into the process list.
const SECRET_FLAGS: [&str; 7] = [
    "--client-secret",
    "--password",
    "--token",
    "--access-token",
    "--refresh-token",
    "--secret",
    "--code",
];

/// Flags that people try for what only a file brings, and the flag that names it.
const FILE_FLAGS: [(&str, &str); 5] = [
    ("--private-key", "--client-key-file"),
    ("--client-key", "--client-key-file"),
    ("--assertion", "--assertion-file"),
    ("--subject-token", "--subject-token-file"),
    ("--actor-token", "--actor-token-file"),
];

/// A secret that was typed as an argument, and where it belongs.
fn typed_secret(typed: &[String]) -> Option<Report> {
    let flags = || typed.iter().map(|it| it.split('=').next().unwrap_or(it));
    let told = |flag: &str, hint: String| {
        Report::usage(format!("no flag takes a secret, so there is no {flag}"))
            .cause("every user of this machine can read the arguments of a process")
            .hint(hint)
    };
    let known = flags().find(|flag| SECRET_FLAGS.contains(flag)).map(|flag| {
        told(flag, "use --client-secret-file FILE (`-` is standard input), KEYFOB_CLIENT_SECRET, or the prompt; change a secret that was typed".into())
    });
    let of_a_file = || {
        let place = |flag: &str| FILE_FLAGS.into_iter().find(|(it, _)| *it == flag);
        let (flag, file) = flags().find_map(place)?;
        Some(told(
            flag,
            format!("use {file} FILE (`-` is standard input); change a secret that was typed"),
        ))
    };
    known.or_else(of_a_file)
}

fn usage_report(error: &clap::Error, arguments: &[OsString]) -> Report {
    let typed: Vec<String> = arguments.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    if let Some(report) = typed_secret(&typed) {
        return report;
    }
    if let Some(report) = exec::undivided(&typed) {
        return report;
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or("the command line was not understood");
    let message = message.strip_prefix("error: ").unwrap_or(message).to_owned();
    let mut report = Report::usage(crate::http::printable::printable(&message));
    // The usage, which may have several lines, and what follows it are no cause.
    for line in lines.take_while(|line| !line.starts_with("Usage:")) {
        match line.strip_prefix("tip: ") {
            Some(tip) => report = report.hint(tip),
            None if line.starts_with("For more") => {}
            None => report = report.cause(crate::http::printable::printable(line)),
        }
    }
    if error.kind() == clap::error::ErrorKind::InvalidSubcommand
        && let [_] = named(&typed).as_slice()
        && let Some(meant) = other_words::meant(&typed)
    {
        return report.hint("here that is").next(format!("keyfob {meant} --help"));
    }
    report.next(format!("{} --help", named(&typed).join(" ")))
}

/// The program and the commands that were typed, as deep as they are known; flags between them are passed over.
fn named(typed: &[String]) -> Vec<String> {
    let mut command = Cli::command();
    let mut path = vec![command.get_name().to_owned()];
    for word in typed.iter().skip(1).filter(|word| !word.starts_with('-')) {
        let Some(found) = command.find_subcommand(word) else { break };
        path.push(found.get_name().to_owned());
        command = found.clone();
    }
    path
}
