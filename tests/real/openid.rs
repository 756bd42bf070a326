//! Who connected, proved by a certified server's own signature; and what it says of its tokens.

use serde_json::Value;

use super::authorization_server::{AuthorizationServer, Options};
use super::folder::Folder;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test] // OI1, OI2, OI4, OI5, OI6, OI7, OI9, DS16, RV9
fn a_certified_server_proves_who_connected_and_answers_for_its_tokens() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let asked = ["--scope", "openid,offline_access,email,orders:read", "--userinfo"];
    server.connect_with("openid", &folder, "allow", &asked).done();
    assert_eq!(server.counts().last_authorization["nonce"].as_str().unwrap().len(), 43);
    let account = json(&folder.run(&["status", "--json"]).done())["profiles"][0]["account"].clone();
    let subject = account["sub"].as_str().unwrap().to_owned();
    assert_eq!(account["email"], format!("{subject}@example.test"), "{account}");

    // A refresh brings an ID token of its own, of the same person.
    folder.run(&["refresh", "shop"]).done();
    let introspected = json(&folder.run(&["introspect", "shop", "--json"]).done());
    assert_eq!(introspected["active"], true);
    assert_eq!(
        (&introspected["sub"], &introspected["client_id"]),
        (&subject.into(), &"confidential".into())
    );
    let of_refresh = json(&folder.run(&["introspect", "shop", "--refresh-token", "--json"]).done());
    assert_eq!(of_refresh["active"], true);

    // The tokens as they were, once the server has ended them.
    let (store, backup) = (folder.join("home/state/store"), folder.join("backup"));
    copy(&store, &backup);
    folder.run(&["revoke", "shop"]).done();
    copy(&backup, &store);
    let stderr = folder.run(&["introspect", "shop"]).failed(4);
    assert!(stderr.contains("is not active") && stderr.contains("keyfob refresh shop"), "{stderr}");
    let stderr = folder.run(&["introspect", "shop", "--refresh-token"]).failed(4);
    assert!(stderr.contains("keyfob connect shop"), "{stderr}");
    let counts = server.counts();
    assert_eq!((counts.rotations, counts.spent_tokens_seen), (1, 0), "{counts:?}");
    assert!(counts.server_errors.is_empty(), "{counts:?}");
}

#[test] // OI3, OI4
fn a_token_that_a_certified_server_signs_with_another_algorithm_is_refused() {
    let folder = Folder::new();
    let server = AuthorizationServer::start(&folder, &Options::default());
    let file = server.provider_file(&folder, "openid");
    let text = std::fs::read_to_string(&file).unwrap();
    let strict = text.replace("[id_token]", "[id_token]\nalgorithms = [\"PS256\"]");
    let own = folder.write("strict.toml", &strict);
    let secret = folder.write("client-secret", super::authorization_server::CLIENT_SECRET);
    let mut command = folder.keyfob(&["connect", "shop", "--provider", &own, "--timeout", "30s"]);
    command
        .args(["--client-id", "confidential", "--client-secret-file", &secret])
        .args(["--scope", "openid,offline_access"])
        .env("BROWSER", super::authorization_server::person(&folder, "allow"));
    let stderr = super::folder::Ran::of(&mut command).failed(5);
    assert!(stderr.contains("signed with `RS256`, and PS256 is expected"), "{stderr}");
    folder.run(&["token", "shop"]).failed(3);
    assert_eq!(server.counts().grants_alive, 0, "what was given is revoked");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
