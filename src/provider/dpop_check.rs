//! Tokens that are bound to a key go where the standard puts them (RFC 9449 section 7.1).

use super::Provider;
use super::file::Finding;
use super::schema::ApiAuthorization;

/// The first rule that a file breaks.
pub(super) fn bound_tokens(provider: &Provider) -> Option<Finding> {
    let is_bound = provider.client.dpop_bound_access_tokens;
    (is_bound && provider.api.authorization != ApiAuthorization::default()).then(|| {
        let message =
            "it has no effect where tokens are bound to a key: they go into the header, as `DPoP`";
        Finding::at(&["api", "authorization"], message)
    })
}

#[cfg(test)]
mod tests {
    use crate::provider::file::read;

    #[test]
    fn a_bound_token_goes_into_the_header_alone() {
        let file = |more: &str| {
            format!(
                "schema = 1\nname = \"x\"\nflows = [\"client_credentials\"]\n\
                 client = {{ dpop_bound_access_tokens = true }}\n\
                 token = {{ url = \"https://as.test/token\" }}\n\
                 refresh = {{ rotation = \"reissue\" }}\n\
                 [api]\nbase_url = \"https://api.test\"\n{more}"
            )
        };
        let fine = read("x.toml", &file(""));
        assert!(fine.is_ok(), "{fine:?}");
        let refused = read("x.toml", &file("authorization = { scheme = \"OAuth\" }\n"));
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("tokens are bound to a key"), "{refused}");
    }
}
