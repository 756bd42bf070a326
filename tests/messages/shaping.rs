//! An answer that is not taken out of its envelope, or has no next page.

use keyfob::sandbox::Fault;

use super::{Failure, after, api_answers, json};

fn linked(body: &str, next: &str) -> Fault {
    let headers = vec![("link".into(), format!("<{next}>; rel=next"))];
    Fault::Status { status: 200, headers, body: body.into() }
}

pub fn failures() -> Vec<Failure> {
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

pub const EXPECTED: &str = r##"
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
       keyfob call shop GET 'http://127.0.0.1:VENDOR/api/v1/orders?page=2' --paginate --retry 0

## a page is too large
9
error: an answer of more than 64 MiB is not looked into
cause: the answer of `127.0.0.1:VENDOR` is larger than 67108864 bytes
hint:  ask for less at a time, or leave out --paginate, --jq and --result: then it streams, whatever its size
"##;
