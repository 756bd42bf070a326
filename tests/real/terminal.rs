//! At a real terminal: tmux types, pastes, interrupts and looks at the screen.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyfob::sandbox::walk::{Decision, walk};
use keyfob::sandbox::{Options, Sandbox};

use super::folder::{Folder, KEYFOB, PATIENCE, Ran};
use super::stand_in;

/// What the shell says when it waits.
const PROMPT: &str = "ready>";

/// A shell in a terminal of its own; it ends with the test.
struct Terminal {
    folder: Folder,
}

impl Terminal {
    fn new(columns: u16, more: &[(&str, &str)]) -> Self {
        let terminal = Self { folder: Folder::new() };
        let rc = terminal.folder.write("rc", &format!("PS1='{PROMPT} '\n"));
        let mut command = terminal.folder.keyfob(&[]);
        let environment = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect::<Vec<_>>();
        command = terminal.tmux(&["new-session", "-d", "-x", &columns.to_string(), "-y", "30"]);
        command.envs(environment).env("SHELL", "/bin/bash");
        command.envs(more.iter().copied()).arg(format!("bash --rcfile {rc}"));
        Ran::of(&mut command).done();
        terminal.until(PROMPT);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.command("tmux");
        let socket = self.folder.join("tmux");
        command.arg("-S").arg(socket).args(["-f", "/dev/null", "-u"]).args(arguments);
        command
    }

    fn does(&self, arguments: &[&str]) -> String {
        Ran::of(&mut self.tmux(arguments)).done()
    }

    /// Types text as it is.
    fn types(&self, text: &str) {
        self.does(&["send-keys", "-l", text]);
    }

    /// Presses a key.
    fn presses(&self, key: &str) {
        self.does(&["send-keys", key]);
    }

    /// Types a line.
    fn enters(&self, line: &str) {
        self.types(line);
        self.presses("Enter");
    }

    /// Pastes as a terminal does, with marks around it where the program asked for them.
    fn pastes(&self, text: &str) {
        let file = self.folder.write("pasted", text);
        self.does(&["load-buffer", &file]);
        self.does(&["paste-buffer", "-p"]);
    }

    /// What was shown from the start on, wrapped lines joined.
    fn screen(&self) -> String {
        self.does(&["capture-pane", "-p", "-J", "-S", "-"])
    }

    /// The same with colours.
    fn painted(&self) -> String {
        self.does(&["capture-pane", "-p", "-e", "-S", "-"])
    }

    /// Waits until words are shown, and gives the screen.
    #[track_caller]
    fn until(&self, words: &str) -> String {
        self.until_so(words, |screen| screen.contains(words))
    }

    #[track_caller]
    fn until_so(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "`{what}` is not shown:\n{}", screen.trim_end());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Enters a line and gives the screen when the shell says how it ended.
    #[track_caller]
    fn runs(&self, line: &str) -> String {
        self.enters(&format!("{line}; echo \"exit is $?.\""));
        self.until_so("exit is", |screen| ended(screen).is_some())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]).stderr(Stdio::null()).status();
    }
}

/// The exit code that the shell told last.
fn ended(screen: &str) -> Option<i32> {
    let line = screen.lines().rev().find(|line| line.starts_with("exit is "))?;
    line.strip_prefix("exit is ")?.trim().strip_suffix('.')?.parse().ok()
}

/// `connect` to an Inkress sandbox with a redirect to a page of the user's own, whose address is pasted back.
fn connect_by_paste(terminal: &Terminal, sandbox: &Sandbox) -> String {
    let redirect_uri = "https://integrator.example/back";
    sandbox.register_redirect_uri(redirect_uri);
    let client = sandbox.client();
    let secret = client.client_secret.as_ref().unwrap().expose();
    let secret = terminal.folder.write("client-secret", secret);
    let settings: String =
        sandbox.settings().iter().map(|(name, value)| format!(" --set {name}={value}")).collect();
    format!(
        "{KEYFOB} connect shop --provider inkress{settings} --client-id {} --client-secret-file {secret} \
         --scope orders:read --redirect-uri {redirect_uri} --no-browser",
        client.client_id
    )
}

/// The authorization URL, alone on a line of its own.
fn authorization_url(screen: &str, sandbox: &Sandbox) -> String {
    let begins = format!("{}/oauth/authorize?", sandbox.origin());
    screen.lines().find(|line| line.starts_with(&begins)).unwrap().trim().to_owned()
}

fn inkress() -> Sandbox {
    Sandbox::start("inkress", Options::default()).unwrap()
}

#[test]
fn what_is_missing_is_asked_for_and_the_secret_is_not_shown() {
    let sandbox = Sandbox::start("inyo", Options::default()).unwrap();
    let client = sandbox.client();
    let secret = client.client_secret.as_ref().unwrap().expose().to_owned();
    let terminal = Terminal::new(100, &[]);
    terminal.enters(&format!("{KEYFOB} connect gateway --provider inyo; echo \"exit is $?.\""));
    terminal.until("Client id that Inyo");
    terminal.enters(&client.client_id);
    terminal.until("Host name that Inyo gave you at onboarding:");
    terminal.enters(&sandbox.origin());
    terminal.until("Client secret (not shown):");
    terminal.enters(&secret);
    let screen = terminal.until_so("exit is", |screen| ended(screen).is_some());
    assert_eq!(ended(&screen), Some(0), "{screen}");
    assert!(screen.contains("connected `gateway`"), "{screen}");
    assert!(screen.contains(&client.client_id), "what is no secret is shown:\n{screen}");
    assert!(!screen.contains(&secret), "the secret is on the screen:\n{screen}");
}

#[test]
fn a_pasted_callback_of_ten_thousand_bytes_is_taken_and_not_shown() {
    let sandbox = inkress();
    let terminal = Terminal::new(80, &[]);
    let line = connect_by_paste(&terminal, &sandbox);
    terminal.enters(&format!("{line}; echo \"exit is $?.\""));
    let screen = terminal.until("paste the address");
    let url = authorization_url(&screen, &sandbox);
    let callback = walk(&url, Decision::Allow).unwrap().url;
    let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let padding = "x".repeat(10_000 - callback.len());
    terminal.pastes(&format!("{callback}&padding={padding}"));
    terminal.presses("Enter");
    let screen = terminal.until_so("exit is", |screen| ended(screen).is_some());
    assert_eq!(ended(&screen), Some(0), "{screen}");
    assert!(!screen.contains(code) && !screen.contains("xxxxxxxx"), "{screen}");
    terminal.enters("stty -a");
    assert_echoes(&terminal);
}

#[test]
fn ctrl_c_ends_the_wait_for_a_paste_and_gives_the_terminal_back() {
    let sandbox = inkress();
    let terminal = Terminal::new(80, &[]);
    let line = connect_by_paste(&terminal, &sandbox);
    terminal.enters(&line);
    terminal.until("paste the address");
    terminal.types("half a paste");
    terminal.presses("C-c");
    terminal.until_so("the shell again", |screen| screen.matches(PROMPT).count() > 1);
    // An interrupted shell drops the rest of its line, so the code is asked for on a new one.
    terminal.enters("echo \"exit is $?.\"");
    let screen = terminal.until_so("exit is", |screen| ended(screen).is_some());
    assert_eq!(ended(&screen), Some(130), "{screen}");
    assert!(!screen.contains("half a paste"), "{screen}");
    terminal.enters("stty -a");
    assert_echoes(&terminal);
}

#[test]
fn ctrl_c_at_a_hidden_question_gives_the_terminal_back() {
    let sandbox = inkress();
    let terminal = Terminal::new(80, &[]);
    let line = connect_by_paste(&terminal, &sandbox);
    let (before, after) = line.split_once(" --client-secret-file ").unwrap();
    let after = after.split_once(' ').unwrap().1;
    terminal.enters(&format!("{before} {after}"));
    terminal.until("Client secret (not shown):");
    terminal.types("half a secret");
    terminal.presses("C-c");
    terminal.until_so("the shell again", |screen| screen.matches(PROMPT).count() > 1);
    terminal.enters("echo \"exit is $?.\"");
    let screen = terminal.until_so("exit is", |screen| ended(screen).is_some());
    assert_eq!(ended(&screen), Some(130), "{screen}");
    assert!(!screen.contains("half a secret"), "{screen}");
    terminal.enters("stty -a");
    assert_echoes(&terminal);
}

/// The terminal shows what is typed, line by line.
#[track_caller]
fn assert_echoes(terminal: &Terminal) {
    let screen = terminal.until("icanon");
    for mode in [" -echo ", "-icanon", "-isig"] {
        assert!(!screen.contains(mode), "{mode} was left behind:\n{screen}");
    }
}

#[test]
fn a_narrow_window_leaves_the_address_whole() {
    let sandbox = inkress();
    let terminal = Terminal::new(40, &[]);
    let line = connect_by_paste(&terminal, &sandbox);
    terminal.enters(&line);
    // Joined again, as a person copies it who selects a line of a terminal.
    let screen = terminal.until("press Enter");
    let url = authorization_url(&screen, &sandbox);
    assert!(url.contains("code_challenge_method=S256"), "{url}");
    let callback = walk(&url, Decision::Allow).unwrap().url;
    terminal.pastes(&callback);
    terminal.presses("Enter");
    terminal.until("connected `shop`");
    let screen = terminal.runs(&format!("clear; {KEYFOB} status"));
    assert_eq!(ended(&screen), Some(0), "{screen}");
    assert!(screen.contains("shop") && screen.contains("ready"), "{screen}");
}

#[test]
fn colour_is_for_terminals_and_for_those_who_want_it() {
    let failing = format!("{KEYFOB} token nobody");
    // What is between the command and the end of what it said.
    let shown = |more: &[(&str, &str)], flags: &str| {
        let terminal = Terminal::new(100, more);
        let screen = terminal.runs(&format!("clear; {failing} {flags}"));
        assert_eq!(ended(&screen), Some(3), "{screen}");
        terminal.painted()
    };
    assert!(shown(&[], "").contains("\x1b[3"), "no colour at a terminal");
    assert!(!shown(&[("NO_COLOR", "1")], "").contains("\x1b[3"));
    assert!(!shown(&[], "--color never").contains("\x1b[3"));
}

#[test]
fn without_a_terminal_there_are_no_escape_codes() {
    let folder = Folder::new();
    let sandbox = inkress();
    let mut connect = folder.keyfob(&[]);
    stand_in::connect(&sandbox, &folder, &mut connect);
    let connected =
        Ran::of(connect.env("BROWSER", super::authorization_server::person(&folder, "allow")));
    assert_eq!(connected.exit, Some(0), "{connected:#?}");
    let runs = [
        connected,
        folder.run(&["status"]),
        folder.run(&["token", "nobody"]),
        folder.run(&["--help"]),
        folder.run(&["connect", "--help"]),
        folder.run(&["call", "shop", "/orders"]),
        folder.run(&["refresh", "shop"]),
        folder.run(&["no-such-command"]),
    ];
    for ran in runs {
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{ran:#?}");
    }
}
