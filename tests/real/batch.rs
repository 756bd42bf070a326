//! What a batch with failures says to paste, given to a shell and the real jq.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use keyfob::sandbox::{Endpoint, Fault, Options, Sandbox};

use super::folder::{Folder, KEYFOB, Ran};

/// Imports tokens that serve.
fn connected(folder: &Folder) -> Sandbox {
    let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
    let client = sandbox.client();
    let mut import = folder.keyfob(&["import", "shop", "--provider", "inkress"]);
    for (name, value) in sandbox.settings() {
        import.args(["--set", &format!("{name}={value}")]);
    }
    import.args(["--client-id", &client.client_id]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut import = import.stderr(Stdio::piped()).spawn().unwrap();
    let mut tokens = sandbox.dashboard_tokens(&["orders:read", "orders:write", "offline_access"]);
    tokens["client_secret"] = client.client_secret.unwrap().expose().into();
    import.stdin.take().unwrap().write_all(tokens.to_string().as_bytes()).unwrap();
    Ran::from(import.wait_with_output().unwrap()).done();
    sandbox
}

#[test]
fn what_failed_is_made_again_and_a_write_under_its_key() {
    let folder = Folder::new();
    let sandbox = connected(&folder);
    let lines = [
        r#"{"id":0,"path":"/orders"}"#,
        "",
        r#"{"id":1,"path":"/orders","headers":{"x-mark":"it's"}}"#,
        r#"{"method":"POST","path":"/orders","body":{"total":12.5}}"#,
        r#"{"id":3,"path":"/orders"}"#,
    ];
    folder.write("the requests.jsonl", &lines.join("\n"));
    sandbox.next_api_answers(vec![
        Fault::Slow(std::time::Duration::ZERO),
        Fault::status(404),
        Fault::RotateThenReset,
    ]);
    let mut batch = folder.keyfob(&["call", "shop", "--batch", "the requests.jsonl"]);
    batch.args(["-o", "answers.jsonl", "--concurrency", "1", "--retry", "0"]);
    let told = Ran::of(batch.current_dir(folder.path())).failed(8);
    assert!(told.contains("2 of 4 requests failed"), "{told}");
    let before = sandbox.log();
    let line = told.lines().map(str::trim).find(|line| line.starts_with("jq ")).expect(&told);
    let mut shell = folder.command("sh");
    for (name, value) in folder.keyfob(&[]).get_envs() {
        shell.env(name, value.unwrap());
    }
    let mut path = vec![Path::new(KEYFOB).parent().unwrap().to_owned()];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    shell.env("PATH", std::env::join_paths(path).unwrap());
    let again = Ran::of(shell.args(["-c", line]).current_dir(folder.path()));
    assert_eq!(again.stdout.lines().count(), 2, "{again:?}");
    assert_eq!(again.exit, Some(0), "{again:?}");
    let log = sandbox.log();
    let calls: Vec<_> = log.iter().filter(|it| it.endpoint == Endpoint::Api).collect();
    assert_eq!(calls.len(), 6, "{line}");
    assert_eq!(before.len() + 2, log.len());
    assert_eq!(calls[4].header("x-mark"), Some("it's"));
    let keys = [2, 5].map(|place: usize| calls[place].header("idempotency-key").map(str::to_owned));
    assert!(keys[0].is_some() && keys[0] == keys[1], "{keys:?}");
}
