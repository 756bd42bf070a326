//! `refresh --save-to`: proved before anything is spent, given the new connection before anything else.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use keyfob::sandbox::{Behaviour, Endpoint, Fault};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::support::program::{Life, Program, STORE_KEY, text};
use crate::support::{Shop, private_file, until};

fn connected(behaviour: Behaviour) -> Program {
    let program = Program::beside("inkress", behaviour);
    program.import_into(&program.home(), "shop", Life::Ahead);
    program
}

/// Runs words in the folder of the program's own files.
fn run(program: &Program, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = program.command(words.iter().copied());
    command.env("PATH", "/usr/bin:/bin").current_dir(program.folder.path());
    command.envs(variables.iter().copied()).output().unwrap()
}

fn refresh(program: &Program, command: &str) -> Output {
    run(program, &["refresh", "shop", "--save-to", command], &[])
}

fn own(program: &Program, name: &str) -> PathBuf {
    program.folder.path().join(name)
}

/// Imports a saved connection at a machine of its own, and refreshes it there.
#[track_caller]
fn lives(program: &Program, blob: &Path, name: &str) {
    let home = own(program, name);
    let mut import = program.command_in(&home, ["import", "shop", "--sealed"]);
    let output =
        import.env_remove("CI").stdin(Stdio::from(fs::File::open(blob).unwrap())).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = program.command_in(&home, ["refresh", "shop"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[track_caller]
fn exits(output: &Output, exit: i32) -> String {
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{}{told}", text(&output.stdout));
    told
}

#[test] // AT-16c
fn the_command_is_proved_first_and_gets_the_new_connection_then() {
    let program = connected(Behaviour::default());
    let output = refresh(&program, "cat > \"$KEYFOB_SAVE.$KEYFOB_PROFILE\"; echo taken");
    assert_eq!(exits(&output, 0), "taken\n", "its words are for people");
    assert!(text(&output.stdout).starts_with("shop: refreshed, saved, good until"));
    assert_eq!(program.sandbox.rotations(), 1);
    let (probe, last) = (own(&program, "probe.shop"), own(&program, "final.shop"));
    assert_ne!(fs::read(&probe).unwrap(), fs::read(&last).unwrap());
    assert!(!fs::read_to_string(&last).unwrap().contains('\n'), "a secret without a line's end");
    lives(&program, &last, "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test] // AT-16c
fn a_command_that_does_not_work_sends_nothing() {
    let program = connected(Behaviour::default());
    for (command, words) in [
        ("exit 3", "it exited with 3"),
        ("echo no such secret >&2; false", "\"no such secret\""),
        ("no-such-program-anywhere", "it exited with 127"),
        ("kill -KILL $$", "signal 9 ended it"),
        ("((", "it exited with 2"),
    ] {
        let told = exits(&refresh(&program, command), 6);
        assert!(told.contains(words), "{command}: {told}");
        assert!(told.contains("nothing was sent"), "{told}");
    }
    assert_eq!(program.sandbox.counts(Endpoint::Token), 0);
    exits(&program.run("refresh shop"), 0);
}

#[test] // AT-16c
fn a_failure_afterwards_keeps_a_copy_that_lives_and_the_next_command_saves_it() {
    let program = connected(Behaviour::default());
    let flaky =
        "test -e works || test $KEYFOB_SAVE = probe || { echo disk full; exit 9; }; cat > saved";
    let told = exits(&refresh(&program, flaky), 6);
    assert!(told.contains("it exited with 9") && told.contains("\"disk full\""), "{told}");
    let copy = program.home().join("state/unsaved/shop.keyfob");
    assert!(told.contains(&format!("a sealed copy is in {}\n", copy.display())), "{told}");
    #[allow(clippy::permissions_set_readonly_false, reason = "only the mode is read")]
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&copy).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let kept = own(&program, "kept");
    fs::copy(&copy, &kept).unwrap();
    // The tokens are good, but nobody relies on them before they are saved.
    let token = |program: &Program| run(program, &["token", "shop"], &[("KEYFOB_SAVE_TO", flaky)]);
    exits(&token(&program), 6);
    assert!(text(&token(&program).stdout).is_empty());
    fs::write(own(&program, "works"), "").unwrap();
    exits(&token(&program), 0);
    assert!(!copy.exists());
    assert_eq!(program.sandbox.rotations(), 1, "what was saved late was not rolled again");
    let saved = own(&program, "saved");
    lives(&program, &saved, "there");
    assert!(fs::read(kept).unwrap().starts_with(b"keyfob1."));
}

/// A connection that the save command did not take.
fn unsaved() -> Program {
    let program = connected(Behaviour::default());
    exits(&refresh(&program, "test $KEYFOB_SAVE = probe"), 6);
    program
}

#[test] // AT-16c
fn a_proof_saves_nothing() {
    let program = unsaved();
    program.sandbox.next_token_answers(vec![Fault::status(503); 2]);
    let command = "test $KEYFOB_SAVE = probe || cat > saved";
    exits(&refresh(&program, command), 7);
    assert!(!own(&program, "saved").exists());
    exits(&run(&program, &["token", "shop"], &[("KEYFOB_SAVE_TO", command)]), 0);
    assert_eq!(program.sandbox.rotations(), 1);
    lives(&program, &own(&program, "saved"), "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test] // AT-16c
fn calls_wait_until_what_they_use_is_saved() {
    let program = unsaved();
    let call = |command: &str| {
        run(&program, &["call", "shop", "GET", "/orders"], &[("KEYFOB_SAVE_TO", command)])
    };
    exits(&call("exit 1"), 6);
    assert_eq!(program.sandbox.counts(Endpoint::Api), 0);
    exits(&call("cat > saved"), 0);
    assert_eq!(program.sandbox.rotations(), 1);
    let within = ["refresh", "shop", "--within", "5m"];
    exits(&run(&program, &within, &[("KEYFOB_SAVE_TO", "exit 1")]), 0);
    lives(&program, &own(&program, "saved"), "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test]
fn a_refresh_within_a_time_saves_what_is_good_and_unsaved() {
    let program = unsaved();
    let within = ["refresh", "shop", "--within", "5m", "--save-to", "cat > saved"];
    exits(&run(&program, &within, &[]), 0);
    assert_eq!(program.sandbox.rotations(), 1);
    lives(&program, &own(&program, "saved"), "there");
}

#[test]
fn status_says_that_a_connection_waits_to_be_saved() {
    let program = unsaved();
    let check = program.run("status shop --check");
    exits(&check, 4);
    let copy = program.home().join("state/unsaved/shop.keyfob");
    let waits = format!(
        "`shop` was refreshed and not saved, and a sealed copy is in {}: `keyfob refresh shop --save-to COMMAND`\n",
        copy.display()
    );
    assert_eq!(text(&check.stderr), waits);
    for line in ["status", "status shop"] {
        let seen = program.run(line);
        exits(&seen, 0);
        assert_eq!(text(&seen.stderr), waits, "{line}");
    }
    let document = program.run("status --json");
    assert_eq!(text(&document.stderr), "");
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).unwrap();
    assert_eq!(document["profiles"][0]["needs_attention"], true);
    exits(&refresh(&program, "cat > saved"), 0);
    exits(&program.run("status shop --check"), 0);
    assert_eq!(text(&program.run("status").stderr), "");
}

#[test]
fn a_copy_ends_with_the_tokens_in_it() {
    let program = unsaved();
    let copy = program.home().join("state/unsaved/shop.keyfob");
    assert!(copy.exists());
    exits(&program.run("refresh shop"), 0);
    assert!(!copy.exists(), "its refresh token is spent");
}

#[test]
fn what_many_may_hold_is_saved_where_it_is_asked_for_and_else_left_alone() {
    let mut shop = Shop::of("inyo");
    shop.world.set("KEYFOB_BLOB_KEY", STORE_KEY);
    let shop = shop.and_connected();
    let taken = shop.world.folder.path().join("taken").display().to_string();
    let command = format!("cat >> {taken}");
    shop.world.run(["refresh", "shop", "--save-to", &command]).ok();
    let saved = fs::read(&taken).unwrap();
    let mut shop = shop;
    shop.world.set("KEYFOB_SAVE_TO", &command);
    shop.line("refresh shop").ok();
    shop.world.pass(1);
    let before = shop.world.files();
    shop.line("token shop").ok();
    assert!(shop.world.files() == before, "no lock was taken");
    assert_eq!(fs::read(&taken).unwrap(), saved);
}

#[test]
fn a_copy_is_a_connection_by_itself() {
    let program = connected(Behaviour::default());
    exits(&refresh(&program, "test $KEYFOB_SAVE = probe"), 6);
    lives(&program, &program.home().join("state/unsaved/shop.keyfob"), "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test]
fn revoking_and_removing_let_go_of_the_copy() {
    for line in ["revoke shop", "profile remove shop --yes"] {
        let program = connected(Behaviour::default());
        exits(&refresh(&program, "test $KEYFOB_SAVE = probe"), 6);
        exits(&program.run(line), 0);
        assert!(!program.home().join("state/unsaved/shop.keyfob").exists(), "{line}");
    }
}

#[test] // AT-17
fn the_command_sees_no_secret_but_what_it_is_given_and_repeats_none() {
    let program = connected(Behaviour::default());
    let command = "env > \"env.$KEYFOB_SAVE\"; tr '\\0' ' ' < /proc/$$/cmdline > argv; tee /dev/stderr > saved";
    let secret = program.sandbox.client().client_secret.unwrap();
    let variables = [
        ("KEYFOB_CLIENT_SECRET", secret.expose()),
        ("KEYFOB_WEBHOOK_SECRET", "MARKED"),
        ("GH_TOKEN", "what gh needs"),
    ];
    let output = run(&program, &["refresh", "shop", "--save-to", command, "-v", "-v"], &variables);
    let told = exits(&output, 0);
    let read = |name| fs::read_to_string(own(&program, name)).unwrap();
    for stage in ["env.probe", "env.final"] {
        let environment = read(stage);
        assert!(environment.contains("GH_TOKEN=what gh needs"));
        for hidden in [STORE_KEY, "MARKED", secret.expose()] {
            assert!(!environment.contains(hidden), "{environment}");
        }
    }
    let blob = read("saved");
    assert!(blob.starts_with("keyfob1.") && !told.contains(&blob), "{told}");
    assert!(told.contains("[hidden]"), "{told}");
    for hidden in ["inkr_", "inka_", "keyfob1.", STORE_KEY] {
        assert!(!read("argv").contains(hidden));
    }
}

#[test]
fn under_json_only_documents_are_told() {
    let program = connected(Behaviour::default());
    let line = ["refresh", "shop", "--json", "--save-to"];
    let ok = run(&program, &[&line[..], &["echo said; cat > saved"]].concat(), &[]);
    assert_eq!(exits(&ok, 0), "");
    let rows: serde_json::Value = serde_json::from_slice(&ok.stdout).unwrap();
    assert_eq!(rows["profiles"][0]["saved"], true);
    let failed = run(&program, &[&line[..], &["exit 1"]].concat(), &[]);
    let document: serde_json::Value = serde_json::from_str(&exits(&failed, 6)).unwrap();
    assert_eq!(document["error"]["code"], "save-not-proved");
}

#[test]
fn all_profiles_are_saved_one_by_one_under_their_names() {
    let program = connected(Behaviour::default());
    program.import_into(&program.home(), "till", Life::Ahead);
    let words = ["refresh", "--all", "--save-to", "cat > \"$KEYFOB_PROFILE.$KEYFOB_SAVE\""];
    exits(&run(&program, &words, &[]), 0);
    for name in ["shop.probe", "shop.final", "till.probe", "till.final"] {
        assert!(own(&program, name).exists(), "{name}");
    }
}

#[test]
fn the_flag_stands_before_the_variable_the_profile_and_the_configuration() {
    let program = connected(Behaviour::default());
    let say =
        |name: &str| format!("cat >/dev/null; test $KEYFOB_SAVE = probe || echo {name} >> by");
    let by = || fs::read_to_string(own(&program, "by")).unwrap_or_default().replace('\n', " ");
    private_file(&program.home().join("config.toml"), format!("save_to = '{}'\n", say("file")));
    exits(&run(&program, &["refresh", "shop"], &[]), 0);
    let set = format!("save_to={}", say("profile"));
    exits(&run(&program, &["profile", "set", "shop", &set], &[]), 0);
    exits(&run(&program, &["refresh", "shop"], &[]), 0);
    exits(&run(&program, &["refresh", "shop"], &[("KEYFOB_SAVE_TO", &say("variable"))]), 0);
    let words = ["refresh", "shop", "--save-to", &say("flag")];
    exits(&run(&program, &words, &[("KEYFOB_SAVE_TO", &say("variable"))]), 0);
    assert_eq!(by(), "file profile variable flag ");
    // A command belongs to a machine: it does not go along.
    let blob = own(&program, "blob");
    fs::write(&blob, program.run("export shop").stdout).unwrap();
    fs::remove_file(own(&program, "by")).unwrap();
    lives(&program, &blob, "there");
    assert_eq!(by(), "");
}

#[test]
fn a_refresh_that_only_a_call_needs_is_saved_as_well() {
    let program = Program::expired(Behaviour::default());
    let command = "cat > \"$KEYFOB_SAVE\"";
    exits(&run(&program, &["call", "shop", "GET", "/orders"], &[("KEYFOB_SAVE_TO", command)]), 0);
    lives(&program, &own(&program, "final"), "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test]
fn many_at_once_leave_the_connection_in_force_where_it_is_saved() {
    let program = Program::expired(Behaviour::default());
    program.sandbox.latency(Duration::from_millis(50));
    let command = "cat > new.$$ && mv new.$$ saved";
    let children: Vec<_> = (0..8)
        .map(|number| {
            let line: &[&str] = match number % 2 {
                0 => &["token", "shop"],
                _ => &["refresh", "shop"],
            };
            let mut child = program.command(line.iter().copied());
            child.env("PATH", "/usr/bin:/bin").env("KEYFOB_SAVE_TO", command);
            child.current_dir(program.folder.path()).spawn().unwrap()
        })
        .collect();
    for child in children {
        exits(&child.wait_with_output().unwrap(), 0);
    }
    lives(&program, &own(&program, "saved"), "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

/// Where the command is when its process group is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Point {
    Probe,
    Sent,
    Final,
}

#[test] // AT-16c, RF4
fn killing_the_process_group_at_any_point_leaves_the_old_or_the_new_everywhere() {
    for point in [Point::Probe, Point::Sent, Point::Final] {
        let program = connected(Behaviour::default());
        program.sandbox.latency(Duration::from_millis(60));
        // Each stage says that it has begun, and goes on when the test lets it.
        let gate = "touch at.$KEYFOB_SAVE; while ! test -e go.$KEYFOB_SAVE; do sleep 0.01; done; cat > new && mv new saved; touch done.$KEYFOB_SAVE";
        let go = |stage: &str| fs::write(own(&program, &format!("go.{stage}")), "").unwrap();
        let is_there = |name: &str| own(&program, name).exists();
        let mut command = program.command(["refresh", "shop", "--save-to", gate]);
        command.env("PATH", "/usr/bin:/bin").current_dir(program.folder.path());
        let mut child = command.process_group(0).spawn().unwrap();
        until("it is proved", || is_there("at.probe"));
        if point != Point::Probe {
            go("probe");
            until("it is sent", || program.sandbox.counts(Endpoint::Token) > 0);
        }
        if point == Point::Final {
            until("it is saved", || is_there("at.final"));
            assert!(program.home().join("state/unsaved/shop.keyfob").exists(), "a copy is there");
        }
        kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
        go("probe");
        go("final");
        // What refreshes outlives the command, and sees it through.
        until("it is done", || is_there("done.final"));
        lives(&program, &own(&program, "saved"), "there");
        assert_eq!(program.sandbox.spent_tokens_seen(), 0, "{point:?}");
    }
}

#[test]
fn what_the_worker_could_not_save_the_next_command_saves() {
    let program = connected(Behaviour::default());
    // The command ends the process that runs it: nobody is left to note anything.
    let murder = "cat > new; test $KEYFOB_SAVE = probe && mv new saved || kill -KILL $PPID";
    assert!(!refresh(&program, murder).status.success());
    assert_eq!(program.sandbox.rotations(), 1);
    let output = run(&program, &["token", "shop"], &[("KEYFOB_SAVE_TO", "cat > saved")]);
    exits(&output, 0);
    assert_eq!(program.sandbox.rotations(), 1);
    lives(&program, &own(&program, "saved"), "there");
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
}

#[test]
fn without_a_key_to_seal_with_nothing_is_sent() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("refresh shop --save-to true").exits(3);
    ran.says("there is no key for the sealed connection").says("nothing was sent");
    assert_eq!(shop.token_requests(), 1);
}

/// What a person reads, with what differs from run to run by its name.
fn read(program: &Program, output: &Output) -> String {
    text(&output.stderr).replace(&program.home().display().to_string(), "HOME")
}

#[test]
fn what_is_to_be_pasted_after_a_failure_saves_what_was_not_saved() {
    let program = connected(Behaviour::default());
    let pasted = |output: &Output| -> Vec<String> {
        let told = text(&output.stderr);
        let lines = told.lines().filter_map(|line| line.trim().strip_prefix("keyfob "));
        lines.map(str::to_owned).collect()
    };
    let paste = |line: &str, set: &[(&str, &str)]| {
        let words = shlex::split(line).unwrap();
        run(&program, &words.iter().map(String::as_str).collect::<Vec<_>>(), set)
    };
    let mended = "test $KEYFOB_SAVE = probe || { test -e mended && cat > saved; }";
    let key = own(&program, "a key");
    fs::write(&key, "a key of forty characters for the blobs.").unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let key = key.display().to_string();
    let words = ["refresh", "shop", "--key-file", &key, "--save-to", mended];
    let failed = run(&program, &words, &[]);
    exits(&failed, 6);
    let next = pasted(&failed);
    assert_eq!(next, [format!("refresh shop --save-to '{mended}' --key-file '{key}'")]);
    fs::write(own(&program, "mended"), "").unwrap();
    exits(&paste(&next[0], &[]), 0);
    assert!(own(&program, "saved").exists());
    // What the environment names is used again without being said again.
    fs::remove_file(own(&program, "mended")).unwrap();
    let named = [("KEYFOB_SAVE_TO", mended)];
    let failed = run(&program, &["refresh", "shop"], &named);
    exits(&failed, 6);
    assert_eq!(pasted(&failed), ["refresh shop"]);
    fs::write(own(&program, "mended"), "").unwrap();
    exits(&paste("refresh shop", &named), 0);
    assert_eq!(program.sandbox.spent_tokens_seen(), 0);
    // Several lines cannot stand in one.
    fs::remove_file(own(&program, "mended")).unwrap();
    let failed = refresh(&program, &format!("true\n{mended}"));
    exits(&failed, 6);
    assert!(pasted(&failed).is_empty(), "{}", text(&failed.stderr));
}

#[test]
fn the_failures_say_what_happened_why_and_what_to_do() {
    let program = connected(Behaviour::default());
    let not_proved = refresh(&program, "echo HTTP 403; exit 1");
    assert_eq!(
        read(&program, &not_proved),
        r#"error: `shop` was not refreshed: the save command does not work
cause: it exited with 1
cause: "HTTP 403"
hint:  nothing was sent, and the refresh token is not spent; mend the command, which gets the sealed connection on its standard input
"#
    );
    let unsaved = refresh(&program, "test $KEYFOB_SAVE = probe");
    assert_eq!(
        read(&program, &unsaved),
        r#"error: the new tokens of `shop` are stored here, but were not saved
cause: it exited with 1
cause: what was saved before is spent: until this is mended, the connection lives here alone
cause: a sealed copy is in HOME/state/unsaved/shop.keyfob
hint:  nothing is lost: mend the command and say it again; it is proved first, and gets the newest connection
       keyfob refresh shop --save-to 'test $KEYFOB_SAVE = probe'
"#
    );
    let job = own(&program, "job");
    let blob = program.run("export shop").stdout;
    let import = program
        .command_in(&job, ["import", "shop", "--sealed"])
        .env("KEYFOB_BLOB", text(&blob))
        .output()
        .unwrap();
    exits(&import, 0);
    let borrowed = program.command_in(&job, ["refresh", "shop"]).output().unwrap();
    assert_eq!(
        text(&borrowed.stderr),
        "error: `shop` is a CI job's copy, and is not refreshed without a place to save it to
cause: Inkress replaces the refresh token at every refresh; the new one would be lost with the job, and the old one is spent
hint:  nothing was sent; do one of three: save what comes back where the job found it, let one job refresh and hand on access tokens only, or use credentials that need no refresh token
       keyfob refresh shop --save-to 'gh secret set KEYFOB_BLOB'
       keyfob export shop --access-token-only
"
    );
}
