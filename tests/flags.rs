//! The flags of `connect`: each does what it says in every flow, or is refused before anything happens.

use serde_json::json;

use crate::client_keys::{P256, of_p256};
use crate::support::Shop;
use crate::support::verifier::{CLIENT, Came, Verifier};
use crate::support::world::{Ran, World};

/// Tokens of the client's own are asked for anew.
const REISSUES: &str = "[refresh]\nrotation = \"reissue\"";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A server that verifies signatures, and a provider file that names flows of it.
struct Signed {
    world: World,
    server: Verifier,
    key: String,
}

impl Signed {
    fn new(flow: &str, more: &str) -> Self {
        let world = World::new();
        let server = Verifier::that_knows(of_p256(), world.clock.clone());
        server.gives_also(json!({"issued_token_type": ACCESS_TOKEN}));
        let issuer = &server.issuer;
        let folder = world.home().providers();
        std::fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "schema = 1\nname = \"signed\"\ntitle = \"Signed\"\nflows = [\"{flow}\"]\n[client]\nauth = \"private_key_jwt\"\nsecret = \"none\"\nassertion_audience = \"issuer\"\n[discovery]\nurl = \"{issuer}/.well-known/oauth-authorization-server\"\nissuer = \"{issuer}\"\n[token]\nurl = \"{issuer}/token\"\nparams = {{ audience = \"of-the-file\", tenant = \"x\" }}\n[api]\nbase_url = \"{issuer}\"\n{more}\n"
        );
        std::fs::write(folder.join("signed.toml"), text).unwrap();
        let key = world.own_file("key", P256).display().to_string();
        Self { world, server, key }
    }

    fn connect(&self, more: &[&str]) -> Ran {
        let words = ["connect", "shop", "--provider", "signed", "--client-id", CLIENT];
        let key = ["--client-key-file", self.key.as_str()];
        self.world.run(words.into_iter().chain(key).chain(more.iter().copied()))
    }

    fn last(&self) -> Came {
        self.server.came().pop().unwrap()
    }
}

fn values<'c>(came: &'c Came, names: &[&str]) -> Vec<Option<&'c str>> {
    names.iter().map(|name| came.form.get(*name).map(String::as_str)).collect()
}

#[test] // AR14, TQ8
fn a_param_goes_with_the_token_request_where_nobody_is_asked_and_with_each_repetition() {
    let subject = |signed: &Signed| signed.world.own_file("subject", "s").display().to_string();
    for flow in ["client_credentials", "password", "jwt_bearer", "token_exchange"] {
        let more = match flow {
            "client_credentials" => REISSUES,
            "password" => "[legacy]\nuntil = \"old apps\"",
            _ => "",
        };
        let signed = Signed::new(flow, more);
        let file = subject(&signed);
        let own: Vec<&str> = match flow {
            "password" => vec!["--username", "ada", "--password-file", &file],
            "token_exchange" => {
                vec!["--subject-token-file", &file, "--subject-token-type", "jwt"]
            }
            _ => Vec::new(),
        };
        let with = |more: &[&str]| -> Vec<String> {
            own.iter().chain(more).map(|it| (*it).to_owned()).collect()
        };
        let connect = |more: &[&str]| {
            let words = with(more);
            signed.connect(&words.iter().map(String::as_str).collect::<Vec<_>>())
        };
        connect(&["--param", "audience=mine", "--param", "tenant="]).ok();
        assert_eq!(values(&signed.last(), &["audience", "tenant"]), [Some("mine"), None], "{flow}");
        // It is remembered, and goes with what gets the next token in the same way.
        connect(&[]).ok();
        assert_eq!(values(&signed.last(), &["audience", "tenant"]), [Some("mine"), None], "{flow}");
        if matches!(flow, "client_credentials" | "jwt_bearer") {
            signed.world.pass(2 * 3600);
            assert_eq!(signed.world.line("token shop").ok().stdout, "access-token-3\n");
            let again = signed.last();
            assert_eq!(values(&again, &["audience", "tenant"]), [Some("mine"), None], "{flow}");
        }
        let many = signed.server.came().len();
        for name in ["grant_type", "Client_Assertion", "scope", "password", "assertion"] {
            let param = format!("{name}=x");
            connect(&["--param", &param]).exits(2).says("the protocol's own parameter");
        }
        assert_eq!(signed.server.came().len(), many, "{flow}");
    }
}

#[test]
fn an_empty_param_is_remembered_only_where_it_leaves_something_out() {
    let signed = Signed::new("client_credentials", REISSUES);
    signed.connect(&["--param", "a=1", "--param", "audience=2"]).ok();
    signed.connect(&["--param", "a=", "--param", "audience="]).ok();
    let profile = signed.world.line("profile show shop --json").ok().json();
    assert_eq!(profile["params"], json!({"audience": ""}));
    assert_eq!(values(&signed.last(), &["a", "audience"]), [None, None]);
}

#[test] // AR14
fn a_param_of_the_protocol_is_refused_before_a_secret_is_read() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--param", "state=x"]).exits(2).says("the protocol's own parameter");
    assert!(shop.world.browser.opened().is_empty());
    assert!(shop.world.files().is_empty(), "nothing was written");
}
