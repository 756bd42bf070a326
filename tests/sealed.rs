//! `export` and `import --sealed`: a connection goes from one machine to another, whole or not at all.

use std::os::unix::fs::PermissionsExt;

use keyfob::sandbox::Behaviour;

use crate::support::shelf::Trouble;
use crate::support::streams::{Captured, Closed};
use crate::support::{Ran, Shop, World, private_file};

const KEY: &str = "a key of forty characters for the blobs.";

/// A connected vendor at a machine that has a key for blobs.
fn connected(vendor: &str) -> Shop {
    let mut shop = Shop::of(vendor);
    shop.world.set("KEYFOB_BLOB_KEY", KEY);
    if vendor != "imprest" {
        return shop.and_connected();
    }
    // Which organization is chosen once it is connected.
    shop.connect().exits(2);
    shop.line("profile set shop organization_id=0b7f3c52-9d0e-4a53-8f0e-3f1f1a2b3c4d").ok();
    shop
}

/// Another machine, at the same time of day, with the same key.
fn elsewhere(shop: &Shop) -> World {
    let mut world = World::new();
    world.clock = shop.world.clock.clone();
    world.set("KEYFOB_BLOB_KEY", KEY);
    world
}

fn exported(shop: &Shop) -> String {
    shop.line("export shop").ok().stdout
}

fn import(world: &World, line: &str, blob: &str) -> Ran {
    *world.stdin.borrow_mut() = blob.as_bytes().to_vec();
    world.line(line)
}

#[track_caller]
fn untouched(world: &World) {
    assert!(world.files().is_empty(), "{:?}", world.files());
    assert_eq!(world.shelf.entry("shop"), None);
}

#[test] // AT-16a
fn every_vendor_s_connection_goes_on_at_another_machine() {
    for vendor in ["inkress", "inyo", "merchantos", "imprest", "inventorum", "standard"] {
        let shop = connected(vendor);
        let blob = exported(&shop);
        assert_eq!(blob.lines().count(), 1, "{vendor}");
        let there = elsewhere(&shop);
        import(&there, "import shop --sealed", &blob).ok().says("imported `shop`");
        let (here, now_there) = (shop.world.status("shop"), there.status("shop"));
        for part in ["provider", "account", "scopes", "access_expires_at", "refresh_expires_at"] {
            assert_eq!(here[part], now_there[part], "{vendor}: {part}");
        }
        let token = |world: &World| world.line("token shop").ok().stdout;
        assert_eq!(token(&shop.world), token(&there), "{vendor}");
        // This vendor gives no refresh tokens.
        let is_renewable = vendor != "merchantos";
        let refreshed = shop.world.line("refresh shop");
        assert_eq!(refreshed.exit == 0, is_renewable, "{vendor}: {}", refreshed.stderr);
        if is_renewable {
            // The machine that has it now renews it; what was here is spent, if it is of that kind.
            let second = elsewhere(&shop);
            import(&second, "import shop --sealed", &exported(&shop)).ok();
            second.line("refresh shop").ok();
        }
        assert_eq!(shop.sandbox.spent_tokens_seen(), 0, "{vendor}");
    }
}

#[test]
fn a_user_s_own_provider_file_goes_along_and_never_replaces_another_in_silence() {
    let shop = connected("standard");
    let blob = exported(&shop);
    let there = elsewhere(&shop);
    import(&there, "import till --sealed", &blob).ok();
    let own =
        |world: &World| std::fs::read(world.home().providers().join("standard.toml")).unwrap();
    assert_eq!(own(&there), own(&shop.world));
    import(&there, "import till --sealed", &blob).ok();

    let other = elsewhere(&shop);
    let text = String::from_utf8(own(&shop.world)).unwrap();
    let different = text.replacen("title = ", "title = \"Another\" # ", 1);
    assert_ne!(different, text);
    private_file(&other.home().providers().join("standard.toml"), &different);
    import(&other, "import shop --sealed", &blob).exits(3).says("another provider `standard` here");
    assert_eq!(own(&other), different.as_bytes());
    assert_eq!(other.shelf.entry("shop"), None);
    import(&other, "import shop --sealed --yes", &blob).ok();
    assert_eq!(own(&other), text.as_bytes());
}

#[test]
fn a_provider_file_named_by_its_path_is_kept_by_its_name() {
    let mut shop = Shop::of("standard");
    shop.world.set("KEYFOB_BLOB_KEY", KEY);
    let text =
        std::fs::read_to_string(shop.world.home().providers().join("standard.toml")).unwrap();
    let path = shop.world.own_file("mine.toml", &text).display().to_string();
    shop.how.provider = path;
    let shop = shop.and_connected();
    let there = elsewhere(&shop);
    import(&there, "import shop --sealed", &exported(&shop)).ok();
    assert_eq!(there.status("shop")["provider"], "standard");
    there.line("call shop GET /x --dry-run").ok();
}

#[test]
fn a_refresh_token_that_two_would_end_is_warned_about_and_a_move_leaves_one_holder() {
    let shop = connected("inkress");
    shop.line("export shop").ok().says("only one machine can keep this connection");
    let blob = shop.line("export shop --move").ok().says("has moved").stdout;
    assert_eq!(shop.world.state("shop"), "never-connected");
    assert_eq!(shop.sandbox.grants_alive(), 1, "nothing was revoked");
    let there = elsewhere(&shop);
    import(&there, "import shop --sealed", &blob).ok();
    there.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
    let inyo = connected("inyo");
    assert!(!inyo.line("export shop").ok().stderr.contains("warning"));
}

#[test]
fn a_move_that_nobody_received_moves_nothing() {
    let shop = connected("inkress");
    let exit =
        shop.world.run_into(["export", "shop", "--move"], Box::new(Closed), Captured::default());
    assert_eq!(exit, 1);
    assert_eq!(shop.world.state("shop"), "ready");
    shop.line("refresh shop").ok();
}

#[test]
fn a_move_that_is_not_on_the_disk_moves_nothing() {
    let shop = connected("inkress");
    // A pipe cannot be made to last: the file system of a plain file refuses in the same way.
    let (_reader, writer) = std::io::pipe().unwrap();
    let file = std::fs::File::from(std::os::fd::OwnedFd::from(writer));
    *shop.world.stdout_file.borrow_mut() = Some(file);
    shop.line("export shop --move").exits(1).says("the connection is still here");
    assert_eq!(shop.world.state("shop"), "ready");
    *shop.world.stdout_file.borrow_mut() =
        Some(std::fs::File::create(shop.world.own_file("blob", "")).unwrap());
    shop.line("export shop --move").ok();
    assert_eq!(shop.world.state("shop"), "never-connected");
}

#[test] // AT-16e
fn an_access_token_alone_goes_out_without_what_renews_it() {
    let shop = connected("inkress");
    let blob = shop.line("export shop --access-token-only").ok().stdout;
    let there = elsewhere(&shop);
    import(&there, "import shop --sealed", &blob).ok();
    let entry = there.shelf.entry("shop").unwrap();
    assert!(!entry.contains("inkr_"), "no refresh token");
    assert!(!entry.contains(shop.how.client.client_secret.as_ref().unwrap().expose()));
    there.line("call shop GET /orders").ok();
    there.pass(3600 - 30);
    there.line("token shop").ok();
    there.pass(60);
    there.line("token shop").exits(4).without_product().says("--access-token-only");
    there.line("call shop GET /orders").exits(4);
    assert_eq!(shop.token_requests(), 1, "only the first authorization");
}

#[test]
fn an_access_token_alone_does_not_take_the_place_of_what_can_be_renewed() {
    let shop = connected("inkress");
    let there = elsewhere(&shop);
    let lesser = shop.line("export shop --access-token-only").ok().stdout;
    import(&there, "import shop --sealed", &exported(&shop)).ok();
    import(&there, "import shop --sealed", &lesser).exits(2).says("can be renewed");
    assert!(there.shelf.entry("shop").unwrap().contains("inkr_"));
    import(&there, "import shop --sealed --yes", &lesser).ok();
    import(&there, "import shop --sealed", &exported(&shop)).ok();
    there.line("refresh shop").ok();
}

#[test] // AT-16f
fn forty_jobs_of_a_vendor_that_counts_token_requests_make_one() {
    let shop = connected("inyo");
    let blob = shop.line("export shop --access-token-only").ok().stdout;
    for _ in 0..40 {
        let job = elsewhere(&shop);
        import(&job, "import gate --sealed", &blob).ok();
        job.line("token gate").ok();
    }
    assert_eq!(shop.token_requests(), 1);
}

#[test]
fn an_access_token_that_has_ended_is_renewed_before_it_goes_out() {
    let shop = connected("inkress");
    shop.world.pass(7200);
    let blob = shop.line("export shop --access-token-only").ok().stdout;
    let there = elsewhere(&shop);
    import(&there, "import shop --sealed", &blob).ok();
    there.line("call shop GET /orders").ok();
}

#[test]
fn the_blob_may_come_from_the_environment_or_a_file_and_copies_of_it_have_line_breaks() {
    let shop = connected("inkress");
    let blob = exported(&shop);
    let folded: String = blob
        .as_bytes()
        .chunks(76)
        .map(|it| format!("{}\r\n  ", String::from_utf8_lossy(it)))
        .collect();
    import(&elsewhere(&shop), "import shop --sealed", &folded).ok();
    let mut by_variable = elsewhere(&shop);
    by_variable.set("KEYFOB_BLOB", &blob);
    by_variable.line("import --sealed").ok().says("imported `shop`");
    let by_file = elsewhere(&shop);
    let file = by_file.own_file("blob", &blob);
    by_file.run(["import", "till", "--sealed", "--blob-file", file.to_str().unwrap()]).ok();
    assert_eq!(by_file.state("till"), "ready");
}

#[test]
fn a_passphrase_seals_and_opens_and_is_asked_for_twice_where_it_seals() {
    let mut shop = Shop::connected("inkress");
    shop.world.seat(&["correct horse", "correct house"]);
    shop.line("export shop").exits(2).without_product().says("the two passphrases differ");
    shop.world.seat(&["correct horse", "correct horse"]);
    let blob = exported(&shop);
    let mut there = elsewhere(&shop);
    // A key does not open what a passphrase sealed, and nobody can be asked.
    import(&there, "import shop --sealed", &blob).exits(3).says("opens with a passphrase");
    import(&there, "import shop --sealed", &blob)
        .exits(3)
        .says("keyfob import shop --sealed --blob-file FILE");
    untouched(&there);
    let file = there.own_file("blob", &blob).display().to_string();
    there.seat(&["a wrong horse"]);
    let line = ["import", "shop", "--sealed", "--blob-file", &file];
    there.run(line).exits(3).says("does not open with this key");
    there.seat(&["correct horse"]);
    there.run(line).ok();
    assert_eq!(there.state("shop"), "ready");
    // A flag asks although there is a key.
    shop.world.set("KEYFOB_BLOB_KEY", KEY);
    shop.world.seat(&["correct horse", "correct horse"]);
    let blob = shop.line("export shop --passphrase").ok().stdout;
    import(&elsewhere(&shop), "import shop --sealed", &blob).exits(3);
}

#[test] // AT-11, AT-16a
fn the_key_comes_from_a_private_file_or_the_environment_and_what_is_wrong_with_it_is_said() {
    let mut shop = Shop::connected("inkress");
    shop.line("export shop").exits(3).without_product().says("there is no key for the sealed");
    let file = shop.world.own_file("ci key", format!("{KEY}\n"));
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    let line = ["export", "shop", "--key-file", file.to_str().unwrap()];
    shop.world.run(line).exits(3).without_product().says("chmod 600");
    mode(0o600);
    let blob = shop.world.run(line).ok().stdout;
    import(&elsewhere(&shop), "import shop --sealed", &blob).ok();
    shop.world.set("KEYFOB_STORE_KEY", KEY);
    let blob = exported(&shop);
    import(&elsewhere(&shop), "import shop --sealed", &blob).ok();
    shop.world.set("KEYFOB_BLOB_KEY", "short");
    shop.line("export shop").exits(3).without_product().says("at least 32 are needed");
}

#[test] // ST11
fn what_is_no_whole_blob_is_refused_with_its_reason_and_writes_nothing() {
    let shop = connected("inkress");
    let blob = exported(&shop);
    let middle = blob.len() / 2;
    let altered = format!(
        "{}{}{}",
        &blob[..middle],
        if &blob[middle..=middle] == "A" { "B" } else { "A" },
        &blob[middle + 1..]
    );
    for (text, exit, words) in [
        (String::new(), 2, "is empty"),
        (" \n\n ".into(), 2, "is empty"),
        ("ghp_token".into(), 6, "this is no sealed connection"),
        (r#"{"access_token":"a"}"#.into(), 6, "this is no sealed connection"),
        (blob[..middle].into(), 6, "is damaged"),
        (blob[..20].into(), 6, "is damaged"),
        (altered, 6, "is damaged"),
        (format!("{}AAAA", blob.trim()), 6, "is damaged"),
        (blob.replace("keyfob1.", "keyfob2."), 6, "upgrade keyfob"),
        ("x".repeat(17 << 20), 2, "holds more than"),
    ] {
        let there = elsewhere(&shop);
        import(&there, "import shop --sealed", &text).exits(exit).without_product().says(words);
        untouched(&there);
    }
    let there = elsewhere(&shop);
    import(&there, "import shop --key-file k", "{}").exits(2).says("add --sealed");
    untouched(&there);
    let mut there = elsewhere(&shop);
    there.set("KEYFOB_BLOB_KEY", "another key of forty characters or more.");
    import(&there, "import shop --sealed", &blob).exits(3).says("does not open with this key");
    untouched(&there);
    there.trouble(Trouble::Locked);
    there.set("KEYFOB_BLOB_KEY", KEY);
    import(&there, "import shop --sealed", &blob).exits(6).says("the keychain is locked");
    untouched(&there);
}

#[test] // AT-14
fn another_account_another_provider_and_a_spent_copy_are_not_taken_in_silence() {
    let one = connected("inkress");
    let two = connected("inkress");
    two.sandbox.answer_with("merchant_id", 999.into());
    two.line("revoke shop").ok();
    two.line("connect shop").ok();
    // One stand-in plays both accounts: what is bound to another host is refused before all else.
    let blob = exported(&one);
    let there = elsewhere(&one);
    import(&there, "import shop --sealed", &blob).ok();
    import(&there, "import shop --sealed", &exported(&two)).exits(2).says("999");
    import(&there, "import shop --sealed --yes", &exported(&two)).ok();
    let inyo = connected("inyo");
    import(&there, "import shop --sealed", &exported(&inyo))
        .exits(2)
        .says("keyfob import shop-2 --sealed");
    assert_eq!(there.status("shop")["account"]["merchant_id"], 999);
    let fresh = elsewhere(&one);
    import(&fresh, "import shop --sealed", &blob).ok();
    fresh.line("refresh shop").ok();
    import(&fresh, "import shop --sealed", &blob).exits(2).says("spent");
    fresh.line("refresh shop").ok();
}

#[test] // AT-14
fn an_older_copy_does_not_take_the_place_of_what_was_refreshed_since() {
    let shop = connected("inkress");
    shop.line("refresh shop").ok();
    let older = exported(&shop);
    shop.world.pass(1);
    shop.line("refresh shop").ok();
    import(&shop.world, "import shop --sealed", &older).exits(2).says("it is older than");
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
    // Back at a machine that another one has refreshed for.
    let there = elsewhere(&shop);
    there.pass(1);
    import(&there, "import shop --sealed", &exported(&shop)).ok();
    there.line("refresh shop").ok();
    let newer = there.line("export shop").ok().stdout;
    import(&shop.world, "import shop --sealed", &newer).ok();
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
    import(&shop.world, "import shop --sealed --yes", &older).ok();
}

#[test] // AT-21
fn a_sealed_connection_of_another_account_says_that_the_old_one_may_live_on() {
    let shop = connected("inkress");
    let there = elsewhere(&shop);
    import(&there, "import shop --sealed", &exported(&shop)).ok();
    shop.sandbox.answer_with("merchant_id", 999.into());
    shop.line("connect shop --yes").ok();
    let alive = shop.sandbox.grants_alive();
    let ran = import(&there, "import shop --sealed --yes", &exported(&shop)).ok();
    ran.says("was not revoked and may live on at Inkress");
    assert_eq!(shop.sandbox.grants_alive(), alive);
}

#[test]
fn more_than_a_keychain_takes_goes_through_too() {
    let shop = connected("inkress");
    let secret = "w".repeat(20_000);
    *shop.world.stdin.borrow_mut() = secret.clone().into_bytes();
    shop.line("profile secret shop webhook_secret").ok();
    let there = elsewhere(&shop);
    import(&there, "import shop --sealed --store file", &exported(&shop)).ok();
    let again = {
        let mut second = elsewhere(&shop);
        second.set("KEYFOB_STORE_KEY", KEY);
        let blob = there.line("export shop").ok().stdout;
        import(&second, "import shop --sealed", &blob).ok();
        second.shelf.entry("shop").unwrap()
    };
    assert!(again.contains(&secret));
}

#[test]
fn what_is_not_connected_or_ended_or_unsettled_does_not_go_out() {
    let shop = connected("inkress");
    shop.line("export nobody").exits(3).without_product();
    shop.sandbox.next_token_answers(vec![keyfob::sandbox::Fault::RotateThenReset; 2]);
    shop.line("refresh shop").exits(7);
    shop.line("export shop").exits(7).without_product().says("was cut short");
    shop.line("refresh shop").exits(4);
    shop.line("export shop").exits(4).without_product();
    shop.line("revoke shop --local-only").ok();
    shop.line("export shop").exits(4).without_product().says("is not connected");
}

#[test]
fn documents_say_what_went_out_and_what_came_in() {
    let shop = connected("inkress");
    let document = shop.line("export shop --json").ok().json();
    assert_eq!(document["profile"], "shop");
    assert_eq!((&document["single_holder"], &document["moved"]), (&true.into(), &false.into()));
    let there = elsewhere(&shop);
    let ran = import(&there, "import shop --sealed --json", document["blob"].as_str().unwrap());
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.json()["state"], "ready");
    let ran = import(&there, "import shop --sealed --json", "nothing of the kind");
    assert_eq!(ran.failure()["code"], "blob-damaged");
}

#[test]
fn an_export_says_which_key_has_sealed_it_and_never_the_key() {
    let mut shop = connected("inyo");
    let said = |shop: &Shop, line: &str| {
        let ran = shop.line(line).ok();
        assert!(!ran.stderr.contains(KEY) && !ran.stdout.contains(KEY), "{}", ran.stderr);
        let (_, which) = ran.stderr.split_once("`shop` is sealed with ").expect("a line says so");
        which.split_once(", which `keyfob import --sealed` needs\n").unwrap().0.to_owned()
    };
    let file = shop.world.own_file("blob.key", KEY);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let file = file.display().to_string();
    let with_flag = format!("export shop --key-file {file}");
    assert_eq!(said(&shop, &with_flag), format!("the key in {file}"));
    assert_eq!(said(&shop, "export shop"), "the key in KEYFOB_BLOB_KEY");
    shop.world.set("KEYFOB_BLOB_KEY", "");
    shop.world.set("KEYFOB_STORE_KEY_FILE", &file);
    assert_eq!(said(&shop, "export shop"), format!("the key in {file} (KEYFOB_STORE_KEY_FILE)"));
    shop.world.set("KEYFOB_STORE_KEY", KEY);
    assert_eq!(said(&shop, "export shop"), "the key in KEYFOB_STORE_KEY");
    assert_eq!(shop.line("export shop --json").ok().stderr, "");
    shop.world.seat(&["a long enough passphrase", "a long enough passphrase"]);
    assert_eq!(said(&shop, "export shop --passphrase"), "the passphrase");
}

#[test]
fn no_secret_of_it_is_said_or_written_in_the_clear() {
    let mut shop = Shop::behaving("inkress", Behaviour::default());
    shop.world.set("KEYFOB_BLOB_KEY", KEY);
    let shop = shop.and_connected();
    let entry: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let secrets = [
        entry["tokens"]["access_token"].as_str().unwrap(),
        entry["tokens"]["refresh_token"].as_str().unwrap(),
        entry["secrets"]["client_secret"].as_str().unwrap(),
        entry["journal_key"].as_str().unwrap(),
        KEY,
    ];
    let there = elsewhere(&shop);
    let out = shop.line("export shop -v -v").ok();
    let ran = import(&there, "import shop --sealed -v -v --store file", &out.stdout).ok();
    let carried = there.home().sealed().join("shop.sealed");
    assert!(carried.exists());
    let files = there.files().into_values().map(|text| String::from_utf8_lossy(&text).into_owned());
    for text in [out.stdout, out.stderr, ran.stdout, ran.stderr].into_iter().chain(files) {
        for secret in secrets {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test] // ER4
fn a_sealed_import_to_do_again_names_the_key_that_was_named() {
    let world = World::new();
    let nothing = import(&world, "import shop --sealed --key-file shop.key", "").exits(2);
    nothing.says("keyfob import shop --sealed --key-file shop.key < FILE");

    let shop = connected("inkress");
    let key = private_file_with_key(&shop);
    let blob = shop.line(&format!("export shop --key-file {key}")).ok().stdout;
    let other = connected("inyo");
    let line = format!("import shop --sealed --key-file {key}");
    let refused = import(&other.world, &line, &blob).exits(2).says("is connected to inyo");
    refused.says(&format!("keyfob import shop-2 --sealed --key-file {key}"));
    import(&other.world, &line.replace(" shop ", " shop-2 "), &blob).ok();
}

fn private_file_with_key(shop: &Shop) -> String {
    let path = shop.world.folder.path().join("shop.key");
    private_file(&path, KEY);
    path.display().to_string()
}
