//! One refresh token under two names: the first refresh of either would end both, so it is refused.

use keyfob::profile::file::Profiles;

use crate::support::{Ran, Shop, World};

fn with_key(vendor: &str) -> Shop {
    let mut shop = Shop::of(vendor);
    shop.world.set("KEYFOB_BLOB_KEY", "a key of forty characters for the blobs.");
    shop.and_connected()
}

fn import(world: &World, line: &str, text: &str) -> Ran {
    *world.stdin.borrow_mut() = text.as_bytes().to_vec();
    world.line(line)
}

#[track_caller]
fn there_is_no(name: &str, world: &World) {
    assert_eq!(world.shelf.entry(name), None);
    assert!(Profiles::new(&world.home().configuration).find(name).unwrap().is_none());
}

#[test] // AT-14, AT-2g
fn a_sealed_connection_that_was_rolled_since_is_not_imported_beside_it() {
    let shop = with_key("inkress");
    let blob = shop.line("export shop").ok().stdout;
    shop.line("refresh shop").ok();
    let mine = import(&shop.world, "import other --sealed", &blob).exits(2).without_product();
    mine.says("spent").says("`shop`").says("keyfob status shop");
    import(&shop.world, "import other --sealed --yes", &blob).exits(2);
    there_is_no("other", &shop.world);
    // Sealed in the middle of its life, and rolled once more.
    let blob = shop.line("export shop").ok().stdout;
    shop.world.pass(1);
    shop.line("refresh shop").ok();
    import(&shop.world, "import other --sealed", &blob).exits(2).says("spent");
    there_is_no("other", &shop.world);
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
    shop.line("refresh shop").ok();
}

#[test] // AT-14, AT-2g
fn a_sealed_connection_that_is_here_under_another_name_is_imported_only_where_that_is_said() {
    let shop = with_key("inkress");
    let blob = shop.line("export shop").ok().stdout;
    let ran = import(&shop.world, "import other --sealed", &blob).exits(2);
    ran.says("`shop` holds this refresh token").says("--yes");
    there_is_no("other", &shop.world);
    import(&shop.world, "import other --sealed --yes", &blob).ok();
    // Where it has moved away, or is forgotten, nobody holds it.
    let shop = with_key("inkress");
    let blob = shop.line("export shop --move").ok().stdout;
    import(&shop.world, "import other --sealed", &blob).ok();
    shop.line("refresh other").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // AT-14
fn a_later_token_of_a_grant_goes_where_the_earlier_one_is() {
    let shop = with_key("inkress");
    let mut there = World::new();
    there.clock = shop.world.clock.clone();
    there.set("KEYFOB_BLOB_KEY", "a key of forty characters for the blobs.");
    import(&there, "import shop --sealed", &shop.line("export shop").ok().stdout).ok();
    shop.world.pass(1);
    there.line("refresh shop").ok();
    let back = there.line("export shop").ok().stdout;
    let ran = import(&shop.world, "import other --sealed", &back).exits(2);
    ran.says("holds an earlier token").says("keyfob import shop --sealed < FILE");
    there_is_no("other", &shop.world);
    import(&shop.world, "import shop --sealed", &back).ok();
    shop.line("refresh shop").ok();
    assert_eq!(shop.sandbox.spent_tokens_seen(), 0);
}

#[test] // AT-14
fn one_refresh_token_from_a_dashboard_has_one_profile() {
    let shop = Shop::of("inkress");
    let tokens = shop.sandbox.dashboard_tokens(&["orders:read", "offline_access"]).to_string();
    let line = |name: &str| format!("import {name} {}", shop.client().join(" "));
    let import = |line: &str| import(&shop.world, line, &tokens);
    import(&line("shop")).ok();
    import(&line("shop")).ok();
    import(&line("other")).exits(2).says("`shop` holds this refresh token");
    there_is_no("other", &shop.world);
    import(&format!("{} --yes", line("other"))).ok();
    shop.line("profile remove other --yes").ok();
    shop.line("revoke shop --local-only").ok();
    import(&line("other")).ok();
}

#[test]
fn access_tokens_and_refresh_tokens_that_live_on_may_be_held_twice() {
    let shop = with_key("inkress");
    let blob = shop.line("export shop --access-token-only").ok().stdout;
    import(&shop.world, "import other --sealed", &blob).ok();
    let shop = with_key("inyo");
    let blob = shop.line("export shop").ok().stdout;
    import(&shop.world, "import other --sealed", &blob).ok();
    shop.line("refresh other").ok();
    shop.line("refresh shop").ok();
}

#[test] // AT-14, AT-2g
#[cfg(unix)]
fn of_imports_at_once_one_gets_the_token() {
    use std::io::Write as _;

    use crate::support::program::Program;

    let program = Program::beside("inkress", keyfob::sandbox::Behaviour::default());
    let how = program.sandbox.how_to_connect();
    let mut tokens = program.sandbox.dashboard_tokens(&["orders:read", "offline_access"]);
    tokens["client_secret"] = how.client.client_secret.as_ref().unwrap().expose().into();
    let client = how.client.client_id.as_str();
    let started: Vec<_> = ["a", "b", "c", "d", "e", "f"]
        .map(|name| {
            let words = ["import", name, "--provider", "inkress", "--client-id", client];
            let mut command = program.command(words);
            let mut import = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
            // Each waits for the end of what it reads, so that all of them go on together.
            let mut stdin = import.stdin.take().unwrap();
            stdin.write_all(tokens.to_string().as_bytes()).unwrap();
            (import, stdin)
        })
        .into_iter()
        .collect();
    let (imports, inputs): (Vec<_>, Vec<_>) = started.into_iter().unzip();
    drop(inputs);
    let mut exits: Vec<_> = imports
        .into_iter()
        .map(|import| import.wait_with_output().unwrap().status.code())
        .collect();
    exits.sort();
    assert_eq!(exits, [Some(0), Some(2), Some(2), Some(2), Some(2), Some(2)]);
}
