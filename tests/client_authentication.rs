//! How a client proves itself: what is typed against what is known of it, and the command that advice gives.

use serde_json::json;

use crate::register::registered;
use crate::support::place::Place;
use crate::support::world::Ran;

#[test] // EX7, CA3
fn a_registered_client_proves_itself_as_the_server_registered_it() {
    let shop = registered();
    shop.line("connect shop --client-authentication none")
        .exits(2)
        .says("`shop` is not registered for none")
        .says("the server registered its client for client_secret_basic");
    shop.line("connect shop --client-authentication client_secret_basic").ok();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["client"], json!({"auth": "basic"}));
    // A file in which another method was left behind shows the one that is used.
    let file = shop.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text.replace("[client]\nauth = \"basic\"", "[client]\nauth = \"id\"");
    assert!(text.contains("auth = \"id\""), "{text}");
    std::fs::write(&file, text).unwrap();
    let shown = shop.line("profile show shop --json").ok().json();
    assert_eq!(shown["client"], json!({"auth": "basic"}));
    let shown = shop.line("profile show shop").ok().stdout;
    assert!(shown.contains("client        client_secret_basic\n"), "{shown}");
    shop.line("refresh shop").ok();
}

#[test] // CA3
fn a_client_that_is_refused_without_a_proof_is_connected_by_the_command_that_advice_gives() {
    let place = Place::new();
    let issuer = place.server.issuer.clone();
    let connect = format!("connect two --provider {issuer} --client-id secret");
    let ran = place.line(&format!("{connect} --client-authentication none")).exits(3);
    place.server.came();
    let next = advised(&ran, "--client-secret-file …");
    let secret = place.world.folder.path().join("secret");
    place.world.line(&next.replace('…', secret.to_str().unwrap())).ok();
    assert!(place.server.came().iter().all(|it| it.client == "secret" && it.is_proven));
}

#[test] // CA3
fn a_key_that_a_kept_file_has_no_use_for_is_taken_by_the_command_that_asks_the_server_again() {
    let place = Place::new();
    let issuer = place.server.issuer.clone();
    place.server.says(json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}));
    place.connect("secret").ok();
    place.server.says(json!({}));
    let trust = place.authority.file.display();
    let path = |name: &str| place.world.folder.path().join(name).to_str().unwrap().to_owned();
    let (key, chain) = (path("key.pem"), path("chain.pem"));
    place
        .line(&format!("connect secret --client-key-file {key} --scope items:write --store file"))
        .exits(2)
        .says("takes no private key")
        .says(&format!(
            "keyfob connect secret --store file --cacert {trust} --scope items:write --provider {issuer} --client-key-file …\n"
        ));
    place
        .line(&format!(
            "connect secret --client-certificate-file {chain} --client-key-file {key} --yes"
        ))
        .exits(2)
        .says("takes no client certificate")
        .says(&format!(
            "keyfob connect secret --client-key-file {key} --cacert {trust} --yes --provider {issuer} --client-certificate-file …\n"
        ));
    *place.world.stdin.borrow_mut() = br#"{"access_token":"a"}"#.to_vec();
    place
        .line(&format!("import secret --client-key-file {key}"))
        .exits(2)
        .says("takes no private key")
        .says(&format!(
            "keyfob import secret --cacert {trust} --provider {issuer} --client-key-file …\n"
        ));
}

/// Describes the server in a file of the person's own, whose token endpoint names a host of the profile's.
fn describe(place: &Place, methods: &str) -> String {
    let issuer = &place.server.issuer;
    let text = format!(
        "schema = 1\nname = \"own\"\ntitle = \"Own\"\nflows = [\"device_code\"]\n[discovery]\nurl = \"{issuer}/.well-known/oauth-authorization-server\"\nissuer = \"{issuer}\"\n[settings.auth_host]\nask = \"host\"\nformat = \"host\"\n[client]\nauth = \"basic\"\nsecret = \"optional\"\nmethods = {methods}\n[device]\nurl = \"{issuer}/device\"\n[token]\nurl = \"{{auth_host}}/token\"\n[refresh]\nrotation = \"rotating\"\n[revoke]\nurl = \"{issuer}/revoke\"\n[api]\nbase_url = \"{issuer}\"\n"
    );
    place.world.own_file("own.toml", &text);
    place.world.folder.path().join("own.toml").to_str().unwrap().to_owned()
}

#[test] // CA3
fn a_client_of_a_person_s_own_file_is_known_at_an_endpoint_with_a_value_in_it() {
    let place = Place::new();
    let own = describe(&place, r#"["basic", "private_key_jwt", "id"]"#);
    let set = format!("--provider {own} --set auth_host={}", place.server.issuer);
    place.line(&format!("connect public {set} --client-id public")).ok();
    let key = place.world.folder.path().join("key.pem");
    place
        .line(&format!("connect key {set} --client-id key --client-key-file {}", key.display()))
        .ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
    // A public client that has tokens is asked for no secret.
    describe(&place, r#"["basic", "private_key_jwt"]"#);
    place.line("connect public").ok();
    // A key in the store is the proof, where the profile says nothing.
    let file = place.world.home().configuration.join("profiles/key.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[client]\nauth = \"private_key_jwt\"\n", "")).unwrap();
    assert_eq!(place.line("profile show key --json").ok().json()["client"], json!(null));
    place.line("connect key").ok();
    let came = place.server.came();
    assert!(came.len() >= 4 && came.iter().all(|it| it.is_proven), "{came:?}");
}

/// The words after `keyfob` of the advised command that ends with these.
#[track_caller]
fn advised(ran: &Ran, words: &str) -> String {
    let mut lines = ran.stderr.lines().filter(|line| line.ends_with(words));
    let command = lines.find_map(|line| line.split_once("keyfob "));
    command.unwrap_or_else(|| panic!("{}", ran.stderr)).1.to_owned()
}
