//! keyfob's own sandbox in this process, with a redirect URI of each test's own.

use std::net::TcpListener;
use std::process::Command;

use keyfob::sandbox::Sandbox;

use super::folder::Folder;

/// Adds `connect shop` with everything that a sandbox wants to know.
pub fn connect(sandbox: &Sandbox, folder: &Folder, command: &mut Command) {
    let client = sandbox.client();
    let secret = folder.write("client-secret", client.client_secret.as_ref().unwrap().expose());
    let redirect_uri = format!("http://127.0.0.1:{}/callback/inkress", free_port());
    sandbox.register_redirect_uri(&redirect_uri);
    command.args(["connect", "shop", "--provider", "inkress"]);
    for (name, value) in sandbox.settings() {
        command.args(["--set", &format!("{name}={value}")]);
    }
    command
        .args(["--client-id", &client.client_id, "--client-secret-file", &secret])
        .args(["--scope", "orders:read,customers:read", "--redirect-uri", &redirect_uri])
        .args(["--timeout", "60s"]);
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
