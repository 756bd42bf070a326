//! Which answers of a token endpoint change what: only a proven `invalid_grant` marks a
//! connection, and none deletes anything.

use keyfob::sandbox::Fault;
use serde_json::Value;

use crate::support::{Shop, World};

/// An answer of the token endpoint, how the command ends, and the state that is left.
struct Case {
    answers: Fault,
    exit: u8,
    state: &'static str,
}

fn answer(status: u16, body: &str) -> Fault {
    let headers = vec![("content-type".into(), "application/json".into())];
    Fault::Status { status, headers, body: body.into() }
}

fn cases() -> Vec<Case> {
    let ready = |answers, exit| Case { answers, exit, state: "ready" };
    let error = |status, code: &str| answer(status, &format!(r#"{{"error":"{code}"}}"#));
    let html = |status| answer(status, "<h1>Bad Gateway</h1>");
    vec![
        ready(Fault::Reset, 7),
        ready(Fault::Html, 7),
        ready(Fault::status(408), 7),
        ready(Fault::status(429), 7),
        ready(Fault::status(500), 7),
        ready(html(502), 7),
        ready(Fault::status(503), 7),
        ready(Fault::status(504), 7),
        ready(error(500, "invalid_grant"), 7),
        ready(error(503, "server_error"), 7),
        ready(html(200), 7),
        ready(answer(200, r#"{"access_token":"inka_x","refre"#), 7),
        ready(answer(200, r#"{}"#), 7),
        ready(answer(200, r#"{"access_token":""}"#), 7),
        ready(answer(200, r#"[]"#), 7),
        ready(html(400), 7),
        ready(html(401), 7),
        ready(html(404), 7),
        ready(answer(301, ""), 7),
        ready(error(401, "invalid_client"), 3),
        ready(error(400, "invalid_scope"), 5),
        ready(error(400, "unauthorized_client"), 5),
        ready(error(400, "invalid_request"), 5),
        ready(error(400, "unsupported_grant_type"), 5),
        Case { answers: error(400, "invalid_grant"), exit: 4, state: "authorization-needed" },
    ]
}

fn tokens(world: &World) -> Value {
    let entry: Value = serde_json::from_str(&world.shelf.entry("shop").unwrap()).unwrap();
    entry["tokens"].clone()
}

#[test] // AT-3, T3, RF10, TS1, TS10
fn only_a_proven_invalid_grant_marks_a_connection_and_none_deletes_it() {
    for Case { answers, exit, state } in cases() {
        let shop = Shop::connected("inkress");
        let before = tokens(&shop.world);
        // Twice, since a refresh token whose answer was lost is sent once more.
        shop.sandbox.next_token_answers(vec![answers.clone(), answers.clone()]);
        let ran = shop.line("refresh shop");
        assert_eq!(ran.exit, exit, "{answers:?}\n{}", ran.stderr);
        assert_eq!(ran.stdout, "", "{answers:?}");
        assert_eq!(shop.world.state("shop"), state, "{answers:?}");
        assert_eq!(tokens(&shop.world), before, "{answers:?}");
        if state == "ready" {
            // The script may hold one more; a 429 is over by then.
            shop.world.pass(11);
            let _ = shop.line("refresh shop");
            shop.world.pass(11);
            shop.line("refresh shop").ok();
            assert_eq!(shop.sandbox.spent_tokens_seen(), 0, "{answers:?}");
        }
    }
}

#[test] // RF10
fn a_server_that_cannot_be_reached_spends_nothing_and_is_told_apart() {
    let world = Shop::gone("inkress");
    let before = tokens(&world);
    let ran = world.line("refresh shop").exits(7);
    ran.says("nothing was spent");
    assert_eq!(tokens(&world), before);
    assert_eq!(world.state("shop"), "ready");
}
