//! Where calls go, and where none does.

use super::*;
use crate::provider::Provider;
use crate::provider::catalogue::shipped;

fn provider(name: &str) -> Provider {
    shipped(name).unwrap().unwrap()
}

#[test] // RR3
fn a_path_is_read_as_a_whole_address_would_be() {
    for (name, host) in [("inkress", "https://api.example"), ("inyo", "http://127.0.0.1:1/a/b/")] {
        let provider = provider(name);
        let values = values(&[("api_host", host), ("host", host)]);
        let base = Base::of(&provider.api, &values).unwrap();
        for path in [
            "/orders",
            "/orders/5?x=1&y='a b'#z",
            "/a/../b/%2e%2e/c",
            "/é/ü?é",
            "/a;b=c/@evil:1/",
            "/\u{3002}evil",
            "/?q",
            "/",
            "/a#?b",
            "/..//evil.example/x",
        ] {
            let address = format!("{}{path}", base.host);
            assert_eq!(base.at(path), base.own(&address), "{path}");
        }
    }
}

fn values(known: &[(&str, &str)]) -> Values {
    let mut values = Values::default();
    known.iter().for_each(|(name, value)| values.set(*name, *value));
    values
}

const KNOWN: [(&str, &str); 5] = [
    ("host", "https://own.example"),
    ("api_host", "https://own.example"),
    ("merchant_id", "183"),
    ("account_id", "12"),
    ("odd", "a/b?c#d"),
];

fn at(name: &str, path: &str) -> Result<Target, TargetError> {
    let provider = provider(name);
    resolve(&provider.api, &provider.settings, &values(&KNOWN), path, &[])
}

#[test] // RR3
fn a_path_is_relative_to_the_base_or_written_out() {
    let cases = [
        ("inkress", "/orders", "/api/v1/orders"),
        ("inkress", "orders", "/api/v1/orders"),
        ("inkress", "/api/v1/orders", "/api/v1/orders"),
        ("inkress", "/api/v1", "/api/v1"),
        ("inkress", "/api/v10/x", "/api/v1/api/v10/x"),
        ("inkress", "/api/v1.1/x", "/api/v1/api/v1.1/x"),
        ("inkress", "/merchants/{merchant_id}", "/api/v1/merchants/183"),
        ("inkress", "/x/{odd}", "/api/v1/x/a%2Fb%3Fc%23d"),
        ("inkress", "/orders?q={merchant_id}&r={id}", "/api/v1/orders?q=183&r={id}"),
        ("inkress", "/orders?a=b#part", "/api/v1/orders?a=b"),
        ("inkress", "/orders/../users", "/api/v1/users"),
        ("inkress", "/../../../../x", "/x"),
        ("inkress", "/%2e%2e/x", "/api/x"),
        ("inkress", "/a b", "/api/v1/a%20b"),
        ("inkress", "/users:search", "/api/v1/users:search"),
        ("inkress", "users:search", "/api/v1/users:search"),
        ("inyo", "/v2/payment", "/v2/payment"),
        ("merchantos", "/Item", "/API/Account/12/Item"),
        ("merchantos", "/API/Account/99/Item.json", "/API/Account/99/Item.json"),
        ("merchantos", "/API/Account.json", "/API/Account.json"),
        ("merchantos", "/API/Accounting", "/API/Account/12/API/Accounting"),
        ("imprest", "/me/organizations", "/api/v1/me/organizations"),
        ("inventorum", "/products/?page=1", "/api/products/?page=1"),
        ("inkress", "https://own.example/api/v1/orders", "/api/v1/orders"),
        ("inkress", "HTTPS://OWN.example:443/x?y", "/x?y"),
        ("inkress", "https://own.example/m/{merchant_id}", "/m/183"),
        ("inkress", "https://own.example", "/"),
    ];
    for (name, path, expected) in cases {
        let target = at(name, path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(target.url.as_str(), format!("https://own.example{expected}"), "{path}");
    }
}

#[test] // RR3, A11
fn no_trick_leads_to_another_host() {
    let tricks = [
        "//evil.example/x",
        "///evil.example/x",
        "https://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "HTTPS:\\\\evil.example",
        "http://own.example/",
        "https://own.example:8443/x",
        "https://own.example@evil.example/x",
        "https://evil.example#own.example",
        "https://own.example.evil.example/",
        "https://user:pass@own.example/",
        "\\\\evil.example\\x",
        "/\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "/\r\nHost: evil.example",
        " //evil.example",
        "@evil.example/x",
        ".evil.example/x",
        ":8443@evil.example/x",
        "/@evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://own.example/",
        "data:text/plain,x",
        "/.//evil.example",
        "/..//evil.example",
        "..//evil.example",
        "/{odd}//evil.example",
        "",
    ];
    for name in ["inkress", "inyo", "merchantos"] {
        for trick in tricks {
            if let Ok(target) = at(name, trick) {
                assert_eq!(target.url.host_str(), Some("own.example"), "{trick:?}");
                assert_eq!(target.url.port_or_known_default(), Some(443), "{trick:?}");
                assert_eq!(target.url.scheme(), "https", "{trick:?}");
                assert_eq!(target.url.username(), "", "{trick:?}");
            }
        }
    }
}

#[test] // RR3
fn what_is_plainly_elsewhere_is_refused() {
    let elsewhere = |given: &str| TargetError::OtherHost {
        given: given.into(),
        own: "https://own.example".into(),
    };
    let cases = [
        ("https://evil.example/x", elsewhere("https://evil.example")),
        ("https:evil.example", elsewhere("https://evil.example")),
        ("http://own.example/", elsewhere("http://own.example")),
        ("https://own.example:8443/x", elsewhere("https://own.example:8443")),
        ("ftp://own.example/", elsewhere("ftp://own.example")),
        ("//evil.example", TargetError::Refused("two slashes at its beginning")),
        ("/\\evil.example", TargetError::Refused("a backslash")),
        ("/\t/evil.example", TargetError::Refused("a control character")),
        ("https://u@own.example/", TargetError::Refused("a user name")),
    ];
    for (path, expected) in cases {
        assert_eq!(at("inkress", path), Err(expected), "{path}");
    }
}

#[test] // RR3
fn a_host_that_the_provider_file_adds_is_reached_by_whole_urls_alone() {
    let mut provider = provider("inkress");
    provider.api.hosts = vec!["https://files.example".into()];
    let find = |path: &str| resolve(&provider.api, &provider.settings, &values(&KNOWN), path, &[]);
    let target = find("https://files.example/api/v1/orders").unwrap();
    assert_eq!(target.url.as_str(), "https://files.example/api/v1/orders");
    assert_eq!((target.below, target.lists), (None, None), "no scope table is for it");
    assert_eq!(find("/orders").unwrap().url.host_str(), Some("own.example"));
    for elsewhere in ["http://files.example/", "https://files.example:8443/"] {
        assert!(matches!(find(elsewhere), Err(TargetError::OtherHost { .. })), "{elsewhere}");
    }
    let user = find("https://u@files.example/");
    assert_eq!(user, Err(TargetError::Refused("a user name")));
}

#[test] // RR7
fn a_missing_value_is_named_only_where_it_is_needed() {
    let provider = provider("merchantos");
    let values = values(&[("api_host", "http://127.0.0.1:8080")]);
    let find = |path: &str| resolve(&provider.api, &provider.settings, &values, path, &[]);
    assert_eq!(find("/Item"), Err(MissingValue("account_id".into()).into()));
    assert_eq!(find("/API/{shop}"), Err(MissingValue("shop".into()).into()));
    for path in ["/API/Account", "/API/Account.json", "/API/Account/7/Item"] {
        assert_eq!(find(path).unwrap().url.as_str(), format!("http://127.0.0.1:8080{path}"),);
    }
}

#[test]
fn query_items_follow_the_query_of_the_path() {
    let provider = provider("inkress");
    let query = [("app".to_owned(), "me".to_owned()), ("q".to_owned(), "a&b c".to_owned())];
    let find = |path: &str| {
        resolve(&provider.api, &provider.settings, &values(&KNOWN), path, &query).unwrap().url
    };
    assert_eq!(find("/orders").query(), Some("app=me&q=a%26b+c"));
    assert_eq!(find("/orders?x=1%20").query(), Some("x=1%20&app=me&q=a%26b+c"));
}

#[test]
fn the_path_below_the_base_is_known_and_so_is_a_list() {
    let below = |name: &str, path: &str| at(name, path).unwrap().below;
    assert_eq!(below("inkress", "/api/v1/orders/5?x").as_deref(), Some("/orders/5"));
    assert_eq!(below("inkress", "/../x"), None);
    assert_eq!(below("inyo", "/v2/fx").as_deref(), Some("/v2/fx"));
    assert_eq!(at("imprest", "/me/organizations").unwrap().lists.unwrap(), "organization_id");
    let written_out = at("imprest", "/api/v1/me/organizations?x=y").unwrap();
    assert_eq!(written_out.lists.unwrap(), "organization_id");
    assert_eq!(at("imprest", "/me").unwrap().lists, None);
}

#[test] // RR19, A12
fn a_link_to_the_next_page_stays_on_the_host() {
    let provider = provider("inkress");
    let page = "https://own.example/api/v1/orders?page=1".parse().unwrap();
    let next = |link: &str| {
        follow(&provider.api, &provider.settings, &values(&KNOWN), &page, link)
            .map(|target| target.url.to_string())
    };
    let orders = "https://own.example/api/v1/orders?page=2";
    assert_eq!(next("?page=2").unwrap(), orders);
    assert_eq!(next("/api/v1/orders?page=2").unwrap(), orders);
    assert_eq!(next(orders).unwrap(), orders);
    for evil in
        ["//evil.example/", "https://evil.example/", "\\\\evil.example", "http://own.example/"]
    {
        assert!(matches!(next(evil), Err(TargetError::OtherHost { .. })), "{evil}");
    }
}
