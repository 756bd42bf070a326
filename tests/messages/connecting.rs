//! An authorization that does not come to be.

use keyfob::sandbox::Fault;

use super::{Failure, after, connecting, json};
use crate::support::browser::Behaviour;
use crate::support::shelf::Trouble;

pub fn failures() -> Vec<Failure> {
    let scope = ["--scope", "orders:read"];
    let slow = ["--scope", "orders:read", "--timeout", "20ms"];
    vec![
        connecting("the person says no", &scope, |shop| shop.world.browser(Behaviour::Denies)),
        connecting("the app is not approved", &scope, |shop| shop.sandbox.set_approved(false)),
        connecting("nobody comes back", &slow, |shop| shop.world.browser(Behaviour::Forgets)),
        connecting("the code is refused", &scope, |shop| {
            shop.sandbox.next_token_answers(vec![json(400, r#"{"error":"invalid_grant"}"#)]);
        }),
        connecting("another redirect URI is registered", &scope, |shop| {
            shop.sandbox.next_token_answers(vec![json(400, r#"{"error":"invalid_redirect_uri"}"#)]);
        }),
        connecting("the code's answer is a page", &scope, |shop| {
            shop.sandbox.next_token_answers(vec![Fault::Html]);
        }),
        connecting("the keychain is locked", &scope, |shop| shop.world.trouble(Trouble::Locked)),
        connecting("there is no keychain", &scope, |shop| shop.world.trouble(Trouble::Absent)),
        connecting("the store keeps nothing", &scope, |shop| {
            shop.world.trouble(Trouble::Forgetful)
        }),
        after("another account", "connect shop", |shop| {
            shop.sandbox.answer_with("merchant_id", 999.into());
        }),
    ]
}

pub const EXPECTED: &str = r##"
## the person says no
5
error: the authorization was denied
cause: it answered access_denied
cause: "The person said no"
hint:  start again when that is settled
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress

## the app is not approved
5
error: Inkress does not let this app in
cause: it answered unauthorized_client
cause: "the application is pending review"
cause: Inkress has not approved the app yet, or has paused or revoked it
hint:  look at the app's status in Developer > Developer Apps

## nobody comes back
4
error: nobody came back within 0 s
cause: the redirect URI must be registered exactly as http://127.0.0.1:PORT/callback/inkress
hint:  nothing is changed; start again, with more time if it is needed
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress --timeout 15m

## the code is refused
4
error: Inkress refused the authorization
cause: it answered invalid_grant (HTTP 400)
cause: the code or refresh token has expired or was used before, or the PKCE verifier does not match
hint:  authorise it again
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress

## another redirect URI is registered
3
error: Inkress refused the request: the redirect URI differs from the registered one
cause: the redirect URI that was sent is http://127.0.0.1:PORT/callback/inkress
cause: it answered invalid_redirect_uri (HTTP 400)
hint:  protocol, host, path and query must be identical to a registered URI
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress --print-redirect

## the code's answer is a page
7
error: Inkress did not answer the token request sensibly
cause: it answered with no JSON object: not JSON: error in line 1, column 1 (HTTP 200)
hint:  a code works once, so start again
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress

## the keychain is locked
6
error: the keychain is locked
cause: it can be read once it is unlocked; nothing was changed
hint:  unlock it (log in to the desktop, or run the first line); or connect with --store file, which keeps tokens in files sealed with a key
       gnome-keyring-daemon --unlock
       (umask 077 && set -C && openssl rand -base64 32 > ~/.keyfob.key)
       export KEYFOB_STORE_KEY_FILE=~/.keyfob.key
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress --store file

## there is no keychain
6
error: there is no keychain on this machine to keep tokens in
cause: no session bus answers
hint:  start and unlock a keychain for this session; or connect with --store file, which keeps tokens in files sealed with a key
       dbus-run-session -- sh -c 'gnome-keyring-daemon --unlock && exec "$SHELL"'
       (umask 077 && set -C && openssl rand -base64 32 > ~/.keyfob.key)
       export KEYFOB_STORE_KEY_FILE=~/.keyfob.key
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress --store file

## the store keeps nothing
6
error: the store did not keep what was written
cause: reading it back gave something else
hint:  check the keychain; or connect with --store file, which keeps tokens in files sealed with a key
       (umask 077 && set -C && openssl rand -base64 32 > ~/.keyfob.key)
       export KEYFOB_STORE_KEY_FILE=~/.keyfob.key
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --redirect-uri http://127.0.0.1:PORT/callback/inkress --store file

## another account
2
error: `shop` belongs to another account
cause: it is connected to merchant_id 183; this authorization is for merchant_id 999
hint:  nothing was changed; replace it on purpose, or use another profile name
       keyfob connect shop --yes
"##;
