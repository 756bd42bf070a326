use serde_json::json;

use super::*;
use crate::provider::Provider;
use crate::provider::file::read;

fn provider(table: &str) -> Provider {
    let head = include_str!("../../sandbox/vendors/standard_provider.toml");
    read("p.toml", &format!("{head}\n{table}")).unwrap()
}

fn values() -> Values {
    let mut values = Values::default();
    values.set("host", "https://own.example");
    values
}

fn found(
    provider: &Provider,
    query: &str,
    link: &str,
    body: &str,
) -> Result<(Option<String>, Option<End>), PageError> {
    let url: Url = format!("https://own.example/api/items{query}").parse().unwrap();
    let mut headers = HeaderMap::new();
    if !link.is_empty() {
        headers.insert("link", link.parse().unwrap());
    }
    let page = Read { url: &url, headers: &headers, body: body.as_bytes() };
    match next(&provider.api, &provider.settings, &values(), &page)?.next {
        Next::At(target) => Ok((target.url.query().map(str::to_owned), None)),
        Next::End(end) => Ok((None, Some(end))),
    }
}

fn at(query: &str) -> Result<(Option<String>, Option<End>), PageError> {
    Ok((Some(query.to_owned()), None))
}

fn end(end: End) -> Result<(Option<String>, Option<End>), PageError> {
    Ok((None, Some(end)))
}

#[test]
fn page_numbers_are_counted_until_a_page_is_empty_or_says_so() {
    let plain = provider("[api.pages]\nstyle = 'page_number'\nparameter = 'page'");
    let cases = [
        ("?page=1", "[1]", at("page=2")),
        ("?a=b%20c&page=9&d", r#"{"results":[1]}"#, at("a=b%20c&d&page=10")),
        ("", "[1]", at("page=2")),
        ("?page=3", "[]", end(End::Empty)),
        ("?page=3", r#"{"count":20,"results":[]}"#, end(End::Empty)),
        ("?page=3", "no JSON, but a page", at("page=4")),
    ];
    for (query, body, expected) in cases {
        assert_eq!(found(&plain, query, "", body), expected, "{query} {body}");
    }
    let not_a_number = PageError::NotANumber { parameter: "page".into(), value: "x".into() };
    assert_eq!(found(&plain, "?page=x", "", "[1]"), Err(not_a_number));
    let told = provider("[api.pages]\nstyle = 'page_number'\nparameter = 'p'\nmore = 'meta.more'");
    for (more, last) in [
        ("false", true),
        ("null", true),
        ("0", true),
        ("\"\"", true),
        ("true", false),
        ("7", false),
    ] {
        let body = format!(r#"{{"meta":{{"more":{more}}},"data":[1]}}"#);
        let expected = if last { end(End::NoNext) } else { at("p=2") };
        assert_eq!(found(&told, "?p=1", "", &body), expected, "{more}");
    }
}

#[test]
fn offsets_grow_by_the_records_that_came() {
    let plain =
        provider("[api.pages]\nstyle = 'offset'\nparameter = 'offset'\nitems = 'data.items'");
    let body = |count: usize| json!({"data": {"items": vec![1; count]}}).to_string();
    assert_eq!(found(&plain, "?offset=0", "", &body(3)), at("offset=3"));
    assert_eq!(found(&plain, "?limit=3&offset=3", "", &body(2)), at("limit=3&offset=5"));
    assert_eq!(found(&plain, "?offset=5", "", &body(0)), end(End::Empty));
    let no_records = Err(PageError::NoRecords { items: "data.items".into() });
    assert_eq!(found(&plain, "?offset=5", "", "{}"), no_records);
    assert_eq!(found(&plain, "?offset=5", "", "<html>"), no_records);
}

#[test]
fn a_cursor_comes_from_the_body_or_from_the_last_record() {
    let told = provider("[api.pages]\nstyle = 'cursor'\nparameter = 'c'\nnext = 'meta.next'");
    let cases = [
        (r#"{"meta":{"next":"a/b="},"data":[]}"#, at("c=a%2Fb%3D")),
        (r#"{"meta":{"next":12345678901234567890}}"#, at("c=12345678901234567890")),
        (r#"{"meta":{"next":null}}"#, end(End::NoNext)),
        (r#"{"meta":{"next":""}}"#, end(End::NoNext)),
        (r#"{"meta":{}}"#, end(End::NoNext)),
        (r#"{"meta":{"next":[1]}}"#, Err(PageError::Unusable { path: "meta.next".into() })),
        ("<html>", Err(PageError::NotJson)),
    ];
    for (body, expected) in cases {
        assert_eq!(found(&told, "?c=old", "", body), expected, "{body}");
    }
    let last = provider(
        "[api.pages]\nstyle = 'cursor'\nparameter = 'after'\nlast_item = 'id'\nitems = 'data'\nmore = 'has_more'",
    );
    let cases = [
        (r#"{"data":[{"id":1},{"id":2}],"has_more":true}"#, at("after=2")),
        (r#"{"data":[{"id":1},{"id":2}],"has_more":false}"#, end(End::NoNext)),
        (r#"{"data":[]}"#, end(End::NoNext)),
        (r#"{"data":[{}]}"#, Err(PageError::Unusable { path: "id".into() })),
    ];
    for (body, expected) in cases {
        assert_eq!(found(&last, "", "", body), expected, "{body}");
    }
}

#[test] // RR19, A12
fn links_are_followed_on_the_apis_own_host_alone() {
    let in_body = provider("[api.pages]\nstyle = 'next_url'\nnext = 'next'");
    let in_header = provider("[api.pages]\nstyle = 'link_header'");
    let unsaid = provider("");
    let body = |link: &str| json!({ "next": link }).to_string();
    let header = |link: &str| format!(r#"<{link}>; rel="next""#);
    for link in ["?page=2", "/api/items?page=2", "https://own.example/api/items?page=2"] {
        assert_eq!(found(&in_body, "?page=1", "", &body(link)), at("page=2"));
        assert_eq!(found(&in_header, "?page=1", &header(link), "[]"), at("page=2"));
        assert_eq!(found(&unsaid, "?page=1", &header(link), "[]"), at("page=2"));
    }
    for evil in [
        "https://evil.example/",
        "//evil.example/x",
        "http://own.example/",
        "https://own.example:444/",
    ] {
        for result in [
            found(&in_body, "", "", &body(evil)),
            found(&in_header, "", &header(evil), "[]"),
            found(&unsaid, "", &header(evil), "[]"),
        ] {
            let refused = matches!(result, Err(PageError::Link(TargetError::OtherHost { .. })));
            assert!(refused, "{evil}: {result:?}");
        }
    }
    let named = "</api/items?page=2>; title=\"\u{fc}ber\"; rel=next";
    assert_eq!(found(&in_header, "", named, "[]"), at("page=2"), "a title beyond ASCII");
    assert_eq!(found(&in_body, "", "", r#"{"next":null}"#), end(End::NoNext));
    assert_eq!(found(&in_header, "", "", "[]"), end(End::NoNext));
    assert_eq!(found(&unsaid, "", "", "[]"), end(End::NothingSays));
}

#[test] // RR1
fn a_token_that_a_server_repeats_in_its_link_does_not_stay_there() {
    let mut provider = provider("[api.pages]\nstyle = 'next_url'\nnext = 'next'");
    provider.api.authorization.query = Some("oauth_token".into());
    let body = r#"{"next":"/api/items?oauth_token=secret&page=2"}"#;
    assert_eq!(found(&provider, "", "", body), at("page=2"));
    let bare = r#"{"next":"/api/items?oauth_token=secret"}"#;
    assert_eq!(found(&provider, "", "", bare), Ok((None, None)));
}

#[test]
fn the_first_page_is_asked_for_as_the_file_says_and_as_the_person_says() {
    let begun = |table: &str, query: &str| {
        let provider = provider(table);
        let mut url: Url = format!("https://own.example/x{query}").parse().unwrap();
        begin(provider.api.pages.as_ref(), &mut url).map(|()| url.query().map(str::to_owned))
    };
    let numbers = "[api.pages]\nstyle = 'page_number'\nparameter = 'page'\nsize_parameter = 'per_page'\nsize = 50";
    assert_eq!(begun(numbers, "").unwrap().unwrap(), "per_page=50&page=1");
    assert_eq!(begun(numbers, "?page=4&per_page=2").unwrap().unwrap(), "page=4&per_page=2");
    assert!(begun(numbers, "?page=last").is_err());
    let offsets = "[api.pages]\nstyle = 'offset'\nparameter = 'start'\nfirst = 1";
    assert_eq!(begun(offsets, "?q=1").unwrap().unwrap(), "q=1&start=1");
    let cursors = "[api.pages]\nstyle = 'cursor'\nparameter = 'c'\nnext = 'n'";
    assert_eq!(begun(cursors, "").unwrap(), None);
    assert_eq!(begun("", "?a=b").unwrap().unwrap(), "a=b");
}

#[test]
fn records_are_where_the_file_says_or_where_lists_usually_are() {
    let count = |body: Value, path: &str| records(&body, path).map(|records| records.len());
    assert_eq!(count(json!([1, 2]), ""), Some(2));
    assert_eq!(count(json!({"count": 3, "results": [1]}), ""), Some(1));
    assert_eq!(count(json!({"results": [], "links": []}), ""), Some(0));
    assert_eq!(count(json!({"count": 3}), ""), None);
    assert_eq!(count(json!({"data": {"items": [1, 2, 3]}}), "data.items"), Some(3));
    assert_eq!(count(json!({"data": {}}), "data.items"), None);
    assert_eq!(count(json!("x"), ""), None);
}
