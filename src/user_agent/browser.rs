//! Starts the user's own browser on a URL (RFC 8252 section 8.12), never through a shell.
//!
//! Whether one is started at all is decided in `opening`.

use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use url::{Host, Url};

/// Shows a URL to the user.
pub trait Browser: Send + Sync {
    /// Starts the browser and returns at once; success says that it was started, not what it shows.
    fn open(&self, url: &Url) -> Result<(), BrowserError>;

    /// Whether it is given an address of this machine that leads to the authorization URL, which stays
    /// out of the process list that way. A program that the person named is promised the URL itself.
    fn goes_by_start_page(&self) -> bool {
        false
    }
}

/// Why no browser was started.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// `BROWSER` is empty or `none`.
    #[error("the browser is switched off")]
    Disabled,
    /// `BROWSER` has a quote that is not closed, or no words.
    #[error("the browser command cannot be split into words: {0}")]
    Command(String),
    /// No candidate could be started.
    #[error("no browser could be started: {0}")]
    NotStarted(#[source] io::Error),
    /// The URL is none that may be handed to another program.
    #[error("the URL is not safe to open: {0}")]
    Unsafe(#[from] UnsafeUrl),
}

/// What makes a URL unfit to be handed to a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnsafeUrl {
    /// Neither https, nor http to this machine.
    #[error("its scheme is not https")]
    Scheme,
    /// There is no host.
    #[error("it has no host")]
    Host,
    /// A user name or password stands before the host.
    #[error("it has a user name or a password")]
    Userinfo,
    /// A control character, a space, a quote or a backtick.
    #[error("it has a control character, a space or a quote")]
    Character,
    /// More than [`LONGEST_URL`].
    #[error("it is longer than 8 KiB")]
    Length,
}

/// The longest URL that is opened, in bytes.
pub const LONGEST_URL: usize = 8 * 1024;

/// Checks a URL that came from a provider before a browser gets it: the scheme decides which program starts.
pub fn safe_to_open(url: &Url) -> Result<(), UnsafeUrl> {
    match (url.scheme(), url.host()) {
        ("https" | "http", None) => return Err(UnsafeUrl::Host),
        ("https", Some(_)) => {}
        ("http", Some(host)) if is_loopback(&host) => {}
        _ => return Err(UnsafeUrl::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UnsafeUrl::Userinfo);
    }
    if url.as_str().chars().any(is_unsafe) {
        return Err(UnsafeUrl::Character);
    }
    if url.as_str().len() > LONGEST_URL {
        return Err(UnsafeUrl::Length);
    }
    Ok(())
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || character.is_whitespace()
        || matches!(character, '"' | '\'' | '`' | '\\')
}

/// The browser of this system: the one that `BROWSER` names, else the desktop's own.
#[derive(Debug, Clone, Default)]
pub struct SystemBrowser {
    /// The value of `BROWSER`: alternatives between colons (semicolons on Windows), `%s` stands for the URL.
    pub command: Option<String>,
}

impl Browser for SystemBrowser {
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        safe_to_open(url)?;
        let mut candidates = self.candidates(url)?.into_iter();
        let child = first_started(&mut candidates)?;
        // Waiting keeps the process table clean and lets the next candidate try. Without a
        // thread the browser is started all the same, so its absence is no error.
        let _ = std::thread::Builder::new()
            .name("browser".into())
            .spawn(move || see_off(child, candidates));
        Ok(())
    }

    /// The desktop's own browser runs on this machine; what `BROWSER` names may open the URL elsewhere.
    fn goes_by_start_page(&self) -> bool {
        self.command.is_none()
    }
}

impl SystemBrowser {
    /// The commands to try in order, cut off from our streams and secrets.
    fn candidates(&self, url: &Url) -> Result<Vec<Command>, BrowserError> {
        let mut commands = match &self.command {
            Some(value) => named_commands(value, url)?,
            None => open::commands(url.as_str()),
        };
        for command in &mut commands {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            withhold_secrets(command, inherited_names());
            leave_our_group(command);
        }
        Ok(commands)
    }
}

/// Reads a `BROWSER` value into commands.
fn named_commands(value: &str, url: &Url) -> Result<Vec<Command>, BrowserError> {
    if matches!(value.trim(), "" | "none") {
        return Err(BrowserError::Disabled);
    }
    let separator = if cfg!(windows) { ';' } else { ':' };
    value
        .split(separator)
        .filter(|alternative| !alternative.trim().is_empty())
        .map(|alternative| named_command(alternative, url))
        .collect()
}

/// Splits first and puts the URL in afterwards, so that nothing in the URL can become a word of its own.
fn named_command(alternative: &str, url: &Url) -> Result<Command, BrowserError> {
    let bad = || BrowserError::Command(alternative.to_owned());
    let words = shlex::split(&shell_spelling(alternative)).ok_or_else(bad)?;
    let (program, arguments) = words.split_first().ok_or_else(bad)?;
    let mut command = Command::new(program);
    command.args(arguments.iter().map(|argument| argument.replace("%s", url.as_str())));
    if !arguments.iter().any(|argument| argument.contains("%s")) {
        command.arg(url.as_str());
    }
    Ok(command)
}

/// A backslash is an ordinary character in a Windows path.
fn shell_spelling(alternative: &str) -> String {
    if cfg!(windows) { alternative.replace('\\', "\\\\") } else { alternative.to_owned() }
}

/// Takes every variable of ours from the child, save the one that says where our files are.
fn withhold_secrets(command: &mut Command, names: impl Iterator<Item = OsString>) {
    for name in names.filter(|name| is_withheld(name)) {
        command.env_remove(name);
    }
}

fn is_withheld(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    name.starts_with("KEYFOB_") && name != "KEYFOB_HOME"
}

/// A Ctrl-C meant for us must not end the browser.
#[cfg(unix)]
fn leave_our_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn leave_our_group(_command: &mut Command) {}

/// Starts the first candidate that can be started; the error is the first one's, which was the choice.
fn first_started(candidates: &mut impl Iterator<Item = Command>) -> Result<Child, BrowserError> {
    let mut first_error = None;
    for mut candidate in candidates {
        match candidate.spawn() {
            Ok(child) => return Ok(child),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let none = || io::Error::from(io::ErrorKind::NotFound);
    Err(BrowserError::NotStarted(first_error.unwrap_or_else(none)))
}

/// A launcher that fails within this time has shown nothing; one that fails later may have.
const FAILED_AT_ONCE: Duration = Duration::from_secs(2);

/// Waits for the launcher, and starts the next candidate if it failed at once (`xdg-open` without any browser exits 3).
fn see_off(mut child: Child, mut candidates: impl Iterator<Item = Command>) {
    loop {
        let started = Instant::now();
        let failed = child.wait().is_ok_and(|status| !status.success());
        // Explorer on Windows fails as a matter of course: its exit code says nothing.
        if cfg!(windows) || !failed || started.elapsed() > FAILED_AT_ONCE {
            return;
        }
        match first_started(&mut candidates) {
            Ok(next) => child = next,
            Err(_) => return,
        }
    }
}

/// The names of the variables that a child would inherit.
#[expect(clippy::disallowed_methods, reason = "what is to be withheld is what this process has")]
fn inherited_names() -> impl Iterator<Item = std::ffi::OsString> {
    std::env::vars_os().map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn browser(command: &str) -> SystemBrowser {
        SystemBrowser { command: Some(command.into()) }
    }

    fn words(command: &Command) -> Vec<String> {
        std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_str().unwrap().to_owned())
            .collect()
    }

    // AR22, A9, AR13
    #[test]
    fn only_an_https_url_or_one_of_this_machine_is_opened() {
        let long = format!("https://as.test/{}", "a".repeat(LONGEST_URL));
        let table = [
            ("https://as.test/authorize?client_id=a&state=b%20c", Ok(())),
            ("http://127.0.0.1:4444/authorize", Ok(())),
            ("http://localhost:4444/", Ok(())),
            ("http://[::1]:4444/", Ok(())),
            ("http://as.test/authorize", Err(UnsafeUrl::Scheme)),
            ("http://127.0.0.1.evil.test/", Err(UnsafeUrl::Scheme)),
            ("file:///etc/passwd", Err(UnsafeUrl::Scheme)),
            ("javascript:alert(1)", Err(UnsafeUrl::Scheme)),
            ("ms-msdt:/id%20PCWDiagnostic", Err(UnsafeUrl::Scheme)),
            ("data:text/html,x", Err(UnsafeUrl::Scheme)),
            ("ftp://as.test/", Err(UnsafeUrl::Scheme)),
            ("https://user@as.test/", Err(UnsafeUrl::Userinfo)),
            ("https://:secret@as.test/", Err(UnsafeUrl::Userinfo)),
            ("https://as.test/a'b", Err(UnsafeUrl::Character)),
            ("https://as.test/?a=`id`", Err(UnsafeUrl::Character)),
            (long.as_str(), Err(UnsafeUrl::Length)),
        ];
        for (text, expected) in table {
            assert_eq!(safe_to_open(&url(text)), expected, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_browser_variable_is_split_like_a_shell_does_but_the_url_stays_one_word() {
        let target = url("https://as.test/a?b=$(touch%20x);c&d=%USER%");
        let commands = browser(r#"open -a "Google Chrome" --new=%s:firefox"#).candidates(&target);
        let commands: Vec<_> = commands.unwrap().iter().map(words).collect();
        let new = format!("--new={target}");
        assert_eq!(commands[0], ["open", "-a", "Google Chrome", new.as_str()]);
        assert_eq!(commands[1], ["firefox", target.as_str()]);
    }

    // T5
    #[test]
    fn none_and_an_empty_value_switch_the_browser_off() {
        for value in ["", "  ", "none"] {
            let outcome = browser(value).open(&url("https://as.test/"));
            assert!(matches!(outcome, Err(BrowserError::Disabled)), "{value:?}");
        }
    }

    #[test]
    fn an_open_quote_and_an_unknown_program_are_told() {
        let target = url("https://as.test/");
        assert!(matches!(browser("a 'b").open(&target), Err(BrowserError::Command(_))));
        let outcome = browser("keyfob-test-no-such-program").open(&target);
        assert!(matches!(outcome, Err(BrowserError::NotStarted(_))));
    }

    #[test] // A7, AR1
    fn the_desktop_s_browser_goes_by_the_start_page_and_a_named_one_gets_the_url_itself() {
        assert!(SystemBrowser::default().goes_by_start_page());
        assert!(!browser("firefox").goes_by_start_page());
    }

    #[test]
    fn an_unsafe_url_starts_nothing() {
        let outcome = browser("keyfob-test-no-such-program").open(&url("file:///etc/passwd"));
        assert!(matches!(outcome, Err(BrowserError::Unsafe(UnsafeUrl::Scheme))));
    }

    #[test] // LG3, A21
    fn the_child_gets_no_variable_of_ours_but_the_home() {
        let mut command = Command::new("x");
        let names = ["KEYFOB_CLIENT_SECRET", "keyfob_store_key", "KEYFOB_HOME", "PATH"];
        withhold_secrets(&mut command, names.into_iter().map(OsString::from));
        let removed: Vec<_> = command.get_envs().collect();
        assert_eq!(removed.len(), 2);
        assert!(removed.iter().all(|(name, value)| value.is_none() && *name != "KEYFOB_HOME"));
    }

    /// A pipe with a name: reading from it waits for the child, so that no test waits by the clock.
    #[cfg(unix)]
    fn named_pipe(folder: &std::path::Path) -> std::path::PathBuf {
        let path = folder.join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    #[cfg(unix)]
    #[test]
    fn a_named_browser_gets_the_url_and_a_failing_alternative_gives_way_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = named_pipe(folder.path());
        let script = format!("sh -c 'echo \"$1\" > {}' -- %s", pipe.display());
        let command = format!("keyfob-test-no-such-program:false:{script}");
        browser(&command).open(&url("https://as.test/?a=1&b=$(id)")).unwrap();
        assert_eq!(std::fs::read_to_string(&pipe).unwrap(), "https://as.test/?a=1&b=$(id)\n");
    }

    #[cfg(unix)]
    #[test]
    fn the_child_reads_nothing_and_its_output_goes_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = named_pipe(folder.path());
        // `cat` ends at once on the null device, and would wait for ever on our standard input.
        let command = format!("sh -c 'cat && echo noise && echo ended > {}' -- %s", pipe.display());
        browser(&command).open(&url("https://as.test/")).unwrap();
        assert_eq!(std::fs::read_to_string(&pipe).unwrap(), "ended\n");
    }
}
