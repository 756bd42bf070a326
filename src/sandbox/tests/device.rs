use super::super::walk::device::enter;
use super::super::walk::{Decision, Page};
use super::*;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Bench {
    fn device_codes(&self, scope: &str) -> Value {
        let parameters = [("scope", scope)];
        let received =
            self.to_endpoint(Endpoint::DeviceAuthorization, BodyFormat::Form, &parameters);
        assert_eq!(received.status, 200, "{}", String::from_utf8_lossy(&received.body));
        json_of(&received)
    }

    /// Status and error of a question for tokens.
    fn asked(&self, codes: &Value) -> (u16, Value) {
        let device_code = codes["device_code"].as_str().unwrap();
        let received = self.token(&[("grant_type", GRANT_TYPE), ("device_code", device_code)]);
        (received.status, json_of(&received)["error"].clone())
    }

    fn types(&self, code: &str, decision: Decision) -> Page {
        enter(&self.sandbox.url(Endpoint::DevicePage).unwrap(), code, decision).unwrap()
    }
}

fn user_code(codes: &Value) -> &str {
    codes["user_code"].as_str().unwrap()
}

#[test]
fn a_device_code_gives_tokens_once_and_ends_them_when_it_comes_again() {
    let bench = Bench::of("standard");
    let codes = bench.device_codes("items:read");
    assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(600), &json!(5)));
    let complete = codes["verification_uri_complete"].as_str().unwrap();
    assert!(complete.ends_with(&format!("/device?user_code={}", user_code(&codes))), "{complete}");
    bench.clock.forward(5);
    assert_eq!(bench.asked(&codes), (400, json!("authorization_pending")));
    let typed = user_code(&codes).to_lowercase().replace('-', " ");
    assert!(bench.types(&typed, Decision::Allow).body.contains("It is allowed"));
    bench.clock.forward(5);
    assert_eq!(bench.asked(&codes), (200, Value::Null));
    assert_eq!(bench.sandbox.grants_alive(), 1);
    bench.clock.forward(5);
    assert_eq!(bench.asked(&codes), (400, json!("invalid_grant")));
    assert_eq!((bench.sandbox.grants_alive(), bench.sandbox.spent_tokens_seen()), (0, 1));
}

#[test]
fn every_question_that_comes_too_early_adds_five_seconds() {
    let bench = Bench::of("standard");
    let codes = bench.device_codes("items:read");
    for (wait, error) in [
        (4, "slow_down"),
        (9, "slow_down"),
        (15, "authorization_pending"),
        (14, "slow_down"),
        (20, "authorization_pending"),
    ] {
        bench.clock.forward(wait);
        assert_eq!(bench.asked(&codes), (400, json!(error)), "after {wait} s");
    }
}

#[test]
fn a_refusal_and_an_end_are_told_apart() {
    let bench = Bench::of("standard");
    let denied = bench.device_codes("items:read");
    assert!(bench.types(user_code(&denied), Decision::Deny).body.contains("It is denied"));
    bench.clock.forward(5);
    assert_eq!(bench.asked(&denied), (400, json!("access_denied")));
    let ended = bench.device_codes("items:read");
    bench.clock.forward(600);
    assert_eq!(bench.types(user_code(&ended), Decision::Allow).status, Some(400));
    assert_eq!(bench.asked(&ended), (400, json!("expired_token")));
    assert_eq!(bench.asked(&json!({"device_code": "x"})), (400, json!("invalid_grant")));
}

#[test]
fn a_code_is_typed_by_a_person_at_our_own_page_and_decided_once() {
    let bench = Bench::of("standard");
    let codes = bench.device_codes("items:read");
    assert_eq!(bench.types("BBBB-BBBB", Decision::Allow).status, Some(400));
    let path = bench.path(Endpoint::DevicePage);
    let foreign = [FORM[0], ("origin", "https://evil.example")];
    let body = format!("user_code={}", user_code(&codes));
    assert_eq!(bench.send("POST", &path, &foreign, &body).status, 400);
    assert_eq!(bench.send("POST", &path, FORM, "ticket=guessed&decision=allow").status, 400);
    assert_eq!(bench.types(user_code(&codes), Decision::Allow).status, Some(200));
    assert_eq!(bench.types(user_code(&codes), Decision::Deny).status, Some(400));
    let page = bench.get(&format!("{path}?user_code=%22%3E%3Cscript%3E"), &[]);
    assert!(!String::from_utf8(page.body).unwrap().contains("<script>"));
}

#[test]
fn only_a_client_that_proves_itself_gets_codes_and_only_for_scopes_there_are() {
    let bench = Bench::of("standard");
    let path = bench.path(Endpoint::DeviceAuthorization);
    assert_eq!(bench.send("POST", &path, FORM, "client_id=standard-sandbox-client").status, 401);
    assert_eq!(bench.get(&path, &[]).status, 405);
    let unknown = [("scope", "items:steal")];
    let received = bench.to_endpoint(Endpoint::DeviceAuthorization, BodyFormat::Form, &unknown);
    assert_eq!(json_of(&received)["error"], json!("invalid_scope"));
    assert_eq!(Bench::of("inkress").sandbox.url(Endpoint::DeviceAuthorization), None);
}
