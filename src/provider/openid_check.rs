//! ID tokens, userinfo and introspection: each table has what its check needs, and an effect.

use super::Provider;
use super::file::Finding;
use super::schema::{Context, Flow};

/// The contexts that come from a verified ID token or userinfo, the one that identifies first.
///
/// An e-mail address, a user name and a name can change and be given to another (OpenID Connect
/// Core section 5.7), so only the subject tells accounts apart.
pub const CLAIMS: [&str; 4] = ["sub", "email", "preferred_username", "name"];

/// The longest leeway, in seconds.
const LONGEST_LEEWAY: u64 = 600;

/// The first rule that a file breaks.
pub(super) fn openid(provider: &Provider) -> Option<Finding> {
    id_token(provider).or_else(|| userinfo(provider)).or_else(|| discovery(provider))
}

fn id_token(provider: &Provider) -> Option<Finding> {
    let id_token = provider.id_token.as_ref()?;
    let issuer = provider.discovery.as_ref().and_then(|it| it.issuer.as_ref());
    let claimed = |it: &&Context| CLAIMS.contains(&it.name.as_str());
    if let Some(context) = provider.context.iter().find(claimed) {
        let says =
            format!("`{}` comes from the ID token: name the context otherwise", context.name);
        return Some(Finding::at(&["context"], says));
    }
    let rules = [
        (
            issuer.is_none(),
            "jwks_url",
            "an ID token is checked against the `issuer` of [discovery]",
        ),
        (
            !provider.flows.contains(&Flow::AuthorizationCode),
            "jwks_url",
            "[id_token] has no effect without the flow `authorization_code`",
        ),
        (id_token.algorithms.is_empty(), "algorithms", "at least one algorithm is needed"),
        (id_token.leeway > LONGEST_LEEWAY, "leeway", "`leeway` is 600 seconds at most"),
    ];
    let (_, key, says) = rules.into_iter().find(|(broken, ..)| *broken)?;
    Some(Finding::at(&["id_token", key], says))
}

fn userinfo(provider: &Provider) -> Option<Finding> {
    (provider.userinfo.is_some() && provider.id_token.is_none()).then(|| {
        // OpenID Connect Core section 5.3.2: without that comparison it must not be used.
        let says = "[userinfo] has no effect without [id_token], whose subject it must be about";
        Finding::at(&["userinfo"], says)
    })
}

fn discovery(provider: &Provider) -> Option<Finding> {
    let discovery = provider.discovery.as_ref()?;
    (discovery.names_endpoints && discovery.issuer.is_none()).then(|| {
        let says = "`names_endpoints` has no effect without the `issuer`";
        Finding::at(&["discovery", "names_endpoints"], says)
    })
}

#[cfg(test)]
mod tests {
    use super::super::file::read;

    const HEAD: &str = r#"
schema = 1
name = "p"
flows = ["authorization_code"]
[authorize]
url = "https://as.example/a"
[token]
url = "https://as.example/t"
[api]
base_url = "https://as.example"
"#;
    const ISSUER: &str =
        "[discovery]\nurl = \"https://as.example/d\"\nissuer = \"https://as.example\"\n";

    fn says(tables: &str) -> Option<String> {
        read("p.toml", &format!("{HEAD}{tables}")).err().map(|error| error.message)
    }

    #[test] // OI1, OI4
    fn a_table_without_what_its_check_needs_is_refused_with_its_reason() {
        let keys = "[id_token]\njwks_url = \"https://as.example/k\"\n";
        assert_eq!(says(&format!("{ISSUER}{keys}")), None);
        let cases = [
            (keys.to_owned(), "an ID token is checked against the `issuer`"),
            (format!("{ISSUER}{keys}algorithms = []"), "at least one algorithm"),
            (format!("{ISSUER}{keys}algorithms = [\"none\"]"), "unknown variant `none`"),
            (format!("{ISSUER}{keys}algorithms = [\"HS256\"]"), "unknown variant `HS256`"),
            (format!("{ISSUER}{keys}leeway = 601"), "600 seconds at most"),
            (format!("{ISSUER}{}", keys.replace("https", "http")), "an endpoint is an https URL"),
            (
                format!("{ISSUER}{keys}[[context]]\nname = \"sub\"\npath = \"sub\""),
                "`sub` comes from the ID token",
            ),
            (
                format!("{ISSUER}[userinfo]\nurl = \"https://as.example/u\""),
                "[userinfo] has no effect without [id_token]",
            ),
            (
                "[discovery]\nurl = \"https://as.example/d\"\nnames_endpoints = true".into(),
                "`names_endpoints` has no effect",
            ),
            ("[introspect]\nurl = \"http://as.example/i\"".into(), "an endpoint is an https URL"),
        ];
        for (tables, expected) in cases {
            let says = says(&tables).unwrap_or_else(|| panic!("taken: {tables}"));
            assert!(says.contains(expected), "{tables}: {says}");
        }
    }

    #[test]
    fn what_the_id_token_says_can_be_named_in_braces() {
        let keys = "[id_token]\njwks_url = \"https://as.example/k\"\n";
        let named = HEAD.replace("as.example\"\n", "as.example/{sub}\"\n");
        assert!(read("p.toml", &format!("{named}{ISSUER}{keys}")).is_ok());
        assert!(read("p.toml", &format!("{named}{ISSUER}")).is_err());
    }
}
