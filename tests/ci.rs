//! In a CI job: what is masked and where, and which copies are not rolled.

use std::process::Stdio;

use keyfob::sandbox::Behaviour;
use serde_json::Value;

use crate::support::program::{Life, Program, text};
use crate::support::{Ran, Shop, World};

const KEY: &str = "a key of forty characters for the blobs.";

/// A vendor, connected on somebody's machine, and its sealed connection.
fn exported(vendor: &str) -> (Shop, String) {
    let mut shop = Shop::of(vendor);
    shop.world.set("KEYFOB_BLOB_KEY", KEY);
    let shop = shop.and_connected();
    let blob = shop.line("export shop").ok().stdout;
    (shop, blob)
}

/// A job at the same time of day that was given the blob, and has imported it.
fn job(shop: &Shop, blob: &str) -> World {
    let mut job = World::new();
    job.clock = shop.world.clock.clone();
    job.set("CI", "true");
    job.set("KEYFOB_BLOB_KEY", KEY);
    job.set("KEYFOB_BLOB", blob);
    job.line("import shop --sealed").ok();
    job
}

#[test] // AT-16b
fn a_copy_is_not_rolled_without_a_place_to_save_to_and_the_choices_are_named() {
    let (shop, blob) = exported("inkress");
    let job = job(&shop, &blob);
    job.line("token shop").ok();
    job.line("call shop GET /orders").ok();
    let refused = |ran: Ran| {
        let ran = ran.exits(3).without_product();
        ran.says("keyfob refresh shop --save-to 'gh secret set KEYFOB_BLOB'")
            .says("keyfob export shop --access-token-only")
            .says("nothing was sent");
    };
    refused(job.line("refresh shop"));
    refused(job.line("refresh --all"));
    job.pass(3600 - 20);
    job.line("token shop").ok().says("its access token still serves");
    job.pass(60);
    refused(job.line("token shop"));
    refused(job.line("header shop"));
    refused(job.line("call shop GET /orders"));
    assert_eq!(job.line("token shop --json").failure()["code"], "no-place-to-save");
    assert_eq!(shop.token_requests(), 1);
    // The machine that it came from is not disturbed.
    shop.line("refresh shop").ok();
}

#[test]
fn a_copy_stays_one_where_the_job_s_variables_are_not_seen_until_it_is_imported_outside() {
    let (shop, blob) = exported("inkress");
    let mut there = job(&shop, &blob);
    // As `env -i`, sudo and a container have it.
    there.environment.remove("CI");
    there.line("refresh shop").exits(3).says("a CI job's copy").says("nothing was sent");
    there.pass(7200);
    there.line("token shop").exits(3).without_product();
    assert_eq!(shop.token_requests(), 1);
    there.line("import shop --sealed").ok();
    there.line("refresh shop").ok();
    assert_eq!(shop.sandbox.rotations(), 1);
}

#[test]
fn a_copy_whose_refresh_token_nobody_replaces_is_renewed_as_ever() {
    let (inyo, blob) = exported("inyo");
    job(&inyo, &blob).line("refresh shop").ok();
}

#[test]
fn what_a_job_imports_as_plain_tokens_is_a_copy_too() {
    let mut shop = Shop::of("inventorum");
    shop.world.set("GITLAB_CI", "true");
    shop.import(&["orders:read"]).ok().says("is not rolled here");
    assert_eq!(shop.sandbox.rotations(), 0);
    shop.line("refresh shop").exits(3).says("--save-to");
    // Who connects within the job holds what nobody else has.
    let mut own = Shop::of("inkress");
    own.world.set("CI", "true");
    own.connect().ok();
    own.line("refresh shop").ok();
}

#[test] // AT-16b, AT-16c
fn with_a_place_to_save_to_a_copy_is_rolled_and_saved() {
    let (shop, blob) = exported("inkress");
    let mut job = job(&shop, &blob);
    let file = job.folder.path().join("saved");
    job.set("KEYFOB_SAVE_TO", &format!("cat > '{}'", file.display()));
    job.pass(7200);
    job.line("token shop").ok();
    let saved = std::fs::read_to_string(&file).unwrap();
    let next = self::job(&shop, &saved);
    let token = |job: &World| job.line("token shop").ok().stdout;
    assert_eq!(token(&job), token(&next));
    next.line("refresh shop --save-to true").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

/// The masks on a stream, and what follows them.
fn masks(told: &str) -> (Vec<&str>, Vec<&str>) {
    let at = told.lines().position(|line| !line.starts_with("::add-mask::"));
    let lines: Vec<&str> = told.lines().collect();
    let (masks, rest) = lines.split_at(at.unwrap_or(lines.len()));
    (masks.iter().map(|it| it.trim_start_matches("::add-mask::")).collect(), rest.to_vec())
}

fn entry(world: &World) -> Value {
    serde_json::from_str(&world.shelf.entry("shop").unwrap()).unwrap()
}

fn secrets(world: &World) -> Vec<String> {
    let entry = entry(world);
    [
        &entry["tokens"]["access_token"],
        &entry["tokens"]["refresh_token"],
        &entry["secrets"]["client_secret"],
    ]
    .map(|it| it.as_str().unwrap().to_owned())
    .to_vec()
}

/// Passes where the first that is told of a secret is its mask.
#[track_caller]
fn is_masked_first(told: &str, secret: &str) {
    let mask = format!("::add-mask::{secret}\n");
    let at = told.find(&mask).unwrap_or_else(|| panic!("{secret} is not masked: {told}"));
    assert_eq!(told.find(secret), Some(at + "::add-mask::".len()), "{secret}: {told}");
}

#[test] // AT-16d, LG5
fn on_github_every_secret_is_masked_before_anything_else() {
    let mut shop = Shop::of("inkress");
    shop.world.set("GITHUB_ACTIONS", "true");
    shop.world.set("KEYFOB_BLOB_KEY", KEY);
    let told = shop.connect().ok().stderr;
    let [access, refresh, client_secret] = secrets(&shop.world).try_into().unwrap();
    let first = told.lines().next().unwrap();
    assert_eq!(first, format!("::add-mask::{client_secret}"), "what is known from the start");
    for secret in [access, refresh, client_secret] {
        is_masked_first(&told, &secret);
    }
    for line in [
        "token shop",
        "header shop",
        "refresh shop",
        "call shop GET /orders -v -v",
        "token shop --json",
        "export shop",
    ] {
        let before = secrets(&shop.world);
        let ran = shop.line(line).ok();
        let (masked, rest) = masks(&ran.stderr);
        for secret in before {
            assert!(masked.contains(&secret.as_str()), "{line}: {}", ran.stderr);
        }
        for secret in secrets(&shop.world) {
            is_masked_first(&ran.stderr, &secret);
        }
        // A refresh makes new secrets on the way; nothing but masks may follow a mask there either.
        assert!(
            line == "refresh shop"
                || !rest.iter().any(|it| it.starts_with("::add-mask::"))
                || line == "export shop",
            "{line}: {rest:?}"
        );
    }
    let blob = shop.line("export shop").ok();
    assert!(blob.stderr.contains(&format!("::add-mask::{}", blob.stdout)), "the blob is masked");
    let header = shop.line("header shop").ok();
    let value =
        header.stdout.lines().next().unwrap().trim_start_matches("Authorization: ").to_owned();
    assert!(masks(&header.stderr).0.contains(&value.as_str()));
}

#[test] // AT-16d
fn a_password_is_masked_before_it_is_used() {
    let mut shop = Shop::of("inventorum");
    shop.world.set("GITHUB_ACTIONS", "true");
    let owner = shop.how.owner.as_ref().unwrap();
    let password = owner.password.expose().to_owned();
    let file = shop.world.own_file("password", &password);
    let words = ["--flow", "password", "--username", &owner.username, "--password-file"];
    let mut all = vec!["connect".to_owned(), "shop".to_owned()];
    all.extend(shop.client());
    all.extend(words.map(str::to_owned));
    all.push(file.display().to_string());
    all.extend(shop.secret_on_stdin().map(str::to_owned));
    let told = shop.world.run(all.iter().map(String::as_str)).ok().stderr;
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose();
    for known in [password.as_str(), secret] {
        is_masked_first(&told, known);
    }
}

#[test] // AT-16d
fn the_bytes_on_both_streams_are_these_and_no_others() {
    let mut shop = Shop::connected("inkress");
    let plain = shop.line("token shop").ok();
    assert_eq!(plain.stderr, "");
    shop.world.set("GITHUB_ACTIONS", "true");
    let ran = shop.line("token shop").ok();
    assert_eq!(ran.stdout, plain.stdout);
    let [access, refresh, secret] = secrets(&shop.world).try_into().unwrap();
    let id = entry(&shop.world)["client_id"].as_str().unwrap().to_owned();
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    let lines = [access, refresh, secret, basic].map(|it| format!("::add-mask::{it}\n")).concat();
    assert_eq!(ran.stderr, lines);
    // A failure's document comes after the masks, and is all that follows them.
    let ran = shop.line("call shop GET /nowhere --json").exits(8);
    let document = ran.stderr.strip_prefix(&lines).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["error"]["exit"], 8);
}

#[test] // AT-16d
fn no_mask_is_printed_anywhere_else() {
    for (name, value) in
        [("CI", "true"), ("GITLAB_CI", "true"), ("GITHUB_ACTIONS", "false"), ("GITHUB_ACTIONS", "")]
    {
        let mut shop = Shop::of("inkress");
        shop.world.set(name, value);
        shop.world.set("KEYFOB_BLOB_KEY", KEY);
        let mut told = vec![shop.connect().ok().stderr];
        for line in
            ["token shop", "header shop", "refresh shop", "export shop", "call shop GET /orders -v"]
        {
            told.push(shop.line(line).ok().stderr);
        }
        assert!(!told.concat().contains("add-mask"), "{name}={value}");
    }
}

#[test] // AT-16d
fn a_value_of_several_lines_is_masked_line_by_line_and_a_percent_sign_is_escaped() {
    let mut shop = Shop::connected("inkress");
    *shop.world.stdin.borrow_mut() = b"first 100%\n\nsecond".to_vec();
    shop.line("profile secret shop webhook_secret").ok();
    shop.world.set("GITHUB_ACTIONS", "true");
    let told = shop.line("token shop").ok().stderr;
    assert!(told.contains("::add-mask::first 100%25\n::add-mask::second\n"), "{told}");
    assert!(!told.contains("::add-mask::\n"));
}

#[test] // AT-16d
fn the_real_program_masks_the_worker_s_new_tokens_before_the_save_command_is_quoted() {
    let program = Program::beside("inkress", Behaviour::default());
    program.import_into(&program.home(), "shop", Life::Ahead);
    let words = ["refresh", "shop", "-v", "--save-to", "cat >/dev/null; echo saved it"];
    let mut command = program.command(words);
    let output =
        command.env("GITHUB_ACTIONS", "true").env("PATH", "/usr/bin:/bin").output().unwrap();
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    let (masked, rest) = masks(&told);
    assert_eq!(masked.iter().filter(|it| it.starts_with("inkr_")).count(), 2, "{told}");
    assert!(rest.contains(&"saved it") && !rest.iter().any(|it| it.contains("inkr_")), "{told}");
    // A command substitution holds the token and nothing else.
    let shell = std::process::Command::new("/bin/sh")
        .args(["-c", "t=$(\"$KEYFOB\" token shop 2>masks); printf %s \"$t\""])
        .env_clear()
        .env("KEYFOB", env!("CARGO_BIN_EXE_keyfob"))
        .env("GITHUB_ACTIONS", "true")
        .envs(program.command([]).get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(program.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let token = text(&shell.stdout);
    assert!(token.starts_with("inka_") && !token.contains(['\n', ':']), "{token}");
    assert!(masked.contains(&token.as_str()));
}
