//! Marked secrets in every slot, everything said aloud: no mark where it does not belong.

use keyfob::sandbox::{Endpoint, Fault, Options, Sandbox};
use keyfob::secret::Secret;
use std::sync::Arc;

use crate::support::random::Sequence;
use crate::support::shop::vendor_imports;
use crate::support::world::{Ran, World};
use crate::support::{Shop, free_port};

/// A mark for what a test types itself; what the vendor makes is read from its log.
const MARK: &str = "MARKEDmarkedMARKEDmarkedMARKED00";

/// Every secret that has crossed the wire, from either side.
fn secrets(shop: &Shop) -> Vec<String> {
    let mut secrets = vec![MARK.to_owned()];
    if let Some(secret) = &shop.how.client.client_secret {
        secrets.push(secret.expose().to_owned());
    }
    for seen in shop.sandbox.log() {
        let text = seen.text();
        let parameters = crate::support::parameters(&format!("http://x/?{text}"));
        let object: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let members = object.as_object().into_iter().flatten();
        let pairs = members
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .chain(parameters);
        secrets.extend(pairs.filter(|(name, _)| is_secret(name)).map(|(_, value)| value));
        let authorization = seen.header("authorization").and_then(|it| it.split(' ').nth(1));
        if seen.endpoint != Endpoint::Authorization {
            secrets.extend(authorization.map(str::to_owned));
        }
    }
    secrets.extend(entry_secrets(&shop.world));
    secrets.retain(|secret| secret.len() > 8);
    secrets.sort();
    secrets.dedup();
    secrets
}

fn is_secret(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "client_secret",
        "secretId",
        "code",
        "code_verifier",
        "access_token",
        "refresh_token",
        "password",
        "token",
        "oauth_token",
    ];
    NAMES.contains(&name)
}

/// What the store holds now: tokens, secrets, the journal's key.
fn entry_secrets(world: &World) -> Vec<String> {
    let Some(entry) = world.shelf.entry("shop") else { return Vec::new() };
    let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
    let named = [
        &entry["tokens"]["access_token"],
        &entry["tokens"]["refresh_token"],
        &entry["journal_key"],
    ];
    named.into_iter().filter_map(|it| it.as_str()).map(str::to_owned).collect()
}

#[track_caller]
fn holds_none(what: &str, text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{what} holds a secret: {text}");
    }
}

/// Runs a line as loudly as can be, both ways, and keeps what was said.
fn aloud(shop: &Shop, line: &str, said: &mut Vec<(String, Ran)>) {
    for loud in ["-v -v", "--json -v -v", "-v -v -v --color always"] {
        let line = format!("{line} {loud}");
        said.push((line.clone(), shop.line(&line)));
    }
}

#[test] // T17, AT-17, LG1, LG4, TS15
fn no_secret_is_on_a_stream_or_in_a_file_whatever_is_said_aloud() {
    for vendor in ["inkress", "inyo", "merchantos", "imprest", "inventorum", "standard"] {
        let shop = Shop::of(vendor);
        let mut said = Vec::new();
        let scopes: Vec<&str> = shop.how.scopes.iter().map(String::as_str).collect();
        let first = match vendor_imports(&shop.sandbox) {
            true => shop.import(&scopes),
            false => {
                let scopes = scopes.join(",");
                let mut words = vec!["-v", "-v", "--yes"];
                if !scopes.is_empty() {
                    words.extend(["--scope", scopes.as_str()]);
                }
                shop.connect_with(&words)
            }
        };
        said.push(("connect".to_owned(), first));
        let path = format!(
            "GET {}",
            shop.sandbox
                .provider()
                .scope
                .iter()
                .flat_map(|it| &it.endpoints)
                .next()
                .map_or("/x", |it| it)
        );
        for fault in
            [None, Some(Fault::status(401)), Some(Fault::status(500)), Some(Fault::Truncated)]
        {
            shop.sandbox.next_api_answers(fault.into_iter().collect());
            aloud(&shop, &format!("call shop {path} --retry 1"), &mut said);
        }
        for fault in [None, Some(Fault::status(503)), Some(Fault::Truncated)] {
            shop.sandbox.next_api_answers(fault.into_iter().collect());
            aloud(&shop, &format!("call shop {path} --retry 0 --paginate"), &mut said);
        }
        for fault in [None, Some(Fault::Html), Some(Fault::RotateThenReset), Some(Fault::Garbage)] {
            shop.sandbox.next_token_answers(fault.into_iter().collect());
            aloud(&shop, "refresh shop", &mut said);
        }
        for line in [
            "status",
            "scopes shop",
            "profile show shop",
            "profile list",
            "provider list",
            "call shop GET /x --dry-run",
            "call shop GET /x --curl",
            "call shop POST /x a=b --dry-run",
        ] {
            aloud(&shop, line, &mut said);
        }
        let mut secrets = secrets(&shop);
        aloud(&shop, "revoke shop", &mut said);
        secrets.extend(self::secrets(&shop));
        assert!(secrets.len() > 3, "{vendor}: {}", secrets.len());
        for (line, ran) in &said {
            holds_none(&format!("{vendor}: stdout of {line}"), &ran.stdout, &secrets);
            holds_none(&format!("{vendor}: stderr of {line}"), &ran.stderr, &secrets);
        }
        for page in shop.world.browser.pages() {
            holds_none("the page", &page.body, &secrets);
        }
        for (path, text) in shop.world.files() {
            holds_none(&path.display().to_string(), &String::from_utf8_lossy(&text), &secrets);
        }
    }
}

#[test] // AT-17
fn traffic_is_shown_with_fingerprints_that_tell_two_tokens_apart() {
    let shop = Shop::connected("inkress");
    let shown = |ran: Ran| {
        let line = ran
            .stderr
            .lines()
            .find(|line| line.to_lowercase().contains("authorization:"))
            .map(str::to_owned);
        line.unwrap_or_else(|| panic!("{}", ran.stderr))
    };
    let first = shown(shop.line("call shop GET /orders -v -v").ok());
    let again = shown(shop.line("call shop GET /orders -v -v").ok());
    shop.line("refresh shop").ok();
    let other = shown(shop.line("call shop GET /orders -v -v").ok());
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test] // LG1
fn a_vendor_that_quotes_the_secret_back_is_not_passed_on() {
    let shop = Shop::connected("inkress");
    let entry: serde_json::Value =
        serde_json::from_str(&shop.world.shelf.entry("shop").unwrap()).unwrap();
    let refresh_token = entry["tokens"]["refresh_token"].as_str().unwrap().to_owned();
    let body = serde_json::json!({
        "error": "invalid_request",
        "error_description": format!("cannot take {refresh_token}"),
    });
    let quoting = Fault::Status {
        status: 400,
        headers: vec![("content-type".into(), "application/json".into())],
        body: body.to_string(),
    };
    shop.sandbox.next_token_answers(vec![quoting; 3]);
    for line in ["refresh shop", "refresh shop --json", "refresh shop -v -v"] {
        let ran = shop.line(line).exits(5);
        assert!(!ran.stderr.contains(&refresh_token), "{line}: {}", ran.stderr);
    }
}

#[test]
fn sealed_files_show_nothing_and_modes_are_private() {
    let mut shop = Shop::of("inkress");
    shop.world.set("KEYFOB_STORE", "file");
    shop.connect().ok();
    shop.line("refresh shop").ok();
    let token = shop.line("token shop").ok().stdout.trim().to_owned();
    let mut secrets = secrets(&shop);
    secrets.push(token);
    for (path, text) in shop.world.files() {
        holds_none(&path.display().to_string(), &String::from_utf8_lossy(&text), &secrets);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &std::path::Path| {
                std::fs::metadata(path).unwrap().permissions().mode() & 0o777
            };
            assert_eq!(mode(&path), 0o600, "{}", path.display());
            assert_eq!(mode(path.parent().unwrap()), 0o700, "{}", path.display());
        }
    }
}

#[test]
fn a_password_and_a_client_secret_that_were_typed_are_kept_from_every_stream() {
    let world = World::new();
    let options = Options {
        clock: world.clock.clone(),
        random: Arc::new(Sequence::named("vendor")),
        client_secret: Some(Secret::new(MARK)),
        redirect_uris: vec![format!("http://127.0.0.1:{}/cb", free_port())],
        ..Options::default()
    };
    let sandbox = Sandbox::start("inventorum", options).unwrap();
    let how = sandbox.how_to_connect();
    let owner = how.owner.unwrap();
    let password = world.own_file("password", "WRONGpasswordWRONG");
    let right = world.own_file("right", owner.password.expose());
    let host = format!("host={}", sandbox.origin());
    let (password, right) = (password.display().to_string(), right.display().to_string());
    for (file, is_right) in [(&password, false), (&right, true)] {
        *world.stdin.borrow_mut() = MARK.as_bytes().to_vec();
        let ran = world.run([
            "connect",
            "till",
            "--provider",
            "inventorum",
            "--set",
            &host,
            "--client-id",
            &how.client.client_id,
            "--flow",
            "password",
            "--username",
            &owner.username,
            "--password-file",
            file,
            "--client-secret-file",
            "-",
            "-v",
            "-v",
        ]);
        assert_eq!(ran.exit == 0, is_right, "{}", ran.stderr);
        for text in [&ran.stdout, &ran.stderr] {
            holds_none("a stream", text, &[MARK.to_owned(), "WRONGpasswordWRONG".to_owned()]);
        }
    }
}
