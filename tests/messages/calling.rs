//! A call that is not sent, or refused.

use keyfob::sandbox::Fault;

use super::{Failure, after, api_answers, in_shop, json};
use crate::support::Shop;

pub fn failures() -> Vec<Failure> {
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

pub const EXPECTED: &str = r##"
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
hint:  see what is sent, and correct it by the answer
       keyfob call shop GET /orders --retry 0 --dry-run

## the API fails
9
error: Inkress failed: HTTP 500
note:  Idempotency-Key k1
hint:  try again later; with its key the write is carried out once
       keyfob call shop POST /orders 'total:=1' --retry 0 --idempotency-key k1

## the API is busy
7
error: Inkress refused the call: HTTP 429
hint:  try again later
       keyfob call shop GET /orders --retry 0

## the API redirects
8
error: the API answered with a redirect: HTTP 302
cause: it leads to https://x.example/y
hint:  redirects are never followed with a token; call the address itself if it is the API's

## the API refuses two tokens
8
error: Inkress refused the call: HTTP 401
cause: a new access token was refused as well
hint:  the person may have lost rights, or the call needs another scope: see what is granted
       keyfob scopes shop

## the body breaks off
7
error: the answer's body broke off
cause: the answer of `127.0.0.1:VENDOR` broke off
hint:  try again
       keyfob call shop GET /orders --retry 0
"##;
