//! `--json`: one document for success on standard output, one for failure on standard error.

use keyfob::sandbox::Fault;
use serde_json::Value;

use crate::support::shelf::Trouble;
use crate::support::{Shop, private_file};

#[track_caller]
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test] // T18
fn the_status_object_has_exactly_its_keys() {
    let shop = Shop::connected("inkress");
    let document = shop.line("status --json").ok().json();
    assert_eq!(keys(&document), ["profiles"]);
    let status = &document["profiles"][0];
    let expected = [
        "profile",
        "provider",
        "state",
        "account",
        "scopes",
        "access_expires_at",
        "refresh_expires_at",
        "last_refreshed_at",
        "needs_attention",
        "store",
    ];
    assert_eq!(keys(status), expected);
    assert_eq!(keys(&status["scopes"]), ["granted", "requested"]);
    assert_eq!(status["state"], "ready");
    assert_eq!(status["access_expires_at"], "2026-06-01T09:00:00Z");
    assert_eq!(status["refresh_expires_at"], "2026-07-01T08:00:00Z");
    assert_eq!(status["last_refreshed_at"], Value::Null);
    assert_eq!(status["account"], serde_json::json!({"merchant_id": 183}));
}

#[test] // T18
fn what_is_unknown_is_null() {
    let shop = Shop::connected("merchantos");
    let status = shop.world.status("shop");
    for key in ["access_expires_at", "refresh_expires_at", "last_refreshed_at"] {
        assert_eq!(status[key], Value::Null, "{key}");
    }
    shop.line("revoke shop").ok();
    let status = shop.world.status("shop");
    assert_eq!(
        (status["state"].as_str(), &status["store"]),
        (Some("never-connected"), &Value::Null)
    );
}

#[test] // T18
fn every_command_gives_one_document_and_nothing_else() {
    let shop = Shop::connected("inkress");
    for (line, expected) in [
        ("connect shop --json", &["profile", "provider", "state"][..]),
        ("status --json", &["profiles"]),
        ("token shop --json", &["access_token", "token_type", "expires_at"]),
        ("header shop --json", &["headers"]),
        ("call shop GET /orders --json", &["status", "headers", "body"]),
        ("refresh shop --json", &["profiles"]),
        ("refresh --all --json", &["profiles"]),
        ("scopes shop --json", &["profile", "provider", "scopes"]),
        ("profile list --json", &["profiles"]),
        ("profile show shop --json", &["profile", "provider", "client_id"]),
        ("provider list --json", &["providers"]),
        ("provider show inkress --json", &["schema", "name", "title"]),
        ("revoke shop --json", &["profiles"]),
    ] {
        let ran = shop.line(line).ok();
        assert_eq!(ran.stderr, "", "{line}");
        let document = ran.json();
        assert!(keys(&document).starts_with(expected), "{line}: {:?}", keys(&document));
    }
}

#[test] // T18, ER5
fn a_failure_s_document_leaves_out_what_is_not_known() {
    let shop = Shop::connected("inkress");
    let busy = Fault::Status {
        status: 429,
        headers: vec![("retry-after".into(), "9".into())],
        body: String::new(),
    };
    let with_code = Fault::Status {
        status: 400,
        headers: vec![("content-type".into(), "application/json".into())],
        body: r#"{"error":"invalid_scope","error_description":"no"}"#.into(),
    };
    let always = ["code", "message", "causes", "next", "exit"];
    let failure = |line: &str, more: &[&str]| {
        let ran = shop.line(line);
        assert_eq!(ran.stdout, "", "{line}");
        let error = ran.failure();
        let expected: Vec<&str> = always.iter().chain(more).copied().collect();
        assert_eq!(keys(&error), expected, "{line}");
        assert_eq!(error["exit"], ran.exit);
    };
    failure("token nobody --json", &[]);
    shop.sandbox.next_token_answers(vec![with_code]);
    failure("refresh shop --json", &["http_status", "oauth_error"]);
    shop.sandbox.next_token_answers(vec![busy]);
    failure("refresh shop --json", &["http_status", "retry_after_seconds"]);
    shop.world.trouble(Trouble::Locked);
    failure("token shop --json", &[]);
}

#[test] // T18
fn under_json_a_refused_call_has_its_body_on_stdout_and_its_failure_on_stderr() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("call shop GET /orders/0 --json").exits(8);
    assert_eq!(ran.json()["status"], 404);
    let error = ran.failure();
    assert_eq!(
        (error["http_status"].as_u64(), error["code"].as_str()),
        (Some(404), Some("api-refused"))
    );
}

#[test]
fn a_sandbox_s_one_document_is_enough_to_use_it() {
    let mut world = crate::support::World::new();
    world.interruption = std::sync::Arc::new(crate::support::signals::AtOnce);
    let ran = world.line("sandbox inkress --json");
    assert_eq!(ran.stderr, "");
    let document = ran.json();
    assert!(keys(&document).starts_with(&["origin", "vendor", "provider", "client_id"]));
    assert_eq!(document["settings"]["api_host"], document["origin"]);
    assert!(document["client_secret"].is_string());
}

#[test] // T18
fn waits_and_notices_are_not_told_under_json() {
    let shop = Shop::connected("inkress");
    shop.sandbox.expire_access_tokens();
    shop.sandbox.next_api_answers(vec![Fault::status(503)]);
    let ran = shop.line("call shop GET /orders --json -v -v").ok();
    assert_eq!(ran.stderr, "");
    let several = shop.line("refresh shop nobody --json").exits(3);
    assert_eq!(several.json()["profiles"][1]["outcome"], "failed");
}

#[test] // T18
fn of_several_profiles_each_is_on_stdout_and_the_first_failure_is_the_document_on_stderr() {
    let shop = Shop::connected("inkress");
    let ran = shop.line("refresh nobody shop --json").exits(3);
    assert_eq!(ran.failure()["code"], "unknown-profile");
    assert_eq!(ran.json()["profiles"][0]["error"], ran.failure());
    assert_eq!(ran.json()["profiles"][1]["outcome"], "refreshed");
    let profiles = shop.world.home().configuration.join("profiles");
    private_file(&profiles.join("worse.toml"), "what = is this");
    private_file(&profiles.join("worse.record.json"), "what is this");
    for command in ["refresh", "revoke"] {
        let ran = shop.line(&format!("{command} --all --json")).exits(3);
        let (document, failure) = (ran.json(), ran.failure());
        assert_eq!(document["profiles"].as_array().unwrap().len(), 2, "{command}: {document}");
        assert_eq!(document["profiles"][1]["error"], failure, "{command}: {document}");
        assert_eq!(failure["exit"], ran.exit, "{command}");
    }
}
