//! What other processes of this machine can see: arguments, environments, memory, core dumps.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use keyfob::sandbox::walk::{Decision, walk};
use keyfob::sandbox::{Behaviour, Endpoint, Fault, Gate};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::program::{Life, Program, STORE_KEY, text};
use crate::support::tracing::may_trace;
use crate::support::until;

/// A process as the list of processes shows it.
struct Listed {
    arguments: String,
    /// None where the system shows it to nobody.
    environment: Option<String>,
}

/// A process and all that it has started.
fn family(of: u32) -> Vec<u32> {
    let parent = |process: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let all: Vec<u32> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .collect();
    let mut family = vec![of];
    let mut at = 0;
    while let Some(&one) = family.get(at) {
        family.extend(all.iter().filter(|process| parent(**process) == Some(one)));
        at += 1;
    }
    family
}

fn listed(process: u32) -> Listed {
    let part = |name: &str| {
        let bytes = std::fs::read(format!("/proc/{process}/{name}"));
        bytes.map(|bytes| text(&bytes).replace('\0', " "))
    };
    Listed { arguments: part("cmdline").unwrap(), environment: part("environ").ok() }
}

/// A refresh whose answer is on its way until the gate opens.
fn refreshing(program: &Program, mut command: Command) -> (Child, Gate) {
    let gate = Gate::default();
    let before = program.sandbox.counts(Endpoint::Token);
    program.sandbox.next_token_answers(vec![Fault::Held(gate.clone())]);
    let child = command.spawn().unwrap();
    until("the server has the request", || program.sandbox.counts(Endpoint::Token) > before);
    (child, gate)
}

#[test] // A21, LG3, CA4
fn no_secret_is_in_the_process_list_while_a_token_is_renewed() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let token = text(&program.run("token shop").stdout).trim().to_owned();
    let secret = program.sandbox.client().client_secret.unwrap().expose().to_owned();
    let mut command = program.command(["refresh", "shop", "-v", "-v"]);
    command.env("KEYFOB_CLIENT_SECRET", &secret);
    let (child, gate) = refreshing(&program, command);
    let family = family(child.id());
    assert!(family.len() >= 2, "the process that refreshes is there too");
    for process in &family {
        let Listed { arguments, environment } = listed(*process);
        assert!(!arguments.is_empty());
        assert!(environment.is_some() || !may_trace(), "who may trace may read {arguments}");
        let environment = environment.unwrap_or_default();
        for secret in [secret.as_str(), STORE_KEY, &token, "inka_", "inkr_"] {
            assert!(!arguments.contains(secret), "{arguments}");
            // Its own environment is the caller's to give; what it starts gets nothing of it.
            let inherits = *process != child.id() && environment.contains(secret);
            assert!(!inherits, "{arguments} has a secret in its environment");
        }
    }
    gate.open();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test] // A21, LG3
fn the_browser_is_started_without_a_secret() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = Program::beside("inkress", Behaviour::default());
    let folder = program.folder.path();
    let (browser, seen) = (folder.join("browser"), folder.join("seen"));
    let script = format!(
        "#!/bin/sh\n{{ echo \"$1\"; tr '\\0' '\\n' < /proc/$$/environ; }} > '{0}.new'\nmv '{0}.new' '{0}'\n",
        seen.display()
    );
    std::fs::write(&browser, script).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let how = program.sandbox.how_to_connect();
    let secret = how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let mut words = vec!["connect", "shop", "--provider", "inkress", "--client-id"];
    words.extend([how.client.client_id.as_str(), "--redirect-uri", &how.client.redirect_uri]);
    let settings: Vec<String> =
        how.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.extend(settings.iter().flat_map(|it| ["--set", it.as_str()]));
    let mut command = program.command(words.iter().copied());
    command
        .env("BROWSER", &browser)
        .env("PATH", "/usr/bin:/bin")
        .env("KEYFOB_CLIENT_SECRET", &secret);
    let child = command.spawn().unwrap();
    until("the browser was started", || seen.exists());
    let shown = std::fs::read_to_string(&seen).unwrap();
    for secret in [secret.as_str(), STORE_KEY, "code_verifier", "inka_"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("PATH="), "the environment was read: {shown}");
    walk(shown.lines().next().unwrap(), Decision::Allow).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test] // LG7
fn a_whole_life_asks_nobody_but_the_vendor() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    // The vendor is on loopback, which no proxy is asked about; whatever else was sent would come here.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", elsewhere.local_addr().unwrap());
    let run = |line: &str| {
        let mut command = program.command(line.split(' '));
        for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"] {
            command.env(name, &proxy);
        }
        command.output().unwrap()
    };
    for (line, exit) in [
        ("status", 0),
        ("call shop GET /orders", 0),
        ("refresh shop", 0),
        ("nonsense", 2),
        ("revoke shop", 0),
    ] {
        let ran = run(line);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(exit), "{line}: {said}");
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "somebody else was asked");
    let import = "import other --provider inkress --set api_host=https://api.example";
    let mut command = program.command(import.split(' '));
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let tokens = br#"{"access_token":"inka_x","merchant_id":1}"#;
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), tokens).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    std::thread::scope(|scope| {
        scope.spawn(|| run("call other GET /orders --retry 0 --force"));
        // Else nothing would ever have come here.
        until("the call goes by the proxy", || elsewhere.accept().is_ok());
    });
}

/// Somebody without rights of his own, where this test is run by root.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes the program's files, and a copy of the program itself, this user's.
fn for_one_user(program: &Program) -> PathBuf {
    let copy = program.folder.path().join("keyfob");
    std::fs::copy(env!("CARGO_BIN_EXE_keyfob"), &copy).unwrap();
    if is_root() {
        give(program.folder.path());
    }
    copy
}

fn give(path: &Path) {
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path()));
    }
}

/// A command of the same user, who is nobody where this test is run by root.
fn same_user(mut command: Command) -> Command {
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

fn copy_of(command: &Command, program: &Path) -> Command {
    let mut copy = Command::new(program);
    copy.args(command.get_args())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .current_dir("/");
    for (name, value) in command.get_envs() {
        copy.env(name, value.unwrap());
    }
    copy
}

#[test] // ST14, A21
fn another_process_of_the_same_user_reads_neither_environment_nor_memory() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let copy = for_one_user(&program);
    let reads = |process: u32, part: &str| {
        let mut dd = Command::new("dd");
        dd.args([&format!("if=/proc/{process}/{part}"), "of=/dev/null", "count=1"]);
        same_user(dd).stderr(Stdio::null()).status().unwrap().success()
    };
    // Else nobody could read anything, and this would prove nothing.
    let mut plain = Command::new("sleep");
    let mut plain = same_user({
        plain.arg("600");
        plain
    })
    .spawn()
    .unwrap();
    until("it can be read", || reads(plain.id(), "environ"));
    plain.kill().unwrap();
    plain.wait().unwrap();
    let command = same_user(copy_of(&program.command(["refresh", "shop"]), &copy));
    let (child, gate) = refreshing(&program, command);
    let family = family(child.id());
    assert!(family.len() >= 2, "{family:?}");
    for process in family {
        for part in ["environ", "maps", "mem"] {
            assert!(!reads(process, part), "{part} of {process}");
        }
    }
    gate.open();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test] // ST14, A21
fn a_process_that_dies_leaves_no_core() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let place = program.folder.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let model = program.command(["refresh", "shop"]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c unlimited; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_keyfob")]);
    command.args(["refresh", "shop"]).env_clear().current_dir(&place);
    for (name, value) in model.get_envs() {
        command.env(name, value.unwrap());
    }
    let (child, gate) = refreshing(&program, command);
    for process in family(child.id()) {
        let limits = std::fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }
    kill_process(Pid::from_child(&child), Signal::ABORT).unwrap();
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    gate.open();
    assert!(program.run("refresh shop").status.success());
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}
