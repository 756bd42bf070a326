//! At a real terminal: tmux types, pastes, interrupts and looks at the screen.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyfob::sandbox::walk::{self, Decision, walk};
use keyfob::sandbox::{Options, Sandbox};
use qrcode::{EcLevel, QrCode};

use super::folder::{Folder, KEYFOB, PATIENCE, Ran, browser_command};
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

/// `connect --flow device` to the plain server, in a terminal where a browser writes down what it gets.
struct ByDevice {
    terminal: Terminal,
    sandbox: Sandbox,
    opened: std::path::PathBuf,
}

impl ByDevice {
    fn begun(columns: u16, more: &[(&str, &str)]) -> Self {
        let terminal = Terminal::new(columns, more);
        let sandbox = Sandbox::start("standard", Options::default()).unwrap();
        let client = sandbox.client();
        let secret = client.client_secret.as_ref().unwrap().expose();
        let secret = terminal.folder.write("client-secret", secret);
        let opened = terminal.folder.join("opened");
        // It tells too whether Enter was pressed before; a colon would part two browsers.
        let write = "const fs = require('fs'), [, opened, url] = process.argv; \
                     const said = fs.existsSync(opened + '.enter') && 'after Enter' || 'by itself'; \
                     fs.appendFileSync(opened, `${url} ${said}\\n`)";
        let browser = browser_command(&["node", "-e", write, opened.to_str().unwrap()]);
        terminal.enters(&format!("export BROWSER={}", shlex::try_quote(&browser).unwrap()));
        terminal.enters(&format!(
            "clear; {KEYFOB} connect shop --provider {} --client-id {} --client-secret-file {secret} \
             --scope items:read --flow device; echo \"exit is $?.\"",
            sandbox.origin(),
            client.client_id
        ));
        terminal.until("Ctrl-C ends it");
        Self { terminal, sandbox, opened }
    }

    /// The code, alone on a line of its own.
    fn code(&self) -> String {
        let screen = self.terminal.screen();
        let mut after = screen.lines().skip_while(|line| !line.contains("enter this code"));
        after.nth(1).unwrap().trim().to_owned()
    }

    fn page(&self) -> String {
        format!("{}/device", self.sandbox.origin())
    }

    fn allows(&self) {
        let page = walk::device::enter(&self.page(), &self.code(), Decision::Allow).unwrap();
        assert_eq!(page.status, Some(200), "{}", page.body);
    }
}

/// The modules of the code that is drawn between two lines of a screen.
fn drawn(screen: &str, size: usize) -> Vec<Vec<bool>> {
    let lines = screen.lines().skip_while(|line| !line.contains("or scan this")).skip(1);
    let lines = lines.take_while(|line| !line.contains("press Enter"));
    let halves = lines.flat_map(|line| {
        let half = |dark: [char; 2]| {
            let mut half: Vec<bool> = line.chars().map(|c| dark.contains(&c)).collect();
            half.resize(size, false);
            half
        };
        [half(['\u{2588}', '\u{2580}']), half(['\u{2588}', '\u{2584}'])]
    });
    halves.collect()
}

#[test] // DV1, DV9
fn a_code_can_be_scanned_and_the_page_opens_at_a_key_and_not_before() {
    let by_device = ByDevice::begun(80, &[]);
    let complete = format!("{}?user_code={}", by_device.page(), by_device.code());
    let code = QrCode::with_error_correction_level(&complete, EcLevel::L).unwrap();
    let (side, border) = (code.width(), 2);
    let drawn = drawn(&by_device.terminal.screen(), side + 2 * border);
    for row in 0..side {
        for column in 0..side {
            let dark = code[(column, row)] == qrcode::Color::Dark;
            assert_eq!(drawn[row + border][column + border], dark, "row {row}, column {column}");
        }
    }
    let painted = by_device.terminal.painted();
    assert!(painted.contains("38;5;16") && painted.contains("48;5;231"), "black on white");
    by_device.terminal.types("x");
    by_device.terminal.folder.write("opened.enter", "");
    by_device.terminal.presses("Enter");
    let deadline = Instant::now() + PATIENCE;
    let opened = || std::fs::read_to_string(&by_device.opened).unwrap_or_default();
    while !opened().ends_with('\n') {
        assert!(Instant::now() < deadline, "{complete} is not opened");
        std::thread::sleep(Duration::from_millis(20));
    }
    by_device.allows();
    let screen = by_device.terminal.until_so("exit is", |screen| ended(screen).is_some());
    assert_eq!(ended(&screen), Some(0), "{screen}");
    assert!(screen.contains("connected `shop`"), "{screen}");
    assert_eq!(opened(), format!("{complete} after Enter\n"), "once, and at the Enter key");
    by_device.terminal.enters("stty -a");
    assert_echoes(&by_device.terminal);
}

#[test]
fn a_picture_that_would_not_come_out_is_left_away() {
    let cases: [(u16, &[(&str, &str)]); 3] =
        [(30, &[]), (80, &[("NO_COLOR", "1")]), (80, &[("LC_ALL", "C")])];
    for (columns, more) in cases {
        let by_device = ByDevice::begun(columns, more);
        let screen = by_device.terminal.screen();
        assert!(!screen.contains("scan") && !screen.contains('\u{2588}'), "{more:?}:\n{screen}");
        assert!(screen.contains(&by_device.page()), "{more:?}:\n{screen}");
        by_device.terminal.presses("C-c");
        by_device.terminal.until_so("the shell again", |screen| screen.contains("interrupted"));
        by_device.terminal.enters("stty -a");
        assert_echoes(&by_device.terminal);
    }
}
