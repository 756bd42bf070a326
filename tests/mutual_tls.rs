//! A client that is known by its certificate (RFC 8705), before servers that ask everybody for one.

use keyfob::sandbox::Behaviour;

use crate::support::certified::{Authority, Certified};
use crate::support::private_file;
use crate::support::program::{Program, text};
use crate::support::world::{Ran, World};

const CLIENT: &str = "client-1";

/// A world, an authorization server, an API elsewhere, and a provider file that describes both.
struct Place {
    world: World,
    authority: Authority,
    server: Certified,
    api: Certified,
    chain: String,
    key: String,
}

impl Place {
    fn new(client: &str) -> Self {
        let world = World::new();
        let authority = Authority::in_folder(world.folder.path());
        let (server, api) = (Certified::new(&authority, None), Certified::new(&authority, None));
        let (chain, key) = authority.client();
        let place = Self { world, authority, server, api, chain, key };
        place.describe(client);
        place
    }

    fn describe(&self, client: &str) {
        let folder = self.world.home().providers();
        let text = provider(client, &self.server.origin, &self.api.origin);
        private_file(&folder.join("certified.toml"), text);
    }

    fn file(&self, name: &str, text: &str) -> String {
        self.world.own_file(name, text).to_str().unwrap().to_owned()
    }

    fn run(&self, words: &[&str]) -> Ran {
        let trust = self.authority.file.to_str().unwrap();
        self.world.run([words, &["--cacert", trust]].concat())
    }

    fn line(&self, line: &str) -> Ran {
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    fn connect(&self, more: &[&str]) -> Ran {
        let words = ["connect", "shop", "--provider", "certified", "--client-id", CLIENT];
        self.run(&[&words, more].concat())
    }

    fn connect_with_both(&self) -> Ran {
        let (chain, key) = (self.file("chain.pem", &self.chain), self.file("key.pem", &self.key));
        let ran = self.connect(&["--client-certificate-file", &chain, "--client-key-file", &key]);
        for file in ["chain.pem", "key.pem"] {
            std::fs::remove_file(self.world.folder.path().join(file)).unwrap();
        }
        ran
    }
}

fn provider(client: &str, server: &str, api: &str) -> String {
    format!(
        "schema = 1\nname = \"certified\"\ntitle = \"Certified\"\nflows = [\"client_credentials\"]\n[client]\n{client}\n[token]\nurl = \"{server}/token\"\n[refresh]\nrotation = \"reissue\"\n[revoke]\nurl = \"{server}/revoke\"\n[introspect]\nurl = \"{server}/introspect\"\n[api]\nbase_url = \"{api}\"\n"
    )
}

const TLS: &str = "auth = \"tls_client_auth\"";
const BOUND: &str = "auth = \"tls_client_auth\"\ncertificate_bound_access_tokens = true";

fn seen(paths: &[(&str, bool)]) -> Vec<(String, bool)> {
    paths.iter().map(|(path, shown)| ((*path).to_owned(), *shown)).collect()
}

#[test] // CA8
fn the_certificate_is_the_proof_and_the_client_id_is_in_the_body() {
    for client in [TLS, "auth = \"self_signed_tls_client_auth\""] {
        let place = Place::new(client);
        place.connect_with_both().ok();
        // From here on both come from the store.
        place.line("refresh shop").ok();
        assert_eq!(place.line("token shop").ok().stdout, "access-token-2\n");
        place.line("introspect shop").ok();
        place.line("call shop GET /orders").ok();
        place.line("revoke shop").ok();
        let of_the_client =
            seen(&[("/token", true), ("/token", true), ("/introspect", true), ("/revoke", true)]);
        assert_eq!(place.server.seen(), of_the_client);
        for came in place.server.came() {
            assert_eq!(came.form["client_id"], CLIENT);
            let more = ["client_secret", "client_assertion", "client_assertion_type"];
            assert!(more.iter().all(|it| !came.form.contains_key(*it)), "{came:?}");
            assert!(!came.has_authorization, "{came:?}");
        }
        let names: Vec<String> = place.server.came()[0].form.keys().cloned().collect();
        assert_eq!(names, ["client_id", "grant_type"]);
        // The API asks for a certificate too, and its tokens are bound to none.
        assert_eq!(place.api.seen(), seen(&[("/orders", false)]));
    }
}

#[test] // SC10
fn an_api_whose_tokens_are_bound_sees_the_certificate_of_the_token_request() {
    let place = Place::new(BOUND);
    place.connect_with_both().ok();
    place.line("call shop GET /orders").ok();
    assert_eq!(place.api.seen(), seen(&[("/orders", true)]));
    assert_eq!(place.api.came()[0].shown, place.server.came()[0].shown);
    let shown = place.line("provider show certified").ok().stdout;
    let words = [
        "client: a certificate (mutual TLS)",
        "tokens: bound to the client's certificate",
        "--client-key-file FILE --client-certificate-file FILE",
    ];
    for word in words {
        assert!(shown.contains(word), "{shown}");
    }
}

#[test] // DS15, CA3
fn an_issuer_is_spoken_to_at_its_aliases_where_there_is_a_certificate() {
    let place = Place::new(TLS);
    let alias = Certified::new(&place.authority, None);
    let issuer = Certified::new(&place.authority, Some(&alias.origin));
    let (chain, key) = (place.file("chain.pem", &place.chain), place.file("key.pem", &place.key));
    let found = ["connect", "shop", "--provider", &issuer.origin, "--client-id", CLIENT];
    let both = ["--client-certificate-file", &chain, "--client-key-file", &key];
    let words = [&found[..], &both].concat();
    // Another host sees the certificate: a person is asked first, and nobody is there.
    place.run(&words).exits(3).says("mtls_endpoint_aliases.token_endpoint");
    place.run(&[&words[..], &["--yes"]].concat()).ok();
    place.line("revoke shop").ok();
    assert_eq!(alias.seen(), seen(&[("/token", true), ("/revoke", true)]));
    let metadata = "/.well-known/oauth-authorization-server";
    assert_eq!(issuer.seen(), seen(&[(metadata, false), (metadata, false)]));
}

#[test] // CA8
fn what_is_missing_or_does_not_belong_together_is_said_before_anything_is_sent() {
    let place = Place::new(TLS);
    let (chain, key) = (place.file("chain.pem", &place.chain), place.file("key.pem", &place.key));
    let (_, other) = place.authority.client();
    let other = place.file("other.pem", &other);
    let certificate = ["--client-certificate-file", chain.as_str()];
    place
        .connect(&["--client-key-file", &key])
        .exits(3)
        .says("there is no client certificate for `shop`")
        .says("--client-certificate-file …");
    place.connect(&certificate).exits(3).says("there is no private key for `shop`");
    place
        .connect(&[&certificate[..], &["--client-key-file", &other]].concat())
        .exits(3)
        .says("this client certificate cannot be used")
        .says("check that the private key belongs to the certificate");
    place
        .connect(&["--client-certificate-file", &key, "--client-key-file", &key])
        .exits(3)
        .says("there is no certificate in it");
    place.describe("auth = \"basic\"");
    place.connect(&certificate).exits(2).says("Certified takes no client certificate");
    assert_eq!(place.server.seen(), seen(&[]));
}

#[test] // CA8
fn a_certificate_that_the_server_does_not_take_is_named_as_the_cause() {
    let place = Place::new(TLS);
    place.connect_with_both().ok();
    let elsewhere = World::new();
    let stranger = Authority::in_folder(elsewhere.folder.path());
    let (chain, key) = stranger.client();
    let (chain, key) = (place.file("chain.pem", &chain), place.file("key.pem", &key));
    place
        .connect(&["--client-certificate-file", &chain, "--client-key-file", &key])
        .exits(3)
        .says("the server does not take it")
        .says("openssl x509 -noout -dates");
    // What was good before is good still.
    place.line("refresh shop").ok();
    assert_eq!(place.server.seen(), seen(&[("/token", true), ("/token", true)]));
}

#[test] // CA8
fn a_renewed_certificate_takes_the_place_of_the_one_before() {
    let place = Place::new(TLS);
    place.connect_with_both().ok();
    let (chain, key) = place.authority.client();
    for (name, new) in [("client_certificate", chain), ("private_key", key)] {
        *place.world.stdin.borrow_mut() = new.into_bytes();
        place.line(&format!("profile secret shop {name}")).ok();
    }
    place.line("refresh shop").ok();
    let came = place.server.came();
    assert!(came[1].shown.is_some() && came[0].shown != came[1].shown);
    *place.world.stdin.borrow_mut() = b"hunter2-hunter2".to_vec();
    let refused = place.line("profile secret shop client_certificate").exits(3);
    assert!(!refused.says("it is not PEM").stderr.contains("hunter2"));
}

#[test] // CA8
fn the_process_that_refreshes_shows_the_certificate_too() {
    let program = Program::beside("inkress", Behaviour::default());
    let authority = Authority::in_folder(program.folder.path());
    let (server, api) = (Certified::new(&authority, None), Certified::new(&authority, None));
    let (chain, key) = authority.client();
    let file = |name: &str, text: &str| {
        let path = program.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let provider = file("certified.toml", &provider(TLS, &server.origin, &api.origin));
    let (chain, key) = (file("chain.pem", &chain), file("key.pem", &key));
    let trust = authority.file.to_str().unwrap();
    let run = |words: &[&str]| {
        let ran = program.command([words, &["--cacert", trust]].concat()).output().unwrap();
        assert!(ran.status.success(), "{}", text(&ran.stderr));
    };
    let connect = ["connect", "shop", "--provider", &provider, "--client-id", CLIENT];
    let both = ["--client-certificate-file", &chain, "--client-key-file", &key];
    run(&[&connect[..], &both].concat());
    run(&["refresh", "shop"]);
    assert_eq!(server.seen(), seen(&[("/token", true), ("/token", true)]));
}

#[test] // SC10
fn an_access_token_that_needs_the_certificate_is_not_handed_over_alone() {
    let mut place = Place::new(BOUND);
    place.connect_with_both().ok();
    place.world.set("KEYFOB_BLOB_KEY", "a key of forty characters for the blobs.");
    let refused = place.line("export shop --access-token-only").exits(3).without_product();
    refused.says("bound to the client's certificate").says("keyfob proxy shop");
    assert_eq!(place.server.seen().len(), 1, "nothing was refreshed for it");
    // The whole connection calls from anywhere, with its certificate.
    let blob = place.line("export shop").ok().stdout;
    let trust = place.authority.file.to_str().unwrap().to_owned();
    let mut there = World::new();
    there.clock = place.world.clock.clone();
    *there.stdin.borrow_mut() = blob.into_bytes();
    there.set("KEYFOB_BLOB_KEY", "a key of forty characters for the blobs.");
    there.run(["import", "shop", "--sealed", "--cacert", &trust]).ok();
    there.run(["call", "shop", "GET", "/orders", "--cacert", &trust]).ok();
    assert_eq!(place.api.seen(), seen(&[("/orders", true)]));
    // One that is bound to nothing goes out alone, and calls without.
    let mut place = Place::new(TLS);
    place.connect_with_both().ok();
    place.world.set("KEYFOB_BLOB_KEY", "a key of forty characters for the blobs.");
    place.line("export shop --access-token-only").ok();
}
