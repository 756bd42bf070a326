//! The flags of `connect`: each does what it says in every flow, or is refused before anything happens.

use keyfob::sandbox::{Endpoint, Fault};
use serde_json::json;

use crate::client_keys::{P256, of_p256};
use crate::support::browser::Behaviour;
use crate::support::site::{Said, Site};
use crate::support::verifier::{CLIENT, Came, Verifier};
use crate::support::world::{Ran, World};
use crate::support::{Shop, parameters, private_file};

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
        let text = format!(
            "schema = 1\nname = \"signed\"\ntitle = \"Signed\"\nflows = [\"{flow}\"]\n[client]\nauth = \"private_key_jwt\"\nsecret = \"none\"\nassertion_audience = \"issuer\"\n[discovery]\nurl = \"{issuer}/.well-known/oauth-authorization-server\"\nissuer = \"{issuer}\"\n[token]\nurl = \"{issuer}/token\"\nparams = {{ audience = \"of-the-file\", tenant = \"x\" }}\n[api]\nbase_url = \"{issuer}\"\n{more}\n"
        );
        private_file(&folder.join("signed.toml"), text);
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
fn a_remembered_param_that_became_the_protocol_s_own_is_named_with_its_file_and_can_be_taken_back()
{
    let signed = Signed::new("client_credentials", REISSUES);
    signed.connect(&["--param", "audience=2"]).ok();
    let file = signed.world.home().configuration.join("profiles/shop.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let own = text.replace("audience = ", "username = \"ada\"\naudience = ");
    assert_ne!(own, text);
    std::fs::write(&file, own).unwrap();
    let many = signed.server.came().len();
    let ran = signed.connect(&[]).exits(2).says("the protocol's own parameter");
    let ran = ran.says(&format!("the profile remembers it: {}", file.display()));
    ran.says("keyfob connect shop").says("--param username=''");
    // What nobody remembers is not taken back either.
    signed.connect(&["--param", "state="]).exits(2).says("leave it out");
    assert_eq!(signed.server.came().len(), many);
    signed.connect(&["--param", "username="]).ok();
    let profile = signed.world.line("profile show shop --json").ok().json();
    assert_eq!(profile["params"], json!({"audience": "2"}));
    signed.connect(&[]).ok();
}

#[test] // AR14
fn a_param_of_the_protocol_is_refused_before_a_secret_is_read() {
    let shop = Shop::of("inkress");
    shop.connect_with(&["--param", "state=x"]).exits(2).says("the protocol's own parameter");
    assert!(shop.world.browser.opened().is_empty());
    assert!(shop.world.files().is_empty(), "nothing was written");
}

/// The commands that a failure prints.
fn next(ran: &Ran) -> Vec<&str> {
    let lines = ran.stderr.lines().map(str::trim_start);
    lines.filter(|line| line.starts_with("keyfob ") || line.starts_with("env ")).collect()
}

/// Pastes a command; what stands before the program's name is left out.
fn paste(world: &World, command: &str) -> Ran {
    let words = shlex::split(command).unwrap();
    world.run(words.iter().map(String::as_str).skip_while(|word| *word != "keyfob").skip(1))
}

#[test]
fn a_flag_that_does_nothing_in_the_flow_is_refused_before_anything_happens() {
    let file = "/does/not/exist";
    let cases: [(&str, &[&str], &str); 12] = [
        ("client_credentials", &["--userinfo"], "--userinfo is for --flow code and --flow device"),
        ("client_credentials", &["--redirect-uri", "http://127.0.0.1:1/"], "is for --flow code"),
        ("client_credentials", &["--port", "8080"], "--port is for --flow code"),
        ("client_credentials", &["--print-redirect"], "--print-redirect is for --flow code"),
        ("client_credentials", &["--username", "me"], "--username is for --flow password"),
        ("client_credentials", &["--password-file", file], "is for --flow password"),
        ("client_credentials", &["--assertion-file", file], "is for --flow jwt-bearer"),
        ("client_credentials", &["--subject-token-file", file], "is for --flow token-exchange"),
        ("jwt_bearer", &["--requested-token-type", "jwt"], "is for --flow token-exchange"),
        ("jwt_bearer", &["--authorization-details", file], "and --flow client-credentials"),
        ("token_exchange", &["--authorization-details", file], "--authorization-details is for"),
        ("token_exchange", &["--userinfo=true"], "--userinfo is for"),
    ];
    for (flow, flags, says) in cases {
        let more = if flow == "client_credentials" { REISSUES } else { "" };
        let signed = Signed::new(flow, more);
        let before = signed.world.files().len();
        let ran = signed.connect(flags).exits(2).says(says).says("leave it out");
        let key = &signed.key;
        let command = format!(
            "keyfob connect shop --provider signed --client-id {CLIENT} --client-key-file {key}"
        );
        assert_eq!(next(&ran), [command.as_str()], "{flags:?}");
        assert_eq!(signed.world.files().len(), before, "{flags:?}");
        assert!(signed.server.came().is_empty(), "{flags:?}");
        if flow != "token_exchange" {
            paste(&signed.world, &command).ok();
        }
    }
    // What forgets is no slip, and a flow that is named is known before any server is asked.
    let script = ["--userinfo=false", "--no-browser", "--timeout", "9s"];
    Signed::new("client_credentials", REISSUES).connect(&script).ok();
    let nowhere = ["connect", "x", "--provider", "https://127.0.0.1:1", "--client-id", "c"];
    let flow = ["--flow", "device", "--port", "8080"];
    let ran = World::new().run(nowhere.into_iter().chain(flow));
    ran.exits(2).says("does nothing in the flow `device`");
}

#[test]
fn where_the_provider_has_the_flow_that_a_flag_is_for_the_command_names_it() {
    let shop = Shop::of("inventorum");
    let owner = shop.how.owner.as_ref().unwrap();
    let password = shop.world.own_file("password", owner.password.expose()).display().to_string();
    let ran = shop.connect_with(&["--username", "me", "--password-file", &password]);
    let ran = ran.exits(3).says("has no code flow");
    assert!(next(&ran)[0].starts_with("keyfob import shop --provider inventorum --client-id"));
    let with_password = next(&ran)[1];
    assert!(with_password.ends_with("--flow password"), "{with_password}");
    assert!(!next(&ran)[0].contains("--username"));
    let ran = Shop::of("inkress").connect_with(&["--username", "me"]).exits(2);
    let ran = ran.says("leave it out; the provider has no such flow");
    assert_eq!(next(&ran).len(), 1);
    let two = Signed::new("client_credentials\", \"jwt_bearer", "");
    let ran = two.connect(&["--assertion-file", "a b"]).exits(2);
    let command = next(&ran)[1];
    assert!(command.ends_with("--assertion-file 'a b' --flow jwt-bearer"), "{command}");
}

#[test]
fn advice_on_a_profile_that_is_there_repeats_what_was_typed() {
    let mut shop = Shop::connected("inkress");
    shop.world.browser(Behaviour::Denies);
    let secret = shop.how.client.client_secret.as_ref().unwrap().expose();
    let file = shop.world.own_file("the secret", secret).display().to_string();
    let typed = [
        "connect",
        "shop",
        "--client-secret-file",
        &file,
        "--scope",
        "orders:read",
        "--flow",
        "code",
        "--dpop=false",
        "--userinfo=false",
        "--param",
        "login_hint=me you",
        "--yes",
    ];
    let ran = shop.world.run(typed).exits(5);
    let command = next(&ran)[0].to_owned();
    assert_eq!(
        command,
        format!(
            "keyfob connect shop --client-secret-file '{file}' --yes --scope orders:read --flow code --dpop=false --userinfo=false --param login_hint='me you'"
        )
    );
    shop.world.browser(Behaviour::Allows);
    paste(&shop.world, &command).ok();
    let asked = parameters(&shop.world.browser.opened()[0]);
    assert_eq!(asked["scope"], "orders:read offline_access");
    assert_eq!(asked["login_hint"], "me you");
}

#[test]
fn a_flag_that_advice_adds_takes_the_place_of_the_one_that_was_typed() {
    let shop = Shop::of("inkress");
    let wrong = shop.world.own_file("wrong", "wrong").display().to_string();
    let mut words = vec!["connect".to_owned(), "shop".to_owned()];
    words.extend(shop.client());
    words.extend(["--redirect-uri".to_owned(), shop.redirect_uri.clone()]);
    words.extend(["--client-secret-file".to_owned(), wrong]);
    let ran = shop.world.run(words.iter().map(String::as_str)).exits(3);
    let command = next(&ran)[0];
    assert_eq!(command.matches("--client-secret-file").count(), 1, "{command}");
    assert!(command.ends_with("--client-secret-file …"), "{command}");
}

#[test] // DS17
fn advice_that_comes_before_there_is_a_provider_repeats_the_command() {
    let site = Site::saying(|origin, asked| match asked.path.ends_with("protected-resource/mcp") {
        true => {
            let servers = json!(["https://one.test", "https://two.test"]);
            let says =
                json!({"resource": format!("{origin}/mcp"), "authorization_servers": servers});
            Said::text(200, says.to_string())
        }
        false => Said::text(404, ""),
    });
    let (world, url) = (World::new(), format!("{}/mcp", site.origin()));
    let ran = world.run(["connect", "x", "--provider", &url, "--scope", "a b", "--dpop"]).exits(2);
    let server = "--authorization-server https://one.test";
    let command = format!("keyfob connect x --scope 'a b' --dpop --provider {url} {server}");
    assert_eq!(next(&ran), [command]);
    let ran = world.run(["provider", "new", "mine", "--from", &url, "--print"]).exits(2);
    assert_eq!(next(&ran), [format!("keyfob provider new mine --print --from {url} {server}")]);
}

#[test] // EX8
fn advice_on_a_document_to_publish_repeats_the_command() {
    let shop = Shop::of("standard");
    let host = format!("host={}", shop.sandbox.origin());
    let typed = ["connect", "x", "--provider", "standard", "--set", &host, "--scope", "openid"];
    let print = ["--client-id", "no-url", "--print-client-document"];
    let ran = shop.world.run(typed.into_iter().chain(print)).exits(2);
    let expected = format!(
        "keyfob connect x --provider standard --set {host} --scope openid --client-id https://… --print-client-document"
    );
    assert_eq!(next(&ran), [expected]);
}

#[test] // EX7
fn a_client_of_the_environment_and_one_to_register_contradict_each_other() {
    let mut shop = Shop::of("standard");
    let host = format!("host={}", shop.sandbox.origin());
    shop.world.set("KEYFOB_CLIENT_ID", "of-the-environment");
    let typed = ["connect", "shop", "--provider", "standard", "--set", &host, "--register"];
    let ran = shop.world.run(typed).exits(2).says("KEYFOB_CLIENT_ID names one");
    let command = format!(
        "env -u KEYFOB_CLIENT_ID {}",
        typed.join(" ").replacen("connect", "keyfob connect", 1)
    );
    assert_eq!(next(&ran), [command.as_str()]);
    assert!(shop.sandbox.log().is_empty());
    shop.world.environment.remove("KEYFOB_CLIENT_ID");
    paste(&shop.world, &command).ok();
}

#[test] // EX7
fn a_server_that_does_not_end_a_client_is_said_to_do_so() {
    let shop = Shop::of("standard");
    let host = format!("host={}", shop.sandbox.origin());
    let typed = ["connect", "shop", "--provider", "standard", "--set", &host, "--register"];
    shop.world.run(typed).ok();
    shop.sandbox.next_answers(Endpoint::Registration, vec![Fault::status(403)]);
    let ran = shop.line("profile remove shop --unregister --yes").exits(5);
    let ran = ran.says("does not end the registration of this client");
    assert_eq!(next(&ran), ["keyfob profile remove shop --yes"]);
    paste(&shop.world, next(&ran)[0]).ok().says("its client lives on at");
}

#[test]
fn a_scope_that_connect_would_refuse_is_no_advice() {
    let shop = Shop::connected("inkress");
    let challenge = r#"Bearer error="insufficient_scope", scope="orders:everything""#;
    shop.sandbox.next_api_answers(vec![Fault::Status {
        status: 403,
        headers: vec![("www-authenticate".into(), challenge.into())],
        body: String::new(),
    }]);
    let ran = shop.line("call shop GET /orders").exits(5).says("has no scope `orders:everything`");
    assert_eq!(next(&ran), ["keyfob scopes shop"]);
}

#[test]
fn userinfo_is_turned_off_as_it_is_turned_on_and_shown() {
    let shop = Shop::of("standard");
    shop.connect_with(&["--scope", "openid items:read", "--userinfo"]).ok();
    let shown = |shop: &Shop| shop.line("profile show shop --json").ok().json()["userinfo"].clone();
    assert_eq!(shown(&shop), true);
    let text = shop.line("profile show shop").ok().stdout;
    assert!(text.contains("userinfo      true"), "{text}");
    shop.line("connect shop --userinfo=false").ok();
    assert_eq!(shown(&shop), false);
    assert_eq!(shop.sandbox.counts(Endpoint::Userinfo), 1);
    shop.line("profile set shop userinfo=true").ok();
    shop.line("connect shop").ok();
    assert_eq!(shop.sandbox.counts(Endpoint::Userinfo), 2);
    shop.line("profile set shop userinfo=false scopes=items:read").ok();
    shop.line("profile set shop userinfo=true").exits(2).says("needs the scope `openid`");
    assert_eq!(shown(&shop), false);
}

#[test]
fn what_connect_asks_for_is_set_without_connecting() {
    let signed = Signed::new("client_credentials\", \"jwt_bearer", "");
    signed.connect(&[]).ok();
    let grant = |signed: &Signed| signed.last().form["grant_type"].clone();
    assert_eq!(grant(&signed), "client_credentials");
    signed.world.line("profile set shop flow=jwt-bearer resource=https://a.test/").ok();
    signed.world.line("connect shop").ok();
    assert!(grant(&signed).ends_with("jwt-bearer"));
    assert_eq!(signed.last().form["resource"], "https://a.test/");
    let ran = signed.world.line("profile set shop flow=device").exits(2);
    let ran = ran.says("it has client-credentials, jwt-bearer");
    assert_eq!(next(&ran), ["keyfob profile set shop flow=client-credentials"]);
    let ran = signed.world.line("profile set shop dpop=true").ok();
    ran.says("connect again");
    signed.world.line("token shop").exits(4).says("bound to a key");
    signed.world.line("profile set shop dpop=").ok();
    signed.world.line("token shop").ok();
}

#[test] // CA4
fn standard_input_is_wanted_once_and_that_is_known_before_it_is_read() {
    let shop = Shop::of("inkress");
    let flags = ["client-key-file", "client-certificate-file", "authorization-details"];
    for flag in flags.map(|flag| format!("--{flag}")) {
        let ran = shop.connect_with(&[&flag, "-"]).exits(2).says("standard input is read once");
        ran.says(&format!("--client-secret-file and {flag} name it"));
    }
    let mut of_key = Signed::new("token_exchange", "");
    of_key.world.set("KEYFOB_CLIENT_KEY_FILE", "-");
    let words = ["connect", "x", "--provider", "signed", "--client-id", CLIENT];
    let both = ["--subject-token-file", "-", "--actor-token-file", "-"];
    let both = both.into_iter().chain(["--actor-token-type", "jwt"]);
    let ran = of_key.world.run(words.into_iter().chain(both)).exits(2);
    ran.says("KEYFOB_CLIENT_KEY_FILE and --subject-token-file and --actor-token-file name it");
    *shop.world.stdin.borrow_mut() = br#"{"access_token":"a"}"#.to_vec();
    let words = ["import", "shop", "--provider", "inkress", "--client-id", "inkid_1"];
    let ran = shop.world.run(words.into_iter().chain(["--client-secret-file", "-"])).exits(2);
    ran.says("--client-secret-file and the import itself name it");
    assert!(shop.world.files().is_empty());
}

#[test] // CA6
fn a_key_that_is_locked_is_told_with_the_name_of_its_profile() {
    let signed = Signed::new("jwt_bearer", "");
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(&signed.key, locked).unwrap();
    signed.connect(&[]).exits(3).says("| keyfob profile secret shop private_key\n");
}

#[test] // A29
fn an_account_that_was_not_known_is_not_called_another_one() {
    let shop = Shop::of("standard");
    shop.connect_with(&["--scope", "items:read"]).ok();
    let ran = shop.line("connect shop --scope openid --param login_hint=me").exits(2);
    let ran = ran.says("it is not known whether this authorization is for the account of `shop`");
    let ran =
        ran.says("did not say whose the tokens are that it has; this authorization is for sub ");
    let ran = ran.says("the authorization that was not wanted was ");
    let command = next(&ran)[0];
    assert_eq!(command, "keyfob connect shop --scope openid --param login_hint=me --yes");
    paste(&shop.world, command).ok();
    shop.line("connect shop --scope items:read")
        .exits(2)
        .says("this authorization does not say for which account it is");
}

#[test]
fn advice_to_connect_names_the_store_and_the_certificates_that_another_command_was_given() {
    let shop = Shop::of("inkress");
    shop.connect().ok();
    shop.line("revoke shop").ok();
    let pem = rcgen::generate_simple_self_signed(["ca.test".to_owned()]).unwrap().cert.pem();
    let pem = shop.world.own_file("own ca.pem", pem).display().to_string();
    let ran = shop.world.run(["token", "shop", "--cacert", &pem, "--store", "file"]).exits(4);
    let command = format!("keyfob connect shop --store file --cacert '{pem}'");
    assert_eq!(next(&ran), [command]);
}
