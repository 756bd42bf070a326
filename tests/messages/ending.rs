//! A connection that is not ended.

use keyfob::sandbox::{Endpoint, Fault};

use super::{Failure, after, json};

pub fn failures() -> Vec<Failure> {
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

pub const EXPECTED: &str = r##"
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
