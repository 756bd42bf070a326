//! `webhook verify`, `sign` and `send`: over the raw bytes, by the provider file, with the secret of the profile.

use crate::support::receiver::Program;
use crate::support::{Ran, Shop, World, private_file};

/// A secret that must never be seen.
const SECRET: &str = "whsec_MARKEDmarkedMARKEDmarked00";

/// A profile that was never connected; its secret is in the environment.
fn world() -> World {
    world_of("inkress")
}

fn world_of(provider: &str) -> World {
    let mut world = World::new();
    let profiles = world.home().configuration.join("profiles");
    private_file(&profiles.join("shop.toml"), format!("provider = \"{provider}\"\n"));
    world.set("KEYFOB_WEBHOOK_SECRET", SECRET);
    world
}

/// A provider of the user's own with that `[webhook]` table.
fn world_with(table: &str) -> World {
    let world = world_of("own");
    let folder = world.home().providers();
    let text = format!(
        "schema = 1\nname = \"own\"\nflows = [\"import\"]\n[token]\nurl = \"https://x.example/t\"\n[api]\nbase_url = \"https://x.example\"\n[webhook]\n{table}"
    );
    private_file(&folder.join("own.toml"), text);
    world
}

fn with_body(world: &World, body: &[u8], words: &[&str]) -> Ran {
    *world.stdin.borrow_mut() = body.to_vec();
    world.run(["webhook"].into_iter().chain(words.iter().copied()))
}

fn signed(world: &World, body: &[u8]) -> String {
    let ran = with_body(world, body, &["sign", "shop"]).ok();
    ran.stdout.strip_suffix('\n').unwrap().to_owned()
}

fn verify(world: &World, body: &[u8], signature: &str) -> Ran {
    with_body(world, body, &["verify", "shop", "--signature", signature])
}

#[test] // RR26
fn what_was_signed_verifies_and_every_other_byte_does_not() {
    let world = world();
    let bodies: [&[u8]; 6] =
        [b"{\"a\":1.0}", b"", b"\r\n", b"a\0b\xff\xfe", b"{\"a\":1}\n", &[0x20; 100_000]];
    for body in bodies {
        let signature = signed(&world, body);
        verify(&world, body, &signature).ok().without_product().says("the signature fits");
        let mut longer = body.to_vec();
        longer.push(b'\n');
        verify(&world, &longer, &signature).exits(8).without_product();
        if let Some((last, rest)) = body.split_last() {
            verify(&world, rest, &signature).exits(8);
            let flipped = [rest, &[last ^ 1]].concat();
            verify(&world, &flipped, &signature).exits(8).says("does not fit these bytes");
        }
    }
}

#[test] // RR26
fn a_signature_of_another_length_or_form_is_a_plain_no() {
    let world = world();
    let good = signed(&world, b"{}");
    let shorter = &good[..good.len() - 4];
    let longer = format!("AAAA{good}");
    let hex = "ab".repeat(32);
    for other in [shorter, &longer, &hex, "", " ", "=", "-", "\u{fc}", &good.to_lowercase()] {
        verify(&world, b"{}", other).exits(8).without_product();
    }
    let document = with_body(&world, b"{}", &["verify", "shop", "--signature", shorter, "--json"])
        .exits(8)
        .without_product()
        .failure();
    assert_eq!((&document["code"], &document["exit"]), (&"webhook-unverified".into(), &8.into()));
}

#[test]
fn headers_may_be_given_as_they_came() {
    let world = world();
    let signature = signed(&world, b"{}");
    let header = format!("x-inkress-webhook-signature: {signature}");
    let words = ["verify", "shop", "-H", &header, "-H", "X-Inkress-Webhook-Event: a", "-H", "A:b"];
    let document =
        with_body(&world, b"{}", &[&words[..], &["--json", "--id", "e1"]].concat()).ok().json();
    assert_eq!(document["verified"], true);
    assert_eq!((&document["event"], &document["id"]), (&"a".into(), &"e1".into()));
    with_body(&world, b"{}", &["verify", "shop"]).exits(2).says("X-Inkress-Webhook-Signature");
    with_body(&world, b"{}", &["verify", "shop", "-H", "nonsense"]).exits(2);
    with_body(&world, b"{}", &[&words[..4], &words[2..4]].concat()).exits(2).says("more than once");
    let odd = ["verify", "shop", "--signature", &signature, "--timestamp", "1"];
    with_body(&world, b"{}", &odd).exits(2).says("no effect");
}

#[test]
fn the_profile_may_come_from_the_environment() {
    let mut world = world();
    world.set("KEYFOB_PROFILE", "shop");
    let signature = with_body(&world, b"x", &["sign"]).ok().stdout;
    with_body(&world, b"x", &["verify", "--signature", signature.trim()]).ok();
}

#[test]
fn a_body_is_never_waited_for_at_a_terminal() {
    let mut world = world();
    world.seat(&[]);
    with_body(&world, b"", &["sign", "shop"]).exits(2).says("that is a terminal");
}

#[test]
fn a_secret_of_the_store_goes_with_its_profile() {
    let mut world = world();
    world.environment.remove("KEYFOB_WEBHOOK_SECRET");
    with_body(&world, b"", &["sign", "shop"])
        .exits(3)
        .says("KEYFOB_WEBHOOK_SECRET")
        .says("keyfob profile secret shop webhook_secret");
    *world.stdin.borrow_mut() = format!("{SECRET}\r\n").into_bytes();
    world.line("profile secret shop webhook_secret").ok();
    let signature = signed(&world, b"{}");
    verify(&world, b"{}", &signature).ok();
    world.line("profile rename shop store").ok();
    verify(&world, b"{}", &signature).exits(3);
    let again = ["verify", "store", "--signature", &signature];
    with_body(&world, b"{}", &again).ok();
    // What the environment says stands before it.
    world.set("KEYFOB_WEBHOOK_SECRET", "whsec_another");
    with_body(&world, b"{}", &again).exits(8);
    world.set("KEYFOB_WEBHOOK_SECRET", &format!("{SECRET}\n"));
    with_body(&world, b"{}", &again).ok();
    world.environment.remove("KEYFOB_WEBHOOK_SECRET");
    world.line("profile remove store --yes").ok();
    assert_eq!(world.shelf.entry("store"), None);
}

#[test]
fn a_secret_outlives_connecting_and_revoking() {
    let shop = Shop::of("inkress");
    *shop.world.stdin.borrow_mut() = Vec::new();
    let shop = shop.and_connected();
    *shop.world.stdin.borrow_mut() = SECRET.as_bytes().to_vec();
    shop.line("profile secret shop webhook_secret").ok();
    let signature = signed(&shop.world, b"{}");
    shop.line("refresh shop").ok();
    let shop = shop.and_connected();
    verify(&shop.world, b"{}", &signature).ok();
    shop.line("revoke shop").ok();
    verify(&shop.world, b"{}", &signature).ok();
}

#[test]
fn another_secret_in_its_place_is_named_and_not_shown() {
    let mut world = world();
    for (wrong, kind) in [("inka_MARKED", "access_token"), ("inkr_MARKED", "refresh_token")] {
        world.set("KEYFOB_WEBHOOK_SECRET", wrong);
        let ran = verify(&world, b"", "x").exits(2).says(kind);
        assert!(!ran.stderr.contains("MARKED"), "{}", ran.stderr);
    }
}

#[test]
fn a_provider_that_describes_no_webhook_says_so() {
    let world = world_of("inyo");
    for line in ["verify shop --signature x", "sign shop", "listen shop --port 0"] {
        let words: Vec<&str> = line.split(' ').collect();
        with_body(&world, b"", &words).exits(3).says("describes no webhook").without_product();
    }
    let broken = world_with("encoding = \"hex\"\nsignature_header = \"S\"\ntolerance = 5\n");
    with_body(&broken, b"", &["sign", "shop"]).exits(3).says("own.toml:11").says("no effect");
}

const STANDARD_WEBHOOKS: &str = "encoding = \"base64\"\nsignature_header = \"webhook-signature\"\nseparator = \" \"\nprefix = \"v1,\"\nsigned = \"{id}.{timestamp}.{body}\"\nid_header = \"webhook-id\"\ntimestamp_header = \"webhook-timestamp\"\ntolerance = 60\nkey = \"base64\"\nkey_prefix = \"whsec_\"\n";

#[test]
fn a_scheme_of_the_users_own_signs_id_and_time() {
    let mut world = world_with(STANDARD_WEBHOOKS);
    world.set("KEYFOB_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    with_body(&world, b"{}", &["sign", "shop"]).exits(2).says("--id");
    let lines = with_body(&world, b"{}", &["sign", "shop", "--headers", "--id", "msg_1"]).ok();
    let lines: Vec<&str> = lines.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let mut words = vec!["verify", "shop"];
    words.extend(lines.iter().flat_map(|line| ["--header", line]));
    with_body(&world, b"{}", &words).ok();
    world.pass(60);
    with_body(&world, b"{}", &words).ok();
    world.pass(1);
    with_body(&world, b"{}", &words).exits(8).says("signed 61 seconds ago");
    world.clock.set_back(std::time::Duration::from_secs(122));
    with_body(&world, b"{}", &words).exits(8).says("61 seconds in the future");
    world.pass(1);
    with_body(&world, b"{}", &words).ok();
    let other = [&words[..], &["--id", "msg_2"]].concat();
    with_body(&world, b"{}", &other).exits(8).says("does not fit");
    with_body(&world, b"{}", &words[..4]).exits(8).says("no timestamp").says("--timestamp");

    let ran = with_body(&world, b"{}", &["sign", "shop", "--id", "a"]).ok();
    assert!(ran.stderr.contains("it holds with webhook-timestamp: "), "{}", ran.stderr);
    world.set("KEYFOB_WEBHOOK_SECRET", "whsec_not!base64");
    let ran = with_body(&world, b"{}", &words).exits(3).says("is not base64");
    assert!(!ran.stderr.contains("not!base64"));
}

#[test]
fn a_time_within_the_signature_header_needs_nothing_beside_it() {
    let world = world_with(
        "encoding = \"hex\"\nsignature_header = \"Stripe-Signature\"\nseparator = \",\"\nprefix = \"v1=\"\ntimestamp_prefix = \"t=\"\nsigned = \"{timestamp}.{body}\"\n",
    );
    let header = signed(&world, b"{}");
    assert!(header.starts_with("t=1780300800,v1="), "{header}");
    verify(&world, b"{}", &header).ok();
    let rolled = header.replace(",v1=", ",v1=00,v1=");
    verify(&world, b"{}", &rolled).ok();
    verify(&world, b"{}", header.split_once(',').unwrap().1).exits(8).says("no timestamp");
}

#[test]
fn a_test_event_goes_out_signed_and_the_answer_decides() {
    let world = world();
    let program = Program::answering(&[200]);
    let url = program.url();
    let words =
        ["send", "shop", &url, "--event", "orders.paid", "--id", "e1", "--data", "{\"a\":\r\n1.0}"];
    with_body(&world, b"", &words).ok().without_product().says("orders.paid was taken: HTTP 200");
    let (head, body) = program.heard().pop().unwrap();
    assert_eq!(body, b"{\"a\":\r\n1.0}");
    assert!(head.starts_with("post /app http/1.1\r\n"), "{head}");
    assert!(head.contains("x-inkress-webhook-event: orders.paid\r\n"), "{head}");
    assert!(head.contains("x-inkress-webhook-id: e1\r\n"), "{head}");
    let signature = signed(&world, &body).to_lowercase();
    assert!(head.contains(&format!("x-inkress-webhook-signature: {signature}\r\n")), "{head}");

    let file = world.own_file("body.json", b"\0from a file\n").display().to_string();
    with_body(&world, b"", &["send", "shop", &url, "--data", &format!("@{file}")]).ok();
    assert_eq!(program.heard().pop().unwrap().1, b"\0from a file\n");
    with_body(&world, b"from standard input", &["send", "shop", &url, "--data", "-"]).ok();
    assert_eq!(program.heard().pop().unwrap().1, b"from standard input");
    let document = with_body(&world, b"", &["send", "shop", &url, "--json"]).ok().json();
    assert_eq!((&document["status"], &document["event"]), (&200.into(), &"keyfob.test".into()));
    let event: serde_json::Value =
        serde_json::from_slice(&program.heard().pop().unwrap().1).unwrap();
    assert_eq!((&event["test"], &event["id"]), (&true.into(), &document["id"]));

    for (status, exit) in [(302, 8), (401, 8), (404, 8), (500, 9), (503, 9)] {
        let program = Program::answering(&[status]);
        let ran = with_body(&world, b"", &["send", "shop", &program.url()]).exits(exit);
        ran.says(&format!("HTTP {status}")).without_product();
        assert_eq!(program.heard().len(), 1, "nothing is followed or sent twice");
    }
}

#[test]
fn a_test_event_goes_to_loopback_or_over_https_alone() {
    let mut world = world();
    let send = |world: &World, words: &[&str]| with_body(world, b"", &[&["send"], words].concat());
    send(&world, &["shop", "http://example.com/"]).exits(3).says("https");
    send(&world, &["shop", "http://127.0.0.1:1/"]).exits(7);
    for no_url in ["nonsense", "ftp://127.0.0.1/", "/hook"] {
        send(&world, &["shop", no_url]).exits(2);
    }
    send(&world, &["http://127.0.0.1:1/"]).exits(2).says("no profile was named");
    world.set("KEYFOB_PROFILE", "shop");
    send(&world, &["http://127.0.0.1:1/"]).exits(7);
    send(&world, &["shop", "http://127.0.0.1:1/", "third"]).exits(2);
}

#[test] // T17, AT-17
fn no_secret_is_said_aloud() {
    let mut world = world();
    let program = Program::answering(&[200, 401]);
    let url = program.url();
    let lines = [
        "verify shop --signature AAAA".to_owned(),
        "sign shop".into(),
        "sign shop --headers".into(),
        format!("send shop {url}"),
        format!("send shop {url}"),
        "listen shop --port 0 --forward http://example.com".into(),
        "listen shop --port 0 --only-this-account".into(),
    ];
    for loud in ["-v -v -v", "--json -v"] {
        for line in &lines {
            let words: Vec<&str> = line.split(' ').chain(loud.split(' ')).collect();
            let ran = with_body(&world, b"{}", &words);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains("MARKED"), "{line}: {said}");
        }
    }
    assert!(program.heard().iter().all(|(head, _)| !head.contains("marked")));
    world.environment.remove("KEYFOB_WEBHOOK_SECRET");
    *world.stdin.borrow_mut() = SECRET.as_bytes().to_vec();
    world.line("profile secret shop webhook_secret --store file").ok();
    let signature = signed(&world, b"{}");
    verify(&world, b"{}", &signature).ok();
    for (path, bytes) in world.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("MARKED"), "{}", path.display());
    }
}

#[test]
fn the_catalogue_shows_how_a_vendor_signs() {
    let world = World::new();
    let page = world.line("provider show inkress").ok().stdout;
    assert!(page.contains("X-Inkress-Webhook-Signature"), "{page}");
}

#[test]
fn a_failure_says_what_happened_why_and_what_to_do() {
    let mut world = world();
    let refused = verify(&world, b"{}", "AAAA").exits(8);
    assert_eq!(
        refused.stderr,
        "error: the webhook does not verify\ncause: the signature does not fit these bytes and this secret\nhint:  the bytes must be those that came, to the last line break; and the secret the one that signed them\n"
    );
    let unreadable = verify(&world, b"{}", "sha256=00").exits(8);
    assert_eq!(
        unreadable.stderr,
        "error: the webhook does not verify\ncause: the signature is not written as the scheme has it\nhint:  give the whole value of X-Inkress-Webhook-Signature: … in base64\n"
    );
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let busy = world.line(&format!("webhook listen shop --port {port}")).exits(3);
    busy.says(&format!("error: port {port} of 127.0.0.1 cannot be had\n"))
        .says("hint:  another program listens there: choose another port\n");
    let alone = world.line("webhook listen shop --port 0 --only-this-account").exits(3);
    alone.says("error: the account of `shop` is not known\n").says("keyfob connect shop\n");
    world.environment.remove("KEYFOB_WEBHOOK_SECRET");
    let missing = world.line("webhook listen shop --port 0").exits(3);
    assert_eq!(
        missing.stderr,
        "error: there is no webhook secret for `shop`\ncause: neither KEYFOB_WEBHOOK_SECRET nor the store holds one\nhint:  keep the one that the vendor issued, or set KEYFOB_WEBHOOK_SECRET\n       keyfob profile secret shop webhook_secret\n"
    );
}
