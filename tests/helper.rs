//! `helper`: what other programs ask, and what they are told; each protocol as it is written down.

use keyfob::sandbox::Endpoint;
use serde_json::{Value, json};

use crate::support::{Ran, Shop, private_file};

const INKRESS: &str = include_str!("../src/provider/catalogue/inkress.toml");

/// A connected shop whose provider file, the user's own, names a second host.
fn shop() -> Shop {
    let shop = Shop::of("inkress");
    let folder = shop.world.home().providers();
    let file = INKRESS.replace("[api]\n", "[api]\nhosts = [\"https://second.example:8443\"]\n");
    assert_ne!(file, INKRESS);
    private_file(&folder.join("inkress.toml"), file);
    shop.and_connected()
}

/// The API's own host, as `host:port`.
fn own(shop: &Shop) -> String {
    let settings = shop.sandbox.settings();
    let (_, host) = settings.iter().find(|(name, _)| *name == "api_host").unwrap();
    host.strip_prefix("http://").unwrap().to_owned()
}

/// Runs a helper with this question.
fn ask(shop: &Shop, line: &str, question: &str) -> Ran {
    *shop.world.stdin.borrow_mut() = question.as_bytes().to_vec();
    shop.line(&format!("helper {line}"))
}

fn token(shop: &Shop) -> String {
    shop.line("token shop").ok().stdout.trim().to_owned()
}

/// Lets the vendor end the connection, so that a person is needed.
fn end(shop: &Shop) {
    shop.line("revoke shop").ok();
}

/// The end of the first token, in seconds since 1970.
const END: i64 = 1_780_304_400;

// git

fn git(shop: &Shop, action: &str, more: &str) -> Ran {
    let question = format!("protocol=http\nhost={}\n{more}\n", own(shop));
    ask(shop, &format!("git shop {action}"), &question)
}

#[test]
fn an_older_git_is_given_a_name_and_a_password() {
    let shop = shop();
    let token = token(&shop);
    let expected = format!("username=oauth2\npassword={token}\npassword_expiry_utc={END}\n");
    assert_eq!(git(&shop, "get", "").ok().stdout, expected);
    let basic = "capability[]=authtype\ncapability[]=state\nwwwauth[]=Basic realm=\"x\"\n";
    assert_eq!(git(&shop, "get", basic).ok().stdout, expected);
    let named = git(&shop, "get", "username=me\n").ok().stdout;
    assert!(named.starts_with("username=me\npassword="), "{named}");
    let flag = git(&shop, "get --username x-token-auth", "").ok().stdout;
    assert!(flag.starts_with("username=x-token-auth\n"), "{flag}");
}

#[test]
fn a_newer_git_is_given_a_header_with_its_end() {
    let shop = shop();
    let token = token(&shop);
    let expected = format!(
        "capability[]=authtype\nauthtype=Bearer\ncredential={token}\nephemeral=1\npassword_expiry_utc={END}\n"
    );
    assert_eq!(git(&shop, "get", "capability[]=authtype\n").ok().stdout, expected);
    let bearer =
        "capability[]=authtype\nwwwauth[]=Basic realm=\"x\"\nwwwauth[]=Bearer realm=\"y\"\n";
    let ran = git(&shop, "get", bearer).ok();
    assert_eq!((ran.stdout, ran.stderr), (expected, String::new()));
}

#[test]
fn git_s_next_helper_is_asked_for_other_hosts() {
    let shop = shop();
    shop.world.shelf.reads();
    let own = own(&shop);
    let others = [
        "protocol=https\nhost=github.com\n".to_owned(),
        format!("protocol=https\nhost={own}\n"),
        format!("protocol=http\nhost={own}.evil.example\n"),
        format!("protocol=http\nhost={own}/.evil.example\n"),
        format!("protocol=http\nhost=me@{own}\n"),
        "protocol=http\nhost=second.example:8443\n".to_owned(),
        "protocol=https\nhost=second.example\n".to_owned(),
        format!("host={own}\n"),
        "path=x\n".to_owned(),
        String::new(),
    ];
    for question in others {
        let ran = ask(&shop, "git shop get", &question).ok();
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{question}");
    }
    assert_eq!(shop.world.shelf.reads(), 0, "the store was read for a stranger");
    let second = ask(&shop, "git shop get", "protocol=https\nhost=second.example:8443\n\n");
    assert!(second.ok().stdout.contains("password=inka_"));
}

#[test]
fn git_stores_nothing_here_and_new_words_of_its_are_passed_over() {
    let shop = shop();
    let ran = git(&shop, "store", "username=me\npassword=hunter2hunter2\n").ok();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    let entry = shop.world.shelf.entry("shop").unwrap();
    assert!(!entry.contains("hunter2"));
    git(&shop, "some-new-action", "").ok().without_product();
}

#[test] // T1, AT-4a
fn a_token_that_a_git_server_refused_is_renewed_once() {
    let shop = shop();
    let refused = token(&shop);
    let erase = |secret: &str| git(&shop, "erase", secret).ok().without_product();
    erase(&format!("password={refused}\n"));
    assert_eq!(shop.sandbox.rotations(), 0, "a new token that is refused is refused for good");
    shop.world.pass(300);
    erase("password=what-somebody-typed\n");
    erase("username=me\n");
    assert_eq!(shop.sandbox.rotations(), 0);
    erase(&format!("password={refused}\n"));
    assert_eq!(shop.sandbox.rotations(), 1);
    shop.world.pass(300);
    erase(&format!("capability[]=authtype\nauthtype=Bearer\ncredential={refused}\n"));
    assert_eq!(shop.sandbox.rotations(), 1, "a straggler's token was renewed long ago");
    assert_ne!(token(&shop), refused);
}

#[test]
fn git_is_told_to_stop_where_a_person_is_needed() {
    let shop = shop();
    end(&shop);
    let ran = git(&shop, "get", "").exits(4).says("`shop` is not connected");
    assert_eq!(ran.stdout, "quit=1\n", "else it would ask for a password");
    git(&shop, "erase", "password=x\n").ok();
}

#[test]
fn git_is_told_to_stop_whatever_fails_and_other_hosts_stay_its_own_affair() {
    let shop = shop();
    let question = "protocol=https\nhost=git.example\n\n";
    let stops = |shop: &Shop, line: &str, exit: u8| {
        assert_eq!(ask(shop, line, question).exits(exit).stdout, "quit=1\n", "{line}");
    };
    stops(&shop, "git nowhere get", 3);
    stops(&shop, "git get", 2);
    stops(&shop, "git no/name get", 2);
    ask(&shop, "git nowhere erase", question).exits(3).without_product();
    ask(&shop, "git nowhere store", question).ok().without_product();
    let long = format!("host={}\n", "x".repeat(1 << 20));
    assert_eq!(ask(&shop, "git shop get", &long).exits(2).stdout, "quit=1\n");
    end(&shop);
    ask(&shop, "git shop get", question).ok().without_product();
    private_file(&shop.world.home().configuration.join("config.toml"), "nonsense = 1");
    stops(&shop, "git shop get", 3);
    ask(&shop, "git shop erase", question).exits(3).without_product();
}

// kubectl

fn exec_info(version: &str, spec: Value) -> String {
    json!({"kind": "ExecCredential", "apiVersion": version, "spec": spec}).to_string()
}

#[test]
fn kubectl_is_given_a_token_with_its_end_in_the_version_it_speaks() {
    let mut shop = shop();
    let token = token(&shop);
    for version in ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"] {
        shop.world.set("KUBERNETES_EXEC_INFO", &exec_info(version, json!({"interactive": false})));
        let ran = shop.line("helper kubectl shop").ok();
        let expected = json!({
            "kind": "ExecCredential",
            "apiVersion": version,
            "status": { "token": token, "expirationTimestamp": "2026-06-01T09:00:00Z" },
        });
        assert_eq!((ran.json(), ran.stderr.as_str()), (expected, ""));
        assert_eq!(ran.stdout.lines().count(), 1);
    }
}

#[test]
fn kubectl_is_refused_for_a_cluster_elsewhere() {
    let mut shop = shop();
    let cluster = |server: &str| {
        let spec = json!({"interactive": false, "cluster": {"server": server}});
        exec_info("client.authentication.k8s.io/v1", spec)
    };
    shop.world.set("KUBERNETES_EXEC_INFO", &cluster("https://cluster.example:6443"));
    shop.line("helper kubectl shop")
        .exits(3)
        .without_product()
        .says("`shop` is not for https://cluster.example:6443")
        .says("https://second.example:8443 alone");
    shop.world.set("KUBERNETES_EXEC_INFO", &cluster("https://second.example:8443"));
    shop.line("helper kubectl shop").ok();
    shop.world.set("KUBERNETES_EXEC_INFO", "{}");
    shop.line("helper kubectl shop").exits(2).without_product().says("v1");
}

#[test]
fn nobody_is_asked_whoever_sits_there() {
    let mut shop = shop();
    shop.world.seat(&[]);
    let pages = shop.sandbox.counts(Endpoint::Authorization);
    let spec = json!({"interactive": true});
    shop.world.set("KUBERNETES_EXEC_INFO", &exec_info("client.authentication.k8s.io/v1", spec));
    shop.line("helper kubectl shop").ok();
    end(&shop);
    let words = ["kubectl shop", "mcp shop"];
    for line in words {
        let ran = ask(&shop, line, "").exits(4).without_product();
        assert!(ran.stderr.contains("`shop` is not connected"), "{}", ran.stderr);
    }
    assert_eq!(shop.sandbox.counts(Endpoint::Authorization), pages, "a browser was opened");
}

// docker

#[test]
fn docker_is_given_a_name_and_a_secret() {
    let shop = shop();
    let (token, own) = (token(&shop), own(&shop));
    let get = |line: &str, server: &str| ask(&shop, line, server).ok().json();
    for server in [
        own.clone(),
        format!("http://{own}"),
        format!("http://{own}/v2/"),
        format!("{own}/team/image\n"),
        "second.example:8443".to_owned(),
        "https://second.example:8443".to_owned(),
    ] {
        let expected = json!({"ServerURL": server.trim(), "Username": "oauth2", "Secret": token});
        assert_eq!(get("docker shop get", &server), expected);
    }
    assert_eq!(get("docker shop get --username <token>", &own)["Username"], "<token>");
    let list = get("docker shop list", "");
    let expected = json!({own.as_str(): "oauth2", "second.example:8443": "oauth2"});
    assert_eq!(list, expected);
}

#[test]
fn docker_goes_on_without_credentials_for_other_registries() {
    let shop = shop();
    shop.world.shelf.reads();
    let own = own(&shop);
    for server in [
        "https://index.docker.io/v1/".to_owned(),
        "ghcr.io".to_owned(),
        format!("https://{own}"),
        format!("{own}.evil.example"),
        format!("evil.example/{own}"),
        format!("x@{own}"),
    ] {
        for action in ["get", "erase"] {
            let ran = ask(&shop, &format!("docker shop {action}"), &server).exits(1);
            let expected = "credentials not found in native keychain\n";
            assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""), "{server}");
        }
    }
    let empty = ask(&shop, "docker shop get", "\n").exits(1);
    assert_eq!(empty.stdout, "no credentials server URL\n");
    assert_eq!(shop.world.shelf.reads(), 0, "the store was read for a stranger");
}

#[test]
fn docker_keeps_and_ends_nothing_here() {
    let shop = shop();
    let login = |server: &str, secret: &str| {
        json!({"ServerURL": server, "Username": "oauth2", "Secret": secret}).to_string()
    };
    let own = own(&shop);
    // What `docker login` does with what `get` has just given.
    ask(&shop, "docker shop store", &login(&own, &token(&shop))).ok().without_product();
    let refused = [login(&own, "typed-by-hand"), login("ghcr.io", &token(&shop))];
    for question in refused {
        let ran = ask(&shop, "docker shop store", &question).exits(2);
        assert!(
            ran.stdout.starts_with("keyfob: a password of docker's cannot be kept"),
            "{}",
            ran.stdout
        );
        assert!(!ran.stdout.contains("typed-by-hand") && !ran.stderr.contains("typed-by-hand"));
    }
    ask(&shop, "docker shop erase", &own).exits(2).says("keyfob revoke shop");
    ask(&shop, "docker shop store", "no json").exits(2).says("was not understood");
    ask(&shop, "docker shop version", "").exits(2).says("one of get, list, store, erase");
    assert_eq!(shop.world.state("shop"), "ready");
}

#[test]
fn docker_shows_its_person_what_to_do() {
    let shop = shop();
    end(&shop);
    let ran = ask(&shop, "docker shop get", &own(&shop)).exits(4);
    assert_eq!(ran.stdout, "keyfob: `shop` is not connected; run keyfob connect shop\n");
    assert_eq!(ask(&shop, "docker shop list", "").ok().json(), json!({}));
}

// cargo

fn cargo_request(kind: &str, index: &str, args: &[&str]) -> String {
    let registry =
        json!({"index-url": index, "name": "shop", "headers": ["WWW-Authenticate: cargo"]});
    let request =
        json!({"v": 1, "kind": kind, "operation": "read", "registry": registry, "args": args});
    format!("{request}\n")
}

/// The hello and the answers.
fn cargo(ran: &Ran) -> Vec<Value> {
    let mut lines = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    assert_eq!(lines.next(), Some(json!({"v": [1]})));
    lines.collect()
}

#[test]
fn cargo_is_given_the_header_and_how_long_to_keep_it() {
    let shop = shop();
    let (token, index) = (token(&shop), format!("sparse+http://{}/index/", own(&shop)));
    let expected = |token: &str| {
        json!({"Ok": {"kind": "get", "token": token, "cache": "expires",
                      "operation_independent": true, "expiration": END}})
    };
    let bearer = expected(&format!("Bearer {token}"));
    let ran = ask(&shop, "cargo shop", &cargo_request("get", &index, &[])).ok();
    assert_eq!((cargo(&ran), ran.stderr.as_str()), (vec![bearer.clone()], ""));
    // As cargo starts a provider: one flag, and the configuration's words in the request.
    *shop.world.stdin.borrow_mut() = [
        cargo_request("get", &index, &["shop"]),
        cargo_request("get", &index, &["shop", "--bare", "--min-ttl", "5m"]),
    ]
    .concat()
    .into_bytes();
    let ran = shop.line("--cargo-plugin").ok();
    assert_eq!(cargo(&ran), [bearer, expected(&token)]);
}

#[test]
fn cargo_s_next_provider_is_asked_for_other_registries() {
    let shop = shop();
    shop.world.shelf.reads();
    for index in [
        "https://github.com/rust-lang/crates.io-index".to_owned(),
        "sparse+https://index.crates.io/".to_owned(),
        format!("sparse+https://{}/index/", own(&shop)),
        "no url".to_owned(),
    ] {
        let ran = ask(&shop, "cargo shop", &cargo_request("get", &index, &[])).ok();
        assert_eq!(cargo(&ran), [json!({"Err": {"kind": "url-not-supported"}})], "{index}");
    }
    assert_eq!(shop.world.shelf.reads(), 0, "the store was read for a stranger");
}

#[test]
fn cargo_reads_failures_as_json_and_neither_logs_in_nor_out() {
    let shop = shop();
    let index = format!("sparse+http://{}/", own(&shop));
    let reply = |question: &str| {
        let ran = ask(&shop, "cargo", question).ok();
        assert_eq!(ran.stderr, "");
        cargo(&ran).remove(0)["Err"].clone()
    };
    for kind in ["login", "logout", "future"] {
        let error = reply(&cargo_request(kind, &index, &["shop"]));
        assert_eq!(error, json!({"kind": "operation-not-supported"}));
    }
    let told = |question: &str| {
        let error = reply(question);
        assert_eq!(error["kind"], "other");
        error.to_string()
    };
    assert!(told(&cargo_request("get", &index, &[])).contains("no profile was named"));
    assert!(told(&cargo_request("get", &index, &["no-such"])).contains("no-such"));
    assert!(told(&cargo_request("get", &index, &["--odd"])).contains("--odd"));
    assert!(told("{}\n").contains("was not understood"));
    assert!(
        told(&cargo_request("get", &index, &[]).replace("\"v\":1", "\"v\":2")).contains("version")
    );
    end(&shop);
    let ended = told(&cargo_request("get", &index, &["shop"]));
    assert!(ended.contains("`shop` is not connected") && ended.contains("keyfob connect shop"));
}

// terraform

#[test]
fn terraform_is_given_a_token_for_the_own_host_alone() {
    let shop = shop();
    let token = token(&shop);
    let ran = shop.line("helper terraform shop get second.example:8443").ok();
    assert_eq!((ran.json(), ran.stderr.as_str()), (json!({"token": token}), ""));
    shop.world.shelf.reads();
    let own = own(&shop);
    for host in ["app.terraform.io", "second.example", "evil.example/second.example:8443", &own] {
        assert_eq!(shop.line(&format!("helper terraform shop get {host}")).ok().json(), json!({}));
    }
    assert_eq!(shop.world.shelf.reads(), 0, "the store was read for a stranger");
}

#[test]
fn terraform_changes_nothing_here() {
    let shop = shop();
    let change =
        |line: &str| ask(&shop, &format!("terraform shop {line} second.example:8443"), "{}");
    change("store").exits(2).without_product().says("no login is needed");
    change("forget").exits(2).without_product().says("keyfob revoke shop");
    change("odd").exits(2).without_product().says("one of get, store, forget");
    end(&shop);
    change("get").exits(4).without_product().says("`shop` is not connected");
}

// bazel

#[test]
fn bazel_is_given_every_header_and_when_to_ask_again() {
    let shop = shop();
    let token = token(&shop);
    let expected = json!({
        "headers": { "Authorization": [format!("Bearer {token}")] },
        "expires": "2026-06-01T09:00:00Z",
    });
    let get = |uri: &str| ask(&shop, "bazel shop get", &json!({"uri": uri, "new": 1}).to_string());
    for uri in [
        format!("http://{}/cas/1", own(&shop)),
        format!("grpc://{}/build.bazel.remote.execution.v2.Capabilities", own(&shop)),
        "https://second.example:8443/x".to_owned(),
        "grpcs://second.example:8443/build.bazel.remote.execution.v2.Capabilities".to_owned(),
    ] {
        let ran = get(&uri).ok();
        assert_eq!((ran.json(), ran.stderr.as_str()), (expected.clone(), ""), "{uri}");
    }
    shop.world.shelf.reads();
    for uri in [
        "https://mirror.bazel.build/x",
        "http://second.example:8443/",
        "https://u@second.example:8443/",
    ] {
        assert_eq!(get(uri).ok().json(), json!({"headers": {}}), "{uri}");
    }
    assert_eq!(shop.world.shelf.reads(), 0, "the store was read for a stranger");
}

#[test]
fn a_vendor_s_further_headers_go_along() {
    let shop = Shop::of("imprest");
    shop.connect().exits(2).says("`organization_id` is not chosen");
    shop.line("helper mcp shop").exits(2).without_product().says("organization_id");
    let id = "5c2d9e10-1a7b-4f6c-b3d8-7e6f5a4b3c2d";
    shop.line(&format!("profile set shop organization_id={id}")).ok();
    let flat = shop.line("helper mcp shop").ok().json();
    assert_eq!(flat["X-Organization-Id"], id);
    assert!(flat["Authorization"].as_str().unwrap().starts_with("Bearer "));
    let settings = shop.sandbox.settings();
    let (_, host) = settings.iter().find(|(name, _)| *name == "host").unwrap();
    let lists = ask(&shop, "bazel shop get", &json!({"uri": host}).to_string()).ok().json();
    assert_eq!(lists["headers"]["X-Organization-Id"], json!([id]));
}

#[test]
fn bazel_s_errors_are_an_exit_status_and_words() {
    let shop = shop();
    let get = |question: &str| ask(&shop, "bazel shop get", question).without_product();
    get("").exits(2).says("no JSON object with a `uri`");
    get("[]").exits(2);
    get(r#"{"uri":"own.example"}"#).exits(2).says("`own.example` is no address");
    get(&"x".repeat((1 << 20) + 1)).exits(2).says("longer than 1 MiB");
    ask(&shop, "bazel shop set", "").exits(2).says("one of get");
    end(&shop);
    get(&json!({"uri": format!("http://{}", own(&shop))}).to_string()).exits(4);
}

// MCP

#[test]
fn an_mcp_host_is_given_one_flat_object() {
    let mut shop = shop();
    let token = token(&shop);
    let expected = json!({"Authorization": format!("Bearer {token}")});
    let ran = shop.line("helper mcp shop").ok();
    assert_eq!((ran.json(), ran.stdout.lines().count()), (expected.clone(), 1));
    shop.world.set("CLAUDE_CODE_MCP_SERVER_URL", "https://second.example:8443/mcp");
    assert_eq!(shop.line("helper mcp shop").ok().json(), expected);
    shop.world.set("CLAUDE_CODE_MCP_SERVER_URL", "https://evil.example/mcp");
    shop.line("helper mcp shop")
        .exits(3)
        .without_product()
        .says("not for https://evil.example/mcp");
}

#[test]
fn a_scheme_of_the_vendor_s_own_is_kept() {
    let shop = Shop::of("merchantos");
    shop.connect_with(&["--scope", "employee:all", "--set", "account_id=12345"]).ok();
    let headers = shop.line("helper mcp shop").ok().json();
    assert!(headers["Authorization"].as_str().unwrap().starts_with("OAuth "), "{headers}");
    let settings = shop.sandbox.settings();
    let (_, host) = settings.iter().find(|(name, _)| *name == "api_host").unwrap();
    let host = host.strip_prefix("http://").unwrap();
    let question = format!("protocol=http\nhost={host}\ncapability[]=authtype\n");
    let ran = ask(&shop, "git shop get", &question).ok();
    assert!(ran.stdout.contains("authtype=OAuth\n"), "{}", ran.stdout);
}

#[test]
fn a_vendor_that_takes_the_token_in_the_query_alone_has_no_headers_to_give() {
    let shop = Shop::of("merchantos");
    let folder = shop.world.home().providers();
    let file = include_str!("../src/provider/catalogue/merchantos.toml");
    let query = file.replace("place = \"{token_in}\"", "place = \"query\"");
    assert_ne!(query, file);
    private_file(&folder.join("merchantos.toml"), query);
    shop.connect_with(&["--scope", "employee:all", "--set", "account_id=12345"]).ok();
    for line in ["helper mcp shop", "header shop"] {
        shop.line(line).exits(2).without_product().says("keyfob call");
    }
}

// all of them

#[test]
fn an_ended_token_is_renewed_for_whoever_asks() {
    let shop = shop();
    let question = format!("protocol=http\nhost={}\n\n", own(&shop));
    shop.world.pass(3_600);
    let first = ask(&shop, "git shop get", &question).ok().stdout;
    assert_eq!(shop.sandbox.rotations(), 1);
    assert!(first.contains(&format!("password={}\n", token(&shop))));
    let longer = ask(&shop, "git shop get --min-ttl 90m", &question).ok().stdout;
    assert_eq!((longer, shop.sandbox.rotations()), (first, 1), "no token lives for so long");
}

#[test]
fn the_profile_may_come_from_the_environment_of_every_helper() {
    let mut shop = shop();
    let question = format!("protocol=http\nhost={}\n\n", own(&shop));
    ask(&shop, "git get", &question).exits(2).says("KEYFOB_PROFILE");
    shop.world.set("KEYFOB_PROFILE", "shop");
    assert!(ask(&shop, "git get", &question).ok().stdout.contains("password=inka_"));
    assert_eq!(ask(&shop, "docker get", &own(&shop)).ok().json()["Username"], "oauth2");
    let terraform = shop.line("helper terraform get second.example:8443").ok();
    assert_eq!(terraform.json()["token"], token(&shop));
    shop.line("helper kubectl").ok();
    shop.line("helper mcp").ok();
}

#[test] // LG1
fn no_helper_says_a_secret_aloud() {
    let shop = shop();
    let questions = [
        ("git shop get", format!("protocol=http\nhost={}\n\n", own(&shop))),
        ("kubectl shop", String::new()),
        ("docker shop get", own(&shop)),
        ("cargo shop", cargo_request("get", &format!("sparse+http://{}/", own(&shop)), &[])),
        ("terraform shop get second.example:8443", String::new()),
        ("bazel shop get", json!({"uri": format!("http://{}/", own(&shop))}).to_string()),
        ("mcp shop", String::new()),
    ];
    for (line, question) in questions {
        shop.world.pass(3_600);
        let ran = ask(&shop, &format!("{line} -vv"), &question).ok();
        assert!(ran.stdout.contains("inka_"), "{line}");
        assert!(ran.stderr.contains("/token"), "{line}: the traffic is told: {}", ran.stderr);
        assert!(!ran.stderr.contains("inka_") && !ran.stderr.contains("inkr_"), "{line}");
    }
}

#[test]
fn a_refresh_that_fails_is_told_in_every_protocol() {
    let shop = shop();
    shop.world.pass(3_600);
    shop.sandbox.next_token_answers((0..14).map(|_| keyfob::sandbox::Fault::Html).collect());
    let question = format!("protocol=http\nhost={}\n\n", own(&shop));
    let ran = ask(&shop, "git shop get", &question).exits(7);
    assert_eq!(ran.stdout, "quit=1\n");
    ask(&shop, "kubectl shop", "").exits(7).without_product();
    assert!(ask(&shop, "docker shop get", &own(&shop)).exits(7).stdout.starts_with("keyfob: "));
    shop.line("helper terraform shop get second.example:8443").exits(7).without_product();
    shop.line("helper mcp shop").exits(7).without_product();
}
