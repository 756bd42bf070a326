//! `[mutual_tls]`: every word stands for something, and somebody can show a certificate.

use super::Provider;
use super::file::Finding;

/// The first rule that the table breaks.
pub(super) fn mutual_tls(provider: &Provider) -> Option<Finding> {
    let table = provider.mutual_tls.as_ref()?;
    let client = &provider.client;
    let is_shown = client.shows_certificate()
        || client.methods.iter().any(|method| method.shows_certificate())
        || table.binds_tokens;
    if !is_shown {
        return Some(Finding::at(
            &["mutual_tls"],
            "[mutual_tls] has no effect where no client shows a certificate: name such a method in [client], or `binds_tokens = true`",
        ));
    }
    if let Some(word) = provider.idle_mutual_tls_urls().first() {
        let says = "it stands for an endpoint, and the provider has none of that kind";
        return Some(Finding::at(&["mutual_tls", word], says));
    }
    (!table.binds_tokens && table.urls().next().is_none())
        .then(|| Finding::at(&["mutual_tls"], "[mutual_tls] says nothing"))
}

/// The texts that may name settings.
pub(super) fn templates(provider: &Provider) -> Vec<(Vec<&'static str>, &str)> {
    let urls = provider.mutual_tls.iter().flat_map(|table| table.urls());
    urls.map(|(word, url)| (vec!["mutual_tls", word], url)).collect()
}

#[cfg(test)]
mod tests {
    use crate::provider::file::read;

    fn findings(client: &str, mutual_tls: &str) -> Result<(), String> {
        let text = format!(
            "schema = 1\nname = \"x\"\nflows = [\"client_credentials\"]\n[client]\n{client}\n[token]\nurl = \"https://as.test/token\"\n[refresh]\nrotation = \"reissue\"\n[api]\nbase_url = \"https://api.test\"\n[mutual_tls]\n{mutual_tls}\n"
        );
        read("x.toml", &text).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test] // DS15
    fn no_word_for_certificates_stands_there_without_effect() {
        let tls = "auth = \"basic\"\nmethods = [\"basic\", \"tls_client_auth\"]";
        let alias = "token_url = \"https://mtls.as.test/token\"";
        assert_eq!(findings(tls, alias), Ok(()));
        assert_eq!(findings("auth = \"tls_client_auth\"", alias), Ok(()));
        assert_eq!(findings("auth = \"basic\"", "binds_tokens = true"), Ok(()));
        let cases = [
            ("auth = \"basic\"", alias, "no client shows a certificate"),
            (tls, "", "says nothing"),
            (tls, "revoke_url = \"https://mtls.as.test/revoke\"", "none of that kind"),
            (tls, "token_url = \"http://mtls.as.test/token\"", "an endpoint is an https URL"),
            (tls, "token_url = \"https://{host}/token\"", "neither a setting"),
        ];
        for (client, table, says) in cases {
            let error = findings(client, table).unwrap_err();
            assert!(error.contains(says), "{table}: {error}");
        }
    }
}
