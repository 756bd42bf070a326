//! How a client of a discovered server comes to its method, and what is missed before anybody is sent
//! anywhere.

use serde_json::{Value, json};

use crate::support::browser::Behaviour;
use crate::support::place::{Place, SECRET};
use crate::support::scripted::Scripted;
use crate::support::world::World;

#[test]
fn a_method_that_nobody_takes_there_is_a_slip() {
    let place = Place::new();
    let issuer = place.server.issuer.clone();
    let connect = format!("connect x --provider {issuer} --client-id public");
    place
        .line(&format!("{connect} --client-authentication client_secret_jwt"))
        .exits(2)
        .says("does not take client_secret_jwt")
        .says("it takes client_secret_basic, client_secret_post, none, private_key_jwt");
    place.line(&format!("{connect} --client-authentication bearer")).exits(2);
    place
        .line("connect x --provider inkress --client-id inkid_1 --client-authentication none")
        .exits(2)
        .says("Inkress does not take none");
    let secret = place.world.folder.path().join("secret");
    let contradiction = format!("{connect} --client-authentication none --client-secret-file");
    place
        .line(&format!("{contradiction} {}", secret.display()))
        .exits(2)
        .says("sends no client secret")
        .says("--client-secret-file brings one");
    assert_eq!(place.server.came(), []);
}

#[test] // CA3, CA4
fn a_secret_of_the_environment_chooses_the_method_as_one_of_a_file_does() {
    let mut place = Place::new();
    let issuer = place.server.issuer.clone();
    let connect = format!("connect two --provider {issuer}");
    place.line(&format!("{connect} --client-id public --client-authentication none")).ok();
    place.only("public", &["/device", "/token"]);
    place.world.set("KEYFOB_CLIENT_SECRET", SECRET);
    // What says that none is sent, and a secret, are not both meant.
    place
        .line(&format!("{connect} --client-id secret --client-authentication none"))
        .exits(2)
        .says("sends no client secret")
        .says("KEYFOB_CLIENT_SECRET brings one");
    assert_eq!(place.server.came(), []);
    place.line("revoke two").ok();
    // A client that the profile says to be public has got a secret.
    let file = place.folder_file("profiles", "two");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("auth = \"id\""), "{text}");
    std::fs::write(&file, text.replace("\"public\"", "\"secret\"")).unwrap();
    place.server.came();
    place.line("connect two").ok();
    place.only("secret", &["/device", "/token"]);
}

#[test] // CA3, CA4
fn a_flag_and_a_key_of_the_environment_stand_before_a_secret_of_the_environment() {
    let mut place = Place::new();
    place.world.set("KEYFOB_CLIENT_SECRET", SECRET);
    place.connect("key").ok();
    place.only("key", &["/device", "/token"]);
    place.line("profile remove key --yes").ok();
    place.server.came();
    let file = place.world.folder.path().join("key.pem").to_str().unwrap().to_owned();
    place.world.set("KEYFOB_CLIENT_KEY_FILE", &file);
    let connect = format!("connect key --provider {} --client-id key", place.server.issuer);
    for line in [connect.as_str(), "connect key"] {
        place.line(line).ok();
        assert!(place.server.came().iter().all(|it| it.is_proven), "{line}");
    }
}

#[test] // CA3
fn the_method_of_one_client_is_not_the_method_of_the_next_one() {
    let place = Place::new();
    let connect = format!("connect two --provider {} --client-id", place.server.issuer);
    let method =
        |place: &Place| place.line("profile show two --json").ok().json()["client"]["auth"].clone();
    for name_another in ["profile set two client_id=secret", "connect two --client-id secret"] {
        place.line(&format!("{connect} public --client-authentication none --yes")).ok();
        assert_eq!(method(&place), "id");
        place.line("revoke two").ok();
        *place.world.stdin.borrow_mut() = SECRET.as_bytes().to_vec();
        place.line("profile secret two client_secret").ok();
        place.line(name_another).ok();
        place.line("connect two").ok();
        assert_eq!(method(&place), Value::Null);
        place.line("revoke two").ok();
        let came = place.server.came();
        let last = came.last().map(|it| (it.client.as_str(), it.is_proven));
        assert_eq!(last, Some(("secret", true)), "{came:?}");
    }
}

#[test] // CA3
fn a_secret_that_every_client_needs_is_missed_before_anybody_is_sent_anywhere() {
    let place = Place::new();
    let methods = ["client_secret_basic", "private_key_jwt", "tls_client_auth"];
    place.server.says(json!({"token_endpoint_auth_methods_supported": methods}));
    let issuer = place.server.issuer.clone();
    let connect = format!("keyfob connect public --provider {issuer} --client-id public");
    let ran = place.connect("public").exits(3).without_product();
    let ran = ran.says("there is no client secret for `public`");
    let again = format!("{connect} --cacert {}", place.authority.file.display());
    let ran = ran.says(&format!("{again} --client-secret-file …"));
    let ran = ran.says(&format!("{again} --client-key-file …"));
    let ran = ran.says(&format!("{again} --client-certificate-file … --client-key-file …"));
    ran.says(&format!("{again} --client-authentication none"));
    assert_eq!(place.server.came(), []);
    let failure = place.connect_json("public");
    assert_eq!((&failure["code"], &failure["exit"]), (&json!("client-secret-missing"), &json!(3)));
    // A key where none is taken is a slip, and no file of the person's is to be changed.
    place.server.says(json!({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}));
    let ran = place.connect("key").exits(2).says("takes no private key");
    assert!(
        !ran.says("is client_secret_basic").stderr.contains("provider file"),
        "a discovered one"
    );
    // Where a key is all that the server takes, it is the key that is missed.
    place.server.says(json!({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}));
    place.connect("public").exits(3).says("there is no private key").says("--client-key-file …");
    assert_eq!(place.server.came(), []);
    // Many servers let public clients in and do not say so: the person knows.
    place.server.says(json!({"token_endpoint_auth_methods_supported": methods}));
    place.line(&format!("{} --client-authentication none", &connect["keyfob ".len()..])).ok();
    place.only("public", &["/device", "/token"]);
    place.line("refresh public").ok();
    place.line("connect public").ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
}

#[test] // CA3, CA4
fn a_person_at_a_terminal_is_asked_for_the_secret_that_every_client_needs() {
    let mut place = Place::new();
    let methods = ["client_secret_basic", "client_secret_post"];
    place.server.says(json!({"token_endpoint_auth_methods_supported": methods}));
    place.world.seat(&[SECRET]);
    let issuer = place.server.issuer.clone();
    let words = ["connect", "secret", "--provider", &issuer, "--client-id", "secret"];
    place.run(&words).ok();
    place.only("secret", &["/device", "/token"]);
    // It is kept, and nobody is asked twice.
    place.line(&format!("connect secret --provider {issuer}")).ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
}

#[test] // CA3
fn a_public_client_that_was_let_in_before_is_asked_for_no_secret() {
    let place = Place::new();
    place.connect("public").ok();
    place.server.came();
    let methods = ["client_secret_basic"];
    place.server.says(json!({"token_endpoint_auth_methods_supported": methods}));
    let line = format!("connect public --provider {}", place.server.issuer);
    place.line(&line).exits(3).says("client authentication");
    place.line(&format!("{line} --yes")).ok();
    place.line("refresh public").ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
}

#[test] // CA3
fn no_browser_opens_where_the_code_could_not_be_exchanged_for_want_of_a_secret() {
    let server = Scripted::described(|_| {
        json!({
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        })
    });
    let mut world = World::new();
    world.browser(Behaviour::MustStayClosed);
    let connect = ["connect", "shop", "--provider", &server.origin, "--client-id", "me"];
    world.run(connect).exits(3).says("there is no client secret for `shop`");
    assert_eq!(server.heard("POST /token").len(), 0);
    assert_eq!(world.files().len(), 0, "{:?}", world.files().keys());
    // Where nobody is sent anywhere, the server is the one to say it.
    world.run([&connect[..], &["--flow", "client-credentials"]].concat()).ok();
    world.browser(Behaviour::Allows);
    world.run(connect.iter().copied().take(2).chain(["--flow", "code"])).ok();
}

#[test] // CA3
fn a_client_that_an_import_names_proves_itself_its_own_way_and_not_as_the_one_before() {
    let place = Place::new();
    let profile = || {
        std::fs::read_to_string(place.world.home().configuration.join("profiles/till.toml"))
            .unwrap()
    };
    let import = |document: Value, more: &[&str]| {
        *place.world.stdin.borrow_mut() = document.to_string().into_bytes();
        let words = ["import", "till", "--provider", &place.server.issuer];
        place.run(&[&words[..], more].concat())
    };
    let key = place.world.folder.path().join("key.pem").display().to_string();
    import(json!({"access_token": "a", "client_id": "key"}), &["--client-key-file", &key]).ok();
    assert!(profile().contains("private_key_jwt"), "{}", profile());
    let renewable = |client: &str| json!({"access_token": "b", "refresh_token": "r", "expires_in": 60, "client_id": client});
    let mut posted = renewable("secret");
    posted["client_secret"] = SECRET.into();
    import(posted, &[]).ok();
    assert!(!profile().contains("private_key_jwt"), "{}", profile());
    assert!(profile().contains("client_id = \"secret\""), "{}", profile());
    place.server.came();
    place.line("refresh till");
    place.only("secret", &["/token"]);
    // A client without any proof is named the same way.
    import(renewable("public"), &["--yes"]).ok();
    assert!(!profile().contains("[client]"), "{}", profile());
}
