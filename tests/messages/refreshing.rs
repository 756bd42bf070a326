//! Tokens that are not renewed.

use keyfob::sandbox::Fault;

use super::{Failure, after, in_shop, json, token_answers};
use crate::support::Shop;
use crate::support::shelf::Trouble;

pub fn failures() -> Vec<Failure> {
    let refresh = "refresh shop";
    let busy = Fault::Status {
        status: 429,
        headers: vec![("retry-after".into(), "30".into())],
        body: String::new(),
    };
    vec![
        after("not connected", "token shop", |shop| drop(shop.line("revoke shop").ok())),
        after("the grant was revoked", refresh, |shop| shop.sandbox.revoke_all()),
        token_answers(
            "the client is refused",
            refresh,
            vec![json(401, r#"{"error":"invalid_client","error_description":"who?"}"#)],
        ),
        token_answers(
            "the token request is refused",
            refresh,
            vec![json(400, r#"{"error":"invalid_scope"}"#)],
        ),
        token_answers("the token endpoint is down", refresh, vec![Fault::status(503); 2]),
        token_answers("the token endpoint is a portal", refresh, vec![Fault::Html; 2]),
        token_answers("the answer is lost", refresh, vec![Fault::Reset; 2]),
        token_answers("too many token requests", refresh, vec![busy]),
        after("after a lost answer", refresh, |shop| {
            shop.sandbox.next_token_answers(vec![Fault::RotateThenReset, Fault::Reset]);
            shop.line(refresh).exits(7);
        }),
        after("the store is full", refresh, |shop| shop.world.trouble(Trouble::Full { after: 0 })),
        after("the store is full too late", refresh, |shop| {
            shop.world.trouble(Trouble::Full { after: 1 })
        }),
        after("the entry is damaged", refresh, |shop| shop.world.trouble(Trouble::Damaged)),
        after("the entry is of a newer keyfob", refresh, |shop| shop.world.trouble(Trouble::Newer)),
        after("another host", refresh, |shop| {
            shop.line("profile set shop api_host=api.example").ok();
        }),
        {
            let shop = Shop::connected("merchantos");
            let ran = shop.line(refresh);
            in_shop("nothing can renew it", &shop, ran)
        },
    ]
}

pub const EXPECTED: &str = r##"
## not connected
4
error: `shop` is not connected
hint:  authorise it once
       keyfob connect shop

## the grant was revoked
4
error: the connection `shop` needs a new authorization
cause: Inkress refused the refresh token: invalid_grant (at 2026-06-01T08:00:00Z)
cause: "the grant was revoked"
cause: the code or refresh token has expired or was used before, or the PKCE verifier does not match
hint:  a person must authorise it again, or import a new connection
       keyfob connect shop

## the client is refused
3
error: Inkress refused the client id or the client secret
cause: it answered invalid_client (HTTP 401)
cause: "who?"
hint:  check both, then give the secret again
       keyfob profile secret shop client_secret < FILE

## the token request is refused
5
error: Inkress refused the token request
cause: it answered invalid_scope (HTTP 400)
hint:  ask the vendor what this client may do

## the token endpoint is down
7
error: the tokens of `shop` could not be refreshed now
cause: Inkress answered with HTTP 503
cause: it was tried twice; the refresh token is kept, and the next refresh tries it again
hint:  try again later
       keyfob refresh shop

## the token endpoint is a portal
7
error: the tokens of `shop` could not be refreshed now
cause: Inkress answered with no JSON object: not JSON: error in line 1, column 1 (HTTP 200)
cause: it was tried twice; the refresh token is kept, and the next refresh tries it again
hint:  try again later
       keyfob refresh shop

## the answer is lost
7
error: the tokens of `shop` could not be refreshed now
cause: `127.0.0.1:VENDOR` closed the connection without an answer
cause: it was tried twice; the refresh token is kept, and the next refresh tries it again
hint:  try again
       keyfob refresh shop

## too many token requests
7
error: Inkress asks to be left alone for a while
cause: too many token requests (HTTP 429)
cause: no token request is sent before 2026-06-01T08:00:30Z
hint:  try again then; nothing was spent
       keyfob refresh shop

## after a lost answer
4
error: the connection `shop` needs a new authorization
cause: Inkress refused the refresh token: invalid_grant (at 2026-06-01T08:00:00Z)
cause: "the refresh token was used before: every token of this grant has ended"
cause: an earlier answer was lost: the provider may have issued a token that this machine never stored
cause: the code or refresh token has expired or was used before, or the PKCE verifier does not match
hint:  a person must authorise it again, or import a new connection
       keyfob connect shop

## the store is full
6
error: keyfob cannot write the keychain
cause: no storage space
hint:  make room or give yourself access there, then run the command again; no token was spent

## the store is full too late
6
error: the new tokens of `shop` could not be stored
cause: no storage space
cause: they are safe in the journal: the next command that can write stores them
hint:  make room or give keyfob access, then run the command again

## the entry is damaged
6
error: the stored entry is damaged
cause: it is not a keyfob entry
hint:  it was left as it is: restore it from a backup, or remove the profile and connect it again
       keyfob profile remove shop --yes
       keyfob connect shop --provider inkress --client-id inkid_sandbox --set api_host=http://127.0.0.1:VENDOR --set auth_host=http://127.0.0.1:VENDOR --scope orders:read --scope orders:write --scope wallet:read --scope merchant_profile:read --scope webhooks:manage --scope offline_access --redirect-uri http://127.0.0.1:PORT/callback/inkress

## the entry is of a newer keyfob
6
error: the stored entry was written by a newer keyfob
cause: its version is 99
hint:  upgrade keyfob; the entry was left as it is

## another host
3
error: the tokens of `shop` were given for another host
cause: they belong to http://127.0.0.1:VENDOR/api/v1/hooks/oauth/token; the profile and its provider file now say https://api.example/api/v1/hooks/oauth/token
hint:  nothing was sent; set the host back, or connect to the new one
       keyfob connect shop

## nothing can renew it
4
error: the access token of `shop` cannot be renewed
cause: there is no refresh token for it
hint:  authorise it again
       keyfob connect shop
"##;
