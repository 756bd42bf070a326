//! Several profiles at one issuer that was found by its URL, each with a client of another kind.

use serde_json::{Value, json};

use crate::client_keys::{P256, of_p256};
use crate::support::browser::Behaviour;
use crate::support::certified::Authority;
use crate::support::clients::{Clients, Proof};
use crate::support::scripted::{Answer, Asked, Scripted, honest};
use crate::support::verifier::Knows;
use crate::support::world::{Ran, World};

const SECRET: &str = "MARKED-secret-of-the-client";

/// A world, and a server that knows a client of every kind; a profile has its client's name.
pub struct Place {
    pub world: World,
    pub authority: Authority,
    pub server: Clients,
}

impl Place {
    pub fn new() -> Self {
        let world = World::new();
        let authority = Authority::in_folder(world.folder.path());
        let Knows::PublicKey(_, key) = of_p256() else { panic!("a public key") };
        let server = Clients::known(
            &authority,
            &[
                ("public", Proof::Nothing),
                ("secret", Proof::Basic(SECRET.into())),
                ("posted", Proof::Post(SECRET.into())),
                ("key", Proof::Key(key)),
                ("shown", Proof::Certificate),
            ],
        );
        let (chain, key) = authority.client();
        world.own_file("chain.pem", chain);
        world.own_file("chain.key", key);
        world.own_file("key.pem", P256);
        world.own_file("secret", SECRET);
        Self { world, authority, server }
    }

    /// The flags that say how a client proves itself, once.
    fn proof(&self, client: &str) -> Vec<String> {
        let file = |name: &str| self.world.folder.path().join(name).to_str().unwrap().to_owned();
        match client {
            "secret" => vec!["--client-secret-file".into(), file("secret")],
            "posted" => vec![
                "--client-secret-file".into(),
                file("secret"),
                "--client-authentication".into(),
                "client_secret_post".into(),
            ],
            "key" => vec!["--client-key-file".into(), file("key.pem")],
            "shown" => vec![
                "--client-certificate-file".into(),
                file("chain.pem"),
                "--client-key-file".into(),
                file("chain.key"),
                // Its endpoints are on another host.
                "--yes".into(),
            ],
            _ => Vec::new(),
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let trust = self.authority.file.to_str().unwrap();
        self.world.run([words, &["--cacert", trust]].concat())
    }

    pub fn line(&self, line: &str) -> Ran {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// A first `connect`, or one that says it all again.
    pub fn connect(&self, client: &str) -> Ran {
        let proof = self.proof(client);
        let words = ["connect", client, "--provider", &self.server.issuer, "--client-id", client];
        let proof: Vec<&str> = proof.iter().map(String::as_str).collect();
        self.run(&[&words[..], &proof].concat())
    }

    /// Passes where the last requests were all this client's, and each was proven as it should be.
    #[track_caller]
    fn only(&self, client: &str, paths: &[&str]) {
        let came = self.server.came();
        let expected: Vec<(&str, &str, bool)> =
            paths.iter().map(|path| (*path, client, true)).collect();
        let came: Vec<(&str, &str, bool)> =
            came.iter().map(|it| (it.path.as_str(), it.client.as_str(), it.is_proven)).collect();
        assert_eq!(came, expected);
    }

    fn folder_file(&self, folder: &str, name: &str) -> std::path::PathBuf {
        let path = self.world.folder.path().join("home");
        let found = self.world.files().into_keys().find(|file| {
            file.starts_with(&path) && file.ends_with(format!("{folder}/{name}.toml"))
        });
        found.unwrap_or_else(|| panic!("{folder}/{name}: {:?}", self.world.files().keys()))
    }

    /// The one file that describes the server.
    pub fn provider_file(&self) -> std::path::PathBuf {
        let name = self.server.issuer.trim_start_matches("https://").replace(':', "-");
        self.folder_file("providers", &name)
    }
}

const CLIENTS: [&str; 5] = ["public", "secret", "posted", "key", "shown"];

#[test] // CA3, DS15
fn clients_of_every_kind_work_side_by_side_in_any_order() {
    for turn in (0..CLIENTS.len()).step_by(2) {
        let place = Place::new();
        let mut order = CLIENTS;
        order.rotate_left(turn);
        for client in order {
            place.connect(client).ok();
            place.only(client, &["/device", "/token"]);
        }
        order.reverse();
        for client in order {
            place.line(&format!("refresh {client}")).ok();
            place.only(client, &["/token"]);
        }
        // Connected again with what is remembered: by the URL, and without a word.
        order.rotate_left(2);
        for client in order {
            let issuer = &place.server.issuer;
            place.line(&format!("connect {client} --provider {issuer}")).ok();
            // The grant that is replaced is ended by the same client.
            let again = place.server.came();
            assert!(again.iter().all(|it| it.client == client && it.is_proven), "{again:?}");
            place.line(&format!("connect {client}")).ok();
            let again = place.server.came();
            assert!(again.iter().all(|it| it.client == client && it.is_proven), "{again:?}");
            assert!(again.len() >= 2, "{again:?}");
        }
        order.rotate_left(turn);
        for client in order {
            place.line(&format!("refresh {client}")).ok();
            place.only(client, &["/token"]);
        }
        for client in CLIENTS {
            place.line(&format!("revoke {client}")).ok();
            place.only(client, &["/revoke", "/revoke"]);
            assert_eq!(place.world.state(client), "never-connected");
        }
    }
}

#[test] // CA3
fn the_file_of_the_server_says_the_same_whoever_connected_last() {
    let place = Place::new();
    let mut said = Vec::new();
    for client in CLIENTS {
        place.connect(client).ok();
        said.push(std::fs::read_to_string(place.provider_file()).unwrap());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:#?}");
    let profile =
        |name: &str| std::fs::read_to_string(place.folder_file("profiles", name)).unwrap();
    assert!(!profile("public").contains("[client]"), "{}", profile("public"));
    assert!(profile("posted").contains("auth = \"post\""), "{}", profile("posted"));
    assert!(profile("key").contains("auth = \"private_key_jwt\""), "{}", profile("key"));
    assert!(profile("shown").contains("auth = \"tls_client_auth\""), "{}", profile("shown"));
    let shown = place.line("profile show key --json").ok().json();
    assert_eq!(shown["client"]["auth"], "private_key_jwt");
    assert_eq!(place.line("profile show public --json").ok().json()["client"], Value::Null);
    assert!(place.line("profile show key").ok().stdout.contains("private_key_jwt"));
}

/// Writes the file as it was before methods were listed: for the one client that connected last.
fn written_before(place: &Place, client: &str, swaps: &[(&str, &str)]) {
    let file = place.provider_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = text.split_once("[mutual_tls]").unwrap();
    let rest = rest.split_once("\n[").map_or("", |(_, rest)| rest);
    let mut text = format!("{head}[{rest}");
    let methods = text.find("methods = ").unwrap();
    let end = text[methods..].find("]\n").unwrap() + methods + 2;
    text.replace_range(methods..end, "");
    let auth = text.find("auth = ").unwrap();
    let end = text[auth..].find('\n').unwrap() + auth;
    text.replace_range(auth..end, &format!("auth = \"{client}\""));
    text = text.replace("secret = \"optional\"\n", "");
    for (from, to) in swaps {
        text = text.replace(from, to);
    }
    assert!(!text.contains("methods") && text.contains(&format!("auth = \"{client}\"")), "{text}");
    std::fs::write(file, text).unwrap();
    for profile in CLIENTS {
        let path = place.world.home().configuration.join(format!("profiles/{profile}.toml"));
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let own = text.split_once("\n[client]").map_or(text.as_str(), |(before, _)| before);
        assert!(!own.contains("private_key_jwt") && !own.contains("tls_client_auth"), "{own}");
        std::fs::write(path, format!("{own}\n")).unwrap();
    }
}

#[test] // CA3
fn a_file_that_was_written_for_a_key_goes_on_working_and_is_handed_over_to_its_profile() {
    let place = Place::new();
    place.connect("key").ok();
    let algorithms = ("assertion_algorithms = [\"ES256\"]\n", "");
    written_before(&place, "private_key_jwt", &[algorithms]);
    place.server.came();
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
    // Somebody else's connect writes the file anew.
    place.connect("secret").ok();
    place.only("secret", &["/device", "/token"]);
    let text = std::fs::read_to_string(place.provider_file()).unwrap();
    assert!(text.contains("auth = \"basic\""), "{text}");
    for line in ["refresh key", "connect key"] {
        place.line(line).ok();
        assert!(place.server.came().iter().all(|it| it.client == "key" && it.is_proven), "{line}");
    }
}

#[test] // CA3
fn a_file_stays_as_it_is_while_a_profile_that_needs_it_cannot_be_written() {
    let place = Place::new();
    place.connect("key").ok();
    written_before(&place, "private_key_jwt", &[("assertion_algorithms = [\"ES256\"]\n", "")]);
    // Nothing can be written in the place of this one profile.
    let profiles = place.world.home().configuration.join("profiles");
    let blocked = ["", ".2", ".3", ".4"].map(|it| profiles.join(format!(".key.toml{it}.new")));
    blocked.iter().for_each(|path| std::fs::create_dir(path).unwrap());
    let before = std::fs::read_to_string(place.provider_file()).unwrap();
    place.server.came();
    place.connect("secret").exits(6).says("key.toml");
    assert_eq!(std::fs::read_to_string(place.provider_file()).unwrap(), before);
    place.server.came();
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
    blocked.iter().for_each(|path| std::fs::remove_dir(path).unwrap());
    place.connect("secret").ok();
    place.line("refresh key").ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
}

#[test] // CA3, DS15
fn a_file_that_was_written_for_a_certificate_has_no_other_endpoints_than_before() {
    let place = Place::new();
    place.connect("shown").ok();
    let (issuer, alias) = (place.server.issuer.clone(), place.server.alias.clone());
    let moved = ["token", "device", "revoke"]
        .map(|it| (format!("\"{issuer}/{it}\""), format!("\"{alias}/{it}\"")));
    let mut swaps: Vec<(&str, &str)> =
        moved.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    swaps.push(("assertion_algorithms = [\"ES256\"]\n", ""));
    written_before(&place, "tls_client_auth", &swaps);
    place.server.came();
    place.line("refresh shown").ok();
    place.only("shown", &["/token"]);
    // By its URL and without a flag: nothing is other than before, so nobody is asked.
    place.line(&format!("connect shown --provider {issuer}")).ok();
    place.connect("public").ok();
    let came = place.server.came();
    assert!(came.iter().all(|it| it.is_proven), "{came:?}");
    place.line("revoke shown").ok();
    place.only("shown", &["/revoke", "/revoke"]);
}

#[test] // CA3
fn a_key_in_the_store_is_taken_into_account_where_the_profile_says_nothing() {
    let place = Place::new();
    place.connect("key").ok();
    // As an earlier connect of another profile left the shared file.
    written_before(&place, "basic", &[("assertion_algorithms = [\"ES256\"]\n", "")]);
    place.server.came();
    place.line("refresh key").exits(3);
    let key = place.world.folder.path().join("key.pem");
    let issuer = &place.server.issuer;
    place
        .line(&format!("connect key --client-key-file {}", key.display()))
        .exits(2)
        .says("its client authentication is client_secret_basic")
        .says("keyfob connect key --cacert ")
        .says(&format!(" --provider {issuer} --client-key-file …"));
    place.server.came();
    place.line(&format!("connect key --provider {}", place.server.issuer)).ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
}

#[test] // CA3
fn another_proof_takes_the_place_of_the_one_before_and_a_renewed_one_does_not() {
    let place = Place::new();
    place.connect("shown").ok();
    // A renewed key and certificate are the same method.
    let (chain, key) = place.authority.client();
    place.world.own_file("chain.pem", chain);
    place.world.own_file("chain.key", key);
    place.connect("shown").ok();
    assert!(place.server.came().iter().all(|it| it.is_proven));
    // The client `secret` was first tried with a key: the server says no, and the secret mends it.
    let key = place.world.folder.path().join("key.pem");
    let words = ["connect", "secret", "--provider", &place.server.issuer, "--client-id", "secret"];
    place.run(&[&words[..], &["--client-key-file", key.to_str().unwrap()]].concat()).exits(3);
    place.server.came();
    place.connect("secret").ok();
    place.only("secret", &["/device", "/token"]);
}

#[test] // DS15
fn a_secret_that_is_renewed_in_the_store_is_kept_for_the_client_s_own_endpoints() {
    let place = Place::new();
    for client in ["key", "shown"] {
        place.connect(client).ok();
    }
    let (chain, own) = place.authority.client();
    for (line, text) in [
        ("profile secret shown client_certificate", chain.as_str()),
        ("profile secret shown private_key", &own),
        ("profile secret key private_key", P256),
    ] {
        *place.world.stdin.borrow_mut() = text.as_bytes().to_vec();
        place.line(line).ok();
    }
    place.server.came();
    for client in ["key", "shown"] {
        place.line(&format!("refresh {client}")).ok();
        place.only(client, &["/token"]);
    }
    // What could not sign is refused while it is at hand.
    *place.world.stdin.borrow_mut() = b"no key at all".to_vec();
    place.line("profile secret key private_key").exits(3).says("this private key cannot be used");
}

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
    fn described(asked: &Asked, origin: &str) -> Answer {
        let at = |path: &str| format!("{origin}{path}");
        match asked.line.as_str() {
            "GET /.well-known/oauth-authorization-server" => Answer::json(
                200,
                &json!({
                    "issuer": origin,
                    "authorization_endpoint": at("/authorize"),
                    "token_endpoint": at("/token"),
                    "response_types_supported": ["code"],
                    "grant_types_supported": ["authorization_code", "client_credentials"],
                    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                    "authorization_response_iss_parameter_supported": true,
                }),
            ),
            _ => honest(asked, origin),
        }
    }
    let (mut world, server) = (World::new(), Scripted::start(described));
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

impl Place {
    fn connect_json(&self, client: &str) -> Value {
        let issuer = &self.server.issuer;
        let line = format!("connect {client} --provider {issuer} --client-id {client} --json");
        self.line(&line).exits(3).failure()
    }
}

#[test] // DS11
fn what_a_person_added_to_the_file_of_a_server_stays_when_another_profile_is_connected_by_its_url()
{
    let place = Place::new();
    place.connect("public").ok();
    let file = place.provider_file();
    let text = std::fs::read_to_string(&file).unwrap();
    let added: [(&str, &str); 4] = [
        ("[api]\n", "[api]\nlimits = [{ path = \"*\", per_minute = 600 }]\n"),
        ("[token]\n", "[token]\nscope_on_refresh = true\n"),
        ("summary = ", "title = \"Of our own\"\nsummary = "),
        (
            "",
            "\n[api.headers]\n\"X-Tenant\" = \"7\"\n\n[refresh]\nmargin = 77\n\n[errors]\ncode = [\"/why\"]\n\n[[scope]]\nname = \"own\"\ngrants = \"all that is ours\"\n\n[[recipes]]\nname = \"mine\"\ndoes = \"what is mine\"\nsteps = [{ method = \"GET\", path = \"/mine\" }]\n# A word for people.\n",
        ),
    ];
    // The metadata of an issuer does not say where its API is.
    let origin = format!("default = \"{}\"", place.server.issuer);
    assert!(text.contains(&origin), "{text}");
    let mut own = text.replace(&origin, "default = \"https://api.of-our-own.test\"");
    for (place, words) in added {
        match place.is_empty() {
            true => own.push_str(words),
            false => {
                assert!(own.contains(place), "{place}: {own}");
                own = own.replacen(place, words, 1);
            }
        }
    }
    std::fs::write(&file, &own).unwrap();
    place.line(&format!("provider check {}", file.display())).ok();
    place.connect("secret").ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), own, "it says the same as before");
    // What the server says anew comes in beside it.
    place
        .server
        .says(json!({ "introspection_endpoint": format!("{}/introspect", place.server.issuer) }));
    place.connect("posted").ok();
    let mut anew: toml::Value = toml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert!(anew["introspect"]["url"].as_str().unwrap().ends_with("/introspect"), "{anew}");
    let before: toml::Value = toml::from_str(&own).unwrap();
    anew.as_table_mut().unwrap().remove("introspect");
    assert_eq!(anew, before);
}

#[test] // DS11
fn a_file_that_can_no_longer_be_read_is_told_and_not_replaced() {
    let place = Place::new();
    place.connect("public").ok();
    let file = place.provider_file();
    let text = std::fs::read_to_string(&file).unwrap().replace("summary = ", "sumary = ");
    std::fs::write(&file, &text).unwrap();
    place.connect("secret").exits(3).says("sumary").says("keyfob provider check");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
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

#[test] // CA3
fn a_file_stays_as_it_is_while_a_profile_that_may_need_it_cannot_be_read() {
    let place = Place::new();
    place.connect("key").ok();
    written_before(&place, "private_key_jwt", &[("assertion_algorithms = [\"ES256\"]\n", "")]);
    let profile = place.world.home().configuration.join("profiles/key.toml");
    let sound = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, sound.replace("client_id", "clientid")).unwrap();
    let before = std::fs::read_to_string(place.provider_file()).unwrap();
    place.server.came();
    let refused = place.connect("secret").exits(3).without_product();
    refused
        .says("the profile `key` cannot be read, and the file of ")
        .says(&format!("{}:", profile.display()))
        .says("nothing was changed")
        .says(&format!("rm {}", profile.display()));
    assert!(place.server.came().is_empty(), "nobody was sent anywhere");
    assert_eq!(std::fs::read_to_string(place.provider_file()).unwrap(), before);
    // One that names another provider is in nobody's way.
    std::fs::write(profile.with_file_name("other.toml"), "provider = \"inkress\nx").unwrap();
    std::fs::write(&profile, sound).unwrap();
    place.connect("secret").ok();
    place.server.came();
    place.line("refresh key").ok();
    place.only("key", &["/token"]);
}

#[test] // CA3
fn a_key_or_certificate_of_a_connection_is_put_right_with_the_command_that_is_named() {
    let place = Place::new();
    let keep =
        |client: &str, name: &str| format!("       keyfob profile secret {client} {name} < FILE\n");
    place.connect("key").ok();
    *place.world.stdin.borrow_mut() = place.authority.client().1.into_bytes();
    place.line("profile secret key private_key").ok();
    place.line("refresh key").exits(3).says(&keep("key", "private_key"));
    *place.world.stdin.borrow_mut() = P256.as_bytes().to_vec();
    place.line("profile secret key private_key").ok();
    place.line("refresh key").ok();
    for (profile, method, names) in [
        ("unkeyed", "private_key_jwt", &["private_key"][..]),
        ("unshown", "tls_client_auth", &["client_certificate", "private_key"]),
    ] {
        let tokens = json!({"access_token": "a", "refresh_token": "r", "client_id": "key"});
        *place.world.stdin.borrow_mut() = tokens.to_string().into_bytes();
        let (issuer, flag) = (place.server.issuer.as_str(), "--client-authentication");
        place.run(&["import", profile, "--provider", issuer, flag, method, "--yes"]).ok();
        let missing = place.line(&format!("refresh {profile}")).exits(3);
        let names: String = names.iter().map(|name| keep(profile, name)).collect();
        missing.says("in the store\n").says(&names);
    }
}
