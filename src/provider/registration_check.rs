//! The rules of `[registration]`.

use super::Provider;
use super::file::Finding;
use super::schema::RegistrationKind;

/// The members that keyfob itself says, and those that only the server does.
const OWN: [&str; 13] = [
    "redirect_uris",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "application_type",
    "client_name",
    "scope",
    "client_id",
    "client_secret",
    "client_secret_expires_at",
    "registration_access_token",
    "registration_client_uri",
    "jwks",
];

/// The first rule of `[registration]` that the file breaks.
pub(super) fn registration(provider: &Provider) -> Option<Finding> {
    let registration = provider.registration.as_ref()?;
    let is_dynamic = registration.kind == RegistrationKind::Dynamic;
    if is_dynamic && registration.url.is_none() {
        let says = "`kind = \"dynamic\"` needs the `url` of the client registration endpoint";
        return Some(Finding::at(&["registration", "kind"], says));
    }
    if !is_dynamic && registration.url.is_some() {
        let says = "`url` has no effect beside `kind = \"metadata_document\"`";
        return Some(Finding::at(&["registration", "url"], says));
    }
    if !is_dynamic && !registration.params.is_empty() {
        let says = "`params` has no effect beside `kind = \"metadata_document\"`";
        return Some(Finding::at(&["registration", "params"], says));
    }
    let own = registration.params.keys().find(|name| OWN.contains(&name.as_str()))?;
    let says = format!("`{own}` is what keyfob or the server says, and no extra member");
    Some(Finding::at(&["registration", "params", own], says))
}

#[cfg(test)]
mod tests {
    use crate::provider::file::read;

    const PLAIN: &str = include_str!("../sandbox/vendors/standard_provider.toml");

    /// The plain provider with another `[registration]`, and what is said of it.
    fn said(table: &str) -> Option<String> {
        let (before, after) = PLAIN.split_once("[registration]").unwrap();
        let rest = after.find("\n[").map_or("", |at| &after[at..]);
        let text = format!("{before}[registration]\n{table}\n{rest}");
        read("plain.toml", &text).err().map(|error| error.to_string())
    }

    #[test]
    fn what_has_no_effect_in_a_registration_is_refused() {
        let url = "url = \"https://as.example/register\"";
        let fine = format!("kind = \"dynamic\"\n{url}\nparams = {{ software_id = \"x\" }}");
        assert_eq!(said(&fine), None);
        assert_eq!(said("kind = \"metadata_document\""), None);
        let cases = [
            ("kind = \"dynamic\"".to_owned(), "needs the `url`"),
            (format!("kind = \"metadata_document\"\n{url}"), "`url` has no effect"),
            ("kind = \"metadata_document\"\nparams = { a = \"b\" }".into(), "`params` has no"),
            (format!("kind = \"dynamic\"\n{url}\nparams = {{ scope = \"b\" }}"), "`scope` is what"),
            ("kind = \"dynamic\"\nurl = \"http://as.example/register\"".into(), "https URL"),
            (format!("kind = \"dynamik\"\n{url}"), "dynamic"),
        ];
        for (table, words) in cases {
            let said = said(&table).unwrap_or_default();
            assert!(said.contains(words), "{table}: {said}");
        }
    }
}
