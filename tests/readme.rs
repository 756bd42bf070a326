//! The README promises only what exists.

use std::collections::BTreeSet;
use std::path::Path;

use keyfob::cli;
use keyfob::provider::catalogue;

/// The README and the pages it sends to; those about CI are run as they stand by `documents`.
fn readme() -> String {
    let pages = [
        "README.md",
        "docs/calls.md",
        "docs/other-programs.md",
        "docs/servers.md",
        "docs/webhooks.md",
    ];
    let text =
        |page| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    pages.map(text).concat()
}

/// The lines in fences and the words between backticks that run keyfob.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            lines.push(line.trim_start_matches("$ ").to_owned());
        } else {
            lines.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    lines.retain(|line| line.starts_with("keyfob ") || line.contains("$(keyfob "));
    lines.iter().map(|line| command_of(line)).collect()
}

/// The words for keyfob alone: without comment, pipe, redirection or the shell around it.
fn command_of(line: &str) -> Vec<String> {
    let inner = match line.split_once("$(keyfob ") {
        Some((_, rest)) => format!("keyfob {}", rest.split(')').next().unwrap_or_default()),
        None => line.to_owned(),
    };
    let words = shlex::split(&inner).unwrap_or_else(|| panic!("{line}"));
    let ends = |word: &String| ["|", "&&", "<", ">", ">>", "&"].contains(&word.as_str());
    words.into_iter().take_while(|word| !ends(word)).collect()
}

#[test]
fn every_command_line_parses() {
    let lines = command_lines(&readme());
    assert!(lines.len() > 5, "{lines:?}");
    for words in lines {
        let line = words.join(" ");
        if words.len() == 2 && words[1].chars().all(char::is_lowercase) {
            let known = cli::command().find_subcommand(&words[1]).is_some();
            assert!(known, "there is no `{line}`");
            continue;
        }
        let parsed = cli::command().try_get_matches_from(&words);
        let is_help = parsed.as_ref().is_err_and(|it| !it.use_stderr());
        assert!(parsed.is_ok() || is_help, "{line}: {}", parsed.unwrap_err());
    }
}

fn words(text: &str, begins: &str, belongs: fn(char) -> bool) -> BTreeSet<String> {
    text.match_indices(begins)
        .map(|(at, _)| {
            let rest = &text[at..];
            rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())].to_owned()
        })
        .collect()
}

fn source() -> String {
    fn collect(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, text),
                false => text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap())),
            }
        }
    }
    let mut text = String::new();
    for folder in ["src", "benches"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut text);
    }
    text
}

#[test]
fn every_variable_and_provider_it_names_exists() {
    let (text, source) = (readme(), source());
    for name in words(&text, "KEYFOB_", |c| c.is_ascii_uppercase() || c == '_') {
        assert!(source.contains(&format!("\"{name}\"")), "nothing reads {name}");
    }
    for named in words(&text, "--provider ", |c| c.is_ascii_lowercase() || " -".contains(c)) {
        let name = named.trim_start_matches("--provider ").split(' ').next().unwrap_or_default();
        let shipped = matches!(name, "" | "https") || catalogue::names().any(|it| it == name);
        assert!(shipped, "no provider {name} is shipped");
    }
}

#[test]
fn every_flag_it_names_exists() {
    let mut flags = BTreeSet::new();
    fn collect(command: &clap::Command, flags: &mut BTreeSet<String>) {
        flags.extend(
            command.get_arguments().filter_map(|it| it.get_long()).map(|it| format!("--{it}")),
        );
        command.get_subcommands().for_each(|it| collect(it, flags));
    }
    collect(&cli::command(), &mut flags);
    // Cargo's own, and bazel's, which stand beside ours.
    flags.extend(
        ["--release", "--path", "--locked", "--bench", "--target", "--help", "--version", "--"]
            .map(str::to_owned),
    );
    flags.extend(["--no-default-features", "--credential"].map(str::to_owned));
    let text = readme();
    for flag in words(&text, " --", |c| c.is_ascii_lowercase() || " -".contains(c)) {
        let flag = flag.trim().split(' ').next().unwrap_or_default().to_owned();
        let is_rule = flag.starts_with("---");
        assert!(is_rule || flags.contains(&flag), "there is no {flag}");
    }
}

#[test]
fn the_words_of_a_provider_file_that_it_shows_pass_the_check() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/servers.md"));
    let page = page.unwrap();
    let shown = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let settings = ["user", "tenant", "key_id"].map(|it| format!("[settings.{it}]\nask = \"x\"\n"));
    let file = format!(
        "schema = 1\nname = \"shown\"\n{shown}\n{}[api]\nbase_url = \"https://api.example.com\"\n",
        settings.concat()
    );
    let read = keyfob::provider::file::read("shown.toml", &file);
    assert!(read.is_ok(), "{}", read.unwrap_err());
}
