//! `import`: tokens that were made elsewhere.

use keyfob::sandbox::Endpoint;

use crate::support::{Shop, World};

fn import(world: &World, line: &str, document: &str) -> crate::support::Ran {
    *world.stdin.borrow_mut() = document.as_bytes().to_vec();
    world.line(line)
}

#[test]
fn the_dashboard_s_refresh_token_is_rolled_at_once() {
    let shop = Shop::of("inventorum");
    shop.import(&["orders:read"]).ok().says("imported `shop` to Inventorum");
    assert_eq!(shop.sandbox.rotations(), 1, "keyfob alone holds the live one");
    shop.line("call shop GET /orders/").ok();
    assert_eq!(shop.world.status("shop")["scopes"]["granted"][0], "orders:read");
}

#[test]
fn without_a_client_the_tokens_serve_until_they_end() {
    let world = World::new();
    let ran = import(
        &world,
        "import till --provider inventorum",
        r#"{"access_token":"a","refresh_token":"r"}"#,
    );
    ran.ok().says("cannot be refreshed: give them with --client-id");
    assert_eq!(world.line("token till").ok().stdout, "a\n");
    assert_eq!(world.status("till")["access_expires_at"], "2026-06-02T08:00:00Z");
}

#[test] // T28
fn numbers_may_be_digits_and_times_may_be_dates() {
    let world = World::new();
    for (members, end) in [
        (r#""expires_in":600"#, "2026-06-01T08:10:00Z"),
        (r#""expires_in":"600""#, "2026-06-01T08:10:00Z"),
        (r#""expires_at":"2026-07-01T00:00:00Z""#, "2026-07-01T00:00:00Z"),
        (r#""expires_at":1782864000"#, "2026-07-01T00:00:00Z"),
    ] {
        let document = format!(r#"{{"access_token":"a",{members}}}"#);
        import(
            &world,
            "import till --provider imprest --set host=h.example --set organization_id=1",
            &document,
        )
        .ok();
        assert_eq!(world.status("till")["access_expires_at"], end, "{members}");
    }
}

#[test] // ST13
fn nonsense_is_refused_with_its_reason_and_nothing_is_written() {
    let world = World::new();
    for (document, words) in [
        ("", "standard input is empty"),
        ("nonsense", "holds no JSON object"),
        ("[]", "holds no JSON object"),
        ("{}", "`access_token` is missing"),
        (r#"{"access_token":""}"#, "`access_token` is missing"),
        (r#"{"access_tokens":"a"}"#, "did you mean `access_token`?"),
        (r#"{"access_token":7}"#, "`access_token` must be"),
        (r#"{"access_token":"inkr_x"}"#, "begins like"),
        (r#"{"access_token":"inka_x","refresh_token":"inka_y"}"#, "begins like"),
        (r#"{"access_token":"a","expires_in":-1}"#, "`expires_in` must be"),
        (r#"{"access_token":"a","expires_at":"soon"}"#, "`expires_at` must be"),
        (r#"{"access_token":"a","access_token":"b"}"#, "holds no JSON object"),
    ] {
        let ran = import(&world, "import shop --provider inkress", document);
        ran.exits(2).without_product().says(words);
        assert!(world.files().is_empty(), "{document}");
    }
    assert_eq!(world.shelf.entry("shop"), None);
}

#[cfg(unix)]
#[test]
fn a_connection_in_memory_ends_with_its_process_and_none_is_recorded() {
    use std::io::Write as _;
    let program = crate::support::program::Program::beside("inkress", Default::default());
    let words = ["import", "till", "--provider", "inkress", "--store", "memory"];
    let mut child = program.command(words).stdin(std::process::Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(br#"{"access_token":"inka_1"}"#).unwrap();
    let ran = child.wait_with_output().unwrap();
    let told = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && told.contains("ends with this command"), "{told}");
    let status = program.run("status till --json").stdout;
    let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
    assert_eq!(status["profiles"][0]["state"], "never-connected");
}

#[test]
fn a_terminal_is_not_read_where_nobody_may_be_asked() {
    let mut world = World::new();
    world.seat(&[]);
    *world.stdin.borrow_mut() = br#"{"access_token":"a"}"#.to_vec();
    let ran = world.line("import till --provider inventorum --no-input").exits(2);
    ran.says("keyfob import till --provider inventorum < FILE");
    assert!(world.files().is_empty());
}

#[test] // ST13
fn a_person_is_asked_for_each_part() {
    let shop = Shop::of("inventorum");
    let mut world = World::new();
    let tokens = shop.sandbox.dashboard_tokens(&["orders:read"]);
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose().to_owned();
    let (access, refresh) = (text("access_token"), text("refresh_token"));
    world.seat(&[&shop.how.client.client_id, &secret, &access, &refresh]);
    let host = format!("host={}", shop.sandbox.origin());
    world.run(["import", "till", "--provider", "inventorum", "--set", &host]).ok();
    let asked = world.person.as_ref().unwrap().asked();
    assert!(asked[2].contains("not shown"), "{asked:?}");
    assert_eq!(shop.sandbox.rotations(), 1);
    world.line("call till GET /orders/").ok();
}

#[test]
fn a_first_refresh_that_fails_keeps_the_import() {
    let shop = Shop::of("inventorum");
    shop.sandbox.next_token_answers(vec![keyfob::sandbox::Fault::status(503); 2]);
    shop.import(&["orders:read"]).exits(7).says("the tokens were imported");
    assert_eq!(shop.world.state("shop"), "ready");
}

/// Tokens of the vendor's dashboard, as JSON with this merchant.
fn of_merchant(tokens: &serde_json::Value, merchant: serde_json::Value) -> String {
    let mut tokens = tokens.clone();
    tokens["merchant_id"] = merchant;
    tokens.to_string()
}

#[test] // AT-14, AT-21
fn tokens_imported_once_more_under_another_account_s_name_are_not_revoked() {
    let shop = Shop::of("inkress");
    let scopes: Vec<&str> = shop.how.scopes.iter().map(String::as_str).collect();
    let mut tokens = shop.sandbox.dashboard_tokens(&scopes);
    tokens["client_secret"] = shop.how.client.client_secret.as_ref().unwrap().expose().into();
    let line = format!("import shop {}", shop.client().join(" "));
    import(&shop.world, &line, &of_merchant(&tokens, 138.into())).ok();
    let again = of_merchant(&tokens, 183.into());
    import(&shop.world, &line, &again).exits(2).says("merchant_id 138").says("merchant_id 183");
    let ran = import(&shop.world, &format!("{line} --yes"), &again).ok();
    assert!(!ran.stderr.contains("revoked"), "{}", ran.stderr);
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
    shop.line("refresh shop").ok();
    // Newer tokens of what may be the same grant: said, and left alone.
    let newer = shop.sandbox.dashboard_tokens(&scopes);
    let ran = import(&shop.world, &format!("{line} --yes"), &of_merchant(&newer, 7.into())).ok();
    ran.says("was not revoked and may live on");
    // An account that was only claimed is no reason to revoke what a connect replaces.
    shop.connect_with(&["--yes"]).ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
    shop.line("refresh shop").ok();
}

#[test] // AT-14
fn an_account_is_the_same_as_a_number_and_as_text() {
    let shop = Shop::of("inkress");
    let tokens = shop.sandbox.dashboard_tokens(&["orders:read"]);
    let line = format!("import shop {}", shop.client().join(" "));
    import(&shop.world, &line, &of_merchant(&tokens, 183.into())).ok();
    import(&shop.world, &line, &of_merchant(&tokens, "183".into())).ok();
    // What was known is not forgotten in silence.
    import(&shop.world, &line, &of_merchant(&tokens, serde_json::Value::Null)).exits(2);
}

#[test] // AT-21
fn the_same_tokens_are_not_revoked_where_a_revocation_ends_only_what_it_names() {
    let shop = Shop::of("standard");
    let file = shop.world.home().providers().join("standard.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[revoke]", "[revoke]\nreach = \"token\"")).unwrap();
    let tokens = shop.sandbox.dashboard_tokens(&[]).to_string();
    let line = format!("import shop {}", shop.client().join(" "));
    import(&shop.world, &line, &tokens).ok();
    import(&shop.world, &line, &tokens).ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
}

#[test]
fn an_import_without_a_refresh_token_says_that_it_holds_none() {
    let shop = Shop::of("inkress");
    let line = format!("import shop {}", shop.client().join(" "));
    let ran = import(&shop.world, &line, r#"{"access_token":"inka_1","expires_in":60}"#).ok();
    let ran = ran.says("the import holds no refresh token");
    assert!(!ran.stderr.contains("gave no"), "{}", ran.stderr);
    shop.world.pass(61);
    let ran = shop.line("token shop").exits(4);
    assert!(!ran.stderr.contains("gave no"), "Inkress was never asked: {}", ran.stderr);
}

#[test] // AT-21
fn a_connection_that_renews_itself_gives_way_to_an_access_token_only_where_that_is_said() {
    let shop = Shop::connected("inkress");
    let line = format!("import shop {}", shop.client().join(" "));
    let lesser = r#"{"access_token":"inka_1","merchant_id":183}"#;
    let ran = import(&shop.world, &line, lesser).exits(2);
    ran.says("the connection that is here can be renewed").says("--yes");
    shop.line("refresh shop").ok();
    let ran = import(&shop.world, &format!("{line} --yes"), lesser).ok();
    ran.says("the authorization that this one replaces was not revoked and may live on at Inkress");
    assert_eq!(shop.sandbox.counts(Endpoint::Revocation), 0);
    assert_eq!(shop.line("token shop").ok().stdout, "inka_1\n");
    // What cannot be renewed is nothing to be asked about.
    let ran = import(&shop.world, &line, r#"{"access_token":"inka_2","merchant_id":183}"#).ok();
    assert!(!ran.stderr.contains("live on"), "{}", ran.stderr);
}

#[test] // AT-21
fn a_person_is_asked_before_a_connection_that_renews_itself_gives_way_to_an_access_token() {
    let mut shop = Shop::connected("inkress");
    let words = [vec!["import".to_owned(), "shop".to_owned()], shop.client()].concat();
    for (answer, access_token) in [("n", None), ("y", Some("inka_1"))] {
        shop.world.seat(&["", "inka_1", "", answer, "y"]);
        let ran = shop.world.run(words.iter().map(String::as_str));
        let asked = shop.world.person.as_ref().unwrap().asked();
        assert!(asked.iter().any(|it| it.contains("renews itself now")), "{asked:?}");
        match access_token {
            Some(token) => {
                ran.ok();
                assert_eq!(shop.line("token shop").ok().stdout, format!("{token}\n"));
            }
            None => {
                ran.exits(2);
                shop.line("refresh shop").ok();
            }
        }
    }
}

#[test] // AT-21
fn a_connection_that_an_import_replaces_is_said_to_live_on() {
    let shop = Shop::connected("inkress");
    let scopes: Vec<&str> = shop.how.scopes.iter().map(String::as_str).collect();
    let tokens = shop.sandbox.dashboard_tokens(&scopes);
    let line = format!("import shop {}", shop.client().join(" "));
    let ran = import(&shop.world, &line, &of_merchant(&tokens, 183.into())).ok();
    ran.says("the authorization that this one replaces was not revoked and may live on at Inkress");
    shop.line("refresh shop").ok();
}
