use super::*;

/// A token that opens these scopes, whatever the vendor's flow.
pub(super) fn token_for(bench: &Bench, scopes: &[&str]) -> Value {
    bench.sandbox.dashboard_tokens(scopes)["access_token"].clone()
}

#[test] // RF13
fn an_ended_token_is_refused_with_the_vendors_status_and_shape() {
    let inyo = json!({"status": 401, "message": "Unauthorized request", "responseCode": "SE_001"});
    let inventorum =
        json!({"error": {"fields": {}, "description": "Invalid token", "key": "token.invalid"}});
    let cases = [
        ("inkress", "/api/v1/orders", json!({"state": "error", "message": "unauthorized"})),
        ("inyo", "/v2/payment", inyo),
        ("inventorum", "/api/products/", inventorum),
    ];
    for (vendor, path, body) in cases {
        let bench = Bench::of(vendor);
        let token = token_for(&bench, &["orders:read", "products:read"]);
        assert_eq!(bench.call("GET", path, &token, "").status, 200, "{vendor}");
        bench.sandbox.expire_access_tokens();
        let received = bench.call("GET", path, &token, "");
        assert_eq!((received.status, json_of(&received)), (401, body), "{vendor}");
    }
}

#[test]
fn a_token_ends_on_the_sandboxs_own_clock() {
    let bench = Bench::of("inkress");
    let tokens = bench.tokens("orders:read");
    bench.clock.forward(3599);
    assert_eq!(bench.call("GET", "/api/v1/orders", &tokens["access_token"], "").status, 200);
    bench.clock.forward(1);
    assert_eq!(bench.call("GET", "/api/v1/orders", &tokens["access_token"], "").status, 401);
}

#[test]
fn inyo_may_answer_403_for_an_ended_token() {
    let behaviour = Behaviour { ended_token_status: Some(403), ..Behaviour::default() };
    let bench = Bench::with("inyo", behaviour);
    let received = bench.call("GET", "/v2/payment", &json!("unknown"), "");
    assert_eq!((received.status, &json_of(&received)["status"]), (403, &json!(403)));
}

#[test]
fn a_refresh_may_end_the_access_tokens_before_it() {
    let behaviour = Behaviour { refresh_ends_access: true, ..Behaviour::default() };
    let bench = Bench::with("inkress", behaviour);
    let first = bench.tokens("orders:read offline_access");
    let second = json_of(&bench.refresh(&first["refresh_token"]));
    assert_eq!(bench.call("GET", "/api/v1/orders", &first["access_token"], "").status, 401);
    assert_eq!(bench.call("GET", "/api/v1/orders", &second["access_token"], "").status, 200);
}

#[test]
fn a_call_outside_the_scopes_gets_the_vendors_own_refusal() {
    let scope_wrong = json!({"error": {"fields": {}, "description": "Your scope does not allow access here.", "key": "scope.wrong"}});
    let cases = [
        (
            "inkress",
            "/api/v1/orders",
            "wallet:read",
            401,
            json!({"state": "error", "message": "unauthorized"}),
        ),
        ("inventorum", "/api/products/", "orders:read", 403, scope_wrong),
    ];
    for (vendor, path, scope, status, body) in cases {
        let bench = Bench::of(vendor);
        let received = bench.call("GET", path, &token_for(&bench, &[scope]), "");
        assert_eq!((received.status, json_of(&received)), (status, body), "{vendor}");
    }
    let bench = Bench::of("standard");
    let token = token_for(&bench, &["items:read"]);
    let received = bench.call("POST", "/api/items", &token, "{}");
    assert_eq!(
        (received.status, &json_of(&received)["error"]),
        (403, &json!("insufficient_scope"))
    );
    let challenge = received.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer realm=\"sandbox\", error=\"insufficient_scope\""));
    assert!(challenge.ends_with("scope=\"items:write\""));
}

#[test]
fn the_scope_table_is_held_method_by_method() {
    let cases = [
        ("orders:read", "GET", "/api/v1/orders", 200),
        ("orders:read", "GET", "/api/v1/orders/5001", 200),
        ("orders:read", "POST", "/api/v1/orders", 401),
        ("orders:read", "PUT", "/api/v1/orders/5001", 401),
        ("orders:write", "PUT", "/api/v1/orders/5001", 200),
        ("merchant_profile:read", "GET", "/api/v1/merchants/183", 200),
        ("merchant_profile:read", "PUT", "/api/v1/merchants/183", 401),
        ("merchant_profile:read", "POST", "/api/v1/merchants/account/balances", 401),
        ("wallet:read", "POST", "/api/v1/merchants/account/balances", 200),
        ("wallet:read", "POST", "/api/v1/merchants/account/contribution", 200),
        ("webhooks:manage", "POST", "/api/v1/webhook_urls", 201),
        ("financial_accounts:read", "GET", "/api/v1/financial_accounts", 200),
        ("payouts:create", "POST", "/api/v1/financial_requests", 201),
        ("customers:read", "GET", "/api/v1/users", 200),
        ("merchant_profile:read", "GET", "/api/v1/merchants", 404),
        ("orders:read", "DELETE", "/api/v1/orders", 405),
        ("orders:read", "GET", "/api/v1/nothing", 404),
    ];
    let bench = Bench::of("inkress");
    for (scope, method, path, status) in cases {
        let body = match (method, path) {
            ("GET" | "DELETE", _) => "",
            (_, "/api/v1/webhook_urls") => {
                "{\"url\":\"http://127.0.0.1:1/\",\"event\":\"orders.paid\"}"
            }
            _ => "{}",
        };
        let received = bench.call(method, path, &token_for(&bench, &[scope]), body);
        assert_eq!(received.status, status, "{method} {path} with {scope}: {}", reason(&received));
    }
    let refused = bench.call("DELETE", "/api/v1/orders", &token_for(&bench, &["orders:read"]), "");
    assert_eq!(refused.header("allow"), Some("GET, POST"));
}

#[test]
fn inkress_lists_narrow_to_the_app_and_to_what_changed() {
    let bench = Bench::of("inkress");
    let token = token_for(&bench, &["orders:read", "orders:write"]);
    let count = |query: &str| {
        let received = bench.call("GET", &format!("/api/v1/orders{query}"), &token, "");
        let body = json_of(&received);
        assert_eq!(body["state"], json!("ok"));
        body["result"]["entries"].as_array().unwrap().len()
    };
    assert_eq!((count(""), count("?app=me")), (3, 2));
    assert_eq!(count("?updated_since=2026-05-29T10:15:00Z"), 2);
    assert_eq!(count("?app=me&updated_since=2026-05-29T10:15:00Z"), 1);
    assert_eq!((count("?status=paid&status=pending"), count("?status=no&status=paid")), (3, 2));
    // A parameter that the facts do not name as a filter narrows nothing.
    assert_eq!((count("?title=Gift%20box"), count("?id=%3E%2C5001")), (3, 3));
    assert_eq!((count("?status=paid"), count("?status=pending"), count("?status=no")), (2, 1, 0));
    assert_eq!(
        (count("?status=paid&app=me"), count("?total=39.5"), count("?nothing=1")),
        (1, 1, 3)
    );
    assert_eq!(bench.call("GET", "/api/v1/orders?app=17", &token, "").status, 400);
    assert_eq!(bench.call("GET", "/api/v1/orders?updated_since=yesterday", &token, "").status, 400);

    let made = bench.call("POST", "/api/v1/orders", &token, r#"{"total":5,"currency_code":"USD"}"#);
    let order = &json_of(&made)["result"];
    assert_eq!((&order["id"], &order["merchant_id"]), (&json!(5004), &json!(183)));
    assert_eq!(order["updated_at"], json!("2026-06-01T12:00:00Z"));
    assert_eq!(count("?app=me&updated_since=2026-06-01T00:00:00Z"), 1);
    let one = json_of(&bench.call("GET", "/api/v1/orders/5004", &token, ""));
    assert_eq!(one["result"]["total"], json!(5));
}

#[test]
fn a_contribution_echoes_the_currency_that_was_asked_for() {
    let bench = Bench::of("inkress");
    let token = token_for(&bench, &["wallet:read"]);
    let path = "/api/v1/merchants/account/contribution";
    let narrowed = json_of(&bench.call("POST", path, &token, r#"{"currency_code":"USD"}"#));
    assert_eq!(narrowed["result"]["currency_code"], json!("USD"));
    assert_eq!(narrowed["result"]["net_contribution"], json!(6994.74));
    let all = json_of(&bench.call("POST", path, &token, ""));
    assert_eq!(all["result"]["currency_code"], Value::Null);
}

#[test]
fn a_repeated_write_is_replayed_for_a_day_and_never_done_again() {
    let bench = Bench::of("inkress");
    let token = token_for(&bench, &["orders:write"]);
    let write = |key: &str, body: &str| {
        let key = [("idempotency-key", key)];
        bench.call_with("POST", "/api/v1/orders", &token, &key, body)
    };
    let first = write("k1", r#"{"total":1}"#);
    assert_eq!((first.status, first.header("idempotency-replay")), (201, None));
    let second = write("k1", r#"{"total":1}"#);
    assert_eq!((second.status, second.header("idempotency-replay")), (201, Some("true")));
    assert_eq!(first.body, second.body);
    let other = write("k1", r#"{"total":2}"#);
    assert_eq!(other.status, 409);
    let code = json!("idempotency_key_reuse_with_different_payload");
    assert_eq!(json_of(&other)["error"], code);
    assert_eq!(bench.sandbox.records("/api/v1/orders").len(), 4);

    bench.clock.forward(86_400);
    let token = token_for(&bench, &["orders:write"]);
    let late = [("idempotency-key", "k1")];
    let late = bench.call_with("POST", "/api/v1/orders", &token, &late, r#"{"total":2}"#);
    assert_eq!((late.status, late.header("idempotency-replay")), (201, None));
}

#[test]
fn merchantos_wants_its_own_scheme_its_accept_header_and_a_client_name() {
    let bench = Bench::of("merchantos");
    let tokens = bench.tokens("employee:inventory");
    let token = tokens["access_token"].as_str().unwrap();
    let path = "/API/Account/12345/Item";
    let (oauth, bearer) = (format!("OAuth {token}"), format!("Bearer {token}"));
    let accept = ("accept", "application/vnd.merchantos-v2+json");
    let agent = ("user-agent", "Shop Sync");
    let query = format!("{path}?oauth_token={token}");
    let cases = [
        (path, vec![("authorization", oauth.as_str()), accept, agent], 200),
        (&query, vec![accept, agent], 200),
        (&query, vec![("authorization", &oauth), accept, agent], 400),
        (path, vec![("authorization", &bearer), accept, agent], 401),
        (path, vec![accept, agent], 401),
        (path, vec![("authorization", &oauth), ("accept", "application/json"), agent], 406),
        (path, vec![("authorization", &oauth), accept], 406),
        ("/API/Account/999/Item", vec![("authorization", &oauth), accept, agent], 404),
        ("/API/Account", vec![("authorization", &oauth), accept, agent], 200),
        ("/API/Account/12345/Sale", vec![("authorization", &oauth), accept, agent], 403),
    ];
    for (path, headers, status) in cases {
        let received = bench.get(path, &headers);
        assert_eq!(received.status, status, "{path} {headers:?}: {}", reason(&received));
    }
    let items = json_of(&bench.call("GET", path, &json!(token), ""));
    assert_eq!(items["@attributes"]["count"], json!(3));
    assert_eq!(items["Item"][2]["description"], json!("Bell"));
    bench.clock.forward(10 * 365 * 86_400);
    assert_eq!(bench.call("GET", path, &json!(token), "").status, 200, "the token has no end");
}

#[test]
fn imprest_opens_the_list_of_organizations_and_then_wants_one_of_them() {
    let bench = Bench::of("imprest");
    let token = &bench.tokens("money_in")["access_token"];
    let organizations = json_of(&bench.call("GET", "/api/v1/me/organizations", token, ""));
    assert_eq!(organizations.as_array().unwrap().len(), 2);
    let named = |id: &str| {
        let header = [("x-organization-id", id)];
        bench.call_with("GET", "/api/v1/invoices", token, &header, "").status
    };
    assert_eq!(bench.call("GET", "/api/v1/invoices", token, "").status, 400);
    assert_eq!(named("unknown"), 400);
    assert_eq!(named(organizations[1]["id"].as_str().unwrap()), 200);
    let header = [("x-organization-id", organizations[0]["id"].as_str().unwrap())];
    assert_eq!(bench.call_with("GET", "/api/v1/bills", token, &header, "").status, 403);
}

#[test]
fn inventorum_pages_ten_at_a_time_and_wants_accept_and_slashes() {
    let bench = Bench::of("inventorum");
    let token = token_for(&bench, &["products:read"]);
    let page = |number: u32| {
        json_of(&bench.call("GET", &format!("/api/products/?page={number}"), &token, ""))
    };
    let (first, last) = (page(1), page(3));
    assert_eq!((&first["count"], first["results"].as_array().unwrap().len()), (&json!(30), 10));
    let second = format!("{}/api/products/?page=2", bench.sandbox.origin());
    assert_eq!((&first["previous"], &first["next"]), (&Value::Null, &json!(second)));
    assert_eq!((&last["previous"], &last["next"]), (&json!(second), &Value::Null));
    assert_eq!(last["results"][9]["id"], json!(30));
    assert_eq!(bench.call("GET", "/api/products/?page=4", &token, "").status, 404);
    assert_eq!(bench.call("GET", "/api/products/7/", &token, "").status, 200);

    let bare = bench.call("GET", "/api/products?page=2", &token, "");
    assert_eq!((bare.status, bare.header("location")), (301, Some("/api/products/?page=2")));
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let received = bench.get("/api/products/", &[("authorization", &bearer), ("accept", "*/*")]);
    assert_eq!(received.status, 406);
}

#[test]
fn a_standard_server_links_its_pages_in_a_header() {
    let bench = Bench::of("standard");
    let token = token_for(&bench, &["items:read", "items:write"]);
    let first = bench.call("GET", "/api/items?q=a+b", &token, "");
    let next = format!("<{}/api/items?q=a+b&page=2>; rel=\"next\"", bench.sandbox.origin());
    assert_eq!(first.header("link"), Some(next.as_str()));
    assert_eq!(bench.call("GET", "/api/items?page=3", &token, "").header("link"), None);
    assert_eq!(bench.call("DELETE", "/api/items/25", &token, "").status, 204);
    assert_eq!(bench.call("GET", "/api/items/25", &token, "").status, 404);
}

#[test]
fn inyo_makes_payments_and_holds_each_paths_own_limit() {
    let bench = Bench::of("inyo");
    let token = &json_of(&bench.token(&[]))["accessToken"];
    let body = r#"{"amount":10,"currency":"USD"}"#;
    let paid = bench.call("POST", "/v2/payment", token, body);
    assert_eq!((paid.status, &json_of(&paid)["status"]), (201, &json!("AUTHORIZED")));
    assert_eq!(bench.sandbox.records("/v2/payment").len(), 2);
    (0..200).for_each(|_| assert_eq!(bench.call("GET", "/v2/fx", token, "").status, 200));
    let limited = bench.call("GET", "/v2/fx", token, "");
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("60")));
    assert_eq!(bench.call("GET", "/v2/payment", token, "").status, 200);
}

#[test]
fn an_upload_is_counted_and_a_download_has_its_length() {
    let bench = Bench::of("inkress");
    let token = token_for(&bench, &["orders:read"]);
    let body = "x".repeat(3 * 1024 * 1024);
    let counted = json_of(&bench.call("POST", "/api/v1/upload", &token, &body));
    assert_eq!(counted["bytes"], json!(body.len()));
    assert!(bench.sandbox.log().pop().unwrap().body.is_empty());
    let loaded = bench.call("GET", "/api/v1/download?bytes=200000", &token, "");
    assert_eq!(loaded.body, vec![0; 200_000]);
    assert_eq!(bench.get("/api/v1/download?bytes=1", &[]).status, 401);
    assert_eq!(bench.call("POST", "/api/v1/orders", &token, &body).status, 413);
}
