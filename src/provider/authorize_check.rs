//! The authorization request: what it asks for can be asked for, and nothing replaces what is the protocol's.

use super::Provider;
use super::file::Finding;
use super::reserved::is_reserved;
use super::schema::ResponseMode;
use super::wanted::{check_resource, have_types};

/// The first rule that a file breaks.
pub(super) fn authorize(provider: &Provider) -> Option<Finding> {
    resource(provider)
        .or_else(|| parameters(provider))
        .or_else(|| details(provider))
        .or_else(|| form_post(provider))
}

fn resource(provider: &Provider) -> Option<Finding> {
    let why = provider.token.resource.iter().find_map(|it| check_resource(it).err())?;
    Some(Finding::at(&["token", "resource"], format!("this names no resource: {why}")))
}

fn parameters(provider: &Provider) -> Option<Finding> {
    let name = provider.authorize.as_ref()?.params.keys().find(|name| is_reserved(name))?;
    let message = format!("`{name}` is the protocol's own parameter");
    Some(Finding::at(&["authorize", "params", name], message))
}

fn details(provider: &Provider) -> Option<Finding> {
    let details = &provider.authorize.as_ref()?.authorization_details;
    (!have_types(details))
        .then(|| Finding::at(&["authorize", "authorization_details"], "each right needs a `type`"))
}

/// A form is posted to this machine; an address that is pasted holds nothing of it.
fn form_post(provider: &Provider) -> Option<Finding> {
    let authorize = provider.authorize.as_ref()?;
    let is_page = authorize.redirect.uri.starts_with("https://");
    (authorize.response_mode == ResponseMode::FormPost && is_page).then(|| {
        let message = "`form_post` needs a redirect to this machine: nothing of it can be pasted";
        Finding::at(&["authorize", "response_mode"], message)
    })
}

#[cfg(test)]
mod tests {
    use crate::provider::file;

    fn found(words: &str, token: &str) -> String {
        let text = format!(
            "schema = 1\nname = \"x\"\nflows = [\"authorization_code\"]\n\
             [token]\nurl = \"https://x.example/token\"\n{token}\n\
             [api]\nbase_url = \"https://x.example\"\n\
             [authorize]\nurl = \"https://x.example/authorize\"\n{words}\n"
        );
        file::read("x.toml", &text).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test] // AR14, EX4, EX5, RL21
    fn what_cannot_be_asked_for_is_found_with_its_line() {
        assert_eq!(found("", ""), "");
        let fine = "pushed_url = \"https://x.example/par\"\nresponse_mode = \"form_post\"\n\
                    params = { audience = \"x\" }\n\
                    [[authorize.authorization_details]]\ntype = \"payment\"";
        assert_eq!(found(fine, "resource = [\"https://api.example/\"]"), "");
        let refused = [
            (
                "params = { State = \"x\" }",
                "",
                "x.toml:11: `State` is the protocol's own parameter",
            ),
            ("params = { resource = \"x\" }", "", "x.toml:11: `resource` is the protocol's own"),
            ("", "resource = [\"api\"]", "x.toml:6: this names no resource: it is no absolute URI"),
            ("", "resource = [\"https://a/#b\"]", "it has a fragment"),
            ("authorization_details = [{ a = 1 }]", "", "x.toml:11: each right needs a `type`"),
            ("pushed_url = \"http://x.example/par\"", "", "x.toml:11: an endpoint is an https URL"),
            (
                "response_mode = \"form_post\"\nredirect = { uri = \"https://me.example/\" }",
                "",
                "x.toml:11: `form_post` needs a redirect to this machine",
            ),
        ];
        for (words, token, says) in refused {
            let found = found(words, token);
            assert!(found.contains(says), "{words} {token}: {found}");
        }
    }
}
