//! The programs that ask `helper`, each the real one: git, cargo, kubectl, skopeo.
//!
//! Behind every one stands a server that wants an Authorization header, and a connection whose
//! access token has ended: what arrives there is a token that was renewed on the way.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyfob::sandbox::{Endpoint, Options, Sandbox};
use keyfob::system::Home;
use serde_json::json;

use super::files::private_file;
use super::folder::{Folder, KEYFOB, Ran, command_at_home};
use super::guarded::{Asked, Guarded, Page, Serve, pages};

const INKRESS: &str = include_str!("../../src/provider/catalogue/inkress.toml");

/// A home with `shop` in it, whose provider names one more host.
struct Shop {
    folder: Folder,
    sandbox: Sandbox,
}

impl Shop {
    /// Imports tokens of which the access token has ended.
    fn for_host(folder: Folder, origin: &str) -> Self {
        let sandbox = Sandbox::start("inkress", Options::default()).unwrap();
        let shop = Self { folder, sandbox };
        let providers = shop.providers();
        let file = INKRESS.replace("[api]\n", &format!("[api]\nhosts = [\"{origin}\"]\n"));
        private_file(&providers.join("inkress.toml"), file);
        let client = shop.sandbox.client();
        let mut tokens = shop.sandbox.dashboard_tokens(&["orders:read", "offline_access"]);
        tokens["client_secret"] = client.client_secret.unwrap().expose().into();
        tokens["expires_at"] = "2020-01-01T00:00:00Z".into();
        tokens.as_object_mut().unwrap().remove("expires_in");
        let mut import = shop.folder.keyfob(&["import", "shop", "--provider", "inkress"]);
        for (name, value) in shop.sandbox.settings() {
            import.args(["--set", &format!("{name}={value}")]);
        }
        let mut import = import
            .args(["--client-id", &client.client_id])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        import.stdin.take().unwrap().write_all(tokens.to_string().as_bytes()).unwrap();
        Ran::from(import.wait_with_output().unwrap()).done();
        shop
    }

    fn providers(&self) -> PathBuf {
        Home::under(&self.folder.join("home")).providers()
    }

    /// Another program, for which keyfob is on PATH and its home is known.
    fn program(&self, name: &str) -> Command {
        let model = self.folder.keyfob(&[]);
        let mut command = self.folder.command(name);
        for (name, value) in model.get_envs() {
            command.env(name, value.unwrap());
        }
        let mut path = vec![self.folder.join("bin"), Path::new(KEYFOB).parent().unwrap().into()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        command.env("PATH", std::env::join_paths(path).unwrap());
        command
    }

    /// Puts a script on PATH.
    fn script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::create_dir_all(self.folder.join("bin")).unwrap();
        let path = self.folder.write(&format!("bin/{name}"), text);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The token that everybody must have been given, after the one refresh there was.
    fn token(&self) -> String {
        let token = self.folder.run(&["token", "shop"]).done().trim().to_owned();
        assert_eq!(self.sandbox.counts(Endpoint::Token), 1);
        token
    }

    /// Ends the connection, so that a person is needed.
    fn end(&self) {
        self.folder.run(&["revoke", "shop"]).done();
    }
}

fn basic(token: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("oauth2:{token}")))
}

/// A bare repository behind git's own server program.
fn repository(folder: &Folder) -> Serve {
    let git = |arguments: &[&str]| {
        let mut command = folder.command("git");
        command.current_dir(folder.path()).args(["-c", "user.name=t", "-c", "user.email=t@t"]);
        Ran::of(command.args(["-c", "init.defaultBranch=main"]).args(arguments)).done();
    };
    git(&["init", "-q", "work"]);
    git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", "first"]);
    git(&["clone", "-q", "--bare", "work", "repositories/repo.git"]);
    let root = folder.join("repositories");
    Box::new(move |asked| http_backend(&root, asked))
}

/// Runs `git http-backend`, a CGI program, for one request.
fn http_backend(root: &Path, asked: &Asked) -> Option<Page> {
    let header = |name: &str| asked.headers.get(name).map_or("", String::as_str);
    let mut backend = command_at_home(root, "git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REQUEST_METHOD", &asked.method)
        .env("PATH_INFO", &asked.path)
        .env("QUERY_STRING", &asked.query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("CONTENT_LENGTH", asked.body.len().to_string())
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    backend.stdin.take().unwrap().write_all(&asked.body).unwrap();
    let answer = backend.wait_with_output().unwrap().stdout;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let kind = head.lines().find_map(|line| line.strip_prefix("Content-Type: "))?.to_owned();
    let found = !head.starts_with("Status: 4");
    found.then(|| Page { kind, body: answer[end + 4..].to_vec() })
}

/// git 2.46 sends a header of any scheme; older ones know HTTP Basic alone.
fn git_sends_headers(folder: &Folder) -> bool {
    let version = Ran::of(folder.command("git").arg("version")).done();
    let numbers: Vec<u32> = version
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect();
    (numbers[0], numbers[1]) >= (2, 46)
}

/// A shop, and git configured as `keyfob helper git --help` says.
fn git_shop(challenges: &[&'static str]) -> (Shop, Guarded) {
    let folder = Folder::new();
    let serve = repository(&folder);
    let server = Guarded::plain(challenges, |_| serve);
    let shop = Shop::for_host(folder, &server.origin());
    let key = format!("credential.{}.helper", server.origin());
    Ran::of(shop.program("git").args(["config", "--global", &key, "!keyfob helper git shop"]))
        .done();
    (shop, server)
}

#[test]
fn git_clones_with_the_token() {
    for (challenges, basic_alone) in
        [(&["Basic realm=\"x\""][..], true), (&["Bearer realm=\"x\"", "Basic realm=\"x\""], false)]
    {
        let (shop, server) = git_shop(challenges);
        let clone = [&format!("{}/repo.git", server.origin()), "clone"];
        let mut git = shop.program("git");
        git.current_dir(shop.folder.path()).args(["clone", "-q"]).args(clone);
        Ran::of(&mut git).done();
        assert!(shop.folder.join("clone/.git/refs").exists());
        let token = shop.token();
        let header = match basic_alone || !git_sends_headers(&shop.folder) {
            true => basic(&token),
            false => format!("Bearer {token}"),
        };
        assert_eq!(server.headers(), [header]);
    }
}

#[test]
fn git_asks_nobody_where_a_person_must_authorise() {
    let (shop, server) = git_shop(&["Basic realm=\"x\""]);
    shop.end();
    let mut git = shop.program("git");
    git.args(["ls-remote", &format!("{}/repo.git", server.origin())]);
    let stderr = Ran::of(&mut git).failed(128);
    assert!(stderr.contains("error: `shop` is not connected"), "{stderr}");
    assert!(stderr.contains("told us to quit"), "{stderr}");
    assert!(!stderr.contains("Username"), "{stderr}");
    assert!(server.headers().is_empty());
}

#[test]
fn git_s_other_helpers_serve_other_hosts() {
    let (shop, _) = git_shop(&["Basic realm=\"x\""]);
    let elsewhere = Guarded::plain(&["Basic realm=\"x\""], |_| pages([]));
    let global = |words: &[&str]| {
        let mut git = shop.program("git");
        Ran::of(git.args(["config", "--global", "--add", "credential.helper"]).args(words)).done();
    };
    global(&["!keyfob helper git shop"]);
    global(&["!f() { test $1 = get && printf 'username=a\\npassword=b\\n'; }; f"]);
    let mut git = shop.program("git");
    let ran = Ran::of(git.args(["ls-remote", &format!("{}/repo.git", elsewhere.origin())]));
    assert!(ran.stderr.contains("not found"), "{}", ran.stderr);
    assert_eq!(elsewhere.headers(), [format!("Basic {}", STANDARD.encode("a:b"))]);
    assert_eq!(shop.sandbox.counts(Endpoint::Token), 0);
}

/// A registry of one crate.
fn registry(port: u16) -> Serve {
    let config = json!({
        "dl": format!("http://127.0.0.1:{port}/dl"),
        "api": format!("http://127.0.0.1:{port}"),
        "auth-required": true,
    });
    let version = json!({
        "name": "shopkit", "vers": "1.2.3", "deps": [], "features": {}, "yanked": false,
        "cksum": "00".repeat(32),
    });
    pages([("/index/config.json", config), ("/index/sh/op/shopkit", version)])
}

/// A package that needs the crate, and cargo configured as `keyfob helper cargo --help` says.
fn cargo(shop: &Shop, server: &Guarded, provider: &str) -> Command {
    std::fs::create_dir_all(shop.folder.join("package/src")).unwrap();
    std::fs::create_dir_all(shop.folder.join("package/.cargo")).unwrap();
    shop.folder.write("package/src/lib.rs", "");
    shop.folder.write(
        "package/Cargo.toml",
        "[package]\nname = \"package\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [workspace]\n[dependencies]\nshopkit = { version = \"1\", registry = \"shop\" }\n",
    );
    let config = format!(
        "[registries.shop]\nindex = \"sparse+{}/index/\"\ncredential-provider = {provider}\n",
        server.origin()
    );
    shop.folder.write("package/.cargo/config.toml", &config);
    // The toolchain's own, since its selector would look for its settings in HOME.
    let cargo = Path::new(env!("CARGO"));
    let mut command = shop.program(env!("CARGO"));
    command
        .current_dir(shop.folder.join("package"))
        .env("CARGO_HOME", shop.folder.join("cargo"))
        .env("RUSTC", cargo.with_file_name("rustc"))
        .arg("generate-lockfile");
    command
}

#[test]
fn cargo_reads_a_private_registry_with_the_token() {
    let server = Guarded::plain(&["Bearer"], registry);
    let shop = Shop::for_host(Folder::new(), &server.origin());
    Ran::of(&mut cargo(&shop, &server, "[\"keyfob\", \"shop\"]")).done();
    let lock = std::fs::read_to_string(shop.folder.join("package/Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"shopkit\"\nversion = \"1.2.3\""), "{lock}");
    assert_eq!(server.headers(), [format!("Bearer {}", shop.token())]);
    let kept = std::fs::read_to_string(shop.folder.join("package/Cargo.lock")).unwrap();
    assert!(!kept.contains(&shop.token()));
}

#[test]
fn cargo_shows_its_person_what_to_do() {
    let server = Guarded::plain(&["Bearer"], registry);
    let shop = Shop::for_host(Folder::new(), &server.origin());
    shop.end();
    let stderr = Ran::of(&mut cargo(&shop, &server, "[\"keyfob\", \"shop\"]")).failed(101);
    assert!(stderr.contains("`shop` is not connected"), "{stderr}");
    assert!(stderr.contains("keyfob connect shop"), "{stderr}");
    let stderr = Ran::of(&mut cargo(&shop, &server, "[\"keyfob\", \"--odd\"]")).failed(101);
    assert!(stderr.contains("unexpected argument '--odd'"), "{stderr}");
    assert!(server.headers().is_empty());
}

#[test]
fn cargo_gets_nothing_for_another_registry() {
    let own = Guarded::plain(&["Bearer"], registry);
    let other = Guarded::plain(&["Bearer"], registry);
    let shop = Shop::for_host(Folder::new(), &own.origin());
    let stderr = Ran::of(&mut cargo(&shop, &other, "[\"keyfob\", \"shop\"]")).failed(101);
    assert!(stderr.contains("no credential providers could handle the request"), "{stderr}");
    assert!(other.headers().is_empty());
    assert!(other.was_asked());
}

/// kubectl with a kubeconfig as `keyfob helper kubectl --help` says.
fn kubectl(shop: &Shop, server: &str, authority: &str) -> Command {
    let mut version = shop.program("kubectl");
    let version: serde_json::Value = serde_json::from_str(
        &Ran::of(version.args(["version", "--client", "--output=json"])).done(),
    )
    .unwrap();
    let minor = version["clientVersion"]["minor"].as_str().unwrap();
    let minor: u32 = minor.trim_end_matches('+').parse().unwrap();
    // v1 came with Kubernetes 1.22.
    let api = if minor >= 22 { "v1" } else { "v1beta1" };
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "shop",
        "clusters": [{"name": "shop", "cluster": {"server": server, "certificate-authority": authority}}],
        "contexts": [{"name": "shop", "context": {"cluster": "shop", "user": "shop"}}],
        "users": [{"name": "shop", "user": {"exec": {
            "apiVersion": format!("client.authentication.k8s.io/{api}"),
            "command": "keyfob", "args": ["helper", "kubectl", "shop"],
            "interactiveMode": "Never", "provideClusterInfo": true,
        }}}],
    });
    let mut command = shop.program("kubectl");
    command.args(["--kubeconfig", &shop.folder.write("kubeconfig", &config.to_string())]);
    command
}

fn cluster(folder: &Folder) -> Guarded {
    let serve = pages([("/version", json!({"major": "1"}))]);
    Guarded::tls(&["Bearer"], |_| serve, &folder.join("authority.pem"))
}

#[test]
fn kubectl_speaks_to_a_cluster_with_the_token() {
    let folder = Folder::new();
    let (server, authority) = (cluster(&folder), folder.join("authority.pem"));
    let shop = Shop::for_host(folder, &server.origin());
    let mut kubectl = kubectl(&shop, &server.origin(), authority.to_str().unwrap());
    let answer = Ran::of(kubectl.args(["get", "--raw", "/version"])).done();
    assert_eq!(answer, "{\"major\":\"1\"}");
    assert_eq!(server.headers(), [format!("Bearer {}", shop.token())]);
}

#[test]
fn kubectl_gets_nothing_for_another_cluster_and_no_question_where_a_person_is_needed() {
    let folder = Folder::new();
    let (server, authority) = (cluster(&folder), folder.join("authority.pem"));
    let shop = Shop::for_host(folder, "https://127.0.0.1:1");
    let fails = |shop: &Shop| {
        let mut kubectl = kubectl(shop, &server.origin(), authority.to_str().unwrap());
        Ran::of(kubectl.args(["get", "--raw", "/version"])).failed(1)
    };
    let stderr = fails(&shop);
    assert!(stderr.contains(&format!("`shop` is not for {}", server.origin())), "{stderr}");
    let file = shop.providers().join("inkress.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("https://127.0.0.1:1", &server.origin())).unwrap();
    shop.end();
    let stderr = fails(&shop);
    assert!(stderr.contains("`shop` is not connected"), "{stderr}");
    assert!(server.headers().is_empty());
}

/// skopeo, which finds its helpers as docker does.
fn skopeo(shop: &Shop, server: &Guarded) -> Command {
    shop.script("docker-credential-shop", "#!/bin/sh\nexec keyfob helper docker shop \"$@\"\n");
    let config = json!({"credHelpers": {server.authority(): "shop"}});
    std::fs::create_dir_all(shop.folder.join(".docker")).unwrap();
    shop.folder.write(".docker/config.json", &config.to_string());
    let mut command = shop.program("skopeo");
    command.args(["list-tags", "--tls-verify=false"]);
    command.arg(format!("docker://{}/team/image", server.authority()));
    command
}

fn images(_: u16) -> Serve {
    let tags = json!({"name": "team/image", "tags": ["v1", "v2"]});
    pages([("/v2/", json!({})), ("/v2/team/image/tags/list", tags)])
}

#[test]
fn skopeo_reads_a_private_registry_with_the_token() {
    let server = Guarded::plain(&["Basic realm=\"x\""], images);
    let shop = Shop::for_host(Folder::new(), &server.origin());
    let tags = Ran::of(&mut skopeo(&shop, &server)).done();
    let tags: serde_json::Value = serde_json::from_str(&tags).unwrap();
    assert_eq!(tags["Tags"], json!(["v1", "v2"]));
    assert_eq!(server.headers(), [basic(&shop.token())]);
}

#[test]
fn skopeo_shows_its_person_what_to_do_and_gets_nothing_for_another_registry() {
    let server = Guarded::plain(&["Basic realm=\"x\""], images);
    let other = Guarded::plain(&["Basic realm=\"x\""], images);
    let shop = Shop::for_host(Folder::new(), &server.origin());
    let ran = Ran::of(&mut skopeo(&shop, &other));
    assert_ne!(ran.exit, Some(0));
    assert!(other.headers().is_empty(), "a stranger was shown the token");
    shop.end();
    let stderr = Ran::of(&mut skopeo(&shop, &server)).failed(1);
    assert!(stderr.contains("`shop` is not connected"), "{stderr}");
    assert!(server.headers().is_empty());
}
