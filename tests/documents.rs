//! `docs/`: every example is run as it stands there, in an environment that acts out the real one.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyfob::sandbox::Behaviour;
use serde_json::Value;

use crate::support::program::{Life, Program, STORE_KEY, text};

/// Pages without steps to run; `readme` holds their commands to what exists.
const HELD_BY_READMES_TESTS: [&str; 4] =
    ["calls.md", "other-programs.md", "servers.md", "webhooks.md"];
const DOCUMENTS: [&str; 4] =
    ["containers.md", "cron-and-systemd.md", "github-actions.md", "gitlab-ci.md"];

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The fenced blocks whose first line says this after the fence.
fn blocks(name: &str, info: &str) -> Vec<String> {
    let text = document(name);
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(said)) => open = Some(format!("{said}\n")),
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => *block += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence of {name} is not closed");
    let wanted = format!("{info}\n");
    blocks.iter().filter_map(|it| it.strip_prefix(&wanted).map(str::to_owned)).collect()
}

fn yaml(name: &str) -> Value {
    let [block] = blocks(name, "yaml").try_into().unwrap();
    serde_saphyr::from_str(&block).unwrap()
}

/// A machine: its folder, and the variables that its commands see.
struct Machine<'p> {
    program: &'p Program,
    folder: PathBuf,
    variables: BTreeMap<String, String>,
}

impl<'p> Machine<'p> {
    fn new(program: &'p Program, name: &str) -> Self {
        let folder = program.folder.path().join(name);
        let programs = folder.join("bin");
        fs::create_dir_all(&programs).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keyfob"), programs.join("keyfob")).unwrap();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
        let variables = [
            ("PATH", path),
            ("HOME", folder.display().to_string()),
            ("KEYFOB_HOME", folder.join("keyfob").display().to_string()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).into();
        let machine = Self { program, folder, variables };
        machine.stand_in("openssl", "head -c 32 /dev/urandom | base64");
        machine
    }

    /// The machine at which the connection was made.
    fn laptop(program: &'p Program) -> Self {
        let mut laptop = Self::new(program, "laptop");
        program.import_into(&laptop.folder.join("keyfob"), "shop", Life::Ahead);
        laptop.set("KEYFOB_STORE_KEY", STORE_KEY);
        laptop
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Puts a program in the place of one that is not to be had here.
    fn stand_in(&self, name: &str, script: &str) {
        let path = self.folder.join("bin").join(name);
        // Written by another process: whoever starts one here meanwhile would hold a copy of the
        // open file until that runs its program, and a file that is written to cannot be run.
        let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" >\"$0\" && chmod 755 \"$0\"";
        let mut writer = Command::new("/bin/sh");
        writer.args(["-c", write]).arg(&path).arg(script);
        assert!(writer.status().unwrap().success(), "{}", path.display());
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().envs(&self.variables);
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Runs a script; whatever fails in it fails the test.
    #[track_caller]
    fn run(&self, shell: &[&str], script: &str) -> Output {
        let output = self.command(&[shell, &[script]].concat()).output();
        let output = output.unwrap_or_else(|error| panic!("{} is needed: {error}", shell[0]));
        let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{script}\n{told}");
        output
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// No token was spent twice, and the grant lives.
    #[track_caller]
    fn lost_nothing(&self) {
        let sandbox = &self.program.sandbox;
        assert_eq!((sandbox.spent_tokens_seen(), sandbox.grants_alive()), (0, 1));
    }
}

const SH: [&str; 3] = ["/bin/sh", "-e", "-c"];
/// What GitHub's runners run a step with, and GitLab's a job.
const BASH: [&str; 5] = ["bash", "-e", "-o", "pipefail", "-c"];

#[test]
fn every_document_is_known_here_and_every_command_line_in_it_parses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut there: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    there.retain(|name| !HELD_BY_READMES_TESTS.contains(&name.as_str()));
    there.sort();
    assert_eq!(there, DOCUMENTS);
    let mut seen = 0;
    for name in DOCUMENTS {
        for line in document(name).lines().map(str::trim) {
            let line = line.trim_start_matches("- ").trim_start_matches("run: ");
            let Some(rest) = line.strip_prefix("keyfob ") else { continue };
            let end = [" >", " |", " <", " &&"].iter().filter_map(|it| rest.find(it)).min();
            let words = shlex::split(&rest[..end.unwrap_or(rest.len())]).unwrap();
            let words = std::iter::once("keyfob".to_owned()).chain(words);
            keyfob::cli::command()
                .try_get_matches_from(words)
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
}

/// The secrets of a repository as they were when a run was queued, and those of an environment as they are.
struct Secrets {
    queued: BTreeMap<String, String>,
    environment: PathBuf,
}

impl Secrets {
    /// What a run sees that is queued now.
    fn queued_now(folder: &Path) -> Self {
        let files = fs::read_dir(folder.join("repository")).unwrap().map(|it| it.unwrap().path());
        let queued = files
            .map(|it| {
                let name = it.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(it).unwrap())
            })
            .collect();
        Self { queued, environment: folder.join("keyfob") }
    }

    fn of(&self, name: &str, environment: Option<&str>) -> String {
        let kept = environment.map(|it| {
            assert_eq!(it, "keyfob");
            fs::read_to_string(self.environment.join(name))
        });
        match kept {
            Some(Ok(value)) => value,
            _ => self.queued.get(name).unwrap_or_else(|| panic!("no secret {name}")).clone(),
        }
    }
}

/// What `${{ … }}` stands for.
fn filled_in(value: &Value, secrets: &Secrets, environment: Option<&str>) -> String {
    let value = value.as_str().unwrap();
    match value.strip_prefix("${{ ").and_then(|it| it.strip_suffix(" }}")) {
        Some("github.repository") => "somebody/orders".into(),
        Some(secret) => {
            let name = secret.strip_prefix("secrets.").unwrap();
            secrets.of(name, environment).trim_end().to_owned()
        }
        None => value.to_owned(),
    }
}

/// Runs the steps of a job as the runner does: one shell a step, variables carried in a file.
fn run_github_job(runner: &mut Machine<'_>, job: &Value, secrets: &Secrets) -> String {
    let environment = job["environment"].as_str();
    let fill = |object: &Value| -> BTreeMap<String, String> {
        let members = object.as_object().into_iter().flatten();
        members
            .map(|(name, value)| (name.clone(), filled_in(value, secrets, environment)))
            .collect()
    };
    let carried = runner.file("github_env");
    fs::write(&carried, "").unwrap();
    runner.set("GITHUB_ACTIONS", "true");
    runner.set("CI", "true");
    runner.set("GITHUB_ENV", carried.display().to_string());
    runner.variables.extend(fill(&job["env"]));
    let mut log = String::new();
    for step in job["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else {
            assert!(step["uses"].as_str().unwrap().contains("load-artifact@"), "{step}");
            continue;
        };
        let before = runner.variables.clone();
        runner.variables.extend(fill(&step["env"]));
        let output = runner.run(&BASH, script);
        runner.variables = before;
        log += &text(&output.stderr);
        log += &text(&output.stdout);
        for line in fs::read_to_string(&carried).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            runner.set(name, value);
        }
    }
    log
}

/// Where a log shows a value outside of its masks, after the runner has hidden what was masked.
fn shown(log: &str, value: &str) -> bool {
    let masks: Vec<&str> =
        log.lines().filter_map(|line| line.strip_prefix("::add-mask::")).collect();
    let rest: String = log
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"))
        .map(|it| format!("{it}\n"))
        .collect();
    let hidden = masks.iter().fold(rest, |text, mask| text.replace(mask, "***"));
    hidden.contains(value)
}

#[test] // T16, AT-16a, AT-16c, AT-16d, AT-16e
fn the_github_example_refreshes_saves_and_hands_over() {
    let program = Program::beside("inkress", Behaviour::default());
    let laptop = Machine::laptop(&program);
    let secrets = program.folder.path().join("secrets");
    fs::create_dir_all(secrets.join("repository")).unwrap();
    fs::create_dir(secrets.join("keyfob")).unwrap();
    fs::write(secrets.join("repository/KEYFOB_SAVE_TOKEN"), "github_pat_of_somebody").unwrap();
    let gh = format!(
        "test \"$1 $2\" = 'secret set' && {{ test -z \"$4\" || test \"$4\" = --env; }} && \
         cat > '{0}/new' && mv '{0}/new' '{0}/'\"${{5:-repository}}/$3\" && echo \"took $3\"",
        secrets.display()
    );
    laptop.stand_in("gh", &gh);
    let [setup] = blocks("github-actions.md", "sh laptop").try_into().unwrap();
    laptop.run(&SH, &setup);
    assert!(!laptop.file("shop.key").exists() && !laptop.file("shop.keyfob").exists());

    let workflow = yaml("github-actions.md");
    let blob = || fs::read_to_string(secrets.join("keyfob/KEYFOB_BLOB")).unwrap();
    // Both runs are queued before the first one begins.
    let queued = Secrets::queued_now(&secrets);
    for run in 1..=2 {
        let before = blob();
        let mut first = Machine::new(&program, &format!("refresh-{run}"));
        first.stand_in(
            "gh",
            &format!(
                "test \"$GH_TOKEN $GH_REPO\" = 'github_pat_of_somebody somebody/orders' && {gh}"
            ),
        );
        let log = run_github_job(&mut first, &workflow["jobs"]["refresh"], &queued);
        assert!(
            log.contains("took KEYFOB_BLOB") && log.contains("shop: refreshed, saved"),
            "{log}"
        );
        assert!(first.file("orders.json").exists());
        assert_ne!(blob(), before);
        for secret in ["inka_", "inkr_"] {
            assert!(!shown(&log, secret), "{secret} is in the log: {log}");
        }
        for part in &workflow["jobs"]["parts"]["strategy"]["matrix"]["part"].as_array().unwrap()[..]
        {
            let mut other = Machine::new(&program, &format!("part-{run}-{part}"));
            fs::copy(first.file("handover.keyfob"), other.file("handover.keyfob")).unwrap();
            run_github_job(&mut other, &workflow["jobs"]["parts"], &queued);
            assert!(other.file("orders.json").exists());
        }
        assert_eq!(program.sandbox.rotations(), run);
    }
    laptop.lost_nothing();
}

/// GitLab's interface for one variable: takes what is put, and says whether it was right.
struct Variables {
    origin: String,
    value: PathBuf,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Variables {
    fn at(value: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let over = Arc::new(AtomicBool::new(false));
        let (kept, is_over) = (value.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let mut requests = Vec::new();
            for connection in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let mut reader = BufReader::new(connection.unwrap());
                let (head, body) = request(&mut reader);
                let value = url::form_urlencoded::parse(body.as_bytes())
                    .find(|(name, _)| name == "value")
                    .map(|(_, value)| value.into_owned());
                let is_right = head.contains("PRIVATE-TOKEN: glpat-of-the-project");
                let status = match (is_right, value) {
                    (true, Some(value)) => {
                        fs::write(&kept, value).unwrap();
                        "200 OK"
                    }
                    _ => "401 Unauthorized",
                };
                write!(
                    reader.get_mut(),
                    "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
                )
                .unwrap();
                requests.push(head.lines().next().unwrap_or_default().to_owned());
            }
            requests
        });
        Self { origin, value, over, thread: Some(thread) }
    }

    /// The request lines that came.
    fn requests(mut self) -> Vec<String> {
        self.over.store(true, Ordering::SeqCst);
        std::net::TcpStream::connect(self.origin.trim_start_matches("http://")).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn request(reader: &mut impl std::io::BufRead) -> (String, String) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = String::new();
    reader.by_ref().take(length).read_to_string(&mut body).unwrap();
    (head, body)
}

#[test] // T16, AT-16c, AT-16e
fn the_gitlab_example_saves_through_the_project_s_variables() {
    let program = Program::beside("inkress", Behaviour::default());
    let laptop = Machine::laptop(&program);
    let [setup] = blocks("gitlab-ci.md", "sh laptop").try_into().unwrap();
    laptop.run(&SH, &setup);
    let key = fs::read_to_string(laptop.file("shop.key")).unwrap().trim().to_owned();
    let variables = Variables::at(laptop.file("shop.keyfob"));
    let header = program.folder.path().join("header");
    fs::write(&header, "PRIVATE-TOKEN: glpat-of-the-project").unwrap();
    let pipeline = yaml("gitlab-ci.md");
    laptop.run(&SH, "command -v curl >/dev/null || { echo 'curl is needed' >&2; false; }");
    let run = |name: &str, number: u64, machine: &mut Machine<'_>| {
        let job = &pipeline[name];
        machine.set("CI", "true");
        machine.set("GITLAB_CI", "true");
        machine.set("CI_API_V4_URL", format!("{}/api/v4", variables.origin));
        machine.set("CI_PROJECT_ID", "42");
        machine.set("SAVE_HEADER", header.display().to_string());
        machine.set("KEYFOB_STORE_KEY", key.clone());
        machine.set("KEYFOB_BLOB", fs::read_to_string(&variables.value).unwrap());
        for (name, value) in job["variables"].as_object().unwrap() {
            machine.set(name, value.as_str().unwrap());
        }
        let lines: Vec<&str> =
            job["script"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        machine.run(&BASH, &lines.join("\n"));
        assert!(machine.file("orders.json").exists(), "{name} {number}");
    };
    for number in 1..=2 {
        let mut orders = Machine::new(&program, &format!("orders-{number}"));
        run("orders", number, &mut orders);
        let mut part = Machine::new(&program, &format!("part-{number}"));
        fs::copy(orders.file("handover.keyfob"), part.file("handover.keyfob")).unwrap();
        run("parts", number, &mut part);
        assert_eq!(program.sandbox.rotations(), number);
    }
    let requests = variables.requests();
    let line = "PUT /api/v4/projects/42/variables/KEYFOB_BLOB HTTP/1.1";
    assert_eq!(requests, [line; 4], "probe and final, twice");
    laptop.lost_nothing();
}

/// A server that has brought the connection as the document says.
fn server(program: &Program) -> Machine<'_> {
    let laptop = Machine::laptop(program);
    let [bring] = blocks("cron-and-systemd.md", "sh laptop").try_into().unwrap();
    laptop.run(&SH, &bring);
    let mut server = Machine::new(program, "server");
    server.variables.remove("KEYFOB_HOME");
    for name in ["keyfob.key", "shop.keyfob"] {
        fs::copy(laptop.file(name), server.file(name)).unwrap();
    }
    let [take] = blocks("cron-and-systemd.md", "sh server").try_into().unwrap();
    let output = server.run(&SH, &take);
    assert!(text(&output.stdout).contains("shop     inkress"), "{}", text(&output.stdout));
    server
}

#[test] // AT-11, AT-20
fn the_crontab_s_lines_run_as_cron_runs_them() {
    let program = Program::beside("inkress", Behaviour::default());
    let mut server = server(&program);
    let [crontab] = blocks("cron-and-systemd.md", "crontab").try_into().unwrap();
    let home = server.folder.display().to_string();
    let crontab = crontab.replace("/home/me", &home).replace("PATH=", &format!("PATH={home}/bin:"));
    let mut commands = Vec::new();
    for line in crontab.lines() {
        match line.split_once('=').filter(|(name, _)| !name.contains(' ')) {
            Some((name, value)) => server.set(name, value),
            None => {
                let mut words = line.split_whitespace();
                let times: Vec<&str> = words.by_ref().take(5).collect();
                assert!(
                    times
                        .iter()
                        .all(|it| it.chars().all(|c| c.is_ascii_digit() || "*/".contains(c)))
                );
                assert!(!line.contains('%'), "cron would end the command there");
                commands.push(words.collect::<Vec<_>>().join(" "));
            }
        }
    }
    let [refresh, check] = commands.try_into().unwrap();
    // The refresh is not due: an access token of an hour lives longer.
    for command in [&refresh, &check] {
        let output = server.run(&["/bin/sh", "-c"], command);
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "cron would send a mail");
    }
    assert_eq!(program.sandbox.rotations(), 0);
    server.run(&["/bin/sh", "-c"], &refresh.replace(" --within 25m", ""));
    assert_eq!(program.sandbox.rotations(), 1);
    program.sandbox.revoke_all();
    let failed =
        server.command(&["/bin/sh", "-c", &refresh.replace(" --within 25m", "")]).output().unwrap();
    assert!(failed.status.code() == Some(4) && !failed.stderr.is_empty(), "cron sends a mail");
    let checked = server.command(&["/bin/sh", "-c", &check]).output().unwrap();
    assert_eq!(checked.status.code(), Some(4));
}

/// The values of a key in a unit file, with what `%h` and `%d` stand for.
fn values(unit: &str, key: &str, home: &str, credentials: &str) -> Vec<String> {
    unit.lines()
        .filter_map(|line| line.strip_prefix(key)?.strip_prefix('='))
        .map(|value| value.replace("%h", home).replace("%d", credentials))
        .collect()
}

#[test] // AT-11
fn the_units_run_with_the_key_in_their_credentials_alone() {
    let program = Program::beside("inkress", Behaviour::default());
    let server = server(&program);
    let home = server.folder.display().to_string();
    let credentials = server.file("credentials");
    for name in ["keyfob-refresh.service", "keyfob-check.service"] {
        let [unit] = blocks("cron-and-systemd.md", &format!("ini {name}")).try_into().unwrap();
        let folder = credentials.display().to_string();
        let of = |key| values(&unit, key, &home, &folder);
        let mut service = server.command(&["/bin/sh"]);
        // The manager gives a service the folder for as long as it runs, its files as 0400.
        fs::create_dir(&credentials).unwrap();
        for credential in of("LoadCredential") {
            let (name, source) = credential.split_once(':').unwrap();
            let file = credentials.join(name);
            fs::copy(source, &file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
        }
        service.env_clear().env("CREDENTIALS_DIRECTORY", &credentials).env("PATH", "/usr/bin:/bin");
        for pair in of("Environment").iter().flat_map(|it| it.split(' ')) {
            let (name, value) = pair.split_once('=').unwrap();
            service.env(name, value);
        }
        let [line] = of("ExecStart").try_into().unwrap();
        let line = line.replace("/usr/local/bin/keyfob", env!("CARGO_BIN_EXE_keyfob"));
        let output = service.args(["-c", &line.replace(" --within 25m", "")]).output().unwrap();
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        fs::remove_dir_all(&credentials).unwrap();
    }
    assert_eq!(program.sandbox.rotations(), 1);
    server.lost_nothing();
}

#[test] // T26
fn a_container_gets_an_access_token_and_nothing_that_renews_it() {
    let program = Program::beside("inkress", Behaviour::default());
    let host = Machine::laptop(&program);
    crate::support::files::private_folder(&host.file("inside"));
    // Acts out `docker`: what it was given is all that the inside sees.
    host.stand_in(
        "docker",
        r#"test "$1" = build && { test "$3" = id=token,env=TOKEN && printf %s "$TOKEN" > built; exit; }
shift; inside="PATH=$PATH KEYFOB_HOME=$HOME/inside"
while [ $# -gt 0 ]; do case "$1" in
  --rm) ;;
  --env-file) shift; inside="$inside $(cat "$1")" ;;
  --env) shift; case "$1" in *=*) inside="$inside $1" ;; *) inside="$inside $1=$(printenv "$1")" ;; esac ;;
  image) shift; break ;;
esac; shift; done
cd inside; if [ $# -gt 0 ]; then env -i $inside "$@"; else env -i $inside env > environment; fi"#,
    );
    for block in blocks("containers.md", "bash host") {
        host.run(&BASH, &block);
    }
    let token = fs::read_to_string(host.file("built")).unwrap();
    assert!(token.starts_with("inka_"));
    let inside = fs::read_to_string(host.file("inside/environment")).unwrap();
    assert!(inside.contains(&format!("TOKEN={token}\n")) && !inside.contains("inkr_"));
    let [hand_over] = blocks("containers.md", "sh host").try_into().unwrap();
    let output = host.run(&SH, &hand_over);
    assert!(text(&output.stdout).starts_with('{') || text(&output.stdout).starts_with('['));
    assert_eq!(program.sandbox.rotations(), 0);
    host.lost_nothing();
}
