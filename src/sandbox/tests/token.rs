use super::*;

#[test]
fn each_vendor_answers_with_its_own_members() {
    let inkress = Bench::of("inkress").tokens("orders:read offline_access");
    let names = |tokens: &Value| tokens.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&inkress),
        ["access_token", "token_type", "expires_in", "refresh_token", "scope", "merchant_id"]
    );
    assert_eq!(inkress["merchant_id"], json!(183));
    assert_eq!(inkress["expires_in"], json!(3600));
    assert!(inkress["access_token"].as_str().unwrap().starts_with("inka_"));
    assert!(inkress["refresh_token"].as_str().unwrap().starts_with("inkr_"));

    let merchantos = Bench::of("merchantos").tokens("employee:inventory");
    assert_eq!(names(&merchantos), ["access_token", "scope"]);

    let imprest = Bench::of("imprest").tokens("money_in money_out");
    assert_eq!(imprest["expires_in"], json!(7200));
    assert_eq!(imprest["scope"], json!("money_in money_out"));

    let inyo = json_of(&Bench::of("inyo").token(&[]));
    assert_eq!(names(&inyo), ["accessToken", "tokenType", "expiresIn"]);
    assert_eq!(inyo["accessToken"].as_str().unwrap().split('.').count(), 3);
    assert_eq!((&inyo["tokenType"], &inyo["expiresIn"]), (&json!("Bearer"), &json!(3600)));
}

#[test] // TS16
fn inkress_gives_a_refresh_token_only_for_offline_access() {
    assert_eq!(Bench::of("inkress").tokens("orders:read")["refresh_token"], Value::Null);
}

#[test] // TQ1, TQ2, TQ8
fn a_body_in_another_form_is_refused_in_the_vendors_shape() {
    let json = [("content-type", "application/json")];
    let cases = [
        ("inkress", FORM, "grant_type=refresh_token", 415, json!("invalid_request"), "error"),
        ("imprest", &json[..], "{}", 415, json!("invalid_request"), "error"),
        ("inyo", FORM, "clientId=a&secretId=b", 415, json!("SE_002"), "responseCode"),
        ("inventorum", &json[..], "{}", 415, json!("invalid_request"), "error"),
        ("inkress", &json[..], "[]", 400, json!("invalid_request"), "error"),
        ("inkress", &json[..], r#"{"a":"1","a":"2"}"#, 400, json!("invalid_request"), "error"),
        ("inkress", &json[..], r#"{"code":""}"#, 400, json!("invalid_request"), "error"),
        ("inkress", &json[..], r#"{"code":7}"#, 400, json!("invalid_request"), "error"),
    ];
    for (vendor, headers, body, status, code, member) in cases {
        let bench = Bench::of(vendor);
        let received = bench.send("POST", &bench.path(Endpoint::Token), headers, body);
        assert_eq!(
            (received.status, &json_of(&received)[member]),
            (status, &code),
            "{vendor} {body}"
        );
    }
    let bench = Bench::of("inkress");
    let path = bench.path(Endpoint::Token);
    assert_eq!(bench.get(&path, &[]).status, 405);
    assert_eq!(bench.send("POST", &format!("{path}?code=x"), &json, "{}").status, 400);
}

#[test] // TQ7
fn a_client_proves_itself_one_way_and_the_vendors_way() {
    for vendor in ["inkress", "imprest", "merchantos"] {
        let bench = Bench::of(vendor);
        let client = bench.sandbox.client();
        let secret = client.client_secret.unwrap();
        let basic = bench.basic(&client.client_id, secret.expose());
        let type_name = bench.sandbox.provider().token.body == BodyFormat::Json;
        let kind = if type_name { "application/json" } else { FORM[0].1 };
        let body =
            if type_name { r#"{"grant_type":"authorization_code"}"# } else { "grant_type=x" };
        let headers = [("authorization", basic.as_str()), ("content-type", kind)];
        let received = bench.send("POST", &bench.path(Endpoint::Token), &headers, body);
        assert_eq!(received.status, 400, "{vendor}");
        assert_eq!(reason(&received), "this vendor takes no Authorization header here");
    }
    let bench = Bench::of("inventorum");
    let client = bench.sandbox.client();
    let secret = client.client_secret.unwrap();
    let path = bench.path(Endpoint::Token);
    let body = encoded(&owned(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", &client.client_id),
        ("client_secret", secret.expose()),
    ]));
    let in_body = bench.send("POST", &path, FORM, &body);
    assert_eq!(in_body.status, 400);
    let none = bench.send("POST", &path, FORM, "grant_type=refresh_token&refresh_token=x");
    assert_eq!((none.status, &json_of(&none)["error"]), (401, &json!("invalid_client")));
    assert!(none.header("www-authenticate").unwrap().starts_with("Basic"));
}

#[test]
fn inventorum_reads_basic_as_it_is_and_a_standard_server_reads_it_form_encoded() {
    for vendor in ["inventorum", "standard"] {
        let bench = Bench::of(vendor);
        let client = bench.sandbox.client();
        let secret = client.client_secret.unwrap();
        let raw = format!("{}:{}", client.client_id, secret.expose());
        let header = format!("Basic {}", STANDARD.encode(raw));
        let headers = [("authorization", header.as_str()), FORM[0]];
        let body = "grant_type=refresh_token&refresh_token=x";
        let received = bench.send("POST", &bench.path(Endpoint::Token), &headers, body);
        let error = if vendor == "inventorum" { "invalid_grant" } else { "invalid_client" };
        assert_eq!(json_of(&received)["error"], json!(error), "{vendor}");
        // The vendor's own way gets past the client's proof.
        let sound = bench.token(&[("grant_type", "refresh_token"), ("refresh_token", "x")]);
        assert_eq!(json_of(&sound)["error"], json!("invalid_grant"), "{vendor}");
    }
}

#[test]
fn inyo_takes_exactly_two_members_and_answers_in_its_own_shape() {
    let bench = Bench::of("inyo");
    let client = bench.sandbox.client();
    let (id, secret) = (client.client_id, client.client_secret.unwrap());
    let json = [("content-type", "application/json")];
    let path = bench.path(Endpoint::Token);
    let post = |body: Value| bench.send("POST", &path, &json, &body.to_string());
    let sound = json!({"clientId": id, "secretId": secret.expose()});
    assert_eq!(post(sound.clone()).status, 200);
    let with = |name: &str, value: &str| {
        let mut body = sound.clone();
        body[name] = json!(value);
        body
    };
    for wrong in [
        with("grant_type", "client_credentials"),
        with("scope", "x"),
        with("client_id", "x"),
        with("extra", "x"),
        json!({"client_id": id, "client_secret": secret.expose()}),
    ] {
        assert_eq!(post(wrong.clone()).status, 400, "{wrong}");
    }
    let refused = post(with("secretId", "wrong"));
    assert_eq!(refused.status, 401);
    let body = json!({"status": 401, "message": "Unauthorized request", "responseCode": "SE_001"});
    assert_eq!(json_of(&refused), body);
}

#[test]
fn inyo_answers_sixty_token_requests_a_minute() {
    let bench = Bench::of("inyo");
    (0..60).for_each(|_| assert_eq!(bench.token(&[]).status, 200));
    bench.clock.forward(20);
    let limited = bench.token(&[]);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("40")));
    bench.clock.forward(40);
    assert_eq!(bench.token(&[]).status, 200);
}

#[test] // TQ10
fn a_code_that_comes_again_ends_the_tokens_it_gave() {
    let bench = Bench::of("inkress");
    let code = bench.code("orders:read offline_access");
    let tokens = json_of(&bench.exchange(&code));
    let again = bench.exchange(&code);
    assert_eq!((again.status, &json_of(&again)["error"]), (400, &json!("invalid_grant")));
    assert_eq!(bench.sandbox.spent_tokens_seen(), 1);
    assert_eq!(bench.sandbox.grants_alive(), 0);
    assert_eq!(bench.call("GET", "/api/v1/orders", &tokens["access_token"], "").status, 401);
    assert_eq!(bench.refresh(&tokens["refresh_token"]).status, 400);
}

#[test] // TQ11
fn a_code_ends_after_a_minute_at_merchantos_and_after_ten_elsewhere() {
    for (vendor, scope, lifetime) in [
        ("merchantos", "employee:inventory", 60),
        ("inkress", "orders:read", 600),
        ("imprest", "money_in", 600),
    ] {
        let bench = Bench::of(vendor);
        let (early, late) = (bench.code(scope), bench.code(scope));
        bench.clock.forward(lifetime - 1);
        assert_eq!(bench.exchange(&early).status, 200, "{vendor}");
        bench.clock.forward(1);
        let received = bench.exchange(&late);
        assert_eq!(json_of(&received)["error"], json!("invalid_grant"), "{vendor}");
    }
}

#[test] // TQ4, TQ5
fn a_code_is_bound_to_its_redirect_uri_and_its_verifier_and_is_spent_by_a_wrong_one() {
    let bench = Bench::of("inkress");
    let uri = bench.sandbox.client().redirect_uri;
    let other = VERIFIER.replace('d', "e");
    let cases: [(&str, Option<&str>, &str); 4] = [
        ("http://127.0.0.1:8976/callback/inkress/", Some(VERIFIER), "invalid_redirect_uri"),
        (&uri, Some(&other), "invalid_grant"),
        (&uri, Some("too-short"), "invalid_grant"),
        (&uri, None, "invalid_grant"),
    ];
    for (uri, verifier, error) in cases {
        let code = bench.code("orders:read");
        let mut parameters =
            vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", uri)];
        parameters.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let received = bench.token(&parameters);
        assert_eq!((received.status, &json_of(&received)["error"]), (400, &json!(error)));
        assert_eq!(bench.exchange(&code).status, 400, "the code is spent");
    }
}

#[test]
fn a_verifier_without_a_challenge_is_refused() {
    let bench = Bench::of("imprest");
    let mut request = bench.authorization_request("money_in");
    request.retain(|(name, _)| !name.starts_with("code_challenge"));
    let page = bench.authorize(&request);
    assert_eq!(page.status, 200, "Imprest's document shows no PKCE");
    let code = query_of(&bench.decided(&page, "allow"), "code").unwrap();
    assert_eq!(json_of(&bench.exchange(&code))["error"], json!("invalid_grant"));
}

#[test]
fn parameters_nobody_documented_are_refused_by_vendors_and_passed_over_by_a_standard_server() {
    for (vendor, status) in [("inkress", "invalid_request"), ("standard", "invalid_grant")] {
        let bench = Bench::of(vendor);
        let received = bench.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
            ("audience", "y"),
        ]);
        assert_eq!(json_of(&received)["error"], json!(status), "{vendor}");
    }
}

#[test]
fn a_grant_the_vendor_does_not_have_is_named_so() {
    for (vendor, grant) in [
        ("inkress", "client_credentials"),
        ("inkress", "password"),
        ("merchantos", "refresh_token"),
        ("inventorum", "authorization_code"),
    ] {
        let received = Bench::of(vendor).token(&[("grant_type", grant), ("code", "x")]);
        assert_eq!(json_of(&received)["error"], json!("unsupported_grant_type"), "{vendor}");
    }
}

#[test] // RF2
fn a_refresh_rolls_and_a_spent_token_ends_the_whole_family() {
    for (vendor, scope) in [
        ("inkress", "orders:read offline_access"),
        ("imprest", "money_in"),
        ("standard", "items:read"),
    ] {
        let bench = Bench::of(vendor);
        let first = bench.tokens(scope);
        let second = json_of(&bench.refresh(&first["refresh_token"]));
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        assert_ne!(first["access_token"], second["access_token"]);
        assert_eq!((bench.sandbox.rotations(), bench.sandbox.spent_tokens_seen()), (1, 0));

        let replayed = bench.refresh(&first["refresh_token"]);
        assert_eq!(json_of(&replayed)["error"], json!("invalid_grant"), "{vendor}");
        assert_eq!((bench.sandbox.spent_tokens_seen(), bench.sandbox.grants_alive()), (1, 0));
        assert_eq!(bench.refresh(&second["refresh_token"]).status, 400, "{vendor}");
    }
}

#[test]
fn a_grace_period_takes_a_spent_token_for_a_while() {
    let grace = Duration::from_secs(30);
    let bench = Bench::with("inkress", Behaviour { reuse_grace: grace, ..Behaviour::default() });
    let first = bench.tokens("orders:read offline_access");
    assert_eq!(bench.refresh(&first["refresh_token"]).status, 200);
    bench.clock.forward(30);
    assert_eq!(bench.refresh(&first["refresh_token"]).status, 200);
    bench.clock.forward(1);
    assert_eq!(bench.refresh(&first["refresh_token"]).status, 400);
    assert_eq!(bench.sandbox.grants_alive(), 0);
}

#[test] // RF19
fn an_inkress_refresh_token_ends_after_thirty_days_and_each_roll_begins_them_again() {
    let bench = Bench::of("inkress");
    let first = bench.tokens("orders:read offline_access");
    bench.clock.forward(2_592_000 - 1);
    let second = json_of(&bench.refresh(&first["refresh_token"]));
    bench.clock.forward(2_592_000 - 1);
    let third = json_of(&bench.refresh(&second["refresh_token"]));
    bench.clock.forward(2_592_000);
    assert_eq!(bench.refresh(&third["refresh_token"]).status, 400);
}

#[test]
fn inventorum_breaks_its_scopes_over_lines_and_gives_ten_hours() {
    let bench = Bench::of("inventorum");
    let scopes = ["orders:read", "orders:create", "basic:read", "products:read"];
    let dashboard = bench.sandbox.dashboard_tokens(&scopes);
    assert_eq!(dashboard["expires_in"], json!(86400));
    let tokens = json_of(&bench.refresh(&dashboard["refresh_token"]));
    assert_eq!(tokens["expires_in"], json!(36000));
    assert_eq!(tokens["scope"], json!("orders:read orders:create basic:read\nproducts:read"));
    assert_eq!(bench.refresh(&dashboard["refresh_token"]).status, 400);
}

#[test] // TQ12
fn a_token_path_without_its_slash_is_redirected_and_does_nothing() {
    let bench = Bench::of("inventorum");
    let received = bench.send("POST", "/api/auth/token", FORM, "grant_type=refresh_token");
    assert_eq!((received.status, received.header("location")), (301, Some("/api/auth/token/")));
    assert_eq!(bench.sandbox.counts(Endpoint::Token), 0);
}

#[test] // TQ16
fn the_password_grant_knows_one_owner_and_the_old_scopes() {
    let bench = Bench::of("inventorum");
    let ask = |password: &str| {
        bench.token(&[
            ("grant_type", "password"),
            ("username", "owner@example.com"),
            ("password", password),
        ])
    };
    let tokens = json_of(&ask("sandbox"));
    assert!(tokens["scope"].as_str().unwrap().contains("shop.products.publishing"));
    assert!(tokens["refresh_token"].is_string());
    assert_eq!(json_of(&ask("wrong"))["error"], json!("invalid_grant"));
}

#[test] // RV1, RV2, RV3
fn a_revoked_refresh_token_ends_the_family_and_a_revoked_access_token_only_itself() {
    let bench = Bench::of("inkress");
    let revoke = |token: &Value| {
        let token = [("token", token.as_str().unwrap())];
        bench.to_endpoint(Endpoint::Revocation, BodyFormat::Json, &token)
    };
    let tokens = bench.tokens("orders:read offline_access");
    assert_eq!(revoke(&tokens["access_token"]).status, 200);
    assert_eq!(bench.call("GET", "/api/v1/orders", &tokens["access_token"], "").status, 401);
    let tokens = json_of(&bench.refresh(&tokens["refresh_token"]));
    assert_eq!(revoke(&json!("inkr_unknown")).status, 200);
    assert_eq!(bench.sandbox.grants_alive(), 1);
    assert_eq!(revoke(&tokens["refresh_token"]).status, 200);
    assert_eq!(bench.sandbox.grants_alive(), 0);
    assert_eq!(bench.call("GET", "/api/v1/orders", &tokens["access_token"], "").status, 401);

    let hinted = [("token", "inkr_x"), ("token_type_hint", "refresh_token")];
    let hinted = bench.to_endpoint(Endpoint::Revocation, BodyFormat::Json, &hinted);
    assert_eq!(hinted.status, 400, "Inkress documents no hint");
    let form = bench.to_endpoint(Endpoint::Revocation, BodyFormat::Form, &[("token", "x")]);
    assert_eq!(form.status, 415);
    let json = [("content-type", "application/json")];
    let stranger = r#"{"token":"x","client_id":"inkid_sandbox","client_secret":"wrong"}"#;
    let stranger = bench.send("POST", &bench.path(Endpoint::Revocation), &json, stranger);
    assert_eq!(json_of(&stranger)["error"], json!("invalid_client"));
}

#[test]
fn a_person_may_grant_less_and_be_another_merchant() {
    let bench = Bench::of("inkress");
    bench.sandbox.grant_at_most(&["orders:read"]);
    bench.sandbox.answer_with("merchant_id", json!(184));
    let tokens = bench.tokens("orders:read wallet:read offline_access");
    assert_eq!(tokens["scope"], json!("orders:read"));
    assert_eq!((&tokens["merchant_id"], &tokens["refresh_token"]), (&json!(184), &Value::Null));
}

#[test] // TQ17
fn a_provider_with_client_credentials_gives_no_refresh_token() {
    use crate::provider::schema::Rotation;
    let mut provider = vendors::provider("standard").unwrap().unwrap();
    provider.flows = vec![Flow::ClientCredentials];
    provider.authorize = None;
    provider.refresh.rotation = Rotation::Reissue;
    let sandbox = Sandbox::start_for(provider, Options::default()).unwrap();
    let bench = Bench { sandbox, clock: HandClock::new() };
    let ask = |scope: &str| bench.token(&[("grant_type", "client_credentials"), ("scope", scope)]);
    let tokens = json_of(&ask("items:write"));
    assert_eq!((&tokens["scope"], &tokens["refresh_token"]), (&json!("items:write"), &Value::Null));
    assert_eq!(json_of(&ask("unknown"))["error"], json!("invalid_scope"));
}

#[test] // TQ6
fn a_public_client_names_itself_and_shows_no_secret() {
    let mut provider = vendors::provider("standard").unwrap().unwrap();
    provider.client.auth = ClientAuthentication::Id;
    provider.client.secret = crate::provider::schema::Presence::None;
    let sandbox = Sandbox::start_for(provider, Options::default()).unwrap();
    assert!(sandbox.client().client_secret.is_none());
    let bench = Bench { sandbox, clock: HandClock::new() };
    let uri = bench.sandbox.client().redirect_uri;
    let sound = |code: &str| {
        owned(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &uri),
            ("code_verifier", VERIFIER),
            ("client_id", "standard-sandbox-client"),
        ])
    };
    let post = |parameters: &[(String, String)]| {
        bench.send("POST", &bench.path(Endpoint::Token), FORM, &encoded(parameters))
    };
    let code = bench.code("items:read");
    let with_secret = [sound(&code), owned(&[("client_secret", "s")])].concat();
    assert_eq!(post(&with_secret).status, 400);
    assert_eq!(post(&sound(&code)[..4]).status, 400, "without its client_id");
    assert_eq!(post(&sound(&code)).status, 200);
}

#[test]
fn a_client_secret_of_the_testers_own_is_taken() {
    let own = Secret::new("MARK-client-secret");
    let options = Options { client_secret: Some(own.clone()), ..Options::default() };
    let sandbox = Sandbox::start("inkress", options).unwrap();
    assert!(sandbox.client().client_secret == Some(own));
}
