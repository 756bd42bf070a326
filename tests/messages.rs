//! Every failure once, as a person reads it: what happened, why, what to do next, and the exit code.

use std::collections::BTreeSet;

use keyfob::sandbox::{Endpoint, Fault};

use crate::support::browser::Behaviour;
use crate::support::shelf::Trouble;
use crate::support::{Ran, Shop, World};

/// A failure and the texts that are different in every run.
struct Failure {
    name: &'static str,
    ran: Ran,
    different: Vec<(String, &'static str)>,
}

impl Failure {
    /// The exit code and the lines from `error:` on.
    fn shown(&self) -> String {
        let mut text = self.ran.stderr.clone();
        for (what, name) in &self.different {
            text = text.replace(what, name);
        }
        let at = text.find("error:").unwrap_or_else(|| panic!("{}: {text}", self.name));
        format!("## {}\n{}\n{}", self.name, self.ran.exit, &text[at..])
    }
}

fn in_world(name: &'static str, world: &World, ran: Ran) -> Failure {
    let folder = world.folder.path().display().to_string();
    Failure { name, ran, different: vec![(folder, "FOLDER")] }
}

fn in_shop(name: &'static str, shop: &Shop, ran: Ran) -> Failure {
    let mut failure = in_world(name, &shop.world, ran);
    let port = |url: &str| url::Url::parse(url).unwrap().port().unwrap().to_string();
    failure.different.push((port(&shop.redirect_uri), "PORT"));
    failure.different.push((port(&shop.sandbox.origin()), "VENDOR"));
    failure
}

/// A connected shop in which something is prepared, and a line.
fn after(name: &'static str, line: &str, prepare: impl FnOnce(&Shop)) -> Failure {
    let shop = Shop::connected("inkress");
    prepare(&shop);
    let ran = shop.line(line);
    in_shop(name, &shop, ran)
}

/// The same with answers of the token endpoint.
fn token_answers(name: &'static str, line: &str, answers: Vec<Fault>) -> Failure {
    after(name, line, |shop| shop.sandbox.next_token_answers(answers))
}

/// The same with answers of the API.
fn api_answers(name: &'static str, line: &str, answers: Vec<Fault>) -> Failure {
    after(name, line, |shop| shop.sandbox.next_api_answers(answers))
}

fn connecting(name: &'static str, words: &[&str], prepare: impl FnOnce(&mut Shop)) -> Failure {
    let mut shop = Shop::of("inkress");
    prepare(&mut shop);
    let ran = shop.connect_with(words);
    in_shop(name, &shop, ran)
}

fn json(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.into() }
}

fn of_profiles() -> Vec<Failure> {
    let world = World::new();
    let failed = |name, line| in_world(name, &world, world.line(line));
    vec![
        failed("no profile is named", "token"),
        failed("the profile is unknown", "token shop"),
        failed("the profile's name is none", "token ../shop"),
        failed("the provider is unknown", "connect shop --provider inkres"),
        failed("the client id is missing", "connect shop --provider inkress"),
        failed("a setting is missing", "connect gate --provider inyo --client-id c"),
        failed("a secret in a flag", "connect shop --client-secret x"),
        failed("a flag nobody knows", "connect shop --provder x"),
        failed("the vendor has no code flow", "connect till --provider inventorum"),
        failed(
            "a reserved scope",
            "connect s --provider inkress --client-id i --scope payments:read",
        ),
        failed(
            "a redirect URI without a port",
            "connect s --provider inkress --client-id i --redirect-uri http://127.0.0.1/",
        ),
    ]
}

fn of_connecting() -> Vec<Failure> {
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

fn of_refreshing() -> Vec<Failure> {
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

fn of_calling() -> Vec<Failure> {
    let get = "call shop GET /orders --retry 0";
    let key = "call shop POST /orders total:=1 --retry 0 --idempotency-key k1";
    vec![
        after("a scope is missing", "call shop GET /users", |_| {}),
        after("another API", "call shop GET https://api.example/orders", |_| {}),
        after("a header that is keyfob's", "call shop GET /orders Authorization:x", |_| {}),
        after("a value is missing", "call shop GET /x/{shop_id}", |_| {}),
        {
            let shop = Shop::connected("inventorum");
            let wrong = r#"{"error":{"key":"scope.wrong","description":"no"}}"#;
            shop.sandbox.next_api_answers(vec![json(403, wrong)]);
            let ran = shop.line("call shop GET /orders/");
            in_shop("the scope is wrong", &shop, ran)
        },
        api_answers(
            "the API refuses",
            get,
            vec![json(422, r#"{"error":"total_wrong","message":"must be positive"}"#)],
        ),
        api_answers("the API fails", key, vec![Fault::status(500)]),
        api_answers("the API is busy", get, vec![Fault::status(429)]),
        api_answers(
            "the API redirects",
            get,
            vec![Fault::Status {
                status: 302,
                headers: vec![("location".into(), "https://x.example/y?z=1".into())],
                body: String::new(),
            }],
        ),
        api_answers("the API refuses two tokens", get, vec![Fault::status(401); 2]),
        api_answers("the body breaks off", get, vec![Fault::Truncated]),
    ]
}

fn linked(body: &str, next: &str) -> Fault {
    let headers = vec![("link".into(), format!("<{next}>; rel=next"))];
    Fault::Status { status: 200, headers, body: body.into() }
}

#[cfg(feature = "jq")]
fn of_expressions() -> Vec<Failure> {
    vec![
        after("the expression has a slip", "call shop /orders --jq .[]|lenght", |_| {}),
        after("the expression wants the environment", "call shop /orders --jq $ENV", |_| {}),
        after("the expression fails", "call shop /orders --jq .state.x", |_| {}),
        api_answers("the answer is no JSON", "call shop /orders --jq .", vec![Fault::Html]),
    ]
}

fn of_shaping() -> Vec<Failure> {
    let pages = "call shop GET /orders --paginate --retry 0";
    vec![
        api_answers(
            "the envelope says no",
            "call shop /orders --result",
            vec![json(200, r#"{"state":"no"}"#)],
        ),
        api_answers("there is no envelope", "call shop /orders --result", vec![json(200, "[]")]),
        after("a write has no pages", "call shop POST /orders a=1 --paginate", |_| {}),
        api_answers(
            "the next page is elsewhere",
            pages,
            vec![linked("[1]", "https://evil.example/")],
        ),
        api_answers(
            "the pages go in a circle",
            pages,
            vec![linked("[1]", "?page=2"), linked("[2]", "?page=2")],
        ),
        api_answers("a page fails", pages, vec![linked("[1]", "?page=2"), Fault::status(503)]),
        api_answers(
            "a page is too large",
            "call shop /download bytes==100000000 --paginate",
            vec![],
        ),
    ]
}

fn of_ending() -> Vec<Failure> {
    let ending = |name, fault| {
        after(name, "revoke shop", |shop| {
            shop.sandbox.next_answers(Endpoint::Revocation, vec![fault])
        })
    };
    vec![
        ending("the revocation is refused", json(400, r#"{"error":"unauthorized_client"}"#)),
        ending("the revocation is not answered", Fault::status(503)),
        after("it is connected", "profile remove shop", |_| {}),
    ]
}

#[cfg(feature = "jq")]
#[test]
fn every_failure_of_an_expression_says_what_happened_and_why() {
    as_expected(of_expressions(), EXPECTED_OF_EXPRESSIONS);
}

fn all() -> Vec<Failure> {
    [of_profiles(), of_connecting(), of_refreshing(), of_calling(), of_shaping(), of_ending()]
        .into_iter()
        .flatten()
        .collect()
}

#[test] // ER4
fn every_failure_says_what_happened_why_and_what_to_do() {
    as_expected(all(), EXPECTED);
}

#[track_caller]
fn as_expected(failures: Vec<Failure>, expected: &'static str) {
    let mut expected: Vec<&str> = expected.trim().split("\n\n").map(str::trim).collect();
    for failure in failures {
        let shown = failure.shown();
        let shown = shown.trim();
        let at = expected.iter().position(|it| it.lines().next() == shown.lines().next());
        let known = at.map(|at| expected.remove(at)).unwrap_or_default();
        assert_eq!(shown, known, "\n--- is ---\n{shown}\n--- was to be ---\n{known}");
    }
    assert_eq!(expected, Vec::<&str>::new(), "nothing fails like this");
}

#[test] // ER4
fn every_exit_code_of_the_table_is_met() {
    let codes: BTreeSet<u8> = all().iter().map(|failure| failure.ran.exit).collect();
    assert_eq!(codes, BTreeSet::from([2, 3, 4, 5, 6, 7, 8, 9]));
}

const EXPECTED: &str = r##"
## no profile is named
2
error: no profile was named
hint:  name one, or set KEYFOB_PROFILE
       keyfob profile list

## the profile is unknown
3
error: there is no profile `shop`
hint:  these are the profiles; `keyfob connect` makes one
       keyfob profile list

## the profile's name is none
2
error: `../shop` is no profile name
cause: only lower-case letters, digits, `.`, `_` and `-` are allowed, and a letter or digit comes first
hint:  use `shop`

## the provider is unknown
3
error: there is no provider `inkres`
hint:  did you mean `--provider inkress`? All of them:
       keyfob provider list

## the client id is missing
3
error: there is no client id for `shop`
hint:  give the one that the vendor issued, or set KEYFOB_CLIENT_ID; this shows how to get one
       keyfob provider show inkress
       keyfob connect shop --provider inkress --client-id …

## a setting is missing
2
error: Inyo Payment Gateway needs the setting `host`
cause: Host name that Inyo gave you at onboarding
hint:  give it
       keyfob connect gate --provider inyo --client-id c --set host=…

## a secret in a flag
2
error: no flag takes a secret, so there is no --client-secret
cause: every user of this machine can read the arguments of a process
hint:  use --client-secret-file FILE (`-` is standard input), KEYFOB_CLIENT_SECRET, or the prompt; change a secret that was typed

## a flag nobody knows
2
error: unexpected argument '--provder' found
hint:  a similar argument exists: '--provider'
       keyfob connect --help

## the vendor has no code flow
3
error: Inventorum has no code flow for other programs
cause: its tokens are made at https://connect.inventorum.com/apps
cause: the password flow is for API applications issued before 2019 alone
hint:  make them there, then import them
       keyfob import till --provider inventorum
       keyfob connect till --provider inventorum --flow password

## a reserved scope
2
error: Inkress keeps `payments:read` for itself
cause: reserved: Inkress asks not to request it
hint:  leave it out

## a redirect URI without a port
2
error: Inkress compares redirect URIs exactly
cause: http://127.0.0.1/ names no port
hint:  give the port that is registered, such as http://127.0.0.1:8976/callback

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
hint:  nothing is kept; start again, with more time if it is needed
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
       keyfob connect shop --client-secret-file …

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

## the token endpoint is a portal
7
error: the tokens of `shop` could not be refreshed now
cause: Inkress answered with no JSON object: not JSON: error in line 1, column 1 (HTTP 200)
cause: it was tried twice; the refresh token is kept, and the next refresh tries it again
hint:  try again later

## the answer is lost
7
error: the tokens of `shop` could not be refreshed now
cause: `127.0.0.1:VENDOR` closed the connection without an answer
cause: it was tried twice; the refresh token is kept, and the next refresh tries it again
hint:  try again

## too many token requests
7
error: Inkress asks to be left alone for a while
cause: too many token requests (HTTP 429)
cause: no token request is sent before 2026-06-01T08:00:30Z
hint:  try again then; nothing was spent

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
cause: they belong to http://127.0.0.1:VENDOR/api/v1/hooks/oauth/token; the profile now says https://api.example/api/v1/hooks/oauth/token
hint:  nothing was sent; set the host back, or connect to the new one
       keyfob connect shop

## nothing can renew it
4
error: the access token of `shop` cannot be renewed
cause: there is no refresh token for it
hint:  authorise it again
       keyfob connect shop

## a scope is missing
5
error: `shop` was not granted customers:read
cause: the call was not sent; --force sends it all the same
hint:  a person can grant it
       keyfob connect shop --scope orders:read --scope orders:write --scope wallet:read --scope merchant_profile:read --scope webhooks:manage --scope offline_access --scope customers:read

## another API
2
error: `https://api.example` is not on the API's own host `http://127.0.0.1:VENDOR`
cause: the token of `shop` goes to the API of Inkress alone
hint:  give a path such as /orders

## a header that is keyfob's
2
error: the header `Authorization` cannot be set
hint:  leave that header out: keyfob sets it, and the token goes nowhere else

## a value is missing
2
error: `shop` has no value for `shop_id`
hint:  the values of this connection are api_host, auth_host, merchant_id

## the scope is wrong
5
error: the scopes granted to `shop` do not open this call
cause: it answered scope.wrong (HTTP 403)
cause: "no"
cause: it was granted orders:read orders:create orders:update basic:read basic:create basic:update customers:create products:read products:update
cause: the token's scopes do not open this endpoint
hint:  make a token with that scope in the dashboard; for an old application ask api_support@inventorum.com

## the API refuses
8
error: Inkress refused the call: HTTP 422
cause: it answered total_wrong (HTTP 422)
cause: "must be positive"

## the API fails
9
error: Inkress failed: HTTP 500
note:  Idempotency-Key k1
hint:  try again later; with its key the write is carried out once
       keyfob call shop POST /orders 'total:=1' --idempotency-key k1

## the API is busy
7
error: Inkress refused the call: HTTP 429
hint:  try again later

## the API redirects
8
error: the API answered with a redirect: HTTP 302
cause: it leads to https://x.example/y
hint:  redirects are never followed with a token; call the address itself if it is the API's

## the API refuses two tokens
8
error: Inkress refused the call: HTTP 401
cause: a new access token was refused as well
cause: an ended or revoked token, or a call outside the granted scopes: Inkress answers 401 to both
hint:  the person may have lost rights, or the call needs another scope: see what is granted
       keyfob scopes shop

## the body breaks off
7
error: the answer's body broke off
cause: the answer of `127.0.0.1:VENDOR` broke off
hint:  try again

## the envelope says no
8
error: Inkress refused the call
cause: its answer says state = "no"
hint:  see the answer: it is given out as it came

## there is no envelope
9
error: the answer of Inkress is not in its envelope
cause: the answer has no `state`
hint:  see the answer: it is given out as it came; leave out --result for calls like this

## a write has no pages
2
error: --paginate follows the pages of a GET: this is a POST
hint:  leave out --paginate

## the next page is elsewhere
9
error: Inkress names a next page that is not followed
cause: `https://evil.example` is not on the API's own host `http://127.0.0.1:VENDOR`
cause: the token of `shop` goes to its API alone
cause: 1 page came before and can be used
hint:  nothing was sent there; ask the vendor why its pages lead elsewhere

## the pages go in a circle
9
error: the pages of Inkress have no end
cause: the next page is one that was read already
cause: 2 pages came before and can be used
hint:  tell the vendor; what came before is all that there is to have

## a page fails
7
error: Inkress failed: HTTP 503
cause: 1 page came before and can be used
hint:  try again later
       keyfob call shop GET 'http://127.0.0.1:VENDOR/api/v1/orders?page=2' --paginate

## a page is too large
9
error: an answer of more than 64 MiB is not looked into
cause: the answer of `127.0.0.1:VENDOR` is larger than 67108864 bytes
hint:  ask for less at a time, or leave out --paginate, --jq and --result: then it streams, whatever its size

## the revocation is refused
5
error: `shop` was not revoked, so it is kept
cause: refresh_token: Inkress refused
cause: it answered unauthorized_client (HTTP 400)
hint:  try again later, or forget it here without asking
       keyfob revoke shop
       keyfob revoke shop --local-only

## the revocation is not answered
7
error: `shop` was not revoked, so it is kept
cause: refresh_token: Inkress answered HTTP 503
hint:  try again later, or forget it here without asking
       keyfob revoke shop
       keyfob revoke shop --local-only

## it is connected
2
error: `shop` is connected, so it was not removed
cause: removing it forgets its tokens here, and they live on at the vendor
hint:  revoke it first; or remove it all the same
       keyfob revoke shop
       keyfob profile remove shop --yes
"##;

#[cfg(feature = "jq")]
const EXPECTED_OF_EXPRESSIONS: &str = r##"
## the expression has a slip
2
error: --jq was not understood: there is no filter `lenght`
cause: .[]|lenght
cause:     ^ here
hint:  did you mean `length`?

## the expression wants the environment
2
error: --jq was not understood: there is no variable `$ENV`
cause: $ENV
cause: ^ here
hint:  an expression sees the answer alone: no environment, no files, no further input

## the expression fails
1
error: the --jq expression failed on the answer
cause: cannot index "ok" with "x"
hint:  the call was carried out; only its answer does not fit the expression: see it without --jq

## the answer is no JSON
1
error: the answer is not JSON: --jq cannot filter it
hint:  call it without --jq to see what came
"##;
