//! Where a call leads: nothing that is typed sends the token elsewhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use keyfob::provider::schema::Api;
use keyfob::provider::{Values, catalogue};
use keyfob::resource_server::target::{follow, resolve};
use url::Url;

static INKRESS: LazyLock<Api> = LazyLock::new(|| {
    catalogue::shipped("inkress").expect("it is shipped").expect("it is right").api
});

/// A PATH, and the same bytes as a link of a page, relative to it.
pub fn address(bytes: &[u8]) {
    let text = super::text(bytes);
    let mut values = Values::default();
    values.set("api_host", "https://api.inkress.com");
    values.set("merchant_id", "183");
    let none = BTreeMap::new();
    let page = Url::parse("https://api.inkress.com/api/v1/orders?page=2").expect("a URL");
    let query = [("a".to_owned(), text.clone())];
    let found = [
        resolve(&INKRESS, &none, &values, &text, &[]),
        resolve(&INKRESS, &none, &values, &text, &query),
        follow(&INKRESS, &none, &values, &page, &text),
    ];
    for target in found.into_iter().flatten() {
        let url = target.url;
        assert_eq!(url.origin(), page.origin(), "{text:?} leads to {url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        assert!(url.fragment().is_none(), "{url}");
    }
}
