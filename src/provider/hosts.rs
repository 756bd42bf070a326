//! `[api] hosts`: what a host that may be given the token must look like.
//!
//! It is written out, without names in braces: a profile's setting must not lead tokens elsewhere.

use url::Url;

use super::schema::Api;

/// What is wrong with the first of `hosts` that is no origin over TLS or on this machine.
pub fn wrong_host(api: &Api) -> Option<String> {
    let wrong = api.hosts.iter().find(|text| !is_origin(text))?;
    Some(format!(
        "`{wrong}` is no host: write it as https://git.example.com; plain http is for loopback alone"
    ))
}

fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let is_bare = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    is_bare && !text.contains(['{', '}']) && super::metadata::is_protected(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_origin_over_tls_or_on_this_machine() {
        let good =
            ["https://git.example.com", "https://git.example.com:8443/", "http://127.0.0.1:1"];
        let bad = [
            "",
            "git.example.com",
            "http://git.example.com",
            "https://{git_host}",
            "https://git.example.com/path",
            "https://git.example.com?x",
            "https://git.example.com#x",
            "https://me@git.example.com",
            "ftp://git.example.com",
        ];
        assert!(good.iter().all(|text| is_origin(text)));
        for text in bad {
            assert!(!is_origin(text), "{text}");
        }
    }

    #[test]
    fn a_file_with_a_wrong_host_is_refused_with_its_line() {
        let text = "schema = 1\nname = \"x\"\nflows = [\"import\"]\n[token]\nurl = \"https://x.example/token\"\n\
                    [api]\nbase_url = \"https://x.example\"\nhosts = [\"git.x.example\"]\n";
        let error = crate::provider::file::read("x.toml", text).unwrap_err();
        assert_eq!(error.line, Some(8));
        assert!(error.message.contains("`git.x.example` is no host"), "{error}");
        let right = text.replace("\"git.x", "\"https://git.x");
        assert_eq!(crate::provider::file::read("x", &right).unwrap().api.hosts.len(), 1);
    }
}
