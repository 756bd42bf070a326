//! Whether a browser is started at all, as a table: facts in, decision out.
//!
//! Looking at the terminal and at files is the caller's; starting is `browser`'s.

use std::collections::BTreeMap;

/// What is known before a browser would be started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrowserChoice {
    /// `BROWSER` is set, to whatever value.
    pub browser_variable_set: bool,
    /// `--no-browser` was given.
    pub no_browser_flag: bool,
    /// A person is there: the command talks to a terminal.
    pub terminal: bool,
    /// The terminal is at the other end of an ssh connection.
    pub over_ssh: bool,
    /// The program runs in a container or in a remote workspace.
    pub in_container: bool,
    /// The program runs in a CI job.
    pub in_ci: bool,
}

/// Whether a browser is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Start it.
    Start,
    /// Leave it; the URL is only printed.
    Leave(WhyNot),
}

/// Why no browser is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// The person said so.
    #[error("--no-browser was given")]
    NoBrowserFlag,
    /// A CI job has no person in front of it.
    #[error("none is started in a CI job")]
    Ci,
    /// The browser would start on the far machine.
    #[error("none is started over ssh")]
    Ssh,
    /// The browser would start inside the container.
    #[error("none is started in a container")]
    Container,
    /// Nobody is there to see it.
    #[error("none is started without a terminal")]
    NoTerminal,
}

/// Decides: the flag is stronger than the variable, the variable stronger than what was found out.
pub fn should_open(choice: BrowserChoice) -> Opening {
    let hindrances = [
        (choice.in_ci, WhyNot::Ci),
        (choice.over_ssh, WhyNot::Ssh),
        (choice.in_container, WhyNot::Container),
        (!choice.terminal, WhyNot::NoTerminal),
    ];
    if choice.no_browser_flag {
        return Opening::Leave(WhyNot::NoBrowserFlag);
    }
    if choice.browser_variable_set {
        return Opening::Start;
    }
    match hindrances.into_iter().find(|(met, _)| *met) {
        Some((_, why)) => Opening::Leave(why),
        None => Opening::Start,
    }
}

/// Set by sshd in every session.
const SSH: [&str; 3] = ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"];

/// Set by container runtimes and by remote workspaces.
const CONTAINER: [&str; 6] = [
    "container",
    "KUBERNETES_SERVICE_HOST",
    "CODESPACES",
    "REMOTE_CONTAINERS",
    "GITPOD_WORKSPACE_ID",
    "CLOUD_SHELL",
];

/// Set by CI services; most set `CI` as well.
const CI: [&str; 9] = [
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "BUILDKITE",
    "JENKINS_URL",
    "TF_BUILD",
    "TEAMCITY_VERSION",
    "CODEBUILD_BUILD_ID",
    "BITBUCKET_BUILD_NUMBER",
];

/// The files by which Docker and Podman let a container know where it is.
pub const CONTAINER_FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// Tells whether the terminal is at the other end of an ssh connection.
pub fn over_ssh(environment: &BTreeMap<String, String>) -> bool {
    any_set(environment, &SSH)
}

/// Tells whether this is a container; `file_found` says whether one of [`CONTAINER_FILES`] is there.
pub fn in_container(environment: &BTreeMap<String, String>, file_found: bool) -> bool {
    file_found || any_set(environment, &CONTAINER)
}

/// Tells whether this is a CI job.
pub fn in_ci(environment: &BTreeMap<String, String>) -> bool {
    any_set(environment, &CI)
}

/// Tells whether one of the variables is set; empty, `0` and `false` count as not set.
fn any_set(environment: &BTreeMap<String, String>, names: &[&str]) -> bool {
    names
        .iter()
        .filter_map(|name| environment.get(*name))
        .any(|value| !matches!(value.to_ascii_lowercase().as_str(), "" | "0" | "false"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_A_DESK: BrowserChoice = BrowserChoice {
        browser_variable_set: false,
        no_browser_flag: false,
        terminal: true,
        over_ssh: false,
        in_container: false,
        in_ci: false,
    };

    // AR23, T5, T6
    #[test]
    fn a_browser_starts_only_where_a_person_sees_it_unless_told() {
        let with = |change: fn(&mut BrowserChoice)| {
            let mut choice = AT_A_DESK;
            change(&mut choice);
            should_open(choice)
        };
        assert_eq!(should_open(AT_A_DESK), Opening::Start);
        assert_eq!(with(|c| c.terminal = false), Opening::Leave(WhyNot::NoTerminal));
        assert_eq!(with(|c| c.over_ssh = true), Opening::Leave(WhyNot::Ssh));
        assert_eq!(with(|c| c.in_container = true), Opening::Leave(WhyNot::Container));
        assert_eq!(with(|c| c.in_ci = true), Opening::Leave(WhyNot::Ci));
        assert_eq!(with(|c| c.no_browser_flag = true), Opening::Leave(WhyNot::NoBrowserFlag));
    }

    #[test]
    fn a_browser_that_is_named_is_started_everywhere_and_the_flag_beats_it() {
        let mut choice = BrowserChoice {
            browser_variable_set: true,
            no_browser_flag: false,
            terminal: false,
            over_ssh: true,
            in_container: true,
            in_ci: true,
        };
        assert_eq!(should_open(choice), Opening::Start);
        choice.no_browser_flag = true;
        assert_eq!(should_open(choice), Opening::Leave(WhyNot::NoBrowserFlag));
    }

    #[test]
    fn the_environment_tells_where_we_are() {
        let with = |name: &str, value: &str| BTreeMap::from([(name.into(), value.into())]);
        assert!(over_ssh(&with("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")));
        assert!(in_container(&with("CODESPACES", "true"), false));
        assert!(in_container(&BTreeMap::new(), true));
        assert!(in_ci(&with("CI", "1")) && in_ci(&with("GITHUB_ACTIONS", "true")));
        assert!(!in_ci(&with("CI", "false")) && !in_ci(&with("CI", "")));
        assert!(!over_ssh(&BTreeMap::new()) && !in_container(&BTreeMap::new(), false));
    }
}
