//! The device flow and its endpoint: one is nothing without the other, and no word without effect.

use super::Provider;
use super::file::Finding;
use super::schema::Flow;

/// The parameters of a device authorization request, by their standard names (RFC 8628 section 3.1).
const PARAMETERS: [&str; 3] = ["client_id", "client_secret", "scope"];

/// The first rule that a file breaks.
pub(super) fn device(provider: &Provider) -> Option<Finding> {
    let device = match (&provider.device, provider.flows.contains(&Flow::DeviceCode)) {
        (Some(device), true) => device,
        (Some(_), false) => {
            let message = "[device] has no effect without the flow `device_code`";
            return Some(Finding::at(&["device"], message));
        }
        (None, true) => {
            return Some(Finding::at(&["flows"], "`device_code` needs a [device] table"));
        }
        (None, false) => return None,
    };
    let unknown = |name: &&String| !PARAMETERS.contains(&name.as_str());
    let finding = |key, name: &String| {
        let message = format!("`{name}` is no parameter of a device authorization request");
        Finding::at(&["device", key], message)
    };
    device
        .rename
        .keys()
        .find(unknown)
        .map(|name| finding("rename", name))
        .or_else(|| device.omit.iter().find(unknown).map(|name| finding("omit", name)))
}

/// Everything of it that may name values in braces.
pub(super) fn templates(provider: &Provider) -> Vec<(Vec<&'static str>, &str)> {
    let Some(device) = &provider.device else { return Vec::new() };
    let mut all = vec![(vec!["device", "url"], device.url.as_str())];
    all.extend(device.params.values().map(|it| (vec!["device", "params"], it.as_str())));
    all.extend(device.headers.values().map(|it| (vec!["device", "headers"], it.as_str())));
    all
}

#[cfg(test)]
mod tests {
    use super::super::file::read;
    use super::super::schema::Flow;

    const HEAD: &str = r#"schema = 1
name = "tv"
flows = ["device_code"]
[token]
url = "https://as.example/token"
[api]
base_url = "https://api.example"
"#;

    fn finding(text: &str) -> Option<(usize, String)> {
        let error = read("p.toml", text).err()?;
        Some((error.line.unwrap(), error.message))
    }

    #[test]
    fn the_flow_and_its_endpoint_go_together() {
        let (line, says) = finding(HEAD).unwrap();
        assert_eq!((line, says.as_str()), (3, "`device_code` needs a [device] table"));
        let table = "[device]\nurl = \"https://as.example/device\"\n";
        let without = HEAD.replace("device_code", "client_credentials");
        let (line, says) =
            finding(&format!("{without}{table}[refresh]\nrotation = \"reissue\"\n")).unwrap();
        assert_eq!(
            (line, says.as_str()),
            (8, "[device] has no effect without the flow `device_code`")
        );
        assert_eq!(finding(&format!("{HEAD}{table}")), None);
    }

    #[test]
    fn what_would_have_no_effect_is_told_with_its_line() {
        let cases = [
            ("url = \"http://as.example/device\"", 9, "an endpoint is an https URL"),
            ("url = \"https://{hots}/device\"", 9, "`{hots}` is neither a setting nor a context"),
            ("url = \"https://as.example/d\"\nparams = { a = \"{b}\" }", 10, "`{b}` is neither"),
            ("url = \"https://as.example/d\"\nheaders = { A = \"{b}\" }", 10, "`{b}` is neither"),
            (
                "url = \"https://as.example/d\"\nrename = { state = \"s\" }",
                10,
                "`state` is no parameter",
            ),
            ("url = \"https://as.example/d\"\nomit = [\"grant_type\"]", 10, "`grant_type` is no"),
            ("url = \"https://as.example/d\"\nuser_code = \"c\"", 10, "unknown key `user_code`"),
        ];
        for (words, line, says) in cases {
            let (found, message) = finding(&format!("{HEAD}[device]\n{words}\n")).expect(words);
            assert!(found == line && message.contains(says), "{words}: {found} {message}");
        }
    }

    /// The four of `providers.md` that have the flow, as a user would write them.
    #[test]
    fn the_vendors_that_have_the_flow_can_be_written() {
        let github = r#"url = "https://github.com/login/device/code""#;
        let gitlab = r#"url = "https://gitlab.com/oauth/authorize_device""#;
        let google = "url = \"https://oauth2.googleapis.com/device/code\"\nomit = [\"client_secret\"]\n\
                      response.verification_uri = \"verification_url\"";
        let entra = r#"url = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode""#;
        for words in [github, gitlab, google] {
            assert_eq!(finding(&format!("{HEAD}[device]\n{words}\n")), None, "{words}");
        }
        let tenant = "[settings.tenant]\nask = \"Tenant\"\ndefault = \"organizations\"\n";
        let provider = read("p.toml", &format!("{HEAD}[device]\n{entra}\n{tenant}")).unwrap();
        assert_eq!(provider.flows, [Flow::DeviceCode]);
    }
}
