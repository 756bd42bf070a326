//! keyfob's own sandbox in this process, with a redirect URI of each test's own.

use std::process::Command;

use keyfob::sandbox::{Endpoint, Sandbox};
use url::Url;

use super::folder::Folder;
use super::ports::free_port;

/// Adds `connect shop` with everything that a sandbox wants to know.
pub fn connect(sandbox: &Sandbox, folder: &Folder, command: &mut Command) {
    let client = sandbox.client();
    let secret = folder.write("client-secret", client.client_secret.as_ref().unwrap().expose());
    let redirect_uri = redirect_uri(sandbox);
    command.args(["connect", "shop", "--provider", "inkress"]);
    for (name, value) in sandbox.settings() {
        command.args(["--set", &format!("{name}={value}")]);
    }
    command
        .args(["--client-id", &client.client_id, "--client-secret-file", &secret])
        .args(["--scope", "orders:read,customers:read", "--redirect-uri", &redirect_uri])
        .args(["--timeout", "60s"]);
}

/// A redirect URI that the sandbox knows.
pub fn redirect_uri(sandbox: &Sandbox) -> String {
    let redirect_uri = format!("http://127.0.0.1:{}/callback/inkress", free_port());
    sandbox.register_redirect_uri(&redirect_uri);
    redirect_uri
}

/// The address of its consent page, for a client that nobody waits for.
pub fn authorization_url(sandbox: &Sandbox, redirect_uri: &str, state: &str) -> Url {
    let parameters = [
        ("response_type", "code"),
        ("client_id", &sandbox.client().client_id),
        ("redirect_uri", redirect_uri),
        ("scope", "orders:read"),
        ("state", state),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&sandbox.url(Endpoint::Authorization).unwrap(), parameters).unwrap()
}
