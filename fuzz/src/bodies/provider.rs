//! What a user or a server says about a vendor.

use keyfob::provider::metadata::{read, to_toml};
use keyfob::provider::{Provider, file};

/// A provider file. What is taken comes back from JSON, the form in which it travels to a worker.
pub fn file(bytes: &[u8]) {
    let text = super::text(bytes);
    match file::read("fuzzed.toml", &text) {
        Ok(provider) => {
            let json = serde_json::to_string(&provider).expect("a provider can be written");
            let again: Provider = serde_json::from_str(&json).expect("and read again");
            assert_eq!(again, provider);
        }
        Err(error) => {
            let lines = text.lines().count() + 1;
            assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
            assert!(error.to_string().len() <= 8 * text.len() + 4096, "{error}");
        }
    }
}

/// An authorization server's description of itself. What is taken makes a provider file that passes.
pub fn metadata(bytes: &[u8]) {
    const ISSUER: &str = "https://issuer.example";
    let Ok(metadata) = read(ISSUER, bytes) else { return };
    assert_eq!(metadata.issuer, ISSUER);
    for endpoint in metadata.authorization_endpoint.iter().chain([&metadata.token_endpoint]) {
        assert!(endpoint.starts_with("https://"), "{endpoint}");
    }
    let provider = metadata.provider("fuzzed");
    let text = to_toml(&provider);
    let again = file::read("fuzzed.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(again.token.url, provider.token.url, "{text}");
    assert_eq!(again.flows, provider.flows, "{text}");
}
